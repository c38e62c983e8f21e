"""The covariance of a language model's tilted policy: exact over all tokens, and from samples."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from holdfast.solvers.hypergradient.balls import Array, mean
from holdfast.solvers.neural.parts.training import Training
from holdfast.theory.hypergradient import covariance as theory

from ...binding.claims import claim
from ...binding.values import Mean, Values
from ..families.trained import REWARDS, tokens
from . import covariance

_SAMPLES = 4000
"""Responses: enough to tell the covariance from the product that is not centred."""


def _mean(values: Array, draws: Array) -> Mean:
    """Of the values at the draws, between the least and the greatest that there are."""
    seen = values[draws]
    return Mean(len(draws), seen.sum(), (seen * seen).sum(), min(values), max(values))


@claim(theory.trick, over=REWARDS, tag="neural", mutants=covariance.trick.named_mutants)
def trick(training: Training) -> Iterator[Values]:
    """All tokens; then the covariances from samples, beside the exact derivative."""
    case, law = tokens(training)
    (exact,) = covariance.trick.evaluate(case)
    yield exact
    F, dq = case.leader_rewards[0], case.follower_slope[0]
    random = np.random.Generator(np.random.Philox(training.seed))
    chances = law.astype(float)
    draws = random.choice(len(law), _SAMPLES, p=chances / chances.sum())
    off_F, off_q = F - mean(law, F), dq - mean(law, dq)
    yield {
        **exact,
        theory.covariance: _mean(off_F * off_q, draws),
        theory.centred_F: _mean(off_F * dq, draws),
        theory.centred_q: _mean(F * off_q, draws),
        theory.raw: _mean(F * dq, draws),
        theory.means: Fraction(exact[theory.means]),  # type: ignore[arg-type]
    }
