"""Responses to one prompt that are compared in pairs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import array, laws, numbers
from .problems import TEMPERATURES


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Rewards [Y], weights of pairs [Y, Y], reference and another policy [Y], temperature."""

    rewards: Array
    weights: Array
    reference: Array
    policy: Array
    temperature: Fraction


def _tree(draw: Draw, responses: list[int], weights: Array) -> None:
    """Joins each response to an earlier one, and some pairs more."""
    for k, y in enumerate(responses[1:], 1):
        edges = {draw.choice(responses[:k]), draw.choice(responses[:k])}
        for other in edges:
            weights[y, other] = weights[other, y] = Fraction(draw.integer(1, 3))


def _comparisons(draw: Draw, parts: int) -> Comparisons:
    """`parts` components of two responses or more, five responses at most."""
    sizes = [draw.integer(2, 4 if parts == 1 else 2 + (part == 0)) for part in range(parts)]
    order = draw.shuffle(range(sum(sizes)))
    weights = array(np.zeros((len(order), len(order)), dtype=int))
    for size in sizes:
        _tree(draw, order[:size], weights)
        order = order[size:]
    count = len(weights)
    reference, policy = laws(draw, 2, count, least=1)
    return Comparisons(numbers(draw, count), weights, reference, policy, draw.choice(TEMPERATURES))


def comparisons(parts: int = 1) -> Family:
    """Bradley-Terry populations whose comparison graph has so many components."""
    return Family("pairs of responses", lambda draw: _comparisons(draw, parts))


@dataclass(frozen=True, slots=True)
class Tournament:
    """Probabilities [Y, Y] of being preferred, 1/2 on the diagonal, the law [Y] that draws both
    responses of a pair, and the temperature."""

    chances: Array
    law: Array
    temperature: Fraction


def tournament(draw: Draw) -> Tournament:
    """Any probabilities in eighths, so that cycles occur."""
    count = draw.integer(2, 4)
    chances = array(np.full((count, count), Fraction(1, 2)))
    for y in range(count):
        for other in range(y):
            chances[y, other] = Fraction(draw.integer(0, 8), 8)
            chances[other, y] = 1 - chances[y, other]
    return Tournament(chances, laws(draw, 1, count, least=1)[0], draw.choice(TEMPERATURES))


@dataclass(frozen=True, slots=True)
class Labels:
    """Weights of labels [Y] each, reference and policy [Y], temperature and baseline.

    The first response is undesirable on balance, the second desirable.
    """

    desirable: Array
    undesirable: Array
    reference: Array
    policy: Array
    temperature: Fraction
    baseline: Fraction


def labels(draw: Draw) -> Labels:
    """Two responses to four."""
    count = draw.integer(2, 4)
    good = array([Fraction(draw.integer(0, 8), 4) for _ in range(count)])
    bad = array([Fraction(draw.integer(0, 8), 4) for _ in range(count)])
    bad[0], good[1] = good[0] + bad[0] + Fraction(1, 4), good[1] + bad[1] + Fraction(1, 4)
    reference, policy = laws(draw, 2, count, least=1)
    heat, baseline = draw.choice(TEMPERATURES), Fraction(draw.integer(0, 4), 2)
    return Labels(good, bad, reference, policy, heat, baseline)


def mixed() -> Labels:
    """A third response has most labels, as many of either kind: moving mass matters little."""
    policy = array([Fraction(1, 3)] * 3)
    good, bad = (array([Fraction(one, 4) for one in ones]) for ones in ((0, 1, 20), (1, 0, 20)))
    return Labels(good, bad, policy, policy, Fraction(1), Fraction(0))
