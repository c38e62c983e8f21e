"""What trained networks attain on a task without a model: fresh episodes are all there is.

Flips are chosen from measurements, with upper bounds on the risks, and are then run on other fresh
episodes: what was chosen because it looked good is not judged by what made it look good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from holdfast.solvers.chance import FlipBetween
from holdfast.solvers.errors import ModelError

from ..binding.values import Count, Mean
from ..engine.ledger import interval
from ..kernel import Enclosure
from ..report.ladder import Request

CONFIDENCE = 0.999
"""Of the intervals that show a violation, all of a cell or of a remark together."""
MARGIN = Fraction(19, 20)
"""Confidence of the upper bounds on the risks of networks that flips are chosen from, together: a
larger one chooses safer flips that earn less."""


def enclosed_risk(measured: Any, share: int = 1) -> Enclosure:
    """The interval of Clopper and Pearson of one of `share` that hold together at CONFIDENCE."""
    count = Count(measured.violations, measured.episodes)
    return interval(count, (1 - Fraction(str(CONFIDENCE))) / share)


def enclosed_value(measured: Any, share: int = 1) -> Enclosure:
    """The same for the return of episodes of a task that bounds it: empirical Bernstein, which is
    right for every law, so that seldom returns are not missed where none was seen."""
    sums = measured.returns_sum, measured.returns_squares
    mean = Mean(measured.episodes, *sums, measured.lowest, measured.highest)
    return interval(mean, (1 - Fraction(str(CONFIDENCE))) / share)


@dataclass(frozen=True, slots=True)
class Network:
    """A trained policy.  limit: of its training; measured: fresh episodes of it."""

    run: Any
    policy: Any
    limit: Fraction
    measured: Any

    @property
    def seed(self) -> int:
        """Of its training."""
        return int(self.run.training.seed)


@dataclass(frozen=True, slots=True)
class MeasuredFlips:
    """Of one training seed and level, fresh episodes of what was chosen; None without a choice.

    best: of the best single network; between: positions in the group and the coin; episode, step:
    of the flip, its coin tossed once an episode or at every step.
    """

    seed: int
    best: Any
    between: FlipBetween | None
    episode: Any
    step: Any


@dataclass(frozen=True, slots=True)
class MeasuredTrained:
    """All that was trained with one algorithm; groups: the networks of each seed, by limit."""

    algorithm: str
    groups: Sequence[Sequence[Network]]
    flips: Mapping[Fraction, Sequence[MeasuredFlips]]


def networks(
    request: Request, algorithm: str, task: str, seed: int, limits: Sequence[Fraction]
) -> list[Network]:
    """The networks of a seed, one a limit, those that are missing left out."""
    found = []
    for limit in limits:
        run = request.obtain(algorithm, task, seed, {**request.changes, "limit": float(limit)})
        if run is not None:
            policy = run.result()
            found.append(Network(run, policy, limit, _fresh(request, run, policy, "network")))
    return found


def _fresh(request: Request, run: Any, policy: Any, *words: str) -> Any:
    """Episodes that follow from the words and the trainings."""
    from holdfast.solvers.neural.parts.evaluation import evaluate
    from holdfast.solvers.neural.parts.on_policy import one_thread

    training = run.training
    with one_thread():
        return evaluate(
            policy,
            training.task,
            episodes=request.episodes,
            seed_words=("ladder", *words, training.digest),
            first_violation=training.options.first_violation,
        )


@dataclass(frozen=True, slots=True)
class Judge:
    """Runs what was chosen; what is chosen at several levels is run once.

    kept: (positions of two networks and the coin's probability, or of one) -> its fresh episodes.
    """

    request: Request
    group: Sequence[Network]
    kept: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def flips(self, level: Fraction) -> MeasuredFlips:
        """What is chosen at the level, and fresh episodes of it."""
        seed, alone, between = self.group[0].seed, self._chosen(level, True), self._chosen(level)
        best = None if alone is None else self._alone(alone.safer)
        if between is None:
            return MeasuredFlips(seed, best, None, None, None)
        episode, step = self._tossed("episode", between), self._tossed("printed", between)
        return MeasuredFlips(seed, best, between, episode, step)

    def _chosen(self, level: Fraction, alone: bool = False) -> FlipBetween | None:
        from holdfast.solvers.neural.chance import measured_flip

        seen = [one.measured for one in self.group]
        try:
            return measured_flip(seen, level, margin="upper", confidence=MARGIN, alone=alone)
        except ModelError:  # no network is measured to be safe enough
            return None

    def _alone(self, place: int) -> Any:
        if (place,) not in self.kept:
            one = self.group[place]
            self.kept[place,] = _fresh(self.request, one.run, one.policy, "best")
        return self.kept[place,]

    def _tossed(self, form: Literal["episode", "printed"], flip: FlipBetween) -> Any:
        """Of a coin that always falls on one side, the episodes are those of that network."""
        from holdfast.solvers.neural.chance import FlippingPolicy

        if flip.safer == flip.bolder or flip.probability == 0:
            return self._alone(flip.safer)
        safer, bolder = self.group[flip.safer], self.group[flip.bolder]
        key = (form, flip.safer, flip.bolder, flip.probability)
        if key not in self.kept:
            policy = FlippingPolicy(safer.policy, bolder.policy, flip.probability, form=form)
            words = (form, bolder.run.training.digest, str(flip.probability))
            self.kept[key] = _fresh(self.request, safer.run, policy, *words)
        return self.kept[key]
