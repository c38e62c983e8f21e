"""The flag program: the finite-horizon problem as one linear program over (time, memory, state)::

    max  sum rho_t(n, s, a) gamma^t r(s, a)  (+ what the end is worth)
    s.t. sum_a rho_0(n, s, a) = mu(s) if an episode starts there with memory n, else 0
         sum_a rho_{t+1}(n', s', a) = sum rho_t(n, s, a) P(s' | s, a) over n, s, a leading there
         sum rho_t(n, s, a) z^n P(unsafe | s, a) <= level.

Only cells that some policy reaches have rows.  The memory is a flag for the joint chance (z = 0), a
count for 0 < z < 1, and nothing for Boole's sum (z = 1).  HiGHS proposes a basis, exact algebra
proves or repairs it; this is slow next to the chord, from which it shares no step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import ModelError
from ...exact import Rational
from ...limits import Limits
from ...models.cmdp import IntegerArray
from ...programs.program import LinearProgram, LinearSolution, LinearStatus
from ...programs.solve import solve_linear_program
from ...solution import Status
from .candidates import reached
from .dynamics import Dynamics
from .evaluation import evaluate_table
from .problem import ChanceProblem
from .solution import ChanceSolution, RandomisedCell, TimedPolicy, single_solution

_GENEROUS = Limits()
LARGEST = 2500
"""Rows of the largest program that is solved: exact dense algebra takes a minute there."""


def solve_by_flag_program(
    problem: ChanceProblem, level: Rational | float, limits: Limits = _GENEROUS
) -> ChanceSolution:
    """The exact optimum by the flag program.

    Raises ModelError when the level is no bound, and when the program would have more than
    `LARGEST` rows: `solve` (the chord) takes far larger problems; LimitReachedError when the time
    or the pivots are used up.
    """
    bound = problem.checked_level(level)
    program = FlagProgram(Dynamics.of(problem))
    answer = solve_linear_program(program.built(bound), limits=limits)
    statistics = answer.summary()
    statistics["method"] = f"flag program; {statistics['method']}"
    if answer.status is LinearStatus.INFEASIBLE:
        least = solve_linear_program(program.built(None), limits=limits)
        assert least.value is not None
        return ChanceSolution(
            Status.INFEASIBLE,
            problem,
            bound,
            program.dynamics,
            minimum_risk=problem.start_risk - least.value,
            statistics=statistics,
        )
    return replace(_solution(program, bound, answer), statistics=statistics)


@dataclass(frozen=True, eq=False)
class FlagProgram:
    """The program of some layers.  Its columns are the decisions (time, flat choice n K + k)."""

    dynamics: Dynamics

    @cached_property
    def decisions(self) -> list[IntegerArray]:
        """The flat choices n K + k of each layer, in cells that some policy reaches."""
        dynamics = self.dynamics
        every = np.arange(dynamics.levels * dynamics.model.n_choices)
        return reached(dynamics, [every] * dynamics.horizon)

    @cached_property
    def cells(self) -> list[IntegerArray]:
        """The cell of each decision."""
        model = self.dynamics.model
        found = []
        for layer in self.decisions:
            memories, choices = np.divmod(layer, model.n_choices)
            found.append(memories * model.n_states + model.choice_states[choices])
        return found

    def built(self, level: Fraction | None) -> LinearProgram:
        """In integers: decisions are measured in units of 1 / D_k.

        Without a level it is the program that minimises the risk.
        """
        dynamics, model = self.dynamics, self.dynamics.model
        rows = self._rows()
        columns: list[dict[int, int]] = []
        rewards: list[int] = []
        risks: list[int] = []
        for t, layer in enumerate(self.decisions):
            memories, choices = np.divmod(layer, model.n_choices)
            arrivals = dynamics.entries(self.cells[t], choices)
            pairs = zip(self.cells[t].tolist(), choices.tolist(), strict=True)
            found = [{rows[t][c]: int(model.denominators[k])} for c, k in pairs]
            if t + 1 < dynamics.horizon:
                weights = model.weights[arrivals.positions].tolist()
                for j, cell, w in zip(
                    arrivals.owners.tolist(), arrivals.cells.tolist(), weights, strict=True
                ):
                    row = rows[t + 1][cell]
                    found[j][row] = found[j].get(row, 0) - w
            columns += found
            earned, paid = self._payoffs(t, memories, choices, arrivals)
            rewards += earned
            risks += paid
        return self._program(level, columns, rewards, risks, sum(map(len, rows)))

    def _rows(self) -> list[dict[int, int]]:
        """Row numbers of the cells of each layer; ModelError when there are too many."""
        _check_rows(self.dynamics.horizon + 1, "at least ")
        distinct = [np.unique(cells).tolist() for cells in self.cells]
        count = sum(map(len, distinct)) + 1
        _check_rows(count)
        starts = np.concatenate([[0], np.cumsum([len(cells) for cells in distinct])]).tolist()
        return [
            {cell: start + i for i, cell in enumerate(cells)}
            for start, cells in zip(starts, distinct, strict=False)
        ]

    def _payoffs(
        self, time: int, memories: IntegerArray, choices: IntegerArray, arrivals: Any
    ) -> tuple[list[int], list[int]]:
        """D_k times reward and charge of each decision, over their denominators."""
        dynamics, model = self.dynamics, self.dynamics.model
        top, bottom = model.discount.numerator, model.discount.denominator
        weights = model.weights[arrivals.positions].astype(object)
        hits = np.where(arrivals.risky, dynamics.charges[arrivals.memories], 0)
        power = top**time * bottom ** (dynamics.horizon - time)
        own = np.where(dynamics.earns[memories], dynamics.rewards[choices], 0)
        rewards = own * model.denominators[choices].astype(object) * power
        if time + 1 == dynamics.horizon:
            ends = dynamics.terminal.ravel()[arrivals.cells] * weights
            rewards = rewards + np.add.reduceat(ends, arrivals.starts) * top**dynamics.horizon
            hits = hits + dynamics.residual.ravel()[arrivals.cells]
        risks = np.add.reduceat(hits * weights, arrivals.starts)
        return [int(v) for v in rewards.tolist()], [int(v) for v in risks.tolist()]

    def _program(
        self,
        level: Fraction | None,
        columns: list[dict[int, int]],
        rewards: list[int],
        risks: list[int],
        count: int,
    ) -> LinearProgram:
        dynamics, model = self.dynamics, self.dynamics.model
        first = np.unique(self.cells[0])
        rhs = [*dynamics.start[first].tolist(), *[0] * (count - len(first))]
        mass = model.initial_denominator
        if level is None:
            objective, scale = [-v for v in risks], dynamics.charge_denominator * mass
        else:
            budget = level - dynamics.problem.start_risk
            _add_row(columns, count, [risk * budget.denominator for risk in risks])
            rhs.append(budget.numerator * dynamics.charge_denominator * mass)
            power = model.discount.denominator**dynamics.horizon
            objective, scale = rewards, dynamics.value_denominator * power * mass
        units = model.denominators[np.concatenate(self.decisions) % model.n_choices]
        return LinearProgram(
            tuple((tuple(c), tuple(c.values())) for c in columns),
            tuple(rhs),
            (True,) * count + (False,) * (level is not None),
            tuple(objective),
            scale,
            units=tuple(map(int, units)),
        )


def _add_row(columns: list[dict[int, int]], row: int, entries: Sequence[int]) -> None:
    for column, entry in zip(columns, entries, strict=True):
        if entry:
            column[row] = entry


def _check_rows(count: int, bound: str = "") -> None:
    if count > LARGEST:
        raise ModelError(
            f"the flag program has {bound}{count} rows (reachable times, memories and states), "
            f"more than the {LARGEST} that exact linear programming takes; use the chord, "
            "solvers.chance.solve, which takes far more"
        )


def _solution(program: FlagProgram, level: Fraction, answer: LinearSolution) -> ChanceSolution:
    """The policy of a basic optimal solution, which randomises in at most one cell."""
    dynamics = program.dynamics
    assert answer.primal is not None and answer.dual is not None and answer.value is not None
    laws = _laws(program, answer.primal.numerators)
    first = dynamics.model.choice_start[:-1]
    table = np.tile(first, (dynamics.horizon, dynamics.levels, 1))
    mixed = {}
    for cell, law in laws.items():
        table[cell] = next(iter(law))
        if len(law) > 1:
            mixed[cell] = law
    scale = dynamics.charge_denominator * dynamics.model.initial_denominator
    budget = level - dynamics.problem.start_risk
    multiplier = answer.dual[len(answer.dual) - 1] * budget.denominator * scale
    ends = [_end(dynamics, table, mixed, which) for which in (min, max)]
    if not mixed:
        return single_solution(dynamics, level, ends[0], multiplier)
    ((cell, law),) = mixed.items()
    safer, bolder = sorted(ends, key=lambda end: end.risk)
    a, b = int(safer.choices[cell]), int(bolder.choices[cell])
    share = law[b]
    return ChanceSolution(
        Status.EXACT,
        dynamics.problem,
        level,
        dynamics,
        answer.value,
        safer.risk + share * (bolder.risk - safer.risk),
        multiplier,
        safer,
        bolder,
        share,
        safer,
        RandomisedCell(*cell, a, b, share),
    )


def _laws(
    program: FlagProgram, primal: Sequence[int]
) -> dict[tuple[int, int, int], dict[int, Fraction]]:
    """The probabilities of the choices in each cell with mass."""
    model, position = program.dynamics.model, 0
    masses: dict[tuple[int, int, int], dict[int, int]] = {}
    for t, layer in enumerate(program.decisions):
        for flat, cell in zip(layer.tolist(), program.cells[t].tolist(), strict=True):
            choice = flat % model.n_choices
            mass = primal[position] * int(model.denominators[choice])
            position += 1
            if mass:
                masses.setdefault((t, *divmod(cell, model.n_states)), {})[choice] = mass
    return {
        cell: {k: Fraction(mass, sum(row.values())) for k, mass in row.items()}
        for cell, row in masses.items()
    }


def _end(dynamics: Dynamics, table: IntegerArray, mixed: Any, which: Any) -> TimedPolicy:
    """The policy with one choice at the randomised cell."""
    own = table.copy()
    for cell, law in mixed.items():
        own[cell] = which(law)
    return TimedPolicy(own, *evaluate_table(dynamics, own))
