"""The same claims on trained networks: flips against the optimum, coins, episodes, choices.

A case is two trained policies.  Exact numbers are those of the networks' choices in all cells;
episodes are fresh ones of the networks themselves.  Each claim is bound for each algorithm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers.exact import Array
from holdfast.theory import Ge, Le, Theorem
from holdfast.theory.chance import trained_policies as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Count, Evaluate, Mean, Values
from ..families.trained import FAMILIES, Flip, TrainedPair

LEVEL = Fraction(1, 10)
"""Where flips are judged against the optimum: there its line is steep enough that a policy which
ignores the risk is more than a tenth below it, while one that avoids all risk is, too."""
EPISODES = 20_000
"""Fresh episodes of a policy: enough that the interval of its risk at the alpha of a run fits into
`RESOLUTION` on each side; twice as many narrow it by a third."""
RESOLUTION = Fraction(1, 30)
"""The share of episodes that may follow something else; a finer one leaves verdicts undecided."""
WEIGHTS = tuple(Fraction(k, 8) for k in range(1, 8))
"""Of the bolder policy, where coins are compared; more take longer and find a slightly larger gap
between the two coins."""
_CLASS = tuple(Fraction(k, 40) for k in (8, 9, 10, 11))
"""Weights of the flips among which samples choose.  They are near each other, so that which one
looks safest is luck: with weights far apart the safest is safest, and shows it."""
_SAMPLES, _CHOICES = 10, 2000
"""Episodes that judge each flip of the class, and how often a choice is made.  More episodes show
more of the truth and leave less to luck; fewer choices leave the two means within their intervals.
"""


def _bound(theorem: Theorem, **named: Any) -> Callable[[Evaluate], Evaluate]:
    """Bind a generator to the runs of each algorithm."""

    def bind(evaluate: Evaluate) -> Evaluate:
        for tag, family in FAMILIES.items():
            claim(theorem, over=family, tag=tag, **named)(evaluate)
        return evaluate

    return bind


@_bound(
    theory.envelope,
    mutants=(
        NamedMutant(
            "lowered by five percent",
            Le(
                theory.J_policy,
                Fraction(19, 20) * theory.V_level
                + theory.multiplier * (theory.risk - theory.alpha),
            ),
            "no trained policy comes within five percent of the optimum",
        ),
    ),
)
def envelope(pair: TrainedPair) -> Iterator[Values]:
    """Both policies and, where their risks are around the level, their flip at it."""
    from holdfast.solvers.neural.parts.judging import envelope as optimum

    flip, best = pair.obtained(), optimum(pair.task, LEVEL)
    assert best.value is not None
    weight = flip.weight(LEVEL)
    flips = [] if weight is None else [flip.by_episode(weight)]
    for value, risk in [*flip.points, *flips]:
        yield {
            theory.J_policy: value,
            theory.risk: risk,
            theory.V_level: best.value,
            theory.multiplier: best.multiplier,
            theory.alpha: LEVEL,
        }


def apart(flip: Flip) -> Fraction:
    """The weight at which a coin a step is riskiest against a coin an episode."""
    return max(WEIGHTS, key=lambda weight: flip.by_step(weight)[1] - flip.average(weight))


@_bound(
    theory.episode_coin,
    mutants=(
        NamedMutant(
            "half the level",
            Le(theory.risk_episode, theory.alpha / 2),
            "the coin halves the risk",
        ),
    ),
)
def episode_coin(pair: TrainedPair) -> Iterator[Values]:
    """Where the coins differ most; the level is above the average by what episodes can resolve."""
    flip = pair.obtained()
    weight = apart(flip)
    seen = flip.fresh("episode", weight, EPISODES, "coin")
    yield {
        theory.risk_episode: Count(seen.violations, seen.episodes),
        theory.alpha: min(flip.average(weight) + RESOLUTION, Fraction(1)),
    }


@_bound(theory.step_coin)
def step_coin(pair: TrainedPair) -> Iterator[Values]:
    """The flip as Algorithm 2 runs it: from the networks' choices, then from fresh episodes."""
    flip = pair.obtained()
    for weight in WEIGHTS:
        yield {
            theory.risk_step: flip.by_step(weight)[1],
            theory.alpha: flip.average(weight),
        }
    weight = apart(flip)
    seen = flip.fresh("printed", weight, EPISODES, "coin")
    yield {
        theory.risk_step: Count(seen.violations, seen.episodes),
        theory.alpha: flip.average(weight),
    }


@_bound(
    theory.shown,
    mutants=(
        NamedMutant(
            "half the risk",
            Le(theory.risk_shown, theory.risk / 2 + theory.eps),
            "episodes show half of the risk",
        ),
        NamedMutant(
            "twice the risk",
            Ge(theory.risk_shown, 2 * theory.risk - theory.eps),
            "episodes show twice the risk",
        ),
        NamedMutant(
            "a tenth off",
            Ge(theory.J_shown, Fraction(11, 10) * theory.J_policy),
            "episodes earn a tenth more",
        ),
    ),
)
def shown(pair: TrainedPair) -> Iterator[Values]:
    """Both policies, and their flip with half the weight each way of the coins' largest gap."""
    flip = pair.obtained()
    for weight in (Fraction(0), apart(flip) / 2, Fraction(1)):
        seen = flip.fresh("episode", weight, EPISODES, "shown")
        value, risk = flip.by_episode(weight)
        low, high = seen.lowest, seen.highest
        assert low is not None and high is not None
        yield {
            theory.risk_shown: Count(seen.violations, seen.episodes),
            theory.risk: risk,
            theory.J_shown: Mean(seen.episodes, seen.returns_sum, seen.returns_squares, low, high),
            theory.J_policy: value,
            theory.eps: RESOLUTION,
            theory.span: high - low,
        }


@_bound(
    theory.chosen,
    mutants=(
        NamedMutant(
            "as it looked",
            Ge(theory.chosen_shown, theory.chosen_risk),
            "the samples that chose a policy show its risk",
        ),
    ),
)
def chosen(pair: TrainedPair) -> Iterator[Values]:
    """Flips of nearly equal weights: each is sampled, the safest looking one is sampled again."""
    flip = pair.obtained()
    looked = np.stack([flip.unsafe(weight, _CHOICES, _SAMPLES, "choosing") for weight in _CLASS])
    taken = looked.argmin(axis=0)
    fresh = np.zeros(_CHOICES, dtype=int)
    for k, weight in enumerate(_CLASS):
        fresh[taken == k] = flip.unsafe(weight, int((taken == k).sum()), _SAMPLES, "judging")
    yield {
        theory.chosen_shown: _mean_share(looked.min(axis=0)),
        theory.chosen_risk: _mean_share(fresh),
    }


def _mean_share(unsafe: Array) -> Mean:
    """The mean of the shares of unsafe episodes, one share a choice."""
    total = Fraction(int(unsafe.sum()), _SAMPLES)
    squares = Fraction(int((unsafe**2).sum()), _SAMPLES**2)
    return Mean(len(unsafe), total, squares, Fraction(0), Fraction(1))
