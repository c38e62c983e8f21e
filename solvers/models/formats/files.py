"""Models as files: .json, .npz and PRISM's explicit files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...exact import Array, format_integer, format_rational, integer_array, to_fraction
from ...sequences import objects
from ...strict import strict_json
from ...whole_files import whole, write_text
from ..cmdp import CMDP, INTEGER_FIELDS
from .document import labels_and_coordinates, model_from_document, read_labels_and_coordinates
from .numpy_files import read_archive

_SCALARS = ("reward_denominator", "cost_denominators", "budgets", "discount", "notes")
_FORMAT = "holdfast-cmdp/1"


# -- files -----------------------------------------------------------------------------------------
def save(model: CMDP, path: str | Path) -> Path:
    """Write a model to ``.json``, ``.npz`` or ``.tra`` (by suffix); returns the path."""
    path = Path(path)
    if path.suffix.lower() == ".json":
        document = {**model.to_dict(), **labels_and_coordinates(model)}
        write_text(path, json.dumps(document, allow_nan=False) + "\n")
    elif path.suffix.lower() == ".npz":
        with whole(path) as unfinished, unfinished.open("wb") as stream:
            np.savez_compressed(stream, **_npz_fields(model))
    elif path.suffix == ".tra":
        from .prism import write_prism

        write_prism(model, path)
    else:
        raise ModelError(f"cannot write {path.name}: the suffix must be .json, .npz or .tra")
    return path


def load(path: str | Path) -> CMDP:
    """Read a model from ``.json`` or ``.npz``, or a ``.tra`` that holds its discount.

    PRISM's files hold no budgets and mostly no discount; ``read_prism`` takes them as arguments.
    Raises ModelError when the file is truncated, corrupted or describes no valid model, and
    FileNotFoundError when it is not there.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        return _load_json(path)
    if path.suffix.lower() == ".npz":
        return _load_npz(path)
    if path.suffix == ".tra":
        from .prism import read_prism

        return read_prism(path)
    raise ModelError(
        f"cannot read {path.name}: the suffix must be .json, .npz or .tra (the command "
        "line reads .drn, too); arrays of other files are made a model by from_arrays in Python, "
        "and a program of PRISM or Storm is exported by them first (-exportmodel, --exportbuild)"
    )


def _load_json(path: Path) -> CMDP:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        raise ModelError(
            f"{path.name} is not UTF-8 text (byte {problem.start}); write it again"
        ) from problem
    document = strict_json(text, path.name)
    try:
        return model_from_document(document)
    except ModelError as problem:
        raise ModelError(f"{path.name}: {problem}") from problem


def _npz_fields(model: CMDP) -> dict[str, Any]:
    fields: dict[str, Any] = {"format": np.array(_FORMAT)}
    for name in INTEGER_FIELDS:
        array = getattr(model, name)
        if array.dtype == object:
            texts = np.array(list(map(format_integer, array.ravel().tolist())))
            array = texts.reshape(array.shape)
        fields[name] = array
    return fields | {
        "reward_denominator": np.array(format_integer(model.reward_denominator)),
        "cost_denominators": np.array(list(map(format_integer, model.cost_denominators)), str),
        "budgets": np.array(list(map(format_rational, model.budgets)), str),
        "discount": np.array(format_rational(model.discount)),
        "notes": np.array(model.notes, dtype=str),
        "annotations": np.array(json.dumps(labels_and_coordinates(model))),
    }


def _load_npz(path: Path) -> CMDP:
    names = ("format", *INTEGER_FIELDS, *_SCALARS, "annotations")
    fields = read_archive(path, names)
    if "format" in fields and str(fields["format"]) != _FORMAT:
        raise ModelError(
            f"{path.name} has format {str(fields['format'])[:60]!r}; this reads {_FORMAT!r}"
        )
    missing = [name for name in names[:-1] if name not in fields]
    if missing:
        raise ModelError(
            f"{path.name} lacks {', '.join(missing)}; a model archive is what save writes, models "
            "from other arrays are made by from_arrays"
        )
    try:
        return _model_of(fields)
    except ModelError as problem:
        raise ModelError(f"{path.name}: {problem}") from problem
    except (ValueError, TypeError, IndexError) as problem:
        raise ModelError(f"{path.name} is no model: {problem}; save it again") from problem


def _model_of(fields: dict[str, Array]) -> CMDP:
    arrays: dict[str, Any] = {name: _integers(fields[name], name) for name in INTEGER_FIELDS}
    budgets = _texts(fields["budgets"], "budgets")
    return CMDP(
        n_states=len(arrays["choice_start"]) - 1,
        reward_denominator=_integer(fields["reward_denominator"], "reward_denominator"),
        cost_denominators=tuple(
            _integer(d, "cost_denominators")
            for d in _texts(fields["cost_denominators"], "cost_denominators")
        ),
        budgets=tuple(to_fraction(b, f"budgets[{i}]") for i, b in enumerate(budgets)),
        discount=to_fraction(str(fields["discount"]), "discount"),
        notes=tuple(_texts(fields["notes"], "notes")),
        **read_labels_and_coordinates(
            strict_json(str(fields.get("annotations", "{}")), "annotations")
        ),
        **arrays,
    )


def _texts(array: Array, name: str) -> list[str]:
    if array.ndim != 1:
        raise ModelError(f"{name} has shape {array.shape}; it must be a list")
    return [str(value) for value in array.tolist()]


def _integer(value: Any, name: str) -> int:
    number = to_fraction(str(value), name)
    if number.denominator != 1 or "." in str(value):
        raise ModelError(f"{name} holds {value}; it must be an integer")
    return number.numerator


def _integers(array: Array, name: str) -> Array:
    if array.dtype.kind != "U":
        return integer_array(array, name)
    flat = objects(_integer(text, name) for text in array.ravel().tolist())
    return integer_array(flat.reshape(array.shape), name)
