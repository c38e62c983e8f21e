"""Made-up preference data on which the cost of changing labels is known in shape.

Features are standard normal and every benign label is 1.  What fewer flips can do depends on the
pairs a feature, N / n, and on how much the attack itself follows the features: random flips become
ever cheaper to imitate, flips below a threshold of one feature never do.

Source: the synthetic experiment of Kusaka et al. 2025, in shape; sizes and seeds are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...sequences import Array
from ..data.attacks import by_feature, filtered_by_length, random_flips
from ..rewards.learning import fit_reward
from .measurement import Conditions, Measurement, measure

_UNROUNDED = Conditions(copies=None)


@dataclass(frozen=True, slots=True)
class Cell:
    """A mean over seeds.

    attack: its name; n_features, n_pairs; lower, upper: means of the bounds on least cost / cost of
    the attack; least, greatest: the upper bound of a seed; width: the largest of a seed's bounds'
    differences; flips: the attack's own, mean.
    """

    attack: str
    n_features: int
    n_pairs: int
    lower: float
    upper: float
    least: float
    greatest: float
    width: float
    flips: float

    @classmethod
    def of(cls, attack: str, found: Sequence[Measurement]) -> Cell:
        """The mean of measurements of one size."""
        lows = np.array([one.lower / one.attack for one in found])
        highs = np.array([one.upper / one.attack for one in found])
        return cls(
            attack,
            found[0].n_features,
            found[0].n_pairs,
            float(lows.mean()),
            float(highs.mean()),
            float(highs.min()),
            float(highs.max()),
            float((highs - lows).max()),
            float(np.mean([one.attack for one in found])),
        )

    @property
    def spread(self) -> float:
        """Half of the greatest minus the least."""
        return (self.greatest - self.least) / 2


def gaussian_features(n_features: int, n_pairs: int, seed: int) -> Array:
    """Phi (n, N), standard normal."""
    return stream("features", n_features, n_pairs, seed).standard_normal((n_features, n_pairs))


def random_cells(
    n_features: int, multiples: Sequence[int], rates: Sequence[Fraction], seeds: int
) -> Iterator[Cell]:
    """Random flips: one cell for each rate and each N = multiple * n."""
    for rate in rates:
        for multiple in multiples:
            size, found = multiple * n_features, []
            for seed in range(seeds):
                benign = np.ones(size)
                target = random_flips(benign, rate, seed=seed)
                features = gaussian_features(n_features, size, seed)
                found.append(measure(features, benign, target, _UNROUNDED))
            yield Cell.of(f"random, {_percent(rate)}", found)


def structured_cells(n_features: int, multiples: Sequence[int], seeds: int) -> Iterator[Cell]:
    """Flips that follow the features, 5 % of the pairs: filtered by length, and by a threshold.

    The length is a hidden linear feature plus noise of the same variance.
    """
    rate = Fraction(1, 20)
    for multiple in multiples:
        size = multiple * n_features
        found: dict[str, list[Measurement]] = {"filtered by length, 5 %": [], "threshold, 5 %": []}
        for seed in range(seeds):
            features, benign = gaussian_features(n_features, size, seed), np.ones(size)
            hidden = stream("length", n_features, size, seed)
            direction = hidden.standard_normal(n_features)
            gaps = direction @ features / np.linalg.norm(direction) + hidden.standard_normal(size)
            margins = fit_reward(features, benign, ridge=1.0).reward @ features
            targets = (
                filtered_by_length(benign, gaps, margins, rate),
                by_feature(benign, features[0], rate),
            )
            for name, target in zip(found, targets, strict=True):
                found[name].append(measure(features, benign, target, _UNROUNDED))
        for name, members in found.items():
            yield Cell.of(name, members)


@dataclass(frozen=True, slots=True)
class LossCell:
    """Mean performance-loss ratio (ridge reward) of the cheapest labels, rounded to m copies.

    spread: half of largest minus smallest; fractional: the largest number of fractional labels.
    """

    n_features: int
    n_pairs: int
    copies: int
    loss: float
    spread: float
    fractional: int


def loss_cells(
    n_features: int, sizes: Sequence[int], copies: Sequence[int], rate: Fraction, seeds: int
) -> Iterator[LossCell]:
    """What rounding leaves of the effect of random flips, for each N and m."""
    for m in copies:
        for size in sizes:
            losses, fractional = [], 0
            for seed in range(seeds):
                benign = np.ones(size)
                target = random_flips(benign, rate, seed=seed)
                features = gaussian_features(n_features, size, seed)
                found = measure(features, benign, target, Conditions(copies=m))
                loss = found.effects[0].loss
                losses.append(np.nan if loss is None else loss)
                fractional = max(fractional, found.fractional)
            mean, spread = float(np.mean(losses)), float(np.ptp(losses)) / 2
            yield LossCell(n_features, size, m, mean, spread, fractional)


def _percent(rate: Fraction) -> str:
    return f"{float(100 * rate):g} %"


def stream(*words: object) -> np.random.Generator:
    """A Philox stream keyed by the words."""
    from hashlib import sha256

    key = int.from_bytes(sha256(repr(words).encode()).digest()[:16])
    return np.random.Generator(np.random.Philox(key=key))
