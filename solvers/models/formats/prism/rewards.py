"""Reward structures: ``.srew`` and ``.trew`` files folded into one exact number a choice."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

from ....errors import ModelError
from .lines import Lines
from .transitions import Transitions, place, split_row

#: A file, a stem whose .srew and .trew both count, or several of these, which are added.
Structure: TypeAlias = str | Path | Sequence[str | Path]

_SUFFIXES = (".srew", ".trew")
_NAMED = re.compile(r'# Reward structure "([^"]+)"')
_HEADER = 1000  # characters of a first line


def structure_files(structure: Structure) -> list[Path]:
    """The files of a reward structure; raises ModelError when a stem has none."""
    if isinstance(structure, (str, Path)):
        path = Path(structure)
        if path.suffix in _SUFFIXES:
            return [path]
        found = beside(path)
        if not found:
            raise ModelError(
                f"neither {path.name}.srew nor {path.name}.trew is in {path.parent}; name a file "
                "of rewards, or the part of its name before the suffix"
            )
        return found
    return [path for part in structure for path in structure_files(part)]


def beside(stem: Path) -> list[Path]:
    """The reward files that have this stem, if any."""
    paths = [stem.with_name(stem.name + suffix) for suffix in _SUFFIXES]
    return [path for path in paths if path.exists()]


def named_structures(stem: Path) -> dict[str, list[Path]]:
    """Name -> files, of PRISM's own exports of several structures: MODEL1.srew, MODEL2.trew and so
    on, each with a comment that names it."""
    found: dict[str, list[Path]] = {}
    numbered = re.compile(re.escape(stem.name) + "[0-9]{1,9}")
    for path in sorted(stem.parent.glob(glob.escape(stem.name) + "*")):
        if path.suffix in _SUFFIXES and numbered.fullmatch(path.stem):
            with path.open(encoding="utf-8", errors="replace") as stream:
                first = _NAMED.match(stream.readline(_HEADER))
            found.setdefault(first[1] if first else path.stem, []).append(path)
    return found


def read_rewards(files: Sequence[Path], model: Transitions) -> list[list[Fraction]]:
    """r(s, k) = state reward of s + sum_t P(t | s, k) transition reward, as [state][choice]."""
    totals = [[Fraction(0)] * len(choices) for choices in model.choices]
    for path in files:
        if path.suffix == ".srew":
            _add_states(Lines(path), model, totals)
        else:
            _add_transitions(Lines(path), model, totals)
    return totals


def _add_states(lines: Lines, model: Transitions, totals: list[list[Fraction]]) -> None:
    n_states, promised = model.n_states, None
    if model.sized:
        *given, promised = lines.sizes('"states nonzero"', (2,))
        _check_sizes(lines, given, [n_states])
    seen: set[int] = set()
    for fields in lines:
        if len(fields) != 2:
            raise lines.fail(f"the row has {len(fields)} fields; it must be 'state reward'")
        state = lines.state(fields[0], n_states)
        if state in seen:
            raise lines.fail(f"state {state} is listed twice; leave one out, or add the two")
        seen.add(state)
        value = lines.rational(fields[1], "the reward")
        totals[state] = [total + value for total in totals[state]]
    if promised is not None:
        lines.check_count("rewards", promised, len(seen))


def _add_transitions(lines: Lines, model: Transitions, totals: list[list[Fraction]]) -> None:
    promised = None
    if model.sized and model.is_chain:
        *given, promised = lines.sizes('"states nonzero"', (2,))
        _check_sizes(lines, given, [model.n_states])
    elif model.sized:
        *given, promised = lines.sizes('"states choices nonzero"', (3,))
        _check_sizes(lines, given, [model.n_states, model.n_choices])
    seen: set[tuple[int, int, int]] = set()
    for fields in lines:
        state, number, successor, text, _ = split_row(lines, fields, model.n_states, model.is_chain)
        where = place(state, number, successor, model.is_chain)
        choices = model.choices[state]
        if number >= len(choices) or successor not in choices[number].probabilities:
            raise lines.fail(
                f"a reward for {where}, which is no transition of {model.path.name}; leave it out"
            )
        if (state, number, successor) in seen:
            raise lines.fail(f"{where} is listed twice; leave one out, or add the two")
        seen.add((state, number, successor))
        probability = choices[number].probabilities[successor]
        totals[state][number] += probability * lines.rational(text, "the reward")
    if promised is not None:
        lines.check_count("rewards", promised, len(seen))


def _check_sizes(lines: Lines, sizes: list[int], expected: list[int]) -> None:
    if sizes != expected:
        raise lines.fail(
            f"the header is for a model with {_sized(sizes)}; the transitions have "
            f"{_sized(expected)}; take files of the same model"
        )


def _sized(sizes: list[int]) -> str:
    return ", ".join(f"{n} {what}" for n, what in zip(sizes, ("states", "choices"), strict=False))
