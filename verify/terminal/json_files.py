"""JSON that any reader takes: numbers that JSON has not become null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.solvers.whole_files import write_text


def json_text(document: Any, indent: int | None = None) -> str:
    """The document as JSON; infinite numbers and those that are none (NaN) are null."""
    try:
        return json.dumps(document, indent=indent, default=_plain, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(document), indent=indent, default=_plain, allow_nan=False)


def write_json(document: Any, path: str | Path) -> None:
    """An indented JSON file."""
    write_text(path, json_text(document, indent=2) + "\n")


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
