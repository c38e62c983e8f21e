"""``diff``: what changed from one run to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding

from holdfast.verify.campaign.difference import Change, comparable, differences, gravest_code
from holdfast.verify.campaign.results import Results, read_results
from holdfast.verify.report.numbers import count, duration

from ..terminal import output
from ..terminal.json_files import write_json
from ..terminal.options import json_option
from ..terminal.stores import existing_store
from ..terminal.targets import check_targets

_SHOWN = 40
"""Changes of a kind that fit a screen; --json has them all."""
_SLOWER, _SECONDS, _TIMES = 1.5, 1.0, 5
"""Times are listed where they differ by this factor and by so many seconds, at most so many: what
is below varies from run to run on a busy machine."""


@click.command()
@click.argument("before")
@click.argument("now")
@json_option
def diff_command(before: str, now: str, json_path: str | None) -> int:
    """Say what changed from the run BEFORE to the run NOW.

    Both are stores (a file, the name of a campaign, or FILE:3 for its run 3, by default the
    newest), or both are what verify --json has written. Verdicts, statements, refuted mutants,
    ratios, numbers of models, power and errors are compared, of stores also every finding. Times
    and versions are listed and judged by nobody.

    The exit code is 1 if a verdict has come to contradict what is expected of its statement, 3 if a
    mutant is no longer refuted, 2 if a statement is undecided, faulty or absent now, or some of its
    models are, and 0 otherwise.
    """
    check_targets([("--json", json_path)], {"BEFORE": before, "NOW": now})
    old, new = _results(before), _results(now)
    if old.is_store is not new.is_store:
        raise click.UsageError(
            f"one of {before} and {now} is a store, and the other JSON; give two of a kind "
            "(holdfast verify --json writes the latter)"
        )
    changes = differences(old, new)
    _show(output.console(), old, new, changes)
    if json_path is not None:
        write_json(_document(old, new, changes), json_path)
    return gravest_code(changes)


def _results(name: str) -> Results:
    if Path(name).is_file() or name.endswith(".json"):
        return read_results(name)
    path, number = existing_store(name)
    return read_results(path if number is None else f"{path}:{number}")


def _show(console: Console, old: Results, new: Results, changes: Sequence[Change]) -> None:
    same = comparable(old, new)
    for what, one in (("before", old), ("now", new)):
        console.print(f"{what:<8}{_about(one)}", highlight=False)
    if not same:
        console.print(
            "note: they differ in seed or budget, and so in their models; not compared row by row"
        )
    if old.versions != new.versions:
        console.print(f"note: other versions: {output.plain(_versions(old, new))}", highlight=False)
    elif same and old.fingerprint != new.fingerprint:
        console.print("note: the claims, their files, their corpus or the models have changed")
    for title, worse in (("for the worse", True), ("otherwise", False)):
        _list(console, title, [one for one in changes if one.worse is worse])
    _times(console, old, new)
    bad, touched = (
        len({(one.claim, one.world) for one in changes if one.worse or every})
        for every in (False, True)
    )
    names = len(old.outcomes.keys() | new.outcomes.keys())
    alike = ", row by row" if old.is_store and same else ""
    console.print(
        f"{count(names, 'statement')}: {bad} changed for the worse, {touched - bad} otherwise, "
        f"{names - touched} the same{alike}",
        highlight=False,
    )


def _versions(old: Results, new: Results) -> str:
    names = sorted(old.versions.keys() | new.versions.keys())
    pairs = [
        (name, old.versions.get(name, "none"), new.versions.get(name, "none")) for name in names
    ]
    return "; ".join(f"{name} {then}, now {now}" for name, then, now in pairs if then != now)


def _about(one: Results) -> str:
    about = f"{output.plain(one.place)}, holdfast {one.versions.get('holdfast', 'unknown')}"
    about += f", seed {one.seed}, budget {output.plain(one.budget)}"
    return about if one.finished else f"{about}, not finished"


def _list(console: Console, title: str, changes: Sequence[Change]) -> None:
    if changes:
        console.print(f"[bold]{title}[/bold]")
    for one in changes[:_SHOWN]:
        where = f" on {one.world}" if one.world else ""
        line = f"{one.claim}{where}: {one.what} {one.before}, now {one.now}"
        console.print(Padding(output.plain(line), (0, 0, 0, 2)), highlight=False)
    if more := changes[_SHOWN:]:
        console.print(f"  and {count(len(more), 'change')} more, in --json")


def _times(console: Console, old: Results, new: Results) -> None:
    """The sums over the statements that both have, and the statements that differ most."""
    both = {
        name: (old.outcomes[name].seconds, new.outcomes[name].seconds)
        for name in old.outcomes.keys() & new.outcomes.keys()
    }
    before, now = (sum(pair[i] for pair in both.values()) for i in (0, 1))
    console.print(f"time    {duration(before)}, now {duration(now)}", highlight=False)
    far = [name for name, (a, b) in both.items() if abs(b - a) > _SECONDS]
    far = [name for name in far if max(both[name]) > _SLOWER * min(both[name])]
    for name in sorted(far, key=lambda name: -abs(both[name][1] - both[name][0]))[:_TIMES]:
        a, b = map(duration, both[name])
        line = f"{' on '.join(filter(None, name))}: {a}, now {b}"
        console.print(Padding(output.plain(line), (0, 0, 0, 2)), highlight=False)


def _document(old: Results, new: Results, changes: Sequence[Change]) -> dict[str, Any]:
    return {
        "schema": "holdfast-diff/1",
        "exit_code": gravest_code(changes),
        **{
            name: {"place": one.place, "seed": one.seed, "budget": one.budget,
                   "versions": one.versions, "finished": one.finished}
            for name, one in (("before", old), ("now", new))
        },
        "changes": [{**asdict(one), "worse": one.worse} for one in changes],
        "seconds": [
            {"claim": name, "world": world, "before": old.outcomes[name, world].seconds,
             "now": new.outcomes[name, world].seconds}
            for name, world in sorted(old.outcomes.keys() & new.outcomes.keys())
        ],
    }  # fmt: skip
