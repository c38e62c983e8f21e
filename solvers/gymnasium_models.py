"""Exact models from gymnasium environments that expose their transition table.

Two layouts are understood: ``env.unwrapped.P[s][a] = [(probability, s', reward, done), ...]``
(FrozenLake, CliffWalking, Taxi) and the dense matrices of ICU-Sepsis.  Transitions marked done lead
to one added absorbing state without reward or cost, so that no reward is collected twice.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from .cmdp import CMDP, ModelError
from .exact import Rational
from .exact_rows import RowReader
from .model_io import assemble

#: f(s, a, s') or f(s, a, s', r); an array [S] or [S, A]; or a set of states.
Cost: TypeAlias = Callable[..., Any] | Set[int] | Any


@dataclass(frozen=True, slots=True)
class Row:
    """The transitions of one choice, as the environment lists them."""

    state: int
    action: int
    probabilities: Sequence[float]
    successors: Sequence[int]
    rewards: Sequence[float]
    done: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Table:
    """A transition table: rows sorted by state, the initial law if the environment has one."""

    name: str
    n_states: int
    rows: Sequence[Row]
    initial: Sequence[float] | None


def from_gymnasium(
    env: Any,
    *,
    costs: Sequence[Cost] = (),
    budgets: Sequence[Rational] = (),
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
        costs: m costs; each is a function f(s, a, s') or f(s, a, s', r) -> number, whose
            expectation is charged; an array [S], charged at every decision in the state; an array
            [S, A]; or a set of states, charging one whenever a transition arrives in the set.
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
    if len(costs) != len(budgets):
        raise ModelError(
            f"{len(costs)} cost(s) and {len(budgets)} budget(s) given; give one budget a cost"
        )
    table, notes = transition_table(env, make_kwargs)
    reader = RowReader(limit_denominator)
    builder = _Builder(table, reader, _kept(table, available))
    functions = [builder.expected(reward if reward is not None else _own_reward, "reward")]
    functions += [builder.expected(cost, f"costs[{i}]") for i, cost in enumerate(costs)]
    law, law_note = _initial(table, reader, initial)
    return assemble(
        counts=builder.counts,
        actions=builder.actions,
        indptr=builder.indptr,
        successors=builder.successors,
        weights=builder.weights,
        reward=functions[0],
        costs=functions[1:],
        budgets=budgets,
        discount=discount,
        initial=[*law, 0] if builder.terminal else law,
        notes=(
            f"gymnasium environment {table.name}",
            *notes,
            *law_note,
            *_treatment(builder.terminal, table.n_states, limit_denominator),
            *reader.notes(),
        ),
    )


def _treatment(terminal: bool, n_states: int, limit: int | None) -> list[str]:
    """What was done to the table, for the notes."""
    notes = []
    if terminal:
        notes.append(
            f"transitions marked done lead to an added absorbing state, numbered {n_states}"
        )
    if limit is None:
        notes.append("floats were taken as the exact dyadic rationals they are")
    return notes


# -- reading environments --------------------------------------------------------------------------
def transition_table(
    env: Any, make_kwargs: Mapping[str, Any] | None = None
) -> tuple[Table, tuple[str, ...]]:
    """The table of an environment (or id), with notes; raises ModelError when it exposes none."""
    notes: tuple[str, ...] = ()
    if isinstance(env, str):
        env, notes = make_environment(env, make_kwargs or {})
    raw = env.unwrapped
    name = raw.spec.id if getattr(raw, "spec", None) is not None else type(raw).__name__
    if isinstance(getattr(raw, "P", None), Mapping):
        return _listed_table(name, raw), notes
    if hasattr(raw, "_tx_mat"):
        return _dense_table(name, raw._tx_mat, raw._r_mat, raw._d_0), notes
    raise ModelError(
        f"environment {name} exposes no transition table (neither P[s][a] nor "
        "transition matrices); only tabular environments have an exact model"
    )


def make_environment(
    identifier: str, make_kwargs: Mapping[str, Any]
) -> tuple[Any, tuple[str, ...]]:
    """``gymnasium.make``; an unregistered version falls back to a registered one, with a note."""
    import gymnasium

    if identifier.startswith("Sepsis/"):
        _import_sepsis()
    used = identifier
    if identifier not in gymnasium.registry:
        stem = re.sub(r"-v\d+$", "", identifier)
        others = sorted(
            (key for key in gymnasium.registry if re.sub(r"-v\d+$", "", key) == stem),
            key=lambda key: int(key.rsplit("-v", 1)[1]),
        )
        if not others:
            raise ModelError(
                f"gymnasium knows no environment {identifier!r}; check the id, or "
                "import the package that registers it first"
            )
        used = others[-1]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            env = gymnasium.make(used, **make_kwargs)
    except (gymnasium.error.Error, TypeError) as problem:
        raise ModelError(
            f"gymnasium cannot make {used!r} with {dict(make_kwargs)}: {problem}"
        ) from problem
    return env, () if used == identifier else (f"{identifier} is not registered; {used} was used",)


def _import_sepsis() -> None:
    """Register ICU-Sepsis; its dependency prints a deprecation notice, which is swallowed."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import icu_sepsis
        except ImportError as problem:
            raise ModelError(
                "environment Sepsis/ICU-Sepsis needs the package icu-sepsis; install "
                "it with pip install icu-sepsis"
            ) from problem
        del icu_sepsis


