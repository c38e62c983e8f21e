"""What ``tune`` reads: the grid, its seeds, and tables of recorded observations."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path

import click
import numpy as np

from holdfast.solvers.strict import shortened
from holdfast.solvers.target_returns.gaussian.checks import Floats

_RANGE = re.compile(r"(?:(\w+)=)?([^:=,]+):([^:=,]+):([0-9]+)")
_MOST_TARGETS = 10**7
"""Of ranges: ten times what fits into the memory of a usual machine; more is a slip."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of numbers: their names (D), and rows (N, D)."""

    names: tuple[str, ...]
    rows: Floats

    def place(self, index: int) -> str:
        """``return 350, cost 15``."""
        values = zip(self.names, self.rows[index].tolist(), strict=True)
        return ", ".join(f"{name} {x:g}" for name, x in values)


def read_table(path: str, option: str) -> Table:
    """A .csv file whose first line may name the columns; click.BadParameter says what is wrong."""
    place = f"{option} {path}"
    try:
        names, rows = _parsed(Path(path).read_text(encoding="utf-8-sig").splitlines())
    except (OSError, ValueError, csv.Error) as error:
        raise click.BadParameter(
            f"{place} cannot be read: {error}; give a .csv file with a target a line"
        ) from error
    fits = rows.size and rows.shape[1] == len(names)
    if not fits or len(set(names)) < len(names) or "" in names:
        raise click.BadParameter(
            f"{place} has the columns {', '.join(map(repr, names))} and numbers of the shape "
            f"{rows.shape}; give at least one line of numbers, and each column a name of its own"
        )
    for row, column in np.argwhere(~np.isfinite(rows))[:1].tolist():
        raise click.BadParameter(
            f"{place}: the column {names[column]} of target {row} (counted from 0) is "
            f"{rows[row, column]}; every number must be finite"
        )
    return Table(names, rows)


def _parsed(lines: list[str]) -> tuple[tuple[str, ...], Floats]:
    """The names of the columns and the numbers; raises ValueError where they are none."""
    if any(mark in line for mark in ";\t" for line in lines[:1]):
        raise ValueError("columns are separated by semicolons or tabs, not by commas")
    first = next(csv.reader(lines), [])
    named = not any(map(_is_number, first))
    names = tuple(cell.strip() for cell in first) if named else _usual_names(len(first))
    if not lines[named:]:
        return names, np.zeros((0, len(first)))
    return names, np.loadtxt(lines[named:], delimiter=",", quotechar='"', ndmin=2)


def read_observations(path: str) -> tuple[Table, Floats]:
    """``--replay``: the targets (N, D) and what was observed there, rewards and costs (2, N)."""
    table = read_table(path, "--replay")
    if not {"reward", "cost"} < set(table.names):
        raise click.BadParameter(
            f"--replay {path} has the columns {', '.join(table.names)}; give columns of the target "
            "and two named reward and cost"
        )
    ends = [table.names.index(name) for name in ("reward", "cost")]
    rest = [k for k in range(len(table.names)) if k not in ends]
    names = tuple(table.names[k] for k in rest)
    return Table(names, table.rows[:, rest]), table.rows[:, ends].T


def read_grid(text: str) -> Table:
    """``--grid``: a file, or ranges such as ``0:10:11,cost=0:5:6`` (first:last:number each)."""
    if Path(text).is_file():
        return read_table(text, "--grid")
    parts = [match for part in text.split(",") if (match := _RANGE.fullmatch(part.strip()))]
    if len(parts) != text.count(",") + 1 or not all(
        _is_number(p[k]) for p in parts for k in (2, 3)
    ):
        raise click.BadParameter(
            f"--grid {shortened(text)} is neither a file nor ranges FIRST:LAST:NUMBER such as "
            "return=100:600:26,budget=0:50:11"
        )
    size = prod(int(part[4][:9]) for part in parts)  # so many digits are too many already
    if not 0 < size <= _MOST_TARGETS:
        what = f"too many targets, more than {_MOST_TARGETS:,}" if size else "no target"
        raise click.BadParameter(f"--grid {shortened(text)} has {what}; give other numbers")
    usual = _usual_names(len(parts))
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later
        axes = [np.linspace(float(part[2]), float(part[3]), int(part[4])) for part in parts]
    names = tuple(part[1] or usual[k] for k, part in enumerate(parts))
    return Table(names, np.array(list(product(*axes)), dtype=np.float64))


def read_seeds(text: str, grid: Table) -> tuple[int, ...]:
    """``--seeds``: a file of targets, or their rows in the grid, from 0, such as ``0,3``."""
    if not Path(text).is_file():
        if not re.fullmatch(r"[0-9]{1,9}(,[0-9]{1,9})*", text):
            raise click.BadParameter(
                f"--seeds {shortened(text)} is neither a file nor rows of the grid, counted from "
                "0, such as 0,3"
            )
        return tuple(map(int, text.split(",")))
    table, seeds = read_table(text, "--seeds"), []
    if table.names != grid.names and _usual_names(len(grid.names)) not in (table.names, grid.names):
        raise click.BadParameter(
            f"--seeds {text} has the columns {', '.join(table.names)} and the grid has "
            f"{', '.join(grid.names)}; give the same columns in the same order"
        )
    for target in table.rows:
        away = ((grid.rows - target) ** 2).sum(axis=1)
        seeds.append(int(away.argmin()))
        if (grid.rows[seeds[-1]] != target).any():
            raise click.BadParameter(
                f"--seeds {text}: the target {target.tolist()} is not on the grid, whose nearest "
                f"is {grid.rows[seeds[-1]].tolist()}; seeds are targets of the grid"
            )
    return tuple(seeds)


def _usual_names(count: int) -> tuple[str, ...]:
    return tuple(f"z{k}" for k in range(1, count + 1))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
