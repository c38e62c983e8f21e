"""Rich text that shows control characters, which rich itself drops or passes on."""

from __future__ import annotations

from typing import Any, Self

from rich.text import Text

from .visible import visible


class VisibleText(Text):
    """A `rich.text.Text` whose text has passed `visible`."""

    def __init__(self, text: str = "", *arguments: Any, **options: Any) -> None:
        super().__init__(visible(text), *arguments, **options)

    def append(self, text: Text | str, style: Any = None) -> Self:
        """As `rich.text.Text.append`."""
        super().append(visible(text) if isinstance(text, str) else text, style)
        return self
