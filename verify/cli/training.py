"""``train``: networks of a pillar, kept under their digest and never trained twice."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import click
from rich.console import Console
from rich.table import Table

from holdfast.solvers.errors import ModelError
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.visible import one_line

from ..report.numbers import count
from ..terminal import output
from ..terminal.options import Whole, json_option, refuse_idle
from ..terminal.targets import check_targets
from ..terminal.trainings import (
    Trainer,
    all_typed,
    read_changes,
    read_seeds,
    registered_task,
    require_torch,
)

if TYPE_CHECKING:
    from holdfast.solvers.neural.parts.runs import Run

    Row = dict[str, str]
    Judge = Callable[[Run], Row | list[Row]]

_SEED, _EPISODES, _DEVICE = "0", 1000, "cpu"
"""Episodes: a risk of 0.2 is known to 0.025; ten times as many cost as long as some trainings."""
_OWN = ("env", "seeds", "device")
"""Keys of a configuration file that are options of the command; all others are the algorithm's."""
_LINE_ONLY = ("folder", "episodes", "tensorboard", "json", "config", "list", "set")
"""Options of the command that no file may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``train`` says; None was not given."""

    algorithm: str | None
    listed: bool
    env: str | None
    config: str | None
    seeds: str | None
    steps: int | None
    limit: str | None
    changes: tuple[str, ...]
    device: str | None
    folder: str | None
    episodes: int
    tensorboard: bool
    json_path: str | None


class _Train(click.Command):
    """Its help ends with the options of the algorithm that stands beside --help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["given"] = list(args)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from holdfast.solvers.neural.parts.algorithms import known

        super().format_epilog(ctx, formatter)
        named = [one for one in ctx.meta.get("given", ()) if one in known()]
        with formatter.section("Algorithms"):
            formatter.write_dl([(name, line) for name, line in known().items()])
        for name in named[:1]:
            title = f"Options of {name}, for --set or a file; many a task has better defaults"
            with formatter.section(title):
                formatter.write_dl(list(_described(name)))


@click.command(cls=_Train)
@click.argument("algorithm", required=False, metavar="PILLAR/ALGORITHM")
@click.option("--list", "listed", is_flag=True, help="List the algorithms and the tasks.")
@click.option(
    "--env", metavar="TASK",
    help="What is learnt on, such as holdfast/TwoDiscs-v0, or module:ID for an environment that "
    "importing the module registers with gymnasium; for poisoning/*, synthetic or a file of pairs; "
    "for alignment/*, bandit, or such a file where a real model is trained.",
)  # fmt: skip
@click.option(
    "--config", type=click.Path(), metavar="FILE.toml",
    help="Read env, seeds, device and options of the algorithm from this file. What the command "
    "line says goes first.",
)  # fmt: skip
@click.option("--seeds", metavar="SEEDS", help="One run for each, such as 0,1,2 or 0-4; default 0.")
@click.option("--steps", type=Whole(1, 10**12), help="Steps of the environment, of all its copies.")
@click.option(
    "--limit", help="Upper bound of the cost, such as 0.2; --help of the algorithm says of which."
)
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE",
    help="Another option of the algorithm; `holdfast train PILLAR/ALGORITHM --help` lists them.",
)  # fmt: skip
@click.option("--device", help=f"Such as cpu or cuda; default {_DEVICE}.")
@click.option(
    "--folder", type=click.Path(),
    help="Where runs are kept; default $HOLDFAST_RUNS, or .holdfast/runs.",
)  # fmt: skip
@click.option(
    "--episodes", type=Whole(2, 10**9), default=_EPISODES, show_default=True,
    help="Fresh episodes on which each trained policy is measured.",
)  # fmt: skip
@click.option("--tensorboard", is_flag=True, help="Also write the metrics for TensorBoard.")
@json_option
def train_command(**given: Any) -> int:
    """Train PILLAR/ALGORITHM, one run a seed, and measure what came of it on fresh episodes.

    A finished run is kept under the digest of all that names it (algorithm, task, seed, options,
    versions) and is looked up, not trained again. An interrupted one goes on from its last
    checkpoint when the same command is given again, or begins anew where its algorithm keeps none,
    and ends with the same numbers.
    """
    options = Options(**given)
    if options.listed:
        return _list(output.console())
    if options.algorithm is None:
        raise click.UsageError(
            "name what to train, such as chance/ppo-lagrangian; `holdfast train --list` lists all"
        )
    check_targets(
        [("--json", options.json_path)],
        {"--config": options.config} if options.config is not None else None,
    )
    require_torch()
    from holdfast.solvers.neural.parts import algorithms

    algorithms.find(options.algorithm)
    judge = _judge(options.algorithm, options.episodes)
    plan = _plan(options)
    console = output.console()
    folder = None if options.folder is None else Path(options.folder)
    trainer = Trainer(console, plan.device, folder, tensorboard=options.tensorboard)
    for note in (*plan.notes, *_further_notes(trainer, options.algorithm, plan)):
        console.print(f"note: {output.plain(note)}", highlight=False)
    found = [
        (seed, *trainer.obtain(options.algorithm, plan.task, seed, plan.changes))
        for seed in plan.seeds
    ]
    _show(console, options, found, judge)
    return ExitCode.AS_EXPECTED


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is trained: changes are options of the algorithm; notes say what was overruled."""

    task: str
    seeds: tuple[int, ...]
    device: str
    changes: Mapping[str, Any]
    notes: tuple[str, ...]


