"""Shards in other processes: what is sent there, who runs it, and what to do when a worker dies.

A worker is told which file a claim is in, loads it once, and looks the claim up by name, so nothing
of a claim has to be pickled.  When a worker dies, the shards that were in flight are run again one
by one in a new pool: the one that kills its worker a second time is to blame, and no other is.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from ..binding.claims import Claim, is_shipped, load, shipped
from ..binding.values import ClaimError
from ..engine.examiner import Shard, ShardResult, run_shard
from ..engine.ledger import Ledger
from .streams import protect

_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB", "BLIS")
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


@dataclass(frozen=True, slots=True)
class Task:
    """A shard with what a worker needs to run it.

    file: where the claim is made; world: the model of a WORLD shard, else None.
    """

    shard: Shard
    file: str
    ledger: Ledger
    world: Any = None


def examine(claim: Claim, task: Task) -> ShardResult:
    """Run the task here; whatever is raised is the error of its shard."""
    try:
        return run_shard(claim, task.shard, task.ledger, task.world)
    except (Exception, SystemExit) as error:
        return failed(task.shard, f"its family raised {type(error).__name__}: {error}")


def failed(shard: Shard, why: str) -> ShardResult:
    """The result of a shard that gave none."""
    where = f"{shard.claim}, shard {shard.kind.name.lower()}"
    if shard.name:
        where += f" {shard.name!r}"
    return ShardResult(shard, (), error=f"{where}, {shard.size} cases from {shard.index}: {why}")


def work(task: Task) -> ShardResult:
    """Run the task in a worker."""
    try:
        claim = _claims(task.file)[task.shard.claim]
    except (ClaimError, KeyError) as error:
        return failed(task.shard, f"a worker cannot load the claim: {error}")
    return examine(claim, task)


@cache
def _claims(file: str) -> dict[str, Claim]:
    claims = shipped() if is_shipped(file) else load(Path(file))
    return {claim.name: claim for claim in claims}


class Workers:
    """An executor that survives the death of its workers; a context manager.

    jobs: number of processes; executor: used instead of processes of our own, and not shut down.
    """

    def __init__(self, jobs: int, executor: Executor | None = None) -> None:
        self._jobs, self._foreign = jobs, executor
        self._own: ProcessPoolExecutor | None = None
        self._others = set(multiprocessing.active_children())

    @property
    def _processes(self) -> set[BaseProcess]:
        """Our workers: the children of this process that it did not have before."""
        return set(multiprocessing.active_children()) - self._others if self._own else set()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:  # nobody wants what is in flight: it may take minutes
            for process in self._processes:
                process.terminate()
        self._drop()

    def stream(self, tasks: Iterator[Task]) -> Generator[ShardResult]:
        """Results as they come; tasks are taken from the iterator only when there is room.

        Raises
        ------
        BrokenExecutor: if an executor that is not ours breaks.
        """
        flying: dict[Future[ShardResult], Task] = {}
        try:
            with _environment():
                while True:
                    for task in islice(tasks, 2 * self._jobs - len(flying)):
                        flying[self._submit(task)] = task
                    if not flying:
                        return
                    yield from self._land(flying)
        finally:
            for future in flying:
                future.cancel()

    def _land(self, flying: dict[Future[ShardResult], Task]) -> Iterator[ShardResult]:
        suspects = []
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            task = flying.pop(future)
            if _broke(future):
                suspects.append(task)
            else:
                yield _result(future, task)
        if suspects:
            suspects += flying.values()
            flying.clear()
        for task in suspects:
            yield self._alone(task)

    def _alone(self, task: Task) -> ShardResult:
        if self._foreign is not None:
            raise BrokenExecutor("the executor that was given broke or cancelled a shard")
        self._drop()
        future = self._submit(task)
        if _broke(future):
            self._drop()
            return failed(task.shard, "killed its worker, twice (out of memory, or a crash in C?)")
        return _result(future, task)

    def _submit(self, task: Task) -> Future[ShardResult]:
        if self._foreign is not None:
            return self._foreign.submit(work, task)
        if self._own is None:
            context = multiprocessing.get_context(_METHOD)
            if _METHOD == "forkserver":
                context.set_forkserver_preload([__name__])
                with _handling(signal.SIGINT, signal.SIG_IGN):  # inherited: it starts quietly
                    forkserver.ensure_running()
            self._own = ProcessPoolExecutor(self._jobs, context, _begin)
        try:
            with _undisturbed():
                return self._own.submit(work, task)
        except BrokenExecutor as error:
            broken: Future[ShardResult] = Future()
            broken.set_exception(error)
            return broken

    def _drop(self) -> None:
        if self._own is not None:
            self._own.shutdown(wait=False, cancel_futures=True)
            self._own = None


def _broke(future: Future[ShardResult]) -> bool:
    try:
        return isinstance(future.exception(), BrokenExecutor)
    except CancelledError:
        return True


def _result(future: Future[ShardResult], task: Task) -> ShardResult:
    error = future.exception()
    if error is None:
        return future.result()
    return failed(task.shard, f"its worker failed: {type(error).__name__}: {error}")


@contextmanager
def _handling(number: int, handler: Any) -> Iterator[None]:
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
def _undisturbed() -> Iterator[None]:
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
                    stack.enter_context(_handling(number, note))
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
    this = threading.current_thread()
    if any(one is not this and not one.daemon for one in threading.enumerate()):
        os._exit(0)


def _outlive_nobody() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _environment() -> Iterator[None]:
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
