"""``ladder``: the rungs of one theorem side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.solvers.neural.parts.nearest import nearest
from holdfast.verify.campaign.exit_codes import ExitCode

from ..cmdp.named_models import rational
from ..terminal import output
from ..terminal.options import Whole, json_option, plot_option, refuse_repeated
from ..terminal.targets import check_picture, check_targets, make_folder
from ..terminal.trainings import (
    Trainer,
    read_changes,
    read_seeds,
    registered_task,
    require_torch,
)

if TYPE_CHECKING:
    from ..report.ladder import Ladder, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``ladder`` says; None was not given."""

    label: str
    seeds: str
    levels: str | None
    limits: str | None
    algorithms: str | None
    env: str | None
    steps: int | None
    changes: tuple[str, ...]
    episodes: int | None
    no_training: bool
    device: str
    folder: str | None
    plot: str | None
    html_path: str | None
    json_path: str | None


@click.command()
@click.argument("label")
@click.option("--seeds", default="0", show_default=True, help="Such as 0,1,2 or 0-4.")
@click.option("--levels", help="Such as 0.10,0.22; default those of the ladder.")
@click.option("--limits", help="At which networks are trained; default such as suit the levels.")
@click.option(
    "--algorithms", help="Such as ppo-lagrangian,cpo; default all that the ladder compares."
)
@click.option("--env", metavar="TASK", help="Default that of the ladder.")
@click.option("--steps", type=Whole(1, 10**12), help="Of each training; default the algorithm's.")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE",
    help="Another option of the algorithms; `holdfast train PILLAR/ALGORITHM --help` lists them.",
)  # fmt: skip
@click.option(
    "--episodes", type=Whole(100, 10**9),
    help="Fresh episodes of each measurement; default 20000, on a simulator 300.",
)  # fmt: skip
@click.option("--no-training", is_flag=True, help="Show what is trained already, and no more.")
@click.option("--device", default="cpu", show_default=True, help="Such as cpu or cuda.")
@click.option(
    "--folder", type=click.Path(),
    help="Where runs are kept; default $HOLDFAST_RUNS, or .holdfast/runs.",
)  # fmt: skip
@plot_option("the ladder")
@click.option(
    "--html", "html_path", type=click.Path(), help="Write the ladder as a page into this folder."
)
@json_option
def ladder_command(**given: Any) -> int:
    """Show the rungs of the theorem LABEL side by side: exact values, algorithms in floats, trained
    networks with intervals, and the bound.

    Networks that are not trained yet are trained first, and kept. The exit code is 1 where a figure
    contradicts the theorem, and 2 where no trained network is shown.
    """
    options = Options(**given)
    draw = _ladder(options.label)
    _check(options)
    require_torch()
    console = output.console()
    ladder = draw(_request(options, console))
    from ..report.ladder.table import screen

    console.print(screen(ladder))
    for what, path in _write(ladder, options).items():
        console.print(f"{what}: {output.plain(path)}", highlight=False)
    if ladder.contradicted:
        return ExitCode.VIOLATION
    return ExitCode.AS_EXPECTED if ladder.has_networks else ExitCode.UNDECIDED


def _known() -> dict[str, Callable[[Request], Ladder]]:
    """Label -> what draws its ladder, of all pillars that have a file of them."""
    found: dict[str, Callable[[Request], Ladder]] = {}
    for path in sorted(Path(__file__).resolve().parents[1].glob("*/ladders.py")):
        found |= import_module(f"holdfast.verify.{path.parent.name}.ladders").LADDERS
    return found


def _ladder(label: str) -> Callable[[Request], Ladder]:
    known, name = _known(), label.removesuffix("#neural")
    if name in known:
        return known[name]
    near = nearest(name, known)
    hint = f"did you mean {near}? " if near else ""
    raise click.BadParameter(
        f"{label!r} has no ladder; {hint}these have one: {', '.join(sorted(known))}"
    )


def _check(options: Options) -> None:
    """See that all can be written before anything is trained."""
    check_picture(options.plot)
    targets = [("--plot", options.plot), ("--json", options.json_path)]
    if options.html_path is not None:
        make_folder("--html", options.html_path)
        targets.append(("--html", str(Path(options.html_path) / "index.html")))
    check_targets(targets)


def _request(options: Options, console: Any) -> Request:
    from ..report.ladder import Request

    levels, limits = (
        tuple(rational(text, f"one of the {name}") for text in _parts(given))
        for name, given in (("levels", options.levels), ("limits", options.limits))
    )
    refuse_repeated(levels, "--levels")
    refuse_repeated(limits, "--limits")
    folder = None if options.folder is None else Path(options.folder)
    changes: dict[str, Any] = dict(read_changes(options.changes, {"steps": options.steps}))
    trainer = Trainer(console, options.device, folder, not options.no_training)
    return Request(
        label=options.label.removesuffix("#neural"),
        seeds=read_seeds(options.seeds),
        levels=levels,
        limits=limits,
        algorithms=tuple(_parts(options.algorithms)),
        task=None if options.env is None else registered_task(options.env),
        changes=changes,
        episodes=options.episodes or 0,
        folder=folder,
        obtain=lambda *wanted: trainer.obtain(*wanted)[0],
    )


def _parts(text: str | None) -> list[str]:
    return [] if text is None else [part.strip() for part in text.split(",")]


def _write(ladder: Ladder, options: Options) -> dict[str, str | Path]:
    """What was written where."""
    from ..report.ladder import page, picture

    written: dict[str, str | Path] = {}
    if options.plot is not None and not ladder.panels:
        written["plot"] = "nothing to draw yet"
    elif options.plot is not None:
        from ..report.pictures import write

        written["plot"] = write(picture.draw(ladder), options.plot)
    if options.html_path is not None:
        written["page"] = page.write(ladder, Path(options.html_path))
    if options.json_path is not None:
        from ..terminal.json_files import write_json

        write_json(page.document(ladder), options.json_path)
        written["JSON"] = options.json_path
    return written
