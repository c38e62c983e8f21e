"""SAC of stable-baselines3 with a critic of costs beside that of rewards, and recorded data.

Rewards have the least of their critics, costs the largest of theirs, so that neither is promised
too much.  Q-values are UN-normalised and discounted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.common.utils import polyak_update
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.sac.policies import SACPolicy
from torch import Tensor, nn

from ...offline.data_sets import DataSet
from ...sequences import Array
from ..parts.checkpoints import named, optimizer_tensors, part, set_optimizer_tensors
from ..parts.runs import Run

_EDGE = 0.98
"""Recorded actions are taken to lie within this of the bounds: those of a squashed normal law are
never at a bound, and a bound's likelihood would be infinite."""
_FUSED: dict[str, Any] = {"fused": True}
"""One call for all parameters of an Adam."""
_COLUMNS = (
    "observations", "next_observations", "actions", "rewards", "costs", "dones", "timeouts",
)  # fmt: skip


class Transitions(NamedTuple):
    """float32[n, ...] each, actions in [-1, 1]; dones where an episode ended by itself."""

    observations: Tensor
    actions: Tensor
    next_observations: Tensor
    dones: Tensor
    rewards: Tensor
    costs: Tensor


class CostBuffer(ReplayBuffer):
    """A replay buffer with ``info["cost"]``; `stream` draws what is sampled."""

    def __init__(self, *arguments: Any, **named_arguments: Any) -> None:
        super().__init__(*arguments, **named_arguments)
        self.costs = np.zeros_like(self.rewards)
        self.stream = np.random.default_rng(0)

    def add(self, obs: Any, next_obs: Any, action: Any, reward: Any, done: Any, infos: Any) -> None:
        """As the buffer of stable-baselines3, with the costs."""
        self.costs[self.pos] = [info["cost"] for info in infos]
        super().add(obs, next_obs, action, reward, done, infos)

    def fill(self, data: DataSet, actions: Array) -> None:
        """Put the data first, actions scaled to [-1, 1]; of the last steps those that fill no row
        of all copies are left out."""
        rows = len(data.rewards) // self.n_envs
        values = (data.observations, data.next_observations, actions, data.rewards, data.costs,
                  data.terminals | data.timeouts, data.timeouts)  # fmt: skip
        for name, column in zip(_COLUMNS, values, strict=True):
            kept = column[: rows * self.n_envs]
            getattr(self, name)[:rows] = kept.reshape(rows, self.n_envs, *kept.shape[1:])
        self.pos, self.full = rows % self.buffer_size, rows == self.buffer_size

    def sample(self, batch_size: int, env: Any = None) -> Transitions:  # type: ignore[override]
        """Transitions with equal chances, with replacement."""
        at = (self.stream.integers(0, self.size(), batch_size),
              self.stream.integers(0, self.n_envs, batch_size))  # fmt: skip
        ended = self.dones[at] * (1 - self.timeouts[at])
        columns = (self.observations[at], self.actions[at], self.next_observations[at],
                   ended[:, None], self.rewards[at][:, None], self.costs[at][:, None])  # fmt: skip
        return Transitions(*map(self.to_torch, columns))


def least(critic: ContinuousCritic, states: Tensor, actions: Tensor) -> Tensor:
    """float32[n, 1], the least of a critic's networks."""
    return torch.cat(critic(states, actions), dim=1).min(dim=1, keepdim=True).values


def largest(critic: ContinuousCritic, states: Tensor, actions: Tensor) -> Tensor:
    """float32[n, 1], the largest of a critic's networks."""
    return torch.cat(critic(states, actions), dim=1).max(dim=1, keepdim=True).values


