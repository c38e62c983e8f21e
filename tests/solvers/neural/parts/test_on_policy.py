"""Costs beside rewards: sums of episodes, advantages, fresh starts, and what is not finite."""

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from holdfast.solvers.neural.chance.cpo import CpoOptions
from holdfast.solvers.neural.chance.ppo_lagrangian import PpoLagrangianOptions
from holdfast.solvers.neural.chance.trainers import CPO, PPOLagrangian
from holdfast.solvers.neural.parts.on_policy import episode_sums, one_thread
from holdfast.solvers.neural.parts.training import TrainingError

F, T = False, True


class Walk(VecEnv):
    """Copies count their steps, and end after `length`; step t rewards 1 and costs t + 1.

    A copy of odd number is cut short by a time limit, the others terminate.  What an action does is
    nothing; observations have noise that follows from the seed.
    """

    def __init__(
        self, n_envs: int, length: int, reward: float = 1.0, cost: float = 1.0, limits: bool = True
    ) -> None:
        super().__init__(n_envs, spaces.Box(-9.0, 9.0, (2,), np.float32), spaces.Discrete(2))
        self.length, self.reward, self.cost, self.limits = length, reward, cost, limits
        self.stream = np.random.default_rng(0)

    def _seen(self) -> Any:
        noise = self.stream.normal(size=self.num_envs)
        return np.stack([np.full(self.num_envs, self.time), noise], axis=1).astype(np.float32)

    def reset(self) -> Any:
        self.time = 0
        self.stream = np.random.default_rng(self._seeds[0])
        self._reset_seeds()
        return self._seen()

    def step_async(self, actions: Any) -> None: ...

    def step_wait(self) -> Any:
        self.time += 1
        infos: list[dict[str, Any]] = [
            {"cost": self.cost * self.time} for _ in range(self.num_envs)
        ]
        ended = self.time == self.length
        if ended:
            for copy, info in enumerate(infos):
                info["terminal_observation"] = self._seen()[copy]
                info["TimeLimit.truncated"] = self.limits and bool(copy % 2)
            self.time = 0
        rewards = np.full(self.num_envs, self.reward, dtype=np.float32)
        return self._seen(), rewards, np.full(self.num_envs, ended), infos

    def close(self) -> None: ...

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None: ...

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kw: Any) -> list[Any]:
        return []

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs


SMALL: dict[str, Any] = {
    "steps": 48, "n_envs": 4, "rollout": 6, "limit": 0.5, "first_violation": False, "batch": 24,
    "cost_batch": 24, "width": 8, "depth": 1, "cost_discount": 0.5, "cost_gae": 0.75,
}  # fmt: skip


def model(env: VecEnv, seed: int = 0, **options: Any) -> PPOLagrangian:
    return PPOLagrangian(
        ActorCriticPolicy, env, PpoLagrangianOptions(**{**SMALL, **options}), seed, batch_size=24,
        device="cpu",
    )  # fmt: skip


def test_sums_of_the_episodes_that_end() -> None:
    values = np.array([[1.0, 1], [2, 2], [4, 4], [8, 8]])
    dones = np.array([[F, F], [T, F], [F, T], [F, F]])
    assert episode_sums(values, dones).tolist() == [3, 7]
    assert episode_sums(values, dones, discount=0.5).tolist() == [2, 3]  # 1 + 2/2; 1 + 1 + 1
    assert episode_sums(values, ~dones | dones).tolist() == [1, 1, 2, 2, 4, 4, 8, 8]
    assert not len(episode_sums(values, dones & False))


def test_advantages_of_costs_are_those_of_the_definition() -> None:
    """sum_l (gamma lambda)^l delta_(t+l), within the episode, with the critic's own values."""
    env = Walk(n_envs=4, length=3)
    ppo = model(env)
    seen: dict[str, Any] = {}

    def look(trained: Any, numbers: dict[str, float]) -> None:
        seen.update(advantages=trained.cost_buffer.advantages, numbers=numbers)

    before = {k: v.clone() for k, v in ppo.cost_critic.state_dict().items()}
    ppo.on_update = look
    ppo.learn(24, callback=ppo.seen, reset_num_timesteps=False)
    trained = {k: v.clone() for k, v in ppo.cost_critic.state_dict().items()}
    ppo.cost_critic.load_state_dict(before)
    observations = ppo.cost_buffer.observations.reshape(4, 6, 2)  # copies, steps, as flattened
    with torch.no_grad():
        values = ppo.cost_critic(torch.as_tensor(observations))[..., 0].numpy()
    advantages = seen["advantages"].reshape(4, 6)
    for copy in range(4):
        for start in (0, 3):
            for t in range(start, start + 3):
                expected = 0.0
                for later in range(t, start + 3):
                    bound = later == start + 2
                    further = 0.0 if bound else values[copy, later + 1]
                    if bound and copy % 2:  # the time limit: what the critic says of the last state
                        at = ppo.seen.cut_short.index((later, copy))
                        last = torch.as_tensor(ppo.seen.last_seen[at])
                        with torch.no_grad():
                            further = float(ppo.cost_critic(last))
                    delta = (later - start + 1) + 0.5 * further - values[copy, later]
                    expected += (0.5 * 0.75) ** (later - t) * delta
                assert advantages[copy, t] == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert seen["numbers"]["cost"] == 1 + 2 + 3
    assert seen["numbers"]["return"] == 3
    assert any(not torch.equal(before[k], trained[k]) for k in before)


