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

from ...errors import ModelError
from ...exact import Rational
from ..parts.algorithms import find
from ..parts.evaluation import Episodes, evaluate
from ..parts.runs import Progress, obtain
from ..parts.training import Training, options_from
from .flips import Margin, checked_share, measured_flip
from .given import Cost, named
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

    env: a task id (`parts.tasks.TASKS`, or any of gymnasium's that gives a cost), or one gymnasium
        environment, which is stepped as it is and not closed.
    level: the largest probability of an episode with an unsafe step.
    form: "episode" and "printed" train with `algorithm` at each limit and flip two of the policies,
        once an episode or in each step; the risk of "printed" is not bounded by the level.  "step"
        trains two heads and a coin by PPO-Lagrangian, and takes the best network alone.
    algorithm: "ppo-lagrangian" or "cpo".
    levels: limits to train at; by default multiples of the level.
    steps: environment steps of each training; by default the algorithm's.
    seed: of the first parameters, the episodes and the coin.
    folder: where runs are kept and looked up; by default `parts.runs.runs_folder()`.  Runs on an
        environment object, or with a cost function, have no name that would tell them from others:
        they are kept only if a folder is given, and never looked up.
    progress: called after each update with its number among those of all trainings, how many those
        are, and its line of metrics, with the "limit".
    cost: cost(observation, action, following observation, info) of an environment without one in
        ``info["cost"]``; positive is unsafe.
    episodes: fresh ones that measure each policy.
    margin, confidence: whether measured risks are taken as they are or as upper bounds, as
        `measured_flip` says.
    options: of the algorithm, such as ``n_envs=8``.

    Raises
    ------
    ModelError: when no trained policy is safe enough; for an unknown task, algorithm or option; for
        an environment without a cost; for a limit that the exact layer proves impossible.
    TrainingError: when a number is not finite.
    """
    wanted = _Wanted.of(form, algorithm, level, levels)
    own = options if steps is None else {**options, "steps": steps}
    with named(env, cost, None if folder is None else Path(folder)) as place:
        trainings = {
            limit: Training(wanted.algorithm, place.task, seed, record, device)
            for limit, record in wanted.options({**place.suited, **own}).items()
        }
        trained = _trained(trainings, place.folder, progress)
        measured = {
            limit: _measured(trained[limit], training, episodes)
            for limit, training in trainings.items()
        }
    flip = measured_flip(
        list(measured.values()),
        wanted.level,
        margin=margin,
        confidence=confidence,
        alone=form == "step",
    )
    two = wanted.limits[flip.safer], wanted.limits[flip.bolder]
    kept: dict[str, Any] = {"seed": seed, "limits": two, "measured": measured}
    if form == "step":
        return FlippingPolicy.of_heads(trained[two[0]].first, **kept)
    return FlippingPolicy(trained[two[0]], trained[two[1]], flip.probability, form=form, **kept)


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
        wished = levels or [
            min(bound * k, Fraction(1)) for k in (ALONE if form == "step" else FLIPPED)
        ]
        limits = dict.fromkeys(checked_share(each, f"levels[{i}]") for i, each in enumerate(wished))
        name = "flipping" if form == "step" else algorithm
        return cls(f"chance/{name}", bound, tuple(limits))

    def options(self, given: Mapping[str, Any]) -> dict[Fraction, Any]:
        """Limit -> the algorithm's record."""
        if "limit" in given:
            raise ModelError(
                f"limit is {given['limit']!r}; policies are trained at several limits, give levels"
            )
        record = find(self.algorithm).options
        return {k: options_from(record, {**given, "limit": float(k)}) for k in self.limits}


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


def _measured(policy: Any, training: Training, episodes: int) -> Episodes:
    return evaluate(
        policy,
        training.task,
        episodes=episodes,
        seed_words=("train-flipping", training.digest),
        first_violation=training.options.first_violation,
    )


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
