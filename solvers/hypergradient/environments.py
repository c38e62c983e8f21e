"""The tabular problems of the released code, random ones, and models made of decision processes.

Sources: the repository akimotolab/BC-HG at 9c9d42c (read 2026-11-29), whose horizons of 150 and 200
steps are infinite here; the continuous ones are in `regulators`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from ..errors import ModelError
from ..models.cmdp import CMDP
from ..sequences import Array, as_array
from .checks import kind, real, whole
from .games import MarkovGame
from .leaders import AffineLeader, reward_penalty
from .models import BilevelModel

FOUR_ROOMS = (
    "xxxxxxxxxxxxx",
    "x     x     x",
    "x     x     x",
    "x           x",
    "x     x     x",
    "x     x     x",
    "xx xxxx     x",
    "x     xxx xxx",
    "x     x     x",
    "x     x     x",
    "x           x",
    "x     x     x",
    "xxxxxxxxxxxxx",
)
"""The map, by row and column; cells are numbered as they are read."""


def discrete_toy4(
    reward: float, *, temperature: float = 0.05, discount: float = 0.99
) -> MarkovGame:
    """DiscreteToy4: three states S, A, B; the leader's action matters in A only.

    From S the follower goes to A or B (+1 to it, and +1 to the leader for A) or stays.  In A the
    leader's action 1 sends it back to S (-1 to it); action 0 lets it go to S, stay, or go to B, for
    ``reward`` to it (1 and 2 are published).  From B it goes to S, or stays.
    """
    real(reward, "reward")
    s, a, b = range(3)
    transitions = np.zeros((3, 2, 3, 3))
    follower, leader = np.zeros((3, 2, 3)), np.zeros((3, 2, 3))
    for lead in range(2):
        for act, after in ((s, s), (a, a), (b, b)):
            transitions[s, lead, act, after] = 1
            transitions[a, lead, act, s if lead else after] = 1
            transitions[b, lead, act, s if act == s else b] = 1
    follower[s, :, [a, b]] = 1
    follower[a, 1], follower[a, 0, b] = -1, reward
    leader[s, :, a] = 1
    return MarkovGame.of(
        transitions, follower, leader, temperature=temperature, follower_discount=discount,
        leader_discount=discount, initial=[1, 0, 0],
    )  # fmt: skip


def four_rooms(
    temperature: float = 0.001, *, intended: float = 0.67, logits: Any = None,
    goal: tuple[int, int] = (1, 9), price: float = 5.0,
) -> AffineLeader:  # fmt: skip
    """FourRooms: a leader spreads a budget of 0.2 of penalties over the 104 free cells.

    The follower starts in (4, 1) and gets 1 in the goal, less the penalty of each cell it is in
    before; the leader gets 1 for each step in (8, 4), and pays ``price`` times the sum of all
    penalties when the goal is reached.  Rewards are of the cell that a step begins in; the step
    that begins in the goal ends the episode, with the entropy bonus of a free choice, as in the
    released code.

    ONE kernel is used for the follower's plan and for its walk: the intended direction with
    probability ``intended``, the three others alike.  The released code walks with 0.67, as here by
    default, and plans with 0.56.

    Args:
        temperature: 0.001, 0.003 and 0.005 are published.
        logits: [105], default 0; their softmax times -0.2, without the last, are the penalties.
        goal: row and column; HPGD's table is a mean over this one and (11, 11).
        price: 1 to 5 are published.

    Raises ModelError for a probability that is not in (0, 1), and for a goal in a wall.
    """
    real(price, "price")
    if not 0 < real(intended, "intended") < 1:
        raise ModelError(f"intended is {intended}; it is a probability between 0 and 1")
    cells = [(i, j) for i, row in enumerate(FOUR_ROOMS) for j, at in enumerate(row) if at == " "]
    number = {cell: k for k, cell in enumerate(cells)}
    if goal not in number:
        raise ModelError(
            f"goal is {goal!r}, which is no free cell; give (row, column) such as (1, 9)"
        )
    size, last, end = len(cells), number[goal], len(cells)
    transitions = np.zeros((size + 1, 4, size + 1))
    for (i, j), k in number.items():
        ahead = [number.get(cell, k) for cell in ((i - 1, j), (i, j + 1), (i + 1, j), (i, j - 1))]
        for action in range(4):
            for direction, after in enumerate(ahead):
                chance = intended if direction == action else (1 - intended) / 3
                transitions[k, action, after] += chance
    transitions[last] = 0
    transitions[last, :, end] = 1
    transitions[end] = 0
    follower, leader = np.zeros((size + 1, 4)), np.zeros((size + 1, 4))
    follower[last], leader[number[8, 4]] = 1, 1
    model = BilevelModel.of(
        transitions, follower, leader, temperature=temperature, follower_discount=0.99,
        leader_discount=0.99, initial=np.eye(size + 1)[number[4, 1]],
        terminal=np.arange(size + 1) == end,
    )  # fmt: skip
    penalties = np.zeros((size + 1, 4, size))
    penalties[np.arange(size), :, np.arange(size)] = 1
    penalties[last] = 0
    prices = np.zeros((size + 1, 4, size))
    prices[last] = price  # amounts are negative: the leader pays their sum so many times
    rows = (size + 1) * 4
    return reward_penalty(
        model, penalties.reshape(rows, -1), prices.reshape(rows, -1), parameters=logits, budget=-0.2
    )


def random_model(
    states: int, actions: int, *, successors: int | None = None, temperature: float = 0.5,
    follower_discount: float = 0.9, leader_discount: float = 0.8, local: bool = False,
    seed: int = 0,
) -> BilevelModel:  # fmt: skip
    """Random rewards, and laws of at most ``successors`` random states, or of nearby ones (local).

    Normal rewards, exponential weights, a uniform first state; the Philox stream of the seed.
    successors: default 5, or all where there are fewer states.
    """
    whole(states, "states"), whole(actions, "actions")
    successors = min(5, states) if successors is None else whole(successors, "successors")
    if successors > states:
        raise ModelError(f"successors is {successors}; it must be from 1 to the {states} states")
    rng = np.random.Generator(np.random.Philox(whole(seed, "seed", 0)))
    rows = states * actions
    if local:
        centre = np.repeat(np.arange(states), actions)[:, None]
        reached = (centre + rng.integers(-successors, successors + 1, (rows, successors))) % states
    else:
        reached = rng.integers(0, states, (rows, successors))
    weights = rng.exponential(size=(rows, successors))
    weights /= weights.sum(axis=1, keepdims=True)
    starts = np.arange(0, rows * successors + 1, successors)
    law = sparse.csr_array((weights.ravel(), reached.ravel(), starts), shape=(rows, states))
    return BilevelModel.of(
        law, rng.normal(size=(states, actions)), rng.normal(size=(states, actions)),
        temperature=temperature, follower_discount=follower_discount,
        leader_discount=leader_discount,
    )  # fmt: skip


def bilevel_from_cmdp(
    model: CMDP, *, temperature: float, leader_rewards: Any = None,
    leader_discount: float | None = None,
) -> BilevelModel:  # fmt: skip
    """The follower plans in a decision process, such as one from gymnasium, for its reward.

    Args:
        model: from `from_gymnasium`, `from_arrays` or a file.  States that only wait for the end
            of the episode, without reward or cost, become terminal.
        leader_rewards: [n, A]; default minus the model's first cost.
        leader_discount: default the model's own discount, which is the follower's.

    Raises ModelError where states have different numbers of actions, and without leader's rewards.
    """
    kind(model, CMDP, "model", "give a CMDP, such as from_gymnasium and from_arrays make")
    over, width = _waiting(model), int(model.action_counts.max())
    short = np.flatnonzero(~over & (model.action_counts != width))
    if len(short):
        raise ModelError(
            f"state {short[0]} has {model.action_counts[short[0]]} actions and others have "
            f"{width}; give every state the same number, for instance by repeating one"
        )
    own = model.choice_states
    rows = np.repeat(own * width + np.arange(model.n_choices) - model.choice_start[own],
                     np.diff(model.indptr))  # fmt: skip
    kept = ~np.repeat(over[own], np.diff(model.indptr))
    shares = model.weights / np.repeat(model.denominators, np.diff(model.indptr))
    parts = (shares[kept].astype(float), (rows[kept], model.successors[kept]))
    law = sparse.csr_array(parts, shape=(model.n_states * width, model.n_states))
    if leader_rewards is None:
        if not model.n_constraints:
            raise ModelError("the model has no cost; give leader_rewards, an array [n, A]")
        leader_rewards = -_table(model, model.cost_vector(0).fractions(), over, width)
    discount = float(model.discount)
    initial = np.array([float(x) for x in model.initial]) / float(model.initial_denominator)
    return BilevelModel.of(
        law, _table(model, model.reward_vector().fractions(), over, width),
        as_array(leader_rewards, "leader_rewards"), temperature=temperature,
        follower_discount=discount,
        leader_discount=discount if leader_discount is None else leader_discount,
        initial=initial, terminal=over,
    )  # fmt: skip


def _waiting(model: CMDP) -> Array:
    """bool[n]: one choice, nothing to gain or pay, and only such states ahead."""
    paid = np.asarray(model.reward != 0)
    for cost in model.costs:
        paid = paid | np.asarray(cost != 0)
    idle = (model.action_counts == 1) & ~paid[model.choice_start[:-1]]
    own = np.repeat(model.choice_states, np.diff(model.indptr))
    while True:
        left = np.unique(own[idle[own] & ~idle[model.successors]])
        if not len(left):
            return np.asarray(idle)
        idle[left] = False


def _table(model: CMDP, values: Any, over: Array, width: int) -> Array:
    table = np.zeros((model.n_states, width))
    numbers = np.array([float(value) for value in values])
    table[~over] = numbers[~over[model.choice_states]].reshape(-1, width)
    return table
