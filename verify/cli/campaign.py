"""``campaign``: a run of ``verify`` with a name, looked at, gone on with, and exported."""

from __future__ import annotations

from contextlib import chdir
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import click
from rich import box
from rich.table import Table

from holdfast.solvers.whole_files import write_text
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.forecast import costs, durations, larger, write_seconds
from holdfast.verify.campaign.status import Status, status
from holdfast.verify.engine.ledger import RUN_ALPHA
from holdfast.verify.report.numbers import DASH, count, duration
from holdfast.verify.report.visible import one_line
from holdfast.verify.store.export import SUFFIXES, export
from holdfast.verify.store.store import Store

from ..cmdp.named_models import MODEL_HELP
from ..terminal import output
from ..terminal.json_files import write_json
from ..terminal.options import Whole, cluster_option, jobs_option, json_option
from ..terminal.stores import campaign_store, existing_store
from ..terminal.targets import check_targets
from .verifying import Options, perform, verify_options

_NAME = "A NAME is that of .holdfast/NAME.sqlite, or the path of a store; NAME:3 is its run 3."


@click.group(epilog=_NAME)
def campaign_command() -> None:
    """Run verify under a NAME, look how far it is, go on with it, and export what it found."""


@campaign_command.command("run", epilog=MODEL_HELP)
@click.argument("name")
@verify_options
def run_command(name: str, **given: Any) -> int:
    """Do what `holdfast verify PATTERNS` does, into the store of the campaign NAME.

    The store is for this run alone: another one under the same name is refused, unless --fresh says
    to begin anew in the same file. The same command goes on with a run that was interrupted, and so
    does `holdfast campaign resume NAME`.
    """
    return perform(Options(**given, path=campaign_store(name)), alone=True)


@campaign_command.command("resume", epilog=_NAME)
@click.argument("name")
@jobs_option
@cluster_option
@click.option(
    "--trust",
    is_flag=True,
    help="Also if the store names code to run, files to write or a cluster: it is a store of mine.",
)
def resume_command(name: str, jobs: int, cluster: str | None, trust: bool) -> int:
    """Go on with the campaign NAME, with the options that it was begun with.

    They are read from the store, and the folder where it was begun becomes the current one. Where
    they name code, files to write or a cluster, --trust is needed. --jobs and --cluster are where
    the rest is done; what is found does not depend on it.
    """
    path, number = existing_store(name)
    with Store.read(path) as store:
        run = store.run(number)
        kept = dict(run.plan.get("options", {}))
    if run.finished:
        raise click.BadParameter(f"{name} is finished; see holdfast campaign status {name}")
    folder, options = _begun(name, kept)
    if not Path(folder).is_dir():
        raise click.BadParameter(
            f"{name} was begun in the folder {one_line(folder)}, which is not there; repeat "
            "the command that began it"
        )
    if (named := touched(options)) and not trust:
        raise click.UsageError(
            f"{name} names {one_line(', '.join(named))}: if you began this run yourself, add "
            "--trust; a store of somebody else may name anything"
        )
    given = click.get_current_context().get_parameter_source
    if given("jobs") is click.core.ParameterSource.COMMANDLINE:
        options = replace(options, jobs=jobs, cluster=cluster)
    elif cluster is not None:
        options = replace(options, cluster=cluster)
    what = " ".join(options.patterns) or "all theorems"
    output.console().print(
        f"run {run.id}: {output.plain(what)}, budget {output.plain(options.budget)}, seed "
        f"{options.seed}, {count(run.n_done, 'shard')} done, begun in {output.plain(folder)}",
        highlight=False,
    )
    options = replace(options, path=str(Path(path).resolve()), fresh=False)
    with chdir(folder):
        return perform(options, alone=True)


def _begun(name: str, kept: dict[str, Any]) -> tuple[str, Options]:
    """The folder and the options; raises click.BadParameter if the store does not tell."""
    kinds = {**get_type_hints(Options), "folder": str}
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in kept.items()
    }
    known = given.keys() == kinds.keys() and all(_fits(given[one], kinds[one]) for one in kinds)
    if not (known and given["folder"]):
        raise click.BadParameter(
            f"{name} does not hold the options of a command (it was begun by a program, or by "
            "another version of holdfast); repeat what began it"
        )
    return given.pop("folder"), Options(**given)


def touched(options: Options) -> list[str]:
    """What reaches beyond the catalogue: a store of somebody else may name any of it."""
    named = [*options.patterns, *options.models, *options.costs]
    code = [one for one in named if ".py" in one or (":" in one and not one.startswith("states:"))]
    files = [options.json_path, options.junit_path, options.html_path, options.cluster]
    return [*code, *(file for file in files if file is not None)]


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    return isinstance(value, kind)


@campaign_command.command("status", epilog=_NAME)
@click.argument("name")
@json_option
def status_command(name: str, json_path: str | None) -> int:
    """Say how far the campaign NAME is: also while it runs, from another terminal."""
    path, number = existing_store(name)
    check_targets([("--json", json_path)], {"the store": path})
    with Store.read(path) as store:
        found = status(store.run(number))
    grid = Table.grid(padding=(0, 2))
    for what, text in _lines(found):
        grid.add_row(what, output.plain(text))
    output.console().print(grid)
    if json_path is not None:
        document = {**asdict(found), "verdicts": {v.name: n for v, n in found.verdicts.items()}}
        write_json({"schema": "holdfast-status/1", **document}, json_path)
    return ExitCode.UNDECIDED if found.missing else ExitCode.AS_EXPECTED


