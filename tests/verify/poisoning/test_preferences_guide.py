"""The commands and the Python of the how-to on preference data, on small files of its layouts."""

import json
import re
from pathlib import Path

import pytest

from ..conftest import Invoke

GUIDE = (Path(__file__).resolve().parents[3] / "docs/how-to/preferences.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ holdfast (.*)$", GUIDE, re.MULTILINE)
WORDS = ["red", "green", "blue", "cyan", "pink", "grey", "teal", "plum"]


def _text(k: int) -> str:
    return " ".join(WORDS[(k * j) % 8] for j in range(1, 3 + k % 5))


def _write(name: str, rows: list[dict[str, object]]) -> None:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def files(holdfast: Invoke) -> None:
    """24 rows of UltraFeedback's two forms and of PKU-SafeRLHF's."""
    both = [(_text(k), _text(5 * k + 3)) for k in range(24)]
    _write("ultrafeedback.jsonl", [
        {"prompt": f"Q{k}", "score_chosen": 8.0 + k, "score_rejected": 1.0 - k}
        | {name: [{"role": "user", "content": f"Q{k}"}, {"role": "assistant", "content": text}]
           for name, text in zip(("chosen", "rejected"), pair, strict=True)}
        for k, pair in enumerate(both)
    ])  # fmt: skip
    _write("safe.jsonl", [
        {"prompt": f"Q{k}", "response_0": a, "response_1": b, "better_response_id": k % 2,
         "safer_response_id": k // 2 % 2}
        for k, (a, b) in enumerate(both)
    ])  # fmt: skip
    _write("completions.jsonl", [
        {"instruction": f"Q{k}", "completions": [
            {"response": text, "overall_score": score}
            for text, score in ((a, 4.0), ("so so", 5.0), (b, 6.0 if k else 4.0))]}
        for k, (a, b) in enumerate(both)
    ])  # fmt: skip


def test_the_commands_and_the_python(holdfast: Invoke, files: None) -> None:
    code = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert code is not None
    exec(code[1], {})
    pairs = [json.loads(line) for line in Path("best_and_worst.jsonl").read_text().splitlines()]
    assert (pairs[0]["chosen"], pairs[0]["score_chosen"], pairs[0]["score_rejected"]) == (
        "so so", 5.0, 4.0,
    )  # fmt: skip
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        done = holdfast(*command.split())
        assert done.code == 0, done.output
        assert done.says("robustness, certified: at least")
    assert Path("flipped.jsonl.gz").read_bytes()[:2] == b"\x1f\x8b"
    for line in Path("flipped.jsonl").read_text().splitlines():
        row = json.loads(line)
        assert row["better_response_id"] == row["flipped_row"] % 2  # row 1 has 0


def test_every_notation_of_the_guide_is_one() -> None:
    from holdfast.solvers.poisoning.data.columns import Columns

    for text in re.findall(r"`((?:preferred|probability)=[^`]*)`", GUIDE):
        assert Columns.of(f"first=a,second=b,{text}").judge == ("NAME",)
    assert Columns.of("prompt=instruction,rejected=reject").second == "reject"
