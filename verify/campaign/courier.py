"""What a worker of a cluster does: it shows what it has, and hands each shard to a process.

The code of claims runs in a process of its own, started as on one machine (`processes`), so that
the limits of time, the streams and the single threads are the same there.  The worker only carries:
it ends the process when nobody wants the shard any more, and starts another when it dies.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor, Future, wait
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import holdfast

from .processes import Processes, environment
from .tasks import KILLED, failed
from .versions import versions

LOOK = 0.5
"""Seconds between two looks at whether a shard is still wanted.  More leaves a worker busy for
longer after a Ctrl-C; less only costs a few more looks."""

_STARTING = threading.Lock()
_MINE = threading.local()


class RefusedError(BrokenExecutor):
    """A worker that has something else than the machine that began the run."""


def passport(files: Iterable[str] = ()) -> dict[str, str]:
    """What must be the same on all machines, by name: versions, code of holdfast, files of claims.

    The platform may differ: a run that is resumed elsewhere begins anew, but workers only compute.
    """
    found = versions()
    del found["platform"]
    found["distributed"] = metadata.version("distributed")
    found["code of holdfast"] = _code()
    return found | {file: _digest([Path(file)]) for file in files}


@cache
def _code() -> str:
    """Of the code that this process runs, so it is read once."""
    root = Path(holdfast.__file__).parent
    layers = (root / layer for layer in ("theory", "solvers", "verify"))
    return _digest(sorted(path for layer in layers for path in layer.resolve().rglob("*.py")))


def _digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    try:
        for path in paths:
            total.update(hashlib.sha256(path.read_bytes()).digest())
    except OSError as error:
        return f"unreadable ({error.strerror})"
    return f"sha256 {total.hexdigest()[:12]}"


def compare(ours: Mapping[str, str], theirs: Mapping[str, str], worker: str) -> None:
    """Raises RefusedError, naming both, where a worker has something else than we have."""
    differing = [
        f"{name}: {theirs.get(name, 'absent')} there, {one} here"
        for name, one in ours.items()
        if theirs.get(name) != one
    ]
    if differing:
        raise RefusedError(
            f"the worker {worker} is refused, since it differs from this machine ("
            f"{'; '.join(differing)}); give it the same and start it again, or leave it out"
        )


def serve(ours: Mapping[str, str], files: tuple[str, ...], parcel: bytes) -> Any:
    """Run a task, given as pickled function and `Task`, in a process; on a worker of a cluster.

    ours: the passport, with the files, of the machine that began the run.

    Raises
    ------
    RefusedError: if the worker has another passport.
    """
    from distributed import Reschedule, get_worker

    worker = get_worker()
    compare(ours, passport(files), worker.address)
    function, task = pickle.loads(parcel)
    for _ in range(2):
        process = _process(ours)
        future = process.run(function, task)
        while not wait([future], LOOK).done:
            if not _wanted(worker):
                process.kill()
                raise Reschedule
        if not isinstance(future.exception(), BrokenExecutor):
            return future.result()
        process.kill()
    return failed(task.shard, KILLED)


def _wanted(worker: Any) -> bool:
    """Whether the shard of this thread is: neither cancelled nor on a worker that is closing."""
    from distributed.core import Status
    from distributed.worker import thread_state

    task = worker.state.tasks.get(thread_state.key)
    ended = worker.status in (Status.closing, Status.closed, Status.failed)
    return not ended and task is not None and task.state != "cancelled"


class _Process:
    """One process of a thread of the worker.  It keeps the claims that it has loaded, so it serves
    one passport only."""

    def __init__(self, ours: Mapping[str, str]) -> None:
        self.ours, self.dead = ours, False
        self._pool = Processes(1)
        self._number = self.run(os.getpid).result()

    def run(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        with _STARTING, environment():
            return self._pool.submit(function, *arguments)

    def kill(self) -> None:
        """End it at once, whatever it is at."""
        with suppress(ProcessLookupError):
            os.kill(self._number, signal.SIGKILL)
        self._pool.drop()
        self.dead = True


def _process(ours: Mapping[str, str]) -> _Process:
    known: _Process | None = getattr(_MINE, "process", None)
    if known is not None and (known.dead or known.ours != ours):
        known.kill()
        known = None
    if known is None:
        # a worker under a nanny is a daemon, which may have no children unless it says otherwise
        multiprocessing.current_process().daemon = False
        known = _MINE.process = _Process(ours)
    return known
