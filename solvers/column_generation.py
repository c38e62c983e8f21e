"""Proposals for large models: a mixture of few deterministic policies, found in floating point.

The master program mixes known policies within the budgets; its multipliers price a new one, found
by float policy iteration for r - lambda c; stop when the best policy is already there.  For one
constraint this is the chord method.  Nothing here is believed: ``enclosure`` bounds it rigorously.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .cmdp import CMDP
from .exact import floats_of
from .improvement import FloatModel
from .linear_program import LinearProgram, solve_linear_program

_GRID = 2**44
_ROUNDS = 200
_PRICE_TOLERANCE = 1e-11


@dataclass(frozen=True, slots=True)
class Column:
    """A deterministic policy (one choice a state) and its float returns."""

    choices: tuple[int, ...]
    reward: float
    costs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What column generation ends with.

    ``multipliers`` are rationals; ``values`` the float optimal values of r - lambda c (or the
    negated least scalarised cost when ``feasible`` is False and the multipliers sum to about one).
    """

    feasible: bool
    columns: tuple[Column, ...]
    multipliers: tuple[Fraction, ...]
    values: np.ndarray[Any, Any]
    rounds: int


class Generator:
    """Float data of one model and the columns found so far."""

    def __init__(self, model: CMDP) -> None:
        self.model, self.floats = model, FloatModel.of(model)
        self.law = floats_of(model.initial.tolist()) / float(sum(floats_of(model.initial.tolist())))
        self.reward = model.reward_vector().floats()
        self.costs = [model.cost_vector(i).floats() for i in range(model.n_constraints)]
        self.columns: dict[tuple[int, ...], Column] = {}
        self.rounds = 0

    def add(self, function: np.ndarray[Any, Any]) -> tuple[Column, np.ndarray[Any, Any], bool]:
        """The best policy for a function, its values, and whether it is new."""
        choices, values = self.floats.iterate(function)
        key = tuple(choices.tolist())
        new = key not in self.columns
        if new:
            returns = [
                float(self.law @ self.floats.values(choices, f)) for f in (self.reward, *self.costs)
            ]
            self.columns[key] = Column(key, returns[0], tuple(returns[1:]))
        return self.columns[key], values, new

    def run(self, *, slack: bool) -> tuple[bool, tuple[Fraction, ...], np.ndarray[Any, Any]]:
        """Price until no policy helps; (has a nonnegative optimum, multipliers, values)."""
        while True:
            self.rounds += 1
            answer, multipliers, level = master(
                tuple(self.columns.values()), self.model.budgets, slack=slack
            )
            if answer is None:
                return False, (), np.zeros(0)
            function = np.zeros_like(self.reward) if slack else self.reward.copy()
            for weight, cost in zip(multipliers, self.costs, strict=True):
                function -= float(weight) * cost
            _, values, new = self.add(function)
            gain = float(self.law @ values) - float(level)
            if (
                not new
                or gain <= _PRICE_TOLERANCE * (1 + abs(float(level)))
                or self.rounds >= _ROUNDS
            ):
                return answer >= 0, multipliers, values


def propose_mixture(model: CMDP) -> Proposal:
    """Column generation: first reward, with a least-violation phase if the budgets need it."""
    generator = Generator(model)
    generator.add(generator.reward)
    for cost in generator.costs:
        generator.add(-cost)
    first, _, _ = master(tuple(generator.columns.values()), model.budgets, slack=False)
    if first is None:
        feasible, multipliers, values = generator.run(slack=True)
        if not feasible:
            return Proposal(
                False, tuple(generator.columns.values()), multipliers, values, generator.rounds
            )
    _, multipliers, values = generator.run(slack=False)
    return Proposal(True, tuple(generator.columns.values()), multipliers, values, generator.rounds)


def master(
    columns: Sequence[Column], budgets: Sequence[Fraction], *, slack: bool
) -> tuple[Fraction | None, tuple[Fraction, ...], Fraction]:
    """The master program on a grid of 2^-44, solved exactly.

    Returns (optimal value or None when infeasible, multipliers, level), where ``level`` is the
    value of J_r - lambda J_c (or -lambda J_c with ``slack``) that a new policy must beat.
    """
    size = len(budgets)
    packed = []
    for column in columns:
        costs = [
            round(c * _GRID) * d.denominator for c, d in zip(column.costs, budgets, strict=True)
        ]
        packed.append((tuple(range(size + 1)), (*costs, 1)))
    objective = [0 if slack else round(column.reward * _GRID) for column in columns]
    if slack:
        units = tuple(d.denominator * _GRID for d in budgets)
        packed += [(tuple(range(size)), tuple(sign * u for u in units)) for sign in (1, -1)]
        objective += [_GRID, -_GRID]
    program = LinearProgram(
        tuple(packed),
        (*(d.numerator * _GRID for d in budgets), 1),
        (False,) * size + (True,),
        tuple(objective),
        _GRID,
    )
    answer = solve_linear_program(program)
    if answer.value is None or answer.dual is None:
        return None, (), Fraction(0)
    multipliers = tuple(answer.dual[i] * d.denominator * _GRID for i, d in enumerate(budgets))
    return answer.value, multipliers, answer.dual[size]
