"""The arithmetic of a counterexample for Lean 4: the relation is false at these rational numbers.

It needs Mathlib, whose `norm_num` decides rational arithmetic on the formula as it is written; core
Lean would have to be given it multiplied out over the integers.  That the numbers are those of the
model is not stated in Lean; the stand-alone file computes them from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from textwrap import fill
from typing import Any

import flint

from holdfast.solvers.errors import ModelError
from holdfast.theory import Sign, Standing

from ...binding.claims import Claim
from ...engine.expressions import to_kernel
from ...kernel.exact import rational
from ...search.counterexample import Observation, Refuter, certify
from ..wording import standing_word

_WIDTH = 98
"""Columns of the comment, as many as an editor shows at once."""
_SIGNS = {Sign.LE: "≤", Sign.LT: "<", Sign.GE: "≥", Sign.EQ: "="}
_CHAINS = {"add": " + ", "mul": " * "}
_RESERVED = [
    "at",
    "by",
    "do",
    "end",
    "from",
    "fun",
    "have",
    "if",
    "in",
    "let",
    "open",
    "show",
    "then",
    "where",
    "with",
]
"""Words that Lean keeps for itself, and a symbol of a theorem might be."""


def lean(claim: Claim) -> str:
    """The text of the file for the counterexample that the claim names as its witness.

    Raises
    ------
    ModelError: if the statement is not refuted as printed.
    """
    if claim.theorem.standing is not Standing.REFUTED or claim.trained:
        raise ModelError(
            f"{claim.name} has no file for Lean; holdfast writes one for each statement that is "
            f"refuted as printed, and the standing of this one is {standing_word(claim.theorem)}"
        )
    seen = Refuter(claim).refute(claim.family.landmark(claim.witness))
    assert seen is not None
    values = _exact_values(seen)
    if values is None:
        values, formula = _ends(seen)
        told = (
            "A number here is known only between two rationals, such as a root or an exponential. "
            "holdfast encloses each side so; Lean sees that the two enclosures are apart, by the "
            "ends that face each other."
        )
    else:
        sides = [_text(to_kernel(side)) for side in (seen.relation.left, seen.relation.right)]
        formula = f"{sides[0]} {_SIGNS[seen.relation.sign]} {sides[1]}"
        told = "The numbers are those of the symbols on the model of the counterexample."
    unfolded = [_name(name) for name in values]
    unfolded += [f"{word}_def" for word in ("max", "min") if f"({word} " in formula]
    return "\n".join(
        [
            *_header(claim, seen, told),
            "import Mathlib.Tactic",
            "",
            "namespace Holdfast",
            "",
            *(f"def {_name(name)} : Rat := {_number(value)}" for name, value in values.items()),
            "",
            f"theorem refuted : ¬ ({formula}) := by",
            f"  norm_num [{', '.join(unfolded)}]",
            "",
            "end Holdfast",
            "",
        ]
    )


def _header(claim: Claim, seen: Observation, told: str) -> Iterator[str]:
    for text in (
        f"A counterexample to: {claim.theorem.title} ({claim.theorem.label}).",
        f"Source: {claim.theorem.source}.",
        f"The statement that is refuted: {seen.relation}",
        *sorted(f"  {one.name}: {one.meaning}" for one in seen.relation.quantities),
        f"{told} This file is the arithmetic alone: the model, and how the numbers come from it, "
        f"are in the file that `holdfast show {claim.name} --standalone FILE.py` writes.",
    ):
        yield fill(text, _WIDTH, initial_indent="-- ", subsequent_indent="--   ")


def _exact_values(seen: Observation) -> dict[str, Fraction] | None:
    """Symbol -> value; None if one of them, or a side, is known between two numbers only."""
    sides = seen.outcome.left, seen.outcome.right
    document = certify(seen.claim, seen.case, seen.part, seen.values).document
    found = {}
    for name, told in sorted(document["values"].items()):
        value = seen.values[name]
        if isinstance(value, int | Fraction):
            found[name] = Fraction(value)
        elif told.get("lo", "") == told.get("hi"):
            found[name] = rational(told["lo"])
    exact = len(found) == len(document["values"]) and all(one.lo == one.hi for one in sides)
    return found if exact else None


def _ends(seen: Observation) -> tuple[dict[str, Fraction], str]:
    """The ends of the enclosures that face each other, and the relation that is false of them."""
    left, right, sign = seen.outcome.left, seen.outcome.right, _SIGNS[seen.relation.sign]
    above = left.lo >= right.hi
    if sign == "=":
        sign = "≤" if above else "≥"
    if above:
        return {"left_low": left.lo, "right_high": right.hi}, f"left_low {sign} right_high"
    return {"left_high": left.hi, "right_low": right.lo}, f"left_high {sign} right_low"


def _number(value: Fraction) -> str:
    """A quotient of two numbers in decimals, which may have more than the 4300 digits of `str`."""
    return _text(str(flint.fmpq(value.numerator, value.denominator)))


def _name(symbol: str) -> str:
    return f"«{symbol}»" if symbol in _RESERVED else symbol


def _text(tree: Any) -> str:
    """A tree in the language of the kernel as a term of Lean, in brackets where it is compound."""
    if isinstance(tree, str):
        return tree if tree.isdigit() else f"({tree.replace('/', ' / ')})"
    operator, *parts = tree
    if operator == "symbol":
        return _name(parts[0])
    if operator == "pow":
        base, exponent = _text(parts[0]), int(parts[1])
        power = base if exponent == -1 else f"({base} ^ {abs(exponent)})"
        return f"({power}⁻¹)" if exponent < 0 else power
    words = [_text(part) for part in parts]
    if operator in _CHAINS:
        return f"({_CHAINS[operator].join(words)})"
    if operator == "div":
        return f"({words[0]} / {words[1]})"
    if operator == "abs":
        return f"|{words[0]}|"
    return f"({operator} {' '.join(words)})"
