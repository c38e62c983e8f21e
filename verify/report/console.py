"""What `verify` and `show` print: a run on one screen, and the page of a theorem.

Nothing here interprets markup: labels and numbers are shown as they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding

from ..binding.claims import matches, pillar
from ..campaign.exit_codes import ExitCode
from ..campaign.summary import GRAVEST
from ..kernel import Verdict
from . import tables, wording
from .numbers import count, decimal, duration, shorten
from .text import VisibleText as Text
from .wording import tone

if TYPE_CHECKING:
    from ..campaign.summary import ClaimSummary, RunSummary
    from ..engine.finding import Counterexample

FEW = 20
"""At most this many statements, or rows of them that are in scope, are shown without being asked
for: half a screen."""
_MOST_PROBLEMS, _MOST_SURVIVORS = 10, 2
"""What is noteworthy fits half a screen as well; HTML and JSON hold all of it."""


def results_table(summary: RunSummary, details: frozenset[str] = frozenset()) -> RenderableType:
    """A row for each pillar and each real model; a row for each statement of the details.

    details: pillars, labels or patterns of labels; a run on few statements is shown in detail.
    """
    chosen = [one for one in summary.claims if _in_detail(summary, one, details)]
    overview = _overview(summary) if len(chosen) < len(summary.claims) else ()
    closing = (Text(wording.CAUTION, style="dim"), _closing(summary))
    return Group(*overview, *_rows(summary, chosen), *closing)


def problems(summary: RunSummary, details: frozenset[str] = frozenset()) -> RenderableType:
    """Errors, violations with counterexamples, survivors and undecided claims; maybe nothing.

    details: as in `results_table`; of other statements survivors are counted, not listed.
    """
    found = [one for one in summary.claims if not one.as_expected]
    found.sort(key=lambda one: GRAVEST.index(one.exit_code))
    chosen = [one for one in found if _in_detail(summary, one, details)]
    rest = [one for one in found if not _in_detail(summary, one, details)]
    shown = (part for one in chosen for part in (Text(""), *_problem(summary, one)))
    return Group(*shown, *_in_brief(summary, rest))


def _in_brief(summary: RunSummary, claims: Sequence[ClaimSummary]) -> Iterator[RenderableType]:
    if claims:
        yield Text("")
    for one in claims[:_MOST_PROBLEMS]:
        yield from _brief(summary, one)
    if more := claims[_MOST_PROBLEMS:]:
        yield Text(f"and {count(len(more), 'statement')} more, in HTML and JSON")


def _in_detail(summary: RunSummary, one: ClaimSummary, details: frozenset[str]) -> bool:
    names = len({other.claim.name for other in summary.claims})
    rows = sum(not tables.is_outside(other) for other in summary.claims)
    return min(names, rows) <= FEW or any(matches(one.claim, pattern) for pattern in details)


def _overview(summary: RunSummary) -> Iterator[RenderableType]:
    if summary.drawn:
        yield tables.pillars_table(summary.drawn)
    if summary.worlds:
        yield tables.worlds_summary(summary.worlds, summary.claims)
    yield Text(wording.DETAILS.format(pillar=pillar(summary.claims[0].claim)), style="dim")


def _rows(summary: RunSummary, chosen: Sequence[ClaimSummary]) -> Iterator[RenderableType]:
    by_world = tables.by_world(chosen)
    if drawn := by_world.pop("", None):
        yield tables.claims_table(drawn)
        yield Text(wording.POWER, style="dim")
    if summary.worlds and chosen:
        yield tables.worlds_table(summary.worlds)
    for name, claims in by_world.items():
        yield from tables.bounds(name, claims)


def _problem(summary: RunSummary, one: ClaimSummary) -> Iterator[RenderableType]:
    yield _title(one)
    yield _indented(Text(wording.outcome(one)))
    if one.violations:
        yield _indented(_refutation(summary, one))
    for name in one.unnoticed:
        yield _indented(Text(f"survived: {name}", style="yellow"))


def _brief(summary: RunSummary, one: ClaimSummary) -> Iterator[RenderableType]:
    """As `_problem`, but of survivors only some; the verdict if it says more than they do."""
    if one.exit_code is not ExitCode.MUTANT_SURVIVED:
        yield from _problem(summary, replace(one, survived=()))
        return
    yield _title(one)
    if one.verdict is Verdict.VACUOUS or one.without_power:
        yield _indented(Text(wording.outcome(one)))
    more = len(one.unnoticed) - _MOST_SURVIVORS
    rest = f" and {more} more" if more > 0 else ""
    names = "; ".join(one.unnoticed[:_MOST_SURVIVORS])
    yield _indented(Text(f"survived: {names}{rest}", style="yellow"))


def _indented(thing: RenderableType) -> Padding:
    return Padding(thing, (0, 0, 0, 4))


def _closing(summary: RunSummary) -> Text:
    claims = summary.drawn
    dead, wanted = wording.all_kills(claims)
    code = summary.exit_code
    text = Text(f"{wording.headline(summary)}. ", style="bold green" if code == 0 else "bold red")
    facts = (
        f"{count(len(claims), 'claim')} on drawn models, "
        f"{len(summary.claims) - len(claims)} on real ones, {dead} of {wanted} mutants "
        f"killed, seed {summary.seed}, {duration(summary.seconds)}, exit code {code.value}."
    )
    return text.append(facts, style="not bold default")


def _title(one: ClaimSummary) -> Text:
    where = f" on {one.world}" if one.world else ""
    heading = f"{tone(one).value} {one.claim.name}{where}: "
    text = Text(heading, style=tables.STYLES[tone(one)])
    return text.append(one.claim.theorem.title, style="not bold default")


def _refutation(summary: RunSummary, one: ClaimSummary) -> RenderableType:
    found = summary.counterexample(one)
    finding = found.finding if found else one.violations[0]
    exact, about = (tables.sides(one, finding, show) for show in (shorten, decimal))
    lines = [
        f"relation: {one.claim.theorem.parts[finding.part]}",
        f"case:     {finding.case} (digest {finding.digest})",
        f"sides:    {exact}   i.e. {about}: false",
    ]
    values = sorted(finding.values.items())
    lines += [f"  {name} = {shorten(value, 60)}" for name, value in values]
    return Text("\n".join([*lines, *(_case(found) if found else ())]))


def _case(found: Counterexample) -> Iterator[str]:
    yield "shrunk counterexample:" if found.shrunk else "counterexample:"
    for line in found.text.splitlines():
        yield f"  {line}"
    if found.certificate:
        yield f"certificate: {found.certificate}   (holdfast check {found.certificate})"
