"""What is no certificate at all is rejected: broken files, values of a wrong kind, endless ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.verify.kernel import check, check_file

Document = dict[str, Any]
FILES: list[tuple[str, str, str]] = [
    ("", "JSONDecodeError", "Expecting value"),
    ("{", "JSONDecodeError", "line 1 column 2"),
    ('{"format": "holdfast-certificate/1", "kind": "cmdp-opt', "JSONDecodeError", "Unterminated"),
    ('{"kind": "mixture", "value": 0.5}', "not an integer", "0.5"),
    ('{"kind": "mixture", "value": 1e400}', "not an integer", "1e400"),
    ('{"kind": "mixture", "value": NaN}', "not an integer", "NaN"),
    ('{"kind": "mixture", "value": -Infinity}', "not an integer", "-Infinity"),
    ('{"kind": "mixture", "kind": "enclosure"}', "repeats a key", "['kind', 'kind']"),
    ('{"a": {"b": 1, "b": 2}}', "repeats a key", "['b', 'b']"),
    ("[" * 100_000, "RecursionError", "recursion"),
    ('{"kind": 1' + "0" * 5000 + "}", "ValueError", "4300"),
]


@pytest.mark.parametrize(("text", "reason", "value"), FILES, ids=range(len(FILES)))
def test_a_broken_file_is_rejected(tmp_path: Path, text: str, reason: str, value: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    report = check_file(path)
    assert not report.accepted
    assert (len(report.steps), report.steps[0].number) == (1, 1)
    assert "JSON" in report.steps[0].name
    assert reason in report.steps[0].reason
    assert value in report.steps[0].value


def test_unreadable_files_are_rejected(tmp_path: Path) -> None:
    missing = check_file(tmp_path / "missing.json").steps[0]
    assert (missing.ok, missing.reason) == (False, "FileNotFoundError")
    assert "missing.json" in missing.value
    assert check_file(tmp_path).steps[0].reason.startswith("not a file")
    (tmp_path / "latin.json").write_bytes(b'{"kind": "\xe9"}')
    assert check_file(tmp_path / "latin.json").steps[0].reason == "UnicodeDecodeError"


@pytest.mark.parametrize("cut", range(1, 60, 3))
def test_a_truncated_file_is_rejected(
    documents: dict[str, Document], tmp_path: Path, cut: int
) -> None:
    text = json.dumps(documents["optimum"])
    path = tmp_path / "cut.json"
    path.write_text(text[: len(text) * cut // 60])
    step = check_file(path).steps[-1]
    assert (step.number, step.ok) == (1, False)


def _nested(depth: int) -> Any:
    value: Any = "1"
    for _ in range(depth):
        value = ["neg", value]
    return value


GARBAGE: list[Any] = [
    None, 0, 1.5, "text", [], [[]], {}, {"kind": {}}, {1: 2}, float("nan"), object(),
    {"format": None, "kind": None},
]  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_rejected_everywhere(valid: Document, garbage: Any) -> None:
    assert not check(garbage).accepted
    for key in valid:
        if key == "notes":
            continue
        step = check({**valid, key: garbage}).steps[-1]
        assert not step.ok, key
        assert step.reason
    for key in valid.get("model", {}):
        if key == "notes":
            continue
        document = {**valid, "model": {**valid["model"], key: garbage}}
        if valid["model"][key] == garbage:  # pragma: no cover
            continue
        assert not check(document).accepted, key


def test_endless_nesting_is_rejected(documents: dict[str, Document]) -> None:
    euler = documents["euler"]
    euler["expression"] = _nested(100_000)
    step = check(euler).steps[-1]
    assert (step.ok, step.value) == (False, "200")
    assert "deeper" in step.reason


def test_a_certificate_inside_itself_is_rejected(documents: dict[str, Document]) -> None:
    document = documents["counterexample"]
    document["values"]["v"]["certificate"] = document
    assert not check(document).accepted


def test_notes_are_not_read(valid: Document) -> None:
    expected = check(valid)
    valid["notes"] = [0.5, {"value": "nonsense"}]
    assert check(valid) == expected
