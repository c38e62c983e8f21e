"""Versions of everything that a verdict rests on, as the package's own metadata names it."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from functools import cache
from importlib import metadata

from holdfast import __version__


@cache
def required() -> tuple[str, ...]:
    """The packages that holdfast needs, without those of extras."""
    lines = metadata.requires("holdfast") or []
    names = (re.match(r"[\w.-]+", line) for line in lines if "extra ==" not in line)
    return tuple(name.group() for name in names if name is not None)


def versions() -> dict[str, str]:
    """Versions of everything that a verdict rests on, importing none of it."""
    found = {"holdfast": __version__, "python": platform.python_version()}
    return {**found, **_installed(required()), "platform": platform.platform()}


def trained_with() -> dict[str, str]:
    """Versions of what a verdict on a trained network rests on besides: the extra ``neural``."""
    lines = metadata.requires("holdfast") or []
    named = (re.match(r"[\w.-]+", line) for line in lines if re.search(r"extra == .neural.", line))
    return _installed(name.group() for name in named if name is not None)


def _installed(packages: Iterable[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found
