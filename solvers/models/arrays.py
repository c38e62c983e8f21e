"""Models from arrays and from files.

Integers, Fractions and strings are exact.  Floats are taken as the exact dyadic rationals they are;
probability rows are then re-normalised exactly, and the notes of the model say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import ModelError
from ..exact import Array, Rational, common_denominator, integer_array
from ..sequences import as_array, available_actions, listed, listed_or_none, objects
from ..strict import bounded_denominator
from .cmdp import CMDP
from .rows import RowReader, plain_numbers, stacked, transition_arrays


def from_arrays(
    transitions: Any,
    reward: Any,
    costs: Any = (),
    budgets: Sequence[Rational] | None = (),
    *,
    discount: Rational | float,
    initial: Any = None,
    available: Any = None,
    limit_denominator: int | None = None,
    notes: Sequence[str] = (),
) -> CMDP:
    """An exact model from dense arrays or a list of matrices.

    Args:
        transitions: an array, or nested lists, [S, A, S] of probabilities; or a list of A matrices
            S x S (numpy arrays or scipy sparse), one for each action.
        reward: [S, A], or [S] when the action does not matter.
        costs: m arrays like ``reward`` ([m, S, A]); None for none.
        budgets: m bounds on the UN-normalised discounted expected costs; None for none.
        discount: gamma in [0, 1], where 1 is for finite horizons only.
        initial: S probabilities; default uniform.
        available: [S, A] truth values of the actions each state has; default all.
        limit_denominator: replace floats by the nearest rationals with at most this denominator
            (recorded in the notes); default keep them exact.
        notes: provenance to record.

    Raises ModelError for shapes that disagree, NaN and infinities, negative probabilities, and rows
    that do not sum to one: exactly for exact numbers, within 1e-9 for floats and 2**-20 for
    float32, whose rows are then re-normalised exactly, which the notes say.
    """
    costs = listed_or_none(costs, "costs")
    notes = listed(notes, "notes")
    rows, reading = _action_rows(transitions)
    mask = available_actions(available, rows.shape, "a model of these transitions")
    reader = RowReader(limit_denominator)
    pairs = np.argwhere(mask).tolist()
    weighted = [
        _weighted(reader, rows.row(s, a), f"the row of (state {s}, action {a})") for s, a in pairs
    ]
    named = [(reward, "reward"), *((cost, f"costs[{i}]") for i, cost in enumerate(costs))]
    functions = [_function(reader, values, name, pairs, rows.shape) for values, name in named]
    return assemble(
        counts=mask.sum(axis=1),
        actions=[a for _, a in pairs],
        rows=weighted,
        reward=functions[0],
        costs=functions[1:],
        budgets=budgets,
        discount=discount,
        initial=start_weights(reader, initial, rows.shape[0]),
        notes=(*notes, *reading, *_float_note(transitions, reward, costs, reader), *reader.notes()),
    )


def _weighted(reader: RowReader, row: tuple[list[int], list[object]], where: str) -> dict[int, int]:
    states, values = row
    return {t: w for t, w in zip(states, reader.weights(values, where), strict=True) if w}


def assemble(
    *,
    counts: Sequence[int] | Array,
    rows: Sequence[Mapping[int, int]],
    reward: Sequence[Fraction],
    costs: Sequence[Sequence[Fraction]] = (),
    budgets: Sequence[Rational] | None = (),
    discount: Rational | float,
    initial: Sequence[int],
    actions: Sequence[int] | None = None,
    notes: Sequence[str] = (),
) -> CMDP:
    """A model from choices grouped by state, K in all.

    Args:
        counts: S numbers of choices; rows: K rows {successor: positive integer weight}.
        reward: K values; costs: m lists of K; initial: S integer weights.
        actions: K labels, different in each state; default 0, 1, 2, ... in each.
    """
    counts, reward = listed(counts, "counts"), listed(reward, "reward")
    if actions is None:
        actions = [a for count in counts for a in range(count)]
    costs = [listed(cost, f"costs[{i}]") for i, cost in enumerate(listed(costs, "costs"))]
    bounded_denominator(reward, "the reward")
    for i, cost in enumerate(costs, 1):
        bounded_denominator(cost, f"cost {i}")
    top, bottom = common_denominator(reward)
    scaled = list(map(common_denominator, costs))
    return CMDP(
        n_states=len(counts),
        choice_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        actions=integer_array(objects(listed(actions, "actions")), "actions"),
        **transition_arrays(rows),
        reward=objects(top),
        reward_denominator=bottom,
        costs=stacked([row for row, _ in scaled], len(actions)),
        cost_denominators=tuple(own for _, own in scaled),
        budgets=listed_or_none(budgets, "budgets"),  # type: ignore[arg-type]
        discount=discount,  # type: ignore[arg-type]
        initial=objects(listed(initial, "initial")),
        notes=notes,  # type: ignore[arg-type]
    )


class _DenseRows:
    """Probability rows of an array [S, A, S]."""

    def __init__(self, array: Array) -> None:
        if array.ndim != 3 or array.shape[0] != array.shape[2] or 0 in array.shape:
            by_action = array.ndim == 3 and array.shape[1] == array.shape[2]
            remedy = "; of an array [A, S, S] give the list, list(transitions)" if by_action else ""
            raise ModelError(
                f"transitions has shape {array.shape}; it must be [S, A, S] with at least one "
                f"state and one action (or a list of A S x S matrices){remedy}"
            )
        self._array, self.shape = array, array.shape[:2]

    def reading(self) -> Iterator[str]:
        """What an array with as many actions as states was taken for: it may be [A, S, S]."""
        swapped = self._array.swapaxes(0, 1)
        if swapped.shape == self._array.shape and not np.array_equal(swapped, self._array):
            yield (
                f"transitions of shape {self._array.shape} were read as [state, action, next "
                "state]; of [action, state, next state] give a list of S x S numpy arrays"
            )

    def row(self, state: int, action: int) -> tuple[list[int], list[object]]:
        """All states and their probabilities."""
        return list(range(len(self._array))), plain_numbers(self._array[state, action])


class _SparseRows:
    """Probability rows of A sparse matrices S x S."""

    def __init__(self, matrices: Sequence[Any]) -> None:
        self._matrices = [matrix.tocsr() for matrix in matrices]
        shapes = {matrix.shape for matrix in self._matrices}
        if len(shapes) != 1 or len(set(*shapes)) != 1:
            raise ModelError(
                f"the sparse transition matrices have shapes {sorted(shapes)}; "
                "give one S x S matrix for each action"
            )
        self.shape = self._matrices[0].shape[0], len(matrices)

    def row(self, state: int, action: int) -> tuple[list[int], list[object]]:
        """The stored successors and their probabilities."""
        line = self._matrices[action][[state]]
        line.sum_duplicates()
        return line.indices.tolist(), plain_numbers(line.data)


def _action_rows(transitions: Any) -> tuple[_DenseRows | _SparseRows, Iterable[str]]:
    """The rows, and notes on what was taken for what."""
    if hasattr(transitions, "tocsr") or isinstance(transitions, Mapping):
        raise ModelError(
            f"transitions is one {type(transitions).__name__}; give an array [S, A, S], or a list "
            "of A matrices S x S, one for each action"
        )
    matrices = transitions if isinstance(transitions, (list, tuple)) else ()
    if matrices and all(hasattr(matrix, "tocsr") for matrix in matrices):
        return _SparseRows(matrices), ()
    array = as_array(transitions, "transitions")
    if any(isinstance(matrix, np.ndarray) and matrix.ndim == 2 for matrix in matrices):
        if array.ndim != 3 or array.shape[1] != array.shape[2]:
            raise ModelError(
                f"transitions is a list of matrices, of shape {array.shape} in all; a list "
                "holds one S x S matrix for each action, an array is [S, A, S]"
            )
        return _DenseRows(array.swapaxes(0, 1)), ()
    rows = _DenseRows(array)
    return rows, rows.reading()


def start_weights(reader: RowReader, initial: Any, size: int) -> list[int]:
    """Integer weights of an initial law, uniform by default."""
    if initial is None:
        return [1] * size
    array = as_array(initial, "initial")
    if array.shape != (size,):
        raise ModelError(f"initial has shape {array.shape}; it needs ({size},), one entry a state")
    return reader.weights(plain_numbers(array), "initial")


def _function(
    reader: RowReader,
    values: Any,
    name: str,
    pairs: Sequence[Sequence[int]],
    shape: tuple[int, int],
) -> list[Fraction]:
    array = as_array(values, name)
    if array.shape == shape[:1]:
        array = np.repeat(array[:, None], shape[1], axis=1)
    if array.shape != shape:
        means = "; of values of transitions [S, A, S] give the means, (P * R).sum(axis=-1)"
        raise ModelError(
            f"{name} has shape {array.shape}; transitions need {shape} (or "
            f"{shape[:1]} when the action does not matter)"
            + (means if array.shape == (*shape, shape[0]) else "")
        )
    table = array.tolist()
    return [reader.number(table[s][a], f"{name}[{s}, {a}]") for s, a in pairs]


def _float_note(transitions: Any, reward: Any, costs: Any, reader: RowReader) -> list[str]:
    if reader.limit_denominator is not None:
        return []
    first = transitions[0] if isinstance(transitions, (list, tuple)) else transitions
    kinds = [
        own if isinstance(own := getattr(part, "dtype", None), np.dtype) else np.asarray(part).dtype
        for part in (first, reward, costs if len(costs) else (0,))
    ]
    floating = any(kind.kind == "f" for kind in kinds)
    return ["floats were taken as the exact dyadic rationals they are"] * floating
