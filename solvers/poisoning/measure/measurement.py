"""How robust the labels of a data set are: what an attack costs, and the least that does the same.

A data set of N pairs, n features and an attack give one `Measurement`: the flips of the attack,
certified bounds on the flips that teach the same reward, what is left of that after rounding to
whole copies, and what the rounded labels teach.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ...sequences import Array
from ...solution import Status
from ..large.closed_form import closed_form_bound
from ..large.dropped import Dropped
from ..large.enclose import enclose_flips
from ..rewards.effects import performance_loss_ratio, reward_change
from ..rewards.learning import LearnedReward, fit_reward
from .rounding import LARGEST, rounded_jointly, thinned

_DRAWS = 3
"""Thinned attacks, over whose losses the mean is taken: each costs as much as learning a reward."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is asked of a measurement.

    norm: "l1" (the expected number of flips), "l2" or "linf"; width: of the enclosure, relative;
    copies: m, to which labels are rounded, or None to leave them; ridge: the factor lambda of
    lambda / 2 norm(r)^2 in the regularised loss; tolerance: of features dropped as noise, 0 for
    none (``enclose_flips``).
    """

    norm: str = "l1"
    width: float = 1e-6
    copies: int | None = 1
    ridge: float = 1.0
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Effect:
    """What the rounded labels teach, beside the attack's.

    method: "ridge" or "Newton" (no regularisation); loss: sum abs(sigma_rounded - sigma_attack) /
    sum abs(sigma_benign - sigma_attack) over the pairs, 0 for the attack's effect and about 1 for
    none, or None; failed: the labels (benign, target, rounded) of which no reward could be learnt,
    and why; moved: the mean of abs(sigma_benign - sigma_attack), what the attack itself changes;
    thinned: the loss of as many rows drawn at random from the attack's, the mean of three draws, or
    None where the attack is not made of whole rows.
    """

    method: str
    loss: float | None
    failed: Mapping[str, Status] = field(default_factory=dict)
    moved: float | None = None
    thinned: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One attack on N pairs with n features.

    attack: norm of the attack's changes of labels, lower <= least cost <= upper; closed_form: the
    bound of Theorem 2, certified: all in the norm asked for, un-normalised, for l1 in flips.
    benign, target, labels: theta_O, theta_A and the cheapest labels found (N); weights: (N), or
    None; rounded: the cheapest labels in multiples of 1 / copies, or None; fractional: how many of
    them are neither benign nor 0 or 1; status, notes: how the enclosure ended; dropped: features
    left out by a tolerance, or None, and price: how far, at most, that moves the ridge reward
    learnt from ``labels`` with all features away from the target's (2-norm), or None if nothing
    is known.  Everything else is of ``features`` (n, N), those that were kept.
    """

    features: Array
    benign: Array
    target: Array
    labels: Array
    weights: Array | None
    norm: str
    attack: float
    lower: float
    upper: float
    closed_form: float
    fractional: int
    copies: int | None
    rounded: Array | None
    effects: tuple[Effect, ...]
    status: Status
    notes: tuple[str, ...]
    seconds: float
    dropped: Dropped | None = None
    price: float | None = 0.0

    @property
    def n_features(self) -> int:
        """n, without what was dropped."""
        return len(self.features)

    @property
    def n_dropped(self) -> int:
        """How many features a tolerance left out."""
        return len(self.dropped.features) if self.dropped else 0

    @property
    def n_pairs(self) -> int:
        """N."""
        return len(self.benign)

    @property
    def n_changed(self) -> int:
        """How many labels the attack changes."""
        return int(np.count_nonzero(self.target != self.benign))

    @property
    def ratio(self) -> float:
        """Pairs a feature, N / n."""
        return self.n_pairs / self.n_features

    @property
    def saving(self) -> float:
        """1 - upper / attack: the share of the attack's cost that is not needed, at least."""
        return max(0.0, 1 - self.upper / self.attack) if self.attack else 0.0

    @property
    def least_rows(self) -> int | None:
        """The certified least number of rows, of all copies, with the target's effect.

        None where that is not what the bound says: in other norms and with weights, and where the
        benign or the target labels are not made of whole rows.
        """
        m = self.copies or 1
        broken = bool(np.mod(m * np.concatenate((self.benign, self.target)), 1).any())
        if self.norm != "l1" or self.weights is not None or broken:
            return None
        return math.ceil(m * Fraction(self.lower))

    @property
    def rows(self) -> int | None:
        """Rows flipped in the data set of m copies, after rounding."""
        if self.rounded is None or self.copies is None:
            return None
        return _rows(self.rounded, self.benign, self.copies)


