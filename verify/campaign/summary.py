"""What a run comes to: one summary for each claim, one for each world, one for the run."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from operator import attrgetter
from typing import Any

from ..binding.claims import Claim
from ..engine.examiner import Kind, ShardResult
from ..engine.finding import Counterexample, Finding
from ..kernel import Verdict
from .exit_codes import ExitCode
from .power import LEAST_SHARE, Power, agreed, gravest, powers, tally, tells
from .worlds import WorldSummary

GRAVEST = (
    ExitCode.BAD_USAGE,
    ExitCode.VIOLATION,
    ExitCode.MUTANT_SURVIVED,
    ExitCode.UNDECIDED,
)
"""How a claim may fare otherwise than expected, the gravest first."""


@dataclass(frozen=True, slots=True)
class ClaimSummary:
    """A claim after a run, on drawn models or on one world.

    verdict: over all findings, the gravest first; tally: on how many models each verdict fell, a
    model counting by its gravest; powers: of each part of the theorem; agreement: bits to which the
    sides agree wherever they do no more than agree, None if nowhere; tightest: the telling
    finding of largest ratio, for an equality any; killed: mutant -> case; survived: mutants that
    should have died; slacks: of all findings, for the histogram; error: why the claim is faulty, or
    empty.
    """

    claim: Claim
    verdict: Verdict
    tally: Mapping[Verdict, int]
    powers: tuple[Power, ...]
    agreement: int | None
    findings: int
    tightest: Finding | None
    killed: Mapping[str, str]
    survived: tuple[str, ...]
    grades: Mapping[str, int]
    slacks: tuple[float, ...]
    violations: tuple[Finding, ...]
    seconds: float
    note: str = ""
    error: str = ""
    world: str = ""

    @property
    def listed(self) -> Mapping[str, str]:
        """Mutants that nothing refutes, with the reason."""
        return self.claim.survivors

    @property
    def implied(self) -> tuple[str, ...]:
        """Mutants that the theorem implies; none on a world, where mutants are not tried."""
        alive = () if self.world else [m for m in self.claim.mutants if m.name not in self.killed]
        return tuple(mutant.name for mutant in alive if mutant.implied)

    @property
    def unnoticed(self) -> tuple[str, ...]:
        """The survivors; none where the claim is faulty or out of scope, which kills nothing."""
        return () if self.error or self.verdict is Verdict.OUT_OF_SCOPE else self.survived

    @property
    def models(self) -> int:
        """Models examined, those that the statement does not speak of included."""
        return sum(self.tally.values())

    @property
    def telling(self) -> int:
        """Models on which some part said more than is true without the theorem."""
        empty = (Verdict.VACUOUS, Verdict.OUT_OF_SCOPE)
        return sum(number for verdict, number in self.tally.items() if verdict not in empty)

    @property
    def share(self) -> Fraction:
        """The share of telling models, for the part that has the fewest."""
        return min((power.share for power in self.powers), default=Fraction(0))

    @property
    def without_power(self) -> bool:
        """Whether too few drawn models could have refuted the statement, for no stated reason."""
        exempt = self.world or self.claim.little_power or self.verdict is Verdict.VIOLATED
        return not exempt and self.share < LEAST_SHARE

    @property
    def foremost(self) -> Finding | None:
        """The finding to show: the first violation, or where the statement is tightest."""
        return self.violations[0] if self.violations else self.tightest

    @property
    def as_expected(self) -> bool:
        """Whether the theorem fared as its standing says, no mutant surviving."""
        return self.exit_code is ExitCode.AS_EXPECTED

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that this claim alone would give."""
        if self.error:
            return ExitCode.BAD_USAGE
        if self._against_standing:
            return ExitCode.VIOLATION
        if self.unnoticed:
            return ExitCode.MUTANT_SURVIVED
        return ExitCode.UNDECIDED if self._open else ExitCode.AS_EXPECTED

    @property
    def _against_standing(self) -> bool:
        """Whether it is violated and should not be, or the other way round; that a false statement
        holds on one world says nothing."""
        refuted = self.claim.theorem.standing.is_false
        violated = self.verdict is Verdict.VIOLATED
        return violated is not refuted and not (self.world and refuted)

    @property
    def _open(self) -> bool:
        """Whether the run was too small, or the family too narrow, to say anything."""
        empty = self.verdict in (Verdict.VACUOUS, Verdict.OUT_OF_SCOPE) and not self.world
        return self.verdict is Verdict.UNDECIDED or empty or self.without_power


