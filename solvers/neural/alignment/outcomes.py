"""What all runs on bandits keep: laws of all responses, exactly as the model gives them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..parts.runs import Run, Workplace
from ..parts.training import Training
from ..poisoning.language_model import model_of

TASK = "bandit"


@contextmanager
def from_the_start(workplace: Workplace) -> Iterator[None]:
    """A training that begins anew if it was interrupted, on one thread, without what libraries warn
    of names that are to change."""
    from ..parts.on_policy import one_thread

    workplace.resume()
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished run, float64[X, Y] each.

    reference: the policy before training; policy: after it; first: after the first stage, of runs
    that have two; rewards, safety: of the responses; folder: of the models as transformers keeps
    them, "reference", "model" and, of two stages, "stage-1"; lines: one mapping an update.
    """

    training: Training
    reference: Array
    rewards: Array
    safety: Array
    policy: Array
    first: Array | None
    folder: Path
    lines: list[dict[str, Any]]
    numbers: Mapping[str, Any]

    @property
    def options(self) -> Any:
        """The options of the training."""
        return self.training.options


def seed_of(training: Training) -> int:
    """A seed of 32 bits that follows from the seed of the run."""
    return int(np.random.SeedSequence(training.seed).generate_state(1)[0])


def require_task(training: Training) -> None:
    """Raises ModelError for another task than "bandit", or a device other than the CPU."""
    if training.task != TASK:
        raise ModelError(f"the task is {training.task!r}; this algorithm learns on {TASK!r}")
    if training.device != "cpu":
        raise ModelError(
            f"device = {training.device!r}; a bandit is so small that it is trained on the cpu"
        )


def require_cpu(training: Training) -> None:
    """Raises ModelError for a device other than the CPU."""
    if training.device != "cpu":
        raise ModelError(f"device = {training.device!r}; this training runs on the cpu")


def require_prompts(training: Training) -> None:
    """Raises ModelError for a device other than the CPU, and a file without prompts."""
    from .texts import known_prompts

    require_cpu(training)
    known_prompts(Path(training.task))


def require_weights(place: str, wanted: str, folder: Path) -> None:
    """ModelError if the folder of a model is still there, with other weights than were trained."""
    if (Path(place) / "config.json").is_file() and model_of(place).digest != wanted:
        raise ModelError(
            f"the weights in {place} have changed since {folder} was trained on them; bring the "
            f"old ones back, or delete {folder} and train again"
        )


def trainer_arguments(workplace: Workplace, **own: Any) -> dict[str, Any]:
    """Arguments that all trainers of TRL share here: one seed, no decay, no clipping, no noise."""
    seed = seed_of(workplace.training)
    return {
        "output_dir": str(workplace.run.folder / "trainer"), "seed": seed, "data_seed": seed,
        "lr_scheduler_type": "cosine", "max_grad_norm": 0.0, "use_cpu": True, "bf16": False,
        "gradient_checkpointing": False, "dataloader_pin_memory": False,
        "remove_unused_columns": False, "logging_steps": 10**9, "disable_tqdm": True,
        "report_to": [], "save_strategy": "no", **own,
    }  # fmt: skip


def keep(
    workplace: Workplace,
    reference: Array,
    rewards: Array,
    safety: Array,
    laws: Mapping[str, Array],
    numbers: Mapping[str, Any] | None = None,
) -> None:
    """Keep the laws.  Raises TrainingError unless the trained one is finite."""
    import torch

    from ..parts.training import TrainingError

    if not np.isfinite(laws["policy"]).all():
        raise TrainingError("the trained law is not finite; give a smaller learning_rate")
    found = {"reference": reference, "rewards": rewards, "safety": safety, **laws}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in found.items()}
    workplace.keep(tensors, dict(numbers or {}))


def load(run: Run) -> Trained:
    """What a finished run kept.  Raises ModelError as `Run.outcome`."""
    kept = run.outcome()
    laws = {name: one.numpy() for name, one in kept.tensors.items()}
    return Trained(
        run.training, laws["reference"], laws["rewards"], laws["safety"], laws["policy"],
        laws.get("first"), run.folder, run.metrics(), kept.numbers,
    )  # fmt: skip
