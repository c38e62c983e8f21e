"""The multiplier of a safety constraint: one in balls, several with an enclosed duality gap.

    R(pi) = E r - temperature KL(pi | reference) is to be largest subject to G(pi) = E g >= level.

For one constraint G(pi_lam) increases with the multiplier, so signs on both sides enclose it.  For
several, any multipliers give an upper bound, the dual value, and any policy that meets the levels
gives a lower one; they are found in floats and judged in rationals and balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from ..errors import ModelError
from ..hypergradient.balls import elementwise, number
from ..sequences import Array, listed
from .checks import check_kind, real, reals
from .problems import Problem, as_printed, rational
from .tilts import averaged, log_partition, mean, objective, ready, tilt, weighted

_MOST_STEPS, _FIRST_BITS = 400, 64
"""Steps of the safeguarded Newton method at most, each at least a bisection, and the bits of the
first ones; with more bits at once a step costs more, with fewer there are more steps."""
_GUARD = 24
"""Bits of the working precision that the first width tried leaves for rounding; fewer make more
widths fail, more widen what is returned."""
_CLOSE = 20
"""Bits to which the bracketed root is found, from where Newton's free steps converge."""
_DOUBLINGS = 7
"""Of the working precision for one multiplier: exponents of 10^30 take two, and 128 times the bits
still take less than a second for some responses."""
_SMALLEST = Fraction(1, 2**20)
"""Multipliers below this are tried as 0 in the float method for several constraints; larger would
drop constraints that bind a little, smaller keep idle ones.  The gap is enclosed either way."""


class InfeasibleError(ModelError):
    """No policy meets the level; `excess` is how far the level is above what is possible."""

    def __init__(self, message: str, excess: Any) -> None:
        super().__init__(message)
        self.excess = excess


class _UnreachedError(ModelError):
    """More bits of the working precision would tell."""


def refuse_level(prompt_law: Array, safety: Array, level: Any) -> None:
    """Raises InfeasibleError if the level is above or at the largest possible mean of safety."""
    best = (prompt_law * safety.max(axis=1)).sum()
    excess = level - (ready(best) if isinstance(level, flint.arb) else best)
    if excess > 0:
        raise InfeasibleError(
            f"level {level} is above the largest possible mean safety {best}, by {excess}; lower "
            "it by at least that much",
            excess,
        )
    if not excess < 0:
        raise InfeasibleError(
            f"level {level} is the largest possible mean safety: no Slater point, and no finite "
            "multiplier reaches it; lower it a little",
            excess,
        )


def crossing(
    prompt_law: Array, base: Array, direction: Array, safety: Array, level: Any, most: Any = None
) -> flint.arb:
    """The least t >= 0 at which E safety under base e^(t direction)/Z reaches the level, in a ball.

    That mean must increase with t, as it does where direction and safety are ordered alike, and
    reach the level, at the latest at `most` if that is given.  What surrounds the ball is shown by
    the signs at its ends, or the lower end is 0.
    """
    reach = _Reach(ready(prompt_law), ready(base), ready(direction), ready(safety), ready(level))
    if reach(flint.arb(0))[0] >= 0:
        return flint.arb(0)
    at, width = reach.root(most), flint.arb(2) ** (_GUARD - flint.ctx.prec)
    while True:
        low, high = at * (1 - width), at * (1 + width)
        if reach(high.upper())[0] >= 0 and (reach(low.lower())[0] <= 0 or at == 0):
            return low.lower().union(high.upper())
        width *= 16
        if width > 1:
            return _from_zero(reach, at)


def _from_zero(reach: _Reach, at: flint.arb) -> flint.arb:
    """A ball from 0 on, where the level cannot be told from what t = 0 gives."""
    high = at + flint.arb(2) ** (_GUARD - flint.ctx.prec)
    for _ in range(_MOST_STEPS):
        if reach(high)[0] > 0:
            return flint.arb(0).union(high)
        high *= 2
    raise _UnreachedError("the level is not reached for certain; take more bits of flint.ctx.prec")


