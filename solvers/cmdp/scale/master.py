"""The master program: the best mixture of the policies at hand, and the next trial multipliers.

    maximise  sum_j w_j J_r(j) - sum_i cap_i v_i
    subject to  sum_j w_j J_ci(j) - v_i <= d_i,   sum_j w_j = 1,   w, v >= 0,

whose multipliers are at most the caps.  It is tiny and solved exactly, over bounds of the returns
that err on the safe side (rewards low, costs high): a mixture without v is certainly feasible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ...programs.program import LinearProgram, row_scale
from ...programs.solve import solve_linear_program
from .bounds import Column

#: Bounds are rounded outwards to multiples of 1 / this.  More: longer numbers in the exact program.
_QUANTUM = 2**70


@dataclass(frozen=True)
class Mixture:
    """An optimal solution of the master program.

    value: None when some v_i is positive (no feasible mixture yet); elastic: the objective, with
    what the v_i cost; weights: one a column;
    multipliers: lambda; level: the Lagrangian value lambda prices every column at most at.
    """

    value: Fraction | None
    elastic: Fraction
    weights: tuple[Fraction, ...]
    multipliers: tuple[Fraction, ...]
    level: Fraction


def best_mixture(
    columns: Sequence[Column],
    budgets: Sequence[Fraction],
    caps: Sequence[Fraction],
) -> Mixture:
    """The optimal mixture with multipliers up to the caps."""
    size, count = len(budgets), len(columns)
    rewards = [safe_below(column.lower[0]) for column in columns]
    rows = [
        [safe_above(column.upper[1 + i]) for column in columns]
        + [Fraction(-int(i == k)) for k in range(size)]
        for i in range(size)
    ]
    rows.append([Fraction(1)] * count + [Fraction(0)] * size)
    program = LinearProgram.of(
        [*rewards, *(-cap for cap in caps)], rows, ["<="] * size + ["="], [*budgets, 1]
    )
    answer = solve_linear_program(program)
    assert answer.primal is not None and answer.dual is not None and answer.value is not None
    violated = any(answer.primal[count + i] for i in range(size))
    bounds = [*budgets, Fraction(1)]
    scales = [row_scale(row, bound) for row, bound in zip(rows, bounds, strict=True)]
    prices = [answer.dual[i] * scale for i, scale in enumerate(scales)]
    return Mixture(
        None if violated else answer.value,
        answer.value,
        tuple(answer.primal[j] for j in range(count)),
        tuple(prices[:size]),
        prices[size],
    )


def safe_below(value: Fraction) -> Fraction:
    """The next multiple of 2^-70 at or below a bound (short numbers keep the program small)."""
    return Fraction(math.floor(value * _QUANTUM), _QUANTUM)


def safe_above(value: Fraction) -> Fraction:
    """The next multiple of 2^-70 at or above a bound."""
    return Fraction(math.ceil(value * _QUANTUM), _QUANTUM)
