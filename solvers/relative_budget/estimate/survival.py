"""What a censored log says without any law: the curve of Kaplan and Meier, and a restricted mean.

Up to the longest rollout nothing is assumed but that being cut does not depend on being about to be
solved.  Beyond it the log is silent: where the curve ends above zero, the mean of T may be anything
from the restricted mean upwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import CensoredData, ecdf, norm, t

from ...sequences import Array

LEVEL = 0.95
"""Of all intervals, unless one is asked for."""


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """Pr[T > t] for t from times[k] to times[k + 1]; 1 before the first.

    times: float64[M], tokens; tail, low, high: float64[M], the estimate and its pointwise interval
    on the scale log(-log) of Kalbfleisch and Prentice; variance: float64[M], Greenwood's sum of
    d/(n (n - d)).
    """

    times: Array
    tail: Array
    low: Array
    high: Array
    variance: Array

    def at(self, t: Array) -> Array:
        """Pr[T > t] for t (N)."""
        place = np.searchsorted(self.times, t, side="right")
        return np.concatenate(([1.0], self.tail))[place]

    def restricted_mean(self, horizon: float, level: float = LEVEL) -> tuple[float, float, float]:
        """E min(T, horizon), in tokens, with its interval: the area below the curve.

        The variance is Greenwood's, sum over times of (area behind)^2 d/(n (n - d)).  `horizon` may
        not lie behind the last time unless the curve ends at zero.
        """
        inside = self.times < horizon
        ends = np.concatenate(([0.0], self.times[inside], [horizon]))
        areas = np.diff(ends) * np.concatenate(([1.0], self.tail[inside]))
        behind = areas[::-1].cumsum()[::-1][1:]
        steps = np.diff(self.variance[inside], prepend=0.0)
        some = behind > 0  # at the end nothing is left, and Greenwood's term is 0/0
        deviation = float(np.sqrt((behind[some] ** 2 * steps[some]).sum()))
        mean, reach = float(areas.sum()), float(norm.ppf((1 + level) / 2)) * deviation
        return mean, max(mean - reach, min(1.0, horizon)), min(mean + reach, float(horizon))


def kaplan_meier(lengths: Array, solved: Array, level: float = LEVEL) -> SurvivalCurve:
    """The curve of Kaplan and Meier, from lengths (N) and whether each was solved there (N).

    scipy computes the curve; a rollout that is cut after t tokens counts as not solved at t.
    """
    times, _, events, at_risk = _counted(lengths, solved)
    found = ecdf(CensoredData(uncensored=lengths[solved], right=lengths[~solved])).sf
    tail = found.probabilities
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(events / (at_risk * (at_risk - events)))
        spread = norm.ppf((1 + level) / 2) * np.sqrt(variance) / np.abs(np.log(tail))
        low, high = tail ** np.exp(spread), tail ** np.exp(-spread)
    known = (tail > 0) & (tail < 1)
    low, high = np.where(known, low, tail), np.where(known, high, tail)
    return SurvivalCurve(times.astype(float), tail, low, high, variance)


def restricted_mean_of_prompts(
    lengths: Array, solved: Array, prompts: Array, horizon: float, level: float = LEVEL
) -> tuple[float, float, float]:
    """E min(T, horizon) of a rollout of a prompt drawn at random, prompts being what was drawn.

    lengths, solved, prompts: of N rollouts of two prompts at least.  The variance is that of the
    prompts' sums of each rollout's influence on the area below the curve, of which Greenwood's is
    the case of one rollout a prompt; the interval has Student's law.
    """
    mean = kaplan_meier(lengths, solved, level).restricted_mean(horizon, level)[0]
    times, index, events, at_risk = _counted(lengths, solved)
    tail = np.cumprod(1 - events / at_risk)
    widths = np.diff(np.minimum(np.append(times, horizon), horizon))
    behind = (tail * widths)[::-1].cumsum()[::-1]
    left = np.maximum(at_risk - events, 1)  # where nothing is left, no area lies behind
    hazard = (behind * events / (at_risk * left)).cumsum()
    influence = hazard[index] - solved * (behind / left)[index]
    sums = np.bincount(prompts, influence)
    deviation = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1))
    reach = float(t.ppf((1 + level) / 2, len(sums) - 1) * deviation)
    return mean, max(mean - reach, min(1.0, horizon)), min(mean + reach, float(horizon))


def _counted(lengths: Array, solved: Array) -> tuple[Array, Array, Array, Array]:
    """Distinct lengths (M), the place of each rollout among them (N), solved there, at risk."""
    times, index = np.unique(lengths, return_inverse=True)
    events = np.bincount(index, weights=solved)
    at_risk = len(lengths) - np.concatenate(([0], np.bincount(index).cumsum()[:-1]))
    return times, index, events, at_risk
