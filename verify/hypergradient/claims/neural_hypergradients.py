"""The leader's hypergradient at leaders that were trained, in rationals."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.solvers.neural.parts.training import Training
from holdfast.theory.hypergradient import hypergradients as theory

from ...binding.claims import claim
from ...binding.values import Values
from ..families.trained import LEADERS, point
from . import hypergradients


@claim(
    theory.boltzmann, over=LEADERS, tag="neural", mutants=hypergradients.boltzmann.named_mutants[:5]
)
def boltzmann(training: Training) -> Iterator[Values]:
    """A network's policy moves the transitions; implicit differentiation is the other side."""
    yield from hypergradients.boltzmann.evaluate(point(training))
