"""What is known of the optimum of a large model: bounds, a policy that attains the lower one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import ModelError
from ...models.cmdp import CMDP
from ...models.functions import FunctionModel
from ...solution import Bounds, Status
from ..solution import Solution

#: A certificate holds the whole model in text; beyond this many transitions none is written.
CERTIFICATE_UP_TO = 1_000_000


@dataclass(frozen=True)
class Component:
    """A deterministic policy of a mixture: drawn with probability ``weight`` once per episode.

    Attributes:
        weight: exact; the weights of a mixture sum to one.
        choices: the choice (an index into 0..K-1) taken in each state (S).
        reward, costs: rigorous bounds (low, high) on its UN-normalised returns.
        values: float64[m+1, S], its values for the reward and the costs, each up to a constant;
            row i in units of the solution's scales[i], and in multiples of 1 / grids[i].
    """

    weight: Fraction
    choices: np.ndarray[Any, Any]
    reward: tuple[Fraction, Fraction]
    costs: tuple[tuple[Fraction, Fraction], ...]
    values: np.ndarray[Any, Any] = field(repr=False)
    grids: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True, repr=False)
class EnclosedSolution(Bounds):
    """The optimum lies in [lower, upper]; the mixture meets the budgets and earns at least lower.

    Attributes:
        status: EXACT (solved exactly), ENCLOSED, WIDE (rounding did not allow the width),
            INFEASIBLE, INTERRUPTED by the user, or UNDECIDED within the limits of the exact solver.
        multipliers: lambda (m) of the upper bound, or of the proof of infeasibility.
        lower, upper: bounds on J_r*, UN-normalised; None when not known (infeasible, or interrupted
            before there was one).
        components: the mixture, at most m + 1 deterministic policies; empty if solved exactly.
        relaxation: when infeasible, all budgets must grow by at least this much.
        exact: the exact solution, if the model was solved exactly; its policy is stationary.
        statistics: the method and the reason for it, seconds by stage, work done, why it stopped.
        scales: powers of two, the units of the reward and of each cost (m + 1) in the search.
        proof, writer: what the search knows, and how `certificate` writes it down.
    """

    status: Status
    model: CMDP | FunctionModel
    multipliers: tuple[Fraction, ...]
    lower: Fraction | None = None
    upper: Fraction | None = None
    components: tuple[Component, ...] = ()
    relaxation: Fraction | None = None
    exact: Solution | None = None
    statistics: dict[str, Any] = field(default_factory=dict, repr=False)
    proof: Any = field(default=None, repr=False)
    scales: tuple[Fraction, ...] = field(default=(), repr=False)
    writer: Callable[[EnclosedSolution], dict[str, Any]] | None = field(default=None, repr=False)

    @property
    def width(self) -> Fraction | None:
        """upper - lower."""
        return None if self.lower is None or self.upper is None else self.upper - self.lower

    def certificate(self) -> dict[str, Any]:
        """A document that the kernel checks in exact arithmetic.

        Raises ModelError when there is none: the model is too large for one (the bounds then rest
        on the rounding-error analysis of ``solvers.scale.image``), or no bound is known.
        """
        if self.exact is not None:
            return self.exact.certificate()
        if isinstance(self.model, FunctionModel):
            raise ModelError(
                "the model is given as functions, which the kernel does not run; write_evaluation "
                "writes what was evaluated, and tabulated() stores a small model"
            )
        size = len(self.model.successors)
        if size > CERTIFICATE_UP_TO:
            raise ModelError(
                f"the model has {size} transitions and certificates hold at most "
                f"{CERTIFICATE_UP_TO}; its bounds were computed with a rounding-error analysis "
                "and hold without one"
            )
        if self.writer is None:
            raise ModelError("the search was interrupted before both bounds were known")
        return self.writer(self)
