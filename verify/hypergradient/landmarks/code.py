"""Instances of a few numbers on which lines of the released code are told from what is meant."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.hypergradient.balls import Array
from holdfast.solvers.hypergradient.exact_games import Game

from ..families.points import array

HALF = Fraction(1, 2)
Backup = tuple[Array, Array, Fraction]


def identity() -> tuple[Backup]:
    """Even odds, Q the identity, temperature 1/20: 1/2 + log(2)/20 against log(e^20 + 1)/20."""
    return ((array([HALF, HALF]), array([[1, 0], [0, 1]]), Fraction(1, 20)),)


def matching() -> tuple[Game]:
    """One state and one step: the follower takes b = a with probability 9/10, Q_L(a, b) = b, and
    log f moves by 1/2 and -1/2 towards a = 1 at even odds.

    The term is (1/4)(9/10 - 1/10) = 1/5; with b itself subtracted nothing is left.
    """
    likely, seldom = Fraction(9, 10), Fraction(1, 10)
    return (Game(
        leader_policy=array([[HALF, HALF]]), slope=array([[-HALF / 2, HALF / 2]]),
        policy=array([[[likely, seldom], [seldom, likely]]]), values=array([[0, 0]]),
        transitions=array([[[[0], [0]], [[0], [0]]]]), leader_rewards=array([[[0, 1], [0, 1]]]),
        follower_rewards=array([[[0, 0], [0, 0]]]), initial=array([1]), temperature=Fraction(1),
        follower_discount=HALF, leader_discount=HALF,
    ),)  # fmt: skip


def two_actions() -> tuple[Backup]:
    """Rewards 0 and 1 with probabilities 3/5 and 2/5, discount 1/2: Q = (0, 1) by the mode 0."""
    return ((array([Fraction(3, 5), Fraction(2, 5)]), array([0, 1]), HALF),)
