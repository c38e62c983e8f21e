"""What ``holdfast poison`` writes: flipped rows, all numbers, and the figure that is tracked."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import io
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from holdfast.solvers.poisoning.data.pairs import PreferencePairs, rows_of
from holdfast.solvers.poisoning.measure.measurement import Measurement
from holdfast.solvers.sequences import Array
from holdfast.solvers.whole_files import append_line, whole

from ...terminal.json_files import json_text
from .input import FLIPPED, Data
from .output import statement
from .targets import Target

_LIBRARIES = ("holdfast", "numpy", "scipy", "highspy")


def write_flipped(pairs: PreferencePairs, kept: Array, measurement: Measurement, path: str) -> int:
    """Write each flipped copy as the row that it becomes; how many there are.

    That is chosen and rejected exchanged with all that belongs to them, or the column that says
    which is better changed, or the row as it was where a label rises (`Columns.judged`).
    The other keys stay (but for numbers that JSON has not, which become null); ``flipped_row`` is
    the number of the row in the data, from 1, without headings and empty lines.  Data of features
    have rows of ``flipped_row`` and ``label`` only.  With m copies a pair has up to m rows.
    """
    assert measurement.rounded is not None
    assert measurement.copies is not None
    rise = measurement.copies * (measurement.rounded - measurement.benign)
    moved = zip(kept.tolist(), rise.tolist(), strict=True)
    rises = {i + 1: round(k) for i, k in moved if abs(k) > 0.5}
    labels = dict(zip(kept.tolist(), measurement.rounded.tolist(), strict=True))
    rows: Iterable[tuple[int, Mapping[str, Any]]]
    if pairs.features is not None:
        rows = ((number, {FLIPPED: number, "label": labels[number - 1]}) for number in rises)
        copies = dict.fromkeys(rises, 1)
    else:
        rows = _exchanged(pairs, rises)
        copies = {number: abs(k) for number, k in rises.items()}
    with whole(path) as unfinished, _opened(unfinished) as file:
        for number, row in rows:
            file.write((json_text(row) + "\n") * copies[number])
    return sum(copies.values())


def _exchanged(pairs: PreferencePairs, rises: Mapping[int, int]) -> Iterator[tuple[int, Any]]:
    """The rows of the file that are flipped, with their numbers, as they become."""
    for number, (_, row) in enumerate(rows_of(pairs.path), start=1):
        if number in rises:
            first = pairs.columns.chance(row, str(pairs.path)) >= 0.5
            better = first == (rises[number] > 0)
            judged = pairs.columns.judged(row, better, pairs.one_sided)
            yield number, {**judged, FLIPPED: number}


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """To write text, packed where the name ends so, and then the same bytes every time."""
    if path.suffix.lower() != ".gz":
        with path.open("w", encoding="utf-8") as file:
            yield file
        return
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8") as file,
    ):
        yield file


def append_record(data: Data, target: Target, measurement: Measurement, path: str) -> None:
    """Append the robustness figure of one measurement as a JSON line."""
    record = {
        **_origin(data, target),
        **_numbers(measurement, target),
        "statement": statement(measurement),
    }
    append_line(path, json_text(record))


def document(data: Data, target: Target, measurements: Sequence[Measurement]) -> dict[str, Any]:
    """All numbers of a run."""
    return {
        **_origin(data, target),
        "purpose": "robustness of preference learning to changed labels, on the user's own data",
        "measurements": [_numbers(measurement, target) for measurement in measurements],
        "statement": statement(measurements[-1]),
    }


def _origin(data: Data, target: Target) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": data.pairs.path.name,
        "digest": data.pairs.digest,
        "features": data.described,
        "target": target.kind,
        "target_argument": target.argument or None,
        "rate": float(target.rate) if target.rated else None,
        "order": target.order if "length" in target.kind else None,
        "seed": target.seed,
        "notes": list(data.notes),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def _numbers(measurement: Measurement, target: Target) -> dict[str, Any]:
    asked = target.asked(measurement)
    return {
        "n_features": measurement.n_features,
        "n_pairs": measurement.n_pairs,
        "norm": measurement.norm,
        "target_digest": _digest(measurement.target),
        "benign_digest": _digest(measurement.benign),
        "weights_digest": None if measurement.weights is None else _digest(measurement.weights),
        "flips_asked_for": None if asked is None else float(asked),
        "labels_changed_by_target": measurement.n_changed,
        "target_cost": measurement.attack,
        "least_cost": [measurement.lower, measurement.upper],
        "least_rows": measurement.least_rows,
        "closed_form_bound": measurement.closed_form,
        "saving": measurement.saving,
        "n_features_dropped": measurement.n_dropped,
        "features_dropped": list(measurement.dropped.features) if measurement.dropped else [],
        "price_of_dropping": measurement.price,
        "fractional_labels": measurement.fractional,
        "copies": measurement.copies,
        "flipped_rows": measurement.rows,
        "rewards": [
            {
                "method": effect.method,
                "performance_loss_ratio": effect.loss,
                "thinned_attack_loss_ratio": effect.thinned,
                "not_learnt": {name: why.name for name, why in effect.failed.items()},
            }
            for effect in measurement.effects
        ],
        "seconds": round(measurement.seconds, 3),
    }


def _digest(numbers: Array) -> str:
    """Of the numbers (N), so that figures of the same labels can be told from others."""
    return hashlib.sha256(numbers.tobytes()).hexdigest()[:16]
