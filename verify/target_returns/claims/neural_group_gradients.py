"""The same claims on trained transformers, whose laws on every path are taken as they are.

The gradient is along the direction in which fine-tuning moved the log-odds.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers.neural.parts.training import Training
from holdfast.theory.target_returns import group_gradients as theory

from ...binding.claims import claim
from ...binding.values import Values
from ..families.finetuned import FINETUNED, setting
from .group_gradients import unbiased

_BASELINE = Fraction(3)
"""What is subtracted from returns: the sure actions earn it."""


@claim(theory.intended, over=FINETUNED, tag="neural")
def intended(training: Training) -> Iterator[Values]:
    """Ratios of the network after to the one before fine-tuning."""
    yield unbiased(setting(training), _BASELINE, "product")


@claim(theory.relabelled, over=FINETUNED, tag="neural")
def relabelled(training: Training) -> Iterator[Values]:
    """Scores given hindsight's returns, of the same network: the bias is exact."""
    found = unbiased(setting(training), _BASELINE, "relabelled")
    yield {one: found[one] for one in (theory.with_baseline, theory.gradient)}
