"""The console that commands print to.

`Console` is the door to the terminal: whatever passes it cannot steer the terminal, and of markup
it knows the few tags of `STYLES` and nothing else, so that no file can put in links or colours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import IO, Any

import rich.console
from rich.segment import Segment
from rich.status import Status
from rich.text import Text

from holdfast.verify.report.numbers import shorten
from holdfast.verify.report.visible import one_line, visible

STYLES = ("bold red", "bold", "dim")
"""The tags, as ``[bold]...[/bold]``, that our own messages may hold."""

_TAG = re.compile(rf"\[(/?)({'|'.join(STYLES)})\]")
_BRACKET = "\ue05b"
"""Private character that stands for a bracket that opens no tag, from `plain` to the console."""

_PIPED_WIDTH = 128  # of output that goes to a file: wide enough for the tables, not for paper


def plain(text: object) -> str:
    """A name from a file or a command line, for use in a message: one line, no markup."""
    return one_line(str(text)).replace("[", _BRACKET)


class Console(rich.console.Console):
    """Shows text as it is: control characters visible, no emoji codes, no markup but our own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(emoji=False, **options)

    def render_str(self, text: str, *, markup: bool | None = None, **options: Any) -> Text:
        """As rich's, with the markup of `STYLES` alone; a stray tag is text like any other."""
        shown = _BRACKET.join(map(visible, text.split(_BRACKET)))
        body = "".join(_pieces(shown)) if markup is not False else shown
        rendered = super().render_str(body.replace(_BRACKET, "["), markup=False, **options)
        if markup is not False:
            for style, start, end in _spans(shown):
                rendered.stylize(style, start, end)
        return rendered

    def render(self, *arguments: Any, **options: Any) -> Iterable[Segment]:
        """As rich's; text that did not come as a string, but as a renderable, is made visible."""
        for text, style, control in super().render(*arguments, **options):
            yield Segment(text if control else visible(text), style, control)

    def status(self, status: rich.console.RenderableType, **options: Any) -> Status:
        """As rich's, the words shown as they are."""
        shown = self.render_str(status) if isinstance(status, str) else status
        return super().status(shown, **options)

    def on_broken_pipe(self) -> None:
        """Leaves the exit code to the command line; rich's own is 1, which means a violation."""
        self.quiet = True
        raise BrokenPipeError


def _paired(text: str) -> list[tuple[re.Match[str], re.Match[str]]]:
    """Opening tags with the nearest closing tag of the same name, where one follows at once."""
    tags = list(_TAG.finditer(text))
    return [
        (first, last)
        for first, last in pairwise(tags)
        if not first[1] and last[1] and first[2] == last[2]
    ]


def _pieces(text: str) -> Iterable[str]:
    """The text without the tags that make a pair."""
    since = 0
    for tag in (tag for pair in _paired(text) for tag in pair):
        yield text[since : tag.start()]
        since = tag.end()
    yield text[since:]


def _spans(text: str) -> Iterable[tuple[str, int, int]]:
    """Style, first and last position of what the pairs enclose, in the text without them."""
    removed = 0
    for first, last in _paired(text):
        removed += len(first[0])
        yield first[2], first.end() - removed, last.start() - removed
        removed += len(last[0])


def console(file: IO[str] | None = None) -> Console:
    """As wide as the terminal; wide enough for the tables where output goes to a file or a pipe.

    file: where it prints, by default to standard output.
    """
    terminal = Console(file=file)
    return terminal if terminal.is_terminal else Console(file=file, width=_PIPED_WIDTH)


def print_number(console: rich.console.Console, name: str, number: str, rest: str) -> None:
    """A number of many digits, shortened to the width, and the rest beside it or under it."""
    room = console.width - 12
    shown = shorten(number, max(20, min(60, room)))
    between = " " if len(shown) + len(rest) < room else f"\n{'':<12}"
    console.print(f"{name:<12}{shown}{between}{rest}".rstrip(), highlight=False)
