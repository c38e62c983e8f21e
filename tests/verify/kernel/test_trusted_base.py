"""What must be trusted is small, and rests on the standard library alone."""

import ast
import sys
from pathlib import Path

import pytest

from holdfast.verify import kernel


@pytest.fixture(scope="module")
def files(repository: Path) -> list[Path]:
    return sorted((repository / "verify" / "kernel").rglob("*.py"))


def test_the_kernel_imports_the_standard_library_and_itself(files: list[Path]) -> None:
    own = {path.stem for path in files} | {None}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name.partition(".")[0] for alias in node.names]
                assert set(names) <= sys.stdlib_module_names, f"{path.name} imports {names}"
            elif isinstance(node, ast.ImportFrom):
                assert node.level <= 1, f"{path.name}:{node.lineno} leaves the kernel"
                known = own if node.level == 1 else sys.stdlib_module_names
                root = node.module and node.module.partition(".")[0]
                assert root in known, f"{path.name} imports {node.module}"


def test_nothing_in_the_kernel_computes_with_floats(files: list[Path]) -> None:
    """No float literal, no float() and no round(), and of math only functions of integers."""
    allowed = {"isqrt", "lcm"}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
            assert not (isinstance(node, ast.Name) and node.id in ("float", "complex", "round"))
            if isinstance(node, ast.ImportFrom) and node.module == "math":
                assert {alias.name for alias in node.names} <= allowed


def test_public_names() -> None:
    expected = {
        "Comparison", "Enclosure", "Rejected", "Report", "Step", "Verdict", "check", "check_file",
        "compare", "evaluate_expression", "format_rational", "parse_rational", "printable", "WORK",
        "OWN_WORK",
    }  # fmt: skip
    assert set(kernel.__all__) == expected
    for name in expected:
        assert getattr(kernel, name).__doc__, name
    assert "Not proved" in (kernel.__doc__ or "")
