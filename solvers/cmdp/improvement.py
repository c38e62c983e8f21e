"""Exact policy iteration: a float start, then exact improvements until none is left.

The returned values satisfy Bellman's equation exactly, V = max_a (f + gamma P V), which proves
optimality for every initial law at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exact import Array, Vector, floats_of
from ..limits import Allowance
from ..models.checks import check_discounted
from ..models.cmdp import CMDP
from .policies import (
    Function,
    Policy,
    evaluate_choices,
    expected_next,
    function_vector,
    negated,
)

#: Models of at most this many states skip the float start: an exact pass is as cheap.
SMALL = 12
_DENSE_UP_TO = 150
"""States up to which float values come from a dense solution: its cubic cost against the overhead
of a sparse one."""
_FACTOR_UP_TO = 1500
"""States up to which they come from sparse factors; beyond, the factors of random graphs fill in
and sweeps, which are linear in the transitions, cost less."""
_FLOAT_ROUNDS = 200
"""Float improvements before exact ones go on: they end by themselves far earlier, unless rounding
makes them go round in a circle."""
_SWEEPS = 20_000
"""Of one evaluation: to the last digit for discounts up to 0.998 (0.998^20000 is 4e-18); nearer to
one the values are rough, and exact rounds correct the choices."""


@dataclass(frozen=True, slots=True)
class OptimalValues:
    """The outcome of policy iteration.

    ``values`` (S) solves Bellman's equation exactly, ``choices[s]`` is the choice taken in s, and
    ``rounds`` counts exact evaluations.
    """

    choices: tuple[int, ...]
    values: Vector
    rounds: int

    def policy(self, model: CMDP) -> Policy:
        """The deterministic optimal policy."""
        return Policy.of_choices(model, self.choices)


def advantages(model: CMDP, values: Vector, function: Function | None = None) -> list[int]:
    """Integers with the sign of Q(k) - V(s), comparable within a state after division by D_k.

    Entry k is (Q(k) - V(s)) times D_k, gamma's denominator and both common denominators.
    """
    f = function_vector(model, function)
    top, bottom = model.discount.numerator, model.discount.denominator
    ahead = expected_next(model, values.numerators)
    own, scale = bottom * values.denominator, f.denominator
    pairs = zip(model.denominators.tolist(), model.choice_states.tolist(), strict=True)
    return [
        d * (own * f.numerators[k] - bottom * scale * values.numerators[s]) + top * scale * ahead[k]
        for k, (d, s) in enumerate(pairs)
    ]


def greedy_choices(model: CMDP, values: Vector, function: Function | None = None) -> list[int]:
    """The choice of largest exact Q in each state (the first of several)."""
    return _best(model, advantages(model, values, function))


def _best(model: CMDP, scores: Sequence[int], current: Sequence[int] | None = None) -> list[int]:
    """Per state the largest score / D_k; ``current`` keeps its choice unless strictly beaten."""
    start, bottoms = model.choice_start.tolist(), model.denominators.tolist()
    chosen = []
    for state in range(model.n_states):
        best = start[state] if current is None else current[state]
        for k in range(start[state], start[state + 1]):
            if scores[k] * bottoms[best] > scores[best] * bottoms[k]:
                best = k
        chosen.append(best)
    return chosen


def policy_iteration(
    model: CMDP,
    function: Function | None = None,
    *,
    maximise: bool = True,
    start: Sequence[int] | None = None,
    allowance: Allowance | None = None,
) -> OptimalValues:
    """An optimal deterministic policy for one function of the choices, with its exact values.

    Args:
        function: "reward" (default), ("cost", i) or a Vector of K values.
        maximise: False minimises (the values returned are those of ``function`` itself).
        start: choices to begin with, one a state; default a float solution, or the myopic policy
            on small models.
        allowance: looked at before every exact evaluation; LimitReachedError when it is used up.
    """
    check_discounted(model)
    f = function_vector(model, function)
    signed = f if maximise else negated(f)
    choices = _first_choices(model, signed) if start is None else list(start)
    rounds = 0
    while True:
        rounds += 1
        if allowance is not None:
            allowance.look()
        values = evaluate_choices(model, choices, signed)
        improved = _best(model, advantages(model, values, signed), choices)
        if improved == choices:
            break
        choices = improved
    return OptimalValues(tuple(choices), values if maximise else negated(values), rounds)


def _first_choices(model: CMDP, function: Vector) -> list[int]:
    """The myopic choices on small models, else those of a float solution."""
    if model.n_states > SMALL:
        return float_policy(model, function)
    pairs = zip(function.numerators, model.denominators.tolist(), strict=True)
    return _best(model, [v * d for v, d in pairs])


# -- the float start -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class FloatModel:
    """Double-precision transitions (CSR K x S), for proposals only; nothing is proved with it."""

    matrix: Any
    dense: Any
    choice_start: Array
    discount: float

    @classmethod
    def of(cls, model: CMDP) -> FloatModel:
        """The nearest doubles of a model's transitions."""
        check_discounted(model)
        matrix = model.float_transitions()
        dense = matrix.toarray() if model.n_states <= _DENSE_UP_TO else None
        return cls(matrix, dense, model.choice_start, float(model.discount))

    def values(self, choices: Array, f: Array) -> Array:
        """The value of a deterministic policy, in floating point."""
        size = self.matrix.shape[1]
        if self.dense is not None:
            system = np.eye(size) - self.discount * self.dense[choices]
            return np.asarray(np.linalg.solve(system, f[choices]))
        chosen, own = self.matrix[choices], f[choices]
        if size > _FACTOR_UP_TO:
            return self._richardson(chosen, own)
        from scipy.sparse import identity
        from scipy.sparse.linalg import spsolve

        system = identity(size, format="csc") - self.discount * chosen.tocsc()
        return np.asarray(spsolve(system, own))

    def _richardson(self, chosen: Any, own: Array) -> Array:
        """v <- f + gamma P v until the change is rounding (factors of big graphs fill in)."""
        values = own
        for _ in range(_SWEEPS):
            following = own + self.discount * (chosen @ values)
            change = float(np.abs(following - values).max())
            values = following
            if change <= 1e-15 * (1.0 + float(np.abs(values).max())):
                break
        return values

    def iterate(self, f: Array, choices: Array | None = None) -> tuple[Array, Array]:
        """Policy iteration in floating point: choices and their values."""
        start = self.choice_start[:-1]
        if choices is None:
            choices = self._first(f, np.maximum.reduceat(f, start))
        values = self.values(choices, f)
        for _ in range(_FLOAT_ROUNDS):
            q = f + self.discount * (self.matrix @ values)
            best = np.maximum.reduceat(q, start)
            margin = 1e-10 * (1.0 + np.abs(best))
            better = best > q[choices] + margin
            if not better.any():
                break
            choices = np.where(better, self._first(q, best), choices)
            values = self.values(choices, f)
        return choices, values

    def _first(self, q: Array, best: Array) -> Array:
        """The first choice of each state whose q is the best one of the state."""
        hits = np.flatnonzero(q == np.repeat(best, np.diff(self.choice_start)))
        owners = np.searchsorted(self.choice_start, hits, side="right") - 1
        first = np.full(len(best), -1)
        first[owners[::-1]] = hits[::-1]
        return first


def float_function(f: Vector) -> Array:
    """A choice function in doubles, scaled to at most one in absolute value (0 stays 0)."""
    values = floats_of(f.numerators)
    largest = float(np.abs(values).max(initial=0.0))
    return values / largest if largest > 0 and math.isfinite(largest) else values


def float_policy(model: CMDP, function: Vector) -> list[int]:
    """Choices of a policy that is optimal up to rounding; a proposal for exact iteration."""
    choices, _ = FloatModel.of(model).iterate(float_function(function))
    return [int(k) for k in choices]
