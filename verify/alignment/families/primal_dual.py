"""Problems of two scores in [0, 1], and what is drawn beside them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations
from typing import Any

import flint
import numpy as np

from holdfast.solvers.alignment import hipo
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.tilts import log_partition, ready
from holdfast.solvers.sequences import Array

from ...binding.draws import Draw, philox
from ...binding.family import Family
from ...binding.values import Mean
from ...hypergradient.families.points import laws
from .stepwise import MULTIPLIERS, Known, telling

TEMPERATURES = tuple(map(Fraction, ("1", "1/2", "1/4", "2")))


def scores(draw: Draw, *shape: int) -> Array:
    """Multiples of 1/20 in [0, 1], as the judge's are, ends more often."""
    flat = [
        draw.choice((Fraction(0), Fraction(1), Fraction(draw.integer(0, 20), 20)))
        for _ in range(int(np.prod(shape)))
    ]
    return np.array(flat, dtype=object).reshape(shape)


def _problem(draw: Draw) -> Problem:
    X, Y = draw.integer(1, 3), draw.integer(2, 4)
    return Problem(
        laws(draw, 1, X, least=1)[0], laws(draw, X, Y, least=1), scores(draw, X, Y),
        scores(draw, X, Y), draw.choice(TEMPERATURES),
    )  # fmt: skip


def _known(draw: Draw) -> Known:
    """With a known multiplier, and a level below what it reaches only where that is 0."""
    case, multiplier = _problem(draw), draw.choice(MULTIPLIERS)
    if max(case.safety[0]) == min(case.safety[0]):
        case.safety[0] = [Fraction(y % 2) for y in range(len(case.safety[0]))]
    return Known(telling(case), multiplier, Fraction(0) if multiplier else Fraction(1, 50))


SCORED = Family("problems of two scores", _problem)
SETTLED = Family("problems of two scores with a known multiplier", _known)


def dual_value(case: Problem, multiplier: Any, level: Any) -> flint.arb:
    """D, in balls."""
    f = ready(case.rewards) + ready(multiplier) * ready(case.safety)
    logs = (ready(case.prompt_law) * log_partition(case.reference, f, case.temperature)).sum()
    return ready(case.temperature) * logs - ready(multiplier) * ready(level)


def level(draw: Draw, *_: object) -> Fraction:
    """tau, a multiple of 1/20."""
    return Fraction(draw.integer(1, 20), 20)


def pair(draw: Draw, *_: object) -> tuple[Fraction, Fraction]:
    """Two multipliers, the smaller one first, often near each other."""
    low = draw.choice(MULTIPLIERS)
    return low, low + draw.choice(tuple(map(Fraction, ("1/100", "1", "1/2"))))


@dataclass(frozen=True)
class Opposed:
    """Two responses a prompt, ranked oppositely by two scores; a level that they reach."""

    problem: Problem
    level: Fraction


def opposed(draw: Draw) -> Opposed:
    """1 to 3 prompts; in a third of the cases with one exchange rate."""
    X, alike = draw.integer(1, 3), draw.integer(0, 2) == 0
    rows: list[tuple[Fraction, ...]] = []
    for _ in range(X):
        high, low = Fraction(draw.integer(11, 20), 20), Fraction(draw.integer(0, 10), 20)
        good, bad = Fraction(draw.integer(11, 20), 20), Fraction(draw.integer(0, 10), 20)
        rows.append((high, low, 1 - high, 1 - low) if alike else (high, low, bad, good))
    data = np.array(rows, dtype=object)
    law, reference = laws(draw, 1, X, least=1)[0], laws(draw, X, 2, least=1)
    case = Problem(law, reference, data[:, :2], data[:, 2:], Fraction(1))
    ends = [(law * case.safety[:, y]).sum() for y in (0, 1)]
    at = Fraction(draw.integer(0, 8), 8)
    return Opposed(case, (1 - at) * ends[0] + at * ends[1])


def least_dual(law: Array, user: Array, system: Array, level: Fraction) -> Fraction:
    """The least dual value without a divergence, at 0 or at an exchange rate: slow and plain."""
    rates = {Fraction(0)}
    for u, s in zip(user, system, strict=True):
        for i, j in combinations(range(len(u)), 2):
            rates |= {(u[i] - u[j]) / (s[j] - s[i])} if s[i] != s[j] else set()
    values = [(law * (user + r * system).max(axis=1)).sum() - r * level for r in rates if r >= 0]
    return min(values)


OPPOSED = Family("prompts with two opposed responses", opposed)


def two_prompts(level: str = "3/4") -> Opposed:
    """Exchange rates 1/20 and 10: the optimum gives in at the first prompt, 39/40 at level 3/4."""
    scores = ([["1", "0.95"], ["1", "0"]], [["0", "1"], ["1/2", "3/5"]])
    case = Problem.of([["1/2", "1/2"]] * 2, *scores)
    return Opposed(case, Fraction(level))


def group(draw: Draw, *_: object) -> tuple[int, int, Fraction]:
    """G from 2 to 6, how many of it are the response that the user prefers, the multiplier."""
    size = draw.integer(2, 6)
    return size, draw.integer(1, size - 1), draw.choice(MULTIPLIERS)


Sampling = tuple[Array, Array, Array, Fraction]


def _own(draw: Draw) -> Sampling:
    """Policy, reference, sampling law (the policy) and weight."""
    count = draw.integer(2, 4)
    policy, reference = laws(draw, 2, count, least=1)
    return policy, reference, policy, draw.choice(TEMPERATURES)


def _sharpened(draw: Draw) -> Sampling:
    """Samples come from the squared policy, normalised: temperature 1/2."""
    policy, reference, _, weight = _own(draw)
    squares = policy**2
    return policy, reference, squares / squares.sum(), weight


OWN = Family("policies and where samples come from", _own)
SHARPENED = Family("sharpened samples", _sharpened)


Prompts = tuple[Array, Array]


def _prompts(draw: Draw) -> Prompts:
    """The law of prompts and their scores; in half of the cases the others have 1."""
    count = draw.integer(1, 3)
    law, own = laws(draw, 1, count, least=1)[0], scores(draw, count)
    own[1:] = [Fraction(1)] * (count - 1) if draw.integer(0, 1) else own[1:]
    return law, own


def array(*texts: str) -> Array:
    """Numbers as an object array."""
    return np.array([Fraction(one) for one in texts], dtype=object)


PROMPTS = Family("prompts with a score each", _prompts)


_RUNS, _LENGTH = 512, 800
"""Runs of an experiment and their steps: 512 runs make intervals of an eighth, 800 steps bring the
multiplier near where it stays; half as many of either leave the sides too close."""


@cache
def late_scores(seed: int, normalised: bool) -> Mean:
    """The user's score over the last half of each run, on the two prompts of exchange."""
    case = two_prompts()
    options = hipo.Options(level=0.75, memory=0.0, step=0.2, normalised=normalised)
    cold = Problem.of(
        case.problem.reference, case.problem.rewards, case.problem.safety, temperature="1e-9"
    )
    path = hipo.sampled(cold, options, _LENGTH, _RUNS, philox("hipo", seed, normalised))
    found = [Fraction(float(one)) for one in path.user[_LENGTH // 2 :].mean(axis=0)]
    total, squares = sum(found, Fraction(0)), sum((x * x for x in found), Fraction(0))
    return Mean(len(found), total, squares, Fraction(0), Fraction(1))
