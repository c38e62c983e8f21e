"""Leaders whose rewards and laws are linear in a differentiable vector; and leaders of functions.

Reward penalties, kernels to choose between, and the policy of a Markov game's leader differ only in
which entries of the model are linear in which vector: `AffineLeader` is all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from ..errors import ModelError
from ..sequences import Array, listed
from .checks import kind, matrix, real, reals, whole, wholes
from .models import (
    BilevelModel,
    Jacobians,
    Leader,
    Matrix,
    checked_parameters,
    model_of,
    pulled_back,
)
from .records import Rounding
from .vectors import Linear, SoftmaxPolicy, Vector

_UNIT = 2.0**-53
"""Proved: the relative error of one operation on doubles, where none underflows."""


@dataclass(frozen=True)
class AffineLeader:
    """Parts of the model are linear maps of a vector y [k]; the rest is fixed.

    Attributes:
        base: the model at the vector's own parameters, or what is fixed of it.
        vector: y and its derivative.
        maps: csr_arrays with k columns, or None where nothing depends on the leader.  Rewards are
            those of ``base`` plus map times y; transitions and the initial law *are* map times y.
        groups: int64[n] in a game whose follower observes, the game's state of each state; y is
            then the law of the states of one group.  Estimators take the means over groups off.
    """

    base: BilevelModel
    vector: Vector
    maps: Jacobians
    groups: Array | None = None

    def __post_init__(self) -> None:
        base, wanted = self.base, ("parameters", "values", "pull_back", "jacobian")
        kind(base, BilevelModel, "base", "give a BilevelModel")
        kind(self.maps, Jacobians, "maps", "give Jacobians, with None where nothing moves")
        if not all(hasattr(self.vector, name) for name in wanted):
            raise ModelError(
                f"vector is {self.vector!r:.60}; give a SoftmaxPolicy, or an object with "
                f"{', '.join(wanted)}"
            )
        size = len(self.vector.values(self.vector.parameters))
        if self.groups is not None and size != len(wholes(self.groups, "groups", (base.n_states,))):
            raise ModelError(
                f"vector has {size} numbers; with groups it is a law over each group of states, "
                f"one number for each of the {base.n_states} states"
            )
        rows = (base.follower_rewards.size, base.leader_rewards.size, base.transitions.nnz,
                base.n_states)  # fmt: skip
        for (name, linear), count in zip(vars(self.maps).items(), rows, strict=True):
            if linear is not None and np.shape(linear) != (count, size):
                raise ModelError(
                    f"the map of {name} has shape {np.shape(linear)}; it needs {(count, size)}, a "
                    "row an entry and a column for each number of the vector"
                )
            if linear is not None and not (sparse.issparse(linear) and linear.format == "csr"):
                raise ModelError(f"the map of {name} is no csr_array; give one of scipy.sparse")

    @property
    def parameters(self) -> Array:
        """float64[d]."""
        return self.vector.parameters

    def model(self, parameters: Array) -> BilevelModel:
        """The model at the parameters; ModelError where a row is no law or loses support."""
        y, base, maps = self.vector.values(parameters), self.base, self.maps
        changes: dict[str, Any] = {}
        for name in ("follower_rewards", "leader_rewards"):
            if (linear := getattr(maps, name)) is not None:
                fixed = getattr(base, name)
                changes[name] = fixed + (linear @ y).reshape(fixed.shape)
        if maps.transitions is not None:
            kernel = base.transitions
            parts = (maps.transitions @ y, kernel.indices, kernel.indptr)
            changes["transitions"] = sparse.csr_array(parts, shape=kernel.shape)
        if maps.initial is not None:
            changes["initial"] = maps.initial @ y
        return replace(base, **changes)

    def pull_back(
        self, parameters: Array, follower_rewards: Array, leader_rewards: Array,
        transitions: Array, initial: Array,
    ) -> Array:  # fmt: skip
        """float64[d], the weighted sum of the gradients of all entries."""
        weights = (follower_rewards, leader_rewards, transitions, initial)
        pairs = zip(self._transposed, weights, strict=True)
        total = sum(linear @ weight.ravel() for linear, weight in pairs if linear is not None)
        return self.vector.pull_back(parameters, np.asarray(total))

    def jacobians(self, parameters: Array) -> Jacobians | None:
        """Of the whole model; None where the vector has none."""
        inner = self.vector.jacobian(parameters)
        if inner is None:
            return None
        base = self.base
        rows = (base.follower_rewards.size, base.leader_rewards.size, base.transitions.nnz,
                base.n_states)  # fmt: skip
        return Jacobians(
            *(
                sparse.csr_array((size, inner.shape[1])) if each is None else each @ inner
                for each, size in zip(_parts(self.maps), rows, strict=True)
            )
        )

    def rounding(self, parameters: Array) -> Rounding | None:
        """Bounds on the rounding in `model` and `jacobians`; None where the vector has none."""
        errors = getattr(self.vector, "errors", None)
        if errors is None or (inner := self.vector.jacobian(parameters)) is None:
            return None
        (moved, slopes), y = errors(parameters), np.abs(self.vector.values(parameters))
        base, none = self.base, np.zeros(1)
        rounded: list[Array] = []
        parts: list[Matrix | None] = []
        fixed = (base.follower_rewards.ravel(), base.leader_rewards.ravel(), none, none)
        for linear, rest in zip(_parts(self.maps), fixed, strict=True):
            if linear is None:
                rounded.append(none)
                parts.append(None)
                continue
            size, terms = abs(linear), (int(np.diff(linear.indptr).max(initial=0)) + 2) * _UNIT
            added = size @ y
            rounded.append(size @ moved + terms * added)
            rounded[-1] += np.where(added > 0, _UNIT * np.abs(rest), 0.0)  # adding 0 is exact
            parts.append(None if slopes is None else size @ (slopes + terms * abs(inner)))
        follower, leader, kernel, start = rounded
        rows = np.bincount(base.cells, kernel) if self.maps.transitions is not None else kernel
        return Rounding(
            float(follower.max()), float(leader.max()), float(rows.max()), float(start.sum()),
            tuple(parts),
        )  # fmt: skip

    @cached_property
    def _transposed(self) -> tuple[Matrix | None, ...]:
        return tuple(None if each is None else each.T.tocsr() for each in _parts(self.maps))


def _parts(maps: Jacobians) -> tuple[Matrix | None, ...]:
    return maps.follower_rewards, maps.leader_rewards, maps.transitions, maps.initial


def reward_penalty(
    model: BilevelModel, follower_rewards: Any, leader_rewards: Any = None, *,
    parameters: Any = None, budget: float | None = None,
) -> AffineLeader:  # fmt: skip
    """A leader who adds a linear combination of given functions to the rewards.

    Args:
        model: the rewards without it, and all else.
        follower_rewards: [n A, k], dense or sparse; column j is what amount j adds to r_F.
        leader_rewards: the same for r_L; default nothing.
        parameters: [k] amounts, default 0; with a budget [k + 1] logits, whose softmax times the
            budget are the amounts, and whose last share is not spent.
        budget: what all amounts sum to at most; negative for penalties.
    """
    kind(model, BilevelModel, "model", "give a BilevelModel")
    follower = _linear(follower_rewards, "follower_rewards", model.follower_rewards.size)
    size, leader = follower.shape[1], None
    if leader_rewards is not None:
        leader = _linear(leader_rewards, "leader_rewards", model.follower_rewards.size, size)
    if budget is not None and real(budget, "budget") == 0:
        raise ModelError("budget is 0, which leaves nothing to spread; give another, or None")
    wanted = size + (budget is not None)
    start = np.zeros(wanted) if parameters is None else _vector(parameters, wanted)
    vector = Linear(start) if budget is None else SoftmaxPolicy(start[None], float(budget), 1)
    return AffineLeader(model, vector, Jacobians(follower, leader, None, None))


def _linear(given: Any, name: str, rows: int, columns: int | None = None) -> Matrix:
    linear = matrix(given, name)
    if linear.shape[0] != rows or linear.shape[1] != (columns or linear.shape[1]):
        raise ModelError(
            f"{name} has shape {linear.shape}; it needs a row for each of the {rows} pairs of "
            "state and action, and a column for each amount, as follower_rewards has"
        )
    return linear


def transition_configuration(
    model: BilevelModel, kernels: Any, *, groups: Any = None, logits: Any = None
) -> AffineLeader:
    """A leader who mixes given kernels: P = sum_k softmax(theta_g)_k P_k in the states of group g.

    Args:
        model: all but the transitions.
        kernels: K matrices [n A, n], dense or sparse; terminal states have empty rows.
        groups: int[n], numbered from 0; default one group of all states.
        logits: float64[number of groups, K], default 0.
    """
    kind(model, BilevelModel, "model", "give a BilevelModel")
    width, group = model.n_actions, np.zeros(model.n_states, dtype=int)
    tables = [matrix(each, f"kernels[{k}]") for k, each in enumerate(listed(kernels, "kernels"))]
    if groups is not None:
        group = wholes(groups, "groups", (model.n_states,))
    count = int(group.max()) + 1
    if not tables or any(each.shape != model.transitions.shape for each in tables):
        raise ModelError(
            f"kernels have shapes {[each.shape for each in tables]}; give at least one, and each "
            f"of the shape {model.transitions.shape} of the model's transitions"
        )
    shape = (count, len(tables))
    start = np.zeros(shape) if logits is None else reals(logits, "logits", shape)
    pattern = sum(tables[1:], start=tables[0]).tocsr()
    pattern.sum_duplicates()
    columns = []
    for k, table in enumerate(tables):
        entries = table.tocoo()
        at = places(pattern, entries.row, entries.col)
        columns.append((at, group[entries.row // width] * len(tables) + k, entries.data))
    at, column, weight = (np.concatenate(each) for each in zip(*columns, strict=True))
    linear = sparse.csr_array((weight, (at, column)), shape=(pattern.nnz, start.size))
    vector = SoftmaxPolicy(start)
    mixed = (linear @ vector.values(vector.parameters), pattern.indices, pattern.indptr)
    base = replace(model, transitions=sparse.csr_array(mixed, shape=pattern.shape))
    return AffineLeader(base, vector, Jacobians(None, None, linear, None))


def places(pattern: Matrix, rows: Array, columns: Array) -> Array:
    """Where entries (row, column) are stored in a canonical csr_array that holds them all."""
    width = pattern.shape[1]
    owners = np.repeat(np.arange(pattern.shape[0], dtype=np.int64), np.diff(pattern.indptr))
    stored = owners * width + pattern.indices
    return np.searchsorted(stored, rows.astype(np.int64) * width + columns)


@dataclass(frozen=True)
class CallableLeader:
    """A leader of two functions: the model, and the vector-Jacobian product of `Leader.pull_back`.

    Use `check_differentiable` once: a derivative that is wrong makes no error by itself.
    """

    parameters: Array
    model: Callable[[Array], BilevelModel]
    pull_back: Callable[[Array, Array, Array, Array, Array], Array]

    def __post_init__(self) -> None:
        reals(self.parameters, "parameters")
        for name in ("model", "pull_back"):
            if not callable(getattr(self, name)):
                raise ModelError(
                    f"{name} is {getattr(self, name)!r}, which is not a function; a leader needs "
                    "its model and its derivative. A torch module brings its own: see "
                    "holdfast.solvers.neural.hypergradient.TorchVector"
                )


_STEP = 1e-5
"""Of finite differences: their errors, of the order of _STEP and 1e-11, are far below `_AGREES`."""
_AGREES = 1e-4
"""Relative difference of derivatives that is no accident.  Less: refuses smooth, curved leaders."""


def check_differentiable(leader: Leader, parameters: Array | None = None, *, seed: int = 0) -> None:
    """Raises ModelError unless the leader's derivative is one, as far as random directions tell.

    Differences forwards and backwards must agree with the pull-back, and the support of the
    transitions must be the same: a deterministic law that moves with theta has no score.
    """
    theta = checked_parameters(leader, parameters)
    rng = np.random.Generator(np.random.Philox(whole(seed, "seed", 0)))
    model = model_of(leader, theta)
    weights: list[Array] = [np.asarray(rng.normal(size=w.shape)) for w in _entries(model)]
    direction = rng.normal(size=theta.shape) * _STEP
    slope = float(pulled_back(leader, theta, weights) @ direction)
    for sign in (1, -1):
        moved = model_of(leader, theta + sign * direction)
        if moved.follower_rewards.shape != model.follower_rewards.shape:
            raise ModelError(
                f"the leader's model has {moved.follower_rewards.shape} states and actions when "
                f"the parameters move a little, and {model.follower_rewards.shape} before; their "
                "numbers must not depend on the parameters"
            )
        _same_support(model, moved)
        pairs = zip(_entries(moved), _entries(model), weights, strict=True)
        parts = [(w * (after - before)).ravel() for after, before, w in pairs]
        change = sign * float(sum(part.sum() for part in parts))
        size = float(sum(np.abs(part).sum() for part in parts))
        if abs(change - slope) > _AGREES * (size + abs(slope)) + 1e-10 * _STEP:
            raise ModelError(
                f"the leader is not differentiable at {theta.ravel()[:4]}, or its pull_back is "
                f"wrong: a step {'forwards' if sign == 1 else 'backwards'} changes the weighted "
                f"entries by {change / _STEP:.6g} a unit, the pull_back says {slope / _STEP:.6g}. "
                "Choose other parameters, or a smooth leader"
            )


def _entries(model: BilevelModel) -> tuple[Array, ...]:
    return model.follower_rewards, model.leader_rewards, model.transitions.data, model.initial


def _same_support(model: BilevelModel, moved: BilevelModel) -> None:
    one, two = model.transitions, moved.transitions
    if one.shape == two.shape and one.nnz == two.nnz:
        other = np.flatnonzero(one.indices != two.indices)
        if not len(other) and (one.indptr == two.indptr).all():
            return
    differs = (abs(one.astype(bool).astype(float) - two.astype(bool).astype(float))).tocoo()
    place = divmod(int(differs.row[0]), model.n_actions)
    raise ModelError(
        f"the law of (state, action) {place} gains or loses state {differs.col[0]} when the "
        "parameters move a little, so its score, the derivative of its logarithm, is undefined; "
        "give all reachable states positive probabilities at all parameters, as a softmax does"
    )


def _vector(values: Any, size: int) -> Array:
    return reals(values, "parameters", (size,))
