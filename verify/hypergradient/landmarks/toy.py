"""The toy game DiscreteToy4 of the released code, without its limit of 150 steps, in balls."""

from __future__ import annotations

from fractions import Fraction

import flint

from holdfast.solvers import hypergradient
from holdfast.solvers.hypergradient import balls, exact_games
from holdfast.solvers.hypergradient.exact_games import Game

from ..families.points import array

HALF, DISCOUNT, TEMPERATURE = Fraction(1, 2), Fraction(99, 100), Fraction(1, 20)
"""Those of the released configuration; in S and B the leader's law has no effect."""


def toy(p: Fraction, reward: int) -> Game:
    """The game where the leader takes action 1 in A with probability p, and p moves."""
    joint, shape = hypergradient.discrete_toy4(reward).joint, (3, 2, 3)
    follower, leader = (
        array(one.astype(int)).reshape(shape)
        for one in (joint.follower_rewards, joint.leader_rewards)
    )
    return Game(
        leader_policy=array([(HALF, HALF), (1 - p, p), (HALF, HALF)]),
        slope=array([(0, 0), (-1, 1), (0, 0)]),
        policy=follower * 0,  # to be found
        values=follower[..., 0] * 0,
        transitions=array(joint.transitions.toarray().astype(int)).reshape(*shape, 3),
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
