"""The rungs of one theorem side by side: exact values, algorithms in floats, trained networks.

A pillar fills in a `Ladder`; `table`, `picture`, `page` and `document` show all of them alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..numbers import decimal
from ..wording import Tone

Number = Fraction | float

_DIGITS, _PLACES = 5, 4
"""Of numbers from 1 on, and places of those below, risks: enough to tell networks from each other,
few enough for six columns."""


def shown(number: Number, digits: int = _DIGITS) -> str:
    """``98.853``, ``0.2199``, or ``1.2e-07`` for what would be 0 otherwise."""
    value = float(number)
    if abs(value) >= 1:
        return decimal(Fraction(number), digits)
    places = f"{value:.{_PLACES}f}"
    return f"{value:.1e}" if value and not float(places) else places.rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a ladder.

    levels, algorithms: empty for those of the ladder; limits: at which networks are trained, empty
    for those that suit the levels; task: None for that of the ladder;
    changes: options of the algorithms, such as {"steps": 1000}, that replace those of the ladder;
    episodes: fresh ones on which networks are measured, 0 for as many as suit the ladder;
    folder: of the runs, None for the usual one;
    obtain: (algorithm, task, seed, changes) -> the trained run, or None where it may not be trained
    and is not there.
    """

    label: str
    seeds: tuple[int, ...]
    levels: tuple[Fraction, ...]
    limits: tuple[Fraction, ...]
    algorithms: tuple[str, ...]
    task: str | None
    changes: dict[str, Any]
    episodes: int
    folder: Path | None
    obtain: Callable[[str, str, int, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and the least and greatest that it may be or that it was; None where it is one."""

    value: Number
    low: Number | None = None
    high: Number | None = None

    @property
    def text(self) -> str:
        """The number for people."""
        return shown(self.value)

    @property
    def spread(self) -> str:
        """From where to where, or nothing."""
        if self.low is None or self.high is None or self.low == self.high:
            return ""
        return " to ".join(shown(end, _DIGITS - 1) for end in (self.low, self.high))


@dataclass(frozen=True, slots=True)
class Cell:
    """What a rung gives in a row: figures such as (value, risk); over: a bound is broken."""

    figures: tuple[Figure, ...] = ()
    over: bool = False

    @property
    def text(self) -> str:
        """The numbers, with a stroke between them."""
        return " / ".join(one.text for one in self.figures)

    @property
    def spread(self) -> str:
        """From where to where each of them that has ends, a line each; or nothing."""
        return "\n".join(one.spread for one in self.figures if one.spread)


@dataclass(frozen=True, slots=True)
class Rung:
    """A column; grade: exact, float or neural; meaning: what its figures are, in one sentence."""

    name: str
    grade: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Row:
    """A cell for each rung of the table."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a ladder; first: heading of their names."""

    title: str
    first: str
    rungs: tuple[Rung, ...]
    rows: tuple[Row, ...]


class Mark(Enum):
    """How points are drawn."""

    LINE = "line"
    DASHES = "dashes"
    DOTS = "dots"
    CROSSES = "crosses"


@dataclass(frozen=True, slots=True)
class Series:
    """Points of a panel; those of one name have one line in the legend.

    colour: a number, equal for what belongs together; spread: for each point (lowest x, highest x,
    lowest y, highest y), or nothing.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    mark: Mark = Mark.LINE
    colour: int = 0
    spread: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot; levels: where a vertical line says what may not be passed."""

    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    levels: tuple[float, ...] = ()
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence that the figures prove; BAD where they contradict a statement that should hold."""

    tone: Tone
    text: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """All rungs of one theorem.  bound: what is claimed, in words; notes: what else is to be known,
    such as which runs are missing; runs: folders of the trained ones."""

    label: str
    title: str
    bound: str
    tables: tuple[Table, ...]
    panels: tuple[Panel, ...]
    remarks: tuple[Remark, ...]
    notes: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    @property
    def contradicted(self) -> bool:
        """Whether a figure contradicts a statement that should hold."""
        return any(one.tone is Tone.BAD for one in self.remarks)

    @property
    def has_networks(self) -> bool:
        """Whether anything that was trained is shown."""
        grades = (rung.grade for table in self.tables for rung in table.rungs if table.rows)
        return bool(self.runs) or any(grade.startswith("neural") for grade in grades)


def over_seeds(values: list[Number]) -> Figure:
    """Mean, least and greatest of what the seeds gave; raises ValueError where there is none."""
    if not values:
        raise ValueError("there is no seed whose value could be averaged")
    exact = [Fraction(value) for value in values]
    return Figure(sum(exact, Fraction(0)) / len(exact), min(exact), max(exact))
