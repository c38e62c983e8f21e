"""``solve``: the exact optimum of a constrained model, with a certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from holdfast.solvers import CMDP, Limits, ModelError, write_policy
from holdfast.solvers.cmdp.policy_files import check_policy_path, policy_document
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.cmdp.optima import METHODS, Optimum, certified_optimum
from holdfast.verify.report.numbers import beside, count, decimal, shorten
from holdfast.verify.report.pictures import write

from ...kernel import format_rational
from ...terminal import output
from ...terminal.certificates import kept, make_room, say_certificate
from ...terminal.json_files import write_json
from ...terminal.options import (
    all_option,
    certificate_option,
    json_option,
    plot_option,
    time_option,
)
from ...terminal.targets import check_picture, check_targets
from ..idle import idle_costs
from ..named_models import MODEL_HELP, model_options, read_model
from ..value_curve import check_drawable, draw, value_curves

_ROWS = 40
"""States of the policy that are printed unless --all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``solve`` says; budget: seconds."""

    model: str
    costs: tuple[str, ...]
    limits: tuple[str, ...]
    discount: str | None
    reward: str | None
    method: str
    budget: float | None
    certificate: str | None
    policy: str | None
    plot: str | None
    json_path: str | None
    whole: bool


@click.command(epilog=MODEL_HELP)
@click.argument("model")
@model_options
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="auto",
    show_default=True,
    help="auto: exact on small models, a rigorous enclosure on large ones, or where the exact "
    "solution takes longer than its --budget (5 minutes if there is none).",
)
@time_option
@certificate_option
@click.option(
    "--policy", type=click.Path(),
    help="Write the policy to this file: .npy with an array [S, A], .json or .csv with fractions.",
)  # fmt: skip
@plot_option("the optimal value against the limit of each cost")
@json_option
@all_option
def solve_command(**given: Any) -> int:
    """Solve MODEL: maximise the discounted reward, with each discounted cost within its limit.

    Prints the value as a fraction and a decimal, the multipliers and the policy, and writes a
    certificate that `holdfast check` accepts.  Values are sums of gamma^t r_t, not averages.

    `holdfast chance` bounds the probability of visiting an unsafe state instead.
    """
    options = Options(**given)
    targets = [
        ("--certificate", options.certificate),
        ("--policy", options.policy),
        ("--plot", options.plot),
        ("--json", options.json_path),
    ]
    check_targets(targets, {"the model": options.model})
    check_picture(options.plot)
    if options.policy is not None:
        check_policy_path(options.policy)
    problem = read_model(
        options.model, options.costs, options.limits, options.discount, options.reward
    )
    if options.plot is not None:
        check_drawable(problem)
    make_room(options.certificate)
    console = output.console()
    with _watched(console) as progress:
        found = certified_optimum(
            problem,
            options.method,
            certify=True if options.certificate else None,
            progress=progress,
            limits=None if options.budget is None else Limits(seconds=options.budget),
        )
    _print(console, options.model, problem, found, None if options.whole else _ROWS)
    if options.json_path is not None:
        write_json(_document(problem, found), options.json_path)
        console.print(f"\nanswer: {output.plain(options.json_path)}", highlight=False)
    if options.plot is not None:
        _draw(console, problem, options.plot)
    if not found.undecided:
        _write_certificate(console, options, found)
    _write_policy(console, options, found)  # the last: it may be refused, and solving took long
    if found.undecided:
        return ExitCode.UNDECIDED
    if found.document is not None and not found.accepted:
        return ExitCode.CERTIFICATE_REJECTED
    return ExitCode.INTERRUPTED if found.interrupted else ExitCode.AS_EXPECTED


def _draw(console: Console, model: CMDP, path: str) -> None:
    with console.status("drawing: exact optima under other limits"):
        curves = value_curves(model)
    if not curves:
        console.print("\nno plot: it takes more than one other limit to make the model feasible")
        return
    drawn = ", ".join(str(curve.index + 1) for curve in curves)
    where = output.plain(write(draw(curves), path))
    console.print(f"\nplot: {where}, the value against the limit of cost {drawn}", highlight=False)


def _write_certificate(console: Console, options: Options, found: Optimum) -> None:
    if found.document is None:
        console.print("\nno certificate: the model is large, or the search was interrupted")
        return
    path = kept(found.document, options.certificate, options.model)
    say_certificate(console, path, found.verdict, found.check_option)


def _write_policy(console: Console, options: Options, found: Optimum) -> None:
    if options.policy is not None:
        if found.relaxation is not None:
            path = output.plain(options.policy)
            console.print(f"\nno policy keeps within the limits: {path} is not written")
            return
        if found.policy is None:
            raise ModelError(f"--policy {options.policy}: {_no_policy(found)}")
        write_policy(found.policy, options.policy)
        console.print(f"\npolicy: {output.plain(options.policy)}", highlight=False)


def _no_policy(found: Optimum) -> str:
    if found.components:
        return (
            f"the answer is a mixture of {len(found.components)} deterministic policies, one of "
            "which is drawn for each episode, and no single table; --json has them all, and the "
            "method exact gives one policy that randomises in a state"
        )
    return "no policy within the limits is known, so that there is none to write"


def _document(model: CMDP, found: Optimum) -> dict[str, Any]:
    return {
        "schema": "holdfast-solve/1",
        "status": found.status.name,
        "meaning": found.status.value,
        "model": model.digest,
        "notes": list(model.notes),
        "discount": format_rational(model.discount),
        "value": found.value,
        "budgets": [format_rational(budget) for budget in model.budgets],
        "multipliers": list(found.multipliers),
        "relaxation": found.relaxation,
        "policy": None if found.policy is None else policy_document(found.policy),
        "mixture": [
            {
                "weight": format_rational(one.weight),
                "actions": model.actions[one.choices].tolist(),
                "reward": [format_rational(end) for end in one.reward],
                "costs": [[format_rational(end) for end in ends] for ends in one.costs],
            }
            for one in found.components
        ],
        "certificate": found.certified,
        "remarks": list(found.remarks),
    }


@contextmanager
def _watched(console: Console) -> Iterator[Callable[..., None]]:
    """A line that says how far an enclosure has come, where the output is a terminal."""
    with console.status("solving (Ctrl-C ends an enclosure with the bounds found so far)") as line:

        def progress(
            stage: str, lower: Fraction | None, upper: Fraction | None, seconds: float
        ) -> None:
            ends = ["?" if end is None else f"{float(end):.9g}" for end in (lower, upper)]
            line.update(
                f"{stage}: between {ends[0]} and {ends[1]}, {seconds:.0f} s; Ctrl-C ends it"
            )

        yield progress


def _print(console: Console, name: str, model: CMDP, found: Optimum, rows: int | None) -> None:
    console.print(
        f"[bold]{output.plain(name)}[/bold]: {model.n_states} states, {model.n_choices} "
        f"state-action pairs, {count(model.n_constraints, 'cost')}, discount {model.discount}"
    )
    for note in model.notes:
        console.print(f"  note: {output.plain(note)}", highlight=False)
    for line in idle_costs(model):
        console.print(f"  note: {line}", highlight=False)
    if found.relaxation is not None:
        console.print(
            f"[bold red]infeasible[/bold red]: no policy keeps within the limits; the least "
            f"equal increase of all limits that helps is {shorten(found.relaxation, 60)} "
            f"{beside(found.relaxation)}"
        )
        _print_remarks(console, found)
        return
    if found.policy is not None:  # first, so that what it is worth stays in view below it
        console.print(_policy(model, found, rows))
    if found.undecided:
        console.print("[bold]undecided[/bold]: what was known within the limits")
    if found.interrupted:
        console.print("[bold]interrupted[/bold]: what was known by then")
    output.print_number(console, "value", found.value, beside(found.value))
    for multiplier, budget in zip(found.multipliers, model.budgets, strict=False):  # or none yet
        rest = f"{beside(multiplier)} (limit {shorten(str(budget), 30)})".strip()
        output.print_number(console, "multiplier", multiplier, rest)
    _print_remarks(console, found)


def _print_remarks(console: Console, found: Optimum) -> None:
    for line in found.remarks:
        console.print(line, highlight=False)


def _policy(model: CMDP, found: Optimum, rows: int | None) -> Table:
    assert found.policy is not None
    table = Table("state", "action: probability", title="policy", title_justify="left")
    for state in range(model.n_states if rows is None else min(rows, model.n_states)):
        cells = (
            f"{action}" if p == 1 else f"[bold]{action}: {decimal(p)}[/bold]"
            for action, p in found.policy[state].items()
        )
        table.add_row(str(state), ", ".join(cells))
    if rows is not None and rows < model.n_states:
        table.add_row("...", f"{model.n_states - rows} more states; --all prints them")
    return table
