"""What ``holdfast audit`` prints and writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from holdfast.solvers.alignment.audits.batches import FORMS, Mismatch
from holdfast.solvers.alignment.audits.printed import Interval, float_of
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
        yield from _broken(found, verdict.first)
    elif verdict.checked:
        yield f"{count(verdict.checked, 'update')} compared, none contradicts the rule"
    for words in found.explained:
        yield f"  the whole log agrees with this: {plain(words)}"
    yield from _certificates(found)


def _broken(found: Found, first: Break) -> Iterator[str]:
    verdict = found.verdict
    head = "[bold red]contradiction[/bold red]" if not found.sparse else "undecided"
    given = (
        "the multiplier before the first update is"
        if first.before is None
        else f"the multiplier {_middle(first.before)} and the value {_middle(first.value)} give"
    )
    yield (
        f"{head} at step {_short(first.step)}: {given} {_ends(first.wanted)}, and the log has "
        f"{_middle(first.logged)}"
    )
    number, plan = verdict.breaks, count(verdict.checked, "update")
    yield f"  {number} of {plan} contradict the rule"
    if found.sparse:
        yield (
            f"  rows are {_short(found.run.spacing)} steps apart, so that updates may lie between "
            "them that are not logged; if there are none, --updates 1 makes this a contradiction"
        )
    elif found.given["rule"] is None and found.columns.preset != "plain":
        yield (
            f"  the rule is the one that the names of {found.columns.preset} suggest; state "
            "another with --rule"
        )


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
                f"{float_of(one.bound):.6g}; {logged}"
            )
        elif not one.holds:
            yield (
                f"[bold red]contradiction[/bold red] of {label}: by the path of the multiplier "
                f"violations of {where} average at most {float_of(one.bound):.6g}, and {logged}"
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
        "rule": found.rule.kind, "rate": float_of(found.rule.rate),
        "target": float_of(found.rule.target),
        "logged": verdict.timing, "rows": len(found.run.steps), "rows_left_out": found.left,
        "compared": verdict.checked, "undecided": verdict.undecided,
        "contradictions": verdict.breaks, "first": _break(verdict.first),
        "agrees_with": list(found.explained),
        "certified": [_certificate(one) for one in verdict.certified],
        "open": found.sparse, "consistent": not verdict.contradicted,
    }  # fmt: skip


def _break(first: Break | None) -> dict[str, Any] | None:
    if first is None:
        return None
    return {
        "step": float_of(first.step), "before": first.before and _pair(first.before),
        "value": _pair(first.value), "logged": _pair(first.logged), "wanted": _pair(first.wanted),
    }  # fmt: skip


def _certificate(one: Certified) -> dict[str, Any]:
    return {
        "first": float_of(one.first), "last": float_of(one.last), "updates": one.updates,
        "bound": float_of(one.bound), "average": _pair(one.average),
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
    elif not done.telling:
        yield "undecided: the rewards of every group may be equal, and tell no form from another"
    elif not done.forms:
        number = done.obeyed[done.nearest]
        yield (
            f"undecided: the advantages are of none of the known forms throughout; {done.nearest} "
            f"is nearest, with {number} of {count(done.telling, 'group')} of unequal rewards. Say "
            f"with --form what they are to be ({', '.join(FORMS)}): what deviates from that is a "
            "contradiction"
        )
    yield from _group_faults(found)
    if found.bet is not None:
        yield from _ratios(found)
    for what, column in found.skipped:
        yield f"SKIPPED: column {column} missing: {what}"


def _group_faults(found: Batch) -> Iterator[str]:
    done = found.recomputed
    if "sums" in found.faults:
        unequal = [one.group for one in _wrong(found) if one.unbalanced]
        yield (
            f"[bold red]contradiction[/bold red]: advantages of {count(len(unequal), 'group')} do "
            f"not sum to 0, first of {plain(unequal[0])}"
        )
    if "equal rewards" in found.faults:
        name = next(one.group for one in _wrong(found) if one.group in done.awake)
        yield (
            f"[bold red]contradiction[/bold red]: rewards of {plain(name)} are all equal, so that "
            "their variance is exactly 0, and its advantages are not 0"
        )
    elif done.awake and found.said not in (None, "raw"):
        yield (
            f"note: rewards of {plain(done.awake[0])} are all equal, and its advantages are not 0, "
            "which roundings over a deviation near 0 may do (such as a variance by E x^2 - mean^2)"
        )
    if found.overfull is not None:
        name, least = found.overfull
        yield (
            f"[bold red]contradiction[/bold red]: probabilities of distinct responses of "
            f"{plain(name)} sum to {float_of(least):.6g} or more"
        )


def _wrong(found: Batch) -> Sequence[Mismatch]:
    """What the form that the advantages are said to have does not give."""
    return found.recomputed.mismatches.get(found.said or "", ())


def _mismatch(found: Batch) -> Iterator[str]:
    one, done = _wrong(found)[0], found.recomputed
    rewards = ", ".join(_short(r) for r in one.rewards[:8])
    yield (
        f"[bold red]contradiction[/bold red]: not {found.said}: rewards {rewards} of "
        f"{plain(one.group)} give {_ends(one.wanted)} to row {one.place + 1}, and the log has "
        f"{_middle(one.logged)}"
    )
    number = done.obeyed[found.said or ""]
    yield f"  {number} of {count(done.telling, 'group')} of unequal rewards obey this form"
    if found.form is not None and done.nearest != found.form:
        yield f"  nearest is {done.nearest}, with {done.obeyed[done.nearest]}"


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
        "telling_groups": done.telling, "forms": list(done.forms), "nearest": done.nearest,
        "unbalanced": [one.group for one in _wrong(found) if one.unbalanced],
        "awake": list(done.awake),
        "obeyed": dict(done.obeyed),
        "first": {
            form: {"group": one.group, "row": one.place + 1, "logged": one.logged.middle,
                   "wanted": one.wanted.middle}
            for form, (one, *_) in done.mismatches.items()
        },
        "importance_ratios": None if bet is None else {"mean": bet.mean, "error": bet.error},
        "overfull": None if found.overfull is None else found.overfull[0],
        "faults": found.faults,
        "skipped": [{"check": what, "column": column} for what, column in found.skipped],
        "consistent": not found.faults,
    }  # fmt: skip


def _short(value: Fraction) -> str:
    return f"{float_of(value):.10g}"


def _pair(value: Interval) -> list[float]:
    return [float_of(value.low), float_of(value.high)]


def _middle(value: Interval) -> str:
    return f"{value.middle:.6g}"


def _ends(value: Interval) -> str:
    low, high = (f"{x:.6g}" for x in _pair(value))
    return low if low == high else f"{low} to {high}"
