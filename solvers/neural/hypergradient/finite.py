"""One update of a leader's network on a small problem: sample, fit the critic, estimate, ascend."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.torch_layers import create_mlp
from stable_baselines3.common.utils import polyak_update
from torch import Tensor, nn

from ...hypergradient.adjoint import Critic, Hypergradient, evaluate_leader, hypergradient
from ...hypergradient.estimators.estimate import estimate
from ...hypergradient.estimators.critics import SampledCritic, monte_carlo_critic
from ...hypergradient.leaders import AffineLeader
from ...hypergradient.models import BilevelModel
from ...hypergradient.sampling import Trajectories, roll_out
from ...hypergradient.soft import Follower, soft_backup
from ...sequences import Array
from ..parts.checkpoints import named, optimizer_tensors, part, set_optimizer_tensors
from ..parts.training import Training
from .ascent import compared, word
from .problems import GAMES, HORIZONS, PROBLEMS

_FOLLOWING = 0.05
"""Share of the critic that its target takes over a step: less is steadier and slower."""

_LONGEST = 1.0
"""Norm to which estimates are cut, as in the released code: single rare steps weigh 1/beta."""


def sampled(
    leader: AffineLeader, parameters: Array, follower: Follower, steps: Trajectories, critic: Critic,
    method: str, model: BilevelModel,
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
        layers = create_mlp(model.n_states, model.n_actions, [width] * 2, nn.Tanh)
        self.network, self.target = nn.Sequential(*layers), nn.Sequential(*create_mlp(
            model.n_states, model.n_actions, [width] * 2, nn.Tanh))  # fmt: skip
        self.target.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=rate)
        self.states = torch.eye(model.n_states)
        self.going = torch.as_tensor(~model.terminal, dtype=torch.float32)[:, None]
        self.scale = 1 / (1 - model.leader_discount)
        """Of values: a network of rewards a step learns them sooner."""

    def fit(self, model: BilevelModel, policy: Array, seen: Trajectories, steps: int) -> None:
        """Gradient steps on all transitions seen; rewards and policy are those of the model."""
        laws = torch.as_tensor(policy, dtype=torch.float32)
        rewards = torch.as_tensor(model.leader_rewards.ravel()[seen.cells], dtype=torch.float32)
        states, actions, following = (
            torch.as_tensor(one) for one in (seen.states, seen.actions, seen.followings)
        )
        for _ in range(steps):
            with torch.no_grad():
                values = (laws * self._table(self.target)).sum(dim=1)
                wanted = rewards + model.leader_discount * values[following]
            found = self._table(self.network)[states, actions]
            loss = nn.functional.mse_loss(found / self.scale, wanted / self.scale)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            polyak_update(self.network.parameters(), self.target.parameters(), _FOLLOWING)

    def __call__(self, policy: Array) -> SampledCritic:
        """Of all states and actions."""
        with torch.no_grad():
            table = self._table(self.network).double().numpy()
        return SampledCritic((policy * table).sum(axis=1), table)

    def _table(self, network: nn.Module) -> Tensor:
        found: Tensor = self.scale * self.going * network(self.states)
        return found


class Climb:
    """The state of one training; every update has its own stream of random numbers."""

    def __init__(self, training: Training) -> None:
        self.training, self.options = training, training.options
        self.leader = PROBLEMS[training.task](self.options.width)
        self.theta = nn.Parameter(torch.as_tensor(self.leader.parameters))
        self.optimizer = torch.optim.SGD([self.theta], lr=self.options.learning_rate)
        model = self.leader.model(self.leader.parameters)
        self.values = np.zeros(model.n_states)
        self.critic = NetworkCritic(model, self.options.critic_width, self.options.critic_rate)

    @property
    def exact(self) -> Hypergradient:
        """At the parameters reached."""
        return hypergradient(self.leader, self.theta.detach().numpy())

    def update(self, number: int) -> dict[str, float]:
        """One step of ascent; its line, with the exact objective before it."""
        exact = self.exact
        found = exact.gradient if self.options.method == "exact" else self._estimate(exact, number)
        if self.options.critic != "network" or number > self.options.warm:
            self.theta.grad = -torch.as_tensor(found)
            nn.utils.clip_grad_norm_([self.theta], _LONGEST)
            self.optimizer.step()
        return {
            "objective": exact.objective, **compared(found, exact.gradient, exact.direct)
        }  # fmt: skip

    def reached(self) -> float:
        """The leader's exact objective at the parameters reached."""
        return self.exact.objective

    def _estimate(self, exact: Hypergradient, number: int) -> Array:
        o, theta = self.options, self.theta.detach().numpy()
        model = self.leader.model(theta)
        follower = exact.follower if not o.sweeps else self._behind(model)
        seed, horizon = word(self.training.seed, number), HORIZONS[self.training.task]
        steps = roll_out(model, follower.policy, seed, horizon=horizon, steps=o.steps)
        critic = self._critic(model, follower.policy, steps)
        own = replace(critic, values=self._centred(critic.values, theta))
        follower = replace(follower, values=self._centred(follower.values, theta))
        return sampled(self.leader, theta, follower, steps, own, o.method, model)

    def _critic(self, model: BilevelModel, policy: Array, steps: Trajectories) -> Critic:
        if self.options.critic == "exact":
            return evaluate_leader(model, policy)
        if self.options.critic == "network":
            self.critic.fit(model, policy, steps, self.options.critic_steps)
            found = self.critic(policy)
        else:
            found = monte_carlo_critic(model, steps)
        return Critic(found.values, found.action_values, found.advantages, np.empty(0))

    def _centred(self, values: Array, theta: Array) -> Array:
        """In a game less their mean over the leader's action, whose score has mean 0: values are
        large beside what an action changes, and so is what they add to the variance."""
        if self.training.task not in GAMES:
            return values
        shares = self.leader.vector.values(theta).reshape(-1, GAMES[self.training.task])
        table = values.reshape(shares.shape)
        return (table - (shares * table).sum(axis=1, keepdims=True)).ravel()

    def _behind(self, model: BilevelModel) -> Follower:
        """The follower after its sweeps of soft Q-iteration, from where it was."""
        for _ in range(self.options.sweeps):
            action_values, policy, backed = soft_backup(model, self.values)
            residual, self.values = float(np.abs(backed - self.values).max()), backed
        return Follower(policy, self.values, action_values, residual)

    def tensors(self) -> dict[str, Tensor]:
        """All that a further update depends on."""
        return {
            "theta": self.theta, "values": torch.as_tensor(self.values),
            **named("optimizer", optimizer_tensors(self.optimizer)),
            **named("network", self.critic.network.state_dict()),
            **named("target", self.critic.target.state_dict()),
            **named("critic", optimizer_tensors(self.critic.optimizer)),
        }  # fmt: skip

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on after the update in which `tensors` were taken."""
        self.theta.data = tensors["theta"]
        self.values = tensors["values"].numpy()
        set_optimizer_tensors(self.optimizer, part("optimizer", tensors))
        self.critic.network.load_state_dict(part("network", tensors))
        self.critic.target.load_state_dict(part("target", tensors))
        set_optimizer_tensors(self.critic.optimizer, part("critic", tensors))

