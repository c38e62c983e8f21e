"""What ``holdfast poison`` reads: data, features, labels and weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from holdfast.solvers.poisoning.checks import check_labels, check_size, check_weights
from holdfast.solvers.poisoning.data.arrays import read_features, read_numbers
from holdfast.solvers.poisoning.data.bounded_files import listed
from holdfast.solvers.poisoning.data.columns import Columns, names_of
from holdfast.solvers.poisoning.data.dialogues import Prompt
from holdfast.solvers.poisoning.data.pairs import PreferencePairs, read_pairs
from holdfast.solvers.poisoning.data.texts import (
    HASHED,
    Scaled,
    embedded_differences,
    hashed_differences,
    principal_rows,
    rescaled,
    zero_columns,
)
from holdfast.solvers.sequences import Array
from holdfast.verify.report.numbers import count

from ...terminal.options import refuse_idle
from ...terminal.targets import check_targets, make_folder
from .numbers import whole_numbers
from .options import Options

FEATURES = {
    "sentence": "a sentence encoder that works offline",
    "ngrams": "hashed words and pairs of words",
    "FILE": "an .npy or .npz array (n, N) of differences chosen - rejected",
}
_DIMENSIONS = (8, 32, 128, 384)  # fourfold steps up to the size of a small text encoder
_OF_TIES = frozenset({"tie", "ties", "is_tie", "winner_tie"})
_OF_LABELS = _OF_TIES | frozenset(
    ("label", "labels", "winner", "better", "better_response_id", "preference", "preferred",
     "human_preference", "chosen_id")
)  # fmt: skip
"""Columns that say which answer is better; to pass over them could be to misread every pair."""
_OF_WEIGHTS = frozenset({"weight", "weights"})
_MOST_LONE = 10
"""Columns without a partner that a note names."""
FLIPPED = "flipped_row"
"""The column that ``--out`` adds."""


@dataclass(frozen=True, slots=True)
class Data:
    """Preference data ready to be measured.

    features: Phi (n, N) for the largest n; described: what they are; benign, weights: (N);
    notes: what a reader must know about them.
    """

    pairs: PreferencePairs
    features: Array
    described: str
    benign: Array
    weights: Array | None
    notes: tuple[str, ...] = ()

    @property
    def hard(self) -> bool:
        """Whether every benign label is 0 or 1."""
        return bool(np.isin(self.benign, (0.0, 1.0)).all())

    def part(self, size: int, seed: int) -> tuple[Array, Data]:
        """``size`` pairs drawn at random, nested in each other, and the data of these alone."""
        total = len(self.benign)
        order = np.random.Generator(np.random.Philox(seed)).permutation(total)
        kept = np.sort(order[:size])
        return kept, replace(
            self,
            features=np.ascontiguousarray(self.features[:, kept])
            if size < total
            else self.features,
            benign=self.benign[kept],
            weights=None if self.weights is None else self.weights[kept],
        )


def read_data(console: Console, options: Options) -> tuple[Data, tuple[int, ...]]:
    """The data with the features asked for, and the dimensions asked for.

    Raises ModelError or click.BadParameter with what to change.
    """
    columns = Columns.of(options.columns) if options.columns else None
    pairs = read_pairs(options.data, columns)
    given = () if options.dimensions is None else whole_numbers(options.dimensions, "--dimensions")
    benign, weights, notes = pairs.labels, pairs.weights, list(_unread(pairs, options))
    if options.labels:
        benign = check_size(read_numbers(options.labels, "labels"), pairs.n_pairs, "labels")
        check_labels(benign, f"{options.labels}: labels")
        if not (pairs.labels == 1).all():
            notes.append(f"the labels of {options.labels} replace those of the data")
    if options.weights:
        weights = check_size(read_numbers(options.weights, "weights"), pairs.n_pairs, "weights")
        check_weights(weights, f"{options.weights}: weights")
        if pairs.weights is not None:
            notes.append(f"the weights of {options.weights} replace those of the data")
    features, described, dimensions = _features(console, pairs, given, options)
    scaled = rescaled(features)
    notes += _of_features(scaled, pairs)
    return Data(pairs, scaled.features, described, benign, weights, tuple(notes)), dimensions


def _of_features(scaled: Scaled, pairs: PreferencePairs) -> Iterator[str]:
    if scaled.changed:
        yield (
            f"features have root mean squares from {scaled.smallest:.1e} to {scaled.largest:.1e}; "
            "each was divided by a power of two to lie from 1 to 2. This changes no cost; the "
            "ridge reward is that of the scaled features"
        )
    same = zero_columns(scaled.features)
    if len(same):
        yield (
            f"both answers have equal features in {count(len(same), 'pair')} (first in row "
            f"{same[0] + 1}); a flip there teaches nothing, so the cheapest labels do not "
            "flip them"
        )


def _refuse_meanings(pairs: PreferencePairs, options: Options) -> None:
    """Raises click.BadParameter for what is not read and may change what the data mean, and for
    columns that would be lost."""
    if pairs.columns.judge and options.labels:
        raise click.BadParameter(
            f"--labels {options.labels} and the column {pairs.columns.judge[0]} both say which "
            "answer is better; leave one of them out"
        )
    if not options.labels:
        _refuse_unread(pairs, "--labels", _OF_TIES if pairs.columns.judge else _OF_LABELS)
    if not options.weights:
        _refuse_unread(pairs, "--weights", _OF_WEIGHTS)
    if options.out and pairs.chosen and FLIPPED in {*pairs.unread, *pairs.columns.read}:
        raise click.BadParameter(
            f"{pairs.path.name} has the column {FLIPPED!r}, in which --out writes the numbers of "
            "the rows that are flipped; rename the column, or leave out --out"
        )


def _unread(pairs: PreferencePairs, options: Options) -> Iterator[str]:
    """What was not read; raises click.BadParameter as `_refuse_meanings`."""
    _refuse_meanings(pairs, options)
    if pairs.columns.judge:
        second = pairs.n_pairs - pairs.n_first - pairs.n_ties
        ties = f", and {count(pairs.n_ties, 'pair')} tied" if pairs.n_ties else ""
        yield (
            f"by {pairs.columns.judge[0]}, {pairs.columns.first} is better in {pairs.n_first:,} of "
            f"{count(pairs.n_pairs, 'pair')} and {pairs.columns.second} in {second:,}{ties}; what "
            f"is better{', or the first of a tie,' if ties else ''} is called chosen here"
        )
    if pairs.unread:
        yield f"not read: {listed(pairs.unread)}"
    if options.out and pairs.unread and pairs.chosen and not pairs.columns.judge:
        yield _exchanged(pairs)
    yield from _prompts(pairs)
    if options.features and pairs.features is not None:
        yield f"the features of {options.features} replace those of the data"


def _exchanged(pairs: PreferencePairs) -> str:
    """What a flip exchanges besides the answers, and what stays although its name is of one."""
    columns, names = pairs.columns, names_of(pairs.one_sided)
    moved: list[str] = []
    lone: list[str] = []
    for place, path in sorted(pairs.one_sided, key=lambda key: key[1]):
        other = columns.belonging(path[-1])
        if (place, other) not in names:
            lone.append(f"{listed(['.'.join(path)])} has no {listed([other])} and stays")
        elif path not in ((columns.first,), (columns.second,)):
            moved.append(".".join(path))
    if len(lone) > _MOST_LONE:
        lone[_MOST_LONE:] = [f"{len(lone) - _MOST_LONE} more without the other's stay"]
    return "; ".join([
        f"flipped rows exchange {columns.first} and {columns.second} in the names of columns, and "
        f"of keys within them ({listed(moved)})",
        *lone,
        "all else stays as it was, and so do keys within lists",
    ])  # fmt: skip


def _refuse_unread(pairs: PreferencePairs, option: str, names: frozenset[str]) -> None:
    for one in pairs.unread:
        if one.lower() in names:
            raise click.BadParameter(
                f"{pairs.path.name} has {one!r}, which is not read from there; write one "
                f"number per pair to a file and give it as {option}, or leave {one!r} out"
                + (
                    "; --columns can name what says which answer is better"
                    if names is _OF_LABELS
                    else ""
                )
            )


def _prompts(pairs: PreferencePairs) -> Iterator[str]:
    """Where prompts were not as they should be, and how they were joined to the answers."""
    found = Counter(pairs.prompts)
    unlike = {
        Prompt.WITHIN: "both answers already contain the prompt in {}; it is not added to them "
        "again",
        Prompt.ONE_SIDED: "only one answer begins with the prompt in {}; it is added to both, so "
        "that one has it twice: if it was meant as the prompt, remove it from that answer",
    }
    if len(found) > 1:
        unlike[Prompt.NONE] = "there is no prompt in {}; nothing is added to these answers"
    for where, words in unlike.items():
        if found[where]:
            row = pairs.prompts.index(where) + 1
            yield words.format(
                f"{count(found[where], 'pair')} of {pairs.n_pairs:,} (first in row {row})"
            )
    if pairs.joined:
        yield "a space stands between prompt and answer, and between messages"


def _features(
    console: Console, pairs: PreferencePairs, given: tuple[int, ...], options: Options
) -> tuple[Array, str, tuple[int, ...]]:
    matrix, name, own = _all_features(console, pairs, options)
    size = matrix.shape[0]
    usual = (size,) if own else tuple(n for n in _DIMENSIONS if n <= size)
    dimensions = given or usual
    largest = max(dimensions)
    if (options.projection or ("first" if own else "principal")) == "first":
        rows, which = _first(matrix, largest)
    else:
        if own and min(dimensions) == size:
            _refuse_turning(size, options)
        rows, which = principal_rows(matrix, largest), "leading principal components"
    return rows, f"{name}, {which}", dimensions


def _all_features(
    console: Console, pairs: PreferencePairs, options: Options
) -> tuple[Any, str, bool]:
    """Phi, dense or sparse, with every feature there is; what they are; whether the user's own."""
    kind = options.features
    if kind is None and pairs.features is not None:
        return pairs.features, "features of the file", True
    if kind in (None, "sentence"):
        return *_embedded(console, pairs, options.cache), False
    if kind == "ngrams":
        return hashed_differences(pairs), f"n-grams hashed to {HASHED} places", False
    return _own(kind, pairs.n_pairs), f"features of {kind}", True


