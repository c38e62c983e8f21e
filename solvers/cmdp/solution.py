"""What is known of the optimum of a constrained model, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from ..errors import ModelError
from ..exact import Vector, format_rational
from ..models.cmdp import CMDP
from ..solution import Brief, Status
from .policies import Policy


@dataclass(frozen=True, slots=True, repr=False)
class Solution(Brief):
    """The exact answer.

    Attributes:
        value: J_r* = <r, rho*>, UN-normalised; None when infeasible or undecided.
        multipliers: lambda* (m), a subgradient of the value in the budgets.
        occupancy: rho* (K), total mass 1 / (1 - gamma).
        policy: rho* conditioned on the state; lambda*-greedy where rho* does not visit.
        values: V (S), the optimal values of r - lambda* c (of the scalarised cost if infeasible;
            empty if undecided).
        n_randomisations: sum over visited states of (actions used - 1).
        unique: True when rho* is proved to be the only optimal occupancy; False is "not proved".
        relaxation: when infeasible, the least t such that budgets d_i + t are feasible.
        lower, upper: lower <= J_r* <= upper; both are the value when exact, and what was known by
            then (None: nothing) when undecided.
        statistics: the method, seconds per stage, pivots, whether repaired, bits of denominators.
    """

    status: Status
    model: CMDP
    multipliers: tuple[Fraction, ...]
    values: Vector
    value: Fraction | None = None
    occupancy: Vector | None = None
    policy: Policy | None = None
    n_randomisations: int = 0
    unique: bool = False
    relaxation: Fraction | None = None
    lower: Fraction | None = None
    upper: Fraction | None = None
    statistics: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.policy is not None and self.policy.model is None:
            object.__setattr__(self, "policy", replace(self.policy, model=self.model))

    def certificate(self) -> dict[str, Any]:
        """A document of kind "cmdp-optimum" or "cmdp-infeasible"; ModelError if undecided."""
        if self.status is Status.INFEASIBLE:
            return infeasibility_certificate(self.model, self.values, self.multipliers)
        if self.occupancy is None or self.value is None:
            raise ModelError(f"the solution is {self.status.name}, so that nothing is proved")
        return {
            "format": "holdfast-certificate/1",
            "kind": "cmdp-optimum",
            "model": self.model.to_dict(),
            "occupancy": self.occupancy.to_json(),
            "values": self.values.to_json(),
            "multipliers": [format_rational(v) for v in self.multipliers],
            "value": format_rational(self.value),
        }


def infeasibility_certificate(
    model: CMDP, values: Vector, multipliers: tuple[Fraction, ...]
) -> dict[str, Any]:
    """A document of kind "cmdp-infeasible"."""
    return {
        "format": "holdfast-certificate/1",
        "kind": "cmdp-infeasible",
        "model": model.to_dict(),
        "values": values.to_json(),
        "multipliers": [format_rational(v) for v in multipliers],
    }
