"""Train a flipping policy: several limits, fresh episodes, the exact program, a coin.

Algorithm 1 of Shen et al. 2024 (arXiv:2410.06474).  What it trains is kept under its digest, and is
looked up when it is asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...exact import Rational
from ..parts.algorithms import find
from ..parts.evaluation import Episodes, evaluate
from ..parts.runs import Progress, obtain
from ..parts.training import Training
from .flips import Margin, checked_share, measured_flip
from .given import Cost, Named, named
from .policy import FORMS, FlippingPolicy, Form

if TYPE_CHECKING:
    import gymnasium

FLIPPED = tuple(Fraction(k) for k in ("1/4", "1/2", "1", "2", "4"))
"""Limits to train at, in levels, of two policies to be flipped: some safer than the level and some
bolder, since the best two lie on both sides.  More limits find better pairs and cost a training
each."""
ALONE = tuple(Fraction(k) for k in ("1/2", "3/4", "1"))
"""The same for one network, which must itself be safe enough."""


def train_flipping(
    env: str | gymnasium.Env,
    *,
    level: Rational | float,
    form: Form = "episode",
    algorithm: str = "ppo-lagrangian",
    levels: Sequence[Rational | float] = (),
    steps: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    folder: str | Path | None = None,
    progress: Progress | None = None,
    cost: Cost | None = None,
    episodes: int = 2000,
    margin: Margin = "none",
    confidence: Rational | float = Fraction(19, 20),
    **options: Any,
) -> FlippingPolicy:
    """The best flip of policies trained at several limits on the risk of an episode.

    Parameters
    ----------
    env: a task id, or one gymnasium environment, which is stepped as it is and not closed.
    level: the largest probability of an episode with an unsafe step.
    form: "episode" and "printed" flip two of the policies, once an episode or in each step (whose
        risk the level does not bound); "step" takes the best network with two heads and a coin.
    algorithm: "ppo-lagrangian" or "cpo".
    levels: limits to train at; by default multiples of the level.  A float 0.05 is taken for 1/20.
    steps: environment steps of each training; by default such as suit the task.
    seed: of the first parameters, the episodes and the coin.
    folder: where runs are kept and looked up; by default `parts.runs.runs_folder()`.  Runs on an
        object, or with a cost function, have no name: they are kept only if it is given, and never
        looked up.
    progress: called after each of the updates of all trainings, with the "limit" in its line.
    cost: cost(observation, action, following observation, info), positive where unsafe, if
        ``info["cost"]`` is not to be taken.
    episodes: fresh ones that measure each policy.
    margin, confidence: as `measured_flip` takes them.
    options: of the algorithm, such as ``n_envs=8``; others suit the task (`presets`).

    Raises
    ------
    ModelError: when no trained policy is safe enough; for an unknown task, algorithm or option; for
        an environment without a cost; for a limit that the exact layer proves impossible.
    TrainingError: when a number is not finite.
    """
    wanted = _Wanted.of(form, algorithm, level, levels)
    own = options if steps is None else {**options, "steps": steps}
    with named(env, cost, None if folder is None else Path(folder)) as place:
        trainings = wanted.trainings(place, own, seed, device)
        trained = _trained(trainings, place.folder, progress)
        measured = _measured(trained, trainings, episodes, place.copies)
    alone, seen = form == "step", list(measured.values())
    asked: Any = {"margin": margin, "confidence": confidence, "limits": wanted.limits}
    flip = measured_flip(seen, wanted.level, alone=alone, **asked)
    first, second = two = wanted.limits[flip.safer], wanted.limits[flip.bolder]
    kept: dict[str, Any] = {"seed": seed, "limits": two, "measured": measured}
    if form == "step":
        return FlippingPolicy.of_heads(trained[first].first, **kept)
    return FlippingPolicy(trained[first], trained[second], flip.probability, form=form, **kept)


@dataclass(frozen=True)
class _Wanted:
    """What is to be trained: a known algorithm at distinct limits."""

    algorithm: str
    level: Fraction
    limits: tuple[Fraction, ...]

    @classmethod
    def of(
        cls, form: Form, algorithm: str, level: Rational | float, levels: Sequence[Rational | float]
    ) -> _Wanted:
        if form not in FORMS:
            raise ModelError(f"form is {form!r}; forms are {', '.join(FORMS)}")
        if form == "step" and algorithm != "ppo-lagrangian":
            raise ModelError(
                f'algorithm is {algorithm!r}; two heads (form "step") are trained by '
                '"ppo-lagrangian", leave the algorithm out'
            )
        bound = checked_share(level, "level")
        usual = [min(bound * k, Fraction(1)) for k in (ALONE if form == "step" else FLIPPED)]
        wished = [(one, checked_share(one, f"levels[{i}]")) for i, one in enumerate(levels)]
        limits = [_as_written(*one) for one in wished or [(level, one) for one in usual]]
        name = "flipping" if form == "step" else algorithm
        return cls(f"chance/{name}", _as_written(level, bound), tuple(dict.fromkeys(limits)))

    def trainings(
        self, place: Named, given: Mapping[str, Any], seed: int, device: str
    ) -> dict[Fraction, Training]:
        """Limit -> training."""
        if place.copies == 1 and given.get("n_envs", 1) != 1:
            raise ModelError(
                f"n_envs is {given['n_envs']}, and there is one environment; leave n_envs out, or "
                "give the id of a registered environment"
            )
        if "limit" in given:
            raise ModelError(
                f"limit is {given['limit']!r}; policies are trained at several limits, give levels"
            )
        alone = {} if place.copies is None else {"n_envs": place.copies}
        found, algorithm = {}, find(self.algorithm)
        for limit in self.limits:
            wanted = {**alone, **given, "limit": float(limit)}
            options = algorithm.options_for(place.task, wanted)
            found[limit] = Training(self.algorithm, place.task, seed, options, device)
        return found


def _as_written(given: Rational | float, value: Fraction) -> Fraction:
    """The value, or where a float was given the shortest decimal of the float that it is."""
    return Fraction(repr(float(value))) if isinstance(given, (float, np.floating)) else value


def _trained(
    trainings: Mapping[Fraction, Training], folder: Path | None, progress: Progress | None
) -> dict[Fraction, Any]:
    """The policy of each limit, trained or looked up."""
    among = _Among(progress, sum(training.options.updates for training in trainings.values()))
    found = {}
    for limit, training in trainings.items():
        shown = among.at(limit, training.options.updates)
        found[limit] = obtain(training, folder=folder, progress=shown).result()
    return found


def _measured(
    trained: Mapping[Fraction, Any],
    trainings: Mapping[Fraction, Training],
    episodes: int,
    copies: int | None,
) -> dict[Fraction, Episodes]:
    """What fresh episodes show of each policy; they differ from one training to the next."""
    return {
        limit: evaluate(
            trained[limit],
            training.task,
            episodes=episodes,
            seed_words=("train-flipping", training.digest),
            first_violation=training.options.first_violation,
            copies=copies,
        )
        for limit, training in trainings.items()
    }


@dataclass
class _Among:
    """Progress of one training, told as that of all."""

    progress: Progress | None
    updates: int
    done: int = 0

    def at(self, limit: Fraction, updates: int) -> Progress | None:
        """What the training at a limit is given; the one after it starts where it ends."""
        before, self.done = self.done, self.done + updates
        if (shown := self.progress) is None:
            return None

        def tell(update: int, _: int, line: Mapping[str, Any]) -> None:
            shown(before + update, self.updates, {"limit": float(limit), **line})

        return tell