def _refuse_turning(size: int, options: Options) -> None:
    """All principal components span what the features span, which only some targets notice."""
    by_number = options.target.startswith(("threshold", "feature:", "reward:"))
    if not (by_number or options.tolerance):
        refuse_idle(["projection"], f"principal of all {size} features changes no cost; leave "
                    "it out, or give fewer --dimensions")  # fmt: skip


def _first(matrix: Any, largest: int) -> tuple[Array, str]:
    """The first rows, and which they are in words."""
    size = matrix.shape[0]
    if largest > size:
        raise click.BadParameter(
            f"--dimensions {largest}: there are {size} features; give numbers from 1 to {size}"
        )
    rows = matrix[:largest]
    rows = rows.toarray() if hasattr(rows, "toarray") else rows
    which = f"all {size}" if largest == size else f"the first {largest} of {size}"
    return np.ascontiguousarray(rows), which


def _own(path: str, size: int) -> Array:
    if not Path(path).is_file():
        raise click.BadParameter(
            f"--features {path!r} is neither an existing file nor one of: "
            + "; ".join(f"{name} ({words})" for name, words in FEATURES.items())
        )
    found = read_features(path)
    features = found.features
    if found.labels is not None or found.weights is not None:
        raise click.BadParameter(
            f"--features {path} holds labels or weights, which are read from DATA alone; save "
            "them as .npy and give them as --labels and --weights"
        )
    if features.shape[1] != size:
        raise click.BadParameter(
            f"--features {path} has shape {features.shape} for {size} pairs; give (n, {size}), "
            "a column for each pair"
        )
    return features


def _embedded(console: Console, pairs: PreferencePairs, cache: str) -> tuple[Array, str]:
    from holdfast.solvers.neural.poisoning.sentences import SentenceEncoder

    make_folder("--cache", cache)
    check_targets([("--cache", str(Path(cache) / "embeddings.npy"))])
    encoder = SentenceEncoder()
    with progress_bar(console, "encoding texts") as report:
        return embedded_differences(pairs, encoder, cache, report), f"sentences ({encoder.name})"


@contextmanager
def progress_bar(console: Console, title: str) -> Iterator[Any]:
    """A bar on a terminal; yields what is to be called with the number done and the total."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task(title, total=None)

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield report


def sizes_of(text: str | None, data: Data) -> Sequence[int]:
    """``--sizes``, or all pairs; raises click.BadParameter for more than there are."""
    total = data.pairs.n_pairs
    sizes = (total,) if text is None else whole_numbers(text, "--sizes")
    if sizes[-1] > total:
        raise click.BadParameter(f"--sizes {sizes[-1]}: there are {total} pairs")
    return sizes
