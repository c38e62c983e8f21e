"""The exact record of a finite constrained Markov decision process.

A model lists *choices* (state-action pairs) grouped by state; every number is an integer over an
integer denominator, so the record *is* the model and nothing is rounded after construction.

    maximise  J_r(pi)   subject to   J_{c_i}(pi) <= d_i,   i = 0, ..., m-1,
    J_q(pi) = E_{mu, pi} sum_{t >= 0} gamma^t q(s_t, a_t)          (UN-normalised).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from ..errors import ModelError
from ..exact import (
    Array,
    Rational,
    Vector,
    common_denominator,
    format_rational,
    integer_array,
    to_fraction,
)
from ..sequences import listed, listed_or_none
from . import checks
from .rows import stacked

IntegerArray: TypeAlias = Array
_SUM_SAFE = 2**62
"""Proved: sums whose largest term times their number is below cannot overflow int64."""


@dataclass(frozen=True, eq=False)
class CMDP:
    """A constrained MDP with S states, K choices and m cost constraints.

    Attributes:
        n_states: S, at least one.
        choice_start: int64[S+1]; the choices of state s are choice_start[s]:choice_start[s+1].
        actions: int64[K], the action label of each choice, distinct within a state.
        indptr: int64[K+1]; the successors of choice k are indptr[k]:indptr[k+1].
        successors: int[nnz], states; distinct within a choice.
        weights: int[nnz], positive; P(t | k) = weight / denominators[k].
        reward: int[K], over reward_denominator.
        costs: int[m, K]; row i is over cost_denominators[i].
        budgets: m rationals d_i, the bounds on the UN-normalised expected costs.
        discount: gamma in [0, 1], where 1 is for finite horizons (``solvers.chance``) only.
        initial: int[S], non-negative; mu(s) = initial[s] / initial_denominator.
        notes: where the model came from and what was done to its numbers.
        labels: named sets of states, as ("unsafe", (3, 7)).
        coordinates: a point for each state, for plots; or nothing.

    Integer arrays are int64 (successors and weights int32) when every entry fits and object arrays
    of Python ints otherwise; all are read-only.  Two models are equal when their digests are;
    notes, labels and coordinates are not part of it.  Raises ModelError on bad data.
    """

    n_states: int
    choice_start: IntegerArray
    actions: IntegerArray
    indptr: IntegerArray
    successors: IntegerArray
    weights: IntegerArray
    reward: IntegerArray
    reward_denominator: int
    costs: IntegerArray
    cost_denominators: tuple[int, ...]
    budgets: tuple[Fraction, ...]
    discount: Fraction
    initial: IntegerArray
    notes: tuple[str, ...] = ()
    labels: tuple[tuple[str, tuple[int, ...]], ...] = ()
    coordinates: tuple[tuple[Fraction, ...], ...] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in INTEGER_FIELDS:
            try:
                array = integer_array(getattr(self, name), name, narrow=name in _NARROW_FIELDS)
            except ValueError as problem:
                raise ModelError(str(problem)) from problem
            if array.flags.writeable:
                array = array.copy()
                array.setflags(write=False)
            put(self, name, array)
        put(self, "discount", _rational(self.discount, "discount"))
        budgets = enumerate(listed(self.budgets, "budgets"))
        put(self, "budgets", tuple(_rational(bound, f"budgets[{i}]") for i, bound in budgets))
        put(self, "cost_denominators", tuple(listed(self.cost_denominators, "cost_denominators")))
        put(self, "notes", tuple(listed(self.notes, "notes")))
        checks.check_choices(self)
        checks.check_transitions(self)
        checks.check_functions(self)
        checks.check_annotations(self)

    # -- sizes -----------------------------------------------------------------------------------
    @property
    def n_choices(self) -> int:
        """K, the number of state-action pairs."""
        return len(self.actions)

    @property
    def n_constraints(self) -> int:
        """m, the number of cost constraints."""
        return len(self.budgets)

    @cached_property
    def action_counts(self) -> IntegerArray:
        """int64[S], how many choices each state has."""
        return np.diff(self.choice_start)

    @cached_property
    def choice_states(self) -> IntegerArray:
        """int64[K], the state each choice belongs to."""
        return np.repeat(np.arange(self.n_states), self.action_counts)

    @cached_property
    def denominators(self) -> IntegerArray:
        """int[K], the sum of the weights of each choice."""
        weights, dtype = self.weights, np.dtype(np.int64)
        if weights.dtype == object or int(weights.max()) * len(weights) >= _SUM_SAFE:
            weights, dtype = weights.astype(object), np.dtype(object)  # type: ignore[assignment]
        sums = np.add.reduceat(weights, self.indptr[:-1], dtype=dtype)
        return integer_array(sums, "denominators")

    @cached_property
    def initial_denominator(self) -> int:
        """The sum of ``initial``."""
        if self.initial.dtype == object or int(self.initial.max()) * self.n_states >= _SUM_SAFE:
            return sum(self.initial.tolist())
        return int(self.initial.sum())

    # -- exact views -----------------------------------------------------------------------------
    def weighted_row(self, choice: int) -> dict[int, int]:
        """Successor states of a choice with their integer weights."""
        span = slice(int(self.indptr[choice]), int(self.indptr[choice + 1]))
        successors, weights = self.successors[span].tolist(), self.weights[span].tolist()
        return dict(zip(successors, weights, strict=True))

    def transition_row(self, choice: int) -> list[tuple[int, Fraction]]:
        """Successor states of a choice with their exact probabilities."""
        span = slice(int(self.indptr[choice]), int(self.indptr[choice + 1]))
        weights = self.weights[span].tolist()
        bottom, successors = sum(weights), self.successors[span].tolist()
        return [(t, Fraction(w, bottom)) for t, w in zip(successors, weights, strict=True)]

    def float_transitions(self) -> Any:
        """All rows in double precision, a scipy CSR matrix [K, S]: nothing is proved with them."""
        from scipy.sparse import csr_matrix

        bottoms = np.repeat(self.denominators, np.diff(self.indptr))
        chances, shape = (self.weights / bottoms).astype(float), (self.n_choices, self.n_states)
        return csr_matrix((chances, self.successors, self.indptr), shape=shape)

    def reward_vector(self) -> Vector:
        """r over the choices."""
        return Vector(tuple(self.reward.tolist()), self.reward_denominator)

    def cost_vector(self, index: int) -> Vector:
        """c_index over the choices; raises IndexError when there is no such constraint."""
        if not 0 <= index < self.n_constraints:
            raise IndexError(
                f"cost {index} asked for, but the model has {self.n_constraints} "
                "constraint(s), numbered from 0"
            )
        return Vector(tuple(self.costs[index].tolist()), self.cost_denominators[index])

    def initial_vector(self) -> Vector:
        """mu over the states."""
        return Vector(tuple(self.initial.tolist()), self.initial_denominator)

    def label(self, name: str) -> tuple[int, ...]:
        """The states of a label; raises ModelError naming the labels there are."""
        known = dict(self.labels)
        if name not in known:
            raise ModelError(
                f"the model has no label {name!r}; it has {', '.join(known) or 'no labels'}"
            )
        return known[name]

    # -- changed copies --------------------------------------------------------------------------
    def with_budgets(self, *budgets: Rational) -> CMDP:
        """The same model with other budgets, one for each cost."""
        return replace(self, budgets=budgets)  # type: ignore[arg-type]

    def with_initial(self, initial: Sequence[Rational]) -> CMDP:
        """The same model started from other non-negative weights (any positive total)."""
        numerators, _ = common_denominator(
            _rational(value, f"initial[{s}]") for s, value in enumerate(listed(initial, "initial"))
        )
        return replace(self, initial=integer_array(np.array(numerators, dtype=object), "initial"))

    def with_discount(self, discount: Rational) -> CMDP:
        """The same model with another discount."""
        return replace(self, discount=_rational(discount, "discount"))

    def with_reward(self, reward: Sequence[Rational] | Vector) -> CMDP:
        """The same model with another reward, one value a choice."""
        vector = _vector(reward, "a vector")
        return replace(self, reward=_row(vector), reward_denominator=vector.denominator)

    def with_costs(
        self,
        costs: Sequence[Sequence[Rational] | Vector] | None,
        budgets: Sequence[Rational] | None,
    ) -> CMDP:
        """The same model with other costs and budgets, none where they are None."""
        given = listed_or_none(costs, "costs")
        vectors = [_vector(cost, f"costs[{i}]") for i, cost in enumerate(given)]
        for i, vector in enumerate(vectors):
            if len(vector) != self.n_choices:
                raise ModelError(
                    f"costs[{i}] has {len(vector)} entries for {self.n_choices} "
                    "choices; give one value a choice"
                )
        return replace(
            self,
            costs=stacked([vector.numerators for vector in vectors], self.n_choices),
            cost_denominators=tuple(vector.denominator for vector in vectors),
            budgets=listed_or_none(budgets, "budgets"),  # type: ignore[arg-type]
        )

    def with_notes(self, *notes: str) -> CMDP:
        """The same model with further notes."""
        return replace(self, notes=(*self.notes, *notes))

    def with_labels(self, **labels: Sequence[int]) -> CMDP:
        """The same model with further named sets of states."""
        added = {
            name: tuple(listed(states, f"label {name!r}", ordered=False))
            for name, states in labels.items()
        }
        return replace(self, labels=tuple({**dict(self.labels), **added}.items()))

    def with_coordinates(self, coordinates: Sequence[Sequence[Rational]]) -> CMDP:
        """The same model with a point for each state."""
        points = tuple(
            tuple(_rational(x, f"coordinates[{s}]") for x in point)
            for s, point in enumerate(coordinates)
        )
        return replace(self, coordinates=points)

    # -- JSON ------------------------------------------------------------------------------------
    def to_dict(self) -> dict[str, Any]:
        """The mathematical model and its notes as JSON: numbers are ints or rational strings."""
        starts, successors, weights = (
            a.tolist() for a in (self.indptr, self.successors, self.weights)
        )
        return {
            "kind": "cmdp",
            "n_states": self.n_states,
            "choices": list(
                map(list, zip(self.choice_states.tolist(), self.actions.tolist(), strict=True))
            ),
            "transitions": [
                [[successors[j], weights[j]] for j in range(starts[k], starts[k + 1])]
                for k in range(self.n_choices)
            ],
            "discount": format_rational(self.discount),
            "reward": _texts(self.reward_vector().fractions()),
            "costs": [_texts(self.cost_vector(i).fractions()) for i in range(self.n_constraints)],
            "budgets": _texts(self.budgets),
            "initial": _texts(self.initial_vector().fractions()),
            "notes": list(self.notes),
        }

    @cached_property
    def digest(self) -> str:
        """sha256 of the canonical JSON form without its notes: names the mathematical model."""
        document = self.to_dict()
        del document["notes"]
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, CMDP) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return (
            f"CMDP(n_states={self.n_states}, n_choices={self.n_choices}, "
            f"n_constraints={self.n_constraints}, discount={self.discount})"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


#: The fields that are arrays of integers.
INTEGER_FIELDS = (
    "choice_start",
    "actions",
    "indptr",
    "successors",
    "weights",
    "reward",
    "costs",
    "initial",
)
_NARROW_FIELDS = ("successors", "weights")


def _rational(value: object, name: str) -> Fraction:
    try:
        return to_fraction(value, name)
    except ValueError as problem:
        raise ModelError(str(problem)) from problem


def _texts(values: Sequence[Fraction]) -> list[str]:
    return [format_rational(value) for value in values]


def _vector(values: Sequence[Rational] | Vector, name: str) -> Vector:
    return values if isinstance(values, Vector) else Vector.of(listed(values, name))


def _row(vector: Vector) -> IntegerArray:
    return np.array(vector.numerators, dtype=object)
