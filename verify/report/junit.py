"""The run as JUnit XML: one test case for each claim, on drawn models and on each world."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import junitparser

from holdfast.solvers.whole_files import whole

from . import wording
from .numbers import decimal, shorten
from .visible import visible

if TYPE_CHECKING:
    from ..campaign.summary import ClaimSummary, RunSummary
    from ..campaign.worlds import WorldSummary


def write(summary: RunSummary, path: Path) -> None:
    """Write the run to `path`.

    A violation, an undecided verdict, a surviving mutant and a world without certificate are
    failures; a faulty claim is an error; vacuous and out of scope are skipped.
    """
    suite = junitparser.TestSuite("holdfast")
    for name, value in (
        ("seed", summary.seed),
        ("budget", summary.budget),
        ("alpha", summary.alpha),
        *summary.versions.items(),
    ):
        suite.add_property(visible(name), visible(str(value)))
    suite.add_testcases([*map(_claim, summary.claims), *map(_world, summary.worlds)])
    suite.time = round(summary.seconds, 3)
    document = junitparser.JUnitXml("holdfast")
    document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as unfinished:
        document.write(str(unfinished), pretty=True)


def _claim(one: ClaimSummary) -> junitparser.TestCase:
    area = one.claim.theorem.label.partition("/")[0]
    group = f"holdfast.world.{one.world}" if one.world else f"holdfast.{area}"
    case = junitparser.TestCase(visible(one.claim.name), visible(group), round(one.seconds, 3))
    case.result = _result(one)
    case.system_out = visible(_details(one))
    return case


def _result(one: ClaimSummary) -> list[Any]:
    message = visible(wording.outcome(one))
    if one.error:
        return [junitparser.Error(message, "error")]
    results: list[Any] = []
    if not one.as_expected and not one.survived:
        results.append(junitparser.Failure(message, one.verdict.name.lower()))
    elif one.survived:
        text = f"{message}; not refuted: " + "; ".join(one.survived)
        results.append(junitparser.Failure(visible(text), "survived"))
    elif wording.tone(one) is wording.Tone.QUIET:
        results.append(junitparser.Skipped(message, one.verdict.name.lower()))
    return results


def _details(one: ClaimSummary) -> str:
    dead, all_of_them = wording.kills(one)
    lines = [
        one.claim.theorem.title,
        wording.outcome(one),
        f"telling models: {wording.models(one)}; power: {wording.power(one)}",
        f"mutants killed: {dead} of {all_of_them}",
    ]
    for finding in one.violations[:1]:
        lines.append(
            f"{one.claim.theorem.parts[finding.part]} is false on {finding.case}: "
            f"{shorten(finding.left, 60)} against {shorten(finding.right, 60)}"
        )
    return "\n".join(lines)


def _world(world: WorldSummary) -> junitparser.TestCase:
    group = visible(f"holdfast.world.{world.name}")
    case = junitparser.TestCase("certified optimal value", group, round(world.seconds, 3))
    shown = f"{shorten(world.value, 60)} = {world.decimal or decimal(world.value)}"
    case.system_out = visible(f"{world.title}: {shown}, certificate: {world.certified or 'none'}")
    if not world.certified:
        case.result = [junitparser.Failure("no certificate was accepted", "uncertified")]
    return case
