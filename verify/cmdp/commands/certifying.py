"""``certify``: what anybody's policy or values prove of a model."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from holdfast.solvers import CMDP, Certification, ModelError, certify, enclose, read_policy
from holdfast.solvers.cmdp.scale.certification import SWEEPS
from holdfast.solvers.models.formats.numpy_files import read_array
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.numbers import beside, count, decimal, shorten

from ...kernel import Enclosure, format_rational
from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import Whole, json_option, refuse_idle
from ...terminal.targets import check_targets
from ..named_models import MODEL_HELP, model_options, rational, read_model

_RANGE = Whole(0, 10**6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``certify`` says."""

    model: str
    costs: tuple[str, ...]
    limits: tuple[str, ...]
    discount: str | None
    reward: str | None
    policy: str | None
    values: str | None
    multipliers: tuple[str, ...]
    sweeps: int
    device: str | None
    exact: bool
    optimum: bool
    json_path: str | None


@click.command(epilog=MODEL_HELP)
@click.argument("model")
@model_options
@click.option(
    "--policy", type=click.Path(),
    help="A policy of whatever program: .npy with probabilities [S, A] or actions [S], .json, or "
    ".csv with the columns state, action, probability.",
)  # fmt: skip
@click.option(
    "--values", type=click.Path(),
    help="Values of the states, .npy of shape [S]: what another solver takes for the optimum of "
    "the reward less multipliers times costs.",
)  # fmt: skip
@click.option(
    "--multiplier", "multipliers", multiple=True,
    help="The multiplier of each cost, in order; by default those that prove most.",
)  # fmt: skip
@click.option(
    "--sweeps", type=_RANGE, default=SWEEPS, show_default=True,
    help="Sweeps of value iteration that narrow the bound on the optimum.",
)  # fmt: skip
@click.option(
    "--device",
    help="Do the sweeps from --values on a device of torch, such as cuda, where many are quick; "
    "what they find is proved here.",
)
@click.option(
    "--exact", is_flag=True,
    help="Evaluate the policy in fractions, as is done up to 300 states anyway.",
)  # fmt: skip
@click.option(
    "--optimum", is_flag=True,
    help="Bound the optimum by solving the model, which takes longer than sweeps and proves more.",
)  # fmt: skip
@json_option
def certify_command(**given: Any) -> int:
    """Certify a policy or values that another program found for MODEL.

    Prints rigorous bounds on the return and the costs of the policy, whether it keeps the limits,
    and how much any policy within the limits can earn beyond it.  All are sums of gamma^t r_t, not
    averages.  Nothing of the other program is believed: bad values give wide bounds, not wrong
    ones.
    """
    options = Options(**given)
    if (options.policy is None) == (options.values is None):
        raise click.UsageError("give --policy FILE or --values FILE, one of the two")
    if options.policy is None:
        refuse_idle(["exact"], "evaluates a policy; with --values there is none")
    else:
        refuse_idle(["device"], "does the sweeps from --values; with --policy they are few")
    if options.optimum:
        refuse_idle(["values", "multipliers", "sweeps"], "has no effect beside --optimum")
    read = {"the model": options.model, "the answer": options.policy or options.values or ""}
    check_targets([("--json", options.json_path)], read)
    model = read_model(
        options.model, options.costs, options.limits, options.discount, options.reward
    )
    found, notes = _certified(model, options)
    upper, why = found.upper, "by sweeps"
    if options.optimum:
        upper, why = _optimum(model)
    console = output.console()
    _print(console, options, model, found, upper, why, notes)
    if options.json_path:
        write_json(_document(model, found, upper, notes), options.json_path)
        console.print(f"numbers: {output.plain(options.json_path)}", highlight=False)
    return ExitCode.AS_EXPECTED


def _certified(model: CMDP, options: Options) -> tuple[Certification, tuple[str, ...]]:
    policy, notes = read_policy(model, options.policy) if options.policy else (None, ())
    prices = [rational(text, "a multiplier") for text in options.multipliers]
    values = None if options.values is None else _values(options.values)
    sweeps = 0 if options.optimum else options.sweeps
    if options.device and values is not None:
        from holdfast.solvers.neural.cmdp.sweeps import value_iteration

        values = value_iteration(
            model, sweeps, multipliers=prices, values=values, device=options.device
        )
        sweeps = 0
    exact = True if options.exact else None
    found = certify(
        model, policy, values=values, multipliers=prices or None, sweeps=sweeps, exact=exact
    )
    return found, notes


