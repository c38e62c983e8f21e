"""Stores as a person names them: by a file, or by the name of a campaign."""

from __future__ import annotations

import re
from pathlib import Path

import click

from holdfast.solvers.whole_files import regular
from holdfast.verify.campaign.results import split

FOLDER = Path(".holdfast")
"""Where the stores of campaigns lie, each as NAME.sqlite, beside those of other commands."""


def campaign_store(name: str) -> str:
    """The file of a campaign, there or not: that of a name, or the path itself if it has a folder
    or the suffix ``.sqlite``.  Raises click.BadParameter if it is neither."""
    if "/" in name or name.endswith(".sqlite"):
        return name
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise click.BadParameter(
            f"{name!r} is not a name of letters, digits, _, - and ., such as night-1; it becomes "
            f"the file {FOLDER / 'NAME.sqlite'}"
        )
    return str(FOLDER / f"{name}.sqlite")


def existing_store(name: str) -> tuple[str, int | None]:
    """(file, number of the run or None for the newest) of ``NAME``, ``FILE``, ``NAME:N`` and so on.

    Raises click.BadParameter if there is no such file, with the campaigns that there are;
    ModelError if there is something else of that name.
    """
    path, number = split(name)
    place = str(path) if path.is_file() or "/" in name else campaign_store(str(path))
    for there in (Path(place), path):
        if there.exists():
            return str(regular(there, "name a campaign, or a store of findings")), number
    known = ", ".join(sorted(one.stem for one in FOLDER.glob("*.sqlite"))) or "none"
    raise click.BadParameter(
        f"there is no campaign {name} ({place} is not there); in this folder there are: {known}"
    )
