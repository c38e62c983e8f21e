"""One relation, one set of values, one outcome: exact first, then balls, never a tolerance.

The ladder: rationals decide whenever every value and both sides are rational; otherwise arb balls
are
compared by the kernel, the precision doubled until they separate or the cap is reached.  A value
known
only to lie in an interval (an enclosure, a confidence interval) takes part as a ball that does not
shrink, so more precision cannot make it say more than it does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import flint
import sympy

from holdfast.theory import Relation, Sign

from . import expressions
from .kernel import Comparison, Enclosure, Verdict, compare
from .values import Ball, Value, is_known

PRECISIONS = (64, 128, 256, 512, 1024, 2048, 4096)
"""Working precisions of the ball rung, in bits."""

_EXACT: dict[Sign, Callable[[Fraction, Fraction], bool]] = {
    Sign.LE: operator.le,
    Sign.LT: operator.lt,
    Sign.GE: operator.ge,
    Sign.GT: operator.gt,
    Sign.EQ: operator.eq,
    Sign.NE: operator.ne,
}

Environment = Mapping[str, Value]


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
        small, large = self._oriented()
        if small is None or large is None:
            return None
        if small < 0 and large <= 0:
            small, large = -large, -small
        if large == 0:
            return 1.0 if small == 0 else None
        return None if small < 0 or large < 0 else _float(small / large)

    def _oriented(self) -> tuple[Fraction | None, Fraction | None]:
        left, right = ((side.lo + side.hi) / 2 for side in (self.left, self.right))
        match self.sign:
            case Sign.LE | Sign.LT:
                return left, right
            case Sign.GE | Sign.GT:
                return right, left
            case _:
                return None, None


class CompiledRelation:
    """A relation compiled once for both rungs."""

    def __init__(self, relation: Relation, trivial: sympy.Expr | None = None) -> None:
        self.relation = relation
        self.sign = relation.sign
        self._exact = [expressions.exact(side) for side in (relation.left, relation.right)]
        self._ball = [expressions.ball(side) for side in (relation.left, relation.right)]
        self._trivial = None if trivial is None else expressions.exact(trivial)

    def examine(self, values: Environment) -> Outcome:
        """Compare the two sides at these values."""
        sides, grade = self._sides_exact(values), "exact"
        comparison = Comparison.UNKNOWN
        if sides is not None:
            comparison = compare(sides[0], self.sign.value, sides[1])
        else:
            grade = _grade(values)
            for precision in PRECISIONS:
                with flint.ctx.workprec(precision):
                    found = self._sides_ball(values)
                if found is not None:
                    sides = found
                    comparison = compare(sides[0], self.sign.value, sides[1])
                if comparison is not Comparison.UNKNOWN or grade != "ball":
                    break
        if sides is None:
            raise expressions.Undetermined(f"no finite enclosure of {self.relation} was found")
        return Outcome(self._verdict(comparison, sides, values), *sides, grade, self.sign)

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
            return self.examine(values).verdict is Verdict.VIOLATED
        except (expressions.Undefined, expressions.Undetermined, ZeroDivisionError):
            return False

    def _verdict(
        self, comparison: Comparison, sides: tuple[Enclosure, Enclosure], values: Environment
    ) -> Verdict:
        if comparison is Comparison.FALSE:
            return Verdict.VIOLATED
        if comparison is Comparison.UNKNOWN:
            return Verdict.UNDECIDED
        left, right = sides
        if self._trivial is not None and self.sign in (Sign.LE, Sign.LT):
            exact = {name: value for name, value in values.items() if isinstance(value, Fraction)}
            if right.lo >= self._trivial(exact):
                return Verdict.VACUOUS
        if self.sign in (Sign.LE, Sign.GE) and is_known(left) and left == right:
            return Verdict.TIGHT
        return Verdict.HOLDS

    def _sides_exact(self, values: Environment) -> tuple[Enclosure, Enclosure] | None:
        if not all(isinstance(value, Fraction) for value in values.values()):
            return None
        try:
            left, right = (Enclosure.exact(Fraction(side(values))) for side in self._exact)
        except expressions.Irrational:
            return None
        except ZeroDivisionError as error:
            raise expressions.Undefined("division by zero") from error
        return left, right

    def _sides_ball(self, values: Environment) -> tuple[Enclosure, Enclosure] | None:
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
            sides.append(Enclosure(*expressions.from_arb(number)))
        return Enclosure(sides[0].lo, sides[0].hi, min(alpha, Fraction(1))), sides[1]


def _as_number(value: Value) -> Fraction | flint.arb:
    if isinstance(value, Ball):
        return value.compute()
    if isinstance(value, Enclosure):
        return expressions.to_arb(value.lo).union(expressions.to_arb(value.hi))
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
