"""Small bilevel problems with a leader that is a network, where the hypergradient is exact."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from stable_baselines3.common.torch_layers import create_mlp
from torch import Tensor, nn

from ...hypergradient.environments import discrete_toy4
from ...hypergradient.games import game_leader
from ...hypergradient.leaders import AffineLeader
from ...hypergradient.models import BilevelModel, Jacobians
from .leaders import TorchVector

SIDE = 6
_BUDGET, _PRICE = -0.2, 5.0
"""Of all penalties together, and what the leader pays for each unit of them at the goal: those of
the released FourRooms."""


class Shares(nn.Module):
    """Softmax over rows of logits, times a scale, without the last of each row where it is spare.

    The logits are a table of parameters (width = 0) or those of a network of features [rows, k],
    one row of `actions` logits each.
    """

    def __init__(
        self, features: Tensor, actions: int, width: int, *, scale: float = 1.0, spare: bool = False
    ) -> None:
        super().__init__()
        self.features, self.scale, self.spare = features.double(), scale, spare
        layers = create_mlp(features.shape[1], actions, [width] * 2, nn.Tanh) if width else []
        self.network = nn.Sequential(*layers).double()
        for parameter in self.network[-1].parameters() if width else ():
            nn.init.zeros_(parameter)  # so that a leader who has not learnt is uniform
        table = torch.zeros(0 if width else len(features), actions).double()
        self.table = nn.Parameter(table)
        self.rest = nn.Parameter(torch.zeros(int(spare)).double())

    def forward(self) -> Tensor:
        """[rows * actions] probabilities, or [rows] shares of a budget that need not be spent."""
        logits = self.network(self.features) if len(self.network) else self.table
        if not self.spare:
            return self.scale * logits.softmax(dim=1).flatten()
        return self.scale * torch.cat([logits.flatten(), self.rest]).softmax(dim=0)[:-1]


def toy4(reward: float, width: int) -> AffineLeader:
    """DiscreteToy4, its leader's policy a network of the state, or a table."""
    game = discrete_toy4(reward)
    return game_leader(game, TorchVector(Shares(torch.eye(3), game.leader_actions, width)))


def grid(width: int, temperature: float = 0.05) -> AffineLeader:
    """Rewards on 6 x 6 cells: 37 logits spread a budget of penalties, or a network of the place.

    The follower walks from one corner to the opposite one for a reward of 1; a step goes where it
    is meant to with probability 0.67.  The leader gets 1 for each step in a third corner.  As in
    FourRooms it pays for penalties at the goal, whose step ends the episode.
    """
    size, goal, bonus, end = SIDE**2, SIDE**2 - 1, SIDE - 1, SIDE**2
    law = np.zeros((size + 1, 4, size + 1))
    for cell in range(size):
        row, column = divmod(cell, SIDE)
        for direction, (down, right) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
            i, j = row + down, column + right
            after = i * SIDE + j if 0 <= i < SIDE and 0 <= j < SIDE else cell
            law[cell, :, after] += 0.11
            law[cell, direction, after] += 0.56
    law[goal] = np.eye(size + 1)[end]
    law[end] = 0
    follower, leader = np.zeros((size + 1, 4)), np.zeros((size + 1, 4))
    follower[goal], leader[bonus] = 1, 1
    base = BilevelModel.of(
        law, follower, leader, temperature=temperature, follower_discount=0.95,
        leader_discount=0.99, initial=np.eye(size + 1)[0],
        terminal=np.arange(size + 1) == end,
    )  # fmt: skip
    places = torch.cartesian_prod(*[torch.linspace(-1, 1, SIDE)] * 2)
    shares = Shares(places, 1, width, scale=_BUDGET, spare=True)
    own, paid = np.zeros((size + 1, 4, size)), np.zeros((size + 1, 4, size))
    own[np.arange(size), :, np.arange(size)] = 1
    paid[goal] = _PRICE  # of amounts that are negative
    first, second = (sparse.csr_array(each.reshape(-1, size)) for each in (own, paid))
    return AffineLeader(base, TorchVector(shares), Jacobians(first, second, None, None))


HORIZONS = {"toy4-1": 150, "toy4-2": 150, "grid": 100}
"""Task -> steps after which an episode is cut."""


def problem(task: str, width: int) -> AffineLeader:
    """The problem of a task, given the units of the leader's network, or 0 for a table."""
    return grid(width) if task == "grid" else toy4(float(task[-1]), width)
