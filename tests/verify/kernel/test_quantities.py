"""Rationals as text, enclosures, three-valued comparison, verdicts without a truth value."""

import itertools
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.verify.kernel import (
    Comparison,
    Enclosure,
    Rejected,
    Verdict,
    check,
    compare,
    format_rational,
    parse_rational,
)

rationals = st.fractions(max_denominator=1000)
enclosures = st.tuples(rationals, rationals).map(lambda ends: Enclosure(min(ends), max(ends)))


@given(st.integers(), st.integers(min_value=1))
def test_text_round_trip(top: int, bottom: int) -> None:
    number = Fraction(top, bottom)
    assert parse_rational(format_rational(number)) == number
    assert parse_rational(f"{top}/{bottom}") == number


@pytest.mark.parametrize("digits", [900, 1100, 20_000])
def test_long_numbers_round_trip_in_hexadecimal(digits: int) -> None:
    number = Fraction(-(10**digits) - 1, 3**digits)
    text = format_rational(number)
    assert ("0x" in text) == (digits > 1000)
    assert parse_rational(text) == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("007/2", Fraction(7, 2)),
        ("0xfF", 255),
        ("-0x10/0x20", Fraction(-1, 2)),
    ],
)
def test_spellings(text: str, value: Fraction) -> None:
    assert parse_rational(text) == value


@pytest.mark.parametrize(
    "text",
    [
        0.5, 1, True, None, "", "/", "1/", "/2", " 1", "1 ", "1\n", "1/ 2", "1_0", "+1", "--1",
        "1/-2", "1/0", "1/00", "1/0x0", "0/0", "1e3", "1.5", "nan", "inf", "-inf", "0b1", "0o7",
        "0X1F", "0x", "0x-1", "x", "\u0661", "\u00bd", "\u00b2", "1//2", "1/2/3", b"1", ["1"],
        {"value": "1"}, Fraction(1, 2),
    ],
)  # fmt: skip
def test_what_is_no_rational_text(text: Any) -> None:
    with pytest.raises(Rejected, match='is not "p/q" text') as caught:
        parse_rational(text)
    assert str(text).replace("\n", "\\n") in caught.value.value


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(Rejected) as caught:
        parse_rational("1" * 1000 + "x")
    assert "(1001 characters)" in str(caught.value)
    assert len(str(caught.value)) < 300


def test_an_enclosure_is_made_of_fractions_in_order() -> None:
    third = Fraction(1, 3)
    assert Enclosure.exact(third) == Enclosure(third, third)
    assert Enclosure.exact(2) == Enclosure(Fraction(2), Fraction(2), Fraction(0))
    assert str(Enclosure(Fraction(0), third)) == "0..1/3"
    assert str(Enclosure.exact(third)) == "1/3"


@pytest.mark.parametrize(
    "parts",
    [(0.0, 1.0), (0.5, 0.5), (Fraction(1), 2), (Fraction(1), Fraction(0)),
     (Fraction(0), Fraction(1), Fraction(-1, 9)), (Fraction(0), Fraction(1), Fraction(10, 9)),
     (Fraction(0), Fraction(1), 0.5), (Fraction(0), float("nan")), (None, None)],
)  # fmt: skip
def test_what_is_no_enclosure(parts: tuple[Any, ...]) -> None:
    with pytest.raises(Rejected, match="lo <= hi") as caught:
        Enclosure(*parts)
    assert str(parts[0]) in str(caught.value)


def test_an_exact_enclosure_of_a_float_is_refused() -> None:
    with pytest.raises(Rejected, match=r"0\.1"):
        Enclosure.exact(0.1)  # type: ignore[arg-type]


def _inside(enclosure: Enclosure, share: Fraction) -> Fraction:
    return enclosure.lo + share * (enclosure.hi - enclosure.lo)


@given(enclosures, enclosures, *[st.fractions(0, 1, max_denominator=20)] * 2)
def test_arithmetic_encloses(a: Enclosure, b: Enclosure, s: Fraction, t: Fraction) -> None:
    x, y = _inside(a, s), _inside(b, t)
    pairs = [(a + b, x + y), (a - b, x - y), (a * b, x * y), (-a, -x), (abs(a), abs(x))]
    if b.lo > 0 or b.hi < 0:
        pairs.append((a / b, x / y))
    else:
        with pytest.raises(Rejected, match="division by what may be zero"):
            a / b
    for enclosure, number in pairs:
        assert enclosure.lo <= number <= enclosure.hi


