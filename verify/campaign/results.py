"""What became of each claim in a run, read from a store or from the JSON of ``verify --json``.

Main definition: `read_results`.  Neither needs the claims themselves, which may have changed since.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.solvers.errors import ModelError
from holdfast.solvers.whole_files import regular
from holdfast.theory import Standing

from ..engine.examiner import Kind
from ..kernel import Verdict
from ..store.store import Run, Store, row_of
from .power import EMPTY, gravest

SCHEMA = "holdfast-run/1"
_REMEDY = "name a store of findings, or what holdfast verify --json has written"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A claim after a run, on drawn models or on one world.

    statement: its relation as text; false: whether it is expected to be violated, None where the
    store does not say; verdict: the gravest; models: cases with a finding, telling: those that said
    more than is true without the theorem; power: such models of each part, and in JSON the least
    change of a value that they notice; ratio: the largest of the telling findings; killed: mutants;
    seconds: of work; error: why it is faulty, or empty; rows: of each shard, a digest of all that
    it holds but times, empty in JSON, which does not hold it.
    """

    statement: str
    false: bool | None
    verdict: Verdict
    models: int
    telling: int
    power: str
    ratio: float | None
    killed: frozenset[str]
    seconds: float
    error: str = ""
    rows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Results:
    """A run; outcomes: (claim, world or empty) -> what became of it; fingerprint: of all that the
    findings follow from, empty in JSON."""

    place: str
    seed: int
    budget: str
    versions: Mapping[str, str]
    finished: bool
    is_store: bool
    outcomes: Mapping[tuple[str, str], Outcome] = field(default_factory=dict)
    fingerprint: str = ""


def read_results(place: str) -> Results:
    """Read the newest run of a store, run N of it (``FILE:N``), or the JSON of a run.

    Raises
    ------
    ModelError: if there is no such file, or it is neither.
    StoreError: if the store cannot be read, or has no such run.
    """
    path, number = split(place)
    regular(path, _REMEDY)
    with path.open("rb") as file:
        is_store = file.read(16) == b"SQLite format 3\0"
    if is_store:
        with Store.read(path) as store:
            return _of_run(place, store.run(number))
    return _of_json(place, path)


def split(place: str) -> tuple[Path, int | None]:
    """The file and the number of the run, None for the newest, of ``FILE`` or ``FILE:N``."""
    found = re.fullmatch(r"(.+):([0-9]{1,9})", place, re.DOTALL)
    if found is None or Path(place).exists():
        return Path(place), None
    return Path(found[1]), int(found[2])


def _of_run(place: str, run: Run) -> Results:
    rows = run.store.database.rows
    shards = rows(
        'SELECT claim, kind, name, id, seconds, error, first, size, "key", models FROM shards'
        " WHERE run = ? ORDER BY claim, kind, name, first, size",
        (run.id,),
    )
    tallies: dict[tuple[str, str], _Tally] = {}
    for claim, kind, name, number, seconds, error, first, size, *others in shards:
        world = name if kind == Kind.WORLD.name else ""
        with row_of(place, f"shards, row {number}", {"claim": claim, "seconds": seconds}):
            tally = tallies.setdefault((claim, world), _Tally())
            tally.seconds, tally.error = tally.seconds + float(seconds), tally.error or str(error)
        found = run.store.database.stream(f"{_COLUMNS} WHERE shard = ? ORDER BY id", (number,))
        with closing(found), row_of(place, f"findings of shard {number}", {"claim": claim}):
            tally.add(found)
        kills = rows(
            'SELECT mutant, "case", claim FROM kills WHERE shard = ? ORDER BY id', (number,)
        )
        tally.killed.update(mutant for mutant, *_ in kills)
        label = f"{kind.lower()} {name}".strip()
        tally.close(f"{label}, {size} from {first}", repr((others, kills)))
    claims = run.plan.get("claims", {})
    outcomes = {}
    for (claim, world), tally in tallies.items():
        about = claims.get(claim, {"statement": "", "false": None})
        with row_of(place, f"plans, run {run.id}", {"claim": about}):
            outcomes[claim, world] = tally.outcome(about["statement"], about["false"])
    about = place, run.seed, run.budget, run.versions, run.finished, True
    return Results(*about, outcomes, run.fingerprint)