def _plan(options: Options) -> _Plan:
    """The file's words, then those of the command line over them."""
    said = {} if options.config is None else _read(options.config, str(options.algorithm))
    own = {key: said.pop(key) for key in _OWN if key in said}
    line = read_changes(options.changes, {"steps": options.steps, "limit": options.limit})
    typed = all_typed(_record(options), line)
    notes = [f"{key} = {line[key]} of the command line goes before {said[key]} of {options.config}"
             for key in line if key in said and said[key] != typed[key]]  # fmt: skip
    for key, value in (("env", options.env), ("seeds", options.seeds), ("device", options.device)):
        if value is not None and key in own and _as_text(own[key]) != value:
            notes.append(f"--{key} {value} goes before {_as_text(own[key])} of {options.config}")
        if value is not None:
            own[key] = value
    if "env" not in own:
        known = _tasks_in_words(str(options.algorithm))
        raise click.UsageError(f"say what to learn on with --env, {known}")
    seeds, device = read_seeds(_as_text(own.get("seeds", _SEED))), own.get("device", _DEVICE)
    return _Plan(registered_task(own["env"]), seeds, device, {**said, **line}, tuple(notes))


def _as_text(value: Any) -> str:
    """``[0, 1]`` of a file as the command line would have it."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _record(options: Options) -> type:
    from holdfast.solvers.neural.parts.algorithms import find

    return find(str(options.algorithm)).options


def _further_notes(trainer: Trainer, algorithm: str, plan: _Plan) -> Iterator[str]:
    """Of options that are valid: what suits the task, is rounded up, or bounds nothing."""
    options = trainer.options(algorithm, plan.task, plan.changes)
    if suited := trainer.suited(algorithm, plan.task, plan.changes):
        words = ", ".join(f"{key} = {value}" for key, value in suited.items())
        yield f"taken, since they suit {plan.task}: {words}"
    updates, size = (getattr(options, name, 0) for name in ("updates", "per_update"))
    if updates * size > getattr(options, "steps", 0):
        yield (
            f"steps = {options.steps} are rounded up to {updates * size}, "
            f"{count(updates, 'update')} of {size} steps"
        )
    if getattr(options, "limits_a_risk", False) and options.limit == 1:
        yield "limit = 1.0 bounds nothing, since no risk is above 1"


def _read(path: str, algorithm: str) -> dict[str, Any]:
    """What the file says, each value of the type of its key, whatever the command line says."""
    said = _parsed(path)
    for key, value in said.items():
        if isinstance(value, dict):
            raise click.BadParameter(
                f"--config {path}: [{key}] is a table; write the keys at the top level, such as "
                "steps = 200000"
            )
        if key in _LINE_ONLY:
            raise click.BadParameter(
                f"--config {path}: {key} is an option of the command and of no file; give --{key}"
            )
    for key in ("env", "device"):
        if key in said and not isinstance(said[key], str):
            raise click.BadParameter(f'--config {path}: write {key} as a text, such as {key} = "a"')
    if "seeds" in said:
        _check_seeds(path, said["seeds"])
    from holdfast.solvers.neural.parts.algorithms import find
    from holdfast.solvers.neural.parts.training import typed

    try:
        typed(find(algorithm).options, {k: said[k] for k in said if k not in _OWN})
    except ModelError as error:
        raise click.BadParameter(f"--config {path}: {error}") from error
    return said


def _check_seeds(path: str, seeds: Any) -> None:
    each = seeds if isinstance(seeds, list) else [seeds]
    if not isinstance(seeds, str) and any(type(seed) is not int for seed in each):
        raise click.BadParameter(
            f'--config {path}: seeds = {seeds!r}; write such as seeds = [0, 1] or seeds = "0-4"'
        )
    read_seeds(_as_text(seeds))


def _parsed(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(
            f"--config {one_line(str(path))} is not a TOML file: {error}; write lines such as "
            "steps = 200000"
        ) from error


def _described(name: str) -> Iterator[tuple[str, str]]:
    """Option, with its type and default, and what it means."""
    from holdfast.solvers.neural.parts.algorithms import find

    if find_spec("torch") is None:
        yield "", "shown once torch is installed (pip install 'holdfast[neural]')"
        return
    record = find(name).options
    types = get_type_hints(record)
    for one in fields(record):
        default = "" if one.default is MISSING else f"; default {one.default!r}"
        yield f"{one.name} ({types[one.name].__name__})", one.metadata.get("help", "") + default


def _list(console: Console) -> int:
    from holdfast.solvers.neural.parts.algorithms import known, own_tasks

    idle = ("env", "config", "seeds", "steps", "limit", "changes", "json_path")
    refuse_idle(idle, "has no effect with --list")
    own = [(f"task of {name}", tasks) for name, tasks in own_tasks().items()]
    for title, lines in (("algorithm", known()), ("task", _tasks()), *own):
        table = Table(title, "what it is")
        table.columns[0].no_wrap = True
        for name, line in lines.items():
            table.add_row(output.plain(name), output.plain(line))
        console.print(table)
    return ExitCode.AS_EXPECTED


def _tasks() -> Mapping[str, str]:
    from holdfast.solvers.neural.parts.tasks import TASKS

    return TASKS


def _tasks_in_words(algorithm: str) -> str:
    from holdfast.solvers.neural.parts.algorithms import find, own_tasks

    if own := own_tasks().get(algorithm):
        return f"which for {algorithm} is one of: {', '.join(own)}"
    if {"data", "episodes"} <= {one.name for one in fields(find(algorithm).options)}:
        return "such as holdfast/PointCircle-v0; data of other tasks are given with --set data=PATH"
    first = ", ".join(list(_tasks())[:2])
    return f"such as {first}; `holdfast train --list` lists all {len(_tasks())} known tasks"


def _show(
    console: Console,
    options: Options,
    found: Sequence[tuple[int, Run | None, bool]],
    judge: Judge,
) -> None:
    """Rows for each seed, and where the runs lie."""
    rows = [
        (seed, run, row)
        for seed, run, _ in found
        if run is not None
        for row in _as_rows(judge(run))
    ]
    headings = list(dict.fromkeys(name for _, _, row in rows for name in row))
    table = Table("seed", *headings, title=f"{options.algorithm}", title_justify="left")
    for seed, _, row in rows:
        table.add_row(str(seed), *(output.plain(row.get(name, "")) for name in headings))
    console.print(table)
    if any("actions" in row for _, _, row in rows):
        from ..chance.trained import NOTE

        console.print(f"note: {NOTE}", highlight=False)
    for seed, run, kept in found:
        if run is not None:
            again = " (it was there already and was not trained again)" if kept else ""
            console.print(f"seed {seed}: {output.plain(run.folder)}{again}", highlight=False)
    if options.json_path is not None:
        from ..terminal.json_files import write_json

        plain = [{"seed": seed, "folder": str(run.folder), **row} for seed, run, row in rows]
        write_json({"algorithm": options.algorithm, "runs": plain}, options.json_path)


def _as_rows(said: Row | list[Row]) -> list[Row]:
    return said if isinstance(said, list) else [said]


def _judge(algorithm: str, episodes: int) -> Judge:
    """What the pillar says of a run, or what its last update was.

    A function of the pillar that can do without episodes has no use for them: then BadParameter is
    raised if their number was given.
    """
    name = f"holdfast.verify.{algorithm.partition('/')[0]}.trained"
    judge = import_module(name).judge if find_spec(name) is not None else _last_update
    if signature(judge).parameters["episodes"].default is Parameter.empty:
        return partial(judge, episodes=episodes)
    refuse_idle(["episodes"], f"has no effect on {algorithm}, which has no episodes")
    found: Judge = judge
    return found


def _last_update(run: Run, episodes: int | None = None) -> dict[str, str]:
    del episodes
    lines = run.metrics()
    return {key: f"{value:.5g}" for key, value in lines[-1].items() if value is not None}