@dataclass(frozen=True, slots=True)
class _Reach:
    """E safety less the level, and its derivative, along an exponential path of policies."""

    prompt_law: Array
    base: Array
    direction: Array
    safety: Array
    level: Any

    def __call__(self, t: flint.arb) -> tuple[flint.arb, flint.arb]:
        policy = weighted(self.base, self.direction * t, 1)
        inner = (policy * self.safety).sum(axis=1)[:, None]
        slope = averaged(self.prompt_law, policy, (self.safety - inner) * self.direction)
        return (self.prompt_law * inner[:, 0]).sum() - self.level, slope

    def middles(self) -> _Reach:
        """The same with exact numbers."""
        data = (self.prompt_law, self.base, self.direction, self.safety, self.level)
        return _Reach(*(elementwise(lambda one: one.mid(), one) for one in data))

    def root(self, most: Any) -> flint.arb:
        """About the root: Newton's steps within a bracket in few bits, then free ones in more."""
        here, goal = self.middles(), flint.ctx.prec
        few = min(max(_FIRST_BITS, goal // 2), goal)  # where exponents are large they cost bits
        with flint.ctx.workprec(few):
            t = here.bracketed(None if most is None else number(most).mid())
        good = _CLOSE
        while good < goal:
            good *= 2  # as each step doubles the bits that are right
            with flint.ctx.workprec(min(max(2 * good, few), goal)):
                value, slope = here(t)
                t = (t - value / slope).mid()
        return t

    def bracketed(self, high: Any) -> flint.arb:
        """The root to about a third of the working precision."""
        low, t, close = (
            flint.arb(0),
            flint.arb(1) if high is None else high / 2,
            flint.arb(2) ** -_CLOSE,
        )
        span = max(max(row) - min(row) for row in self.direction)
        for _ in range(_MOST_STEPS):
            value, slope = self(t)
            low, high = (t, high) if value.mid() < 0 else (low, t)
            step = (t - value / slope).mid() if slope.mid() > 0 else flint.arb("nan")
            if not (step > low and (high is None or step < high)):
                step = 2 * t if high is None else ((low + high) / 2).mid()
            if high is None and step > 16 * t:  # a flat beginning throws Newton's step too far
                step = 16 * t
            moved, t = abs(step - t), step
            if moved <= abs(t) * close and moved * span <= close:
                break
        return t


def enclose_multiplier(problem: Problem, level: Any) -> flint.arb:
    """The optimal multiplier of G >= level, a ball at the working precision of `flint.ctx`.

    0 where the policy aligned for reward alone meets the level already.  Where rewards or safety
    are many temperatures apart, more bits are taken on the way, so that the ball is as narrow.

    Raises
    ------
    InfeasibleError: if no policy meets the level, saying by how much, or only those that are as
        safe as possible do (then there is no finite multiplier).
    ModelError: for a problem that is not of rationals, or if no precision that is tried tells.
    """
    rational(problem)
    level = real(as_printed(level, "level"), "level")
    refuse_level(problem.prompt_law, problem.safety, level)
    goal, found = flint.ctx.prec, None
    for doubling in range(_DOUBLINGS + 1):
        with flint.ctx.workprec(goal << doubling):
            again = _with_these_bits(problem, level)
        narrower = again is not None and (found is None or 2 * again.rad() < found.rad())
        found = again if narrower else found
        if found is not None and (not narrower or found.rel_accuracy_bits() >= goal - _GUARD - 4):
            return +found
    if found is None:
        raise ModelError(
            f"the multiplier for level {level} is not found in {goal << _DOUBLINGS} bits: rewards "
            "and safety are too many temperatures apart; take a larger temperature"
        )
    return +found


def _with_these_bits(problem: Problem, level: Any) -> flint.arb | None:
    base = tilt(problem.reference, problem.rewards, problem.temperature)
    direction = ready(problem.safety) / ready(problem.temperature)
    try:
        return crossing(problem.prompt_law, base, direction, problem.safety, level)
    except _UnreachedError:
        return None


def dual_value(problem: Problem, safeties: Array, multipliers: Any, levels: Any) -> Any:
    """temperature E log Z of r + sum lam_i g_i, less sum lam_i level_i; safeties [n, X, Y]."""
    weights, bounds = (ready(np.asarray(one, dtype=object)) for one in (multipliers, levels))
    f = ready(problem.rewards) + (weights[:, None, None] * ready(safeties)).sum(axis=0)
    logs = log_partition(problem.reference, f, problem.temperature)
    heat = ready(problem.temperature)
    return heat * (ready(problem.prompt_law) * logs).sum() - (weights * bounds).sum()


@dataclass(frozen=True, slots=True)
class Constrained:
    """A policy that meets all levels, and multipliers that bound how far it is from the best one.

    policy [X, Y], multipliers [n]: rationals; slack: the largest s such that some policy exceeds
    every level by s, as found; value, bound: balls of R of the policy and of the dual value; the
    optimum lies between them.
    """

    policy: Array
    multipliers: tuple[Fraction, ...]
    slack: Fraction
    value: flint.arb
    bound: flint.arb

    @property
    def gap(self) -> flint.arb:
        """How much more any policy may reach, at most; in R's units."""
        return self.bound - self.value


def enclose_constrained(problem: Problem, safeties: Array, levels: Sequence[Any]) -> Constrained:
    """The best policy under G_i >= level_i for safeties [n, X, Y], with its duality gap enclosed.

    Raises
    ------
    InfeasibleError: if the levels cannot be met together, saying by how much one is missed.
    ModelError: for shapes that do not fit, or data that are not rational.
    """
    rational(problem)
    levels = listed(levels, "levels")
    safeties = reals(safeties, "safeties", axes=3)
    check_kind(safeties.flat[0], "safeties[0, 0, 0]", (int, Fraction), "give rationals")
    bounds = np.array(
        [as_printed(one, f"levels[{i}]") for i, one in enumerate(levels)], dtype=object
    )
    if safeties.shape != (len(bounds), *problem.reference.shape):
        raise ModelError(
            f"safeties have shape {safeties.shape}; {len(bounds)} levels and a reference of "
            f"{problem.reference.shape} need {(len(bounds), *problem.reference.shape)}"
        )
    safest, slack = _safest(problem, safeties, bounds)
    multipliers = _descended(problem, safeties, bounds)
    f = problem.rewards + (multipliers[:, None, None] * safeties).sum(axis=0)
    found = _rounded(tilt(*map(_floats, (problem.reference, f, problem.temperature))))
    gains = np.array([mean(problem.prompt_law, found, one) for one in safeties]) - bounds
    rooms = np.array([mean(problem.prompt_law, safest, one) for one in safeties]) - bounds
    pairs = [pair for pair in zip(gains, rooms, strict=True) if pair[0] < 0]
    share = max((-gain / (room - gain) for gain, room in pairs), default=Fraction(0))
    policy = (1 - share) * found + share * safest
    return Constrained(
        policy,
        tuple(multipliers),
        slack,
        objective(
            problem.prompt_law, policy, problem.reference, problem.rewards, problem.temperature
        ),
        dual_value(problem, safeties, multipliers, bounds),
    )


def _floats(values: Any) -> Any:
    return values.astype(float) if isinstance(values, np.ndarray) else float(values)


def _rounded(policy: Array) -> Array:
    """Floats as rationals that sum to 1 exactly."""
    exact = elementwise(Fraction, policy)
    found: Array = exact / exact.sum(axis=1)[:, None]
    return found


def _safest(problem: Problem, safeties: Array, levels: Array) -> tuple[Array, Fraction]:
    """A policy that exceeds every level, and by how much; a linear program, judged in rationals."""
    from scipy.optimize import linprog

    shape, n = problem.reference.shape, len(levels)
    weights = safeties * problem.prompt_law[:, None]
    rows = np.hstack([-_floats(weights.reshape(n, -1)), np.ones((n, 1))])
    laws = np.hstack([np.kron(np.eye(shape[0]), np.ones(shape[1])), np.zeros((shape[0], 1))])
    cost = np.append(np.zeros(shape[0] * shape[1]), -1)
    box = [(0, None)] * (shape[0] * shape[1]) + [(None, None)]
    found = linprog(cost, rows, -_floats(levels), laws, np.ones(shape[0]), box)
    policy = _rounded(np.maximum(found.x[:-1], 0).reshape(shape))
    slack = min(mean(problem.prompt_law, policy, safeties[i]) - levels[i] for i in range(n))
    if slack > 0:
        return policy, slack
    shares = elementwise(Fraction, np.maximum(-found.ineqlin.marginals, 0))
    shares = shares / shares.sum()
    mixed = (shares[:, None, None] * safeties).sum(axis=0)
    excess = (shares * levels).sum() - (problem.prompt_law * mixed.max(axis=1)).sum()
    if excess > 0:
        raise InfeasibleError(
            f"no policy meets levels {', '.join(map(str, levels))} together: at least one is "
            f"missed by {float(excess):.6g}; lower them",
            excess,
        )
    raise InfeasibleError("no policy is found that exceeds every level; lower them a little", slack)


def _descended(problem: Problem, safeties: Array, levels: Array) -> Array:
    """Multipliers about the least dual value, in floats: L-BFGS-B, then Newton's method."""
    from scipy.optimize import minimize

    law, reference, rewards, heat = (
        _floats(one)
        for one in (problem.prompt_law, problem.reference, problem.rewards, problem.temperature)
    )
    gains, bounds = _floats(safeties), _floats(levels)

    def slopes(lam: Array) -> tuple[Array, Array, Array]:
        f = rewards + np.tensordot(lam, gains, 1)
        policy = tilt(reference, f, heat)
        inner = (policy * gains).sum(axis=2)
        spread = np.einsum("x,xy,ixy,jxy->ij", law, policy, gains, gains)
        hessian = (spread - np.einsum("x,ix,jx->ij", law, inner, inner)) / heat
        return (
            (law * log_partition(reference, f, heat)).sum() * heat - lam @ bounds,
            (inner @ law - bounds),
            hessian,
        )

    lam = minimize(
        lambda one: slopes(one)[:2],
        np.zeros(len(bounds)),
        jac=True,
        bounds=[(0, None)] * len(bounds),
        options={"ftol": 1e-15, "gtol": 1e-12},
    ).x
    binding = lam > float(_SMALLEST)
    lam = np.where(binding, lam, 0)
    for _ in range(8 if binding.any() else 0):
        _, slope, hessian = slopes(lam)
        step = np.linalg.lstsq(hessian[np.ix_(binding, binding)], slope[binding], rcond=None)[0]
        moved = lam.copy()
        moved[binding] = np.maximum(lam[binding] - step, 0)
        lam = moved
    found: Array = elementwise(Fraction, lam)
    return found
