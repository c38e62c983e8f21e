"""``chance --horizon``: the exact optimum within a horizon."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction

import click
from rich.console import Console

from holdfast.solvers import Limits
from holdfast.solvers.chance import (
    ChanceProblem,
    ChanceSolution,
    first_window,
    solve,
    solve_by_flag_program,
)
from holdfast.verify.campaign.exit_codes import ExitCode

from ...cmdp.named_models import rational
from ...terminal.certificates import write_certificate
from ...terminal.targets import check_picture
from .output import levels_table, print_problem, print_solution
from .question import Question

_CERTIFIED = 200_000
"""Choices, in all times, memories and levels, up to which a certificate is written unasked: more
would fill the disk with what few read."""


def answer_within(console: Console, question: Question) -> int:
    """Solve each level, print, certify and draw; the exit code."""
    options = question.options
    check_picture(options.plot)
    problem = _problem(question)
    print_problem(console, problem, question)
    limits = question.limits
    timed = [_timed(problem, level, limits, options.method) for level in question.levels]
    if len(timed) > 1 or options.compare_boole:
        console.print(levels_table(timed, limits if options.compare_boole else None))
    solutions = [solution for solution, _ in timed]
    _say_infeasible(console, solutions)
    if len(timed) == 1 and solutions[0].value is not None:
        print_solution(console, *timed[0], whole=options.whole)
    if options.plot is not None:
        from .drawing import draw_solutions

        console.print(f"plot: {draw_solutions(problem, solutions, options.plot)}")
    return _certify(console, question, solutions)


def _say_infeasible(console: Console, solutions: Sequence[ChanceSolution]) -> None:
    for solution in solutions:
        if solution.value is None:
            console.print(f"[bold red]infeasible[/bold red]: {solution.explanation()}")


def _timed(
    problem: ChanceProblem, level: Fraction, limits: Limits, method: str
) -> tuple[ChanceSolution, float]:
    """A solution, and the seconds that it took."""
    solver = solve_by_flag_program if method == "program" else solve
    since = time.perf_counter()
    solution = solver(problem, level, limits)
    return solution, time.perf_counter() - since


def _problem(question: Question) -> ChanceProblem:
    options = question.options
    charge = rational(options.charge, "the charge")
    if options.compare_boole and charge == 1:
        raise click.BadParameter(
            "--compare-boole compares with --charge 1, which is given; leave one of them out"
        )
    assert options.horizon is not None
    make = first_window if options.then_free else ChanceProblem
    problem = make(
        question.model,
        question.unsafe,
        options.horizon,
        charge=charge,
        counts_start=options.counts_start,
        reward_after_violation=not options.reward_only_safe,
    )
    for level in question.levels:
        problem.checked_level(level)
    return problem


def _certify(console: Console, question: Question, solutions: Sequence[ChanceSolution]) -> int:
    problem = solutions[0].problem
    size = problem.horizon * problem.levels * problem.model.n_choices * len(solutions)
    if question.options.certificate is None and size > _CERTIFIED:
        console.print(
            f"\nno certificate: it would list {size:,} choices; --certificate PATH writes it"
        )
        return ExitCode.AS_EXPECTED
    code = ExitCode.AS_EXPECTED
    for solution in solutions:
        path, name = question.certificate(solution.level), question.options.model
        if not write_certificate(console, solution.certificate(), path, name):
            code = ExitCode.CERTIFICATE_REJECTED
    return code
