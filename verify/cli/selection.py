"""Claims as a person names them: labels, patterns, areas, files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

import click

from holdfast.verify.binding.claims import Claim, is_shipped, load, shipped


def select(patterns: Sequence[str]) -> tuple[Claim, ...]:
    """The claims that match any pattern; all shipped ones if there is none.

    A pattern is a label (``cmdp/multiplier-bound``), with ``*`` and ``?``, a pillar, an area, a
    file of claims, or claims of a file, ``mine.py::area/*``.  A label may also be of a file that is
    given beside it.

    Raises
    ------
    click.BadParameter: if a pattern matches nothing, with the nearest labels.
    ClaimError: if a file cannot be loaded.
    """
    if not patterns:
        return tuple(shipped())
    split = [_split(pattern) for pattern in patterns]
    sources = {"": _named(shipped([label for file, label in split if not file]))}
    for file in dict.fromkeys(file for file, _ in split if file):
        sources[file] = _named(load(Path(file)))
        sources[""] |= sources[file]
    chosen: dict[str, Claim] = {}
    for file, label in split:
        chosen |= _found(sources[file], file, label)
    return tuple(chosen.values())


def to_examine(patterns: Sequence[str]) -> tuple[tuple[Claim, ...], tuple[Claim, ...]]:
    """(those to examine, those left out) of the claims that match any pattern.

    Claims about trained networks cost a training run each; they are examined where a pattern names
    their tag, as in ``*#neural``, and left out otherwise.

    Raises
    ------
    click.BadParameter: as `select`, or if nothing is left to examine.
    ClaimError: if a file cannot be loaded.
    """
    claims = select(patterns)
    tagged = [pattern for pattern in patterns if "#" in _split(pattern)[1]]
    asked = {claim.name for claim in select(tagged)} if tagged else set()
    left_out = tuple(claim for claim in claims if claim.trained and claim.name not in asked)
    if len(left_out) == len(claims):
        names = named_with_tags(left_out)
        raise click.BadParameter(
            f"{' '.join(patterns)} matches claims about trained networks alone; name them with "
            f"their tag, as in holdfast verify {names} --budget 3, to train and judge them"
        )
    return tuple(claim for claim in claims if claim not in left_out), left_out


def named_with_tags(claims: Iterable[Claim]) -> str:
    """Quoted patterns that match these claims about trained networks, and no others of those.

    ``*#TAG`` or ``AREA/*#TAG`` where all that it matches are meant, else their names; before them
    the file where a claim is of one.
    """
    meant = [(claim.name, "" if is_shipped(claim.file) else f"{claim.file}::") for claim in claims]
    found: dict[str, None] = {}
    for name, file in meant:
        tag, area = name.rpartition("#")[2], name.partition("/")[0]
        for pattern in (f"*#{tag}", f"{area}/*#{tag}", name):
            matched = {claim.name for claim in select([file + pattern]) if claim.trained}
            if matched <= {one for one, _ in meant} and (len(matched) > 1 or pattern == name):
                found[f"'{file}{pattern}'"] = None
                break
    return " ".join(found)


def _named(claims: Iterable[Claim]) -> dict[str, Claim]:
    return {claim.name: claim for claim in claims}


def _found(among: dict[str, Claim], file: str, label: str) -> dict[str, Claim]:
    found = {name: claim for name, claim in among.items() if _matches(claim, label)}
    if not found:
        raise click.BadParameter(_absent(file, label, list(among)))
    return found


def one(label: str) -> Claim:
    """The claim of that label; raises click.BadParameter if it is not exactly one."""
    claims = select([label])
    exact = [claim for claim in claims if claim.name == _split(label)[1]]
    if len(exact) == 1 or len(claims) == 1:
        return (exact or list(claims))[0]
    raise click.BadParameter(
        f"{label!r} matches {len(claims)} claims: {', '.join(claim.name for claim in claims)}"
    )


def _split(pattern: str) -> tuple[str, str]:
    """(file of claims or nothing, label) of a pattern; a file alone means all that it claims."""
    if pattern.endswith(".py"):
        return pattern, "*"
    file, mark, label = pattern.partition(".py::")
    return (file + ".py", label) if mark else ("", pattern)


def _absent(file: str, label: str, names: list[str]) -> str:
    if file:
        return f"{file} has no theorem {label!r}; it has {', '.join(names)}"
    near = get_close_matches(label, names, n=3, cutoff=0.4)
    hint = f"; did you mean {', '.join(near)}?" if near else "."
    return f"no theorem matches {label!r}{hint} `holdfast list` shows them all."


def _matches(claim: Claim, pattern: str) -> bool:
    """By name, by label with all tags, or by pillar (the folder of its claims) or area."""
    label = claim.name.partition("#")[0]
    named = [label, label.partition("/")[0]]
    if is_shipped(claim.file):
        named.append(Path(claim.file).parent.parent.name)
    return fnmatchcase(claim.name, pattern) or pattern in named
