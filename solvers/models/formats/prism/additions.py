"""What PRISM cannot say, said with added states: a discount, and an unequal initial law::

    sink          every choice leads to it with probability 1 - gamma, all else times gamma, so a
                  total reward in the file is the discounted one in the model
    initial_law   the only initial state, whose one choice draws the state the model starts in

The sink comes after the states of the model and initial_law last; neither earns anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, pairwise, starmap

from ....errors import ModelError
from ...cmdp import CMDP
from .lines import SINK, START


@dataclass(frozen=True, slots=True)
class Parts:
    """A model as the files hold it, with S states.

    ``rows[s][k]`` is the law of the successor, ``functions[f][s][k]`` the objective and the costs,
    ``initial`` S weights, ``labels`` the states of each label, ``name`` what errors call it.
    """

    rows: list[list[dict[int, Fraction]]]
    functions: list[list[list[Fraction]]]
    initial: list[Fraction]
    labels: Mapping[str, tuple[int, ...]]
    name: str

    @classmethod
    def of(cls, model: CMDP, name: str) -> Parts:
        """The parts of a model."""
        spans = list(starmap(range, pairwise(model.choice_start.tolist())))
        vectors = [model.reward_vector(), *map(model.cost_vector, range(model.n_constraints))]
        return cls(
            [[dict(model.transition_row(k)) for k in span] for span in spans],
            [[[vector[k] for k in span] for span in spans] for vector in vectors],
            list(model.initial_vector().fractions()),
            dict(model.labels),
            name,
        )

    @property
    def size(self) -> int:
        """S."""
        return len(self.rows)

    @property
    def flat_rows(self) -> list[dict[int, Fraction]]:
        """The laws of all choices, state by state."""
        return list(chain.from_iterable(self.rows))

    def with_state(self, row: dict[int, Fraction], label: str, start: Fraction) -> Parts:
        """One more state, with one choice that earns nothing."""
        return replace(
            self,
            rows=[*self.rows, [row]],
            functions=[[*values, [Fraction(0)]] for values in self.functions],
            initial=[*self.initial, start],
            labels={**self.labels, label: (self.size,)},
        )

    def without_last(self, label: str) -> Parts:
        """The last state removed, with its label; raises ModelError when it earns something."""
        if any(any(values[-1]) for values in self.functions):
            raise ModelError(f"{self.name}: the state labelled {label} must earn and cost nothing")
        last = self.size - 1
        return replace(
            self,
            rows=self.rows[:-1],
            functions=[values[:-1] for values in self.functions],
            initial=self.initial[:-1],
            labels={
                name: tuple(s for s in states if s != last)
                for name, states in self.labels.items()
                if name != label
            },
        )


def add_sink(parts: Parts, discount: Fraction) -> Parts:
    """The discount as termination; raises ModelError for a discount of 1, which needs none."""
    if discount == 1:
        raise ModelError("the discount is 1, so there is nothing to turn into termination")
    _check_unused(parts, SINK)
    sink = parts.size
    leak = {sink: 1 - discount}
    rows = [
        [{t: discount * p for t, p in row.items() if discount} | leak for row in choices]
        for choices in parts.rows
    ]
    return replace(parts, rows=rows).with_state({sink: Fraction(1)}, SINK, Fraction(0))


def add_start(parts: Parts) -> Parts:
    """A single initial state that draws from the initial law; that step is not discounted."""
    _check_unused(parts, START)
    law = {s: p for s, p in enumerate(parts.initial) if p}
    silent = replace(parts, initial=[Fraction(0)] * parts.size)
    return silent.with_state(law, START, Fraction(1))


def remove_sink(parts: Parts) -> tuple[Parts, Fraction]:
    """Undo ``add_sink``: the model without its sink, and the discount that it stood for."""
    sink = parts.size - 1
    discount = 1 - _leak(parts, sink)
    if not 0 < discount < 1 or parts.initial[sink]:
        raise ModelError(
            f"{parts.name}: the sink stands for a discount of {discount}; the model can be read "
            "back for one between 0 and 1, else give the discount"
        )
    rows = [
        [{t: p / discount for t, p in row.items() if t != sink} for row in choices]
        for choices in parts.rows
    ]
    return replace(parts, rows=rows).without_last(SINK), discount


def _leak(parts: Parts, sink: int) -> Fraction:
    """The one probability with which every choice leads to the sink."""
    leaks = {row.get(sink, Fraction(0)) for row in parts.flat_rows[:-1]}
    if parts.labels.get(SINK) != (sink,) or parts.rows[sink] != [{sink: 1}] or len(leaks) != 1:
        raise ModelError(
            f"{parts.name} holds no discount (a last state labelled {SINK} that every choice "
            "reaches with the same probability); give one, PRISM's files know none"
        )
    return leaks.pop()


def remove_start(parts: Parts) -> Parts:
    """Undo ``add_start`` where there is such a state; raises ModelError when it is no such one."""
    start = parts.size - 1
    if START not in parts.labels:
        return parts
    reached = any(start in row for row in parts.flat_rows)
    alone = not any(parts.initial[:-1]) and len(parts.rows[start]) == 1
    if parts.labels[START] != (start,) or reached or not alone:
        raise ModelError(
            f"{parts.name}: {START} must label the last state only, the one initial state, with "
            "one choice and no way back to it"
        )
    law = parts.rows[start][0]
    smaller = parts.without_last(START)
    return replace(smaller, initial=[law.get(s, Fraction(0)) for s in range(start)])


def _check_unused(parts: Parts, label: str) -> None:
    if label in parts.labels:
        raise ModelError(
            f"the model has a label {label!r} of its own, which an added state needs; rename it"
        )
