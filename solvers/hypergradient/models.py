"""The record of a bilevel problem at given leader parameters, and what a leader is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from scipy import sparse

from ..errors import ModelError
from ..sequences import Array, as_array

Matrix: TypeAlias = Any
"""A `scipy.sparse.csr_array` of doubles; shapes stand in prose."""

DENSE_UP_TO = 400
"""States up to which chains are dense: factorising them (about 5 ms) beats some dozens of products
of a Krylov method, and the overhead of sparse arrays is what costs in models of a few states."""
SLACK = 1e-12
"""By how much a law may miss the sum of one: rounding of some thousand terms, and no typing error.
Rows are used as they are given, and error bounds are about them."""


@dataclass(frozen=True)
class BilevelModel:
    """The follower's decision process and both rewards, at given leader parameters.

    Row x A + b of the transitions is the law of the next state after action b in state x.  Rewards
    of a step are collected before the transition.  In a terminal state the episode is over: its
    rows are empty, its rewards zero, its values zero, and it pays no entropy bonus.

    Attributes:
        transitions: csr_array float64[n A, n] in canonical form, stored entries positive; what is
            stored is the support, which leader parameters must not change.
        follower_rewards, leader_rewards: float64[n, A].
        initial: float64[n], the law of the first state.
        terminal: bool[n].
        temperature: beta > 0, the price of the follower's log-probabilities.
        follower_discount, leader_discount: each in [0, 1).

    Raises ModelError for data of other shapes, numbers that are not finite, rows that are no laws,
    terminal states with something in them, temperatures and discounts out of range.
    """

    transitions: Matrix
    follower_rewards: Array
    leader_rewards: Array
    initial: Array
    terminal: Array
    temperature: float
    follower_discount: float
    leader_discount: float

    def __post_init__(self) -> None:
        _check_temperature(self.temperature)
        for name in ("follower_discount", "leader_discount"):
            _check_discount(name, getattr(self, name))
        self._check_shapes()
        self._check_rows()
        check_law(self.initial, "initial")

    @property
    def n_states(self) -> int:
        return int(self.follower_rewards.shape[0])

    @property
    def n_actions(self) -> int:
        return int(self.follower_rewards.shape[1])

    def expected(self, values: Array) -> Array:
        """[n, A] of the mean of values [n] at the next state, which is zero once it is over."""
        kernel = self._precise if values.dtype == np.longdouble else self.transitions
        mean: Array = kernel @ values
        return mean.reshape(self.n_states, self.n_actions)

    def arrivals(self, weights: Array) -> Array:
        """[n] of the measure that weights [n, A] of states and actions put on the next state."""
        moved: Array = self.transitions.T @ weights.ravel()
        return moved

    def chain(self, policy: Array) -> Matrix:
        """[n, n], the transitions under a policy [n, A]; a csr_array, or an array if small."""
        size, width = self.n_states, self.n_actions
        if size <= DENSE_UP_TO:
            return np.einsum("xyb,xb->xy", self._dense, policy)
        starts, columns = np.arange(0, size * width + 1, width), np.arange(size * width)
        shape = (size, size * width)
        return sparse.csr_array((policy.ravel(), columns, starts), shape=shape) @ self.transitions

    @cached_property
    def _dense(self) -> Array:
        """[n, n, A]: by state, next state, action."""
        table = self.transitions.toarray().reshape(self.n_states, self.n_actions, -1)
        return np.ascontiguousarray(table.swapaxes(1, 2))

    @cached_property
    def _precise(self) -> Matrix:
        return self.transitions.astype(np.longdouble)

    @cached_property
    def cells(self) -> Array:
        """[nnz] of the row (state times A plus action) that each stored transition belongs to."""
        return np.repeat(
            np.arange(self.n_states * self.n_actions), np.diff(self.transitions.indptr)
        )

    def _check_shapes(self) -> None:
        shape = np.shape(self.follower_rewards)
        if len(shape) != 2 or 0 in shape:
            raise ModelError(
                f"follower_rewards has shape {shape}; give one row a state and one column an action"
            )
        size, width = shape
        wanted = {
            "transitions": (size * width, size), "leader_rewards": shape, "initial": (size,),
            "terminal": (size,),
        }  # fmt: skip
        for name, expected in wanted.items():
            found = np.shape(getattr(self, name))
            if found != expected:
                raise ModelError(
                    f"{name} has shape {found}; for {size} states and {width} actions it needs "
                    f"{expected}"
                )
        for name in ("follower_rewards", "leader_rewards"):
            check_finite(getattr(self, name), name)

    def _check_rows(self) -> None:
        matrix, width = self.transitions, self.n_actions
        if not (sparse.issparse(matrix) and matrix.format == "csr" and matrix.has_canonical_format):
            raise ModelError(
                "transitions is not a csr_array in canonical form; use BilevelModel.of, or call "
                "sum_duplicates() on a scipy.sparse.csr_array"
            )
        wrong = np.flatnonzero(~(matrix.data > 0) | ~np.isfinite(matrix.data))
        if len(wrong):
            place = divmod(int(self.cells[wrong[0]]), width)
            raise ModelError(
                f"the probability of going from (state, action) {place} to state "
                f"{matrix.indices[wrong[0]]} is {matrix.data[wrong[0]]}; stored probabilities must "
                "be positive, and whether one is stored must not depend on leader parameters"
            )
        sums = np.asarray(matrix.sum(axis=1)).ravel()
        over = np.repeat(np.asarray(self.terminal, dtype=bool), width)
        off = np.flatnonzero(np.abs(sums - ~over) > SLACK)
        if len(off):
            place = divmod(int(off[0]), width)
            remedy = "an episode ends in a terminal state, so leave its rows empty"
            if not over[off[0]]:
                remedy = (
                    "make it a law, mark the state as terminal, or keep the leader's parameters "
                    "where every row is a law, as a softmax does"
                )
            raise ModelError(f"the row of (state, action) {place} sums to {sums[off[0]]}; {remedy}")
        for name in ("follower_rewards", "leader_rewards"):
            paid = np.argwhere((getattr(self, name) != 0) & np.asarray(self.terminal)[:, None])
            if len(paid):
                raise ModelError(
                    f"{name}{paid[0].tolist()} is not zero in a terminal state, where nothing is "
                    "collected any more; pay it on the way there"
                )

    @classmethod
    def of(
        cls, transitions: Any, follower_rewards: Any, leader_rewards: Any, *, temperature: float,
        follower_discount: float, leader_discount: float, initial: Any = None, terminal: Any = None,
    ) -> BilevelModel:  # fmt: skip
        """A model from nested lists, or arrays; zeros of the transitions are not stored.

        Args:
            transitions: [n, A, n] or [n A, n], dense or sparse.
            initial: default uniform over the states that are not terminal.
            terminal: default none; what the transitions say of a terminal state is refused, unless
                it is a loop to itself.
        """
        rewards = np.asarray(as_array(follower_rewards, "follower_rewards"), dtype=float)
        if rewards.ndim != 2:
            raise ModelError(
                f"follower_rewards has shape {rewards.shape}; give one row a state and one column "
                "an action"
            )
        size, width = rewards.shape
        over = np.zeros(size, dtype=bool) if terminal is None else np.asarray(terminal, dtype=bool)
        if not sparse.issparse(transitions):
            dense = np.asarray(as_array(transitions, "transitions"), dtype=float)
            transitions = dense.reshape(-1, dense.shape[-1])
        matrix = sparse.csr_array(transitions, dtype=float)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        if matrix.shape == (size * width, size) and over.shape == (size,):
            matrix = _without_loops(matrix, np.repeat(over, width), width)
        law = np.where(over, 0.0, 1.0) / max(1, int((~over).sum())) if initial is None else initial
        return cls(
            matrix, rewards, np.asarray(as_array(leader_rewards, "leader_rewards"), dtype=float),
            np.asarray(as_array(law, "initial"), dtype=float), over, temperature,
            follower_discount, leader_discount,
        )  # fmt: skip


@dataclass(frozen=True)
class Jacobians:
    """Derivatives of a leader's model: csr_array, one row an entry, one column a parameter.

    follower_rewards, leader_rewards: [n A, d]; transitions: [nnz, d], in the order in which the
    transitions are stored; initial: [n, d].
    """

    follower_rewards: Matrix
    leader_rewards: Matrix
    transitions: Matrix
    initial: Matrix


@runtime_checkable
class Leader(Protocol):
    """Anything with parameters (float64[d]) and a differentiable map from them to models.

    It may also have ``jacobians(parameters) -> Jacobians``; `jacobians_of` does without.
    """

    @property
    def parameters(self) -> Array:
        """float64[d], where to differentiate unless told otherwise."""
        ...

    def model(self, parameters: Array) -> BilevelModel:
        """The model at the parameters; the support of its transitions must not depend on them."""
        ...

    def pull_back(
        self, parameters: Array, follower_rewards: Array, leader_rewards: Array,
        transitions: Array, initial: Array,
    ) -> Array:  # fmt: skip
        """float64[d], the sum over all entries of weight times gradient of the entry.

        The weights have the shapes of what they weigh: [n, A] twice, [nnz] and [n].
        """
        ...


DENSE_CELLS = 2_000
"""Entries up to which Jacobians are put together from one pull-back each: beyond, they take longer
than all else, and no more than `DENSE_CELLS` numbers a parameter should be kept."""


def jacobians_of(leader: Leader, parameters: Array) -> Jacobians | None:
    """The leader's own Jacobians, or one pull-back an entry; None where these are too many."""
    own = getattr(leader, "jacobians", None)
    if own is not None:
        found: Jacobians = own(parameters)
        return found
    model = leader.model(parameters)
    shapes = [model.follower_rewards.shape] * 2 + [model.transitions.data.shape, (model.n_states,)]
    if sum(map(math.prod, shapes)) > DENSE_CELLS:
        return None
    parts = []
    for at, shape in enumerate(shapes):
        weights = [np.zeros(each) for each in shapes]
        rows = []
        for cell in range(math.prod(shape)):
            weights[at].flat[cell] = 1.0
            rows.append(sparse.csr_array(leader.pull_back(parameters, *weights)[None]))
            weights[at].flat[cell] = 0.0
        parts.append(sparse.vstack(rows, format="csr"))
    return Jacobians(*parts)


