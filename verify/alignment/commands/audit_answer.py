"""What ``holdfast audit`` finds in a log: columns, the verdict, and what explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from holdfast.solvers.alignment.audits import batches
from holdfast.solvers.alignment.audits.printed import (
    DOUBLE,
    PRECISIONS,
    SINGLE,
    Interval,
    exact_number,
    graded,
    printed,
    stored,
)
from holdfast.solvers.alignment.audits.rules import Rule
from holdfast.solvers.alignment.audits.scalar import (
    Run,
    Verdict,
    explanations,
    judge,
    negative,
)
from holdfast.solvers.errors import ModelError
from holdfast.solvers.poisoning.data.bounded_files import listed, shown
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.numbers import count

from .presets import BATCH, PRESETS
from .run_logs import Table

ERROR = 1e-6
"""Probability of a false alarm of the bet on importance ratios: that of a whole run of holdfast."""
_ROUNDINGS = 16
"""Of a log-probability: those of a softmax and of a sum over tokens in halves."""
_MOST_OTHERS = 40
"""Other columns that are tried as what drives the multiplier: more take seconds each."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The preset, and the columns of step, multiplier and value."""

    preset: str
    step: str
    multiplier: str
    value: str


@dataclass(frozen=True, slots=True)
class Found:
    """All that is said of a run; left: rows that lack one of the columns; given: the options."""

    table: Table
    columns: Columns
    rule: Rule
    run: Run
    verdict: Verdict
    explained: Sequence[str]
    left: int
    given: Mapping[str, Any]

    @property
    def sparse(self) -> bool:
        """Whether the log contradicts its rule and may do so because it lacks updates: its steps
        are not counted one by one, and nothing else explains it."""
        every = self.given["updates"] is not None or self.run.spacing == 1
        known = every or self.explained or negative(self.run) is not None
        return self.verdict.contradicted and not known

    @property
    def code(self) -> ExitCode:
        """1 for a contradiction, 2 where nothing was compared or it is open what a row is."""
        if self.sparse:
            return ExitCode.UNDECIDED
        if self.verdict.contradicted:
            return ExitCode.VIOLATION
        return ExitCode.AS_EXPECTED if self.verdict.checked else ExitCode.UNDECIDED


def find_columns(table: Table, given: Mapping[str, Any]) -> Columns:
    """By the options, or by the names of the preset.

    Raises ModelError, with the columns that are there, for those that are not.
    """
    names = table.columns
    preset = given["preset"]
    if preset == "auto":
        order = ["trl", *PRESETS] if table.kind == "trainer_state.json" else [*PRESETS]
        preset = next((p for p in order if _fits(p, names, given)), "plain")
    chosen: dict[str, str] = {}
    for what in ("step", "multiplier", "value"):
        name, tried = given[what], getattr(PRESETS[preset], what)
        if name is not None and name not in names:
            raise ModelError(f"{table.name} has no column {shown(name)}; it has {listed(names)}")
        there = name or next((one for one in tried if one in names), None)
        if there is None:
            raise ModelError(
                f"{table.name} has the columns {listed(names)}, of which none is known to hold the "
                f"{what}; tried {', '.join(tried)}; name it with --{what} COLUMN"
            )
        if there in chosen.values():
            raise ModelError(
                f"{table.name}: the column {shown(there)} cannot be both --{what} and another; "
                "name another column"
            )
        chosen[what] = there
    return Columns(preset, **chosen)


def _fits(preset: str, names: Sequence[str], given: Mapping[str, Any]) -> bool:
    """Whether both columns are known, one of them by the preset's own names at least: columns that
    were named by the caller are no evidence of a library, and of the rule that it has."""
    own = {what: getattr(PRESETS[preset], what) for what in ("multiplier", "value")}
    if all(given[what] is not None for what in own):
        return any(given[what] in tried for what, tried in own.items())
    return all(given[what] is not None or any(n in names for n in own[what]) for what in own)


def audit_run(table: Table, columns: Columns, rule: Rule, given: Mapping[str, Any]) -> Found:
    """Read the columns as they are printed, and judge; raises ModelError as `Run` and `printed`."""
    wanted = (columns.step, columns.multiplier, columns.value)
    whole = table.whole(wanted)
    if len(whole.rows) < 2:
        raise ModelError(
            f"{table.name} has {count(len(whole.rows), 'row')} with all of {listed(wanted)}; at "
            "least two are needed for an update"
        )
    steps = tuple(
        exact_number(row[columns.step], f"row {place} of {columns.step}")
        for row, place in zip(whole.rows, whole.places, strict=True)
    )
    multipliers, values = (
        _column(whole, name, given["exact"]) for name in (columns.multiplier, columns.value)
    )
    run, timing = Run(steps, multipliers, values), given["logged"]
    rule = replace(rule, unit=_unit(columns, run, given["precision"]))
    verdict = judge(run, rule, timing)
    explained: list[str] = []
    if verdict.contradicted:
        explained = explanations(run, rule, timing, _others(whole, wanted, given["exact"]))
    left = len(table.rows) - len(whole.rows)
    return Found(table, columns, rule, run, verdict, explained, left, given)


def _unit(columns: Columns, run: Run, precision: str | None) -> Fraction:
    """Of the program's arithmetic: as stated, as the preset's library, or float32 unless both
    columns have numbers that no float32 is."""
    if precision is not None:
        return PRECISIONS[precision]
    double = all(
        any(not x.may_be_of(SINGLE) for x in column) for column in (run.multipliers, run.values)
    )
    return max(PRESETS[columns.preset].unit, DOUBLE if double else SINGLE)


