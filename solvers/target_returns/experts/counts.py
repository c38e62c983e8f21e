"""What the recorded episodes of one game say of experts: counts by return, and rates from them.

Returns are UN-normalised sums; a bin holds the returns nearest to its middle.  Source: the
data-driven expert return distribution of Tatematsu and Wachi 2025, in our formalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil

import numpy as np

from ...binomial import lower_bound, upper_bound
from ...errors import ModelError
from ...exact import to_fraction
from ...models.rows import RowReader


@dataclass(frozen=True, slots=True)
class ReturnCounts:
    """Recorded returns of one game: how many in each bin, and how many of those of experts.

    returns: middles of the bins, increasing; episodes, experts: counts, one a bin; clipped: how
    many returns lay outside the limits and were moved to the nearest one.  Raises ModelError for
    bins out of order, more experts than episodes, or no episode at all.
    """

    returns: tuple[Fraction, ...]
    episodes: tuple[int, ...]
    experts: tuple[int, ...]
    clipped: int = 0

    def __post_init__(self) -> None:
        for low, high in pairwise(self.returns):
            if low >= high:
                raise ModelError(f"bin {high} follows {low}; sort the bins and give each once")
        rows = zip(self.returns, self.episodes, self.experts, strict=True)
        for middle, number, good in rows:
            if not 0 <= good <= number:
                raise ModelError(f"bin {middle} has {good} experts of {number} episodes")
        if not sum(self.episodes):
            raise ModelError(f"none of the {len(self.returns)} bins has an episode; record some")


def top_share(returns: Sequence[object], share: object = Fraction(1, 10)) -> tuple[bool, ...]:
    """Which episodes of one game are expert: the best `share`, and all that tie with the last.

    Raises ModelError without an episode, for a share outside (0, 1], or a return that is not
    finite.
    """
    values, portion = _finite(returns), to_fraction(share, "the share of experts")
    if not 0 < portion <= 1 or not values:
        raise ModelError(
            f"the share of experts is {share} of {len(values)} recorded episodes; give one above 0 "
            "and at most 1, and leave games without an episode out"
        )
    least = sorted(values, reverse=True)[max(int(portion * len(values)), 1) - 1]
    return tuple(value >= least for value in values)


def count_returns(
    returns: Sequence[object], expert: Sequence[bool], limits: tuple[int, int] | None = None
) -> ReturnCounts:
    """Counts in bins of width 1 from the least return to the largest, or between the limits, such
    as those of a transformer's tokens; scale returns that need another width.

    Raises ModelError if the lengths differ, there is no return, one is not finite, or the limits
    are out of order.
    """
    if len(returns) != len(expert) or not len(returns):
        raise ModelError(f"{len(returns)} returns have {len(expert)} marks of experts; mark each")
    places = [ceil(value - Fraction(1, 2)) for value in _finite(returns)]
    low, high = limits or (min(places), max(places))
    if low > high:
        raise ModelError(f"the limits {limits} are out of order; give the lower one first")
    kept = np.clip(places, low, high) - low
    episodes = np.bincount(kept, minlength=high - low + 1)
    experts = np.bincount(kept[np.array(expert, bool)], minlength=high - low + 1)
    clipped = sum(not low <= place <= high for place in places)
    bins = tuple(map(Fraction, range(low, high + 1)))
    return ReturnCounts(bins, tuple(episodes.tolist()), tuple(experts.tolist()), clipped)


def _finite(returns: Sequence[object]) -> list[Fraction]:
    read = RowReader().number
    return [read(value, f"return number {at}") for at, value in enumerate(returns)]


def expert_rates(counts: ReturnCounts, *, isotonic: bool = True) -> tuple[Fraction, ...]:
    """The share of experts in each bin, P(expert | return).

    isotonic: the closest rates, weighted by episodes, that do not fall as the return grows; raw
    rates that fall may make the choice of a target worse than chance.  A bin without an episode
    gets what lies on the line between its neighbours, or what its only neighbour has.
    """
    seen = [at for at, number in enumerate(counts.episodes) if number]
    weights = [counts.episodes[at] for at in seen]
    rates = [Fraction(counts.experts[at], n) for at, n in zip(seen, weights, strict=True)]
    known = dict(zip(seen, _pooled(rates, weights) if isotonic else rates, strict=True))
    return tuple(_between(counts.returns, known, at) for at in range(len(counts.returns)))


def _pooled(rates: Sequence[Fraction], weights: Sequence[int]) -> list[Fraction]:
    """Adjacent violators pooled: the isotonic regression, exactly."""
    blocks: list[tuple[Fraction, int, int]] = []
    for rate, weight in zip(rates, weights, strict=True):
        block = (rate, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, mass, size = blocks.pop()
            total = mass + block[1]
            block = ((mean * mass + block[0] * block[1]) / total, total, size + block[2])
        blocks.append(block)
    return [rate for rate, _, size in blocks for _ in range(size)]


def _between(returns: Sequence[Fraction], known: dict[int, Fraction], at: int) -> Fraction:
    below = max((one for one in known if one <= at), default=min(known))
    above = min((one for one in known if one >= at), default=max(known))
    if below >= above:
        return known[min(max(at, min(known)), max(known))]
    share = (returns[at] - returns[below]) / (returns[above] - returns[below])
    return (1 - share) * known[below] + share * known[above]


def expert_intervals(
    counts: ReturnCounts, failure: object
) -> tuple[tuple[Fraction, Fraction], ...]:
    """Clopper and Pearson's intervals of the rates, for independent episodes.

    All hold at once except with probability `failure`, shared equally by the bins.  Raises
    ModelError for one outside (0, 1).
    """
    error = to_fraction(failure, "the probability of failure")
    if not 0 < error < 1:
        raise ModelError(f"the probability of failure is {failure}; give one between 0 and 1")
    each = error / (2 * len(counts.returns))
    return tuple(
        (lower_bound(good, n, each), upper_bound(good, n, each))
        if n
        else (Fraction(0), Fraction(1))
        for good, n in zip(counts.experts, counts.episodes, strict=True)
    )
