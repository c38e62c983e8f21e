"""The source files of the three layers, parsed once."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

LAYERS = ("theory", "solvers", "verify")


@dataclass(frozen=True)
class Source:
    """One file of a layer: its dotted name under ``holdfast``, its tree and its length."""

    path: Path
    module: str
    tree: ast.Module
    lines: int

    @property
    def package(self) -> str:
        """The package that relative imports of this file start from."""
        return self.module if self.path.name == "__init__.py" else self.module.rpartition(".")[0]

    def imports(self, keep: Callable[[ast.AST], bool] = bool) -> list[tuple[int, str]]:
        """Line and absolute dotted name of everything imported, wherever in the file it stands."""
        found = []
        for node in filter(keep, ast.walk(self.tree)):
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
        return found

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parents = self.package.split(".")
        kept = parents[: len(parents) - node.level + 1]
        return ".".join([*kept, node.module] if node.module else kept)


def parse(path: Path, module: str) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path, module, ast.parse(text, str(path)), len(text.splitlines()))


def parse_layers(root: Path) -> tuple[Source, ...]:
    """All files of the three layers that lie in a folder."""
    found = []
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(("holdfast", *parts)).removesuffix(".__init__")
            found.append(parse(path, name))
    assert {source.module for source in found} >= {f"holdfast.{layer}" for layer in LAYERS}
    return tuple(found)


@pytest.fixture(scope="session")
def sources(repository: Path) -> tuple[Source, ...]:
    return parse_layers(repository)
