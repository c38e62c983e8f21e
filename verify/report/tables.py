"""Tables for rich: a row for each statement, each real model, each bound on it.

Nothing here interprets markup: labels and numbers are shown as they stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table

from ..binding.claims import pillar
from ..kernel import Verdict
from . import wording
from .numbers import DASH, decimal, duration, rough, rounded, shorten
from .text import VisibleText as Text
from .wording import Tone, tone

if TYPE_CHECKING:
    from ..campaign.summary import ClaimSummary
    from ..campaign.worlds import WorldSummary
    from ..engine.finding import Finding

STYLES = {Tone.GOOD: "green", Tone.BAD: "bold red", Tone.OPEN: "yellow", Tone.QUIET: "dim"}
_LEFT = ("label", "standing", "verdict", "grade", "world", "certificate", "pillar")
_WIDE = ("label", "world", "certified optimal value", "multipliers", "numbers", "verdicts")


def empty_table(*titles: str, title: str) -> Table:
    """A table of these columns, numbers to the right."""
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
    return Text(f"{tone(one).value} {wording.heading(one)}", style=STYLES[tone(one)])


def claims_table(claims: Sequence[ClaimSummary]) -> Table:
    """A row for each statement on drawn models."""
    table = empty_table(
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
        table.add_row(
            Text(one.claim.name),
            Text(wording.standing(one)),
            _verdict(one),
            Text(wording.models(one)),
            Text(wording.power(one)),
            Text(rounded(one.tightest.ratio if one.tightest else None)),
            _of(*wording.kills(one)),
            Text(wording.grade(one)),
            Text(duration(one.seconds)),
        )
    return table


def worlds_table(worlds: Sequence[WorldSummary]) -> Table:
    """A row for each real model, with its certified optimal value in full."""
    table = empty_table(
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
            _certificate(world),
            Text(", ".join(map(shorten, world.details.get("multipliers", DASH).split(", ")))),
            Text(duration(world.seconds)),
        )
    return table


def pillars_table(claims: Sequence[ClaimSummary]) -> Table:
    """A row for each pillar: its statements on drawn models, counted."""
    table = empty_table(
        "pillar",
        "statements",
        "as expected",
        "models",
        "verdicts",
        "killed",
        "time",
        title="Statements on drawn models",
    )
    for name in dict.fromkeys(pillar(one.claim) for one in claims):
        members = [one for one in claims if pillar(one.claim) == name]
        expected = sum(one.as_expected for one in members)
        table.add_row(
            Text(name),
            Text(f"{len(members):,}"),
            _of(expected, len(members)),
            Text(f"{sum(one.models for one in members):,}"),
            Text(verdict_counts(members)),
            _of(*wording.all_kills(members)),
            Text(duration(sum(one.seconds for one in members))),
        )
    return table


def worlds_summary(worlds: Sequence[WorldSummary], claims: Sequence[ClaimSummary]) -> Table:
    """A row for each real model: its optimal value, and the statements on it, counted."""
    table = empty_table(
        "world",
        "states",
        "optimal value",
        "certificate",
        "verdicts",
        "out of scope",
        "time",
        title="Real models",
    )
    for world in worlds:
        members = [one for one in claims if one.world == world.name]
        within = [one for one in members if not is_outside(one)]
        table.add_row(
            Text(world.name),
            Text(f"{world.states:,}"),
            Text(world.decimal or decimal(world.value)),
            _certificate(world),
            Text(verdict_counts(within) or DASH),
            Text(f"{len(members) - len(within):,}"),
            Text(duration(world.seconds + sum(one.seconds for one in members))),
        )
    return table


def verdict_counts(claims: Sequence[ClaimSummary]) -> str:
    """``34 TIGHT, 31 HOLDS, 2 VIOLATED``, most first."""
    falls = Counter(map(wording.heading, claims)).most_common()
    return ", ".join(f"{number:,} {verdict}" for verdict, number in falls)


def is_outside(one: ClaimSummary) -> bool:
    """Whether the statement does not speak of the models that it was put to."""
    return one.verdict is Verdict.OUT_OF_SCOPE and not one.error


def _of(number: int, total: int) -> Text:
    return Text(f"{number:,}/{total:,}", style="" if number == total else "bold red")


def _certificate(world: WorldSummary) -> Text:
    return Text(world.certified or "none", style="" if world.certified else "bold red")


def size(world: WorldSummary) -> str:
    """``16 x 4``, or the number of pairs where the states differ in their number of actions."""
    actions, rest = divmod(world.choices, world.states) if world.states else (0, 1)
    product = f"{world.states:,} x {actions:,}"
    return f"{world.states:,} states, {world.choices:,} pairs" if rest else product


def bounds(world: str, claims: Sequence[ClaimSummary]) -> list[RenderableType]:
    """A row for each statement on one real model, and the names of those out of scope there."""
    outside = list(filter(is_outside, claims))
    parts: list[RenderableType] = [
        _bounds_table(world, [one for one in claims if one not in outside])
    ]
    if outside:
        names = ", ".join(one.claim.name for one in outside)
        nothing = "" if any(one.telling for one in claims) else "; nothing was tested on it"
        parts.append(Text(f"out of scope on {world}: {names}{nothing}\n", style="dim"))
    return parts


def _bounds_table(world: str, claims: Sequence[ClaimSummary]) -> Table:
    table = empty_table(
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
