"""``solve``: the exact optimum of a constrained model, with a certificate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from holdfast.solvers import CMDP, Limits
from holdfast.solvers.whole_files import write_text
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.cmdp.optima import METHODS, Optimum, certified_optimum
from holdfast.verify.report.numbers import decimal, shorten

from ..chance.commands.chance import joint_risk_options, refuse_without_risk, solve_joint
from ..cmdp.idle import idle_costs
from ..cmdp.named_models import COST_HELP, MODEL_HELP, read_model
from ..terminal import output
from ..terminal.targets import check_targets

_INTERRUPTED = 130
_ROWS = 40
"""States of the policy that are printed unless --all."""


@click.command(epilog=MODEL_HELP)
@click.argument("model")
@click.option("--cost", "costs", multiple=True, help=COST_HELP)
@click.option("--budget", "budgets", multiple=True, help="Bound on each discounted cost, in order.")
@click.option(
    "--discount", help="gamma in [0, 1); default the model's own, 99/100 for gym: models."
)
@click.option(
    "--method",
    type=click.Choice([*METHODS, "program"]),
    default="auto",
    help="auto: exact on small models, a rigorous enclosure on large ones. program, with "
    "--joint-risk: a linear program instead of the chord.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="Limit of an exact solution; auto then goes on to an enclosure, after 300 by itself.",
)
@click.option(
    "--certificate", type=click.Path(), help="Where to write it; default MODEL.certificate.json."
)
@click.option("--all", "whole", is_flag=True, help="Print the policy in every state.")
@joint_risk_options
def solve_command(
    model: str,
    costs: Sequence[str],
    budgets: Sequence[str],
    discount: str | None,
    method: str,
    seconds: float | None,
    certificate: str | None,
    whole: bool,
    **joint: Any,
) -> int:
    """Solve MODEL: maximise the discounted reward, each discounted cost at most its budget.

    Prints the value as a fraction and a decimal, the multipliers and the policy, and writes a
    certificate that `holdfast check` accepts.  Values are sums of gamma^t r_t, not averages.

    With --joint-risk the constraint is instead a bound on the chance of an unsafe state within the
    horizon, for which the model's own costs do not count.
    """
    default = f"{_stem(model)}.certificate.json"
    target = default if certificate is None else certificate
    targets = [("--certificate", target), ("--plot", joint["plot"])]
    check_targets(targets, {"the model": model})
    problem = read_model(model, costs, budgets, discount)
    if joint["risks"]:
        certificates = certificate, default
        return solve_joint(model, problem, method, certificates, whole, seconds, joint)
    refuse_without_risk(joint)
    if method == "program":
        raise click.BadParameter("--method program goes with --joint-risk; exact is a program too")
    console = output.console()
    limits = None if seconds is None else Limits(seconds=seconds)
    with _watched(console) as progress:
        found = certified_optimum(
            problem,
            method,
            certify=True if certificate else None,
            progress=progress,
            limits=limits,
        )
    _print(console, model, problem, found, None if whole else _ROWS)
    if found.undecided:
        return ExitCode.UNDECIDED
    if found.document is None:
        console.print("\nno certificate: the model is large, or the search was interrupted")
    else:
        path = Path(certificate or default)
        write_text(path, json.dumps(found.document, allow_nan=False))
        shown = output.plain(path)
        console.print(
            f"\ncertificate: {shown} ([bold]{found.verdict}[/bold]; holdfast check {shown})"
        )
        if not found.accepted:
            return ExitCode.CERTIFICATE_REJECTED
    return _INTERRUPTED if found.interrupted else ExitCode.AS_EXPECTED


@contextmanager
def _watched(console: Console) -> Iterator[Callable[..., None]]:
    """A line that tells how far an enclosure has come, where the output is a terminal."""
    with console.status("solving (Ctrl-C ends an enclosure with the bounds found so far)") as line:

        def progress(
            stage: str, lower: Fraction | None, upper: Fraction | None, seconds: float
        ) -> None:
            ends = ["?" if end is None else f"{float(end):.9g}" for end in (lower, upper)]
            line.update(
                f"{stage}: between {ends[0]} and {ends[1]}, {seconds:.0f} s; Ctrl-C ends it"
            )

        yield progress


def _stem(model: str) -> str:
    name = Path(model).stem if Path(model).exists() else model.removeprefix("gym:")
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def _print(console: Console, name: str, model: CMDP, found: Optimum, rows: int | None) -> None:
    console.print(
        f"[bold]{output.plain(name)}[/bold]: {model.n_states} states, {model.n_choices} "
        f"state-action pairs, {model.n_constraints} costs, discount {model.discount}"
    )
    for note in model.notes:
        console.print(f"  note: {output.plain(note)}", highlight=False)
    for line in idle_costs(model):
        console.print(f"  note: {line}", highlight=False)
    if found.relaxation is not None:
        console.print(
            f"[bold red]infeasible[/bold red]: no policy meets the budgets; the least uniform "
            f"increase that helps is {shorten(found.relaxation, 60)} = {decimal(found.relaxation)}"
        )
        _print_remarks(console, found)
        return
    if found.undecided:
        console.print("[bold]undecided[/bold]: what was known within the limits")
    if found.interrupted:
        console.print("[bold]interrupted[/bold]: what was known by then")
    console.print(f"value       {shorten(found.value, 60)}\n            = {decimal(found.value)}")
    for index, multiplier in enumerate(found.multipliers):
        console.print(
            f"multiplier  {shorten(multiplier, 60)} = {decimal(multiplier)} "
            f"(budget {shorten(str(model.budgets[index]), 30)})"
        )
    _print_remarks(console, found)
    if found.policy is not None:
        console.print(_policy(model, found, rows))


def _print_remarks(console: Console, found: Optimum) -> None:
    for line in found.remarks:
        console.print(line, highlight=False)


def _policy(model: CMDP, found: Optimum, rows: int | None) -> Table:
    assert found.policy is not None
    table = Table("state", "action: probability", title="policy", title_justify="left")
    start, actions = model.choice_start.tolist(), model.actions.tolist()
    for state in range(model.n_states if rows is None else min(rows, model.n_states)):
        used = [k for k in range(start[state], start[state + 1]) if found.policy.probabilities[k]]
        cells = (
            f"{actions[k]}"
            if len(used) == 1
            else f"[bold]{actions[k]}: {decimal(found.policy.probabilities[k])}[/bold]"
            for k in used
        )
        table.add_row(str(state), ", ".join(cells))
    if rows is not None and rows < model.n_states:
        table.add_row("...", f"{model.n_states - rows} more states; --all prints them")
    return table
