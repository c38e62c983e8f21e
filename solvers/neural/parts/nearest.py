"""What was meant by a name that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

_LIKE = 0.6
"""Of 1: with less, names that have nothing to do with each other are taken for slips."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is only a slip away; None where each is another word.

    Pillar, namespace and version, which many names share, are left out.
    """
    bare = {_bare(one): one for one in known}
    near = get_close_matches(_bare(name), bare, n=1, cutoff=_LIKE)
    return bare[near[0]] if near else None


def _bare(name: str) -> str:
    return re.sub("-v[0-9]+$", "", name.rpartition("/")[2]).lower()
