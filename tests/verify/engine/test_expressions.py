"""Sympy trees evaluated: exactly, in balls, and written for the kernel; three routes, one value."""

from fractions import Fraction

import flint
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.theory import Domain, Quantity
from holdfast.verify.binding import balls
from holdfast.verify.engine import expressions
from holdfast.verify.engine.expressions import Irrational, Undefined
from holdfast.verify.kernel import Enclosure, evaluate_expression

x = Quantity("x", "a number")
y = Quantity("y", "a number >= 0", Domain.NONNEGATIVE)
F = Fraction
RATIONAL = st.fractions(-6, 6, max_denominator=9)
TREES = [
    x + y, x - 2 * y, x * y / 3, x**2 + y**3, 1 / (1 + y), (x + 1) / (1 + y) ** 2, sympy.Abs(x - y),
    sympy.Max(x, y, 1), sympy.Min(x, 2 * y), sympy.sqrt(y), 1 / sympy.sqrt(1 + y), sympy.exp(-x *
    y), sympy.log(1 + y), sympy.sqrt(2) * sympy.sqrt(y), 2**y, (1 + y) ** sympy.Rational(3, 2),
    (1 + y) ** sympy.Rational(1, 3), sympy.exp(sympy.sqrt(y)) - x,
]  # fmt: skip


@given(st.sampled_from(TREES), RATIONAL, RATIONAL.map(abs))
def test_the_routes_agree(tree: sympy.Expr, a: Fraction, b: Fraction) -> None:
    """The exact value lies in the ball, which meets the kernel's enclosure; both are narrow."""
    values = {"x": a, "y": b}
    if tree == 2**y:
        assume(b.denominator == 1)
    with flint.ctx.workprec(200):
        found = expressions.ball(tree)(values)
        number = found if isinstance(found, flint.arb) else balls.to_arb(found)
        low, high = balls.from_arb(number)
    try:
        exact = expressions.exact(tree)(values)
    except Irrational:
        exact = None
    if exact is not None:
        assert low <= exact <= high
    assert high - low < F(1, 2**120)
    if tree != 2**y:
        symbols = {name: Enclosure.exact(value) for name, value in values.items()}
        theirs = evaluate_expression(expressions.to_kernel(tree), symbols)
        assert theirs.lo <= high
        assert low <= theirs.hi
        assert theirs.hi - theirs.lo < F(1, 2**80)


@given(RATIONAL)
def test_rationals_survive_a_ball_within_its_radius(a: Fraction) -> None:
    low, high = balls.from_arb(balls.to_arb(a))
    assert low <= a <= high


@pytest.mark.parametrize(("tree", "at", "value"), [
    (sympy.sqrt(y), F(9, 4), F(3, 2)),
    (y ** sympy.Rational(3, 2), F(4), F(8)),
    (1 / sympy.sqrt(y), F(4), F(1, 2)),
    (sympy.exp(y), F(0), F(1)),
    (sympy.log(1 + y), F(0), F(0)),
    (y ** sympy.Rational(1, 4), F(0), F(0)),
    (y ** sympy.Rational(1, 4), F(1), F(1)),
    (y**0 + y, F(0), F(1)),
])  # fmt: skip
def test_exact_where_it_can_be(tree: sympy.Expr, at: Fraction, value: Fraction) -> None:
    assert expressions.exact(tree)({"y": at}) == value


@pytest.mark.parametrize(
    "tree", [sympy.sqrt(y), sympy.exp(y), sympy.log(y), y ** sympy.Rational(1, 3)]
)
def test_irrational_is_said_so(tree: sympy.Expr) -> None:
    with pytest.raises(Irrational):
        expressions.exact(tree)({"y": F(2)})


@pytest.mark.parametrize(("tree", "at"), [
    (1 / y, F(0)), (y**-2, F(0)), (1 / sympy.sqrt(y), F(0)), (sympy.sqrt(y), F(-1)),
    (sympy.log(y), F(0)), (sympy.log(y), F(-1)),
])  # fmt: skip
def test_undefined_is_said_so(tree: sympy.Expr, at: Fraction) -> None:
    for route in (expressions.exact, expressions.ball):
        with pytest.raises(Undefined):
            route(tree)({"y": at})


def test_zero_times_a_ball_is_zero_and_nothing_else_is() -> None:
    root = flint.arb(2).sqrt()
    evaluate = expressions.ball(x * y)
    assert evaluate({"x": F(0), "y": root}) == F(0)
    assert isinstance(evaluate({"x": F(0), "y": root}), Fraction)
    assert isinstance(evaluate({"x": F(1), "y": root}), flint.arb)


def test_more_precision_narrows() -> None:
    widths = []
    for precision in (64, 256):
        with flint.ctx.workprec(precision):
            low, high = balls.from_arb(expressions.ball(sympy.exp(x))({"x": F(1, 3)}))
            widths.append(high - low)
    assert widths[1] < widths[0] / 2**150


@pytest.mark.parametrize("tree", [sympy.sin(x), sympy.gamma(x), sympy.floor(x)])
def test_what_cannot_be_evaluated_is_refused_when_compiled(tree: sympy.Expr) -> None:
    with pytest.raises(TypeError, match="relations may use"):
        expressions.exact(tree)


def test_sympy_is_not_asked_to_evaluate() -> None:
    """The tree is walked as it stands: an unevaluated sum stays a sum of its parts."""
    tree = sympy.Add(x, -x, 1, evaluate=False)
    assert expressions.exact(tree)({"x": F(5)}) == 1


@pytest.mark.parametrize(("power", "low", "high"), [(1, -2, 2), (2, 0, 4), (3, -8, 8), (4, 0, 16)])
def test_powers_of_a_ball_about_0_are_finite(power: int, low: int, high: int) -> None:
    """flint has NaN for them; a difference of equal numbers is such a ball."""
    found = expressions.ball(x**power)({"x": flint.arb(0, 2)})
    assert found.is_finite()
    assert found.overlaps(flint.arb(low))
    assert found.overlaps(flint.arb(high))
    assert found.abs_upper() < 1.01 * high
