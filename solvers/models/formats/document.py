"""Reading the JSON form of a model (the inverse of ``CMDP.to_dict``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from ...errors import ModelError
from ...exact import Vector, format_rational, integer_array, to_fraction
from ...sequences import objects
from ...strict import bounded_denominator, shortened
from ..cmdp import CMDP
from ..rows import stacked

T = TypeVar("T")
_KEYS = ("n_states", "choices", "transitions", "discount", "reward", "costs", "budgets", "initial")
_OPTIONAL = ("kind", "notes", "labels", "coordinates")
_LABELS_UP_TO = 2**62
"""The largest label of an action: it fits into int64 with room for arithmetic."""
_WHOLE = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)")


def model_from_document(document: Mapping[str, Any]) -> CMDP:
    """The exact model of a JSON form; raises ModelError saying which entry is wrong."""
    if not isinstance(document, Mapping):
        raise ModelError(f"a model document is a JSON object, not {type(document).__name__}")
    if document.get("kind", "cmdp") != "cmdp":
        raise ModelError(f'kind is {document["kind"]!r}; this reads models of kind "cmdp"')
    _check_keys(document)
    try:
        return _build(document)
    except ModelError:
        raise
    except (TypeError, ValueError, IndexError) as problem:
        raise ModelError(f"in the model document {problem}") from problem


def _check_keys(document: Mapping[str, Any]) -> None:
    missing = [key for key in _KEYS if key not in document]
    if missing:
        raise ModelError(
            f"the model document lacks {', '.join(missing)}; it needs {', '.join(_KEYS)}; save "
            "writes them, and from_arrays makes a model of arrays"
        )
    unknown = [key for key in document if key not in (*_KEYS, *_OPTIONAL)]
    if unknown:
        raise ModelError(
            f"the model document has the key {shortened(str(unknown[0]))}, which means nothing "
            f"here; it may have {', '.join((*_KEYS, *_OPTIONAL))}"
        )


def _build(document: Mapping[str, Any]) -> CMDP:
    size = document["n_states"]
    if type(size) is not int or size < 1:
        raise ModelError(f"n_states is {size!r}; it must be a positive int")
    states, actions = _choices(document["choices"], size)
    rows = _transition_rows(_list(document["transitions"], "transitions"), len(states))
    reward = _rationals(document["reward"], "reward")
    costs = _each(document["costs"], "costs", _rationals)
    initial = _weights(document["initial"], "initial")
    for i, cost in enumerate(costs):
        if len(cost) != len(states):
            raise ModelError(f"costs[{i}] has {len(cost)} entries for {len(states)} choices")
    return CMDP(
        n_states=size,
        choice_start=np.searchsorted(np.array(states), np.arange(size + 1)),
        actions=actions,  # type: ignore[arg-type]
        **_transition_arrays(rows),
        reward=objects(reward.numerators),
        reward_denominator=reward.denominator,
        costs=stacked([cost.numerators for cost in costs], len(states)),
        cost_denominators=tuple(cost.denominator for cost in costs),
        budgets=tuple(_each(document["budgets"], "budgets", _rational)),
        discount=_rational(document["discount"], "discount"),
        initial=objects(initial),
        notes=(*_notes(document.get("notes", [])), *_initial_note(document["initial"], initial)),
        **read_labels_and_coordinates(document),
    )


def _choices(given: Any, size: int) -> tuple[list[int], list[int]]:
    choices = _pairs(_list(given, "choices"), "choices", "[state, action]")
    states, actions = [state for state, _ in choices], [action for _, action in choices]
    if size > len(states):
        raise ModelError(
            f"n_states is {size} and there are {len(states)} choices; every state needs at least "
            "one (an absorbing state loops to itself)"
        )
    _check_order(states, size)
    _check_actions(actions)
    return states, actions


def _transition_arrays(rows: Sequence[Sequence[tuple[int, int]]]) -> dict[str, Any]:
    return {
        "indptr": np.cumsum([0, *map(len, rows)], dtype=np.int64),
        "successors": integer_array([s for row in rows for s, _ in row], "successors"),
        "weights": objects(w for row in rows for _, w in row),
    }


def labels_and_coordinates(model: CMDP) -> dict[str, Any]:
    """Labels and coordinates as JSON, those that the model has."""
    found: dict[str, Any] = {}
    if model.labels:
        found["labels"] = {name: list(states) for name, states in model.labels}
    if model.coordinates:
        found["coordinates"] = [[format_rational(x) for x in p] for p in model.coordinates]
    return found


def read_labels_and_coordinates(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields ``labels`` and ``coordinates`` of a model from such JSON."""
    if not isinstance(document, Mapping):
        raise ModelError(f"the annotations are {document!r}; they must be a JSON object")
    labels = document.get("labels", {})
    if not isinstance(labels, Mapping):
        raise ModelError(f'labels is {labels!r}; it must be an object, as {{"unsafe": [3, 7]}}')
    return {
        "labels": tuple((str(name), _states(name, found)) for name, found in labels.items()),
        "coordinates": tuple(_each(document.get("coordinates", []), "coordinates", _point)),
    }


