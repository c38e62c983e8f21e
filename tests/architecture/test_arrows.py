"""Arrows between the layers go one way: they are drawn here from the imports in the files."""

import ast
import sys
from pathlib import Path

import pytest

LAYERS = ("theory", "solvers", "verify")
HEAVY_NEURAL = {"torch", "trl", "gpytorch"}
STATEMENTS_MAY_USE = {"sympy", "holdfast.theory"}


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def broken_arrows(module: str, name: str) -> list[str]:
    """The rules that ``module`` breaks by importing ``name``."""
    top = name.partition(".")[0]
    ours = _within(name, "holdfast")

    def inside(*packages: str) -> bool:
        return any(_within(name, package) for package in packages)

    stdlib = top in sys.stdlib_module_names
    broken = []
    if top in LAYERS:
        broken.append("no file imports a bare layer")
    if _within(module, "holdfast.theory") and not (stdlib or inside(*STATEMENTS_MAY_USE)):
        broken.append("theory imports sympy, the standard library and itself")
    if _within(module, "holdfast.solvers") and ours and not inside("holdfast.solvers"):
        broken.append("solvers imports nothing of ours outside solvers")
    kernel = "holdfast.verify.kernel"
    if _within(module, kernel) and not (stdlib or inside(kernel)):
        broken.append("the kernel imports the standard library and itself")
    neural = _within(module, "holdfast.solvers.neural")
    if top in HEAVY_NEURAL and not neural:
        broken.append("torch and its relatives load only inside solvers/neural")
    if _within(module, "holdfast.solvers") and not neural and inside("holdfast.solvers.neural"):
        broken.append("exact solvers never use the neural ones")
    return broken


def test_the_arrows_of_the_code(sources) -> None:
    broken = [
        f"{source.path}:{line}: {rule}, but this imports {name}"
        for source in sources
        for line, name in source.imports()
        for rule in broken_arrows(source.module, name)
    ]
    assert not broken, "\n".join(broken)
    drawn = {
        (source.module.split(".")[1], name.split(".")[1])
        for source in sources
        for _, name in source.imports()
        if name.startswith("holdfast.") and name.count(".") > 1
    }
    assert {("verify", "theory"), ("verify", "solvers")} <= drawn, (
        "no arrow seen: is this test blind?"
    )


@pytest.mark.parametrize(
    ("module", "name", "breaks"),
    [
        ("holdfast.theory.cmdp.foundations", "holdfast.solvers.models.cmdp", True),
        ("holdfast.theory.cmdp.foundations", "numpy.array", True),
        ("holdfast.theory.cmdp.foundations", "holdfast.theory.theorem", False),
        ("holdfast.solvers.models.cmdp", "holdfast.verify.kernel", True),
        ("holdfast.solvers.models.cmdp", "holdfast.solvers.exact", False),
        ("holdfast.solvers.models.cmdp", "holdfast.solvers.neural.nets", True),
        ("holdfast.solvers.models.cmdp", "torch.nn", True),
        ("holdfast.solvers.neural.nets", "torch.nn", False),
        ("holdfast.solvers.neural.nets", "holdfast.solvers.models.cmdp", False),
        ("holdfast.verify.kernel.check", "numpy", True),
        ("holdfast.verify.kernel.check", "holdfast.verify.engine.finding", True),
        ("holdfast.verify.kernel.check", "fractions.Fraction", False),
        ("holdfast.verify.engine.examiner", "holdfast.solvers.CMDP", False),
        ("holdfast.verify.engine.examiner", "theory.cmdp", True),
        ("holdfast.verify.engine.examiner", "verify.kernel", True),
    ],
)
def test_the_rules_tell_a_broken_arrow(module: str, name: str, breaks: bool) -> None:
    assert bool(broken_arrows(module, name)) is breaks


def test_nobody_imports_a_bare_layer(repository: Path) -> None:
    """Tests, documentation and notebooks too."""
    outside = [repository / folder for folder in ("src/holdfast", "tests", "docs", "notebooks")]
    files = [path for folder in outside for path in folder.rglob("*.py")]
    assert Path(__file__) in files
    bare = []
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            bare += [f"{path}:{node.lineno}" for n in names if n.partition(".")[0] in LAYERS]
    assert not bare, f"write `from holdfast.theory import ...` instead: {bare}"
