"""What a censored log says without any law: the curve of Kaplan and Meier, and a restricted mean.

Up to the longest rollout nothing is assumed but that being cut does not depend on being about to be
solved.  Beyond it the log is silent: where the curve ends above zero, the mean of T may be anything
from the area up to there upwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import CensoredData, ecdf, norm, t

from ...sequences import Array

LEVEL = 0.95
"""Of all intervals, unless one is asked for."""
_AGREE = 1e-9
"""Of the horizon: areas that differ by less agree, but for rounding."""


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """Pr[T > t] for t from times[k] to times[k + 1]; 1 before the first.

    times: float64[M], tokens; tail, low, high: float64[M], the estimate and its pointwise interval
    on the scale log(-log) of Kalbfleisch and Prentice.
    """

    times: Array
    tail: Array
    low: Array
    high: Array

    def at(self, t: Array) -> Array:
        """Pr[T > t] for t (N)."""
        place = np.searchsorted(self.times, t, side="right")
        return np.concatenate(([1.0], self.tail))[place]


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
    return SurvivalCurve(times.astype(float), tail, low, high)


class RestrictedMean(NamedTuple):
    """E min(T, H) in tokens, with its interval; whole: or, where not, what is known of it, the area
    up to each prompt's longest rollout, which is no more."""

    mean: float
    low: float
    high: float
    whole: bool


def mean_to_horizon(
    lengths: Array, solved: Array, prompts: Array, horizon: float, level: float = LEVEL
) -> RestrictedMean:
    """E min(T, horizon) of a prompt drawn at random, prompts being what was drawn.

    lengths, solved, prompts: of N rollouts, two of each prompt at least.  The interval is
    Student's, of the prompts' own areas; of a single prompt, or where these agree, of its rollouts,
    by each one's influence on the area.  Where none differs, or nothing is solved before the
    horizon, it is exact, of these prompts: were a share q of T shorter than what all are seen to
    reach, n that reach it would do so with probability (1 - q)^n at most.
    """
    areas, whole = _areas(lengths, solved, prompts, horizon)
    mean, least = float(areas.mean()), min(1.0, horizon)
    inside = solved & (lengths < horizon)
    for values in (areas, _influences(lengths, solved, horizon)) if inside.any() else ():
        size = len(values)
        reach = float(
            t.ppf((1 + level) / 2, max(size - 1, 1)) * values.std() / max(size - 1, 1) ** 0.5
        )
        if reach > _AGREE * horizon:
            low, high = max(mean - reach, least), min(mean + reach, float(horizon))
            return RestrictedMean(mean, low, high, whole)
    longest = np.zeros(len(areas))
    np.maximum.at(longest, prompts, lengths)
    at = float(min(horizon, longest.min()))
    reached = len(areas) * int(np.bincount(prompts, lengths >= at).min())
    q = 1 - (1 - level) ** (1 / reached)
    high = q * horizon + (1 - q) * at if inside.any() else at
    return RestrictedMean(at, q * least + (1 - q) * at, high, at >= horizon or bool(inside.any()))


def _areas(lengths: Array, solved: Array, prompts: Array, horizon: float) -> tuple[Array, bool]:
    """Below each prompt's own curve up to its longest rollout (P), and whether these say it all:
    of rollouts in order of length, each that is solved takes its share of those at risk."""
    order = np.lexsort((~solved, lengths, prompts))
    lengths, solved, prompts = lengths[order], solved[order], prompts[order]
    sizes = np.bincount(prompts)
    last = sizes.cumsum() - 1
    rank = np.arange(len(lengths)) - (last + 1 - sizes)[prompts]
    at_risk = sizes[prompts] - rank
    drops = np.where(solved & (at_risk > 1), np.log1p(-1 / np.maximum(at_risk, 2)), 0)
    before = drops.cumsum() - drops
    before -= before[last + 1 - sizes][prompts]
    ends = np.minimum(lengths, horizon)
    widths = np.where(rank == 0, ends, np.diff(ends, prepend=0))
    whole = bool((solved[last] | (lengths[last] >= horizon)).all())
    return np.bincount(prompts, widths * np.exp(before)), whole


def _influences(lengths: Array, solved: Array, horizon: float) -> Array:
    """N times each rollout's influence on the area below the curve of all (N), of which Greenwood's
    variance is the mean square over N."""
    times, index, events, at_risk = _counted(lengths, solved)
    tail = np.cumprod(1 - events / at_risk)
    widths = np.diff(np.minimum(np.append(times, horizon), horizon))
    widths[times >= times[-1]] = 0  # beyond the longest nothing is known
    behind = (tail * widths)[::-1].cumsum()[::-1]
    left = np.maximum(at_risk - events, 1)  # where nothing is left, no area lies behind
    hazard = (behind * events / (at_risk * left)).cumsum()
    return len(lengths) * (hazard[index] - solved * (behind / left)[index])


def _counted(lengths: Array, solved: Array) -> tuple[Array, Array, Array, Array]:
    """Distinct lengths (M), the place of each rollout among them (N), solved there, at risk."""
    times, index = np.unique(lengths, return_inverse=True)
    events = np.bincount(index, weights=solved)
    at_risk = len(lengths) - np.concatenate(([0], np.bincount(index).cumsum()[:-1]))
    return times, index, events, at_risk
