"""What is known of the optimum of a chance-constrained problem, and of its policies."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ..cmdp import IntegerArray
from ..exact import format_rational
from ..occupancy import Status
from .dynamics import Dynamics
from .evaluation import Cell
from .problem import ChanceProblem


@dataclass(frozen=True, eq=False)
class TimedPolicy:
    """A deterministic policy with its exact value and risk.

    choices: int[T, M, S], the choice (numbered over the whole model) at each time, memory and
    state.  In cells that the policy does not reach it is some choice of the state.
    """

    choices: IntegerArray
    value: Fraction
    risk: Fraction


@dataclass(frozen=True, slots=True)
class RandomisedCell:
    """The one cell in which an optimal policy randomises between two choices.

    probability: that of ``bolder``.
    """

    time: int
    memory: int
    state: int
    safer: int
    bolder: int
    probability: Fraction

    @property
    def cell(self) -> Cell:
        """(time, memory, state)."""
        return self.time, self.memory, self.state

    @property
    def law(self) -> dict[int, Fraction]:
        """{choice: probability}."""
        return {self.safer: 1 - self.probability, self.bolder: self.probability}


@dataclass(frozen=True, eq=False)
class ChanceSolution:
    """The exact optimum.

    Attributes:
        status: OPTIMAL or INFEASIBLE.
        level: the bound on the risk.
        value: UN-normalised optimal reward; None when infeasible.
        risk: of the optimal policies below, at most the level.
        multiplier: slope of the optimal value in the level; at a kink one of an interval, 0 when
            the reward's optimum meets the level.
        safer, bolder: deterministic policies, optimal for the multiplier, with safer.risk <= level
            <= bolder.risk.  Those of the chord are consecutive kinks of the envelope, those of the
            flag program differ in ``cell`` only.  The same one when it alone is optimal.
        flip_probability: that of ``bolder`` when one of the two is drawn once an episode.
        policy, cell: the same optimum in a single policy, which follows the table ``policy`` except
            that it randomises in ``cell`` (None: nowhere).
        minimum_risk: the least risk of any policy; given when infeasible.
        dynamics: the layers that were solved.
        statistics: method, rounds, seconds of each stage, cells, bits of the denominators.
    """

    status: Status
    problem: ChanceProblem
    level: Fraction
    dynamics: Dynamics = field(repr=False)
    value: Fraction | None = None
    risk: Fraction | None = None
    multiplier: Fraction = Fraction(0)
    safer: TimedPolicy | None = field(default=None, repr=False)
    bolder: TimedPolicy | None = field(default=None, repr=False)
    flip_probability: Fraction = Fraction(0)
    policy: TimedPolicy | None = field(default=None, repr=False)
    cell: RandomisedCell | None = None
    minimum_risk: Fraction | None = None
    statistics: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def mixed(self) -> dict[Cell, dict[int, Fraction]]:
        """Where ``policy`` randomises, as `evaluate_policy` takes it."""
        return {} if self.cell is None else {self.cell.cell: self.cell.law}

    def certificate(self) -> dict[str, Any]:
        """A document of kind "cmdp-optimum" or "cmdp-infeasible" that the kernel can check.

        Raises ModelError when it would be enormous.
        """
        from .certificates import optimum_certificate

        return optimum_certificate(self)

    def mixture_certificate(self) -> dict[str, Any]:
        """A document of kind "mixture": the flip between ``safer`` and ``bolder`` and its value.

        Raises ModelError when it would be enormous, or when there is no policy.
        """
        from .certificates import mixture_certificate

        return mixture_certificate(self)

    def explanation(self) -> str:
        """One sentence on the outcome; when infeasible, why, and what the least level is."""
        if self.status is Status.OPTIMAL:
            assert self.value is not None and self.risk is not None
            value, risk, level = map(format_rational, (self.value, self.risk, self.level))
            return f"optimal value {value} at risk {risk} <= {level}"
        assert self.minimum_risk is not None
        least, base, start = format_rational(self.minimum_risk), self.problem.start_risk, ""
        if base > self.level:
            state = next(s for s in self.problem.unsafe if self.problem.model.initial[s])
            alone = format_rational(base)
            start = f"start state {state} is unsafe, and an unsafe start alone risks {alone}; "
        return (
            f"{start}no policy has a risk below {least}, and the level is "
            f"{format_rational(self.level)}: raise it at least to {least}"
        )


def single_solution(
    dynamics: Dynamics, level: Fraction, policy: TimedPolicy, multiplier: Fraction
) -> ChanceSolution:
    """A deterministic policy is optimal."""
    return ChanceSolution(
        Status.OPTIMAL,
        dynamics.problem,
        level,
        dynamics,
        policy.value,
        policy.risk,
        multiplier,
        policy,
        policy,
        policy=policy,
    )
