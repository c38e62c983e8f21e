"""The layers of a problem in integers: what arrivals cost, what decisions earn, where it starts.

A *cell* is (memory n, state s), flat index n S + s, within a layer t.  The objective is not
discounted here: the reward of layer t carries its gamma^t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import ModelError
from ...exact import Vector
from ...models.cmdp import CMDP, IntegerArray
from ...sequences import objects
from .problem import ChanceProblem

#: Bits of the longest denominator that is computed with.
LONGEST = 300_000


@dataclass(frozen=True, eq=False)
class Dynamics:
    """A problem with M memories over S states, compiled.

    Attributes:
        rewards: object[K], over value_denominator.
        terminal: object[M, S], the value of ending in a cell, over value_denominator (it is earned
            times gamma^T).
        charges: object[M], what an arrival in an unsafe state costs, over charge_denominator.
        residual: object[M, S], a further risk of ending in a cell, over charge_denominator.
        earns: bool[M], whether decisions earn their reward.
        following: int[M], the memory after an unsafe arrival.
        start: object[M S], the initial law, over model.initial_denominator.
        plain: whether the problem's own document describes all of this.
    """

    problem: ChanceProblem
    rewards: IntegerArray
    value_denominator: int
    terminal: IntegerArray
    charges: IntegerArray
    charge_denominator: int
    residual: IntegerArray
    earns: IntegerArray
    following: IntegerArray
    start: IntegerArray
    plain: bool = True

    @classmethod
    def of(
        cls,
        problem: ChanceProblem,
        terminal: Sequence[Vector] | None = None,
        residual: Sequence[Vector] | None = None,
    ) -> Dynamics:
        """The dynamics of a problem, or with other values and further risks at the end.

        terminal, residual: a vector over the states for each memory.
        """
        model, levels, size = problem.model, problem.levels, problem.model.n_states
        ends = _terminal(problem) if terminal is None else terminal
        risks = [Vector((0,) * size)] * levels if residual is None else residual
        rewards, charges = model.reward_vector(), Vector.of(problem.charges)
        bottom = math.lcm(model.reward_denominator, _common(ends))
        charge_bottom = math.lcm(charges.denominator, _common(risks))
        return cls(
            problem,
            _scaled(rewards, bottom),
            bottom,
            np.array([_scaled(v, bottom) for v in ends]).reshape(levels, size),
            _scaled(charges, charge_bottom),
            charge_bottom,
            np.array([_scaled(v, charge_bottom) for v in risks]).reshape(levels, size),
            np.array([problem.earns(n) for n in range(levels)]),
            np.minimum(np.arange(1, levels + 1), levels - 1),
            _start(problem),
            terminal is None and residual is None,
        )

    @property
    def model(self) -> CMDP:
        """The model."""
        return self.problem.model

    @property
    def horizon(self) -> int:
        """T."""
        return self.problem.horizon

    @property
    def levels(self) -> int:
        """M."""
        return self.problem.levels

    @property
    def n_cells(self) -> int:
        """M S, the cells of one layer."""
        return self.levels * self.model.n_states

    @cached_property
    def distinct(self) -> IntegerArray:
        """bool[K]: False where an earlier choice of the state has the same reward and law."""
        model = self.model
        indptr, owners = model.indptr.tolist(), model.choice_states.tolist()
        order = np.lexsort((model.successors, np.repeat(np.arange(len(owners)), np.diff(indptr))))
        successors, weights = model.successors[order].tolist(), model.weights[order].tolist()
        rewards = self.rewards.tolist()
        seen: set[tuple[Any, ...]] = set()
        fresh = np.ones(len(owners), dtype=bool)
        for k, owner in enumerate(owners):
            row = slice(indptr[k], indptr[k + 1])
            key = (owner, rewards[k], *successors[row], *weights[row])
            fresh[k] = key not in seen
            seen.add(key)
        return fresh

    def check_table(self, table: Any) -> IntegerArray:
        """The table as an array [T, M, S] of choices; ModelError unless each is its state's."""
        array = np.asarray(table)
        shape = (self.horizon, self.levels, self.model.n_states)
        if array.shape != shape:
            raise ModelError(
                f"the table of choices has shape {array.shape}; it needs {shape}: horizon, "
                "memories, states"
            )
        if array.dtype.kind not in "iu":
            raise ModelError(f"the table of choices has dtype {array.dtype}; it holds ints")
        ends = self.model.choice_start
        wrong = np.argwhere((array < ends[:-1]) | (array >= ends[1:]))
        if len(wrong):
            t, n, s = wrong[0].tolist()
            raise ModelError(
                f"the table has choice {int(array[t, n, s])} at (time {t}, memory {n}, state {s}); "
                f"the choices of state {s} are {int(ends[s])} .. {int(ends[s + 1]) - 1}"
            )
        return array

    def entries(self, cells: IntegerArray, choices: IntegerArray) -> Successors:
        """The successors of choices taken in cells."""
        model, size = self.model, self.model.n_states
        first, lengths = model.indptr[choices], np.diff(model.indptr)[choices]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        positions = np.arange(starts[-1]) + np.repeat(first - starts[:-1], lengths)
        owners = np.repeat(np.arange(len(cells)), lengths)
        states, memories = model.successors[positions], (cells // size)[owners]
        risky = self.problem.is_unsafe[states]
        after = np.where(risky, self.following[memories], memories)
        return Successors(
            starts[:-1], owners, positions, states, memories, risky, after * size + states
        )


@dataclass(frozen=True, slots=True)
class Successors:
    """The successors of a list of decisions, one after the other.

    starts: where those of each decision begin; owners: the decision each belongs to; positions: of
    their weights in the model; memories: before the arrival; risky: whether the arrival is unsafe;
    cells: after the arrival.
    """

    starts: IntegerArray
    owners: IntegerArray
    positions: IntegerArray
    states: IntegerArray
    memories: IntegerArray
    risky: IntegerArray
    cells: IntegerArray


def integer_weights(
    model: CMDP, choices: IntegerArray, successors: Successors
) -> tuple[IntegerArray, int]:
    """Weights of the successors over one common denominator, the least one for these choices."""
    weights = model.weights[successors.positions]
    bottoms = model.denominators[choices]
    distinct = np.unique(bottoms).tolist()
    common = math.lcm(*distinct)
    if len(distinct) == 1:
        return weights, common
    factors = objects(common // d for d in bottoms.tolist())
    return weights.astype(object) * factors[successors.owners], common


def _start(problem: ChanceProblem) -> IntegerArray:
    """The initial law over the cells (M S), each state with its first memory."""
    size = problem.model.n_states
    memories = np.array([problem.first_memory(s) for s in range(size)])
    start = np.full(problem.levels * size, 0, dtype=object)
    start[memories * size + np.arange(size)] = problem.model.initial.tolist()
    return start


def _common(vectors: Sequence[Vector]) -> int:
    """The least common denominator."""
    return math.lcm(*(v.denominator for v in vectors))


def _scaled(vector: Vector, bottom: int) -> IntegerArray:
    factor = bottom // vector.denominator
    return objects(v * factor for v in vector.numerators)


def _terminal(problem: ChanceProblem) -> list[Vector]:
    nothing = Vector((0,) * problem.model.n_states)
    value = nothing if problem.terminal is None else problem.terminal
    return [value if problem.earns(n) else nothing for n in range(problem.levels)]


def check_bits(scale: int) -> None:
    """ModelError when exact numbers over this denominator would be too long to compute with."""
    bits = scale.bit_length()
    if bits > LONGEST:
        raise ModelError(
            f"exact values would be over a denominator of {bits} bits, more than {LONGEST}: the "
            "transition probabilities have too many different denominators for this horizon; read "
            "the model with limit_denominator, or shorten the horizon"
        )
