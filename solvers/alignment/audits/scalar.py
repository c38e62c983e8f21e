"""A training run against the rule of its multiplier: single steps, and what the path certifies.

Sources: `primal-dual/telescoping`, `-unclipped` and `-average` of the theory: with a floor at 0 and
no cap the sum of the violations u is at most (lam_K - lam_0)/rate, with a moving average plus
rho/(1 - rho) times the rise of the average of u; no assumption about the policy or the estimates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

from ...errors import ModelError
from .printed import Interval, float_of
from .rules import Kind, Rule, State

Timing = Literal["after", "before"]
TIMINGS: tuple[Timing, ...] = ("after", "before")
"""Whether the multiplier of a row is the one after the update with the row's value, or before."""
_SIMPLE = 16
"""Denominator of a factor that is tried first: what is printed of one move gives it to four digits,
and rates differ by whole numbers, or by one over them."""
_ENOUGH = 3
"""Updates that another rule must explain: one or two fit a free rate, or a sign, by chance."""
_OPEN = 3
"""Updates more than with the stated rule that may stay open: those that give an average."""
_AVERAGES = tuple(
    Fraction(x) for x in ("0.5", "0.7", "0.8", "0.9", "0.95", "0.98", "0.99", "0.999")
)
"""Weights of moving averages that are tried."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a log says: steps that rise, multipliers and values of the constraint.

    Raises ModelError for steps that do not rise, with the rows, and for columns of two lengths.
    """

    steps: tuple[Fraction, ...]
    multipliers: tuple[Interval, ...]
    values: tuple[Interval, ...]

    def __post_init__(self) -> None:
        if not len(self.steps) == len(self.multipliers) == len(self.values):
            raise ModelError("steps, multipliers and values are not equally many; give one each")
        for row, (one, two) in enumerate(pairwise(self.steps), start=2):
            if two == one:
                raise ModelError(
                    f"step {float_of(one):.12g} is there twice, in rows {row - 1} and {row} of "
                    "those that are read; keep one of them, such as the later one of a run that "
                    "was resumed"
                )
            if two < one:
                raise ModelError(
                    f"the steps are not in order: {float_of(two):.12g} in row {row} of those that "
                    f"are read comes after {float_of(one):.12g}; sort the log by its steps, one "
                    "run a file"
                )

    @property
    def spacing(self) -> Fraction:
        """The least distance of two steps; twice that, or more, and rows are missing between."""
        return min((b - a for a, b in pairwise(self.steps)), default=Fraction(1))


@dataclass(frozen=True, slots=True)
class Break:
    """A step that contradicts the rule: the multiplier that is logged, and where it must lie.

    before: the one of the update, None at a start, where no update but a statement is contradicted.
    """

    step: Fraction
    before: Interval | None
    value: Interval
    logged: Interval
    wanted: Interval


