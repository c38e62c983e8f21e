"""Other programs answer FrozenLake with a limit on falling; holdfast says what they proved."""

import numpy as np
import stormpy
from quantecon.markov import DiscreteDP
from scipy.optimize import linprog

from holdfast.solvers import certify, from_gymnasium

GAMMA, LIMIT = 0.99, 0.05 - 1e-9  # less what a program in doubles may break it by
model = from_gymnasium("FrozenLake-v1", discount="99/100", costs=[{5, 7, 11, 12}], budgets=["1/20"])
P = model.float_transitions()  # a row for each choice: in an ended episode there is but one
reward, cost, initial = (
    exact.floats()
    for exact in (model.reward_vector(), model.cost_vector(0), model.initial_vector())
)
owner, action, states = model.choice_states, model.actions, range(model.n_states)


def linear_program():
    """HiGHS, as scipy calls it, on the program over occupancies: a policy, the limit's price."""
    flow = np.eye(model.n_states)[:, owner] - GAMMA * P.T
    found = linprog(-reward, A_ub=[cost], b_ub=[LIMIT], A_eq=flow, b_eq=initial)
    table = np.zeros((model.n_states, 4))
    table[owner, action] = np.maximum(found.x, 0)
    for state in np.flatnonzero(table.sum(axis=1) == 0):  # never visited: any action will do
        table[state, action[model.choice_start[state]]] = 1
    return table / table.sum(axis=1, keepdims=True), -found.ineqlin.marginals


def policy_iteration(price):
    """QuantEcon, which knows no limits: the actions, and the values of reward - price * cost."""
    found = DiscreteDP(reward - price * cost, P, GAMMA, owner, action).solve("policy_iteration")
    return found.sigma, found.v


def model_checking():
    """Storm, sound, without the limit, on the model as a file: actions."""
    lines = ["@type: MDP", "@parameters", "", "@reward_models", "goal", "@nr_states"]
    lines += [f"{model.n_states}", "@nr_choices", f"{model.n_choices}", "@model"]
    for state in states:
        lines.append(f"state {state}" + " init" * bool(initial[state]))
        for k in np.flatnonzero(owner == state):
            lines.append(f"\taction {action[k]} [{reward[k]}]")
            lines += [f"\t\t{t} : {float(p)}" for t, p in model.transition_row(k)]
    with open("lake.drn", "w") as file:
        file.write("\n".join(lines) + "\n")
    found = stormpy.model_checking(
        stormpy.build_model_from_drn("lake.drn"),
        stormpy.parse_properties(f'R{{"goal"}}max=? [Cdiscount={GAMMA}]')[0],
        extract_scheduler=True,
        environment=stormpy.environments.sound(),
    )
    chosen = [found.get_scheduler().get_choice(s).get_deterministic_choice() for s in states]
    return action[model.choice_start[:-1] + chosen]


def say(who, found):
    print(f"{who:20}", end="")
    if found.reward:
        excess = float(found.costs[0][0] - model.budgets[0])
        kept = "kept" if found.within_budgets else f"broken by {excess:.1e}"
        print(f"earns {float(found.reward[0]):.4f}, limit {kept};", end=" ")
    left = "" if found.left is None else f", {float(found.left):.1e} more at most"
    took = 1000 * sum(found.seconds.values())
    print(f"optimum up to {float(found.upper):.6f}{left} ({took:.0f} ms)")


policy, price = linear_program()
say("linprog", certify(model, policy))
values = policy_iteration(price[0])[1]
say("QuantEcon, priced", certify(model, values=values, multipliers=price))
say("QuantEcon, no limit", certify(model, policy_iteration(0)[0]))
say("Storm, no limit", certify(model, model_checking()))
