"""The corpus: extremal cases that hunts found, small JSON files beside the claims.

Main definitions: `Kept`, `read`, `write`.  A pillar's folder ``corpus`` has a file for each file of
claims, of the same name; that of a user's ``mine.py`` is ``corpus/mine.json`` beside it.  A file is
data alone: the integers that draw a case, the case itself, and the ratio of the two sides on it.
Every run of ``verify`` draws each case again before anything else, and compares.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from holdfast.solvers.errors import ModelError
from holdfast.solvers.strict import shortened, strict_json
from holdfast.solvers.whole_files import write_text

from .claims import Claim, beside, is_shipped
from .description import describe
from .draws import VectorDraw
from .family import Case
from .values import ClaimError

FORMAT = "holdfast-corpus-1"
_LARGEST = 4 * 2**20
"""Bytes of a file at most.  Ours have some ten thousand; a larger one is something else."""
_LONGEST = 10_000
"""Integers of a trace, of which the largest families draw some hundred."""
_AGREE = 1e-9
"""Digits to which a ratio of irrational sides is written down; it only tells a stale file."""
RATIO = re.compile(r"[0-9]{1,400}(/[1-9][0-9]{0,399})?|[01]\.[0-9]{1,20}")
"""A ratio as text; one of more digits is kept as a decimal."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An extremal case.

    part: of the theorem; trace: draws the case, by ``VectorDraw``; case: its description; ratio:
    smaller over larger side, as a rational where both sides are rational, else as a decimal;
    models, seed: of the hunt that found it; limit: what the ratio tends to along cases like it,
    empty where that is the ratio itself or not known; along: those cases, and the ratio in closed
    form where it was found.
    """

    part: int
    trace: tuple[int, ...]
    case: Any
    ratio: str
    models: int
    seed: int
    limit: str = ""
    along: str = ""

    @property
    def number(self) -> float:
        """The ratio, for people and to compare."""
        return float(Fraction(self.ratio))

    def draw(self, claim: Claim) -> Case:
        """The case, made again; raises ClaimError if the family no longer draws it."""
        case = claim.draw(VectorDraw(self.trace))
        if describe(case) != self.case:
            raise _stale(claim, self, "its integers draw another case than the one it describes")
        return case

    def confirm(self, claim: Claim, ratios: Iterable[float | None]) -> None:
        """See that one of the ratios on the case is the one kept, or raise ClaimError."""
        found = [ratio for ratio in ratios if ratio is not None]
        if not any(abs(ratio - self.number) <= _AGREE for ratio in found):
            shown = ", ".join(f"{ratio:.10g}" for ratio in found) or "none at all"
            raise _stale(claim, self, f"its ratio is {self.ratio}, and that of its case {shown}")


_FIELDS = {one.name for one in fields(Kept)}
_KINDS = {
    "part": int, "trace": list, "ratio": str, "models": int, "seed": int, "limit": str,
    "along": str,
}  # fmt: skip


def path_of(claim: Claim) -> Path:
    """The file in which the extremal cases of a claim are kept, whether it exists or not."""
    file = Path(claim.file).resolve()
    folder = file.parents[1] if is_shipped(file) else file.parent
    return folder / "corpus" / f"{file.stem}.json"


def read(claim: Claim) -> tuple[Kept, ...]:
    """The extremal cases of a claim, by part; none where there is no file.

    Raises
    ------
    ClaimError: if the file is damaged, of another format, or keeps cases of what its file does not
    claim, with the place and the remedy.
    """
    path = path_of(claim)
    if not path.exists():
        return ()
    kept = read_file(path)
    known = beside(claim)  # nothing for a claim that was made by hand
    if known and (idle := sorted(kept.keys() - known)):
        raise ClaimError(
            f"{path} keeps cases of {shortened(idle[0])}, which {Path(claim.file).name} does not "
            "claim; rename them as the claim was renamed, or delete them"
        )
    return tuple(_entry(path, claim, one) for one in kept.get(claim.name, []))


def read_file(path: Path) -> dict[str, list[Any]]:
    """Claim name -> what a file of the corpus keeps of it; raises ClaimError as `read`."""
    again = "restore it, or delete it and run holdfast hunt LABEL --keep for each of its claims"
    try:
        if not path.is_file():
            raise ModelError("it is a folder, a pipe or a device")
        if path.stat().st_size > _LARGEST:
            raise ModelError(f"it has more than {_LARGEST} bytes")
        document = strict_json(path.read_text(encoding="utf-8"), "it")
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ModelError(f"it does not say that its format is {FORMAT}")
        claims = document.get("claims")
        if not isinstance(claims, dict) or not all(isinstance(x, list) for x in claims.values()):
            raise ModelError("its claims are not lists of cases by the names of claims")
    except (ModelError, UnicodeDecodeError) as problem:
        raise ClaimError(f"{path} is not a file of extremal cases: {problem}; {again}") from problem
    return claims


def write(claim: Claim, kept: Iterable[Kept]) -> Path:
    """Put these in the place of what the file keeps of the claim, and return the file.

    Raises
    ------
    ClaimError: if the file that is there is damaged; OSError: if it cannot be written.
    """
    path = path_of(claim)
    claims = read_file(path) if path.exists() else {}
    claims[claim.name] = [asdict(one) for one in kept]
    entries = (
        f" {json.dumps(name)}: [\n  " + ",\n  ".join(map(json.dumps, claims[name])) + "\n ]"
        for name in sorted(claims)
    )
    path.parent.mkdir(exist_ok=True)
    text = f'{{"format": "{FORMAT}", "claims": {{\n' + ",\n".join(entries) + "\n}}\n"
    return write_text(path, text)


def _entry(path: Path, claim: Claim, document: Any) -> Kept:
    problem = _problem(claim, document)
    if problem:
        raise ClaimError(f"{path}, {claim.name}: {problem}; {_remedy(claim)}")
    return Kept(**{**document, "trace": tuple(document["trace"])})


def _problem(claim: Claim, document: Any) -> str:
    """What is wrong with a case of a file, or nothing."""
    if not isinstance(document, Mapping) or set(document) != _FIELDS:
        return f"a case must have {', '.join(sorted(_FIELDS))}, and nothing else"
    for name, kind in _KINDS.items():
        if type(document[name]) is not kind:
            return f"{name} is {shortened(str(document[name]))}, and no {kind.__name__}"
    part, trace, ratio = (document[name] for name in ("part", "trace", "ratio"))
    if not 0 <= part < len(claim.theorem.parts):
        return f"part is {part}, and the theorem has {len(claim.theorem.parts)}"
    if len(trace) > _LONGEST or any(type(one) is not int for one in trace):
        return f"trace is not a list of at most {_LONGEST} whole numbers"
    if not RATIO.fullmatch(ratio) or Fraction(ratio) > 1:
        return f"ratio is {shortened(ratio)}, not a number from 0 to 1 as text"
    return ""


def _remedy(claim: Claim) -> str:
    return f"find it anew by holdfast hunt {claim.name} --keep"


def _stale(claim: Claim, kept: Kept, why: str) -> ClaimError:
    return ClaimError(
        f"{path_of(claim)}, {claim.name}, part {kept.part}: a kept case no longer checks: {why}. "
        f"The family, the solvers or the statement have changed; {_remedy(claim)}"
    )
