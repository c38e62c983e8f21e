"""``.lab`` files: which states carry which label."""

from __future__ import annotations

import re
from pathlib import Path

from ....errors import ModelError
from .lines import Lines

_DECLARED = re.compile(r'\s*([0-9]{1,18})="([^"]+)"')
_BEGINS, _ENDS = "#DECLARATION", "#END"  # of the names in Storm's files


def read_labels(path: Path, n_states: int) -> dict[str, tuple[int, ...]]:
    """The states of each declared label, in the order of the declaration."""
    if _is_storm(path):
        return _read_storm(path, n_states)
    lines = Lines(path)
    names = _declaration(lines)
    found: dict[str, set[int]] = {name: set() for name in names.values()}
    for fields in lines:
        head, colon, rest = " ".join(fields).partition(":")
        if not colon:
            raise lines.fail(f"the row is {head[:40]!r}; it must be 'state: index index ...'")
        state = lines.state(head.strip(), n_states)
        for text in rest.split():
            index = lines.count(text, "the label")
            if index not in names:
                known = ", ".join(f"{i} ({name})" for i, name in names.items())
                raise lines.fail(f"label {index} is not declared; there are {known}")
            found[names[index]].add(state)
    return {name: tuple(sorted(states)) for name, states in found.items()}


def _is_storm(path: Path) -> bool:
    return next(iter(Lines(path, comment="//")), [""])[0] == _BEGINS


def _read_storm(path: Path, n_states: int) -> dict[str, tuple[int, ...]]:
    """``#DECLARATION``, names, ``#END``; then rows of a state and its labels."""
    lines = Lines(path, comment="//")
    next(iter(lines))
    found: dict[str, set[int]] = {}
    for fields in lines:
        if fields == [_ENDS]:
            break
        found.update((name, set()) for name in fields)
    else:
        raise lines.fail(f"{_BEGINS} is not followed by {_ENDS}")
    for state, *names in lines:
        place = lines.state(state, n_states)
        for name in names:
            if name not in found:
                raise lines.fail(f"label {name!r} is not declared; there are {', '.join(found)}")
            found[name].add(place)
    return {name: tuple(sorted(states)) for name, states in found.items()}


def _declaration(lines: Lines) -> dict[int, str]:
    names: dict[int, str] = {}
    for fields in lines:
        text, position = " ".join(fields), 0
        while position < len(text):
            match = _DECLARED.match(text, position)
            if match is None:
                raise lines.fail(
                    f"cannot read {text[position : position + 40]!r}; the first line declares the "
                    'labels as 0="init" 1="deadlock" ...'
                )
            index, name, position = int(match[1]), match[2], match.end()
            if index in names or name in names.values():
                raise lines.fail(f'label {index}="{name}" repeats an index or a name')
            names[index] = name
        return names
    raise ModelError(f"{lines.path.name} is empty; its first line declares the labels")
