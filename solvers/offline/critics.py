r"""Critics of WSAC: relative values against weighted average Bellman errors, minimised exactly.

.. math:: L(\pi,f)=\mathbb E[f(s,\pi)-f(s,a)],\qquad
   E(\pi,f)=\max_{w\in W}|\mathbb E[w\,(f-T^\pi f)]|,

expectations under the data law of an `OfflineProblem`, true or empirical.  The reward critic
minimises L + beta E, the cost critic -L + beta E.  (The paper's cost critic minimises
-lambda L + beta E: its beta is lambda times the one here.)  The squared form, of ATAC, has
:math:`\|f-T^\pi f\|^2_2` in the place of E.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from flint import fmpq, fmpq_mat

from ..cmdp.policies import Policy
from ..programs.program import LinearProgram
from ..programs.solve import solve_linear_program
from ..sequences import Array, objects
from .problems import Function, OfflineProblem, Signal, check_weight, rationals, to_python

Form = Literal["weighted", "squared", "box"]
_END = fmpq(1, 10**6)
"""Share of its range within which a proposed value is taken to be at an end."""


def relative_value(
    problem: OfflineProblem, policy: Policy, function: Sequence[Any] | Array
) -> Fraction:
    """L(pi, f)."""
    law, values = problem.rational["law"], rationals(function)
    return to_python((law * (problem.spread(_under(problem, policy, values)) - values)).sum())


def _under(problem: OfflineProblem, policy: Policy, values: Array) -> Array:
    return problem.by_state(rationals(policy.probabilities) * values)


def rational_residual(
    problem: OfflineProblem, policy: Policy, function: Sequence[Any] | Array, signal: Signal
) -> Array:
    """f - T^pi f, [K], as `flint.fmpq`."""
    seen, values = problem.rational, rationals(function)
    ahead = seen["transitions"] @ _under(problem, policy, values)
    found: Array = values - seen[signal] - seen["discount"] * ahead
    return found


def residual(
    problem: OfflineProblem, policy: Policy, function: Sequence[Any] | Array, signal: Signal
) -> Array:
    """f - T^pi f, [K], as Fractions."""
    return objects(map(to_python, rational_residual(problem, policy, function, signal)))


def bellman_error(
    problem: OfflineProblem,
    policy: Policy,
    function: Sequence[Any] | Array,
    signal: Signal,
    form: Form = "weighted",
) -> Fraction:
    """E(pi, f) over the finite class W; or the mean square of the residual; or, for "box", E over
    all weights in [0, B] and the constant 1, B the largest weight of W."""
    error = rational_residual(problem, policy, function, signal)
    if form == "weighted":
        return to_python(max(abs((w * error).sum()) for w in problem.rational["weights"]))
    if form == "squared":
        return to_python((problem.rational["law"] * error * error).sum())
    parts = [to_python(x) for x in problem.rational["law"] * error]
    larger = max(sum(x for x in parts if x > 0), -sum(x for x in parts if x < 0))
    return max(max(map(max, problem.weights)) * larger, abs(Fraction(sum(parts))))


def _sign(signal: Signal) -> int:
    """Of L in the objective of a critic."""
    return 1 if signal == "reward" else -1


def critic(
    problem: OfflineProblem,
    policy: Policy,
    signal: Signal,
    beta: Fraction,
    form: Form = "weighted",
    *,
    sign: int = 0,
) -> Function:
    """The member of F that minimises L + beta E, or of G that minimises -L + beta E; the first.

    sign: of L, where it is not that of the signal: +1 for rewards, -1 for costs.
    Raises ModelError for a negative beta.
    """
    beta, sign = check_weight(beta, "beta"), sign or _sign(signal)
    members = problem.rewards if signal == "reward" else problem.costs

    def objective(function: Function) -> Fraction:
        error = beta and beta * bellman_error(problem, policy, function, signal, form)
        return sign * relative_value(problem, policy, function) + error

    return min(members, key=objective)


def critic_program(
    problem: OfflineProblem,
    policy: Policy,
    signal: Signal,
    beta: Fraction,
    form: Form = "weighted",
) -> LinearProgram:
    """The critic over the box [0, Vmax]^K, or [-Vmax, Vmax]^K for costs, as a linear program.

    Variables: f less its lower end, [K], then t, the error; for "box" also the parts u, v of
    mu (f - T f), [K] each.  Its value is -(sign L + beta E).
    """
    size, low = problem.model.n_choices, _lowest(problem, signal)
    slopes, start, columns = _affine(problem, policy, signal)
    extra = [Fraction(0)] * (2 * size if form == "box" else 0)
    weights = [(Fraction(1),) * size] if form == "box" else problem.weights
    rows = []
    for w in weights:
        weighted = problem.law * objects(w)
        slope = [(weighted * column).sum() for column in columns]
        for side in (1, -1):  # |start + slope f| <= t
            row = [*(side * x for x in slope), Fraction(-1), *extra]
            rows.append((row, "<=", -side * (weighted * start).sum()))
    for one in _identity(size):
        rows.append(([*one, Fraction(0), *extra], "<=", problem.horizon - low))
    if form == "box":
        rows += _parts(problem, columns, start)
    left, relations, rhs = zip(*rows, strict=True)
    return LinearProgram.of([*(-x for x in slopes), -beta, *extra], left, relations, rhs)


def _identity(size: int) -> list[list[Fraction]]:
    return [[Fraction(i == k) for i in range(size)] for k in range(size)]


def _affine(
    problem: OfflineProblem, policy: Policy, signal: Signal
) -> tuple[list[Fraction], Array, list[Array]]:
    """Of f less its lower end: the slopes of sign L, [K], f - T f at 0, [K], and its slopes."""
    size, sign = problem.model.n_choices, _sign(signal)
    slopes = [sign * relative_value(problem, policy, one) for one in _identity(size)]
    start = residual(problem, policy, [_lowest(problem, signal)] * size, signal)
    paid = problem.signal(signal)
    columns = [residual(problem, policy, one, signal) + paid for one in _identity(size)]
    return slopes, start, columns


def _parts(
    problem: OfflineProblem, columns: list[Array], start: Array
) -> list[tuple[list[Fraction], str, Fraction]]:
    """mu (f - T f) = u - v with u, v >= 0, and the largest weight times either sum is at most t."""
    size, largest = problem.model.n_choices, max(map(max, problem.weights))
    rows = []
    for k, mass in enumerate(problem.law):
        parts = [Fraction((i == k + size) - (i == k)) for i in range(2 * size)]
        row = [*(mass * column[k] for column in columns), Fraction(0), *parts]
        rows.append((row, "=", -mass * start[k]))
    for part in (0, 1):
        sums = [largest * (i // size == part) for i in range(2 * size)]
        rows.append(([Fraction(0)] * size + [Fraction(-1), *sums], "<=", Fraction(0)))
    return rows


def _lowest(problem: OfflineProblem, signal: Signal) -> Fraction:
    """The lower end of the box."""
    return Fraction(0) if signal == "reward" else -problem.horizon


def box_critic(
    problem: OfflineProblem,
    policy: Policy,
    signal: Signal,
    beta: Fraction,
    form: Form = "weighted",
) -> tuple[Function, Fraction]:
    """A critic over the box class and its certified objective, sign L + beta E.

    Minimisers need not be unique, at beta = 0 above all; the objective is.  L is the same for all
    constants, so that the lower end of the box plays no part in it.  Raises ModelError for a
    negative beta.
    """
    beta = check_weight(beta, "beta")
    solution = solve_linear_program(critic_program(problem, policy, signal, beta, form))
    if solution.primal is None or solution.value is None:  # the box is not empty and bounded
        raise AssertionError(solution.status)
    low = _lowest(problem, signal)
    found = solution.primal.fractions()[: problem.model.n_choices]
    return tuple(x + low for x in found), -solution.value


def squared_box_critic(
    problem: OfflineProblem, policy: Policy, signal: Signal, beta: Fraction
) -> tuple[Function, Fraction, Fraction]:
    """A critic over the box for squared errors, its objective sign L + beta E, and how far at most
    that is above the least.

    The last is 0, and the critic exact, where it was told right which of its values are at an end
    of their range and the others follow; elsewhere it is what the gradient of a convex function
    leaves.  Raises ModelError for a negative beta.
    """
    beta, low = check_weight(beta, "beta"), _lowest(problem, signal)
    slopes, start, columns = _affine(problem, policy, signal)
    moves = np.stack([rationals(column) for column in columns], axis=1)
    fall = 2 * rationals([beta])[0] * (moves.T * problem.rational["law"])
    slope, hessian = rationals(slopes) + fall @ rationals(start), fall @ moves
    top = rationals([problem.horizon - low])[0]

    def excess(x: Array) -> fmpq:
        steps = zip(slope + hessian @ x, x, strict=True)
        return sum((max(g * y, g * (y - top)) for g, y in steps), fmpq())

    guess = _proposed(slope, hessian, float(problem.horizon - low))
    x = min((guess, _between_ends(guess, slope, hessian, top)), key=excess)
    values = tuple(to_python(y) + low for y in x)
    error = bellman_error(problem, policy, values, signal, "squared")
    objective = _sign(signal) * relative_value(problem, policy, values) + beta * error
    return values, objective, to_python(excess(x))


def _proposed(slope: Array, hessian: Array, top: float) -> Array:
    """Rationals near the least of slope x + x hessian x / 2 on [0, top]^K, and in it."""
    from scipy.optimize import minimize

    g, h = (np.vectorize(lambda y: float(to_python(y)), otypes=[float])(one)
            for one in (slope, hessian))  # fmt: skip
    found = minimize(
        lambda x: (g @ x + x @ h @ x / 2, g + h @ x), np.full(len(g), top / 2), jac=True,
        bounds=[(0, top)] * len(g), method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-12},
    )  # fmt: skip
    return rationals(Fraction(y).limit_denominator(2**40) for y in found.x.tolist())


def _between_ends(near: Array, slope: Array, hessian: Array, top: fmpq) -> Array:
    """The same with gradient 0 where it is off both ends; `near` where that leaves the box."""
    x = objects(
        y if top * _END < y < top * (1 - _END) else fmpq(round(y / top)) * top for y in near
    )
    free = [k for k, y in enumerate(x) if 0 < y < top]
    x[free] = fmpq()
    size, right = len(free), -(slope + hessian @ x)[free]
    try:
        inner = fmpq_mat(size, size, hessian[np.ix_(free, free)].ravel().tolist())
        x[free] = inner.solve(fmpq_mat(size, 1, right.tolist())).entries()
    except ZeroDivisionError:  # singular, as where the data lack a pair
        return near
    return x if all(0 <= y <= top for y in x) else near
