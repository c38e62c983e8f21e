"""What a reward model learns from labels that only *its start* says are as good as an attack's.

One cell of the experiment: data are split, a model is warmed up on the benign labels, and five
victims are trained from that same start, on

    clean       the benign labels,
    attack      those that the attack leaves,
    least-cost  the cheapest with the attack's moments Phi D theta, Phi of the start's trunk,
    rounded     these, rounded to 0 and 1,
    thinned     the attack cut at random to as many flips as the least cost: the control.

With a frozen trunk the least-cost victim is the attack's.  With a trained trunk Phi moves, and the
moments that were matched are no longer those that teach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np
from scipy.special import expit
from torch import Tensor

from ...errors import ModelError
from ...poisoning.data.attacks import by_length, random_flips
from ...poisoning.large.enclose import EnclosedFlips, enclose_flips
from ...poisoning.measure.rounding import to_copies
from ...poisoning.measure.synthetic import stream
from ...poisoning.rewards.nearness import Nearness, nearness
from ...sequences import Array
from ..parts.training import option
from .answers import FEATURES, Answers
from .reward_model import Descent, RewardModel, Watch, fit, pairs_of

LABELS = ("clean", "attack", "least-cost", "rounded", "thinned")
ATTACKS = ("random", "length")
TRUNKS = ("frozen", "trained")


@dataclass(frozen=True)
class RewardModelOptions:
    """One cell: features, trunk, attack, and how the victims are trained."""

    features: str = option("auto", f"features of an answer: {', '.join(FEATURES)}")
    hidden: int = option(64, "units of the trunk's hidden layer")
    width: int = option(32, "features h that the trunk makes for the head")
    attack: str = option("random", "flips drawn at random, or by length: the largest gaps first")
    rate: float = option(0.1, "share of the training pairs that the attack flips")
    held_out: float = option(0.2, "share of the pairs that victims are compared on")
    trunk: str = option("frozen", "frozen: victims train the head alone; trained: the trunk too")
    warm_steps: int = option(60, "updates on the benign labels, of head and trunk, for the start")
    steps: int = option(150, "updates of each victim")
    learning_rate: float = option(3e-3, "of the head, and of everything in the warm start")
    trunk_learning_rate: float = option(3e-3, "of a trained trunk; small ones keep its features")
    ridge: float = option(0.0, "lambda of the victims' heads, the loss being a sum over pairs")
    batch: int = option(0, "pairs an update; 0 for all, as the theory asks")
    optimizer: str = option("adam", "of the victims: adam, or lbfgs to reach a frozen minimiser")

    def __post_init__(self) -> None:
        for name, known in (("attack", ATTACKS), ("trunk", TRUNKS)):
            if (value := getattr(self, name)) not in known:
                raise ModelError(f"{name} = {value!r}; give one of {', '.join(known)}")
        for name in ("hidden", "width"):
            if getattr(self, name) < 1:
                raise ModelError(f"{name} = {getattr(self, name)}; it must be at least 1")
        if not 0 < self.held_out < 1:
            raise ModelError(f"held_out = {self.held_out}; give a share such as 0.2")
        if self.trunk == "trained" and not self.trunk_learning_rate > 0:
            raise ModelError(
                f"trunk_learning_rate = {self.trunk_learning_rate} trains no trunk; give a "
                'positive one, or trunk = "frozen"'
            )
        _ = self.warm_up, self.descent  # which refuse what they cannot do

    @property
    def warm_up(self) -> Descent:
        """How the start is trained."""
        rate = self.learning_rate
        return Descent(self.warm_steps, rate, rate, batch=self.batch)

    @property
    def descent(self) -> Descent:
        """How a victim is trained."""
        trunk = self.trunk_learning_rate if self.trunk == "trained" else 0.0
        return Descent(self.steps, self.learning_rate, trunk, self.ridge, self.batch,
                       self.optimizer)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """All that the victims of a seed share.

    start: the model they begin with; labels: name -> theta (N) of the training pairs; least: the
    enclosure of the least cost; train, held: answers (2, N, d).
    """

    options: RewardModelOptions
    seed: int
    start: RewardModel
    train: Tensor
    held: Tensor
    weights: Array | None
    labels: Mapping[str, Array]
    least: EnclosedFlips

    def victim(self, name: str, watch: Watch | None = None) -> RewardModel:
        """The model trained on the labels of that name."""
        return fit(self.start, self.train, self.labels[name], self.options.descent,
                   weights=self.weights, seed=self.seed, watch=watch)  # fmt: skip

    def flips(self, name: str) -> float:
        """What the labels of that name cost: weighted changes of the benign ones."""
        changes = np.abs(self.labels[name] - self.labels["clean"])
        return float(changes.sum() if self.weights is None else self.weights @ changes)


@dataclass(frozen=True)
class Victim:
    """What one labelling taught.

    flips: its cost; loss: sum abs(sigma - sigma_attack) / sum abs(sigma_clean - sigma_attack) on
    held-out pairs, 0 for the whole effect of the attack and about 1 for none; agree: held-out pairs
    whose answers it orders as the attack's victim does, of `pairs`; drift: of the features of
    training pairs, norm(Phi - Phi_start) / norm(Phi_start), Frobenius; near: the stability bound
    beside the distance to the attack's head (frozen trunk with a ridge), or None.
    """

    labels: str
    flips: float
    loss: float
    agree: int
    pairs: int
    drift: float
    near: Nearness | None = None

    def agreement(self, confidence: float = 0.95) -> tuple[float, float]:
        """The Clopper-Pearson interval of the share of pairs ordered as the attack's victim does.

        For this split and these two models; the pairs are taken as drawn independently.
        """
        from scipy.stats import binomtest

        found = binomtest(self.agree, self.pairs).proportion_ci(confidence, method="exact")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Outcome:
    """A cell of one seed.

    attack: its flips; lower, upper: bounds on the least cost; moved: the mean of
    abs(sigma_clean - sigma_attack) on held-out pairs, what the attack itself changes; digest: of
    the data.
    """

    attack: float
    lower: float
    upper: float
    moved: float
    digest: str
    victims: tuple[Victim, ...]

    def of(self, labels: str) -> Victim:
        """The victim of the labels of that name.  Raises ModelError if there is none."""
        for victim in self.victims:
            if victim.labels == labels:
                return victim
        raise ModelError(f"no victim is named {labels!r}; there are {', '.join(LABELS)}")

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Outcome:
        """What `to_dict` wrote."""
        victims = (
            Victim(**{**v, "near": Nearness(**v["near"]) if v["near"] else None})
            for v in record["victims"]
        )
        return cls(**{**record, "victims": tuple(victims)})


def prepare(
    answers: Answers,
    options: RewardModelOptions,
    seed: int,
    *,
    device: str = "cpu",
    watch: Watch | None = None,
) -> Cell:
    """Split, start and labels of a seed; all that is random follows from it.

    Raises ModelError for too few pairs, and for an attack that needs lengths where there are none.
    """
    order = stream("split", seed).permutation(answers.n_pairs)
    n_held = ceil(options.held_out * answers.n_pairs)
    if not 0 < n_held < answers.n_pairs:
        raise ModelError(
            f"held_out = {options.held_out} of {answers.n_pairs} pairs leaves {n_held} to compare "
            f"on and {answers.n_pairs - n_held} to train with; give more pairs, or another share"
        )
    known, held = answers.of(order[n_held:]), answers.of(order[:n_held])
    train = pairs_of(known.chosen, known.rejected, device)
    blank = RewardModel(train.shape[2], options.hidden, options.width, seed).to(device)
    blank.standardise(train)
    start = fit(blank, train, known.benign, options.warm_up, weights=known.weights, seed=seed,
                watch=watch)  # fmt: skip
    attacked = _attacked(known, options, seed)
    least = enclose_flips(start.features(train), known.benign, attacked, weights=known.weights)
    labels = {
        "clean": known.benign,
        "attack": attacked,
        "least-cost": least.labels,
        "rounded": to_copies(least.labels, known.benign, 1),
        "thinned": _thinned(known, attacked, least.lower, seed),
    }
    return Cell(options, seed, start, train, pairs_of(held.chosen, held.rejected, device),
                known.weights, labels, least)  # fmt: skip


def _attacked(known: Answers, options: RewardModelOptions, seed: int) -> Array:
    if options.attack == "random":
        return random_flips(known.benign, options.rate, seed=seed)
    if known.gaps is None:
        raise ModelError(
            'the data hold no texts, so that lengths are not known; give attack = "random"'
        )
    return by_length(known.benign, known.gaps, options.rate)


def _thinned(known: Answers, attacked: Array, cost: float, seed: int) -> Array:
    """As many of the attack's changes, in random order, as cost at least this much."""
    changed = np.flatnonzero(attacked != known.benign)
    order = stream("thinned", seed).permutation(changed)
    prices = np.abs(attacked - known.benign)[order]
    if known.weights is not None:
        prices = prices * known.weights[order]
    before = np.concatenate([[0.0], prices.cumsum()[:-1]])
    kept = order[before < cost]
    labels = known.benign.copy()
    labels[kept] = attacked[kept]
    return labels


