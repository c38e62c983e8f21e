"""Solve FrozenLake, take the policy away as an array, and simulate it in gymnasium itself."""

import gymnasium
import numpy as np

from holdfast.solvers import from_gymnasium, solve

DISCOUNT, EPISODES = 0.99, 4000

found = solve(from_gymnasium("FrozenLake-v1", discount="99/100"))
table = found.policy.table()  # [S, A]; the last state is added, where an episode has ended

env = gymnasium.make("FrozenLake-v1", max_episode_steps=2000)
stream = np.random.default_rng(0)
returns = np.zeros(EPISODES)
for episode in range(EPISODES):
    state, _ = env.reset(seed=episode)
    weight, over = 1.0, False
    while not over:
        action = int(stream.choice(len(table[state]), p=table[state]))
        state, reward, terminated, truncated, _ = env.step(action)
        returns[episode] += weight * float(reward)
        weight, over = weight * DISCOUNT, terminated or truncated

mean, error = returns.mean(), returns.std(ddof=1) / np.sqrt(EPISODES)
print(f"certified {float(found.value):.4f}, simulated {mean:.4f} +- {2.6 * error:.4f}")
