"""Label attacks from the literature, as functions from the data to target labels.

Their cost is what this package measures: each returns theta_A (N), the labels it would leave
behind, and post-processing it means handing that to ``enclose_flips`` or ``solve_flips`` as the
target.  A flipped pair has the label 1 - theta_O; all others keep theirs.  Ties go to the pair that
comes first, so that equal data have equal attacks.

Source: Kusaka et al. 2025 (random flips; the pipeline that filters by margin and then by gaps in
length, after Wang et al., RLHFPoison, of which the largest are recalled).  The threshold on a
linear feature is ours: it is the attack that nothing can make cheaper.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ...errors import ModelError
from ...sequences import Array

ORDERS = ("largest", "smallest")


def flip_count(rate: float | Fraction, n_pairs: int) -> int:
    """The whole number nearest to rate * N, at least one; a half is rounded up.

    Raises ModelError unless 0 < rate <= 1.
    """
    share = Fraction(str(rate))
    if not 0 < share <= 1:
        raise ModelError(f"rate is {rate}; give a share of the pairs, above 0 and at most 1")
    return max(1, int(share * n_pairs + Fraction(1, 2)))


def flipped(benign: Array, pairs: Array) -> Array:
    """The labels (N) with 1 - theta_O in the pairs given by number."""
    labels = np.array(benign, dtype=np.float64)
    labels[pairs] = 1.0 - labels[pairs]
    return labels


def random_flips(benign: Array, rate: float | Fraction, *, seed: int = 0) -> Array:
    """Flip rate * N pairs drawn uniformly without replacement (ALG-Random)."""
    generator = np.random.Generator(np.random.Philox(seed))
    size = len(benign)
    return flipped(benign, generator.permutation(size)[: flip_count(rate, size)])


def by_length(
    benign: Array, gaps: Array, rate: float | Fraction, *, order: str = "largest"
) -> Array:
    """Flip the pairs whose chosen answer is shorter, those of the largest gap first: longer output.

    gaps: length of the rejected answer minus that of the chosen one (N), in any unit; only pairs
    with a positive gap are flipped, so that fewer than rate * N may be.
    order: "smallest" keeps the smallest gaps instead.  That is what the published code does, which
    sorts the gaps upwards although its comment says "top".  That RLHFPoison itself takes the
    largest is recalled, not read.

    Raises ModelError for another order, and if no chosen answer is shorter.
    """
    candidates = np.flatnonzero(_matching(benign, gaps, "gaps") > 0)
    return flipped(benign, _longest(candidates, gaps, flip_count(rate, len(benign)), order))


def by_margin(benign: Array, margins: Array, rate: float | Fraction) -> Array:
    """Flip the rate * N pairs of the smallest abs(margin): those whose flip is least noticed.

    margins: r . phi_i under a reward learnt from the benign labels (N).
    """
    order = np.argsort(np.abs(_matching(benign, margins, "margins")), kind="stable")
    return flipped(benign, order[: flip_count(rate, len(benign))])


def by_feature(benign: Array, feature: Array, rate: float | Fraction) -> Array:
    """Flip exactly the pairs with u . phi_i <= tau, tau the rate quantile; tau must be negative.

    Where the benign labels are 1, no labels teach the same at a lower cost, for any number of
    pairs: y = u / abs(tau) is a dual point whose value is the number of flips.
    feature: u . phi_i (N).  Pairs at tau are all flipped, so that ties may add some.

    Raises ModelError if the quantile is not negative, saying up to which rate it is.
    """
    values = _matching(benign, feature, "feature")
    threshold = np.sort(values)[flip_count(rate, len(benign)) - 1]
    negative = int((values < 0).sum())
    if threshold >= 0:
        raise ModelError(
            f"the {rate} quantile of the feature is {threshold:g}, but the threshold must be "
            f"negative; {negative} of {len(values)} pairs are below zero, so choose a rate of at "
            f"most {negative / len(values):.4g}"
        )
    return flipped(benign, np.flatnonzero(values <= threshold))


def filtered_by_length(
    benign: Array,
    gaps: Array,
    margins: Array,
    rate: float | Fraction = Fraction(1, 20),
    *,
    kept: float | Fraction = Fraction(1, 4),
    order: str = "largest",
) -> Array:
    """The published pipeline: a quality filter, then the maximum disparity.

    Of the pairs whose chosen answer is shorter, keep the ``kept`` * N with the smallest
    abs(margin), then flip the rate * N of them with the largest (or "smallest") gap.

    Source: Kusaka et al. 2025, baseline RLHFPoison as implemented (0.25 N, then 0.05 N).
    """
    candidates = np.flatnonzero(_matching(benign, gaps, "gaps") > 0)
    sizes = np.abs(_matching(benign, margins, "margins"))[candidates]
    nearest = candidates[np.argsort(sizes, kind="stable")][: flip_count(kept, len(benign))]
    return flipped(benign, _longest(np.sort(nearest), gaps, flip_count(rate, len(benign)), order))


def from_reward(features: Array, reward: Array) -> Array:
    """sigma(Phi^T r_A) (N): the labels that a target reward itself would give.

    features: (n, N); reward: at most n entries, those that are missing being zero.
    """
    from scipy.special import expit

    reward = np.asarray(reward, dtype=np.float64)
    if reward.ndim != 1 or not 0 < len(reward) <= len(features):
        raise ModelError(
            f"the target reward has shape {reward.shape} for {len(features)} features; give a "
            f"vector of at most {len(features)} numbers, or more features"
        )
    labels: Array = expit(reward @ features[: len(reward)])
    return labels


def _longest(candidates: Array, gaps: Array, number: int, order: str) -> Array:
    if order not in ORDERS:
        raise ModelError(f"order is {order!r}; give one of {', '.join(ORDERS)}")
    if not len(candidates):
        raise ModelError("no chosen answer is shorter than its rejected one: nothing to flip")
    sign = -1 if order == "largest" else 1
    chosen: Array = candidates[np.argsort(sign * gaps[candidates], kind="stable")][:number]
    return chosen


def _matching(benign: Array, values: Array, name: str) -> Array:
    values = np.asarray(values)
    if values.shape != np.shape(benign):
        raise ModelError(
            f"{name} has shape {values.shape} for {len(benign)} pairs; give one number a pair"
        )
    if not np.isfinite(values).all():
        i = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ModelError(f"{name}[{i}] is {values[i]}; give finite numbers")
    return values
