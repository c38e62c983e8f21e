"""Pictures of small constrained MDPs.

States are circles.  Each action is a dot with a line from its state and an arrow to every state
that it may lead to, labelled with the probability where there are several.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.solvers import CMDP

from ..kernel import format_rational
from .numbers import brief

LARGEST = 8
"""States that a picture can hold; with more, arrows cross labels, so larger models are tables."""

_RADIUS, _DOT, _SPACING, _CLOSEST = 22.0, 4.0, 92.0, 55.0
"""In pixels: a circle that holds a name and a probability, a dot, the distance of neighbours with a
label between them, and what two points keep at least where that makes the picture no larger."""
_LETTER, _MARGIN = 6.0, 52.0
"""Pixels of a letter of a label, and around the points, so that labels at the rim are not cut."""
_TALL, _HALF = 12.0, 3.0
"""Pixels of a line of text, and half the side of a square that stands for a point of a curve."""
_ROOM = 40.0
"""Square pixels of an overlap that a radian of free angle makes up for: with ten times as many,
labels stand on other labels; with a tenth, they hide arrows."""
_ALONG = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
"""Where on its arrow a probability may stand, the best place first."""
Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Row:
    """A state-action pair in words: successors with probabilities, reward and costs."""

    state: int
    action: int
    successors: tuple[tuple[int, str], ...]
    reward: str
    costs: tuple[str, ...]

    @property
    def targets(self) -> tuple[int, ...]:
        """The successors alone."""
        return tuple(state for state, _ in self.successors)


@dataclass(frozen=True, slots=True)
class Node:
    """A state at a point, with its initial probability or an empty string."""

    name: str
    at: Point
    initial: str


@dataclass(frozen=True, slots=True)
class Label:
    """Lines of text beside a dot; anchor: of SVG."""

    lines: tuple[str, ...]
    at: Point
    anchor: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A path in SVG notation; text: the probability, or empty; at: where it stands.

    points: of the path, from its start to its end, for what has to keep clear of it.
    """

    path: str
    text: str
    at: Point
    pointed: bool
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything the template needs; width and height in pixels."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    dots: tuple[Point, ...]
    labels: tuple[Label, ...]
    arrows: tuple[Arrow, ...]


def rows(model: CMDP) -> tuple[Row, ...]:
    """The state-action pairs of a model."""
    rewards = model.reward_vector().fractions()
    costs = [model.cost_vector(i).fractions() for i in range(model.n_constraints)]
    return tuple(
        Row(
            int(state),
            int(action),
            tuple((t, format_rational(p)) for t, p in model.transition_row(k)),
            format_rational(rewards[k]),
            tuple(format_rational(cost[k]) for cost in costs),
        )
        for k, (state, action) in enumerate(zip(model.choice_states, model.actions, strict=True))
    )


def picture(model: CMDP) -> Picture | None:
    """The model drawn, or None if it has more than `LARGEST` states."""
    if model.n_states > LARGEST:
        return None
    pairs = rows(model)
    margin = max(_MARGIN, *(len(_numbers(row)) * _LETTER + 14 for row in pairs))
    places = {
        name: (x + margin, y + _MARGIN) for name, (x, y) in _places(model.n_states, pairs).items()
    }
    across, down = zip(*places.values(), strict=True)
    taken = [_square(at, _RADIUS if name[0] == "s" else _DOT) for name, at in places.items()]
    arrows = tuple(_arrows(pairs, places, taken))
    taken += [_square(point, _HALF) for arrow in arrows for point in arrow.points]
    return Picture(
        width=max(across) + margin,
        height=max(down) + _MARGIN,
        nodes=tuple(_nodes(model, places)),
        dots=tuple(places[f"a{k}"] for k in range(len(pairs))),
        labels=tuple(_label(row, k, places, taken) for k, row in enumerate(pairs)),
        arrows=arrows,
    )


def _nodes(model: CMDP, places: Mapping[str, Point]) -> Iterator[Node]:
    for state, p in enumerate(model.initial_vector().fractions()):
        yield Node(str(state), places[f"s{state}"], brief(format_rational(p), 5) if p else "")


