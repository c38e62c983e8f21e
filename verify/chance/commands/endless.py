"""``chance`` without a horizon: reward discounted for ever, and a bound on the risk."""

from __future__ import annotations

from fractions import Fraction

from rich.console import Console

from holdfast.solvers.chance import enclose_eventual, solve_first_hit
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.numbers import decimal, shorten

from ...cmdp.idle import idle_risk
from ...cmdp.named_models import rational
from ...terminal import output
from ...terminal.certificates import write_certificate
from .output import print_number
from .question import Question

_HORIZONS = (1, 10, 100)  # for which the chance is printed: a line for each


def _infeasible(console: Console, least: Fraction | None) -> None:
    console.print(
        f"[bold red]infeasible[/bold red]: raise the level to at least {shorten(str(least), 60)}"
    )


def _notes(console: Console, question: Question) -> None:
    idle = idle_risk(
        question.model, question.unsafe, question.levels, None, question.options.counts_start
    )
    for line in (*map(output.plain, question.model.notes), *idle):
        console.print(f"  note: {line}", highlight=False)


def answer_ever(console: Console, question: Question) -> int:
    """Bounds on the optimum when the chance of *ever* visiting an unsafe state is bounded."""
    _notes(console, question)
    width = rational(question.options.width, "the width")
    for level in question.levels:
        found = enclose_eventual(
            question.model, question.unsafe, level, width=width, **question.flags
        )
        console.print(
            f"\n[bold]level {level}[/bold] of the chance of ever visiting an unsafe state (the "
            f"least is {decimal(found.minimum_risk)})"
        )
        if found.lower is None or found.upper is None:
            _infeasible(console, found.minimum_risk)
            continue
        print_number(console, "lower bound", found.lower)
        print_number(console, "upper bound", found.upper)
        print_number(console, "width", found.upper - found.lower)
        console.print(
            f"{'':<12}both bounds are exact optima for {found.horizon} free decisions followed by "
            "a fixed policy; a policy attains the lower bound",
            highlight=False,
        )
    return ExitCode.AS_EXPECTED


def answer_fading(console: Console, question: Question) -> int:
    """The exact optimum when E[gamma^tau] is bounded, tau the first visit to an unsafe state."""
    _notes(console, question)
    code = ExitCode.AS_EXPECTED
    for level in question.levels:
        found = solve_first_hit(question.model, question.unsafe, level, **question.flags)
        console.print(f"\n[bold]level {level}[/bold] of E[gamma^tau], tau the first unsafe visit")
        if found.value is None:
            _infeasible(console, found.minimum_risk)
        else:
            print_number(console, "value", found.value)
            print_number(console, "risk", found.risk)
            for horizon in _HORIZONS:
                chance, bound = found.chance_within(horizon), found.chance_bound(horizon)
                console.print(
                    f"{'':<12}Pr(tau <= {horizon}) = {decimal(chance)}, of at most "
                    f"min(1, gamma^-{horizon} level) = {decimal(bound)}",
                    highlight=False,
                )
        path = question.certificate(level)
        if not write_certificate(console, found.certificate(), path, question.options.model):
            code = ExitCode.CERTIFICATE_REJECTED
    return code
