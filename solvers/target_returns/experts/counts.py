"""What the recorded episodes of one game say of experts: counts by return, and rates from them.

Returns are UN-normalised sums; a bin holds the returns nearest to its middle.  Source: the
data-driven expert return distribution of Tatematsu and Wachi 2025, in our formalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from ...binomial import lower_bound, upper_bound
from ...errors import ModelError
from ...exact import to_fraction


@dataclass(frozen=True, slots=True)
class ReturnCounts:
    """Recorded returns of one game: how many in each bin, and how many of those of experts.

    returns: middles of the bins, increasing; episodes, experts: counts, one a bin; clipped: how
    many returns lay outside the limits and were moved to the nearest one.

    Raises
    ------
    ModelError: for no bin, bins out of order, more experts than episodes, or no episode at all.
    """

    returns: tuple[Fraction, ...]
    episodes: tuple[int, ...]
    experts: tuple[int, ...]
    clipped: int = 0

    def __post_init__(self) -> None:
        sizes = len(self.returns), len(self.episodes), len(self.experts)
        if len(set(sizes)) > 1:
            raise ModelError(f"{sizes} returns, episodes and experts; give one of each for a bin")
        for low, high in pairwise(self.returns):
            if low >= high:
                raise ModelError(f"bin {high} follows {low}; sort the bins and give each once")
        for at, (all_, good) in enumerate(zip(self.episodes, self.experts, strict=True)):
            if not 0 <= good <= all_:
                raise ModelError(f"bin {self.returns[at]} has {good} experts of {all_} episodes")
        if not sum(self.episodes):
            raise ModelError(f"none of the {len(self.returns)} bins has an episode; record some")

    def bin_of(self, value: object) -> int:
        """The number of the bin whose middle is nearest to a return; of two the lower one."""
        exact = to_fraction(value, "a return")
        return min(range(len(self.returns)), key=lambda at: abs(self.returns[at] - exact))


def top_share(returns: Sequence[object], share: object = Fraction(1, 10)) -> tuple[bool, ...]:
    """Which episodes of one game are expert: the best `share` of them, and all that tie with the
    last of these.

    Raises
    ------
    ModelError: without an episode, for a share outside (0, 1], or a return that is not finite.
    """
    portion = to_fraction(share, "the share of experts")
    if not 0 < portion <= 1:
        raise ModelError(f"the share of experts is {share}; give one above 0 and at most 1")
    values = [_finite(value, at) for at, value in enumerate(returns)]
    if not values:
        raise ModelError("a game with 0 recorded episodes has no experts; leave it out")
    kept = max(int(portion * len(values)), 1)
    least = sorted(values, reverse=True)[kept - 1]
    return tuple(value >= least for value in values)


def count_returns(
    returns: Sequence[object],
    expert: Sequence[bool],
    *,
    width: object = 1,
    limits: tuple[int, int] | None = None,
) -> ReturnCounts:
    """Counts by bins of one width, whose middles are its multiples, from the least return to the
    largest; with limits (of the tokens of a transformer, say) from one limit to the other.

    Raises
    ------
    ModelError: if the lengths differ, there is no return, one is not finite, the width is not
        positive, or the limits are out of order or no multiples of the width.
    """
    if len(returns) != len(expert) or not len(returns):
        raise ModelError(
            f"{len(returns)} returns and {len(expert)} marks of experts; give a mark each"
        )
    step = to_fraction(width, "the width of a bin")
    if step <= 0:
        raise ModelError(f"a bin of width {width} holds nothing; give a positive width")
    places = [_nearest(_finite(value, at), step) for at, value in enumerate(returns)]
    low, high = (min(places), max(places)) if limits is None else _ends(limits, step)
    kept = [min(max(place, low), high) - low for place in places]
    size = high - low + 1
    return ReturnCounts(
        tuple(step * place for place in range(low, high + 1)),
        tuple(np.bincount(kept, minlength=size).tolist()),
        tuple(np.bincount(kept, np.array(expert, int), minlength=size).astype(int).tolist()),
        sum(not low <= place <= high for place in places),
    )


def _finite(value: object, at: int) -> Fraction:
    try:
        return to_fraction(value, f"return number {at}")
    except ValueError as error:
        raise ModelError(str(error)) from error


def _nearest(value: Fraction, step: Fraction) -> int:
    """The number of the nearest multiple; of two the lower one."""
    return -int((Fraction(1, 2) - value / step) // 1)


def _ends(limits: tuple[int, int], step: Fraction) -> tuple[int, int]:
    low, high = (Fraction(end) / step for end in limits)
    if low > high or low.denominator > 1 or high.denominator > 1:
        raise ModelError(f"limits {limits} must be in order, and multiples of the width {step}")
    return int(low), int(high)


def expert_rates(counts: ReturnCounts, *, isotonic: bool = True) -> tuple[Fraction, ...]:
    """The share of experts in each bin, P(expert | return).

    isotonic: the closest rates, weighted by episodes, that do not fall as the return grows; raw
    rates that fall may make the choice of a target worse than chance.  A bin without an episode
    gets what lies on the line between its neighbours, or what its only neighbour has.
    """
    seen = [at for at, number in enumerate(counts.episodes) if number]
    rates = [Fraction(counts.experts[at], counts.episodes[at]) for at in seen]
    if isotonic:
        rates = _pooled(rates, [counts.episodes[at] for at in seen])
    known = dict(zip(seen, rates, strict=True))
    return tuple(_between(counts.returns, seen, known, at) for at in range(len(counts.returns)))


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


def _between(
    returns: Sequence[Fraction], seen: Sequence[int], known: dict[int, Fraction], at: int
) -> Fraction:
    below = max((one for one in seen if one <= at), default=seen[0])
    above = min((one for one in seen if one >= at), default=seen[-1])
    if below >= above:
        return known[min(max(at, seen[0]), seen[-1])]
    share = (returns[at] - returns[below]) / (returns[above] - returns[below])
    return (1 - share) * known[below] + share * known[above]


def expert_intervals(
    counts: ReturnCounts, failure: object, *, together: bool = True
) -> tuple[tuple[Fraction, Fraction], ...]:
    """Clopper and Pearson's intervals of the rates of experts, for independent episodes.

    together: all hold at once except with probability `failure`, which is shared equally by the
    bins; else each one does.

    Raises
    ------
    ModelError: for a probability of failure outside (0, 1).
    """
    error = to_fraction(failure, "the probability of failure")
    if not 0 < error < 1:
        raise ModelError(f"the probability of failure is {failure}; give one between 0 and 1")
    each = error / (2 * (len(counts.returns) if together else 1))
    pairs = zip(counts.experts, counts.episodes, strict=True)
    return tuple(
        (lower_bound(good, all_, each), upper_bound(good, all_, each))
        if all_
        else (Fraction(0), Fraction(1))
        for good, all_ in pairs
    )
