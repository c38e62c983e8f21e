"""The size budget of the style guide, printed as a table and enforced."""

import ast
import statistics
from collections.abc import Iterable, Iterator

import pytest

FILE_LINES, FUNCTION_LINES = 400, 60
FILE_MEDIAN, FUNCTION_MEDIAN = 180, 12
KERNEL_STATEMENTS, KERNEL_FUNCTION_LINES, KERNEL_COMPLEXITY = 600, 40, 8


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


HEADERS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def statements(tree: ast.AST) -> int:
    """How many statements do something.

    A docstring, an import, the line that opens a function or class, and a field with its type alone
    do not; what is in a function or class counts.
    """

    def declares(node: ast.stmt) -> bool:
        value = node.value if isinstance(node, ast.Expr | ast.AnnAssign) else node
        text = isinstance(value, ast.Constant) and isinstance(value.value, str)
        return isinstance(node, HEADERS) or value is None or (isinstance(node, ast.Expr) and text)

    return sum(isinstance(node, ast.stmt) and not declares(node) for node in ast.walk(tree))


BRANCHES = (ast.If, ast.IfExp, ast.For, ast.While, ast.comprehension, ast.ExceptHandler, ast.Assert)


def complexity(function: ast.AST) -> int:
    """McCabe's number, by which each of several conditions, cases and inner loops counts."""
    branches = sum(isinstance(node, BRANCHES) for node in ast.walk(function))
    conditions = [node for node in ast.walk(function) if isinstance(node, ast.BoolOp)]
    cases = [node for node in ast.walk(function) if isinstance(node, ast.Match)]
    return (
        1
        + branches
        + sum(len(node.values) - 1 for node in conditions)
        + sum(len(node.cases) for node in cases)
    )


def test_the_kernel_can_be_read_in_one_sitting(sources) -> None:
    kernel = [s for s in sources if s.module.startswith("holdfast.verify.kernel")]
    counted = {s.path.name: statements(s.tree) for s in kernel}
    print(sum(counted.values()), counted)
    assert len(counted) == 9, "seven files, the public names and the program"
    assert sum(counted.values()) <= KERNEL_STATEMENTS, counted
    long = [
        f"{s.path.name}: {name} has {size} lines"
        for s in kernel
        for name, size in functions(s.tree)
        if size > KERNEL_FUNCTION_LINES
    ]
    assert not long
    tangled = [
        f"{s.path.name}:{node.lineno}: {node.name} has complexity {complexity(node)}"
        for s in kernel
        for node in ast.walk(s.tree)
        if isinstance(node, ast.FunctionDef) and complexity(node) > KERNEL_COMPLEXITY
    ]
    assert not tangled
    off = [s.path.name for s in kernel if "fmt: off" in s.path.read_text(encoding="utf-8")]
    assert not off, "formatted like everything else"


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


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('"""Doc."""\nx = 1\n', 1),
        ('def f():\n    """Doc."""\n    return 1\n', 1),
        ('class A:\n    x: int\n    y: int = 1\n    z: str = "1"\n', 2),
        ("import a\nfrom b import c\na()\n", 1),
        ("if a:\n    pass\nelse:\n    x = y = 1; z = 2\n", 4),
    ],
)
def test_statements_are_counted_without_declarations(code: str, expected: int) -> None:
    assert statements(ast.parse(code)) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f():\n    return 1\n", 1),
        ("def f(a):\n    return 1 if a and a > 1 else 2\n", 3),
        ("def f(a):\n    return [x for x in a]\n", 2),
        ("match a:\n    case 1:\n        x = 1\n    case _:\n        x = 2\n", 3),
    ],
)
def test_complexity_is_counted(code: str, expected: int) -> None:
    assert complexity(ast.parse(code)) == expected
