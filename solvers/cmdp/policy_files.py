"""Policies in files: arrays, JSON and CSV, as other programs write and read them.

::

    .npy   [S, A] probabilities by state and action label, or whole numbers [S], an action a state
    .json  {"format": "holdfast-policy/1", "states": [{"0": "1/3", "2": "2/3"}, ...]}; read as well:
           a list of S rows of A numbers, or of S actions
    .csv   the columns state, action, probability, one row for each pair that is used

JSON and CSV keep exact fractions, an array keeps the nearest doubles.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..exact import Array, format_rational, to_fraction
from ..models.cmdp import CMDP
from ..models.formats.numpy_files import read_array
from ..strict import strict_json
from ..whole_files import whole, write_text
from .policies import Policy

FORMAT = "holdfast-policy/1"
SUFFIXES = (".npy", ".json", ".csv")
ROUNDED = Fraction(1, 10**6)
"""How far the numbers of a state may be from summing to 1: float32 misses it by 1e-7."""
_COLUMNS = ["state", "action", "probability"]


def check_policy_path(path: str | Path) -> None:
    """ModelError unless the suffix is one of ``SUFFIXES``."""
    if Path(path).suffix not in SUFFIXES:
        raise ModelError(f"{path}: a policy is kept as one of {', '.join(SUFFIXES)}")


def write_policy(policy: Policy, path: str | Path) -> None:
    """Write a policy that knows its model, whole or not at all.

    Raises ModelError for another suffix than ``SUFFIXES``, and as `Policy.table`.
    """
    check_policy_path(path)
    suffix = Path(path).suffix
    if suffix == ".npy":
        with whole(path) as unfinished, Path(unfinished).open("wb") as file:
            np.save(file, policy.table())
    elif suffix == ".json":
        write_text(path, json.dumps(policy_document(policy)))
    else:
        rows = io.StringIO()
        writer = csv.writer(rows, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for state, law in enumerate(laws(policy)):
            writer.writerows((state, action, format_rational(p)) for action, p in law.items())
        write_text(path, rows.getvalue())


def laws(policy: Policy) -> list[dict[int, Fraction]]:
    """For each state action -> probability, of the actions that are used; ModelError without a
    model."""
    return [policy[state] for state in range(policy.own_model().n_states)]


def policy_document(policy: Policy) -> dict[str, Any]:
    """The JSON document of a policy that knows its model."""
    return {
        "format": FORMAT,
        "states": [{str(a): format_rational(p) for a, p in law.items()} for law in laws(policy)],
    }


def read_policy(model: CMDP, path: str | Path) -> tuple[Policy, tuple[str, ...]]:
    """A policy for a model from a file, and what was done to its numbers.

    Probabilities of a state that sum to 1 up to ``ROUNDED`` are divided by their sum, exactly.
    Raises ModelError for a file that cannot be read or does not fit, naming state and action, and
    OSError where it cannot be opened.
    """
    check_policy_path(path)
    path = Path(path)
    if path.suffix == ".npy":
        rows = _of_array(read_array(path), path.name)
    elif path.suffix == ".json":
        rows = _of_document(strict_json(path.read_text(encoding="utf-8-sig")), path.name)
    else:
        rows = _of_table(path.read_text(encoding="utf-8-sig"), path.name, model.n_states)
    return _fitted(model, rows, path.name)


def policy_of_table(model: CMDP, table: Any) -> tuple[Policy, tuple[str, ...]]:
    """A policy from an array [S, A] of probabilities, or [S] of actions, as `read_policy`."""
    return _fitted(model, _of_array(np.asarray(table), "the table"), "the table")


def shares_of_table(model: CMDP, table: Any) -> Array:
    """float64[K], the probabilities of such an array at the choices of the model, over their sum.

    As `policy_of_table`, at the speed of arrays, and rounded.
    """
    table = np.asarray(table)
    states = np.repeat(np.arange(model.n_states), model.action_counts)
    if table.ndim == 1 and len(table) == model.n_states and table.dtype.kind in "iu":
        p = (table[states] == model.actions).astype(float)
    elif table.ndim == 2 and len(table) == model.n_states and table.dtype.kind == "f":
        inside = model.actions < table.shape[1]
        p = np.zeros(model.n_choices)
        p[inside] = table[states[inside], model.actions[inside].astype(np.int64)]
    else:
        policy, _ = policy_of_table(model, table)  # which says what is wrong
        return np.array([float(p) for p in policy.probabilities])
    sums = np.add.reduceat(p, model.choice_start[:-1])
    used = np.add.reduceat(p != 0, model.choice_start[:-1], dtype=np.int64)
    given = np.ones(len(table)) if table.ndim == 1 else np.count_nonzero(table, axis=1)
    wrong = (used != given) | ~(np.abs(sums - 1) <= float(ROUNDED))
    if wrong.any() or not (p >= 0).all():
        policy_of_table(model, table)
    return np.asarray(p / sums[states])


Laws = list[dict[int, Fraction]]


def _of_array(table: np.ndarray[Any, Any], name: str) -> Laws:
    if table.ndim == 1 and np.issubdtype(table.dtype, np.integer):
        return [{int(action): Fraction(1)} for action in table]
    if table.ndim != 2 or table.dtype.kind not in "fiub":
        raise ModelError(
            f"{name} is of shape {table.shape} and type {table.dtype}; give probabilities [S, A], "
            "or whole numbers [S], an action for each state"
        )
    if len(bad := np.argwhere(~np.isfinite(table))):
        state, action = bad[0].tolist()
        raise ModelError(f"{name} has {table[state, action]} at state {state}, action {action}")
    return [{a: Fraction(float(row[a])) for a in np.flatnonzero(row).tolist()} for row in table]


def _of_document(document: Any, name: str) -> Laws:
    rows = document
    if isinstance(document, dict):
        if document.get("format") != FORMAT or not isinstance(document.get("states"), list):
            raise ModelError(
                f'{name} is no policy: an object has "format": "{FORMAT}" and "states", a list '
                'with a law such as {"0": "1/3", "2": "2/3"} for each state'
            )
        rows = document["states"]
    if not isinstance(rows, list):
        raise ModelError(f"{name} holds {type(rows).__name__}; give a list with a row a state")
    return [_law(row, f"{name}, state {state}") for state, row in enumerate(rows)]


def _law(row: Any, where: str) -> dict[int, Fraction]:
    if type(row) is int:
        return {row: Fraction(1)}
    if isinstance(row, list):
        pairs: Sequence[tuple[Any, Any]] = list(enumerate(row))
    elif isinstance(row, dict):
        pairs = [(_action(a, where), p) for a, p in row.items()]
    else:
        raise ModelError(f"{where} is {row!r}; give an action, a list or an object of actions")
    found = {a: _number(p, f"{where}, action {a}") for a, p in pairs}
    return {a: p for a, p in found.items() if p}


def _action(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ModelError(f"{where}: {text!r} is no action; actions are whole numbers from 0")
    return int(text)


def _number(value: Any, where: str) -> Fraction:
    try:
        return to_fraction(value, where)
    except ValueError as error:
        raise ModelError(str(error)) from error


def _of_table(text: str, name: str, n_states: int) -> Laws:
    lines = csv.reader(io.StringIO(text))
    header = next(lines, [])
    if [word.strip() for word in header] != _COLUMNS:
        raise ModelError(f"{name} begins with {','.join(header)}; write {','.join(_COLUMNS)}")
    rows: Laws = [{} for _ in range(n_states)]
    for number, line in enumerate(lines, 2):
        if not line:
            continue
        where = f"{name}, line {number}"
        if len(line) != len(_COLUMNS):
            raise ModelError(f"{where} has {len(line)} entries; it has {', '.join(_COLUMNS)}")
        state, action = (_action(word.strip(), where) for word in line[:2])
        if state >= n_states:
            raise ModelError(f"{where}: state {state}; the model has 0 to {n_states - 1}")
        if action in rows[state]:
            raise ModelError(f"{where}: action {action} of state {state} stands twice")
        rows[state][action] = _number(line[2].strip(), where)
    return rows


def _fitted(model: CMDP, rows: Laws, name: str) -> tuple[Policy, tuple[str, ...]]:
    if len(rows) != model.n_states:
        raise ModelError(f"{name} has {len(rows)} states, and the model {model.n_states}")
    start, labels = model.choice_start.tolist(), model.actions.tolist()
    probabilities: list[Fraction] = []
    largest = Fraction(0)
    for state, law in enumerate(rows):
        own = labels[start[state] : start[state + 1]]
        if foreign := [a for a, p in law.items() if p and a not in own]:
            raise ModelError(
                f"{name} takes action {foreign[0]} in state {state}, which has the actions "
                f"{own[:20]}{' and more' if len(own) > 20 else ''}"
            )
        if negative := [a for a, p in law.items() if p < 0]:
            raise ModelError(f"{name} has a negative probability: state {state}, action "
                             f"{negative[0]}")  # fmt: skip
        total = sum(law.values(), Fraction(0))
        if abs(total - 1) > ROUNDED:
            raise ModelError(
                f"the probabilities of state {state} in {name} sum to {float(total):.9g}, not to 1"
            )
        largest = max(largest, abs(total - 1))
        probabilities += [law.get(action, Fraction(0)) / total for action in own]
    said = f"rows of {name} were divided by their sums, which miss 1 by up to {float(largest):.2g}"
    return Policy(tuple(probabilities), model), (said,) * bool(largest)
