"""Tiny bilevel problems at a parameter, with a rational policy of the follower."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from holdfast.solvers.hypergradient.balls import Array, Point

from ...binding.draws import Draw
from ...binding.family import Family

TEMPERATURES = tuple(Fraction(k, 5) for k in (5, 1, 2, 10, 15))
DISCOUNTS = tuple(Fraction(k, 20) for k in (10, 5, 14, 18, 0))
"""Of follower and leader; they are drawn different."""


def array(values: object) -> Array:
    """Numbers as an array of Fractions."""
    found = np.array(values, dtype=object)
    return np.array([Fraction(one) for one in found.ravel()], dtype=object).reshape(found.shape)


def numbers(draw: Draw, *shape: int, most: int = 4) -> Array:
    """Halves between -most/2 and most/2."""
    count = int(np.prod(shape))
    return array([Fraction(draw.integer(-most, most), 2) for _ in range(count)]).reshape(shape)


def law(draw: Draw, size: int, *, least: int = 0) -> list[Fraction]:
    """Probabilities in proportion to small integers; the first can be 0 only if another is not."""
    weights = [draw.integer(least, 3) for _ in range(size)]
    if not any(weights):
        weights[0] = 1
    return [Fraction(one, sum(weights)) for one in weights]


def _moves(draw: Draw, probabilities: Sequence[Fraction]) -> list[Fraction]:
    """Slopes that sum to 0 and vanish outside the support."""
    inside = [i for i, one in enumerate(probabilities) if one]
    slopes = [Fraction(0)] * len(probabilities)
    for i in inside[1:]:
        slopes[i] = Fraction(draw.integer(-3, 3), 2)
        slopes[inside[0]] -= slopes[i]
    return slopes


def laws(draw: Draw, *shape: int, least: int = 0) -> Array:
    """Laws along the last axis."""
    rows = [law(draw, shape[-1], least=least) for _ in range(int(np.prod(shape[:-1])))]
    return array(rows).reshape(shape)


def slopes_of(draw: Draw, probabilities: Array) -> Array:
    """Directions in which laws along the last axis move."""
    rows = probabilities.reshape(-1, probabilities.shape[-1])
    return array([_moves(draw, row.tolist()) for row in rows]).reshape(probabilities.shape)


def point(
    draw: Draw, *, actions: int = 0, forward: bool = False, rewards_only: bool = False
) -> Point:
    """Up to 3 states and actions; the kernel moves in half of the cases.

    actions: their number, 0 to draw it; forward: episodes visit no state twice; rewards_only: the
    parameter moves the follower's rewards alone.
    """
    n, count = draw.integer(1, 3), actions or draw.integer(2, 3)
    kernel = laws(draw, n, count, n + 1)  # the last column ends the episode
    if forward:
        kernel = _onwards(kernel)
    moving = not rewards_only and draw.integer(0, 1) == 1
    moves = slopes_of(draw, kernel) if moving else kernel * 0
    initial = laws(draw, n)
    discounts = draw.shuffle(DISCOUNTS)
    return Point(
        policy=laws(draw, n, count, least=1),
        values=numbers(draw, n),
        transitions=kernel[..., :-1],
        leader_rewards=numbers(draw, n, count),
        initial=initial,
        follower_slope=numbers(draw, n, count),
        transition_slope=moves[..., :-1],
        leader_slope=initial[:, None] * 0 if rewards_only else numbers(draw, n, count),
        initial_slope=slopes_of(draw, initial) if moving else initial * 0,
        temperature=draw.choice(TEMPERATURES),
        follower_discount=discounts[0],
        leader_discount=discounts[1],
    )


def _onwards(kernel: Array) -> Array:
    """Mass that leads to an earlier state, or to the same, ends the episode instead."""
    kernel = kernel.copy()
    for x, row in enumerate(kernel):
        row[:, -1] += row[:, : x + 1].sum(axis=1)
        row[:, : x + 1] = Fraction(0)
    return kernel
