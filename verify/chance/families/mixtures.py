"""Families for mixtures: of actions, of whole policies, of policies chosen by samples."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import log

from holdfast.solvers.chance.mixtures import Atom

from ...binding.draws import Draw
from ...binding.family import Family


@dataclass(frozen=True, slots=True)
class Atoms:
    """Actions or policies with value and safety, and a level that one of them meets."""

    atoms: tuple[Atom, ...]
    level: Fraction


def atoms(most: int = 6) -> Family:
    """One to `most` atoms, twelfths for safeties, small integers for values."""

    def base(draw: Draw) -> Atoms:
        drawn = tuple(
            Atom(Fraction(draw.integer(-3, 9)), Fraction(draw.integer(int(i == 0), 12), 12))
            for i in range(draw.integer(1, most))
        )
        safest = max(int(12 * atom.safety) for atom in drawn)
        return Atoms(drawn, Fraction(12 - draw.integer(1, safest), 12))

    return Family("atoms with value and safety", base)


def atom_weights(draw: Draw, drawn: Atoms, *_: object) -> tuple[Fraction, ...]:
    """A law on the atoms."""
    weights = [draw.integer(0, 4) for _ in drawn.atoms]
    weights = weights if any(weights) else [1, *weights[1:]]
    return tuple(Fraction(weight, sum(weights)) for weight in weights)


@dataclass(frozen=True, slots=True)
class ConvexReturns:
    """Policies for the levels alpha - h, alpha, alpha + h; the best return at level a is
    ``shift + slope a + bend a^2``."""

    shift: Fraction
    slope: Fraction
    bend: Fraction
    level: Fraction
    step: Fraction

    def at(self, level: Fraction) -> Fraction:
        """The best return at a level."""
        return self.shift + self.slope * level + self.bend * level**2


def convex_returns(*, bends: tuple[int, int] = (1, 4)) -> Family:
    """Returns that grow with the level, strictly convex if the bend is positive."""

    def base(draw: Draw) -> ConvexReturns:
        centre = draw.integer(1, 9)
        return ConvexReturns(
            Fraction(draw.integer(-4, 4)),
            Fraction(draw.integer(8, 12)),
            Fraction(draw.integer(*bends)),
            Fraction(centre, 10),
            Fraction(draw.integer(1, min(centre, 10 - centre)), 10),
        )

    return Family("returns convex in the level", base)


@dataclass(frozen=True, slots=True)
class SampledLevels:
    """`samples` levels, each uniform on the middles of `cells` equal cells of [0, 1]; a policy of
    level below `least`/`cells` does not exist, and alpha is `most`/`cells`."""

    samples: int
    cells: int
    least: int
    most: int


def sampled_levels(*, above: bool | None = None) -> Family:
    """Up to three samples in up to six cells; above: alpha exceeds the least level, or equals it
    (None: either)."""

    def base(draw: Draw) -> SampledLevels:
        cells = draw.integer(1, 6)
        least = draw.integer(0, cells - 1)
        most = draw.integer(least + 1 if above else least, least if above is False else cells)
        return SampledLevels(draw.integer(1, 3), cells, least, most)

    return Family("levels drawn for training", base)


@dataclass(frozen=True, slots=True)
class Selection:
    """Policies that pay the more the less safe they are, each judged by `trials` episodes.

    An episode is unsafe from its first step on with probability `risk`, else never, so the cost
    counted from that step is ``risk/(1 - discount)``; the policies are all of cost above `level`,
    and the estimate has to be at most `tightened`.  copies: how many times each episode is counted
    (1 where they are independent).
    """

    policies: int
    trials: int
    risk: Fraction
    discount: Fraction
    level: Fraction
    tightened: Fraction
    copies: int = 1


def selections(*, copied: bool = False, tightened: bool = True, telling: bool = False) -> Family:
    """Small classes of policies, none of them safe; `copied` counts each episode ten times, and
    without `tightened` the estimate may exceed the level; telling: the level is tightened by half
    or more, and there are mostly enough episodes for a union bound below 1."""

    def base(draw: Draw) -> Selection:
        bad, scale = draw.integer(1, 19), draw.choice((Fraction(1, 2), Fraction(1), Fraction(1, 4)))
        level = draw.integer(0, bad - 1)
        most = level // 2 if telling else level
        allowed = draw.integer(0, most) if tightened else draw.integer(bad, 20)
        policies = draw.integer(1, 30)
        return Selection(
            policies,
            draw.integer(1, 30) + (_telling_episodes(policies, level - allowed) if telling else 0),
            Fraction(bad, 20),
            1 - scale,
            Fraction(level, 20) / scale,
            Fraction(allowed, 20) / scale,
            10 if copied else 1,
        )

    return Family("classes of policies judged by samples", base)


_MOST_EPISODES = 60
"""What `telling` adds at most.  The chance that a policy looks safe is a sum over all counts, so
twice as many take twice as long; with fewer, small differences of risk stay out of sight."""


def _telling_episodes(policies: int, twentieths: int) -> int:
    """The least N with K exp(-2 N m^2) <= 1 at the margin m, within reason."""
    if not twentieths:
        return 0
    return min(int(200 * log(policies) / twentieths**2), _MOST_EPISODES)
