"""Checkpoints of a trainer of transformers: whole ones are marked, and what was cut off is removed.

A process may be killed while it saves; only a folder that has its mark is gone on from.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

_WHOLE = "whole"


def last_whole(folder: Path) -> Path | None:
    """The last checkpoint that was written to its end; those that were not are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=updates_of)
    for path in found:
        if not (path / _WHOLE).exists():
            shutil.rmtree(path)
    whole = [path for path in found if path.is_dir()]
    return whole[-1] if whole else None


def updates_of(checkpoint: Path | None) -> int:
    """After which update it was written; 0 for none."""
    return 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])


def mark_whole(args: Any, state: Any) -> None:
    """To be called when the trainer has saved, with what its callbacks are given."""
    (Path(args.output_dir) / f"checkpoint-{state.global_step}" / _WHOLE).touch()


def saving(every: int) -> dict[str, Any]:
    """Arguments of a trainer that saves every so many updates, and never for 0."""
    if not every:
        return {"save_strategy": "no"}
    return {"save_strategy": "steps", "save_steps": every, "save_total_limit": 2}


def silent(trainer: Any) -> Any:
    """The trainer, without the callback that prints its logs, and without bars of progress."""
    from transformers import PrinterCallback
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    trainer.remove_callback(PrinterCallback)
    return trainer
