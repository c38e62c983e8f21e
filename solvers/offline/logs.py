"""Logged steps of a decision process with finitely many states and actions, counted by pair."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import ModelError
from ..sequences import Array

LARGEST = 10**100
"""Of rewards, costs, budgets and ends of ranges: products of a few are still doubles."""
LONGEST = 10**9
"""Of 1/(1 - gamma): beyond it sums in floating point are off by more than they are narrow."""
MOST_PAIRS = 2**22
"""States times actions: tables of so many numbers take some 100 MB, and planning far longer."""


def bounded(what: str, *values: Fraction) -> None:
    """Raise ModelError for what is too large, or too near 0, for floating point."""
    for value in values:
        if value and not Fraction(1, LARGEST) <= abs(value) <= LARGEST:
            side = "larger" if abs(value) > 1 else "smaller"
            end = LARGEST if side == "larger" else Fraction(1, LARGEST)
            raise ModelError(f"{what} is {side} than {float(end):g}; change its unit")


@dataclass(frozen=True, eq=False)
class Log:
    """N steps in E episodes, of S states and A actions that occur, with m costs.

    Attributes:
        name: what errors call it, such as its path.
        states, actions: int64[S], int64[A], the codes of what is numbered from 0 elsewhere.
        moves: int64[M, 4], distinct (state, action, next state, times); next state S is the end of
            an episode by itself.  Where an episode was merely cut its last step counts like others.
        sums, least, most: float64[1 + m, S, A], of the rewards and then of each cost; 0 where a
            pair was not visited.
        starts: int64[S], how many episodes begin in a state.
        returns: float64[E, 1 + m], UN-normalised discounted sums of each episode.
        cuts: how many episodes were cut, so that their returns lack what would have followed.
        rest: float64[E], gamma^T where an episode was cut after T steps, and 0 where it ended: the
            weight of what its return lacks.
        discount: gamma in [0, 1).
        notes: how the file was read, where that could be doubted.
    """

    name: str
    states: Array
    actions: Array
    moves: Array
    sums: Array
    least: Array
    most: Array
    starts: Array
    returns: Array
    cuts: int
    rest: Array
    discount: Fraction
    notes: tuple[str, ...] = ()

    @property
    def n_costs(self) -> int:
        """m."""
        return len(self.sums) - 1

    @cached_property
    def visits(self) -> Array:
        """int64[S, A], n(s, a)."""
        shape = len(self.states), len(self.actions)
        found = np.zeros(shape, dtype=np.int64)
        np.add.at(found, (self.moves[:, 0], self.moves[:, 1]), self.moves[:, 3])
        return found

    @cached_property
    def steps(self) -> int:
        """N."""
        return int(self.moves[:, 3].sum())

    def range(self, index: int) -> tuple[Fraction, Fraction]:
        """The least and the greatest reward (0) or cost (from 1 on) of the log."""
        seen = self.visits > 0
        ends = self.least[index][seen].min(), self.most[index][seen].max()
        return short_fraction(float(ends[0])), short_fraction(float(ends[1]))


def short_fraction(value: float) -> Fraction:
    """The double, as a short fraction where one is the same double."""
    near = Fraction(value).limit_denominator(10**6)
    return near if float(near) == value else Fraction(value)


def log_of_steps(
    name: str, states: Array, actions: Array, successors: Array, gains: Array, ends: Array,
    cuts: Array, discount: Fraction,
) -> Log:  # fmt: skip
    """Count steps, one episode after the other.

    Args:
        states, actions, successors: int64[N], codes.
        gains: float64[N, 1 + m], rewards and costs.
        ends, cuts: bool[N], the last step of an episode that ended by itself, or was cut; the
            successor at an end is not read.

    Raises ModelError without steps, for a discount of 1, for numbers that are not finite, for an
    episode that does not continue where it was, and for too many pairs.
    """
    if not len(states):
        raise ModelError(f"{name} holds no steps; give a log with at least one")
    _check(name, gains, discount)
    last = ends | cuts
    last[-1] = True
    broken = np.flatnonzero(~last[:-1] & (successors[:-1] != states[1:]))
    if broken.size:
        row = int(broken[0])
        raise ModelError(
            f"{name}, step {row + 1} leads to state {successors[row]}, and the next step of its "
            f"episode is in state {states[row + 1]}; sort the steps, or mark where episodes end"
        )
    codes = np.unique(np.concatenate([states, successors[~ends]]))
    labels, taken = np.unique(actions, return_inverse=True)
    size, width = len(codes), len(labels)
    if size * width > MOST_PAIRS:
        raise ModelError(
            f"{name} has {size:,} states and {width:,} actions; at most {MOST_PAIRS:,} pairs of "
            "them are counted, so merge some"
        )
    at, to = np.searchsorted(codes, states), np.searchsorted(codes, successors)
    to[ends] = size
    keys = (at * width + taken) * (size + 1) + to
    found, times = np.unique(keys, return_counts=True)
    pairs, then = found // (size + 1), found % (size + 1)
    first = np.concatenate([[True], last[:-1]])
    faded = float(discount) ** _ages(first)
    return Log(
        name=name,
        states=codes,
        actions=labels,
        moves=np.stack([pairs // width, pairs % width, then, times], axis=1),
        **_tallies(gains, at * width + taken, (size, width)),
        starts=np.bincount(at[first], minlength=size),
        returns=np.add.reduceat(gains * faded[:, None], np.flatnonzero(first), axis=0),
        cuts=int((last & ~ends).sum()),
        rest=np.where(ends, 0.0, faded * float(discount))[last],
        discount=discount,
    )


def _check(name: str, gains: Array, discount: Fraction) -> None:
    if not 0 <= discount < 1:
        raise ModelError(f"the discount is {discount}; it must be at least 0 and below 1")
    if 1 - discount < Fraction(1, LONGEST):
        raise ModelError(
            f"the discount is less than {1 / LONGEST:g} below 1, too near for sums in floating "
            "point; give a smaller one"
        )
    if len(bad := np.argwhere(~(np.abs(gains) <= LARGEST))):  # NaN as well
        step, column = bad[0].tolist()
        what, value = "the reward" if column == 0 else f"cost {column}", gains[step, column]
        remedy = (
            f"be {float(LARGEST):g} at most, so change its unit"
            if np.isfinite(value)
            else "be finite, so leave that episode out"
        )
        raise ModelError(f"{name}, step {step + 1}: {what} is {value:g}; it must {remedy}")


def _tallies(gains: Array, pairs: Array, shape: tuple[int, int]) -> dict[str, Any]:
    """Sums and extremes by pair."""
    size = shape[0] * shape[1]
    columns = range(gains.shape[1])
    sums = np.stack([np.bincount(pairs, gains[:, i], size) for i in columns])
    least, most = (np.full((len(columns), size), sign * np.inf) for sign in (1, -1))
    for i in columns:
        np.minimum.at(least[i], pairs, gains[:, i])
        np.maximum.at(most[i], pairs, gains[:, i])
    unseen = np.bincount(pairs, minlength=size) == 0
    least[:, unseen] = most[:, unseen] = 0.0
    return {
        key: values.reshape(-1, *shape)
        for key, values in (("sums", sums), ("least", least), ("most", most))
    }


def _ages(first: Array) -> Array:
    """int64[N], of each step in its episode, from 0."""
    begins = np.flatnonzero(first)
    ages: Array = np.arange(len(first)) - np.repeat(begins, np.diff(np.append(begins, len(first))))
    return ages
