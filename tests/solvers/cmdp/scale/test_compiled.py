"""Threads: as many as keep busy, one on a crowded machine, and always given back."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from holdfast.solvers.cmdp.scale import compiled


@compiled.compiled
def record(begin, end, seen):
    """Which thread's share each block was in: its first block."""
    for block in range(begin, end):
        seen[block] = begin


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr(compiled.numba.config, "NUMBA_NUM_THREADS", 2)
    monkeypatch.setattr(compiled._watch, "crowded", lambda: False)
    compiled._pool.cache_clear()
    yield
    compiled._pool.cache_clear()


def shares(blocks):
    seen = np.full(blocks, -1)
    record(blocks, seen)
    return sorted(set(seen.tolist()))


def test_each_block_is_done_by_one_of_as_many_threads_as_are_kept_busy(two_threads):
    assert shares(0) == []
    assert shares(63) == [0]
    assert shares(64) == [0, 32]
    assert shares(101) == [0, 50]
    with compiled.at_most(1):
        assert shares(101) == [0]
    with pytest.raises(ZeroDivisionError), compiled.at_most(1):
        raise ZeroDivisionError
    assert shares(101) == [0, 50]
    compiled._watch.crowded = lambda: True
    assert shares(101) == [0]


def test_an_error_in_one_thread_is_raised(two_threads):
    with pytest.raises(numba.TypingError):
        record(100, "no array")


def test_a_forked_process_has_threads_of_its_own(two_threads):
    """The parent's do not come along: waiting for them would never end."""
    assert shares(64) == [0, 32]
    child = os.fork()
    if not child:
        os._exit(shares(64) != [0, 32])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_crowded_machine_gets_one_thread_for_a_while(monkeypatch):
    clock, switches = 0.0, 0
    monkeypatch.setattr(compiled.time, "perf_counter", lambda: clock)
    monkeypatch.setattr(compiled, "_switches", lambda: switches)
    watch, seen = compiled.Watch(), []
    # Each second that many switches happen; looks after less than a tenth change nothing.
    for step, happened in [(1, 10), (0.01, 900), (1, 900), (1, 900), (2.5, 0), (1, 0), (1, 900)]:
        clock += step
        switches += happened
        seen.append(watch.crowded())
    assert seen == [False, False, True, True, False, False, True]


_UNWRITABLE = """
import numba.core.caching as caching
for locator in caching.CacheImpl._locator_classes:
    locator.from_function = classmethod(lambda cls, *args: None)
from holdfast.solvers.cmdp.scale.compiled import serial
@serial
def double(x):
    return 2 * x
print(double(21))
"""


def test_without_a_place_for_the_cache_functions_are_compiled_all_the_same():
    done = subprocess.run(
        [sys.executable, "-c", _UNWRITABLE], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["42"]


def test_loading_the_package_does_not_load_the_compiler():
    code = "import sys, holdfast.solvers as s; s.enclose;print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
