"""Ascent of a leader's network by sampled hypergradients, each beside the exact one.

Trajectories, estimators and exact values are those of `solvers.hypergradient`; the networks of the
leader and of its critic are here, and the optimizer is Adam.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..parts.algorithms import Algorithm
from ..parts.constrained import require_positive
from ..parts.runs import Run, Workplace
from ..parts.training import Training, TrainingError, option

if TYPE_CHECKING:
    from torch import Tensor

    from ...hypergradient.leaders import AffineLeader

TASKS = ("toy4-1", "toy4-2", "grid")
METHODS = ("bc-hg", "hpgd-mc", "hpgd-sa", "naive", "flipped", "uncentred", "exact")
CRITICS = ("network", "exact", "monte-carlo")


@dataclass(frozen=True)
class AscentOptions:
    """Options of one training.  Raises ModelError for what is not known or out of range."""

    method: str = option("bc-hg", "bc-hg, hpgd-mc, hpgd-sa, naive (direct term), exact; controls: "
                                  "flipped (sign of the reaction), uncentred (Q for A)")  # fmt: skip
    critic: str = option("network", "the leader's own values: network, exact, or monte-carlo")
    sweeps: int = option(0, "soft Q-iterations of the follower an update, its table carried on; 0 "
                            "for its best response")  # fmt: skip
    updates: int = option(200, "of the leader")
    warm: int = option(50, "first updates in which the critic learns and the leader stands still")
    steps: int = option(450, "of the follower an update")
    learning_rate: float = option(0.02, "of the leader")
    width: int = option(32, "units of the leader's two hidden layers; 0 for a table of logits")
    critic_width: int = option(64, "units of its critic's two hidden layers")
    critic_steps: int = option(20, "of the critic an update, on all steps of the update")
    critic_rate: float = option(0.003, "learning rate of the critic")
    checkpoint_every: int = option(50, "updates between checkpoints; 0 for none")

    def __post_init__(self) -> None:
        require_positive(
            self, "updates steps learning_rate critic_width critic_steps critic_rate"
        )
        for name, known in (("method", METHODS), ("critic", CRITICS)):
            if (value := getattr(self, name)) not in known:
                raise ModelError(f"{name} = {value!r} is not known; give one of {', '.join(known)}")
        for name in ("sweeps", "width", "warm", "checkpoint_every"):
            if (number := getattr(self, name)) < 0:
                raise ModelError(f"{name} = {number} is negative; give 0 or more")
        if self.method == "exact" and (self.sweeps or self.critic != "network"):
            raise ModelError(
                'method = "exact" takes no samples, so sweeps and critic have no effect; leave '
                "them out"
            )


def check(training: Training) -> None:
    """Raises ModelError for an unknown task, or a device other than the CPU."""
    if training.task not in TASKS:
        raise ModelError(f"the task is {training.task!r}; give one of {', '.join(TASKS)}")
    if training.device != "cpu":
        raise ModelError(
            f"device = {training.device!r}; problems this small are trained on the cpu"
        )


class Climber(Protocol):
    """The state of a training: `update` makes one step and returns its line."""

    def update(self, number: int) -> dict[str, float]: ...

    def tensors(self) -> dict[str, Tensor]: ...

    def restore(self, tensors: dict[str, Tensor]) -> None: ...

    def reached(self) -> float:
        """The leader's objective after the last update."""
        ...


def train(workplace: Workplace) -> None:
    """Train, from the last checkpoint if there is one.  Raises TrainingError at an estimate that is
    not finite."""
    from .finite import Climb

    climb(workplace, lambda: Climb(workplace.training))


def climb(workplace: Workplace, begin: Callable[[], Climber]) -> None:
    """All updates of a training on one thread, its checkpoints, and its outcome."""
    import torch

    from ..parts.on_policy import one_thread

    options = workplace.training.options
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(word(workplace.training.seed, 0))
        state = begin()
        done, saved = workplace.resume()
        if saved is not None:
            state.restore(saved.tensors)
        for update in range(done + 1, options.updates + 1):
            torch.manual_seed(word(workplace.training.seed, update))
            line = state.update(update)
            if not all(map(math.isfinite, line.values())):
                raise TrainingError(
                    f"update {update}: {line} is not finite; the last checkpoint is kept: give a "
                    "smaller learning_rate"
                )
            workplace.record(update, options.updates, line)
            if options.checkpoint_every and update % options.checkpoint_every == 0:
                workplace.checkpoint(update, state.tensors(), {})
        workplace.keep(state.tensors(), {"objective": state.reached()})


def word(seed: int, update: int) -> int:
    """A seed of 32 bits for one update of one training; update 0 is the first parameters."""
    return int(np.random.SeedSequence([seed, update]).generate_state(1)[0])


def compared(found: Array, exact: Array, direct: Array) -> dict[str, float]:
    """An estimate beside the exact hypergradient: cosine, and projections over its square."""
    square, along = float(exact @ exact), float(found @ exact)
    size = float(np.linalg.norm(found)) * math.sqrt(square)
    cosine, projection = along / size if size else 0.0, along / square
    return {"cosine": cosine, "projection": projection, "direct": float(direct @ exact) / square}


@dataclass(frozen=True, eq=False)
class AscentRun:
    """What a finished run showed.

    lines: one mapping an update: the leader's exact objective before it, un-normalised; of the
    estimate, its cosine and its projection on the exact hypergradient h, <estimate, h>/|h|^2, and
    that of the exact direct term; objective: after the last update; theta: float64[d].
    """

    training: Training
    lines: Sequence[Mapping[str, float]]
    objective: float
    theta: Array

    def column(self, name: str) -> Array:
        """A number of every update; float64[updates]."""
        return np.array([line[name] for line in self.lines])

    def leader(self) -> AffineLeader:
        """The problem, for `hypergradient` at `theta`."""
        from .problems import PROBLEMS

        return PROBLEMS[self.training.task](self.training.options.width)


def load(run: Run) -> AscentRun:
    """What the run kept.  Raises ModelError as `Run.outcome`."""
    kept = run.outcome()
    return AscentRun(
        run.training, run.metrics(), kept.numbers["objective"], kept.tensors["theta"].numpy()
    )


ALGORITHM = Algorithm("hypergradient/ascent", AscentOptions, train, load, check)
