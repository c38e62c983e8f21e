"""Layouts of preference data that people have: read as they were meant, or refused with the place.

The same pairs in every layout have the same cost, that of the plain file with chosen and rejected.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .test_preferences import NGRAMS, Run, chat, poison, triples, write

__all__ = ["poison"]

Rows = list[dict[str, Any]]
RATE = ("--rate", "1/2", *NGRAMS)
BY_ID = "first=response_0,second=response_1,preferred=better_response_id"


def plain() -> Rows:
    return [{"prompt": p, "chosen": good, "rejected": bad} for p, good, bad in triples()]


def by_id(names: tuple[str, str] = ("response_0", "response_1"), ids: Any = (0, 1)) -> Rows:
    """As PKU-SafeRLHF has them: the better answer is second in every third row."""
    found = []
    for k, row in enumerate(plain()):
        second = k % 3 == 0
        texts = (row["chosen"], row["rejected"])[:: -1 if second else 1]
        found.append({
            "prompt": row["prompt"], names[0]: texts[0], names[1]: texts[1],
            "is_response_0_safe": k % 2 == 0, "is_response_1_safe": True,
            "better_response_id": ids[second], "safer_response_id": k % 2,
        })  # fmt: skip
    return found


def costs(poison: Run, data: str, *more: str) -> tuple[Any, str]:
    code, said = poison(data, *RATE, *more, "--json", "o.json")
    assert code == 0, said
    return json.loads(Path("o.json").read_text())["measurements"][0]["least_cost"], said


def table(rows: Rows, path: str, encoding: str = "utf-8", **style: Any) -> str:
    """As csv writes it, with quotation marks where a text needs them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), **style)
    writer.writeheader()
    writer.writerows(rows)
    Path(path).write_bytes(text.getvalue().encode(encoding))
    return path


def parquet(rows: Rows, path: str) -> str:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def listed(path: str, **style: Any) -> str:
    Path(path).write_text(json.dumps(plain(), **style))
    return path


def packed(path: str) -> str:
    Path(path).write_bytes(gzip.compress(Path(listed("list.json")).read_bytes()))
    return path


def lines(path: str, before: str = "", end: str = "\n") -> str:
    rows = (json.dumps(row, ensure_ascii=False) + end for row in plain())
    Path(path).write_bytes((before + "".join(rows)).encode())
    return path


def shared_prompt() -> Rows:
    """ShareGPT's way: the dialogue so far apart, and an answer as one message."""
    return [
        {
            "conversations": [{"from": "human", "value": row["prompt"]}],
            **{role: {"from": "gpt", "value": row[role]} for role in ("chosen", "rejected")},
        }
        for row in plain()
    ]


def parts() -> Rows:
    def content(text: str) -> list[dict[str, str]]:
        return [{"type": "text", "text": text}]

    return [
        {role: chat(content(row["prompt"]), content(row[role])) for role in ("chosen", "rejected")}
        for row in plain()
    ]


LAYOUTS: dict[str, tuple[Callable[[], str], str | None]] = {
    "responses and an id": (lambda: write("p.jsonl", by_id()), BY_ID),
    "ids as text": (lambda: write("p.jsonl", by_id(ids=("0", "1"))), BY_ID),
    "names as ids": (lambda: write("p.jsonl", by_id(ids=("response_0", "response_1"))), BY_ID),
    "A and B": (
        lambda: write("p.jsonl", by_id(("a", "b"), ("A", "B"))),
        "first=a,second=b,preferred=better_response_id",
    ),
    "1 and 2": (
        lambda: write("p.jsonl", by_id(("x", "y"), (1, 2))),
        "first=x,second=y,preferred=better_response_id:1/2",
    ),
    "1 and -1": (
        lambda: write("p.jsonl", by_id(("x", "y"), (1, -1))),
        "first=x,second=y,preferred=better_response_id:1/-1",
    ),
    "a probability": (
        lambda: write("p.jsonl", by_id(ids=(1.0, 0.0))),
        "first=response_0,second=response_1,probability=better_response_id",
    ),
    "ids in Parquet": (lambda: parquet(by_id(), "p.parquet"), BY_ID),
    "ids in a table": (lambda: table(by_id(), "p.csv"), BY_ID),
    "a list": (lambda: listed("p.json", indent=0), None),
    "a list in one line": (lambda: listed("p.jsonl"), None),
    "a packed list": (lambda: packed("p.json.gz"), None),
    "lines named .json": (lambda: lines("p.json"), None),
    "a byte-order mark and Windows line ends": (lambda: lines("p.jsonl", "\ufeff", "\r\n"), None),
    "a table": (lambda: table(plain(), "p.csv"), None),
    "a table of Excel's": (lambda: table(plain(), "p.csv", "utf-8-sig"), None),
    "a table with tabs": (lambda: table(plain(), "p.tsv", delimiter="\t"), None),
    "renamed": (
        lambda: write("p.jsonl", [
            {"instruction": row["prompt"], "chosen": row["chosen"], "reject": row["rejected"]}
            for row in plain()
        ]),
        "prompt=instruction,rejected=reject",
    ),
    "ShareGPT": (lambda: write("p.jsonl", shared_prompt()), "prompt=conversations"),
    "parts of contents": (lambda: write("p.jsonl", parts()), None),
}  # fmt: skip


