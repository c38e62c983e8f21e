"""Where words and numbers of an audit go: with ``--json -`` the numbers alone are output."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ...terminal import output
from ...terminal.json_files import json_text, write_json

_OUTPUT = "-"


def file_of(json_path: str | None) -> str | None:
    """The file that ``--json`` names; None where it names none."""
    return None if json_path == _OUTPUT else json_path


def console_beside(json_path: str | None) -> output.Console:
    """Where words go: beside the numbers, where these are the output."""
    return output.console(sys.stderr if json_path == _OUTPUT else None)


def write_beside(
    console: output.Console, document: Mapping[str, Any], json_path: str | None
) -> None:
    """Write the numbers, if that was asked, and say where."""
    if json_path == _OUTPUT:
        sys.stdout.write(json_text(document, indent=2) + "\n")
    elif json_path:
        write_json(document, json_path)
        console.print(f"numbers: {output.plain(json_path)}", highlight=False)