def judge(cell: Cell, models: Mapping[str, RewardModel], digest: str) -> Outcome:
    """Compare the victims on held-out pairs.

    Raises ModelError if the attack changes nothing there, so that there is no loss to speak of.
    """
    held = {name: models[name].features(cell.held) for name in LABELS}
    scores = {name: models[name].reward @ held[name] for name in LABELS}
    gaps = {name: np.abs(expit(u) - expit(scores["attack"])) for name, u in scores.items()}
    if not gaps["clean"].any():
        raise ModelError(
            "the attack does not move the reward on any held-out pair; raise rate, steps or "
            "learning_rate"
        )
    before = cell.start.features(cell.train)
    victims = []
    for name in LABELS:
        after = models[name].features(cell.train)
        victims.append(Victim(
            labels=name,
            flips=cell.flips(name),
            loss=float(gaps[name].sum() / gaps["clean"].sum()),
            agree=int((np.sign(scores[name]) == np.sign(scores["attack"])).sum()),
            pairs=len(scores[name]),
            drift=float(np.linalg.norm(after - before) / np.linalg.norm(before)),
            near=_near(cell, models, name, held["attack"]),
        ))  # fmt: skip
    return Outcome(cell.flips("attack"), cell.least.lower, cell.least.upper,
                   float(gaps["clean"].mean()), digest, tuple(victims))  # fmt: skip


def _near(cell: Cell, models: Mapping[str, RewardModel], name: str, held: Array) -> Nearness | None:
    if cell.options.trunk != "frozen" or not cell.options.ridge:
        return None
    return nearness(
        cell.start.features(cell.train),
        (cell.labels[name], cell.labels["attack"]),
        (models[name].reward, models["attack"].reward),
        cell.options.ridge,
        weights=cell.weights,
        held_out=held,
    )


def experiment(
    answers: Answers, options: RewardModelOptions, seed: int, *, device: str = "cpu"
) -> Outcome:
    """One cell of one seed, trained here and now; `obtain_outcome` looks it up if it was before."""
    cell = prepare(answers, options, seed, device=device)
    return judge(cell, {name: cell.victim(name) for name in LABELS}, answers.digest)
