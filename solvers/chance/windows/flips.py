"""Policies that use few actions: the best flip between two of them, and the printed programs.

In a problem whose windows meet at most one state with a choice each (see `window_optimum`), the
laws over two given actions of a state that meet its rows are a segment.  The best policy that flips
between at most two actions in every state is therefore optimal in a finite model whose actions are
the ends of these segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, combinations, product
from math import lcm
from typing import Any

from ...cmdp.improvement import policy_iteration
from ...cmdp.policies import Policy, evaluate, q_values, value_of
from ...exact import Vector
from ...models.arrays import assemble
from ...models.cmdp import CMDP
from ...programs.solve import solve_linear_program
from ..mixtures import Atom, Mixture, best_pair
from .optimum import WindowOptimum, WindowRow, hopeless, window_program
from .problem import WindowProblem, action_risks, excess_risk, window_risks

Law = tuple[tuple[int, Fraction], ...]
"""Choices of one state with their probabilities, which are positive."""


@dataclass(frozen=True, slots=True)
class FlippingPolicy:
    """The best policy with at most so many actions in each state; values as in `WindowOptimum`."""

    policy: Policy
    values: tuple[Fraction, ...]
    value: Fraction


def best_flipping(
    problem: WindowProblem, rows: Sequence[WindowRow], most: int = 2
) -> FlippingPolicy | None:
    """The best stationary policy with at most `most` (1 or 2) actions in each state.

    rows: of `window_rows`.  None if no such policy meets every window.
    """
    if most not in (1, 2):
        raise ValueError(f"most is {most}; flips between at most 1 or 2 actions are searched")
    laws = [list(_laws(problem, rows, s, most)) for s in range(problem.model.n_states)]
    if hopeless(rows) or not all(laws):
        return None
    flat = list(chain.from_iterable(laws))
    finite = _model_of(problem, flat, list(map(len, laws)))
    best = policy_iteration(finite)
    chosen = dict(chain.from_iterable(flat[i] for i in best.choices))
    policy = Policy(tuple(chosen.get(k, Fraction(0)) for k in range(problem.model.n_choices)))
    return FlippingPolicy(policy, best.values.fractions(), value_of(finite, best.values))


def _model_of(problem: WindowProblem, laws: Sequence[Law], counts: Sequence[int]) -> CMDP:
    """The model whose actions are laws over the choices; counts: how many each state has."""
    model = problem.model
    reward = model.reward_vector().fractions()
    return assemble(
        counts=counts,
        rows=[_merged(problem, law) for law in laws],
        reward=[sum((p * reward[k] for k, p in law), Fraction(0)) for law in laws],
        discount=model.discount,
        initial=model.initial.tolist(),
    )


def _laws(
    problem: WindowProblem, rows: Sequence[WindowRow], state: int, most: int
) -> Iterator[Law]:
    """The single actions that meet the rows of a state, and the inner ends of the flips' segments.

    An end that is a single action is among the single ones.
    """
    choices = problem.choices(state)
    own = [row for row in rows if row.decision == state]
    for a, k in enumerate(choices):
        if all(row.coefficients[a] <= row.bound for row in own):
            yield ((k, Fraction(1)),)
    if most == 2:
        for a, b in combinations(range(len(choices)), 2):
            for w in _inner_ends(*_segment(own, a, b)):
                yield (choices[a], w), (choices[b], 1 - w)


def _inner_ends(low: Fraction, high: Fraction) -> list[Fraction]:
    """Those strictly between 0 and 1, each once; none of an empty segment."""
    return [w for w in dict.fromkeys((low, high)) if low <= high and 0 < w < 1]


def _segment(rows: Sequence[WindowRow], a: int, b: int) -> tuple[Fraction, Fraction]:
    """The weights w of action a, 1 - w of action b, that meet the rows; empty if low > high."""
    low, high = Fraction(0), Fraction(1)
    for row in rows:
        slope, room = row.coefficients[a] - row.coefficients[b], row.bound - row.coefficients[b]
        if slope > 0:
            high = min(high, room / slope)
        elif slope < 0:
            low = max(low, room / slope)
        elif room < 0:
            return Fraction(1), Fraction(0)
    return low, high


def _merged(problem: WindowProblem, law: Law) -> dict[int, int]:
    """Integer weights of the successors under a law."""
    total: dict[int, Fraction] = {}
    for k, p in law:
        for t, q in problem.model.transition_row(k):
            total[t] = total.get(t, Fraction(0)) + p * q
    common = lcm(*(q.denominator for q in total.values()))
    return {t: int(q * common) for t, q in sorted(total.items())}


def best_deterministic(problem: WindowProblem) -> FlippingPolicy | None:
    """The best deterministic policy that meets every window, of all that there are; or None.

    Windows of any kind: each policy is evaluated.  For small models, as there are exponentially
    many.
    """
    model, best = problem.model, None
    for chosen in product(*(problem.choices(s) for s in range(model.n_states))):
        policy = Policy.of_choices(model, chosen)
        if excess_risk(problem, policy) <= 0:
            values = evaluate(model, policy)
            found = FlippingPolicy(policy, values.fractions(), value_of(model, values))
            best = found if best is None or found.value > best.value else best
    return best


def flip_certificates(
    problem: WindowProblem, rows: Sequence[WindowRow]
) -> list[tuple[tuple[int, ...], dict[str, Any]]]:
    """For each way to keep two choices a state: (their choices, certificate of the best value).

    The value is from the initial law.  Choices that cannot meet every window come with the proof of
    that, a certificate of infeasibility, provided the initial law leads to them.
    """
    initial = problem.model.initial_vector().fractions()
    kept = [
        list(combinations(problem.choices(s), min(2, len(problem.choices(s)))))
        for s in range(problem.model.n_states)
    ]
    found = []
    for parts in product(*kept):
        choices = tuple(k for part in parts for k in part)
        solution = solve_linear_program(window_program(problem, rows, initial, choices))
        found.append((choices, solution.certificate()))
    return found


def state_atoms(problem: WindowProblem, best: WindowOptimum, state: int) -> list[Atom]:
    """(Q*, P*) of each choice of a state: the value of taking it once and the optimum then, and
    1 less the risk of the window."""
    later = window_risks(problem, best.policy, problem.window - 1)
    risks = action_risks(problem, later)
    values = Vector.of(best.values)
    q = q_values(problem.model, values).fractions()
    return [Atom(q[k], 1 - risks[k]) for k in problem.choices(state)]


def state_program(problem: WindowProblem, best: WindowOptimum, state: int) -> Mixture | None:
    """Maximise sum mu Q* over the laws mu with sum mu P* >= 1 - alpha, at one state."""
    return best_pair(state_atoms(problem, best, state), 1 - problem.level)
