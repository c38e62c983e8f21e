"""Experiments: many landscapes of one law, for probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from holdfast.solvers.target_returns import Surface, Tuning

from ...binding.draws import Draw
from ...binding.family import Family
from .landscapes import Landscape, drawn, settings


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
        tuning, truth = settings(draw, shrunk, louder, **{"evaluations": None, **fixed})
        return Experiment(tuning, truth, landscapes, draw.integer(6, 10), draw.integer(0, 2**40))

    return Family("experiments of Gaussian landscapes", base, weight=_WEIGHT)
