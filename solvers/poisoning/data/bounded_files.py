"""Files of strangers: what is read is bounded before it is unpacked, and nothing is guessed.

The bounds are far beyond what preference data need (a million pairs of long dialogues pass) and
keep what a small file can cost to about a second and 200 MB.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as layout

from ...errors import ModelError
from ...sequences import Array
from ...whole_files import regular

LARGEST_LINE = 2**22
"""Bytes of a line: a dialogue of a million tokens."""
MOST_ROWS = 10**7
"""Of a file: ten times the largest data that enclosures are made for."""
LARGEST_NUMBER = 400
"""Characters of a number: every double has a shorter one."""
LARGEST_TABLE = 2**25
"""Bytes of a .json list of numbers, which is read as a whole."""
SMALL = 2**24
"""Bytes that anything may unpack to."""
EXPANSION = 100
"""How often larger than packed: texts reach 10, and what a bomb needs is 1,000."""
_BLANK = re.compile(r"\s*")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|nan|[+-]?inf")


def most_unpacked(path: Path) -> int:
    """Bytes that the file may unpack to."""
    return max(SMALL, EXPANSION * path.stat().st_size)


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, packed with gzip if its name ends so, with their numbers from 1.

    Raises ModelError for a packed file that is damaged or unpacks to far more than its size, and
    for lines that are too long or too many.
    """
    with _opened(path) as file:
        rest = iter(partial(file.readline, LARGEST_LINE + 1), b"")
        for number, line in enumerate(_whole(rest, path), start=1):
            if len(line) > LARGEST_LINE:
                raise ModelError(
                    f"{path.name}, line {number} is longer than {LARGEST_LINE:,} bytes; write one "
                    "row a line"
                )
            if number > MOST_ROWS:
                raise ModelError(
                    f"{path.name} has more than {MOST_ROWS:,} lines; give a part of the data"
                )
            yield number, line


def _opened(path: Path) -> Any:
    """To read bytes, unpacked if the name ends so, and then not far more than there are."""
    if path.suffix.lower() != ".gz":
        return path.open("rb")
    _check_unpacked(path)
    return gzip.open(path, "rb")


def begins_list(path: Path) -> bool:
    """Whether the first character of a file of JSON begins a list."""
    with _opened(path) as file:
        start: bytes = file.read(2**10)
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def entries_of(path: Path) -> Iterator[Any]:
    """The entries of a file that holds one JSON list, one at a time.

    Raises ModelError as `strict_json` does, for what is no list, and for a file that is too large
    to be read as a whole.
    """
    with _opened(path) as file:
        data = file.read(LARGEST_TABLE + 1)
    if len(data) > LARGEST_TABLE:
        raise ModelError(
            f"{path.name} is one list of more than {LARGEST_TABLE:,} bytes, which is not read as a "
            "whole; write an object a line, with jq -c '.[]' LIST.json > FILE.jsonl"
        )
    text = text_of(data, path.name, True).strip()
    if text[1:].strip() == "]":
        return
    at = number = 0
    while text.startswith("," if number else "[", at):
        number += 1
        with _named(place := f"{path.name}, entry {number}"):
            entry, at = _decoder(place).raw_decode(text, _past_blanks(text, at + 1))
        yield entry
        at = _past_blanks(text, at)
    if text[at:] != "]":
        raise ModelError(
            f"{path.name}: after entry {number} stands {shown(text[at : at + 40])}; write a comma "
            "between entries, and ] after the last"
        )


def _past_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _check_unpacked(path: Path) -> None:
    most, size = most_unpacked(path), 0
    with gzip.open(path, "rb") as file:
        for part in _whole(iter(partial(file.read, 2**20), b""), path):
            size += len(part)
            if size > most:
                raise ModelError(
                    f"{path.name} has {path.stat().st_size:,} bytes and unpacks to more than "
                    f"{most:,}; if that is right, unpack it and give the unpacked file"
                )


