"""What is said of the owner's data before a flip, and what a flipped row is then."""

import json
from pathlib import Path
from typing import Any

import pytest

from .test_preference_layouts import Rows, parquet, plain, table
from .test_preferences import Run, poison, write

__all__ = ["poison"]

FEW = ("--rate", "1/2", "--features", "ngrams", "--dimensions", "2")


def judged(values: list[Any]) -> Rows:
    """Rows of two answers, with the values in turn."""
    return [
        {"response_0": f"good {k}", "response_1": f"bad {k} no", "says": says}
        for k, says in enumerate(values * (12 // len(values)))
    ]


def flipped() -> Rows:
    return [json.loads(line) for line in Path("f.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("says", "values", "counts"),
    [
        ("preferred=says:model_a/model_b/tie", ["model_a", "model_b", "tie"], (4, 4, 4)),
        ("probability=says", [1, 0, 0.75, 0.5], (6, 3, 3)),
        ("probability=says", [0.5], (0, 0, 12)),
    ],
)
def test_a_tie_is_no_win(
    poison: Run, says: str, values: list[Any], counts: tuple[int, int, int]
) -> None:
    columns = f"first=response_0,second=response_1,{says}"
    code, said = poison(write("p.jsonl", judged(values)), *FEW, "--columns", columns)
    assert code == 0, said
    first, second, ties = counts
    assert (
        f"by says, response_0 is better in {first} of 12 pairs and response_1 in {second}, and "
        f"{ties} pairs tied; what is better, or the first of a tie, is called chosen here"
    ) in said


@pytest.mark.parametrize("columns", [(), ("--columns", "prompt=flipped_row")])
def test_a_column_flipped_row_is_not_overwritten(poison: Run, columns: tuple[str, ...]) -> None:
    data = write("p.jsonl", [{**row, "flipped_row": "mine"} for row in plain()])
    code, said = poison(data, *FEW, *columns, "--out", "f.jsonl")
    assert code == 64, said
    assert "p.jsonl has the column 'flipped_row', in which --out writes the numbers" in said
    assert "rename the column, or leave out --out" in said
    assert not Path("f.jsonl").exists()
    assert poison(data, *FEW, *columns)[0] == 0


def spaced(rows: Rows) -> str:
    """Rows of JSON with an empty line before each."""
    Path("p.jsonl").write_text("".join("\n" + json.dumps(row) + "\n" for row in rows))
    return "p.jsonl"


@pytest.mark.parametrize(
    "make", [spaced, lambda rows: table(rows, "p.csv"), lambda rows: parquet(rows, "p.parquet")]
)
def test_the_number_is_that_of_the_record(poison: Run, make: Any) -> None:
    """Whatever lines its texts have."""
    rows = [{**row, "chosen": f"{row['chosen']}\nmore", "id": k} for k, row in enumerate(plain())]
    code, said = poison(make(rows), *FEW, "--out", "f.jsonl")
    assert code == 0, said
    assert flipped()
    assert all(row["flipped_row"] == int(row["id"]) + 1 for row in flipped())


def test_what_is_exchanged_and_what_stays_is_all_said(poison: Run) -> None:
    """A row without a key that others have is exchanged as they are: then the other one is not."""
    rows = [
        {**row, "meta": {"chosen_len": k, "rejected_len": -k, "chosen_at": k}, "chosen_by": "me",
         "turns": [{"chosen_len": k, "rejected_len": -k}], "chosen_reason": k}
        | ({"rejected_reason": -k} if k else {})
        for k, row in enumerate(plain())
    ]  # fmt: skip
    code, said = poison(write("p.jsonl", rows), "--rate", "1", *FEW[2:], "--out", "f.jsonl")
    assert code == 0, said
    assert (
        "and of keys within them (chosen_reason, meta.chosen_len, meta.rejected_len, "
        "rejected_reason); chosen_by has no rejected_by and stays; meta.chosen_at has no "
        "rejected_at and stays; all else stays as it was, and so do keys within lists"
    ) in said
    assert flipped()
    for one in flipped():
        k = one.pop("flipped_row") - 1
        right = {
            **rows[k], "chosen": rows[k]["rejected"], "rejected": rows[k]["chosen"],
            "meta": {"chosen_len": -k, "rejected_len": k, "chosen_at": k},
            "chosen_reason": -k, "rejected_reason": k,
        }  # fmt: skip
        assert one == (right if k else {x: v for x, v in right.items() if x != "chosen_reason"})


def test_lone_columns_keep_the_columns_of_the_file(poison: Run) -> None:
    rows = [{**row, "chosen_by": k, "chosen_reason": "r"} for k, row in enumerate(plain())]
    code, said = poison(write("p.jsonl", rows), *FEW, "--out", "f.jsonl")
    assert code == 0, said
    assert (
        "(nothing); chosen_by has no rejected_by and stays; chosen_reason has no "
        "rejected_reason and stays; all else"
    ) in said
    assert all([*one] == [*rows[0], "flipped_row"] for one in flipped())


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (("answer_0", "answer_1"), 1),
        (("answer_0", "answer_1"), "0"),
        (("answer_1", "answer_2"), 1.0),
        (("answer_1", "answer_2"), 2),
    ],
)
def test_one_number_does_not_show_how_it_counts(
    poison: Run, names: tuple[str, str], value: Any
) -> None:
    rows = [{names[0]: f"good {k}", names[1]: f"bad {k} no", "says": value} for k in range(12)]
    data = write("p.jsonl", rows)
    columns = f"first={names[0]},second={names[1]},preferred=says"
    code, said = poison(data, *FEW, "--columns", columns)
    values = "/".join(name[-1] for name in names)
    assert code == 64, said
    assert f"p.jsonl: says is {int(value)} in all rows, which does not show whether it" in said
    assert f"preferred=NAME:FIRST/SECOND, such as preferred=says:{values}" in said
    assert poison(data, *FEW, "--columns", f"{columns}:{values}")[0] == 0
    named = write("p.jsonl", [{**row, "says": names[1]} for row in rows])
    assert poison(named, *FEW, "--columns", columns)[0] == 0