def _places(n_states: int, pairs: Sequence[Row]) -> dict[str, Point]:
    """Points for states ``s0, ...`` and dots ``a0, ...``, apart from each other."""
    import networkx

    graph = _joined(n_states, pairs)
    start = _start(n_states, pairs)
    placed: dict[str, Point] = {}
    offset = 0.0
    for part in map(sorted, networkx.connected_components(graph)):
        block = _laid_out(graph.subgraph(part), part, start)
        block[:, 0] += offset - block[:, 0].min()
        offset = float(block[:, 0].max()) + _SPACING * 2
        placed |= {name: (float(x), float(y)) for name, (x, y) in zip(part, block, strict=True)}
    top = min(y for _, y in placed.values())
    return {name: (x, y - top) for name, (x, y) in placed.items()}


def _laid_out(piece: Any, names: Sequence[str], start: Mapping[str, Point]) -> Any:
    """Points of what hangs together, in the order of the names."""
    import networkx
    import numpy as np

    begin = {name: start[name] for name in names}
    layout = networkx.kamada_kawai_layout(piece, dist=_distances(piece), pos=begin)
    return _upright(np.array([layout[name] for name in names]))


def _joined(n_states: int, pairs: Sequence[Row]) -> Any:
    """The undirected graph of states and dots."""
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(f"s{s}" for s in range(n_states))
    for k, row in enumerate(pairs):
        graph.add_edge(f"s{row.state}", f"a{k}")
        graph.add_edges_from((f"a{k}", f"s{t}") for t in row.targets)
    return graph


def _start(n_states: int, pairs: Sequence[Row]) -> dict[str, Point]:
    """Where the layout begins: states on a circle, dots between the states they join."""
    start = {f"s{s}": _around(2 * math.pi * s / n_states, 2) for s in range(n_states)}
    for k, row in enumerate(pairs):
        joined = [start[f"s{s}"] for s in (row.state, row.state, *row.targets)]
        x, y = (sum(axis) / len(joined) for axis in zip(*joined, strict=True))
        dx, dy = _around(2.4 * k + 0.3, 0.7)
        start[f"a{k}"] = (x + dx, y + dy)
    return start


def _around(angle: float, radius: float) -> Point:
    return radius * math.cos(angle), radius * math.sin(angle)


def _distances(graph: Any) -> dict[str, dict[str, float]]:
    """Ideal distances: as many steps as in the graph, states farther apart, dots closer."""
    import networkx

    factors = {("s", "s"): 1.5, ("a", "a"): 0.6}
    return {
        one: {other: steps * factors.get((one[0], other[0]), 1.0) for other, steps in row.items()}
        for one, row in networkx.all_pairs_shortest_path_length(graph)
    }


def _upright(points: Any) -> Any:
    """Turned so that the long axis is horizontal, and scaled until all are apart."""
    import numpy as np

    centred = points - points.mean(axis=0)
    if len(points) > 1:
        _, _, axes = np.linalg.svd(centred)
        centred = centred @ (axes * np.where(axes[:, :1] < 0, -1, 1)).T
        gaps = np.linalg.norm(centred[:, None] - centred[None], axis=2)
        gaps = np.sort(gaps[np.triu_indices(len(points), 1)])
        near = float(np.mean(gaps[: len(points)]))
        centred *= max(_SPACING / near, min(_CLOSEST / max(float(gaps[0]), 1e-9), 160 / near))
    return centred


def _arrows(pairs: Sequence[Row], places: Mapping[str, Point], taken: list[Box]) -> Iterator[Arrow]:
    for k, row in enumerate(pairs):
        state, dot = places[f"s{row.state}"], places[f"a{k}"]
        yield _curve(state, dot, 0.0, (_RADIUS, _DOT), None, taken)
        for successor, probability in row.successors:
            bend = 0.5 if successor == row.state else 0.08
            text = brief(probability, 7) if len(row.successors) > 1 else ""
            yield _curve(dot, places[f"s{successor}"], bend, (_DOT, _RADIUS + 5), text, taken)


