"""The record of a bilevel problem at given leader parameters, and what a leader is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from scipy import sparse

from ..errors import ModelError
from ..sequences import Array, as_array
from .checks import (
    SLACK,
    check_discount,
    check_finite,
    check_law,
    check_temperature,
    matrix,
    reals,
)

Matrix: TypeAlias = Any
"""A `scipy.sparse.csr_array` of doubles; shapes stand in prose."""

DENSE_UP_TO = 400
"""States up to which chains are dense: factorising them (about 5 ms) beats some dozens of products
of a Krylov method, and the overhead of sparse arrays is what costs in models of a few states."""


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
        check_temperature(self.temperature)
        for name in ("follower_discount", "leader_discount"):
            check_discount(name, getattr(self, name))
        self._check_shapes()
        self._check_rows()
        check_law(self.initial, "initial")

    @property
    def n_states(self) -> int:
        """States n."""
        return int(self.follower_rewards.shape[0])

    @property
    def n_actions(self) -> int:
        """Actions A of the follower in each state."""
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
        for name in ("follower_rewards", "leader_rewards", "initial"):
            values = getattr(self, name)
            if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
                raise ModelError(
                    f"{name} is a {type(values).__name__} of {np.asarray(values).dtype}; give an "
                    "array of real numbers, or use BilevelModel.of, which makes them"
                )
            check_finite(values, name)

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
        rewards = reals(follower_rewards, "follower_rewards")
        if rewards.ndim != 2:
            raise ModelError(
                f"follower_rewards has shape {rewards.shape}; give one row a state and one column "
                "an action"
            )
        size, width = rewards.shape
        over = _flags(terminal, size)
        if not sparse.issparse(transitions):
            transitions = reals(transitions, "transitions")
            if transitions.ndim == 3:
                transitions = transitions.reshape(-1, transitions.shape[-1])
        kernel = matrix(transitions, "transitions")
        kernel.sum_duplicates()
        kernel.eliminate_zeros()
        if kernel.shape == (size * width, size):
            kernel = _without_loops(kernel, np.repeat(over, width), width)
        law = np.where(over, 0.0, 1.0) / max(1, int((~over).sum())) if initial is None else initial
        return cls(
            kernel, rewards, reals(leader_rewards, "leader_rewards"), reals(law, "initial"), over,
            temperature, follower_discount, leader_discount,
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


def checked_leader(leader: Any) -> None:
    """Raises ModelError unless it has parameters, a model and a pull-back."""
    if not isinstance(leader, Leader):
        raise ModelError(
            f"the leader is {leader!r:.60}; give an object with parameters, model and pull_back, "
            "such as reward_penalty and game_leader make"
        )


def model_of(leader: Leader, parameters: Array) -> BilevelModel:
    """The leader's model at the parameters; ModelError if it is none."""
    model = leader.model(parameters)
    if not isinstance(model, BilevelModel):
        raise ModelError(
            f"the leader's model returned {model!r:.60}, of type {type(model).__name__}; it must "
            "return a BilevelModel, such as BilevelModel.of makes"
        )
    return model


def checked_parameters(leader: Leader, parameters: Any = None) -> Array:
    """float64[d] as given, or the leader's own; ModelError for another shape, for none at all, and
    for what is not a finite real number."""
    checked_leader(leader)
    own = reals(leader.parameters, "the leader's parameters")
    if own.ndim != 1 or not own.size:
        raise ModelError(
            f"the leader's parameters have shape {own.shape}; give them in one row, and at least "
            "one: without parameters there is nothing to differentiate by"
        )
    if parameters is None:
        return own
    given = reals(parameters, "parameters")
    if given.shape != own.shape:
        raise ModelError(f"parameters has shape {given.shape}; the leader's are {own.shape}")
    return given


def pulled_back(leader: Leader, theta: Array, weights: Sequence[Array]) -> Array:
    """float64[d]; ModelError unless the pull-back gives a finite number for each parameter."""
    given = leader.pull_back(theta, *weights)
    try:
        gradient = np.asarray(given, dtype=complex)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"the leader's pull_back returned {given!r:.60}; it must return an array with one "
            f"number for each of the {theta.size} parameters"
        ) from error
    if gradient.shape != theta.shape or not np.isfinite(gradient).all() or gradient.imag.any():
        raise ModelError(
            f"the leader's pull_back returned {np.ravel(given)[:4]!s} of shape "
            f"{gradient.shape}; it must return finite real numbers, one for each of the "
            f"{theta.size} parameters. If a derivative does not exist there, choose other "
            "parameters or a smooth leader"
        )
    return np.ascontiguousarray(gradient.real)


DENSE_CELLS = 2_000
"""Entries up to which Jacobians are put together from one pull-back each: beyond, they take longer
than all else, and no more than `DENSE_CELLS` numbers a parameter should be kept."""


def jacobians_of(leader: Leader, parameters: Array) -> Jacobians | None:
    """The leader's own Jacobians, or one pull-back an entry; None where these are too many."""
    own = getattr(leader, "jacobians", None)
    if own is not None:
        found: Jacobians = own(parameters)
        return found
    model = model_of(leader, parameters)
    shapes = [model.follower_rewards.shape] * 2 + [model.transitions.data.shape, (model.n_states,)]
    if sum(map(math.prod, shapes)) > DENSE_CELLS:
        return None
    parts = []
    for at, shape in enumerate(shapes):
        weights = [np.zeros(each) for each in shapes]
        rows = []
        for cell in range(math.prod(shape)):
            weights[at].flat[cell] = 1.0
            rows.append(sparse.csr_array(pulled_back(leader, parameters, weights)[None]))
            weights[at].flat[cell] = 0.0
        parts.append(sparse.vstack(rows, format="csr"))
    return Jacobians(*parts)


def _flags(terminal: Any, size: int) -> Array:
    """bool[n], none by default; ModelError for another shape, and for what is not true or false."""
    if terminal is None:
        return np.zeros(size, dtype=bool)
    given = as_array(terminal, "terminal")
    if given.shape != (size,) or given.dtype.kind not in "biuf" or not np.isin(given, (0, 1)).all():
        raise ModelError(
            f"terminal is {str(terminal)[:60]}; give each of the {size} states True or False"
        )
    return given.astype(bool)


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
