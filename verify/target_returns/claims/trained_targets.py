"""Claims on tuned targets of trained policies, and on a target that is not tuned."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from holdfast.solvers.errors import ModelError
from holdfast.solvers.target_returns import Tuner
from holdfast.theory.target_returns import trained_targets as theory

from ...binding.claims import claim
from ...binding.family import OutOfScope
from ...binding.values import Count, Values
from ..families.trained import Recorded, TrainedTargets, exact_mean, trained_targets

_RUNS = 250
"""Tunings of one network: with no unsafe one among 250 the interval at a run's alpha lies below a
Delta of 1/10."""


def _streams(of: TrainedTargets, runs: int) -> Iterator[np.random.Generator]:
    words = np.random.SeedSequence(int(of.training.digest[:16], 16))
    return (np.random.default_rng(seed) for seed in words.spawn(runs))


def _unsafe(world: Recorded, tuner: Tuner) -> bool:
    limit = Fraction(world.options.limit)
    return any(world.costs[step.index] > limit for step in tuner.history)


@claim(theory.evaluated, over=trained_targets, tag="neural")
def evaluated(of: TrainedTargets) -> Iterator[Values]:
    """Tunings of one network that differ in the episodes that they meet."""
    world = of.recorded()
    failed = sum(_unsafe(world, world.tuned("pls", stream)) for stream in _streams(of, _RUNS))
    yield {
        theory.unsafe: Count(failed, _RUNS),
        theory.Delta: Fraction(repr(world.options.failure)),
    }


@claim(theory.recommended, over=trained_targets, tag="neural")
def recommended(of: TrainedTargets) -> Iterator[Values]:
    """One tuning."""
    world, (stream,) = of.recorded(), _streams(of, 1)
    try:
        index = world.tuned("pls", stream).recommend()
    except ModelError as error:
        raise OutOfScope(f"the bounds do not hold for this network: {error}") from error
    yield {theory.J_tuned: world.costs[index], theory.limit: Fraction(world.options.limit)}


@claim(theory.asked_for, over=trained_targets, tag="neural")
def asked_for(of: TrainedTargets) -> Iterator[Values]:
    """The target that needs no tuning."""
    world = of.recorded()
    yield {theory.J_plain: exact_mean(world.plain), theory.limit: Fraction(world.options.limit)}