def _lines(found: Status) -> list[tuple[str, str]]:
    verdicts = ", ".join(f"{v.name} {n:,}" for v, n in found.verdicts.items()) or "none yet"
    of = "" if found.planned is None else f" of {found.planned:,}"
    lines = [
        ("run", f"{found.run}, seed {found.seed}, budget {found.budget}, begun {found.started}"),
        ("state", _state(found)),
        ("shards", f"{found.done:,}{of}"),
        ("models", f"{found.models:,}, {count(found.findings, 'finding')}"),
        ("verdicts", verdicts),
        ("alpha", f"{_alpha(found.alpha)} spent of {_alpha(RUN_ALPHA)}"),
    ]
    if found.pace is not None and not found.finished:
        wanted = found.options.get("cluster") or found.options.get("jobs", DASH)
        pace = f"{found.pace.models:.3g} models/s, {found.pace.shards:.3g} shards/s"
        lines.append(("pace", pace))
        lines.append(("workers", f"{found.pace.busy:.1f} busy, begun with {wanted}"))
    if found.left is not None:
        lines.append(("left", f"about {duration(found.left)}"))
    if found.faulty:
        lines.append(("faulty", ", ".join(found.faulty)))
    return lines


def _state(found: Status) -> str:
    quiet = f"written {duration(max(found.quiet, 0))} ago"
    if found.missing:
        return f"finished, but {count(found.missing, 'shard')} missing: the store has lost some"
    if found.finished:
        return f"finished after {duration(found.elapsed)}"
    return f"not finished, {duration(found.elapsed)} so far, {quiet}"


def _alpha(alpha: Fraction) -> str:
    return f"{float(alpha):.3g}"


@campaign_command.command("export", epilog=_NAME)
@click.argument("name")
@click.option(
    "--to", "target", required=True, metavar="FILE",
    help=f"A file that is not there yet, which ends in {' or '.join(SUFFIXES)}.",
)  # fmt: skip
def export_command(name: str, target: str) -> int:
    """Write the findings of the campaign NAME as a table, a row each, in a fixed order.

    A run that goes on can be exported too: the file then has what is found so far.
    """
    path, number = existing_store(name)
    check_targets([("--to", target)], {"the store": path})
    with Store.read(path) as store:
        run = store.run(number)
        rows = export(run, target)
    so_far = "" if run.finished else f", from {count(run.n_done, 'shard')} of a run that goes on"
    output.console().print(
        f"{output.plain(target)}: {count(rows, 'finding')}{so_far}", highlight=False
    )
    return ExitCode.AS_EXPECTED


@campaign_command.command("plan", epilog=_NAME)
@click.argument("name")
@click.option(
    "--times", type=Whole(1, 10**6), default=1, show_default=True,
    help="Forecast a run with so many times the drawn models.",
)  # fmt: skip
@click.option(
    "--csv", "csv_path", type=click.Path(), help="Write the cost of each claim to this file."
)
def plan_command(name: str, times: int, csv_path: str | None) -> int:
    """Forecast how long a larger run would take on 1 to 1,000 workers, from the campaign NAME.

    The times of its shards, and how fast a store is written here and now, go into a simulation of
    workers that share one store. The network is left out.
    """
    path, number = existing_store(name)
    check_targets([("--csv", csv_path)], {"the store": path})
    with Store.read(path) as store:
        run = store.run(number)
        found, (once, drawn), write = costs(run), durations(run), write_seconds(run)
    shards = len(once) + times * len(drawn)
    if not shards:
        raise click.BadParameter(f"{name} has no shard yet whose time could be known")
    console, mean = output.console(), (sum(once) + times * sum(drawn)) / shards
    console.print(
        f"from run {run.id} of {output.plain(path)}: {count(len(found), 'claim')}, budget "
        f"{output.plain(run.budget)}, its drawn models {times:,} times",
        highlight=False,
    )
    console.print(
        f"{count(shards, 'shard')} of {mean:.3g} s on average; the store takes "
        f"{1 / write:,.0f} of them a second",
        highlight=False,
    )
    table = Table("workers", "time", "efficiency", "store busy", box=box.SIMPLE_HEAD)
    for one in (larger(once, drawn, times, write, workers) for workers in _WORKERS):
        shares = f"{one.efficiency:.0%}", f"{one.store:.0%}"
        table.add_row(f"{one.workers:,}", duration(one.seconds), *shares)
    console.print(table)
    console.print(
        f"the longest shard takes {duration(max(once + drawn))}; with more than about "
        f"{mean / write:,.0f} workers the store is the limit",
        highlight=False,
    )
    if csv_path is not None:
        lines = [f"{one.claim},{one.fixed:.3g},{_cell(one.model)}" for one in found]
        head = "claim,once (s),each drawn model (s)"
        write_text(csv_path, "\n".join([head, *lines]) + "\n")
    return ExitCode.AS_EXPECTED


_WORKERS = (1, 2, 4, 10, 30, 100, 300, 1000)
"""Of which a forecast is made: closer ones would say little more, and each takes time."""


def _cell(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3g}"
