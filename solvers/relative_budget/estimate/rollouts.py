"""A log of rollouts: how many tokens each took, whether it was solved, and of which prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from ...errors import ModelError
from ...sequences import Array

Wrong: TypeAlias = Literal["infinite", "continues", "restarts"]
"""What T is where generation has ended on a wrong answer: never solved in this rollout; not yet
solved, as if generation went on; the tokens of all attempts until one is solved."""
WRONG: tuple[Wrong, ...] = get_args(Wrong)
LONGEST = 2**31 - 1
"""Tokens of a rollout: a longer one is a slip of the finger, and keys below fit into 64 bits."""


@dataclass(frozen=True, slots=True)
class Rollouts:
    """A log; `read_rollouts` checks and makes one.

    lengths: int64[N], tokens until solved, or until generation ended or was cut; solved: bool[N];
    prompts: int64[N], from 0; names: of the P prompts; cap: tokens at which generation was cut;
    advances: float64[N], steps made in each rollout, where the log has them.
    """

    lengths: Array
    solved: Array
    prompts: Array
    names: tuple[str, ...]
    cap: int
    advances: Array | None = None

    @property
    def ended(self) -> Array:
        """bool[N]: generation ended by itself on a wrong answer."""
        return ~self.solved & (self.lengths < self.cap)

    def chosen(self, which: Array) -> Rollouts:
        """Those of bool[N], of as many prompts as there are among them."""
        found, prompts = np.unique(self.prompts[which], return_inverse=True)
        advances = None if self.advances is None else self.advances[which]
        names = tuple(self.names[k] for k in found.tolist())
        return Rollouts(self.lengths[which], self.solved[which], prompts, names, self.cap, advances)

    def pooled(self) -> Rollouts:
        """All rollouts as those of one prompt."""
        return replace(self, prompts=np.zeros_like(self.prompts), names=("all prompts",))


def read_rollouts(
    lengths: Sequence[float],
    solved: Sequence[bool],
    prompts: Sequence[str] | None,
    cap: int,
    advances: Sequence[float] | None = None,
    place: str = "rollout",
) -> Rollouts:
    """A log from its columns, each of N entries; without prompts all are of one.

    place: what a row is called in messages.  Raises ModelError, with the row from 1 and the remedy,
    for columns of different lengths or of other things, counts that are none, lengths beyond the
    cap, a prompt with one rollout, a log without any solved rollout, and one in which all are
    solved by the same number of tokens.
    """
    _check_columns(cap, lengths=lengths, solved=solved, prompts=prompts, advances=advances)
    counts, flags = _counts(lengths, place), _flags(solved, place)
    _check_cap(counts, cap, place)
    names, indices = _named(prompts, len(counts))
    _check_solved(counts, flags, cap, place)
    _check_single(names, indices)
    steps = None if advances is None else _numbers(advances, "advances", "iuf")
    if steps is not None:
        fine = (steps >= 0) & (steps == np.floor(steps)) & (steps <= counts)
        words = "advances are a whole number of steps, at most one a token"
        _refuse(advances, fine, place, words)
    return Rollouts(counts, flags, indices, names, int(cap), steps)


def _check_columns(cap: Any, **columns: Any) -> None:
    fits = isinstance(cap, int | float | np.number) and not isinstance(cap, bool)
    if not fits or cap // 1 != cap or not 0 < cap <= LONGEST:
        raise ModelError(
            f"the horizon at which rollouts were cut is {cap!r}; it is a whole number of tokens "
            f"from 1 to {LONGEST:,}"
        )
    sizes = {name: len(column) for name, column in columns.items() if column is not None}
    if len(set(sizes.values())) > 1:
        words = ", ".join(f"{name} has {size:,} entries" for name, size in sizes.items())
        raise ModelError(f"{words}; give one of each for every rollout")


def _refuse(given: Any, fine: Array, place: str, words: str) -> None:
    if not fine.all():
        row = int(np.flatnonzero(~fine)[0])
        value = np.asarray(given[row]).item()
        shown = int(value) if isinstance(value, float) and value.is_integer() else value
        raise ModelError(f"{place} {row + 1} has {shown}; {words}; correct the log")


def _numbers(given: Sequence[float], name: str, kinds: str) -> Array:
    """float64 (N), of data of such kinds, no text being taken for a number."""
    try:
        values = np.asarray(given)
    except ValueError:  # of ragged rows
        values = np.asarray(given, object)
    if values.ndim != 1 or values.dtype.kind not in kinds:
        what = "true or false" if "b" in kinds else "a whole number"
        raise ModelError(
            f"{name} is {str(given)[:60]}, of type {values.dtype}; give {what} for each rollout"
        )
    return values.astype(np.float64)


def _flags(solved: Sequence[bool], place: str) -> Array:
    values = _numbers(solved, "solved", "biuf")
    _refuse(solved, np.isin(values, (0, 1)), place, "solved is true or false, or 1 or 0")
    return values.astype(bool)


def _counts(lengths: Sequence[float], place: str) -> Array:
    if not len(lengths):
        raise ModelError("the log has no rollouts; give at least two of each prompt")
    values = _numbers(lengths, "lengths", "iuf")
    whole = (values >= 0) & (values <= LONGEST) & (values == np.floor(values))
    words = f"a length is a whole number of tokens, at most {LONGEST:,}"
    _refuse(lengths, whole, place, words)
    return values.astype(np.int64)


def _check_cap(counts: Array, cap: int, place: str) -> None:
    beyond = np.flatnonzero(counts > cap)
    if len(beyond):
        row, longest = int(beyond[0]), int(counts.max())
        raise ModelError(
            f"{place} {row + 1} has {counts[row]:,} tokens, beyond the horizon {cap:,} at which "
            f"rollouts were cut ({len(beyond):,} such, the longest with {longest:,}); if they were "
            f"cut elsewhere, say where with --cap, such as --cap {longest}"
        )


def _named(prompts: Sequence[str] | None, size: int) -> tuple[tuple[str, ...], Array]:
    if prompts is None:
        return ("all rollouts",), np.zeros(size, np.int64)
    known: dict[str, int] = {}
    indices = np.fromiter((known.setdefault(name, len(known)) for name in prompts), np.int64)
    for name in known:
        if not (isinstance(name, str) and name.strip()):
            raise ModelError(f"a prompt is called {name!r}; give each a name, which is a text")
    return tuple(known), indices


def _check_solved(counts: Array, solved: Array, cap: int, place: str) -> None:
    if not solved.any():
        none = f"none of the {len(counts):,} rollouts" if len(counts) > 1 else "no rollout of one"
        raise ModelError(
            f"{none} is solved; all that follows is that the "
            f"relative budget is small: give rollouts that were cut later than after {cap:,} "
            "tokens, or other prompts"
        )
    if not counts[solved].all():
        row = int(np.flatnonzero(solved & (counts == 0))[0])
        raise ModelError(f"{place} {row + 1} is solved after 0 tokens; correct the log")
    if solved.all() and (counts == counts[0]).all():
        every = f"all {len(counts):,} rollouts are" if len(counts) > 1 else "the only rollout is"
        raise ModelError(
            f"{every} solved after {counts[0]:,} tokens: rewards do not "
            "vary (sigma is 0), so that there is nothing to learn from them; give prompts of which "
            "some rollouts fail or take longer"
        )


def _check_single(names: tuple[str, ...], indices: Array) -> None:
    sizes = np.bincount(indices, minlength=len(names))
    single = np.flatnonzero(sizes == 1)
    if len(single):
        raise ModelError(
            f"the prompt {names[single[0]][:60]!r} has one rollout ({len(single):,} of "
            f"{len(names):,} prompts have), which says nothing of how its rollouts vary; give at "
            "least two of each, or --pool to take all rollouts as those of one prompt"
        )
