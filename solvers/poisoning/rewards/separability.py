"""Whether labels have a reward that fits them best: not if a direction separates them.

Along a reward r the loss of labels theta grows at the rate

    sum_i rho_i [(1 - theta_i) (r.phi_i)_+ + theta_i (-r.phi_i)_+],

so a finite minimiser exists unless some r, not orthogonal to all pairs, has r.phi_i >= 0 where
theta_i = 1, r.phi_i <= 0 where theta_i = 0 and r.phi_i = 0 elsewhere: then the loss has no minimum
(Albert and Anderson 1984 for labels 0 and 1).  Labels strictly between 0 and 1 never separate.
The alternative, by Stiemke's theorem: labels with the same moments, all strictly between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import ModelError
from ...exact import Vector
from ...programs.highs import SECONDS
from ...programs.program import LinearProgram, LinearSolution
from ...programs.solve import solve_linear_program
from ...sequences import Array
from ..flips.problem import FlipProblem

_FLAT = 1e-9
"""Scores below this, relative to the length of the features, count as zero in floats: a larger one
misses flat directions, a smaller one takes rounding for one."""


@dataclass(frozen=True, slots=True)
class Separation:
    """The answer, exact.

    direction: a reward (n) that separates the labels, or None; solution: of the linear program
    that has the value 1 if some reward does, and 0 otherwise.
    """

    direction: Vector | None
    solution: LinearSolution

    @property
    def separable(self) -> bool:
        """Whether the loss has no minimiser."""
        return self.direction is not None

    def certificate(self) -> dict[str, Any]:
        """That the value is 1 or 0, for the kernel."""
        return self.solution.certificate()


def _sides(problem: FlipProblem, labels: Vector) -> list[tuple[tuple[Fraction, ...], int]]:
    """(phi_i, +1 for label 1, -1 for label 0, 0 between) of the pairs with weight."""
    if len(labels) != problem.n_pairs:
        raise ModelError(f"{len(labels)} labels for {problem.n_pairs} pairs; give one each")
    rows = zip(problem.columns(), labels.fractions(), problem.multiplicities, strict=True)
    return [(phi, int(label == 1) - int(label == 0)) for phi, label, weight in rows if weight]


def _split(row: list[Fraction], last: int) -> list[Fraction]:
    """Coefficients of variables of any sign, each the difference of two, and of one more."""
    return [*row, *(-value for value in row), Fraction(last)]


def _greatest(
    rows: Sequence[list[Fraction]], relations: Sequence[str], size: int
) -> LinearSolution:
    """The greatest w <= 1, the last variable beside ``size`` others; all rows have the end 0."""
    rows = [*rows, _split([Fraction(0)] * size, 1)]
    rhs = [0] * (len(rows) - 1) + [1]
    objective = [0] * (2 * size) + [1]
    return solve_linear_program(LinearProgram.of(objective, rows, [*relations, "<="], rhs))


def _best_separation(problem: FlipProblem, labels: Vector) -> LinearSolution:
    """Maximise w <= 1 over rewards with w <= sum of the scores of the pairs of hard label, each
    counted on its own side, none of them on the wrong side, and all others zero.
    """
    size, sides = problem.n_features, _sides(problem, labels)
    rows, relations, total = [], [], [Fraction(0)] * size
    for phi, side in sides:
        rows.append(_split([-(side or 1) * value for value in phi], 0))
        relations.append("<=" if side else "=")
        total = [old - side * value for old, value in zip(total, phi, strict=True)]
    return _greatest([*rows, _split(total, 1)], [*relations, "<="], size)


def separation(problem: FlipProblem, labels: Vector) -> Separation:
    """Whether a reward separates labels (N) of the problem's pairs."""
    size, solved = problem.n_features, _best_separation(problem, labels)
    assert solved.primal is not None
    if not solved.value:
        return Separation(None, solved)
    up, down = solved.primal.fractions()[:size], solved.primal.fractions()[size : 2 * size]
    return Separation(Vector.of(a - b for a, b in zip(up, down, strict=True)), solved)


def interior_labels(problem: FlipProblem, labels: Vector) -> LinearSolution:
    """The program that has the value 1 if some labels strictly between 0 and 1 have the same
    moments as these, and 0 otherwise.

    Maximise t <= 1 over weighted changes of all labels that keep the moments and move each label
    of 0 or 1 inwards by at least t; scaled down, such changes stay inside.
    """
    sides = _sides(problem, labels)
    size = len(sides)
    zero, one = Fraction(0), Fraction(1)
    rows = [_split([phi[k] for phi, _ in sides], 0) for k in range(problem.n_features)]
    relations = ["="] * len(rows)
    for i, (_, side) in enumerate(sides):
        if side:
            inward = [zero] * (2 * size) + [one]
            inward[i], inward[size + i] = Fraction(side), Fraction(-side)
            rows.append(inward)
            relations.append("<=")
    return _greatest(rows, relations, size)


def separating_direction(
    features: Array, labels: Array, *, weights: Array | None = None
) -> Array | None:
    """A reward (n) that separates the labels up to rounding, or None; in floats, by HiGHS.

    Args:
        features: (n, N); labels: (N), in [0, 1]; weights: (N), >= 0, or None.
    """
    from scipy.optimize import linprog

    lengths = np.linalg.norm(features, axis=0)
    used = lengths > 0 if weights is None else (lengths > 0) & (weights > 0)
    hard = used & ((labels == 0) | (labels == 1))
    if not hard.any():
        return None
    unit = features / np.where(lengths > 0, lengths, 1)
    scale = np.sqrt(np.mean(unit[:, used] ** 2, axis=1))
    scale[scale == 0] = 1
    unit = unit / scale[:, None]
    inside = used & ~hard
    signed = (unit * np.where(labels == 1, 1.0, -1.0))[:, hard].T
    equal = {"A_eq": unit[:, inside].T, "b_eq": np.zeros(inside.sum())} if inside.any() else {}
    found = linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(len(signed)),
        bounds=(-1, 1),
        options={"time_limit": SECONDS},
        **equal,
    )
    if found.x is None or (signed @ found.x).max() <= _FLAT:
        return None
    return np.asarray(found.x / scale)
