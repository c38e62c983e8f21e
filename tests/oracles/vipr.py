"""A slow checker of .vipr files, written from the grammar of versions 1.0 and 1.1 alone.

It shares nothing with our exporter or kernel: tokens, Fractions and dictionaries.  `check` returns
what is proved, or raises `Refused` with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, inf

Row = dict[int, Fraction]
VALUE = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(/\d+)?")
SIGN = {"G": 1, "E": 0, "L": -1}


class Refused(Exception):
    """The file is malformed, or proves not what it says."""


@dataclass
class Constraint:
    row: Row
    sense: str
    right: Fraction
    assumed: frozenset[int] = frozenset()

    def dominates(self, other: Constraint) -> bool:
        holds = {"G": self.right <= 0, "L": self.right >= 0, "E": self.right == 0}
        if not self.row and not holds[self.sense]:
            return True  # an absurdity
        if self.row != other.row or self.sense not in ("E", other.sense):
            return False
        gap = self.right - other.right
        return {"G": gap >= 0, "L": gap <= 0, "E": gap == 0}[other.sense]

    def met_by(self, point: Row) -> bool:
        left = sum(a * point.get(j, 0) for j, a in self.row.items())
        return {"G": left >= self.right, "L": left <= self.right, "E": left == self.right}[
            self.sense
        ]


@dataclass
class File:
    maximised: bool = False
    objective: Row = field(default_factory=dict)
    variables: int = 0
    integers: set[int] = field(default_factory=set)
    given: int = 0
    constraints: list[Constraint] = field(default_factory=list)
    low: Fraction | float = -inf
    high: Fraction | float = inf
    infeasible: bool = False
    points: list[Row] = field(default_factory=list)


def need(condition: object, reason: str) -> None:
    if not condition:
        raise Refused(reason)


class Tokens:
    """The words of a file behind its comments, and numbers among them."""

    def __init__(self, text: str) -> None:
        lines = text.split("\n")
        while lines and lines[0].startswith("%"):
            lines.pop(0)
        self.words: Iterator[str] = iter(" ".join(lines).split())

    def word(self) -> str:
        word = next(self.words, None)
        if word is None:
            raise Refused("the file ends too early")
        return word

    def literal(self, *texts: str) -> str:
        word = self.word()
        need(word in texts, f"{word} where one of {texts} belongs")
        return word

    def count(self, below: int | None = None) -> int:
        word = self.word()
        need(re.fullmatch(r"\d+", word), f"{word} is not an index")
        need(below is None or int(word) < below, f"{word} is not below {below}")
        return int(word)

    def value(self, word: str | None = None) -> Fraction:
        word = self.word() if word is None else word
        need(VALUE.fullmatch(word), f"{word} is not a number")
        top, _, bottom = word.partition("/")
        need(not bottom or int(bottom), f"{word} divides by zero")
        return Fraction(top) / (int(bottom) if bottom else 1)

    def row(self, below: int, length: int | None = None) -> Row:
        found: Row = {}
        for _ in range(self.count() if length is None else length):
            index = self.count(below)
            need(index not in found, f"index {index} is there twice")
            found[index] = self.value()
        return found


def nonzero(row: Row) -> Row:
    return {j: a for j, a in row.items() if a}


def constraint(tokens: Tokens, file: File) -> Constraint:
    tokens.word()  # the name
    sense, right = tokens.literal("G", "E", "L"), tokens.value()
    first = tokens.word()
    if first == "OBJ":
        return Constraint(nonzero(file.objective), sense, right)
    need(re.fullmatch(r"\d+", first), f"{first} is not a count")
    return Constraint(nonzero(tokens.row(file.variables, int(first))), sense, right)


def combination(file: File, weights: Row) -> Constraint:
    signs = {
        SIGN[file.constraints[i].sense] * (1 if w > 0 else -1) for i, w in weights.items() if w
    }
    signs -= {0}
    need(len(signs) <= 1, "the combination adds <= to >=")
    row: Row = {}
    for i, weight in weights.items():
        for j, a in file.constraints[i].row.items():
            row[j] = row.get(j, Fraction(0)) + weight * a
    right = sum((w * file.constraints[i].right for i, w in weights.items()), Fraction(0))
    assumed = frozenset[int]().union(*(file.constraints[i].assumed for i in weights))
    return Constraint(nonzero(row), {1: "G", -1: "L"}.get(sum(signs), "E"), right, assumed)


def rounded(file: File, found: Constraint) -> Constraint:
    whole = all(j in file.integers and a.denominator == 1 for j, a in found.row.items())
    need(whole and found.sense != "E", "cannot be rounded")
    right = floor(found.right) if found.sense == "L" else ceil(found.right)
    return Constraint(found.row, found.sense, Fraction(right), found.assumed)


def unsplit(file: File, tokens: Tokens, stated: Constraint) -> frozenset[int]:
    here = len(file.constraints)
    cases = [(tokens.count(here), tokens.count(here)) for _ in range(2)]
    low, high = sorted(
        (file.constraints[i] for _, i in cases), key=lambda one: one.sense, reverse=True
    )
    need((low.sense, high.sense, low.row) == ("L", "G", high.row), "these are no two halves")
    whole = all(j in file.integers and a.denominator == 1 for j, a in low.row.items())
    need(whole and low.right.denominator == 1 and high.right == low.right + 1, "halves with a gap")
    need(all(file.constraints[i].dominates(stated) for i, _ in cases), "a case does not dominate")
    return frozenset().union(*(file.constraints[i].assumed - {by} for i, by in cases))


def derive(file: File, tokens: Tokens) -> None:
    stated, here = constraint(tokens, file), len(file.constraints)
    tokens.literal("{")
    reason = tokens.literal("asm", "lin", "rnd", "uns")
    if reason == "asm":
        stated.assumed = frozenset([here])
    elif reason == "uns":
        stated.assumed = unsplit(file, tokens, stated)
    else:
        found = combination(file, tokens.row(here))
        found = rounded(file, found) if reason == "rnd" else found
        need(found.dominates(stated), f"constraint {here} does not follow")
        stated.assumed = found.assumed
    tokens.literal("}")
    last = tokens.word()
    need(re.fullmatch(r"-1|\d+", last), f"{last} is not an index")
    file.constraints.append(stated)


def read(tokens: Tokens) -> File:
    file = File()
    tokens.literal("VER")
    tokens.literal("1.0", "1.1")
    tokens.literal("VAR")
    file.variables = tokens.count()
    for _ in range(file.variables):
        tokens.word()
    tokens.literal("INT")
    file.integers = {tokens.count(file.variables) for _ in range(tokens.count())}
    tokens.literal("OBJ")
    file.maximised = tokens.literal("min", "max") == "max"
    file.objective = tokens.row(file.variables)
    tokens.literal("CON")
    file.given = tokens.count()
    bounds = tokens.count(file.given + 1)
    file.constraints = [constraint(tokens, file) for _ in range(file.given)]
    need(all(len(one.row) == 1 for one in file.constraints[:bounds]), "a bound of no variable")
    tokens.literal("RTP")
    file.infeasible = tokens.literal("infeas", "range") == "infeas"
    if not file.infeasible:
        low, high = tokens.word(), tokens.word()
        file.low = -inf if low == "-inf" else tokens.value(low)
        file.high = inf if high == "inf" else tokens.value(high)
    tokens.literal("SOL")
    for _ in range(tokens.count()):
        tokens.word()
        file.points.append(tokens.row(file.variables))
    return file


def check_points(file: File) -> None:
    if file.infeasible:
        need(not file.points, "a point of an infeasible program")
        return
    reached = []
    for point in file.points:
        need(all(one.met_by(point) for one in file.constraints), "a point breaks a constraint")
        whole = all(point.get(j, Fraction(0)).denominator == 1 for j in file.integers)
        need(whole, "a point is not whole")
        reached.append(sum(c * point.get(j, 0) for j, c in file.objective.items()))
    if file.maximised and file.low != -inf:
        need(reached and max(reached) >= file.low, "no point reaches the lower bound")
    if not file.maximised and file.high != inf:
        need(reached and min(reached) <= file.high, "no point reaches the upper bound")


def check(text: str) -> File:
    """The file, whose RTP section is then proved; raises Refused."""
    tokens = Tokens(text)
    file = read(tokens)
    check_points(file)
    tokens.literal("DER")
    for _ in range(tokens.count()):
        derive(file, tokens)
    need(next(tokens.words, None) is None, "something follows the last derivation")
    bound = file.high if file.maximised else file.low
    if not file.infeasible and abs(bound) == inf:
        return file
    need(file.constraints, "nothing is derived")
    last = file.constraints[-1]
    need(not last.assumed, "the last constraint rests on assumptions")
    if file.infeasible:
        goal = Constraint({}, "G", Fraction(1))
    else:
        goal = Constraint(nonzero(file.objective), "L" if file.maximised else "G", Fraction(bound))
    need(last.dominates(goal), "the last constraint does not prove the relation")
    return file
