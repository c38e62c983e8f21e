"""Families for conditioned policies: processes with targets, reward lattices, models, data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers.target_returns.returns.conditioning import ConditionedPolicy, Policy
from holdfast.solvers.target_returns.returns.density import RewardLattice
from holdfast.solvers.target_returns.returns.fluctuation import BinomialHead
from holdfast.solvers.target_returns.returns.process import (
    ReturnProcess,
    Row,
    return_law,
    return_process,
)

from ...binding.draws import Draw
from ...binding.family import Family

Target = tuple[Fraction, ...]

_NOISES = (Fraction(0), Fraction(1, 1000), Fraction(1, 100), Fraction(1, 20), Fraction(1, 5))
"""Chances of unlikely outcomes.  Small ones come near the bounds, large ones are typical."""
_WEIGHTS = (1, 0, 1, 3, 100)
"""Of actions and of rewards within a ball.  Unequal ones make targets rare, which is where bounds
are attained; zeros are edge cases."""


def _law(draw: Draw, size: int) -> list[Fraction]:
    weights = [draw.choice(_WEIGHTS) for _ in range(size)]
    weights = weights if any(weights) else [1] * size
    return [Fraction(weight, sum(weights)) for weight in weights]


def _behaviour(draw: Draw, counts: list[int], horizon: int) -> list[list[list[Fraction]]]:
    """A law of actions for each time and state, or one for all times."""
    if draw.integer(0, 1):
        return [[_law(draw, size) for size in counts] for _ in range(horizon)]
    return [[_law(draw, size) for size in counts]] * horizon


def processes(
    *,
    horizon: tuple[int, int] = (1, 4),
    noises: tuple[Fraction, ...] = _NOISES[1:],
    largest: int = 1,
) -> Family:
    """Up to three states and actions, one or two coordinates of reward in [0, largest]; an action
    has a likely outcome and another one."""

    def base(draw: Draw) -> ReturnProcess:
        steps, size = draw.integer(*horizon), draw.integer(1, 3)
        scale, coordinates, noise = draw.integer(1, 2), draw.integer(1, 2), draw.choice(noises)

        def outcome(chance: Fraction) -> tuple[Fraction, list[Fraction], int]:
            rewards = [
                Fraction(draw.integer(0, largest * scale), scale) for _ in range(coordinates)
            ]
            return chance, rewards, draw.integer(0, size - 1)

        counts = [draw.integer(1, 3) for _ in range(size)]
        rows = [[[outcome(1 - noise), outcome(noise)] for _ in range(k)] for k in counts]
        return return_process(rows, _behaviour(draw, counts, steps))

    return Family(f"processes of {horizon[0]} to {horizon[1]} steps with a target return", base)


def target(draw: Draw, process: ReturnProcess) -> Target:
    """A return that the behaviour policy has at times."""
    return draw.choice(tuple(return_law(process)))


@dataclass(frozen=True, slots=True)
class Blurred:
    """A model of a conditioned policy that follows its own law with probability `share`.

    law[t][s]: of the actions, whatever the remaining target is.
    """

    share: Fraction
    law: tuple[tuple[tuple[Fraction, ...], ...], ...]

    def of(self, conditioned: ConditionedPolicy) -> Policy:
        """The model's policy."""
        own, kept = self.law, 1 - self.share

        def acts(t: int, s: int, c: tuple[int, ...]) -> tuple[Fraction, ...]:
            pairs = zip(conditioned(t, s, c), own[t][s], strict=True)
            return tuple(kept * p + self.share * q for p, q in pairs)

        return acts


def blurred(draw: Draw, process: ReturnProcess | RewardLattice, *_: object) -> Blurred:
    """A model that takes every action at times."""
    process = process.process if isinstance(process, RewardLattice) else process
    share = draw.choice((Fraction(1, 2), Fraction(1, 100), Fraction(1, 10), Fraction(1)))
    sizes = [len(rows) for rows in process.outcomes]
    weights = [[[draw.growing(1, 9) for _ in range(k)] for k in sizes] for _ in process.behaviour]
    return Blurred(
        share,
        tuple(tuple(tuple(Fraction(w, sum(x)) for w in x) for x in step) for step in weights),
    )


