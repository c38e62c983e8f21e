"""The optimal policies of one multiplier: both ends of their face, exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ...limits import Allowance, Limits, timed
from .candidates import Candidates, least_risk_choices, optimal_choices
from .dynamics import Dynamics
from .floats import FloatDynamics, FloatPolicy
from .induction import Change, Induction, start_value
from .solution import TimedPolicy

_GENEROUS = Limits()


@dataclass(frozen=True, eq=False)
class Face:
    """All policies that maximise value - multiplier * risk lie between two of them.

    safer, bolder: those of least and greatest risk; changes: the cells in which they differ, from
    the last layer to the first, each with the rise in risk from its bolder choice when the bolder
    policy goes on.
    """

    multiplier: Fraction
    safer: TimedPolicy
    bolder: TimedPolicy
    changes: tuple[Change, ...]


@dataclass(eq=False)
class Faces:
    """Finds the faces of a problem, and keeps the account of what was done for them."""

    dynamics: Dynamics
    floats: FloatDynamics
    allowance: Allowance
    seconds: dict[str, float] = field(default_factory=dict)
    passes: int = 0
    cells: int = 0
    open_cells: int = 0
    bits: int = 0

    @classmethod
    def of(cls, dynamics: Dynamics, limits: Limits = _GENEROUS) -> Faces:
        """A fresh one, whose clock runs from now."""
        return cls(dynamics, FloatDynamics.of(dynamics), limits.started())

    def at(self, multiplier: Fraction) -> Face:
        """The face of a multiplier >= 0."""
        assert multiplier >= 0, f"a multiplier of {multiplier} would reward risk"
        with timed(self.seconds, "screening"):
            candidates = optimal_choices(self.floats, multiplier)
        with timed(self.seconds, "exact induction"):
            return self._face(candidates, multiplier)

    def least_risk(self) -> tuple[FloatPolicy, Candidates]:
        """A policy of least risk up to rounding, and the choices that can attain it."""
        with timed(self.seconds, "float induction"):
            candidates, policy = least_risk_choices(self.floats)
        return policy, candidates

    def safest(self, candidates: Candidates) -> TimedPolicy:
        """A policy of least risk, exactly, from the choices that can attain it."""
        with timed(self.seconds, "exact induction"):
            return self._face(candidates, None).safer

    def _face(self, candidates: Candidates, multiplier: Fraction | None) -> Face:
        self.allowance.look()
        safer, bolder = candidates.table.copy(), candidates.table.copy()
        changes: list[Change] = []
        induction = Induction(self.dynamics, candidates, multiplier)
        for layer in induction.layers():
            for table, own in ((safer, layer.safer), (bolder, layer.bolder)):
                table[layer.time].reshape(-1)[layer.cells] = own
            changes += layer.changes
            self.cells += len(layer.cells)
            self.open_cells += layer.open
        value, risk, greater = start_value(self.dynamics, layer)
        self.passes += 1
        self.bits = max(self.bits, value.denominator.bit_length(), risk.denominator.bit_length())
        low = TimedPolicy(safer, value, risk)
        if multiplier is None or not changes:
            return Face(multiplier or Fraction(0), low, low, ())
        high = TimedPolicy(bolder, value + multiplier * (greater - risk), greater)
        return Face(multiplier, low, high, tuple(changes))

    def statistics(self, method: str, **further: Any) -> dict[str, Any]:
        """The account, as a plain dictionary."""
        return {
            "method": method,
            **further,
            "exact passes": self.passes,
            "cells decided exactly": self.cells,
            "cells that floats left open": self.open_cells,
            "denominator bits": self.bits,
            "seconds": dict(self.seconds),
        }
