"""The figures of the house are counted as they are said to be."""

import ast
from pathlib import Path

import networkx as nx
import pytest

from .conftest import parse
from .figures import arguments, backwards, figures, raises, table, tangles, tenth, words

COMPLEXITY_P90, COMPLEXITY_MAX = 6, 15


def test_nine_functions_in_ten_are_simple(sources) -> None:
    numbers = [number for source in sources for number in tangles(source.tree)]
    assert len(numbers) > 2_000, "no function seen: is this test blind?"
    assert tenth(numbers) <= COMPLEXITY_P90
    assert max(numbers) <= COMPLEXITY_MAX


@pytest.mark.parametrize(("sizes", "expected"), [(range(1, 11), 9), (range(1, 12), 10), ([5], 5)])
def test_one_in_ten_may_be_larger(sizes, expected: int) -> None:
    assert tenth(sizes) == expected


def test_words_are_docstrings_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        '"""Two\nlines."""\n\nx = 1  # why\n"""Below."""\n# alone\ny = [  # fmt: skip\n"no"]\n',
        encoding="utf-8",
    )
    assert words(parse(path, "a")) == 5


@pytest.mark.parametrize(
    ("message", "holds"),
    [
        ('"bad"', False),
        ('f"bad {x}"', True),
        ('f"bad"', False),
        ('"bad " + f"{x}"', True),
        ('"bad " "worse"', False),
        ("message(x)", True),
        ("", False),
    ],
)
def test_an_error_holds_a_value_or_not(message: str, holds: bool) -> None:
    assert list(raises(ast.parse(f"raise ValueError({message})"))) == [holds]
    assert not list(raises(ast.parse("try:\n    f()\nexcept E:\n    raise")))


def test_an_argument_has_a_type_or_not() -> None:
    method = ast.parse("class A:\n    def f(self, a: int, b, *c: int, d: int = 1): ...\n")
    assert list(arguments(method)) == [True, False, True, True]


def test_of_two_folders_the_fewer_arrows_run_back() -> None:
    graph = nx.DiGraph([("a.x", "b.x"), ("a.x", "b.y"), ("b.x", "a.y"), ("b.x", "c.x")])
    assert backwards(graph, lambda module: module.partition(".")[0]) == 1


def test_the_table_has_a_column_for_each_tree(tmp_path: Path) -> None:
    texts = {
        "theory/__init__": '"""Chapter."""\n',
        "theory/claim": "from ..solvers.sums import total\nx = total\n",
        "solvers/__init__": "",
        "solvers/sums": "def total(a: int, b: int) -> int:\n    return a + b\n",
        "verify/__init__": "def first():\n    from . import last\n    return last\n",
        "verify/last": "from . import first\n",
        "tests/test_sums": "\n" * 9,
    }
    for name, text in texts.items():
        path = (tmp_path / name).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    small = figures(tmp_path)
    assert (
        small.items()
        >= {
            "files": "6",
            "lines": "9",
            "most files in a folder": "1 (theory)",
            "circles of files": "1",
            "imports between files": "3",
            "function, median / p90 / max": "2.5 / 3 / 3",
            "docstrings and comments": "11 %",
            "tests : source": "1.00",
        }.items()
    )
    lines = table({"before": small, "after": small}).splitlines()
    assert lines[0].split() == ["before", "after"]
    assert len(lines) == 1 + len(small)
