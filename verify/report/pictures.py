"""Figures: the style that they share, as files, and with a caption in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.solvers.whole_files import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


SUFFIXES = (".png", ".svg", ".pdf")
STYLE = "holdfast.verify.report.figures"
"""Of every figure, as ``plt.style.use`` takes it: figures.mplstyle beside this file."""


@contextmanager
def styled() -> Iterator[None]:
    """``@styled()`` before a function, or ``with styled():``, draws figures in `STYLE`."""
    from matplotlib import style

    with style.context(STYLE):
        yield


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


def show(caption: str) -> None:
    """In a notebook: display the current figure of pyplot with words under it, and close it.

    They are also what a reader who cannot see the figure hears.
    """
    from base64 import b64encode
    from html import escape
    from io import BytesIO

    from IPython.display import HTML, display
    from matplotlib import pyplot

    drawn = BytesIO()
    pyplot.savefig(drawn, format="svg")
    pyplot.close()
    words, source = escape(caption), b64encode(drawn.getvalue()).decode()
    display(HTML(_FIGURE.format(words=words, source=source)))  # type: ignore[no-untyped-call]


_FIGURE = """\
<figure style="margin: 0.5rem 0; max-width: 48rem">
<img alt="{words}" src="data:image/svg+xml;base64,{source}" style="max-width: 100%">
<figcaption style="font: 13px/1.5 system-ui, sans-serif; opacity: 0.75">{words}</figcaption>
</figure>
"""
