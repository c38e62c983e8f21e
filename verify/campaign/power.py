"""How much a run could have noticed: the power of the models on which a claim was examined.

Main definitions: `tally`, the verdicts as they fell; `Power`, for one part of a theorem.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from holdfast.theory import Quantity

from ..binding.claims import Claim
from ..engine.comparison import CompiledRelation, agreement
from ..engine.finding import Finding
from ..kernel import Enclosure, Verdict, parse_rational

LEAST_SHARE = Fraction(1, 3)
"""Below this share of telling models a claim is without power, unless it gives a reason.  A larger
share asks more families for a reason; a smaller one passes those that seldom meet the theorem."""

FINEST = 30
"""A change of a value by less than 2^-30 is not tried: values are kept to 12 digits at least."""

GRAVITY = (
    Verdict.VIOLATED,
    Verdict.UNDECIDED,
    Verdict.AGREES,
    Verdict.TIGHT,
    Verdict.HOLDS,
    Verdict.VACUOUS,
    Verdict.OUT_OF_SCOPE,
)
"""The gravest verdict first: that of a model, and of a claim, among several."""

EMPTY = (Verdict.VACUOUS, Verdict.OUT_OF_SCOPE)


@dataclass(frozen=True, slots=True)
class Power:
    """What the models could have noticed about one part of a theorem.

    telling: models on which the part said more than is true without it; models: all of them;
    best: the finding that would have noticed the smallest change, of those that were not false.
    """

    telling: int
    models: int
    best: Finding | None

    @property
    def share(self) -> Fraction:
        """Telling models of all; zero if there are none."""
        return Fraction(self.telling, self.models) if self.models else Fraction(0)


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The gravest of some verdicts; VACUOUS if there are none."""
    found = set(verdicts)
    return next((one for one in GRAVITY if one in found), Verdict.VACUOUS)


def tells(finding: Finding) -> bool:
    """Whether the relation said more on this case than is true without the theorem."""
    return finding.verdict not in EMPTY


def tally(findings: Iterable[Finding]) -> dict[Verdict, int]:
    """On how many models each verdict fell, a model counting by its gravest, the gravest first."""
    cases: dict[str, set[Verdict]] = {}
    for finding in findings:
        cases.setdefault(finding.case, set()).add(finding.verdict)
    counts = Counter(map(gravest, cases.values()))
    return {verdict: counts[verdict] for verdict in GRAVITY if counts[verdict]}


def powers(claim: Claim, findings: Sequence[Finding]) -> tuple[Power, ...]:
    """The power of the findings, part by part."""
    models = len({finding.case for finding in findings})
    telling: list[list[Finding]] = [[] for _ in claim.theorem.parts]
    for finding in filter(tells, findings):
        telling[finding.part].append(finding)
    return tuple(
        Power(len({finding.case for finding in found}), models, max(found, key=_nearness))
        if found
        else Power(0, models, None)
        for found in telling
    )


def _nearness(finding: Finding) -> tuple[bool, bool, float, float]:
    """Greatest where the two sides are closest: by ratio, else by slack."""
    held = finding.verdict is not Verdict.VIOLATED
    return held, finding.ratio is not None, finding.ratio or 0.0, -(finding.slack or 0.0)


def agreed(findings: Iterable[Finding]) -> int | None:
    """The fewest bits to which two sides agree that do no more than agree; None if none do."""
    agreeing = (finding for finding in findings if finding.verdict is Verdict.AGREES)
    return min((agreement(_read(one.left), _read(one.right)) for one in agreeing), default=None)


def noticed(claim: Claim, finding: Finding) -> int | None:
    """The largest k of at most `FINEST` for which the relation becomes false on this case when one
    of its values is changed by 2^-k of itself (a zero: by 2^-k), up or down; None if there is none.
    """
    part = claim.theorem.parts[finding.part]
    relation = CompiledRelation(part)
    try:
        values = {quantity: _read(finding.values[quantity.name]) for quantity in part.quantities}
    except (KeyError, ValueError):  # not kept, or of no finite value
        return None
    finest_first = range(FINEST, -1, -1)
    return next((k for k in finest_first if _notices(relation, values, Fraction(1, 2**k))), None)


def _notices(
    relation: CompiledRelation, values: Mapping[Quantity, Enclosure], change: Fraction
) -> bool:
    named = {quantity.name: _plain(value) for quantity, value in values.items()}
    return any(
        relation.refutes({**named, quantity.name: _plain(changed)})
        for quantity, value in values.items()
        for changed in _changes(value, change)
        if quantity.domain.contains(changed.lo, changed.hi)
    )


def _changes(value: Enclosure, change: Fraction) -> tuple[Enclosure, Enclosure]:
    if value == Enclosure.exact(0):
        return Enclosure.exact(change), Enclosure.exact(-change)
    return value * Enclosure.exact(1 + change), value * Enclosure.exact(1 - change)


def _read(text: str) -> Enclosure:
    """A number as a finding keeps it: a rational, ``lo..hi`` or ``about 3.14``."""
    if text.startswith("about "):
        return Enclosure.exact(Fraction(text.removeprefix("about ")))
    ends = [parse_rational(end) for end in text.split("..")]
    return Enclosure(ends[0], ends[-1])


def _plain(value: Enclosure) -> Fraction | Enclosure:
    return value.lo if value.lo == value.hi else value
