"""Certificates of enclosures: the doubles behind a bound, written as the rationals they are."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ...exact import Vector, format_rational
from ...models.cmdp import CMDP
from ..solution import infeasibility_certificate
from .image import Array

if TYPE_CHECKING:
    from .solution import Component, EnclosedSolution


def vector_of(values: Array, grid: float, scale: Fraction = Fraction(1)) -> Vector:
    """Doubles that are multiples of 1 / grid, in units of ``scale``, exactly."""
    step = scale / Fraction(grid)
    return Vector(
        tuple(int(v) * step.numerator for v in (values * grid).tolist()), step.denominator
    )


def enclosure_document(found: EnclosedSolution) -> dict[str, Any]:
    """A document of kind "cmdp-enclosure": the mixture, the values and the multipliers."""
    return {
        "format": "holdfast-certificate/1",
        "kind": "cmdp-enclosure",
        "model": found.model.to_dict(),
        "mixture": {"components": [_component(found, part) for part in found.components]},
        "values": vector_of(found.proof.values, found.proof.grid, found.scales[0]).to_json(),
        "multipliers": [format_rational(v) for v in found.multipliers],
        "value": [format_rational(b) for b in (found.lower, found.upper) if b is not None],
    }


def _component(found: EnclosedSolution, part: Component) -> dict[str, Any]:
    taken = ["0"] * found.model.n_choices
    for choice in part.choices.tolist():
        taken[choice] = "1"
    rows = zip(part.values, part.grids, found.scales, strict=True)
    values = [vector_of(row, grid, scale) for row, grid, scale in rows]
    return {
        "weight": format_rational(part.weight),
        "policy": {"denominator": "1", "numerators": taken},
        "reward_values": values[0].to_json(),
        "cost_values": [vector.to_json() for vector in values[1:]],
    }


def infeasibility_document(found: EnclosedSolution) -> dict[str, Any]:
    """A document of kind "cmdp-infeasible".

    The sweep behind it bounds the residuals of h for -lambda'.c, where lambda' is a positive
    multiple of lambda; W = -(h + t) / sum lambda' with t the bound over 1 - gamma then
    satisfies W <= lambda c + gamma P W exactly.
    """
    assert isinstance(found.model, CMDP)
    proof, total = found.proof.sweep, found.proof.total
    heights = vector_of(proof.values, proof.grid)
    shift = proof.greatest / (1 - found.model.discount)
    scale = Fraction(1, heights.denominator * shift.denominator) / total
    values = Vector(
        tuple(
            -(v * shift.denominator + shift.numerator * heights.denominator) * scale.numerator
            for v in heights.numerators
        ),
        scale.denominator,
    )
    return infeasibility_certificate(found.model, values, found.multipliers)
