"""Columns of a ladder of label flips: costs, held-out losses with their control, and bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..report.ladder import Cell, Figure, Rung, over_seeds

if TYPE_CHECKING:
    from holdfast.solvers.neural.poisoning import Outcome

COST = Rung(
    "least cost / attack", "float, bracketed",
    "Flips that labels with the attack's moments need, and those of the attack.",
)  # fmt: skip
LEAST = Rung(
    "least-cost labels", "neural",
    "Held-out loss of the victim: 0 has the attack's whole effect, 1 has none.",
)  # fmt: skip
ROUNDED = Rung(
    "rounded", "neural", "The same, of the least-cost labels rounded to 0 and 1."
)  # fmt: skip
THINNED = Rung(
    "thinned attack", "neural, control",
    "The same, of the attack cut at random to as many flips as the least cost.",
)  # fmt: skip
AGREE = Rung(
    "agreement", "neural",
    "Share of held-out pairs that the least-cost victim orders as the attack's does; below, from "
    "the least to the greatest end of the 95% intervals of the seeds.",
)  # fmt: skip
DRIFT = Rung(
    "drift", "neural",
    "How far the features of the attack's victim moved in training, relative (Frobenius).",
)  # fmt: skip
NEAR = Rung(
    "distance / bound", "certified",
    "Distance of the least-cost victim's head from the attack's, and the most that the stability "
    "bound allows.",
)  # fmt: skip


def _cost(outcomes: Sequence[Outcome]) -> Cell:
    mean = over_seeds([one.of("least-cost").flips for one in outcomes])
    lowest, highest = min(one.lower for one in outcomes), max(one.upper for one in outcomes)
    attack = over_seeds([one.attack for one in outcomes])
    return Cell((Figure(mean.value, lowest, highest), attack))


def _loss(labels: str) -> Callable[[Sequence[Outcome]], Cell]:
    return lambda outcomes: Cell((over_seeds([one.of(labels).loss for one in outcomes]),))


def _agreement(outcomes: Sequence[Outcome]) -> Cell:
    victims = [one.of("least-cost") for one in outcomes]
    mean = over_seeds([one.agree / one.pairs for one in victims]).value
    ends = [one.agreement() for one in victims]
    return Cell((Figure(mean, min(low for low, _ in ends), max(high for _, high in ends)),))


def _drift(outcomes: Sequence[Outcome]) -> Cell:
    return Cell((over_seeds([one.of("attack").drift for one in outcomes]),))


def _near(outcomes: Sequence[Outcome]) -> Cell:
    found = [near for one in outcomes if (near := one.of("least-cost").near) is not None]
    if not found:
        return Cell()
    over = any(one.distance_lower > one.bound for one in found)
    distance = over_seeds([one.distance_upper for one in found])
    return Cell((distance, over_seeds([one.bound for one in found])), over)


CELLS: Mapping[Rung, Callable[[Sequence[Outcome]], Cell]] = {
    COST: _cost,
    LEAST: _loss("least-cost"),
    ROUNDED: _loss("rounded"),
    THINNED: _loss("thinned"),
    AGREE: _agreement,
    DRIFT: _drift,
    NEAR: _near,
}
"""Column -> what stands there, of the outcomes of a cell, one a seed."""
