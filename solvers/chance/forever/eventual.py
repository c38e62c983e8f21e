"""Discounted reward under a bound on ever visiting an unsafe state: Pr(tau < infinity) <= level.

The reward fades and the risk does not, so stationary policies fail (with one risky action of hazard
1/10, level 1/10, any stationary use of it is ruined almost surely).  N free decisions followed by
something fixed enclose the optimum:

* the risk left at time N is q(s), the least chance of ever visiting an unsafe state from s;
* below: afterwards the best policy of risk q, until a visit, and then the best policy of all;
* above: afterwards the best policy of all, at the price of risk q only.

Both are finite-horizon problems, solved exactly; they differ by at most
gamma^N max_s (best value - best value at risk q), so a wanted width tells N.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from ...cmdp.improvement import policy_iteration
from ...errors import ModelError
from ...exact import Rational, Vector, format_rational, to_fraction
from ...models.checks import check_discounted
from ...models.cmdp import CMDP, IntegerArray
from ...sequences import listed
from ...solution import Bounds, Status
from ..horizon.chord import solve_dynamics
from ..horizon.dynamics import Dynamics
from ..horizon.problem import ChanceProblem
from ..horizon.solution import ChanceSolution
from .eventual_risk import LeastRisk, least_eventual_risk
from .flagged import flagged_model

#: The longest horizon that a width may ask for.
LONGEST = 10_000


@dataclass(frozen=True, eq=False, repr=False)
class EventualSolution(Bounds):
    """lower <= optimum <= upper, exactly.

    Attributes:
        status: EXACT where the ends are equal, ENCLOSED where they differ, or INFEASIBLE.
        horizon: N, the free decisions.
        width_bound: gamma^N max_s (best value - best value at least risk), at least upper - lower.
        first: the optimal policy of the lower bound for N steps, with its certificate.
        tail: int[2, S], the choices that follow it, by flag and state.
        minimum_risk: the least chance of ever visiting an unsafe state.
        upper_solution: the problem whose value is the upper bound.
    """

    status: Status
    level: Fraction
    minimum_risk: Fraction
    horizon: int = 0
    lower: Fraction | None = None
    upper: Fraction | None = None
    width_bound: Fraction | None = None
    first: ChanceSolution | None = field(default=None, repr=False)
    tail: IntegerArray | None = field(default=None, repr=False)
    upper_solution: ChanceSolution | None = field(default=None, repr=False)

    @property
    def statistics(self) -> dict[str, Any]:
        """Those of the problems behind the two bounds."""
        if self.first is None or self.upper_solution is None:
            return {}
        return {"lower": self.first.statistics, "upper": self.upper_solution.statistics}

    def certificate(self) -> dict[str, Any]:
        """That of the lower bound, which a policy attains; `upper_solution` has the upper one's.

        Raises ModelError when infeasible, and when it would be enormous.
        """
        if self.first is None:
            raise ModelError(
                f"there is no policy to certify: the least risk is {self.minimum_risk}"
            )
        return self.first.certificate()


def enclose_eventual(
    model: CMDP,
    unsafe: Sequence[int],
    level: Rational | float,
    *,
    width: Rational | float | None = None,
    horizon: int | None = None,
    counts_start: bool = False,
    reward_after_violation: bool = True,
) -> EventualSolution:
    """An exact enclosure of the optimum; give the width it may have, or N.

    Raises ModelError for a level outside [0, 1), a width that is not positive or needs more than
    `LONGEST` decisions, both or neither of width and horizon, and a discount of 1.
    """
    check_discounted(model)
    base = ChanceProblem(
        model,
        tuple(listed(unsafe, "unsafe", ordered=False)),
        1 if horizon is None else horizon,
        counts_start,
        reward_after_violation=reward_after_violation,
    )
    bound = base.checked_level(level)
    least = least_eventual_risk(model, base.unsafe)
    minimum = base.start_risk + _mean_risk(base, least.risks)
    if minimum > bound:
        return EventualSolution(Status.INFEASIBLE, bound, minimum)
    tails = _Tails.of(base, least)
    steps = _horizon(model.discount, tails.gap, width, horizon)
    problem = replace(base, horizon=steps)
    zero = Vector((0,) * model.n_states)
    solutions = [
        _optimum(Dynamics.of(problem, values, [least.risks, zero]), bound)
        for values in (tails.lower, tails.upper)
    ]
    met = solutions[0].value == solutions[1].value
    return EventualSolution(
        Status.EXACT if met else Status.ENCLOSED,
        bound,
        minimum,
        steps,
        solutions[0].value,
        solutions[1].value,
        model.discount**steps * tails.gap,
        solutions[0],
        tails.choices,
        solutions[1],
    )


@dataclass(frozen=True, eq=False)
class _Tails:
    """What follows: values by flag, below and above; the choices of the lower one; their gap."""

    lower: list[Vector]
    upper: list[Vector]
    choices: IntegerArray
    gap: Fraction

    @classmethod
    def of(cls, problem: ChanceProblem, least: LeastRisk) -> _Tails:
        restricted, free = (flagged_model(problem, a) for a in (least.allowed, None))
        low, high = (policy_iteration(part.model) for part in (restricted, free))
        size = problem.model.n_states
        gap = max(high.values[s] - low.values[s] for s in range(size))
        lower, upper = (
            [
                Vector(part.values.numerators[start : start + size], part.values.denominator)
                for start in (0, size)
            ]
            for part in (low, high)
        )
        choices = restricted.choices[list(low.choices)].reshape(2, size)
        return cls(lower, upper, choices, gap)


def _optimum(dynamics: Dynamics, level: Fraction) -> ChanceSolution:
    """Of a level that is feasible, by what is known of the least risk."""
    solution = solve_dynamics(dynamics, level)
    if solution.status is not Status.EXACT:
        raise AssertionError(
            f"the least eventual risk is at most the level, but over {dynamics.horizon} decisions "
            f"{solution.explanation()}"
        )
    return solution


def _mean_risk(problem: ChanceProblem, risks: Vector) -> Fraction:
    """Of the starts that are not visits themselves."""
    mass = problem.model.initial_vector()
    free = (s for s in range(len(mass)) if problem.first_memory(s) == 0)
    return sum((mass[s] * risks[s] for s in free), Fraction(0))


def _horizon(discount: Fraction, gap: Fraction, width: Any, horizon: int | None) -> int:
    if (width is None) == (horizon is None):
        raise ModelError("give either the width of the enclosure or the horizon, and not both")
    if horizon is not None:
        return horizon
    return _decisions_for(discount, gap, to_fraction(width, "width"))


def _decisions_for(discount: Fraction, gap: Fraction, wanted: Fraction) -> int:
    """The fewest N with gamma^N gap <= the width wanted."""
    if wanted <= 0:
        raise ModelError(
            f"width is {format_rational(wanted)}; it must be positive (the enclosure can be "
            "narrower)"
        )
    needed = wanted / gap if gap else Fraction(1)

    def suffices(steps: int) -> bool:
        if 1 - steps * (1 - discount) > needed:  # at most the power, by Bernoulli's inequality
            return False
        top, bottom = discount.numerator**steps, discount.denominator**steps
        return top * needed.denominator <= bottom * needed.numerator

    steps = 1 + bisect_left(range(1, LONGEST + 1), True, key=suffices)
    if steps > LONGEST:
        raise ModelError(
            f"width {format_rational(wanted)} needs more than {LONGEST} decisions at discount "
            f"{format_rational(discount)}; give a greater width"
        )
    return steps
