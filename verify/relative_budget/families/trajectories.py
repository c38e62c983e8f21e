"""Policies over a few trajectories with whole rewards, and classes of rewards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt, log, log1p

from holdfast.solvers.relative_budget.version_space import Law, RewardClass, mean, variance

from ...binding.draws import Draw
from ...binding.family import Family


@dataclass(frozen=True, slots=True)
class Trajectories:
    """The base policy's law, the reward of each trajectory, the largest there may be, and kappa."""

    base: Law
    rewards: Law
    horizon: Fraction
    kappa: Fraction


_RAREST, _SUREST = 200, 60
"""A hunt draws weights up to 200, and probabilities of failure down to 10^-60: bounds on rare
trajectories come close to their limits there, and their powers are still computed in no time."""


def _law(draw: Draw, size: int, most: int = 6) -> Law:
    weights = [draw.growing(1, most, _RAREST) for _ in range(size)]
    return tuple(Fraction(w, sum(weights)) for w in weights)


def _bases(draw: Draw) -> tuple[Law, Law, Fraction]:
    """A law of up to five trajectories, rewards of which two at least differ, and a horizon."""
    size = draw.integer(2, 5)
    base = _law(draw, size, draw.choice((6, 40)))
    top = draw.integer(1, 6)
    rewards = (top, 0, *(draw.integer(0, top) for _ in range(size - 2)))
    return base, tuple(map(Fraction, rewards)), Fraction(top + draw.choice((0, 0, 2)))


def attainable(draw: Draw, base: Law, rewards: Law) -> Fraction:
    """A kappa with c > 0: that at which some reward above the mean is a tie, or a share of it."""
    middle, spread = mean(base, rewards), variance(base, rewards)
    reward = draw.choice([r for r in rewards if r > middle])
    share = draw.choice((Fraction(1), Fraction(1), Fraction(1, 4), Fraction(1, 9)))
    return (reward - middle) ** 2 / spread * share


def _any_ball(draw: Draw) -> Trajectories:
    base, rewards, horizon = _bases(draw)
    return Trajectories(base, rewards, horizon, attainable(draw, base, rewards))


def _tilted(draw: Draw, least: int, most: int) -> Trajectories:
    """sqrt(kappa) = x sigma, so that sqrt(kappa) sigma is rational; the tilt is a density where
    x (J - min R) <= 1, and that product is drawn, in tenths."""
    base, rewards, horizon = _bases(draw)
    tilt = Fraction(draw.integer(least, most), 10) / mean(base, rewards)
    return Trajectories(base, rewards, horizon, tilt**2 * variance(base, rewards))


def _linear(draw: Draw) -> Trajectories:
    return _tilted(draw, 1, 10)


def _not_linear(draw: Draw) -> Trajectories:
    return _tilted(draw, 12, 40)


def _small(draw: Draw) -> Trajectories:
    """kappa is at most s^2/5, mostly far below; rewards 0 and H, the latter rare, half the time."""
    base, rewards, horizon = _bases(draw)
    if draw.integer(0, 1):
        rare = Fraction(1, draw.growing(10, 400))
        base, rewards, horizon = (rare, 1 - rare), (Fraction(3), Fraction(0)), Fraction(3)
    share = variance(base, rewards) / horizon**2
    return Trajectories(base, rewards, horizon, share * draw.choice(_SHARES))


def _large(draw: Draw) -> Trajectories:
    case = _any_ball(draw)
    return replace(case, kappa=4 * case.kappa)


def _agreeing(draw: Draw) -> Trajectories:
    case = _any_ball(draw)
    return replace(case, rewards=tuple(case.horizon for _ in case.rewards))


_SHARES = (Fraction(1, 5), Fraction(1, 16), Fraction(1, 400), Fraction(1, 10**6))

BALLS = Family("policies over a few trajectories, with a ball around them", _any_ball)
VARIED = BALLS.with_controls(varied=Family("rewards that all agree", _agreeing))
LINEAR = Family("balls that hold the linear tilt", _linear).with_controls(
    linear=Family("balls that do not", _not_linear)
)
SMALLER = Family("small balls", _small)
SMALL = SMALLER.with_controls(
    within=Family("balls that no trajectory may be good enough for", _large)
)


def compared(draw: Draw, model: Trajectories) -> Law:
    """A policy: any, or a tilt of the base in proportion to R - J, which attains the bound."""
    if draw.integer(0, 1):
        weights = [draw.integer(0, 5) for _ in model.base]
        weights[0] += 1
        return tuple(Fraction(w, sum(weights)) for w in weights)
    middle = mean(model.base, model.rewards)
    tilt = Fraction(draw.integer(1, 10), 10) / middle
    pairs = zip(model.base, model.rewards, strict=True)
    return tuple(b * (1 + tilt * (r - middle)) for b, r in pairs)


@dataclass(frozen=True, slots=True)
class Learning:
    """A class of rewards, kappa, the number of samples and the probability of failure allowed."""

    problem: RewardClass
    kappa: Fraction
    samples: int
    failure: Fraction


def _candidate(draw: Draw, rewards: Law, top: int) -> Law:
    """The reward with the best trajectory called worthless and, half the time, another one judged
    otherwise."""
    found = list(rewards)
    found[0] = Fraction(0)
    if draw.integer(0, 1):
        found[draw.integer(0, len(found) - 1)] = Fraction(draw.integer(0, top))
    return tuple(found)


def _learning(draw: Draw) -> Learning:
    """So few samples that the best trajectory may, with more than that probability, not be among
    them; with one more the gap is mostly 0."""
    size, top = draw.integer(2, 4), draw.integer(1, 5)
    base = _law(draw, size, 12)
    rewards = tuple(map(Fraction, (top, 0, *(draw.integer(0, top) for _ in range(size - 2)))))
    others = tuple(_candidate(draw, rewards, top) for _ in range(draw.integer(1, 3)))
    problem = RewardClass(base, tuple(dict.fromkeys((rewards, *others))), Fraction(top))
    sure = draw.growing(0, 2, _SUREST)
    failure = Fraction(1, (10, 20, 100)[sure] if sure < 3 else 10**sure)
    most = max(1, int(log(failure) / log1p(-float(base[0]))))
    return Learning(problem, attainable(draw, base, rewards), draw.integer(1, most), failure)


LEARNING = Family("small classes of rewards, with samples", _learning)


def hidden(parts: int, rare: Fraction, consolation: Fraction = Fraction(1, 1000)) -> RewardClass:
    """`parts` trajectories of probability rare/parts each have the reward 3, the rest nearly 0, and
    for each of them there is a reward of the class that calls it worthless."""
    base = (*(rare / parts for _ in range(parts)), 1 - rare)
    truth = (*(Fraction(3) for _ in range(parts)), consolation)
    others = (
        tuple(Fraction(0) if k == i else r for k, r in enumerate(truth)) for i in range(parts)
    )
    return RewardClass(base, (truth, *others), Fraction(3))


def root_of(number: Fraction) -> Fraction | None:
    """The root of a square of a rational; None of any other."""
    top, bottom = isqrt(number.numerator), isqrt(number.denominator)
    exact = top * top == number.numerator and bottom * bottom == number.denominator
    return Fraction(top, bottom) if exact else None
