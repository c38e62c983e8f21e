"""An editable install, and what the tools of a developer make of it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jedi
import pytest

LAYERS = ("theory", "solvers", "verify")

USER_CODE = """\
from holdfast.theory import Theorem

reveal_type(Theorem.label)
Theorem.no_such_attribute
"""


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    """A file of somebody who uses holdfast, outside the checkout."""
    path = tmp_path / "user.py"
    path.write_text(USER_CODE)
    return path


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_from_the_checkout(editable, checkout: Path, layer: str) -> None:
    found = Path(editable.run("-c", f"import holdfast.{layer} as m; print(m.__file__)").strip())
    assert found.resolve() == checkout / layer / "__init__.py"


def test_new_subpackage_needs_no_second_install(editable, checkout: Path) -> None:
    fresh = checkout / "theory" / "written_after_the_install"
    fresh.mkdir()
    try:
        (fresh / "__init__.py").write_text("ANSWER = 42\n")
        code = "from holdfast.theory.written_after_the_install import ANSWER; print(ANSWER)"
        assert editable.run("-c", code).strip() == "42"
    finally:
        for path in sorted(fresh.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        fresh.rmdir()


def test_no_bare_names(editable) -> None:
    names = {path.name for path in editable.site_packages.iterdir()}
    assert not names & set(LAYERS)
    code = f"from importlib.util import find_spec; print([n for n in {LAYERS} if find_spec(n)])"
    assert editable.run("-c", code).strip() == "[]"


def test_runs_as_a_module(editable) -> None:
    assert "verify" in editable.run("-m", "holdfast", "--help")


def test_nothing_is_loaded_twice(editable, checkout: Path, execute: Callable[..., str]) -> None:
    """Started in the root of the checkout, where the layers are importable under bare names."""
    code = """
import collections, importlib, pathlib, pkgutil, sys
import holdfast
for found in pkgutil.walk_packages(holdfast.__path__, "holdfast."):
    if not found.name.endswith("__main__") and ".neural" not in found.name:
        importlib.import_module(found.name)
places = collections.defaultdict(list)
for name, module in list(sys.modules.items()):
    if name != "__main__" and getattr(module, "__file__", None):
        places[pathlib.Path(module.__file__).resolve()].append(name)
root = pathlib.Path.cwd().resolve()
ours = {path: names for path, names in places.items() if root in path.parents}
assert len(ours) > 10, ours
print({str(path): names for path, names in ours.items() if len(names) > 1})
print([name for name in ("theory", "solvers", "verify") if name in sys.modules])
"""
    assert execute(editable.python, "-c", code, cwd=checkout).split() == ["{}", "[]"]


@pytest.mark.slow
def test_mypy_resolves_the_layers(editable, user_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--python-executable", editable.python, user_file.name],
        cwd=user_file.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'Revealed type is "str"' in done.stdout.replace("builtins.", ""), done.stdout
    assert 'has no attribute "no_such_attribute"' in done.stdout
    assert "import" not in done.stdout.replace("important", ""), done.stdout


def test_pyright_resolves_the_layers(editable, user_file: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pyright",
            "--outputjson",
            "--pythonpath",
            editable.python,
            user_file,
        ],
        cwd=user_file.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    messages = [found["message"] for found in json.loads(done.stdout)["generalDiagnostics"]]
    assert any('Type of "Theorem.label" is "str"' in message for message in messages), messages
    assert any("no_such_attribute" in message for message in messages), messages
    assert not any("could not be resolved" in message for message in messages), messages


def test_go_to_definition_opens_the_real_file(editable, checkout: Path, user_file: Path) -> None:
    environment = jedi.create_environment(str(editable.python), safe=False)
    script = jedi.Script(path=user_file, environment=environment)
    (definition,) = script.goto(1, USER_CODE.index("Theorem") + 1, follow_imports=True)
    assert definition.module_path is not None
    assert definition.module_path.resolve() == checkout / "theory" / "theorem.py"
    line = definition.module_path.read_text().splitlines()[definition.line - 1]
    assert line.startswith("class Theorem")


@pytest.mark.slow
def test_coverage_names_the_real_files(
    editable, checkout: Path, execute: Callable[..., str]
) -> None:
    code = "import holdfast.theory, holdfast.verify.kernel; holdfast.theory.catalogue()"
    coverage = [editable.python, "-m", "coverage"]
    script = editable.elsewhere / "script.py"
    script.write_text(code)
    execute(*coverage, "run", script, cwd=checkout)
    execute(*coverage, "json", "-o", "coverage.json", cwd=checkout)
    measured = json.loads((checkout / "coverage.json").read_text())["files"]
    assert measured["theory/theorem.py"]["summary"]["covered_lines"] > 0
    assert measured["verify/kernel/__init__.py"]["summary"]["covered_lines"] > 0
    assert not [n for n in measured if n.startswith("src/holdfast/") and n.count("/") > 2]