@dataclass(frozen=True, slots=True)
class Certified:
    """What a stretch of the log says without assumptions: violations average at most `bound`.

    average: of the violations that are logged, in the same stretch; holds: False where even the
    least that was printed is above the largest that the path allows.
    """

    first: Fraction
    last: Fraction
    updates: int
    bound: Fraction
    average: Interval

    @property
    def holds(self) -> bool:
        """Whether the inequality may hold on what is printed."""
        return self.average.low <= self.bound


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run says against a rule.

    checked: updates that were compared; undecided: why others were not, with their number; first,
    breaks: the first contradiction, and how many there are; certified: by stretches of the log.
    """

    timing: Timing
    checked: int
    undecided: dict[str, int]
    first: Break | None
    breaks: int
    certified: tuple[Certified, ...]

    @property
    def contradicted(self) -> bool:
        """Whether anything contradicts the rule."""
        return self.first is not None or any(not one.holds for one in self.certified)


@dataclass(frozen=True, slots=True)
class _Update:
    """One update: the row that it leads to, from which multiplier and with which value, and what
    the rule gives."""

    row: int
    before: Interval | None
    value: Interval
    wanted: Interval | None
    mean: Interval | None
    gap: bool


def judge(run: Run, rule: Rule, timing: Timing | None = None) -> Verdict:
    """The verdict; with no timing that under which fewer steps contradict the rule."""
    if timing is None:
        both = [judge(run, rule, one) for one in TIMINGS]
        return min(both, key=lambda one: (one.contradicted, one.breaks))
    updates = list(_updates(run, rule, timing))
    undecided: dict[str, int] = {}
    breaks = []
    for one in updates:
        logged = run.multipliers[one.row]
        if one.gap:
            _count(undecided, "rows are missing before it")
        elif one.wanted is None:
            _count(undecided, "the state of the rule before the log is unknown")
        elif not one.wanted.meets(logged):
            breaks.append(Break(run.steps[one.row], one.before, one.value, logged, one.wanted))
    low = negative(run) if rule.floor is not None else None
    if low is not None:
        floor = Interval.of(0)
        at = Break(run.steps[low], floor, run.values[low], run.multipliers[low], floor)
        breaks = sorted([*breaks, at], key=lambda one: one.step)
    checked = len(updates) - sum(undecided.values())
    certified = tuple(_certified(run, rule, updates)) if rule.kind == "plain" else ()
    return Verdict(
        timing, checked, undecided, breaks[0] if breaks else None, len(breaks), certified
    )


def negative(run: Run) -> int | None:
    """The first row whose multiplier is surely below 0."""
    return next((k for k, x in enumerate(run.multipliers) if x.high < 0), None)


def _count(found: dict[str, int], why: str) -> None:
    found[why] = found.get(why, 0) + 1


def _updates(run: Run, rule: Rule, timing: Timing) -> Iterator[_Update]:
    """The updates between consecutive rows, and the one to the first row where it is known; a gap
    forgets what the rule remembers, as does a log that begins later than its first step."""
    usual, remembers = run.spacing, rule.kind in ("adam", "log-adam", "pid")
    state = State(rule)
    state.lost = remembers and rule.initial is None and run.steps[0] > usual
    initial = rule.start_of_multiplier
    first = initial if timing == "before" else state.meet(run.values[0], initial)
    if first is not None:
        before = None if timing == "before" else initial or Interval.of(0)  # 0 has no effect: pid
        yield _Update(0, before, run.values[0], first, None, False)
    for row, (one, two) in enumerate(pairwise(run.steps), start=1):
        value = run.values[row if timing == "after" else row - 1]
        now, logged = run.multipliers[row - 1], run.multipliers[row]
        gap = two - one >= 2 * usual
        if gap:
            state = State(replace(rule, start=None))
            state.lost = remembers
        wanted = None if gap else state.meet(value, now)
        if not gap:
            state.learn_mean(now, logged)
        yield _Update(row, now, value, wanted, state.mean, gap)


def _certified(run: Run, rule: Rule, updates: Sequence[_Update]) -> Iterator[Certified]:
    """The telescoping inequality on each stretch without a gap and without the cap."""
    stretch: list[_Update] = []
    for one in [*(one for one in updates if one.row), None]:
        capped = one is not None and rule.cap is not None
        capped = capped and run.multipliers[one.row].high >= rule.cap  # type: ignore[union-attr, operator]
        if one is None or one.gap or capped:
            found = _telescoped(run, rule, stretch)
            if found is not None:
                yield found
            stretch = []
        else:
            stretch.append(one)


def _telescoped(run: Run, rule: Rule, stretch: list[_Update]) -> Certified | None:
    if rule.average is not None:
        stretch = [one for one in stretch if one.mean is not None]
    if len(stretch) < 2 or rule.rate <= 0:
        return None
    first, last = stretch[0].row - 1, stretch[-1].row
    began: Interval | None = None
    if rule.average is not None:  # the first average is given by the log alone: drop its update
        began, ended = stretch[0].mean, stretch[-1].mean
        stretch, first = stretch[1:], first + 1
        assert began is not None and ended is not None, "those without were left out"
        rise = ended - began if not rule.at_least else began - ended
        extra = rise.times(rule.average / (1 - rule.average))
    else:
        extra = Interval.of(0)
    total, slack = Interval.of(0), Fraction(0)
    for one in stretch:
        u = rule.violation(one.value).times(rule.updates)
        total = (total + u).trimmed()
        held = run.multipliers[one.row - 1].size + run.multipliers[one.row].size
        slack += rule.unit * (5 * rule.rate * u.size + rule.updates * held)
    path = run.multipliers[last] - run.multipliers[first]
    bound = (path.high + slack) / rule.rate + extra.high
    number = len(stretch) * rule.updates
    return Certified(
        run.steps[first], run.steps[last], number, bound / number, total.times(Fraction(1, number))
    )


def explanations(
    run: Run, rule: Rule, timing: Timing | None = None,
    columns: Iterable[tuple[str, tuple[Interval, ...]]] = (),
) -> list[str]:  # fmt: skip
    """What else the whole log agrees with, where it contradicts its rule.

    One thing is changed of what was stated: the rule, the timing, or the column of values, of which
    `columns` are the others.  The timing is changed as well only where nothing else is found.
    """
    if len({(x.low, x.high) for x in run.multipliers}) == 1:
        return ["the multiplier never moves"]
    least = max(_ENOUGH, judge(run, rule, timing).checked - _OPEN)
    others = tuple(columns)

    def found(at: Timing) -> Iterator[str]:
        for name, values in others:
            if _agrees(replace(run, values=values), rule, at, least):
                yield f"the multiplier follows the column {name}"
        yield from _other_rules(run, rule, at, least)

    if timing is None:
        return list(dict.fromkeys(words for at in TIMINGS for words in found(at)))
    flipped: Timing = "before" if timing == "after" else "after"
    turned = f"the multiplier of a row is the one {flipped} the update by its value"
    alone = [turned] if _agrees(run, rule, flipped, least) else []
    once = [*alone, *found(timing)]
    return once or [f"{words}, and {turned}" for words in found(flipped)]


def _other_rules(run: Run, rule: Rule, at: Timing, least: int) -> Iterator[str]:
    done: set[str] = set()  # one of several numbers for the same thing is enough
    for words, change in (*_changes(run, rule), *_estimates(run, rule, at)):
        with suppress(ModelError):  # such as a cap below the multiplier that is stated
            other = replace(rule, **change)
            key = "" if "kind" in change else min(change)
            if other != rule and key not in done and _agrees(run, other, at, least):
                done |= {key} - {""}
                yield words


def _agrees(run: Run, rule: Rule, timing: Timing, least: int) -> bool:
    """Whether so many updates can be compared and none contradicts; ends at the first that does."""
    checked = 0
    for one in _updates(run, rule, timing):
        if not one.gap and one.wanted is not None:
            if not one.wanted.meets(run.multipliers[one.row]):
                return False
            checked += 1
    return checked >= least and not judge(run, rule, timing).contradicted


_WORDS: dict[Kind, str] = {
    "plain": "the step is taken in the multiplier itself, by the plain rule",
    "log": "the step is taken in the logarithm of the multiplier",
    "adam": "Adam moves it, by about its rate whatever the violation",
    "log-adam": "Adam moves its logarithm, by about its rate whatever the violation",
}


def _changes(run: Run, rule: Rule) -> Iterator[tuple[str, dict[str, Any]]]:
    """Other rules, as what changes in this one."""
    yield "the sign of the violation is the other way round", {"at_least": not rule.at_least}
    for kind, words in _WORDS.items() if rule.kind != "pid" else ():
        if kind != rule.kind:
            yield words, {"kind": kind, "average": None, "start": None}
    yield "there is no moving average", {"average": None, "start": None}
    for rho in {*_AVERAGES, 1 - (rule.average or 0)} if rule.kind == "plain" else ():
        words = f"it is driven by a moving average of the column with rho = {float(rho):g}"
        yield words, {"average": rho, "start": None}
    yield "the average before the first update is another than stated", {"start": None}
    yield "the multiplier before the first update is another than stated", {"initial": None}
    yield "there is no cap", {"cap": None}
    most = max(run.multipliers, key=lambda x: x.high)
    if run.multipliers.count(most) >= _ENOUGH:
        yield f"it is cut off at {most.middle:g}", {"cap": (most.low + most.high) / 2}
    yield "it is not kept at 0 or above", {"floor": None}


def _estimates(run: Run, rule: Rule, timing: Timing) -> Iterator[tuple[str, dict[str, Any]]]:
    """Other rates and targets of the plain rule, from the moves that tell them best."""
    if rule.kind != "plain" or rule.average is not None:
        return
    rates, targets = [], []
    for row in range(1, len(run.steps)):
        now, logged = run.multipliers[row - 1], run.multipliers[row]
        value = run.values[row if timing == "after" else row - 1]
        u = rule.violation(value)
        if logged.low <= 0 or (rule.cap is not None and logged.high >= rule.cap):
            continue
        move = (logged - now).times(1 / rule.rate)
        target = value + move if rule.at_least else value - move
        targets.append((target.high - target.low, target))
        if not u.low <= 0 <= u.high:
            factor = (move.low + move.high) / (u.low + u.high)
            rates.append((min(abs(u.low), abs(u.high)), factor))
    if not rates:
        return
    best = max(rates)[1]
    for factor in (best.limit_denominator(_SIMPLE), best):
        words = (
            f"the rate is about {float_of(factor):.4g} times the stated one, as where costs are "
            "summed over so many before the update, and not averaged"
        )
        yield words, {"rate": rule.rate * factor}
    narrow = min(targets, key=lambda pair: pair[0])[1]
    for near in (Fraction(round(narrow.middle)), (narrow.low + narrow.high) / 2):
        words = f"the target is about {float_of(near):.6g}, not {float_of(rule.target):.6g}"
        yield words, {"target": near}
