"""The words for verdicts, grades and standings, the same in every report.

A statement is "not refuted on n models, at grade g"; no report says more than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from holdfast.theory import Standing

from ..kernel import Verdict
from ..summary import ClaimSummary, ExitCode, RunSummary

VERDICTS = {
    Verdict.HOLDS: "Not refuted: true on every model tried. It may still be false on another.",
    Verdict.TIGHT: "Not refuted, and on some model both sides are equal: the bound cannot be "
    "improved there.",
    Verdict.VIOLATED: "Refuted: false on at least one concrete model. One such model is enough.",
    Verdict.UNDECIDED: "The two sides are known only to within intervals that overlap. More "
    "precision or more samples would be needed.",
    Verdict.VACUOUS: "Nothing was tested: no model met the assumptions, or the bound was never "
    "better than what is true without any theorem.",
    Verdict.OUT_OF_SCOPE: "The statement does not speak of this model; its assumptions fail here.",
}
"""What each verdict means to somebody who has not read the code."""

GRADES = {
    "exact": "Both sides are rational numbers, computed and compared without rounding.",
    "ball": "Both sides are enclosed in intervals by ball arithmetic, with the precision doubled "
    "until they separate.",
    "enclosed": "A number entered with a rigorous error bound, and the comparison allows for all "
    "of it.",
    "statistical": "A number was estimated from samples; the verdict is wrong with at most the "
    "stated probability, charged to the alpha of the run.",
    "neural": "As statistical, with numbers from trained networks.",
}
"""What each grade of evidence means, the strongest first."""

STANDINGS = {
    Standing.STANDS: "Believed as it is printed.",
    Standing.REPAIRED: "Ours: the printed version, with the change named in the remark.",
    Standing.REFUTED: "False as the source read has it. The run is expected to refute it again.",
}
"""What each standing means."""

HEADLINES = {
    ExitCode.AS_EXPECTED: "Every statement fared as expected",
    ExitCode.VIOLATION: "A statement did not fare as its standing says",
    ExitCode.UNDECIDED: "Some verdicts are undecided",
    ExitCode.MUTANT_SURVIVED: "A false variant went unnoticed",
    ExitCode.CERTIFICATE_REJECTED: "A certificate was rejected",
    ExitCode.BAD_USAGE: "A claim is faulty",
}
"""One line for each way in which a run ends."""

CAUTION = (
    "HOLDS and TIGHT mean: not refuted on the models tried, at the grade named. "
    "They say nothing certain about other models."
)


class Tone(Enum):
    """How a row is to look; the value is a symbol, so that colour is never the only sign."""

    GOOD = "✓"
    BAD = "✗"
    OPEN = "?"
    QUIET = "\N{EN DASH}"


def tone(summary: ClaimSummary) -> Tone:
    """Whether a claim fared as expected, and whether that says anything."""
    if summary.exit_code is ExitCode.UNDECIDED:
        return Tone.OPEN
    if not summary.as_expected:
        return Tone.BAD
    empty = summary.verdict in (Verdict.VACUOUS, Verdict.OUT_OF_SCOPE)
    return Tone.QUIET if empty else Tone.GOOD


def standing(summary: ClaimSummary) -> str:
    """The standing of the theorem in one word."""
    return summary.claim.theorem.standing.name.lower()


def verdict(one: Verdict) -> str:
    """The name of a verdict, to be read aloud."""
    return one.name.replace("_", " ")


def grade(summary: ClaimSummary) -> str:
    """The grades of the findings, the strongest first."""
    known = [name for name in GRADES if summary.grades.get(name)]
    other = sorted(name for name in summary.grades if name and name not in GRADES)
    return ", ".join(known + other)


def count(number: int, noun: str) -> str:
    """``1 model``, ``2 models``, ``1,000 models``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def outcome(summary: ClaimSummary) -> str:
    """The verdict on a claim as one sentence without a full stop."""
    if summary.error:
        return f"the claim is faulty: {summary.error}"
    where = f"on {summary.world}" if summary.world else f"on {count(summary.models, 'model')}"
    evidence = f"{where}, at grade {grade(summary)}" if summary.grades else where
    found = count(len(summary.violations), "finding")
    reason = f": {summary.note}" if summary.note else ""
    expected = ", as its standing says" if summary.as_expected else ""
    sentences = {
        Verdict.HOLDS: f"not refuted {evidence}",
        Verdict.TIGHT: f"not refuted {evidence}; attained with equality",
        Verdict.VIOLATED: f"false in {found} {evidence}{expected}",
        Verdict.UNDECIDED: f"undecided {evidence}: the enclosures of the two sides overlap",
        Verdict.VACUOUS: f"nothing tested {where}{reason}",
        Verdict.OUT_OF_SCOPE: f"out of scope {where}{reason}",
    }
    return sentences[summary.verdict]


class Fate(Enum):
    """What became of a mutant; the value says it in words."""

    SURVIVED = "survived: no model refuted it"
    KILLED = "refuted"
    IMPLIED = "implied by the theorem, so nothing can refute it"
    LISTED = "listed as true"


@dataclass(frozen=True, slots=True)
class MutantFate:
    """A row of the kill matrix.

    kind: ``derived`` from the relation, ``named`` in the claim, or a ``control`` that drops an
    assumption; detail: the case that refuted it, or the reason why nothing does.
    """

    name: str
    kind: str
    fate: Fate
    detail: str = ""


def fates(summary: ClaimSummary) -> tuple[MutantFate, ...]:
    """The kill matrix of a claim: survivors first, then controls, named and derived mutants."""
    why = {mutant.name: mutant.why for mutant in summary.claim.named_mutants}
    controls = {f"without {name}" for name in summary.claim.family.controls}

    def row(name: str, fate: Fate, detail: str) -> MutantFate:
        kind = "control" if name in controls else "named" if name in why else "derived"
        return MutantFate(name, kind, fate, "; ".join(filter(None, (detail, why.get(name, "")))))

    rows = [row(name, Fate.SURVIVED, "") for name in summary.survived]
    rows += [row(name, Fate.KILLED, case) for name, case in summary.killed.items()]
    rows += [row(name, Fate.IMPLIED, "") for name in summary.implied if name not in summary.listed]
    rows += [row(name, Fate.LISTED, reason) for name, reason in summary.listed.items()]
    order = ("control", "named", "derived")
    ranks = {Fate.SURVIVED: 0, Fate.KILLED: 1, Fate.LISTED: 1, Fate.IMPLIED: 2}
    return tuple(sorted(rows, key=lambda r: (ranks[r.fate], order.index(r.kind))))


def kills(summary: ClaimSummary) -> tuple[int, int]:
    """Mutants killed, and mutants that had to be."""
    return len(summary.killed), len(summary.killed) + len(summary.survived)


def headline(summary: RunSummary) -> str:
    """How the run went, in one line."""
    return HEADLINES[summary.exit_code]
