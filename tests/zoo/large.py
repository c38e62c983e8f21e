"""Constrained MDPs of any size, drawn at once: three kinds that differ in how they mix.

Rewards and costs are hundredths in [0, 1]; every probability is an integer over an integer.  The
budgets are placed so that every constraint binds: a given share of the way from the least cost to
the cost of a reward-optimal policy.  The same arguments always give the same model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers import CMDP, ModelError
from holdfast.solvers.cmdp.improvement import FloatModel
from holdfast.solvers.exact import Rational, to_fraction

from .unconstrained import typical_costs

_HUNDREDTHS = 100
_PIECE = 2**18
_BUDGET_GRID = 1000
_FEW = 64


def random_sparse(
    n_states: int,
    *,
    actions: int = 4,
    constraints: int = 1,
    discount: Rational = Fraction(95, 100),
    seed: int = 0,
    share: Rational | None = Fraction(1, 2),
) -> CMDP:
    """Five to eight successors anywhere, with weights 1 to 100: mixes at once.

    Args:
        n_states: S, at least one (with fewer than eight, a choice reaches at most all of them).
        actions: choices of each state.
        constraints: m.
        discount: gamma in [0, 1).
        seed: of the generator.
        share: where each budget lies between the least cost (0) and the cost of a reward-optimal
            policy (1); None leaves the budgets at 1 / (1 - gamma), which never bind.
    """
    _check(n_states, actions)
    generator = np.random.default_rng(seed)
    count = n_states * actions
    widest = min(8, n_states)
    lengths = generator.integers(min(5, widest), widest + 1, count, dtype=np.int32)
    indptr = _running(lengths)
    successors = np.empty(indptr[-1], dtype=np.int32)
    for first in range(0, count, _PIECE):
        last = min(first + _PIECE, count)
        rows = _distinct_rows(generator, last - first, widest, n_states)
        kept = np.arange(widest) < lengths[first:last, None]
        rows[~kept] = n_states
        rows.sort(axis=1)
        successors[indptr[first] : indptr[last]] = rows[rows < n_states]
    weights = generator.integers(1, 101, indptr[-1], dtype=np.int32)
    functions = _functions(generator, 1 + constraints, count)
    return _assembled(
        n_states, actions, indptr, successors, weights, functions, discount, share,
        f"random sparse, {n_states} states, seed {seed}",
    )  # fmt: skip


def nearly_deterministic(
    n_states: int,
    *,
    actions: int = 4,
    constraints: int = 1,
    discount: Rational = Fraction(95, 100),
    seed: int = 0,
    share: Rational | None = Fraction(1, 2),
) -> CMDP:
    """One successor with probability at least 997/1000, three others share the rest: hardly mixes.

    The arguments are those of ``random_sparse``.
    """
    _check(n_states, actions)
    generator = np.random.default_rng(seed)
    count, width = n_states * actions, min(4, n_states)
    successors = np.empty((count, width), dtype=np.int32)
    for first in range(0, count, _PIECE):
        last = min(first + _PIECE, count)
        successors[first:last] = _distinct_rows(generator, last - first, width, n_states)
    weights = np.ones((count, width), dtype=np.int32)
    weights[:, 0] = 1001 - width
    functions = _functions(generator, 1 + constraints, count)
    indptr = np.arange(0, count * width + 1, width)
    return _assembled(
        n_states, actions, indptr, successors.ravel(), weights.ravel(), functions, discount, share,
        f"nearly deterministic, {n_states} states, seed {seed}",
    )  # fmt: skip


def grid_world(
    n_states: int,
    *,
    constraints: int = 1,
    discount: Rational = Fraction(95, 100),
    seed: int = 0,
    share: Rational | None = Fraction(1, 2),
) -> CMDP:
    """A square grid with slippery moves: 17/20 as meant, 1/20 to each other side; walls stop.

    Every cell has a reward and costs of its own, most of them low (fourth and second powers of
    uniform numbers), so that a policy travels to good places and stays: mixes slowly.  ``n_states``
    is rounded down to a square.  The other arguments are those of ``random_sparse``.
    """
    _check(n_states, 4)
    generator = np.random.default_rng(seed)
    side = math.isqrt(n_states)
    size = side * side
    ends = _neighbours(side)
    order = np.argsort(ends, axis=1, kind="stable").astype(np.int32)
    ends = np.take_along_axis(ends, order, axis=1)
    first = np.ones((size, 4), dtype=bool)
    first[:, 1:] = ends[:, 1:] != ends[:, :-1]
    indptr = _running(np.repeat(first.sum(axis=1, dtype=np.int32), 4))
    groups = np.cumsum(first, axis=1, dtype=np.int32) - 1
    merged = np.zeros((size, 4, 4), dtype=np.int32)
    rows = np.arange(size)
    for position in range(4):
        for action in range(4):
            share_of = np.where(order[:, position] == action, 17, 1)
            merged[rows, action, groups[:, position]] += share_of  # the rows are distinct
    successors = np.repeat(_packed(ends, first)[:, None, :], 4, axis=1)
    cells = generator.random((1 + constraints, size))
    cells[0] **= 4
    cells[1:] **= 2
    functions = np.repeat(np.rint(cells * _HUNDREDTHS).astype(np.int64), 4, axis=1)
    present = merged > 0
    return _assembled(
        size, 4, indptr, successors[present], merged[present], functions, discount, share,
        f"grid world, {side} x {side}, seed {seed}",
    )  # fmt: skip


def random_graph(states: int, actions: int = 4, seed: int = 0) -> CMDP:
    """Branching 4, gamma 9/10, probabilities over 1000; the budget half-way between extremes."""
    rng = np.random.default_rng(seed)
    size = states * actions
    successors = np.concatenate([rng.choice(states, 4, replace=False) for _ in range(size)])
    weights = np.concatenate([rng.multinomial(996, [0.25] * 4) + 1 for _ in range(size)])
    model = CMDP(
        states, np.arange(states + 1) * actions, np.tile(np.arange(actions), states),
        np.arange(size + 1) * 4, successors, weights, rng.integers(0, 101, size), 100,
        rng.integers(0, 101, (1, size)), (100,), (Fraction(0),), Fraction(9, 10),
        np.ones(states, dtype=int),
    )  # fmt: skip
    floats, cost = FloatModel.of(model), model.cost_vector(0).floats()
    greedy, _ = floats.iterate(model.reward_vector().floats())
    low = -floats.iterate(-cost)[1].mean()
    middle = round(500 * (low + floats.values(greedy, cost).mean()))
    return model.with_budgets(Fraction(middle, 1000))


#: The kinds by name; each takes the number of states and the keywords they share.
FAMILIES: dict[str, Callable[..., CMDP]] = {
    "random sparse": random_sparse,
    "grid world": grid_world,
    "nearly deterministic": nearly_deterministic,
}


def _check(n_states: int, actions: int) -> None:
    if n_states < 1 or actions < 1:
        raise ModelError(
            f"{n_states} states with {actions} actions asked for; give at least one of each"
        )


def _running(lengths: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    sums = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=sums[1:])
    return sums


def _distinct_rows(
    generator: np.random.Generator, count: int, width: int, size: int
) -> np.ndarray[Any, Any]:
    """``count`` rows of ``width`` distinct numbers below ``size``."""
    if size <= _FEW:
        return generator.random((count, size)).argsort(axis=1)[:, :width].astype(np.int32)
    rows = generator.integers(0, size, (count, width), dtype=np.int32)
    again = np.arange(count)
    while len(again):
        ordered = np.sort(rows[again], axis=1)
        again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
        rows[again] = generator.integers(0, size, (len(again), width), dtype=np.int32)
    return rows


def _functions(generator: np.random.Generator, rows: int, count: int) -> np.ndarray[Any, Any]:
    return generator.integers(0, _HUNDREDTHS + 1, (rows, count))


def _neighbours(side: int) -> np.ndarray[Any, Any]:
    """int32[S, 4]: the cell above, below, to the left and to the right, itself at a wall."""
    row, column = np.divmod(np.arange(side * side, dtype=np.int32), side)
    moves = [
        np.maximum(row - 1, 0) * side + column,
        np.minimum(row + 1, side - 1) * side + column,
        row * side + np.maximum(column - 1, 0),
        row * side + np.minimum(column + 1, side - 1),
    ]
    return np.stack(moves, axis=1).astype(np.int32)


def _packed(ends: np.ndarray[Any, Any], first: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The distinct entries of each sorted row moved to its left."""
    order = np.argsort(~first, axis=1, kind="stable")
    return np.take_along_axis(ends, order, axis=1)


