"""Preference labels that somebody changes: the record of exact data that all bounds speak of.

Pairs i = 1..N have feature differences phi_i in R^n, the columns of Phi, and labels theta_i, the
probability that the first answer wins.  A pair of weight rho_i counts rho_i times in the loss and
in the cost.  Everything is written in weighted changes of the labels,

    zeta_i = rho_i (theta_i - benign_i),   d_i = rho_i (target_i - benign_i),
    -down_i <= zeta_i <= up_i,   up_i = rho_i (1 - benign_i),   down_i = rho_i benign_i.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any

from flint import fmpz_mat

from ...errors import ModelError
from ...exact import Rational, Vector, common_denominator, to_fraction
from ...sequences import listed
from ..checks import check_labels, check_size, check_weights


@dataclass(frozen=True)
class FlipProblem:
    """Change benign labels so that a linear reward learns what it would from the target's.

    A linear reward learns from the labels theta only through the moments Phi D theta (D = diag of
    the weights), so every theta with the moments of the target teaches the same.

    Attributes:
        features: Phi, n rows of length N.
        benign, target: theta_O and theta_A (N), in [0, 1].
        weights: rho (N), >= 0; None for one each.

    Raises ModelError naming the first entry that is out of range, or the lengths that disagree.
    """

    features: tuple[Vector, ...]
    benign: Vector
    target: Vector
    weights: Vector | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(listed(self.features, "features")))
        for name, row in (*self._rows(), ("benign", self.benign)):
            if not isinstance(row, Vector):
                raise ModelError(f"{name} is no Vector; FlipProblem.of takes numbers of any kind")
        if not self.features:
            raise ModelError("there are no features; give at least one row")
        if not len(self.benign):
            raise ModelError("there are no pairs; give at least one label")
        for name, row in self._rows():
            check_size(row, len(self.benign), name)
        check_labels(self.benign, "benign")
        check_labels(self.target, "target")
        if self.weights is not None:
            check_weights(self.weights, "weights", some=False)

    def _rows(self) -> Iterable[tuple[str, Vector]]:
        yield from ((f"features[{k}]", row) for k, row in enumerate(self.features))
        yield "target", self.target
        if self.weights is not None:
            yield "weights", self.weights

    @classmethod
    def of(cls, features: Any, benign: Any, target: Any, weights: Any = None) -> FlipProblem:
        """A problem from numbers of any kind; floats are the dyadic rationals they are.

        Args:
            features: n rows of N numbers (a sequence of sequences or an array).
            benign, target: N labels, or one for all pairs.
            weights: N of them, or None.

        Raises ModelError for what is no finite number, and as the class does.
        """
        given = enumerate(listed(features, "features"))
        rows = tuple(_vector(row, f"features[{k}]") for k, row in given)
        size = len(rows[0]) if rows else 0
        origin, aim = _labels(benign, "benign", size), _labels(target, "target", size)
        return cls(rows, origin, aim, None if weights is None else _vector(weights, "weights"))

    # -- sizes -----------------------------------------------------------------------------------
    @property
    def n_features(self) -> int:
        """n."""
        return len(self.features)

    @property
    def n_pairs(self) -> int:
        """N."""
        return len(self.benign)

    @cached_property
    def rank(self) -> int:
        """The rank of Phi D: pairs of weight zero do not count."""
        return int(fmpz_mat(self.integer_rows()).rank())

    @cached_property
    def multiplicities(self) -> tuple[Fraction, ...]:
        """rho (N), ones where there are no weights."""
        if self.weights is None:
            return (Fraction(1),) * self.n_pairs
        return self.weights.fractions()

    # -- weighted changes ------------------------------------------------------------------------
    @cached_property
    def displacement(self) -> Vector:
        """d (N), the changes that the target itself makes."""
        return self._weighted(b - a for a, b in self._labels())

    @cached_property
    def room_up(self) -> Vector:
        """up (N)."""
        return self._weighted(1 - a for a, _ in self._labels())

    @cached_property
    def room_down(self) -> Vector:
        """down (N)."""
        return self._weighted(a for a, _ in self._labels())

    @cached_property
    def moment(self) -> Vector:
        """Phi d (n), which the changes must bring about."""
        return self.moments(self.displacement)

    def _labels(self) -> Iterable[tuple[Fraction, Fraction]]:
        return zip(self.benign.fractions(), self.target.fractions(), strict=True)

    def _weighted(self, changes: Iterable[Fraction]) -> Vector:
        pairs = zip(self.multiplicities, changes, strict=True)
        return Vector.of(weight * change for weight, change in pairs)

    def labels_after(self, changes: Vector) -> Vector:
        """The labels (N) that weighted changes lead to; those of weight zero stay."""
        entries = zip(
            self.benign.fractions(), self.multiplicities, changes.fractions(), strict=True
        )
        return Vector.of(label + (change / w if w else 0) for label, w, change in entries)

    # -- products with Phi -----------------------------------------------------------------------
    def moments(self, changes: Vector) -> Vector:
        """Phi times a vector of N."""
        return Vector.of(row.dot(changes.numerators, changes.denominator) for row in self.features)

    def scores(self, reward: Sequence[Rational]) -> Vector:
        """Phi^T times a vector of n: what each pair scores (N)."""
        if len(reward) != self.n_features:
            raise ModelError(f"{len(reward)} entries for {self.n_features} features; give one each")
        factors, common = common_denominator(
            to_fraction(y, f"entry {k}") / row.denominator
            for k, (y, row) in enumerate(zip(reward, self.features, strict=True))
        )
        columns = zip(*(row.numerators for row in self.features), strict=True)
        return Vector(tuple(sum(map(mul, factors, column)) for column in columns), common)

    def columns(self) -> list[tuple[Fraction, ...]]:
        """phi_i (n) for every pair."""
        return list(zip(*(row.fractions() for row in self.features), strict=True))

    def integer_rows(self) -> list[list[int]]:
        """Rows proportional to those of Phi, in integers; zero where a pair has weight zero."""
        if self.weights is None:
            return [list(row.numerators) for row in self.features]
        used = [bool(weight) for weight in self.weights.numerators]
        return [
            [value * use for value, use in zip(row.numerators, used, strict=True)]
            for row in self.features
        ]

    # -- variants --------------------------------------------------------------------------------
    def with_target(self, target: Any) -> FlipProblem:
        """The same with another target (N labels, or one for all)."""
        return replace(self, target=_labels(target, "target", self.n_pairs))

    def with_features(self, features: Any) -> FlipProblem:
        """The same pairs with other features (rows of N)."""
        rows = tuple(_vector(row, f"features[{k}]") for k, row in enumerate(features))
        return replace(self, features=rows)

    # -- records ---------------------------------------------------------------------------------
    def to_dict(self) -> dict[str, Any]:
        """A JSON document of kind ``label-flips``."""
        return {
            "kind": "label-flips",
            "features": [row.to_json() for row in self.features],
            "benign": self.benign.to_json(),
            "target": self.target.to_json(),
            "weights": None if self.weights is None else self.weights.to_json(),
        }

    @cached_property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the entries in lowest terms."""
        parts = [*self.features, self.benign, self.target, self.weights or Vector(())]
        text = json.dumps([[str(value) for value in part.fractions()] for part in parts])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _vector(values: Any, name: str) -> Vector:
    if isinstance(values, Vector):
        return values
    try:
        return Vector.of(listed(values, name))
    except ModelError:
        raise
    except (TypeError, ValueError) as problem:
        raise ModelError(f"{name}: {problem}") from problem


def _labels(given: Any, name: str, size: int) -> Vector:
    if isinstance(given, int | float | Fraction | str):
        return _vector([given] * size, name)
    return _vector(given, name)
