"""``poisoning/reward-model``: a run is one cell of one seed, its start and its five victims."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..parts.algorithms import Algorithm
from ..parts.checkpoints import named, part
from ..parts.runs import Progress, Run, obtain
from ..parts.training import Training, TrainingError
from .answers import SYNTHETIC, read_answers
from .reward_model import RewardModel, Watch
from .victims import LABELS, Cell, Outcome, RewardModelOptions, judge, prepare

if TYPE_CHECKING:
    from torch import Tensor

    from ..parts.runs import Workplace

NAME = "poisoning/reward-model"


@dataclass(frozen=True)
class TrainedVictims:
    """outcome: how the victims compare; models: the start and the victims, by name."""

    outcome: Outcome
    models: dict[str, RewardModel]


def check(training: Training) -> None:
    """Read the data, which takes a moment.  Raises ModelError as `read_answers` does."""
    read_answers(training.task, training.options.features)


def train(workplace: Workplace) -> None:
    """Train the start and the victims; after each a checkpoint is kept."""
    training = workplace.training
    options: RewardModelOptions = training.options
    answers = read_answers(training.task, options.features)
    total = options.warm_steps + len(LABELS) * options.steps
    done, saved = workplace.resume()

    def watch_from(first: int, victim: int) -> Watch:
        def watch(step: int, loss: float) -> None:
            if first + step > done:
                workplace.record(first + step, total, {"victim": victim, "loss": loss})

        return watch

    # the start is trained again where a run goes on: it is the shortest part, and bit-identical
    cell = prepare(answers, options, training.seed, device=training.device, watch=watch_from(0, 0))
    models = {"start": cell.start}
    first = options.warm_steps
    for number, name in enumerate(LABELS, start=1):
        if saved is not None and first + options.steps <= done:
            models[name] = _loaded(cell, part(name, saved.tensors))
        else:
            try:
                models[name] = cell.victim(name, watch_from(first, number))
            except TrainingError as error:
                raise TrainingError(f"the victim of the labels {name}: {error}") from error
        first += options.steps
        if first > done:
            workplace.checkpoint(first, _tensors(models), {})
    outcome = judge(cell, models, answers.digest)
    workplace.keep(
        _tensors(models), {"n_inputs": cell.train.shape[2], "outcome": outcome.to_dict()}
    )


def load(run: Run) -> TrainedVictims:
    """Raises ModelError as `Run.outcome` does."""
    saved, options = run.outcome(), run.training.options
    outcome = Outcome.from_dict(saved.numbers["outcome"])
    models = {}
    for name in ("start", *LABELS):
        model = RewardModel(saved.numbers["n_inputs"], options.hidden, options.width, 0)
        model.load_state_dict(part(name, saved.tensors))
        models[name] = model
    return TrainedVictims(outcome, models)


def source(training: Training) -> Path | None:
    """The file of pairs, if they are not made."""
    return None if training.task == SYNTHETIC else Path(training.task)


def _tensors(models: dict[str, RewardModel]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, model in models.items():
        found |= named(name, model.state_dict())
    return found


def _loaded(cell: Cell, tensors: dict[str, Tensor]) -> RewardModel:
    model = deepcopy(cell.start)
    model.load_state_dict(tensors)
    return model


def obtain_outcome(
    task: str,
    options: RewardModelOptions,
    seed: int,
    *,
    device: str = "cpu",
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """How the victims of a cell compare: looked up, or trained first.

    task: "synthetic" or a file of preference data.  Raises as `obtain` and `read_answers` do.
    """
    training = Training(NAME, task, seed, options, device)
    run = obtain(training, folder=folder, progress=progress)
    found: TrainedVictims = run.result()
    return found.outcome


ALGORITHM = Algorithm(NAME, RewardModelOptions, train, load, check, source=source)
