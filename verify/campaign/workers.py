"""Shards on an executor: what is in flight, and what to do when a worker dies.

When a worker dies, the shards that were in flight are run again one by one in a new pool: the one
that kills its worker a second time is to blame, and no other is.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from itertools import islice
from multiprocessing.process import BaseProcess

from ..engine.examiner import ShardResult
from .processes import Processes, environment
from .tasks import KILLED, Task, failed, work


class Workers:
    """An executor that survives the death of its workers; a context manager.

    jobs: number of processes; executor: used instead of processes of our own, and not shut down.
    """

    def __init__(self, jobs: int, executor: Executor | None = None) -> None:
        self._jobs, self._foreign = jobs, executor
        self._own = Processes(jobs)
        self._others = set(multiprocessing.active_children())

    @property
    def _processes(self) -> set[BaseProcess]:
        """Our workers: the children of this process that it did not have before."""
        ours = self._foreign is None
        return set(multiprocessing.active_children()) - self._others if ours else set()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:  # nobody wants what is in flight: it may take minutes
            for process in self._processes:
                process.terminate()
        self._own.drop()

    def stream(self, tasks: Iterator[Task]) -> Generator[ShardResult]:
        """Results as they come; tasks are taken from the iterator only when there is room.

        Raises
        ------
        BrokenExecutor: if an executor that is not ours breaks.
        """
        flying: dict[Future[ShardResult], Task] = {}
        try:
            while True:
                # a cluster grows, and shrinks where a worker dies
                jobs = max(self._jobs, getattr(self._foreign, "jobs", 1))
                for task in islice(tasks, max(0, 2 * jobs - len(flying))):
                    flying[self._submit(task)] = task
                if not flying:
                    return
                yield from self._land(flying)
        finally:
            for future in flying:
                future.cancel()

    def _land(self, flying: dict[Future[ShardResult], Task]) -> Iterator[ShardResult]:
        suspects, losses = [], []
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            task = flying.pop(future)
            if (loss := _loss(future)) is not None:
                suspects.append(task)
                losses.append(loss)
            else:
                yield _result(future, task)
        if losses and self._foreign is not None:
            raise losses[0]
        if suspects:
            suspects += flying.values()
            flying.clear()
        for task in suspects:
            yield self._alone(task)

    def _alone(self, task: Task) -> ShardResult:
        self._own.drop()
        future = self._submit(task)
        if _loss(future) is not None:
            self._own.drop()
            return failed(task.shard, KILLED)
        return _result(future, task)

    def _submit(self, task: Task) -> Future[ShardResult]:
        with environment():
            return (self._foreign or self._own).submit(work, task)


def _loss(future: Future[ShardResult]) -> BrokenExecutor | None:
    """How the executor broke, if it did."""
    try:
        error = future.exception()
    except CancelledError:
        return BrokenExecutor("the executor that was given cancelled a shard")
    return error if isinstance(error, BrokenExecutor) else None


def _result(future: Future[ShardResult], task: Task) -> ShardResult:
    error = future.exception()
    if error is None:
        return future.result()
    return failed(task.shard, f"its worker failed: {type(error).__name__}: {error}")
