"""Counterexamples of a run: each violated claim's smallest one, certified and written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..binding.claims import Claim
from ..binding.description import digest, value_text
from ..binding.values import ClaimError
from ..campaign.run import run_campaign, summary
from ..campaign.summary import ClaimSummary, RunSummary
from ..engine.examiner import UNDEFINED, drawn_case, named_case
from ..engine.finding import Counterexample, Finding
from ..kernel import Verdict
from ..store.store import Store
from .counterexample import Observation, Refuter, certify
from .shrink import shrink


def examine(
    claims: Sequence[Claim], *, store: str | Path, certificates: Path | None, **plan: Any
) -> RunSummary:
    """Run a campaign into a store, and sum it up.

    certificates: folder for those of counterexamples, which are then shrunk and certified; plan: as
    for `run_campaign`, which also says what is raised.
    """
    with Store.open(store) as database:
        found = summary(run_campaign(claims, store=database, **plan), claims)
    return found if certificates is None else with_counterexamples(found, certificates)


def with_counterexamples(run: RunSummary, directory: Path | None) -> RunSummary:
    """The summary with the counterexamples of its claims, by their names; a claim that does not
    give the same values again on its counterexample is faulty, and not violated.

    A violation on a drawn model is shrunk first, unless the model is a training run, which is
    looked up again and stands as it is; the certificate is written into the directory, if one is
    given, where the kernel accepts it.  Violations on a user's own model, and relations that have
    no value, are reported as they stand.
    """
    found: dict[str, Counterexample] = {}
    errors: dict[str, str] = {}
    for one in run.claims:
        try:
            if kept := _counterexample(one, run.seed, directory):
                found[one.claim.name] = kept
        except ClaimError as error:
            errors[one.claim.name] = str(error)
    judged = (
        replace(one, error=errors[one.claim.name], violations=(), verdict=Verdict.UNDECIDED)
        if one.claim.name in errors
        else one
        for one in run.claims
    )
    return replace(run, claims=tuple(judged), counterexamples=found)


def _counterexample(one: ClaimSummary, seed: int, directory: Path | None) -> Counterexample | None:
    """Raises ClaimError where the claim is faulty."""
    valued = [finding for finding in one.violations if finding.left != UNDEFINED]
    if not valued or one.world or one.error:
        return None
    if one.claim.theorem.standing.is_false:  # each named instance has a certificate of its own
        for finding in valued[1:]:
            again = _named(one.claim, finding)
            if again is not None:
                _written(finding, again, shrunk=False, directory=directory)
    seen, trace = smallest(one.claim, valued[0].case, seed)
    return _written(valued[0], seen, trace is not None, directory) if seen else None


def _named(claim: Claim, finding: Finding) -> Observation | None:
    """The violation on a named case; None on a drawn one."""
    is_drawn = finding.case.startswith("drawn:")
    return None if is_drawn else Refuter(claim).refute(named_case(claim, finding.case))


def smallest(
    claim: Claim, label: str, seed: int
) -> tuple[Observation | None, Sequence[int] | None]:
    """The violation on a case such as ``drawn:17``, shrunk where it was drawn, and then the trace.

    Raises
    ------
    ClaimError: if the claim is faulty.
    """
    kind, _, name = label.partition(":")
    if kind != "drawn":
        return Refuter(claim).refute(named_case(claim, label)), None
    draw, case = drawn_case(claim, seed, int(name))
    if claim.trained:
        return Refuter(claim).refute(case), None
    smaller = shrink(claim, draw.trace)
    if smaller is None:
        return Refuter(claim).refute(case), None
    return smaller.observation, smaller.trace


def _written(
    finding: Finding, seen: Observation, shrunk: bool, directory: Path | None
) -> Counterexample:
    certified = certify(seen.claim, seen.case, seen.part, seen.values)
    return Counterexample(
        finding=replace(
            finding,
            case=f"{finding.case}, shrunk" if shrunk else finding.case,
            part=seen.part,
            left=str(seen.outcome.left),
            right=str(seen.outcome.right),
            digest=digest(seen.case),
            values={name: value_text(value) for name, value in seen.values.items()},
        ),
        case=seen.case,
        text=str(seen),
        certificate=certified.write(directory) if certified.report.accepted and directory else None,
        accepted=certified.report.accepted,
        shrunk=shrunk,
    )
