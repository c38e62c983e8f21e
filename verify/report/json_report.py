"""The run as one JSON document: rationals as strings, keys in a fixed order."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.solvers.whole_files import write_text

from ..binding.claims import pillar
from ..binding.description import describe, value_text
from . import wording
from .standalone.files import computation, file_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.theory import Theorem

    from ..binding.claims import Claim
    from ..campaign.summary import ClaimSummary, RunSummary
    from ..campaign.worlds import WorldSummary
    from ..engine.finding import Counterexample, Finding
    from ..search.counterexample import Certified, Observation
    from ..search.hunt import Hunt

SCHEMA, HUNT_SCHEMA = "holdfast-run/1", "holdfast-hunt/1"
"""Change when a reader of the document would have to change."""


def write(summary: RunSummary, path: Path) -> None:
    """Write the run to `path`, ASCII."""
    _write(document(summary), path)


def write_hunt(found: Hunt, claim: Claim, certified: Certified | None, path: Path) -> None:
    """Write a hunt to `path`, ASCII."""
    _write(hunt_document(found, claim, certified), path)


def _write(data: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


def document(summary: RunSummary) -> dict[str, Any]:
    """The run as plain data.  Floats (ratio, slack, seconds) are for people, never evidence."""
    return {
        "schema": SCHEMA,
        "exit_code": summary.exit_code.value,
        "outcome": summary.exit_code.name.lower(),
        "seed": summary.seed,
        "budget": summary.budget,
        "alpha": summary.alpha,
        "seconds": _finite(summary.seconds),
        "versions": {name: summary.versions[name] for name in sorted(summary.versions)},
        "claims": [_claim(one) for one in summary.claims],
        "worlds": [_world(world) for world in summary.worlds],
        "models": {
            "counterexamples": {
                name: _counterexample(one) for name, one in summary.counterexamples.items()
            }
        },
    }


def listed(claims: Iterable[Claim]) -> list[dict[str, Any]]:
    """What is claimed, a row for each claim, for other programs; `claim` is the stable id.

    The mutants are the named ones: the others are derived from the statement, which takes long.
    """
    return [_listed(one) for one in claims]


def _listed(claim: Claim) -> dict[str, Any]:
    theorem, source = claim.theorem, claim.theorem.source
    commands = {"show": f"holdfast show {claim.name}", "verify": f"holdfast verify {claim.name}"}
    if computation(claim):
        commands["standalone"] = f"{commands['show']} --standalone {file_name(claim)}"
    return {
        "claim": claim.name,
        "theorem": theorem.label,
        "title": theorem.title,
        "pillar": pillar(claim),
        "standing": theorem.standing.name.lower(),
        "source": str(source),
        "work": source.work,
        "place": source.place,
        "provenance": source.provenance.name.lower(),
        "statement": str(theorem.relation),
        "latex": theorem.statement_latex(),
        "symbols": {q.name: q.meaning for q in sorted(theorem.quantities, key=lambda q: q.name)},
        "assumptions": {one.name: one.text for one in theorem.given},
        "remark": theorem.remark,
        "uses": list(theorem.uses),
        "trained": claim.trained,
        "named_mutants": {one.name: str(one.relation) for one in claim.named_mutants},
        "controls": list(claim.family.controls),
        "commands": commands,
    }


def _claim(one: ClaimSummary) -> dict[str, Any]:
    theorem = one.claim.theorem
    return {
        "name": one.claim.name,
        "theorem": theorem.label,
        "title": theorem.title,
        "statement": str(theorem.relation),
        "latex": theorem.statement_latex(),
        "world": one.world,
        "standing": theorem.standing.name.lower(),
        "provenance": theorem.source.provenance.name.lower(),
        "verdict": one.verdict.name.lower(),
        "outcome": wording.outcome(one),
        "as_expected": one.as_expected,
        "error": one.error,
        "note": one.note,
        "models": one.models,
        "telling": one.telling,
        "tally": {verdict.name.lower(): number for verdict, number in one.tally.items()},
        "power": _power(one),
        "agreement_bits": one.agreement,
        "findings": one.findings,
        "grades": {grade: one.grades[grade] for grade in sorted(one.grades)},
        "tightest": _finding(one.tightest),
        "violations": [_finding(finding) for finding in one.violations],
        "mutants": [] if one.world else [_mutant(row) for row in wording.fates(one)],
        "slacks": [_finite(slack) for slack in one.slacks],
        "seconds": _finite(one.seconds),
    }


def _mutant(row: wording.MutantFate) -> dict[str, str]:
    fate = row.fate.name.lower()
    return {"name": row.name, "kind": row.kind, "fate": fate, "detail": row.detail}


def _power(one: ClaimSummary) -> dict[str, Any]:
    """noticed: the smallest relative change of a value that the best model of a part notices; a
    smaller one than 2^-30 was not tried."""
    changes = wording.changes(one)
    return {
        "share": str(one.share),
        "without_power": one.without_power,
        "reason": one.claim.little_power,
        "parts": [
            {
                "telling": part.telling,
                "models": part.models,
                "noticed": None if change is None else 2.0**-change,
                "case": part.best.case if part.best else None,
            }
            for part, change in zip(one.powers, changes, strict=True)
        ],
    }


def _finding(one: Finding | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "case": one.case,
        "part": one.part,
        "repeat": one.repeat,
        "verdict": one.verdict.name.lower(),
        "left": one.left,
        "right": one.right,
        "slack": _finite(one.slack),
        "ratio": _finite(one.ratio),
        "grade": one.grade,
        "alpha": one.alpha,
        "digest": one.digest,
        "values": {name: one.values[name] for name in sorted(one.values)},
        "note": one.note,
    }


def _counterexample(one: Counterexample) -> dict[str, Any]:
    finding = one.finding
    return {
        "case": describe(list(one.case)),
        "values": dict(finding.values),
        "text": one.text,
        "certificate": None if one.certificate is None else str(one.certificate),
        "accepted": one.accepted,
        "shrunk": one.shrunk,
        "part": finding.part,
        "left": finding.left,
        "right": finding.right,
        "digest": finding.digest,
    }


def theorem_document(
    theorem: Theorem, claims: Sequence[Claim], findings: Sequence[Finding]
) -> dict[str, Any]:
    """What ``show`` prints of a theorem, as plain data; both sides of a finding are texts."""
    from .page import mutant_rows
    from .places import places

    return {
        "label": theorem.label,
        "title": theorem.title,
        "statement": str(theorem.relation),
        "latex": theorem.statement_latex(),
        "quantities": [
            {"name": one.name, "meaning": one.meaning, "domain": one.domain.value}
            for one in sorted(theorem.quantities, key=lambda one: one.name)
        ],
        "assumes": {one.name: one.text for one in theorem.given},
        "standing": theorem.standing.name.lower(),
        "source": str(theorem.source),
        "provenance": theorem.source.provenance.name.lower(),
        "proof": theorem.proof,
        "remark": theorem.remark,
        "uses": list(theorem.uses),
        "places": [
            {"role": one.role, "name": one.name, "place": str(one)} for one in places(claims)
        ],
        "claims": [
            {
                "name": claim.name,
                "family": claim.family.name,
                "mutants": [
                    {"name": name, "kind": kind, "expected": expected}
                    for name, kind, expected in mutant_rows(claim)
                ],
            }
            for claim in claims
        ],
        "findings": [{"claim": one.claim, **(_finding(one) or {})} for one in findings],
    }


def hunt_document(found: Hunt, claim: Claim, certified: Certified | None) -> dict[str, Any]:
    """A hunt as plain data; `models` counts the cases tried, those of shrinking apart.

    certified: of the violation; `accepted` is the kernel's word on it, `proved` counts numbers
    proved of the programs and models embedded in the certificate, `given` the others, and `behind`
    says of each number what stands behind it.
    """
    shrunk = found.violation
    return {
        "schema": HUNT_SCHEMA,
        "claim": found.claim,
        "statement": str(claim.theorem.relation),
        "standing": claim.theorem.standing.name.lower(),
        "seed": found.seed,
        "models": found.models,
        "telling": found.telling,
        "undecided": found.undecided,
        "out_of_scope": found.outside,
        "restarts": found.restarts,
        "starts_from_store": found.kept,
        "seconds": _finite(found.seconds),
        "violated": shrunk is not None,
        "violation": None
        if shrunk is None
        else {
            **_observation(shrunk.observation),
            "trace": list(shrunk.trace),
            "integers_before": shrunk.before[0],
            "integers_after": shrunk.size[0],
            "models_shrinking": shrunk.examined,
            **_report(certified),
        },
        "tightest": [
            {**_observation(peak.observation), "ratio": _finite(peak.ratio)} for peak in found.best
        ],
    }


def _report(certified: Certified | None) -> dict[str, Any]:
    if certified is None:
        return {"accepted": False, "proved": 0, "given": 0, "behind": []}
    report = certified.report
    return {
        "accepted": report.accepted,
        "proved": report.proved,
        "given": report.given,
        "behind": list(report.behind),
    }


def _observation(seen: Observation) -> dict[str, Any]:
    return {
        "part": seen.part,
        "verdict": seen.outcome.verdict.name.lower(),
        "relation": str(seen.relation),
        "left": str(seen.outcome.left),
        "right": str(seen.outcome.right),
        "values": {name: value_text(seen.values[name]) for name in sorted(seen.values)},
        "case": describe(list(seen.case)),
    }


def _world(world: WorldSummary) -> dict[str, Any]:
    return {
        "name": world.name,
        "title": world.title,
        "states": world.states,
        "choices": world.choices,
        "value": world.value,
        "decimal": world.decimal,
        "certified": world.certified,
        "seconds": _finite(world.seconds),
        "details": {name: world.details[name] for name in sorted(world.details)},
    }


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
