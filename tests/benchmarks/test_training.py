"""Environment steps a second of PPO-Lagrangian beside plain PPO of stable-baselines3, on bullet.

Both do the same rollouts and updates on the same task in this process, in turns, so that what else
the machine does hits both; PPO-Lagrangian also sees costs and trains their critic.  No time is
asserted.
"""

import time
from collections.abc import Callable
from statistics import median

import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy

from holdfast.solvers.neural.chance.ppo_lagrangian import PpoLagrangianOptions
from holdfast.solvers.neural.chance.trainers import PPOLagrangian
from holdfast.solvers.neural.parts.on_policy import one_thread
from holdfast.solvers.neural.parts.tasks import make

ROUNDS = 5


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


@pytest.mark.benchmark
@pytest.mark.parametrize("copies", [1, 5])
def test_steps_a_second_beside_plain_ppo(copies: int) -> None:
    options = PpoLagrangianOptions(
        n_envs=copies,
        rollout=1000 // copies,
        batch=50,
        limit=25.0,
        first_violation=False,
    )
    tasks = [
        make("SafetyBallRun-v0", seed=0, n_envs=copies, first_violation=False) for _ in range(2)
    ]
    shared = {"batch_size": options.batch, "n_epochs": options.epochs, "device": "cpu"}
    plain = PPO(ActorCriticPolicy, tasks[0], n_steps=options.rollout, **shared)
    ours = PPOLagrangian(ActorCriticPolicy, tasks[1], options, 0, **shared)
    steps = options.per_update
    with one_thread():
        pairs = [
            (
                seconds(lambda: plain.learn(steps, reset_num_timesteps=False)),
                seconds(lambda: ours.learn(steps, ours.seen, reset_num_timesteps=False)),
            )
            for _ in range(ROUNDS)
        ]
    rates = [median(steps / pair[at] for pair in pairs) for at in (0, 1)]
    ratio = median(theirs / own for theirs, own in pairs)
    print(
        f"\n{copies} copies: plain PPO {rates[0]:,.0f} steps/s, PPO-Lagrangian {rates[1]:,.0f}, "
        f"ratio {ratio:.2f} (of {ROUNDS} pairs: {min(t / o for t, o in pairs):.2f} to "
        f"{max(t / o for t, o in pairs):.2f})"
    )
