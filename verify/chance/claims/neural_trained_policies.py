"""The same claims on trained networks: flips against the optimum, coins, episodes, choices.

A case is three trained policies.  Exact numbers are those of the networks' choices in all cells;
episodes are fresh ones of the networks themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers.chance.horizon.dynamics import Dynamics
from holdfast.solvers.chance.horizon.faces import Faces
from holdfast.solvers.exact import Array
from holdfast.theory import Ge, Le, Theorem
from holdfast.theory.chance import trained_policies as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Count, Evaluate, Mean, Values
from ..families.trained import FAMILIES, Flip, Point, Trainings
from .trained_policies import priced

LEVEL = Fraction(1, 10)
"""Where policies are judged against the optimum: on the small task the line bends there, so that a
policy which ignores the risk is more than a tenth below it, and one that takes none is, too."""
EPISODES = 20_000
"""Fresh episodes of a policy: enough that the interval of its risk at the alpha of a run fits into
`RESOLUTION` on each side; twice as many narrow it by a third."""
RESOLUTION = Fraction(1, 30)
"""The share of episodes that may follow something else; a finer one leaves verdicts undecided."""
APART = Fraction(3, 10)
"""Level of the optimum that is flipped with the bold network: its policy goes another way around
the discs, so that a coin a step is far riskier than both coins an episode."""
WEIGHTS = tuple(Fraction(k, 8) for k in range(1, 8))
"""Of the bold policy, where coins are compared; more take longer and find a slightly larger gap
between the two coins."""
_CLASS = tuple(Fraction(k, 40) for k in (8, 9, 10, 11))
"""Weights of the flips among which samples choose.  They are near each other, so that which one
looks safest is luck: with weights far apart the safest is safest, and shows it."""
_SAMPLES, _CHOICES = 10, 1500
"""Episodes that judge each flip of the class, and how often a choice is made.  More episodes show
more of the truth and leave less to luck; fewer choices leave the two means within their intervals.
"""


def _bound(theorem: Theorem, prefix: str = "", **named: Any) -> Callable[[Evaluate], Evaluate]:
    """Bind a generator to the runs on each task."""

    def bind(evaluate: Evaluate) -> Evaluate:
        for tag, family in FAMILIES.items():
            claim(theorem, over=family, tag=prefix + tag, **named)(evaluate)
        return evaluate

    return bind


def lowered(percent: int) -> NamedMutant:
    """The optimum as if it were so much less."""
    kept = Fraction(100 - percent, 100)
    line = kept * theory.V_level + theory.multiplier * (theory.risk - theory.alpha)
    return NamedMutant(
        f"lowered by {percent} percent",
        Le(theory.J_policy, line),
        f"no trained policy comes within {percent} percent of the optimum",
    )


def _against_optimum(of: Trainings, points: list[Point]) -> Iterator[Values]:
    from holdfast.solvers.neural.parts.judging import envelope as optimum

    best = optimum(of.task, LEVEL)
    assert best.value is not None
    for value, risk in points:
        yield {
            theory.J_policy: value,
            theory.risk: risk,
            theory.V_level: best.value,
            theory.multiplier: best.multiplier,
            theory.alpha: LEVEL,
        }


@_bound(theory.envelope, mutants=(lowered(5),))
def best_flips(of: Trainings) -> Iterator[Values]:
    """The best flip within the level, and all policies that it might be of."""
    trained = of.obtained()
    best = trained.best_flip(LEVEL)
    yield from _against_optimum(of, [*trained.points, *([best] if best else [])])


@_bound(theory.envelope, "cpo#", mutants=(lowered(10),))
def by_cpo(of: Trainings) -> Iterator[Values]:
    """The cautious policy of CPO alone, so that nothing else hides what it did not learn."""
    yield from _against_optimum(of, [of.obtained().points[0]])


@_bound(
    theory.price,
    mutants=(
        NamedMutant(
            "the price does little",
            Ge(theory.risk_dear, theory.risk_cheap / 2),
            "paying three times as much for violations does not halve them",
        ),
    ),
)
def price(of: Trainings) -> Iterator[Values]:
    """The cautious and the bold policy of PPO-Lagrangian, each against the optimum of its price."""
    trained = of.obtained()
    faces = Faces.of(Dynamics.of(trained.problem))
    paid = [Fraction(training.options.multiplier) for training in (of.ppo, of.bold)]
    yield priced(faces, (*trained.points[1], paid[0]), (*trained.points[2], paid[1]))


def apart(flip: Flip) -> Fraction:
    """The weight at which the risks of a coin a step and a coin an episode are furthest apart.

    Trained policies make a coin a step safer as often as riskier, so that either way counts.
    """
    return max(WEIGHTS, key=lambda weight: abs(flip.by_step(weight)[1] - flip.average(weight)))


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
def episode_coin(of: Trainings) -> Iterator[Values]:
    """Where the coins differ most; the level is above the average by what episodes can resolve."""
    flip = of.obtained().flip_with_optimum(APART)
    weight = apart(flip)
    seen = flip.fresh("episode", weight, EPISODES, "coin")
    yield {
        theory.risk_episode: Count(seen.violations, seen.episodes),
        theory.alpha: min(flip.average(weight) + RESOLUTION, Fraction(1)),
    }


@_bound(theory.step_coin)
def step_coin(of: Trainings) -> Iterator[Values]:
    """The flip as Algorithm 2 runs it: from the choices of both, then from fresh episodes.

    Of the two trained policies, whichever way their coin goes; then of the bold network and a table
    of the optimum, whose coin a step is riskier whatever the seed: a refutation is no luck.
    """
    trained = of.obtained()
    for flip in (trained.flip(), trained.flip_with_optimum(APART)):
        weight = apart(flip)
        yield {theory.risk_step: flip.by_step(weight)[1], theory.alpha: flip.average(weight)}
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
def shown(of: Trainings) -> Iterator[Values]:
    """The three policies, and a flip once an episode where a coin a step is furthest from it."""
    trained = of.obtained()
    flip, by_ppo = trained.flip(), trained.flip_of(1)
    for each, weight in (
        (flip, Fraction(0)),
        (by_ppo, Fraction(0)),
        (flip, Fraction(1)),
        (flip, apart(flip)),
    ):
        seen = each.fresh("episode", weight, EPISODES, "shown")
        value, risk = each.by_episode(weight)
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
def chosen(of: Trainings) -> Iterator[Values]:
    """Flips of nearly equal weights: each is sampled, the safest looking one is sampled again."""
    flip = of.obtained().flip()
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
