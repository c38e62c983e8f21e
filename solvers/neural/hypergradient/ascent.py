"""Ascent of a leader by sampled hypergradients, where every estimate stands beside the exact one.

Tasks: `finite` (games and a grid; the leader and its critic are networks), `regulator` (a bilevel
LQR in closed form), `responses` (reward weights of a language model's tilted policy).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import ModelError
from ...sequences import Array
from ..parts.algorithms import Algorithm
from ..parts.checkpoints import named, optimizer_tensors, part, set_optimizer_tensors
from ..parts.constrained import require_positive
from ..parts.runs import Run, Workplace
from ..parts.training import Training, option
from ..parts.updates import run_updates, word

METHODS = ("bc-hg", "hpgd-mc", "hpgd-sa", "naive", "flipped", "uncentred", "exact")
CRITICS = ("network", "exact", "monte-carlo")
FINITE = ("toy4-1", "toy4-2", "grid")
TASKS = {**dict.fromkeys(FINITE, "finite"), "lqr": "regulator", "tiny": "responses",
         "smollm2": "responses"}  # fmt: skip
"""Task -> the module that has its `Climb`."""
_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "grid": {"steps": 100, "learning_rate": 0.1},
    "lqr": {"steps": 2400, "updates": 60, "learning_rate": 0.1},
    "tiny": {"steps": 256, "updates": 60, "learning_rate": 0.1},
    "smollm2": {"steps": 256, "updates": 60, "learning_rate": 0.1},
}  # fmt: skip
_LONGEST = 1.0
"""Norm to which estimates are cut, as in the released code: single rare steps weigh 1/beta."""


@dataclass(frozen=True)
class AscentOptions:
    """Options of one training.  Raises ModelError for what is not known or out of range."""

    method: str = option("bc-hg", "bc-hg, hpgd-mc, hpgd-sa, naive (direct term), exact; as "
                                  "controls flipped (sign of the reaction), uncentred")  # fmt: skip
    updates: int = option(200, "of the leader")
    steps: int = option(450, "of the follower an update, or responses of the language model")
    learning_rate: float = option(0.02, "of the leader; the other tasks begin with 0.1")
    checkpoint_every: int = option(50, "updates between checkpoints; 0 for none")
    critic: str = option("network", "the leader's own values: network, exact, or monte-carlo")
    sweeps: int = option(0, "soft Q-iterations of the follower an update, its table carried on; 0 "
                            "for its best response")  # fmt: skip
    warm: int = option(50, "first updates in which the critic learns and the leader stands still")
    width: int = option(32, "units of the leader's two hidden layers; 0 for a table of logits")
    critic_width: int = option(64, "units of its critic's two hidden layers")
    critic_steps: int = option(20, "of the critic an update, on all steps of the update")
    critic_rate: float = option(0.003, "learning rate of the critic")

    def __post_init__(self) -> None:
        require_positive(self, "updates steps learning_rate critic_width critic_steps critic_rate")
        for name, known in (("method", METHODS), ("critic", CRITICS)):
            if (value := getattr(self, name)) not in known:
                raise ModelError(f"{name} = {value!r} is not known; give one of {', '.join(known)}")
        for name in ("sweeps", "width", "warm", "checkpoint_every"):
            if (number := getattr(self, name)) < 0:
                raise ModelError(f"{name} = {number} is negative; give 0 or more")


def check(training: Training) -> None:
    """Raises ModelError for an unknown task, a device other than the CPU, and options that have no
    effect on the task."""
    task, options = training.task, training.options
    if task not in TASKS:
        raise ModelError(f"the task is {task!r}; give one of {', '.join(TASKS)}")
    if training.device != "cpu":
        raise ModelError(f"device = {training.device!r}; problems this small are for the cpu")
    idle = [] if task in FINITE else [one.name for one in fields(options)][5:]
    for name in idle:
        if getattr(options, name) != getattr(AscentOptions, name):
            raise ModelError(f"{name} has no effect on the task {task!r}; leave it out")
    if task not in FINITE and options.method.startswith("hpgd"):
        raise ModelError(f"{options.method} averages over cells; {task!r} has none, take bc-hg")


class Climb:
    """A training; a task says what is exact and what is estimated.

    `optimizer` is Adam where the gradient's length says little, else plain ascent.
    """

    optimizer: type[torch.optim.Optimizer] = torch.optim.Adam

    def __init__(self, training: Training, start: Array) -> None:
        self.training, self.options = training, training.options
        self.parameter = nn.Parameter(torch.tensor(start))
        rate: Any = {"lr": self.options.learning_rate}
        self.climber = self.optimizer([self.parameter], **rate)

    @property
    def theta(self) -> Array:
        """float64[d]."""
        found: Array = self.parameter.detach().numpy()
        return found

    def exact(self) -> tuple[float, Array, Array]:
        """The objective at theta, its gradient, and the direct term of that."""
        raise NotImplementedError

    def estimate(self, seed: int) -> Array:
        """float64[d], by the method, from samples of the seed."""
        raise NotImplementedError

    def update(self, number: int) -> dict[str, float]:
        """One step of ascent; what the exact values were before it, and the estimate beside."""
        objective, exact, direct = self.exact()
        sampled = self.options.method != "exact"
        found = self.estimate(word(self.training.seed, number)) if sampled else exact
        self.ascend(found, number)
        square, along = float(exact @ exact), float(found @ exact)
        size = float(np.linalg.norm(found)) * math.sqrt(square)
        return {
            "objective": objective, "cosine": along / size if size else 0.0,
            "along": along, "square": square, "direct": float(direct @ exact),
        }  # fmt: skip

    def ascend(self, found: Array, number: int) -> None:
        """A step along the estimate."""
        self.parameter.grad = -torch.as_tensor(found)
        nn.utils.clip_grad_norm_([self.parameter], _LONGEST)
        self.climber.step()

    def tensors(self) -> dict[str, Tensor]:
        """All that a further update depends on."""
        return {"theta": self.parameter, **named("climber", optimizer_tensors(self.climber))}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on after the update in which `tensors` were taken."""
        self.parameter.data = tensors["theta"]
        set_optimizer_tensors(self.climber, part("climber", tensors))

    def outcome(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """With the objective after the last update."""
        return self.tensors(), {"objective": self.exact()[0]}


def train(workplace: Workplace) -> None:
    """Train, from the last checkpoint if there is one.  Raises TrainingError at what is not finite,
    and ModelError as the task does."""
    module = import_module(f".{TASKS[workplace.training.task]}", __package__)
    run_updates(workplace, module.begin)


@dataclass(frozen=True, eq=False)
class AscentRun:
    """What a finished run showed.

    lines: one mapping an update: the leader's objective before it, un-normalised; where the
    hypergradient h is known, the estimate's cosine to it, and ``along``, ``square`` and ``direct``,
    the products of h with the estimate, with itself and with the exact direct term; objective:
    after the last update; theta: the leader.
    """

    training: Training
    lines: Sequence[Mapping[str, float]]
    objective: float
    theta: Array

    def column(self, name: str) -> Array:
        """A number of every update; float64[updates]."""
        return np.array([line[name] for line in self.lines], float)

    def projection(self, name: str = "along") -> float:
        """Of the estimates, or of the direct terms, on the hypergradients, in units of these.

        Sums over all updates are divided, so that updates at the top, where the hypergradient is
        as good as 0, hardly count.  An unbiased estimate has 1 in expectation.
        """
        total = float(self.column("square").sum())
        return float(self.column(name).sum()) / total if total else math.nan


def load(run: Run) -> AscentRun:
    """What the run kept.  Raises ModelError as `Run.outcome`."""
    kept = run.outcome()
    theta, objective = kept.tensors["theta"].numpy(), kept.numbers["objective"]
    return AscentRun(run.training, run.metrics(), objective, theta)


ALGORITHM = Algorithm(
    "hypergradient/ascent", AscentOptions, train, load, check,
    lambda task, given: _PRESETS.get(task, {}),
)  # fmt: skip
