"""PPO-Lagrangian in a model of recorded episodes, where leaving the data costs (after OGSRL).

The guarded problem limits two expectations in the model, of costs and of steps outside.  Here one
multiplier holds their weighted sum::

    E[sum_t c_t + w 1{(s_t, a_t) outside}] <= limit,

which implies both E[sum c] <= limit and E[sum outside] <= limit / w, in the model.  The released
code of the paper has CPO, whose branch for costs is never entered there; it is not copied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy

from ...errors import ModelError
from ..chance.ppo_lagrangian import PpoLagrangianOptions
from ..chance.trainers import PPOLagrangian
from ..parts.algorithms import Algorithm
from ..parts.constrained import check_constrained, refuse_idle, require_positive
from ..parts.on_policy import one_thread
from ..parts.policies import load_policy, train_policy
from ..parts.runs import Workplace
from ..parts.task_data import data_of, source
from ..parts.tasks import environment, episode_length
from ..parts.training import Training, option
from ..parts.updates import word
from .data import check as check_offline
from .dynamics import Ensemble, ModelVecEnv, pairs_of
from .guardian import KINDS, guardian


@dataclass(frozen=True)
class GuardedOptions(PpoLagrangianOptions):
    """Options of PPO-Lagrangian, and of the model; the defaults suit episodes of 100 steps."""

    data: str = option("", "HDF5 file of episodes (DSRL, D4RL, Minari); none for scripted drivers")
    episodes: int = option(240, "episodes of the scripted drivers")
    guardian: str = option("density", "the set of known pairs: density, ellipsoid, or none")
    level: float = option(0.05, "share of recorded pairs that may lie outside")
    outside_cost: float = option(1.0, "w, of a step outside, beside the predicted cost")
    members: int = option(3, "networks of the model")
    model_width: int = option(64, "units of each of their two hidden layers")
    model_steps: int = option(2000, "gradient steps of the model")
    steps: int = option(320_000, "steps in the model, of all its copies, up to whole updates")
    n_envs: int = option(64, "episodes at once")
    rollout: int = option(100, "steps of each an update; it starts with fresh episodes")
    batch: int = option(640, "observations a step")
    epochs: int = option(5, "passes over a rollout that train policy and critic")
    limit: float = option(10.0, "what the expected cost of an episode may be at most")
    first_violation: bool = option(False, "an episode costs 1 if it has an unsafe step, else 0")
    ascent_rate: float = option(0.02, "ascent: step a unit of cost above the limit")
    discount: float = option(0.97, "discount of rewards in the critic")
    cost_discount: float = option(0.97, "discount of costs in their critic")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "episodes members model_width model_steps")
        if self.guardian not in KINDS:
            raise ModelError(f"guardian = {self.guardian!r}; give one of {', '.join(KINDS)}")
        if not 0 < self.level < 1:
            raise ModelError(f"level = {self.level}; give a share between 0 and 1, such as 0.05")
        if self.outside_cost < 0:
            raise ModelError(f"outside_cost = {self.outside_cost}; give 0 or more")
        if self.data:
            refuse_idle(self, "episodes", f"data = {self.data!r}")
        if self.guardian == "none":
            refuse_idle(self, "level outside_cost", "guardian = 'none'")
        if self.exploring or self.first_violation:
            raise ModelError(
                "exploring and first_violation have no meaning in a model of recorded episodes; "
                "leave them out"
            )


def check(training: Training) -> None:
    """Raises ModelError as `data.check`, and for rollouts that are no whole episodes."""
    check_offline(training)
    check_constrained(training)
    length, rollout = episode_length(training.task), training.options.rollout
    if length is None or rollout % length:
        raise ModelError(
            f"rollout = {rollout} is no multiple of the {length} steps of an episode of "
            f"{training.task}; give whole episodes"
        )


def world(training: Training) -> ModelVecEnv:
    """The model with its guardian; it follows from the seed."""
    o: GuardedOptions = training.options
    data, seed = data_of(training), word(training.seed, 0)
    stream, length = np.random.default_rng(seed), episode_length(training.task)
    env = environment(training.task)
    actions = env.action_space
    env.close()
    assert isinstance(actions, spaces.Box) and length is not None
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ensemble = Ensemble(data, o.members, o.model_width)
        ensemble.fit(data, o.model_steps, stream)
        guard = guardian(pairs_of(data).astype(float), o.guardian, o.level, stream)
    return ModelVecEnv(ensemble, data, guard, actions, n_envs=o.n_envs, horizon=length,
                       outside_cost=o.outside_cost)  # fmt: skip


def train(workplace: Workplace) -> None:
    """Fit the model, anew where a training goes on, and train in it.  Raises as `train_policy`."""
    o: GuardedOptions = workplace.training.options
    train_policy(
        workplace, PPOLagrangian, ActorCriticPolicy, world(workplace.training),
        batch_size=o.batch, n_epochs=o.epochs, clip_range=o.clip, ent_coef=o.entropy,
        vf_coef=o.value_weight, max_grad_norm=o.gradient_norm,
    )  # fmt: skip


ALGORITHM = Algorithm("offline/guarded", GuardedOptions, train, load_policy, check, source=source)
