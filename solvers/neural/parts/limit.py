"""The bound of a constraint, which says itself what it bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ...chance import minimum_risk
from ...errors import ModelError
from ...exact import Rational, to_fraction
from .tasks import Task, problem_of


@dataclass(frozen=True, slots=True)
class CostLimit:
    """A bound on an expected cost, UN-normalised: E[sum_t c_t], or E[sum_t discount^t c_t].

    Attributes:
        limit: the bound, exact; an int, a Fraction, a string "p/q" or a finite float.
        discounted: whether the later costs of an episode count less, by the discount.
        horizon: the most steps that an episode has; None where none is known.
        discount: in (0, 1], that of the discounted cost, whether or not this bound is on it.

    With first-violation costs the undiscounted expectation is the joint risk, a probability.
    Raises ModelError on a negative limit, a discount outside (0, 1], and a horizon below 1.
    """

    limit: Fraction
    discounted: bool = False
    horizon: int | None = None
    discount: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        for name in ("limit", "discount"):
            try:
                value = to_fraction(getattr(self, name), name)
            except ValueError as problem:
                raise ModelError(str(problem)) from problem
            object.__setattr__(self, name, value)
        if self.limit < 0:
            raise ModelError(f"limit is {self.limit}; costs are not negative, so give at least 0")
        if not 0 < self.discount <= 1:
            raise ModelError(f"discount is {self.discount}; it must lie in (0, 1]")
        if self.horizon is not None and self.horizon < 1:
            raise ModelError(f"horizon is {self.horizon}; an episode has at least 1 step")

    @property
    def steps(self) -> Fraction:
        """How much a cost of 1 at every step of a longest episode would be.

        Raises ModelError when it has no end and nothing is discounted.
        """
        if self.horizon is None:
            if self.discount == 1 or not self.discounted:
                raise ModelError(
                    "an episode without a horizon has a finite cost only if that is discounted; "
                    "give the horizon, or discounted=True with a discount below 1"
                )
            return 1 / (1 - self.discount)
        if not self.discounted or self.discount == 1:
            return Fraction(self.horizon)
        return (1 - self.discount**self.horizon) / (1 - self.discount)

    def spread(self, *, discounted: bool) -> CostLimit:
        """The bound of the other kind that is the same where cost is spread evenly over an episode.

        That is what libraries of this field do without saying so.  Where cost comes late, the
        discounted bound that this gives is looser than the one per episode, and tighter where it
        comes early; `implied` never is.
        """
        other = replace(self, discounted=discounted)
        return replace(other, limit=self.limit * other.steps / self.steps)

    def implied(self, *, discounted: bool) -> CostLimit:
        """The weakest bound of the other kind that is sure to imply this one.

        Costs are not negative: an episode's discounted cost is at most the undiscounted one, and at
        least discount^(T-1) times that.  Raises ModelError when that needs a horizon and none is
        known.
        """
        other = replace(self, discounted=discounted)
        if discounted and not self.discounted and self.discount < 1:
            if self.horizon is None:
                raise ModelError(
                    "without a horizon no discounted bound implies one per episode; give it"
                )
            return replace(other, limit=self.limit * self.discount ** (self.horizon - 1))
        return other

    def check(self, task: Task, *, first_violation: bool = True) -> None:
        """ModelError when the exact layer proves that no policy of a task of ours meets the limit.

        Tasks without an exact model pass.
        """
        problem = problem_of(task)
        if problem is None:
            return
        if not first_violation:
            problem = replace(problem, charge=Fraction(1))  # every unsafe step costs
        least = minimum_risk(problem).risk
        if self.discounted:  # the last step counts least
            least *= self.discount ** (problem.horizon - 1)
        if self.limit < least:
            kind = "discounted cost" if self.discounted else "cost of an episode"
            raise ModelError(
                f"limit is {_shown(self.limit)}, but no policy of {_name(task)} has an expected "
                f"{kind} below {_shown(least)}; raise the limit at least to that"
            )


def cost_limit(
    limit: Rational | float,
    *,
    discounted: bool = False,
    horizon: int | None = None,
    discount: Rational | float = 1,
) -> CostLimit:
    """A `CostLimit` from any numbers.  Raises ModelError as it does."""
    return CostLimit(limit, discounted, horizon, discount)  # type: ignore[arg-type]


def _name(task: Task) -> str:
    return task if isinstance(task, str) else "the task"


def _shown(value: Fraction) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{float(value):.6g}"
