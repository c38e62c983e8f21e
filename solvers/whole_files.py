"""Files are written whole or not at all: under another name in the same folder, then moved.

What is read is a regular file: a pipe may never end, or never begin.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ModelError


def regular(path: Path, remedy: str) -> Path:
    """The path; raises ModelError, which says what is there, unless it is a regular file."""
    if not path.exists():
        raise ModelError(f"there is no file {path}; {remedy}")
    if not path.is_file():
        what = "a folder" if path.is_dir() else "a pipe or a device"
        raise ModelError(f"{path} is {what}, and no file; {remedy}")
    return path


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A name to write to, of the same suffix; on leaving, the file moves to `path`.

    Whatever is raised inside leaves the file that was there before as it was.  A link stays a link.
    What is no regular file, such as a device or a pipe, cannot be replaced and is written in place.

    Raises
    ------
    OSError: if the folder cannot be written or the disk is full; it names `path`.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        yield path
        return
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(f".holdfast-{secrets.token_hex(8)}{target.suffix}")
    try:
        yield unfinished
        if target.exists():
            shutil.copymode(target, unfinished)
        os.replace(unfinished, target)
    except OSError as error:
        if error.filename == str(unfinished):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> Path:
    """Write the text, UTF-8, whole or not at all; returns the path.  Raises OSError as `whole`."""
    with whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return Path(path)


def append_line(path: str | Path, line: str) -> None:
    """Add a line of UTF-8 to the file; one that does not fit on the disk is taken back.

    Raises OSError if the file cannot be written.
    """
    with Path(path).open("ab", buffering=0) as stream:
        size = stream.seek(0, os.SEEK_END) if stream.seekable() else 0
        data = (line + "\n").encode()
        if (written := stream.write(data)) != len(data):
            stream.truncate(size)
            raise OSError(errno.ENOSPC, f"{written} of {len(data)} bytes were written", str(path))