def _rows(labels: Array, benign: Array, copies: int) -> int:
    return round(copies * float(np.abs(labels - benign).sum()))


_ALONE = (
    f"each label was rounded alone, as features of more than {LARGEST:,} entries are not searched "
    "for rows that go together"
)


def measure(
    features: Array,
    benign: Array,
    target: Array,
    conditions: Conditions,
    weights: Array | None = None,
) -> Measurement:
    """Measure one attack.

    features: Phi (n, N); benign, target: labels (N); weights: (N), or None for 1 each.

    Raises ModelError as ``enclose_flips`` does, and if benign labels are no multiples of
    1 / copies.  Raises KeyboardInterrupt where the enclosure was interrupted, for its bounds may be
    as wide as from 0 to the attack's cost and would pass for a measurement.
    """
    since = time.perf_counter()
    found = enclose_flips(
        features, benign, target, weights=weights, norm=conditions.norm, width=conditions.width,
        tolerance=conditions.tolerance,
    )  # fmt: skip
    if found.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    if found.dropped:
        features = np.delete(features, found.dropped.features, axis=0)
    bound = closed_form_bound(features, benign, target, weights=weights, norm=conditions.norm)
    copies, notes = conditions.copies, found.notes
    rounded, effects = None, tuple[Effect, ...]()
    if copies is not None:
        rounded = rounded_jointly(features, found.labels, benign, target, weights,
                                  copies=copies, ridge=conditions.ridge)  # fmt: skip
        labels = {"benign": benign, "target": target, "rounded": rounded}
        labels |= _thinned(benign, target, _rows(rounded, benign, copies), copies)
        effects = tuple(_effects(features, labels, weights, conditions.ridge))
        if features.size > LARGEST:
            notes = (*notes, _ALONE)
    changes = (target - benign) * (1.0 if weights is None else weights)
    attack = size(changes, conditions.norm)
    given = (benign, target, np.zeros(0) if weights is None else weights)
    whole = conditions.norm == "l1" and not np.mod(np.concatenate(given), 1).any()
    return Measurement(
        features=features,
        benign=benign,
        target=target,
        labels=found.labels,
        weights=weights,
        norm=conditions.norm,
        attack=attack,
        lower=found.lower,
        upper=min(found.upper, attack) if whole else found.upper,  # whole: no rounding
        closed_form=bound,
        fractional=found.n_fractional,
        copies=copies,
        rounded=rounded,
        effects=effects,
        status=found.status,
        notes=notes,
        seconds=time.perf_counter() - since,
        dropped=found.dropped,
        price=found.dropped.price(conditions.ridge) if found.dropped else 0.0,
    )


def _thinned(benign: Array, target: Array, rows: int, copies: int) -> dict[str, Array]:
    """The attack on so many rows alone, some draws of them."""
    drawn = {f"thinned {k}": thinned(benign, target, rows, copies=copies, seed=k)
             for k in range(_DRAWS)}  # fmt: skip
    return {name: part for name, part in drawn.items() if part is not None}


def size(changes: Array, norm: str) -> float:
    """The norm of changes (N), rounded."""
    orders: dict[str, Any] = {"l1": 1, "l2": 2, "linf": np.inf}
    return float(np.linalg.norm(changes, orders[norm]))


def _effects(
    features: Array, labels: Mapping[str, Array], weights: Array | None, ridge: float
) -> Iterator[Effect]:
    """For ridge and for Newton, which has no regularisation."""
    for method, factor in (("ridge", ridge), ("Newton", 0.0)):
        learnt = {
            name: fit_reward(features, theta, weights=weights, ridge=factor)
            for name, theta in labels.items()
        }
        yield _effect(features, learnt, method)


def _effect(features: Array, learnt: Mapping[str, LearnedReward], method: str) -> Effect:
    why = {
        name: found.status
        for name, found in learnt.items()
        if found.status is not Status.APPROXIMATE
    }
    drawn = [name for name in learnt if name.startswith("thinned")]
    if known := {name: status for name, status in why.items() if name not in drawn}:
        return Effect(method, None, known)
    rewards = {name: found.reward for name, found in learnt.items()}
    both = rewards["benign"], rewards["target"]
    change = reward_change(features, *both).mean_gap
    if not change:
        return Effect(method, None, {}, change)

    def loss(name: str) -> float:
        return performance_loss_ratio(features, *both, rewards[name])

    losses = [loss(name) for name in drawn if name not in why]
    mean = float(np.mean(losses)) if losses else None
    return Effect(method, loss("rounded"), {}, change, mean)
