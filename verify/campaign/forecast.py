"""What a larger run would take, on how many workers, from the times of one that was made.

Main definitions: `costs`, of each claim; `forecast`, a simulation of workers that share one store,
and `larger`, of a run with more drawn models.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path

from ..engine.examiner import Kind
from ..store.store import Run, Store

_REWRITTEN = 400
"""Shards that are written once more to see how fast the store is: a second or less of work, after
which the mean no longer moves by more than some percent."""
_SIMULATED = 100_000
"""Drawn shards that are simulated at most; more of the same follow at the pace of the second half.
Fewer leave a thousand workers too few rounds to come to their pace, more take seconds each."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a claim.

    fixed: seconds for landmarks, controls and worlds, once; model: seconds for each drawn model,
    None if none was drawn; models: drawn ones that this was measured on.
    """

    claim: str
    fixed: float
    model: float | None
    models: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """A run on so many workers.

    seconds: to the end; efficiency: share of the workers' time that is spent on shards; store:
    share of the time in which the store is being written.
    """

    workers: int
    seconds: float
    efficiency: float
    store: float


def costs(run: Run) -> list[Cost]:
    """The cost of each claim in a run, by name."""
    rows = run.store.database.rows(
        "SELECT claim, kind = ?, sum(seconds), sum(size) FROM shards WHERE run = ? AND error = ''"
        " GROUP BY 1, 2",
        (Kind.DRAWN.name, run.id),
    )
    drawn = {claim: (seconds, models) for claim, is_drawn, seconds, models in rows if is_drawn}
    fixed = {claim: seconds for claim, is_drawn, seconds, _ in rows if not is_drawn}
    found = []
    for claim in sorted(fixed.keys() | drawn.keys()):
        seconds, models = drawn.get(claim, (0.0, 0))
        each = seconds / models if models else None
        found.append(Cost(claim, fixed.get(claim, 0.0), each, models))
    return found


def durations(run: Run) -> tuple[list[float], list[float]]:
    """Seconds of each shard of a run in its order: those that are done once, and the drawn ones."""
    rows = run.store.database.rows(
        "SELECT seconds, kind = ? FROM shards WHERE run = ? AND error = '' ORDER BY id",
        (Kind.DRAWN.name, run.id),
    )
    once = [seconds for seconds, is_drawn in rows if not is_drawn]
    return once, [seconds for seconds, is_drawn in rows if is_drawn]


def write_seconds(run: Run) -> float:
    """Seconds to store a shard of this run, measured now on the disk of temporary files."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder, "again")) as store:
        copy = store.begin(run.fingerprint, run.seed, run.budget, run.versions)
        results = list(islice(run.results(), _REWRITTEN))
        began = time.perf_counter()
        for result in results:
            copy.record(result)
        return (time.perf_counter() - began) / max(len(results), 1)


def larger(
    once: Sequence[float], drawn: list[float], times: int, write: float, workers: int
) -> Forecast:
    """As `forecast`, of a run with so many times its drawn shards."""
    few = min(times, max(2, _SIMULATED // max(len(drawn), 1)))
    found = forecast([*once, *drawn * few], write, workers)
    if few == times:
        return found
    half = forecast([*once, *drawn * (few // 2)], write, workers)
    pace = (found.seconds - half.seconds) / (few - few // 2)
    work = sum(once) + times * sum(drawn)
    writing = write * (len(once) + times * len(drawn))
    # where one long shard hides the pace, no less than the work of them all
    seconds = max(found.seconds + (times - few) * pace, work / workers, writing)
    return Forecast(workers, seconds, work / (workers * seconds), writing / seconds)


def forecast(shards: Sequence[float], write: float, workers: int) -> Forecast:
    """Simulate a run whose shards take so long, each of which takes `write` seconds to store.

    As in a run, shards are handed out in order, at most two for each worker are under way, and
    another one follows when one has been stored; results are stored one after the other.  The
    network, and the memory of the workers, are left out.
    """
    free, flying, clock = [0.0] * workers, list[float](), 0.0
    for number, seconds in enumerate(shards):
        ready = 0.0
        if number >= 2 * workers:
            ready = clock = max(clock, heappop(flying)) + write
        end = max(heappop(free), ready) + seconds
        heappush(free, end)
        heappush(flying, end)
    while flying:
        clock = max(clock, heappop(flying)) + write
    busy = sum(shards) / (workers * clock)
    return Forecast(workers, clock, busy, write * len(shards) / clock)
