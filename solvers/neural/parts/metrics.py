"""Metrics of a run: JSON lines, one an update, and no times: equal runs have equal files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ...strict import strict_json
from ...whole_files import append_line, write_text


def _lines(path: Path) -> list[str]:
    """Complete lines; what a killed process left unfinished at the end is none."""
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def read(path: Path) -> list[dict[str, Any]]:
    """One mapping an update; "update" counts from 1.

    Raises ModelError if a line is none of JSON.
    """
    return [
        strict_json(line, f"line {at} of {path}", float)
        for at, line in enumerate(_lines(path), start=1)
        if line.endswith("\n")
    ]


def append(path: Path, update: int, numbers: Mapping[str, float]) -> dict[str, Any]:
    """Add the line of an update, and return it; what is not finite is null."""
    finite = {name: float(v) if math.isfinite(v) else None for name, v in numbers.items()}
    line = {"update": update, **finite}
    append_line(path, json.dumps(line))
    return line


def cut(path: Path, updates: int) -> None:
    """Keep the lines of the first updates only.

    Raises ModelError if there are fewer, since the file is then not that of the checkpoint.
    """
    kept = [line for line in _lines(path)[:updates] if line.endswith("\n")]
    if len(kept) < updates:
        raise ModelError(
            f"{path} has {len(kept)} complete lines, and the checkpoint is of update {updates}; "
            f"delete {path.parent} and train again"
        )
    write_text(path, "".join(kept))


@contextmanager
def board(folder: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Takes lines of metrics, and writes them for TensorBoard into the folder.

    A line of an update that is there already, from before a resumption, replaces that one.  Raises
    ModelError if TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise ModelError(
            f"TensorBoard is not installed ({error}); pip install tensorboard, or ask for none"
        ) from error
    writers: list[SummaryWriter] = []

    def write(line: Mapping[str, Any]) -> None:
        if not writers:
            writers.append(SummaryWriter(str(folder), purge_step=line["update"]))
        for name, value in line.items():
            if value is not None and name != "update":
                writers[0].add_scalar(name, value, line["update"])

    try:
        yield write
    finally:
        for writer in writers:
            writer.close()