def _whole(parts: Iterator[bytes], path: Path) -> Iterator[bytes]:
    try:
        yield from parts
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ModelError(f"{path.name} is damaged: {error}; fetch it again") from error


def text_of(line: bytes, place: str, first: bool = False) -> str:
    """The UTF-8 text of a line (the first may begin with a byte order mark)."""
    try:
        return line.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(
            f"{place} is no UTF-8: byte {error.start + 1} is 0x{line[error.start]:02x}; save the "
            "file as UTF-8"
        ) from error


def strict_json(text: str, place: str) -> Any:
    """What a JSON text holds.

    Raises ModelError for what is no JSON, repeated keys, numbers beyond doubles or of very many
    digits, and values nested too deeply.
    """

    with _named(place):
        return _decoder(place).decode(text)


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Errors of JSON, with their place."""
    try:
        yield
    except ModelError:
        raise
    except RecursionError as error:
        raise ModelError(f"{place} is nested too deeply; write a flat row") from error
    except ValueError as error:
        raise ModelError(f"{place} is no JSON: {error}") from error


def _decoder(place: str) -> json.JSONDecoder:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        row = dict(found)
        if len(row) < len(found):
            names = Counter(name for name, _ in found)
            twice = names.most_common(1)[0][0]
            raise ModelError(f"{place} has the key {shown(twice)} twice; keep one of them")
        return row

    def whole(digits: str) -> int:
        if len(digits) > LARGEST_NUMBER:
            raise ModelError(
                f"{place} holds a number of {len(digits):,} digits, {digits[:20]}...; write at "
                f"most {LARGEST_NUMBER}, or text in quotation marks"
            )
        return int(digits)

    def decimal(digits: str) -> float:
        value = float(digits) if len(digits) <= LARGEST_NUMBER else np.inf
        if not np.isfinite(value):
            raise ModelError(
                f"{place} holds the number {shown(digits)}, which is beyond doubles; write a "
                "smaller one, or text in quotation marks"
            )
        return value

    return json.JSONDecoder(object_pairs_hook=pairs, parse_int=whole, parse_float=decimal)


def shown(value: object, most: int = 60) -> str:
    """A value from a file in a message: quoted, escaped and cut short."""
    text = repr(value[: most + 1] if isinstance(value, str) else value)
    return text if len(text) <= most else text[: most - 3] + "..."


def listed(names: Iterable[str]) -> str:
    """Names from a file in a message."""
    given = list(names)
    text = ", ".join(shown(name, 40)[1:-1] for name in given[:10])
    return (text + (f" and {len(given) - 10} more" if len(given) > 10 else "")) or "nothing"


def number_of(text: str, place: str) -> float:
    """A number in the digits 0 to 9; raises ModelError for anything else."""
    word = text.strip()
    if len(word) > LARGEST_NUMBER or not _NUMBER.fullmatch(word.lower()):
        raise ModelError(f"{place} is {shown(word, 40)}; write one number a line, as 1 or 0.25")
    value = float(word)
    if np.isinf(value) and "inf" not in word.lower():
        raise ModelError(f"{place} is {shown(word, 40)}, which is beyond doubles; write it smaller")
    return value


def numbers_of(path: Path) -> Array:
    """The numbers of a text (one a line), or of a .json file that holds one list of numbers.

    Raises ModelError with the line or the entry of what is no number.
    """
    if path.suffix.lower() == ".json":
        found = (
            number_of(entry, f"{path.name}, entry {k} of the list")
            for k, entry in enumerate(_entries(path), start=1)
        )
    else:
        found = (_of_line(line, n, path) for n, line in lines_of(path) if not line.isspace())
    return np.fromiter(found, dtype=np.float64)


def _of_line(line: bytes, number: int, path: Path) -> float:
    place = f"{path.name}, line {number}"
    return number_of(text_of(line, place, number == 1), place)


def _entries(path: Path) -> Iterator[str]:
    """The entries of a list, as text; not parsed as JSON, whose nested values take much memory."""
    if path.stat().st_size > LARGEST_TABLE:
        raise ModelError(
            f"{path.name} has more than {LARGEST_TABLE:,} bytes; give so many numbers as .npy"
        )
    text = text_of(path.read_bytes(), path.name, True).strip()
    if not (text.startswith("[") and text.endswith("]") and len(text) > 1):
        raise ModelError(f"{path.name} is no JSON list of numbers, but begins {shown(text, 40)}")
    if text[1:-1].strip():
        yield from (match[1] for match in re.finditer(r"[\[,]([^,]*?)(?=,|\]$)", text))


def arrays_of(path: Path, keep: Container[str] | None = None) -> dict[str, Array]:
    """The arrays of an .npz file by name, or of an .npy file under the name "features".

    keep: names of those that are read, default all; the others come empty.

    Headers are read first, and only version 1.0: later ones are for records, and claim gigabytes.
    Raises ModelError for what is no such file, for arrays of anything but
    real numbers (objects, which would run code, are never unpacked), and for an array that would
    take far more memory than the file holds.
    """
    regular(path, "give one of .npy, .npz")
    if path.suffix.lower() not in (".npy", ".npz"):
        raise ModelError(f"{path.name}: features are read from .npy and .npz files")
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                return {"features": _array(file, f"{path.name}: the array", path.stat().st_size)}
        return _members(path, keep)
    except ModelError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, SyntaxError, KeyError,
            NotImplementedError, RuntimeError, OverflowError) as error:  # fmt: skip
        raise ModelError(
            f"{path.name} cannot be read as an array of numbers: {shown(str(error), 100)}; save it "
            "again with numpy.save or numpy.savez"
        ) from error


def _members(path: Path, keep: Container[str] | None) -> dict[str, Array]:
    found: dict[str, Array] = {}
    left = most_unpacked(path)
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            place = f"{path.name}: {shown(name)[1:-1]}"
            if name in found:
                raise ModelError(f"{place} is there twice; keep one of them")
            stored = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if name == info.filename or not stored:
                raise ModelError(f"{place} is no array of NumPy's; save with numpy.savez")
            if keep is not None and name not in keep:
                found[name] = np.empty(0)
                continue
            with archive.open(info) as file:
                found[name] = _array(file, place, left)
            left -= found[name].nbytes
    return found


def _array(file: IO[bytes], place: str, most: int) -> Array:
    """The array of a file of at most `most` bytes."""
    if layout.read_magic(file) != (1, 0):
        raise ModelError(f"{place} is no plain array of numbers; save it with numpy.save")
    shape, fortran, dtype = layout.read_array_header_1_0(file)
    if dtype.kind == "c":
        raise ModelError(
            f"{place} holds complex numbers, whose imaginary part would be lost; give real ones, "
            "such as the real and the imaginary parts as two features"
        )
    if dtype.kind not in "biuf":
        raise ModelError(
            f"{place} cannot be read as an array of numbers: its dtype is {shown(str(dtype))}; "
            "give integers or floats"
        )
    size = math.prod(shape) * dtype.itemsize
    if not 0 <= size <= most:
        raise ModelError(
            f"{place} claims the shape {shown(shape)}, {size:.3g} bytes, of which the file can "
            f"hold {most:,}; if that is right, save it unpacked with numpy.savez or numpy.save"
        )
    data = _filled(file, size)
    if len(data) != size or file.read(1):
        raise ModelError(
            f"{place} claims the shape {shown(shape)}, {size:,} bytes, and holds "
            f"{'more' if len(data) == size else f'{len(data):,}'}; fetch it again"
        )
    return np.ndarray(shape, dtype, data, order="F" if fortran else "C")


def _filled(file: IO[bytes], size: int) -> bytearray:
    data = bytearray()
    while len(data) < size and (part := file.read(min(2**24, size - len(data)))):
        data += part
    return data
