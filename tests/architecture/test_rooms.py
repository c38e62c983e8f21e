"""The plan of the house: pillars have one name on every floor, and imports run downwards only."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

from .conftest import parse_layers

ROOMS = {
    "solvers": (
        "errors", "solution strict sequences exact limits whole_files binomial", "programs models",
    ),
    "verify": (
        "kernel", "binding", "engine", "store", "campaign", "search", "report", "terminal",
    ),
}  # fmt: skip
"""Layer -> its rooms that all pillars share, bottom first; those in one string are neighbours."""
ABOVE = {"solvers": ("neural",), "verify": ("cli", "pytest_plugin door")}
"""Layer -> its rooms above the pillars."""
MOST_FILES = 19
"""Files of a folder, its `__init__.py` aside."""


def pillars(repository: Path) -> list[str]:
    return sorted(path.parent.name for path in (repository / "theory").glob("*/__init__.py"))


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not is_for_types(node):
            yield node
            yield from running(node)


def public_names(source) -> dict[str, str]:
    """Name -> module, of a package whose names load on first use, as its stub says."""
    stub = source.path.with_suffix(".pyi")
    if not stub.is_file():
        return {}
    return {
        alias.name: f"{source.module}.{node.module}"
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def arrows(sources) -> nx.DiGraph:
    """File -> file that it imports, function-level imports included; lazy names lead home."""
    known = {source.module: source for source in sources}
    public = {source.module: public_names(source) for source in sources}
    graph = nx.DiGraph()
    graph.add_nodes_from(known)
    for source in sources:
        wanted = {id(node) for node in running(source.tree)}
        for line, name in source.imports(keep=lambda node, wanted=wanted: id(node) in wanted):
            base, _, last = name.rpartition(".")
            while last in public.get(base, {}):
                base = public[base][last]
            home = name if name in known else base
            if home in known and home != source.module:
                graph.add_edge(source.module, home, line=f"{source.path}:{line}")
    return graph


def room(module: str) -> tuple[str, str]:
    """Layer and room of a module; the root of a layer is a room of its own."""
    parts = module.split(".")[1:]
    return parts[0], parts[1] if len(parts) > 1 else ""


def heights(repository: Path, layer: str) -> dict[str, int]:
    """Room -> floor.  All pillars stand on one floor: between them only circles are forbidden."""
    floors = [*ROOMS[layer], " ".join(pillars(repository)), *ABOVE[layer], ""]
    return {name: height for height, floor in enumerate(floors) for name in floor.split() or [""]}


def climbing(repository: Path, graph: nx.DiGraph) -> list[str]:
    """Imports of a room above one's own."""
    found = []
    for layer in ROOMS:
        height = heights(repository, layer)
        for above, below, line in graph.edges(data="line"):
            (mine, own), (theirs, other) = room(above), room(below)
            if mine == theirs == layer and "" not in (own, other):
                if own not in height or other not in height:
                    found.append(f"{line}: {own} or {other} is no room of {layer}")
                elif height[own] < height[other]:
                    found.append(f"{line}: {own} imports {other}, which is above it")
    return found


def circles(graph: nx.DiGraph) -> list[list[str]]:
    return [sorted(c) for c in nx.strongly_connected_components(graph) if len(c) > 1]


def between(graph: nx.DiGraph, group) -> nx.DiGraph:
    """The arrows between groups of files, where neither group lies in the other."""
    groups = nx.DiGraph()
    for one, other in graph.edges:
        a, b = group(one), group(other)
        if a != b and not a.startswith(f"{b}.") and not b.startswith(f"{a}."):
            groups.add_edge(a, b)
    return groups


def folder_of(sources):
    packages = {source.module for source in sources if source.path.name == "__init__.py"}
    return lambda module: module if module in packages else module.rpartition(".")[0]


