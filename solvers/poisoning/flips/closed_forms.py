"""Closed-form bounds on the least cost, exact: projections and mixtures, no optimisation.

With p the orthogonal projection of d on the row space of Phi, every feasible change has the
projection p, so that its norm is at least norm(p)_2^2 / norm(p)_* (the dual norm); and every point
b d + (1 - b) p has the right moments, so that one of them in the box bounds the cost from above.

Source: Kusaka et al. 2025, Theorems 2 and 3; the two constants of Theorem 3 are our reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import mul

from flint import fmpz_mat

from ...errors import ModelError
from ...exact import Vector, solve_flint_system
from .problem import FlipProblem

NORMS = ("l1", "l2", "linf")
_ZERO = Fraction(0)


def check_norm(norm: str) -> None:
    """Raise ModelError for what is no norm here."""
    if norm not in NORMS:
        raise ModelError(f"norm is {norm!r}; give one of {', '.join(NORMS)}")


def size(changes: Vector, norm: str) -> Fraction:
    """The norm of a vector; for "l2" its square."""
    check_norm(norm)
    entries = changes.numerators
    if norm == "l1":
        return Fraction(sum(map(abs, entries)), changes.denominator)
    if norm == "l2":
        return Fraction(sum(value * value for value in entries), changes.denominator**2)
    return Fraction(max(map(abs, entries), default=0), changes.denominator)


def independent_rows(rows: list[list[int]]) -> list[int]:
    """Places of rows, the first ones possible, that span all rows."""
    echelon, _, rank = fmpz_mat(rows).transpose().rref()
    table = echelon.tolist()
    return [next(j for j, value in enumerate(table[i]) if value) for i in range(int(rank))]


def projection(problem: FlipProblem) -> Vector:
    """p = Phi^+ Phi d (N), exactly; pairs of weight zero have zeros."""
    rows = problem.integer_rows()
    kept = [rows[k] for k in independent_rows(rows)]
    if not kept:
        return Vector((0,) * problem.n_pairs)
    d = problem.displacement
    matrix = fmpz_mat(kept)
    right = [sum(map(mul, row, d.numerators)) for row in kept]
    y = solve_flint_system(matrix * matrix.transpose(), right)
    entries = tuple(sum(map(mul, column, y.numerators)) for column in zip(*kept, strict=True))
    return Vector(entries, y.denominator * d.denominator)


def lower_bound(problem: FlipProblem, norm: str = "l1") -> Fraction:
    """norm(p)_2^2 / norm(p)_*, at most the least cost; 0 if p = 0; for "l2" its square.

    Source: Kusaka et al. 2025, Theorem 2.  The box plays no part, so that changes without the box
    cost no less either.
    """
    check_norm(norm)
    p = projection(problem)
    square = size(p, "l2")
    if norm == "l2" or not square:
        return square
    return square / size(p, "linf" if norm == "l1" else "l1")


@dataclass(frozen=True)
class Mixture:
    """The mixtures b d + (1 - b) p that lie in the box.

    Attributes:
        worst: alpha*, by how much p leaves the box at most; slack: how far inside d lies at least,
            pairs of weight zero aside.
        line_search: the least b in [0, 1] whose mixture lies in the box.
    """

    problem: FlipProblem
    projected: Vector
    worst: Fraction
    slack: Fraction
    line_search: Fraction

    @cached_property
    def share(self) -> Fraction:
        """b = alpha* / (alpha* + slack) of Theorem 3: 0 if p lies in the box."""
        return self.worst / (self.worst + self.slack) if self.worst else _ZERO

    def changes(self, share: Fraction) -> Vector:
        """b d + (1 - b) p for b = ``share``."""
        d, p = self.problem.displacement.fractions(), self.projected.fractions()
        return Vector.of(share * a + (1 - share) * b for a, b in zip(d, p, strict=True))

    def upper_bound(self, norm: str = "l1") -> Fraction:
        """The least of the cost of the mixture of Theorem 3 and that of d; for "l2" squared."""
        return self._least(self.share, norm)

    def tighter_bound(self, norm: str = "l1") -> Fraction:
        """The least of the same two and the cost of the mixture of the exact line search.

        The line search alone may cost more than Theorem 3: Phi = (-2, 1), benign (0, 1/4) and
        target (3/4, 3/8) give 13/16 at b = 1/16, and 71/88 at b = 1/11.
        """
        return self._least(self.share, norm, self.line_search)

    def _least(self, share: Fraction, norm: str, *others: Fraction) -> Fraction:
        ends = (share, *others, Fraction(1))
        return min(size(self.changes(end), norm) for end in ends)


def mixture(problem: FlipProblem) -> Mixture:
    """The mixtures of the target's changes with their projection."""
    p, d = projection(problem), problem.displacement.fractions()
    ups, downs = problem.room_up.fractions(), problem.room_down.fractions()
    worst, share = _ZERO, _ZERO
    for p_i, d_i, up, down in zip(p.fractions(), d, ups, downs, strict=True):
        if p_i > up:
            worst, share = max(worst, p_i - up), max(share, (p_i - up) / (p_i - d_i))
        elif p_i < -down:
            worst, share = max(worst, -down - p_i), max(share, (-down - p_i) / (d_i - p_i))
    boxes = zip(d, ups, downs, strict=True)
    inside = (min(up - d_i, d_i + down) for d_i, up, down in boxes if up or down)
    slack = min(inside, default=_ZERO)
    return Mixture(problem, p, worst, slack, share)
