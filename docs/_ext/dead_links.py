"""Every link inside of the built pages leads somewhere: a page that is there, and a place in it."""

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util import logging

_LINK = re.compile(r"""<(?:a|link|img|script|source)\b[^>]*?\s(?:href|src)=(["'])(.*?)\1""", re.S)
_PLACE = re.compile(r"""\s(?:id|name)=(["'])(.*?)\1""")


def dead_links(folder: Path) -> Iterator[str]:
    """``page: link`` for each link of the pages in a folder that leads nowhere in it."""
    root = folder.resolve()

    @cache
    def places(page: Path) -> frozenset[str]:
        text = page.read_text(encoding="utf-8")
        return frozenset(unescape(found[2]) for found in _PLACE.finditer(text))

    @cache
    def is_there(target: Path) -> bool:
        return target.is_file()

    for page in sorted(root.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        for link in dict.fromkeys(unescape(found[2]) for found in _LINK.finditer(text)):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            wanted = unquote(parts.fragment)
            there = target.is_relative_to(root) and is_there(target)
            if not there or (wanted and target.suffix == ".html" and wanted not in places(target)):
                yield f"{page.relative_to(root)}: {link}"


def report(app: Sphinx, exception: Exception | None) -> None:
    """Warn of each dead link of a finished build; `make docs` makes errors of warnings."""
    if exception is None and app.builder.name == "html":
        for line in dead_links(Path(app.outdir)):
            logging.getLogger(__name__).warning("dead link in %s", line, type="dead_link")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", report, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
