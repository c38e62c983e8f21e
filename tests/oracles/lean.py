"""The few forms of Lean that our files have, read and evaluated over Fractions.

It is no Lean: it says whether the arithmetic of `theorem refuted` is right, and that the file has
no other form than these.
"""

from __future__ import annotations

import operator
import re
from fractions import Fraction

FORM = re.compile(
    r"(?:-- .*\n)+import Mathlib\.Tactic\n\nnamespace Holdfast\n\n"
    r"(?P<values>(?:def \S+ : Rat := .*\n)+)\n"
    r"theorem refuted : ¬ \((?P<formula>.*)\) := by\n  norm_num \[(?P<unfolded>.*)\]\n\n"
    r"end Holdfast\n"
)
TOKEN = re.compile(r"\s*(\d+|[^\W\d]\w*|«\w+»|⁻¹|[-+*/^()|])")
SIGNS = {"≤": operator.le, "<": operator.lt, "≥": operator.ge, "=": operator.eq}


class Term:
    """A term, by recursive descent: sums of products of powers of atoms."""

    def __init__(self, text: str, known: dict[str, Fraction]) -> None:
        self.words, self.known = TOKEN.findall(text), known
        assert "".join(self.words) == re.sub(r"\s", "", text), text
        self.words.append("")

    def take(self, *words: str) -> str:
        if words and self.words[0] not in words:
            raise AssertionError(f"{self.words[0]} where {words} belong")
        return self.words.pop(0)

    def sum(self) -> Fraction:
        total = self.product()
        while self.words[0] in ("+", "-"):
            total += self.product() if self.take() == "+" else -self.product()
        return total

    def product(self) -> Fraction:
        total = self.power()
        while self.words[0] in ("*", "/"):
            total = total * self.power() if self.take() == "*" else total / self.power()
        return total

    def power(self) -> Fraction:
        if self.words[0] == "-":
            self.take()
            return -self.power()
        base = self.atom()
        if self.words[0] == "^":
            self.take()
            return base ** int(self.take())
        if self.words[0] == "⁻¹":
            self.take()
            return 1 / base
        return base

    def atom(self) -> Fraction:
        word = self.take()
        if word == "(":
            found = self.sum()
            self.take(")")
            return found
        if word == "|":
            found = abs(self.sum())
            self.take("|")
            return found
        if word in ("max", "min"):
            return (max if word == "max" else min)(self.atom(), self.atom())
        if word.isdigit():
            return Fraction(int(word))
        assert word in self.known, word
        return self.known[word]

    def value(self) -> Fraction:
        found = self.sum()
        self.take("")
        return found


def is_refuted(text: str) -> bool:
    """Whether the negation that the file states is true; AssertionError for another form."""
    found = FORM.fullmatch(text)
    assert found, text
    known: dict[str, Fraction] = {}
    for line in found["values"].splitlines():
        name, _, term = line.removeprefix("def ").partition(" : Rat := ")
        known[name] = Term(term, {}).value()
    unfolded = found["unfolded"].split(", ")
    assert unfolded[: len(known)] == [*known] and set(unfolded[len(known) :]) <= {
        "max_def",
        "min_def",
    }
    left, sign, right = re.split(" ([≤<≥=]) ", found["formula"])
    return not SIGNS[sign](Term(left, known).value(), Term(right, known).value())