@pytest.mark.slow
def test_the_critic_of_costs_learns_the_costs_to_come() -> None:
    """With discount 1 and lambda 1 they are 6, 5 and 3 from the three states; zero is 4.8 off."""
    env = Walk(4, 3, limits=False)
    ppo = model(env, cost_discount=1.0, cost_gae=1.0, cost_learning_rate=0.05, steps=1200)
    with one_thread():
        ppo.learn(1200, callback=ppo.seen, reset_num_timesteps=False)
    values = ppo._cost_values(np.array([[0, 0], [1, 0], [2, 0]], dtype=np.float32)).numpy()
    assert values == pytest.approx([6, 5, 3], abs=0.5)


def test_mixed_advantages_are_the_formula() -> None:
    """A step of PPO sees (A_r - m A_c) / (1 + m); other signs and no division are other numbers."""
    ppo = model(Walk(4, 3), controller="fixed", multiplier=3.0)
    kept: dict[str, Any] = {}
    weigh = ppo._weigh_costs

    def looking(rollout: Any) -> None:
        weigh(rollout)
        kept.update(reward=rollout.advantages.copy(), cost=ppo.cost_buffer.advantages.copy())

    ppo._weigh_costs = looking  # type: ignore[method-assign]
    ppo.learn(24, callback=ppo.seen, reset_num_timesteps=False)
    used = ppo.rollout_buffer.advantages.reshape(4, 6).T
    expected = (kept["reward"] - 3 * kept["cost"]) / 4
    assert used == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert np.abs(used - (kept["reward"] + 3 * kept["cost"]) / 4).max() > 0.1


def test_copies_that_begin_anywhere_are_not_measured() -> None:
    """Copies 0 to 2 of 4 do not count: 2 episodes of length 3 end on the last in 6 steps."""
    ppo = model(Walk(4, 3), exploring=3)
    lines: list[dict[str, float]] = []
    ppo.on_update = lambda trained, numbers: lines.append(numbers)
    ppo.learn(24, callback=ppo.seen, reset_num_timesteps=False)
    assert (lines[0]["episodes"], lines[0]["cost"], lines[0]["return"]) == (2, 6, 3)


@pytest.mark.parametrize("other", [{"seed": 1}, {}])
def test_everything_random_follows_from_the_seed(other: dict[str, Any]) -> None:
    """Whatever the global generators were before; another seed is another training."""
    found = []
    for given in ({}, other):
        np.random.rand(17)
        torch.rand(5)
        ppo = model(Walk(4, 3), **given)
        torch.rand(5)
        ppo.learn(48, callback=ppo.seen, reset_num_timesteps=False)
        found.append(torch.cat([p.flatten() for p in ppo.policy.parameters()]))
    assert torch.equal(*found) == (not other)


@pytest.mark.parametrize(
    ("env", "options", "named"),
    [
        (
            Walk(4, 3, reward=float("nan")),
            {},
            "update 1: .* is nan; the last checkpoint from before",
        ),
        (Walk(4, 3, reward=1e30), {}, "update 1: .* is inf"),
        (Walk(4, 3, cost=float("inf")), {}, "update 1: the cost of copy 0 at step 0 is inf"),
        (Walk(4, 3), {"learning_rate": 1e30}, "update [123]: "),
        (Walk(4, 7), {}, "update 1: no episode ended within rollout = 6 steps"),
    ],
    ids=["reward", "large reward", "cost", "learning rate", "long episodes"],
)
def test_what_is_not_finite_stops_the_training(
    env: VecEnv, options: dict[str, Any], named: str
) -> None:
    ppo = model(env, **options)
    with pytest.raises(TrainingError, match=named):
        ppo.learn(96, callback=ppo.seen, reset_num_timesteps=False)


def test_cpo_keeps_its_step_within_region_and_limit() -> None:
    """Costs are those of Walk whatever is done, so that A_c is noise: the step must stay finite."""
    options = CpoOptions(**{**SMALL, "limit": 7.0, "first_violation": False})
    cpo = CPO(ActorCriticPolicy, Walk(4, 3), options, 0, batch_size=24, device="cpu")
    lines = []
    cpo.on_update = lambda trained, numbers: lines.append(numbers)
    cpo.learn(96, callback=cpo.seen, reset_num_timesteps=False)
    assert len(lines) == 4
    assert all(line["kl_divergence_loss"] <= 0.01 for line in lines)
    assert all(line["recovery"] == 0 for line in lines)
