"""``.lab`` files: which states carry which label."""

from __future__ import annotations

import re
from pathlib import Path

from ....errors import ModelError
from .lines import Lines

_DECLARED = re.compile(r'\s*([0-9]{1,18})="([^"]+)"')


def read_labels(path: Path, n_states: int) -> dict[str, tuple[int, ...]]:
    """The states of each declared label, in the order of the declaration."""
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
