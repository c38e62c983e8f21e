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
