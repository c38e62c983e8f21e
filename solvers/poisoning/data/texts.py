"""From pairs of texts to feature differences, and from many features to few.

A reward model scores phi(prompt, answer) with a linear head; here phi is a sentence embedding of
the whole text, or hashed n-grams.  All that a reward learns from is the difference of a pair,
phi(chosen) - phi(rejected).
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from .pairs import PreferencePairs

CHUNK = 256
"""Texts that are encoded, and kept, at a time; even, so that pairs stay together."""
HASHED = 2048
"""Places of the hashed n-grams."""
_SPREAD = 1e4
"""Between the root mean squares of two features, or of one and 1, above which all are rescaled: a
ridge then means something else, so that data in ordinary units are left alone."""
_NEGLIGIBLE = 1e-12
"""Of the largest variance: what is below is rounding."""


class Encoder(Protocol):
    """name: what fixes the embedding (package, version, truncation), a key of the cache."""

    @property
    def name(self) -> str:
        """What fixes the embedding."""
        ...

    def encode(self, texts: Sequence[str]) -> Array:
        """One row a text (len(texts), D), float32."""
        ...


def embedded_answers(
    pairs: PreferencePairs,
    encoder: Encoder,
    cache: str | Path,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Array, Array]:
    """embed(chosen) and embed(rejected) (N, D) each, float32.

    cache: a folder; chunks of texts are kept there by the digest of the texts and the encoder, so
    that a second run reads them and a run that was killed goes on where it stopped.
    progress: called with the number of texts done and their total.

    Raises ModelError if the data hold no texts.
    """
    texts = [text for pair in zip(*_texts(pairs), strict=True) for text in pair]
    parts = []
    for start in range(0, len(texts), CHUNK):
        parts.append(_remembered(texts[start : start + CHUNK], encoder, Path(cache)))
        if progress is not None:
            progress(min(start + CHUNK, len(texts)), len(texts))
    rows = np.concatenate(parts)
    return rows[0::2], rows[1::2]


def embedded_differences(
    pairs: PreferencePairs,
    encoder: Encoder,
    cache: str | Path,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """embed(chosen) - embed(rejected) (D, N), float64; arguments as `embedded_answers`."""
    chosen, rejected = embedded_answers(pairs, encoder, cache, progress)
    return np.ascontiguousarray((chosen.astype(np.float64) - rejected).T)


def hashed_answers(pairs: PreferencePairs, places: int) -> tuple[Any, Any]:
    """Hashed words and pairs of words of each text, of length one: sparse (N, places), twice.

    Raises ModelError if the data hold no texts or scikit-learn is not installed.
    """
    chosen, rejected = _texts(pairs)
    try:
        from sklearn.feature_extraction.text import HashingVectorizer
    except ImportError as error:
        raise ModelError(
            "hashed n-grams need scikit-learn; pip install 'holdfast[text]'"
        ) from error
    hashing = HashingVectorizer(n_features=places, ngram_range=(1, 2), norm="l2")
    return hashing.transform(chosen), hashing.transform(rejected)


def hashed_differences(pairs: PreferencePairs) -> Any:
    """Those of chosen minus those of rejected: sparse (D, N), D = `HASHED`."""
    chosen, rejected = hashed_answers(pairs, HASHED)
    return (chosen - rejected).T.tocsr()


def principal_rows(differences: Any, n_features: int) -> Array:
    """The leading n principal components of the differences, uncentred: Phi (n, N), float64.

    differences: (D, N), dense or sparse.  Rows come by falling variance, so that the first k rows
    are the projection to k features: their row spaces are nested, and what labels cost to change
    can only grow with n.  Components that vanish up to rounding are zero.

    Raises ModelError unless 1 <= n <= D, and if a component is too large for a double.
    """
    available = differences.shape[0]
    if not 1 <= n_features <= available:
        raise ModelError(
            f"{n_features} dimensions were asked for, but the features have {available}; "
            f"give numbers from 1 to {available}"
        )
    # the products of the pairs must neither overflow nor vanish; powers of two change nothing else
    exponent = int(np.frexp(abs(differences).max())[1])
    power = max(-1000, min(1000, -exponent))
    with np.errstate(over="ignore", under="ignore"):
        rows = np.ldexp(_principal(differences * 2.0**power, n_features), -power)
    if not np.isfinite(rows).all():
        raise ModelError(
            f"the features are as large as 2**{exponent}, so that their principal components are "
            "beyond doubles; divide the features by a power of two"
        )
    return rows


def _principal(differences: Any, n_features: int) -> Array:
    from scipy.linalg import eigh

    available = differences.shape[0]
    if differences.shape[1] < available:
        return _few_pairs(differences, n_features)
    _, vectors = eigh(
        _dense(differences @ differences.T),
        subset_by_index=(available - n_features, available - 1),
    )
    directions = _signed(vectors[:, ::-1])
    rows = np.ascontiguousarray(np.asarray((differences.T @ directions).T, dtype=np.float64))
    sizes = np.linalg.norm(rows, axis=1)
    rows[sizes <= math.sqrt(_NEGLIGIBLE) * sizes[0]] = 0.0
    return rows


def _few_pairs(differences: Any, n_features: int) -> Array:
    """The same from the products of the pairs (N, N)."""
    from scipy.linalg import eigh

    values, vectors = eigh(_dense(differences.T @ differences))
    values, vectors = values[::-1][:n_features], _signed(vectors[:, ::-1][:, :n_features])
    sizes = np.sqrt(np.where(values > _NEGLIGIBLE * values[0], values, 0.0))
    rows = np.zeros((n_features, differences.shape[1]))
    rows[: len(sizes)] = sizes[:, None] * vectors.T
    return rows


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)


def _signed(vectors: Array) -> Array:
    """Columns whose largest entry in absolute value is positive."""
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return vectors * np.where(signs == 0, 1.0, signs)


@dataclass(frozen=True, slots=True)
class Scaled:
    """Features whose rows were multiplied by powers of two, or left as they were.

    features: (n, N); smallest, largest: root mean squares, as they were, of the rows that are not
    zero; changed: whether the rows were rescaled.
    """

    features: Array
    smallest: float
    largest: float
    changed: bool


def rescaled(features: Array) -> Scaled:
    """Rows of root mean square in [1, 2) where some lies four orders of magnitude from 1 or others.

    A row of Phi times a constant leaves all equations as they are, so that the cost is the same;
    powers of two are exact.  A ridge penalty then speaks of the scaled features.
    """
    largest = np.abs(features).max(axis=1)
    safe = np.where(largest > 0, largest, 1.0)
    sizes = safe * np.sqrt(np.mean((features / safe[:, None]) ** 2, axis=1))
    used = sizes[largest > 0]
    if not len(used):
        return Scaled(features, 1.0, 1.0, False)
    low, high = float(used.min()), float(used.max())
    if high / _SPREAD <= low and high <= _SPREAD and low >= 1 / _SPREAD:
        return Scaled(features, low, high, False)
    powers = np.where(largest > 0, np.floor(np.log2(np.where(sizes > 0, sizes, 1.0))), 0)
    return Scaled(np.ldexp(features, -powers.astype(np.int64)[:, None]), low, high, True)


def zero_columns(features: Array) -> Array:
    """The pairs (by number) whose two answers have the same features: flips there do nothing."""
    return np.flatnonzero(~features.any(axis=0))


def _texts(pairs: PreferencePairs) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not pairs.chosen:
        raise ModelError(
            f"{pairs.path.name} holds features and no texts; leave out --features, or give a file "
            "of texts"
        )
    return pairs.chosen, pairs.rejected


def _remembered(texts: Sequence[str], encoder: Encoder, cache: Path) -> Array:
    """The embeddings of a chunk, from the cache if it has them."""
    path = cache / f"{_key(texts, encoder)}.npy"
    try:
        found: Array = np.load(path, allow_pickle=False)
        if len(found) == len(texts):
            return found
    except (OSError, ValueError, EOFError):
        pass
    rows = encoder.encode(texts)
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with unfinished.open("wb") as file:
        np.save(file, rows)
    unfinished.replace(path)
    return rows


def _key(texts: Sequence[str], encoder: Encoder) -> str:
    def pieces() -> Iterator[str]:
        yield encoder.name
        yield from texts

    digest = hashlib.sha256()
    for piece in pieces():
        data = piece.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:32]
