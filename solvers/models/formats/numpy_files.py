"""Arrays from numpy's files; what a header promises is compared with what is there first."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import ModelError
from ...exact import Array

#: Bytes that the members of an archive may unpack to, whatever their compressed size ...
SMALL_ARCHIVE = 64 * 2**20
#: ... and beyond that, how many times the size of the file: arrays of real models shrink less.
LARGEST_RATIO = 100

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    OSError,
    TypeError,
    SyntaxError,
    NotImplementedError,  # other compressions
    RuntimeError,  # flags of encryption and of patched data
)
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_array(path: str | Path) -> Array:
    """The array of a ``.npy`` file.

    Raises ModelError when the header does not fit the file or the entries are Python objects, and
    OSError when the file cannot be opened.
    """
    path = Path(path)
    with path.open("rb") as stream:
        try:
            _check_header(stream, path.stat().st_size, path.name)
            stream.seek(0)
            return np.asarray(np.load(stream, allow_pickle=False))
        except _BROKEN as problem:
            raise _broken(path.name, problem) from problem


def read_archive(path: str | Path, allowed: tuple[str, ...]) -> dict[str, Array]:
    """The arrays of a ``.npz`` archive, whose names must be allowed.

    Raises ModelError naming the member at fault, and OSError when the file cannot be opened.
    """
    path = Path(path)
    with path.open("rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                _check_members(archive, path, allowed)
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except _BROKEN as problem:
            raise _broken(path.name, problem) from problem


def _check_members(archive: zipfile.ZipFile, path: Path, allowed: tuple[str, ...]) -> None:
    members = archive.infolist()
    _check_names([member.filename.removesuffix(".npy") for member in members], path.name, allowed)
    total, most = sum(member.file_size for member in members), path.stat().st_size * LARGEST_RATIO
    if total > max(SMALL_ARCHIVE, most):
        raise ModelError(
            f"{path.name} unpacks to {total} bytes, more than {LARGEST_RATIO} times its size; save "
            "it uncompressed with numpy.savez if this is right"
        )
    for member in members:
        with archive.open(member) as stream:
            _check_header(stream, member.file_size, f"{path.name}, {member.filename}")


def _check_names(names: list[str], where: str, allowed: tuple[str, ...]) -> None:
    for name in names:
        if name not in allowed or names.count(name) > 1:
            what = "twice" if name in allowed else f"but only {', '.join(allowed)} are read"
            raise ModelError(
                f"{where} holds {name[:60]!r}, {what}; a model archive is what "
                "holdfast.solvers.save writes, models from other arrays are made by from_arrays"
            )


def _check_header(stream: IO[bytes], size: int, where: str) -> None:
    """Raises ModelError unless the header promises as many bytes as there are."""
    version = np.lib.format.read_magic(stream)  # type: ignore[no-untyped-call,unused-ignore]
    if version not in _HEADERS:
        raise ModelError(f"{where}: version {version} of the format is not read; save it again")
    shape, _, dtype = _HEADERS[version](stream)  # type: ignore[no-untyped-call,unused-ignore]
    if dtype.hasobject:
        raise ModelError(
            f"{where} holds Python objects, which are never unpacked; save integers, or texts p/q"
        )
    promised = stream.tell() + math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or promised != size:
        raise ModelError(
            f"{where}: the header is for shape {str(shape)[:60]} of {dtype}, {promised} bytes, and "
            f"there are {size}; save it again"
        )


def _broken(name: str, problem: Exception) -> ModelError:
    if isinstance(problem, ModelError):
        return problem
    return ModelError(
        f"{name} is corrupted or no file of numpy arrays ({type(problem).__name__}: "
        f"{str(problem)[:200]}); save it again"
    )
