"""Claims on tuned targets of trained policies, and on a target that is not tuned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.target_returns import Tuner
from holdfast.theory import Quantity
from holdfast.theory.target_returns import trained_targets as theory

from ...binding.claims import claim
from ...binding.values import Count, Values
from ..families.trained import exact_mean, recorded, trained_targets

_RUNS = 250
"""Tunings of one network: with no unsafe one among 250 the interval at a run's alpha lies below a
Delta of 1/10."""


def _streams(of: Training, runs: int) -> Iterator[np.random.Generator]:
    words = np.random.SeedSequence(int(of.digest[:16], 16))
    return (np.random.default_rng(seed) for seed in words.spawn(runs))


def _share(
    of: Training, concerned: Callable[[Tuner], list[int]], unsafe: Quantity
) -> Iterator[Values]:
    """Tunings of one network that differ in the episodes that they meet."""
    world = recorded(of)
    limit = Fraction(world.options.limit)
    tuners = (world.tuned("pls", stream) for stream in _streams(of, _RUNS))
    failed = sum(any(world.costs[z] > limit for z in concerned(one)) for one in tuners)
    yield {unsafe: Count(failed, _RUNS), theory.Delta: Fraction(repr(world.options.failure))}


@claim(theory.evaluated, over=trained_targets, tag="neural")
def evaluated(of: Training) -> Iterator[Values]:
    yield from _share(of, lambda tuner: [step.index for step in tuner.history], theory.unsafe)


@claim(theory.recommended, over=trained_targets, tag="neural")
def recommended(of: Training) -> Iterator[Values]:
    yield from _share(of, lambda tuner: [] if tuner.refuted else [tuner.recommend()], theory.misled)


@claim(theory.asked_for, over=trained_targets, tag="neural")
def asked_for(of: Training) -> Iterator[Values]:
    """The target that needs no tuning."""
    world = recorded(of)
    yield {theory.J_plain: exact_mean(world.plain), theory.limit: Fraction(world.options.limit)}
