"""The metrics of a run for TensorBoard, beside those of the run itself, which stay what counts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from ...errors import ModelError
from .runs import Run


class Events:
    """Writes ``tensorboard/`` into the folder of a run: what is there, then each further update.

    Raises ModelError where TensorBoard is not installed.
    """

    def __init__(self, run: Run) -> None:
        if find_spec("tensorboard") is None:
            raise ModelError("tensorboard is not installed; pip install tensorboard")
        self._run = run
        self._writer: Any = None

    def __call__(self, line: Mapping[str, Any]) -> None:
        """A line that the metrics of the run end with."""
        if self._writer is None:  # a resumed run has cut its metrics back by now
            self.write()
        else:
            self._add(line)
            self._writer.flush()

    def write(self) -> None:
        """All lines so far, in place of what was written before."""
        from torch.utils.tensorboard import SummaryWriter

        folder = self._run.folder / "tensorboard"
        shutil.rmtree(folder, ignore_errors=True)
        self._writer = SummaryWriter(str(folder))
        for line in self._run.metrics():
            self._add(line)
        self._writer.flush()

    def _add(self, line: Mapping[str, Any]) -> None:
        for name, value in line.items():
            if value is not None:
                self._writer.add_scalar(name, value, global_step=line["update"])
