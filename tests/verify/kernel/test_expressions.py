"""Expressions: enclosures contain the true value, by another library, and are narrow."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.verify.kernel import Enclosure, Rejected, evaluate_expression, format_rational
from holdfast.verify.kernel.expressions import exp_bounds, log_bounds, sqrt_bounds

BITS = 128


def _ball(number: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(number.numerator, number.denominator))


def _flint(node: Any) -> flint.arb:
    """The same expression over arb balls, at the working precision; nan where it has no value."""
    if isinstance(node, str):
        return _ball(Fraction(node))
    head, *rest = node
    if head == "pow":
        base, exponent = _flint(rest[0]), rest[1]
        result = flint.arb(1)
        for _ in range(abs(exponent)):
            result *= base
        return result if exponent >= 0 else 1 / result
    parts = [_flint(part) for part in rest]
    if head in ("exp", "log", "sqrt"):
        return getattr(parts[0], head)()
    if head == "neg":
        return -parts[0]
    if head == "abs":
        return abs(parts[0])
    total = parts[0]
    for part in parts[1:]:
        total = {
            "add": lambda a, b: a + b,
            "mul": lambda a, b: a * b,
            "div": lambda a, b: a / b,
            "max": lambda a, b: a.max(b),
            "min": lambda a, b: a.min(b),
        }[head](total, part)
    return total


numbers = st.fractions(-20, 20, max_denominator=50).map(format_rational)
expressions = st.recursive(
    numbers,
    lambda e: st.one_of(
        st.tuples(st.sampled_from(["neg", "abs", "exp", "log", "sqrt"]), e),
        st.tuples(st.sampled_from(["add", "mul", "max", "min"]), e, e),
        st.tuples(st.just("div"), e, e),
        st.tuples(st.just("pow"), e, st.integers(-3, 3)),
    ).map(list),
    max_leaves=8,
)


def _overlaps(enclosure: Enclosure, ball: flint.arb) -> bool:
    low, high = _ball(enclosure.lo), _ball(enclosure.hi)
    return not bool(ball < low) and not bool(ball > high)


@given(expressions)
def test_the_enclosure_meets_the_ball(expression: Any) -> None:
    """Both contain the true value, so they overlap; at 400 bits the ball is all but a point."""
    try:
        found = evaluate_expression(expression, {}, BITS)
    except Rejected as error:  # no value, or none that is certain, or a number too large
        assert error.reason
        return
    with flint.ctx.workprec(400):
        ball = _flint(expression)
        if ball.is_finite():
            assert _overlaps(found, ball)


FUNCTIONS: list[tuple[str, Callable[[Fraction, int], tuple[Fraction, Fraction]]]] = [
    ("exp", exp_bounds),
    ("log", log_bounds),
    ("sqrt", sqrt_bounds),
]
wide = st.fractions(-1000, 1000) | st.fractions(max_denominator=10**6).map(lambda x: x % 1)


@pytest.mark.parametrize(("name", "bounds"), FUNCTIONS)
@given(x=wide, bits=st.sampled_from([64, 128, 300]))
def test_bounds_contain_and_are_narrow(
    name: str, bounds: Callable[[Fraction, int], tuple[Fraction, Fraction]], x: Fraction, bits: int
) -> None:
    if name != "exp":
        x = abs(x) or Fraction(1)
    low, high = bounds(x, bits)
    assert low <= high
    with flint.ctx.workprec(2 * bits + 2000):
        true = getattr(_ball(x), name)()
        assert bool(_ball(low) <= true) or low == high
        assert bool(true <= _ball(high)) or low == high
        assert true.overlaps(_ball(low)) or low < high
        # Relative to exp and sqrt; to the larger of log and 1 for log, which may be close to 0.
        scale = max(Fraction(1), abs(high)) if name == "log" else abs(high)
        assert high - low <= scale / 2 ** (bits - 1)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (["exp", "0"], 1),
        (["log", "1"], 0),
        (["sqrt", "0"], 0),
        (["sqrt", "4/9"], Fraction(2, 3)),
        (["pow", "2/3", -2], Fraction(9, 4)),
        (["pow", "-2", 3], -8),
        (["pow", "0", 0], 1),
        (["add", "1/2", "1/3", "1/6"], 1),
        (["mul", "7"], 7),
        (["max", "1", "3", "2"], 3),
        (["min", "1", "-3", "2"], -3),
        (["div", "1", "-3"], Fraction(-1, 3)),
        (["abs", ["neg", "5"]], 5),
        (("add", "1", ["mul", "2", "3"]), 7),
    ],
)
def test_rational_values_are_exact(expression: Any, value: Fraction) -> None:
    assert evaluate_expression(expression, {}) == Enclosure.exact(value)


def test_known_constants() -> None:
    """e, log 2 and sqrt 2 to 30 places, from any table."""
    digits = {
        ("exp", "1"): 2718281828459045235360287471352,
        ("log", "2"): 693147180559945309417232121458,
        ("sqrt", "2"): 1414213562373095048801688724209,
    }
    for expression, figures in digits.items():
        found = evaluate_expression(list(expression), {}, BITS)
        assert Fraction(figures, 10**30) <= found.lo <= found.hi <= Fraction(figures + 1, 10**30)


def test_even_powers_of_an_interval_around_zero() -> None:
    values = {"x": Enclosure(Fraction(-1), Fraction(2))}
    x = ["symbol", "x"]
    assert evaluate_expression(["pow", x, 2], values) == Enclosure(Fraction(0), Fraction(4))
    assert evaluate_expression(["pow", x, 3], values) == Enclosure(Fraction(-1), Fraction(8))
    assert evaluate_expression(["abs", x], values) == Enclosure(Fraction(0), Fraction(2))
    with pytest.raises(Rejected, match="zero"):
        evaluate_expression(["pow", x, -1], values)


def test_alphas_add_up_by_occurrence() -> None:
    tenth = Fraction(1, 10)
    values = {"x": Enclosure(tenth, tenth, tenth), "y": Enclosure.exact(1)}
    x = ["symbol", "x"]
    assert evaluate_expression(["exp", x], values).alpha == tenth
    assert evaluate_expression(["pow", x, 2], values).alpha == tenth
    assert evaluate_expression(["add", x, ["max", x, "0"]], values).alpha == 2 * tenth
    assert evaluate_expression(["symbol", "y"], values).alpha == 0


@pytest.mark.parametrize(
    "expression",
    [
        0.5, 1, None, [], ["add"], ["1"], ["pow", "2"], ["pow", "2", "1/2"], ["div", "1"],
        ["exp", "1", "1"], ["symbol"], ["symbol", 1], ["symbol", "x", "y"], ["symbol", "unknown"],
        ["log", "0"], ["sqrt", "-1"], ["sin", "1"], {"add": ["1"]}, ["add", "1", 1.0], "x",
        ["exp", "9999999"], ["exp", "-9999999"], ["pow", "3", 10**8],
        ["pow", "1/3", 4 * 10**6], [["add"], "1"],
    ],
)  # fmt: skip
def test_what_is_no_expression(expression: Any) -> None:
    with pytest.raises((Rejected, TypeError)):
        evaluate_expression(expression, {})


def test_large_and_small_exponentials() -> None:
    """exp(20000) = 10^8685.88..., and exp(-x) is its inverse."""
    found = evaluate_expression(["exp", "20000"], {}, BITS)
    assert 10**8685 < found.lo <= found.hi < 10**8686
    inverse = evaluate_expression(["exp", "-20000"], {}, BITS)
    assert inverse.lo * found.lo <= 1 <= inverse.hi * found.hi
