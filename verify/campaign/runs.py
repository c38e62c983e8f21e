"""Where training runs are kept: beside the store, unless the environment names another place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "HOLDFAST_RUNS"
"""Names the folder of finished and unfinished training runs; the trainer reads it."""


def beside(store: str) -> str:
    """The folder for the runs of a campaign: that of the environment if it names one, else ``runs``
    beside the store; empty, which leaves it to the trainer, for a store in memory."""
    named = os.environ.get(VARIABLE, "")
    if named or store == ":memory:":
        return named
    return str(Path(store).resolve().parent / "runs")


@contextmanager
def kept(folder: str) -> Iterator[None]:
    """Have what is trained inside kept in the folder; empty for no opinion."""
    before = os.environ.get(VARIABLE)
    if folder:
        os.environ[VARIABLE] = folder
    try:
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before
