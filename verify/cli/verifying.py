"""``verify``: the main job."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from holdfast.solvers import CMDP, WORLDS
from holdfast.verify.binding.claims import Claim, matches, pillar
from holdfast.verify.campaign import cluster, runs
from holdfast.verify.campaign import run as campaign_run
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.campaign.summary import RunSummary
from holdfast.verify.campaign.worlds import WorldSummary
from holdfast.verify.cmdp.optima import world_summary
from holdfast.verify.report import console as tables
from holdfast.verify.report.numbers import count
from holdfast.verify.report.visible import one_line
from holdfast.verify.search.refutations import with_counterexamples
from holdfast.verify.store.store import Store

from ..cmdp.named_models import MODEL_HELP, model_options, read_model
from ..terminal import output
from ..terminal.options import (
    Command,
    Whole,
    cluster_option,
    jobs_option,
    json_option,
    refuse_idle,
    seed_option,
    store_option,
)
from ..terminal.targets import certificates_of, prepare_store
from .selection import named_with_tags, to_examine

DEFAULT_BUDGET = "60s"
CASES = Whole(1, 10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``verify`` says; a field is named as its option's parameter."""

    patterns: tuple[str, ...]
    budget: str
    seed: int
    jobs: int
    cluster: str | None
    worlds: bool
    models: tuple[str, ...]
    costs: tuple[str, ...]
    limits: tuple[str, ...]
    discount: str | None
    reward: str | None
    cases: int
    details: tuple[str, ...]
    path: str
    fresh: bool
    json_path: str | None
    junit_path: str | None
    html_path: str | None


_OPTIONS = (
    click.argument("patterns", nargs=-1),
    click.option(
        "--budget",
        default=DEFAULT_BUDGET,
        show_default=True,
        help="Total time, such as 60s or 2m, or number of random models for each claim, such as "
        "500. Claims about trained networks always finish a first training.",
    ),
    seed_option,
    jobs_option,
    cluster_option,
    click.option("--worlds", is_flag=True, help="Also check on the named real models."),
    click.option(
        "--on",
        "models",
        multiple=True,
        metavar="MODEL",
        help="Check on MODEL instead of random models.",
    ),
    model_options,
    click.option(
        "--cases",
        type=CASES,
        default=1,
        show_default=True,
        help="Number of cases of each claim on each real model.",
    ),
    click.option(
        "--details",
        multiple=True,
        metavar="PATTERN",
        help="Print a row for each statement of this pillar or label. The default is a row for "
        "each pillar where there are more than 20 statements.",
    ),
    click.option(
        "--fresh", is_flag=True, help="Start anew instead of resuming an interrupted run."
    ),
    json_option,
    click.option(
        "--junit", "junit_path", type=click.Path(), help="Write the results to this file for JUnit."
    ),
    click.option(
        "--html", "html_path", type=click.Path(), help="Write the report as pages into this folder."
    ),
)


def verify_options(command: Command) -> Command:
    """What ``verify`` and ``campaign run`` take, all but where the findings go."""
    return reduce(lambda inner, option: option(inner), reversed(_OPTIONS), command)


@click.command(epilog=MODEL_HELP)
@verify_options
@store_option
def verify_command(**given: Any) -> int:
    """Check the theorems whose label matches a PATTERN, or all of them.

    A PATTERN may contain * and ?, or name an area or a pillar (poisoning), a file of your own
    claims (mine.py), or some of them (mine.py::area/*). If the budget is a time, one random case
    may take as long as the budget, and at least 30 s; if it is a number of models, a case may take
    as long as it likes, and Ctrl-C ends it. An interrupted run with the same seed, budget and
    claims is resumed from the store.

    Claims about trained networks are examined only where a PATTERN names their tag, as in
    'LABEL#neural'; the number of models is then that of the training runs, which are kept beside
    the store and never trained twice. A training has no time limit: if the budget is a time, a
    first run of each family is trained and judged to its end, and no other begins after the budget.
    """
    return perform(Options(**given))


def perform(options: Options, alone: bool = False) -> int:
    """Do what the options say, and return the exit code.

    alone: whether the store is for one run, as that of a campaign is.
    """
    budget = Budget.parse(options.budget)
    if options.cluster is not None:
        refuse_idle(["jobs"], "has no effect with --cluster; its workers are the processes")
        cluster.local_size(options.cluster)
    _make_room(options)
    console = output.console()
    _say_idle(console, options)
    claims, left_out = to_examine(options.patterns)
    _say_left_out(console, left_out)
    details = _details(options.details, claims)
    path = Path(options.path)
    with Store.open(path) as store, _executor(options.cluster, claims) as executor:
        worlds = _worlds(options)
        certified = [_certify(console, name, model) for name, model in worlds.items()]
        too_large = _left_out(console, options, claims, worlds)
        with _display(console) as report:
            run = campaign_run.run_campaign(
                claims,
                budget=budget,
                seed=options.seed,
                store=store,
                jobs=options.jobs,
                executor=executor,
                worlds=worlds,
                left_out=too_large,
                world_cases=options.cases,
                worlds_only=bool(options.models),
                progress=report,
                fresh=options.fresh,
                options={**asdict(options), "folder": os.getcwd()},
                alone=alone,
            )
        summary = campaign_run.summary(run, claims, [world for world, _ in certified])
    with runs.kept(runs.beside(str(path))):
        summary = with_counterexamples(summary, certificates_of(options.path))
    _write(summary, options)
    console.print(tables.results_table(summary, details))
    console.print(tables.problems(summary, details))
    _say_where(console, path, options)
    proofs = [one.accepted for one in summary.counterexamples.values()]
    if not all(accepted for _, accepted in certified) or not all(proofs):
        return ExitCode.CERTIFICATE_REJECTED
    return summary.exit_code


