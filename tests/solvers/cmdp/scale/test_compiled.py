"""Threads: as many as keep busy, one on a crowded machine, and always given back."""

from __future__ import annotations

import subprocess
import sys

import numba
import pytest

from holdfast.solvers.cmdp.scale import compiled


@pytest.fixture
def two_threads():
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("a machine with one core has nothing to watch")
    before = numba.get_num_threads()
    numba.set_num_threads(2)
    yield
    numba.set_num_threads(before)


def test_small_models_get_one_thread(two_threads):
    with compiled.suited_threads(1000):
        assert numba.get_num_threads() == 1
    assert numba.get_num_threads() == 2
    with compiled.suited_threads(10**6):
        assert numba.get_num_threads() == 2
    with pytest.raises(ZeroDivisionError), compiled.suited_threads(10):
        raise ZeroDivisionError
    assert numba.get_num_threads() == 2


def test_a_crowded_machine_gets_one_thread_for_a_while(two_threads, monkeypatch):
    clock, switches = 0.0, 0
    monkeypatch.setattr(compiled.time, "perf_counter", lambda: clock)
    monkeypatch.setattr(compiled, "_switches", lambda: switches)
    watch, seen = compiled.Watch(), []
    # Each second that many switches happen; looks at less than a tenth of a second change nothing.
    for step, happened in [(1, 10), (0.01, 900), (1, 900), (1, 900), (2.5, 0), (1, 0), (1, 900)]:
        clock += step
        switches += happened
        watch.look()
        seen.append(numba.get_num_threads())
    assert seen == [2, 2, 1, 1, 2, 2, 1]


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
