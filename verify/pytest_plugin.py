"""The pytest plugin: ``pytest --holdfast`` runs every claim as a test.

The shipped claims become the items ``holdfast::<label>`` whenever pytest is given no paths; files
of claims (``holdfast_files`` in the configuration) are collected wherever pytest looks for tests.
All are marked ``holdfast``, so ``pytest --holdfast -m holdfast`` runs nothing else.

Without ``--holdfast`` nothing is collected, and nothing beyond this module is imported.
"""

from __future__ import annotations

import fnmatch
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .binding.claims import Claim
    from .campaign.schedule import Budget
    from .campaign.summary import ClaimSummary
    from .engine.examiner import Shard, ShardResult
    from .engine.finding import Finding

PATTERNS = ("*_claims.py", "claims_*.py", "claim_*.py")
_FEWEST, _MOST = 25, 500
"""Without a budget: models for each claim, and how many at most while mutants live or power is
lacking.  More would make the tests slow, fewer leave mutants alive that verify refutes."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and the configuration key."""
    group = parser.getgroup("holdfast", "theorems checked by holdfast")
    group.addoption("--holdfast", action="store_true", help="run claims as tests")
    group.addoption(
        "--holdfast-budget",
        metavar="N|60s",
        help="number of random models for each claim, or a time such as 60s (default: "
        f"{_FEWEST} models, and up to {_MOST} while a mutant survives or power is lacking)",
    )
    group.addoption("--holdfast-seed", metavar="SEED", type=int, default=0, help="random seed (0)")
    parser.addini(
        "holdfast_files",
        f"name patterns of files of claims (default: {' '.join(PATTERNS)})",
        type="args",
        default=list(PATTERNS),
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and look at the budget.

    Raises
    ------
    pytest.UsageError: if the budget cannot be read.
    """
    config.addinivalue_line("markers", "holdfast: a claim run by holdfast")
    if config.option.holdfast and config.option.holdfast_budget is not None:
        from .campaign.schedule import Budget, BudgetError

        try:
            Budget.parse(config.option.holdfast_budget)
        except BudgetError as error:
            raise pytest.UsageError(f"--holdfast-budget: {error}") from error


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ClaimFile | None:
    """A file of claims, where claims are asked for and the name fits."""
    if not parent.config.getoption("holdfast"):
        return None
    patterns = parent.config.getini("holdfast_files")
    if not any(fnmatch.fnmatch(file_path.name, pattern) for pattern in patterns):
        return None
    collector: ClaimFile = ClaimFile.from_parent(parent, path=file_path)
    return collector


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the shipped claims, before ``-k`` and ``-m`` choose among the items."""
    paths_given = config.args_source is pytest.Config.ArgsSource.ARGS
    if config.getoption("holdfast") and not paths_given:
        shelf = ShippedClaims.from_parent(
            session, name="holdfast", nodeid="holdfast", path=config.rootpath
        )
        added = list(shelf.collect())
        items.extend(added)
        session.testscollected += len(added)


class ShippedClaims(pytest.Collector):
    """The claims that come with holdfast."""

    def collect(self) -> Iterator[ClaimItem]:
        """One item for each claim, in order of their theorems; none for trained networks."""
        from .binding import claims as binding_claims

        return _items(self, binding_claims.shipped())


class ClaimFile(pytest.File):
    """A user's file of claims."""

    def collect(self) -> Iterator[ClaimItem]:
        """One item for each claim of the file."""
        from .binding import claims as binding_claims
        from .binding.values import ClaimError

        try:
            claims = binding_claims.load(self.path)
        except ClaimError as error:
            raise self.CollectError(str(error)) from error
        return _items(self, claims)


def _items(parent: pytest.Collector, claims: Iterable[Claim]) -> Iterator[ClaimItem]:
    for claim in (one for one in claims if not one.trained):
        item: ClaimItem = ClaimItem.from_parent(parent, name=claim.name, claim=claim)
        yield item


class ClaimFailed(Exception):
    """A claim did not fare as expected; the message is the report."""


class ClaimItem(pytest.Item):
    """One claim as a test: landmarks, drawn models, mutants and controls."""

    def __init__(self, *, claim: Claim, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.claim = claim
        self.add_marker("holdfast")

    def runtest(self) -> None:
        """Run the claim; raises ClaimFailed with the report if it is not as expected."""
        from .campaign.exit_codes import ExitCode
        from .campaign.schedule import Budget

        seed = int(self.config.getoption("holdfast_seed"))
        text = self.config.getoption("holdfast_budget")
        budget = None if text is None else Budget.parse(text)
        summary = _campaign(self.claim, seed, budget)
        self.user_properties.append(("verdict", summary.verdict.name))
        self.user_properties.append(("models", summary.models))
        self.user_properties.append(("telling", summary.telling))
        if summary.exit_code is not ExitCode.AS_EXPECTED:
            raise ClaimFailed("\n".join(_report(self.claim, summary, seed)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report alone for a failed claim; a traceback for everything else."""
        if isinstance(excinfo.value, ClaimFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the claim is made, and what heads the report of its failure."""
        return self.path, None, f"{self.claim.name}: {self.claim.theorem.title}"


def _campaign(claim: Claim, seed: int, budget: Budget | None) -> ClaimSummary:
    """Run the shards of a claim here; without a budget, as many as its mutants and power take."""
    from .campaign.schedule import Budget
    from .campaign.summary import summarise
    from .engine.examiner import Kind, run_shard

    limits = budget or Budget(models=_MOST)
    start, drawn = time.monotonic(), 0
    results: list[ShardResult] = []
    for shard in _shards(claim, seed, limits, budget is None):
        results.append(run_shard(claim, replace(shard, seconds=limits.patience)))
        drawn += shard.size if shard.kind is Kind.DRAWN else 0
        summary = summarise(claim, results)
        late = limits.seconds is not None and time.monotonic() - start > limits.seconds
        sated = budget is None and drawn >= _FEWEST and not _weak(summary)
        if late or sated or _settled(summary):
            break
    return summary


def _weak(summary: ClaimSummary) -> bool:
    return bool(summary.survived) or summary.without_power


def _settled(summary: ClaimSummary) -> bool:
    """Whether no further model can change that the claim failed."""
    expected = summary.claim.theorem.standing.is_false
    return bool(summary.error or (summary.violations and not expected))


def _shards(claim: Claim, seed: int, budget: Budget, small: bool) -> Iterator[Shard]:
    """The corpus, landmarks, controls, then drawn models up to the budget, which seconds leave
    open."""
    from .binding import corpus
    from .campaign.schedule import CONTROL_SIZE, DRAWN_SIZE
    from .engine.examiner import Kind, Shard

    if kept := len(corpus.read(claim)):
        yield Shard(claim.name, Kind.CORPUS, 0, kept, seed)
    yield Shard(claim.name, Kind.LANDMARKS, 0, len(claim.family.landmarks), seed)
    for assumption in claim.family.controls:
        yield Shard(claim.name, Kind.CONTROL, 0, CONTROL_SIZE, seed, assumption)
    last, size = budget.models or sys.maxsize, _FEWEST if small else DRAWN_SIZE
    for first in range(0, last, size):
        yield Shard(claim.name, Kind.DRAWN, first, min(size, last - first), seed)


def _report(claim: Claim, summary: ClaimSummary, seed: int) -> Iterator[str]:
    """What a person needs to know about a claim that failed, the verdict first."""
    from .kernel import Verdict
    from .report.wording import heading, models, outcome

    also = ", mutants survive" if summary.unnoticed else ""
    yield f"{heading(summary)}{also}: {claim.name}: {outcome(summary)}"
    if not claim.theorem.standing.is_false:
        if summary.violations and not summary.error:
            yield from _violation(claim, summary.violations[0], seed)
    elif summary.verdict is not Verdict.VIOLATED:
        yield f"{claim.name} stands in the catalogue as {claim.theorem.standing.value}; nothing "
        yield f"refuted it; {models(summary)} models were telling"
    yield from _survivors(summary)


def _survivors(summary: ClaimSummary) -> Iterator[str]:
    from .report.wording import models

    for name in summary.unnoticed:
        yield f"mutant survived {models(summary)} telling models: {name}"
    if summary.unnoticed:
        yield "a check that cannot tell a theorem from a false variant checks nothing: widen the"
        yield "family, add a landmark, or list the mutant in `survivors` with the reason it is true"


def _violation(claim: Claim, finding: Finding, seed: int) -> Iterator[str]:
    """The counterexample, shrunk where it was drawn, and how to see it again."""
    from .binding.values import ClaimError
    from .search.refutations import smallest

    try:
        found, trace = smallest(claim, finding.case, seed)
    except ClaimError as error:
        yield f"the claim is faulty, so this is no refutation: {error}"
        return
    yield from found.lines() if found else [f"{claim.name} is violated on {finding.case}"]
    way = "" if trace is None else f", shrunk to the trace {list(trace)}"
    yield f"found on {finding.case} with seed {seed}{way}"
