"""What changed from one run to another: `differences`, and which changes are for the worse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..kernel import Verdict
from .exit_codes import ExitCode
from .power import EMPTY
from .results import Outcome, Results
from .summary import GRAVEST


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed.

    claim, world: of which statement; what: such as ``verdict`` or ``mutants``; before, now: as
    text; code: that of a change for the worse, `ExitCode.AS_EXPECTED` of any other.
    """

    claim: str
    world: str
    what: str
    before: str
    now: str
    code: ExitCode = ExitCode.AS_EXPECTED

    @property
    def worse(self) -> bool:
        """Whether it is for the worse."""
        return self.code is not ExitCode.AS_EXPECTED


def differences(before: Results, now: Results) -> list[Change]:
    """All changes but those of times, those for the worse first, by the names of the claims.

    Fewer models than before are for the worse where seed and budget are the same: a part of the run
    is lost.  With another seed or budget the findings differ, and are not listed one by one.
    """
    same = comparable(before, now)
    names = sorted(before.outcomes.keys() | now.outcomes.keys())
    found = [
        Change(claim, world, *change)
        for claim, world in names
        for change in _changes(
            before.outcomes.get((claim, world)), now.outcomes.get((claim, world)), same
        )
    ]
    return sorted(found, key=lambda change: not change.worse)


def comparable(before: Results, now: Results) -> bool:
    """Whether both were to examine the same models."""
    return (before.seed, before.budget) == (now.seed, now.budget)


def gravest_code(changes: Iterable[Change]) -> ExitCode:
    """The code of the gravest change; `ExitCode.AS_EXPECTED` if none is for the worse."""
    codes = {change.code for change in changes}
    return next((code for code in GRAVEST if code in codes), ExitCode.AS_EXPECTED)


_What = tuple[str, str, str, ExitCode]


def _changes(before: Outcome | None, now: Outcome | None, same: bool) -> Iterator[_What]:
    if before is None or now is None:
        gone = ExitCode.UNDECIDED if now is None else ExitCode.AS_EXPECTED
        yield "claim", _there(before), _there(now), gone
        return
    if before.statement != now.statement and before.statement and now.statement:
        yield "statement", before.statement, now.statement, ExitCode.AS_EXPECTED
    if before.error != now.error:
        code = ExitCode.UNDECIDED if now.error else ExitCode.AS_EXPECTED
        yield "error", before.error or "none", now.error or "none", code
        return  # what a faulty claim found otherwise says nothing
    if before.verdict is not now.verdict:
        yield "verdict", before.verdict.name, now.verdict.name, _judged(before, now)
    yield from _of_mutants(before, now)
    if same:
        yield from _of_the_same_plan(before, now)
    if (old := _ratio(before)) != (new := _ratio(now)):
        yield "ratio", old, new, ExitCode.AS_EXPECTED


def _of_mutants(before: Outcome, now: Outcome) -> Iterator[_What]:
    if lost := before.killed - now.killed:
        yield "mutants", "refuted", f"not refuted: {_listed(lost)}", ExitCode.MUTANT_SURVIVED
    if won := now.killed - before.killed:
        yield "mutants", "not refuted", f"refuted: {_listed(won)}", ExitCode.AS_EXPECTED


def _of_the_same_plan(before: Outcome, now: Outcome) -> Iterator[_What]:
    if before.models != now.models:
        code = ExitCode.UNDECIDED if now.models < before.models else ExitCode.AS_EXPECTED
        yield "models", str(before.models), str(now.models), code
    if before.telling != now.telling:
        yield "telling models", str(before.telling), str(now.telling), ExitCode.AS_EXPECTED
    if before.power != now.power:
        yield "power", before.power, now.power, ExitCode.AS_EXPECTED
    shards = [*before.rows, *(shard for shard in now.rows if shard not in before.rows)]
    if others := [one for one in shards if before.rows.get(one) != now.rows.get(one)]:
        old, new = f"in {len(shards)} shards", f"others in {len(others)}, the first: {others[0]}"
        yield "findings", old, new, ExitCode.AS_EXPECTED


def _there(outcome: Outcome | None) -> str:
    return "absent" if outcome is None else outcome.verdict.name


def _judged(before: Outcome, now: Outcome) -> ExitCode:
    """The code of a verdict that has changed."""
    expected = now.false if now.false is not None else before.false
    if expected is None:  # nobody says: a theorem that falls, or one that no longer does
        against, was_against = Verdict.VIOLATED in (now.verdict, before.verdict), False
    else:
        against, was_against = (
            (one.verdict is Verdict.VIOLATED) is not expected for one in (now, before)
        )
    if against and not was_against:
        return ExitCode.VIOLATION
    open_now = now.verdict in (Verdict.UNDECIDED, *EMPTY)
    open_before = before.verdict in (Verdict.UNDECIDED, *EMPTY)
    return ExitCode.UNDECIDED if open_now and not open_before else ExitCode.AS_EXPECTED


def _ratio(outcome: Outcome) -> str:
    """To the digits that a person is shown; a float is no evidence."""
    return "none" if outcome.ratio is None else f"{outcome.ratio:.6g}"


def _listed(mutants: frozenset[str]) -> str:
    return "; ".join(sorted(mutants))
