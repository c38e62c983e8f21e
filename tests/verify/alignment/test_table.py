"""The table of `make alignment`: its labels are statements, and the page has its rows."""

import importlib.util
from pathlib import Path
from typing import Any

from holdfast.theory import catalogue

PAGES = Path(__file__).parents[3] / "docs" / "pillars"


def _table() -> Any:
    spec = importlib.util.spec_from_file_location("table", PAGES / "alignment_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _found(label: str, **changes: Any) -> dict[str, Any]:
    mutants = [{"fate": "killed"}, {"fate": "survived"}, {"fate": "implied"}]
    tally, closest = {"holds": 5, "violated": 2}, {"ratio": 0.5}
    found = {"name": label, "world": "", "verdict": "holds", "models": 7, "tally": tally}
    return found | {"tightest": closest, "mutants": mutants, "agreement_bits": None} | changes


def test_a_row_adds_up_its_statements_and_says_what_is_missing() -> None:
    table = _table()
    found = {one: _found(one) for one in ("tilts/gibbs", "preferences/dpo")}
    rows = {row[0]: row for row in table.rows(found)}
    assert rows["G1"][3:] == ("HOLDS", "7", "2", "1/2", "ratio 0.5")
    assert rows["G3"][3] == "not examined: preferences/components"
    exact = {"tilts/gibbs": _found("tilts/gibbs", tightest=None, agreement_bits=99)}
    assert next(iter(table.rows(exact)))[-1] == "99 bits"


def test_the_page_has_the_rows_of_the_table() -> None:
    page = (PAGES / "alignment.md").read_text(encoding="utf-8")
    for name, labels in _table().ROWS.items():
        number, _, words = name.partition(" ")
        shown = ", ".join(f"`{label}`" for label in labels.split())
        assert f"| {number} | {words} | {shown} |" in page


def test_each_label_is_a_statement() -> None:
    known = {theorem.label for theorem in catalogue()}
    assert {label for labels in _table().ROWS.values() for label in labels.split()} <= known