def _assembled(
    size: int,
    actions: int,
    indptr: np.ndarray[Any, Any],
    successors: np.ndarray[Any, Any],
    weights: np.ndarray[Any, Any],
    functions: np.ndarray[Any, Any],
    discount: Rational,
    share: Rational | None,
    note: str,
) -> CMDP:
    gamma = to_fraction(discount, "discount")
    if not 0 <= gamma < 1:
        raise ModelError(f"discount is {gamma}; it must lie in [0, 1)")
    for array in (successors, weights, functions):
        array.setflags(write=False)
    rows = len(functions) - 1
    model = CMDP(
        n_states=size,
        choice_start=np.arange(size + 1) * actions,
        actions=np.tile(np.arange(actions), size),
        indptr=indptr,
        successors=successors,
        weights=weights,
        reward=functions[0],
        reward_denominator=_HUNDREDTHS,
        costs=functions[1:],
        cost_denominators=(_HUNDREDTHS,) * rows,
        budgets=(1 / (1 - gamma),) * rows,
        discount=gamma,
        initial=np.ones(size, dtype=np.int64),
        notes=(note,),
    )
    return model if share is None else with_binding_budgets(model, share)


def with_binding_budgets(model: CMDP, share: Rational = Fraction(1, 2)) -> CMDP:
    """The model with each budget a share of the way from its least cost to the cost of reward.

    With several constraints the costs at hand are those of the policies that are best for the
    reward and for the sum of the costs, so that the budgets can be met together.
    """
    portion = to_fraction(share, "share")
    if not model.n_constraints:
        return model
    cheap, rich = typical_costs(model)
    budgets = []
    for low, high in zip(cheap, rich, strict=True):
        middle = low + portion * (high - low)
        budgets.append(Fraction(round(middle * _BUDGET_GRID), _BUDGET_GRID))
    return model.with_budgets(*budgets)
