"""Verification from Python: claims by name or as objects, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from .binding.claims import Claim
from .campaign.schedule import Budget
from .campaign.summary import RunSummary
from .cli.selection import to_examine
from .search.refutations import examine


def verify(
    *claims: Claim | str,
    budget: str | int = 100,
    seed: int = 0,
    jobs: int = 1,
    on: Mapping[str, Any] | None = None,
    store: str | Path = ":memory:",
    certificates: str | Path | None = None,
) -> RunSummary:
    """Examine claims as ``holdfast verify`` does, and return what became of each.

    Args:
        claims: claims of yours, or what the command takes: labels, patterns, pillars, files; at
            least one.
        budget: models of each claim, or a time such as "60s".
        seed: of the drawn models.
        jobs: processes; more than 1 only for claims that lie in files.
        on: models of yours, by a name each; the claims are then examined on these alone.
        store: database of the findings, by default forgotten.
        certificates: a folder for those of counterexamples, which are then shrunk and certified.

    Returns a summary with ``table()``, a readable text, and a table in notebooks; its ``exit_code``
    is that of the command.  Raises ValueError where a name matches nothing or a budget is none,
    and as `run_campaign`.
    """
    if not claims:
        raise ValueError('name claims, such as verify("cmdp/*"); "*" are all of them')
    for one in claims:
        if not isinstance(one, str | Claim):
            raise ValueError(f"{one!r:.60} is no claim; give labels, files, or claims of yours")
    patterns = [one for one in claims if isinstance(one, str)]
    try:
        found = to_examine(patterns)[0] if patterns else ()
        parsed = Budget.parse(str(budget))
    except click.UsageError as error:
        raise ValueError(error.format_message()) from error
    chosen = (*found, *(one for one in claims if not isinstance(one, str)))
    return examine(
        chosen,
        budget=parsed,
        seed=seed,
        store=store,
        certificates=None if certificates is None else Path(certificates),
        jobs=jobs,
        worlds=on or {},
        worlds_only=bool(on),
    )
