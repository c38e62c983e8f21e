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
from typing import Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ...solution import Status
from ..large.closed_form import closed_form_bound
from ..large.dropped import Dropped
from ..large.enclose import enclose_flips
from ..rewards.effects import performance_loss_ratio, reward_change
from ..rewards.learning import fit_reward


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
    and why; moved: the mean of abs(sigma_benign - sigma_attack), what the attack itself changes.
    """

    method: str
    loss: float | None
    failed: Mapping[str, Status] = field(default_factory=dict)
    moved: float | None = None


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
    def whole_flips(self) -> int | None:
        """The certified number of flips if labels are 0 or 1 before and after; None if not."""
        hard = bool(np.isin(self.benign, (0.0, 1.0)).all())
        if self.norm != "l1" or self.weights is not None or not hard:
            return None
        return math.ceil(self.lower)

    @property
    def rows(self) -> int | None:
        """Rows flipped in the data set of m copies, after rounding."""
        if self.rounded is None or self.copies is None:
            return None
        return round(self.copies * float(np.abs(self.rounded - self.benign).sum()))


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
    copies = conditions.copies
    rounded = None if copies is None else to_copies(found.labels, benign, copies)
    effects: tuple[Effect, ...] = ()
    if rounded is not None:
        labels = {"benign": benign, "target": target, "rounded": rounded}
        effects = tuple(_effects(features, labels, weights, conditions.ridge))
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
        notes=found.notes,
        seconds=time.perf_counter() - since,
        dropped=found.dropped,
        price=found.dropped.price(conditions.ridge) if found.dropped else 0.0,
    )


def size(changes: Array, norm: str) -> float:
    """The norm of changes (N), rounded."""
    orders: dict[str, Any] = {"l1": 1, "l2": 2, "linf": np.inf}
    return float(np.linalg.norm(changes, orders[norm]))


def to_copies(labels: Array, benign: Array, copies: int) -> Array:
    """The nearest multiples of 1 / copies (N); a tie goes to the side of the benign label.

    Raises ModelError for fewer than one copy, and naming the first benign label that is no
    multiple.
    """
    if copies < 1:
        raise ModelError(f"copies is {copies}; a pair needs at least one")
    steps = benign * copies
    broken = np.flatnonzero(np.abs(steps - np.round(steps)) > 1e-9 * copies)
    if len(broken):
        i = int(broken[0])
        raise ModelError(
            f"the benign label of pair {i + 1} is {benign[i]:g}, no multiple of 1/{copies}; choose "
            "a number of copies that all labels divide into"
        )
    values = labels * copies
    below = np.floor(values)
    rest = values - below
    up = (rest > 0.5) | ((rest == 0.5) & (steps > values))
    nearest: Array = (below + up) / copies
    return nearest


def _effects(
    features: Array, labels: Mapping[str, Array], weights: Array | None, ridge: float
) -> Iterator[Effect]:
    """For ridge and for Newton, which has no regularisation."""
    for method, factor in (("ridge", ridge), ("Newton", 0.0)):
        learnt = {
            name: fit_reward(features, theta, weights=weights, ridge=factor)
            for name, theta in labels.items()
        }
        why = {
            name: found.status
            for name, found in learnt.items()
            if found.status is not Status.APPROXIMATE
        }
        if why:
            yield Effect(method, None, why)
            continue
        benign, target, rounded = (learnt[name].reward for name in ("benign", "target", "rounded"))
        loss = performance_loss_ratio(features, benign, target, rounded)
        moved = reward_change(features, benign, target).mean_gap
        yield Effect(method, None if np.isnan(loss) else loss, {}, moved)
