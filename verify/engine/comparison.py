"""One relation, one set of values, one outcome: exact first, then balls, never a tolerance.

The ladder: rationals decide whenever every value and both sides are rational; otherwise arb balls
are compared by the kernel, the precision doubled until they separate or the cap is reached.  A
value known only to lie in an interval (an enclosure, a confidence interval) takes part as a ball
that does not shrink, so more precision cannot make it say more than it does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import flint
import sympy

from holdfast.theory import Relation, Sign

from ..binding import balls
from ..binding.values import Ball, Value, is_known
from ..kernel import Comparison, Enclosure, Verdict, compare
from . import expressions
from .vacuous import Edges, edges, true_regardless, watched

PRECISIONS = (64, 128, 256, 512, 1024, 2048, 4096)
"""Working precisions of the ball rung, in bits, each twice the last so that all before it together
cost less.  Where the last one does not separate the sides, they count as equal or undecided."""

_FOR_EQUALITIES = (64, 512, 4096)
"""The same for equalities.  A true one goes through all of them, to no purpose but the last."""

_AGREEMENT = 256
"""Bits to which two sides must agree before their overlap is called an agreement.  An identity
agrees to nearly the last precision; a ball that a claim computed once, in 53 or 128 bits, does not
shrink, and leaves the comparison undecided."""

_EXACT: dict[Sign, Callable[[Fraction, Fraction], bool]] = {
    Sign.LE: operator.le,
    Sign.LT: operator.lt,
    Sign.GE: operator.ge,
    Sign.GT: operator.gt,
    Sign.EQ: operator.eq,
    Sign.NE: operator.ne,
}

_WITH_EQUALITY = (Sign.LE, Sign.GE)
Environment = Mapping[str, Value]
Sides = tuple[Enclosure, Enclosure]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a comparison: both sides as enclosures, the verdict and its grade."""

    verdict: Verdict
    left: Enclosure
    right: Enclosure
    grade: str
    sign: Sign

    @property
    def slack(self) -> float | None:
        """Larger minus smaller side at their middles, for people; None for an equality."""
        small, large = self._oriented()
        if small is None or large is None:
            return None
        return _float(large - small)

    @property
    def ratio(self) -> float | None:
        """Smaller over larger side (1 is tight), for people; None where the signs differ."""
        quotient = self.quotient
        return None if quotient is None else _float(quotient)

    @property
    def is_rational(self) -> bool:
        """Whether both sides are known rationals, and so is the quotient."""
        return is_known(self.left) and is_known(self.right)

    @property
    def quotient(self) -> Fraction | None:
        """Smaller over larger side at their middles; None where the signs differ."""
        small, large = self._oriented()
        if small is None or large is None:
            return None
        if small < 0 and large <= 0:
            small, large = -large, -small
        if large == 0:
            return Fraction(1) if small == 0 else None
        return None if small < 0 or large < 0 else small / large

    def _oriented(self) -> tuple[Fraction | None, Fraction | None]:
        left, right = ((side.lo + side.hi) / 2 for side in (self.left, self.right))
        match self.sign:
            case Sign.LE | Sign.LT:
                return left, right
            case Sign.GE | Sign.GT:
                return right, left
            case _:
                return None, None


def agreement(left: Enclosure, right: Enclosure) -> int:
    """Bits to which two overlapping sides agree: the largest difference they may have, relative to
    the larger of them, or absolute where both may be zero."""
    ends = (left.lo, left.hi, right.lo, right.hi)
    apart = max(ends) - min(ends)
    if apart == 0:
        raise ValueError(f"{left} and {right} are one number, which agrees to any number of bits")
    size = max(map(abs, ends)) if left.lo * left.hi > 0 and right.lo * right.hi > 0 else Fraction(1)
    share = size / apart
    return max(share.numerator.bit_length() - share.denominator.bit_length(), 0)


