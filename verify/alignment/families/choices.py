"""A policy over the responses to one prompt, their rewards, and how many are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import laws, numbers


@dataclass(frozen=True, slots=True)
class Choice:
    """policy, rewards [Y]; n: responses that are drawn."""

    policy: Array
    rewards: Array
    n: int


def choices(*, least: int = 1, most: int = 4, responses: int = 4) -> Family:
    """n from `least` to `most`; two responses or more, with ties in half of the cases."""

    def one(draw: Draw) -> Choice:
        count = draw.integer(2, responses)
        policy, rewards = laws(draw, 1, count, least=1)[0], numbers(draw, count)
        if draw.integer(0, 1):
            rewards[0] = rewards[1]
        return Choice(policy, rewards, draw.integer(least, most))

    return Family("a policy, rewards, and how many responses are drawn", one)


def in_order(draw: Draw, case: Choice) -> Array:
    """The rewards, or ranks by which the later of two responses that tie is better."""
    if draw.integer(0, 1):
        return case.rewards
    order = np.argsort(case.rewards, kind="stable").argsort()
    return np.array([Fraction(int(rank)) for rank in order], dtype=object)


def other(draw: Draw, case: Choice) -> Array:
    """Another policy, which may leave responses out."""
    return laws(draw, 1, len(case.policy))[0]