def _values(path: str) -> np.ndarray[Any, Any]:
    if Path(path).suffix != ".npy":
        raise click.BadParameter(f"--values {path}: values are read from .npy, of shape [S]")
    return read_array(path)


def _optimum(model: CMDP) -> tuple[Fraction, str]:
    best = enclose(model)
    if best.upper is None:
        raise ModelError(
            f"the optimum is {best.status.name}: {best.status.value}; without --optimum the policy "
            "is certified all the same"
        )
    return best.upper, f"by {best.statistics['method']}"


def _print(
    console: Console, options: Options, model: CMDP, found: Certification, upper: Fraction,
    why: str, notes: tuple[str, ...],
) -> None:  # fmt: skip
    console.print(
        f"[bold]{output.plain(options.model)}[/bold]: {model.n_states} states, {model.n_choices} "
        f"state-action pairs, {count(model.n_constraints, 'cost')}, discount {model.discount}"
    )
    for note in (*model.notes, *notes):
        console.print(f"  note: {output.plain(note)}", highlight=False)
    if found.reward is not None:
        output.print_number(console, "reward", *_ends(found.reward))
        for ends, budget in zip(found.costs, model.budgets, strict=True):
            number, near = _ends(ends)
            rest = f"{near}, limit {shorten(str(budget), 30)}: {_kept(ends, budget)}"
            output.print_number(console, "cost", number, rest)
    for multiplier in () if options.optimum else found.multipliers:
        console.print(f"multiplier  {decimal(multiplier)}, of the next bound")
    console.print(f"optimum     at most {_at_most(upper)} ({why})")
    if found.reward is None:
        return
    if found.within_budgets:
        console.print(f"left        at most {_at_most(upper - found.reward[0])} to the optimum")
    elif found.within_budgets is None:
        console.print(
            "left        not known: the bounds on a cost hold its limit between them; --exact "
            "decides it"
        )
    else:
        console.print("left        nothing is said: the policy breaks a limit, and may earn more")


def _ends(ends: tuple[Fraction, Fraction]) -> tuple[str, str]:
    """The number and its decimal, or "in" and the interval."""
    if ends[0] == ends[1]:
        return format_rational(ends[0]), beside(ends[0])
    return "in", f"[{decimal(Enclosure(*ends))}]"


def _kept(ends: tuple[Fraction, Fraction], budget: Fraction) -> str:
    if ends[1] <= budget:
        return "[bold]kept[/bold]"
    if ends[0] <= budget:
        return "[bold]not decided[/bold]"
    by = f"{'' if ends[0] == ends[1] else 'at least '}{decimal(ends[0] - budget)}"
    return f"[bold red]broken[/bold red] by {by}"


def _at_most(value: Fraction) -> str:
    """A decimal that is not below the value, of twelve digits, or the value where it is short."""
    if len(text := format_rational(value)) <= 12:
        return text
    up = Context(prec=12, rounding=ROUND_CEILING)
    return f"{up.divide(Decimal(value.numerator), Decimal(value.denominator)):g}"


def _document(
    model: CMDP, found: Certification, upper: Fraction, notes: tuple[str, ...]
) -> dict[str, Any]:
    def texts(ends: tuple[Fraction, Fraction]) -> list[str]:
        return [format_rational(end) for end in ends]

    return {
        "schema": "holdfast-certify/1",
        "model": model.digest,
        "discount": format_rational(model.discount),
        "reward": None if found.reward is None else texts(found.reward),
        "costs": [texts(ends) for ends in found.costs],
        "budgets": [format_rational(budget) for budget in model.budgets],
        "within_budgets": found.within_budgets,
        "optimum_at_most": format_rational(upper),
        "multipliers": [format_rational(value) for value in found.multipliers],
        "notes": [*model.notes, *notes],
        "seconds": found.seconds,
    }
