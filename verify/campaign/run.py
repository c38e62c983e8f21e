"""A campaign: all shards of some claims under a budget, into a store, on any executor.

Main definitions: `run_campaign`, which may be killed and called again, and `summary`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..binding import corpus
from ..binding.claims import Claim
from ..binding.description import describe
from ..engine.examiner import Kind, ShardResult
from ..engine.ledger import RUN_ALPHA, Ledger
from ..kernel import Verdict
from ..store.store import Run, Store
from .runs import beside
from .schedule import CONTROL_SIZE, DRAWN_SIZE, Budget, Plan, PlanError, Schedule
from .summary import ClaimSummary, RunSummary, summarise
from .tasks import Task, examine, place
from .versions import trained_with, versions
from .workers import Workers
from .worlds import WorldSummary

MEANING = 2
"""Raised when findings of earlier versions mean something else: their runs are not resumed."""

_NO_WORLDS: Mapping[str, Any] = MappingProxyType({})


class CampaignError(Exception):
    """A campaign that cannot go on; what was finished is in the store."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a campaign; the message says what was kept and how to go on."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a progress display is told, once for each shard.

    result: what the shard found, of which only the violations are read again where it is `stored`,
    found in an earlier part of the run;
    done: shards so far; total: shards in all, None with a budget of seconds; elapsed: seconds.
    """

    result: ShardResult
    stored: bool
    done: int
    total: int | None
    elapsed: float


def run_campaign(
    claims: Sequence[Claim],
    *,
    budget: Budget,
    seed: int,
    store: Store,
    jobs: int = 1,
    executor: Executor | None = None,
    worlds: Mapping[str, Any] = _NO_WORLDS,
    world_cases: int = 1,
    worlds_only: bool = False,
    left_out: Mapping[str, frozenset[str]] = MappingProxyType({}),
    progress: Callable[[Progress], None] | None = None,
    fresh: bool = False,
    options: Mapping[str, Any] | None = None,
    alone: bool = False,
) -> Run:
    """Examine the claims and return the finished run; goes on with an unfinished one.

    Parameters
    ----------
    jobs: processes; with 1, all is done here.  Workers load each claim from the file it is made in.
    executor: that of `cluster.connected`, or any other executor of processes (not of threads: the
        precision of arb is global), with `jobs` its number of workers.
    worlds: what the user brought, by name; world_cases: cases of each claim on each of them.
    worlds_only: examine no landmarks, controls and drawn models.
    left_out: for each world, claims that are not examined on it.
    fresh: begin a new run even if there is an unfinished one.
    options: plain data, kept in the store, from which a program can make the same call again.
    alone: whether the store is for this run alone, unless `fresh`.

    Raises
    ------
    PlanError: if there is no claim, one is given twice, or `jobs` or `world_cases` is below one;
        if the newest run of a store for one run `alone` is finished, or another one.
    CampaignError: if the executor that was given breaks.
    StoreError: if the store cannot be written any more.
    Interrupted: on Ctrl-C; what was finished is in the store.
    """
    if jobs < 1:
        raise PlanError(f"jobs must be at least 1, got {jobs}")
    plan = Plan(tuple(claims), budget, seed, worlds, world_cases, worlds_only, left_out)
    identity, schedule = fingerprint(plan), Schedule(plan)
    if alone and not fresh:
        _refuse_another(store, identity, plan)
    kept = _kept_plan(plan, schedule, options or {})
    run = store.begin(identity, seed, str(budget), versions(), fresh, kept)
    counter = _Counter(schedule, run, progress)
    tasks = _tasks(plan, schedule, run)
    try:
        for result in run.results(only=Verdict.VIOLATED):  # all that the schedule asks for
            counter.add(result, stored=True)
        _work_on(tasks, {claim.name: claim for claim in claims}, jobs, executor, counter)
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted: {_kept(run)}") from error
    except BrokenExecutor as error:
        raise CampaignError(f"{error}: {_kept(run)}") from error
    run.finish()
    return run


def _work_on(
    tasks: Iterator[Task],
    known: Mapping[str, Claim],
    jobs: int,
    executor: Executor | None,
    counter: _Counter,
) -> None:
    if jobs == 1 and executor is None:
        for task in tasks:
            counter.record(examine(known[task.shard.claim], task))
    else:
        with Workers(jobs, executor) as workers, closing(workers.stream(tasks)) as results:
            for result in results:
                counter.record(result)


def summary(run: Run, claims: Sequence[Claim], worlds: Sequence[WorldSummary] = ()) -> RunSummary:
    """What a run comes to: each claim on drawn models, then each claim on each world."""
    summaries: dict[str, list[ClaimSummary]] = {"": []}
    for claim in claims:  # one at a time: a million findings fill the memory
        results: dict[str, list[ShardResult]] = {}
        for result in run.results(claim.name):
            world = result.shard.name if result.shard.kind is Kind.WORLD else ""
            results.setdefault(world, []).append(result)
        for world, found in results.items():
            summaries.setdefault(world, []).append(summarise(claim, found, world))
    return RunSummary(
        claims=tuple(chain.from_iterable(summaries.values())),
        worlds=tuple(worlds),
        seed=run.seed,
        budget=run.budget,
        seconds=run.elapsed,
        versions=run.versions,
        alpha=str(RUN_ALPHA),
    )


def fingerprint(plan: Plan) -> str:
    """SHA-256 of all that the findings follow from; only a run with the same one is resumed.

    The files in which claims are made, and what the corpus keeps, count byte for byte; families and
    solvers by version only.
    """
    document = {
        "claims": sorted((_identity(claim) for claim in plan.claims), key=json.dumps),
        "worlds": {
            name: getattr(model, "digest", None) or describe(model)
            for name, model in plan.worlds.items()
        },
        "budget": [str(plan.budget), plan.seed, plan.world_cases, plan.worlds_only],
        "left_out": {world: sorted(names) for world, names in plan.left_out.items()},
        "sizes": [DRAWN_SIZE, CONTROL_SIZE],
        "verdicts": MEANING,
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _identity(claim: Claim) -> list[Any]:
    path = Path(claim.file)
    source = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else claim.file
    return [
        claim.name,
        [str(part) for part in claim.theorem.parts],
        str(claim.theorem.trivial),
        [mutant.name for mutant in claim.mutants],
        [[mutant.name, str(mutant.relation)] for mutant in claim.named_mutants],
        sorted(claim.survivors),
        [claim.family.name, list(claim.family.landmarks), list(claim.family.controls)],
        trained_with() if claim.trained else {},
        [asdict(kept) for kept in corpus.read(claim)],
        source,
    ]


class _Counter:
    """Passes each result on to the store, the schedule and the display."""

    def __init__(
        self, schedule: Schedule, run: Run, progress: Callable[[Progress], None] | None
    ) -> None:
        self._schedule, self._run, self._progress = schedule, run, progress
        self._total, self._done = schedule.total, 0

    def record(self, result: ShardResult) -> None:
        self._run.record(result)
        self.add(result, stored=False)

    def add(self, result: ShardResult, stored: bool) -> None:
        self._schedule.note(result)
        self._done += 1
        if self._progress is not None:
            self._progress(Progress(result, stored, self._done, self._total, self._run.elapsed))


def _tasks(plan: Plan, schedule: Schedule, run: Run) -> Iterator[Task]:
    """What is left to do.  Every world repeats the test numbers, so it counts as more claims."""
    files = {claim.name: place(claim) for claim in plan.claims}
    ledger = Ledger(claims=len(plan.claims) * (1 + len(plan.worlds)))
    runs = beside(run.store.path)
    for shard in schedule.shards(lambda: run.elapsed):
        if not run.done(shard.key):
            world = plan.worlds[shard.name] if shard.kind is Kind.WORLD else None
            yield Task(shard, files[shard.claim], ledger, world, runs)


def _kept_plan(plan: Plan, schedule: Schedule, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the store is told of the plan, so that it can be read where the claims have changed."""
    planned = schedule.planned
    claims = {
        claim.name: {
            "statement": str(claim.theorem.relation),
            "false": claim.theorem.standing.is_false,
            "shards": None if planned is None else planned[claim.name],
        }
        for claim in plan.claims
    }
    return {"options": dict(options), "claims": claims}


def _refuse_another(store: Store, identity: str, plan: Plan) -> None:
    """Raises PlanError unless the newest run of the store, if any, is this one and unfinished."""
    newest = next(iter(store.runs()), None)
    if newest is None or (newest.fingerprint == identity and not newest.finished):
        return
    remedy = "choose another name, or begin anew with --fresh"
    if newest.fingerprint == identity:
        raise PlanError(f"the run in {store.path} is finished; read it, or {remedy}")
    now = {"seed": str(plan.seed), "budget": str(plan.budget), **versions()}
    then = {"seed": str(newest.seed), "budget": newest.budget, **newest.versions}
    differs = [
        f"{name} {then.get(name, 'absent')} then, {value} now"
        for name, value in now.items()
        if then.get(name) != value
    ]
    what = "; ".join(differs) or "other claims, models, or files of claims that have changed"
    raise PlanError(f"the run in {store.path} is another one ({what}); {remedy}")


def _kept(run: Run) -> str:
    if run.store.path == ":memory:":
        return f"{run.n_done} shards were finished, but in memory only; name a store to keep them"
    return (
        f"{run.n_done} finished shards are kept in {run.store.path}; "
        "the same command again goes on from there"
    )
