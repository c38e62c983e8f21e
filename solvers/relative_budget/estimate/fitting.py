"""Maximum likelihood under censoring: rates of prompts, the shape they share, likelihood intervals.

Where there are several prompts the shape is the one that maximises the profile likelihood adjusted
as Cox and Reid (1987) do: without their term, as many rates as prompts make T look less dispersed
than it is.  Intervals are those of the likelihood ratio against chi-square with one degree of
freedom; of a single law the shape is maximised out, of several prompts it is taken as known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2

from ...sequences import Array
from .laws import Counts, GammaLaw, Law, NegativeBinomialLaw

Family: TypeAlias = Literal["geometric", "negative-binomial", "gamma"]
FAMILIES: tuple[Family, ...] = ("geometric", "negative-binomial", "gamma")
_SHAPES = (0.02, 2000.0)
"""Shapes that are tried: from far more dispersed than any log to the same length each time."""
_TOLERANCE = 1e-10
"""Of theta, which is a logarithm; intervals are a thousandth wide at the least."""
_STEPS = 100
"""Newton's steps, of which some ten are needed: it is concave and begun outside."""
_STAIRS = 2
"""Whole numbers to either side of what a minimiser of smooth functions finds among them."""
_FLAT = 1e-200
"""The least curvature: of a likelihood that does not bend, and says nothing of its shape."""
_SUREST = 1 - 1e-9
"""The greatest probability of a step: at 1 the log odds are infinite."""
_CLOSE = 1e-8
"""Of ends of an interval, relatively; where a maximum is sought its square root gives as much."""
_WIDEST = 60.0
"""Logarithm of a factor: an end of an interval further from the estimate is at infinity."""


def rates(law: Law, counts: Counts) -> Array:
    """theta (P) of greatest likelihood; -infinity for a prompt of which no rollout is solved.

    It is sought from K n/tokens, which lies to the right: all that was cut would be solved at once.
    """
    some = counts.solves > 0
    more = np.where(some, counts.rollouts / np.maximum(counts.longest, 1), 1.0)
    start = _theta(law, law.shape * more)

    def slope(theta: Array) -> tuple[Array, Array]:
        terms = law.terms(counts, theta)
        return np.where(some, terms.slope, 0.0), np.where(some, terms.curvature, -1.0)

    return np.where(some, np.minimum(_root(slope, start), _theta(law, np.array(1e300))), -np.inf)


def intervals(law: Law, counts: Counts, best: Array, level: float) -> tuple[Array, Array]:
    """Least and greatest theta (P, each) by the likelihood ratio, given the shape.

    A prompt of which nothing is solved has no least one: -infinity.
    """
    some = np.isfinite(best)
    little = _theta(law, law.shape / np.maximum(counts.longest, 1))
    middle = np.where(some, best, little - 10)  # of nothing solved: where the likelihood is flat
    top = np.where(some, law.terms(counts, middle).value, 0.0) - float(chi2.ppf(level, 1)) / 2

    def excess(theta: Array) -> tuple[Array, Array]:
        terms = law.terms(counts, theta)
        return terms.value - top, terms.slope

    low = np.where(some, middle, 0.0)
    left = np.where(some, _end(excess, low, -1.0, some), -np.inf)
    return left, _end(excess, middle, 1.0, np.ones_like(some))


def shared_shape(family: Family, counts: Counts) -> float:
    """The shape that prompts share, by Cox and Reid's adjusted profile likelihood.

    Of one prompt it is that of greatest likelihood..
    """
    if family == "geometric":
        return 1.0
    several = (counts.solves > 0).sum() > 1

    def adjusted(shape: float) -> float:
        law = law_of(family, shape)
        theta = rates(law, counts)
        some = np.isfinite(theta)
        terms = law.terms(counts, np.where(some, theta, 0.0))
        total = (terms.value + law.constant(counts))[some].sum()
        return float(total - several * np.log(np.maximum(-terms.curvature[some], _FLAT)).sum() / 2)

    return _best_shape(family, counts, adjusted)[0]


