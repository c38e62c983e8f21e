"""A dump of a batch: advantages recomputed as rationals, probabilities and ratios tested.

Rewards are grades, which are what is printed, or rounded (`graded` tells them apart); advantages
carry what their printing, the type that stored them and the arithmetic of the program may have
lost.  Nothing else is tolerated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce

from ...errors import ModelError
from .printed import SINGLE, Interval, stored

FORMS: Mapping[str, str] = {
    "centred": "r - mean, so that the expected update is (1 - 1/G) times the gradient",
    "leave-one-out": "r - mean of the others, so that the expected update is the gradient",
    "standardised": "(r - mean)/deviation, with the deviation over G",
    "standardised, G - 1": "(r - mean)/deviation, with the deviation over G - 1",
    "raw": "r itself",
}
"""Form of an advantage -> what it is."""
_LOOSEST = Interval(Fraction(0), Fraction(1, 1000))
_GUARDS = {
    "": Interval.of(0),
    **{
        f", guarded by {float(x):g}": Interval.of(x)
        for x in (Fraction(1, 10**k) for k in (8, 6, 5, 4))
    },
    ", guarded by 0.001 or less": _LOOSEST,
}
"""What libraries add to a deviation: nothing, 1e-8, 1e-6 (verl), 1e-5 or 1e-4 (TRL), or to a
variance, which adds less than the root of it."""
_BETS = (0.125, 0.25, 0.5, 1.0)
"""Shares of the capital that are bet on ratios above 1, mixed: small ones find small excesses in
long batches, large ones large excesses at once."""
_STEEPEST = 600.0
"""Logarithm of a ratio that is counted, at most: larger ones would add up beyond floats."""
_MOST, _ENOUGH = Fraction(2, 3), 3
"""Share of groups, and their number, that make a form the usual one, from which others deviate:
fewer is chance."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rewards of one prompt, known up to `lost`, and the advantages that were logged for them."""

    name: str
    rewards: tuple[Fraction, ...]
    advantages: tuple[Interval, ...]
    lost: Fraction = Fraction(0)

    @property
    def equal(self) -> bool:
        """Whether all rewards may be equal, so that every form but the raw one gives 0."""
        return max(self.rewards) - min(self.rewards) <= 2 * self.lost


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An advantage that a form does not give; unbalanced: their sum is none that it gives."""

    group: str
    place: int
    rewards: tuple[Fraction, ...]
    logged: Interval
    wanted: Interval
    unbalanced: bool


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What the advantages of a batch are.

    telling: groups with unequal rewards, the only ones that tell forms apart; forms: those that all
    groups obey; obeyed: form -> how many telling groups do; mismatches: form -> what it does not
    give; awake: groups whose rewards agree and some of whose advantages are not 0, whether or not
    by roundings.
    """

    telling: int
    forms: tuple[str, ...]
    obeyed: Mapping[str, int]
    mismatches: Mapping[str, Sequence[Mismatch]]
    awake: tuple[str, ...]

    @property
    def nearest(self) -> str:
        """The form that most telling groups obey."""
        return max(self.obeyed, key=lambda name: self.obeyed[name])

    @property
    def usual(self) -> str | None:
        """The nearest form, if `_MOST` of the telling groups or more obey it; else None."""
        number = self.obeyed[self.nearest]
        return self.nearest if number >= _ENOUGH and number >= _MOST * self.telling else None


def grouped(
    names: Sequence[str], rewards: Sequence[Interval], advantages: Sequence[Interval]
) -> list[Group]:
    """Rows by the name of their group, in the order of the file.

    Raises ModelError for a group of a single row, whose mean says nothing.
    """
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        found.setdefault(name, []).append(row)
    alone = next((name for name, rows in found.items() if len(rows) < 2), None)
    if alone is not None:
        raise ModelError(
            f"group {alone[:40]!r} has one row; a group has at least two: name the column of the "
            "prompt, or of the group"
        )
    return [
        Group(
            name,
            tuple((rewards[k].low + rewards[k].high) / 2 for k in rows),
            tuple(advantages[k] for k in rows),
            max((rewards[k].high - rewards[k].low) / 2 for k in rows),
        )
        for name, rows in found.items()
    ]


def recompute(groups: Sequence[Group], unit: Fraction = SINGLE) -> Recomputed:
    """Each advantage from the rewards of its group; unit: of the arithmetic, see `printed`."""
    groups = _stored(groups)
    telling = {one.name for one in groups if not one.equal}
    forms: list[str] = []
    mismatches: dict[str, Sequence[Mismatch]] = {}
    for name in FORMS:
        found = _wrong(groups, name, _LOOSEST, unit)
        if found:
            mismatches[name] = found
        elif telling and name.startswith("standardised"):
            fit = (words for words, x in _GUARDS.items() if not _wrong(groups, name, x, unit))
            forms.append(name + next(fit))
        elif telling:
            forms.append(name)
    obeyed = {
        name: len(telling - {one.group for one in mismatches.get(name, ())}) for name in FORMS
    }
    awake = (
        one.name
        for one in groups
        if len(set(one.rewards)) == 1 and any(a.low > 0 or a.high < 0 for a in one.advantages)
    )
    return Recomputed(len(telling), tuple(forms), obeyed, mismatches, tuple(awake))


def _stored(groups: Sequence[Group]) -> list[Group]:
    """With what the type that stored the advantages may have lost."""
    unit = stored(a for one in groups for a in one.advantages)
    return [
        replace(one, advantages=tuple(a.widened(unit * a.size) for a in one.advantages))
        for one in groups
    ]


