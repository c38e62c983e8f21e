"""Claims on tuned targets of trained policies, beside a tuner and a target that mind nothing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from holdfast.solvers.errors import ModelError
from holdfast.solvers.target_returns import Tuner
from holdfast.theory import Le
from holdfast.theory.target_returns import trained_targets as theory

from ...binding.claims import NamedMutant, claim
from ...binding.family import OutOfScope
from ...binding.values import Count, Values
from ..families.trained import Recorded, TrainedTargets, exact_mean, trained_targets

_RUNS, _UNSAFE_RUNS = 250, 30
"""Tunings of one network: with no unsafe one among 250 the interval at a run's alpha lies below a
Delta of 1/10; of the unsafe tuner, whose every run is unsafe, 30 tell as much."""


def _streams(of: TrainedTargets, runs: int) -> Iterator[np.random.Generator]:
    words = np.random.SeedSequence(int(of.training.digest[:16], 16))
    return (np.random.default_rng(seed) for seed in words.spawn(runs))


def _unsafe(world: Recorded, tuner: Tuner) -> bool:
    limit = Fraction(world.options.limit)
    return any(world.costs[step.index] > limit for step in tuner.history)


@claim(
    theory.evaluated,
    over=trained_targets,
    tag="neural",
    mutants=(
        NamedMutant(
            "any target",
            Le(theory.unsafe_ucb, theory.Delta),
            "the tuner that maximises the upper bound anywhere is as safe",
        ),
    ),
)
def evaluated(of: TrainedTargets) -> Iterator[Values]:
    """Tunings of one network that differ in the episodes that they meet."""
    world = of.recorded()
    found = [
        sum(_unsafe(world, world.tuned(method, stream)) for stream in _streams(of, runs))
        for method, runs in (("pls", _RUNS), ("ucb", _UNSAFE_RUNS))
    ]
    yield {
        theory.unsafe: Count(found[0], _RUNS),
        theory.unsafe_ucb: Count(found[1], _UNSAFE_RUNS),
        theory.Delta: Fraction(repr(world.options.failure)),
    }


@claim(
    theory.recommended,
    over=trained_targets,
    tag="neural",
    mutants=(
        NamedMutant(
            "asked for",
            Le(theory.J_plain, theory.limit),
            "the target (best return of a safe episode, limit) is safe, since it asks for no more",
        ),
    ),
)
def recommended(of: TrainedTargets) -> Iterator[Values]:
    """One tuning, and the plain target beside it."""
    world, (stream,) = of.recorded(), _streams(of, 1)
    tuner = world.tuned("pls", stream)
    try:
        index = tuner.recommend()
    except ModelError as error:
        raise OutOfScope(f"the bounds do not hold for this network: {error}") from error
    yield {
        theory.J_tuned: world.costs[index],
        theory.J_plain: exact_mean(world.plain),
        theory.limit: Fraction(world.options.limit),
    }
