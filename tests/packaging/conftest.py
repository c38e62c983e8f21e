"""A copy of the checkout, and what is built from it: once for all the tests of this folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

_LEFT_OUT = shutil.ignore_patterns(
    ".*", "__pycache__", "*.egg-info", "build", "dist", "_build", "book", "tests", "notebooks"
)


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Standard output of a command that must succeed; its last words if it does not."""
    hidden = ("PYTHONPATH", "COVERAGE", "COV_", "PYTEST")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = (done.stdout + done.stderr)[-3000:]
        pytest.fail(f"{' '.join(map(str, command))} exited with {done.returncode}:\n{tail}")
    return done.stdout


def _build(what: str, source: Path, target: Path) -> Path:
    """Ask setuptools, as pip does, for ``wheel`` or ``sdist``; the build stays offline."""
    target.mkdir(parents=True, exist_ok=True)
    code = f"import sys, setuptools.build_meta as b; b.build_{what}(sys.argv[1])"
    run(sys.executable, "-c", code, target, cwd=source)
    (built,) = target.iterdir()
    return built


@dataclass(frozen=True)
class Environment:
    """An environment that sees our dependencies and the one holdfast installed into it."""

    python: Path
    site_packages: Path
    elsewhere: Path

    def run(self, *arguments: str | Path, **variables: str) -> str:
        """Run its Python from a folder that has nothing to do with the checkout."""
        return run(self.python, *arguments, cwd=self.elsewhere, **variables)


@pytest.fixture(scope="session")
def execute() -> Callable[..., str]:
    return run


@pytest.fixture(scope="session")
def checkout(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, links kept as links, without anything built or ignored."""
    copy = tmp_path_factory.mktemp("checkout") / "holdfast"
    shutil.copytree(repository, copy, symlinks=True, ignore=_LEFT_OUT)
    return copy


@pytest.fixture(scope="session")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("sdist", checkout, tmp_path_factory.mktemp("sdist") / "out")


@pytest.fixture(scope="session")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("wheel", checkout, tmp_path_factory.mktemp("wheel") / "out")


@pytest.fixture(scope="session")
def wheel_of_sdist(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return _build("wheel", source, folder / "out")


def _environment(folder: Path, requirement: list[str | Path]) -> Environment:
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    ours = Path(
        run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    )
    # A plain line in a .pth file lends the packages of this environment, not its own .pth files,
    # so the holdfast that runs these tests stays out of sight.
    (ours / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index"]
    offline = ["--no-deps", "--no-build-isolation", "--ignore-installed"]
    run(*pip, *offline, *requirement, cwd=folder)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    return Environment(python, ours, elsewhere)


@pytest.fixture(scope="session")
def from_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return _environment(tmp_path_factory.mktemp("from_wheel"), [wheel])


@pytest.fixture(scope="session")
def editable(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return _environment(tmp_path_factory.mktemp("editable"), ["--editable", checkout])
