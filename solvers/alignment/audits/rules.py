"""How a multiplier is updated: each rule gives an interval in which the next multiplier must lie.

The violation of a step is u = j - target for what is to stay at most at its target, and target - j
for what is to reach it.  Floors are 0.  Rules, as the libraries have them (read in their code):

plain     lam + rate u (HIPO's Algorithm 1; many repositories of safe RL)
log       log lam + rate u lam: gradient ascent in log lam (Safe-RLHF; by SGD, not by Adam)
adam      a step of Adam on lam with the gradient u (OmniSafe; Safety-Gym's starter agents)
log-adam  a step of Adam on log lam with the gradient u lam
pid       kp u + ki I + kd D, with I = max(0, I + u), D = max(0, u - u before) (FSRL)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ...errors import ModelError
from .printed import DOUBLE, Interval

Kind = Literal["plain", "log", "adam", "log-adam", "pid"]
KINDS: tuple[Kind, ...] = ("plain", "log", "adam", "log-adam", "pid")
_ROUNDINGS = 4
"""Roundings of one sum or product of the updates below, at most, each of half a unit."""
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An update of a multiplier.

    rate: the step; target: of the constraint; at_least: whether that is to be reached, not kept;
    floor, cap: the least and the largest multiplier; initial: the one before the first update, None
    if unknown; average: rho of e = rho e + (1 - rho) j in place of j; start: e before the first
    step, None if unknown; betas, epsilon: of Adam; gains: kp, ki, kd; updates: by each value, one
    after the other; unit: of the arithmetic of the program.

    Raises ModelError for a rate that is not positive, a rho outside (0, 1), and what has no effect.
    """

    kind: Kind = "plain"
    rate: Fraction = Fraction(0)
    target: Fraction
    at_least: bool = False
    floor: Fraction | None = Fraction(0)
    cap: Fraction | None = None
    initial: Fraction | None = None
    average: Fraction | None = None
    start: Fraction | None = None
    betas: tuple[Fraction, Fraction] = (Fraction(9, 10), Fraction(999, 1000))
    epsilon: Fraction = Fraction(1, 10**8)
    gains: tuple[Fraction, Fraction, Fraction] | None = None
    updates: int = 1
    unit: Fraction = DOUBLE

    def __post_init__(self) -> None:
        if self.kind == "pid":
            self._check_gains()
        elif self.rate <= 0:
            words = f"the rate of the multiplier is {float(self.rate):g}"
            raise ModelError(f"{words}, with which it never rises; give one above 0")
        if self.cap is not None and self.cap <= 0:
            words = f"the cap of the multiplier is {float(self.cap):g}"
            raise ModelError(f"{words}; give one above 0")
        if self.average is not None and not 0 < self.average < 1:
            words = f"the weight rho of a moving average is {float(self.average):g}"
            raise ModelError(f"{words}; give one above 0 and below 1, or no average")
        if self.average is not None and self.kind != "plain":
            raise ModelError(f"a moving average is known with the plain rule, not {self.kind}")
        if self.initial is not None:
            self._check_initial(self.initial)

    def _check_gains(self) -> None:
        if self.gains is None:
            raise ModelError("a pid rule needs its gains kp, ki, kd; give them")
        if min(self.gains) < 0 or not any(self.gains):
            words = ", ".join(f"{float(x):g}" for x in self.gains)
            raise ModelError(
                f"the gains kp, ki, kd are {words}, with which the multiplier never rises as it "
                "should; give none below 0, and one above"
            )

    def _check_initial(self, initial: Fraction) -> None:
        words = f"the multiplier before the first update is {float(initial):g}"
        if self.kind == "pid":
            raise ModelError(f"{words}, on which the pid rule does not depend; leave it out")
        if initial < 0 or (initial == 0 and "log" in self.kind):
            logs = "log" in self.kind
            least = "above 0, since the rule takes its logarithm" if logs else "of 0 or more"
            raise ModelError(f"{words}; give one {least}")
        if self.cap is not None and initial > self.cap:
            raise ModelError(f"{words}, above the cap {float(self.cap):g}; give one below it")

    @property
    def start_of_multiplier(self) -> Interval | None:
        """The one before the first update, as the program holds it, or its logarithm; None if it
        is unknown."""
        if self.initial is None:
            return None
        found = Interval.of(self.initial)
        roundings = _size_of_logarithm(found) + 2 if "log" in self.kind else 1
        return found.widened(roundings * self.unit * found.size)

    def violation(self, value: Interval) -> Interval:
        """u of one step, as the program computes it."""
        target = Interval.of(self.target).widened(self.unit * abs(self.target))
        found = target - value if self.at_least else value - target
        return found.widened(self.unit * found.size)


def _size_of_logarithm(value: Interval) -> int:
    """At least the absolute logarithm of what is positive in it."""
    held = value.low if value.low > 0 else value.high
    return abs(held.numerator.bit_length() - held.denominator.bit_length()) + 1


