"""A dump of a batch: advantages recomputed as rationals, probabilities and ratios tested.

Rewards are taken as what is printed, to the last digit; advantages carry what their printing and
the arithmetic of their type may have lost.  Nothing else is tolerated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ...errors import ModelError
from .printed import SINGLE, Interval

FORMS: Mapping[str, str] = {
    "centred": "r - mean, so that the expected update is (1 - 1/G) times the gradient",
    "leave-one-out": "r - mean of the others, so that the expected update is the gradient",
    "standardised": "(r - mean)/deviation, with the deviation over G",
    "standardised, G - 1": "(r - mean)/deviation, with the deviation over G - 1",
    "raw": "r itself",
}
"""Form of an advantage -> what it is."""
_GUARDS = (Fraction(0), Fraction(1, 10**8), Fraction(1, 10**6), Fraction(1, 10**4))
"""What libraries add to a deviation: nothing, 1e-8, 1e-6 (verl) or 1e-4 (TRL)."""
_BETS = (0.125, 0.25, 0.5, 1.0)
"""Shares of the capital that are bet on ratios above 1, mixed: small ones find small excesses in
long batches, large ones large excesses at once."""


_MOST = 2 / 3
"""Share of groups that make a form the usual one, from which others deviate: fewer is chance."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rewards of one prompt, exact, and the advantages that were logged for them."""

    name: str
    rewards: tuple[Fraction, ...]
    advantages: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An advantage that a form does not give."""

    group: str
    place: int
    rewards: tuple[Fraction, ...]
    logged: Interval
    wanted: Interval


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What the advantages of a batch are.

    forms: those that all groups obey; obeyed: form -> how many groups do; mismatches: for each
    other form the first advantage that it does not give; unbalanced: groups whose advantages do not
    sum to 0; awake: groups whose rewards agree and some of whose advantages are not 0.
    """

    forms: tuple[str, ...]
    obeyed: Mapping[str, int]
    mismatches: Mapping[str, Mismatch]
    unbalanced: tuple[str, ...]
    awake: tuple[str, ...]
    groups: int

    def has(self, form: str) -> bool:
        """Whether all groups obey this form, with whatever guard."""
        return any(one.split(", guarded")[0] == form for one in self.forms)

    @property
    def usual(self) -> str | None:
        """The form that most groups obey, `_MOST` of them or more; None if there is none."""
        form = max(self.obeyed, key=lambda name: self.obeyed[name])
        return form if self.obeyed[form] >= _MOST * self.groups else None


def grouped(
    names: Sequence[str], rewards: Sequence[Fraction], advantages: Sequence[Interval]
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
        Group(name, tuple(rewards[k] for k in rows), tuple(advantages[k] for k in rows))
        for name, rows in found.items()
    ]


def recompute(groups: Sequence[Group], unit: Fraction = SINGLE) -> Recomputed:
    """Each advantage from the rewards of its group; unit: of the arithmetic, see `printed`."""
    forms: list[str] = []
    mismatches: dict[str, Mismatch] = {}
    obeyed: dict[str, int] = {}
    for name in FORMS:
        guards = _GUARDS if name.startswith("standardised") else (Fraction(0),)
        for guard in guards:
            wrong = [x for one in groups if (x := _mismatch(one, name, guard, unit)) is not None]
            if not wrong:
                forms.append(name if not guard else f"{name}, guarded by {float(guard):g}")
            elif not guard:
                mismatches[name] = wrong[0]
            obeyed[name] = max(obeyed.get(name, 0), len(groups) - len(wrong))
    unbalanced = [
        one.name
        for one in groups
        if not sum(one.advantages[1:], one.advantages[0])
        .widened(len(one.advantages) ** 2 * unit * _largest(one))
        .meets(Interval.of(0))
    ]
    awake = [
        one.name
        for one in groups
        if len(set(one.rewards)) == 1
        and any(not a.widened(unit * abs(one.rewards[0])).meets(Interval.of(0))
                for a in one.advantages)
    ]  # fmt: skip
    return Recomputed(
        tuple(forms), obeyed, mismatches, tuple(unbalanced), tuple(awake), len(groups)
    )


def _largest(one: Group) -> Fraction:
    """What roundings are relative to: advantages, or the rewards that they are differences of."""
    return max(*(a.size for a in one.advantages), *(abs(r) for r in one.rewards))


def _mismatch(one: Group, form: str, guard: Fraction, unit: Fraction) -> Mismatch | None:
    wanted = advantages(one.rewards, form, guard, unit)
    for place, (logged, exact) in enumerate(zip(one.advantages, wanted, strict=True)):
        if not logged.meets(exact):
            return Mismatch(one.name, place, one.rewards, logged, exact)
    return None


def advantages(
    rewards: Sequence[Fraction], form: str, guard: Fraction = Fraction(0), unit: Fraction = SINGLE
) -> list[Interval]:
    """The advantages of one group by a form, widened by the roundings of their computation.

    A sum of G numbers in floats is off by at most G units of its largest term times G; deviations
    are off by as much, and 0 of equal rewards stays 0 with nothing to divide.
    """
    size = len(rewards)
    if form == "raw":
        return [Interval.of(r) for r in rewards]
    mean = sum(rewards, Fraction(0)) / size
    rounding = (size + 3) * unit * max(abs(r) for r in rewards)
    away = [r - mean for r in rewards]
    if form == "leave-one-out":
        away = [x * size / (size - 1) for x in away]
    if not form.startswith("standardised"):
        return [Interval.of(x).widened(2 * rounding) for x in away]
    if not any(away):
        return [Interval.of(0) for _ in away]
    variance = sum((x * x for x in away), Fraction(0)) / (
        size - 1 if form.endswith("G - 1") else size
    )
    deviation = Interval.of(variance).root()
    divisor = (deviation + Interval.of(guard)).widened(2 * rounding)
    return _divided(away, divisor, rounding, unit)


def _divided(
    away: Sequence[Fraction], divisor: Interval, rounding: Fraction, unit: Fraction
) -> list[Interval]:
    if divisor.low <= 0:  # rewards that rounding could make equal: any advantage may come of it
        most = Fraction(len(away))
        return [Interval(-most, most) for _ in away]
    found = []
    for x in away:
        quotient = Interval.of(x).widened(rounding).over(divisor)
        assert quotient is not None, "the divisor is positive"
        found.append(quotient.widened(4 * unit * quotient.size))
    return found


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


def bet(log_ratios: Sequence[float]) -> Bet:
    """Bet on the importance ratios exp(log new - log old) of samples from the old policy.

    Their mean is 1 where the old log-probabilities are those of the sampler; a mean above 1 is
    found, one below is not, since a rare large ratio may make up for any number of small ones.
    """
    if not log_ratios:
        raise ModelError("there is no ratio to bet on; give at least one row")
    ratios = [math.exp(min(x, 700.0)) for x in log_ratios]
    grown = [math.fsum(math.log1p(share * (r - 1)) for r in ratios if share < 1 or r > 0)
             for share in _BETS]  # fmt: skip
    logs = [math.log(r) if r > 0 else -math.inf for r in ratios]
    grown[-1] = math.fsum(logs) if -math.inf not in logs else -math.inf
    capital = math.fsum(math.exp(min(x, 700.0)) for x in grown) / len(_BETS)
    return Bet(len(ratios), math.fsum(ratios) / len(ratios), capital)


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
