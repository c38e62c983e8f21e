"""What is said of the owner's data before a flip, and what a flipped row is then."""

import json
from pathlib import Path
from typing import Any

import pytest

from .test_preference_layouts import Rows
from .test_preferences import Run, poison, write

__all__ = ["poison"]

FEW = ("--rate", "1/2", "--features", "ngrams", "--dimensions", "2")


def judged(values: list[Any]) -> Rows:
    """Rows of two answers, with the values in turn."""
    return [
        {"response_0": f"good {k} yes", "response_1": f"bad {k} no", "says": values[k % len(values)]}
        for k in range(12)
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
