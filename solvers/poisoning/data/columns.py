"""Which columns of a row of preference data are what, and the row that a flip makes of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...errors import ModelError
from .bounded_files import listed, number_of, shown

ROLES = {
    "prompt": "what stands before both answers (default prompt)",
    "chosen": "the better answer (default chosen)",
    "rejected": "the other one (default rejected)",
    "first": "one answer, where another column says which is better",
    "second": "the other one",
    "preferred": "which of first and second is better: by the name of its column or what of it "
    "differs (0 or 1 for response_0 and response_1), or as you say with "
    "preferred=NAME:FIRST/SECOND or preferred=NAME:FIRST/SECOND/TIE",
    "probability": "the chance from 0 to 1 that first is better",
}
EXAMPLE = "first=response_0,second=response_1,preferred=better_response_id"


Name = tuple[tuple[str, ...], str]
Key = tuple[tuple[str, ...], tuple[str, ...]]
"""Of a row or within it.  First where it stands, by names that are the same for both answers, and
then its own path."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns that are read.

    first, second: the answers, of which the first is the better one unless `preferred` or
    `probability` names the column that says so; sides: values of `preferred` for the first answer,
    for the second and, if given, for a tie; upper and lower case are the same.
    """

    prompt: str = "prompt"
    first: str = "chosen"
    second: str = "rejected"
    preferred: str | None = None
    probability: str | None = None
    sides: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Columns:
        """From ``ROLE=NAME,ROLE=NAME``; raises ModelError for what is no role, or does not fit."""
        roles = dict(_roles(text))
        two = {"first", "second"} & roles.keys()
        judges = {"preferred", "probability"} & roles.keys()
        if bool(two) + bool(judges) and (len(two), len(judges)) != (2, 1):
            raise ModelError(
                f"columns {shown(text)}: first, second and one of preferred and probability go "
                f"together, such as {EXAMPLE}"
            )
        if two and roles.keys() & {"chosen", "rejected"}:
            raise ModelError(
                f"columns {shown(text)}: name chosen and rejected, or first and second; not both"
            )
        name, _, values = roles.get("preferred", "").partition(":")
        first = roles.get("first", roles.get("chosen", STANDARD.first))
        second = roles.get("second", roles.get("rejected", STANDARD.second))
        found = cls(roles.get("prompt", STANDARD.prompt), first, second, name or None,
                    roles.get("probability"), _sides(values, text) if values else ())  # fmt: skip
        if len(set(found.read)) < len(found.read):
            raise ModelError(f"columns {shown(text)}: one column has two roles; name each once")
        return found

    @property
    def texts(self) -> tuple[str, str, str]:
        """Prompt, first and second."""
        return self.prompt, self.first, self.second

    @property
    def judge(self) -> tuple[str, ...]:
        """The column that says which answer is better, if there is one."""
        return tuple(filter(None, (self.preferred, self.probability)))

    @property
    def read(self) -> tuple[str, ...]:
        """All columns that are read."""
        return *self.texts, *self.judge

    def chance(self, row: Mapping[str, Any], place: str) -> float:
        """That the first answer is better: 1, or what the row says.

        Raises ModelError naming the place, the value and the remedy: a column that is missing, a
        value that does not say which, a chance outside [0, 1].
        """
        for name in (self.first, self.second, *self.judge):
            if name not in row:
                raise ModelError(
                    f"{place} has no {shown(name)}, but {listed(row)}; say which columns are what "
                    f"with --columns, such as {EXAMPLE}"
                )
        if self.probability:
            return self._probability(row[self.probability], place)
        if not self.preferred:
            return 1.0
        value, found = row[self.preferred], _word(row[self.preferred])
        if self.sides:
            meant = [chance for side, chance in zip(self.sides, (1.0, 0.0, 0.5), strict=False)
                     if side.lower() == found]  # fmt: skip
        else:
            names = (self.first.lower(), self.second.lower())
            meant = [1.0 - k for k in (0, 1) if found in (names[k], self._parts[k])]
        if len(meant) != 1:
            raise ModelError(
                f"{place}: {self.preferred} is {shown(value)}, which does not say whether "
                f"{self.first} or {self.second} is better; say which values mean the first, the "
                f"second and a tie, such as preferred={self.preferred}:1/2/0, or leave out such "
                "rows"
            )
        return meant[0]

    def guessed(self, row: Mapping[str, Any]) -> str:
        """The value by which the row names the better answer, where its meaning was not given."""
        return _word(row[self.preferred]) if self.preferred and not self.sides else ""

    def check_guessed(self, values: Collection[str], place: str) -> None:
        """Refuse a column of one number: 1 is the second of 0 and 1, and the first of 1 and 2."""
        [value, *others] = values
        if value.isdigit() and not others:
            raise ModelError(
                f"{place}: {self.preferred} is {value} in all rows, which does not show whether it "
                f"counts from 0, from 1 or otherwise; say which value means {self.first} and which "
                f"{self.second} with preferred=NAME:FIRST/SECOND, such as "
                f"preferred={self.preferred}:{'/'.join(self._parts)}"
            )

    def _probability(self, value: Any, place: str) -> float:
        place = f"{place}: {self.probability}"
        chance = number_of(value, place) if isinstance(value, str) else value
        if isinstance(chance, bool) or not isinstance(chance, (int, float)) or not 0 <= chance <= 1:
            raise ModelError(
                f"{place} is {shown(value)}; give the chance that {self.first} is better, from 0 "
                "to 1"
            )
        return float(chance)

    @property
    def _parts(self) -> tuple[str, str]:
        """In what the names of the answers differ, in lower case: letters or digits; or nothing."""
        words = [re.findall("[a-z]+|[0-9]+", name.lower()) for name in (self.first, self.second)]
        unlike = [pair for pair in zip(*words, strict=False) if pair[0] != pair[1]]
        same_length = len(words[0]) == len(words[1])
        return unlike[0] if same_length and len(unlike) == 1 else ("", "")

    def belonging(self, name: str) -> str:
        """The name of the same thing of the other answer: score_chosen for score_rejected."""
        return _belonging(self, name)

    def one_sided(self, row: Mapping[str, Any]) -> Iterator[Key]:
        """Keys of the row, and of objects in it, whose names are those of one of the answers."""
        left: list[tuple[*Key, Mapping[str, Any]]] = [((), (), row)]
        while left:
            place, path, inner = left.pop()
            for name, value in inner.items():
                other = self.belonging(name)
                if other != name and self.belonging(other) == name:
                    yield place, (*path, name)
                if isinstance(value, Mapping) and name not in self.texts:
                    left.append(((*place, min(name, other)), (*path, name), value))

    def judged(
        self, row: Mapping[str, Any], first: bool, keys: Collection[Key] | None = None
    ) -> dict[str, Any]:
        """The row with the first answer as the better one, or the second.

        keys: those that are `one_sided` in all the data, by default in this row.

        A column that says which is better is changed and all others stay.  Without one the answers
        are exchanged, with all that belongs to them: what is named score_chosen, say, becomes
        score_rejected, in the row and in objects in it, but only where the data have both.
        """
        if self.probability:
            return {**row, self.probability: float(first)}
        if self.preferred:
            value = row[self.preferred]
            sides = self.sides[:2] or (
                self._parts if _word(value) in self._parts else (self.first, self.second)
            )
            return {**row, self.preferred: _like(value, sides[not first])}
        return dict(row) if first else self._exchanged(row, names_of(keys or self.one_sided(row)))

    def _exchanged(
        self, row: Mapping[str, Any], found: Set[Name], place: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        moved = {}
        for name, value in row.items():
            other = self.belonging(name)
            key = other if {(place, name), (place, other)} <= found else name
            inner = isinstance(value, Mapping) and name not in self.texts
            within = (*place, min(name, other))
            moved[key] = self._exchanged(value, found, within) if inner else value
        return {name: moved.pop(name) for name in row if name in moved} | moved


STANDARD = Columns()


def names_of(keys: Iterable[Key]) -> frozenset[Name]:
    """Where each key stands, and the last of its path."""
    return frozenset((place, path[-1]) for place, path in keys)


@lru_cache(1024)
def _belonging(columns: Columns, name: str) -> str:
    parts = columns._parts
    if name in (columns.first, columns.second) or not all(parts):
        return {columns.first: columns.second, columns.second: columns.first}.get(name, name)
    kind = "0-9" if parts[0].isdigit() else "a-z"
    found = rf"(?<![{kind}])(?i:{parts[0]}|{parts[1]})(?![{kind}])"
    return re.sub(found, lambda match: _like(match[0], parts[match[0].lower() == parts[0]]), name)


def _roles(text: str) -> Iterator[tuple[str, str]]:
    seen = set()
    for part in text.split(","):
        role, equals, name = (word.strip() for word in part.partition("="))
        if not equals or not name or role not in ROLES or role in seen:
            raise ModelError(
                f"columns {shown(text)}: {shown(part)} is not ROLE=NAME with a role of its own; "
                f"the roles are {', '.join(ROLES)}, such as in {EXAMPLE}"
            )
        seen.add(role)
        yield role, name


def _sides(values: str, text: str) -> tuple[str, ...]:
    sides = tuple(side.strip() for side in values.split("/"))
    apart = {side.lower() for side in sides} - {""}
    if len(sides) not in (2, 3) or len(apart) < len(sides):
        raise ModelError(
            f"columns {shown(text)}: {shown(values)} does not name two or three values; write "
            "FIRST/SECOND or FIRST/SECOND/TIE, such as preferred=winner:model_a/model_b/tie"
        )
    return sides


def _word(value: Any) -> str:
    """A value as it is written in lower case, whole numbers without a point."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).lower()


def _like(value: Any, word: str) -> Any:
    """The word as a value of the kind of the one that stood there."""
    if isinstance(value, bool):
        return word == "true"
    if isinstance(value, (int, float)):
        return type(value)(word)
    text = str(value)
    if text.isupper() or text.islower():
        return word.upper() if text.isupper() else word.lower()
    return word.capitalize() if text.istitle() and word.islower() else word