def _curve(
    start: Point,
    end: Point,
    bend: float,
    trim: tuple[float, float],
    text: str | None,
    taken: list[Box],
) -> Arrow:
    """A quadratic curve whose middle is off the straight line by half of `bend` lengths.

    trim: left free at both ends; text: None for the line from a state to its dot; taken: where
    other things are, to which the text is added.
    """
    (x0, y0), (x1, y1) = start, end
    cx, cy = (x0 + x1) / 2 - bend * (y1 - y0), (y0 + y1) / 2 + bend * (x1 - x0)
    x0, y0 = _towards((x0, y0), (cx, cy), trim[0])
    x1, y1 = _towards((x1, y1), (cx, cy), trim[1])
    path = f"M{x0:.1f} {y0:.1f}Q{cx:.1f} {cy:.1f} {x1:.1f} {y1:.1f}"

    def point(t: float) -> Point:
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        return a * x0 + b * cx + c * x1, a * y0 + b * cy + c * y1

    at = point(_ALONG[0])
    if text:
        boxes = {point(t): _text_box((text,), point(t), "middle") for t in _ALONG}
        at = min(boxes, key=lambda one: _overlap(boxes[one], taken))
        taken.append(boxes[at])
    points = tuple(point(k / 10) for k in range(1, 10))
    return Arrow(path, text or "", at, text is not None, points)


def _towards(point: Point, target: Point, length: float) -> Point:
    dx, dy = target[0] - point[0], target[1] - point[1]
    norm = math.hypot(dx, dy) or 1.0
    return point[0] + length * dx / norm, point[1] + length * dy / norm


def _label(row: Row, k: int, places: Mapping[str, Point], taken: list[Box]) -> Label:
    """The label beside a dot, clear of its lines and of what is taken, to which it is added."""
    x, y = places[f"a{k}"]
    ends = [places[f"s{s}"] for s in {row.state, *row.targets}]
    lines_at = [math.atan2(b - y, a - x) for a, b in ends]
    if len(lines_at) == 1:  # a loop: the way back bends to one side
        lines_at.append(lines_at[0] - 0.7)
    lines = (f"action {row.action}", _numbers(row))

    def label(angle: float) -> tuple[Label, Box]:
        dx, dy = _around(angle, 1)
        at, anchor = (x + 9 * dx, y - 3 + 15 * dy), _anchor(dx)
        return Label(lines, at, anchor), _text_box(lines, at, anchor)

    def cost(angle: float) -> float:
        return _overlap(label(angle)[1], taken) - _ROOM * _room(angle, lines_at)

    found, box = label(min((k * math.pi / 8 for k in range(16)), key=cost))
    taken.append(box)
    return found


def _square(at: Point, half: float) -> Box:
    return at[0] - half, at[1] - half, at[0] + half, at[1] + half


def _text_box(lines: Sequence[str], at: Point, anchor: str) -> Box:
    """What lines of text cover whose first one stands at a point."""
    wide = max(map(len, lines)) * _LETTER
    left = at[0] - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
    return left, at[1] - _TALL, left + wide, at[1] + _TALL * (len(lines) - 1) + _HALF


def _overlap(box: Box, taken: Sequence[Box]) -> float:
    """Square pixels of a box that others cover."""
    return sum(
        max(min(box[2], one[2]) - max(box[0], one[0]), 0.0)
        * max(min(box[3], one[3]) - max(box[1], one[1]), 0.0)
        for one in taken
    )


def _anchor(dx: float) -> str:
    """Which end of a text is at the dot that it stands beside, dx to the right of it."""
    if abs(dx) <= 0.3:
        return "middle"
    return "start" if dx > 0 else "end"


def _numbers(row: Row) -> str:
    named = zip(cost_names(len(row.costs)), row.costs, strict=True)
    costs = [f"c{name} {brief(cost)}" for name, cost in named]
    return ", ".join([f"r {brief(row.reward)}", *costs])


def cost_names(number: int) -> list[str]:
    """Numbers to tell the costs apart; a single one needs none."""
    return [""] if number == 1 else [str(i) for i in range(number)]


def _room(angle: float, taken: Sequence[float]) -> float:
    """The least angle to a line, a little less for directions in which text is clumsy."""
    gaps = [abs((angle - other + math.pi) % (2 * math.pi) - math.pi) for other in taken]
    return min(gaps) + 0.05 * abs(math.sin(angle))
