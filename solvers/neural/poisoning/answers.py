"""Preference data as a reward model with a trunk needs them: the features of both answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ModelError
from ...poisoning.data.arrays import read_features
from ...poisoning.data.pairs import PreferencePairs, file_digest, read_pairs
from ...poisoning.data.texts import embedded_answers, hashed_answers
from ...poisoning.measure.synthetic import stream
from ...sequences import Array

SYNTHETIC = "synthetic"
CACHE = Path(".holdfast", "embeddings")
FEATURES = {
    "auto": "ngrams for texts, otherwise the features that the data have",
    "ngrams": "words and pairs of words, hashed to 256 places",
    "sentence": "a sentence encoder that works offline, 384 numbers",
    "array": "those of the data: chosen and rejected (N, d) of an .npz file, or synthetic ones",
}
PLACES = 256
"""Of hashed n-grams: as in the reference experiment; more make the first layer slower."""
_PAIRS, _INPUTS = 600, 64
"""Of synthetic data: so many inputs that a trunk can learn flips by heart, and so few pairs that a
training takes a second."""
_LARGEST = 1e15
"""Of features: their squares, summed over the pairs, must stay below the largest float32, 3e38."""

_LAST: dict[tuple[str, str, str], Answers] = {}


@dataclass(frozen=True)
class Answers:
    """N pairs of answers.

    chosen, rejected: (N, d), float32; gaps: length of rejected minus that of chosen (N), or None
    where lengths are not known; benign: labels (N); weights: (N) or None; digest: of the data.
    """

    chosen: Array
    rejected: Array
    gaps: Array | None
    benign: Array
    weights: Array | None
    digest: str

    @property
    def n_pairs(self) -> int:
        """N."""
        return len(self.benign)

    def of(self, rows: Array) -> Answers:
        """Some of the pairs."""
        gaps = None if self.gaps is None else self.gaps[rows]
        weights = None if self.weights is None else self.weights[rows]
        return Answers(self.chosen[rows], self.rejected[rows], gaps, self.benign[rows], weights,
                       self.digest)  # fmt: skip


def read_answers(
    task: str,
    features: str = "auto",
    *,
    cache: str | Path = CACHE,
    progress: Callable[[int, int], None] | None = None,
) -> Answers:
    """The data that a task names: "synthetic", or a file as ``holdfast poison`` reads.

    features: one of `FEATURES`; cache: folder of encoded texts; progress: as `embedded_answers`.

    Raises ModelError for features that the data cannot have, for answers that are the
    same, and as `read_pairs` does.
    """
    if features not in FEATURES:
        kinds = "; ".join(f"{name}: {words}" for name, words in FEATURES.items())
        raise ModelError(f"features = {features!r} is not known; give one of {kinds}")
    own = task == SYNTHETIC or task.endswith((".npz", ".npy"))
    if own and features not in ("auto", "array"):
        raise ModelError(
            f"features = {features!r} are made of texts, and {task} holds none; leave it out"
        )
    if not own and features == "array":
        raise ModelError(
            f'{task} holds texts and no features; give features = "ngrams" or "sentence", or '
            "an .npz file with chosen and rejected (N, d)"
        )
    if task == SYNTHETIC:
        return synthetic_answers()
    found = _of_arrays(Path(task)) if own else _read_texts(Path(task), features, cache, progress)
    if np.array_equal(found.chosen, found.rejected):
        raise ModelError(
            f"{task}: in each of {found.n_pairs} pairs the chosen and the rejected answer are the "
            "same, or have the same features, so that no label teaches anything; give answers that "
            "differ"
        )
    return found


def _read_texts(
    path: Path, features: str, cache: str | Path, progress: Callable[[int, int], None] | None
) -> Answers:
    """The last ones are remembered, since the cells of a table are read one after the other."""
    key = (str(path), features, file_digest(path) if path.is_file() else "")
    if key not in _LAST:
        pairs = read_pairs(path)
        chosen, rejected = _of_texts(pairs, features, cache, progress)
        _LAST.clear()
        _LAST[key] = Answers(chosen, rejected, pairs.length_gaps, pairs.labels, pairs.weights,
                             pairs.digest)  # fmt: skip
    return _LAST[key]


def _of_texts(
    pairs: PreferencePairs,
    features: str,
    cache: str | Path,
    progress: Callable[[int, int], None] | None,
) -> tuple[Array, Array]:
    if features == "sentence":
        from .sentences import SentenceEncoder

        return embedded_answers(pairs, SentenceEncoder(), cache, progress)
    chosen, rejected = (rows.toarray().astype(np.float32) for rows in hashed_answers(pairs, PLACES))
    return chosen, rejected


def _of_arrays(path: Path) -> Answers:
    found = read_features(path)
    if found.answers is None:
        raise ModelError(
            f"{path} holds differences of features; a trunk needs those of both answers: name "
            "them chosen and rejected (N, d)"
        )
    largest = max(float(np.abs(rows).max()) for rows in found.answers)
    if largest > _LARGEST:
        raise ModelError(
            f"{path}: features reach {largest:g} in absolute value, beyond single precision; "
            "divide the features by a constant, which changes nothing for a trunk"
        )
    chosen, rejected = (rows.astype(np.float32) for rows in found.answers)
    benign = np.ones(len(chosen)) if found.labels is None else found.labels
    return Answers(chosen, rejected, None, benign, found.weights, file_digest(path))


def synthetic_answers(n_pairs: int = _PAIRS, n_inputs: int = _INPUTS) -> Answers:
    """Standard normal answers, the better one by a hidden reward plus noise being the chosen one.

    The hidden reward is a plane bent by a tanh, so that a trunk has something to learn; lengths are
    another plane plus noise.
    """
    generator = stream("answers", n_pairs, n_inputs)
    first, second = generator.standard_normal((2, n_pairs, n_inputs)).astype(np.float32)
    plane, bend, length = generator.standard_normal((3, n_inputs)) / np.sqrt(n_inputs)

    def hidden(answers: Array) -> Array:
        return np.asarray(answers @ plane + 2 * np.tanh(2 * answers @ bend))

    better = hidden(first) - hidden(second) + generator.logistic(size=n_pairs) > 0
    chosen = np.where(better[:, None], first, second)
    rejected = np.where(better[:, None], second, first)
    gaps = (rejected - chosen) @ length + generator.standard_normal(n_pairs)
    return Answers(chosen, rejected, gaps, np.ones(n_pairs), None, SYNTHETIC)
