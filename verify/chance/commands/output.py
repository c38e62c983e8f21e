"""What ``chance --horizon`` prints: the table of levels, and where the policy flips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from rich.console import Console
from rich.table import Table

from holdfast.solvers import CMDP, Limits
from holdfast.solvers.chance import ChanceProblem, ChanceSolution, solve
from holdfast.solvers.chance.horizon.evaluation import forward
from holdfast.verify.kernel import format_rational
from holdfast.verify.report.numbers import beside, count, decimal, duration, shorten

from ...cmdp.idle import idle_risk
from ...terminal.output import plain
from ...terminal.output import print_number as fitted
from .question import Question

_ROWS = 40
"""Rows of the policy that are printed unless --all."""


def print_problem(console: Console, problem: ChanceProblem, question: Question) -> None:
    """The model, and what is to be known of it."""
    model = problem.model
    console.print(
        f"[bold]{plain(question.options.model)}[/bold]: {model.n_states} states, "
        f"{model.n_choices} state-action pairs, discount {model.discount}, horizon "
        f"{problem.horizon}, {count(len(problem.unsafe), 'unsafe state')}"
    )
    for note in model.notes:
        console.print(f"  note: {plain(note)}", highlight=False)
    for line in idle_risk(
        model,
        problem.unsafe,
        question.levels,
        problem.horizon,
        problem.counts_start,
        problem.charge == 0,
    ):
        console.print(f"  note: {line}", highlight=False)
    start = [s for s in problem.unsafe if model.initial[s]]
    if start and not problem.counts_start:
        console.print(
            f"  note: start state {start[0]} is unsafe; the window begins at s_1, so that is not "
            "counted (--counts-start counts it)"
        )


def risk_name(problem: ChanceProblem) -> str:
    """What is bounded, in words."""
    first = 0 if problem.counts_start else 1
    if problem.charge == 0:
        return f"chance that some of s_{first} .. s_{problem.horizon} is unsafe"
    if problem.charge == 1:
        return f"expected number of unsafe states among s_{first} .. s_{problem.horizon}"
    return f"expected sum of {problem.charge}^(j-1) over the unsafe visits j"


def levels_table(timed: Sequence[tuple[ChanceSolution, float]], boole: Limits | None) -> Table:
    """A row a level, with the seconds that it took; boole: limits of the optimum under Boole's sum,
    None to leave that out."""
    problem = timed[0][0].problem
    headings = ["level", "optimum", "as a fraction", "multiplier", "safer: return (risk)",
                "bolder: return (risk)", "Pr(bolder)"]  # fmt: skip
    headings += ["under Boole's sum"] if boole else []
    table = Table(*headings, "time", title=f"level of the {risk_name(problem)}",
                  title_justify="left")  # fmt: skip
    summed = replace(problem, charge=Fraction(1))
    for solution, spent in timed:
        cells = [str(solution.level), *_cells(solution)]
        if boole:
            value = solve(summed, solution.level, boole).value
            cells.append("infeasible" if value is None else decimal(value, 8))
        table.add_row(*cells, duration(spent))
    return table


def _cells(solution: ChanceSolution) -> list[str]:
    if solution.value is None or solution.safer is None or solution.bolder is None:
        return ["infeasible", f"at least {decimal(solution.minimum_risk or 0)}", "", "", "", ""]
    ends = [
        f"{decimal(end.value, 8)} ({decimal(end.risk, 4)})"
        for end in (solution.safer, solution.bolder)
    ]
    return [
        decimal(solution.value, 8),
        shorten(format_rational(solution.value), 21),
        decimal(solution.multiplier, 4),
        *ends,
        decimal(solution.flip_probability, 4),
    ]


def print_solution(
    console: Console, solution: ChanceSolution, seconds: float, *, whole: bool
) -> None:
    """The policy, then the optimum, which stays in view below it; whole: every row of it."""
    console.print(_policy(solution, whole))
    print_number(console, "value", solution.value)
    print_number(console, "risk", solution.risk)
    print_number(console, "multiplier", solution.multiplier)
    console.print(f"            {risk_name(solution.problem)}; solved in {duration(seconds)}")
    for line in _flip(solution.problem, solution):
        console.print(line, highlight=False)


def print_number(console: Console, name: str, number: Fraction | None) -> None:
    """A number as a fraction, and under it as a decimal unless that is the same."""
    number = number or Fraction(0)
    text, near = format_rational(number), beside(number, 12)
    if "0x" in text:  # too long to be read in decimal
        text = f"a fraction with a denominator of {number.denominator.bit_length()} bits"
    fitted(console, name, text, "" if near == f"= {text}" else near)


def _flip(problem: ChanceProblem, solution: ChanceSolution) -> list[str]:
    """Where and how often the optimal policy flips, in words."""
    safer, bolder, cell = solution.safer, solution.bolder, solution.cell
    assert safer is not None
    assert bolder is not None
    if cell is None:
        return ["\nno flip: a deterministic policy is optimal"]
    model = problem.model
    odds = decimal(solution.flip_probability, 4)
    where = f"state {cell.state}{_point(model, cell.state)} at time {cell.time}"
    differing = int(np.sum(safer.choices != bolder.choices))
    actions = (int(model.actions[cell.safer]), int(model.actions[cell.bolder]))
    return [
        f"\n[bold]flip once an episode[/bold]: with probability {odds} follow the bolder policy "
        f"(return {decimal(bolder.value, 7)}, risk {decimal(bolder.risk, 4)}), else the "
        f"safer one (return {decimal(safer.value, 7)}, risk {decimal(safer.risk, 4)})",
        f"[bold]or flip in one place[/bold]: in {where}{_memory(problem, cell.memory)} take action "
        f"{actions[1]} with probability {decimal(cell.probability, 4)}, else action "
        f"{actions[0]}; everywhere else one action is enough",
        f"(the two policies differ in {count(differing, 'cell')})",
    ]


def _memory(problem: ChanceProblem, memory: int) -> str:
    if problem.levels == 1:
        return ""
    if problem.levels == 2:
        return ", violated" if memory else ", safe so far"
    return f", after {count(memory, 'unsafe visit')}"


def _point(model: CMDP, state: int) -> str:
    if not model.coordinates:
        return ""
    return " (" + ", ".join(str(x) for x in model.coordinates[state]) + ")"


def _policy(solution: ChanceSolution, whole: bool) -> Table:
    rows = list(_reached(solution))
    title = "policy, in the cells that it reaches"
    if len(rows) > _ROWS and not whole:
        title = (
            f"policy, in the likeliest cell of each time and where it flips ({len(rows)} cells are "
            "reached, --all prints them)"
        )
        rows = _typical(rows)
    table = Table("time", "state", "so far", "reached with", "action: probability",
                  title=title, title_justify="left")  # fmt: skip
    problem, model = solution.problem, solution.problem.model
    for row in rows:
        table.add_row(
            str(row.time),
            f"{row.state}{_point(model, row.state)}",
            _memory(problem, row.memory).removeprefix(", ") or "-",
            decimal(row.probability, 3),
            _actions(model, row.law),
        )
    return table


@dataclass(frozen=True, slots=True)
class _Row:
    """A reached cell, the probability of being there, and what is done there."""

    time: int
    memory: int
    state: int
    probability: Fraction
    law: dict[int, Fraction]


def _reached(solution: ChanceSolution) -> Iterator[_Row]:
    assert solution.policy is not None
    size = solution.problem.model.n_states
    for layer in forward(solution.dynamics, solution.policy.choices, solution.mixed):
        masses: dict[int, dict[int, int]] = {}
        columns = (layer.cells.tolist(), layer.choices.tolist(), layer.mass.tolist())
        for cell, choice, mass in zip(*columns, strict=True):
            if mass:
                masses.setdefault(cell, {})[choice] = mass
        for cell, law in masses.items():
            total = sum(law.values())
            shares = {choice: Fraction(mass, total) for choice, mass in law.items()}
            memory, state = divmod(cell, size)
            yield _Row(layer.time, memory, state, Fraction(total, layer.scale), shares)


def _typical(rows: Sequence[_Row]) -> list[_Row]:
    """The likeliest cell of each time, and those where the policy randomises."""
    likeliest: dict[int, _Row] = {}
    for row in rows:
        best = likeliest.setdefault(row.time, row)
        if row.probability > best.probability:
            likeliest[row.time] = row
    return [row for row in rows if row is likeliest[row.time] or len(row.law) > 1]


def _actions(model: CMDP, law: dict[int, Fraction]) -> str:
    if len(law) == 1:
        return str(int(model.actions[next(iter(law))]))
    shares = (f"{int(model.actions[k])}: {decimal(p, 4)}" for k, p in law.items())
    return f"[bold]{', '.join(shares)}[/bold]"
