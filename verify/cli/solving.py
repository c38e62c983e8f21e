"""``solve``: the exact optimum of a constrained model, with a certificate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from holdfast.solvers import CMDP
from holdfast.verify.optima import Optimum, certified_optimum
from holdfast.verify.report.numbers import decimal, shorten
from holdfast.verify.summary import ExitCode

from . import output
from .chance import joint_risk_options, refuse_without_risk, solve_joint
from .models import COST_HELP, MODEL_HELP, read_model

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
    type=click.Choice(["exact", "enclosure", "program"]),
    default="exact",
    help="program: the linear program instead of the chord, for --joint-risk.",
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
    problem = read_model(model, costs, budgets, discount)
    if joint["risks"]:
        default = f"{_stem(model)}.certificate.json"
        return solve_joint(model, problem, method, (certificate, default), whole, joint)
    refuse_without_risk(joint)
    if method == "program":
        raise click.BadParameter("--method program goes with --joint-risk; exact is a program too")
    found = certified_optimum(problem, method)
    path = Path(certificate or f"{_stem(model)}.certificate.json")
    path.write_text(json.dumps(found.document))
    console = output.console()
    _print(console, model, problem, found, None if whole else _ROWS)
    console.print(f"\ncertificate: {path} ([bold]{found.verdict}[/bold]; holdfast check {path})")
    return ExitCode.AS_EXPECTED if found.accepted else ExitCode.CERTIFICATE_REJECTED


def _stem(model: str) -> str:
    name = Path(model).stem if Path(model).exists() else model.removeprefix("gym:")
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def _print(console: Console, name: str, model: CMDP, found: Optimum, rows: int | None) -> None:
    console.print(
        f"[bold]{name}[/bold]: {model.n_states} states, {model.n_choices} state-action pairs, "
        f"{model.n_constraints} costs, discount {model.discount}"
    )
    for note in model.notes:
        console.print(f"  note: {note}", highlight=False)
    if found.relaxation is not None:
        console.print(
            f"[bold red]infeasible[/bold red]: no policy meets the budgets; the least uniform "
            f"increase that helps is {shorten(found.relaxation, 60)} = {decimal(found.relaxation)}"
        )
        return
    console.print(f"value       {shorten(found.value, 60)}\n            = {decimal(found.value)}")
    for index, multiplier in enumerate(found.multipliers):
        console.print(
            f"multiplier  {shorten(multiplier, 60)} = {decimal(multiplier)} "
            f"(budget {shorten(str(model.budgets[index]), 30)})"
        )
    for line in found.remarks:
        console.print(line)
    if found.policy is not None:
        console.print(_policy(model, found, rows))


def _policy(model: CMDP, found: Optimum, rows: int | None) -> Table:
    assert found.policy is not None
    table = Table("state", "action: probability", title="policy", title_justify="left")
    start, actions = model.choice_start.tolist(), model.actions.tolist()
    for state in range(model.n_states if rows is None else min(rows, model.n_states)):
        used = [k for k in range(start[state], start[state + 1]) if found.policy.probabilities[k]]
        cells = (
            f"{actions[k]}"
            if len(used) == 1
            else f"[bold]{actions[k]}: {decimal(str(found.policy.probabilities[k]))}[/bold]"
            for k in used
        )
        table.add_row(str(state), ", ".join(cells))
    if rows is not None and rows < model.n_states:
        table.add_row("...", f"{model.n_states - rows} more states; --all prints them")
    return table