# -- checks ----------------------------------------------------------------------------------------
def check_finite(values: Array, name: str) -> None:
    """Raises ModelError, with the place, unless all values are finite."""
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        place = wrong[0].tolist()
        raise ModelError(f"{name}{place} is {values[tuple(place)]}; every number must be finite")


def check_law(values: Array, name: str) -> None:
    """Raises ModelError unless the values [n] are probabilities."""
    check_finite(values, name)
    if (values < 0).any():
        at = int(np.argmax(values < 0))
        raise ModelError(f"{name}[{at}] is {values[at]}; a probability is not negative")
    if abs(float(values.sum()) - 1) > SLACK:
        raise ModelError(f"{name} sums to {values.sum()}; it must be a law, which sums to 1")


def _check_temperature(value: float) -> None:
    if not (math.isfinite(value) and value > 0 and math.isfinite(1 / float(value))):
        raise ModelError(
            f"temperature is {value}; it must be positive and finite, and so must 1 over it, since "
            "a follower without entropy has no derivative. A small one such as 0.001 comes close "
            "to a greedy follower"
        )


def _check_discount(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ModelError(
            f"{name} is {value}; it must be at least 0 and below 1, since an episode may never "
            "end. A horizon of about H steps is the discount 1 - 1/H"
        )


def _without_loops(matrix: Matrix, over: Array, width: int) -> Matrix:
    """The rows of terminal states emptied, if they are loops to the state itself."""
    owners = np.repeat(np.arange(len(over)), np.diff(matrix.indptr))
    ended = over[owners]
    elsewhere = np.flatnonzero(ended & (matrix.indices != owners // width))
    if len(elsewhere):
        place = divmod(int(owners[elsewhere[0]]), width)
        raise ModelError(
            f"state {place[0]} is terminal, yet its action {place[1]} leads to state "
            f"{matrix.indices[elsewhere[0]]}; leave its rows empty, or do not mark it as terminal"
        )
    kept = ~ended
    parts = (matrix.data[kept], (owners[kept], matrix.indices[kept]))
    return sparse.csr_array(parts, shape=matrix.shape)
