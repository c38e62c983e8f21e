"""Ascent of a leader's network by sampled hypergradients, each beside the exact one.

The trajectories, estimators and exact values are those of `solvers.hypergradient`; here are the
network of the leader, that of its critic, and the optimizer, which is Adam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...hypergradient.adjoint import Hypergradient, evaluate_leader, hypergradient
from ...hypergradient.estimators import SampledCritic, estimate, monte_carlo_critic
from ...hypergradient.sampling import Trajectories, roll_out
from ...hypergradient.soft import Follower, soft_backup
from ...sequences import Array
from ..parts.algorithms import Algorithm
from ..parts.constrained import require_positive
from ..parts.runs import Run, Workplace
from ..parts.training import Training, TrainingError, option

if TYPE_CHECKING:
    from ...hypergradient.leaders import AffineLeader
    from ...hypergradient.models import BilevelModel

TASKS = {"toy4-1": 150, "toy4-2": 150, "grid": 100}
"""Task -> steps after which an episode is cut."""
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
        for name in ("sweeps", "width", "checkpoint_every"):
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


@dataclass(frozen=True)
class _Uncentred:
    """A critic whose advantages are not centred: the control that must fail."""

    values: Array
    action_values: Array

    @property
    def advantages(self) -> Array:
        return self.action_values


def sampled(
    leader: AffineLeader, parameters: Array, follower: Follower, steps: Trajectories, critic: Any,
    method: str, model: BilevelModel,
) -> Array:  # fmt: skip
    """float64[d], an estimate of the hypergradient by a method or a control of `METHODS`."""
    given = (leader, parameters, follower, steps)
    if method == "flipped":
        full, direct = (estimate(*given, critic, m, model=model) for m in ("bc-hg", "naive"))
        return 2 * direct - full
    if method == "uncentred":
        critic, method = _Uncentred(critic.values, critic.action_values), "bc-hg"
    return estimate(*given, critic, method, model=model)


def train(workplace: Workplace) -> None:
    """Train, from the last checkpoint if there is one.  Raises TrainingError at a gradient that is
    not finite."""
    import torch

    from ..parts.on_policy import one_thread
    from .critics import NetworkCritic

    training = workplace.training
    options: AscentOptions = training.options
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(_words(training.seed, 0))
        leader = fresh_leader(training)
        state = _State(training, leader)
        done, saved = workplace.resume()
        if saved is not None:
            state.restore(saved.tensors)
        for update in range(done + 1, options.updates + 1):
            workplace.record(update, options.updates, state.step(update))
            if options.checkpoint_every and update % options.checkpoint_every == 0:
                workplace.checkpoint(update, state.tensors(), {})
        final = hypergradient(leader, state.theta).objective
        workplace.keep({"theta": state.tensors()["theta"]}, {"objective": final})
