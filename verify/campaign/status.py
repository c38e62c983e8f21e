"""How far a run in a store is, read beside whoever is writing it: `status`."""

from __future__ import annotations

import operator
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..kernel import Verdict
from ..store.store import Run, row_of
from .power import GRAVITY
from .schedule import Budget

WINDOW = 100
"""Shards from whose times the present pace is taken.  More answer late when the pace changes, as
from landmarks to drawn models; fewer jump with each slow shard."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The last `WINDOW` shards, by the wall clock of the run.

    models, shards: a second; busy: workers that were busy at a time, on average.
    """

    models: float
    shards: float
    busy: float


@dataclass(frozen=True, slots=True)
class Status:
    """A run so far.

    run: its number in the store; options: of the command that began it; done, planned: shards,
    None where a budget of seconds leaves open how many there will be; missing: shards that a
    finished run should have and has not; models, findings: numbers of them; verdicts: of the
    findings, the gravest first; faulty: claims that ended with an error; elapsed, quiet: seconds
    spent on the run, and since the store was last written; left: seconds to the end at this pace,
    None if unknown; alpha: a bound on the probability that any of the verdicts is wrong.
    """

    run: int
    seed: int
    budget: str
    started: str
    finished: bool
    options: Mapping[str, Any]
    done: int
    planned: int | None
    missing: int
    models: int
    findings: int
    verdicts: Mapping[Verdict, int]
    faulty: tuple[str, ...]
    elapsed: float
    quiet: float
    pace: Pace | None
    left: float | None
    alpha: Fraction


def status(run: Run) -> Status:
    """The status of a run; raises StoreError if the store cannot be read."""
    shards = run.store.database.rows(
        "SELECT elapsed, models, seconds, claim, error != '' FROM shards WHERE run = ?"
        " ORDER BY elapsed, id",
        (run.id,),
    )
    counts, alpha = _findings(run)
    done = Counter(claim for _, _, _, claim, _ in shards)
    faulty = tuple(sorted({claim for *_, claim, error in shards if error}))
    whole = run.planned
    planned = None if whole is None else sum(whole.values())
    due = {name: number for name, number in (whole or {}).items() if name not in faulty}
    missing = sum(number - done[name] for name, number in due.items()) if run.finished else 0
    elapsed, pace = max((row[0] for row in shards), default=0.0), _pace(shards[-WINDOW:])
    return Status(
        run=run.id,
        seed=run.seed,
        budget=run.budget,
        started=run.started,
        finished=run.finished,
        options=run.plan.get("options", {}),
        done=len(shards),
        planned=planned,
        missing=missing,
        models=sum(row[1] for row in shards),
        findings=counts.total(),
        verdicts={verdict: counts[verdict] for verdict in GRAVITY if counts[verdict]},
        faulty=faulty,
        elapsed=elapsed,
        quiet=time.time() - max(map(_written, ("", "-wal"), (run.store.path,) * 2)),
        pace=pace,
        left=None if run.finished else _left(run.budget, planned, len(shards), elapsed, pace),
        alpha=alpha,
    )


def _findings(run: Run) -> tuple[Counter[Verdict], Fraction]:
    """(how often each verdict fell, alpha spent); the parts of a theorem share one test."""
    rows = run.store.database.rows(
        "SELECT verdict, part = 0, alpha, count(*) FROM findings"
        " WHERE shard IN (SELECT id FROM shards WHERE run = ?) GROUP BY 1, 2, 3",
        (run.id,),
    )
    counts: Counter[Verdict] = Counter()
    spent = Fraction(0)
    for verdict, first, alpha, number in rows:
        with row_of(run.store.path, "findings", {"verdict": verdict, "alpha": alpha}):
            counts[Verdict[verdict]] += number
            share = Fraction(*map(int, alpha.split("/")))  # 1e999999999 is none: it would not end
            if not 0 <= share <= 1:
                raise ValueError
            spent += share * number * first
    return counts, spent


def _pace(last: Sequence[Sequence[Any]]) -> Pace | None:
    """Of shards, each as (elapsed, models, seconds, ...); the first only starts the clock."""
    span = last[-1][0] - last[0][0] if last else 0.0
    if span <= 0:
        return None
    models, seconds = (sum(map(operator.itemgetter(column), last[1:])) for column in (1, 2))
    return Pace(models / span, (len(last) - 1) / span, seconds / span)


def _left(
    budget: str, planned: int | None, done: int, elapsed: float, pace: Pace | None
) -> float | None:
    if planned is not None:
        return None if pace is None else (planned - done) / pace.shards
    seconds = Budget.parse(budget).seconds
    return None if seconds is None else max(seconds - elapsed, 0.0)


def _written(suffix: str, path: str) -> float:
    with suppress(FileNotFoundError):
        return Path(path + suffix).stat().st_mtime
    return 0.0
