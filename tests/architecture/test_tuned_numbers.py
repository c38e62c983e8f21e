"""A number in the code says why it is what it is: what it trades, or where it is proved."""

import ast
from collections.abc import Iterator

import pytest

from .conftest import parse


def is_number(node: ast.AST) -> bool:
    """Whether an expression is made of literal numbers alone."""
    if isinstance(node, ast.BinOp):
        return is_number(node.left) and is_number(node.right)
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand)
    if isinstance(node, ast.Tuple):
        return bool(node.elts) and all(map(is_number, node.elts))
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def is_assignment_of_number(node: ast.AST) -> bool:
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return value is not None and is_number(value)


def unexplained(source) -> Iterator[str]:
    """Numbers of a module without a comment above or beside them and without a docstring below."""
    lines, body = source.path.read_text(encoding="utf-8").splitlines(), source.tree.body
    explained, end = False, 0
    for at, node in enumerate(body):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            own, above = lines[(node.end_lineno or 0) - 1], lines[node.lineno - 2]
            same = node.lineno == end + 1  # lines without a gap share the comment above them
            explained, end = (explained and same) or above.startswith("#"), node.end_lineno or 0
            after = next((n for n in body[at:] if not is_assignment_of_number(n)), None)
            documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if is_number(node.value) and not (documented or explained or "#" in own):
                yield f"{source.path}:{node.lineno}: {own.strip()}"


def test_tuned_numbers_have_reasons(sources) -> None:
    missing = [line for source in sources for line in unexplained(source)]
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
