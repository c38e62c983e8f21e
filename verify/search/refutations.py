"""Counterexamples of a run: each violated claim's smallest one, certified and written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..binding.claims import Claim
from ..binding.description import describe, digest, value_text
from ..binding.values import ClaimError
from ..campaign.summary import RunSummary
from ..engine.examiner import UNDEFINED, drawn_case
from ..engine.finding import Finding
from ..kernel import Verdict
from .counterexample import Observation, Refuter, certify
from .shrink import shrink


def with_counterexamples(
    summary: RunSummary, claims: Sequence[Claim], directory: Path
) -> RunSummary:
    """The summary with the counterexamples of its claims; a claim that does not give the same
    values again on its counterexample is faulty, and not violated."""
    errors: dict[str, str] = {}
    found = counterexamples(summary, claims, directory, errors)
    judged = (
        replace(one, error=errors[one.claim.name], violations=(), verdict=Verdict.UNDECIDED)
        if one.claim.name in errors
        else one
        for one in summary.claims
    )
    return replace(summary, claims=tuple(judged), models={"counterexamples": found})


def counterexamples(
    summary: RunSummary,
    claims: Sequence[Claim],
    directory: Path,
    errors: dict[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """claim name -> what the report shows of its counterexample, for each violated claim.

    errors: takes what proves a claim faulty; without it, that is raised as a ClaimError.

    A violation on a drawn model is shrunk first; the certificate is written where the kernel
    accepts it.  Violations on a user's own model, and relations that have no value, are reported as
    they stand.
    """
    by_name = {claim.name: claim for claim in claims}
    found: dict[str, dict[str, Any]] = {}
    for one in summary.claims:
        valued = [finding for finding in one.violations if finding.left != UNDEFINED]
        if valued and not one.world and not one.error:
            claim = by_name[one.claim.name]
            try:
                seen, shrunk = _smallest(claim, valued[0], summary.seed)
            except ClaimError as error:
                if errors is None:
                    raise
                errors[claim.name] = str(error)
                continue
            if seen is not None:
                found[claim.name] = _written(claim, seen, shrunk, directory)
    return found


def _smallest(claim: Claim, finding: Finding, seed: int) -> tuple[Observation | None, bool]:
    kind, _, name = finding.case.partition(":")
    if kind != "drawn":
        return Refuter(claim).refute(claim.family.landmark(name)), False
    draw, case = drawn_case(claim, seed, int(name))
    smaller = shrink(claim, draw.trace)
    return (smaller.observation, True) if smaller else (Refuter(claim).refute(case), False)


def _written(claim: Claim, seen: Observation, shrunk: bool, directory: Path) -> dict[str, Any]:
    certified = certify(claim, seen.case, seen.part, seen.values)
    path = certified.write(directory) if certified.report.accepted else None
    return {
        "case": describe(list(seen.case)),
        "values": {name: value_text(value) for name, value in seen.values.items()},
        "text": str(seen),
        "certificate": None if path is None else str(path),
        "shrunk": shrunk,
        "part": seen.part,
        "left": str(seen.outcome.left),
        "right": str(seen.outcome.right),
        "digest": digest(seen.case),
    }
