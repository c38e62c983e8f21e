"""A finding: one verdict on one case, with everything needed to look again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..binding.family import Case
from ..kernel import Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the store.

    claim: name of the claim; case: ``drawn:17``, ``landmark:G1``, ``corpus:0`` or ``world:taxi``;
    part: index of the relation in the theorem's conjunction; repeat: how many values the claim had
    yielded before on this case; left, right: the two sides, rational strings or ``lo..hi``; slack,
    ratio: for people; grade: exact, ball, enclosed, statistical or neural; alpha: chance that the
    verdict is wrong; digest: of the case; values: the quantities, as text; note: reason where out
    of scope.
    """

    claim: str
    case: str
    part: int
    repeat: int
    verdict: Verdict
    left: str = ""
    right: str = ""
    slack: float | None = None
    ratio: float | None = None
    grade: str = ""
    alpha: str = "0"
    digest: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest case that was found on which a statement is false.

    finding: the violation on it; case: the case itself; text: for people; certificate: where it
    was written, None where it was not; accepted: whether the kernel accepts it; shrunk: whether
    smaller cases were looked for.
    """

    finding: Finding
    case: Case
    text: str
    certificate: Path | None
    accepted: bool
    shrunk: bool
