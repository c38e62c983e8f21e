"""How the loops of this package are compiled: in parallel, in IEEE arithmetic, kept on disk.

Rounding is that of the written expressions (no reassociation), and every reduction runs over blocks
of fixed length whose results are combined in order, so that results do not depend on the number of
threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numba

#: States per block of a parallel loop; it fixes the order of every sum.
BLOCK = 1024
_BLOCKS_PER_THREAD = 32

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


def n_blocks(size: int) -> int:
    """The number of blocks that ``size`` states fall into."""
    return -(-size // BLOCK)
