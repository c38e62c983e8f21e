"""The figures of the house: ``python -m tests.architecture.figures [COMMIT ...]``.

One column for the working tree and one for each commit named, older layouts included.
"""

import ast
import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import networkx as nx

from .conftest import LAYERS, Source, parse_layers
from .test_rooms import arrows, between, circles, folder_of
from .test_size_budget import complexity, functions

ROOT = Path(__file__).parents[2]
TANGLED = 10
"""A function of a higher complexity is counted as tangled."""


def tenth(sizes: Iterable[int]) -> int:
    """The least number that nine in ten do not exceed."""
    ordered = sorted(sizes)
    return ordered[-(-9 * len(ordered) // 10) - 1] if ordered else 0


def share(hits: Iterable[bool]) -> str:
    found = list(hits)
    return f"{100 * sum(found) / len(found):.0f} %" if found else "-"


def words(source: Source) -> int:
    """Lines of docstrings, of the strings below constants, and of comments that speak to people."""
    lines: set[int] = set()
    for node in ast.walk(source.tree):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            lines |= set(range(value.lineno, (value.end_lineno or value.lineno) + 1))
    text = source.path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        marks = ("fmt:", "noqa", "type:", "pragma", "!")
        if token.type == tokenize.COMMENT and not token.string.lstrip("# ").startswith(marks):
            lines.add(token.start[0])
    return len(lines)


def arguments(tree: ast.AST) -> Iterator[bool]:
    """Of each argument of a function, the object itself aside: has it a type?"""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            some = node.args
            listed = [*some.posonlyargs, *some.args, *some.kwonlyargs, some.vararg, some.kwarg]
            yield from (
                a.annotation is not None for a in listed if a and a.arg not in {"self", "cls"}
            )


def raises(tree: ast.AST) -> Iterator[bool]:
    """Of each error that is made: does its message hold a value?"""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            given = [*node.exc.args, *(word.value for word in node.exc.keywords)]
            yield any(not isinstance(part, ast.Constant) for arg in given for part in pieces(arg))


def pieces(message: ast.expr) -> Iterator[ast.expr]:
    """The parts of a message that is put together with ``+`` or in an f-string."""
    if isinstance(message, ast.JoinedStr):
        yield from message.values
    elif isinstance(message, ast.BinOp) and isinstance(message.op, ast.Add):
        yield from pieces(message.left)
        yield from pieces(message.right)
    else:
        yield message


def tangles(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield complexity(node)


def backwards(graph: nx.DiGraph, group: Callable[[str], str]) -> int:
    """Imports against the stream: of two folders that import each other, the fewer arrows."""
    counted = Counter((group(above), group(below)) for above, below in graph.edges)
    return sum(
        min(number, counted[below, above])
        for (above, below), number in counted.items()
        if above < below
    )


def figures(root: Path) -> dict[str, str]:
    """Name of a figure -> its value, of the three layers of the tree at ``root``."""
    sources = parse_layers(root)
    graph, folders = arrows(sources), folder_of(sources)
    files = [source.lines for source in sources]
    loose = Counter(s.path.parent for s in sources if s.path.name != "__init__.py")
    fullest, most = loose.most_common(1)[0]
    lengths = [size for source in sources for _, size in functions(source.tree)]
    tangled = [number for source in sources for number in tangles(source.tree)]
    tests = [len(p.read_bytes().splitlines()) for p in (root / "tests").rglob("*.py")]
    return {
        "files": f"{len(files)}",
        "lines": f"{sum(files):,}",
        **{
            f"- {layer}": f"{sum(s.lines for s in sources if s.module.split('.')[1] == layer):,}"
            for layer in LAYERS
        },
        "folders": f"{len(loose)}",
        "most files in a folder": f"{most} ({fullest.relative_to(root)})",
        "circles of files": f"{len(circles(graph))}",
        "circles of folders": f"{len(circles(between(graph, folders)))}",
        "imports between files": f"{graph.number_of_edges():,}",
        "imports against the stream": f"{backwards(graph, folders)}",
        "file, median / p90 / max": f"{statistics.median(files):g} / {tenth(files)} / {max(files)}",
        "function, median / p90 / max": (
            f"{statistics.median(lengths):g} / {tenth(lengths)} / {max(lengths)}"
        ),
        "complexity, p90 / max": f"{tenth(tangled)} / {max(tangled)}",
        f"complexity above {TANGLED}": f"{sum(number > TANGLED for number in tangled)}",
        "docstrings and comments": f"{100 * sum(map(words, sources)) / sum(files):.0f} %",
        "arguments with a type": share(hit for s in sources for hit in arguments(s.tree)),
        "errors": f"{sum(1 for s in sources for _ in raises(s.tree))}",
        "errors with a value": share(hit for s in sources for hit in raises(s.tree)),
        "tests, lines": f"{sum(tests):,}",
        "tests : source": f"{sum(tests) / sum(files):.2f}",
    }


def at(commit: str) -> dict[str, str]:
    """The figures of a commit of this repository."""
    packed = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, *LAYERS, "tests"],
        capture_output=True, check=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
        return figures(Path(folder))


def table(columns: dict[str, dict[str, str]]) -> str:
    rows = [["", *columns]]
    rows += [[name, *(c[name] for c in columns.values())] for name in next(iter(columns.values()))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def main(commits: Sequence[str]) -> None:
    print(table({**{commit: at(commit) for commit in commits}, "working tree": figures(ROOT)}))


if __name__ == "__main__":
    main(sys.argv[1:])