def _wrong(groups: Sequence[Group], form: str, guard: Interval, unit: Fraction) -> list[Mismatch]:
    """The first advantage of each group that the form does not give."""
    found = []
    for one in groups:
        wanted = advantages(one.rewards, form, guard, unit, one.lost)
        pairs = list(zip(one.advantages, wanted, strict=True))
        place = next((k for k, (logged, x) in enumerate(pairs) if not logged.meets(x)), None)
        if place is not None:
            unbalanced = not _sum(one.advantages).meets(_sum(wanted))
            found.append(Mismatch(one.name, place, one.rewards, *pairs[place], unbalanced))
    return found


def _sum(values: Sequence[Interval]) -> Interval:
    return reduce(Interval.__add__, values)


def advantages(
    rewards: Sequence[Fraction], form: str, guard: Interval = _LOOSEST, unit: Fraction = SINGLE,
    lost: Fraction = Fraction(0),
) -> list[Interval]:  # fmt: skip
    """The advantages of one group by a form, widened by the roundings of their computation.

    A reward is off by `lost` and a unit.  A sum of G numbers in floats is off by at most (G - 1)
    units of G times the largest of them, so that the mean is off by G + 1 units of that, and its
    difference to a reward by G + 4.  A deviation is off by as much times the root of G/(G - 1), and
    by G/2 + 3 units of itself for its squares, their sum and its root.  Where all sums are exact,
    as of rewards 0 and 1, equal rewards give exactly 0; else their roundings may be divided by a
    deviation of as little.
    """
    size, largest = len(rewards), max(abs(r) for r in rewards)
    if form == "raw":
        return [Interval.of(r).widened(lost + unit * abs(r)) for r in rewards]
    mean = sum(rewards, Fraction(0)) / size
    away = [r - mean for r in rewards]
    exact = not any(away) and not lost and _exact_sum(largest, size, unit)
    rounding = Fraction(0) if exact else (size + 4) * unit * largest + 2 * lost
    if form == "leave-one-out":
        away = [x * size / (size - 1) for x in away]
    if not form.startswith("standardised"):
        return [Interval.of(x).widened(2 * rounding) for x in away]
    if exact:
        return [Interval.of(0) for _ in away]
    return _standardised(away, size - form.endswith("G - 1"), guard, unit, rounding)


def _standardised(
    away: Sequence[Fraction], count: int, guard: Interval, unit: Fraction, rounding: Fraction
) -> list[Interval]:
    """Differences to the mean over the root of their sum of squares through count."""
    size, variance = len(away), sum((x * x for x in away), Fraction(0)) / count
    divisor = (Interval.of(variance).root() + guard).widened(2 * rounding)
    if divisor.low <= 0:  # rewards that rounding could make equal: any advantage may come of it
        return [Interval.of(0).widened(Fraction(size)) for _ in away]
    inverse = Interval(1 / divisor.high, 1 / divisor.low)
    quotients = (Interval.of(x).widened(rounding) * inverse for x in away)
    return [x.widened((size + 6) * unit * x.size) for x in quotients]


def _exact_sum(value: Fraction, size: int, unit: Fraction) -> bool:
    """Whether floats add up so many of this number without a rounding."""
    power_of_two = value.denominator & (value.denominator - 1) == 0
    return power_of_two and value.numerator * size * unit <= 1


@dataclass(frozen=True, slots=True)
class Bet:
    """A test that the mean of non-negative numbers is at most 1, by betting against it.

    capital: what 1 has become; under the hypothesis it ever reaches 1/alpha with probability at
    most alpha (Ville's inequality), so that `error` is the probability of so much by chance.
    """

    number: int
    mean: float
    capital: float

    @property
    def error(self) -> float:
        """The probability, at most, of such a capital where the mean is 1."""
        return min(1.0, 1 / self.capital) if self.capital > 0 else 1.0


def bet(log_ratios: Sequence[Interval]) -> Bet:
    """Bet on the importance ratios exp(log new - log old) of samples from the old policy.

    Their mean is 1 where the old log-probabilities are those of the sampler; a mean above 1 is
    found, one below is not, since a rare large ratio may make up for any number of small ones.
    What is bet on is the least that each may be.
    """
    if not log_ratios:
        raise ModelError("there is no ratio to bet on; give at least one row")
    ratios = [math.exp(min(float(x.low), _STEEPEST)) for x in log_ratios]
    middles = [math.exp(min(x.middle, _STEEPEST)) for x in log_ratios]
    grown = [math.fsum(math.log1p(share * (r - 1)) for r in ratios if share < 1 or r > 0)
             for share in _BETS]  # fmt: skip
    logs = [math.log(r) if r > 0 else -math.inf for r in ratios]
    grown[-1] = math.fsum(logs) if -math.inf not in logs else -math.inf
    capital = math.fsum(math.exp(min(x, _STEEPEST)) for x in grown) / len(_BETS)
    return Bet(len(ratios), math.fsum(middles) / len(ratios), capital)


def overfull(
    groups: Sequence[str], responses: Sequence[str], log_probabilities: Sequence[Interval]
) -> tuple[str, Fraction] | None:
    """The first group whose distinct responses have probabilities that surely sum to more than 1.

    A single log-probability above 0 is such a sum as well.  None if there is no such group.
    """
    known: dict[str, dict[str, Interval]] = {}
    for name, response, logp in zip(groups, responses, log_probabilities, strict=True):
        known.setdefault(name, {}).setdefault(response, logp)
    for name, of_group in known.items():
        least = sum((logp.exponential().low for logp in of_group.values()), Fraction(0))
        if least > 1:
            return name, least
    return None
