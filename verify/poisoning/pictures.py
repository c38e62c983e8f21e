"""Pictures of what labels cost to change, against features and against pairs a feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..report.pictures import styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444")
_MARKERS = "osD^vPX"


@dataclass(frozen=True, slots=True)
class CostPoint:
    """n_features, n_pairs; ratio, lower: bounds on least cost / cost of the target; closed_form:
    that of the closed-form bound."""

    n_features: int
    n_pairs: int
    ratio: float
    lower: float
    closed_form: float


@styled()
def draw_costs(points: Sequence[CostPoint], title: str, path: str | Path) -> Path:
    """Both panels into a file; ValueError if its suffix is that of no picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 4.6))
    left, right = figure.subplots(1, 2, sharey=True)
    groups: dict[int, list[CostPoint]] = {}
    for point in points:
        groups.setdefault(point.n_pairs, []).append(point)
    for k, (size, members) in enumerate(sorted(groups.items())):
        _line(left, sorted(members, key=lambda p: p.n_features), k, f"N = {size:,}")
        _line(right, sorted(members, key=_ratio), k, f"N = {size:,}", by_ratio=True)
    _finish(left, "number of features n", [p.n_features for p in points])
    _finish(right, "pairs a feature, N / n", [p.n_pairs / p.n_features for p in points])
    left.set_ylabel("share of the target's flips that is needed")
    if min(map(_ratio, points)) <= 1:
        low, high = right.get_xlim()
        right.axvspan(low / 10, 1.0, color="#000000", alpha=0.06, linewidth=0)
        right.set_xlim(low, high)
        words = "shaded: N \N{LESS-THAN OR EQUAL TO} n, no choice is left"
        right.text(0.02, 0.03, words, transform=right.transAxes, fontsize=9)
    left.plot([], [], linestyle="--", linewidth=1.0, color="#444444", label="closed-form bound")
    left.legend()
    figure.suptitle(f"What has the effect of: {title}")
    return write(figure, path)


@styled()
def draw_ratios(
    series: Mapping[str, Sequence[tuple[float, float, float, float]]], path: str | Path
) -> Path:
    """Lines of (N / n, mean ratio, its least, its greatest) into a file, one a name."""
    from matplotlib.figure import Figure

    figure: Figure = Figure(figsize=(6.8, 4.6))
    axes = figure.subplots(1, 1)
    for k, (name, points) in enumerate(series.items()):
        xs, ys, low, high = zip(*points, strict=True)
        below = [max(0.0, y - end) for y, end in zip(ys, low, strict=True)]
        above = [max(0.0, end - y) for y, end in zip(ys, high, strict=True)]
        axes.errorbar(xs, ys, yerr=(below, above), capsize=3, label=name, **_style(k))
    _finish(axes, "pairs a feature, N / n", [x for points in series.values() for x, *_ in points])
    axes.set_ylabel("share of the target's flips that is needed")
    return write(figure, path)


@dataclass(frozen=True, slots=True)
class DriftLoss:
    """Of one training: drift of the features; least_cost, thinned: held-out losses."""

    seed: int
    drift: float
    least_cost: float
    thinned: float


@styled()
def draw_drift(
    points: Sequence[DriftLoss], end: tuple[float, float, float] | None, path: str | Path
) -> Path:
    """Held-out losses against the drift of the features, a thin line a seed, into a file.

    end: where the advantage ends, as (mean, low, high) of the drift, or None if it is not known.
    Raises ValueError if the suffix of the file is that of no picture.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure(figsize=(6.8, 4.6))
    axes = figure.subplots(1, 1)
    for k, (name, words) in enumerate(_LABELLINGS.items()):
        for seed in sorted({point.seed for point in points}):
            own = sorted((p for p in points if p.seed == seed), key=lambda p: p.drift)
            axes.plot(
                [p.drift for p in own], [getattr(p, name) for p in own],
                label=words if seed == min(p.seed for p in points) else None,
                **{**_style(k), "linewidth": 0.9, "alpha": 0.75},
            )  # fmt: skip
    if end is not None:
        mean, low, high = end
        axes.axvspan(low, high, color="#000000", alpha=0.08, linewidth=0)
        axes.axvline(mean, color="#444444", linewidth=1.0, linestyle="--",
                     label=f"the advantage ends at a drift of {mean:.2g}")  # fmt: skip
    axes.axhline(1.0, color="#999999", linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("drift of the features, relative (Frobenius)")
    axes.set_ylabel("loss of the attack's effect on held-out pairs")
    axes.legend()
    return write(figure, path)


_LABELLINGS = {
    "least_cost": "least-cost labels of the features at the start",
    "thinned": "attack thinned to as many flips (control)",
}


def _ratio(point: CostPoint) -> float:
    return point.n_pairs / point.n_features


def _style(k: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[k % len(_COLOURS)],
        "marker": _MARKERS[k % len(_MARKERS)],
        "markersize": 5,
        "linewidth": 1.4,
    }


def _line(
    axes: Axes, points: Sequence[CostPoint], k: int, name: str, by_ratio: bool = False
) -> None:
    xs = [_ratio(p) if by_ratio else p.n_features for p in points]
    axes.plot(xs, [p.ratio for p in points], label=name, **_style(k))
    axes.fill_between(xs, [p.lower for p in points], [p.ratio for p in points],
                      color=_COLOURS[k % len(_COLOURS)], alpha=0.2, linewidth=0)  # fmt: skip
    bounds = [p.closed_form for p in points]
    axes.plot(xs, bounds, linestyle="--", linewidth=1.0, color=_COLOURS[k % len(_COLOURS)])


def _finish(axes: Axes, label: str, xs: Sequence[float]) -> None:
    axes.set_xscale("log")
    axes.set_xlabel(label)
    axes.set_ylim(0, 1.06)
    axes.xaxis.set_major_formatter("{x:,g}")
    ticks = sorted(set(xs))
    if len(ticks) > 8:
        from matplotlib.ticker import LogLocator

        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    else:
        axes.set_xticks(ticks, [f"{tick:,.3g}" for tick in ticks])
        axes.minorticks_off()
    axes.legend()
