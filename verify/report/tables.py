"""Tables for rich: a row for each statement, each real model, each bound on it.

Nothing here interprets markup: labels and numbers are shown as they stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from rich import box
from rich.console import RenderableType
from rich.table import Table

from ..binding.claims import pillar
from ..kernel import Verdict
from . import wording
from .numbers import DASH, count, decimal, duration, rough, rounded, shorten
from .text import VisibleText as Text
from .wording import Tone, tone

if TYPE_CHECKING:
    from ..campaign.summary import ClaimSummary
    from ..campaign.worlds import WorldSummary
    from ..engine.finding import Finding

T = TypeVar("T")
STYLES = {Tone.GOOD: "green", Tone.BAD: "bold red", Tone.OPEN: "yellow", Tone.QUIET: "dim"}
_LEFT = ("label", "best constant", "standing", "verdict", "grade", "world", "certificate", "pillar")
_WIDE = (
    "label",
    "tends to",
    "world",
    "certified optimal value",
    "multipliers",
    "numbers",
    "verdicts",
)
_NAMED = 5
"""Statements out of scope that are named, in a line or two; more are counted."""


def table(
    title: str, items: Iterable[T], columns: Mapping[str, Callable[[T], str | Text]]
) -> Table:
    """A row for each item; columns: heading -> what stands there, numbers to the right."""
    made = Table(
        box=box.SIMPLE_HEAD,
        title=Text(title, style="bold"),
        title_justify="left",
        pad_edge=False,
        header_style="bold",
    )
    for name in columns:
        made.add_column(
            Text(name),
            justify="left" if name in (*_LEFT, *_WIDE) else "right",
            no_wrap=name not in (*_WIDE, "grade"),
            overflow="fold",
        )
    for item in items:
        made.add_row(*(_text(show(item)) for show in columns.values()))
    return made


def _text(cell: str | Text) -> Text:
    return Text(cell) if isinstance(cell, str) else cell


def claims_table(claims: Sequence[ClaimSummary]) -> Table:
    """A row for each statement on drawn models."""
    return table(
        "Statements on drawn models",
        claims,
        {
            "label": lambda one: one.claim.name,
            "standing": wording.standing,
            "verdict": _verdict,
            "telling": wording.models,
            "power": wording.power,
            "tightest": _ratio,
            "killed": lambda one: _of(*wording.kills(one)),
            "grade": wording.grade,
            "time": lambda one: duration(one.seconds),
        },
    )


def worlds_table(worlds: Sequence[WorldSummary]) -> Table:
    """A row for each real model, with its certified optimal value in full."""
    return table(
        "Real models",
        worlds,
        {
            "world": lambda world: world.name,
            "states x actions": size,
            "certified optimal value": lambda world: shorten(world.value, 37),
            "decimal": lambda world: world.decimal or decimal(world.value),
            "certificate": _certificate,
            "multipliers": _multipliers,
            "time": lambda world: duration(world.seconds),
        },
    )


def pillars_table(claims: Sequence[ClaimSummary]) -> Table:
    """A row for each pillar: its statements on drawn models, counted."""
    pillars: dict[str, list[ClaimSummary]] = {}
    for one in claims:
        pillars.setdefault(pillar(one.claim), []).append(one)
    return table(
        "Statements on drawn models",
        pillars.values(),
        {
            "pillar": lambda members: pillar(members[0].claim),
            "statements": lambda members: f"{len(members):,}",
            "as expected": lambda members: _of(sum(o.as_expected for o in members), len(members)),
            "models": lambda members: f"{sum(one.models for one in members):,}",
            "verdicts": verdict_counts,
            "killed": lambda members: _of(*wording.all_kills(members)),
            "time": lambda members: duration(_seconds(members)),
        },
    )


def worlds_summary(worlds: Sequence[WorldSummary], claims: Sequence[ClaimSummary]) -> Table:
    """A row for each real model: its optimal value, and the statements on it, counted."""
    on = {world.name: [one for one in claims if one.world == world.name] for world in worlds}
    within = {name: _inside(found) for name, found in on.items()}
    return table(
        "Real models",
        worlds,
        {
            "world": lambda world: world.name,
            "states": lambda world: f"{world.states:,}",
            "optimal value": lambda world: world.decimal or decimal(world.value),
            "certificate": _certificate,
            "verdicts": lambda world: verdict_counts(within[world.name]) or DASH,
            "out of scope": lambda world: f"{len(on[world.name]) - len(within[world.name]):,}",
            "time": lambda world: duration(world.seconds + _seconds(on[world.name])),
        },
    )


def bounds(world: str, claims: Sequence[ClaimSummary]) -> Iterator[RenderableType]:
    """A row for each statement on one real model, and how many are out of scope there."""
    yield table(
        f"Statements on {world}",
        _inside(claims),
        {
            "label": lambda one: one.claim.name,
            "verdict": _verdict,
            "ratio": _ratio,
            "numbers": numbers,
            "grade": wording.grade,
            "time": lambda one: duration(one.seconds),
        },
    )
    if outside := [one.claim.name for one in claims if is_outside(one)]:
        named = ", ".join(outside) if len(outside) <= _NAMED else count(len(outside), "statement")
        nothing = "" if any(one.telling for one in claims) else "; nothing was tested on it"
        yield Text(f"out of scope on {world}: {named}{nothing}\n", style="dim")


def by_world(claims: Iterable[ClaimSummary]) -> dict[str, list[ClaimSummary]]:
    """World -> what the claims came to on it; under the empty name, on drawn models."""
    found: dict[str, list[ClaimSummary]] = {}
    for one in claims:
        found.setdefault(one.world, []).append(one)
    return found


def size(world: WorldSummary) -> str:
    """``16 x 4``, or the number of pairs where the states differ in their number of actions."""
    actions, rest = divmod(world.choices, world.states) if world.states else (0, 1)
    product = f"{world.states:,} x {actions:,}"
    return f"{world.states:,} states, {world.choices:,} pairs" if rest else product


def verdict_counts(claims: Sequence[ClaimSummary]) -> str:
    """``34 TIGHT, 31 HOLDS, 2 VIOLATED``, most first."""
    falls = Counter(map(wording.heading, claims)).most_common()
    return ", ".join(f"{number:,} {verdict}" for verdict, number in falls)


def is_outside(one: ClaimSummary) -> bool:
    """Whether the statement does not speak of the models that it was put to."""
    return one.verdict is Verdict.OUT_OF_SCOPE and not one.error


def _inside(claims: Iterable[ClaimSummary]) -> list[ClaimSummary]:
    return [one for one in claims if not is_outside(one)]


def _seconds(claims: Iterable[ClaimSummary]) -> float:
    return sum(one.seconds for one in claims)


def _of(number: int, total: int) -> Text:
    return Text(f"{number:,}/{total:,}", style="" if number == total else "bold red")


def _certificate(world: WorldSummary) -> Text:
    return Text(world.certified or "none", style="" if world.certified else "bold red")


def _verdict(one: ClaimSummary) -> Text:
    return Text(f"{tone(one).value} {wording.heading(one)}", style=STYLES[tone(one)])


def _ratio(one: ClaimSummary) -> str:
    return rounded(one.tightest.ratio if one.tightest else None)


def _multipliers(world: WorldSummary) -> str:
    return ", ".join(map(shorten, world.details.get("multipliers", DASH).split(", ")))


def numbers(one: ClaimSummary) -> str:
    """Both sides where the bound is tightest, or why there are none."""
    finding = one.foremost
    if finding is None or not finding.left:
        return one.error or one.note or DASH
    return sides(one, finding, rough)


def sides(one: ClaimSummary, finding: Finding, show: Callable[[str], str]) -> str:
    """``left <= right`` with the sign of the part that was checked."""
    parts = one.claim.theorem.parts
    sign = parts[finding.part].sign.value if finding.part < len(parts) else "?"
    return f"{show(finding.left)} {sign} {show(finding.right)}"
