"""The decidable errata set: each answer is decided again by a bare Python."""

import json
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from holdfast.theory import Standing
from holdfast.verify.binding.claims import shipped
from holdfast.verify.report.exports import errata_set as exported
from holdfast.verify.report.exports.errata_questions import CLASSES, PRINTED
from holdfast.verify.report.exports.finite import decide, judge
from holdfast.verify.report.standalone.files import model_text

from ..conftest import Invoke

Rows = dict[str, dict[str, Any]]


@cache
def files() -> dict[str, str]:
    return exported.errata_set()


def rows(name: str) -> Rows:
    found = [json.loads(line) for line in files()[name].splitlines()]
    return {row["id"]: row for row in found}


@pytest.mark.slow
def test_there_are_sixty_and_as_many_are_true_as_are_false_of_each_kind() -> None:
    answers = rows("answers.jsonl").values()
    assert len(answers) >= 60
    counts = Counter((row["kind"], row["answer"]) for row in answers)
    assert counts["class", True] == counts["class", False]
    assert counts["printed", True] == counts["printed", False] == len(PRINTED)
    assert files()["README.txt"].startswith(f"{len(answers)} questions, {len(answers) // 2} true")


@pytest.mark.slow
def test_a_bare_python_decides_each_question_as_it_is_answered(tmp_path: Path) -> None:
    for name, row in rows("answers.jsonl").items():
        path = tmp_path / f"{name}.py"
        path.write_text(files()[row["check"]])
        command = [sys.executable, "-I", "-S", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        assert found == {key: row[key] for key in found}
        assert found["answer"] == (found["violations"] == 0) and found["cases"] > 0
        assert row["answer"] or row["witness"]


@pytest.mark.slow
def test_questions_stand_alone() -> None:
    questions, answers = rows("questions.jsonl"), rows("answers.jsonl")
    assert questions.keys() == answers.keys()
    assert list(questions) == sorted(questions)  # an order that says nothing
    labels = {claim.name for claim in shipped()}
    for name, row in questions.items():
        assert set(row) == {"id", "question"}
        assert not any(label in row["question"] for label in labels)
        relation = row["question"].partition("Relation: ")[2].partition("\n")[0]
        assert relation in files()[answers[name]["check"]] or answers[name]["kind"] == "printed"


@pytest.mark.slow
def test_several_false_statements_are_hard_to_refute_at_random() -> None:
    """A case drawn at random breaks them with probability of at most 1/20."""
    wrong = [row for row in rows("answers.jsonl").values() if row["violations"]]
    late = [row for row in wrong if row["cases"] >= 20 * row["violations"]]
    assert len(late) >= 8


def test_every_printed_statement_is_refuted_as_printed_and_its_source_is_named() -> None:
    claims = {claim.name: claim for claim in shipped()}
    for printed in PRINTED:
        assert claims[printed.label].theorem.standing is Standing.REFUTED


def test_the_symbols_of_a_question_are_defined_in_it() -> None:
    for one in CLASSES:
        _, values = next(one.cases())
        for relation in (*one.true, *one.false):
            words = set(re.findall(r"\w+", one.text))
            assert values.keys() <= words, relation  # the witness shows all of them


def test_a_printed_question_shows_the_fields_that_it_names_and_no_other() -> None:
    """What is left out does not matter: the law of the one prompt, and what the words say."""
    hidden = set()
    for one in PRINTED:
        (claim,) = (claim for claim in shipped([one.label]) if claim.name == one.label)
        whole, shown = (
            set(re.findall(r"'(\w+)':", model_text(claim, text))) for text in (None, one.text)
        )
        assert shown <= whole and model_text(claim, one.text).count(one.change[0]) == 1
        hidden |= whole - shown
    assert hidden == {"kind", "additive", "everywhere", "budgets", "prompt_law"}


def test_the_arms_of_the_question_are_the_cases_that_the_file_looks_at() -> None:
    (one,) = [one for one in CLASSES if "three arms" in one.text]
    assert "no reward is below the one before" in one.text
    ordered = [r for r in product(range(3), repeat=3) if list(r) == sorted(r)]
    priced = [c for c in product(range(3), repeat=3) for limit in (0.5, 1) if min(c) <= limit]
    assert len(list(one.cases())) == len(ordered) * len(priced) == 450


def test_a_wrong_belief_ends_the_export(monkeypatch: pytest.MonkeyPatch) -> None:
    always = [("Is 1 < 0?", True, "def decided():\n    return {'answer': False}\n", {})]
    monkeypatch.setattr(exported, "_all", lambda: iter(always))
    with pytest.raises(exported.ModelError, match="is not True, as is believed"):
        exported.errata_set()


def test_deciding_counts_what_breaks_and_names_the_smallest() -> None:
    cases = [(f"case {n}", {"n": n}) for n in reversed(range(5))]
    found = decide(iter(cases), lambda n: n < 3)
    assert found == {"answer": False, "cases": 5, "violations": 2, "witness": "case 3: n = 3"}
    assert decide(iter(cases), lambda n: n < 9)["answer"] is True


def test_enclosures_that_overlap_decide_nothing() -> None:
    assert judge("<=", ((0, 1), (1, 2)))["answer"] is True
    assert judge("<=", ((2, 3), 1))["answer"] is False
    assert judge("==", (1, 1))["answer"] is True and judge("==", (1, 2))["answer"] is False
    for sign, sides in [("<=", ((0, 2), (1, 3))), ("==", ((0, 2), 1)), ("<", ((0, 1), (1, 2)))]:
        with pytest.raises(SystemExit, match="too wide"):
            judge(sign, sides)


def test_the_command_writes_all_of_it_once(
    holdfast: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {"README.txt": "a", "questions.jsonl": "b", "answers.jsonl": "c", "checks/1.py": "d"}
    monkeypatch.setattr(exported, "errata_set", lambda: texts)
    done = holdfast("errata-set", "set")
    assert done.code == 0 and done.says("wrote set/README.txt", "wrote set/checks")
    assert {name: Path("set", name).read_text() for name in texts} == texts
    done = holdfast("errata-set", "set")
    assert done.code == 64 and done.says("set/README.txt is there, and is not overwritten")
    Path("file").write_text("mine")
    assert holdfast("errata-set", "file").code == 64
    assert Path("file").read_text() == "mine"
