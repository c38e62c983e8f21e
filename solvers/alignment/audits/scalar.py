"""A training run against the rule of its multiplier: single steps, and what the path certifies.

Sources: `primal-dual/telescoping`, `-unclipped` and `-average` of the theory: with a floor at 0 and
no cap the sum of the violations u is at most (lam_K - lam_0)/rate, with a moving average plus
rho/(1 - rho) times the rise of the average of u; no assumption about the policy or the estimates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

from ...errors import ModelError
from .printed import Interval
from .rules import Rule, State

Timing = Literal["after", "before"]
TIMINGS: tuple[Timing, ...] = ("after", "before")
"""Whether the multiplier of a row is the one after the update with the row's value, or before."""
_SIMPLE = 16
"""Denominator of a factor that is tried first: what is printed of one move gives it to four digits,
and rates differ by whole numbers, or by one over them."""
_ENOUGH = 3
"""Updates that another rule must explain: one or two fit a free rate, or a sign, by chance."""


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
                    f"step {one} is there twice, in rows {row - 1} and {row} of those that are "
                    "read; keep one of them, such as the later one of a run that was resumed"
                )
            if two < one:
                raise ModelError(
                    f"the steps are not in order: {two} in row {row} of those that are read comes "
                    f"after {one}; sort the log by its steps, one run a file"
                )


@dataclass(frozen=True, slots=True)
class Break:
    """A step that contradicts the rule: the multiplier that is logged, and where it must lie."""

    step: Fraction
    before: Interval
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
    """One update: the row that it leads to, the value it took, and what the rule gives."""

    row: int
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
        before, logged = run.multipliers[one.row - 1], run.multipliers[one.row]
        if one.gap:
            _count(undecided, "rows are missing before it")
        elif one.wanted is None:
            _count(undecided, "the state of the rule before the log is unknown")
        elif not one.wanted.meets(logged):
            breaks.append(Break(run.steps[one.row], before, one.value, logged, one.wanted))
    low = next((k for k, x in enumerate(run.multipliers) if x.high < 0), None)
    if low is not None and rule.floor is not None:
        floor = Interval.of(0)
        at = Break(run.steps[low], floor, run.values[low], run.multipliers[low], floor)
        breaks = sorted([*breaks, at], key=lambda one: one.step)
    checked = len(updates) - sum(undecided.values())
    certified = tuple(_certified(run, rule, updates)) if rule.kind == "plain" else ()
    return Verdict(
        timing, checked, undecided, breaks[0] if breaks else None, len(breaks), certified
    )


def _count(found: dict[str, int], why: str) -> None:
    found[why] = found.get(why, 0) + 1


def _updates(run: Run, rule: Rule, timing: Timing) -> Iterator[_Update]:
    """The updates between consecutive rows; a gap forgets what the rule remembers."""
    usual = min((b - a for a, b in pairwise(run.steps)), default=Fraction(1))
    state = State(rule)
    if timing == "after" and run.values:
        initial = None if rule.initial is None else Interval.of(rule.initial)
        state.meet(run.values[0], initial)
    for row, (one, two) in enumerate(pairwise(run.steps), start=1):
        value = run.values[row if timing == "after" else row - 1]
        now, logged = run.multipliers[row - 1], run.multipliers[row]
        gap = two - one > usual
        if gap:
            state = State(replace(rule, start=None))
            state.lost = rule.kind in ("adam", "log-adam", "pid")
        wanted = None if gap else state.meet(value, now)
        state.learn_mean(now, logged)
        yield _Update(row, value, wanted, state.mean, gap)


def _certified(run: Run, rule: Rule, updates: Sequence[_Update]) -> Iterator[Certified]:
    """The telescoping inequality on each stretch without a gap and without the cap."""
    stretch: list[_Update] = []
    for one in [*updates, None]:
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
        u = rule.violation(one.value)
        total = (total + u).trimmed()
        slack += rule.unit * (5 * rule.rate * u.size + run.multipliers[one.row - 1].size)
    path = run.multipliers[last] - run.multipliers[first]
    bound = (path.high + slack) / rule.rate + extra.high
    number = len(stretch)
    return Certified(
        run.steps[first], run.steps[last], number, bound / number, total.times(Fraction(1, number))
    )


def explanations(run: Run, rule: Rule) -> list[str]:
    """Other rules that the whole log agrees with, where it contradicts its own."""
    found = []
    if len({(x.low, x.high) for x in run.multipliers}) == 1:
        return ["the multiplier never moves"]
    tried: dict[str, dict[str, Any]] = {
        "the sign of the violation is the other way round": {"at_least": not rule.at_least},
        "Adam moves it, by about its rate whatever the violation": {"kind": "adam"},
        "the step is taken in the logarithm of the multiplier": {"kind": "log"},
        "the step is taken in the multiplier itself, not in its logarithm": {"kind": "plain"},
        "there is no moving average": {"average": None, "start": None},
        "there is no cap": {"cap": None},
        "it is not kept at 0 or above": {"floor": None},
    }
    for words, change in tried.items():
        if rule.rate == 0 and "kind" in change:
            continue  # pid has no rate that another rule could take
        other = replace(rule, **({"average": None} | change))
        if other != rule and agrees(run, other):
            found.append(words)
    factor = _factor(run, rule) if rule.kind == "plain" and rule.average is None else None
    if factor is not None:
        found.append(
            f"the rate is about {float(factor):.4g} times the stated one, as where costs are "
            "summed over so many before the update, and not averaged"
        )
    return found


def agrees(run: Run, rule: Rule) -> bool:
    """Whether `_ENOUGH` updates were compared and none contradicts the rule."""
    verdict = judge(run, rule)
    return verdict.checked >= _ENOUGH and not verdict.contradicted


def _factor(run: Run, rule: Rule) -> Fraction | None:
    """The multiple of the rate with which the log agrees, from the largest move that is not cut."""
    for timing in (1, 0):
        moves = []
        for row in range(1, len(run.steps)):
            now, logged = run.multipliers[row - 1], run.multipliers[row]
            u = rule.violation(run.values[row - 1 + timing])
            if logged.low > 0 and not u.low <= 0 <= u.high:
                move = (logged.low + logged.high - now.low - now.high) / (u.low + u.high)
                moves.append((min(abs(u.low), abs(u.high)), move / rule.rate))
        best = max(moves, default=(Fraction(0), Fraction(0)))[1]
        for factor in (best.limit_denominator(_SIMPLE), best):
            if factor > 0 and agrees(run, replace(rule, rate=rule.rate * factor)):
                return factor
    return None
