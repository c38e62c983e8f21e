"""One equation instead of n: what an attacker who also shapes the features must bring about.

    min sum_i abs(zeta_i)   subject to   a.zeta = a.d,   -down <= zeta <= up,

a fractional knapsack.  A victim may always scale its reward, so that this bounds the cost against
trained features from below; that it is enough needs features that can represent nothing else.

Source: Kusaka et al. 2025, Theorem 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import mul

from ...errors import ModelError
from ...exact import Rational, Vector, to_fraction
from .problem import FlipProblem


@dataclass(frozen=True, slots=True)
class Knapsack:
    """The least cost (un-normalised) under one equation.

    value: exact; changes: zeta (N); gap: a.d; bound: abs(a.d) / max abs(a_i), at most the value.
    """

    value: Fraction
    changes: Vector
    gap: Fraction
    bound: Fraction


def one_direction(problem: FlipProblem, direction: Sequence[Rational]) -> Knapsack:
    """Take the pairs in order of abs(a_i), each as far as its box allows.

    direction: a (N), such as the scores of a reward.

    Raises ModelError if there is not one entry a pair.
    """
    a = [to_fraction(value, f"direction[{i}]") for i, value in enumerate(direction)]
    if len(a) != problem.n_pairs:
        raise ModelError(f"direction has {len(a)} entries for {problem.n_pairs} pairs")
    gap = sum(map(mul, a, problem.displacement.fractions()), Fraction(0))
    changes = _greedy(problem, a, gap)
    cost = sum(map(abs, changes), Fraction(0))
    bound = abs(gap) / max(map(abs, a)) if gap else Fraction(0)
    return Knapsack(cost, Vector.of(changes), gap, bound)


def _greedy(problem: FlipProblem, a: Sequence[Fraction], gap: Fraction) -> list[Fraction]:
    """Changes that close the gap, those of the largest abs(a_i) first."""
    ups, downs = problem.room_up.fractions(), problem.room_down.fractions()
    changes, rest = [Fraction(0)] * len(a), abs(gap)
    for i in sorted(range(len(a)), key=lambda i: -abs(a[i])):
        if not rest:
            break
        rises = (a[i] > 0) == (gap > 0)
        taken = min(ups[i] if rises else downs[i], rest / abs(a[i]))
        changes[i] = taken if rises else -taken
        rest -= taken * abs(a[i])
    return changes