@dataclass(frozen=True, slots=True, repr=False)
class RunSummary:
    """A whole run; counterexamples: by the names of the claims that are violated."""

    claims: tuple[ClaimSummary, ...]
    worlds: tuple[WorldSummary, ...]
    seed: int
    budget: str
    seconds: float
    versions: Mapping[str, str]
    alpha: str
    counterexamples: Mapping[str, Counterexample] = field(default_factory=dict)

    def table(self) -> list[dict[str, Any]]:
        """A row for each claim, as `pandas.DataFrame` takes it.

        claim; world: of a user, or empty; verdict; models: examined; violations; killed, mutants:
        refuted variants, and how many should be; ratio: of the two sides where they are nearest;
        as_expected.
        """
        return [
            {
                "claim": one.claim.name,
                "world": one.world,
                "verdict": one.verdict.name,
                "models": one.models,
                "violations": len(one.violations),
                "killed": len(one.killed),
                "mutants": len(one.killed) + len(one.unnoticed),
                "ratio": None if one.foremost is None else one.foremost.ratio,
                "as_expected": one.as_expected,
            }
            for one in self.claims
        ]

    def __str__(self) -> str:
        lines = [f"{len(self.claims)} claims, seed {self.seed}, {self.seconds:.1f} s"]
        for row in self.table():
            where = f" on {row['world']}" if row["world"] else ""
            lines.append(
                f"{row['claim']}{where}: {row['verdict']}, {row['violations']} violations on "
                f"{row['models']} models, {row['killed']} of {row['mutants']} mutants refuted"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        good = sum(one.as_expected for one in self.claims)
        return f"<RunSummary, {good} of {len(self.claims)} as expected>"

    def _repr_html_(self) -> str:
        """The table, for notebooks."""
        names = [name for name in self.table()[0] if name != "world" or self.worlds]
        head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in names)
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{html.escape(_cell(row[name]))}</td>" for name in names)
            + "</tr>"
            for row in self.table()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    @property
    def drawn(self) -> list[ClaimSummary]:
        """The claims on drawn models."""
        return [one for one in self.claims if not one.world]

    def counterexample(self, one: ClaimSummary) -> Counterexample | None:
        """That of a claim on drawn models; on a world there is none beside the finding."""
        return None if one.world else self.counterexamples.get(one.claim.name)

    @property
    def tested(self) -> bool:
        """Whether any statement said anything on any model."""
        return any(one.telling for one in self.claims)

    @property
    def exit_code(self) -> ExitCode:
        """The gravest exit code of the claims: faulty use, violation, survivor, undecided; and
        undecided where nothing was tested, such as on a world that no statement speaks of."""
        codes = {summary.exit_code for summary in self.claims}
        untested = ExitCode.AS_EXPECTED if self.tested else ExitCode.UNDECIDED
        return next((code for code in GRAVEST if code in codes), untested)


def summarise(claim: Claim, results: Iterable[ShardResult], world: str = "") -> ClaimSummary:
    """The summary of a claim from its shards on drawn models, or from those on one world."""
    results = [result for result in results if _belongs(result, world)]
    findings = [finding for result in results for finding in result.findings]
    kills = _kills(results)
    killed, survived = ({}, ()) if world else (kills, _survivors(claim, kills))
    summary = ClaimSummary(
        claim=claim,
        verdict=_verdict(findings, kills),
        tally=tally(findings),
        powers=powers(claim, findings),
        agreement=agreed(findings),
        findings=len(findings),
        tightest=_tightest(findings),
        killed=killed,
        survived=survived,
        grades=Counter(filter(None, map(attrgetter("grade"), findings))),
        slacks=tuple(finding.slack for finding in findings if finding.slack is not None),
        violations=tuple(one for one in findings if one.verdict is Verdict.VIOLATED),
        seconds=sum(map(attrgetter("seconds"), results)),
        note=_first(map(attrgetter("note"), findings)),
        error=_first(map(attrgetter("error"), results)),
        world=world,
    )
    return _as_far_as_telling(summary)


def _belongs(result: ShardResult, world: str) -> bool:
    """Whether a shard is on this world, or on drawn models where none is named."""
    if result.shard.kind is Kind.WORLD:
        return result.shard.name == world
    return not world


def _as_far_as_telling(summary: ClaimSummary) -> ClaimSummary:
    """A bound that is attained on too few telling models holds, and is not called tight."""
    attained = summary.verdict is Verdict.TIGHT and summary.without_power
    return replace(summary, verdict=Verdict.HOLDS) if attained else summary


def _kills(results: Sequence[ShardResult]) -> dict[str, str]:
    """Mutant -> the first case that refuted it."""
    kills: dict[str, str] = {}
    for result in results:
        kills = {**result.kills, **kills}
    return kills


def _survivors(claim: Claim, kills: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in mutants_to_kill(claim, kills) if name not in kills)


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")


def _verdict(findings: Sequence[Finding], kills: Mapping[str, str]) -> Verdict:
    """The gravest; an agreement is evidence only where false variants did not agree as well."""
    verdict = gravest(finding.verdict for finding in findings)
    return Verdict.UNDECIDED if verdict is Verdict.AGREES and not kills else verdict


def _tightest(findings: Sequence[Finding]) -> Finding | None:
    """Of the telling findings; where there are none, any, whose ratio says nothing."""
    telling = list(filter(tells, findings))
    rated = [finding for finding in telling if finding.ratio is not None]
    rest = telling[:1] or [replace(finding, ratio=None) for finding in findings[:1]]
    return max(rated or rest, key=lambda finding: finding.ratio or 0.0, default=None)


def mutants_to_kill(claim: Claim, killed: Container[str] = ()) -> tuple[str, ...]:
    """Names of everything that a run must refute: derived and named mutants, and controls.

    killed: what a run has refuted, of which no proof need be tried that the theorem implies it.
    """
    derived = [
        mutant.name
        for mutant in claim.mutants
        if mutant.name in killed or not (mutant.name in claim.survivors or mutant.implied)
    ]
    named = [mutant.name for mutant in claim.named_mutants]
    controls = [f"without {assumption}" for assumption in claim.family.controls]
    return (*derived, *named, *controls)


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
