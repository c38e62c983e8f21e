"""Where a command will write, looked at before it works: all that is wrong is said at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import click

from holdfast.verify.report.visible import one_line

MEMORY = ":memory:"
"""A store that is forgotten; no file."""

Named = Iterable[tuple[str, str | None]]
"""Options with the paths that were given, as ``("--json", "run.json")``; None was not given."""


def check_targets(targets: Named, reads: Mapping[str, str] | None = None) -> None:
    """See that each file can be written and is written once, and that none of them is read.

    reads: what the command reads, as ``{"the model": "lake.json"}``.

    Raises
    ------
    click.BadParameter: with the option, the path and the remedy.
    """
    taken = {_place(path): f"{what} {one_line(path)}" for what, path in (reads or {}).items()}
    for option, path in targets:
        if path is None or path == MEMORY:
            continue
        if path == "-":
            raise click.BadParameter(
                f"{option} -: this command does not take - for its output; name a file, or "
                "/dev/stdout"
            )
        if _is_device(path):
            _check_device(option, path)
            continue  # a device may take several outputs
        _check_file(option, path)
        shown, place = f"{option} {one_line(path)}", _place(path)
        if place in taken:
            raise click.BadParameter(
                f"{shown} is the same file as {taken[place]}; give each a file of its own"
            )
        taken[place] = shown


def prepare_store(path: str, targets: Named) -> None:
    """Make the folders of a store, of its certificates' and of what else is written; see to all.

    Raises click.BadParameter as `check_targets`.
    """
    given = [(option, target) for option, target in targets if target is not None]
    for option, target in given:
        make_folder(option, Path(target).parent)
    if path != MEMORY:
        make_folder("--store", Path(path).parent)
    certificates = certificates_of(path)
    if certificates is not None and certificates.exists() and not certificates.is_dir():
        raise click.BadParameter(
            f"--store {path}: certificates go to the folder {certificates}, which is a file; move "
            "it away or choose another folder for the store"
        )
    check_targets([("--store", path), *given])


def certificates_of(store: str) -> Path | None:
    """The folder of its certificates; None for a store in memory, which leaves no file behind."""
    return None if store == MEMORY else Path(store).parent / "certificates"


def make_folder(option: str, path: str | Path) -> None:
    """Make the folder, where missing, in which `option` will write.

    Raises click.BadParameter if that cannot be.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(
            f"{option}: the folder {one_line(str(path))} cannot be made: {error.strerror}; choose "
            "another folder"
        ) from error


def check_picture(path: str | None) -> None:
    """Raises click.BadParameter unless the suffix is that of a picture."""
    if path is None:
        return
    from holdfast.verify.report.pictures import check_suffix

    try:
        check_suffix(path)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _place(path: str) -> str:
    return os.path.realpath(path)


def _is_device(path: str) -> bool:
    """Whether it is a device or a pipe, such as /dev/stdout."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _check_file(option: str, path: str) -> None:
    if path and _is_output(path):
        raise click.BadParameter(
            f"{option} {one_line(path)} is where the output of this command goes, which would be "
            "lost; choose another path"
        )
    place = Path(_place(path))
    if not path or place.is_dir():
        what = f"{one_line(path)} is a folder" if path else "the path is empty"
        raise click.BadParameter(f"{option}: {what}; name a file")
    if not place.parent.is_dir():
        raise click.BadParameter(
            f"{option} {one_line(path)}: there is no folder {place.parent}; make it"
        )
    try:
        _try_to_write(place)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise click.BadParameter(
            f"{option} {one_line(path)} cannot be written: {reason}; choose another path"
        ) from error


def _try_to_write(place: Path) -> None:
    if place.exists() and not os.access(place, os.W_OK):
        raise PermissionError(0, "the file is protected against writing")
    if place.is_file() or not place.exists():
        tempfile.TemporaryFile(dir=place.parent).close()


def _check_device(option: str, path: str) -> None:
    """Of a device or a pipe, whose real place need be no path, as that of /dev/stdout."""
    place = Path(_place(path))
    if place.exists() and not place.is_char_device():
        raise click.BadParameter(
            f"{option} {one_line(path)} is a pipe with a name, a socket or a disk, which might "
            "never take what is written; name a file, or /dev/stdout"
        )
    if not os.access(path, os.W_OK):
        raise click.BadParameter(
            f"{option} {one_line(path)} cannot be written: it is protected; choose another path"
        )


def _is_output(path: str) -> bool:
    """Whether it is the file that standard output or error was redirected to."""
    for number in (1, 2):
        with suppress(OSError, ValueError):
            if os.path.samestat(os.stat(path), os.fstat(number)):
                return True
    return False
