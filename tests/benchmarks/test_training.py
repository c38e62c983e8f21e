"""Environment steps a second of PPO-Lagrangian beside plain PPO of stable-baselines3, on bullet.

Both do the same rollouts and updates on the same task in this process, in turns, so that what else
the machine does hits both; PPO-Lagrangian also sees costs and trains their critic.  The options are
those of `holdfast train` there, the environments of plain PPO are without our cost.  No time is
asserted.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv

from holdfast.solvers.neural.chance.trainers import PPOLagrangian
from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.on_policy import one_thread, policy_arguments
from holdfast.solvers.neural.parts.tasks import environment, make

ROUNDS = 5


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


@pytest.mark.benchmark
@pytest.mark.parametrize("task", ["SafetyBallRun-v0", "SafetyBallCircle-v0"])
def test_steps_a_second_beside_plain_ppo(task: str) -> None:
    options = find("chance/ppo-lagrangian").options_for(task, {})
    copies, steps = options.n_envs, options.per_update
    shared = {"batch_size": options.batch, "n_epochs": options.epochs, "device": "cpu"}
    plain = PPO(
        ActorCriticPolicy,
        DummyVecEnv([partial(environment, task)] * copies),
        learning_rate=options.learning_rate,
        n_steps=options.rollout,
        policy_kwargs=policy_arguments(options),
        **shared,
    )
    ours = PPOLagrangian(
        ActorCriticPolicy,
        make(task, seed=0, n_envs=copies, first_violation=True),
        options,
        0,
        **shared,
    )
    with one_thread():
        pairs = [
            (
                seconds(lambda: plain.learn(steps, reset_num_timesteps=False)),
                seconds(lambda: ours.learn(steps, ours.seen, reset_num_timesteps=False)),
            )
            for _ in range(ROUNDS)
        ]
    rates = [median(steps / pair[at] for pair in pairs) for at in (0, 1)]
    ratios = [theirs / own for theirs, own in pairs]
    print(
        f"\n{task}: plain PPO {rates[0]:,.0f} steps/s, PPO-Lagrangian {rates[1]:,.0f}, "
        f"ratio {median(ratios):.2f} (of {ROUNDS} pairs: {min(ratios):.2f} to {max(ratios):.2f})"
    )
