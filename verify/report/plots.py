"""Histograms of slack as small SVG elements that take their colours and fonts from the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_BINS = 24
"""More would leave bars of a few pixels and gaps between them; fewer hide a second mode."""
_WIDTH, _HEIGHT = 331.2, 90
_LEFT, _RIGHT, _FLOOR, _TOP = 23.2, 327.9, 72.0, 8.6
"""The corners of the plot in the picture; what is left of it and below is for the labels."""
_BAR, _ZERO, _BAD = "var(--plot)", "var(--accent)", "var(--bad)"
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


def slack_histogram(slacks: Sequence[float]) -> Plot:
    """How the slack of a claim is distributed over its findings."""
    values = [slack for slack in slacks if math.isfinite(slack)]
    above = [slack for slack in values if slack > 0]
    zeros, below = values.count(0.0), sum(slack < 0 for slack in values)
    if not values:
        return Plot("", "An equality has no slack to plot: both sides are equal or it is false.")
    if zeros == len(values):
        return Plot("", f"No plot: the slack is 0 in all {zeros:,} findings.")
    bars = _bars(above)
    axis = " (logarithmic axis)" if bars.logarithmic else ""
    caption = (
        f"Slack, the larger side minus the smaller, in {len(values):,} findings{axis}; 0, "
        f"where both are equal or too close to tell apart, in {zeros:,}{_false(below)}."
    )
    apart = [(zeros, _ZERO, "0")] * (zeros > 0) + [(below, _BAD, "< 0")] * (below > 0)
    return Plot(_svg(caption, _drawn(bars, apart)), caption)


def _false(number: int) -> str:
    return f"; negative, where it is false, in {number:,}" if number else ""


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


def _drawn(bars: _Bars, apart: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    """The elements of the picture; apart: (height, colour, label) of what stands to the left."""
    left, width = (bars.left[0] if bars.left else 0.0), bars.width
    first = left - (0.4 + 2.2 * len(apart)) * width
    scale = (_RIGHT - _LEFT) / (left + (_BINS + 0.4) * width - first)
    top = max([*bars.heights, *(height for height, _, _ in apart)])

    def across(place: float) -> float:
        return _LEFT + (place - first) * scale

    def bar(start: float, share: float, height: int, colour: str) -> str:
        tall = height / top * (_FLOOR - _TOP)
        return (
            f'<rect x="{across(start):.1f}" y="{_FLOOR - tall:.1f}" '
            f'width="{share * width * scale:.1f}" height="{tall:.1f}" style="fill: {colour}"/>'
        )

    for start, height in zip(bars.left, bars.heights, strict=True):
        yield bar(start, 0.9, height, _BAR)
    ticks = _ticks(bars)
    for index, (height, colour, text) in enumerate(apart):
        start = left - (2.2 + 2.2 * index) * width
        yield bar(start, 1.3, height, colour)
        ticks.append((start + 0.65 * width, text))
    yield f'<path d="M{_LEFT} {_FLOOR}H{_RIGHT}" {_LINE}/>'
    for place, text in ticks:
        x = f"{across(place):.1f}"
        yield f'<path d="M{x} {_FLOOR}v2" {_LINE}/>{_label(x, 82.1, "middle", text)}'
    for y, number in ((_FLOOR, 0), (_TOP, top)):
        yield f'<path d="M{_LEFT} {y}h-2" {_LINE}/>{_label("19.2", y + 3, "end", str(number))}'


_LINE = 'style="fill: none; stroke: var(--ink-soft); stroke-width: 0.6"'


def _label(x: str, y: float, anchor: str, text: str) -> str:
    style = f"font-size: 8px; text-anchor: {anchor}; fill: var(--ink-soft)"
    return f'<text x="{x}" y="{y:.1f}" style="{style}">{escape(text)}</text>'


def _svg(caption: str, elements: Iterator[str]) -> str:
    return (
        f'<svg class="plot" role="img" aria-label="{escape(caption)}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(elements)}</svg>'
    )


def _ticks(bars: _Bars) -> list[tuple[float, str]]:
    if not bars.left:
        return []
    start, end = bars.left[0], bars.left[-1] + bars.width
    if not bars.logarithmic:
        return [(end * k / 4, f"{end * k / 4:.3g}") for k in range(1, 5)]
    decades = list(range(math.ceil(start), math.floor(end) + 1))
    step = max(1, math.ceil(len(decades) / 6))
    return [(float(k), "10" + str(k).translate(_POWERS)) for k in decades[::step]]