class State:
    """What a rule remembers from step to step."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.lost = rule, False
        self.mean = None if rule.start is None else Interval.of(rule.start)
        self.first, self.second = Interval.of(0), Interval.of(0)
        self.integral, self.before = Interval.of(0), Interval.of(0)
        self.left = (Interval.of(1), Interval.of(1))

    def meet(self, value: Interval, multiplier: Interval | None) -> Interval | None:
        """The next multiplier after `value`, where this one is known; None if it is open."""
        for _ in range(self.rule.updates):
            multiplier = self._meet(value, multiplier)
        return multiplier

    def _meet(self, value: Interval, multiplier: Interval | None) -> Interval | None:
        rule = self.rule
        met = value if rule.average is None else self._averaged(value)
        if self.lost or met is None:
            return None
        u = rule.violation(met)
        if rule.kind == "pid":
            return self._pid(u)
        if multiplier is None and rule.kind != "adam":
            self.lost = rule.kind == "log-adam"
            return None
        lam = multiplier or Interval.of(0)
        if rule.kind == "plain":
            return self._moved(lam, u.times(rule.rate))
        if rule.kind == "log":
            move = (u * lam).times(rule.rate)
            return self._grown(lam, move.widened(_ROUNDINGS * rule.unit * move.size))
        step = self._adam(u if rule.kind == "adam" else u * lam)
        if step is None or multiplier is None:
            return None
        return self._moved(lam, step) if rule.kind == "adam" else self._grown(lam, step)

    def learn_mean(self, now: Interval, after: Interval) -> None:
        """Find an unknown average from a move that no end has cut off."""
        rule = self.rule
        if rule.average is None or self.mean is not None or after.low <= 0 or rule.updates > 1:
            return
        if rule.cap is not None and after.high >= rule.cap:
            return
        size = max(now.size, after.size)
        u = (after - now).widened(_ROUNDINGS * rule.unit * size).times(1 / rule.rate)
        target = Interval.of(rule.target)
        self.mean = target - u if rule.at_least else target + u

    def _averaged(self, value: Interval) -> Interval | None:
        rho = self.rule.average
        if self.mean is None or rho is None:
            return None
        found = self.mean.times(rho) + value.times(1 - rho)
        slack = _ROUNDINGS * self.rule.unit * max(self.mean.size, value.size)
        self.mean = found.widened(slack).trimmed()
        return self.mean

    def _cut(self, moved: Interval) -> Interval:
        """Cut off at the floor and at the cap, which the program holds rounded."""
        floor, cap = self.rule.floor, self.rule.cap
        found = moved.clipped(floor, cap)
        return found if cap is None or found.high < cap else found.widened(self.rule.unit * cap)

    def _moved(self, lam: Interval, move: Interval) -> Interval:
        slack = self.rule.unit * (_ROUNDINGS * move.size + lam.size)
        return self._cut((lam + move).widened(slack))

    def _grown(self, lam: Interval, move: Interval) -> Interval:
        """The multiplier after a move of its logarithm, which the program holds rounded."""
        logarithm = _size_of_logarithm(lam)
        wide = move.widened(self.rule.unit * (logarithm + 2 * move.size + _ROUNDINGS))
        return self._cut(lam * wide.exponential())

    def _adam(self, gradient: Interval) -> Interval | None:
        """The step of Adam up the gradient; None where its size is open."""
        one, two = self.rule.betas
        square = Interval(_ZERO if gradient.low <= 0 <= gradient.high else
                          min(gradient.low**2, gradient.high**2), gradient.size**2)  # fmt: skip
        unit = _ROUNDINGS * self.rule.unit
        self.first = self.first.times(one) + gradient.times(1 - one)
        self.first = self.first.widened(unit * max(self.first.size, gradient.size)).trimmed()
        self.second = self.second.times(two) + square.times(1 - two)
        self.second = self.second.widened(unit * self.second.size).trimmed().clipped(_ZERO, None)
        self.left = (self.left[0].times(one).trimmed(), self.left[1].times(two).trimmed())
        mean, spread = (
            moment.over(Interval.of(1) - left)
            for moment, left in zip((self.first, self.second), self.left, strict=True)
        )
        assert mean is not None and spread is not None, "powers of betas are below 1"
        step = mean.over(spread.trimmed().root() + Interval.of(self.rule.epsilon))
        return step and step.times(self.rule.rate).widened(unit * self.rule.rate * step.size)

    def _pid(self, u: Interval) -> Interval:
        assert self.rule.gains is not None, "checked when the rule was made"
        kp, ki, kd = self.rule.gains
        rise = (u - self.before).clipped(_ZERO, None)
        self.integral = (self.integral + u).clipped(_ZERO, None)
        self.integral = self.integral.widened(self.rule.unit * self.integral.size).trimmed()
        self.before = u
        found = u.times(kp) + self.integral.times(ki) + rise.times(kd)
        size = u.size * abs(kp) + self.integral.size * abs(ki) + rise.size * abs(kd)
        return self._cut(found.widened(_ROUNDINGS * self.rule.unit * size))
