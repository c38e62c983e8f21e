"""The labels that victims learn from: those of the data, the attack's, and cheaper ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...poisoning.data.attacks import by_length, random_flips
from ...poisoning.data.texts import principal_rows
from ...poisoning.large.enclose import enclose_flips
from ...poisoning.measure.rounding import to_copies
from ...sequences import Array
from .dpo_options import DPOOptions
from .token_pairs import Examined, TokenPair

_THINNED = 1
"""Keeps the draw of what is thinned away apart from the draw of the attack."""


@dataclass(frozen=True)
class FlipLabels:
    """labels: theta of the training pairs (N); flips: what they change, un-normalised; attack: what
    the attack changes; lower, upper: proved bounds on the least cost in the features used."""

    labels: Array
    flips: float
    attack: float
    lower: float
    upper: float


def flip_labels(
    options: DPOOptions, pairs: Sequence[TokenPair], untrained: Examined, seed: int
) -> FlipLabels:
    """The labels of that name, for training pairs whose better answer is the chosen one.

    untrained: what the model says of these pairs before training, whose principal features are held
    fixed while the least cost is computed.
    """
    benign = np.ones(len(pairs))
    gaps = np.array([pair.gap for pair in pairs])
    if options.attack == "length":
        attack = by_length(benign, gaps, options.rate)
    else:
        attack = random_flips(benign, options.rate, seed=seed)
    least = enclose_flips(principal_rows(untrained.differences, options.features), benign, attack)
    cheap = np.clip(least.labels, 0.0, 1.0)
    known = {
        "clean": benign,
        "attack": attack,
        "least-cost": cheap,
        "rounded": to_copies(cheap, benign, 1),
        "thinned": _thinned(benign, attack, least.lower, seed),
    }
    labels = known[options.labels]
    flips, whole = (float(np.abs(theta - benign).sum()) for theta in (labels, attack))
    return FlipLabels(labels, flips, whole, least.lower, least.upper)


def _thinned(benign: Array, attack: Array, cost: float, seed: int) -> Array:
    """As many flips of the attack, drawn at random, as cost at least this much."""
    stream = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, _THINNED))))
    changed = stream.permutation(np.flatnonzero(attack != benign))
    labels = benign.copy()
    kept = changed[: int(np.ceil(cost))]
    labels[kept] = attack[kept]
    return labels
