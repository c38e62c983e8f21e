"""Small games and a grid: networks for the leader and its critic, all else exact or sampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from stable_baselines3.common.torch_layers import create_mlp
from stable_baselines3.common.utils import polyak_update
from torch import Tensor, nn

from ...hypergradient.adjoint import Critic, Hypergradient, evaluate_leader, hypergradient
from ...hypergradient.estimators.critics import monte_carlo_critic
from ...hypergradient.estimators.estimate import estimate
from ...hypergradient.leaders import AffineLeader
from ...hypergradient.models import BilevelModel
from ...hypergradient.sampling import Trajectories, roll_out
from ...hypergradient.soft import Follower, soft_backup
from ...sequences import Array
from ..parts.checkpoints import named, optimizer_tensors, part, set_optimizer_tensors
from ..parts.training import Training
from .ascent import Climb
from .problems import HORIZONS, problem

_FOLLOWING = 0.05
"""Share of the critic that its target takes over a step: less is steadier and slower."""


def sampled(
    leader: AffineLeader, parameters: Array, follower: Follower, steps: Trajectories,
    critic: Critic, method: str, model: BilevelModel,
) -> Array:  # fmt: skip
    """float64[d], an estimate of the hypergradient by an estimator or by a control: "flipped" (the
    follower's reaction with the wrong sign) or "uncentred"."""
    given = (leader, parameters, follower, steps)
    if method == "flipped":
        full, direct = (estimate(*given, critic, m, model=model) for m in ("bc-hg", "naive"))
        return 2 * direct - full
    if method == "uncentred":
        critic, method = replace(critic, advantages=critic.action_values), "bc-hg"
    return estimate(*given, critic, method, model=model)


class NetworkCritic:
    """Q_L of the leader as a network of the follower's state, fitted by expected SARSA."""

    def __init__(self, model: BilevelModel, width: int, rate: float) -> None:
        self.network, self.target = (
            nn.Sequential(*create_mlp(model.n_states, model.n_actions, [width] * 2, nn.Tanh))
            for _ in range(2)
        )
        self.target.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=rate)
        self.states = torch.eye(model.n_states)
        self.going = torch.as_tensor(~model.terminal, dtype=torch.float32)[:, None]

    def fit(self, model: BilevelModel, policy: Array, seen: Trajectories, steps: int) -> None:
        """Gradient steps on all transitions seen; rewards and policy are those of the model.

        Values are learned in units of 1/(1 - gamma_L): the network is of rewards a step.
        """
        laws, discount = torch.as_tensor(policy, dtype=torch.float32), model.leader_discount
        rewards = torch.as_tensor(model.leader_rewards.ravel()[seen.cells], dtype=torch.float32)
        for _ in range(steps):
            with torch.no_grad():
                values = (laws * self.going * self.target(self.states)).sum(dim=1)
                wanted = (1 - discount) * rewards + discount * values[seen.followings]
            found = self.network(self.states)[seen.states, seen.actions]
            loss = nn.functional.mse_loss(found, wanted)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            polyak_update(self.network.parameters(), self.target.parameters(), _FOLLOWING)

    def table(self, discount: float) -> Array:
        """float64[n, A] of Q_L."""
        with torch.no_grad():
            found = self.going * self.network(self.states) / (1 - discount)
        return np.asarray(found.double().numpy())


def _critic(values: Array, table: Array) -> Critic:
    """An estimated critic as the record of an exact one, without visits and bounds of errors."""
    return Critic(values, table, table - values[:, None], np.empty(0), np.inf, np.inf)


class Finite(Climb):
    """A leader of `problems`; steps are plain and cut: those that show nothing are short."""

    optimizer = torch.optim.SGD

    def __init__(self, training: Training) -> None:
        o = training.options
        self.leader = problem(training.task, o.width)
        super().__init__(training, self.leader.parameters)
        model = self.leader.model(self.theta)
        self.values = np.zeros(model.n_states)
        self.network = NetworkCritic(model, o.critic_width, o.critic_rate)
        self.found: Hypergradient

    def exact(self) -> tuple[float, Array, Array]:
        """By the adjoint equations."""
        self.found = hypergradient(self.leader, self.theta)
        return self.found.objective, self.found.gradient, self.found.direct

    def estimate(self, seed: int) -> Array:
        """From new trajectories, by `sampled`."""
        o, theta = self.options, self.theta
        model = self.leader.model(theta)
        follower = self._behind(model) if o.sweeps else self.found.follower
        horizon = HORIZONS[self.training.task]
        steps = roll_out(model, follower.policy, seed, horizon=horizon, steps=o.steps)
        critic = self._critic(model, follower.policy, steps)
        return sampled(self.leader, theta, follower, steps, critic, o.method, model)

    def ascend(self, found: Array, number: int) -> None:
        """The leader stands still while its critic begins to learn."""
        if self.options.critic != "network" or number > self.options.warm:
            super().ascend(found, number)

    def _behind(self, model: BilevelModel) -> Follower:
        """The follower after its sweeps of soft Q-iteration, from where it was."""
        for _ in range(self.options.sweeps):
            action_values, policy, backed = soft_backup(model, self.values)
            residual, self.values = float(np.abs(backed - self.values).max()), backed
        return Follower(policy, self.values, action_values, residual, *[np.inf] * 3)

    def _critic(self, model: BilevelModel, policy: Array, steps: Trajectories) -> Critic:
        if self.options.critic == "exact":
            return evaluate_leader(model, policy)
        if self.options.critic == "monte-carlo":
            found = monte_carlo_critic(model, steps)
            return Critic(
                found.values, found.action_values, found.advantages, np.empty(0), np.inf, np.inf
            )
        self.network.fit(model, policy, steps, self.options.critic_steps)
        table = self.network.table(model.leader_discount)
        return _critic((policy * table).sum(axis=1), table)

    def tensors(self) -> dict[str, Tensor]:
        """Of the leader, the follower that is behind, and the critic."""
        return {
            **super().tensors(), "values": torch.as_tensor(self.values),
            **named("network", self.network.network.state_dict()),
            **named("target", self.network.target.state_dict()),
            **named("critic", optimizer_tensors(self.network.optimizer)),
        }  # fmt: skip

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on after the update in which `tensors` were taken."""
        super().restore(tensors)
        self.values = tensors["values"].numpy()
        self.network.network.load_state_dict(part("network", tensors))
        self.network.target.load_state_dict(part("target", tensors))
        set_optimizer_tensors(self.network.optimizer, part("critic", tensors))


begin = Finite
