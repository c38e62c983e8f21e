"""Experiments: many landscapes of one law, for probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from holdfast.solvers.target_returns import Surface, Tuning

from ...binding.draws import Draw
from ...binding.family import Family
from .landscapes import Landscape, drawn, settings, surface


@dataclass(frozen=True, slots=True)
class Experiment:
    """So many independent landscapes of the law `truth`, each tuned for `longest` steps."""

    tuning: Tuning
    truth: Surface
    landscapes: int
    longest: int
    key: int

    def draws(self) -> Iterator[Landscape]:
        """The landscapes, each from a stream of its own."""
        for index in range(self.landscapes):
            yield drawn(self.tuning, self.truth, self.longest, self.key, index)


_WEIGHT = 12
"""An experiment takes a second; with less a shard keeps others waiting at the end of a run, with
more it is stored and sent for each experiment alone."""


def experiments(
    landscapes: int = 300, shrunk: float = 1.0, louder: float = 1.0, **fixed: Any
) -> Family:
    """Experiments with PLS's bounds.

    shrunk, louder: by how much the truth's length is shorter and its noise larger than the model's;
    fixed: fields of the tuning.
    """

    def base(draw: Draw) -> Experiment:
        fixed.setdefault("confidence", draw.choice(("bayes", "exact")))
        tuning, length = settings(draw, **{"evaluations": None, **fixed})
        truth = surface(tuning.points, length, tuning.cost.noise * louder, shrunk)
        return Experiment(tuning, truth, landscapes, draw.integer(6, 10), draw.integer(0, 2**40))

    return Family("experiments of Gaussian landscapes", base, weight=_WEIGHT)


@dataclass(frozen=True, slots=True)
class Design:
    """Targets observed in an order under a kernel matrix, with a multiplier for each."""

    kernel: tuple[tuple[Fraction, ...], ...]
    noise: Fraction
    order: tuple[int, ...]
    multipliers: tuple[Fraction, ...]


def designs(largest: int = 3) -> Family:
    """Kernels A A' / d of integer matrices, designs of up to three observations."""

    def base(draw: Draw) -> Design:
        count = draw.integer(1, 3)
        root = [[draw.integer(-largest, largest) for _ in range(2)] for _ in range(count)]
        scale = draw.integer(1, 4)
        kernel = tuple(
            tuple(
                Fraction(sum(a * b for a, b in zip(x, y, strict=True)) + (i == j), scale)
                for j, y in enumerate(root)
            )
            for i, x in enumerate(root)
        )
        steps = draw.integer(1, 3)
        order = tuple(draw.integer(0, count - 1) for _ in range(steps))
        growth = sorted(draw.integer(1, 8) for _ in range(steps))
        noise = Fraction(draw.integer(1, 4), draw.integer(1, 4))
        return Design(kernel, noise, order, tuple(Fraction(one, 2) for one in growth))

    return Family("small designs", base)
