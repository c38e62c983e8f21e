"""Claims on concentration, against exact tails and, once, against simulation."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from sympy import Rational, exp

from holdfast.solvers.cmdp.tails import binomial_tail, multinomial_l1_tail
from holdfast.theory import Le
from holdfast.theory.cmdp import concentration as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import philox
from ...binding.values import Count, Values
from ..families import Empirical, Frequency, empirical_laws, frequencies, simulable_frequencies

M25 = NamedMutant(
    "M25",
    Le(theory.tail, exp(-2 * theory.N_samples**2 * theory.t_deviation)),
    "the exponent is -2 N^2 t",
)
_FAR = Frequency(2000, Fraction(1, 2), Fraction(1, 10))
"""N t^2 = 20: the exponent's constant is sharp up to a polynomial factor."""


@claim(
    theory.hoeffding,
    over=frequencies()
    .with_landmarks(
        G16=lambda: (Frequency(10, Fraction(1, 10), Fraction(1, 10)),),
        far=lambda: (_FAR,),
        sure=lambda: (Frequency(1, Fraction(99, 100), Fraction(1, 100)),),
    )
    .with_controls(independent=frequencies(copied=True)),
    mutants=(M25,),
)
def hoeffding(sample: Frequency) -> Iterator[Values]:
    yield {
        theory.N_samples: sample.trials * sample.copies,
        theory.t_deviation: sample.deviation,
        theory.tail: binomial_tail(sample.trials, sample.probability, sample.deviation),
    }


EXPERIMENTS = 2000
"""Simulated experiments of one case.  The confidence interval narrows with their square root: with
a quarter of them it is twice as wide, and more cases end undecided."""


@claim(theory.hoeffding, over=simulable_frequencies(), tag="simulated")
def hoeffding_simulated(sample: Frequency) -> Iterator[Values]:
    n, p, t = sample.trials, sample.probability, sample.deviation
    successes = philox("hoeffding", n, p, t).binomial(n, float(p), EXPERIMENTS)
    deviating = int((successes >= ceil(n * (p + t))).sum())
    yield {
        theory.N_samples: n,
        theory.t_deviation: t,
        theory.tail: Count(deviating, EXPERIMENTS),
    }


_FAIR = (Fraction(1, 2),) * 2
_LOOSE = (
    "not known to be false: the factor 2^S - 2 is not sharp; the largest ratio known here is "
    "exp(1/2)/2 = 0.824, at one toss of a fair coin, so a change by a tenth cannot be refuted there"
)
_EVENTS = 2**theory.n_outcomes
_ONE_EVENT = exp(-theory.N_samples * theory.radius**2 / 2)


@claim(
    theory.weissman,
    over=empirical_laws()
    .with_landmarks(
        coin=lambda: (Empirical(1, _FAIR, Fraction(1)),),
        far=lambda: (Empirical(2000, _FAIR, Fraction(1, 5)),),
        rare=lambda: (Empirical(2, (Fraction(1, 5), Fraction(4, 5)), Fraction(8, 5)),),
    )
    .with_controls(independent=empirical_laws(copied=True)),
    survivors={
        Le(Rational(11, 10) * theory.l1_tail, (_EVENTS - 2) * _ONE_EVENT): _LOOSE,
        Le(theory.l1_tail, Rational(9, 10) * ((_EVENTS - 2) * _ONE_EVENT)): _LOOSE,
        Le(theory.l1_tail, (_EVENTS - Rational(11, 5)) * _ONE_EVENT): _LOOSE,
        Le(
            theory.l1_tail, (Rational(11, 5) ** theory.n_outcomes - 2) * _ONE_EVENT
        ): "true: weaker, since (11/5)^S >= 2^S",
    },
)
def weissman(sample: Empirical) -> Iterator[Values]:
    yield {
        theory.N_samples: sample.trials * sample.copies,
        theory.n_outcomes: len(sample.law),
        theory.radius: sample.radius,
        theory.l1_tail: multinomial_l1_tail(sample.trials, sample.law, sample.radius),
    }