def lattices(*, radius: int | None = None, widest: int = 3) -> Family:
    """Two to eight lattice points, one or two states and one or two steps, up to three actions.

    An action's reward lies in a ball around its centre, or is spread over all points outside it; a
    stray reward, or chance alone, may lead to another state.  widest: radii go up to 1/widest; at 1
    up to all points, where no reward is stray and bounds say little.
    """

    def base(draw: Draw) -> RewardLattice:
        points, steps, size = draw.integer(2, 8), draw.integer(1, 2), draw.integer(1, 2)
        wide = draw.integer(0, points // widest) if radius is None else radius
        stray, lost = draw.choice(_NOISES), draw.choice(_NOISES) if size > 1 else Fraction(0)
        counts = [draw.integer(1, 3) for _ in range(size)]
        centres = [
            [(draw.integer(0, points - 1), draw.integer(0, size - 1)) for _ in range(k)]
            for k in counts
        ]
        rows = [
            [_spread(draw, points, wide, stray, lost, centre) for centre in row] for row in centres
        ]
        process = on_lattice(rows, _behaviour(draw, counts, steps), points)
        return RewardLattice(process, tuple(map(tuple, centres)), wide)

    return Family("processes on a reward lattice", base)


def on_lattice(
    rows: list[list[Row]], behaviour: list[list[list[Fraction]]], points: int
) -> ReturnProcess:
    """The process of rewards k/points.  An impossible outcome keeps the scale at `points`."""
    first = rows[0][0]
    kept = [[*first, (Fraction(0), [Fraction(1, points)], 0)], *rows[0][1:]]
    return return_process([kept, *rows[1:]], behaviour)


def _spread(
    draw: Draw, points: int, wide: int, stray: Fraction, lost: Fraction, centre: tuple[int, int]
) -> Row:
    middle, state = centre
    inside = [k for k in range(points) if abs(k - middle) <= wide]
    outside = [k for k in range(points) if k not in inside]
    stray = stray * len(outside) / points  # each of them of density `stray`
    away = draw.integer(0, 1)
    row = []
    for k, share in zip(inside, _law(draw, len(inside)), strict=True):
        near = share * (1 - stray)
        row.append((near * (1 - lost), [Fraction(k, points)], state))
        row.append((near * lost, [Fraction(k, points)], 1 - state if lost else state))
    home = 1 - state if away and lost else state
    row += [(stray / len(outside), [Fraction(k, points)], home) for k in outside]
    return row


def lattice_target(draw: Draw, lattice: RewardLattice) -> Target:
    """A return that the behaviour policy has at times."""
    return target(draw, lattice.process)


def _rare(draw: Draw) -> Fraction:
    return Fraction(1, draw.integer(2, 200))


RARE_TARGETS = Family("one decision with a rare target", _rare).along(
    lambda draw, _: Fraction(draw.integer(1, 99), 100)
)
"""One decision whose reward is the action, 0 or 1: the share of 1 in the data, and how likely a
model takes it when it is asked for 1."""


def _head(draw: Draw) -> BinomialHead:
    steps = draw.integer(1, 3)
    found = Counter({(0,) * steps: 1, (2,) * steps: draw.integer(1, 9)})
    for _ in range(3):
        found[tuple(draw.integer(0, 2) for _ in range(steps))] += draw.integer(1, 9)
    low, middle, high = (Fraction(draw.integer(0, 4), 4) for _ in range(3))
    return BinomialHead(dict(found), (low, middle, high))


HEADS = Family("policies fitted to episodes", _head).along(lambda draw, _: draw.integer(1, 40))
"""One to three steps with two to five kinds of episodes, of which the data hold 1 to 40."""
