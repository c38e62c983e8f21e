"""The picture of a chance-constrained optimum: value against risk, and paths on a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..report.numbers import decimal
from ..report.pictures import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Point = tuple[Fraction, Fraction]
"""(risk, value) of a policy."""

_SAFER, _BOLDER, _ENVELOPE, _UNSAFE = "#0072b2", "#d55e00", "#444444", "#e8c9c0"
_PATH_COLOURS = (_SAFER, _BOLDER)


@dataclass(frozen=True, slots=True)
class Frontier:
    """What the left panel shows.

    kinks: (risk, value) of the deterministic policies on the envelope, by risk; complete: whether
    these are all of them;
    deterministic: those of further deterministic policies, under it, and what they are;
    flips: for each level, its optimum with the two policies it flips between (equal if none).
    """

    kinks: Sequence[Point]
    complete: bool
    deterministic: Sequence[Point]
    deterministic_name: str
    flips: Sequence[tuple[Point, Point, Point]]


@dataclass(frozen=True, slots=True)
class Map:
    """What the right panel shows: a point a state, unsafe states, the states of episodes."""

    title: str
    points: Sequence[Sequence[Fraction]]
    unsafe: Sequence[int]
    paths: Mapping[str, Sequence[Sequence[int]]]


@styled()
def draw(frontier: Frontier, risk_name: str, grid: Map | None = None) -> Figure:
    """The figure: one panel, or two where there is a map of the plane."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.8) if grid else (6.4, 4.8))
    if grid is None:
        left = figure.subplots(1, 1)
    else:
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
        _draw_map(right, grid)
    _draw_frontier(left, frontier, risk_name)
    return figure


def _floats(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [float(x) for x, _ in points], [float(y) for _, y in points]


def _draw_frontier(axes: Axes, frontier: Frontier, risk_name: str) -> None:
    if frontier.deterministic:
        axes.plot(
            *_floats(frontier.deterministic),
            ".",
            color=_ENVELOPE,
            markersize=3.5,
            alpha=0.3,
            label=frontier.deterministic_name,
        )
    dotted = len(frontier.kinks) <= 60
    axes.plot(
        *_floats(frontier.kinks),
        color=_ENVELOPE,
        linewidth=1.2,
        marker="o" if dotted else None,
        markersize=3.5,
        label="envelope, with its kinks"
        if frontier.complete
        else f"through {len(frontier.kinks)} kinks of the envelope",
    )
    for number, (optimum, safer, bolder) in enumerate(frontier.flips):
        first = number == 0
        axes.plot(*_floats([optimum]), "*", color="black", markersize=11, zorder=4,
                  label="optimum" if first else None)  # fmt: skip
        axes.annotate(
            f"{decimal(optimum[0], 3)}: {decimal(optimum[1], 6)}",
            (float(optimum[0]), float(optimum[1])),
            textcoords="offset points",
            xytext=(-8, 7),
            ha="right",
            fontsize=9,
        )
        if safer != bolder:
            axes.plot(*_floats([safer]), "v", color=_SAFER, zorder=3,
                      label="safer of the two" if first else None)  # fmt: skip
            axes.plot(*_floats([bolder]), "^", color=_BOLDER, zorder=3,
                      label="bolder of the two" if first else None)  # fmt: skip
    axes.set_xlabel(risk_name)
    axes.set_ylabel("expected return")
    axes.legend(loc="lower right")


def _draw_map(axes: Axes, grid: Map) -> None:
    points = [tuple(float(x) for x in point) for point in grid.points]
    for state in grid.unsafe:
        x, y = points[state]
        axes.add_patch(_square(x, y))
    for colour, (name, episodes) in zip(_PATH_COLOURS, grid.paths.items(), strict=False):
        for number, states in enumerate(episodes):
            places = zip(*(points[s] for s in states), strict=True)
            label = name if number == 0 else None
            axes.plot(*places, color=colour, alpha=0.35, linewidth=1.1, label=label)
    xs, ys = zip(*points, strict=True)
    axes.set_xlim(min(xs) - 0.6, max(xs) + 0.6)
    axes.set_ylim(min(ys) - 0.6, max(ys) + 0.6)
    axes.set_aspect("equal")
    axes.grid(False)
    axes.set_title(grid.title)
    axes.legend(loc="upper left")


def _square(x: float, y: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=_UNSAFE, edgecolor="none")
