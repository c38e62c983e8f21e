"""How campaigns scale: ``python tests/benchmarks/campaigns.py million`` or ``... efficiency``.

`million` fills a store with a million findings, through the code that every run uses: the results
of real shards, again and again under other numbers.  It prints the size of the store and how long
it takes to write, look at, resume, summarise, compare and export it.

`efficiency` runs one campaign in one process, in two, and on two workers of Dask, prints what each
took, and fails unless all found the same, row by row.  What a pool takes to start, which is the
same however long the run, is printed and left out of the efficiency.  Nothing else should run
meanwhile.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from holdfast.verify.campaign.cluster import connected
from holdfast.verify.campaign.difference import differences
from holdfast.verify.campaign.results import read_results
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.schedule import DRAWN_SIZE, Budget
from holdfast.verify.campaign.status import status
from holdfast.verify.campaign.versions import versions
from holdfast.verify.cli.selection import to_examine
from holdfast.verify.engine.examiner import Kind, Shard, ShardResult, run_shard
from holdfast.verify.kernel import Verdict
from holdfast.verify.store.export import export
from holdfast.verify.store.store import Run, Store

PATTERNS = ["cmdp/occupancy", "cmdp/strong-duality", "cmdp/perturbation"]
MODELS = 6000  # of each claim, for the efficiency: a minute and a half of one process


def repeated(found: ShardResult, times: int) -> Iterator[ShardResult]:
    """The result of a shard under the numbers of the shards that follow."""
    for turn in range(times):
        first = turn * found.shard.size
        findings = tuple(
            replace(one, case=f"drawn:{first + int(one.case.partition(':')[2])}")
            for one in found.findings
        )
        yield replace(found, shard=replace(found.shard, index=first), findings=findings)


def record(run: Run, results: Iterable[ShardResult]) -> None:
    """Store them as a campaign does."""
    for result in results:
        run.record(result)


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Print how long it took, and how much memory the process has needed so far."""
    began, work_began = time.perf_counter(), processor_time()
    value = work()
    spent = f"{time.perf_counter() - began:8.1f} s, {processor_time() - work_began:6.1f} s of work"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:<34}{spent}, peak {peak:6.0f} MiB", flush=True)
    return value


def million(total: int) -> None:
    claims = to_examine(PATTERNS)[0]
    shards = [run_shard(c, Shard(c.name, Kind.DRAWN, 0, DRAWN_SIZE, 0)) for c in claims]
    times = -(-total // sum(len(one.findings) for one in shards))
    budget = Budget(models=times * DRAWN_SIZE)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "million.sqlite")
        with Store.open(place) as store:
            run = store.begin("made", 0, str(budget), versions())
            timed("write", lambda: record(run, (r for s in shards for r in repeated(s, times))))
        print(
            f"{times * len(shards):,} shards, budget {budget}, {place.stat().st_size / 1e6:,.0f} MB"
        )
        read(place)


def read(place: Path) -> None:
    """Everything that reads a store, timed."""
    with timed("open, and check the file", lambda: Store.read(place)) as store:
        run = store.run()
        found = timed("status", lambda: status(run))
        print(f"{found.findings:,} findings")
        done = run.results(only=Verdict.VIOLATED)
        timed("resume: what is done already", lambda: sum(1 for _ in done))
        timed("report: the summary", lambda: summary(run, to_examine(PATTERNS)[0]))
        target = place.with_suffix(".parquet")
        rows = timed("export to Parquet", lambda: export(run, target))
        print(f"{rows:,} rows, {target.stat().st_size / 1e6:,.0f} MB")
    old = timed("diff: read a store", lambda: read_results(str(place)))
    print(f"diff with itself: {len(differences(old, old))} changes")


def efficiency() -> None:
    claims = to_examine(PATTERNS)[0]
    took, found = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, jobs, address in (("1", 1, ""), ("2", 2, ""), ("dask", 2, "local:2")):
            place = str(Path(folder, f"{name}.sqlite"))
            with (
                Store.open(place) as store,
                connected(address, claims) if address else nullcontext() as executor,
            ):
                began, work = time.perf_counter(), processor_time()
                run = run_campaign(
                    claims, budget=Budget(models=MODELS), seed=0, store=store, jobs=jobs,
                    executor=executor,
                )  # fmt: skip
                starts = "SELECT min(elapsed - seconds) FROM shards WHERE run = ?"
                ((start,),) = store.database.rows(starts, (run.id,))
                took[name] = time.perf_counter() - began - start
                worked = sum(one.seconds for one in run.results())
            found[name] = read_results(place)
            n = sum(one.models for one in found[name].outcomes.values())
            print(
                f"{name:>4}: {took[name]:6.1f} s after {start:.1f} s to start, {n:,} models, "
                f"{worked:6.1f} s in shards, "
                f"{1000 * (processor_time() - work) / n:.2f} ms of processor a model here"
            )
    for name in ("2", "dask"):
        assert not differences(found["1"], found[name]), f"{name} found something else"
        print(f"{name:>4}: efficiency {took['1'] / took[name] / 2:.0%}, the same row by row")


def processor_time() -> float:
    """Seconds of this process and of its children that have ended."""
    parts = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in parts)


if __name__ == "__main__":
    {"million": lambda: million(1_000_000), "efficiency": efficiency}[sys.argv[1]]()