def _column(table: Table, name: str, exact: bool) -> tuple[Interval, ...]:
    texts = [row[name] for row in table.rows]
    lost = "nothing" if exact else table.lost
    return tuple(printed(texts, name, table.places, table.unit, lost))


def _others(
    table: Table, taken: Sequence[str], exact: bool
) -> Iterator[tuple[str, tuple[Interval, ...]]]:
    """Other columns of numbers, which may be what drives the multiplier."""
    for name in [name for name in table.columns if name not in taken][:_MOST_OTHERS]:
        with suppress(ModelError, KeyError):  # not numbers, or not in every row
            yield name, _column(table, name, exact)


@dataclass(frozen=True, slots=True)
class Batch:
    """All that is said of a batch; skipped: checks and the column that each lacks."""

    table: Table
    names: Mapping[str, str]
    form: str | None
    groups: Sequence[batches.Group]
    recomputed: batches.Recomputed
    bet: batches.Bet | None
    overfull: tuple[str, Fraction] | None
    skipped: Sequence[tuple[str, str]]

    @property
    def said(self) -> str | None:
        """The form that the advantages are said to have, or that most groups have."""
        return self.form or self.recomputed.usual

    @property
    def faults(self) -> list[str]:
        """What contradicts, by name."""
        wrong = [] if self.said is None else self.recomputed.mismatches.get(self.said, [])
        awake = self.recomputed.awake
        named = {
            "advantages": bool(wrong),
            "sums": self.said != "raw" and any(one.unbalanced for one in wrong),
            "equal rewards": self.said != "raw" and any(one.group in awake for one in wrong),
            "importance ratios": self.bet is not None and self.bet.error <= ERROR,
            "probabilities": self.overfull is not None,
        }
        return [name for name, found in named.items() if found]

    @property
    def code(self) -> ExitCode:
        """1 for a contradiction, 2 if it is open what the advantages are."""
        if self.faults:
            return ExitCode.VIOLATION
        return ExitCode.AS_EXPECTED if self.recomputed.forms else ExitCode.UNDECIDED


_GIVEN = {"group": "groups", "reward": "rewards", "advantage": "advantages", "logp": "logps",
          "sampler_logp": "sampler_logps", "response": "responses"}  # fmt: skip


def holds_batch(table: Table, given: Mapping[str, Any]) -> bool:
    """Whether a log is a batch: an option says so, or it has advantages and no multiplier."""
    if any(given[name] is not None for name in _GIVEN.values()):
        return True
    asked = any(given[name] is not None for name in ("multiplier", "value", "limit", "at_least"))
    return not asked and any(name in table.columns for name in BATCH["advantage"])


def audit_batch(table: Table, given: Mapping[str, Any]) -> Batch:
    """Recompute the advantages of a batch and test what else it has.

    Raises ModelError for columns that are named and are not there, and for no group.
    """
    names = dict(_batch_columns(table, given))
    exact, unit = given["exact"], PRECISIONS[given["precision"] or "float32"]
    whole = table.whole(names[what] for what in ("group", "reward", "advantage"))
    texts, name = [row[names["reward"]] for row in whole.rows], names["reward"]
    rewards = (
        printed(texts, name, whole.places, lost="nothing") if exact
        else graded(texts, name, whole.places)
    )  # fmt: skip
    groups = batches.grouped(
        [row[names["group"]] for row in whole.rows], rewards,
        _column(whole, names["advantage"], exact),
    )  # fmt: skip
    bet, overfull, skipped = None, None, []
    for what, needed in (
        ("importance ratios", ("logp", "sampler_logp")),
        ("probabilities of distinct responses", ("sampler_logp", "response")),
    ):
        lack = next((one for one in needed if one not in names), None)
        if lack is not None:
            skipped.append((what, lack))
            continue
        part = table.whole(names[one] for one in ("group", *needed))
        old = _log_probabilities(part, names["sampler_logp"], exact, unit)
        if what == "importance ratios":
            new = _log_probabilities(part, names["logp"], exact, unit)
            bet = batches.bet([a - b for a, b in zip(new, old, strict=True)])
        else:
            labels, answers = ([row[names[x]] for row in part.rows] for x in ("group", "response"))
            overfull = batches.overfull(labels, answers, old)
    found = batches.recompute(groups, unit)
    return Batch(table, names, given["form"], groups, found, bet, overfull, skipped)


def _batch_columns(table: Table, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a column of the batch holds, and its name."""
    for what, tried in BATCH.items():
        name = given[_GIVEN[what]]
        if name is not None and name not in table.columns:
            raise ModelError(
                f"{table.name} has no column {shown(name)}; it has {listed(table.columns)}"
            )
        there = name or next((one for one in tried if one in table.columns), None)
        if there is not None:
            yield what, there
        elif what in ("group", "reward", "advantage"):
            raise ModelError(
                f"{table.name} has the columns {listed(table.columns)}, of which none is known to "
                f"hold the {what}; name it with --{_GIVEN[what]} COLUMN"
            )


def _log_probabilities(table: Table, name: str, exact: bool, unit: Fraction) -> list[Interval]:
    """A column, with what a softmax, a sum over tokens and the type that stored it have lost."""
    found = _column(table, name, exact)
    kept = stored(found)
    return [x.widened(_ROUNDINGS * unit * (1 + x.size) + kept * x.size) for x in found]
