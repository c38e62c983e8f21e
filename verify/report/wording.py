"""The words for verdicts, grades and standings, the same in every report.

A statement is "not refuted on n models, at grade g"; no report says more than that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import partial

from holdfast.theory import Relation, Standing, Theorem

from ..binding.claims import Claim
from ..campaign.exit_codes import ExitCode
from ..campaign.power import FINEST, noticed
from ..campaign.summary import ClaimSummary, RunSummary
from ..kernel import Verdict
from .numbers import DASH, count

VERDICTS = {
    Verdict.HOLDS: "Not refuted: true on every model tried. It may still be false on another.",
    Verdict.AGREES: "Not refuted: the two sides agree to as many bits as were computed, too few to "
    "prove them equal, while a false variant was told apart on the same models.",
    Verdict.TIGHT: "Not refuted, and on some model both sides are equal: the bound cannot be "
    "improved there.",
    Verdict.VIOLATED: "Refuted: false on at least one concrete model. One such model is enough.",
    Verdict.UNDECIDED: "The two sides are known only to within intervals that overlap. More "
    "precision or more samples would be needed.",
    Verdict.VACUOUS: "Nothing was tested: no model met the assumptions, or the statement was never "
    "more than what is true without any theorem, such as 0 = 0.",
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
    "neural": "Of trained networks: measured on fresh episodes as at the statistical grade, or "
    "computed exactly from what the network chooses where the task is small. Another training may "
    "end elsewhere.",
}
"""What each grade of evidence means, the strongest first."""

STANDINGS = {
    Standing.STANDS: "Believed as it is written here; its provenance says whether that was read, "
    "is recalled, or is ours.",
    Standing.OPEN: "Not refuted so far; the proof that is printed has a gap, and we know none that "
    "is whole.",
    Standing.REPAIRED: "Ours: the printed version, with the change named in the remark.",
    Standing.REFUTED: "False as printed in the text that was read. The run is expected to refute "
    "it again.",
    Standing.FALSE_AS_RECALLED: "False as recalled; the source was not read and may say something "
    "else, so this is no error of the source. The run is expected to find it false again.",
    Standing.FALSE_UNPRINTED: "False, and printed nowhere: what a reader might take from the "
    "source. The run is expected to find it false again.",
}
"""What each standing means."""

HEADLINES = {
    ExitCode.AS_EXPECTED: "Every statement fared as expected",
    ExitCode.VIOLATION: "A statement did not fare as its standing says",
    ExitCode.UNDECIDED: "Some verdicts are undecided or without power",
    ExitCode.MUTANT_SURVIVED: "A false variant went unnoticed",
    ExitCode.CERTIFICATE_REJECTED: "A certificate was rejected",
    ExitCode.BAD_USAGE: "A claim is faulty",
}
"""One line for each way in which a run ends."""

WITHOUT_POWER = "WITHOUT POWER"
"""Stands for the verdict on a claim that too few models could have refuted."""

POWER = (
    "telling: models on which the statement said more than is true without it, of all; "
    "power: their share for the least tested part, and the smallest relative change of a value "
    "that would have been noticed."
)
"""What two columns of the results say."""

DETAILS = (
    "For a row for each statement add --details {pillar} (a pillar), or --details and a pattern of "
    "labels; --html FOLDER shows everything."
)
"""How to see more than the row of a pillar."""

CAUTION = (
    "HOLDS, TIGHT and AGREES mean: not refuted on the models tried, at the grade named. "
    "They say nothing certain about other models."
)


_SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


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
    return standing_word(summary.claim.theorem)


def standing_word(theorem: Theorem) -> str:
    """The standing of a theorem as words, such as ``false as recalled``."""
    return theorem.standing.name.lower().replace("_", " ")


def printed(theorem: Theorem) -> str:
    """What the list of a refutation lists."""
    return {
        Standing.FALSE_AS_RECALLED: "what is recalled of the source",
        Standing.FALSE_UNPRINTED: "what is taken from the source",
    }.get(theorem.standing, "what the source prints")


def sign(relation: Relation) -> str:
    """The sign of a relation as it is printed, such as ``≤``."""
    text: str = relation.sign.value
    return _SIGNS.get(text, text)


def verdict(one: Verdict) -> str:
    """The name of a verdict, to be read aloud."""
    return one.name.replace("_", " ")


def heading(summary: ClaimSummary) -> str:
    """What stands in the column of verdicts."""
    if summary.error:
        return "ERROR"
    weak = summary.without_power and summary.verdict in (Verdict.HOLDS, Verdict.AGREES)
    return WITHOUT_POWER if weak else verdict(summary.verdict)


def tally(summary: ClaimSummary) -> str:
    """``HOLDS on 190, TIGHT on 7, UNDECIDED on 3``: the verdicts as they fell, most first."""
    falls = sorted(summary.tally.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{verdict(one)} on {number:,}" for one, number in falls)


def models(summary: ClaimSummary) -> str:
    """``150/208``: telling models of all."""
    return f"{summary.telling:,}/{summary.models:,}"


def power(summary: ClaimSummary) -> str:
    """``72 %, 0.4 %``: the share of telling models and the smallest change that is noticed, each of
    the part of the theorem where it is worst."""
    if not summary.models:
        return DASH
    return f"{_percent(summary.share)}, {change(worst_change(summary))}"


def changes(summary: ClaimSummary) -> tuple[int | None, ...]:
    """For each part, k of the smallest change 2^-k of a value that is noticed on its best model."""
    bests = (power.best for power in summary.powers)
    return tuple(None if best is None else noticed(summary.claim, best) for best in bests)


def worst_change(summary: ClaimSummary) -> int | None:
    """k of the smallest change 2^-k that every part notices; None where one notices none."""
    found = changes(summary)
    known = [k for k in found if k is not None]
    return min(known) if len(known) == len(found) and known else None


def change(exponent: int | None) -> str:
    """``any``, ``0.4 %`` or ``none``: a relative change of 2^-exponent."""
    if exponent is None:
        return "none"
    if exponent >= FINEST:
        return "any"
    percent = 100 / 2**exponent
    return f"{percent:.0f} %" if percent > 1 else f"{percent:.1g} %"


def _percent(share: Fraction) -> str:
    """Rounded down, so that 100 % is all of them."""
    return f"{100 * share.numerator // share.denominator} %"


def grade(summary: ClaimSummary) -> str:
    """The grades of the findings, the strongest first."""
    known = [name for name in GRADES if summary.grades.get(name)]
    other = sorted(name for name in summary.grades if name and name not in GRADES)
    return ", ".join(known + other)


def outcome(summary: ClaimSummary) -> str:
    """The verdict on a claim as one sentence without a full stop."""
    if summary.error:
        return f"the claim is faulty: {summary.error}"
    where, evidence = _where(summary), _evidence(summary)
    found = count(len(summary.violations), "finding")
    reason = f": {summary.note}" if summary.note else ""
    expected = ", as its standing says" if summary.as_expected else ""
    weak = f"; {_weakness(summary)}" if summary.without_power else ""
    alike = f"; the sides agree to {summary.agreement} bits, false variants do not"
    sentences = {
        Verdict.HOLDS: f"not refuted {evidence}{weak}",
        Verdict.AGREES: f"not refuted {evidence}{alike}{weak}",
        Verdict.TIGHT: f"not refuted {evidence}; attained with equality",
        Verdict.VIOLATED: f"false in {found}, {evidence}{expected}",
        Verdict.UNDECIDED: f"undecided {evidence}: {_overlap(summary)}",
        Verdict.VACUOUS: f"nothing tested {where}, so without power{reason}",
        Verdict.OUT_OF_SCOPE: f"out of scope {where}{reason}",
    }
    return sentences[summary.verdict]


def _where(summary: ClaimSummary) -> str:
    return f"on {summary.world}" if summary.world else f"on {count(summary.models, 'model')}"


def _evidence(summary: ClaimSummary) -> str:
    """Where, with the verdicts as they fell on drawn models, and the grade."""
    where = _where(summary)
    if not summary.world:
        open_ = summary.tally.get(Verdict.UNDECIDED) or summary.tally.get(Verdict.AGREES, 0)
        some = summary.verdict is Verdict.UNDECIDED and open_ < summary.models
        where = f"on {open_:,} of {count(summary.models, 'model')}" if some else where
        where += f", {summary.telling:,} of them telling ({tally(summary)})"
    return f"{where}, at grade {grade(summary)}" if summary.grades else where


def _weakness(summary: ClaimSummary) -> str:
    part = "" if len(summary.powers) == 1 else ", in one part of the statement,"
    return (
        f"without power: on fewer than a third of the models{part} it says more than is true "
        "without it; widen the family, or give the reason in little_power"
    )


def _overlap(summary: ClaimSummary) -> str:
    if Verdict.UNDECIDED in summary.tally:
        return "the enclosures of the two sides overlap there"
    return f"the sides agree to {summary.agreement} bits, but so do those of every false variant"


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
    row = partial(_fate, summary.claim)
    rows = [row(name, Fate.SURVIVED) for name in summary.survived]
    rows += [row(name, Fate.KILLED, case) for name, case in summary.killed.items()]
    rows += [row(name, Fate.IMPLIED) for name in summary.implied if name not in summary.listed]
    rows += [row(name, Fate.LISTED, reason) for name, reason in summary.listed.items()]
    order = ("control", "named", "derived")
    ranks = {Fate.SURVIVED: 0, Fate.KILLED: 1, Fate.LISTED: 1, Fate.IMPLIED: 2}
    return tuple(sorted(rows, key=lambda r: (ranks[r.fate], order.index(r.kind))))


def _fate(claim: Claim, name: str, fate: Fate, detail: str = "") -> MutantFate:
    why = {mutant.name: mutant.why for mutant in claim.named_mutants}
    controls = {f"without {assumption}" for assumption in claim.family.controls}
    kind = "control" if name in controls else "named" if name in why else "derived"
    return MutantFate(name, kind, fate, "; ".join(filter(None, (detail, why.get(name, "")))))


def kills(summary: ClaimSummary) -> tuple[int, int]:
    """Mutants killed, and mutants that had to be."""
    return len(summary.killed), len(summary.killed) + len(summary.survived)


def all_kills(summaries: Iterable[ClaimSummary]) -> tuple[int, int]:
    """As `kills`, of all of them."""
    pairs = list(map(kills, summaries))
    return sum(dead for dead, _ in pairs), sum(wanted for _, wanted in pairs)


def headline(summary: RunSummary) -> str:
    """How the run went, in one line."""
    if summary.exit_code is ExitCode.UNDECIDED and not summary.tested:
        return "Nothing was tested"
    return HEADLINES[summary.exit_code]
