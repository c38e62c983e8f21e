"""Where certificates go: to the file that was named, or to one of their own under `FOLDER`.

A file that was not named bears a part of the digest of what it says, so that none replaces another.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.console import Console

from holdfast.solvers.whole_files import write_text
from holdfast.verify.kernel import OWN_WORK, WORK, Report, check

from .output import plain
from .targets import make_folder

FOLDER = Path(".holdfast", "certificates")
"""Of the certificates that no option names a file for, in the current folder."""

_NAME = 40
"""Letters of a model's name in the name of a file, which may have 255 bytes."""


def make_room(given: str | None) -> None:
    """Make the folder of a certificate for which no file is given; click.BadParameter if it cannot
    be made."""
    if given is None:
        make_folder("--certificate", FOLDER)


def kept(document: Mapping[str, Any], given: str | None, name: str) -> Path:
    """Write a certificate to the file that was given, or to one of its own; name: of its model."""
    text = json.dumps(document, allow_nan=False)
    if given is not None:
        return write_text(given, text)
    stem = Path(name).stem if Path(name).exists() else name.removeprefix("gym:")
    words = re.sub(r"[^\w.]+", "-", stem).strip("-.")[:_NAME]
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return write_text(FOLDER / f"{words}-{digest}.json", text)


def checked(document: Mapping[str, Any]) -> tuple[Report, str]:
    """What the kernel says of a document of one's own, and the option, if any, with which ``check``
    says the same: a large one may need more time than a stranger's is given."""
    report = check(document)
    if report.accepted:
        return report, ""
    report = check(document, OWN_WORK)
    return report, f"--budget {OWN_WORK // WORK}s " if report.accepted else ""


def write_certificate(
    console: Console, document: Mapping[str, Any], given: str | None, name: str
) -> bool:
    """Write a certificate as `kept`, have the kernel check it, say so; whether it was accepted."""
    report, option = checked(document)
    verdict = "accepted by the kernel" if report.accepted else f"REJECTED: {report.steps[-1]}"
    say_certificate(console, kept(document, given, name), verdict, option)
    return report.accepted


def say_certificate(console: Console, path: Path, verdict: str, option: str) -> None:
    """Two lines: what the kernel says, and the command that checks it again, to be copied whole."""
    console.print(f"\ncertificate: [bold]{plain(verdict)}[/bold]; to check it again:")
    console.print(f"  holdfast check {option}{plain(path)}", highlight=False, soft_wrap=True)


def path_for_level(path: str, level: Fraction) -> str:
    """``out.certificate.json`` as ``out.risk-1-20.certificate.json``."""
    name = Path(path).name.removesuffix(".json").removesuffix(".certificate")
    ending = f"risk-{str(level).replace('/', '-')}.certificate.json"
    return str(Path(path).with_name(f"{name}.{ending}"))
