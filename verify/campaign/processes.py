"""Processes that run the code of claims: how they are started, and how they end.

A process runs numerical libraries on one thread, imports nothing from the current folder, keeps its
standard streams open, and ends with the process that started it, even if that is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import forkserver
from multiprocessing.util import Finalize
from typing import Any, TypeVar

from . import tasks
from .streams import protect
from .threads import lingering

_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB", "BLIS")
_R = TypeVar("_R")
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


class Processes:
    """A pool of processes, started when they are needed and again after they were dropped."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, function: Callable[..., _R], *arguments: Any) -> Future[_R]:
        """Run this in a process; a pool that is broken says so in the future."""
        if self._pool is None:
            self._pool = _started(self._jobs)
        try:
            with undisturbed():
                return self._pool.submit(function, *arguments)
        except BrokenExecutor as error:
            broken: Future[_R] = Future()
            broken.set_exception(error)
            return broken

    def drop(self) -> None:
        """End the processes as soon as they have done what they are at."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _started(jobs: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context(_METHOD)
    if _METHOD == "forkserver":
        context.set_forkserver_preload([tasks.__name__])
        with handling(signal.SIGINT, signal.SIG_IGN):  # inherited: it starts quietly
            forkserver.ensure_running()
    return ProcessPoolExecutor(jobs, context, _begin)


@contextmanager
def handling(number: int, handler: Any) -> Iterator[None]:
    """Another handler of a signal for a while; outside the main thread, the same one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM wait until a worker is started: of one that is half started nobody
    would know, and it would complain that the rest has gone."""
    late: list[int] = []

    def note(number: int, frame: object) -> None:
        del frame
        late.append(number)

    try:
        with ExitStack() as stack:
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (signal.SIG_IGN, signal.SIG_DFL, None):
                    stack.enter_context(handling(number, note))
            yield
    finally:
        for received in late:
            signal.raise_signal(received)


def _begin() -> None:
    """In a new worker: die quietly on Ctrl-C, and with the parent even if that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        protect(stream)
    Finalize(None, _leave_threads, exitpriority=-100)
    threading.Thread(target=_outlive_nobody, daemon=True).start()


def _leave_threads() -> None:
    """At the end of a worker, when all is sent: do not wait for threads that the claims started."""
    if lingering():
        os._exit(0)


def _outlive_nobody() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def environment() -> Iterator[None]:
    """Of the processes started inside.

    Numerical libraries run on one thread, so that jobs do not fight, and nothing is imported from
    the current folder, where a stranger's ``json.py`` may lie.
    """
    wanted = dict.fromkeys((f"{library}_NUM_THREADS" for library in _THREADS), "1")
    wanted["PYTHONSAFEPATH"] = "1"
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
