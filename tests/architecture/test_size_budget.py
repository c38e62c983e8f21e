"""The size budget of the style guide, printed as a table and enforced."""

import ast
import statistics
from collections.abc import Iterable, Iterator

import pytest

FILE_LINES, FUNCTION_LINES = 400, 60
FILE_MEDIAN, FUNCTION_MEDIAN = 180, 12
KERNEL_LINES, CHECKER_LINES = 600, 120


def functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Name and length of each function that is not inside another one."""

    def visit(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + child.name, (child.end_lineno or child.lineno) - child.lineno + 1
            elif isinstance(child, ast.ClassDef):
                yield from visit(child, f"{prefix}{child.name}.")
            else:
                yield from visit(child, prefix)

    return visit(tree, "")


def _row(name: str, files: list[int], sizes: list[int]) -> str:
    numbers = (len(files), sum(files), statistics.median(files), max(files))
    of_functions = (len(sizes), statistics.median(sizes or [0]), max(sizes or [0]))
    return f"{name:<16}" + "".join(f"{n:>10g}" for n in numbers + of_functions)


def _table(sources: Iterable) -> str:
    titles = ("files", "lines", "median", "max", "functions", "median", "max")
    lines = [f"{'layer':<16}" + "".join(f"{title:>10}" for title in titles)]
    groups: dict[str, list] = {}
    for source in sources:
        groups.setdefault(source.module.split(".")[1], []).append(source)
        groups.setdefault("all", []).append(source)
        if source.module.startswith("holdfast.verify.kernel"):
            groups.setdefault("verify/kernel", []).append(source)
    for name, members in groups.items():
        sizes = [size for member in members for _, size in functions(member.tree)]
        lines.append(_row(name, [member.lines for member in members], sizes))
    return "\n".join(lines)


def test_files_and_functions_fit(sources) -> None:
    print("\n" + _table(sources))
    long_files = [f"{s.path}: {s.lines} lines" for s in sources if s.lines > FILE_LINES]
    long_functions = [
        f"{s.path}: {name} has {size} lines"
        for s in sources
        for name, size in functions(s.tree)
        if size > FUNCTION_LINES
    ]
    too_long = long_files + long_functions
    assert not too_long, "split, or move an idea to a file of its own:\n" + "\n".join(too_long)


def test_the_median_file_and_function_are_small(sources) -> None:
    sizes = [size for source in sources for _, size in functions(source.tree)]
    assert statistics.median(source.lines for source in sources) <= FILE_MEDIAN
    assert statistics.median(sizes) <= FUNCTION_MEDIAN


def test_the_kernel_can_be_read_in_one_sitting(sources) -> None:
    kernel = {
        s.path.name: s.lines for s in sources if s.module.startswith("holdfast.verify.kernel")
    }
    assert sum(kernel.values()) <= KERNEL_LINES, kernel
    checkers = [
        (s.path.name, name, size)
        for s in sources
        if s.module.startswith("holdfast.verify.kernel")
        for name, size in functions(s.tree)
        if size > CHECKER_LINES
    ]
    assert not checkers


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f():\n    pass\n", [("f", 2)]),
        ("class A:\n    def m(self):\n        def inner():\n            pass\n", [("A.m", 3)]),
        ("if True:\n    async def g():\n        pass\n", [("g", 2)]),
    ],
)
def test_functions_are_measured_whole(code: str, expected: list[tuple[str, int]]) -> None:
    assert list(functions(ast.parse(code))) == expected
