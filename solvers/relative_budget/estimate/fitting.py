"""Maximum likelihood under censoring: rates of prompts, shapes, likelihood intervals.

Intervals are those of the likelihood ratio; the shape is maximised out, of a single prompt here, of
several in `population`.  Where it is known, the ratio has the chi-square law of one degree of
freedom; where it is estimated, that of Student's ratio (`room`), as of few rollouts it is wider.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2, t

from ...sequences import Array
from .laws import Counts, GammaLaw, Law, NegativeBinomialLaw

Family: TypeAlias = Literal["geometric", "negative-binomial", "gamma"]
FAMILIES: tuple[Family, ...] = ("geometric", "negative-binomial", "gamma")
SHAPES = (0.02, 2000.0)
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
_LITTLE = 1e-3
"""The least room of log-likelihoods for which ends of an interval are sought."""
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


def intervals(law: Law, counts: Counts, best: Array, fall: float) -> tuple[Array, Array]:
    """Least and greatest theta (P, each) by the likelihood ratio, given the shape.

    fall: `room`, less what the greatest log-likelihood of this shape is below that of all.  Of a
    prompt of which nothing is solved there is no least one: -infinity.
    """
    some = np.isfinite(best)
    little = _theta(law, law.shape / np.maximum(counts.longest, 1))
    middle = np.where(some, best, little - 10)  # of nothing solved: where the likelihood is flat
    top = np.where(some, law.terms(counts, middle).value, 0.0) - max(fall, _LITTLE)

    def excess(theta: Array) -> tuple[Array, Array]:
        terms = law.terms(counts, theta)
        return terms.value - top, terms.slope

    low = np.where(some, middle, 0.0)
    left = np.where(some, _end(excess, low, -1.0, some), -np.inf)
    return left, _end(excess, middle, 1.0, np.ones_like(some))


def room(level: float, size: float = 1.0, known: float = math.inf) -> float:
    """By how much log-likelihoods of an interval of a mean fall: half of `size` log(1 + t^2/known).

    That is exact for means of `size` normal numbers, of deviation estimated with `known` degrees of
    freedom, and half the chi-square quantile where these are infinitely many.  For Gamma laws it is
    an approximation, which holds with two rollouts (tests of coverage).
    """
    if math.isinf(known):
        return float(chi2.ppf(level, 1)) / 2
    known = max(known, 1.0)
    return size / 2 * math.log1p(float(t.ppf((1 + level) / 2, known)) ** 2 / known)


def own_shape(family: Family, counts: Counts) -> float:
    """The shape of greatest likelihood of a single prompt."""
    if family == "geometric":
        return 1.0

    def highest(shape: float) -> float:
        law = law_of(family, shape)
        return float((law.terms(counts, rates(law, counts)).value + law.constant(counts))[0])

    return best_shape(family, counts, highest)[0]


def profile_interval(
    family: Family, counts: Counts, shape: float, level: float
) -> tuple[float, float, float]:
    """E T of a single prompt in tokens, least and greatest: the shape is maximised out."""

    def highest(log_mean: float) -> float:
        def value(trial: float) -> float:
            law = law_of(family, trial)
            theta = _theta(law, np.array([trial * math.exp(-log_mean)]))
            return float((law.terms(counts, theta).value + law.constant(counts))[0])

        return value(1.0) if family == "geometric" else best_shape(family, counts, value)[1]

    law = law_of(family, shape)
    best = math.log(shape / float(law.rate(rates(law, counts))[0]))
    size = float(counts.rollouts.sum())
    least = highest(best) - (room(level) if family == "geometric" else room(level, size, size - 1))
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
    """Log-likelihood of each of P prompts at each of M means, in tokens: float64[P, M].

    Tails are computed once for each distinct length at which rollouts were cut.
    """
    where, length, many = counts.cut
    distinct, index = np.unique(length, return_inverse=True)
    zeros = np.zeros(len(distinct))
    order = np.arange(len(distinct))
    tails = Counts(zeros, zeros, zeros, counts.solved, (order, distinct, zeros + 1))
    nothing = (where[:0], length[:0], many[:0])
    rest, size = replace(counts, cut=nothing), len(counts.solves)
    found = np.empty((size, len(means)))
    for k, theta in enumerate(_theta(law, law.shape / means)):
        cut = law.terms(tails, np.full(len(distinct), theta)).value
        found[:, k] = law.terms(rest, np.full(size, theta)).value
        found[:, k] += np.bincount(where, many * cut[index], size)
    return found


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


def crossing(
    excess: Callable[[float], float],
    middle: float,
    sign: int,
    close: float = _CLOSE,
    limit: float = math.inf,
) -> float:
    """Where a function that is positive at the middle leaves zero, to one side; or infinity.

    limit: where the search ends, and what is returned then.
    """
    reach, most = 0.1, min(_WIDEST, abs(limit - middle) if math.isfinite(limit) else _WIDEST)
    while reach < most and excess(middle + sign * reach) > 0:
        reach *= 2
    if reach >= most:
        reach = most
        if most == _WIDEST:
            return sign * math.inf
        if most == 0 or excess(limit) >= 0:
            return limit
    if excess(middle) <= 0:  # a maximum that was found no closer than this
        return middle
    ends = sorted((middle, middle + sign * reach))
    return float(brentq(excess, *ends, xtol=close, rtol=_CLOSE))


def shape_limits(family: Family, counts: Counts) -> tuple[float, float]:
    """Logarithms of the least and greatest shape that is tried.

    Of the negative binomial no more steps than the shortest solved rollout has tokens.
    """
    low, high = map(math.log, SHAPES)
    if family == "negative-binomial":
        low, high = 0.0, math.log(min(float(counts.solved[1].min()), SHAPES[1]) + 0.4)
    return low, high


def best_shape(
    family: Family, counts: Counts, value: Callable[[float], float], close: float = _CLOSE**0.5
) -> tuple[float, float]:
    """The shape of greatest value, and that value; whole numbers for the negative binomial."""
    low, high = shape_limits(family, counts)

    def shape(x: float) -> float:
        return math.exp(x) if family == "gamma" else max(1.0, float(round(math.exp(x))))

    rough = minimize_scalar(
        lambda x: -value(shape(x)), bounds=(low, high), method="bounded", options={"xatol": close}
    )
    best, most = shape(rough.x), -float(rough.fun)
    if family == "gamma":
        return best, most
    # to the neighbours, as a minimiser of smooth functions may stop on a stair
    near = [k for k in range(int(best) - _STAIRS, int(best) + _STAIRS + 1) if 1 <= k <= shape(high)]
    values = {k: value(float(k)) for k in near}
    best = max(values, key=lambda k: values[k])
    return float(best), values[int(best)]
