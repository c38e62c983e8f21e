"""Small networks with known laws, for the tests of flipping policies."""

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy

from holdfast.solvers.neural.chance import TwoHeadPolicy
from holdfast.solvers.neural.parts.worlds.finite import FiniteWorld
from holdfast.solvers.neural.parts.worlds.single import spaces_of

from ....zoo.corridor import Corridor, corridor

SURE = 50.0
"""A logit whose action is taken with a probability that is 1 in double precision."""


WORLD = FiniteWorld(corridor())
EXACT = spaces_of(WORLD, first_violation=True)[0]
"""What is observed of the corridor as an exact task."""


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


def two_heads(coins: list[float], *, exact: bool = False) -> TwoHeadPolicy:
    """Heads "always left" and "always right"; coins: the first's logit in start, left and right.

    exact: observes the corridor as an exact task.
    """
    features = WORLD.features[:3] if exact else np.eye(3)
    weights = np.linalg.lstsq(np.c_[features, np.ones(3)], np.array(coins), rcond=None)[0]
    policy = TwoHeadPolicy(
        EXACT if exact else Corridor.observation_space,
        Corridor.action_space,
        lambda _: 0.0,
        net_arch=[],
    )
    with torch.no_grad():
        policy.action_net.weight.zero_()
        policy.action_net.bias.copy_(torch.tensor([SURE, 0, 0, SURE, weights[-1]]))
        policy.action_net.weight[4, : len(weights) - 1] = torch.from_numpy(weights[:-1])
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