class SafeSAC(SAC):
    """An actor with two critics, of rewards and of costs, each with a target that follows it.

    Trainings give their losses; `evaluate_step` is what policy evaluation shares.
    """

    replay_buffer: CostBuffer

    def __init__(self, env: VecEnv, *, width: int, critics: int, **arguments: Any) -> None:
        shape = {"net_arch": [width, width], "n_critics": critics, "optimizer_kwargs": _FUSED}
        super().__init__(
            "MlpPolicy", env, replay_buffer_class=CostBuffer, policy_kwargs=shape, **arguments
        )
        self.set_logger(Logger(None, []))

    def _setup_model(self) -> None:
        super()._setup_model()
        self.cost_critic, self.cost_target = (self.policy.make_critic() for _ in range(2))
        self.cost_target.load_state_dict(self.cost_critic.state_dict())
        self.cost_critic.optimizer = torch.optim.Adam(
            self.cost_critic.parameters(), lr=self.lr_schedule(1), **_FUSED
        )

    def learn_from(self, data: DataSet) -> None:
        """The buffer begins with the data."""
        self.replay_buffer.fill(data, self.policy.scale_action(data.actions))

    def log_likelihood(self, batch: Transitions) -> Tensor:
        """float32[n], of the recorded actions under the actor."""
        mean, log_deviation, _ = self.actor.get_action_dist_params(batch.observations)
        law: Any = self.actor.action_dist
        law.proba_distribution(mean, log_deviation)
        found: Tensor = law.log_prob(batch.actions.clamp(-_EDGE, _EDGE))
        return found

    @torch.no_grad()
    def targets(
        self, batch: Transitions, bonus: float = 0.0, cost_bonus: float = 0.0,
        safe_below: float = float("inf"),
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """What the critics of rewards and costs are fitted to: a step and the value after it.

        bonus, cost_bonus: weights of the entropy of following actions, added to both.  safe_below:
        rewards after an action whose cost is above it count nothing.
        """
        following = batch.next_observations
        actions, log_chance = self.actor.action_log_prob(following)
        entropy, left = -log_chance[:, None], self.gamma * (1 - batch.dones)
        costs = largest(self.cost_target, following, actions)
        rewards = least(self.critic_target, following, actions) * (costs <= safe_below)
        return (batch.rewards + left * (rewards + bonus * entropy),
                batch.costs + left * (costs + cost_bonus * entropy))  # fmt: skip

    def squared_errors(self, batch: Transitions, wanted: tuple[Tensor, Tensor]) -> list[Tensor]:
        """Half the squared Bellman error of rewards' critics and of costs', summed over each."""
        found = []
        for critic, target in zip((self.critic, self.cost_critic), wanted, strict=True):
            values = critic(batch.observations, batch.actions)
            errors = [nn.functional.mse_loss(value, target) for value in values]
            found.append(0.5 * torch.stack(errors).sum())
        return found

    def fit(self, losses: list[Tensor]) -> dict[str, float]:
        """A step of both critics, and of the targets that follow them."""
        critics = (self.critic, self.critic_target), (self.cost_critic, self.cost_target)
        for loss, (critic, target) in zip(losses, critics, strict=True):
            descend(critic.optimizer, loss)
            polyak_update(critic.parameters(), target.parameters(), self.tau)
        return {"reward_loss": losses[0].item(), "cost_loss": losses[1].item()}

    def modules(self) -> dict[str, nn.Module]:
        """All networks by name."""
        return {"policy": self.policy, "costs": self.cost_critic, "target": self.cost_target}

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"of actor": self.actor.optimizer, "of critic": self.critic.optimizer,
                "of costs": self.cost_critic.optimizer}  # fmt: skip

    def tensors(self, buffer: bool) -> dict[str, Tensor]:
        """Networks, optimisers, and if asked for the buffer."""
        found = {"place": torch.tensor([self.replay_buffer.pos, int(self.replay_buffer.full),
                                        self.num_timesteps])}  # fmt: skip
        for name, module in self.modules().items():
            found |= named(name, module.state_dict())
        for name, optimizer in self._optimizers().items():
            found |= named(name, optimizer_tensors(optimizer))
        if buffer:
            rows = self.replay_buffer.size()
            columns = {name: torch.as_tensor(getattr(self.replay_buffer, name)[:rows])
                       for name in _COLUMNS}  # fmt: skip
            found |= named("seen", columns)
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` took."""
        for name, module in self.modules().items():
            module.load_state_dict(part(name, tensors))
        for name, optimizer in self._optimizers().items():
            set_optimizer_tensors(optimizer, part(name, tensors))
        for name, column in part("seen", tensors).items():
            getattr(self.replay_buffer, name)[: len(column)] = column.numpy()
        pos, full, self.num_timesteps = tensors["place"].tolist()
        self.replay_buffer.pos, self.replay_buffer.full = pos, bool(full)

    def outcome(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What `load` needs."""
        tensors = {**named("policy", self.policy.state_dict()),
                   **named("costs", self.cost_critic.state_dict())}  # fmt: skip
        actions = self.action_space
        assert isinstance(actions, spaces.Box)
        shape = {"observations": spaces.flatdim(self.observation_space),
                 "low": actions.low.tolist(), "high": actions.high.tolist(),
                 "critics": self.critic.n_critics}  # fmt: skip
        return tensors, shape


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """A step down the gradient of a loss, of the optimizer's parameters alone."""
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()


@dataclass(frozen=True, eq=False)
class OfflinePolicy:
    """What a finished run ended with.

    policy: of stable-baselines3, with actor and critic of rewards; cost_critic; lines: one mapping
    an update; numbers: what else was kept.
    """

    policy: SACPolicy
    cost_critic: ContinuousCritic
    lines: Sequence[Mapping[str, Any]]
    numbers: Mapping[str, Any]

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        """As stable-baselines3's."""
        return self.policy.predict(observation, state, episode_start, deterministic)

    def acting(self, deterministic: bool) -> Any:
        """float32[n, S] observations -> float32[n, A] actions."""
        return lambda seen: self.policy.predict(seen, deterministic=deterministic)[0]


def load(run: Run) -> OfflinePolicy:
    """The policy and critics of a finished run, on the CPU.  Raises ModelError as `Run.outcome`."""
    saved = run.outcome()
    shape, width = saved.numbers, run.training.options.width
    seen = spaces.Box(-np.inf, np.inf, (shape["observations"],), np.float32)
    low, high = (np.array(shape[side], np.float32) for side in ("low", "high"))
    policy = SACPolicy(
        seen, spaces.Box(low, high), lambda _: 0.0, net_arch=[width, width],
        n_critics=shape["critics"],
    )  # fmt: skip
    costs = policy.make_critic()
    policy.load_state_dict(part("policy", saved.tensors))
    costs.load_state_dict(part("costs", saved.tensors))
    policy.set_training_mode(False)
    return OfflinePolicy(policy, costs, run.metrics(), shape)
