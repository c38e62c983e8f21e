"""``export``: a model written for other tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from holdfast.solvers import CMDP, save, write_prism
from holdfast.solvers.models.formats.prism.writer import prism_paths
from holdfast.verify.campaign.exit_codes import ExitCode

from ...terminal import output
from ...terminal.options import refuse_idle
from ...terminal.targets import check_targets
from ..named_models import MODEL_HELP, model_options, read_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``export`` says."""

    model: str
    target: str
    costs: tuple[str, ...]
    limits: tuple[str, ...]
    discount: str | None
    reward: str | None
    discount_as_sink: bool
    decimals: bool


@click.command(epilog=MODEL_HELP)
@click.argument("model")
@click.option(
    "--to", "target", required=True, type=click.Path(), help="File to write: .tra, .json or .npz."
)
@model_options
@click.option(
    "--discount-as-sink",
    is_flag=True,
    help="Turn the discount into termination in a state labelled sink.",
)
@click.option("--decimals", is_flag=True, help="Write decimals instead of p/q where they end.")
def export_command(**given: Any) -> int:
    """Write MODEL to PATH.tra for PRISM and Storm, with PATH.lab, PATH.srew and PATH.trew.

    Each cost goes to PATH.cost1.srew and .trew, and so on.  The files hold no discount: with
    --discount-as-sink their total reward is the discounted one, and the query is printed.
    """
    options = Options(**given)
    path = Path(options.target)
    check_targets(_targets(path, 0), {"the model": options.model})
    problem = read_model(
        options.model, options.costs, options.limits, options.discount, options.reward
    )
    check_targets(_targets(path, problem.n_constraints), {"the model": options.model})
    if path.suffix != ".tra":
        refuse_idle(["discount_as_sink", "decimals"], f"is for .tra files; {path} is not one")
        written = [save(problem, path)]
    else:
        written = write_prism(
            problem,
            path,
            discount="sink" if options.discount_as_sink else "omit",
            decimals=options.decimals,
        )
    console = output.console()
    for file in written:
        console.print(str(file), highlight=False, markup=False)
    for note in problem.notes:
        console.print(f"note: {output.plain(note)}", highlight=False)
    if path.suffix == ".tra":
        console.print(_use(problem, path, options.discount_as_sink), highlight=False, markup=False)
    return ExitCode.AS_EXPECTED


def _targets(path: Path, n_costs: int) -> list[tuple[str, str]]:
    files = prism_paths(path, n_costs) if path.suffix == ".tra" else [path]
    return [("--to", str(file)) for file in files]


def _use(model: CMDP, path: Path, as_sink: bool) -> str:
    """What to give to other tools, and to holdfast on the way back."""
    limits = "".join(f" --limit {budget}" for budget in model.budgets)
    if not as_sink:
        return (
            f"discount {model.discount} is not in the files; write "
            f"holdfast solve {path} --discount {model.discount}{limits}"
        )
    bounds = "".join(
        f', R{{"cost{i + 1}"}}<={budget} [C]' for i, budget in enumerate(model.budgets)
    )
    objective = 'R{"reward"}max=? [C]'
    query = f"multi({objective}{bounds})" if bounds else objective
    return f"query: {query}\nback here: holdfast solve {path}{limits}"
