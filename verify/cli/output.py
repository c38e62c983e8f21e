"""The console that commands print to."""

from __future__ import annotations

from rich.console import Console

_PIPED_WIDTH = 128


def console() -> Console:
    """As wide as the terminal; wide enough for the tables where output goes to a file or a pipe."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=_PIPED_WIDTH)