def profile_interval(
    family: Family, counts: Counts, shape: float, level: float
) -> tuple[float, float, float]:
    """E T of a single prompt in tokens, least and greatest: the shape is maximised out."""

    def highest(log_mean: float) -> float:
        def value(trial: float) -> float:
            law = law_of(family, trial)
            theta = _theta(law, np.array([trial * math.exp(-log_mean)]))
            return float((law.terms(counts, theta).value + law.constant(counts))[0])

        return value(1.0) if family == "geometric" else _best_shape(family, counts, value)[1]

    law = law_of(family, shape)
    best = math.log(shape / float(law.rate(rates(law, counts))[0]))
    least = highest(best) - float(chi2.ppf(level, 1)) / 2
    ends = [crossing(lambda x: highest(x) - least, best, sign) for sign in (-1, 1)]
    return math.exp(best), math.exp(ends[0]), math.exp(ends[1])


def law_of(family: Family, shape: float) -> Law:
    """The law of a family with a shape; the geometric one has one step."""
    return GammaLaw(shape) if family == "gamma" else NegativeBinomialLaw(shape)


def with_advances(counts: Counts, advances: Array, tokens: Array, steps: int) -> Counts:
    """Counts of a chain of which each token's advances are logged (P), so that nothing is cut:
    the mean is steps x tokens/advances."""
    nothing = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    return replace(counts, solves=advances / steps, tokens=tokens, cut=nothing)


def likelihoods(law: Law, counts: Counts, means: Array) -> Array:
    """Log-likelihood of each of P prompts at each of M means, in tokens: float64[P, M]."""
    thetas = _theta(law, law.shape / means)
    size = len(counts.solves)
    return np.stack([law.terms(counts, np.full(size, theta)).value for theta in thetas], axis=1)


def _theta(law: Law, rate: Array) -> Array:
    return law.theta(np.minimum(rate, _SUREST) if isinstance(law, NegativeBinomialLaw) else rate)


def _root(function: Callable[[Array], tuple[Array, Array]], start: Array) -> Array:
    """Roots (P) of concave functions, from starts where they are negative, by Newton's method.

    scipy's `newton` would compute value and slope apart, which is the same work twice.
    """
    theta = start
    for _ in range(_STEPS):
        value, slope = function(theta)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.nan_to_num(value / slope, posinf=0.0, neginf=0.0)
        theta = theta - step
        if np.abs(step).max(initial=0.0) < _TOLERANCE:
            break
    return theta


def _end(
    excess: Callable[[Array], tuple[Array, Array]], middle: Array, sign: float, where: Array
) -> Array:
    """Where concave functions that are positive at the middle (P) leave zero, to one side."""
    reach = np.full(len(middle), 0.25)
    for _ in range(int(math.log2(_WIDEST)) + 4):
        inside = where & (excess(middle + sign * reach)[0] > 0)
        if not inside.any():
            break
        reach = np.where(inside, 2 * reach, reach)
    return _root(excess, middle + sign * reach)


def crossing(excess: Callable[[float], float], middle: float, sign: int) -> float:
    """Where a function that is positive at the middle leaves zero, to one side; or infinity."""
    reach = 0.1
    while reach < _WIDEST and excess(middle + sign * reach) > 0:
        reach *= 2
    if reach >= _WIDEST:
        return sign * math.inf
    ends = sorted((middle, middle + sign * reach))
    return float(brentq(excess, *ends, xtol=_CLOSE, rtol=_CLOSE))


def _best_shape(
    family: Family, counts: Counts, value: Callable[[float], float]
) -> tuple[float, float]:
    """The shape of greatest value, and that value; whole numbers for the negative binomial."""
    low, high = map(math.log, _SHAPES)
    if family == "negative-binomial":  # no more steps than the shortest solved rollout has tokens
        low, high = 0.0, math.log(min(float(counts.solved[1].min()), _SHAPES[1]) + 0.4)

    def shape(x: float) -> float:
        return math.exp(x) if family == "gamma" else max(1.0, float(round(math.exp(x))))

    rough = minimize_scalar(
        lambda x: -value(shape(x)), bounds=(low, high), method="bounded",
        options={"xatol": _CLOSE**0.5},
    )  # fmt: skip
    best, most = shape(rough.x), -float(rough.fun)
    if family == "gamma":
        return best, most
    # to the neighbours, as a minimiser of smooth functions may stop on a stair
    near = [k for k in range(int(best) - _STAIRS, int(best) + _STAIRS + 1) if 1 <= k <= shape(high)]
    values = {k: value(float(k)) for k in near}
    best = max(values, key=lambda k: values[k])
    return float(best), values[int(best)]
