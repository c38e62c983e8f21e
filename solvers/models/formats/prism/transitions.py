"""The choices of a ``.tra`` file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from ....errors import ModelError
from .lines import Lines

#: PRISM's own tolerance for the sum of a row (its option -sumroundoff).
SUM_TOLERANCE = Fraction(1, 10**5)
_ANY = 10**18
"""States of a file that does not say how many it has."""


@dataclass(slots=True)
class Choice:
    """One choice: the line it starts on, its action's name and its probabilities."""

    line: int
    name: str | None
    probabilities: dict[int, Fraction] = field(default_factory=dict)
    rounded: bool = False


@dataclass(slots=True)
class Transitions:
    """What a ``.tra`` file says: ``choices[s]`` are the choices of state s, in order.

    ``is_chain`` when the file holds a Markov chain; ``n_choices`` how many choices are listed;
    ``sized`` when files begin with sizes, as PRISM's do and Storm's do not;
    ``renormalised`` how many rows of decimals did not sum to 1, ``worst`` the largest distance.
    """

    path: Path
    choices: list[list[Choice]]
    is_chain: bool
    n_choices: int
    sized: bool = True
    renormalised: int = 0
    worst: Fraction = Fraction(0)

    @property
    def n_states(self) -> int:
        """How many states there are, with or without choices."""
        return len(self.choices)

    @property
    def rows(self) -> list[list[dict[int, Fraction]]]:
        """The probabilities of each choice of each state."""
        return [[choice.probabilities for choice in choices] for choices in self.choices]


def read_transitions(path: Path) -> Transitions:
    """The choices of a file; raises ModelError naming file, line and remedy."""
    lines = Lines(path)
    if kind := lines.storm_type():
        return _unsized(lines, path, kind == "dtmc")
    sizes = lines.sizes(
        '"states choices transitions" (an MDP) or "states transitions" (a Markov chain)', (2, 3)
    )
    n_states, is_chain = sizes[0], len(sizes) == 2
    if n_states < 1:
        raise lines.fail("the header promises no state; a model needs at least one")
    rows: dict[tuple[int, int], Choice] = {}
    seen = 0
    for fields in lines:
        seen += 1
        _add(lines, fields, n_states, is_chain, rows)
    lines.check_count("transitions", sizes[-1], seen)
    if not is_chain:
        lines.check_count("choices", sizes[1], len(rows))
    lines.check_states(n_states, len({state for state, _ in rows}))
    empty: list[list[Choice]] = [[] for _ in range(n_states)]
    return _grouped(lines, Transitions(path, empty, is_chain, len(rows)), rows)


def _unsized(lines: Lines, path: Path, is_chain: bool) -> Transitions:
    """Storm's explicit file: as many states as the largest number in it says."""
    rows: dict[tuple[int, int], Choice] = {}
    for fields in lines:
        _add(lines, fields, _ANY, is_chain, rows)
    if not rows:
        raise lines.fail("there is no transition below the type")
    n_states = 1 + max(max(state, *rows[state, k].probabilities) for state, k in rows)
    lines.check_states(n_states, len({state for state, _ in rows}))
    empty: list[list[Choice]] = [[] for _ in range(n_states)]
    return _grouped(lines, Transitions(path, empty, is_chain, len(rows), sized=False), rows)


def _grouped(lines: Lines, found: Transitions, rows: dict[tuple[int, int], Choice]) -> Transitions:
    for (state, number), choice in sorted(rows.items(), key=lambda item: item[0]):
        if number != len(found.choices[state]):
            raise lines.fail(
                f"state {state} has choice {number} but no choice {len(found.choices[state])}; "
                "number the choices of a state 0, 1, 2, ...",
                choice.line,
            )
        normalise(lines, found, choice, f"choice {number} of state {state}")
        found.choices[state].append(choice)
    return found


def _add(
    lines: Lines,
    fields: Sequence[str],
    n_states: int,
    is_chain: bool,
    rows: dict[tuple[int, int], Choice],
) -> None:
    state, number, successor, text, name = split_row(lines, fields, n_states, is_chain)
    choice = rows.get((state, number))
    if choice is None:
        choice = rows[state, number] = Choice(lines.number, name)
    if not is_chain and name != choice.name:
        raise lines.fail(
            f"choice {number} of state {state} is named {name!r} here and {choice.name!r} on line "
            f"{choice.line}; a choice has one action"
        )
    if successor in choice.probabilities:
        raise lines.fail(
            f"the transition {place(state, number, successor, is_chain)} is listed twice; "
            "leave one out, or add the two"
        )
    value = lines.rational(text, "the probability")
    if value < 0:
        raise lines.fail(f"the probability is {text}; it must not be negative")
    choice.probabilities[successor] = value
    choice.rounded = choice.rounded or ("/" not in text and value.denominator != 1)


def split_row(
    lines: Lines, fields: Sequence[str], n_states: int, is_chain: bool
) -> tuple[int, int, int, str, str | None]:
    """(state, choice, successor, number, action or None) of a row of ``.tra`` or ``.trew``."""
    width = 3 if is_chain else 4
    if len(fields) not in (width, width + 1):
        layout = "state successor number" if is_chain else "state choice successor number"
        rows = " (rows of probability:successor are not read; export without the option rows)"
        raise lines.fail(
            f"the row has {len(fields)} fields; it must be {layout!r}, an action may follow"
            + rows * (":" in "".join(fields))
        )
    state = lines.state(fields[0], n_states)
    number = 0 if is_chain else lines.count(fields[1], "the choice")
    successor = lines.state(fields[width - 2], n_states, "the successor")
    return state, number, successor, fields[width - 1], fields[width] if fields[width:] else None


def place(state: int, number: int, successor: int, is_chain: bool) -> str:
    """A transition in words."""
    return f"{state} -> {successor}" + ("" if is_chain else f" of choice {number}")


def normalise(lines: Lines, found: Transitions, choice: Choice, where: str) -> None:
    """Drop zeros; make decimals that nearly sum to one do so exactly, in proportion."""
    total = sum(choice.probabilities.values(), Fraction(0))
    gap = abs(total - 1)
    if gap and not (choice.rounded and gap <= SUM_TOLERANCE):
        raise _wrong_sum(lines, choice, total, where)
    if gap:
        found.renormalised += 1
        found.worst = max(found.worst, gap)
        choice.probabilities = {t: p / total for t, p in choice.probabilities.items()}
    if not all(choice.probabilities.values()):
        choice.probabilities = {t: p for t, p in choice.probabilities.items() if p}


def _wrong_sum(lines: Lines, choice: Choice, total: Fraction, where: str) -> ModelError:
    shown = str(total) if len(str(total)) <= 40 else f"{float(total)!r}"
    remedy = (
        "farther than 1e-5 from 1; correct the row (rates of a CTMC are not read)"
        if choice.rounded
        else "not exactly to 1; correct the row (exact numbers are never re-normalised)"
    )
    return lines.fail(f"the probabilities of {where} sum to {shown}, {remedy}", choice.line)
