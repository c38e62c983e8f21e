"""A ladder on the terminal: its tables, what they prove, and what else is to be known."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable

from ..numbers import DASH
from ..tables import STYLES
from ..text import VisibleText as Text
from . import Cell, Ladder, Remark, Table

_SPREAD = len("0.1234 to 0.1234")
"""Width that no column goes below, so that what lies under a number stays on one line."""


def screen(ladder: Ladder) -> RenderableType:
    """All of it but the picture."""
    return Group(*_parts(ladder))


def _parts(ladder: Ladder) -> Iterator[RenderableType]:
    yield Text(ladder.title, style="bold")
    yield Text(ladder.label, "dim")
    yield Text(ladder.bound)
    for table in ladder.tables:
        yield Text("")
        yield _table(table)
    yield from _meanings(ladder)
    yield Text("")
    for remark in ladder.remarks:
        yield _remark(remark)
    for note in ladder.notes:
        yield Text(f"note: {note}", "dim")


def _table(table: Table) -> RichTable:
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, title=Text(table.title, style="bold"),
                      title_justify="left")  # fmt: skip
    shown.add_column(Text(table.first))
    for rung in table.rungs:
        shown.add_column(Text(f"{rung.name}\n{rung.grade}"), justify="right", min_width=_SPREAD)
    for row in table.rows:
        shown.add_row(Text(row.name), *map(_cell, row.cells))
    return shown


def _cell(cell: Cell) -> Text:
    text = Text(cell.text or DASH, style="bold red" if cell.over else "")
    return text.append(f"\n{cell.spread}", "dim") if cell.spread else text


def _meanings(ladder: Ladder) -> Iterator[RenderableType]:
    """Each column once, although several tables have it."""
    grid = RichTable.grid(padding=(0, 2))
    rungs = dict.fromkeys(rung for table in ladder.tables for rung in table.rungs)
    for rung in rungs:
        grid.add_row(Text(rung.name, style="bold"), Text(rung.meaning, "dim"))
    if rungs:
        yield Text("")
        yield grid


def _remark(remark: Remark) -> Text:
    return Text(f"{remark.tone.value} ", style=STYLES[remark.tone]).append(
        remark.text, style="not bold default"
    )
