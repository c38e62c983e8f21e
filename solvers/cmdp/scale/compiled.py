"""How the loops of this package are compiled: in parallel, in IEEE arithmetic, kept on disk.

Rounding is that of the written expressions (no reassociation), and every reduction runs over blocks
of fixed length whose results are combined in order, so that results do not depend on the number of
threads.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


def compiled(function: _Function) -> _Function:
    """A compiled loop over all cores."""
    return _compiled(function, parallel=True)


def serial(function: _Function) -> _Function:
    """A compiled function of one core."""
    return _compiled(function, parallel=False)


def _compiled(function: _Function, *, parallel: bool) -> _Function:
    settings: dict[str, Any] = {"parallel": parallel, "fastmath": False, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **settings)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # nowhere to keep it, as in a read-only installation: once a process
        return numba.njit(**settings)(function)  # type: ignore[no-any-return]


@contextmanager
def suited_threads(size: int) -> Iterator[None]:
    """No more threads than ``size`` states keep busy; afterwards as many as before."""
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(before, n_blocks(size) // _BLOCKS_PER_THREAD)))
    try:
        yield
    finally:
        numba.set_num_threads(before)


class Watch:
    """Leaves one thread for a while when the others keep losing their cores to other work.

    The loops are short, and each waits for its slowest thread: on a crowded machine that costs a
    time slice a loop, and a single thread is many times faster.
    """

    def __init__(self) -> None:
        self.threads = numba.get_num_threads()
        self.seconds, self.switches = time.perf_counter(), _switches()
        self.alone_until = 0.0

    def look(self) -> None:
        """Count how often a core was taken away since the last look."""
        now = time.perf_counter()
        if self.threads == 1 or now < max(self.seconds + _LOOK_EVERY, self.alone_until):
            return
        taken = (_switches() - self.switches) / (now - self.seconds)
        crowded = taken > _CROWDED and numba.get_num_threads() > 1
        numba.set_num_threads(1 if crowded else self.threads)
        self.alone_until = now + _ALONE_FOR if crowded else 0.0
        self.seconds, self.switches = now, _switches()


def _switches() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def n_blocks(size: int) -> int:
    """The number of blocks that ``size`` states fall into."""
    return -(-size // BLOCK)
