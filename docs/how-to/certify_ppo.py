"""Train PPO of stable-baselines3 on FrozenLake, and let holdfast say what its policy is worth."""

import numpy as np
import torch
from stable_baselines3 import PPO

from holdfast.solvers import certify, from_gymnasium, policy_of_table, solve, write_policy

model = from_gymnasium("FrozenLake-v1", discount="99/100", costs=[{5, 7, 11, 12}], budgets=["1/20"])
trained = PPO("MlpPolicy", "FrozenLake-v1", gamma=0.99, seed=0, device="cpu").learn(20_000)

with torch.no_grad():
    law = trained.policy.get_distribution(torch.arange(16)).distribution.probs.double().numpy()
table = np.zeros((model.n_states, 4))  # the model has one more state, where an episode has ended
table[:16] = law
for state in range(model.n_states):  # there, and in holes, one action is all there is
    first, last = model.choice_start[state : state + 2]
    if last - first == 1:
        table[state] = np.eye(4)[model.actions[first]]

policy, notes = policy_of_table(model, table)
write_policy(policy, "ppo.npy")
found = certify(model, policy)
print(f"reward {float(found.reward[0]):.4f}, cost {float(found.costs[0][0]):.4f} of at most 0.05")
print(f"within the limit: {found.within_budgets}; the optimum is {float(solve(model).value):.4f}")