def _details(patterns: Sequence[str], claims: Sequence[Claim]) -> frozenset[str]:
    for pattern in patterns:
        if not any(matches(claim, pattern) for claim in claims):
            known = ", ".join(dict.fromkeys(map(pillar, claims)))
            raise click.BadParameter(
                f"--details {pattern} matches no statement of this run; give a label, a pattern "
                f"of labels, or a pillar ({known})"
            )
    return frozenset(patterns)


def _executor(
    address: str | None, claims: Sequence[Claim]
) -> AbstractContextManager[Executor | None]:
    return nullcontext() if address is None else cluster.connected(address, claims)


_LARGE = 600  # states; beyond it a claim that solves more than once takes up to a minute
_ONE_SOLVE = ("cmdp/strong-duality", "cmdp/randomisations", "cmdp/vertices")
"""What --worlds examines on models of more than `_LARGE` states, where most other claims take up to
a minute each; --on examines everything."""


def _left_out(
    console: Console, options: Options, claims: Sequence[Claim], worlds: dict[str, CMDP]
) -> dict[str, frozenset[str]]:
    if options.models:
        return {}
    names = frozenset(claim.name for claim in claims) - set(_ONE_SOLVE)
    large = {name: names for name, model in worlds.items() if model.n_states > _LARGE and names}
    for name in large:
        shown = output.plain(name)
        console.print(
            f"{shown}: {len(claims) - len(names)} of {len(claims)} claims examined, the others "
            f"take up to a minute each (holdfast verify --on {shown} examines them all)",
            highlight=False,
        )
    return large


def _worlds(options: Options) -> dict[str, CMDP]:
    models = _named_worlds() if options.worlds else {}
    described = options.costs or options.limits or options.discount or options.reward
    if described and not options.models:
        raise click.BadParameter(
            "--cost, --limit, --discount and --reward describe the models of --on MODEL"
        )
    for name in options.models:
        short = one_line(name.removeprefix("gym:"))
        if short in models:
            raise click.BadParameter(f"--on {name} is given twice; name each model once")
        models[short] = read_model(
            name, options.costs, options.limits, options.discount, options.reward
        )
    return models


def _named_worlds() -> dict[str, CMDP]:
    return {name: world.build() for name, world in WORLDS.items() if world.horizon is None}


def _certify(console: Console, name: str, model: CMDP) -> tuple[WorldSummary, bool]:
    with console.status(f"solving {name} ({model.n_states} states) exactly"):
        summary, found = world_summary(name, model)
    console.print(
        f"{output.plain(name)}: optimal value {summary.decimal or summary.value}, {found.verdict}",
        highlight=False,
    )
    for note in () if name in WORLDS else model.notes:
        console.print(f"  note: {output.plain(note)}", highlight=False)
    return summary, found.accepted or found.document is None


@contextmanager
def _display(console: Console) -> Iterator[Callable[[campaign_run.Progress], None]]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("shards, {task.fields[models]} models"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None, models=0)
        models = 0

        def report(news: campaign_run.Progress) -> None:
            nonlocal models
            models += news.result.models
            progress.update(
                task,
                description=news.result.shard.claim,
                completed=news.done,
                total=news.total,
                models=models,
            )

        yield report


def _make_room(options: Options) -> None:
    """Make the folders of the reports now, and see that they can be written."""
    page = None if options.html_path is None else str(Path(options.html_path, "index.html"))
    files = (("--json", options.json_path), ("--junit", options.junit_path))
    prepare_store(options.path, [*files, ("--html", page)])
    if not options.models and not options.worlds:
        refuse_idle(["cases"], "is for real models; name some with --on MODEL or --worlds")


def _say_idle(console: Console, options: Options) -> None:
    given = click.get_current_context().get_parameter_source("budget")
    if options.models and given is ParameterSource.COMMANDLINE:
        console.print(
            f"note: --budget {options.budget} has no effect with --on: each statement is "
            f"examined on {count(options.cases, 'case')} of each model (--cases), and on no "
            "drawn one"
        )


def _say_left_out(console: Console, claims: Sequence[Claim]) -> None:
    if claims:
        verb, them = ("are", "them") if len(claims) > 1 else ("is", "it")
        large = any(claim.name.endswith("-large") for claim in claims)
        console.print(
            f"{count(len(claims), 'claim')} about trained networks {verb} left out; "
            f"holdfast verify {named_with_tags(claims)} --budget 3 trains and judges {them}"
            + (", which takes minutes for each policy of #neural-large" if large else ""),
            highlight=False,
            soft_wrap=True,
        )


def _write(summary: RunSummary, options: Options) -> None:
    from holdfast.verify.report import html, json_report, junit

    if options.json_path:
        json_report.write(summary, Path(options.json_path))
    if options.junit_path:
        junit.write(summary, Path(options.junit_path))
    if options.html_path:
        html.write(summary, Path(options.html_path))


def _say_where(console: Console, store: Path, options: Options) -> None:
    places = {"findings": store, "JSON": options.json_path, "JUnit": options.junit_path}
    if options.html_path:
        places["report"] = Path(options.html_path) / "index.html"
    for what, place in places.items():
        if place:
            console.print(f"{what}: {output.plain(place)}", highlight=False)
