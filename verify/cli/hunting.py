"""``hunt``: the model on which a theorem is tightest, or false."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from holdfast.verify.binding import corpus
from holdfast.verify.binding.claims import Claim
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.report.numbers import count, shorten
from holdfast.verify.search.counterexample import Certified, certify
from holdfast.verify.search.hunt import Hunt, hunt
from holdfast.verify.search.keeping import extremals, keep
from holdfast.verify.search.shrink import Shrunk
from holdfast.verify.store.store import Store

from ..terminal import output
from ..terminal.options import json_option, seed_option, store_option
from ..terminal.targets import certificates_of, check_targets, make_folder, prepare_store
from .selection import one


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``hunt`` says."""

    label: str
    budget: str
    seed: int
    path: str
    keep: bool
    json_path: str | None


@click.command()
@click.argument("label")
@click.option(
    "--budget",
    default="20s",
    show_default=True,
    help="Total time, such as 20s or 2m, or number of models, such as 500.",
)
@seed_option
@store_option
@click.option(
    "--keep",
    is_flag=True,
    help="Make the extremal models small, and write them into the corpus beside the claims; a "
    "violation goes into a certificate instead.",
)
@json_option
def hunt_command(**given: Any) -> int:
    """Search for the model on which the theorem LABEL is tightest, by restarts and local search.

    LABEL may name a claim in a file of your own, as in mine.py::area/name; if the file has only one
    claim, its name is enough.  Ctrl-C ends a case that does not end by itself.

    A violation ends the search: it is made as small as possible, certified and printed. The exit
    code is then 1, or 0 if the theorem is known to be refuted; 4 if the kernel rejects the
    certificate. It is 2 if some model was undecided, or if no model was telling.
    """
    options = Options(**given)
    effort = Budget.parse(options.budget)
    prepare_store(options.path, [("--json", options.json_path)])
    claim = one(options.label)
    if options.keep:
        prepare_corpus([claim])
    console = output.console()
    doing = f"searching on {claim.name} for {options.budget}"
    with Store.open(options.path) as store, console.status(doing):
        found = hunt(claim, seed=options.seed, budget=effort, corpus=store)
    seen = found.violation.observation if found.violation else None
    certified = certify(seen.claim, seen.case, seen.part, seen.values) if seen else None
    _effort(console, found)
    if options.json_path:
        from holdfast.verify.report import json_report

        json_report.write_hunt(found, claim, certified, Path(options.json_path))
    if found.violation is None or certified is None:
        code = _peaks(console, found)
        if options.keep:
            _keep(console, claim, found)
        return code
    _violation(console, found.violation)
    if options.keep:
        console.print("corpus: nothing is kept there of a theorem that is violated")
    if not _certificate(console, certified, certificates_of(options.path)):
        return ExitCode.CERTIFICATE_REJECTED
    known = claim.theorem.standing.is_false
    return ExitCode.AS_EXPECTED if known else ExitCode.VIOLATION


def prepare_corpus(claims: Iterable[Claim]) -> None:
    """See that extremal cases of these claims can be kept, before anything is hunted.

    Raises click.BadParameter where they cannot be written; ClaimError as `corpus.read`.
    """
    claims = list(claims)
    files = dict.fromkeys(map(corpus.path_of, claims))
    for file in files:
        make_folder("--keep", file.parent)
    check_targets(("--keep", str(file)) for file in files)
    for claim in claims:
        corpus.read(claim)


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


def _keep(console: Console, claim: Claim, found: Hunt) -> None:
    with console.status("making the extremal models small"):
        cases = extremals(claim, found)
    for case in cases:
        limit = f", tends to {case.limit.constant}: {case.limit.along}" if case.limit else ""
        part = case.peak.observation.part
        ratio = shorten(case.ratio, 60)
        text = f"part {part}: ratio {ratio} of integers {list(case.peak.trace)}{limit}"
        console.print(output.plain(text), highlight=False)
    where = keep(claim, found, cases) if cases else None
    console.print(
        f"corpus: {output.plain(where)}, which every verify replays"
        if where
        else "corpus: nothing to keep, no part had a ratio",
        highlight=False,
    )


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


def _certificate(console: Console, certified: Certified, directory: Path | None) -> bool:
    """Say what it proves, and write it down where there is a folder; whether it is accepted."""
    report = certified.report
    path = output.plain(certified.write(directory)) if directory else "not written, store in memory"
    if not report.accepted:
        console.print(
            f"counterexample: {path} [bold red]REJECTED[/bold red] by the kernel, which proves "
            f"nothing: {output.plain(report.steps[-1])}"
        )
        return False
    check = f"; holdfast check {path}" if directory else ""
    console.print(
        f"counterexample: {path} ({report.proved} numbers proved of the programs and models "
        f"embedded in it, {report.given} given{check})",
        *(output.plain(f"  {shorten(line, 200)}") for line in report.behind),
        sep="\n",
    )
    return True