def _point(values: Any, where: str) -> tuple[Fraction, ...]:
    return tuple(_rational(x, where) for x in _list(values, where))


def _states(name: object, found: Any) -> tuple[int, ...]:
    wrong = [s for s in found if type(s) is not int] if isinstance(found, list) else [found]
    if wrong:
        raise ModelError(f"label {name!r} holds {wrong[0]!r}; a label is a list of states, as ints")
    return tuple(found)


def _check_order(states: Sequence[Any], size: int) -> None:
    for k, state in enumerate(states):
        if type(state) is not int or not 0 <= state < size:
            raise ModelError(f"choices[{k}] has state {state!r}; states are 0 .. {size - 1}")
        if k and state < states[k - 1]:
            raise ModelError(
                f"choices[{k}] has state {state} after state {states[k - 1]}; sort "
                "the choices by state"
            )


def _check_actions(actions: Sequence[Any]) -> None:
    for k, action in enumerate(actions):
        if type(action) is not int or abs(action) > _LABELS_UP_TO:
            raise ModelError(
                f"choices[{k}] has action {shortened(str(action))}; actions are integers of at "
                "most 62 bits (other names may go into the notes)"
            )


def _list(value: Any, name: str) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise ModelError(f"{name} is {shortened(str(value))}; it must be a list")
    return value


def _pairs(values: Sequence[Any], name: str, meaning: str) -> Sequence[Any]:
    for j, pair in enumerate(values):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ModelError(f"{name}[{j}] is {shortened(str(pair))}; it must be {meaning}")
    return values


def _whole(values: Sequence[Any]) -> bool:
    return all(type(value) is int or _WHOLE.fullmatch(str(value)) for value in values)


def _shown(value: Fraction) -> str:
    return shortened(format_rational(value)).strip("'")


def _initial_note(given: Sequence[Any], weights: Sequence[int]) -> list[str]:
    total = Fraction(sum(weights))
    if total == 1 or not _whole(given):
        return []
    return [
        f"initial holds whole numbers of sum {_shown(total)}: each is read as its share of the sum"
    ]


def _notes(notes: Any) -> tuple[str, ...]:
    for i, note in enumerate(_list(notes, "notes")):
        if not isinstance(note, str):
            raise ModelError(f"notes[{i}] is {shortened(str(note))}; notes are texts")
    return tuple(notes)


def _transition_rows(rows: Sequence[Any], count: int) -> list[list[tuple[int, int]]]:
    if len(rows) != count:
        raise ModelError(f"transitions has {len(rows)} rows for {count} choices")
    return [_row(row, f"transitions[{k}]") for k, row in enumerate(rows)]


def _row(row: Any, where: str) -> list[tuple[int, int]]:
    pairs = _pairs(_list(row, where), where, "[successor, weight]")
    for j, (state, _) in enumerate(pairs):
        if type(state) is not int:
            raise ModelError(
                f"{where}[{j}] has successor {shortened(str(state))}; states are integers"
            )
    weights = [weight for _, weight in pairs]
    if not all(type(weight) is int for weight in weights):
        weights = _weights(weights, where)
    return [(state, weight) for (state, _), weight in zip(pairs, weights, strict=True)]


def _weights(values: Any, where: str) -> list[int]:
    """Whole numbers as they are, as relative weights; other numbers as exact probabilities.

    Raises ModelError where a fraction or a decimal is among them and their sum is not 1.
    """
    numbers = _rationals(values, where)
    if not _whole(values):
        total = Fraction(sum(numbers.numerators), numbers.denominator)
        if total != 1:
            raise ModelError(
                f'{where} sums to {_shown(total)}, not exactly to 1; correct it, write "p/q" where '
                "decimals are rounded, or give whole numbers, which are relative weights"
            )
    return list(numbers.numerators)


def _rational(value: Any, where: str) -> Fraction:
    """A number of a document, which has no floats; decimals of files are text by then."""
    if isinstance(value, float):
        raise ModelError(
            f'{where} is the float {value!r}; a model document holds exact numbers, write "p/q"'
        )
    return to_fraction(value, where)


def _each(values: Any, name: str, read: Callable[[Any, str], T]) -> list[T]:
    return [read(value, f"{name}[{i}]") for i, value in enumerate(_list(values, name))]


def _rationals(values: Any, name: str) -> Vector:
    numbers = _each(values, name, _rational)
    bottom = bounded_denominator(numbers, name)
    return Vector(tuple(v.numerator * (bottom // v.denominator) for v in numbers), bottom)
