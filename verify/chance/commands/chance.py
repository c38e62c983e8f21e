"""``solve --joint-risk``: the exact optimum under a bound on the chance of an unsafe state."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from holdfast.solvers import CMDP, Limits, Status
from holdfast.solvers.chance import (
    ChanceProblem,
    ChanceSolution,
    first_window,
    solve,
    solve_by_flag_program,
)
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.pictures import check_suffix

from ...cmdp.idle import idle_risk
from ...cmdp.named_models import rational, states
from ...terminal import output
from ...terminal.options import Whole, refuse_repeated
from ...terminal.targets import check_targets
from .endless import print_eventual, print_first_hit
from .output import Request, levels_table, print_problem, print_solution

HORIZON = Whole(0, 10**6)
"""Decisions; more would fill the memory, a table of every state at each time, before it ends."""

_CERTIFIED = 200_000
"""Choices, in all times, memories and levels, up to which a certificate is written unasked."""


def joint_risk_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a chance-constrained problem, for the command ``solve``."""
    options = (
        click.option(
            "--joint-risk",
            "risks",
            multiple=True,
            help="Bound on the chance that some state is unsafe; several, as 0.05,0.1, make a "
            "table.",
        ),
        click.option(
            "--horizon",
            type=HORIZON,
            help="Decisions T; states s_1 .. s_T are watched. Without it the chance is that of "
            "ever visiting an unsafe state, and the optimum is enclosed.",
        ),
        click.option(
            "--then-free", is_flag=True, help="After the horizon go on for ever, unconstrained."
        ),
        click.option(
            "--fading", is_flag=True, help="Bound E[gamma^tau] instead, tau the first unsafe visit."
        ),
        click.option(
            "--width", help="Of the enclosure without a horizon; default 1/1000000."
        ),
        click.option(
            "--unsafe",
            help="A label of the model, or states as 3,7,12; default the label unsafe.",
        ),
        click.option(
            "--charge",
            help="Visit j costs charge^(j-1): 0, the default, is the joint chance, 1 Boole's sum.",
        ),
        click.option("--counts-start", is_flag=True, help="The start s_0 is watched too."),
        click.option(
            "--reward-only-safe", is_flag=True, help="Earn nothing after an unsafe state."
        ),
        click.option(
            "--compare-boole", is_flag=True, help="Also the optimum under Boole's sum, which is "
            "at most that of the joint chance.",
        ),
        click.option("--plot", type=click.Path(), help="Draw the value against the risk."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def unsafe_states(model: CMDP, text: str) -> tuple[int, ...]:
    """The states that ``--unsafe`` names; ModelError or click.BadParameter with what to change."""
    known = dict(model.labels)
    if text in known:
        return known[text]
    parts = text.split(",")
    try:  # the label of a state that is two says so
        return tuple(s for part in parts for s in (known[part] if part in known else states(part)))
    except ValueError as error:
        raise click.BadParameter(
            f"--unsafe {text!r} is neither a label of the model (it has "
            f"{', '.join(known) or 'none'}) nor a list of states as 3,7,12"
        ) from error


def read_levels(texts: Sequence[str]) -> tuple[Fraction, ...]:
    """The bounds of ``--joint-risk``, each text one or several with commas."""
    levels = tuple(rational(part, "a joint risk") for text in texts for part in text.split(","))
    refuse_repeated(levels, "--joint-risk")
    return levels


def _check_certificates(path: Path, levels: Sequence[Fraction]) -> None:
    """See that the certificates of several levels can be written; that of one was looked at."""
    if len(levels) > 1:
        paths = [str(output.path_for_level(path, level)) for level in levels]
        check_targets([("--certificate", path) for path in paths])


def _charge(options: dict[str, Any]) -> Fraction:
    charge = rational(options["charge"] or "0", "the charge")
    if options["compare_boole"] and charge == 1:
        raise click.BadParameter(
            "--compare-boole compares with --charge 1, which is given; leave one of them out"
        )
    return charge


def refuse_without_risk(options: dict[str, Any]) -> None:
    """Raises click.BadParameter if there is an option that only --joint-risk gives a meaning."""
    _refuse(options, [name for name in options if name != "risks"], "goes with --joint-risk, the "
            "bound on the chance of an unsafe state")  # fmt: skip


def _refuse(options: dict[str, Any], names: Sequence[str], why: str) -> None:
    for name in names:
        if options[name]:
            raise click.BadParameter(f"--{name.replace('_', '-')} {why}")


def solve_joint(
    name: str,
    model: CMDP,
    method: str,
    certificates: tuple[str | None, str],
    whole: bool,
    seconds: float | None,
    options: dict[str, Any],
) -> int:
    """The command with --joint-risk; the exit code.

    certificates: the path asked for, and the one otherwise.
    """
    if method == "enclosure":
        raise click.BadParameter("--joint-risk is solved exactly; use --method exact or program")
    unsafe = unsafe_states(model, options["unsafe"] or "unsafe")
    flags = {
        "counts_start": options["counts_start"],
        "reward_after_violation": not options["reward_only_safe"],
    }
    levels = read_levels(options["risks"])
    _check_certificates(Path(certificates[0] or certificates[1]), levels)
    if model.n_constraints:
        output.console().print(
            f"note: the model's own costs and budgets ({model.n_constraints}) take no part; the "
            "risk is all that is bounded"
        )
    if options["horizon"] is None:
        options = {**options, "certificate": certificates[0], "all": whole,
                   "method program": method == "program", "seconds": seconds}  # fmt: skip
        return _endless(
            model, unsafe, levels, Path(certificates[0] or certificates[1]), options, flags
        )
    _refuse(options, ["fading", "width"], "is for problems without a horizon; drop --horizon")
    if options["plot"]:
        try:
            check_suffix(options["plot"])
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    charge = _charge(options)
    make = first_window if options["then_free"] else ChanceProblem
    problem = make(model, unsafe, options["horizon"], charge=charge, **flags)
    request = Request(
        name,
        problem,
        tuple(problem.checked_level(level) for level in levels),
        method,
        options["compare_boole"],
        *certificates,
        options["plot"],
        whole,
        Limits() if seconds is None else Limits(seconds=seconds),
    )
    return solve_request(output.console(), request)


def _endless(
    model: CMDP,
    unsafe: tuple[int, ...],
    levels: tuple[Fraction, ...],
    path: Path,
    options: dict[str, Any],
    flags: dict[str, bool],
) -> int:
    """No horizon: the chance of ever visiting an unsafe state, or its discounted time."""
    if model.discount == 1:
        raise click.BadParameter(
            "--joint-risk needs a --horizon, the number of decisions: the discount is 1"
        )
    needing = ("plot", "compare_boole", "then_free", "charge", "all", "method program", "seconds")
    _refuse(options, needing, "needs a --horizon")
    console = output.console()
    lines = idle_risk(model, unsafe, levels, None, flags["counts_start"])
    for line in (*(output.plain(note) for note in model.notes), *lines):
        console.print(f"  note: {line}", highlight=False)
    if options["fading"]:
        _refuse(options, ["width"], "is that of an enclosure; with --fading the optimum is exact")
        return print_first_hit(console, model, unsafe, levels, path, flags)
    _refuse(options, ["certificate"], "needs a --horizon, or --fading: the bounds have none")
    width = rational(options["width"] or "1/1000000", "the width")
    return print_eventual(console, model, unsafe, levels, width, flags)


def solve_request(console: Console, request: Request) -> int:
    """Solve, print, certify and draw; the exit code."""
    print_problem(console, request)
    solver = solve_by_flag_program if request.method == "program" else solve
    solutions, seconds = [], []
    for level in request.levels:
        since = time.perf_counter()
        solutions.append(solver(request.problem, level, request.limits))
        seconds.append(time.perf_counter() - since)
    if len(solutions) > 1 or request.compare_boole:
        console.print(levels_table(request, solutions, seconds))
    for solution in solutions:
        if solution.status is Status.INFEASIBLE:
            console.print(f"[bold red]infeasible[/bold red]: {solution.explanation()}")
    if len(solutions) == 1 and solutions[0].status is Status.EXACT:
        print_solution(console, request, solutions[0], seconds[0])
    if request.plot is not None:
        from .drawing import draw_solutions

        console.print(f"plot: {draw_solutions(request.problem, solutions, request.plot)}")
    return _certify(console, request, solutions)


def _certify(console: Console, request: Request, solutions: Sequence[ChanceSolution]) -> int:
    problem = request.problem
    size = problem.horizon * problem.levels * problem.model.n_choices * len(solutions)
    if request.certificate is None and size > _CERTIFIED:
        console.print(
            f"\nno certificate: it would list {size:,} choices; --certificate PATH writes it"
        )
        return ExitCode.AS_EXPECTED
    code = ExitCode.AS_EXPECTED
    for solution in solutions:
        path = Path(request.certificate or request.default_certificate)
        if len(request.levels) > 1:
            path = output.path_for_level(path, solution.level)
        if not output.write_certificate(console, solution.certificate(), path):
            code = ExitCode.CERTIFICATE_REJECTED
    return code
