"""Which statement rests on which, drawn from left to right, as an SVG element with links.

Solid: the proof uses it.  Dashed: the words of the statement, its assumptions, remark or known
relations, name it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from html import escape
from statistics import fmean

import networkx

from holdfast import theory
from holdfast.theory import Theorem

_WIDE, _TALL, _ACROSS, _DOWN = 154, 36, 184, 46
"""Pixels: a box that holds the name of 22 letters, and the distances of boxes."""
_LABEL = re.compile(r"(?<![\w/-])[a-z][a-z0-9-]*/[a-z0-9-]+")


@cache
def edges() -> dict[tuple[str, str], str]:
    """(what uses, what is used) -> "proof" or "words", of the whole catalogue."""
    found: dict[tuple[str, str], str] = {}
    labels = {one.label for one in theory.catalogue()}
    parts = {part: one.label for one in theory.catalogue() for part in one.parts}
    for one in theory.catalogue():
        named = [label for label in _LABEL.findall(_words(one)) if label in labels]
        named += [parts[part] for part in one.known if part in parts]
        found |= {(one.label, label): "words" for label in named if label != one.label}
        found |= {(one.label, label): "proof" for label in one.uses}
    return found


def _words(theorem: Theorem) -> str:
    """Everything that the statement says of itself but its proof."""
    texts = [theorem.title, theorem.remark, *(one.text for one in theorem.given)]
    texts += [one.meaning for one in theorem.quantities]
    if theorem.refutation:
        texts += [theorem.refutation.severity]
        texts += [text for one in theorem.refutation.printed for text in (one.text, one.met)]
    return " ".join(texts)


def neighbours(label: str) -> list[str]:
    """A statement with what it uses and what uses it."""
    pairs = [pair for pair in edges() if label in pair]
    return list(dict.fromkeys([label, *(one for pair in pairs for one in pair)]))


def svg(labels: Sequence[str], kind: Callable[[str], str], href: Callable[[str], str]) -> str:
    """The edges among these statements; none where there is no edge.

    kind: the class of a box, which gives it its colour; href: where a box leads.
    """
    graph = networkx.DiGraph()
    graph.add_edges_from(
        (used, user, {"why": why})
        for (user, used), why in edges().items()
        if user in labels and used in labels
    )
    if not graph:
        return ""
    places = dict(_places(graph))
    wide = max(x for x, _ in places.values()) + _WIDE + 8
    tall = max(y for _, y in places.values()) + _TALL + 8
    lines = "".join(_line(places[a], places[b], why) for a, b, why in graph.edges(data="why"))
    boxes = "".join(_box(label, place, kind(label), href(label)) for label, place in places.items())
    size = f'viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}"'
    name = "Which statement rests on which; the same links are listed in words on each page."
    return (
        f'<div class="scroll"><svg class="uses" {size} role="img" aria-label="{name}">'
        f"{lines}{boxes}</svg></div>"
    )


def _places(graph: networkx.DiGraph) -> Iterator[tuple[str, tuple[int, int]]]:
    """Corners of boxes: what is used left of what uses it; parts that hang together in turn."""
    top = 4
    parts = sorted(networkx.weakly_connected_components(graph), key=lambda part: sorted(part)[0])
    for part in parts:
        layers = list(_layers(graph.subgraph(part)))
        tallest = max(map(len, layers))
        for column, layer in enumerate(layers):
            above = top + (tallest - len(layer)) * _DOWN // 2
            for row, label in enumerate(layer):
                yield label, (4 + column * _ACROSS, above + row * _DOWN)
        top += tallest * _DOWN + 10


def _layers(part: networkx.DiGraph) -> Iterator[list[str]]:
    """Each statement right of all that it uses, those that share what they use side by side."""
    condensed = networkx.condensation(part)  # two statements may name each other
    rows: dict[str, int] = {}
    for layer in networkx.topological_generations(condensed):
        members = [label for node in layer for label in condensed.nodes[node]["members"]]
        above = {
            label: [rows[one] for one in part.predecessors(label) if one in rows]
            for label in members
        }
        members.sort(key=lambda label, above=above: (fmean(above[label] or [0]), label))
        rows |= {label: row for row, label in enumerate(members)}
        yield members


def _line(start: tuple[int, int], end: tuple[int, int], why: str) -> str:
    x0, y0, x1, y1 = start[0] + _WIDE, start[1] + _TALL / 2, end[0], end[1] + _TALL / 2
    bend = (_ACROSS - _WIDE) * 0.6
    path = f"M{x0} {y0}C{x0 + bend} {y0} {x1 - bend} {y1} {x1} {y1}"
    return f'<path class="{why}" d="{path}"/>'


def _box(label: str, place: tuple[int, int], kind: str, href: str) -> str:
    area, _, name = label.partition("/")
    x, y = place
    name = name if len(name) <= 22 else f"{name[:21]}…"
    return (
        f'<a href="{escape(href)}"><rect class="{kind}" x="{x}" y="{y}" width="{_WIDE}" '
        f'height="{_TALL}" rx="4"/><text class="area" x="{x + 8}" y="{y + 13}">{escape(area)}'
        f'</text><text x="{x + 8}" y="{y + 28}">{escape(name)}</text></a>'
    )
