"""What a campaign does in which order: the budget, and the shards that follow from it.

First what the corpus keeps of every claim, then the landmarks, the controls and the worlds; then
drawn models, a shard for each claim in turn.  With a budget of N models every claim gets exactly N,
violated or not, so that the findings do not depend on how many processes shared the work.  With a
budget of seconds, shards of drawn models follow until the time is out, and a violated claim gets no
more of them.
A claim that proves faulty gets no further shard of any kind; one drawn case that takes longer than
a budget of seconds makes it so, unless it is a training run, which takes as long as it takes: such
a case is a shard of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from ..binding import corpus
from ..binding.claims import Claim
from ..engine.examiner import Kind, Shard, ShardResult
from ..kernel import Verdict

DRAWN_SIZE = 50
"""Models in a shard of drawn models.  Larger shards lose more when interrupted and share out less
evenly at the end; smaller ones spend more of their time on being sent and stored."""

CONTROL_SIZE = 400
"""Models that a control may draw before it counts as a survivor.  Only a control that nothing
refutes draws them all; fewer would call a survivor what one model in a few hundred refutes."""

LEAST_PATIENCE = 30.0
"""Seconds that one drawn case may take at least, however small the budget.  More keeps a run with
a case that does not end waiting; less would end a case that is slow on a busy machine."""

_UNITS = {"s": 1, "m": 60, "h": 3600}


def _size(claim: Claim) -> int:
    """Cases in a shard of drawn models."""
    return 1 if claim.trained else max(1, DRAWN_SIZE // claim.family.weight)


class BudgetError(ValueError):
    """A budget that cannot be read."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to go on: a number of seconds, or a number of drawn models for each claim."""

    seconds: float | None = None
    models: int | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.models is None):
            raise BudgetError(f"give seconds or models, one of them, not {self!r}")
        if (self.seconds or self.models or 0) <= 0:
            raise BudgetError(f"a budget must be positive, got {self}")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``60s``, ``2m``, ``1.5h`` or ``500``; raises BudgetError."""
        found = re.fullmatch(r"\s*(\d{1,9})(?:(\.\d{1,9})?([smh]))?\s*", text, re.ASCII)
        if found is None:
            raise BudgetError(
                f"cannot read the budget {text!r}; give a time such as 60s, 2m or 1.5h, "
                "or a number of models for each claim such as 500"
            )
        whole, rest, unit = found.groups()
        if unit is None:
            return cls(models=int(whole))
        return cls(seconds=float(whole + (rest or "")) * _UNITS[unit])

    @property
    def patience(self) -> float | None:
        """Seconds that one drawn case may take; None for any, with a number of models."""
        return None if self.seconds is None else max(self.seconds, LEAST_PATIENCE)

    def __str__(self) -> str:
        return str(self.models) if self.seconds is None else f"{self.seconds:g}s"


class PlanError(ValueError):
    """A plan that cannot be carried out."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the shards of a campaign follow from.

    worlds: name -> model of the user; world_cases: cases of each claim on each of them;
    worlds_only: whether to examine nothing else; left_out: name of a world -> names of the claims
    that are not examined on it.

    Raises
    ------
    PlanError: if there is no claim, a claim is given twice, or `world_cases` is less than one.
    """

    claims: tuple[Claim, ...]
    budget: Budget
    seed: int
    worlds: Mapping[str, Any] = field(default_factory=dict)
    world_cases: int = 1
    worlds_only: bool = False
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [claim.name for claim in self.claims]
        if not names:
            raise PlanError("no claim to examine; name at least one")
        for name in names:
            if names.count(name) > 1:
                raise PlanError(f"{name} is given {names.count(name)} times; give each claim once")
        if self.world_cases < 1:
            raise PlanError(f"world_cases must be at least 1, got {self.world_cases}")
        if self.worlds_only and not self.worlds:
            raise PlanError("worlds_only without worlds leaves nothing to examine; give a world")


class Schedule:
    """Says which shard comes next; told of the results, since some of them end a claim."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._claims = {claim.name: claim for claim in plan.claims}
        self._faulty: set[str] = set()
        self._violated: set[str] = set()

    @property
    def planned(self) -> Counter[str] | None:
        """Shards of each claim if none proves faulty; None with a budget of seconds."""
        models = 0 if self._plan.worlds_only else self._plan.budget.models
        if models is None:
            return None
        return Counter(shard.claim for shard in chain(self._fixed(), self._rounds(models)))

    @property
    def total(self) -> int | None:
        """The sum of `planned`."""
        return None if self.planned is None else self.planned.total()

    def note(self, result: ShardResult) -> None:
        """Take a result into account."""
        name = result.shard.claim
        if result.error:
            self._faulty.add(name)
        expected = self._claims[name].theorem.standing.is_false
        if not expected and any(f.verdict is Verdict.VIOLATED for f in result.findings):
            self._violated.add(name)

    def shards(self, elapsed: Callable[[], float]) -> Iterator[Shard]:
        """All shards in order; `elapsed` gives the seconds spent on the run so far."""
        for shard in self._fixed():
            if shard.claim not in self._faulty:
                yield replace(shard, seconds=self._patience(shard))
        if self._plan.worlds_only:
            return
        if self._plan.budget.models is not None:
            yield from self._counted(self._plan.budget.models)
        else:
            yield from self._timed(elapsed, self._plan.budget.seconds or 0.0)

    def _patience(self, shard: Shard) -> float | None:
        """Seconds that a case of the shard may take."""
        unlimited = shard.kind is Kind.WORLD or self._claims[shard.claim].trained
        return None if unlimited else self._plan.budget.patience

    def _fixed(self) -> Iterator[Shard]:
        if not self._plan.worlds_only:
            for name, claim in self._claims.items():
                if kept := len(corpus.read(claim)):
                    yield Shard(name, Kind.CORPUS, 0, kept, self._plan.seed)
            for name, claim in self._claims.items():
                size = len(claim.family.landmarks)
                yield Shard(name, Kind.LANDMARKS, 0, size, self._plan.seed)
            for name, claim in self._claims.items():
                size = 1 if claim.trained else CONTROL_SIZE
                for control in claim.family.controls:
                    yield Shard(name, Kind.CONTROL, 0, size, self._plan.seed, control)
        for world in self._plan.worlds:
            left_out = self._plan.left_out.get(world, frozenset())
            for name in (name for name in self._claims if name not in left_out):
                yield Shard(name, Kind.WORLD, 0, self._plan.world_cases, self._plan.seed, world)

    def _counted(self, models: int) -> Iterator[Shard]:
        for shard in self._rounds(models):
            if shard.claim not in self._faulty:
                yield shard

    def _rounds(self, models: int) -> Iterator[Shard]:
        """Shards of drawn models, one of each claim in turn, until each has so many models."""
        sizes = {name: _size(claim) for name, claim in self._claims.items()}
        for turn in range(-(-models // min(sizes.values()))):
            for name, size in sizes.items():
                first = turn * size
                if first < models:
                    yield Shard(name, Kind.DRAWN, first, min(size, models - first), self._plan.seed)

    def _timed(self, elapsed: Callable[[], float], seconds: float) -> Iterator[Shard]:
        turn = 0
        while self._claims.keys() - self._faulty - self._violated:
            for name, claim in self._claims.items():
                if turn and elapsed() >= seconds:
                    return
                if name not in self._faulty | self._violated:
                    size = _size(claim)
                    shard = Shard(name, Kind.DRAWN, turn * size, size, self._plan.seed)
                    yield replace(shard, seconds=self._patience(shard))
            turn += 1
