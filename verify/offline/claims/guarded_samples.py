"""Claims on samples: exact tails of frequencies, at one count, at all, and of threshold sets."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import comb

from sympy import Rational, exp

from holdfast.theory import Le, Quantity
from holdfast.theory.offline import guarded
from holdfast.theory.offline import guarded_samples as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Values
from ..families import samples as families
from ..families.samples import HeldOut, Sampled

_HALF = Fraction(1, 2)
_COIN = (_HALF,) * 2
_FAILING = Quantity("failing_late", "probability that some pair errs by eps from n_0 on")
_COUNT = Quantity("n", "the count that is reached")
_EVENTS = theory.n_pairs * (2**theory.n_states - 2)
_ONE_EVENT = exp(-theory.n_least * guarded.eps**2 / 2)


def _late() -> Iterator[Values]:
    case = Sampled((_COIN,), 2, 60, Fraction(1))
    yield {
        _FAILING: case.failing_at_radius(),
        theory.n_pairs: 1, theory.n_states: 2, guarded.eps: case.radius, _COUNT: case.most,
    }  # fmt: skip


@claim(
    theory.finite_sample,
    over=families.sampled()
    .with_landmarks(
        toss=lambda: (Sampled((_COIN,), 1, 1, Fraction(1)),),
        many=lambda: (Sampled((_COIN,) * 100, 2000, 2000, Fraction(1, 5)),),
    )
    .with_controls(independent=families.sampled(copies=10)),
    survivors={
        **dict.fromkeys(
            (
                Le(Rational(11, 10) * theory.failing, _EVENTS * _ONE_EVENT),
                Le(theory.failing, Rational(9, 10) * _EVENTS * _ONE_EVENT),
                "failing <= K*(2**S - 11/5)*exp(-epsilon**2*n_0/2)",
            ),
            "not known to be false: the union over 2^S - 2 events is off by more than a tenth",
        ),
        Le(
            theory.failing, theory.n_pairs * (Rational(11, 5) ** theory.n_states - 2) * _ONE_EVENT
        ): "true: weaker, since (11/5)^S >= 2^S",
    },
    mutants=(
        NamedMutant(
            "OG-D-count",
            Le(_FAILING, _EVENTS * exp(-_COUNT * guarded.eps**2 / 2)),
            "the count that is reached in place of n_0",
            _late,
        ),
    ),
)  # fmt: skip
def finite_sample(sample: Sampled) -> Iterator[Values]:
    yield {
        theory.failing: sample.failing_at_radius(),
        theory.n_pairs: len(sample.laws),
        theory.n_states: len(sample.laws[0]),
        theory.n_least: sample.least * sample.copies,
        guarded.eps: sample.radius,
    }


_CROSSED = Quantity("crossed", "probability to cross the bound without the factor N")


def _one_look() -> Iterator[Values]:
    case = Sampled((_COIN,), 1, 100, Fraction(1))
    yield {_CROSSED: case.failing_by_count(2), theory.delta: case.failure}


@claim(
    theory.every_count,
    over=families.sampled(by_count=True).with_controls(
        independent=families.sampled(by_count=True, copies=20)
    ),
    survivors=dict.fromkeys(
        (
            Le(Rational(11, 10) * theory.crossing, theory.delta),
            Le(theory.crossing, Rational(9, 10) * theory.delta),
        ),
        "not known to be false: a union over counts is off by more than a tenth",
    ),
    mutants=(
        NamedMutant("OG-D-looks", Le(_CROSSED, theory.delta), "no union over counts", _one_look),
    ),
)
def every_count(sample: Sampled) -> Iterator[Values]:
    pairs, size = len(sample.laws), len(sample.laws[0])
    factor = (2**size - 2) * pairs * sample.most
    yield {theory.crossing: sample.failing_by_count(factor), theory.delta: sample.failure}


def largest_deviation_tail(samples: int, deviation: Fraction) -> Fraction:
    """Pr(sup_f (F_N(f) - F(f)) >= t) of a continuous law: Birnbaum and Tingey 1951, formula 3.0.

    It is t sum_j C(N, j) (t + j/N)^(j-1) (1 - t - j/N)^(N-j), here over the denominator N b.
    """
    n, t = samples, deviation
    bottom = n * t.denominator
    top, step = n * t.numerator, t.denominator
    if not top:
        return Fraction(1)
    last = (bottom - top) // step
    total = sum(
        comb(n, j) * (top + j * step) ** (j - 1) * (bottom - top - j * step) ** (n - j)
        for j in range(1, last + 1)
    )
    return Fraction(top * total + (bottom - top) ** n, bottom**n)


_CHOSEN = Quantity("chosen", "probability that the chosen one of two sets is worse by t")


def _either_half() -> Iterator[Values]:
    """One toss of a coin; the half that it does not show looks empty, and holds 1/2."""
    yield {_CHOSEN: 1, theory.N: 1, theory.t: _HALF}


@claim(
    theory.coverage,
    over=families.held_out()
    .with_landmarks(
        far=lambda: (HeldOut(2000, Fraction(1, 20)),),
        sure=lambda: (HeldOut(1, Fraction(99, 100)),),
    )
    .with_controls(held_out=families.held_out(copies=10)),
    mutants=(
        NamedMutant(
            "OG-E-any", Le(_CHOSEN, exp(-2 * theory.N * theory.t**2)), "for any two sets",
            _either_half,
        ),
    ),
)  # fmt: skip
def coverage(case: HeldOut) -> Iterator[Values]:
    yield {
        theory.missed: largest_deviation_tail(case.samples, case.deviation),
        theory.N: case.samples * case.copies,
        theory.t: case.deviation,
    }
