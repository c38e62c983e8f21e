"""Models given as functions of states and actions, of which no table is stored.

The functions are called with arrays of pairs, some ten thousand at once.  A first pass over all
pairs checks what they return and keeps a fingerprint of each row, by which every later call is
compared with it: what differs between two calls is no function, and no bound would hold for it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property
from numbers import Integral
from typing import Any, NoReturn

import numpy as np

from ..errors import ModelError
from ..exact import Array, Rational, common_denominator, format_rational, integer_array
from ..sequences import listed, listed_or_none, objects
from .arrays import assemble, start_weights
from .cmdp import CMDP
from .function_rows import Functions, Payoff, Rows, Successors, payoff_name
from .rows import RowReader

#: Pairs of a call, about, and states that their number is a multiple of (the blocks of the loops).
#: Fewer: more calls of Python; more: arrays that no cache holds.
_PAIRS, _GRAIN = 2**15, 2**10
#: States and pairs are numbered in 32 bits by the loops.
_MOST = 2**32 - 1
#: Bytes that a search needs at its peak, measured with one cost and with three, and rounded up: for
#: a state, for a value of it, for an entry of a row that is chosen, and for a number of a pair (its
#: fingerprint, and its advantage in each payoff).
_PER_STATE, _PER_VALUE, _PER_ENTRY, _PER_PAIR = 200, 100, 50, 8


@dataclass(frozen=True)
class Survey:
    """What the first pass over all pairs found.

    Attributes:
        kind: k, entries of a row, and the type of the weights; heaviest: their largest sum.
        renormalised, missed: rows of floats that do not sum to one, and the farthest from it.
        least, greatest: the extremes (p) of the reward and of each cost, as they are given.
        fingerprints: uint64[S * A], of each row with its payoffs.
        digest: sha256 of all that the functions returned, in the order of states and actions.
    """

    kind: tuple[int, np.dtype[Any]]
    heaviest: int
    renormalised: int
    missed: float
    least: Array
    greatest: Array
    fingerprints: Array = field(repr=False)
    digest: str


@dataclass(frozen=True, eq=False)
class FunctionModel:
    """A constrained MDP with S states of A actions each whose rows are made when they are read.

    Attributes:
        functions: of the successors, the reward and the costs.
        units: p positive rationals that what the payoff functions return is divided by.
        budgets, discount, initial: as in `CMDP`.
        survey: what the first pass over all pairs found.
    """

    n_states: int
    n_actions: int
    functions: Functions
    units: tuple[Fraction, ...]
    budgets: tuple[Fraction, ...]
    discount: Fraction
    initial: Array = field(repr=False)
    survey: Survey

    def __getattr__(self, name: str) -> NoReturn:
        if name in _STORED:
            raise ModelError(
                f"a model given as functions has no {name}: bounds on its optimum are found by "
                "enclose; for anything else take model.tabulated(), which stores it"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return (
            f"FunctionModel(n_states={self.n_states}, n_actions={self.n_actions}, "
            f"n_constraints={self.n_constraints}, discount={self.discount})"
        )

    @property
    def n_constraints(self) -> int:
        """m, the number of cost constraints."""
        return len(self.budgets)

    def with_budgets(self, *budgets: Rational) -> FunctionModel:
        """The same model with other budgets, one for each cost; no function is called again."""
        return replace(self, budgets=_bounds(budgets, len(self.units) - 1))

    @cached_property
    def initial_denominator(self) -> int:
        """The sum of ``initial``."""
        return int(self.initial.sum(dtype=object))

    @property
    def largest(self) -> tuple[Fraction, ...]:
        """The greatest absolute value (p) of the reward and of each cost."""
        sizes = np.maximum(np.abs(self.survey.least), np.abs(self.survey.greatest))
        return tuple(Fraction(v) / u for v, u in zip(sizes.tolist(), self.units, strict=True))

    def evaluated(self) -> dict[str, Any]:
        """What the functions were found to be: sizes, and a sha256 of all that they returned."""
        width, kind = self.survey.kind
        return {
            "states": self.n_states,
            "actions": self.n_actions,
            "entries": width,
            "weights": str(kind),
            "sha256": self.survey.digest,
            "units": [format_rational(unit) for unit in self.units],
            "budgets": [format_rational(bound) for bound in self.budgets],
            "discount": format_rational(self.discount),
            "initial": hashlib.sha256(str(self.initial.tolist()).encode()).hexdigest(),
        }

    def ranges(self) -> Iterator[slice]:
        """The states, in ranges whose pairs are read at once."""
        return _ranges(self.n_states, self.n_actions)

    def pairs(self, states: slice) -> tuple[Array, Array]:
        """int64[n] each, the states and actions of all pairs of a range of states."""
        return _pairs(states, self.n_actions)

    def rows(self, states: Array, actions: Array) -> Rows:
        """What the functions return for pairs (n); ModelError where it is not what it was."""
        found = self.functions.rows(states, actions)
        _check_kind(found.kind, self.survey.kind, states)
        known = self.survey.fingerprints[states * self.n_actions + actions]
        if len(changed := np.flatnonzero(found.fingerprints() != known)):
            raise ModelError(
                f"the functions return another row, reward or cost for (state "
                f"{states[changed[0]]}, action {actions[changed[0]]}) than in an earlier call, as "
                f"for {len(changed) - 1} more of {len(states)} pairs; a function of the state and "
                "action alone draws nothing at random, and does not depend on other pairs of the "
                "call (the last digit of a sum may: round it, or take a table)"
            )
        return found

    def tabulated(self) -> CMDP:
        """The same model as a table, exactly; for models of up to some 100,000 pairs.

        Entries of a row that name the same successor are added, and those without weight left out.
        """
        table, values = list[dict[int, int]](), list[list[float]]()
        survey, floats = self.survey, self.survey.kind[1] == np.float64
        for states, actions in map(self.pairs, self.ranges()):
            found = self.rows(states, actions)
            for n, line in enumerate(found.successors.tolist()):
                weights = found.weights[n].tolist()
                if floats:
                    weights, _ = common_denominator(map(Fraction, weights))
                row: dict[int, int] = {}
                for successor, weight in zip(line, weights, strict=True):
                    row[successor] = row.get(successor, 0) + weight
                table.append({successor: weight for successor, weight in row.items() if weight})
            values += found.payoffs.tolist()
        done = RowReader(renormalised=survey.renormalised, missed=Fraction(survey.missed))
        payoffs = [
            [Fraction(value) / unit for value in column]
            for column, unit in zip(zip(*values, strict=True), self.units, strict=True)
        ]
        return assemble(
            counts=[self.n_actions] * self.n_states,
            rows=table,
            reward=payoffs[0],
            costs=payoffs[1:],
            budgets=self.budgets,
            discount=self.discount,
            initial=self.initial.tolist(),
            notes=("tabulated from functions", *done.notes()),
        )


#: What a model that is stored has.
_STORED = {one for one in {*dir(CMDP), *(f.name for f in fields(CMDP))} if one[0] != "_"}


def from_functions(
    n_states: int,
    n_actions: int,
    successors: Successors,
    reward: Payoff,
    costs: Sequence[Payoff] = (),
    budgets: Sequence[Rational] | None = (),
    *,
    discount: Rational | float,
    initial: Any = None,
    denominators: Sequence[int] | None = None,
) -> FunctionModel:
    """A model that is never stored: `enclose` reads it block by block, ten million states in 8 GB.

    Every function is called with the states and actions of some 30,000 pairs (int64[n] each, not
    to be changed), and returns arrays; it must return the same for a pair in every call.

    Args:
        n_states, n_actions: S, A; every state has the actions 0 .. A - 1 (where it has fewer, let
            some of them do the same).
        successors: (states, weights), two arrays [n, k].  Integer weights stand for themselves
            over the sum of their row; floats are probabilities, taken as the dyadic rationals they
            are over their exact sum, which is one within 1e-9.  Entries may have weight 0, and may
            name a successor twice.
        reward: [n], integers of at most 2^53 or floats, which are exactly what they are.
        costs: m functions like ``reward``.
        budgets: m bounds on the UN-normalised discounted expected costs.
        discount: gamma in [0, 1).
        initial: the state where every run starts, or S probabilities; default uniform.
        denominators: 1 + m positive integers that the reward and the costs are divided by.

    All pairs are read once, and checked.  Raises ModelError, which names the state and the action,
    for rows that are no probabilities, for numbers that are not finite, for a function that raises
    or differs between calls; and before that for a model that this machine's memory cannot hold.
    """
    for name, count in (("n_states", n_states), ("n_actions", n_actions)):
        if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
            raise ModelError(f"{name} is {count!r:.60}; give a positive integer")
    payoffs = (reward, *listed(costs, "costs"))
    _check_callable(successors, "successors")
    for i, function in enumerate(payoffs):
        _check_callable(function, payoff_name(i))
    bounds = _bounds(listed_or_none(budgets, "budgets"), len(payoffs) - 1)
    units = _units(denominators, len(payoffs))
    n_states, n_actions = int(n_states), int(n_actions)
    functions = Functions(n_states, successors, payoffs)
    gamma = RowReader().number(discount, "discount")
    if not 0 <= gamma < 1:
        raise ModelError(f"discount is {gamma}; that of a model given as functions lies in [0, 1)")
    _check_memory(functions, n_actions)
    start = _initial(initial, n_states)
    survey = _surveyed(functions, n_actions)
    model = FunctionModel(n_states, n_actions, functions, units, bounds, gamma, start, survey)
    states, actions = model.pairs(next(model.ranges()))
    # what is drawn at random, or looks at the other pairs, is found here and not in the search
    half = slice(len(states) // 2, None, -1)
    model.rows(states[half], actions[half])
    return model


def _check_kind(
    found: tuple[int, np.dtype[Any]], known: tuple[int, np.dtype[Any]], states: Array
) -> None:
    if found != known:
        raise ModelError(
            f"successors returned {found[0]} weights of type {found[1]} for state {states[0]} and "
            f"others, {known[0]} of type {known[1]} in its first call; return as many, of the same "
            "type, in every call"
        )


def _units(denominators: Sequence[int] | None, count: int) -> tuple[Fraction, ...]:
    units = [1] * count if denominators is None else listed(denominators, "denominators")
    if len(units) != count or not all(type(d) is int and 0 < d <= 2**53 for d in units):
        raise ModelError(
            f"denominators are {units!s:.60}; give {count} positive integers of at most 2^53, for "
            "the reward and each cost"
        )
    return tuple(map(Fraction, units))


def _bounds(budgets: Sequence[Rational], count: int) -> tuple[Fraction, ...]:
    if len(budgets) != count:
        raise ModelError(f"there are {count} costs and {len(budgets)} budgets; give one for each")
    number = RowReader().number
    return tuple(number(bound, f"budgets[{i}]") for i, bound in enumerate(budgets))


def _check_callable(function: Any, name: str) -> None:
    if not callable(function):
        raise ModelError(
            f"{name} is a {type(function).__name__}; give a function of arrays of states and "
            "actions (from_arrays takes arrays)"
        )


def _initial(initial: Any, size: int) -> Array:
    """int[S], the weights of the initial law."""
    if initial is None:
        return np.ones(size, dtype=np.int64)
    if isinstance(initial, Integral) and not isinstance(initial, bool):
        if not 0 <= int(initial) < size:
            raise ModelError(f"initial is state {initial}; states are 0 .. {size - 1}")
        start = np.zeros(size, dtype=np.int64)
        start[int(initial)] = 1
        return start
    return integer_array(objects(start_weights(RowReader(), initial, size)), "initial")


def _check_memory(functions: Functions, n_actions: int) -> None:
    """Raises ModelError where a search would not fit into the memory of this machine."""
    n_states, count = functions.n_states, len(functions.payoffs)
    width, kind = functions.rows(*_pairs(slice(0, 1), n_actions)).kind
    entry = _PER_ENTRY + kind.itemsize
    state = _PER_STATE + _PER_VALUE * count + entry * width + _PER_PAIR * (1 + count) * n_actions
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if n_states > (fits := memory // state):
        raise ModelError(
            f"{n_states} states of {n_actions} actions with {width} successors need about "
            f"{n_states * state / 1e9:.3g} GB, and this machine has {memory / 1e9:.3g} GB; up to "
            f"{fits} such states fit"
        )
    if n_states > (fits := _MOST // n_actions):
        raise ModelError(
            f"{n_states} states of {n_actions} actions are more pairs than the {_MOST} that can be "
            f"numbered; give at most {fits} states"
        )


def _ranges(n_states: int, n_actions: int) -> Iterator[slice]:
    step = _GRAIN * max(1, _PAIRS // (_GRAIN * n_actions))
    for first in range(0, n_states, step):
        yield slice(first, min(first + step, n_states))


def _pairs(states: slice, n_actions: int) -> tuple[Array, Array]:
    pairs = (
        np.repeat(np.arange(states.start, states.stop), n_actions),
        np.tile(np.arange(n_actions), states.stop - states.start),
    )
    for array in pairs:  # a function that changed them would change what it is asked
        array.setflags(write=False)
    return pairs


def _surveyed(functions: Functions, n_actions: int) -> Survey:
    """All that is to be known of the rows, from one pass over all pairs."""
    fingerprints = np.empty(functions.n_states * n_actions, dtype=np.uint64)
    digest, kind, parts = hashlib.sha256(), None, []
    for states in _ranges(functions.n_states, n_actions):
        pairs = _pairs(states, n_actions)
        found = functions.rows(*pairs)
        kind = kind or found.kind
        _check_kind(found.kind, kind, pairs[0])
        fingerprints[states.start * n_actions : states.stop * n_actions] = found.fingerprints()
        for array in (found.successors, found.weights, found.payoffs):
            digest.update(array.data)
        missed = np.abs(found.totals - 1)
        extremes = found.payoffs.min(axis=0), found.payoffs.max(axis=0)
        parts.append((found.totals.max(), np.count_nonzero(missed), missed.max(), *extremes))
    assert kind is not None
    heaviest, renormalised, missed, least, greatest = (
        np.array(p) for p in zip(*parts, strict=True)
    )
    floats = kind[1] == np.float64
    return Survey(
        kind,
        2 if floats else int(heaviest.max()),
        int(renormalised.sum()) if floats else 0,
        float(missed.max()) if floats else 0.0,
        least.min(axis=0),
        greatest.max(axis=0),
        fingerprints,
        digest.hexdigest(),
    )
