"""What every model must satisfy; each failure names the place, the value and the remedy."""

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError
from ..exact import Array

if TYPE_CHECKING:
    from .cmdp import CMDP
    from .functions import FunctionModel


_PIECE = 2**20
"""Transitions sorted at once in search of duplicates: larger pieces need more memory, smaller ones
more passes of Python."""


def check_choices(model: "CMDP") -> None:
    """Every state has choices, numbered in order, with distinct actions."""
    size, start = model.n_states, model.choice_start
    if size < 1:
        raise ModelError(f"n_states is {size}; a model needs at least one state")
    if start.shape != (size + 1,) or start[0] != 0 or start[-1] != model.n_choices:
        raise ModelError(
            f"choice_start has shape {start.shape} and ends {start[:1].tolist()} .. "
            f"{start[-1:].tolist()}; it needs {size + 1} entries from 0 to "
            f"{model.n_choices}, the number of actions"
        )
    counts = np.diff(start)
    if int(counts.min()) < 1:
        state = int(counts.argmin())
        raise ModelError(
            f"state {state} has {int(counts[state])} choices; give every state at "
            "least one (an absorbing state loops to itself)"
        )
    _check_distinct_actions(model)


def _check_distinct_actions(model: "CMDP") -> None:
    if _increases_within(model.actions, model.choice_start):
        return
    states = model.choice_states
    keys = states * (int(model.actions.max()) - int(model.actions.min()) + 1) + model.actions
    if len(np.unique(keys)) != len(keys):
        values, seen = np.unique(keys, return_counts=True)
        choice = int(np.flatnonzero(keys == values[seen > 1][0])[1])
        raise ModelError(
            f"action {int(model.actions[choice])} appears twice in state "
            f"{int(states[choice])}; label the actions of a state differently"
        )


def _increases_within(values: Array, starts: Array) -> bool:
    """Whether the values increase strictly within each group (all that sorted input costs)."""
    larger = values[1:] > values[:-1]
    larger[starts[1:-1] - 1] = True
    return bool(larger.all())


def check_transitions(model: "CMDP") -> None:
    """Every choice has distinct successors with positive weights."""
    indptr, successors, weights = model.indptr, model.successors, model.weights
    count = len(successors)
    if indptr.shape != (model.n_choices + 1,) or indptr[0] != 0 or indptr[-1] != count:
        raise ModelError(
            f"indptr has shape {indptr.shape} and ends at {indptr[-1:].tolist()}; it "
            f"needs {model.n_choices + 1} entries from 0 to {count}"
        )
    if weights.shape != successors.shape:
        raise ModelError(
            f"weights has {len(weights)} entries for {count} successors; give one "
            "positive weight a successor"
        )
    lengths = np.diff(indptr)
    if int(lengths.min()) < 1:
        raise ModelError(
            f"{_pair(model, int(lengths.argmin()))} has no successor; give it at "
            "least one with positive weight"
        )
    _check_entries(model)
    _check_distinct_successors(model)


def _check_entries(model: "CMDP") -> None:
    successors, weights = model.successors, model.weights
    if int(successors.min()) < 0 or int(successors.max()) >= model.n_states:
        j = int(np.flatnonzero((successors < 0) | (successors >= model.n_states))[0])
        raise ModelError(
            f"{_pair(model, _owner(model, j))} has successor {int(successors[j])}; "
            f"states are 0 .. {model.n_states - 1}"
        )
    if weights.min() <= 0:
        j = int(np.flatnonzero(weights <= 0)[0])
        raise ModelError(
            f"{_pair(model, _owner(model, j))} has weight {int(weights[j])} on successor "
            f"{int(successors[j])}; weights are positive integers, leave zeros out"
        )


def _check_distinct_successors(model: "CMDP") -> None:
    """In pieces, so that a large model needs no second copy of its transitions."""
    indptr, first = model.indptr, 0
    if _increases_within(model.successors, indptr):
        return
    while first < model.n_choices:
        reached = int(np.searchsorted(indptr, indptr[first] + _PIECE, side="right")) - 1
        last = max(first + 1, reached)
        owner = np.repeat(np.arange(first, last), np.diff(indptr[first : last + 1]))
        keys = owner * model.n_states + model.successors[indptr[first] : indptr[last]]
        ordered = np.sort(keys)
        if not (ordered[1:] > ordered[:-1]).all():
            key = int(ordered[1:][ordered[1:] == ordered[:-1]][0])
            raise ModelError(
                f"{_pair(model, key // model.n_states)} lists successor "
                f"{key % model.n_states} twice; add the two weights"
            )
        first = last


def check_functions(model: "CMDP") -> None:
    """Discount, reward, costs, budgets and initial law fit the choices."""
    size, count = model.n_choices, model.n_constraints
    if not 0 <= model.discount <= 1:
        raise ModelError(
            f"discount is {model.discount}; it must lie in [0, 1), or be 1 with a finite horizon"
        )
    _check_length(model.reward, "reward", size, "one integer a choice")
    if model.costs.shape != (count, size):
        raise ModelError(
            f"costs has shape {model.costs.shape}; {count} budget(s) and {size} "
            f"choices need ({count}, {size})"
        )
    if len(model.cost_denominators) != count:
        raise ModelError(
            f"cost_denominators has {len(model.cost_denominators)} entries for "
            f"{count} budget(s); give one a constraint"
        )
    for name, value in (
        ("reward_denominator", model.reward_denominator),
        *((f"cost_denominators[{i}]", d) for i, d in enumerate(model.cost_denominators)),
    ):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ModelError(f"{name} is {value!r}; it must be a positive int")
    _check_initial(model)


def _check_initial(model: "CMDP") -> None:
    _check_length(model.initial, "initial", model.n_states, "one weight a state")
    if model.initial.min() < 0:
        state = int(np.flatnonzero(model.initial < 0)[0])
        raise ModelError(
            f"initial[{state}] is {int(model.initial[state])}; weights are not negative"
        )
    if model.initial_denominator < 1:
        raise ModelError("initial sums to 0; give at least one state a positive weight")


def _check_length(array: Array, name: str, length: int, meaning: str) -> None:
    if array.shape != (length,):
        raise ModelError(f"{name} has shape {array.shape}; it needs ({length},), {meaning}")


def check_discounted(model: "CMDP | FunctionModel") -> None:
    """Raises ModelError unless the discount is below 1, as infinite sums need."""
    if model.discount == 1:
        raise ModelError(
            "the discount is 1, so sums over an infinite horizon need not converge; give a "
            "discount below 1 (`holdfast chance` with a --horizon after which nothing counts also "
            "takes 1)"
        )


def check_annotations(model: "CMDP") -> None:
    """Labels name states, and there is a point for every state or none."""
    for name, states in model.labels:
        outside = [s for s in states if not 0 <= s < model.n_states]
        if outside:
            raise ModelError(
                f"label {name!r} holds {outside[0]}; states are 0 .. {model.n_states - 1}"
            )
    if model.coordinates and len(model.coordinates) != model.n_states:
        raise ModelError(
            f"coordinates has {len(model.coordinates)} points for {model.n_states} states; "
            "give one a state, or none"
        )


def _owner(model: "CMDP", transition: int) -> int:
    return int(np.searchsorted(model.indptr, transition, side="right")) - 1


def _pair(model: "CMDP", choice: int) -> str:
    state = int(np.searchsorted(model.choice_start, choice, side="right")) - 1
    return f"(state {state}, action {int(model.actions[choice])})"
