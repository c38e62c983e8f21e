"""Exact models from gymnasium environments that expose their transition table.

Two layouts are understood: ``env.unwrapped.P[s][a] = [(probability, s', reward, done), ...]``
(FrozenLake, CliffWalking, Taxi) and the dense matrices of ICU-Sepsis.

A state that an episode ends in stays a state: it is entered, and its only choice leads to one added
absorbing state, without reward or cost.  What the table lists from there on is never taken, so no
reward is collected twice.  A state in which an episode can end and that can also be passed through
becomes two; the second one comes after the states of the table, and both carry the label that is
the number of the first.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from fractions import Fraction
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

from ..errors import ModelError
from ..exact import Array, Rational
from ..sequences import as_array, available_actions, listed, listed_or_none
from .arrays import assemble
from .cmdp import CMDP
from .gymnasium_tables import Row, Table, plain, transition_table
from .rows import RowReader

#: f(s, a, s') or f(s, a, s', r); an array [S] or [S, A]; or a set of states.
Cost: TypeAlias = Callable[..., Any] | Set[int] | Any

_SHOWN = 12
"""States that a note names before it says how many more there are."""


def from_gymnasium(
    env: Any,
    *,
    costs: Sequence[Cost] | None = (),
    budgets: Sequence[Rational] | None = (),
    discount: Rational | float,
    initial: Sequence[Rational] | None = None,
    reward: Callable[..., Any] | None = None,
    available: Any = None,
    limit_denominator: int | None = None,
    make_kwargs: Mapping[str, Any] | None = None,
) -> CMDP:
    """The exact model of a tabular gymnasium environment.

    Args:
        env: an environment, or its id ("FrozenLake-v1", "Sepsis/ICU-Sepsis-v2").
        costs: m costs; each is a set of states, charging one whenever a transition arrives in the
            set; a function f(s, a, s') or f(s, a, s', r) -> number, whose expectation is charged;
            an array [S] or [S, A], charged at every decision in the state.  An episode that ends
            in a state leaves it no decision: the array's entry is then charged on arrival.
        budgets: m bounds on the UN-normalised expected costs; discount: gamma in [0, 1).
        initial: one probability for each state of the environment; default the environment's own
            law, or uniform when it has none.
        reward: a function like a cost that replaces the environment's reward.
        available: [S, A] truth values restricting the actions; default all.
        limit_denominator: replace floats by the nearest rationals with at most this denominator
            (recorded in the notes); default take them as the exact dyadic rationals they are and
            re-normalise rows exactly.
        make_kwargs: options for ``gymnasium.make`` when ``env`` is an id.

    Raises ModelError when there is no table, an id is unknown, or data are not valid.
    """
    costs, budgets = listed_or_none(costs, "costs"), listed_or_none(budgets, "budgets")
    if len(costs) != len(budgets):
        raise ModelError(
            f"{len(costs)} cost(s) and {len(budgets)} budget(s) given; give one budget a cost"
        )
    table, notes = transition_table(env, make_kwargs)
    reader = RowReader(limit_denominator)
    law, law_note = _initial(table, reader, initial)
    builder = _Builder(table, reader, _kept(table, available), law)
    functions = [builder.expected(reward if reward is not None else _own_reward, "reward")]
    functions += [builder.expected(cost, f"costs[{i}]") for i, cost in enumerate(costs)]
    model = assemble(
        counts=builder.counts,
        actions=builder.actions,
        rows=builder.merged,
        reward=functions[0],
        costs=functions[1:],
        budgets=budgets,
        discount=discount,
        initial=[*law, *[0] * (len(builder.counts) - table.n_states)],
        notes=(f"gymnasium environment {table.name}", *notes, *law_note, *builder.notes()),
    )  # fmt: skip
    return model.with_labels(**{str(t): (t, copy) for t, copy in builder.copies.items()})


def _kept(table: Table, available: Any) -> list[Row]:
    mask = available_actions(available, (table.n_states, table.width), table.name)
    return [row for row in table.rows if mask[row.state, row.action]]


def _initial(
    table: Table, reader: RowReader, given: Sequence[Rational] | None
) -> tuple[list[int], tuple[str, ...]]:
    law: Sequence[object] | None = given if given is not None else table.initial
    if law is None:
        return [1] * table.n_states, ("uniform initial law (the environment has none)",)
    law = listed(law, "initial")
    if len(law) != table.n_states:
        raise ModelError(
            f"initial has {len(law)} entries; {table.name} has {table.n_states} states"
        )
    return reader.weights(law, "initial"), ()


# -- building --------------------------------------------------------------------------------------
class _Builder:
    """Exact choices of a table.

    ``ends`` are the states that an episode can end in; ``passed`` those that it can be in before
    its end; ``copies`` numbers the second copy of those that are both; the absorbing state, when
    there are ends, is the last.
    """

    def __init__(
        self, table: Table, reader: RowReader, rows: list[Row], law: Sequence[int]
    ) -> None:
        self.table, self.reader = table, reader
        weighed = self._weighed(rows)
        self.passed, self.entered = _visited(weighed, law)
        self.ends = {t for pair in weighed for t, _, done in _taken(*pair) if done}
        both = sorted(self.ends & self.passed)
        self.copies = {t: table.n_states + i for i, t in enumerate(both)}
        self.rows = [pair for pair in weighed if not self._only_end(pair[0].state)]
        self.absorbing = table.n_states + len(both)
        self.remarks: list[str] = []
        self._build()

    def _weighed(self, rows: Sequence[Row]) -> list[tuple[Row, list[int]]]:
        """The rows with their weights, read once for rows of the same probabilities."""
        reader = self.reader
        known: dict[tuple[Any, ...], tuple[list[int], int]] = {}
        weighed = []
        for row in rows:
            key = tuple(row.probabilities)
            if key in known:
                reader.vanished += known[key][1]
            else:
                before = reader.vanished
                where = f"the row of (state {row.state}, action {row.action}) of {self.table.name}"
                known[key] = reader.weights(row.probabilities, where), reader.vanished - before
            weighed.append((row, known[key][0]))
        return weighed

    def _only_end(self, state: int) -> bool:
        return state in self.ends and state not in self.passed

    def _build(self) -> None:
        self.actions: list[int] = []
        self.merged: list[dict[int, int]] = []  # successors and weights of each choice
        self.counts: list[int] = []
        self.places: list[int | None] = []  # the row of each choice, None for those that are added
        own: list[list[int]] = [[] for _ in range(self.table.n_states)]
        for i, (row, _) in enumerate(self.rows):
            own[row.state].append(i)
        for state in range(self.absorbing + bool(self.ends)):
            rows = own[state] if state < self.table.n_states else []
            added = state >= self.table.n_states or self._only_end(state)
            self.counts.append(1 if added else len(rows))
            for i in rows:
                self._choice(i, self.rows[i][0].action, self._merged(*self.rows[i]))
            if added:
                self._choice(None, 0, {self.absorbing: 1})

    def _merged(self, row: Row, weights: list[int]) -> dict[int, int]:
        merged: dict[int, int] = {}
        for t, weight, done in _taken(row, weights):
            target = self.copies.get(t, t) if done else t
            merged[target] = merged.get(target, 0) + weight
        return merged

    def _choice(self, place: int | None, action: int, merged: dict[int, int]) -> None:
        self.places.append(place)
        self.actions.append(action)
        self.merged.append(merged)

    # -- functions of a transition -------------------------------------------------------------
    def expected(self, function: Cost, name: str) -> list[Fraction]:
        """The exact expectation of a cost at every choice, zero at those that are added."""
        evaluate = self._evaluator(function, name)
        found = [self._mean(name, row, weights, evaluate(row)) for row, weights in self.rows]
        return [Fraction(0) if place is None else found[place] for place in self.places]

    def _mean(
        self, name: str, row: Row, weights: list[int], values: tuple[object, Sequence[object]]
    ) -> Fraction:
        """What the decision costs, and the mean of what its transitions cost."""
        decision, arrivals = values
        total = sum(
            (self._number(v, name, row) * w for v, w in zip(arrivals, weights, strict=True) if w),
            Fraction(0),
        )
        return self._number(decision, name, row) + total / sum(weights)

    def _number(self, value: object, name: str, row: Row) -> Fraction:
        value = plain(value)
        if type(value) in (int, bool):
            return Fraction(int(value))  # type: ignore[call-overload]
        return self.reader.number(value, f"{name} at (state {row.state}, action {row.action})")

    def _evaluator(
        self, function: Cost, name: str
    ) -> Callable[[Row], tuple[object, Sequence[object]]]:
        """A function of the row: the value of the decision and those of its transitions."""
        if isinstance(function, Set):
            self._check_states(function, name)
            return lambda row: (0, [t in function for t in row.successors])
        if callable(function):
            return _called(function, name)
        return self._looked_up(as_array(function, name), name)

    def _looked_up(
        self, array: Array, name: str
    ) -> Callable[[Row], tuple[object, Sequence[object]]]:
        size, width = self.table.n_states, self.table.width
        if array.shape not in ((size,), (size, width)):
            raise ModelError(
                f"{name} has shape {array.shape}; give [{size}], [{size}, {width}], a function "
                "f(s, a, s') or a set of states"
            )
        final = {t: _final(array, t, name) for t in self.ends}
        charged = {s for s in range(size) if np.any(array[s] != 0)}
        self._note_idle(charged, name, self.passed | self.entered)
        if early := sorted(charged & self.ends):
            self.remarks.append(
                f"{name} is an array, charged at the decision in a state; an episode that ends in "
                f"{_listed(early)} leaves no decision there, so it is charged on arrival, one "
                "step earlier by the discount"
            )
        return lambda row: (
            array[row.state] if array.ndim == 1 else array[row.state, row.action],
            [final[t] if done else 0 for t, done in zip(row.successors, row.done, strict=True)],
        )

    def _check_states(self, states: Set[int], name: str) -> None:
        size = self.table.n_states
        for state in states:
            if type(plain(state)) is not int or not 0 <= state < size:
                raise ModelError(
                    f"{name} names state {state!r}; {self.table.name} has states 0 .. {size - 1}"
                )
        self._note_idle(states, name, self.entered)

    # -- what was done -------------------------------------------------------------------------
    def _note_idle(self, states: Set[int], name: str, reached: Set[int]) -> None:
        if idle := sorted(states - reached):
            self.remarks.append(
                f"no policy can reach {_listed(idle)}, where {name} charges: it never does there"
            )

    def notes(self) -> Iterator[str]:
        """What was done to the table, and what has no effect."""
        if self.ends:
            yield (
                f"episodes end in {_listed(sorted(self.ends))}: each is entered (a reward or "
                f"cost given to it is charged on arrival), then left for the added absorbing state "
                f"{self.absorbing}, which is free"
            )
        if self.copies:
            pairs = ", ".join(f"{t} as {copy}" for t, copy in self.copies.items())
            yield f"states that can also be passed through have a second copy for the end: {pairs}"
        yield from self.remarks
        if self.reader.limit_denominator is None:
            yield "floats were taken as the exact dyadic rationals they are"
        yield from self.reader.notes()


def _visited(
    rows: Sequence[tuple[Row, list[int]]], law: Sequence[int]
) -> tuple[set[int], set[int]]:
    """The states that some policy can be in before the end, and those that it can arrive in."""
    own: dict[int, list[tuple[Row, list[int]]]] = {}
    for pair in rows:
        own.setdefault(pair[0].state, []).append(pair)
    waiting = [state for state, weight in enumerate(law) if weight]
    passed, entered = set(waiting), set[int]()
    while waiting:
        for row, weights in own.get(waiting.pop(), ()):
            for t, _, done in _taken(row, weights):
                entered.add(t)
                if not done and t not in passed:
                    passed.add(t)
                    waiting.append(t)
    return passed, entered


def _taken(row: Row, weights: Sequence[int]) -> Iterator[tuple[int, int, bool]]:
    """The successors of positive weight, each with it and whether the episode ends there."""
    return filter(itemgetter(1), zip(row.successors, weights, row.done, strict=True))


def _listed(states: Sequence[int]) -> str:
    shown = ", ".join(map(str, states[:_SHOWN]))
    more = f" and {len(states) - _SHOWN} more" if len(states) > _SHOWN else ""
    return f"state{'s' * (len(states) > 1)} {shown}{more}"


def _own_reward(_state: int, _action: int, _next: int, reward: float) -> float:
    return reward


def _final(array: Array, state: int, name: str) -> object:
    """What an array charges for arriving in a state where the episode ends."""
    if array.ndim == 1:
        return array[state]
    if not (array[state] == array[state, 0]).all():
        raise ModelError(
            f"{name} differs between the actions of state {state}, where episodes end and no "
            "action is taken; give that state one value, or a function f(s, a, s')"
        )
    return array[state, 0]


def _called(
    function: Callable[..., Any], name: str
) -> Callable[[Row], tuple[object, Sequence[object]]]:
    needed = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) not in (3, 4):
        raise ModelError(
            f"{name} takes {len(needed)} arguments; it must take (s, a, s') or (s, a, s', r)"
        )

    def evaluate(row: Row) -> tuple[object, Sequence[object]]:
        try:
            return 0, [
                function(row.state, row.action, t, r)
                if len(needed) == 4
                else function(row.state, row.action, t)
                for t, r in zip(row.successors, row.rewards, strict=True)
            ]
        except Exception as problem:
            raise ModelError(
                f"{name} at (state {row.state}, action {row.action}) raised "
                f"{type(problem).__name__}: {problem}"
            ) from problem

    return evaluate
