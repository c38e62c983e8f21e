"""What ``holdfast audit`` finds in a log: columns, the verdict, and what explains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from holdfast.solvers.alignment.audits import batches
from holdfast.solvers.alignment.audits.printed import Interval, exact_number, printed
from holdfast.solvers.alignment.audits.rules import Rule
from holdfast.solvers.alignment.audits.scalar import (
    Run,
    Timing,
    Verdict,
    agrees,
    explanations,
    judge,
)
from holdfast.solvers.errors import ModelError
from holdfast.solvers.poisoning.data.bounded_files import listed, shown
from holdfast.verify.campaign.exit_codes import ExitCode

from .presets import BATCH, PRESETS
from .run_logs import Table

ERROR = 1e-6
"""Probability of a false alarm of the bet on importance ratios: that of a whole run of holdfast."""
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
    """All that is said of a run; left: rows that lack one of the columns."""

    table: Table
    columns: Columns
    rule: Rule
    run: Run
    verdict: Verdict
    explained: Sequence[str]
    left: int

    @property
    def code(self) -> ExitCode:
        """1 for a contradiction, 2 where nothing was compared."""
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


def audit_run(
    table: Table, columns: Columns, rule: Rule, timing: Timing | None, exact: bool
) -> Found:
    """Read the columns as they are printed, and judge; raises ModelError as `Run` and `printed`."""
    wanted = (columns.step, columns.multiplier, columns.value)
    whole = table.whole(wanted)
    if len(whole.rows) < 2:
        raise ModelError(
            f"{table.name} has {len(whole.rows)} rows with all of {listed(wanted)}; at least two "
            "are needed for an update"
        )
    steps = tuple(
        exact_number(row[columns.step], f"row {place} of {columns.step}")
        for row, place in zip(whole.rows, whole.places, strict=True)
    )
    run = Run(
        steps, _column(whole, columns.multiplier, exact), _column(whole, columns.value, exact)
    )
    verdict = judge(run, rule, timing)
    explained = _explained(whole, columns, run, rule) if verdict.contradicted else []
    return Found(table, columns, rule, run, verdict, explained, len(table.rows) - len(whole.rows))


def _column(table: Table, name: str, exact: bool) -> tuple[Interval, ...]:
    texts = [row[name] for row in table.rows]
    lost = "nothing" if exact else table.lost
    return tuple(printed(texts, name, table.places, table.unit, lost))


def _explained(table: Table, columns: Columns, run: Run, rule: Rule) -> list[str]:
    """Rules and columns with which the log would agree."""
    found = explanations(run, rule)
    taken = {columns.step, columns.multiplier, columns.value}
    others = [name for name in table.columns if name not in taken][:_MOST_OTHERS]
    for name in others:
        try:
            other = replace(run, values=_column(table, name, False))
        except (ModelError, KeyError):  # not numbers, or not in every row
            continue
        if agrees(other, rule):
            found.append(f"the multiplier follows the column {name}, not {columns.value}")
    return found


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
        found, said = self.recomputed, self.said
        named = {
            "advantages": said is not None and not found.has(said),
            "sums": bool(found.unbalanced) and said not in (None, "raw"),
            "equal rewards": bool(found.awake) and said not in (None, "raw"),
            "importance ratios": self.bet is not None and self.bet.error <= ERROR,
            "probabilities": self.overfull is not None,
        }
        return [name for name, wrong in named.items() if wrong]

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


def audit_batch(table: Table, given: Mapping[str, Any], unit: Fraction) -> Batch:
    """Recompute the advantages of a batch and test what else it has.

    Raises ModelError for columns that are named and are not there, and for no group.
    """
    names: dict[str, str] = {}
    for what, tried in BATCH.items():
        name = given[_GIVEN[what]]
        if name is not None and name not in table.columns:
            raise ModelError(
                f"{table.name} has no column {shown(name)}; it has {listed(table.columns)}"
            )
        there = name or next((one for one in tried if one in table.columns), None)
        if there is not None:
            names[what] = there
        elif what in ("group", "reward", "advantage"):
            raise ModelError(
                f"{table.name} has the columns {listed(table.columns)}, of which none is known to "
                f"hold the {what}; name it with --{_GIVEN[what]} COLUMN"
            )
    whole = table.whole(names[what] for what in ("group", "reward", "advantage"))
    labels = [row[names["group"]] for row in whole.rows]
    rewards = [
        exact_number(row[names["reward"]], f"row {place} of {names['reward']}")
        for row, place in zip(whole.rows, whole.places, strict=True)
    ]
    advantages = _column(whole, names["advantage"], given["exact"])
    groups = batches.grouped(labels, rewards, advantages)
    bet, skipped = _bet(table, names)
    overfull = _overfull(table, names)
    if "sampler_logp" not in names or "response" not in names:
        lack = "sampler_logp" if "sampler_logp" not in names else "response"
        skipped.append(("probabilities of distinct responses", lack))
    found = batches.recompute(groups, unit)
    return Batch(table, names, given["form"], groups, found, bet, overfull, skipped)


def _bet(
    table: Table, names: Mapping[str, str]
) -> tuple[batches.Bet | None, list[tuple[str, str]]]:
    for what in ("logp", "sampler_logp"):
        if what not in names:
            return None, [("importance ratios", what)]
    whole = table.whole((names["logp"], names["sampler_logp"]))
    new, old = (_column(whole, names[what], False) for what in ("logp", "sampler_logp"))
    return batches.bet([float((a - b).low) for a, b in zip(new, old, strict=True)]), []


def _overfull(table: Table, names: Mapping[str, str]) -> tuple[str, Fraction] | None:
    if not {"sampler_logp", "response"} <= set(names):
        return None
    whole = table.whole(names[what] for what in ("group", "response", "sampler_logp"))
    labels, texts = ([row[names[what]] for row in whole.rows] for what in ("group", "response"))
    return batches.overfull(labels, texts, _column(whole, names["sampler_logp"], False))
