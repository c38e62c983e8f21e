"""Observations that what the tuning rests on does not allow, each as the sentence that says so.

Where the assumptions hold, those of LoSBO are never found broken, those on bounds and on Gaussian
noise with a probability of at most Delta each.
"""

from __future__ import annotations

from math import inf, nextafter

import numpy as np

from ..gaussian.checks import Floats
from ..gaussian.confidence import alpha_bayes
from .problem import Tuning
from .safe_sets import Mask, SafeSet


def shown(value: float, limit: float) -> str:
    """Six digits where they are on the same side of the limit as the value, else all."""
    short = f"{value:.6g}"
    return short if (float(short) <= limit) == (value <= limit) else full(value)


def full(value: float) -> str:
    """All digits: 20 and 1234567.8."""
    return repr(float(value)).removesuffix(".0")


def unsafe(tuning: Tuning, index: int, lower: float) -> str:
    """A certified target whose cost is above the limit."""
    seed = index in tuning.seeds
    remedy = "remove it from the seeds, or correct" if seed else "correct the seeds,"
    losbo = tuning.method == "losbo"
    model = "the noise bound" if losbo else "the kernel, the mean or the noise of the cost"
    constant = "" if tuning.lipschitz is None else " or the Lipschitz constant"
    return (
        f"{'The seed' if seed else 'The certified target'} {index} is not safe: by what was "
        f"observed its cost is at least {shown(lower, tuning.limit)}, above the limit "
        f"{full(tuning.limit)}; what the tuning rests on is false; {remedy} {model}{constant}."
    )


def empty(tuning: Tuning, index: int, low: float, high: float) -> str:
    """Bounds of one target that leave it no cost."""
    return (
        f"By the bounds the cost of target {index} is at least {low:.6g} and at most {high:.6g}: "
        f"{_either('the kernel, the mean or the noise of the cost', tuning)}."
    )


def too_loud(tuning: Tuning, index: int, cost: float, low: float, high: float, step: int) -> str:
    """An observation that Gaussian noise does not explain, given the bounds before it; or ""."""
    reach = alpha_bayes(len(tuning.points), step, tuning.failure) * tuning.cost.noise
    if low - reach <= cost <= high + reach:
        return ""
    return (
        f"The cost {cost:.6g} observed at target {index} is further than {reach:.6g}, which is as "
        f"far as the noise reaches, from its bounds {low:.6g} to {high:.6g}: "
        f"{_either('the seeds, the kernel, the mean or the noise of the cost', tuning)}."
    )


def too_steep(
    tuning: Tuning, safe: SafeSet, index: int, low: Floats, high: Floats, among: Mask
) -> str:
    """Bounds of the target just observed and another that L does not allow; or ""."""
    others = np.flatnonzero(among)
    rise = np.nextafter(safe.rise(index, others), inf)
    above = np.nextafter(low[index] - high[others], -inf) > rise
    below = np.nextafter(low[others] - high[index], -inf) > rise
    if not (above | below).any():
        return ""
    other = int(others[(above | below).argmax()])
    pair = (index, other) if above.any() and other == others[above.argmax()] else (other, index)
    return (
        f"By the bounds the cost of target {pair[0]} is at least {low[pair[0]]:.6g} and that of "
        f"target {pair[1]} at most {high[pair[1]]:.6g}, which the Lipschitz constant "
        f"{full(tuning.lipschitz or 0.0)} does not allow at their distance: "
        f"{_either('the constant, the kernel, the mean or the noise of the cost', tuning)}."
    )


def not_bounded(
    tuning: Tuning, safe: SafeSet, indices: tuple[int, ...], costs: tuple[float, ...]
) -> str:
    """LoSBO: the last observation against those before it and the seeds; or ""."""
    index, cost, noise = indices[-1], costs[-1], tuning.noise_bound or 0.0
    others = np.array([*indices[:-1], *tuning.seeds])
    least = np.array([nextafter(one - noise, -inf) for one in costs])
    most = np.array([nextafter(one + noise, inf) for one in costs[:-1]])
    most = np.concatenate([most, np.full(len(tuning.seeds), tuning.limit)])
    over = least[-1] - most
    over[: len(costs) - 1] = np.maximum(
        over[: len(costs) - 1], least[:-1] - nextafter(cost + noise, inf)
    )
    broken = np.nextafter(over, -inf) > np.nextafter(safe.rise(index, others), inf)
    if not broken.any():
        return ""
    place = int(broken.argmax())
    other, bound = int(others[place]), f"the noise bound {full(noise)}"
    steep = f"the Lipschitz constant {full(tuning.lipschitz or 0.0)}"
    if place >= len(costs) - 1:
        return (
            f"The cost {cost:.6g} observed at target {index} is further above the limit than "
            f"{bound} and {steep} allow at the distance of the seed {other}: what the tuning rests "
            "on is false; correct the seeds, the noise bound or the constant."
        )
    pair = f"The costs {costs[place]:.6g} and {cost:.6g} observed at"
    if other == index:
        return f"{pair} target {index} are further apart than twice {bound}, which is false."
    return (
        f"{pair} targets {other} and {index} are further apart than twice {bound} and {steep} "
        "allow at their distance: one of the two is false."
    )


def _either(what: str, tuning: Tuning) -> str:
    return (
        f"{what} is wrong, or this is what may happen with the probability {full(tuning.failure)}"
    )
