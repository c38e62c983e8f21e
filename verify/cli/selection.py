"""Claims as a person names them: labels, patterns, areas, files."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

import click

from holdfast.verify.binding import Claim, load, shipped


def select(patterns: Sequence[str]) -> tuple[Claim, ...]:
    """The claims that match any pattern; all shipped ones if there is none.

    A pattern is a label (``cmdp/multiplier-bound``), with ``*`` and ``?``, or a file of claims.

    Raises
    ------
    click.BadParameter: if a pattern matches nothing, with the nearest labels.
    """
    known = {claim.name: claim for claim in shipped()}
    if not patterns:
        return tuple(known.values())
    chosen: dict[str, Claim] = {}
    for pattern in patterns:
        if pattern.endswith(".py"):
            found = {claim.name: claim for claim in load(Path(pattern))}
        else:
            found = {name: claim for name, claim in known.items() if _matches(name, pattern)}
        if not found:
            raise click.BadParameter(_unknown(pattern, list(known)))
        chosen |= found
    return tuple(chosen.values())


def one(label: str) -> Claim:
    """The claim of that label; raises click.BadParameter if it is not exactly one."""
    claims = select([label])
    exact = [claim for claim in claims if claim.name == label]
    if len(exact) == 1 or len(claims) == 1:
        return (exact or list(claims))[0]
    raise click.BadParameter(
        f"{label!r} matches {len(claims)} claims: {', '.join(claim.name for claim in claims)}"
    )


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or name.partition("#")[0] == pattern


def _unknown(pattern: str, names: list[str]) -> str:
    near = get_close_matches(pattern, names, n=3, cutoff=0.4)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    return f"no theorem matches {pattern!r}{hint} `holdfast list` shows them all."
