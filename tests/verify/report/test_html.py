"""The page: whole, self-contained, escaped, and saying what the run found."""

from __future__ import annotations

import re
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

import pytest

from holdfast import theory
from holdfast.verify.campaign.summary import RunSummary
from holdfast.verify.report import html, wording

from .conftest import REFUTED, SURVIVED, VIOLATED

VOID = {"meta", "link", "br", "hr", "img", "input"}
ADDRESSES = {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}


class Page(HTMLParser):
    """Checks that elements are closed in order; keeps ids, addresses, elements and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.addresses += [value or "" for name, value in attrs if name in ADDRESSES]
        self.faults += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @cached_property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture(scope="module")
def source(bad_run: RunSummary, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = html.write(bad_run, tmp_path_factory.mktemp("report") / "new" / "folder")
    assert path.name == "index.html"
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def article(source: str, label: str) -> Page:
    start = source.index(f'<article id="claim-{label.replace("/", "-")}">')
    return Page(source[start : source.index("</article>", start) + len("</article>")])


def test_elements_are_closed_and_ids_are_unique(page: Page) -> None:
    assert page.faults == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_the_page_asks_for_nothing_from_outside(source: str, page: Page) -> None:
    assert page.addresses
    outside = [a for a in page.addresses if not a.startswith("#") and a != "data:,"]
    assert outside == []
    assert set(page.tags).isdisjoint({"script", "img", "iframe", "object", "embed", "base"})
    assert "@import" not in source
    assert re.findall(r"url\((?!#)[^)]*\)", source) == []


def test_every_link_has_a_target(page: Page) -> None:
    targets = {address[1:] for address in page.addresses if address.startswith("#")}
    assert targets <= set(page.ids)
    assert {"results", "worlds", "mutants", "reading", "provenance"} <= targets


def test_every_theorem_is_there_and_typeset(source: str, page: Page) -> None:
    for theorem in theory.catalogue():
        part = article(source, theorem.label)
        assert theorem.label in part.text
        assert theorem.title in part.text
        assert part.tags.count("math") >= 1 + len(theorem.quantities)
        for assumption in theorem.given:
            assert assumption.text in part.text
    assert page.tags.count("article") == len(theory.catalogue()) + 1


def test_hostile_text_is_text(page: Page, source: str) -> None:
    assert "<script" not in source
    assert '<script>alert("x")</script>[bold]&amp;' in page.text
    assert "<script>alert(1)</script>" in page.text, "the LaTeX of a quantity is shown as text"


def test_wording_promises_nothing(page: Page) -> None:
    telling = "425 models, 400 of them telling (tight on 400, vacuous on 25)"
    assert f"not refuted on {telling}, at grade exact, ball" in page.text.lower()
    assert not re.search(r"\b(verified|proven|proved)\b", page.text, re.IGNORECASE)
    for meaning in (*wording.VERDICTS.values(), *wording.GRADES.values()):
        assert meaning in page.text


def test_the_kill_matrix_names_every_fate(source: str, bad_run: RunSummary) -> None:
    for one in bad_run.claims:
        if one.world or one.error:
            continue
        part = article(source, one.claim.name)
        rows = wording.fates(one)
        assert len(rows) == len(one.killed) + len(one.survived) + len({*one.implied, *one.listed})
        for row in rows:
            assert row.name in part.text
            assert (row.detail or row.fate.value) in part.text
        assert f"{len(one.killed)} of {len(one.killed) + len(one.survived)} false variants" in (
            part.text
        )


def test_survivors_come_first_and_are_counted(source: str, bad_run: RunSummary) -> None:
    one = next(c for c in bad_run.claims if c.claim.name == SURVIVED and not c.world)
    assert wording.fates(one)[0].fate is wording.Fate.SURVIVED
    part = article(source, SURVIVED)
    assert "1 false variant not refuted" in part.text
    assert "survived: no model refuted it" in part.text


def test_a_listed_mutant_shows_its_reason(source: str) -> None:
    part = article(source, "cmdp/multiplier-bound")
    assert "returns are non-negative in this family" in part.text


def test_a_counterexample_is_drawn(source: str) -> None:
    part = article(source, VIOLATED)
    assert "Counterexample, shrunk" in part.text
    for words in (
        "40/3",
        "is not ≤",
        "1/81",
        "3 states, 5 state-action pairs",
        "discount 9/10",
        "r -1/2, c 2",
        "3/4",
        "holdfast check corpus/policy-bound.json",
        "Policy 2",
    ):
        assert words in part.text
    assert "claim-trust-region-policy-bound-model-0-tip" in part.ids


def test_a_refuted_statement_is_as_expected_and_a_large_model_is_a_table(source: str) -> None:
    part = article(source, REFUTED)
    assert "Counterexample, as expected" in part.text
    assert "too large to draw" in part.text
    assert "All 9 state-action pairs" in part.text


def test_worlds_show_value_certificate_and_bounds(page: Page) -> None:
    for words in (
        "frozen-lake-4x4",
        "cmdp-optimum",
        "cmdp-enclosure",
        "0.125000",
        "16 \N{MULTIPLICATION SIGN} 4",
        "716 states, 17,000 pairs",
        "Statements on icu-sepsis",
        "out of scope here",
    ):
        assert words in page.text


def test_a_good_run_reads_well_stays_small_and_is_reproducible(
    good_run: RunSummary, tmp_path: Path
) -> None:
    first = html.write(good_run, tmp_path).read_bytes()
    page = Page(first.decode())
    assert wording.HEADLINES[good_run.exit_code] in page.text
    assert "Not as expected" not in page.text
    assert len(first) < 5_000_000 * len(good_run.claims) / 120
    assert html.write(good_run, tmp_path).read_bytes() == first


def test_a_run_of_nothing_is_still_a_page(good_run: RunSummary) -> None:
    from dataclasses import replace

    page = Page(html.render(replace(good_run, claims=(), worlds=())))
    assert page.faults == []
    assert "0 of 0" in page.text
