"""Claims on data of linear features: probabilities are exact, and balls decide the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import accumulate
from math import comb

import flint
import numpy as np
from sympy import sqrt

from holdfast.solvers.alignment import designs
from holdfast.solvers.alignment.tilts import ready
from holdfast.theory import Le, Quantity, Relation
from holdfast.theory.alignment import designs as theory
from holdfast.theory.alignment import estimated, stepwise

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ..families import designs as families
from ..families.designs import Axes, Compared, Fit, Lone, Noisy
from ..landmarks import designs as landmarks


def _missed(case: Fit) -> flint.arb:
    rival = case.policy(case.estimated, estimated=True)
    return (case.bound() - case.mean(rival, case.safety)).max(flint.arb(0))


def _spread(case: Fit, weight: Fraction) -> families.Array:
    """Gamma of a weight of safety, [2], with B = 1."""
    widths = case.width(case.reward_counts) + ready(weight) * case.width(case.safety_counts)
    return case.alpha() * widths + ready(abs(weight - case.estimated))


def _weighted(case: Fit) -> flint.arb:
    factors = np.exp(2 * _spread(case, case.multiplier) / ready(case.temperature))
    return (case.policy(case.multiplier) * case.width(case.safety_counts) * factors).sum()


def printed_violation(case: Fit) -> Iterator[Values]:
    """The two sides of Theorem 3 as printed."""
    yield {
        estimated.violation_size: Ball(partial(_missed, case)),
        estimated.alpha: Ball(case.alpha),
        estimated.weighted: Ball(partial(_weighted, case)),
    }


def _event(case: Fit) -> flint.arb:
    """The largest error beyond alpha U, over both functions and responses."""
    pairs = zip((case.reward, case.safety), case.fits, (case.reward_counts, case.safety_counts),
                strict=True)  # fmt: skip
    over = [
        ready(abs(w - fit)) - case.alpha() * width
        for truth, fits, counts in pairs
        for w, fit, width in zip(truth, fits, case.width(counts), strict=True)
    ]
    return over[0].max(over[1]).max(over[2]).max(over[3])


def _largest_multiplier(case: Fit) -> flint.arb:
    """Lambda by the policy that always gives the safest response."""
    best = case.safety.index(max(case.safety))
    safest = ready(np.array([Fraction(i == best) for i in range(2)], dtype=object))
    lost = case.value(case.policy(case.multiplier)) - case.value(safest)
    return lost / (ready(case.safety[best]) - case.bound())


def _met(case: Fit) -> Values:
    norms = (case.reward, case.safety, *case.fits)
    return {
        theory.slater: Ball(lambda: ready(max(case.safety)) - case.bound()),
        theory.norm: max(sum((w * w for w in one), Fraction(0)) for one in norms),
        theory.event: Ball(partial(_event, case)),
        theory.slack: Ball(lambda: ready(case.multiplier) * (case.reached() - case.bound())),
        theory.least_dual: Ball(lambda: case.reached() - case.bound()),
        theory.features: 1,
        theory.kappa: case.ridge,
        stepwise.beta: case.temperature,
        estimated.Lambda: Ball(partial(_largest_multiplier, case)),
        estimated.lam_hat: case.estimated,
        estimated.believed: Ball(case.believed),
        stepwise.b: Ball(case.bound),
    }


@claim(
    theory.violation,
    over=families.FITS.with_landmarks(
        printed=lambda: (landmarks.printed(),),
        least_weights=lambda: (landmarks.printed(fitting=Fraction(0)),),
        unit_ridge=lambda: (landmarks.printed(1, 10**6, 10**18),),
        active=lambda: (landmarks.active(),),
        active_least=lambda: (landmarks.active(fitting=Fraction(0)),),
    ),
    witness="printed",
    shows=_met,
    survivors={
        Le(estimated.violation_size, theory.PRINTED_ALPHA): "true for delta <= 2/e^2: a level that "
        "is believed to be met is missed by 2 B at most",
    },
)
def violation(case: Fit) -> Iterator[Values]:
    (values,) = printed_violation(case)
    kept = {one: values[one] for one in (estimated.violation_size, estimated.weighted)}
    yield {**kept, estimated.B: 1, theory.delta: case.failure}


def _exchanged(draw: Draw) -> tuple[Fraction, int, Fraction]:
    """The multiplier, the labels, the ridge."""
    lam = 1 + Fraction(draw.integer(1, 8), 4)
    return lam, draw.integer(1, 1000), draw.choice(tuple(map(Fraction, ("4", "1", "1/2"))))


@claim(theory.orders, over=Family("labels exchanged between two responses", _exchanged))
def orders(case: tuple[Fraction, int, Fraction]) -> Iterator[Values]:
    lam, count, ridge = case
    fit = landmarks.printed(
        few=count, many=count, ridge=ridge, fitting=ridge, multiplier=lam, estimated=lam
    )

    def narrow(weight: Fraction) -> flint.arb:
        spread = _spread(fit, weight)
        return spread[0] - spread[1]

    zero = Fraction(0)
    yield {
        stepwise.lam: lam,
        theory.narrow: Ball(lambda: narrow(zero)),
        theory.ordered: Ball(lambda: narrow(zero) * narrow(lam)),
    }


@claim(
    theory.any_ridge,
    over=families.LONE.with_landmarks(unseen=lambda: (landmarks.unseen(),)),
    witness="unseen",
    shows=lambda case: {theory.norm: case.weight**2, theory.kappa: case.ridge},
)
def any_ridge(case: Lone) -> Iterator[Values]:
    """Labels without noise, fitted by the ridge."""
    (fit,) = designs.fitted((case.weight,), (case.count,), case.ridge)
    yield {
        theory.error: abs(case.weight - fit),
        estimated.B: case.bound,
        theory.delta: case.failure,
        theory.form: 1 / (case.ridge + case.count),
    }


def _free_failure(case: Axes) -> Fraction:
    """P(some sign vector is off by more than alpha U), of the ridge with B = 1 and weights 0: where
    sum abs(S_i)/2 > alpha root sqrt(ridge + count), as U = 1/sqrt(ridge + count)."""
    with flint.ctx.workprec(128):
        alpha = 1 + (ready(2 / case.failure).log() / 2).sqrt()
        limit = 2 * alpha * case.root * ready(case.ridge + case.count).sqrt()
        most = int(limit.floor().unique_fmpz())
    weights, total = designs.sum_of_sizes(case.count, case.root**2)
    return Fraction(sum(weights[most + 1 :]), total)


def _long(case: Axes) -> Fraction:
    """Chebyshev's bound on P(the fitted weights have a norm above 1): their squares are those of
    S_i / (2 (ridge + count)), with E S^2 = count and Var S^2 = 2 count (count - 1)."""
    d, n, scale = case.root**2, case.count, (2 * (case.ridge + case.count)) ** 2
    mean, variance = d * n / scale, 2 * d * n * (n - 1) / scale**2
    return min(Fraction(1), variance / (1 - mean) ** 2) if mean < 1 else Fraction(1)


@claim(
    theory.at_once,
    over=families.AXES.with_landmarks(many=lambda: (landmarks.many_signs(),)),
    witness="many",
    shows=lambda case: {theory.features: 1, theory.kappa: case.ridge},
)
def at_once(case: Axes) -> Iterator[Values]:
    """At least so often some response fails while the fitted weights have norm 1 at most."""
    failing = max(Fraction(0), _free_failure(case) - _long(case))
    yield {theory.failing: failing, theory.delta: case.failure}


def lone_failure(case: Lone, factor: Fraction = Fraction(1), *, biased: bool = True) -> Fraction:
    """P(error > alpha U) of a unit vector with noise +-B/2; alpha: factor times Hoeffding's part,
    and sqrt(ridge) B unless the bias is left out."""
    with flint.ctx.workprec(128):
        alpha = ready(factor * case.bound) * (ready(2 / case.failure).log() / 2).sqrt()
        alpha += ready(case.ridge).sqrt() * ready(case.bound) if biased else 0
        limit = alpha * ready(case.ridge + case.count).sqrt()
        return sum(
            (
                p
                for k, p in designs.binomial_sums(case.count).items()
                if abs(ready(case.bound * k / 2 - case.ridge * case.weight)) > limit
            ),
            Fraction(0),
        )


_HOEFFDING = "true or not known to be false: Hoeffding's inequality is off by more than a tenth"
_SLACK: dict[Relation | str, str] = {
    Le(theory.failing, theory.delta * 9 / 10): _HOEFFDING,
    Le(theory.failing * 11 / 10, theory.delta): _HOEFFDING,
}
_WRONG = Quantity("failing_wrong", "probability that a narrower width fails")


def _wrong(case: Lone, **options: object) -> Iterator[Values]:
    yield {_WRONG: lone_failure(case, **options), theory.delta: case.failure}  # type: ignore[arg-type]


def _together() -> Iterator[Values]:
    case = landmarks.many_signs()
    yield {_WRONG: _free_failure(case), theory.delta: case.failure}


_SEEN = Lone(Fraction(0), 40, Fraction(1, 4), Fraction(1), Fraction(1, 100))


@claim(
    theory.pointwise,
    over=families.SEEN.with_landmarks(
        two=lambda: (Lone(Fraction(0), 2, Fraction(1, 10**6), Fraction(1), Fraction(3, 4)),)
    ),
    survivors=_SLACK,
    mutants=(
        NamedMutant(
            "no-bias",
            Le(_WRONG, theory.delta),
            "without sqrt(kappa) B",
            partial(_wrong, landmarks.unseen(20), biased=False),
        ),
        NamedMutant(
            "half", Le(_WRONG, theory.delta), "half of Hoeffding's part, no bias",
            partial(_wrong, _SEEN, factor=Fraction(1, 2), biased=False),
        ),
        NamedMutant("M6-free", Le(_WRONG, theory.delta), "one alpha for all phi", _together),
    ),
)  # fmt: skip
def pointwise(case: Lone) -> Iterator[Values]:
    yield {theory.failing: lone_failure(case), theory.delta: case.failure}


def _noise(case: Noisy, dimension: int | None = None, *, rare: bool = True) -> flint.arb:
    """d log(1 + n/(d kappa)) + 2 log(1/delta), or with another d or without delta."""
    d = case.dimension if dimension is None else dimension
    found = d * ready(1 + case.count / case.ridge).log()
    return found - 2 * ready(case.failure).log() * rare


_BIAS = sqrt(theory.kappa) * estimated.B
_WITHOUT = Quantity("bound_without", "the bound without one of its parts")
_WIDE = Noisy(10**8, 1, Fraction(0), Fraction(10), Fraction(2), Fraction(9, 10))
_RARE = Noisy(1, 60, Fraction(0), Fraction(1), Fraction(1), Fraction(1, 2**58))


def _without(
    case: Noisy, dimension: int | None = None, *, rare: bool = True
) -> Callable[[], Iterator[Values]]:
    """The radius, and the bound with another dimension or without delta."""

    def bound() -> flint.arb:
        noise = _noise(case, dimension, rare=rare).sqrt() / 2
        return ready(case.bound) * (noise + ready(case.ridge).sqrt())

    def found() -> Iterator[Values]:
        yield {theory.radius: _radius(case), _WITHOUT: Ball(bound)}

    return found


def _radius(case: Noisy) -> Fraction:
    if case.count == 1 and case.weight == 0:  # every term is the same
        return case.dimension * (case.bound / 2) ** 2 / (case.ridge + 1)
    weights = [case.weight] + [Fraction(0)] * (case.dimension - 1)
    law = designs.squared_error_law(weights, case.count, case.ridge, case.bound)
    return designs.quantile(law, case.failure)


@claim(
    theory.self_normalised,
    over=families.NOISY.with_landmarks(
        wide=lambda: (_WIDE,),
        biased=lambda: (Noisy(1, 1, Fraction(2), Fraction(10**6), Fraction(2), Fraction(9, 10)),),
        rare=lambda: (_RARE,),
        empty=lambda: (Noisy(1, 0, Fraction(1), Fraction(1, 4), Fraction(1), Fraction(999, 1000)),),
    ),
    survivors={
        Le(sqrt(theory.radius), estimated.B / 2 * theory.noise + _BIAS): "true or not known to be "
        "false: where noise is below 1 the ridge's part hides it",
    },
    mutants=(
        NamedMutant(
            "M6-dimension", Le(sqrt(theory.radius), _WITHOUT), "no dimension", _without(_WIDE, 1)
        ),
        NamedMutant(
            "no-delta", Le(sqrt(theory.radius), _WITHOUT), "no delta", _without(_RARE, rare=False)
        ),
    ),
)
def self_normalised(case: Noisy) -> Iterator[Values]:
    yield {
        theory.radius: _radius(case),
        estimated.B: case.bound,
        theory.noise: Ball(partial(_noise, case)),
        theory.kappa: case.ridge,
    }


def _fitted_odds(case: Compared, wins: int) -> Fraction:
    """Of the maximum likelihood estimate within [-B, B]."""
    lost, most = case.count - wins, case.largest_odds
    found = Fraction(wins, lost) if lost else most
    return min(max(found, 1 / most), most)


def _compared_radius(case: Compared) -> flint.arb:
    p = case.odds / (1 + case.odds)
    terms = []
    for wins in range(case.count + 1):
        chance = comb(case.count, wins) * p**wins * (1 - p) ** (case.count - wins)
        error = ready(_fitted_odds(case, wins) / case.odds).log()
        terms.append((ready(case.ridge + case.count) * error * error, chance))
    terms.sort(key=lambda one: float(one[0].mid()))
    reached = accumulate(chance for _, chance in terms)
    pairs = zip(terms, reached, strict=True)
    return next(value for (value, _), mass in pairs if 1 - mass <= case.failure)


_STEEP = theory.steep * sqrt(theory.noise_paired)


@claim(
    theory.paired,
    over=families.COMPARED.with_landmarks(
        far=lambda: (Compared(Fraction(8), 1, Fraction(10**9), Fraction(8), Fraction(1, 100)),),
    ),
    survivors={
        Le(sqrt(theory.radius), right): "true or not known to be false: the least slope is a crude "
        "bound on the curvature"
        for right in (
            _STEEP * 9 / 10 + 2 * _BIAS,
            theory.noise_paired * theory.steep + 2 * _BIAS,
            _STEEP + 2 * theory.kappa * estimated.B,
        )
    },
)
def paired(case: Compared) -> Iterator[Values]:
    yield {
        theory.radius: Ball(partial(_compared_radius, case)),
        estimated.B: Ball(lambda: ready(case.largest_odds).log()),
        theory.steep: 2 + case.largest_odds**2 + 1 / case.largest_odds**2,
        theory.noise_paired: Ball(
            lambda: ready(1 + case.count / case.ridge).log() / 4 - ready(case.failure).log() / 2
        ),
        theory.kappa: case.ridge,
    }
