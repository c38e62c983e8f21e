"""What functions of states and actions return for many pairs at once: called, checked, recognised.

Every failure names the pair that it happens at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np

from ..errors import ModelError
from ..sequences import Array, as_array
from .rows import FLOAT_SUM_TOLERANCE, SINGLE_SUM_TOLERANCE

#: Called with int64[n] states and actions; returns their successors and weights, two arrays [n, k].
Successors: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]
#: Called with the same; returns the reward, or a cost, of each pair (n).
Payoff: TypeAlias = Callable[[Array, Array], Array]

#: Integers up to here are doubles exactly.
_WHOLE = 2**53
#: Entries of a row, so that the sum of as many weights of 31 bits is such an integer.
_WIDEST = 2**22
#: Odd numbers, any: products with them mix the bits of what is multiplied, and lose none.
_ODD, _OTHER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
#: Half the bits of a word: the upper ones, which a product mixes best, are folded onto the lower.
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Rows:
    """What the functions returned for n pairs.

    successors: uint32[n, k]; weights: int32[n, k], or float64; totals: float64[n], their sums,
    exact for integers; payoffs: float64[n, p], the reward and the costs as they were given.
    """

    successors: Array
    weights: Array
    totals: Array
    payoffs: Array

    @property
    def kind(self) -> tuple[int, np.dtype[Any]]:
        """Entries a row, and the type of the weights."""
        return self.weights.shape[1], self.weights.dtype

    def fingerprints(self) -> Array:
        """uint64[n], one a row with its payoffs; that of a row with one other number is another."""
        exact = self.weights.dtype == np.int32
        words = self.weights.astype(np.uint64) if exact else self.weights.view(np.uint64)
        moves = words * _ODD
        moves += self.successors
        return np.asarray(_folded(moves) + _folded(self.payoffs.view(np.uint64)))


def _folded(words: Array) -> Array:
    """One word for each row of them; columns have factors of their own: exchanges are seen."""
    words = words * _OTHER
    words ^= words >> _HALF
    odds = (np.arange(1, words.shape[1] + 1, dtype=np.uint64) * _ODD) | np.uint64(1)
    return np.asarray(sum(column * odd for column, odd in zip(words.T, odds, strict=True)))


@dataclass(frozen=True)
class Functions:
    """The functions of a model of S states: of its successors, and of its p payoffs."""

    n_states: int
    successors: Successors
    payoffs: tuple[Payoff, ...]

    @property
    def names(self) -> list[str]:
        """What the functions are called in their programs."""
        return [
            getattr(function, "__qualname__", type(function).__name__)
            for function in (self.successors, *self.payoffs)
        ]

    def rows(self, states: Array, actions: Array) -> Rows:
        """What they return for pairs (n).

        Raises ModelError, which names the function and the first pair, where one raises or returns
        what is not a row of probabilities, or no finite number.
        """
        pairs = _Pairs(states, actions)
        found = pairs.call(self.successors, "successors")
        if not isinstance(found, tuple) or len(found) != 2:
            pairs.refuse(f"successors returned a {type(found).__name__}; return (states, weights)")
        successors, weights = (as_array(part, "what successors returned") for part in found)
        self._check_successors(pairs, successors, weights)
        successors = successors.astype(np.uint32, order="C")  # before another function may write
        weights, totals = _weights(pairs, weights)
        payoffs = np.empty((len(states), len(self.payoffs)))
        for i, function in enumerate(self.payoffs):
            payoffs[:, i] = _payoff(pairs, function, payoff_name(i))
        return Rows(successors, weights, totals, payoffs)

    def _check_successors(self, pairs: _Pairs, successors: Array, weights: Array) -> None:
        size = len(pairs.states)
        if successors.shape != weights.shape or weights.ndim != 2 or len(weights) != size:
            pairs.refuse(
                f"successors returned arrays of shapes {successors.shape} and {weights.shape} for "
                f"{size} pairs; both are [{size}, k], where k is the same in every call"
            )
        if not 0 < weights.shape[1] <= _WIDEST or successors.dtype.kind not in "iu":
            pairs.refuse(
                f"successors returned {weights.shape[1]} states a pair, of type "
                f"{successors.dtype}; return at least one and at most {_WIDEST}, as integers"
            )
        wrong = (successors < 0) | (successors >= self.n_states)
        pairs.refuse_where(
            wrong, lambda at: f"has successor {successors[at]}; states are 0 .. {self.n_states - 1}"
        )


def payoff_name(index: int) -> str:
    """What a payoff is called: the reward, or one of the costs."""
    return f"costs[{index - 1}]" if index else "reward"


@dataclass(frozen=True)
class _Pairs:
    """States and actions (n each) that functions are called with."""

    states: Array
    actions: Array

    def call(self, function: Callable[[Array, Array], Any], name: str) -> Any:
        """What a function returns for them."""
        try:
            return function(self.states, self.actions)
        except Exception as problem:
            self._find_raising(function, name, problem)

    def _find_raising(
        self, function: Callable[[Array, Array], Any], name: str, problem: Exception
    ) -> NoReturn:
        """Halve the pairs until one alone raises, or the halves do not."""
        middle = len(self.states) // 2
        for part in (slice(0, middle), slice(middle, None)) if middle else ():
            half = _Pairs(self.states[part], self.actions[part])
            try:
                function(half.states, half.actions)
            except Exception as inner:
                half._find_raising(function, name, inner)
        count = len(self.states)
        where = self.name(0) if count == 1 else f"{self.name(0)} and {count - 1} more at once"
        raise ModelError(
            f"{name} raised {type(problem).__name__} ({problem}) for {where}; it is called with "
            "arrays of states and actions, which it must not change"
        ) from problem

    def name(self, place: int) -> str:
        """One of them, in words."""
        return f"(state {self.states[place]}, action {self.actions[place]})"

    def refuse(self, message: str) -> NoReturn:
        """Raises ModelError for all of them."""
        raise ModelError(f"{message} (called from {self.name(0)} to {self.name(-1)})")

    def refuse_where(self, wrong: Array, message: Callable[[tuple[int, ...]], str]) -> None:
        """Raises ModelError for the first that is wrong ([n] or [n, k]), if any is."""
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise ModelError(f"{self.name(at[0])} {message(at)}")


def _weights(pairs: _Pairs, weights: Array) -> tuple[Array, Array]:
    """Weights as int32 or float64 [n, k], and their sums."""
    _check_type(pairs, weights, "successors", "weights")
    exact = weights.dtype.kind in "iu"
    with np.errstate(invalid="ignore"):
        wrong = (weights < 0) | ~(weights <= np.iinfo(np.int32).max)
    pairs.refuse_where(
        wrong,
        lambda at: (
            f"has weight {weights[at]} at position {at[1]}; weights are integers from 0 to "
            "2147483647 that stand for themselves over their sum, or probabilities"
        ),
    )
    kept = weights.astype(np.int32 if exact else float, order="C")
    totals = kept.astype(float, copy=False) @ np.ones(kept.shape[1])
    if exact:
        pairs.refuse_where(totals == 0, lambda at: "has weights that are all 0; one is positive")
        return kept, totals
    limit = float(SINGLE_SUM_TOLERANCE if weights.dtype.itemsize < 8 else FLOAT_SUM_TOLERANCE)
    pairs.refuse_where(
        np.abs(totals - 1) > limit,
        lambda at: (
            f"has probabilities that sum to {float(totals[at])!r}, farther than {limit:.2g} from "
            "1; divide them by their sum, or return integer weights"
        ),
    )
    return kept, totals


def _payoff(pairs: _Pairs, function: Payoff, name: str) -> Array:
    found = as_array(pairs.call(function, name), f"what {name} returned")
    size = len(pairs.states)
    if found.shape != (size,):
        pairs.refuse(
            f"{name} returned an array of shape {found.shape} for {size} pairs; return ({size},)"
        )
    _check_type(pairs, found, name, "numbers")
    with np.errstate(invalid="ignore"):
        limit = _WHOLE if found.dtype.kind in "iu" else np.finfo(float).max
        wrong = ~((found >= -limit) & (found <= limit))
    pairs.refuse_where(
        wrong,
        lambda at: (
            f"has {name} {found[at]}; return finite doubles, or integers of at most 2^53 "
            "(in another unit, or over a denominator)"
        ),
    )
    return found


def _check_type(pairs: _Pairs, array: Array, name: str, what: str) -> None:
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > np.dtype(float).itemsize:
        pairs.refuse(
            f"{name} returned {what} of type {array.dtype}; return integers or doubles, such as "
            "float64"
        )