def test_a_pillar_has_its_room_on_every_floor(repository: Path) -> None:
    assert {"chance", "cmdp", "poisoning"} <= set(pillars(repository))
    missing = [
        f"{folder}/{pillar}"
        for pillar in pillars(repository)
        for folder in ("solvers", "verify", "tests/solvers", "tests/verify")
        if not (repository / folder / pillar).is_dir()
    ]
    missing += [
        f"docs/pillars/{pillar}.md"
        for pillar in pillars(repository)
        if not (repository / "docs" / "pillars" / f"{pillar}.md").is_file()
    ]
    assert not missing


def test_a_file_of_statements_has_a_file_of_claims_of_its_name(repository: Path) -> None:
    def areas(*folders: str) -> set[tuple[str, str]]:
        return {
            (pillar, path.stem.removeprefix("neural_"))
            for pillar in pillars(repository)
            for path in repository.joinpath(*(f.format(pillar) for f in folders)).glob("[!_]*.py")
        }

    stated, claimed = areas("theory", "{}"), areas("verify", "{}", "claims")
    assert len(stated) >= 24
    assert stated == claimed


def test_there_is_no_circle_of_files_or_of_folders(sources) -> None:
    graph = arrows(sources)
    assert graph.number_of_edges() > 500, "no arrow seen: is this test blind?"
    assert not circles(graph)
    assert not circles(between(graph, folder_of(sources)))


def test_imports_run_downwards(repository: Path, sources) -> None:
    graph = arrows(sources)
    assert not climbing(repository, graph)
    for layer in ("theory", *ROOMS):
        names = pillars(repository)
        inside = graph.subgraph(
            module for module in graph if room(module)[0] == layer and room(module)[1] in names
        )
        columns = between(inside, lambda module: room(module)[1])
        assert not circles(columns)
        assert "cmdp" not in columns or not columns.out_degree("cmdp")


def test_the_root_of_a_layer_holds_what_all_pillars_share(repository: Path) -> None:
    at_root = {
        layer: {path.stem for path in (repository / layer).glob("*.py")} - {"__init__"}
        for layer in ("theory", "solvers", "verify")
    }
    assert at_root == {
        "theory": {"quantities", "relations", "theorem"},
        "solvers": {
            "errors",
            "solution",
            "strict",
            "sequences",
            "exact",
            "limits",
            "whole_files",
            "binomial",
        },
        "verify": {"door", "pytest_plugin"},
    }


def test_oracles_are_used_by_claims_and_tests_alone(sources) -> None:
    users = {
        above
        for above, below in arrows(sources).edges
        if ".oracles" in below and ".oracles" not in above
    }
    assert users
    assert all(".claims." in user for user in users), users


def test_no_folder_is_a_heap(sources) -> None:
    folders: dict[Path, int] = {}
    for source in sources:
        if source.path.name != "__init__.py":
            folders[source.path.parent] = folders.get(source.path.parent, 0) + 1
    assert not {folder: size for folder, size in folders.items() if size > MOST_FILES}


def test_a_reading_order_names_what_is_there(sources) -> None:
    orders = 0
    for source in sources:
        text = ast.get_docstring(source.tree) or ""
        _, found, order = text.partition("To be read in this order:")
        orders += bool(found)
        for name in re.findall(r"`(\w+)`", order):
            path = source.path.parent / name
            assert path.is_dir() or path.with_suffix(".py").is_file(), f"{source.path}: no {name}"
    assert orders >= 15


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """The tree without tests and documentation, to be changed at will."""
    for folder in ("theory", "solvers", "verify"):
        # with what Python has compiled, which takes longer than all the rest
        shutil.copytree(repository / folder, tmp_path / "src" / "holdfast" / folder)
    for name in ("__init__.py", "__main__.py", "py.typed"):
        shutil.copy(repository / "src" / "holdfast" / name, tmp_path / "src" / "holdfast")
    for folder in ("_ext", "_templates"):
        shutil.copytree(repository / "docs" / folder, tmp_path / folder)
    shutil.copy(repository / "docs" / "results.json", tmp_path)
    return tmp_path


