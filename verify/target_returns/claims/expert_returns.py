"""Claims on the choice of a target: tilts, experts' shares, corrected predictions, many samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from math import comb, prod

import flint

from holdfast.solvers.target_returns.experts.counts import (
    ReturnCounts,
    expert_intervals,
    expert_rates,
)
from holdfast.solvers.target_returns.experts.targets import (
    adjusted,
    best_of_many,
    posterior,
    tilted,
)  # fmt: skip
from holdfast.theory import Le
from holdfast.theory.target_returns import expert_returns as theory

from ...binding.balls import to_arb
from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.values import Ball, Values
from ..families import experts as families
from ..families.experts import CONFUSIONS, RETURNS, Bins, Returns, Table, Weights

HALF, ZERO = Fraction(1, 2), Fraction(0)
_COIN = Returns((0, 1), (HALF, HALF))


def _log(number: Fraction) -> Ball:
    return Ball(lambda: to_arb(number).log())


def _divergence(law: Sequence[Fraction], other: Sequence[Fraction]) -> flint.arb:
    pairs = zip(law, other, strict=True)
    return sum((to_arb(p) * to_arb(p / q).log() for p, q in pairs if p), flint.arb(0))


def _expectation(law: Sequence[Fraction], values: Sequence[Fraction | int]) -> Fraction:
    return sum((p * value for p, value in zip(law, values, strict=True)), ZERO)


def _slope(drawn: Returns, base: Fraction) -> Fraction:
    """x d/dx of the quotient of two polynomials in x = exp(kappa), differentiated by flint."""
    powers = [value - drawn.values[0] for value in drawn.values]
    below, above = flint.fmpq_poly(), flint.fmpq_poly()
    for power, p in zip(powers, drawn.law, strict=True):
        term = flint.fmpq_poly([0] * power + [flint.fmpq(p.numerator, p.denominator)])
        below, above = below + term, above + power * term
    x = flint.fmpq(base.numerator, base.denominator)
    top = above.derivative()(x) * below(x) - above(x) * below.derivative()(x)
    found = x * top / below(x) ** 2
    return Fraction(int(found.p), int(found.q))


_WEAKER = "true: a larger bound"


@claim(
    theory.tilt,
    survivors={
        "missed <= (1 - p_top)*exp(-kappa)/p_top": "true here: returns are whole, so gap >= 1"
    },
    over=RETURNS.along(
        lambda draw, _: 1 + Fraction(draw.integer(1, 12), draw.integer(2, 6))
    ).with_landmarks(coin=lambda: (_COIN, Fraction(2))),
)
def tilt(drawn: Returns, base: Fraction) -> Iterator[Values]:
    weights = [base**value for value in drawn.values]
    law = tilted(drawn.law, weights)
    mean = _expectation(law, drawn.values)
    yield {
        theory.kappa: _log(base),
        theory.slope: _slope(drawn, base),
        theory.variance: _expectation(law, [(value - mean) ** 2 for value in drawn.values]),
        theory.mean: mean,
        theory.factor: _expectation(drawn.law, weights),
        theory.tilt_kl: Ball(partial(_divergence, law, drawn.law)),
        theory.missed: 1 - law[-1],
        theory.top: drawn.law[-1],
        theory.gap: drawn.values[-1] - drawn.values[-2],
    }


_COUNTED = RETURNS.along(families.tables)


@claim(
    theory.dominance,
    over=_COUNTED.along(lambda draw, _, table: expert_rates(table)).with_controls(
        monotone=_COUNTED.along(lambda draw, _, table: expert_rates(table, isotonic=False))
    ),
)
def dominance(drawn: Returns, _: ReturnCounts, rates: Weights) -> Iterator[Values]:
    law = tilted(drawn.law, rates)
    for at in range(len(law)):
        yield {theory.tail_expert: sum(law[at:], ZERO), theory.tail: sum(drawn.law[at:], ZERO)}


def _positive(draw: Draw, drawn: Returns, *_: object) -> Weights:
    return families.shares(draw, len(drawn.values), 9)


def _quarter() -> Iterator[Values]:
    return stability.evaluate(*_sharp(Fraction(11, 10)))


def _sharp(spread: Fraction) -> tuple[Returns, Weights, Weights]:
    """Odds 1/spread, one weight too large and the other too small by that factor."""
    law = (spread / (1 + spread), 1 / (1 + spread))
    return Returns((0, 1), law), (Fraction(1), Fraction(1)), (1 / spread, spread)


@claim(
    theory.stability,
    survivors=dict.fromkeys(
        (
            "TV <= exp(eta) - 1",
            "TV <= (exp(eta) - 1)/(exp(eta) + 9/10)",
            "TV <= (exp(eta) - 1)*exp(-eta)",
            "TV <= (exp(eta) - 1)/(9*exp(eta)/10 + 1)",
            "TV <= (exp(eta) - 1)/(exp(9*eta/10) + 1)",
            "TV <= (exp(11*eta/10) - 1)/(exp(eta) + 1)",
        ),
        _WEAKER,
    ),
    over=RETURNS.along(_positive, _positive).with_landmarks(
        sharp=lambda: _sharp(Fraction(3, 2)), nearly=lambda: _sharp(Fraction(101, 100))
    ),
    mutants=(
        NamedMutant(
            "MT-3", Le(theory.distance, theory.eta / 4), "eta/4 in place of eta/2", _quarter
        ),
    ),
)
def stability(drawn: Returns, weights: Weights, others: Weights) -> Iterator[Values]:
    quotients = [one / other for one, other in zip(weights, others, strict=True)]
    largest = max(*quotients, 1 / min(quotients))
    if largest == 1:
        return
    pairs = zip(tilted(drawn.law, weights), tilted(drawn.law, others), strict=True)
    yield {
        theory.distance: sum((abs(p - q) for p, q in pairs), ZERO) / 2,
        theory.eta: _log(largest),
    }


@claim(
    theory.correction,
    over=CONFUSIONS.along(lambda draw, table: tuple(families.law(draw, len(table)) for _ in table)),
)
def correction(table: Table, others: tuple[Weights, ...]) -> Iterator[Values]:
    """Losses over the counts one by one; the divergence prediction by prediction."""
    total = sum(map(sum, table))
    rows = posterior(table)

    def loss(laws: Sequence[Weights]) -> flint.arb:
        cells = [
            (n, q)
            for row, law in zip(table, laws, strict=True)
            for n, q in zip(row, law, strict=True)
        ]
        return sum((-n * to_arb(q).log() for n, q in cells if n), flint.arb(0)) / total

    def excess() -> flint.arb:
        parts = zip(table, rows, others, strict=True)
        return (
            sum((sum(n) * _divergence(p, q) for n, p, q in parts if sum(n)), flint.arb(0)) / total
        )

    yield {
        theory.loss: Ball(lambda: loss(rows)),
        theory.loss_other: Ball(lambda: loss(others)),
        theory.divergence: Ball(excess),
    }


_ALIKE = ((1, 2), (2, 4))
"""Two predictions that mean the same."""


@claim(theory.calibration, over=CONFUSIONS.with_landmarks(alike=lambda: (_ALIKE,)))
def calibration(table: Table) -> Iterator[Values]:
    """Counted anew among all episodes whose corrected prediction is the same."""
    size = len(table)
    certain = [tuple(Fraction(int(k == at)) for k in range(size)) for at in range(size)]
    laws = [adjusted(one, posterior(table)) for one in certain]
    for law in dict.fromkeys(law for law, row in zip(laws, table, strict=True) if sum(row)):
        alike = [row for row, other in zip(table, laws, strict=True) if other == law]
        everything = sum(map(sum, alike))
        for at in range(size):
            found = Fraction(sum(row[at] for row in alike), everything)
            yield {theory.frequency: found, theory.stated: law[at]}


def _covered(case: Bins, at: int) -> Fraction:
    """The probability that the interval of one bin holds its share, over all its counts."""
    middles = tuple(map(Fraction, range(len(case.episodes))))
    n, p = case.episodes[at], case.shares[at]
    covered = ZERO
    for k in range(n + 1):
        experts = tuple(k if place == at else 0 for place in range(len(middles)))
        counts = ReturnCounts(middles, case.episodes, experts)
        low, high = expert_intervals(counts, case.each * len(middles))[at]
        covered += comb(n, k) * p**k * (1 - p) ** (n - k) if low <= p <= high else 0
    return covered


@claim(
    theory.coverage,
    over=families.bins()
    .with_landmarks(
        # both tails of two tosses have probability 1/4, just under half of what may fail
        fair=lambda: (Bins((2,), (HALF,), *(HALF + Fraction(1, 2**18),) * 2),),
    )
    .with_controls(shared=families.bins(shared=False)),
)
def coverage(case: Bins) -> Iterator[Values]:
    together = prod((_covered(case, at) for at in range(len(case.episodes))), start=Fraction(1))
    yield {theory.covered: together, theory.delta: case.failure}


@claim(
    theory.best_of_many,
    survivors=dict.fromkeys(
        (
            "shortfall <= spread*(11/10 - p_top)**m",
            "shortfall <= spread",
            "shortfall <= spread*(p_top + 1)**m",
            "shortfall <= spread*(1 - 9*p_top/10)**m",
        ),
        _WEAKER,
    ),
    over=RETURNS.along(lambda draw, _: draw.integer(1, 4)).with_landmarks(
        coin=lambda: (_COIN, 4), once=lambda: (_COIN, 1), decoder=lambda: (_COIN, 12)
    ),
)
def best_of_many_samples(drawn: Returns, m: int) -> Iterator[Values]:
    pairs = list(zip(drawn.values, drawn.law, strict=True))
    tuples = product(pairs, repeat=m)
    chances = ((prod((p for _, p in t), start=Fraction(1)), max(r for r, _ in t)) for t in tuples)
    largest = sum((p * r for p, r in chances), ZERO)
    yield {
        theory.largest: largest,
        theory.layers: best_of_many(tuple(map(Fraction, drawn.values)), drawn.law, m),
        theory.shortfall: drawn.values[-1] - largest,
        theory.spread: drawn.values[-1] - drawn.values[0],
        theory.top: drawn.law[-1],
        theory.m_samples: m,
    }


@claim(
    theory.bayes_step,
    over=families.contexts().with_controls(conditional=families.contexts(conditional=False)),
)
def bayes_step(joint: Sequence[Weights], expert: Sequence[Weights]) -> Iterator[Values]:
    """Shares of experts are pooled over the contexts, as recorded data give them."""
    both = [[p * e for p, e in zip(*pair, strict=True)] for pair in zip(joint, expert, strict=True)]
    pairs = zip(zip(*both, strict=True), zip(*joint, strict=True), strict=True)
    rates = [sum(good, ZERO) / sum(all_, ZERO) for good, all_ in pairs]
    for found, mass in zip(tilted(joint[0], rates), both[0], strict=True):
        yield {theory.chosen: found, theory.truth: mass / sum(both[0], ZERO)}