class CompiledRelation:
    """A relation compiled once for both rungs."""

    def __init__(self, relation: Relation, trivial: sympy.Expr | None = None) -> None:
        self.relation = relation
        self.sign = relation.sign
        self._exact = [expressions.exact(side) for side in (relation.left, relation.right)]
        self._ball = [expressions.ball(side) for side in (relation.left, relation.right)]
        self._trivial = None if trivial is None else expressions.exact(trivial)
        self._watched = watched(relation)
        self._regardless: dict[Edges, bool] = {}

    def examine(self, values: Environment) -> Outcome:
        """Compare the two sides at these values."""
        comparison, sides, grade = self._compared(values)
        return Outcome(self._verdict(comparison, sides, grade, values), *sides, grade, self.sign)

    def refutes(self, values: Environment) -> bool:
        """Whether the relation is certainly false here; an undefined side refutes nothing."""
        try:
            left, right = (side(values) for side in self._exact)
            return not _EXACT[self.sign](left, right)
        except (expressions.Undefined, expressions.Undetermined, ZeroDivisionError):
            return False
        except (expressions.Irrational, TypeError, AttributeError):
            pass
        try:
            return self._compared(values)[0] is Comparison.FALSE
        except (expressions.Undefined, expressions.Undetermined, ZeroDivisionError):
            return False

    def _compared(self, values: Environment) -> tuple[Comparison, Sides, str]:
        sides, grade = self._sides_exact(values), "exact"
        if sides is not None:
            return compare(sides[0], self.sign.value, sides[1]), sides, grade
        comparison, grade = Comparison.UNKNOWN, _grade(values)
        for precision in _FOR_EQUALITIES if self.sign is Sign.EQ else PRECISIONS:
            with flint.ctx.workprec(precision):
                found = self._sides_ball(values)
            if found is not None:
                sides = found
                comparison = compare(sides[0], self.sign.value, sides[1])
            if comparison is not Comparison.UNKNOWN or grade != "ball":
                break
        if sides is None:
            raise expressions.Undetermined(f"no finite enclosure of {self.relation} was found")
        return comparison, sides, grade

    def _verdict(
        self, comparison: Comparison, sides: Sides, grade: str, values: Environment
    ) -> Verdict:
        if comparison is Comparison.FALSE:
            return Verdict.VIOLATED
        verdict = self._agrees(sides, grade) if comparison is Comparison.UNKNOWN else Verdict.HOLDS
        if verdict is Verdict.UNDECIDED:
            return verdict
        if self._vacuous(sides, values):
            return Verdict.VACUOUS
        left, right = sides
        attained = is_known(left) and left == right and left.lo != 0
        return Verdict.TIGHT if attained and self.sign in _WITH_EQUALITY else verdict

    def _agrees(self, sides: Sides, grade: str) -> Verdict:
        may_be_equal = self.sign is Sign.EQ or self.sign in _WITH_EQUALITY
        agree = grade == "ball" and may_be_equal and agreement(*sides) >= _AGREEMENT
        return Verdict.AGREES if agree else Verdict.UNDECIDED

    def _vacuous(self, sides: Sides, values: Environment) -> bool:
        """Whether no more is said here than is true without the theorem."""
        left, right = sides
        if self._trivial is not None and self.sign in (Sign.LE, Sign.LT):
            exact = {name: value for name, value in values.items() if isinstance(value, Fraction)}
            if right.lo >= self._trivial(exact):
                return True
        if self.sign is Sign.NE:  # arbitrary values differ anyway
            return False
        if self._watched and left == right == Enclosure.exact(0):
            return True
        kept = edges(self._watched, values)
        if kept not in self._regardless:
            self._regardless[kept] = true_regardless(self.relation, kept, self.refutes)
        return self._regardless[kept]

    def _sides_exact(self, values: Environment) -> Sides | None:
        if not all(isinstance(value, Fraction) for value in values.values()):
            return None
        try:
            left, right = (Enclosure.exact(Fraction(side(values))) for side in self._exact)
        except expressions.Irrational:
            return None
        except ZeroDivisionError as error:
            raise expressions.Undefined("division by zero") from error
        return left, right

    def _sides_ball(self, values: Environment) -> Sides | None:
        numbers = {name: _as_number(value) for name, value in values.items()}
        alpha = sum(
            (value.alpha for value in values.values() if isinstance(value, Enclosure)), Fraction(0)
        )
        sides = []
        for side in self._ball:
            number = side(numbers)
            if isinstance(number, Fraction):
                sides.append(Enclosure.exact(number))
                continue
            if not number.is_finite():
                return None
            sides.append(Enclosure(*balls.from_arb(number)))
        return Enclosure(sides[0].lo, sides[0].hi, min(alpha, Fraction(1))), sides[1]


def _as_number(value: Value) -> Fraction | flint.arb:
    if isinstance(value, Ball):
        return value.compute()
    if isinstance(value, Enclosure):
        return balls.to_arb(value.lo).union(balls.to_arb(value.hi))
    if isinstance(value, Fraction):
        return value
    raise TypeError(f"{value!r} must be turned into an enclosure before it is compared")


def _grade(values: Environment) -> str:
    enclosures = [value for value in values.values() if isinstance(value, Enclosure)]
    if any(value.alpha > 0 for value in enclosures):
        return "statistical"
    return "enclosed" if any(not is_known(value) for value in enclosures) else "ball"


def _float(number: Fraction) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None
