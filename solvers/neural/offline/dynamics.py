"""An ensemble of networks that predict a step, and episodes in it as an environment."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import create_mlp
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn
from torch import Tensor, nn

from ...offline.data_sets import DataSet
from ...sequences import Array
from .guardian import Guardian
from .safe_sac import descend

_BATCH, _RATE = 256, 1e-3
"""Pairs a gradient step and step size of the model: usual ones; 2,000 steps end near its noise."""


class Ensemble(nn.Module):
    """Predicts the change of the state, the reward and the cost of float32[n, S + A] pairs."""

    mean_pairs: Tensor
    deviation_pairs: Tensor
    mean_targets: Tensor
    deviation_targets: Tensor

    def __init__(self, data: DataSet, members: int, width: int) -> None:
        super().__init__()
        self.states = data.observations.shape[1]
        pairs, targets = pairs_of(data), targets_of(data)
        self.networks = nn.ModuleList(
            nn.Sequential(*create_mlp(pairs.shape[1], targets.shape[1], [width] * 2, nn.SiLU))
            for _ in range(members)
        )
        for name, values in (("pairs", pairs), ("targets", targets)):
            deviation = values.std(axis=0)
            deviation[deviation == 0] = 1  # a constant coordinate stays as it is
            self.register_buffer(f"mean_{name}", torch.as_tensor(values.mean(axis=0)))
            self.register_buffer(f"deviation_{name}", torch.as_tensor(deviation))

    def fit(self, data: DataSet, steps: int, stream: np.random.Generator) -> float:
        """Gradient steps on squared errors in units of their deviations, each member on a sample of
        its own; returns the mean loss of the last tenth."""
        inputs = (torch.as_tensor(pairs_of(data)) - self.mean_pairs) / self.deviation_pairs
        wanted = (torch.as_tensor(targets_of(data)) - self.mean_targets) / self.deviation_targets
        optimizer, losses = torch.optim.Adam(self.parameters(), lr=_RATE), []
        own = stream.integers(0, len(inputs), (len(self.networks), len(inputs)))
        for _ in range(steps):
            at = own[:, stream.integers(0, len(inputs), _BATCH)]
            errors = [nn.functional.mse_loss(network(inputs[rows]), wanted[rows])
                      for network, rows in zip(self.networks, at, strict=True)]  # fmt: skip
            loss = torch.stack(errors).sum()
            descend(optimizer, loss)
            losses.append(loss.item() / len(errors))
        return float(np.mean(losses[-max(1, steps // 10) :]))

    @torch.no_grad()
    def predict(self, states: Array, actions: Array, member: Array) -> tuple[Array, Array, Array]:
        """float32[n, S] next states, float64[n] rewards and costs (at least 0), each of the member
        that int[n] names."""
        pairs = torch.as_tensor(np.hstack([states, actions]).astype(np.float32))
        inputs: Tensor = (pairs - self.mean_pairs) / self.deviation_pairs
        outputs = torch.stack([network(inputs) for network in self.networks])
        chosen = outputs[torch.as_tensor(member), torch.arange(len(states))]
        found = (chosen * self.deviation_targets + self.mean_targets).numpy()
        change, rewards, costs = found[:, : self.states], found[:, -2], found[:, -1]
        return states + change, rewards.astype(float), np.maximum(costs, 0).astype(float)


def pairs_of(data: DataSet) -> Array:
    """float32[N, S + A]."""
    return np.hstack([data.observations, data.actions])


def targets_of(data: DataSet) -> Array:
    """float32[N, S + 2], what a step changes, earns and costs."""
    changes = data.next_observations - data.observations
    return np.hstack([changes, data.rewards[:, None], data.costs[:, None]]).astype(np.float32)


class ModelVecEnv(VecEnv):
    """Episodes of so many steps in an ensemble, from the first states of recorded ones.

    Each step is predicted by a member that is drawn.  Its ``info["cost"]`` is the predicted cost
    plus `outside_cost` where the guardian has the pair outside; ``info["outside"]`` says so.
    States are kept within twice the range of the data, beyond which networks may predict anything.
    """

    def __init__(
        self, ensemble: Ensemble, data: DataSet, guard: Guardian, actions: spaces.Box, *,
        n_envs: int, horizon: int, outside_cost: float,
    ) -> None:  # fmt: skip
        self.ensemble, self.guard = ensemble, guard
        self.horizon, self.outside_cost = horizon, outside_cost
        self.first = data.observations[np.concatenate([[0], data.ends[:-1]])]
        low, high = data.observations.min(axis=0), data.observations.max(axis=0)
        middle, reach = (low + high) / 2, high - low
        self.bounds = middle - reach, middle + reach
        self.stream = np.random.default_rng(0)
        seen = spaces.Box(-np.inf, np.inf, low.shape, np.float32)
        super().__init__(n_envs, seen, actions)

    def reset(self) -> Array:
        """First states, float32[n, S]."""
        if self._seeds[0] is not None:
            self.stream = np.random.default_rng(self._seeds[0])
        self._reset_seeds()
        self.states = self.first[self.stream.integers(0, len(self.first), self.num_envs)]
        self.time = 0
        return self.states

    def step_async(self, actions: Array) -> None:
        """Remember the actions."""
        space = self.action_space
        assert isinstance(space, spaces.Box)
        self._actions = np.clip(actions, space.low, space.high)

    def step_wait(self) -> VecEnvStepReturn:
        """The predicted step; all copies end together, by their time."""
        member = self.stream.integers(0, len(self.ensemble.networks), self.num_envs)
        out = self.guard.outside(np.hstack([self.states, self._actions]))
        after, rewards, costs = self.ensemble.predict(self.states, self._actions, member)
        self.states, self.time = np.clip(after, *self.bounds).astype(np.float32), self.time + 1
        costs = costs + self.outside_cost * out
        infos: list[dict[str, Any]] = [
            {"cost": float(cost), "outside": bool(off)}
            for cost, off in zip(costs, out, strict=True)
        ]
        ended = np.full(self.num_envs, self.time == self.horizon)
        if ended.all():
            for info, last in zip(infos, self.states, strict=True):
                info |= {"terminal_observation": last, "TimeLimit.truncated": True}
            self.reset()
        return self.states, rewards.astype(np.float32), ended, infos

    def close(self) -> None:
        """Nothing is held."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of the whole, once for each copy."""
        value = None if attr_name == "render_mode" else getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refused: the copies have no attributes of their own."""
        raise AttributeError(f"copies of a model have no attribute {attr_name!r} to set")

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """Refused: the copies have no methods of their own."""
        raise AttributeError(f"copies of a model have no method {method_name!r}")

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        """They never are."""
        return [False for _ in self._get_indices(indices)]
