"""A number in the code says why it is what it is: what it trades, or where it is proved."""

import ast
from collections.abc import Iterator

import pytest

from .conftest import parse

UNEXPLAINED = (
    "holdfast.solvers.cmdp.scale",
    "holdfast.solvers.poisoning",
    "holdfast.verify",
)
"""Packages whose numbers have no reasons yet; a package leaves this list when all of them have."""


def is_number(node: ast.AST) -> bool:
    """Whether an expression is made of literal numbers alone."""
    if isinstance(node, ast.BinOp):
        return is_number(node.left) and is_number(node.right)
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand)
    if isinstance(node, ast.Tuple):
        return bool(node.elts) and all(map(is_number, node.elts))
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def unexplained(source) -> Iterator[str]:
    """Numbers of a module without a comment above or beside them and without a docstring below."""
    lines, body = source.path.read_text(encoding="utf-8").splitlines(), source.tree.body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not node.value:
            continue
        above, own = lines[node.lineno - 2 : node.lineno - 1], lines[(node.end_lineno or 0) - 1]
        documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        commented = "#" in own or (above and above[0].startswith("#"))
        if is_number(node.value) and not documented and not commented:
            yield f"{source.path}:{node.lineno}: {own.strip()}"


def test_tuned_numbers_have_reasons(sources) -> None:
    missing = [
        line
        for source in sources
        if not f"{source.module}.".startswith(tuple(f"{name}." for name in UNEXPLAINED))
        for line in unexplained(source)
    ]
    assert not missing, "say beside each number what it trades:\n" + "\n".join(missing)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("_A = 1e-9\n", 1),
        ("_A, _B = 2, -3.5\n", 1),
        ("LARGEST: int = 2**20\n\nother = 'text'\n", 1),
        ("# above\n_A = 1e-9\n", 0),
        ("_A = 1e-9  # beside\n", 0),
        ('_A = 1e-9\n"""Below."""\n', 0),
        ("_A = 'no number'\n_B = (1, 'x')\n_C = True\n_D = ()\n", 0),
        ("def f():\n    local = 3\n", 0),
    ],
)
def test_what_a_reason_is(tmp_path, text: str, found: int) -> None:
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    assert len(list(unexplained(parse(path, "module")))) == found
