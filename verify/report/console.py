"""What `verify` and `show` print: tables and pages for rich.

Nothing here interprets markup: labels and numbers are shown as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from ..kernel import Verdict
from . import wording
from .numbers import DASH, count, decimal, duration, rough, rounded, shorten
from .text import VisibleText as Text
from .wording import Tone, tone

if TYPE_CHECKING:
    from holdfast.theory import Theorem

    from ..binding.claims import Claim
    from ..campaign.summary import ClaimSummary, RunSummary
    from ..campaign.worlds import WorldSummary
    from ..engine.finding import Finding

_STYLES = {Tone.GOOD: "green", Tone.BAD: "bold red", Tone.OPEN: "yellow", Tone.QUIET: "dim"}
_LEFT = ("label", "standing", "verdict", "grade", "world", "certificate")
_WIDE = ("label", "world", "certified optimal value", "multipliers", "numbers")


def results_table(summary: RunSummary) -> RenderableType:
    """The claims on drawn models, the worlds, and what each bound comes to on each world."""
    parts: list[RenderableType] = []
    drawn = [one for one in summary.claims if not one.world]
    if drawn:
        parts += [_claims_table(drawn), Text(wording.POWER, style="dim")]
    if summary.worlds:
        parts.append(_worlds_table(summary.worlds))
    names = dict.fromkeys(one.world for one in summary.claims if one.world)
    for name in names:
        parts += _bounds(name, [one for one in summary.claims if one.world == name])
    parts.append(Text(wording.CAUTION, style="dim"))
    parts.append(_closing(summary))
    return Group(*parts)


def problems(summary: RunSummary) -> RenderableType:
    """Errors, violations with counterexamples, survivors and undecided claims; maybe nothing."""
    parts: list[RenderableType] = []
    for one in summary.claims:
        if one.as_expected:
            continue
        parts.append(_title(one))
        parts.append(Padding(Text(wording.outcome(one)), (0, 0, 0, 4)))
        if one.violations:
            parts.append(Padding(_refutation(summary, one), (0, 0, 0, 4)))
        nothing = one.error or one.verdict is Verdict.OUT_OF_SCOPE
        for name in () if nothing else one.survived:
            parts.append(Padding(Text(f"survived: {name}", style="yellow"), (0, 0, 0, 4)))
    return Group(*parts)


def _table(*titles: str, title: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text(title, style="bold"),
        title_justify="left",
        pad_edge=False,
        header_style="bold",
    )
    for name in titles:
        table.add_column(
            Text(name),
            justify="left" if name in (*_LEFT, *_WIDE) else "right",
            no_wrap=name not in (*_WIDE, "grade"),
            overflow="fold",
        )
    return table


def _verdict(one: ClaimSummary) -> Text:
    return Text(f"{tone(one).value} {wording.heading(one)}", style=_STYLES[tone(one)])


def _claims_table(claims: Sequence[ClaimSummary]) -> Table:
    table = _table(
        "label",
        "standing",
        "verdict",
        "telling",
        "power",
        "tightest",
        "killed",
        "grade",
        "time",
        title="Statements on drawn models",
    )
    for one in claims:
        dead, all_of_them = wording.kills(one)
        table.add_row(
            Text(one.claim.name),
            Text(wording.standing(one)),
            _verdict(one),
            Text(wording.models(one)),
            Text(wording.power(one)),
            Text(rounded(one.tightest.ratio if one.tightest else None)),
            Text(f"{dead}/{all_of_them}", style="" if dead == all_of_them else "bold red"),
            Text(wording.grade(one)),
            Text(duration(one.seconds)),
        )
    return table


def _worlds_table(worlds: Sequence[WorldSummary]) -> Table:
    table = _table(
        "world",
        "states x actions",
        "certified optimal value",
        "decimal",
        "certificate",
        "multipliers",
        "time",
        title="Real models",
    )
    for world in worlds:
        table.add_row(
            Text(world.name),
            Text(size(world)),
            Text(shorten(world.value, 37)),
            Text(world.decimal or decimal(world.value)),
            Text(world.certified or "none", style="" if world.certified else "bold red"),
            Text(", ".join(map(shorten, world.details.get("multipliers", DASH).split(", ")))),
            Text(duration(world.seconds)),
        )
    return table


def size(world: WorldSummary) -> str:
    """``16 x 4``, or the number of pairs where the states differ in their number of actions."""
    actions, rest = divmod(world.choices, world.states) if world.states else (0, 1)
    product = f"{world.states:,} x {actions:,}"
    return f"{world.states:,} states, {world.choices:,} pairs" if rest else product


def _bounds(world: str, claims: Sequence[ClaimSummary]) -> list[RenderableType]:
    outside = [one for one in claims if one.verdict is Verdict.OUT_OF_SCOPE and not one.error]
    parts: list[RenderableType] = [
        _bounds_table(world, [one for one in claims if one not in outside])
    ]
    if outside:
        names = ", ".join(one.claim.name for one in outside)
        nothing = "" if any(one.telling for one in claims) else "; nothing was tested on it"
        parts.append(Text(f"out of scope on {world}: {names}{nothing}\n", style="dim"))
    return parts


def _bounds_table(world: str, claims: Sequence[ClaimSummary]) -> Table:
    table = _table(
        "label", "verdict", "ratio", "numbers", "grade", "time", title=f"Statements on {world}"
    )
    for one in claims:
        table.add_row(
            Text(one.claim.name),
            _verdict(one),
            Text(rounded(one.tightest.ratio if one.tightest else None)),
            Text(numbers(one)),
            Text(wording.grade(one)),
            Text(duration(one.seconds)),
        )
    return table


def numbers(one: ClaimSummary) -> str:
    """Both sides where the bound is tightest, or why there are none."""
    finding = one.violations[0] if one.violations else one.tightest
    if finding is None or not finding.left:
        return one.error or one.note or DASH
    return sides(one, finding, rough)


def sides(one: ClaimSummary, finding: Finding, show: Callable[[str], str]) -> str:
    """``left <= right`` with the sign of the part that was checked."""
    parts = one.claim.theorem.parts
    sign = parts[finding.part].sign.value if finding.part < len(parts) else "?"
    return f"{show(finding.left)} {sign} {show(finding.right)}"


def _closing(summary: RunSummary) -> Text:
    claims = [one for one in summary.claims if not one.world]
    dead, all_of_them = (
        (sum(pair) for pair in zip(*map(wording.kills, claims), strict=True))
        if (claims)
        else (0, 0)
    )
    code = summary.exit_code
    text = Text(f"{wording.headline(summary)}. ", style="bold green" if code == 0 else "bold red")
    facts = (
        f"{count(len(claims), 'claim')} on drawn models, "
        f"{len(summary.claims) - len(claims)} on real ones, {dead} of {all_of_them} mutants "
        f"killed, seed {summary.seed}, {duration(summary.seconds)}, exit code {code.value}."
    )
    return text.append(facts, style="not bold default")


def _title(one: ClaimSummary) -> Text:
    where = f" on {one.world}" if one.world else ""
    return Text(f"\n{tone(one).value} {one.claim.name}{where}: ", style=_STYLES[tone(one)]).append(
        one.claim.theorem.title, style="not bold default"
    )


def _refutation(summary: RunSummary, one: ClaimSummary) -> RenderableType:
    found = None if one.world else summary.counterexamples.get(one.claim.name)
    finding = found.finding if found else one.violations[0]
    lines = [
        f"relation: {one.claim.theorem.parts[finding.part]}",
        f"case:     {finding.case} (digest {finding.digest})",
        f"sides:    {sides(one, finding, shorten)}   i.e. {sides(one, finding, decimal)}: false",
    ]
    values = sorted(finding.values.items())
    lines += [f"  {name} = {shorten(value, 60)}" for name, value in values]
    if found:
        lines.append("shrunk counterexample:" if found.shrunk else "counterexample:")
        lines += [f"  {line}" for line in found.text.splitlines()]
        if found.certificate:
            lines.append(f"certificate: {found.certificate}   (holdfast check {found.certificate})")
    return Text("\n".join(lines))


def theorem_page(
    theorem: Theorem, claims: Sequence[Claim], findings: Sequence[Finding]
) -> RenderableType:
    """The page of ``holdfast show LABEL``: statement, sources, mutants, last findings."""
    from .page import theorem_page as page

    return page(theorem, claims, findings)
