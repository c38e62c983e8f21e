"""Reading the JSON form of a model (the inverse of ``CMDP.to_dict``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from .cmdp import CMDP, ModelError
from .exact import Vector, common_denominator, format_rational, integer_array, to_fraction

_KEYS = ("n_states", "choices", "transitions", "discount", "reward", "costs", "budgets", "initial")


def model_from_document(document: Mapping[str, Any]) -> CMDP:
    """The exact model of a JSON form; raises ModelError saying which entry is wrong."""
    if not isinstance(document, Mapping):
        raise ModelError(f"a model document is a JSON object, not {type(document).__name__}")
    if document.get("kind", "cmdp") != "cmdp":
        raise ModelError(f'kind is {document["kind"]!r}; this reads models of kind "cmdp"')
    missing = [key for key in _KEYS if key not in document]
    if missing:
        raise ModelError(
            f"the model document lacks {', '.join(missing)}; it needs {', '.join(_KEYS)}"
        )
    try:
        return _build(document)
    except ModelError:
        raise
    except (TypeError, ValueError, IndexError) as problem:
        raise ModelError(f"the model document is malformed: {problem}") from problem


def _build(document: Mapping[str, Any]) -> CMDP:
    size = document["n_states"]
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ModelError(f"n_states is {size!r}; it must be a positive int")
    states = [pair[0] for pair in document["choices"]]
    _check_order(states, size)
    rows = _transition_rows(document["transitions"], len(states))
    reward = _rationals(document["reward"], "reward")
    costs = [_rationals(row, f"costs[{i}]") for i, row in enumerate(document["costs"])]
    initial = _rationals(document["initial"], "initial")
    for i, cost in enumerate(costs):
        if len(cost) != len(states):
            raise ModelError(f"costs[{i}] has {len(cost)} entries for {len(states)} choices")
    return CMDP(
        n_states=size,
        choice_start=np.searchsorted(np.array(states), np.arange(size + 1)),
        actions=[pair[1] for pair in document["choices"]],  # type: ignore[arg-type]
        indptr=np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]),
        successors=integer_array([s for row in rows for s, _ in row], "successors"),
        weights=integer_array(
            np.array([w for row in rows for _, w in row], dtype=object), "weights"
        ),
        reward=_objects(reward.numerators),
        reward_denominator=reward.denominator,
        costs=(
            np.array([cost.numerators for cost in costs], dtype=object)
            if costs
            else np.empty((0, len(states)), dtype=np.int64)
        ),
        cost_denominators=tuple(cost.denominator for cost in costs),
        budgets=tuple(to_fraction(b, f"budgets[{i}]") for i, b in enumerate(document["budgets"])),
        discount=to_fraction(document["discount"], "discount"),
        initial=_objects(initial.numerators),
        notes=tuple(document.get("notes", ())),
        **read_labels_and_coordinates(document),
    )


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
    labels = document.get("labels", {})
    if not isinstance(labels, Mapping):
        raise ModelError(f'labels is {labels!r}; it must be an object, as {{"unsafe": [3, 7]}}')
    return {
        "labels": tuple((str(name), _states(name, found)) for name, found in labels.items()),
        "coordinates": tuple(
            tuple(to_fraction(x, f"coordinates[{s}]") for x in point)
            for s, point in enumerate(document.get("coordinates", ()))
        ),
    }


def _states(name: object, found: Any) -> tuple[int, ...]:
    wrong = [s for s in found if type(s) is not int] if isinstance(found, list) else [found]
    if wrong:
        raise ModelError(f"label {name!r} holds {wrong[0]!r}; a label is a list of states, as ints")
    return tuple(found)


def _check_order(states: Sequence[Any], size: int) -> None:
    for k, state in enumerate(states):
        if not isinstance(state, int) or isinstance(state, bool) or not 0 <= state < size:
            raise ModelError(f"choices[{k}] has state {state!r}; states are 0 .. {size - 1}")
        if k and state < states[k - 1]:
            raise ModelError(
                f"choices[{k}] has state {state} after state {states[k - 1]}; sort "
                "the choices by state"
            )


def _transition_rows(rows: Sequence[Any], count: int) -> list[list[tuple[int, int]]]:
    if len(rows) != count:
        raise ModelError(f"transitions has {len(rows)} rows for {count} choices")
    return [[_entry(pair, k, j) for j, pair in enumerate(row)] for k, row in enumerate(rows)]


def _entry(pair: Any, row: int, column: int) -> tuple[int, int]:
    state, weight = pair
    value = to_fraction(weight, f"transitions[{row}][{column}]")
    if value.denominator != 1:
        raise ModelError(
            f"transitions[{row}][{column}] has weight {value}; weights are integers, "
            "multiply the row by its common denominator"
        )
    return state, value.numerator


def _rationals(values: Sequence[Any], name: str) -> Vector:
    fractions: list[Fraction] = []
    for index, value in enumerate(values):
        if isinstance(value, float):
            raise ModelError(
                f"{name}[{index}] is the float {value!r}; a model document holds "
                'exact numbers, write "p/q"'
            )
        fractions.append(to_fraction(value, f"{name}[{index}]"))
    numerators, bottom = common_denominator(fractions)
    return Vector(tuple(numerators), bottom)


def _objects(values: Sequence[int]) -> np.ndarray[Any, Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
