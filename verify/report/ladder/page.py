"""A ladder as one page that needs nothing else, in the style of a run's report, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from holdfast.solvers.whole_files import write_text

from .. import html
from ..visible import visible
from . import Ladder
from .picture import svg


def write(ladder: Ladder, directory: Path) -> Path:
    """Write ``index.html`` into `directory`, which is made where missing; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    return write_text(directory / "index.html", render(ladder))


def render(ladder: Ladder) -> str:
    """The page as text."""
    template = html.environment().get_template("ladder.html.jinja")
    rungs = dict.fromkeys(rung for table in ladder.tables for rung in table.rungs)
    picture = svg(ladder) if ladder.panels else ""
    return visible(template.render(ladder=ladder, rungs=list(rungs), picture=picture))


def document(ladder: Ladder) -> dict[str, Any]:
    """The ladder as JSON takes it: rational numbers as text, all others as they are."""
    plain = _plain(asdict(ladder))
    assert isinstance(plain, dict)
    return {**plain, "contradicted": ladder.contradicted}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.name.lower()
    return str(value) if isinstance(value, Fraction) else value
