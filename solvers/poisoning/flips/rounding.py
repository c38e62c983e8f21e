"""From fractional labels to whole copies of pairs.

With m copies of each pair a label is a multiple of 1/m.  At a vertex only few labels are no benign
label, 0 or 1, so that little is lost by rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from ...errors import ModelError
from ...exact import Vector
from .problem import FlipProblem


def round_labels(problem: FlipProblem, labels: Vector, copies: int) -> Vector:
    """The nearest multiples of 1 / copies (N); a tie goes to the side of the benign label.

    Raises ModelError for fewer than one copy.
    """
    if copies < 1:
        raise ModelError(f"copies is {copies}; a pair needs at least one")
    pairs = zip(labels.fractions(), problem.benign.fractions(), strict=True)
    return Vector(
        tuple(_nearest(label * copies, benign * copies) for label, benign in pairs), copies
    )


def _nearest(value: Fraction, preferred: Fraction) -> int:
    below = floor(value)
    rest = value - below - Fraction(1, 2)
    return below + (rest > 0 or (not rest and preferred > value))


@dataclass(frozen=True, slots=True)
class RoundingBounds:
    """How far rounding may move moments and cost.

    moments_squared: the square of a bound on the Euclidean norm of Phi times the difference;
    cost: a bound on the difference in cost.
    """

    moments_squared: Fraction
    cost: Fraction


def rounding_bounds(problem: FlipProblem, fractional: int, copies: int) -> RoundingBounds:
    """k / (2m) max_i norm(rho_i phi_i), squared, and k / (2m) max_i rho_i.

    fractional: k, the number of labels that are no multiples of 1 / copies.  Benign labels must be
    multiples of 1 / copies; raises ModelError naming the first that is not.
    """
    for i, label in enumerate(problem.benign.fractions()):
        if (label * copies).denominator != 1:
            raise ModelError(
                f"benign[{i}] is {label}, no multiple of 1/{copies}; choose a number of copies "
                f"that {label.denominator} divides"
            )
    weights = problem.multiplicities
    share = Fraction(fractional, 2 * copies)
    columns = zip(weights, problem.columns(), strict=True)
    longest = max(weight**2 * sum(value**2 for value in column) for weight, column in columns)
    return RoundingBounds(share**2 * longest, share * max(weights))
