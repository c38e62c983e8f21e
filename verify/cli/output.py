"""The console that commands print to, and the certificates they write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.console import Console

from holdfast.verify.kernel import check

_PIPED_WIDTH = 128


def console() -> Console:
    """As wide as the terminal; wide enough for the tables where output goes to a file or a pipe."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=_PIPED_WIDTH)


def write_certificate(console: Console, document: Mapping[str, Any], path: Path) -> bool:
    """Write a certificate, have the kernel check it, say so; whether it was accepted."""
    path.write_text(json.dumps(document))
    report = check(document)
    verdict = "accepted by the kernel" if report.accepted else f"REJECTED: {report.steps[-1]}"
    console.print(f"\ncertificate: {path} ([bold]{verdict}[/bold]; holdfast check {path})")
    return report.accepted


def path_for_level(path: Path, level: Fraction) -> Path:
    """``out.certificate.json`` as ``out.risk-1-20.certificate.json``."""
    name = path.name.removesuffix(".json").removesuffix(".certificate")
    return path.with_name(f"{name}.risk-{str(level).replace('/', '-')}.certificate.json")
