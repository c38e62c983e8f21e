"""Formulas, numbers, plots, graphs and the parts of a counterexample."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from xml.etree import ElementTree

import pytest

from holdfast import theory
from holdfast.solvers.chance.windows.problem import WindowProblem
from holdfast.theory import Theorem
from holdfast.verify.chance.claims import flipping
from holdfast.verify.kernel import Enclosure
from holdfast.verify.report import cases, graphs
from holdfast.verify.report.mathml import mathml
from holdfast.verify.report.numbers import (
    ALMOST,
    beside,
    brief,
    decimal,
    duration,
    rounded,
    shorten,
)
from holdfast.verify.report.plots import slack_histogram

from .conftest import LARGE, MODEL, POLICIES

MATHML = "{http://www.w3.org/1998/Math/MathML}"


@pytest.mark.parametrize("theorem", theory.catalogue(), ids=lambda theorem: theorem.label)
def test_every_formula_of_the_catalogue_becomes_mathml(theorem: Theorem) -> None:
    formulas = [theorem.statement_latex(), *(q.latex for q in theorem.quantities)]
    for formula in formulas:
        root = ElementTree.fromstring(mathml(formula))
        assert root.tag == f"{MATHML}math"
        text = "".join(root.itertext())
        assert text.strip()
        assert "\\" not in text, f"{formula} was not understood: {text}"


def test_letters_of_other_alphabets_are_unicode() -> None:
    assert "\N{MATHEMATICAL DOUBLE-STRUCK CAPITAL E}" in mathml(r"\mathbb E")
    assert "\N{DOUBLE-STRUCK CAPITAL R}" in mathml(r"\mathbb{R}")
    assert "mathvariant" not in mathml(r"\mathbb{R}")


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"a < b & c > d",
        r"\text{<img src=x onerror=y>}",
        r"\frac{1",
        r"\left(",
        r"\begin{array}",
    ],
)
def test_no_formula_becomes_an_element_of_the_page(latex: str) -> None:
    markup = mathml(latex)
    assert re.search(r"<(script|img)", markup) is None
    root = ElementTree.fromstring(markup)
    assert {node.tag.removeprefix(MATHML)[0] for node in root.iter()} <= {"m", "c"}


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("2/3", 25, "2/3"),
        ("12345678901234567890", 9, "1234…7890"),
        ("12345678901234567890/98765432109876543210", 19, "1234…7890/9876…3210"),
        ("1/3..2/3", 25, "1/3..2/3"),
    ],
)
def test_long_rationals_lose_their_middle(text: str, width: int, expected: str) -> None:
    assert shorten(text, width) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2/3", "0.666667"),
        ("-1/4", "-0.25"),
        ("0", "0"),
        ("100", "100"),
        ("1/3..2/3", "0.333333 to 0.666667"),
        ("1/1000000000..2/1000000000", "1e-9 to 2e-9"),
        # 1/3 and 1/3 + 3e-9 agree in eight digits
        ("1/3..333333336333333333/1000000000000000000", "0.33333333 to 0.33333334"),
        ("about 3.14", "about 3.14"),
        ("3 of 10", "3 of 10"),
        ("", ""),
        ("0x" + "f" * 5000 + "/0x" + "f" * 4999, "16"),
    ],
)
def test_decimals(text: str, expected: str) -> None:
    assert decimal(text) == expected


def test_numbers_need_not_be_text() -> None:
    assert [decimal(Fraction(2, 3)), decimal(100), decimal(Fraction(2, 3), 3)] == [
        "0.666667",
        "100",
        "0.667",
    ]
    assert decimal(Enclosure(Fraction(1, 3), Fraction(2, 3))) == "0.333333 to 0.666667"
    assert decimal(Enclosure(Fraction(2, 3), Fraction(4, 3))) == "0.666666 to 1.33334"  # outwards
    assert decimal(Enclosure.exact(Fraction(1, 8))) == "0.125"


def test_a_rounded_decimal_is_not_said_to_be_equal() -> None:
    assert [beside(Fraction(7, 2)), beside("17/13"), beside("1/3..1/2"), beside(5)] == [
        "= 3.5",
        f"{ALMOST} 1.30769",
        "= 0.333333 to 0.5",
        "",
    ]


def test_an_enclosure_too_narrow_for_digits_says_so() -> None:
    lower, upper = 10**30, 10**30 + 1
    assert decimal(f"{lower}/3..{upper}/3").endswith("(to 17 digits)")


def test_small_formats() -> None:
    assert brief("1/3") == "1/3"
    assert brief("123456789/987654321") == "0.125"
    assert [rounded(None), rounded(14 / 15)] == ["\N{EN DASH}", "0.9333"]
    assert [duration(0.5), duration(12.3), duration(125)] == ["0.50 s", "12 s", "2 min 05 s"]
    assert [duration(3599.9), duration(3600), duration(47 * 3600 + 60)] == [
        "59 min 59 s", "1 h 00 min", "47 h 01 min",
    ]  # fmt: skip
    assert [duration(days * 86400) for days in (2.5, 100, 800, 36525)] == [
        "2 days 12 h", "100 days", "2.2 years", "100.0 years",
    ]  # fmt: skip


def test_a_histogram_counts_zeros_and_negatives_apart() -> None:
    plot = slack_histogram([0.0, 0.0, 1.0, 2.0, 3.0, -1.0, math.inf, math.nan])
    assert "6 findings" in plot.caption
    assert "; 0, where both are equal or too close to tell apart, in 2" in plot.caption
    assert "false, in 1" in plot.caption
    assert "logarithmic" not in plot.caption
    assert "var(--accent)" in plot.svg
    assert "var(--bad)" in plot.svg
    ElementTree.fromstring(plot.svg)
    # three bars of one finding each, the zeros at twice their height, the negative one at theirs
    heights = [
        float(bar.get("height", "")) for bar in ElementTree.fromstring(plot.svg).iter("rect")
    ]
    full, half = max(heights), max(heights) / 2
    assert sorted(height for height in heights if height) == [half] * 4 + [full]
    assert "id=" not in plot.svg, "ids would have to be unique in the page"


def test_a_wide_range_of_slacks_gets_a_logarithmic_axis() -> None:
    plot = slack_histogram([1e-6, 1e-3, 1.0])
    assert "logarithmic axis" in plot.caption
    assert "10⁻⁴" in plot.svg


@pytest.mark.parametrize(
    ("slacks", "words"),
    [([], "no slack to plot"), ([0.0] * 7, "slack is 0 in all 7 findings")],
)
def test_nothing_to_draw_is_said_in_words(slacks: list[float], words: str) -> None:
    plot = slack_histogram(slacks)
    assert plot.svg == ""
    assert words in plot.caption


@pytest.mark.parametrize("slacks", [[-1.0], [2.0], [2.0, 2.0, 0.0]])
def test_histograms_of_few_values_are_drawn(slacks: list[float]) -> None:
    root = ElementTree.fromstring(slack_histogram(slacks).svg)
    assert root.tag.endswith("svg")


def test_rows_and_picture_of_a_model() -> None:
    rows = graphs.rows(MODEL)
    assert rows[0].successors == ((0, "1/3"), (1, "2/3"))
    picture = graphs.picture(MODEL)
    assert picture is not None
    assert [node.initial for node in picture.nodes] == ["2/3", "1/3", ""]
    assert len(picture.dots) == 5
    assert sorted(arrow.text for arrow in picture.arrows if arrow.text) == [
        "1/3",
        "1/4",
        "2/3",
        "3/4",
    ]
    for x, y in (*picture.dots, *(node.at for node in picture.nodes)):
        assert 0 < x < picture.width
        assert 0 < y < picture.height


def test_states_and_dots_are_apart() -> None:
    picture = graphs.picture(MODEL)
    assert picture is not None
    points = [*picture.dots, *(node.at for node in picture.nodes)]
    gaps = [math.dist(a, b) for i, a in enumerate(points) for b in points[:i]]
    assert min(gaps) > 40


def test_words_of_a_picture_stand_beside_each_other() -> None:
    """The model of the front page: no two pieces of its text touch."""
    model = flipping.ce1().model
    picture = graphs.picture(model)
    assert picture is not None
    boxes = [graphs._text_box(one.lines, one.at, one.anchor) for one in picture.labels]
    boxes += [graphs._text_box((a.text,), a.at, "middle") for a in picture.arrows if a.text]
    assert len(boxes) > len(picture.labels) == model.n_choices
    assert [graphs._overlap(box, boxes[:k]) for k, box in enumerate(boxes)] == [0.0] * len(boxes)
    assert graphs._overlap(boxes[0], boxes) == pytest.approx(
        (boxes[0][2] - boxes[0][0]) * (boxes[0][3] - boxes[0][1])
    )


def test_a_large_model_has_no_picture() -> None:
    assert LARGE.n_states == graphs.LARGEST + 1
    assert graphs.picture(LARGE) is None


def test_the_parts_of_a_case_are_told_apart() -> None:
    problem = WindowProblem(MODEL, unsafe=(2,), window=1, level=Fraction(1, 10))
    case = (MODEL, *POLICIES, Fraction(1, 3), problem)
    assert cases.models(case) == (MODEL, MODEL)
    assert cases.policies(case) == (("1", "0", "1/2", "1/2", "1"), ("1/4", "3/4", "1", "0", "1"))
    third, windows = cases.others(case)
    assert third == "1/3"
    assert (windows["kind"], windows["unsafe"]) == ("windows", [2]) and "model" not in windows


def test_a_policy_is_described_without_its_model() -> None:
    """Which it may know or not: the case is the same, and its digest."""
    from dataclasses import replace

    from holdfast.verify.binding.description import describe, digest

    bare, known = replace(POLICIES[0], model=None), replace(POLICIES[0], model=MODEL)
    assert describe(known) == describe(bare)
    assert digest((MODEL, known)) == digest((MODEL, bare))
