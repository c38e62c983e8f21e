"""Processes of three states with conditioned policies, for estimators that are enumerated."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers.target_returns.groups.process import Conditioned, Outcome, Policy, Process

from ...binding.draws import Draw
from ...binding.family import Family

ACTIONS, STATES = range(2), range(3)
"""State 0 leads to 1 or 2, and these to each other: so few episodes that groups can be listed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A process, the policy that acts, a new one, a direction, and the target that is asked for."""

    process: Process
    old: Conditioned
    new: Conditioned
    along: Conditioned
    target: int


def _outcomes(draw: Draw, state: int, most: int) -> tuple[Outcome, ...]:
    to, reward = draw.integer(1, 2), draw.integer(0, most)
    if state and draw.integer(0, 3) == 0:
        chance = Fraction(draw.integer(1, 3), 4)
        return (chance, reward, to), (1 - chance, draw.integer(0, most), 3 - to)
    return ((Fraction(1), reward, to),)


def _process(draw: Draw) -> Process:
    found = tuple(tuple(_outcomes(draw, s, 2) for _ in ACTIONS) for s in STATES)
    return Process(found, draw.integer(1, 2))


def _binary(draw: Draw) -> Process:
    """Only the last action pays, 0 or 1, and never the same for both actions."""
    first = tuple(((Fraction(1), 0, draw.integer(1, 2)),) for _ in ACTIONS)
    last = []
    for _ in range(2):
        good = draw.integer(0, 1)
        last.append(tuple(((Fraction(1), int(action == good), 1),) for action in ACTIONS))
    return Process((first, *last), 2)


def _policy(draw: Draw, least: int, most: int, *, listens: bool) -> Policy:
    def rows(size: int) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(draw.integer(least, most) for _ in ACTIONS) for _ in range(size))

    return Policy(rows(len(STATES)), rows(4 if listens else 1))


def settings(
    *, binary: bool = False, listens: bool = True, settled: bool = False, covered: bool = True
) -> Family:
    """binary: returns 0 and 1; listens: the policy minds its target; settled: after the first
    action it has one action of all; covered: the old policy takes both first actions."""

    def base(draw: Draw) -> Setting:
        process = _binary(draw) if binary else _process(draw)
        old, new = (_policy(draw, 1, 4, listens=listens) for _ in range(2))
        if not covered:
            old = Policy((draw.choice(((1, 0), (0, 1))), *old.by_state[1:]), old.by_target)
        if settled:
            rows = [tuple(int(a == best) for a in ACTIONS) for best in (draw.integer(0, 1), 0)]
            old = Policy((old.by_state[0], *rows), old.by_target)
        along = _policy(draw, -2, 2, listens=listens)
        return Setting(process, old, new, along, draw.integer(0, 3))

    return Family("processes with policies that are told a target", base)


def group_size(draw: Draw, setting: Setting, *_: object) -> int:
    """Two or three; two where there are many episodes."""
    paths = sum(len(found) for found in setting.process.outcomes[1])
    return draw.integer(2, 2 if setting.process.horizon > 1 and paths > 2 else 3)


def resets(draw: Draw, *_: object) -> tuple[Fraction, ...]:
    """Positive probabilities of the reset states 1 and 2."""
    share = Fraction(draw.integer(1, 5), 6)
    return share, 1 - share


@dataclass(frozen=True, slots=True)
class Cut:
    """Rewards, the last of which is repeated for ever, and how many of them are counted."""

    rewards: tuple[int, ...]
    counted: int
    discount: Fraction


def _cut(draw: Draw, beyond: int = 0) -> Cut:
    rewards = tuple(draw.integer(-3, 3) for _ in range(draw.integer(2, 6)))
    return Cut(rewards, draw.integer(0, len(rewards)) + beyond, Fraction(draw.integer(0, 9), 10))


CUTS = Family("rewards that are cut", _cut)
CUTS_BEYOND = Family("rewards that are cut after the last", lambda draw: _cut(draw, 7))
