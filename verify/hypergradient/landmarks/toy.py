"""The toy game DiscreteToy4 of the released code, without its limit of 150 steps.

States S, A, B; the leader has the actions 0, 1, the follower s, a, b.  In S the follower stays by s
and goes to A and B by a and b, for a reward of 1 each.  In A the leader's action 1 sends it back to
S, at a cost of 1; else s leads to S, a to nowhere, and b to B, for a reward of R.  In B s leads to
S.  The leader has a reward of 1 for each a in S, and acts in A only.
"""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np

from holdfast.solvers.hypergradient import balls, exact_games
from holdfast.solvers.hypergradient.exact_games import Game

from ..families.points import array

S, A, B = range(3)
_NEXT = {(S, 0): (S, A, B), (S, 1): (S, A, B), (A, 0): (S, A, B), (A, 1): (S, S, S),
         (B, 0): (S, B, B), (B, 1): (S, B, B)}  # fmt: skip
"""(state, leader's action) -> next states by s, a, b."""
HALF, DISCOUNT, TEMPERATURE = Fraction(1, 2), Fraction(99, 100), Fraction(1, 20)
"""Those of the released configuration; in S and B the leader's law has no effect."""


def toy(p: Fraction, reward: int) -> Game:
    """The game where the leader takes action 1 in A with probability p, and p moves."""
    shape = (3, 2, 3)
    kernel, follower, leader = array(np.zeros((*shape, 3), int)), *array(np.zeros((2, *shape), int))
    for (s, a), targets in _NEXT.items():
        for b, t in enumerate(targets):
            kernel[s, a, b, t] = Fraction(1)
    follower[S, :, 1:] += 1
    follower[A, 1] -= 1
    follower[A, 0, 2] += reward
    leader[S, :, 1] += 1
    return Game(
        leader_policy=array([(HALF, HALF), (1 - p, p), (HALF, HALF)]),
        slope=array([(0, 0), (-1, 1), (0, 0)]),
        policy=follower * 0,  # to be found
        values=follower[..., 0] * 0,
        transitions=kernel,
        leader_rewards=leader,
        follower_rewards=follower,
        initial=array([1, 0, 0]),
        temperature=TEMPERATURE,
        follower_discount=DISCOUNT,
        leader_discount=DISCOUNT,
    )


def enclosed_toy(p: Fraction, reward: int) -> balls.Point:
    """The game as its follower sees it, with the follower that is optimal, in balls."""
    game = toy(p, reward)
    return balls.enclosed(exact_games.observing(game), game.follower_rewards.reshape(6, 3))


def returns(p: Fraction, reward: int) -> tuple[flint.arb, flint.arb]:
    """J(p) and J'(p)."""
    found = enclosed_toy(p, reward)
    return balls.objective(found), balls.hypergradient(found)
