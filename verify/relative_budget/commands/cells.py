"""What the cells of a log say: counts, whether a rollout is solved, and names of prompts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import numpy as np

from holdfast.solvers.errors import ModelError
from holdfast.solvers.poisoning.data.bounded_files import number_of, shown
from holdfast.solvers.relative_budget.estimate.rollouts import LONGEST
from holdfast.solvers.sequences import Array

_WORDS = {"true": 1.0, "false": 0.0}


def prompt_names(values: list[Any], name: str, place: str) -> list[str]:
    """Names of prompts: texts as they are, everything else as JSON writes it."""
    if set(map(type, values)) == {str}:
        texts, others = values, []
    else:
        texts = [x for x in values if isinstance(x, str)]
        others = [(row, x) for row, x in enumerate(values, start=1) if not isinstance(x, str)]
    known = dict.fromkeys(texts)
    none = [(values.index(x) + 1, x) for x in known if not x.strip()]
    none += [(row, x) for row, x in others if x is None or (type(x) is float and math.isnan(x))]
    for row, value in sorted(none, key=itemgetter(0))[:1]:
        raise ModelError(
            f"{place}, row {row} has {shown(value)} as {name}, which names no prompt; fill it in, "
            "or name another column with --prompts, or give --pool"
        )
    _check_forms({x: x for x in known}, others, name, place)
    return [x if isinstance(x, str) else _as_text(x) for x in values] if others else values


def _check_forms(
    known: dict[Any, Any], others: list[tuple[int, Any]], name: str, place: str
) -> None:
    """That no name is there in two forms, as 1 and "1" are, or 1, 1.0 and true."""
    for row, value in others:
        text = _as_text(value)
        for key in (text, value if isinstance(value, int | float) else text):
            other = known.setdefault(key, value)
            if type(other) is not type(value):
                raise ModelError(
                    f"{place}, row {row} has {shown(value)} as {name}, and another row has "
                    f"{shown(other)}; write both in one way, so that it is plain whether they are "
                    "the same prompt"
                )


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def converted(
    values: list[Any], convert: Callable[[Any, str], float], name: str, place: str
) -> Array:
    """Each value as a number; a value that is there often is converted once."""
    kinds = set(map(type, values))
    plain = {bool, int, float, str}
    if not kinds <= plain:
        strange = next(k for k, value in enumerate(values) if type(value) not in plain)
        value = values[strange]
        convert(_as_text(value), f"{place}, row {strange + 1} has {shown(value)} as {name}")
    known: dict[Any, float] = {}
    for kind in kinds:  # 1, 1.0 and true are equal, and are not the same
        found: Iterator[tuple[Any, int]] = zip(
            reversed(values), range(len(values), 0, -1), strict=True
        )
        if len(kinds) > 1:
            found = ((value, row) for value, row in found if type(value) is kind)
        for value, row in sorted(dict(found).items(), key=itemgetter(1)):  # each where it is first
            try:
                known[value] = convert(value, "")
            except ModelError:
                convert(value, f"{place}, row {row} has {shown(value)} as {name}")
    return np.fromiter(map(known.__getitem__, values), np.float64, len(values))


def number_in(value: Any, place: str) -> float:
    """A whole number of tokens or steps."""
    number = _parsed(value)
    whole = number is not None and 0 <= number <= LONGEST and number == int(number)
    if number is None or not whole or isinstance(value, bool):
        raise ModelError(f"{place}; give a whole number from 0 to {LONGEST:,}")
    return number


def flag_in(value: Any, solved_from: float | None, place: str) -> float:
    """1 or 0: true and false, or numbers from some on."""
    word = value.strip().lower() if isinstance(value, str) else ""
    number = _WORDS[word] if word in _WORDS else _parsed(value)
    if number is not None and not math.isnan(number):
        if solved_from is not None:
            return float(number >= solved_from)
        if number in (0.0, 1.0):
            return number
    raise ModelError(
        f"{place}, which is neither true nor false; if it is a score, say from which on a rollout "
        "is solved with --solved-from, such as --solved-from 0.5; or name another column with "
        "--solved"
    )


def _parsed(value: Any) -> float | None:
    """The number that a cell or a value of JSON is, if any; longer integers are no floats."""
    if not isinstance(value, str):
        return float(max(min(value, 1e300), -1e300))
    try:
        return number_of(value, "")
    except ModelError:
        return None