STATEMENT = '''"""Nothing much.

Main results: `nothing`.
"""

from ..quantities import Quantity
from ..relations import Le
from ..theorem import Provenance, Source, Theorem

x = Quantity("x", "a number")
nothing = Theorem(
    label="nothing-much/nothing",
    title="A number is small",
    relation=Le(x, 1),
    source=Source("nobody", "", Provenance.DERIVED),
    proof="Look at it.",
)
'''
CLAIM = '''"""Nothing much."""

from holdfast.theory.trivial import nothing_much

from ...binding.claims import claim
from ...cmdp.families import cmdps


@claim(nothing_much.nothing, over=cmdps(constraints=(0, 0)))
def nothing(model):
    yield {nothing_much.x: 0}
'''
COMMANDS = '''"""One command."""

COMMANDS = {"nothing": ("Trivial things", "nothing", "Do nothing at all.")}
'''


def test_a_new_pillar_changes_no_existing_file(copy: Path) -> None:
    """The list, the book and the command line find it in its folders."""
    package = copy / "src" / "holdfast"
    for folder in (
        "theory/trivial",
        "solvers/trivial",
        "verify/trivial",
        "verify/trivial/claims",
        "verify/trivial/commands",
    ):
        (package / folder).mkdir()
        (package / folder / "__init__.py").write_text('"""Trivial."""\n', encoding="utf-8")
    (package / "theory" / "trivial" / "nothing_much.py").write_text(STATEMENT, encoding="utf-8")
    (package / "verify/trivial/commands/__init__.py").write_text(COMMANDS, encoding="utf-8")

    (package / "verify/trivial/claims/nothing_much.py").write_text(CLAIM, encoding="utf-8")
    assert not climbing(package, arrows(parse_layers(package)))

    def run(*arguments: str) -> str:
        environment = {"PYTHONPATH": f"{copy / 'src'}:{copy / '_ext'}", "COLUMNS": "240"}
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True, text=True, check=True, cwd=copy, env=environment,
        )  # fmt: skip
        return done.stdout

    assert str(package) in run("-c", "import holdfast; print(holdfast.__file__)")
    assert "nothing-much/nothing" in run("-m", "holdfast", "list")
    book = "import theorem_book\ntheorem_book.section = lambda *_: ''\n"  # typesetting takes long
    assert "trivial-nothing-much.md" in run("-c", f"{book}print(list(theorem_book.pages()))")
    said = " ".join(run("-m", "holdfast", "--help").split())
    assert "Trivial things: nothing Do nothing at all." in said


@pytest.mark.parametrize(
    ("above", "below", "climbs"),
    [
        ("verify.engine.examiner", "verify.binding.claims", False),
        ("verify.binding.claims", "verify.engine.examiner", True),
        ("verify.report.page", "verify.cmdp.optima", True),
        ("verify.chance.returns", "verify.cmdp.returns", False),
        ("verify.cmdp.returns", "verify.cli.doctor", True),
        ("solvers.models.cmdp", "solvers.cmdp.policies", True),
        ("solvers.cmdp.policies", "solvers.neural.parts", True),
        ("verify.attic.box", "verify.kernel", True),
    ],
)
def test_the_rules_tell_a_climbing_import(
    repository: Path, above: str, below: str, climbs: bool
) -> None:
    graph = nx.DiGraph()
    graph.add_edge(f"holdfast.{above}", f"holdfast.{below}", line="a.py:1")
    assert bool(climbing(repository, graph)) is climbs


def test_a_circle_is_seen() -> None:
    graph = nx.DiGraph([("a.x", "b.y"), ("b.z", "a.w")])
    assert not circles(graph)
    assert circles(between(graph, lambda module: module.partition(".")[0])) == [["a", "b"]]
