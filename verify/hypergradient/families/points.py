"""Tiny bilevel problems at a parameter, with a rational policy of the follower, and games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers.hypergradient.balls import Array, Point
from holdfast.solvers.hypergradient.exact_games import Game

from ...binding.draws import Draw
from ...binding.family import Family

TEMPERATURES = tuple(Fraction(k, 5) for k in (5, 1, 2, 10, 15))
DISCOUNTS = tuple(Fraction(k, 20) for k in (10, 5, 14, 18, 0))
"""Of follower and leader; they are drawn different."""


def array(values: Any) -> Array:
    """Numbers as an array of Fractions."""
    return np.array(np.frompyfunc(Fraction, 1, 1)(np.array(values, dtype=object)), dtype=object)


def numbers(draw: Draw, *shape: int) -> Array:
    """Halves between -2 and 2."""
    found = [Fraction(draw.integer(-4, 4), 2) for _ in range(int(np.prod(shape)))]
    return array(found).reshape(shape)


def laws(draw: Draw, *shape: int, least: int = 0) -> Array:
    """Laws along the last axis, in proportion to integers from `least` to 3."""

    def law() -> list[Fraction]:
        weights = [draw.growing(least, 3) for _ in range(shape[-1])]
        weights[0] += not any(weights)
        return [Fraction(one, sum(weights)) for one in weights]

    return array([law() for _ in range(int(np.prod(shape[:-1])))]).reshape(shape)


def moves(draw: Draw, probabilities: Array) -> Array:
    """Slopes of laws along the last axis: they sum to 0 and vanish outside the support."""

    def slopes(law: Sequence[Fraction]) -> list[Fraction]:
        inside = [i for i, one in enumerate(law) if one]
        found = [Fraction(0)] * len(law)
        for i in inside[1:]:
            found[i] = Fraction(draw.integer(-3, 3), 2)
            found[inside[0]] -= found[i]
        return found

    rows = probabilities.reshape(-1, probabilities.shape[-1])
    return array([slopes(row.tolist()) for row in rows]).reshape(probabilities.shape)


def _onwards(kernel: Array) -> Array:
    """Mass that leads to the same state or to an earlier one ends the episode instead."""
    for x, rows in enumerate(kernel):
        rows[..., -1] += rows[..., : x + 1].sum(axis=-1)
        rows[..., : x + 1] = Fraction(0)
    return kernel


def point(draw: Draw, *, forward: bool = False, rewards_only: bool = False) -> Point:
    """Up to 3 states and actions; the kernel and the initial law move in half of the cases.

    forward: no state is visited twice; rewards_only: the parameter moves the follower's rewards
    alone, and no episode ends.
    """
    n, count = draw.integer(1, 3), draw.integer(2, 3)
    kernel = laws(draw, n, count, n if rewards_only else n + 1)  # a last column ends the episode
    kernel = _onwards(kernel) if forward else kernel
    moving = not rewards_only and draw.integer(0, 1) == 1
    initial, discounts = laws(draw, n), draw.shuffle(DISCOUNTS)
    return Point(
        policy=laws(draw, n, count, least=1),
        values=numbers(draw, n),
        transitions=kernel[..., :n],
        leader_rewards=numbers(draw, n, count),
        initial=initial,
        follower_slope=numbers(draw, n, count),
        transition_slope=(moves(draw, kernel) if moving else kernel * 0)[..., :n],
        leader_slope=numbers(draw, n, count) * (not rewards_only),
        initial_slope=moves(draw, initial) if moving else initial * 0,
        temperature=draw.choice(TEMPERATURES),
        follower_discount=discounts[0],
        leader_discount=discounts[1],
    )


def points(**options: bool) -> Family:
    """Points with the options of `point`."""

    def one(draw: Draw) -> Point:
        return point(draw, **options)

    return Family("bilevel problems with a rational policy", one)


def rewards(draw: Draw, case: Point) -> Array:
    """Rewards of the follower, for which its policy is irrational; the point's own is not used."""
    return numbers(draw, *case.policy.shape)


def other_policy(draw: Draw, case: Point) -> Array:
    """A second policy, of full support."""
    return laws(draw, *case.policy.shape, least=1)


def _shaped(draw: Draw) -> Point:
    """One action, which nothing moves, or rewards that move by a potential."""
    case = point(draw)
    if draw.integer(0, 2) == 0:
        names = ("transitions", "transition_slope", "leader_rewards", "leader_slope")
        cut = {name: getattr(case, name)[:, :1] for name in (*names, "follower_slope")}
        return replace(case, policy=case.policy[:, :1] * 0 + 1, **cut)
    psi = numbers(draw, len(case.values))
    ahead = case.follower_discount * np.einsum("xby,y->xb", case.transitions, psi)
    still = case.transition_slope * 0
    return replace(case, follower_slope=ahead - psi[:, None], transition_slope=still)


@dataclass(frozen=True, slots=True)
class Misjudged:
    """Action values [1, A] of one state, errors of others, a policy without zeros, temperature."""

    action_values: Array
    errors: Array
    policy: Array
    temperature: Fraction


def _misjudged(draw: Draw) -> Misjudged:
    shape = (1, draw.integer(2, 4))
    values, errors = numbers(draw, *shape), numbers(draw, *shape)
    return Misjudged(values, errors, laws(draw, *shape, least=1), draw.choice(TEMPERATURES))


MISJUDGED = Family("action values of one state, and others", _misjudged)
SHAPED = Family("what moves no policy", _shaped).with_controls(shaping=points())


def game(draw: Draw, *, observing: bool = True, forward: bool = False) -> Game:
    """2 states, 2 actions of the leader, 2 or 3 of the follower."""
    n, count = 2, draw.integer(2, 3)
    shape = (n, 2, count)
    kernel = laws(draw, *shape, n + 1)
    kernel = _onwards(kernel) if forward else kernel
    law, discounts = laws(draw, n, 2, least=1), draw.shuffle(DISCOUNTS)
    return Game(
        leader_policy=law,
        slope=moves(draw, law),
        policy=laws(draw, *(shape if observing else (n, count)), least=1),
        values=numbers(draw, *(shape[:2] if observing else (n,))),
        transitions=kernel[..., :n],
        leader_rewards=numbers(draw, *shape),
        follower_rewards=numbers(draw, *shape),
        initial=laws(draw, n),
        temperature=draw.choice(TEMPERATURES),
        follower_discount=discounts[0],
        leader_discount=discounts[1],
    )


def games(**options: bool) -> Family:
    """Games with the options of `game`."""

    def one(draw: Draw) -> Game:
        return game(draw, **options)

    return Family("games with a rational policy of the follower", one)
