"""A shard as a worker gets it, and what a worker makes of it.

A worker is told which file a claim is in, loads it once, and looks the claim up by name, so nothing
of a claim has to be pickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..binding.claims import Claim, is_shipped, load, shipped
from ..binding.values import ClaimError
from ..engine.examiner import Shard, ShardResult, run_shard
from ..engine.ledger import Ledger
from .runs import kept

SHIPPED = ""
"""The file of the claims that come with holdfast, which lies elsewhere on another machine."""

KILLED = "killed its worker, twice (out of memory, or a crash in C?)"


@dataclass(frozen=True, slots=True)
class Task:
    """A shard with what a worker needs to run it.

    file: where the claim is made, or `SHIPPED`; world: the model of a WORLD shard, else None;
    runs: folder of training runs, empty for that of the environment.
    """

    shard: Shard
    file: str
    ledger: Ledger
    world: Any = None
    runs: str = ""


def place(claim: Claim) -> str:
    """What a task says of the file of its claim."""
    return SHIPPED if is_shipped(claim.file) else claim.file


def examine(claim: Claim, task: Task) -> ShardResult:
    """Run the task here; whatever is raised is the error of its shard."""
    try:
        with kept(task.runs):
            return run_shard(claim, task.shard, task.ledger, task.world)
    except (Exception, SystemExit) as error:
        return failed(task.shard, f"its family raised {type(error).__name__}: {error}")


def failed(shard: Shard, why: str) -> ShardResult:
    """The result of a shard that gave none."""
    where = f"{shard.claim}, shard {shard.kind.name.lower()}"
    if shard.name:
        where += f" {shard.name!r}"
    return ShardResult(shard, (), error=f"{where}, {shard.size} cases from {shard.index}: {why}")


def work(task: Task) -> ShardResult:
    """Run the task in a worker."""
    try:
        claim = _claim(task.file, task.shard.claim)
    except (ClaimError, KeyError) as error:
        return failed(task.shard, f"a worker cannot load the claim: {error}")
    return examine(claim, task)


@cache
def _claim(file: str, name: str) -> Claim:
    claims = shipped([name]) if file == SHIPPED else load(Path(file))
    return {claim.name: claim for claim in claims}[name]
