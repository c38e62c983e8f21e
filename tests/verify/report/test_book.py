"""The theorem book: what its pages show, where it is from, and what it does not show."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from latex2mathml.converter import convert
from sphinx.ext.apidoc import main as apidoc

from holdfast import theory
from holdfast.theory import Le, Quantity, catalogue
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.engine.examiner import drawn_case
from holdfast.verify.report.json_report import document
from holdfast.verify.store.store import Store

ROOT = Path(__file__).resolve().parents[3]
AGAIN = ("concentration/hoeffding", "cmdp/splitting", "surrogate-costs/always-stochastic")
"""Claims of which 20 models take no time; the last is false as printed."""


@pytest.fixture(scope="module")
def book() -> Iterator[SimpleNamespace]:
    """The extensions of the documentation, by name."""
    names = ("book_figures", "book_graph", "book_results", "dead_links", "formulas", "theorem_book")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs" / "_ext"))
        yield SimpleNamespace(**{name: import_module(name) for name in names})


def claim(name: str) -> Claim:
    return next(one for one in shipped([name]) if one.name == name)


def page(book: SimpleNamespace, label: str) -> str:
    for area in theory.areas():
        for theorem in vars(area).values():
            if getattr(theorem, "label", "") == label:
                return book.theorem_book.section(theorem, area)
    raise AssertionError(label)


def test_a_page_has_all_that_a_reader_is_owed(book: SimpleNamespace) -> None:
    text = page(book, "flipping/bellman")
    wanted = (
        "# The best value in a state", "chip refuted", "✓ as expected",
        "$$\nV^\\star_\\alpha = V_M\n$$",
        "V_M=\\max_{\\mu\\in\\Delta(A)}", "*reachable-level*", "**Proof idea.**", "**Source.**",
        "**Standing.** Refuted", "## Why this is fair", "**Fidelity.**", "**Severity.**",
        'id="claim-flipping-bellman"', "10/9 against 6/5", '<svg class="graph"',
        "<h4>False variants", "holdfast verify &#39;flipping/bellman&#39; --budget 20 --seed 0",
        '<svg class="uses"',
        "[`flipping/one-step`](#theorem-flipping-one-step) (by its words)",
        "[`flipping/two-actions`](#theorem-flipping-two-actions) (by its proof)",
        "claims/flipping.py.html#L-", "families/windows.py.html#L-", "- solver: ", "- test: ",
    )  # fmt: skip
    assert [one for one in wanted if one not in text] == []


def test_every_statement_has_a_page_and_every_claim_an_address(book: SimpleNamespace) -> None:
    addresses = [book.theorem_book.claim_page(one) for one in shipped()]
    assert len(set(addresses)) == len(addresses)
    labels = {one.label for one in catalogue()}
    assert {one.partition(".html")[0].removeprefix("book/") for one in addresses} == labels


@pytest.mark.parametrize("name", AGAIN)
def test_the_command_of_a_page_gives_its_verdict_again(book: SimpleNamespace, name: str) -> None:
    found = claim(name)
    kept = book.book_results.results().row(found)
    with Store.open(":memory:") as store:
        run = run_campaign([found], budget=Budget(models=20), seed=0, store=store)
        again = book.book_results.kept(document(summary(run, [found])))
    assert json.loads(json.dumps(again[name])) == kept


def test_no_verdict_is_shown_that_the_run_did_not_give(book: SimpleNamespace) -> None:
    results = book.book_results.results()
    found = claim("cmdp/splitting")
    x = Quantity("x", "something else")
    changed = replace(found, theorem=replace(found.theorem, relation=Le(x, 1)))
    assert results.row(found) is not None
    for one, why in (
        (changed, "the statement has changed since the run"),
        (next(one for one in shipped() if one.trained), "on trained networks"),
    ):
        block = results.block(one, "here")
        assert results.row(one) is None
        assert "NO VERDICT" in block
        assert why in block
        assert "<svg" not in block


@pytest.mark.parametrize(
    ("name", "verdict", "as_expected", "classes"),
    [
        ("flipping/bellman", "violated", True, ["chip refuted", "fared expected"]),
        ("cmdp/splitting", "violated", False, ["chip refuted", "fared unexpected"]),
        ("cmdp/splitting", "tight", True, ["chip holds", "fared expected"]),
        ("flipping/bellman", "holds", False, ["chip holds", "fared unexpected"]),
        ("cmdp/splitting", "undecided", False, ["chip open", "fared unexpected"]),
        ("cmdp/splitting", "out_of_scope", True, ["chip open", "fared expected"]),
    ],
)
def test_colour_says_what_came_out_and_words_whether_it_was_expected(
    book: SimpleNamespace, name: str, verdict: str, as_expected: bool, classes: list[str]
) -> None:
    results, found = book.book_results.Results(), claim(name)
    results.rows = {name: results.rows[name] | {"verdict": verdict, "as_expected": as_expected}}
    chip = results.chip(found)
    assert re.findall(r'class="([^"]*)"', chip) == classes
    assert verdict.replace("_", " ").upper() in chip
    assert ("✓ as expected" in chip) is as_expected
    assert ("✗ not as expected" in chip) is not as_expected
    styled = (ROOT / "docs" / "_static" / "book.css").read_text(encoding="utf-8")
    assert f".{classes[0].replace(' ', '.')} {{" in styled


def test_a_box_has_the_colour_of_its_standing_unless_it_fared_otherwise(
    book: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = book.book_results.results()
    claims = [one for one in shipped() if results.row(one)]
    by_standing = {one.theorem.standing: one.theorem.label for one in claims}
    kind = book.theorem_book.kind
    assert {standing.name: kind(label) for standing, label in by_standing.items()} == {
        "STANDS": "stands", "REPAIRED": "repaired", "OPEN": "open", "REFUTED": "false",
        "FALSE_AS_RECALLED": "false", "FALSE_UNPRINTED": "false",
    }  # fmt: skip
    styled = (ROOT / "docs" / "_static" / "book.css").read_text(encoding="utf-8")
    for one in ("stands", "repaired", "open", "false", "unexpected", "quiet"):
        assert f"svg.uses rect.{one}, i.key.{one} {{" in styled
        assert f'class="key {one}"' in book.theorem_book.LEGEND
    for fared, colour in ((False, "unexpected"), (None, "quiet")):
        monkeypatch.setattr(book.book_results.Results, "fared", lambda *_, fared=fared: fared)
        assert {kind(label) for label in by_standing.values()} == {colour}


def test_a_model_is_drawn_only_if_it_is_that_of_the_run(book: SimpleNamespace) -> None:
    results = book.book_results.results()
    found = claim("chance/sandwich")
    finding = results.row(found)["tightest"]
    assert results._case(found, finding) is not None
    assert results._case(found, finding | {"digest": "0" * 16}) is None


def test_parts_of_a_case_have_a_name_of_their_own(book: SimpleNamespace) -> None:
    found = claim("pid/energy")
    shown = book.book_figures.drawn(found, drawn_case(found, 0, 0)[1], "here")
    assert re.findall("<b>(.*?)</b>", shown) == [f"case {k}" for k in range(6)]


def test_lines_are_solid_for_proofs_and_dashed_for_words(book: SimpleNamespace) -> None:
    graph = book.book_graph
    edges = graph.edges()
    proofs = {(one.label, used) for one in catalogue() for used in one.uses}
    assert {pair for pair, why in edges.items() if why == "proof"} == proofs
    assert edges["flipping/bellman", "flipping/one-step"] == "words"
    labels = ["flipping/bellman", "flipping/one-step", "flipping/two-actions"]
    drawn = graph.svg(labels, lambda label: "good", lambda label: f"{label}.html")
    assert drawn.count('class="words"') == sum(
        edges.get((a, b)) == "words" for a in labels for b in labels
    )
    assert 'href="flipping/one-step.html"' in drawn
    assert graph.svg(labels[:1], str, str) == ""


def test_a_change_of_a_lemma_that_a_proof_uses_is_noticed(book: SimpleNamespace) -> None:
    """Of each, the run that the book shows has refuted a false variant."""
    rows = book.book_results.results().rows
    used = {label for one in catalogue() for label in one.uses}
    noticed = {
        one.theorem.label
        for one in shipped()
        if any(m["fate"] == "killed" for m in rows.get(one.name, {"mutants": []})["mutants"])
    }
    trained = {one.theorem.label for one in shipped() if one.trained}
    assert len(used) > 100
    assert used - noticed - trained == set()


@pytest.mark.parametrize(
    ("words", "typeset"),
    [
        ("excess cost J_c - d of a policy", "excess cost $J_{c}  - d$ of a policy"),
        ("At T = 1 a policy is right", "At $T  = 1$ a policy is right"),
        ("There are a gamma_c near 1", "There are a $\\gamma_{c}$ near 1"),
        ("a Gamma law, by `holdfast list`", "a Gamma law, by `holdfast list`"),
        ("an i-th step of a KL-regularised policy", "an i-th step of a KL-regularised policy"),
        ("the set [0, 1]", "the set \\[0, 1\\]"),
    ],
)
def test_formulas_in_prose_are_formulas(book: SimpleNamespace, words: str, typeset: str) -> None:
    assert book.formulas.prose(words) == typeset


def test_the_setting_of_a_page_is_markdown(book: SimpleNamespace) -> None:
    """Its source is reStructuredText, of which a page of Markdown would show the marks."""
    made = book.theorem_book
    settings = {
        area.__name__: made.markdown(made.heading(area)) + made.setting(area)
        for area in theory.areas()
    }
    growth = settings["holdfast.theory.relative_budget.growth"]
    assert r"$\kappa_i=1/(K\xi_i^2)$ growth is linear, with a fixed $\kappa$" in growth
    assert "the budget of the *current* policy" in growth
    marks = re.compile(r":\w+:`|^\.\. |::\s*$|\\\*\w|`_", re.MULTILINE)
    assert {name for name, text in settings.items() if marks.search(text)} == set()


def test_a_bar_in_a_formula_ends_no_cell_of_a_table(book: SimpleNamespace) -> None:
    """In a table of Markdown a bare bar ends a cell, and an escaped one is one bar, not two."""
    rows = [
        (row, one.label)
        for one in catalogue()
        for row in book.theorem_book.symbols(one).splitlines()
        if row.startswith("|")
    ]
    assert {label for row, label in rows if len(re.split(r"(?<!\\)\|", row)) != 5} == set()
    shown = "\n".join(row for row, label in rows if label == "bounds/plug-in")
    assert r"| $\Vert g-g^*\Vert _1$ | largest sum over b of \|$g" in shown
    assert any(r"| $\vert A\dot x\vert ^2$ |" in row for row, _ in rows)
    assert all(r"\|" not in row.split("$")[1] for row, _ in rows if "$" in row)
    assert convert(book.formulas.cell(r"\|g\|_1")).count("&#x02016;") == 2


def test_titles_on_the_page_of_an_area_are_typeset(book: SimpleNamespace) -> None:
    assert re.sub(r"<math.*?</math>", "()", book.formulas.titled("At alpha = 0 a < b")) == "At ()"
    assert book.formulas.titled("A policy & its <cost>") == "A policy &amp; its &lt;cost&gt;"


def test_all_formulas_in_prose_can_be_typeset(book: SimpleNamespace) -> None:
    texts = {text for one in catalogue() for text in (one.title, one.remark, one.proof)}
    texts |= {q.meaning for one in catalogue() for q in one.quantities}
    found = [p for text in texts for kind, p in book.formulas.pieces(text) if kind == "formula"]
    assert len(found) > 1000
    assert all(convert(piece).startswith("<math") for piece in set(found))


def test_every_program_can_be_typeset() -> None:
    programs = {q.program for one in catalogue() for q in one.quantities if q.program}
    assert len(programs) >= 12
    assert all(convert(program).startswith("<math") for program in programs)


def test_the_reference_has_a_page_for_each_package_with_a_way_up(tmp_path: Path) -> None:
    """A page for each module, and the whole tree beside each, made the site half as large again."""
    package = tmp_path / "house" / "floor"
    package.mkdir(parents=True)
    for file in (package.parent / "__init__.py", package / "__init__.py", package / "room.py"):
        file.write_text('"""Something."""\n')
    templates = str(ROOT / "docs" / "_templates" / "apidoc")
    apidoc(["-q", "--no-toc", "--templatedir", templates, "-o", str(tmp_path), str(package.parent)])
    assert sorted(page.name for page in tmp_path.glob("*.rst")) == ["house.floor.rst", "house.rst"]
    text = (tmp_path / "house.floor.rst").read_text()
    assert text.startswith(":orphan:\n\nhouse.floor\n===========\n")
    assert ":doc:`Reference </reference/index>` / :doc:`house <house>`" in text
    assert re.findall(r"automodule:: (.*)", text) == ["house.floor", "house.floor.room"]


def test_only_pages_in_the_tree_of_contents_have_all_of_it_beside_them(
    book: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    shorten = import_module("conf").shorten_tree
    for meta, collapse in (({"orphan": ""}, True), ({}, False), (None, False)):
        context = {"toctree": lambda **options: options, "meta": meta}
        shorten(None, "page", "page.html", context, None)
        assert context["toctree"](collapse=False, maxdepth=-1) == {
            "collapse": collapse,
            "maxdepth": -1,
        }


def test_a_dead_link_is_found(book: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "there.html").write_text('<p id="place"></p><a href="../one.html">one</a>')
    (tmp_path / "one.html").write_text(
        '<a href="deep/there.html#place">right</a><a class="x" href="https://elsewhere.org">out</a>'
        '<a href="deep/there.html#no-place">wrong place</a><img alt="" src="deep/no.png">'
        '<a href="#top">no top</a><a href="../outside.html">outside</a>'
    )
    assert list(book.dead_links.dead_links(tmp_path)) == [
        "one.html: deep/there.html#no-place",
        "one.html: deep/no.png",
        "one.html: #top",
        "one.html: ../outside.html",
    ]


def test_a_public_name_without_documentation_is_found() -> None:
    """The rules of ruff that say so are on; what a claim computes is said by its theorem."""

    def complaints(name: str) -> int:
        code = "class Shape:\n    def area(self) -> int: ...\n\n\ndef grow() -> None: ...\n"
        options = ["--no-cache", "--output-format", "json", "--select", "D101,D102,D103"]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", "check", *options, "--stdin-filename", name, "-"],
            input=code, capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        return len(json.loads(done.stdout))

    assert complaints("solvers/cmdp/planted.py") == 3
    assert complaints("verify/cmdp/claims/planted.py") == 0
    layers = ["theory", "solvers", "verify"]
    ruff = [sys.executable, "-m", "ruff", "check", "--select", "D101,D102,D103", *layers]
    assert subprocess.run(ruff, capture_output=True, check=False, cwd=ROOT).returncode == 0
