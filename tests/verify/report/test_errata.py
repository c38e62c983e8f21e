"""The errata page: what is refuted as printed, all of it, and nothing else."""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from holdfast.theory import Standing, catalogue
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.engine.fairness import why_fair
from holdfast.verify.kernel import check

REFUTED = [one for one in catalogue() if one.standing is Standing.REFUTED]
QUICK = ("flipping/additive-windows", "guarded/safe-as-printed", "weighted-critics/lemma-literal")
"""With two readings, of a definition, and with one model for several numbers."""


@pytest.fixture(scope="module")
def errata() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).resolve().parents[3] / "docs" / "_ext"))
        return import_module("errata")


def claim(label: str) -> Claim:
    return next(one for one in shipped([label]) if one.name == label)


def test_each_statement_that_is_refuted_as_printed_has_an_entry_and_no_other(
    errata: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errata, "entry", lambda claim: (claim.name, f"entry {claim.name}", {}))
    page = errata.pages()["index.md"]
    entries = [line.split()[1] for line in page.splitlines() if line.startswith("entry ")]
    assert sorted(entries) == sorted(one.label for one in REFUTED)
    assert page.startswith("# Errata") and f"{len(REFUTED)} statements of 4 papers" in page
    unprinted = sum(one.standing is Standing.FALSE_UNPRINTED for one in catalogue())
    assert f"{unprinted} further statements" in page


@pytest.mark.parametrize("label", QUICK)
def test_an_entry_says_what_its_authors_are_owed(errata: ModuleType, label: str) -> None:
    found = claim(label)
    theorem, refutation = found.theorem, found.theorem.refutation
    assert refutation is not None
    row, section, files = errata.entry(found)
    assert errata.prose(theorem.source.place) in row
    assert f"({errata.erratum(label)})=" in section and f"(#{errata.erratum(label)})" in row
    assert errata.prose(str(theorem.source)) in section
    owed = [refutation.fidelity, refutation.severity, theorem.remark]
    owed += [text for one in refutation.printed for text in (one.text, one.met)]
    shown = [one.shown for one in why_fair(found) if one.shown]
    assert shown and all(f"| `{one}` |" in section for one in shown)  # as it is, no prose
    assert not [text for text in owed if errata.prose(text) not in section]
    assert section.count("<i class=") == 2  # both sides as bars
    assert '<svg class="graph"' in section or 'class="scalar"' in section
    assert "[what a challenge needs](#challenge-an-entry)" in section
    python, certificate, *others = files
    assert python.replace(".py", ".lean") in others
    assert all(f"{{download}}`{name}`" in section for name in others)
    assert f"{{download}}`{python}`" in section
    assert f"$ holdfast check {certificate}" in section
    report = check(json.loads(files[certificate]))
    assert report.accepted, report
    assert "conclude(relation, sign, sides)" in files[python]


@pytest.mark.parametrize(
    ("label", "true"),
    [
        ("flipping/additive-windows", ["flipping/one-step"]),
        ("weighted-critics/lemma-literal", ["weighted-critics/concave", "weighted-critics/linear"]),
        ("flipping/additive-reached", []),
    ],
)
def test_what_is_true_in_its_place_is_linked(
    errata: ModuleType, label: str, true: list[str]
) -> None:
    text = errata.in_its_place(claim(label).theorem)
    assert [line.split("`")[1] for line in text.splitlines() if "`" in line] == true
    assert bool(true) != ("None is stated" in text)


def test_titles_and_labels_are_whole_where_an_entry_stands_alone(errata: ModuleType) -> None:
    """No title leans on the one before it, and no label is cut, so that each repair is linked."""
    assert not [one.label for one in catalogue() if one.title.startswith("The same")]
    linked = errata.in_its_place(claim("designs/violation").theorem)
    assert len(linked.splitlines()) == 3
    linked = errata.in_its_place(claim("surrogate-costs/conservative").theorem)
    assert "chance/safe-expected-cost" in linked


def test_every_label_in_a_remark_of_an_erratum_exists(errata: ModuleType) -> None:
    known = {one.label for one in catalogue()}
    areas = {label.partition("/")[0] for label in known}
    named = [
        label
        for one in REFUTED
        for label in errata._LABEL.findall(one.remark)
        if label.partition("/")[0] in areas
    ]
    assert len(named) >= 12
    assert set(named) <= known