def _listed_table(name: str, raw: Any) -> Table:
    states = sorted(raw.P)
    if states != list(range(len(states))):
        raise ModelError(
            f"environment {name} numbers its states {states[:5]} ...; they must be 0 .. S-1"
        )
    rows = []
    for s in states:
        for a in sorted(raw.P[s]):
            entries = raw.P[s][a]
            rows.append(
                Row(
                    s,
                    int(a),
                    [float(e[0]) for e in entries],
                    [int(e[1]) for e in entries],
                    [e[2] for e in entries],
                    [bool(e[3]) for e in entries],
                )
            )
    law = getattr(raw, "initial_state_distrib", None)
    return Table(name, len(states), rows, None if law is None else np.asarray(law).tolist())


def _dense_table(name: str, transitions: Any, rewards: Any, law: Any) -> Table:
    size, width = transitions.shape[:2]
    rows = []
    for s in range(size):
        for a in range(width):
            hits = np.flatnonzero(transitions[s, a])
            rows.append(
                Row(
                    s,
                    a,
                    transitions[s, a, hits].tolist(),
                    hits.tolist(),
                    rewards[s, a, hits].tolist(),
                    [False] * len(hits),
                )
            )
    return Table(name, size, rows, law.tolist())


def _kept(table: Table, available: Any) -> list[Row]:
    if available is None:
        return list(table.rows)
    mask = np.asarray(available, dtype=bool)
    width = 1 + max(row.action for row in table.rows)
    if mask.shape != (table.n_states, width):
        raise ModelError(
            f"available has shape {mask.shape}; {table.name} needs ({table.n_states}, {width})"
        )
    return [row for row in table.rows if mask[row.state, row.action]]


def _initial(
    table: Table, reader: RowReader, given: Sequence[Rational] | None
) -> tuple[list[int], tuple[str, ...]]:
    law: Sequence[object] | None = given if given is not None else table.initial
    if law is None:
        return [1] * table.n_states, ("uniform initial law (the environment has none)",)
    if len(law) != table.n_states:
        raise ModelError(
            f"initial has {len(law)} entries; {table.name} has {table.n_states} states"
        )
    values = [float(v) if isinstance(v, np.floating) else v for v in law]
    return reader.weights(values, "initial"), ()


