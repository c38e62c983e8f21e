"""Small networks with known laws, for the tests of flipping policies."""

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy

from holdfast.solvers.neural.chance import TwoHeadPolicy

from ....zoo.corridor import Corridor

SURE = 50.0
"""A logit whose action is taken with a probability that is 1 in double precision."""


EXACT = gymnasium.spaces.Box(-1, 1, (8,), np.float32)
"""What is observed of the corridor as an exact task: the number of the state, one input for each
state, time and flag."""


def constant(
    action: int, seen: gymnasium.spaces.Box = Corridor.observation_space
) -> ActorCriticPolicy:
    """Takes the same action everywhere."""
    policy = ActorCriticPolicy(seen, Corridor.action_space, lambda _: 0.0)
    with torch.no_grad():
        policy.action_net.weight.zero_()
        policy.action_net.bias.zero_()
        policy.action_net.bias[action] = SURE
    return policy


def two_heads(
    coins: list[float], seen: gymnasium.spaces.Box = Corridor.observation_space, first: int = 0
) -> TwoHeadPolicy:
    """Heads "always left" and "always right"; coins: the first's logit in start, left and right.

    first: which input says that one is at the start; left and right are the next two.
    """
    policy = TwoHeadPolicy(seen, Corridor.action_space, lambda _: 0.0, net_arch=[])
    with torch.no_grad():
        policy.action_net.weight.zero_()
        policy.action_net.bias.copy_(torch.tensor([SURE, 0, 0, SURE, 0]))
        policy.action_net.weight[4, first : first + 3] = torch.tensor(coins)
    return policy


def drawn_two_heads(actions: gymnasium.Space, seed: int = 3) -> TwoHeadPolicy:
    """In double precision, with random weights everywhere, so that no two laws agree."""
    torch.manual_seed(seed)
    seen = gymnasium.spaces.Box(-1, 1, (3,), np.float64)
    policy = TwoHeadPolicy(seen, actions, lambda _: 0.0, net_arch=[8]).double()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.7)
    return policy
