"""Steps a second of the environments that training spends its time in, apart from the network."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.solvers.neural.parts.tasks import make

STEPS = 100


@pytest.mark.parametrize(
    ("task", "copies", "least"),
    [
        ("holdfast/TwoDiscs-v0", 256, 200_000),  # 1.4 million on an idle core
        ("SafetyBallRun-v0", 8, 0),
    ],
)
def test_steps_a_second(table, best, task: str, copies: int, least: int) -> None:
    env = make(task, seed=0, n_envs=copies, first_violation=True)
    env.reset()
    actions = np.stack([env.action_space.sample() for _ in range(copies)])

    def roll() -> None:
        for _ in range(STEPS):
            env.step(actions)

    roll()
    seconds, _ = best(roll, 3)
    speed = STEPS * copies / seconds
    table.add(f"{copies} copies, {STEPS} steps", task, seconds, note=f"{speed:,.0f} steps a second")
    assert speed > least
