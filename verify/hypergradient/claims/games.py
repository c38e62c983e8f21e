"""Claims on Markov games: in rationals against dual numbers, the toy game in balls."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial
from typing import Any

import flint

from holdfast.solvers.hypergradient import balls, exact_games, exact_traces
from holdfast.solvers.hypergradient.exact_games import Game
from holdfast.theory import Eq, Relation
from holdfast.theory.hypergradient import games as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ..families import points as families
from ..landmarks.toy import returns
from ..oracles.duals import derivatives
from ..oracles.episodes import expected


def _derivative(game: Game, observing: bool) -> Fraction:
    reduced = exact_games.observing if observing else exact_games.simultaneous
    return derivatives(reduced(game)).objective


def _instead(indirect: Any) -> Relation:
    return Eq(theory.dJ, theory.direct + indirect)


@claim(
    theory.observing,
    over=families.games(),
    mutants=(
        NamedMutant("BC-T5-direct", Eq(theory.dJ, theory.direct), "the direct term alone"),
        NamedMutant("BC-T5-sign", _instead(-theory.benefits / theory.beta), "the other sign"),
    ),
)
def observing(case: Game) -> Iterator[Values]:
    indirect = partial(exact_games.benefit_times_influence, case)
    yield {
        theory.dJ: _derivative(case, True),
        theory.direct: exact_games.direct_term(case),
        theory.plain: exact_games.direct_term(case, "none"),
        theory.benefits: indirect(),
        theory.with_first: indirect(first=True),
        theory.unbaselined: indirect(centred=False),
        theory.beta: case.temperature,
    }


@claim(theory.unbiased, over=families.games(forward=True))
def unbiased(case: Game) -> Iterator[Values]:
    """All trajectories on states (s, a), with their probabilities."""
    point = exact_games.observing(case)
    advantages, (values, _) = balls.leader_advantages(point), balls.leader_values(point)
    yield {
        theory.dJ: _derivative(case, True),
        theory.sampled_direct: expected(point, partial(exact_traces.direct_sum, point, values)),
        theory.traced: expected(point, partial(exact_traces.game_trace_sum, case, advantages)),
        theory.beta: case.temperature,
    }


@claim(
    theory.simultaneous,
    over=families.games(observing=False),
    mutants=(NamedMutant("BC-T5-blind", _instead(theory.later / theory.beta), "k = 0 forgotten"),),
)
def simultaneous(case: Game) -> Iterator[Values]:
    point = exact_games.simultaneous(case)
    own = balls.leader_advantages(point) * balls.immediate(point)
    yield {
        theory.dJ: _derivative(case, False),
        theory.direct: balls.direct(point),
        theory.covariances: balls.covariances(point),
        theory.later: exact_games.later_covariances(case),
        theory.own: (balls.occupancy(point) * balls.mean(point.policy, own)).sum(),
        theory.beta: case.temperature,
    }


BEST = {1: Fraction(166, 1000), 2: Fraction(503, 1000)}
"""R -> the p that is called best, in thousandths."""


def _thousandths(reward: int) -> Family:
    """p in thousandths, the best one passed over; the two next to it are landmarks."""

    def another(draw: Draw) -> Fraction:
        drawn = Fraction(draw.integer(1, 998), 1000)
        return drawn + Fraction(drawn >= BEST[reward], 1000)

    return Family(f"leaders of the toy game with R = {reward}", another).with_landmarks(
        below=lambda: (BEST[reward] - Fraction(1, 1000),),
        above=lambda: (BEST[reward] + Fraction(1, 1000),),
    )


@cache
def _returns(p: Fraction, reward: int, precision: int) -> tuple[flint.arb, flint.arb]:
    del precision
    return returns(p, reward)


def _compared(p: Fraction, reward: int) -> Values:
    best = BEST[reward]
    sign = 1 if p < best else -1
    return {
        theory.J: Ball(lambda: _returns(p, reward, flint.ctx.prec)[0]),
        theory.J_best: Ball(lambda: _returns(best, reward, flint.ctx.prec)[0]),
        theory.rise: Ball(lambda: sign * _returns(p, reward, flint.ctx.prec)[1]),
    }


@claim(theory.toy_one, over=_thousandths(1))
def toy_one(p: Fraction) -> Iterator[Values]:
    yield _compared(p, 1)


@claim(theory.toy_two, over=_thousandths(2))
def toy_two(p: Fraction) -> Iterator[Values]:
    yield _compared(p, 2)
