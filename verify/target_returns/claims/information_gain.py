"""Claims on information gain: exact determinants, the most by trying all multisets of targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import combinations, combinations_with_replacement
from math import prod

from sympy import Expr, Rational, exp, log

from holdfast.theory import Le, Quantity, Relation
from holdfast.theory.target_returns import information_gain as theory
from holdfast.theory.target_returns.confidence import determinant_t, k_largest, n_targets, noise

from ...binding.claims import NamedMutant, claim
from ...binding.values import Values
from ..families.gaussian import GRAMS, ROTATED, Process, several, targets_observed, white
from ..oracles.gaussian import conditioned, determinant, variances_met

Sets = Callable[[range, int], Iterable[tuple[int, ...]]]


@claim(theory.chain_rule, over=GRAMS.along(targets_observed))
def chain_rule(process: Process, indices: tuple[int, ...]) -> Iterator[Values]:
    met = variances_met(process.kernel, process.noise, indices)
    yield {
        determinant_t: determinant(process.kernel, process.noise, indices),
        theory.product: prod(1 + one / process.noise for one in met),
    }


def most(
    process: Process, observations: int, sets: Sets = combinations_with_replacement
) -> Fraction:
    """exp(2 gamma_N), by trying all multisets of targets, or all sets."""
    tried = sets(range(len(process.kernel)), observations)
    return max(determinant(process.kernel, process.noise, indices) for indices in tried)


def greedy_targets(process: Process, observations: int) -> list[int]:
    """The target of the largest variance, time after time; the first of several."""
    kernel, chosen = process.kernel, []
    for _ in range(observations):
        chosen.append(max(range(len(kernel)), key=lambda i: kernel[i][i]))
        zero = [Fraction(0)] * len(kernel)
        _, kernel = conditioned(zero, kernel, chosen[-1], process.noise, Fraction(0))
    return chosen


def _repeating() -> Iterator[Values]:
    """One target of variance 100 and one of 1/100: observing the first twice is best."""
    process = white(100, Fraction(1, 100))
    yield {
        theory.most: most(process, 2),
        theory.distinct: most(process, 2, combinations),
    }


def _between() -> tuple[Process, int]:
    """z3 = (z1 + z2)/2 times a little more than what makes it the first choice."""
    rows = ((4, 0, 3), (0, 4, 3), (3, 3, 5))
    kernel = tuple(tuple(Fraction(one) for one in row) for row in rows)
    return Process(kernel, Fraction(1, 100)), 2


def _none() -> tuple[Process, int]:
    """No observation."""
    return white(1), 0


_E = exp(-1)
_WEAKER = (1 - Rational(11, 10) * _E, Rational(9, 10) - _E, -_E, -1 - _E)
_STRONGER = (1 - Rational(9, 10) * _E, Rational(11, 10) - _E)


def _exponents(right: Quantity, why: str, *more: Expr) -> dict[Relation | str, str]:
    """Survivors: other exponents in the place of 1 - 1/e."""
    found: dict[Relation | str, str] = {}
    for one in _WEAKER:
        found[Le(theory.most**one, right)] = "true: weaker, a smaller exponent"
    return found | {Le(theory.most**one, right): why for one in (*_STRONGER, *more)}


_GREEDY = (
    NamedMutant("greedy is optimal", Le(theory.most, theory.greedy_t), "1 - 1/e left out"),
    NamedMutant("sets", Le(theory.most, theory.distinct), "no target twice", _repeating),
)


@claim(
    theory.greedy,
    over=GRAMS.along(several).with_landmarks(between=_between, none=_none),
    mutants=_GREEDY,
    survivors=_exponents(
        theory.greedy_t, "not known to be false: the least ratio of logarithms met is 0.885"
    ),
)
def greedy(process: Process, observations: int) -> Iterator[Values]:
    chosen = greedy_targets(process, observations)
    yield {
        theory.most: most(process, observations),
        theory.greedy_t: determinant(process.kernel, process.noise, chosen),
    }


def spectral(process: Process, observations: int) -> Fraction:
    """The largest product for whole numbers of observations of eigenvectors."""
    numbers = range(len(process.spectrum))

    def gained(chosen: tuple[int, ...]) -> Fraction:
        parts = (process.spectrum[t] * chosen.count(t) / process.noise for t in numbers)
        return prod((1 + part for part in parts), start=Fraction(1))

    return max(map(gained, combinations_with_replacement(numbers, observations)))


@claim(
    theory.spectrum,
    over=ROTATED.along(several).with_landmarks(white=lambda: (white(1, 1), 2), none=_none),
    mutants=(
        NamedMutant("half", Le(log(theory.most), log(theory.spectral) / 2), "half the bound"),
    ),
    survivors=_exponents(
        theory.spectral,
        "not known to be false: without the factor it is unproved, and refuted by no case here",
        Rational(1),
    ),
)
def spectrum(process: Process, observations: int) -> Iterator[Values]:
    yield {
        theory.most: most(process, observations),
        theory.spectral: spectral(process, observations),
    }


def water(process: Process, observations: int) -> Fraction:
    """exp of twice the water-filling bound: the wet eigenvalues share N + the sum of depths."""
    depths = sorted(process.noise / one for one in process.spectrum if one > 0)
    for wet in range(len(depths), 0, -1):
        level = (observations + sum(depths[:wet], Fraction(0))) / wet
        if level >= depths[wet - 1]:
            return prod((level / depth for depth in depths[:wet]), start=Fraction(1))
    return Fraction(1)


@claim(
    theory.water_filling,
    over=ROTATED.along(several).with_landmarks(white=lambda: (white(1, 1), 2)),
    mutants=(NamedMutant("half", Le(log(theory.most), log(theory.water) / 2), "half the bound"),),
)
def water_filling(process: Process, observations: int) -> Iterator[Values]:
    yield {theory.most: most(process, observations), theory.water: water(process, observations)}


_SHARE = theory.N_observations * k_largest / (noise * n_targets)
_MORE = "true: weaker, a larger base of the same power"


@claim(
    theory.trace,
    over=GRAMS.along(several).with_landmarks(
        white=lambda: (white(1, 1), 4),
        bright=lambda: (white(25, 25, 25, noise=Fraction(1, 4)), 3),
        none=_none,
    ),
    survivors={
        Le(theory.most, (_SHARE + Rational(11, 10)) ** n_targets): _MORE,
        Le(theory.most, (Rational(11, 10) * _SHARE + 1) ** n_targets): _MORE,
        Le(theory.most, (_SHARE * n_targets + 1) ** n_targets): _MORE,
    },
)
def trace(process: Process, observations: int) -> Iterator[Values]:
    yield {
        theory.most: most(process, observations),
        theory.N_observations: observations,
        k_largest: process.largest,
        noise: process.noise,
        n_targets: len(process.kernel),
    }


_SNR, _NINE, _MORE_DET = k_largest / noise, Rational(9, 10), Rational(11, 10) * determinant_t


@claim(
    theory.variances,
    over=GRAMS.along(targets_observed).with_landmarks(
        white=lambda: (white(1, 1, 1), (0, 1, 2)),
        bright=lambda: (white(25, 25), (0, 1)),
    ),
    mutants=(
        NamedMutant(
            "C_nu without k_max",
            Le(theory.variance_sum, log(determinant_t) / log(1 + 1 / noise)),
            "the constant 1/log(1 + nu^-2) with a kernel larger than 1",
        ),
    ),
    survivors={
        **{
            Le(theory.variance_sum, k_largest * log(determinant_t) / log(less)): "true: weaker"
            for less in (_NINE * _SNR + 1, _NINE * _SNR + _NINE, _SNR + _NINE)
        },
        Le(theory.variance_sum, k_largest * log(_MORE_DET) / log(_SNR + 1)): "true: weaker",
    },
)
def variances(process: Process, indices: tuple[int, ...]) -> Iterator[Values]:
    yield {
        theory.variance_sum: sum(variances_met(process.kernel, process.noise, indices)),
        determinant_t: determinant(process.kernel, process.noise, indices),
        k_largest: process.largest,
        noise: process.noise,
    }