# -- building --------------------------------------------------------------------------------------
class _Builder:
    """Exact choices of a table; the added absorbing state, if any, is numbered n_states."""

    def __init__(self, table: Table, reader: RowReader, rows: list[Row]) -> None:
        self.table, self.reader, self.rows = table, reader, rows
        self.terminal = any(any(row.done) for row in rows)
        self.raw_weights: list[list[int]] = []
        self.actions: list[int] = []
        self.indptr, self.successors, self.weights = [0], list[int](), list[int]()
        self.counts = [0] * table.n_states
        known: dict[tuple[float, ...], list[int]] = {}
        for row in rows:
            key = tuple(row.probabilities)
            if key not in known:
                known[key] = reader.weights(row.probabilities, self._where(row))
            self._add(row, known[key])
        if self.terminal:
            self.counts.append(1)
            self._choice(0, {table.n_states: 1})

    def _where(self, row: Row) -> str:
        return f"the row of (state {row.state}, action {row.action}) of {self.table.name}"

    def _add(self, row: Row, weights: list[int]) -> None:
        merged: dict[int, int] = {}
        for t, weight, done in zip(row.successors, weights, row.done, strict=True):
            target = self.table.n_states if done else t
            if weight:
                merged[target] = merged.get(target, 0) + weight
        self.raw_weights.append(weights)
        self.counts[row.state] += 1
        self._choice(row.action, merged)

    def _choice(self, action: int, merged: Mapping[int, int]) -> None:
        self.actions.append(action)
        self.successors += merged
        self.weights += merged.values()
        self.indptr.append(len(self.successors))

    def expected(self, function: Cost, name: str) -> list[Fraction]:
        """The exact expectation of a cost at every choice, zero at the added absorbing state."""
        evaluate = _transition_function(function, name, self.rows, self.table)
        values = []
        for row, weights in zip(self.rows, self.raw_weights, strict=True):
            parts = evaluate(row)
            total = sum(
                (
                    self._number(v, name, row) * w
                    for v, w in zip(parts, weights, strict=True)
                    if w and v
                ),
                Fraction(0),
            )
            values.append(total / sum(weights))
        return values + [Fraction(0)] * self.terminal

    def _number(self, value: object, name: str, row: Row) -> Fraction:
        if type(value) in (int, bool):
            return Fraction(int(value))  # type: ignore[call-overload]
        plain = float(value) if isinstance(value, np.floating) else value
        return self.reader.number(plain, f"{name} at (state {row.state}, action {row.action})")


def _own_reward(_state: int, _action: int, _next: int, reward: float) -> float:
    return reward


def _transition_function(
    function: Cost, name: str, rows: Sequence[Row], table: Table
) -> Callable[[Row], Iterable[object]]:
    """A function of the row giving one value for each listed transition."""
    if isinstance(function, Set):
        outside = [s for s in function if not 0 <= s < table.n_states]
        if outside:
            raise ModelError(
                f"{name} names state {outside[0]}; {table.name} has states 0 .. "
                f"{table.n_states - 1}"
            )
        return lambda row: [t in function for t in row.successors]
    if callable(function):
        return _called(function, name)
    array = np.asarray(function)
    width = 1 + max(row.action for row in rows)
    if array.ndim == 1 and len(array) == table.n_states:
        return lambda row: [array[row.state]] * len(row.successors)
    if array.ndim == 2 and array.shape[0] == table.n_states and array.shape[1] >= width:
        return lambda row: [array[row.state, row.action]] * len(row.successors)
    raise ModelError(
        f"{name} has shape {array.shape}; give [{table.n_states}], "
        f"[{table.n_states}, {width}], a function f(s, a, s') or a set of states"
    )


def _called(function: Callable[..., Any], name: str) -> Callable[[Row], Iterable[object]]:
    count = len(inspect.signature(function).parameters)
    if count == 3:
        return lambda row: [function(row.state, row.action, t) for t in row.successors]
    if count == 4:
        return lambda row: [
            function(row.state, row.action, t, r)
            for t, r in zip(row.successors, row.rewards, strict=True)
        ]
    raise ModelError(f"{name} takes {count} arguments; it must take (s, a, s') or (s, a, s', r)")
