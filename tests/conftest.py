"""What all tests share: Hypothesis profiles, the marker of the benchmarks, a share of time, and the
command line run in this process."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from . import measured

settings.register_profile("fast", deadline=None, derandomize=True, max_examples=60)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("fast")

pytest_plugins = "pytester"

_TESTS = Path(__file__).resolve().parent
_STARTED = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stop-starting-after",
        type=float,
        default=None,
        metavar="SECONDS",
        help="skip, with a reason, the tests that would start later than this into the session",
    )
    parser.addoption(
        "--measure",
        type=Path,
        default=None,
        metavar="FOLDER",
        help="write there how much processor time each test takes",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Measurements import the peers, which takes longer than many tests: only where asked for."""
    markers = config.option.markexpr
    left_out = markers and "benchmark" not in markers.replace("not benchmark", "")
    return True if left_out and collection_path == _TESTS / "benchmarks" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in tests/benchmarks is a measurement, and what `measured` lists is medium."""
    listed = set(measured.MEDIUM.read_text(encoding="utf-8").splitlines())
    for item in items:
        if item.nodeid.startswith("tests/benchmarks/"):
            item.add_marker("benchmark")
        elif measured.group(item.nodeid) in listed and not item.get_closest_marker("slow"):
            item.add_marker("medium")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    began = measured.processor_time()
    yield
    if folder := item.config.getoption("--measure"):
        measured.note(folder, item.nodeid, measured.processor_time() - began)


def pytest_runtest_setup(item: pytest.Item) -> None:
    limit = item.config.getoption("--stop-starting-after")
    elapsed = time.monotonic() - _STARTED
    if limit is not None and elapsed > limit:
        pytest.skip(f"the session's share of {limit:g} s is spent ({elapsed:.0f} s have passed)")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return _TESTS.parent


Invoke = Callable[..., "Done"]


@dataclass
class Done:
    """What came of a command; output: stdout and stderr."""

    code: int
    output: str

    @property
    def flat(self) -> str:
        """The output on one line."""
        return " ".join(self.output.split())

    @property
    def certificate(self) -> Path:
        """The file that the output says how to check."""
        return Path(self.flat.rpartition("holdfast check ")[2].split()[0])

    def says(self, *texts: str) -> bool:
        """Whether all texts are in the output, line breaks aside."""
        return all(text in self.flat for text in texts)


@pytest.fixture
def in_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Invoke:
    """Runs a command in this process, in an empty folder, on a wide terminal."""
    from holdfast.verify.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")

    def invoke(*arguments: object) -> Done:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Done(int(stop.value.code or 0), out + err)

    return invoke