@pytest.fixture
def right(poison: Run) -> Any:
    return costs(poison, write("plain.jsonl", plain()))[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_pairs_cost_the_same(poison: Run, right: Any, layout: str) -> None:
    make, columns = LAYOUTS[layout]
    found, said = costs(poison, make(), *(("--columns", columns) if columns else ()))
    assert found == pytest.approx(right, rel=4e-6)
    if columns and "better_response_id" in columns:
        assert "by better_response_id," in said
        assert "is better in 16 of 24 pairs" in said


def test_the_other_column_means_other_preferences(poison: Run, right: Any) -> None:
    """A control: the file is the same and the one column is not the other."""
    safer = BY_ID.replace("better", "safer")
    found, said = costs(poison, write("p.jsonl", by_id()), "--columns", safer)
    assert found != pytest.approx(right, rel=1e-2)
    assert "by safer_response_id, response_0 is better in 12 of 24 pairs" in said
    assert "not read: better_response_id, is_response_0_safe" in said


def test_a_flipped_row_says_the_other_answer_and_is_read_back(poison: Run) -> None:
    code, said = poison(write("p.jsonl", by_id()), "--columns", BY_ID, *RATE, "--out", "f.jsonl.gz")
    assert code == 0, said
    found = [
        json.loads(line) for line in gzip.decompress(Path("f.jsonl.gz").read_bytes()).splitlines()
    ]
    assert found
    for one in found:
        was = by_id()[one.pop("flipped_row") - 1]
        assert one == {**was, "better_response_id": 1 - was["better_response_id"]}
    again, said = poison("f.jsonl.gz", "--columns", BY_ID, "--features", "ngrams",
                         "--dimensions", "1")  # fmt: skip
    assert again == 0, said


def test_scores_go_with_the_answers_and_it_is_said(poison: Run) -> None:
    """UltraFeedback's columns, whose chosen texts have the higher scores."""
    rows = [
        {**row, "score_chosen": 8.0 + k, "score_rejected": float(-k), "chosen-model": f"m{k}",
         "rejected-model": f"n{k}", "scores": {"chosen": k, "rejected": -k}, "source": k}
        for k, row in enumerate(plain())
    ]  # fmt: skip
    code, said = poison(write("p.jsonl", rows), *RATE, "--out", "f.jsonl")
    assert code == 0, said
    assert (
        "flipped rows exchange chosen and rejected in the names of columns, and of keys within "
        "them (chosen-model, rejected-model, score_chosen, score_rejected, scores.chosen, "
        "scores.rejected); all else stays as it was, and so do keys within lists"
    ) in said
    for line in Path("f.jsonl").read_text().splitlines():
        one = json.loads(line)
        k = one["flipped_row"] - 1
        assert one["chosen"] == rows[k]["rejected"]
        assert (one["score_chosen"], one["score_rejected"]) == (-k, 8 + k)
        assert (one["chosen-model"], one["rejected-model"]) == (f"n{k}", f"m{k}")
        assert (one["scores"], one["source"]) == ({"chosen": -k, "rejected": k}, k)


def test_quotes_commas_and_new_lines_in_a_table(poison: Run) -> None:
    rows: Rows = [
        {"chosen": f'He said "{k}, or\nmore"', "rejected": "a,b\r\nc" * (k + 1)} for k in range(6)
    ]
    once, _ = costs(poison, write("p.jsonl", rows))
    found, _ = costs(poison, table(rows, "p.csv"))
    assert found == pytest.approx(once, rel=4e-6)


def test_ties_are_a_third_value_and_are_labels_of_a_half(poison: Run) -> None:
    rows = by_id(("a", "b"), ("model_a", "model_b"))
    rows[1]["better_response_id"] = rows[3]["better_response_id"] = "tie"
    data = write("p.jsonl", rows)
    two = "first=a,second=b,preferred=better_response_id:model_a/model_b"
    code, said = poison(data, *RATE, "--columns", two)
    assert code == 64
    assert "p.jsonl, line 2: better_response_id is 'tie', which does not say whether a or b" in said
    _, said = costs(poison, data, "--columns", f"{two}/tie")
    assert "some benign labels are fractions: give --copies m" in said
    _, said = costs(poison, data, "--columns", f"{two}/tie", "--copies", "2", "--out", "f.jsonl")
    values = [
        json.loads(line)["better_response_id"] for line in Path("f.jsonl").read_text().splitlines()
    ]
    assert set(values) == {"model_a", "model_b"}


def test_pairs_that_are_there_twice_each_count_and_equal_answers_teach_nothing(
    poison: Run,
) -> None:
    rows = [*plain(), *plain()[:4], {"chosen": "same", "rejected": "same"}]
    _, said = costs(poison, write("p.jsonl", rows))
    assert "p.jsonl: 29 pairs" in said
    assert "both answers have equal features in 1 pair (first in row 29)" in said


def test_a_day_in_parquet_is_written_as_text(poison: Run) -> None:
    import datetime

    rows = [{**row, "id": k, "day": datetime.date(2024, 1, 2)} for k, row in enumerate(plain())]
    code, said = poison(parquet(rows, "p.parquet"), *RATE, "--out", "f.jsonl")
    assert code == 0, said
    assert json.loads(Path("f.jsonl").read_text().splitlines()[0])["day"] == "2024-01-02"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.csv", "chosen,rejected\na,b\nc\n", "p.csv, line 3 has 1 cells, but line 1 names 2"),
        ("p.csv", 'chosen,rejected\n"a\nb",c\nd,e,f\n', "p.csv, line 4 has 3 cells"),
        ("p.csv", 'chosen,rejected\na,"b\n', "line 2 cannot be read as CSV: unexpected end of"),
        ("p.csv", 'chosen,rejected\na,"b"c\n', "line 2 cannot be read as CSV: ',' expected"),
        ("p.csv", "chosen,chosen\na,b\n", "line 1 names one column twice: chosen, chosen"),
        ("p.csv", "chosen;rejected\na;b\n", "line 2 has no 'chosen', but chosen;rejected; say"),
        ("p.csv", "", "holds no pairs; it is empty"),
        ("p.csv", "chosen,rejected\n\n", "holds no pairs; it is empty"),
        ("p.csv", "chosen,rejected\n\"[{'role': 'user'}]\",b\n", "is a list written as text"),
        ("p.json", "[]", "holds no pairs; it is empty"),
        ("p.json", "[", "p.json, entry 1 is no JSON: Expecting value"),
        ("p.json", '[{"chosen": "a", "rejected": "b"}', "after entry 1 stands ''; write a comma"),
        ("p.json", '[{"chosen": "a", "rejected": "b"}] x', "after entry 1 stands '] x'"),
        ("p.json", '[{"chosen": "a", "rejected": "b"}, 7]', "p.json, entry 2 is 7; give an object"),
        ("p.json", '[{"chosen": "a", "chosen": "b"}]', "entry 1 has the key 'chosen' twice"),
        ("p.json", "[" * 10**5, "p.json, entry 1 is nested too deeply"),
        ("p.json", '{\n"chosen": "a"\n}', "p.json, line 1 is no JSON"),
        ("p.json", '{"data": []}', "line 1 has no 'chosen', but data; say which columns are what"),
        ("p.jsonl.gz", "not packed", "p.jsonl.gz is damaged"),
        ("p.jsonl", '{"chosen": "a", "rejected": "b", "winner_tie": 1}', "has 'winner_tie'"),
    ],
)
def test_what_is_refused_and_where(poison: Run, name: str, text: str, said: str) -> None:
    Path(name).write_text(text)
    code, output = poison(name, *NGRAMS)
    assert code == 64, output
    assert said in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--columns", "first=a"), "first, second and one of preferred and probability go"),
        (("--columns", BY_ID, "--labels", "ones.txt"), "both say which answer is better; leave"),
        ((), "line 1 has no 'chosen', but prompt, response_0, response_1, is_response_0_safe"),
        ((), "say which columns are what with --columns, such as first=response_0,second="),
    ],
)
def test_columns_that_are_not_named_or_do_not_fit(
    poison: Run, arguments: tuple[str, ...], said: str
) -> None:
    Path("ones.txt").write_text("1\n" * len(by_id()))
    code, output = poison(write("p.jsonl", by_id()), *NGRAMS, *arguments)
    assert code == 64, output
    assert said in output
