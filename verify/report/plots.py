"""Histograms of slack as small SVG fragments that take their colours from the page."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_BINS = 24
_INK, _BAR, _ZERO, _BAD = "#010101", "#020202", "#030303", "#040404"
_COLOURS = {
    _INK: "var(--ink-soft)",
    _BAR: "var(--plot)",
    _ZERO: "var(--accent)",
    _BAD: "var(--bad)",
}
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "holdfast",
    "path.simplify": True,
    "font.size": 8,
    "axes.edgecolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.linewidth": 0.6,
}
_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG element, or none where there is nothing to draw, and what it shows in words."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class _Bars:
    """Positions along the axis (log10 or the slack itself), the width of a bar, the heights."""

    left: Sequence[float]
    width: float
    heights: Sequence[int]
    logarithmic: bool


def slack_histogram(slacks: Sequence[float], name: str) -> Plot:
    """How the slack of a claim is distributed over its findings.

    name: prefix of the ids in the SVG, unique in the page.
    """
    values = [slack for slack in slacks if math.isfinite(slack)]
    zeros, below = values.count(0.0), sum(slack < 0 for slack in values)
    above = [slack for slack in values if slack > 0]
    if not values:
        return Plot("", "An equality has no slack to plot: both sides are equal or it is false.")
    if not above and not below:
        return Plot("", f"No plot: the slack is exactly 0 in all {zeros:,} findings.")
    bars = _bars(above)
    caption = (
        f"Slack, the larger side minus the smaller, in {len(values):,} findings"
        f"{' (logarithmic axis)' if bars.logarithmic else ''}; exactly 0, where the bound is "
        f"attained, in {zeros:,}"
    )
    caption += f"; negative, where it is false, in {below:,}." if below else "."
    return Plot(_draw(bars, zeros, below, name, caption), caption)


def _bars(above: Sequence[float]) -> _Bars:
    if not above:
        return _Bars((), 1.0, (), False)
    low, high = min(above), max(above)
    logarithmic = high > 100 * low
    start, end = (math.log10(low), math.log10(high)) if logarithmic else (0.0, high)
    width = (end - start) / _BINS
    heights = [0] * _BINS
    for slack in above:
        place = math.log10(slack) if logarithmic else slack
        heights[min(int((place - start) / width), _BINS - 1)] += 1
    return _Bars([start + k * width for k in range(_BINS)], width, heights, logarithmic)


def _draw(bars: _Bars, zeros: int, below: int, name: str, caption: str) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(4.6, 1.25), frameon=False)
        canvas: Any = FigureCanvasSVG(figure)
        axes = figure.add_axes((0.07, 0.2, 0.92, 0.74))
        left, width = (bars.left[0] if bars.left else 0.0), bars.width
        axes.bar(bars.left, bars.heights, width * 0.9, align="edge", color=_BAR)
        extra = [
            (height, colour, text)
            for height, colour, text in ((zeros, _ZERO, "0"), (below, _BAD, "< 0"))
            if height
        ]
        ticks = _ticks(bars)
        for index, (height, colour, text) in enumerate(extra):
            start = left - (2.2 + 2.2 * index) * width
            axes.bar([start], [height], width * 1.3, align="edge", color=colour)
            ticks.append((start + 0.65 * width, text))
        axes.set_xticks([place for place, _ in ticks], [text for _, text in ticks])
        axes.set_xlim(left - (0.4 + 2.2 * len(extra)) * width, left + (_BINS + 0.4) * width)
        top = max(zeros, below, *bars.heights) if bars.heights else max(zeros, below)
        axes.set_yticks([0, top])
        axes.patch.set_visible(False)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=2, width=0.6, pad=2)
        buffer = io.StringIO()
        canvas.print_svg(buffer, metadata={"Date": None})
    return _fragment(buffer.getvalue(), name, caption)


def _ticks(bars: _Bars) -> list[tuple[float, str]]:
    if not bars.left:
        return []
    start, end = bars.left[0], bars.left[-1] + bars.width
    if not bars.logarithmic:
        return [(end * k / 4, f"{end * k / 4:.3g}") for k in range(1, 5)]
    decades = list(range(math.ceil(start), math.floor(end) + 1))
    step = max(1, math.ceil(len(decades) / 6))
    return [(float(k), "10" + str(k).translate(_POWERS)) for k in decades[::step]]


def _fragment(svg: str, name: str, caption: str) -> str:
    """The SVG element alone: no metadata, no size, unique ids, colours and fonts of the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"| version="[^"]*"', "", svg)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'xlink:href="#', f'href="#{name}-', svg)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->|\n\s*", " ", svg, flags=re.DOTALL)
    for colour, variable in _COLOURS.items():
        svg = svg.replace(colour, variable)
    label = caption.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.strip().replace("<svg", f'<svg class="plot" role="img" aria-label="{label}"', 1)
