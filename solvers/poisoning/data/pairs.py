"""Preference data as files: pairs of texts (.jsonl, .json, .csv, .parquet) or of features (.npz).

A row of text holds ``chosen`` and ``rejected``, each a string or a list of messages as chat data
have them, and optionally ``prompt``, which then stands before both unless both begin with it
already.  A space stands between prompt and answer, and between messages.  `Columns` says where
these stand in rows of other names, or of two answers and a column that says which is better.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ...whole_files import regular
from .arrays import read_features
from .bounded_files import MOST_ROWS, most_unpacked
from .columns import STANDARD, Columns, Key
from .dialogues import Prompt, pair_of
from .rows import SUFFIXES, noun_of, rows_of


@dataclass(frozen=True, slots=True)
class PreferencePairs:
    """Preference data as they were read.

    path: the file; digest: the first 16 hexadecimal digits of the SHA-256 of its bytes;
    chosen, rejected: N texts each, none where the file holds features;
    features: Phi (n, N), where the file holds features;
    labels: benign labels (N), 1 unless the file says otherwise; weights: (N), or None for 1 each;
    unread: names of the columns, keys of messages and arrays that are not read;
    prompts: where the prompt of each pair was (N), none where the file holds features;
    joined: whether prompts and answers, or messages, were joined; columns: which were read;
    n_first: in how many pairs the first of the answers' columns is better; n_ties: in how many
    neither is; one_sided: keys whose names are those of one of the answers, without a judge.
    """

    path: Path
    digest: str
    chosen: tuple[str, ...]
    rejected: tuple[str, ...]
    features: Array | None
    labels: Array
    weights: Array | None = None
    unread: tuple[str, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    joined: bool = False
    columns: Columns = STANDARD
    n_first: int = 0
    n_ties: int = 0
    one_sided: frozenset[Key] = frozenset()

    @property
    def n_pairs(self) -> int:
        """N."""
        return len(self.labels)

    @property
    def length_gaps(self) -> Array:
        """Characters of the rejected text minus those of the chosen one (N).

        Raises ModelError if the file holds features only.
        """
        if not self.chosen:
            raise ModelError(
                f"{self.path.name} holds features and no texts, so that lengths are not known; "
                "give a target that needs none, such as random"
            )
        pairs = zip(self.chosen, self.rejected, strict=True)
        return np.array([len(rejected) - len(chosen) for chosen, rejected in pairs])


def read_pairs(path: str | Path, columns: Columns | None = None) -> PreferencePairs:
    """Read preference data.

    columns: which columns of texts are what, by default chosen, rejected and perhaps prompt.

    Raises ModelError with the line and the remedy: a suffix that is not known, an empty file, a
    line that is no JSON object, a key that is missing or there twice, text that is none, a number
    that does not say which answer is better, arrays that disagree, and files that unpack to far
    more than they are.
    """
    path = Path(path)
    regular(path, f"give one of {', '.join(SUFFIXES)} and .npz")
    digest = file_digest(path)
    if path.suffix.lower() == ".npz":
        if columns is not None:
            raise ModelError(f"{path.name} holds arrays, which have no columns; leave them out")
        found = read_features(path)
        size = found.features.shape[1]
        labels = np.ones(size) if found.labels is None else found.labels
        return PreferencePairs(path, digest, (), (), found.features,
                               labels, found.weights, found.unread)  # fmt: skip
    chosen: list[str] = []
    rejected: list[str] = []
    prompts: list[Prompt] = []
    chances: list[float] = []
    unread: set[str] = set()
    guessed: set[str] = set()
    one_sided: set[Key] = set()
    columns = columns or STANDARD
    joined, n_first, n_ties = False, 0, 0
    most, noun = most_unpacked(path), noun_of(path)
    left = most
    for number, row in rows_of(path):
        pair = pair_of(row, f"{path.name}, {noun} {number}", columns)
        chosen.append(pair.chosen)
        rejected.append(pair.rejected)
        chances.append(pair.label)
        unread |= pair.unread
        if not columns.judge:
            one_sided.update(columns.one_sided(row))
        guessed.add(columns.guessed(row))
        prompts.append(pair.prompt)
        joined |= pair.joined
        n_ties += pair.label == 0.5
        n_first += pair.first and pair.label > 0.5
        left -= len(pair.chosen) + len(pair.rejected)
        if left < 0 or len(chances) > MOST_ROWS:
            raise ModelError(
                f"{path.name}, {noun} {number}: the texts up to here have more than "
                f"{most:,} characters, or are more than {MOST_ROWS:,} pairs, which "
                "no file of this size should hold; give a part, or write it as .jsonl"
            )
    if not chances:
        raise ModelError(f"{path} holds no pairs; it is empty")
    columns.check_guessed(guessed, path.name)
    return PreferencePairs(path, digest, tuple(chosen), tuple(rejected), None,
                           np.array(chances), None, tuple(sorted(unread)), tuple(prompts),
                           joined, columns, n_first, n_ties, frozenset(one_sided))  # fmt: skip


def file_digest(path: Path) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