_COLUMNS = """
SELECT "case", verdict, ratio, part, claim, repeat, "left", "right", slack, grade, alpha, digest,
    "values", note FROM findings"""


class _Tally:
    """Adds up the shards of a claim, of which no two have a case in common."""

    def __init__(self) -> None:
        self.verdicts: set[Verdict] = set()
        self.models = self.telling = 0
        self.ratio: float | None = None
        self.killed: set[str] = set()
        self.seconds, self.error = 0.0, ""
        self.hash = hashlib.sha256()
        self.rows: dict[str, str] = {}
        self.parts: Counter[int] = Counter()

    def add(self, findings: Iterable[tuple[Any, ...]]) -> None:
        """The findings of one shard, with the columns of `_COLUMNS`."""
        cases: dict[str, bool] = {}
        parts: set[tuple[int, str]] = set()
        for row in findings:
            self.hash.update(repr(row).encode())
            case, verdict, ratio, part = row[0], Verdict[row[1]], row[2], int(row[3])
            tells = verdict not in EMPTY
            self.parts[part] += tells and (part, case) not in parts
            parts |= {(part, case)} if tells else set()
            self.verdicts.add(verdict)
            cases[case] = cases.get(case, False) or tells
            if tells and ratio is not None:
                self.ratio = max(float(ratio), self.ratio or 0.0)
        self.models += len(cases)
        self.telling += sum(cases.values())

    def close(self, shard: str, rest: str) -> None:
        """The end of a shard, which holds the rest beside its findings."""
        self.hash.update(rest.encode())
        self.rows[shard] = self.hash.hexdigest()
        self.hash = hashlib.sha256()

    def outcome(self, statement: str, false: bool | None) -> Outcome:
        """All of it, with what the plan of the run says of the claim."""
        verdict = gravest(self.verdicts)
        if verdict is Verdict.AGREES and not self.killed:  # as in the summary of a run
            verdict = Verdict.UNDECIDED
        return Outcome(
            statement=statement,
            false=false,
            verdict=verdict,
            models=self.models,
            telling=self.telling,
            power=", ".join(f"{self.parts[k]}/{self.models}" for k in sorted(self.parts)),
            ratio=self.ratio,
            killed=frozenset(self.killed),
            seconds=self.seconds,
            error=self.error,
            rows=self.rows,
        )


def _of_json(place: str, path: Path) -> Results:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ModelError(f"{place} is neither a store nor JSON ({error}); {_REMEDY}") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise ModelError(f"{place}: its schema is {schema!r}, and is not {SCHEMA}; {_REMEDY}")
    try:
        claims = [((str(one["name"]), str(one["world"])), one) for one in document["claims"]]
        return Results(
            place,
            int(document["seed"]),
            str(document["budget"]),
            {str(name): str(version) for name, version in document["versions"].items()},
            True,
            False,
            {key: _of_document(one) for key, one in claims},
        )
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        what = f"{type(error).__name__}: {error}"
        why = f"lacks what a run has, or has it otherwise ({what})"
        raise ModelError(f"{place}: {why}; {_REMEDY}") from error


def _of_document(one: Mapping[str, Any]) -> Outcome:
    ratio = (one["tightest"] or {}).get("ratio")
    return Outcome(
        statement=str(one["statement"]),
        false=Standing[one["standing"].upper()].is_false,
        verdict=Verdict[one["verdict"].upper()],
        models=int(one["models"]),
        telling=int(one["telling"]),
        power=", ".join(map(_power, one["power"]["parts"])),
        ratio=None if ratio is None else float(ratio),
        killed=frozenset(str(m["name"]) for m in one["mutants"] if m["fate"] == "killed"),
        seconds=float(one["seconds"]),
        error=str(one["error"]),
    )


def _power(part: Mapping[str, Any]) -> str:
    change = part["noticed"]
    notices = "nothing" if change is None else f"{float(change):.2g}"
    return f"{int(part['telling'])}/{int(part['models'])} notice {notices}"
