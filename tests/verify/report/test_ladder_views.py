"""A ladder as table, picture, page and JSON: the same numbers everywhere, and nothing steers."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from holdfast.verify.report.ladder import (
    Cell,
    Figure,
    Ladder,
    Mark,
    Panel,
    Remark,
    Row,
    Rung,
    Series,
    Table,
    over_seeds,
    page,
    picture,
)
from holdfast.verify.report.ladder.table import screen
from holdfast.verify.report.pictures import write
from holdfast.verify.report.wording import Tone
from holdfast.verify.terminal.output import Console

from .test_html import Page

EXACT = Rung("exact optimum", "exact", "What no policy exceeds.")
TRAINED = Rung("network", "neural", "Value / risk of a trained one.")
OVER = Cell((Figure(Fraction(5, 2)), Figure(0.25, 0.24, 0.26)), over=True)
LADDER = Ladder(
    label="area/name",
    title="A title with <b> in it",
    bound="Less than more.",
    tables=(
        Table(
            "of <script>alert(1)</script>", "level", (EXACT, TRAINED),
            (Row("0.1", (Cell((Figure(Fraction(1, 3)),)), OVER)), Row("0.2", (Cell(), Cell()))),
        ),
    ),
    panels=(
        Panel(
            "left", "risk", "return",
            (
                Series("line", ((0.0, 1.0), (1.0, 2.0))),
                Series("flips", ((0.2, 1.0), (0.4, 1.5)), Mark.DASHES, 1),
                Series("flips", ((0.3, 1.0), (0.5, 1.5)), Mark.DASHES, 1),
                Series("measured", ((0.3, 1.2),), Mark.CROSSES, 1, ((0.28, 0.33, 1.1, 1.3),)),
            ),
            levels=(0.25,),
        ),
        Panel("right", "steps", "return", (Series("curve", ((1.0, 0.0), (2.0, 1.0))),)),
    ),
    remarks=(Remark(Tone.GOOD, "as it should be"),),
    notes=("one network is missing",),
    runs=("runs/0123",),
)  # fmt: skip


def on_screen(ladder: Ladder) -> str:
    console = Console(width=200, record=True)
    with console.capture() as captured:
        console.print(screen(ladder))
    return captured.get()


def test_the_table_has_each_number_and_says_what_a_column_is() -> None:
    text = on_screen(LADDER)
    for words in ("0.3333", "2.5 / 0.25", "0.24 to 0.26", "exact optimum", "neural"):
        assert words in text
    assert text.count("What no policy exceeds.") == 1
    assert "✓ as it should be" in text
    assert "note: one network is missing" in text


def test_a_contradiction_is_one_that_a_remark_says() -> None:
    assert not LADDER.contradicted
    assert replace(LADDER, remarks=(Remark(Tone.BAD, "false"),)).contradicted
    assert not replace(LADDER, remarks=(Remark(Tone.OPEN, "who knows"),)).contradicted


def test_the_mean_of_seeds_is_exact_and_its_ends_are_the_seeds() -> None:
    figure = over_seeds([Fraction(1, 3), Fraction(1, 2), 0.25])
    assert figure == Figure(Fraction(13, 36), Fraction(1, 4), Fraction(1, 2))
    assert over_seeds([2]).spread == ""
    with pytest.raises(ValueError, match="no seed"):
        over_seeds([])


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(1, 3), "0.3333"), (0.25, "0.25"), (98.85312, "98.853"), (Fraction(200), "200"),
        (0, "0"), (1.2e-7, "1.2e-07"), (-0.5, "-0.5"),
    ],
)  # fmt: skip
def test_numbers_of_tables(number: Fraction | float, text: str) -> None:
    assert Figure(number).text == text


def test_the_page_is_whole_escaped_and_needs_nothing_else(tmp_path: Path) -> None:
    path = page.write(LADDER, tmp_path / "new")
    found = Page(path.read_text(encoding="utf-8"))
    assert not found.faults and not found.open
    assert "script" not in found.tags
    assert all(one.startswith(("#", "data:")) or one in ("",) for one in found.addresses)
    assert len(found.ids) == len(set(found.ids))
    for words in ("0.3333", "2.5 / 0.25", "0.24 to 0.26", "<script>alert(1)", "runs/0123"):
        assert words in found.text
    assert "svg" in found.tags


def test_a_page_without_panels_has_no_picture() -> None:
    found = Page(page.render(replace(LADDER, panels=())))
    assert "svg" not in found.tags
    assert "#picture" not in found.addresses
    with pytest.raises(ValueError, match="nothing to draw"):
        picture.draw(replace(LADDER, panels=()))


def test_the_picture_shows_each_series_and_names_it_once(tmp_path: Path) -> None:
    left, right = picture.draw(LADDER).axes
    names = [text.get_text() for text in left.get_legend().get_texts()]
    assert names == ["line", "flips", "measured"]
    dashes = [line.get_xydata().tolist() for line in left.lines if line.get_linestyle() == "--"]
    assert dashes == [[[0.2, 1.0], [0.4, 1.5]], [[0.3, 1.0], [0.5, 1.5]]]
    (across, along) = left.collections
    assert across.get_segments()[0].tolist() == [[0.28, 1.2], [0.33, 1.2]]
    assert along.get_segments()[0].tolist() == [[0.3, 1.1], [0.3, 1.3]]
    assert right.get_xlabel() == "steps"
    path = write(picture.draw(LADDER), tmp_path / "ladder.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_first_panel_takes_the_room_of_one_that_is_missing() -> None:
    three = replace(LADDER, panels=(*LADDER.panels, LADDER.panels[1]))
    figure = picture.draw(three)
    figure.draw_without_rendering()
    first, second, third = (axes.get_position() for axes in figure.axes)
    assert first.width > 1.8 * second.width
    assert second.y0 == third.y0 < first.y0


def test_the_same_ladder_has_the_same_picture() -> None:
    assert picture.svg(LADDER) == picture.svg(LADDER)


def test_json_keeps_fractions_as_text_and_floats_as_numbers() -> None:
    found = json.loads(json.dumps(page.document(LADDER)))
    exact, trained = found["tables"][0]["rows"][0]["cells"]
    assert exact["figures"][0]["value"] == "1/3"
    assert trained == {
        "figures": [
            {"value": "5/2", "low": None, "high": None},
            {"value": 0.25, "low": 0.24, "high": 0.26},
        ],
        "over": True,
    }
    assert found["remarks"] == [{"tone": "good", "text": "as it should be"}]
    assert found["contradicted"] is False