def test_arithmetic_is_no_wider_than_need_be() -> None:
    a, b = Enclosure(Fraction(-1), Fraction(2)), Enclosure(Fraction(3), Fraction(4))
    assert a + b == Enclosure(Fraction(2), Fraction(6))
    assert a - b == Enclosure(Fraction(-5), Fraction(-1))
    assert a * b == Enclosure(Fraction(-4), Fraction(8))
    assert a / b == Enclosure(Fraction(-1, 3), Fraction(2, 3))
    assert abs(a) == Enclosure(Fraction(0), Fraction(2))
    assert abs(-b) == b


def test_alphas_add_up_to_one_at_most() -> None:
    a = Enclosure(Fraction(1), Fraction(2), Fraction(1, 3))
    b = Enclosure(Fraction(1), Fraction(2), Fraction(1, 2))
    for both in (a + b, a - b, a * b, a / b):
        assert both.alpha == Fraction(5, 6)
    assert (a + b + b).alpha == 1
    assert (-a).alpha == abs(a).alpha == Fraction(1, 3)


@given(enclosures, enclosures, st.sampled_from(["<=", "<", ">=", ">", "==", "!="]))
def test_comparison_is_that_of_all_ends(a: Enclosure, b: Enclosure, operator: str) -> None:
    """TRUE and FALSE hold of all pairs of points; UNKNOWN has pairs of both kinds."""
    points = [[e.lo, e.hi, e.lo + (e.hi - e.lo) / 3] for e in (a, b)]
    if a.lo <= b.hi and b.lo <= a.hi:  # the intervals meet: compare a common point too
        common = max(a.lo, b.lo)
        points = [[*points[0], common], [*points[1], common]]
    holds = {
        "<=": lambda x, y: x <= y, "<": lambda x, y: x < y, ">=": lambda x, y: x >= y,
        ">": lambda x, y: x > y, "==": lambda x, y: x == y, "!=": lambda x, y: x != y,
    }[operator]  # fmt: skip
    found = {holds(x, y) for x, y in itertools.product(*points)}
    expected = (
        Comparison.TRUE
        if found == {True}
        else Comparison.FALSE
        if found == {False}
        else Comparison.UNKNOWN
    )
    assert compare(a, operator, b) is expected


def test_comparison_at_equality() -> None:
    one, two = Enclosure.exact(1), Enclosure(Fraction(1), Fraction(2))
    assert compare(one, "<=", two) is Comparison.TRUE
    assert compare(one, "<", two) is Comparison.UNKNOWN
    assert compare(one, ">", two) is Comparison.FALSE
    assert compare(one, "==", one) is Comparison.TRUE
    assert compare(two, "==", two) is Comparison.UNKNOWN


@pytest.mark.parametrize("operator", ["=", "=<", "", None, 1])
def test_unknown_operators(operator: Any) -> None:
    with pytest.raises(Rejected, match="operator is none of") as caught:
        compare(Enclosure.exact(0), operator, Enclosure.exact(0))
    assert str(operator) in caught.value.value


@pytest.mark.parametrize("answer", [*Comparison, *Verdict])
def test_answers_have_no_truth_value(answer: Comparison | Verdict) -> None:
    with pytest.raises(TypeError, match=f"write `answer is {type(answer).__name__}"):
        bool(answer)
    with pytest.raises(TypeError):
        assert answer
    assert len(answer.value) > 20
    assert "\n" not in answer.value


def test_there_are_seven_verdicts() -> None:
    names = {"HOLDS", "AGREES", "TIGHT", "VIOLATED", "UNDECIDED", "VACUOUS", "OUT_OF_SCOPE"}
    assert {verdict.name for verdict in Verdict} == names
    assert "no proof" in Verdict.HOLDS.value


def test_numbers_of_any_length_can_be_shown() -> None:
    """Python refuses to write an integer of more than 4,300 decimals, which a fraction may have."""
    long = Fraction(1, 7**6000)
    assert (7**6000).bit_length() > 14_285, "4,300 decimals are 14,284.3 bits"
    found = Enclosure(long, 2 * long, long)
    assert "..." in repr(found)
    assert str(found).startswith("1/0x")
    text = format_rational(long)
    document = {
        "format": "holdfast-certificate/1",
        "kind": "enclosure",
        "expression": ["symbol", "x"],
        "values": {"x": {"lo": text, "hi": text, "alpha": text}},
        "lo": text,
        "hi": text,
    }
    report = check(document)
    assert report.accepted, report.steps[-1]
    assert "alpha 1/0x" in report.conclusion
    assert "except with probability 1/0x" in report.behind[0]
    assert "Enclosure(1/0x" in repr(report)


def test_what_cannot_be_shown_is_named() -> None:
    """A list with an integer of 5,001 decimals."""
    step = check({"kind": [10**5000]}).steps[-1]
    assert step.value == "a list too large to show"
    assert "linear-program-optimum" in step.reason
