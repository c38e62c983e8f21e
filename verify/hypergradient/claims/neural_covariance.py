"""The covariance of a language model's tilted policy: exact over all tokens, and from samples."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from holdfast.solvers.hypergradient.balls import mean
from holdfast.solvers.neural.parts.training import Training
from holdfast.theory import Le
from holdfast.theory.hypergradient import covariance as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Mean, Values
from ..families.trained import REWARDS, tokens
from . import covariance

_SAMPLES = 10**6
"""Responses of the model: enough for an interval of a quarter of the derivative."""


@claim(theory.trick, over=REWARDS, tag="neural", mutants=covariance.trick.named_mutants)
def trick(training: Training) -> Iterator[Values]:
    """The policy of a trained reward, over all tokens; the other side is dual numbers."""
    yield from covariance.trick.evaluate(tokens(training)[0])


@claim(
    theory.tilted,
    over=REWARDS,
    tag="neural",
    mutants=(
        NamedMutant("BC-T1-half", Le(theory.shown, theory.moved / 2 + theory.eps), "half of it"),
        NamedMutant("BC-T1-sign", Le(theory.shown, theory.eps - theory.moved), "the other sign"),
    ),
)
def tilted(training: Training) -> Iterator[Values]:
    """Responses of the untilted model, weighted by p/pi; a quarter of the derivative is room."""
    case, reference = tokens(training)
    (exact,) = covariance.trick.evaluate(case)
    moved = exact[theory.moved]
    assert isinstance(moved, Fraction)
    p, F, dq = case.policy[0], case.leader_rewards[0], case.follower_slope[0]
    found = p / reference * (F - mean(p, F)) * dq / case.temperature
    random = np.random.Generator(np.random.Philox(training.seed))
    seen = random.multinomial(_SAMPLES, (reference / reference.sum()).astype(float)).astype(object)
    total, squares = (found * seen).sum(), (found * found * seen).sum()
    yield {
        theory.shown: Mean(_SAMPLES, total, squares, min(found), max(found)),
        theory.moved: moved,
        theory.eps: moved / 4,
    }
