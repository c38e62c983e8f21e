"""A model in numpy: solve it, and simulate the policy in a gymnasium environment of the same."""

import gymnasium
import numpy as np

from holdfast.solvers import from_arrays, solve

# A machine: good, worn or broken.  Run it gently, run it hard, or repair it.
P = np.array(
    [
        [[0.9, 0.1, 0.0], [0.6, 0.3, 0.1], [1.0, 0.0, 0.0]],
        [[0.0, 0.8, 0.2], [0.0, 0.5, 0.5], [0.8, 0.2, 0.0]],
        [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.5, 0.0, 0.5]],
    ]
)  # [S, A, S]
R = np.array([[1.0, 2.0, -1.0], [0.8, 1.6, -1.0], [0.0, 0.0, -2.0]])  # [S, A]
broken = np.array([[0.0] * 3, [0.0] * 3, [1.0] * 3])  # the cost, [S, A]
GAMMA, STEPS, EPISODES = 0.9, 80, 500  # what comes later weighs less than 0.9**80, or 0.0002


class Machine(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Discrete(3), gymnasium.spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = 0
        return self.state, {}

    def step(self, action):
        reward, cost = R[self.state, action], broken[self.state, action]
        self.state = int(self.np_random.choice(3, p=P[self.state, action]))
        return self.state, reward, False, False, {"cost": cost}


model = from_arrays(P, R, [broken], ["1/2"], discount="9/10", initial=[1, 0, 0])
found = solve(model)
table = found.policy.table()  # [S, A]

env, stream = gymnasium.wrappers.TimeLimit(Machine(), STEPS), np.random.default_rng(0)
earned, paid = np.zeros(EPISODES), np.zeros(EPISODES)
for episode in range(EPISODES):
    state, _ = env.reset(seed=episode)
    weight, over = 1.0, False
    while not over:
        action = stream.choice(3, p=table[state])
        state, reward, _, over, info = env.step(action)
        earned[episode] += weight * reward
        paid[episode] += weight * info["cost"]
        weight *= GAMMA

print(table)
for name, certified, seen in (("reward", found.value, earned), ("cost", 1 / 2, paid)):
    error = 2.6 * seen.std(ddof=1) / np.sqrt(EPISODES)
    print(f"{name}: certified {float(certified):.3f}, simulated {seen.mean():.3f} +- {error:.3f}")
