"""How the loops of this package are compiled: in IEEE arithmetic, kept on disk, run in threads.

A loop runs over blocks of fixed length, and every reduction is one of blocks whose results are
combined in order, so that results do not depend on the number of threads.  Rounding is that of the
written expressions (no reassociation).  The threads are Python's, which compiled code lets run: the
compiler's own take more than twice as long to compile, and a loop of few blocks needs none.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, TypeVar

import numba

#: States per block of a parallel loop; it fixes the order of every sum.
BLOCK = 1024
#: Fewer blocks for a thread: starting it costs more than it saves.
_BLOCKS_PER_THREAD = 32
#: Seconds between two looks at the machine: each asks the system.
_LOOK_EVERY = 0.1
#: Seconds on one thread before several are tried again, where other processes want the cores.
_ALONE_FOR = 3.0
#: Times a second that a core was taken away, from which on threads wait for each other.
_CROWDED = 100

_Function = TypeVar("_Function", bound=Callable[..., Any])
_used = threading.local()


def compiled(
    function: Callable[..., None], *, least: int = _BLOCKS_PER_THREAD
) -> Callable[..., None]:
    """A compiled loop over the blocks from ``begin`` to ``end``, its first two arguments.

    It is called with the number of blocks in their place, and shared among threads that have
    ``least`` of them each.
    """
    loop = serial(function)

    @wraps(function)
    def run(blocks: int, *arguments: Any) -> None:
        shares = max(1, min(threads(), blocks // least))
        if shares > 1 and _watch.crowded():
            shares = 1
        ends = [blocks * share // shares for share in range(shares + 1)]
        others = [_pool().submit(loop, *ends[i : i + 2], *arguments) for i in range(1, shares)]
        try:
            loop(0, ends[1], *arguments)
        finally:  # nobody writes to the arrays any more when this returns
            for other in others:
                other.result()

    return run


def serial(function: _Function) -> _Function:
    """A compiled function of one core, which lets other threads run."""
    settings: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **settings)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # nowhere to keep it, as in a read-only installation: once a process
        return numba.njit(**settings)(function)  # type: ignore[no-any-return]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _cores() - 1), "holdfast-loop")


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads stay behind in the parent


def _cores() -> int:
    return int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


def threads() -> int:
    """How many threads the loops of this thread use: as many as numba sees cores, or fewer."""
    return int(getattr(_used, "threads", _cores()))


@contextmanager
def at_most(number: int) -> Iterator[None]:
    """No more threads than this within; afterwards as many as before."""
    before = threads()
    _used.threads = min(number, before)
    try:
        yield
    finally:
        _used.threads = before


class Watch:
    """Says to leave one thread for a while when the others keep losing their cores to other work.

    The loops are short, and each waits for its slowest thread: on a crowded machine that costs a
    time slice a loop, and a single thread is many times faster.
    """

    def __init__(self) -> None:
        self.seconds, self.switches = time.perf_counter(), _switches()
        self.alone_until = 0.0

    def crowded(self) -> bool:
        """Whether a core was taken away too often since the last look, or a while ago."""
        now = time.perf_counter()
        if now < max(self.seconds + _LOOK_EVERY, self.alone_until):
            return now < self.alone_until
        switches = _switches()
        taken = (switches - self.switches) / (now - self.seconds)
        crowded = taken > _CROWDED and not self.alone_until  # nothing of several was seen then
        self.alone_until = now + _ALONE_FOR if crowded else 0.0
        self.seconds, self.switches = now, switches
        return crowded


def _switches() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def n_blocks(size: int) -> int:
    """The number of blocks that ``size`` states fall into."""
    return -(-size // BLOCK)


_watch = Watch()
