"""``hunt``: the model on which a theorem is tightest, or false."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.report.numbers import count, shorten
from holdfast.verify.search.counterexample import Certified, certify
from holdfast.verify.search.hunt import Hunt, hunt
from holdfast.verify.search.shrink import Shrunk
from holdfast.verify.store.store import Store

from ..terminal import output
from ..terminal.options import SEED
from ..terminal.targets import prepare_store
from .looking import STORE
from .selection import one


@click.command()
@click.argument("label")
@click.option("--budget", default="20s", show_default=True, help="Time, or number of models.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option(
    "--store", "path", default=STORE, show_default=True, help="Keeps the extremal models."
)
@click.option("--json", "json_path", type=click.Path(), help="Write what was found as JSON.")
def hunt_command(label: str, budget: str, seed: int, path: str, json_path: str | None) -> int:
    """Hunt for the model on which the theorem LABEL is tightest, by restarts and local search.

    LABEL may be of a file of your own claims, as in mine.py::area/name; with one claim the file
    alone will do.  Ctrl-C ends a case that does not end by itself.

    A violation ends the hunt: it is shrunk, certified and printed, and the exit code is 1, or 0
    where the theorem is known to be refuted.  It is 2 if a model was undecided or none was telling,
    and 4 if the kernel rejects the certificate.
    """
    effort = Budget.parse(budget)
    prepare_store(path, [("--json", json_path)])
    claim = one(label)
    console = output.console()
    with Store.open(path) as store, console.status(f"hunting on {claim.name} for {budget}"):
        found = hunt(claim, seed=seed, budget=effort, corpus=store)
    seen = found.violation.observation if found.violation else None
    certified = certify(seen.claim, seen.case, seen.part, seen.values) if seen else None
    _effort(console, found)
    if json_path:
        from holdfast.verify.report import json_report

        json_report.write_hunt(found, claim, certified, Path(json_path))
    if found.violation is None or certified is None:
        return _peaks(console, found)
    _violation(console, found.violation)
    if not _certificate(console, certified, Path(path).parent / "certificates"):
        return ExitCode.CERTIFICATE_REJECTED
    known = claim.theorem.standing.is_false
    return ExitCode.AS_EXPECTED if known else ExitCode.VIOLATION


def _effort(console: Console, found: Hunt) -> None:
    rate = found.models / max(found.seconds, 1e-9)
    around = f" and {count(found.kept, 'start')} from the store" if found.kept else ""
    console.print(
        f"[bold]{output.plain(found.claim)}[/bold]: {found.models} models tried in "
        f"{found.seconds:.1f} s ({rate:.0f}/s), {found.restarts} restarts{around}, "
        f"seed {found.seed}"
    )


def _peaks(console: Console, found: Hunt) -> int:
    for peak in found.best:
        ratio = "-" if peak.ratio is None else f"{peak.ratio:.6g}"
        console.print(
            f"\ntightest, ratio {ratio}:\n{peak.observation}", highlight=False, markup=False
        )
    console.print(f"\n{_tested(found)}", highlight=False)
    return ExitCode.UNDECIDED if found.undecided or not found.telling else ExitCode.AS_EXPECTED


def _tested(found: Hunt) -> str:
    """What the models without a violation come to."""
    of = f"{count(found.models, 'model')}, {found.telling} of them telling"
    outside = f"; out of scope on {found.outside}" if found.outside else ""
    if not found.telling:
        return f"UNDECIDED: nothing was tested on {of}{outside}"
    if found.undecided:
        return f"UNDECIDED on {count(found.undecided, 'model')}; not refuted on {of}{outside}"
    return f"not refuted on {of}{outside}; the extremal ones are kept"


def _violation(console: Console, shrunk: Shrunk) -> None:
    console.print("\n[bold red]violated[/bold red]:")
    console.print(str(shrunk.observation), highlight=False, markup=False)
    console.print(
        f"\nshrunk from {shrunk.before[0]} drawn integers to {shrunk.size[0]}, looking at "
        f"{shrunk.examined} more models"
    )


def _certificate(console: Console, certified: Certified, directory: Path) -> bool:
    """Write it down and say what it proves; whether the kernel accepts it."""
    report = certified.report
    path = output.plain(certified.write(directory))
    if not report.accepted:
        console.print(
            f"counterexample: {path} [bold red]REJECTED[/bold red] by the kernel, which proves "
            f"nothing: {output.plain(report.steps[-1])}"
        )
        return False
    console.print(
        f"counterexample: {path} ({report.proved} numbers proved of the programs and models "
        f"embedded in it, {report.given} given; holdfast check {path})",
        *(output.plain(f"  {shorten(line, 200)}") for line in report.behind),
        sep="\n",
    )
    return True
