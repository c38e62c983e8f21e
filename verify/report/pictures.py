"""Figures as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.solvers.whole_files import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


SUFFIXES = (".png", ".svg", ".pdf")


def check_suffix(path: str | Path) -> Path:
    """The path; raises ValueError unless its suffix is that of a format that is drawn."""
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"cannot draw {path.name}: the suffix must be one of {', '.join(SUFFIXES)}"
        )
    return path


def write(figure: Figure, path: str | Path) -> Path:
    """Write the figure in the format of the suffix; raises ValueError for one that has none."""
    path = check_suffix(path)
    with whole(path) as unfinished:
        undated = {"Date": None} if path.suffix.lower() == ".svg" else None
        figure.savefig(unfinished, dpi=150, metadata=undated)
    return path
