"""The same claims on a trained network, whose law of T is known exactly at every update.

What an update gained in J is held against how far it moved the policy; kappa is taken so that some
reward is just good enough, and shares of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.relative_budget.version_space import Law, RewardClass, mean, variance
from holdfast.theory.relative_budget import improvement as theory

from ...binding.claims import claim
from ...binding.values import Values
from ..families.trained import HORIZON, LOCKS, REWARDS, updates
from ..families.trajectories import Learning, Trajectories
from . import improvement

_EARNED = REWARDS[1:]
_FAILURE = Fraction(1, 20)


def _balls(training: Training) -> Iterator[Trajectories]:
    """The policies before the updates, each with all kappas at which a reward is a tie."""
    for base, _ in updates(training):
        middle, spread = mean(base, _EARNED), variance(base, _EARNED)
        for reward in _EARNED:
            if reward > middle:
                kappa = (reward - middle) ** 2 / spread
                yield Trajectories(base, _EARNED, Fraction(HORIZON), kappa)


@claim(theory.chi_square, over=LOCKS, tag="neural", mutants=improvement.chi_square.named_mutants)
def chi_square(training: Training) -> Iterator[Values]:
    """Each update on its own, and all of them together."""
    pairs = updates(training)
    for base, policy in [*pairs, (pairs[0][0], pairs[-1][1])]:
        model = Trajectories(base, _EARNED, Fraction(HORIZON), Fraction(1))
        yield from improvement.chi_square.evaluate(model, policy)


@claim(theory.cantelli, over=LOCKS, tag="neural", mutants=improvement.cantelli.named_mutants)
def cantelli(training: Training) -> Iterator[Values]:
    for model in _balls(training):
        yield from improvement.cantelli.evaluate(model)


def _class(base: Law) -> RewardClass:
    """The true reward, and all that call the outcomes of some lengths worthless."""
    kept = product((1, 0), repeat=len(_EARNED) - 1)
    candidates = tuple(
        tuple(r * k for r, k in zip(_EARNED, (*one, 1), strict=True)) for one in kept
    )
    return RewardClass(base, candidates, Fraction(HORIZON))


@claim(theory.one_step, over=LOCKS, tag="neural")
def one_step(training: Training) -> Iterator[Values]:
    """The first and the last policy, improved from samples of its own."""
    pairs = updates(training)
    for base in (pairs[0][0], pairs[-1][1]):
        yield from improvement.one_step.evaluate(Learning(_class(base), _tie(base), 1, _FAILURE))


def _tie(base: Law) -> Fraction:
    """The kappa at which the best reward but one is just good enough."""
    middle = mean(base, _EARNED)
    above = [r for r in _EARNED if r > middle][:2]
    return (above[-1] - middle) ** 2 / variance(base, _EARNED)
