"""The wheel and the source distribution carry the three layers, and nothing under a bare name."""

import hashlib
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

LAYERS = ("theory", "solvers", "verify")


def _members(wheel: Path) -> dict[str, str]:
    """Name to SHA-256 of everything in a wheel but its own metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if ".dist-info/" not in name
        }


def _layer_files(checkout: Path) -> dict[str, str]:
    """What a wheel must hold of the three root folders: each file, code or data, and its hash."""
    return {
        f"holdfast/{path.relative_to(checkout).as_posix()}": hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for layer in LAYERS
        for path in sorted((checkout / layer).rglob("*"))
        if path.is_file()
    }


def test_wheel_holds_every_file_of_the_layers(checkout: Path, wheel: Path) -> None:
    expected = _layer_files(checkout)
    assert {f"holdfast/{layer}/__init__.py" for layer in LAYERS} <= set(expected)
    members = _members(wheel)
    assert {name: members.get(name) for name in expected} == expected
    beside = {"holdfast/__init__.py", "holdfast/__main__.py", "holdfast/py.typed"}
    assert set(members) == set(expected) | beside


def test_every_folder_with_code_is_a_package(checkout: Path) -> None:
    folders = {path.parent for layer in LAYERS for path in (checkout / layer).rglob("*.py")}
    missing = [str(f.relative_to(checkout)) for f in folders if not (f / "__init__.py").is_file()]
    assert not missing, f"without __init__.py these are left out of the wheel: {missing}"


def test_wheel_built_from_the_sdist_is_the_same(wheel: Path, wheel_of_sdist: Path) -> None:
    assert wheel_of_sdist.name == wheel.name
    assert _members(wheel_of_sdist) == _members(wheel)


def test_sdist_holds_no_links_and_its_licence(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        links = [m.name for m in archive.getmembers() if m.issym() or m.islnk()]
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert not links
    assert {"LICENSE", "README.md", "pyproject.toml", "constraints.txt"} <= names


def test_wheel_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {
            n.partition(".dist-info/")[2]: n for n in archive.namelist() if ".dist-info/" in n
        }
        top_level = archive.read(inside["top_level.txt"]).decode().split()
        entry_points = archive.read(inside["entry_points.txt"]).decode()
        metadata = archive.read(inside["METADATA"]).decode()
    assert top_level == ["holdfast"]
    assert "licenses/LICENSE" in inside
    assert "holdfast = holdfast.__main__:main" in entry_points
    assert "[pytest11]\nholdfast = holdfast.verify.pytest_plugin" in entry_points
    for extra in ("neural", "docs", "dev", "cluster", "slurm", "parquet", "worlds"):
        assert f"Provides-Extra: {extra}" in metadata
    core = [x for x in metadata.splitlines() if x.startswith("Requires-Dist:") and "extra" not in x]
    assert not [line for line in core if "torch" in line or "cvxpy" in line]


def test_citation_and_metadata_agree(repository: Path, wheel: Path) -> None:
    citation = (repository / "CITATION.cff").read_text(encoding="utf-8")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith("/METADATA")]
        metadata = archive.read(name).decode()
    version = re.search(r"^Version: (.+)$", metadata, re.MULTILINE)
    assert version and f"version: {version[1]}\n" in citation
    assert "license: Apache-2.0\n" in citation
    assert "Requires-Python: >=3.11\n" in metadata
    for minor in (11, 12, 13):
        assert f"Classifier: Programming Language :: Python :: 3.{minor}\n" in metadata


@pytest.mark.parametrize("layer", LAYERS)
def test_installed_wheel_imports_from_site_packages(from_wheel, layer: str) -> None:
    code = f"import holdfast.{layer} as m; print(m.__file__)"
    found = Path(from_wheel.run("-c", code).strip())
    assert found == from_wheel.site_packages / "holdfast" / layer / "__init__.py"


def test_installed_wheel_leaves_no_bare_names(from_wheel) -> None:
    names = {path.name for path in from_wheel.site_packages.iterdir()}
    assert not names & {*LAYERS, "kernel", "src", "tests", "docs"}
    code = f"from importlib.util import find_spec; print([n for n in {LAYERS} if find_spec(n)])"
    assert from_wheel.run("-c", code).strip() == "[]"


def test_installed_wheel_runs_as_module_and_script(from_wheel, execute) -> None:
    as_module = from_wheel.run("-m", "holdfast", "--help")
    as_script = execute(from_wheel.python.parent / "holdfast", "--help", cwd=from_wheel.elsewhere)
    assert "verify" in as_module
    assert "verify" in as_script
