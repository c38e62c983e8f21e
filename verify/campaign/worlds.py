"""What a run knows of each real model: its size and its certified optimal value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """A real model of the run: name, size, certified optimal value and how it was certified.

    value: exact rational as text, or ``lo..hi``; decimal: for people; certified: the certificate's
    kind as accepted by the kernel; status: of the solution; details: multipliers, randomisations.
    """

    name: str
    title: str
    states: int
    choices: int
    value: str
    decimal: str
    certified: str
    seconds: float
    details: Mapping[str, str] = field(default_factory=dict)
