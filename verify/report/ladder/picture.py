"""A ladder as a picture: the exact line, and what networks attain beside it."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from ..pictures import styled
from . import Ladder, Mark, Panel, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#444444", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_MARKS: dict[Mark, dict[str, Any]] = {
    Mark.LINE: {"linewidth": 1.3},
    Mark.DASHES: {"linewidth": 1.1, "linestyle": "--"},
    Mark.DOTS: {"linestyle": "none", "marker": "o", "markersize": 4.5, "alpha": 0.75},
    Mark.CROSSES: {"linestyle": "none", "marker": "x", "markersize": 7, "markeredgewidth": 1.6},
}
_WIDTH, _HEIGHT, _ACROSS = 6.4, 4.9, 2
"""Inches of a panel, and panels beside each other: with more, a page shrinks the legends."""


@styled()
def draw(ladder: Ladder) -> Figure:
    """The panels of the ladder, two beside each other; raises ValueError where it has none."""
    from matplotlib.figure import Figure

    if not ladder.panels:
        raise ValueError(f"the ladder of {ladder.label} has nothing to draw")
    across = min(_ACROSS, len(ladder.panels))
    rows = -(-len(ladder.panels) // across)
    figure = Figure(figsize=(_WIDTH * across, _HEIGHT * rows))
    grid = figure.add_gridspec(rows, across)
    missing = rows * across - len(ladder.panels)  # the first panel takes their room
    _panel(figure.add_subplot(grid[0, : 1 + missing]), ladder.panels[0])
    for place, panel in enumerate(ladder.panels[1:], start=1 + missing):
        _panel(figure.add_subplot(grid[place // across, place % across]), panel)
    return figure


def svg(ladder: Ladder) -> str:
    """The picture as one SVG element, the same for the same ladder."""
    from matplotlib import rc_context

    text = StringIO()
    with rc_context({"svg.hashsalt": ladder.label}):
        draw(ladder).savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _panel(axes: Axes, panel: Panel) -> None:
    for level in panel.levels:
        axes.axvline(level, color="#999999", linewidth=0.8, linestyle=":")
    named: set[str] = set()
    for series in panel.series:
        _series(axes, series, None if series.name in named else series.name)
        named.add(series.name)
    if panel.logarithmic:
        axes.set_xscale("log")
    axes.set_title(panel.title)
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    if named:
        axes.legend()


def _series(axes: Axes, series: Series, label: str | None) -> None:
    xs, ys = [x for x, _ in series.points], [y for _, y in series.points]
    colour = _COLOURS[series.colour % len(_COLOURS)]
    if series.spread:
        left, right, low, high = zip(*series.spread, strict=True)
        axes.errorbar(
            xs, ys, xerr=_around(xs, left, right), yerr=_around(ys, low, high),
            fmt="none", ecolor=colour, elinewidth=1.0, capsize=2.5,
        )  # fmt: skip
    axes.plot(xs, ys, color=colour, label=label, **_MARKS[series.mark])


def _around(
    places: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> list[list[float]]:
    """How far the ends lie below and above."""
    return [
        [max(0.0, place - end) for place, end in zip(places, low, strict=True)],
        [max(0.0, end - place) for place, end in zip(places, high, strict=True)],
    ]
