"""What ``holdfast audit`` prints and writes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from holdfast.solvers.alignment.audits.batches import FORMS
from holdfast.solvers.alignment.audits.printed import Interval
from holdfast.solvers.alignment.audits.scalar import Break, Certified
from holdfast.verify.report.numbers import count

from ...terminal.output import Console, plain
from .audit_answer import ERROR, Batch, Found

_SHOWN = 3
"""Stretches of a log whose certificates are printed; JSON has all of them."""


def print_run(console: Console, found: Found) -> None:
    """Everything but where files were written."""
    for line in _run_lines(found):
        console.print(line, highlight=False)


def _run_lines(found: Found) -> Iterator[str]:
    columns, verdict, rule = found.columns, found.verdict, found.rule
    yield (
        f"[bold]{plain(found.table.name)}[/bold]: {found.table.kind}, "
        f"{count(len(found.run.steps), 'row')} (steps from {plain(columns.step)}, multiplier from "
        f"{plain(columns.multiplier)}, value from {plain(columns.value)}; names of "
        f"{columns.preset})"
    )
    if found.left:
        yield f"note: {count(found.left, 'row')} without one of these columns, not read"
    sign = "target - value" if rule.at_least else "value - target"
    yield (
        f"rule: {rule.kind}, u = {sign}, target {_short(rule.target)}; the multiplier of a row is "
        f"the one {verdict.timing} the update by its value"
    )
    for why, number in verdict.undecided.items():
        yield f"undecided: {count(number, 'update')}, since {why}"
    if verdict.first is not None:
        yield from _broken(verdict.first, verdict.breaks, verdict.checked)
    elif verdict.checked:
        yield f"{count(verdict.checked, 'update')} compared, none contradicts the rule"
    for words in found.explained:
        yield f"  the whole log agrees with this: {plain(words)}"
    yield from _certificates(found)


def _broken(first: Break, number: int, checked: int) -> Iterator[str]:
    yield (
        f"[bold red]contradiction[/bold red] at step {_short(first.step)}: the multiplier "
        f"{_middle(first.before)} and the value {_middle(first.value)} give {_ends(first.wanted)}, "
        f"and the log has {_middle(first.logged)}"
    )
    yield f"  {number} of {count(checked, 'update')} contradict the rule"


def _certificates(found: Found) -> Iterator[str]:
    verdict, rule = found.verdict, found.rule
    if rule.kind != "plain":
        yield (
            "SKIPPED: what the path certifies of the violations: only the plain rule adds them up "
            f"({rule.kind} here)"
        )
        if "adam" in rule.kind:
            yield "  a step of Adam is about as large as its rate, however large the violation is"
        return
    label = "primal-dual/telescoping" + ("" if rule.average is None else "-average")
    for one in verdict.certified[:_SHOWN]:
        where = (
            f"the {one.updates} updates between the multipliers of steps {_short(one.first)} and "
            f"{_short(one.last)}"
        )
        logged = f"those that are logged average {_middle(one.average)}"
        if one.holds and verdict.first is None:
            yield f"certified ({label}): violations of {where} average at most " + (
                f"{float(one.bound):.6g}; {logged}"
            )
        elif not one.holds:
            yield (
                f"[bold red]contradiction[/bold red] of {label}: by the path of the multiplier "
                f"violations of {where} average at most {float(one.bound):.6g}, and {logged}"
            )
    if len(verdict.certified) > _SHOWN and verdict.first is None:
        yield f"  and {len(verdict.certified) - _SHOWN} more stretches"
    if verdict.first is not None:
        yield "nothing is certified: the multiplier does not follow the rule that would certify it"
    elif not verdict.certified:
        yield "nothing is certified: no stretch of two updates without a gap and off the cap"


def run_document(found: Found) -> dict[str, Any]:
    """The answer as JSON; ends of intervals as floats."""
    verdict = found.verdict
    return {
        "log": found.table.name, "format": found.table.kind, "preset": found.columns.preset,
        "columns": {"step": found.columns.step, "multiplier": found.columns.multiplier,
                    "value": found.columns.value},
        "rule": found.rule.kind, "rate": float(found.rule.rate), "target": float(found.rule.target),
        "logged": verdict.timing, "rows": len(found.run.steps), "rows_left_out": found.left,
        "compared": verdict.checked, "undecided": verdict.undecided,
        "contradictions": verdict.breaks, "first": _break(verdict.first),
        "agrees_with": list(found.explained),
        "certified": [_certificate(one) for one in verdict.certified],
        "consistent": not verdict.contradicted,
    }  # fmt: skip


def _break(first: Break | None) -> dict[str, Any] | None:
    if first is None:
        return None
    parts = {"before": first.before, "value": first.value, "logged": first.logged,
             "wanted": first.wanted}  # fmt: skip
    return {"step": float(first.step)} | {
        name: [float(x.low), float(x.high)] for name, x in parts.items()
    }


def _certificate(one: Certified) -> dict[str, Any]:
    return {
        "first": float(one.first), "last": float(one.last), "updates": one.updates,
        "bound": float(one.bound), "average": [float(one.average.low), float(one.average.high)],
        "holds": one.holds,
    }  # fmt: skip


def print_batch(console: Console, found: Batch) -> None:
    """Everything but where files were written."""
    for line in _batch_lines(found):
        console.print(line, highlight=False)


def _batch_lines(found: Batch) -> Iterator[str]:
    names = ", ".join(f"{what} from {plain(name)}" for what, name in found.names.items())
    rows = sum(len(one.rewards) for one in found.groups)
    yield (
        f"[bold]{plain(found.table.name)}[/bold]: {found.table.kind}, {count(rows, 'row')} of "
        f"{count(len(found.groups), 'group')} ({names})"
    )
    done = found.recomputed
    for form in done.forms:
        yield f"advantages are {form}: {FORMS[form.split(', guarded')[0]]}"
    if "advantages" in found.faults:
        yield from _mismatch(found)
    elif not done.forms:
        yield (
            "undecided: the advantages are of none of the known forms throughout; say with --form "
            f"what they are to be ({', '.join(FORMS)})"
        )
    if "sums" in found.faults:
        yield (
            "[bold red]contradiction[/bold red]: advantages of "
            f"{count(len(done.unbalanced), 'group')} do not sum to 0, first of "
            f"{plain(done.unbalanced[0])}"
        )
    if "equal rewards" in found.faults:
        yield (
            f"[bold red]contradiction[/bold red]: rewards of {plain(done.awake[0])} are all equal, "
            "so that their variance is exactly 0, and its advantages are not 0 (a variance by "
            "E x^2 - mean^2 in floats?)"
        )
    if found.overfull is not None:
        name, least = found.overfull
        yield (
            f"[bold red]contradiction[/bold red]: probabilities of distinct responses of "
            f"{plain(name)} sum to {float(least):.6g} or more"
        )
    if found.bet is not None:
        yield from _ratios(found)
    for what, column in found.skipped:
        yield f"SKIPPED: column {column} missing: {what}"


def _mismatch(found: Batch) -> Iterator[str]:
    one = found.recomputed.mismatches.get(found.said or "")
    if one is None:
        return
    rewards = ", ".join(_short(r) for r in one.rewards[:8])
    yield (
        f"[bold red]contradiction[/bold red]: not {found.said}: rewards {rewards} of "
        f"{plain(one.group)} give {_ends(one.wanted)} to row {one.place + 1}, and the log has "
        f"{_middle(one.logged)}"
    )
    number = found.recomputed.obeyed.get(found.said or "", 0)
    yield f"  {number} of {count(len(found.groups), 'group')} obey this form"


def _ratios(found: Batch) -> Iterator[str]:
    bet = found.bet
    assert bet is not None, "asked by the caller"
    if bet.error <= ERROR:
        yield (
            f"[bold red]contradiction[/bold red]: importance ratios under the sampler average "
            f"{bet.mean:.4g}, not 1; so much by chance has a probability of at most {bet.error:.2g}"
        )
    else:
        yield (
            f"importance ratios average {bet.mean:.4g} over {count(bet.number, 'row')}: a bet "
            f"against a mean of 1 has made {bet.capital:.3g} of 1, no evidence (a mean below 1 "
            "would not be found)"
        )


def batch_document(found: Batch) -> dict[str, Any]:
    """The answer as JSON."""
    done, bet = found.recomputed, found.bet
    return {
        "log": found.table.name, "columns": dict(found.names), "groups": len(found.groups),
        "forms": list(done.forms), "unbalanced": list(done.unbalanced), "awake": list(done.awake),
        "first": {
            form: {"group": one.group, "row": one.place + 1, "logged": one.logged.middle,
                   "wanted": one.wanted.middle}
            for form, one in done.mismatches.items()
        },
        "importance_ratios": None if bet is None else {"mean": bet.mean, "error": bet.error},
        "overfull": None if found.overfull is None else found.overfull[0],
        "faults": found.faults,
        "skipped": [{"check": what, "column": column} for what, column in found.skipped],
        "consistent": not found.faults,
    }  # fmt: skip


def _short(value: Fraction) -> str:
    return f"{float(value):.10g}"


def _middle(value: Interval) -> str:
    return f"{value.middle:.6g}"


def _ends(value: Interval) -> str:
    low, high = f"{float(value.low):.6g}", f"{float(value.high):.6g}"
    return low if low == high else f"{low} to {high}"
