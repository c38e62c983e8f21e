"""What on-policy algorithms with a cost add to those of stable-baselines3.

A rollout that also sees costs, a second critic trained beside the first, and advantages of costs.
Each update starts from generators and environments that are seeded from (seed, number of the
update), so that parameters, optimisers, multiplier and counters are the whole state.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import create_mlp
from stable_baselines3.common.utils import update_learning_rate
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor, nn

from ...exact import Array
from .checkpoints import Saved, named, optimizer_tensors, part, set_optimizer_tensors
from .constrained import ConstrainedTraining
from .training import TrainingError

Recorder = Callable[["WithCosts", dict[str, float]], None]


class SeenCosts(BaseCallback):
    """The costs, rewards and ends of the rollout, one row a step; and where time ran out.

    Attributes:
        costs, rewards: float[T, N]; dones: bool[T, N].
        cut_short: (step, copy) of the episodes that a time limit ended, with last observations.
    """

    def _on_rollout_start(self) -> None:
        self.costs: list[Array] = []
        self.rewards: list[Array] = []
        self.dones: list[Array] = []
        self.cut_short: list[tuple[int, int]] = []
        self.last_seen: list[Array] = []

    def _on_step(self) -> bool:
        infos, dones = self.locals["infos"], self.locals["dones"]
        self.costs.append(np.array([info["cost"] for info in infos], dtype=np.float32))
        self.rewards.append(self.locals["rewards"].copy())
        for copy in np.flatnonzero(dones):
            if infos[copy].get("TimeLimit.truncated", False):
                self.cut_short.append((len(self.dones), int(copy)))
                self.last_seen.append(infos[copy]["terminal_observation"])
        self.dones.append(dones.copy())
        return True


def episode_sums(values: Array, dones: Array, discount: float = 1.0) -> Array:
    """Discounted sums of the episodes that end within a rollout which starts with fresh ones.

    values: float[T, N]; dones: bool[T, N].  Returns float64[episodes], in the order of their ends.
    """
    sums, weights = np.zeros(values.shape[1]), np.ones(values.shape[1])
    found: list[Array] = []
    for row, ended in zip(values, dones, strict=True):
        sums += weights * row
        weights *= discount
        found.append(sums[ended])
        sums[ended], weights[ended] = 0.0, 1.0
    return np.concatenate(found)


class WithCosts(OnPolicyAlgorithm):
    """Puts costs beside the rewards of PPO or TRPO; to be inherited from before one of them.

    Attributes:
        options: of the training; seed: of the training.
        seen: costs of the last rollout.
        cost_buffer: the last rollout with costs for rewards; its advantages are those of the costs.
        on_update: called after each update with the numbers of its line of metrics.
    """

    def __init__(
        self,
        policy: type[ActorCriticPolicy],
        env: VecEnv,
        options: ConstrainedTraining,
        training_seed: int,
        **arguments: Any,
    ) -> None:
        self.options, self.training_seed = options, training_seed
        self.seen = SeenCosts()
        self.on_update: Recorder | None = None
        super().__init__(  # type: ignore[call-arg]
            policy,
            env,
            learning_rate=lambda left: options.learning_rate * self._pace(left),
            n_steps=options.rollout,
            gamma=options.discount,
            gae_lambda=options.gae,
            policy_kwargs=policy_arguments(options),
            seed=_words(training_seed, 0)[0],
            **arguments,
        )
        self.set_logger(Logger(None, []))

    def _setup_model(self) -> None:
        super()._setup_model()
        options = self.options
        layers = create_mlp(
            spaces.flatdim(self.observation_space), 1, [options.width] * options.depth, nn.Tanh
        )
        self.cost_critic = nn.Sequential(*layers).to(self.device)
        self.cost_optimizer = torch.optim.Adam(
            self.cost_critic.parameters(), lr=options.cost_learning_rate
        )
        self.cost_buffer = RolloutBuffer(
            self.n_steps,
            self.observation_space,
            self.action_space,
            device=self.device,
            gamma=options.cost_discount,
            gae_lambda=options.cost_gae,
            n_envs=self.n_envs,
        )

    @property
    def update(self) -> int:
        """How many rollouts have been collected."""
        return self.num_timesteps // self.options.per_update

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: RolloutBuffer,
        n_rollout_steps: int,
    ) -> bool:
        """A rollout from fresh episodes, with the advantages of its costs."""
        self._start_afresh(env)
        done = super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)
        self._weigh_costs(rollout_buffer)
        return done

    def _start_afresh(self, env: VecEnv) -> None:
        words = _words(self.training_seed, self.update + 1)
        random.seed(words[0])
        np.random.seed(words[1])
        torch.manual_seed(words[2])
        env.seed(words[3] // 2)  # copies get this and the numbers after it, all of 32 bits
        self._last_obs = np.asarray(env.reset())
        self._last_episode_starts = np.ones(env.num_envs, dtype=bool)

    def _weigh_costs(self, rollout: RolloutBuffer) -> None:
        """Fill `cost_buffer`: values by the critic of costs, then advantages as for rewards."""
        buffer, dones = self.cost_buffer, np.array(self.seen.dones)
        buffer.reset()
        buffer.observations, buffer.episode_starts = rollout.observations, rollout.episode_starts
        buffer.rewards[:] = self.seen.costs
        if not np.isfinite(buffer.rewards).all():
            step, copy = np.argwhere(~np.isfinite(buffer.rewards))[0]
            raise TrainingError(
                f"update {self.update}: the cost of copy {copy} at step {step} is "
                f"{buffer.rewards[step, copy]}; costs must be finite"
            )
        if self.seen.cut_short:  # the episode would have gone on: its further cost is estimated
            further = self._cost_values(np.array(self.seen.last_seen))
            steps, copies = np.array(self.seen.cut_short).T
            buffer.rewards[steps, copies] += buffer.gamma * further.numpy()
        shape = buffer.values.shape
        flat = rollout.observations.reshape(-1, *rollout.obs_shape)
        buffer.values[:] = self._cost_values(flat).numpy().reshape(shape)
        buffer.pos, buffer.full = buffer.buffer_size, True
        assert isinstance(self._last_obs, np.ndarray)
        buffer.compute_returns_and_advantage(self._cost_values(self._last_obs), dones[-1])

    @torch.no_grad()
    def _cost_values(self, observations: Array) -> Tensor:
        seen = torch.as_tensor(observations, dtype=torch.float32, device=self.device)
        values: Tensor = self.cost_critic(seen).flatten()
        return values.cpu()

    def episode_costs(self) -> Array:
        """Costs of the episodes that ended in the last rollout, discounted if the limit is.

        Raises TrainingError if none did.
        """
        discount = self.options.cost_discount if self.options.discounted else 1.0
        return self._finished(np.array(self.seen.costs, dtype=np.float64), discount)

    def episode_lengths(self) -> Array:
        """Lengths of these episodes, each step weighed as its cost is."""
        discount = self.options.cost_discount if self.options.discounted else 1.0
        return self._finished(np.ones_like(self.seen.costs, dtype=np.float64), discount)

    def _finished(self, values: Array, discount: float) -> Array:
        """Sums of the episodes that began at the start and ended."""
        first = self.options.exploring
        sums = episode_sums(values[:, first:], np.array(self.seen.dones)[:, first:], discount)
        if not len(sums):
            raise TrainingError(
                f"update {self.update}: no episode ended within rollout = {self.options.rollout} "
                "steps, so its cost cannot be measured; give a rollout of whole episodes"
            )
        return sums

    def train(self) -> None:
        """The update of PPO or TRPO, then that of the critic of costs.

        Raises TrainingError if a loss or a parameter is not finite.
        """
        try:
            self._improve()
        except ValueError as error:  # of torch, for a law of actions that has NaN
            self._require_finite({}, error)
            raise
        losses = self._train_cost_critic()
        numbers = {**self._measures(), "cost_value_loss": losses, **self._logged()}
        self._require_finite(numbers)
        if self.on_update is not None:
            self.on_update(self, numbers)

    def _improve(self) -> None:
        """The update of policy and critic of rewards."""
        super().train()

    def _pace(self, left: float) -> float:
        """Of the learning rates at the start, the share when this share of the steps is left."""
        last = self.options.last_rate
        return last + (1 - last) * left

    def _train_cost_critic(self) -> float:
        losses = []
        rate = self.options.cost_learning_rate * self._pace(self._current_progress_remaining)
        update_learning_rate(self.cost_optimizer, rate)
        for _ in range(self.options.cost_epochs):
            for batch in self.cost_buffer.get(self.options.cost_batch):
                assert isinstance(batch.observations, Tensor)
                predicted = self.cost_critic(batch.observations.float()).flatten()
                loss = nn.functional.mse_loss(predicted, batch.returns)
                self.cost_optimizer.zero_grad()
                loss.backward()
                self.cost_optimizer.step()
                losses.append(loss.item())
        return float(np.mean(losses))

    def _measures(self) -> dict[str, float]:
        costs = self.episode_costs()
        rewards = np.array(self.seen.rewards, dtype=np.float64)
        returns = self._finished(rewards, 1.0)
        return {
            "steps": self.num_timesteps,
            "episodes": len(costs),
            "return": float(returns.mean()),
            "cost": float(costs.mean()),
        }

    def _logged(self) -> dict[str, float]:
        """What the algorithm of stable-baselines3 itself logged."""
        found = {
            name.removeprefix("train/"): float(value)
            for name, value in self.logger.name_to_value.items()
            if name.startswith("train/")
        }
        self.logger.dump(self.num_timesteps)
        return found

    def _require_finite(self, numbers: Mapping[str, float], cause: Exception | None = None) -> None:
        wrong = {n: v for n, v in numbers.items() if n != "explained_variance"}
        modules = {"policy": self.policy, "the critic of costs": self.cost_critic}
        for module, parameters in modules.items():
            for name, tensor in parameters.state_dict().items():
                wrong[f"parameter {name} of {module}"] = float(tensor.abs().max())
        bad = {name: value for name, value in wrong.items() if not np.isfinite(value)}
        if bad:
            name, value = next(iter(bad.items()))
            raise TrainingError(
                f"update {self.update}: {name} is {value}; the last checkpoint from before, if "
                "there is one, is kept; take a smaller learning rate, or look for rewards that are "
                "not finite"
            ) from cause

    def tensors(self) -> dict[str, Tensor]:
        """All that a further update depends on, beside `numbers`."""
        return {
            **named("policy", self.policy.state_dict()),
            **named("optimizer", optimizer_tensors(self.policy.optimizer)),
            **named("cost_critic", self.cost_critic.state_dict()),
            **named("cost_optimizer", optimizer_tensors(self.cost_optimizer)),
        }

    def numbers(self) -> dict[str, Any]:
        """Counters, and what an algorithm adds to them."""
        return {"steps": self.num_timesteps, "updates": self._n_updates}

    def restore(self, saved: Saved) -> None:
        """Go on after the update in which `tensors` and `numbers` were taken."""
        self.policy.load_state_dict(part("policy", saved.tensors))
        set_optimizer_tensors(self.policy.optimizer, part("optimizer", saved.tensors))
        self.cost_critic.load_state_dict(part("cost_critic", saved.tensors))
        set_optimizer_tensors(self.cost_optimizer, part("cost_optimizer", saved.tensors))
        self.num_timesteps, self._n_updates = saved.numbers["steps"], saved.numbers["updates"]


def policy_arguments(options: ConstrainedTraining) -> dict[str, Any]:
    """What makes the networks of a policy of stable-baselines3."""
    return {"net_arch": [options.width] * options.depth, "activation_fn": nn.Tanh}


def _words(seed: int, update: int) -> list[int]:
    """Four seeds of 32 bits for one update of one training; update 0 is the first parameters."""
    return [int(word) for word in np.random.SeedSequence([seed, update]).generate_state(4)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Networks this small are slower on several threads, and the order of sums depends on them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
