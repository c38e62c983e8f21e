"""``atlas``: how tight many theorems are, each hunted in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from holdfast.theory import Sharp, Sign
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.report.numbers import DASH, count, duration
from holdfast.verify.report.tables import table
from holdfast.verify.search.hunt import Hunt, hunt
from holdfast.verify.search.keeping import Extremal, extremals, keep
from holdfast.verify.search.suggestion import NEAR

from ..terminal import output
from ..terminal.json_files import write_json
from ..terminal.options import json_option, seed_option
from ..terminal.targets import MEMORY, prepare_store
from .hunting import prepare_corpus
from .selection import select


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One part of a theorem that was hunted; found: its extremal case; hunt: the whole of it."""

    claim: Claim
    found: Extremal
    hunt: Hunt

    @property
    def part(self) -> int:
        """Index of the part in the theorem."""
        return self.found.peak.observation.part

    @property
    def known(self) -> Sharp | None:
        """Why its constant is the best, where that is known."""
        sharp = self.claim.theorem.sharp
        return next((one for one in sharp if one.part == self.part), None)

    @property
    def is_short(self) -> bool:
        """Whether the constant is known to be the best, and the hunt stayed away from it."""
        return self.known is not None and self.found.peak.score < NEAR

    def document(self) -> dict[str, Any]:
        """The row as plain data."""
        peak, limit = self.found.peak, self.found.limit
        return {
            "claim": self.claim.name,
            "part": self.part,
            "known_sharp": self.known.constant if self.known else None,
            "ratio": self.found.ratio,
            "limit": limit.constant if limit else None,
            "along": limit.along if limit else None,
            "trace": list(peak.trace),
            "seconds": peak.seconds,
            "models": self.hunt.models,
        }


_COLUMNS: dict[str, Callable[[Row], str]] = {
    "label": lambda row: row.claim.name,
    "part": lambda row: str(row.part),
    "best constant": lambda row: row.known.constant if row.known else "not known",
    "ratio": lambda row: f"{row.found.peak.ratio:.6g}",
    "tends to": lambda row: row.found.limit.constant if row.found.limit else DASH,
    "models": lambda row: str(row.hunt.models),
    "found after": lambda row: duration(row.found.peak.seconds),
}


@click.command()
@click.argument("patterns", nargs=-1)
@click.option(
    "--budget",
    default="20s",
    show_default=True,
    help="Time for each theorem, such as 20s or 2m, or its number of models, such as 500.",
)
@seed_option
@click.option("--keep", "keeping", is_flag=True, help="Write the extremal cases into the corpus.")
@json_option
def atlas_command(
    patterns: Sequence[str], budget: str, seed: int, keeping: bool, json_path: str | None
) -> int:
    """Hunt the theorems whose label matches a PATTERN, one after the other, and print how tight
    each is; without a PATTERN those whose constant is known to be the best.

    No hunt is told of landmarks, of a store or of the corpus. The ratio is that of the smaller side
    to the larger one on the tightest case, after the case was made as small as possible; it is
    followed to a limit where some integers of the case may grow. Equalities have no ratio, and
    claims about trained networks are left out.

    The exit code is 1 if a theorem is violated that should hold, and 2 if a hunt stays below 0.99
    where the constant is known to be the best.
    """
    effort = Budget.parse(budget)
    prepare_store(MEMORY, [("--json", json_path)])
    claims = _searchable(patterns)
    if keeping:
        prepare_corpus(claims)
    console = output.console()
    rows: list[Row] = []
    hunts: list[Hunt] = []
    for number, claim in enumerate(claims, 1):
        with console.status(f"{claim.name}, {number} of {len(claims)}"):
            found = hunt(claim, seed=seed, budget=effort)
            cases = () if found.violation else extremals(claim, found)
        hunts.append(found)
        rows += [Row(claim=claim, found=case, hunt=found) for case in cases]
        if keeping and cases:
            keep(claim, found, cases)
    console.print(table("The tightest cases", rows, _COLUMNS))
    if json_path:
        write_json([row.document() for row in rows], Path(json_path))
    return _ending(console, claims, rows, hunts)


def _searchable(patterns: Sequence[str]) -> tuple[Claim, ...]:
    """Raises click.BadParameter if nothing is left that can be hunted."""
    chosen = select(patterns) if patterns else [one for one in shipped() if one.theorem.sharp]
    found = tuple(
        claim
        for claim in chosen
        if not claim.trained
        and (patterns or "#" not in claim.name)
        and any(part.sign not in (Sign.EQ, Sign.NE) for part in claim.theorem.parts)
    )
    if not found:
        raise click.BadParameter(
            f"{' '.join(patterns)} matches equalities or trained networks alone; a hunt needs an "
            "inequality on models that are drawn in no time, such as trust-region/policy-bound"
        )
    return found


def _ending(
    console: Console, claims: Sequence[Claim], rows: Sequence[Row], hunts: Sequence[Hunt]
) -> int:
    for line in _lines(claims, rows, hunts):
        console.print(output.plain(line), highlight=False)
    false = {claim.name for claim in claims if claim.theorem.standing.is_false}
    if any(one.violation and one.claim not in false for one in hunts):
        return ExitCode.VIOLATION
    return ExitCode.UNDECIDED if any(row.is_short for row in rows) else ExitCode.AS_EXPECTED


def _lines(claims: Sequence[Claim], rows: Sequence[Row], hunts: Sequence[Hunt]) -> Iterator[str]:
    known = [row for row in rows if row.known]
    yield (
        f"{count(len(claims), 'theorem')} hunted; of {count(len(known), 'part')} whose constant is "
        f"known to be the best, {sum(not row.is_short for row in known)} come to {float(NEAR)} or "
        "above"
    )
    for row in known:
        if row.is_short:
            yield f"{row.claim.name}, part {row.part}: only {row.found.peak.ratio:.6g}; hunt longer"
    for one in hunts:
        if one.violation:
            yield f"{one.claim}: violated; holdfast hunt {one.claim} shows the counterexample"
        elif not one.telling:
            yield f"{one.claim}: no model was telling"
