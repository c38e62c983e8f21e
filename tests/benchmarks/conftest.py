"""What is measured goes into one table, printed at the end and kept under .holdfast."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from rich.box import MARKDOWN, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from .trees import ROOT, extracted

_HERE = Path(__file__).resolve().parent
_FOLDER = ROOT / ".holdfast"
_LOADING = 120
_STOPPED = "Timeout ("  # what faulthandler says when it ends a worker
_PEERS = ("highspy", "ortools", "cvxpy", "quantecon", "stormpy", "numba", "scipy")


@dataclass
class Row:
    """One line: what was measured, on which model, how long, and how right.

    ``reference`` marks the line that others of the same case are compared with; ``seconds`` is
    None for a solver that was stopped after ``limit`` seconds.
    """

    case: str
    states: int | None
    discount: str
    method: str
    seconds: float | None
    limit: float | None = None
    error: float | None = None
    memory: float | None = None
    note: str = ""
    reference: bool = False
    ratio: float | None = None


_ROWS: list[Row] = []
_HEAD: list[str] = []


class Table:
    """What the measurements add their rows to."""

    def add(self, case: str, method: str, seconds: float | None, **others: Any) -> None:
        """A row; the other fields by name."""
        others = {"states": None, "discount": ""} | others
        _ROWS.append(Row(case=case, method=method, seconds=seconds, **others))

    def say(self, line: str) -> None:
        """A line above the table."""
        _HEAD.append(line)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("benchmarks")
    group.addoption("--peer-limit", type=float, default=12.0, metavar="SECONDS",
                    help="stop another solver after this long (default: 12)")  # fmt: skip
    group.addoption("--largest", type=int, default=1_000_000, metavar="STATES",
                    help="leave out larger models (default: 1000000)")  # fmt: skip
    group.addoption("--before", metavar="COMMIT",
                    help="measure holdfast as it was at this commit, too")  # fmt: skip


@pytest.fixture(scope="session")
def table() -> Table:
    return Table()


@pytest.fixture(scope="session")
def best() -> Callable[..., tuple[float, Any]]:
    """``best(work, rounds)``: the least time of some rounds, and what the last one returned."""

    def measured(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
        least, result = float("inf"), None
        for _ in range(rounds):
            start = time.perf_counter()
            result = work()
            least = min(least, time.perf_counter() - start)
        return least, result

    return measured


# -- processes -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Outcome:
    """What a worker answered (nothing when it was stopped), its peak memory in MB, its errors."""

    answer: dict[str, Any] | None
    memory: float | None = None
    errors: str = ""


@dataclass(frozen=True)
class Version:
    """holdfast as it is, or at another commit: its name in the table, the root of its tree."""

    name: str
    tree: Path


@pytest.fixture(scope="session")
def versions(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Version, ...]:
    """The one at hand, and that of ``--before``."""
    commit = request.config.getoption("--before")
    if not commit:
        return (Version("holdfast", ROOT),)
    tree = extracted(commit, tmp_path_factory.getbasetemp() / "before")
    return Version("holdfast", ROOT), Version(f"holdfast at {commit}", tree)


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Outcome]:
    """``work(limit, **order)``: one measurement in a process of its own (see worker.py).

    Another file beside that one can be named by ``worker``, another Python by ``interpreter``,
    the root of another version of holdfast by ``tree``; ``cache`` is a folder for compiled code.
    """
    folder = tmp_path_factory.mktemp("workers")

    def run(limit: float, **order: Any) -> Outcome:
        tree = order.pop("tree", ROOT)
        script = str(tree / "tests" / "benchmarks" / order.pop("worker", "worker.py"))
        interpreter = order.pop("interpreter", sys.executable)
        environment = os.environ | {"PYTHONPATH": str(tree / "src")}
        if cache := order.pop("cache", None):
            environment["NUMBA_CACHE_DIR"] = str(cache)
        command = [interpreter, script, json.dumps(order | {"limit": limit})]
        with (folder / "out").open("w+") as out, (folder / "errors").open("w+") as errors:
            try:
                code = subprocess.run(
                    command, stdout=out, stderr=errors, timeout=limit + _LOADING, check=False,
                    env=environment,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                return Outcome(None)
            out.seek(0)
            errors.seek(0)
            said = errors.read()
            if code:
                return Outcome(None, errors="" if _STOPPED in said else said or f"exit code {code}")
            answer = json.loads(out.read().splitlines()[-1])
        return Outcome(answer, answer["memory"])

    return run


# -- the table -------------------------------------------------------------------------------------
@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _ROWS:
        return
    _compare()
    head = [_machine(), *_HEAD]
    terminalreporter.section("measurements")
    terminalreporter.write_line("\n".join(head))
    Console(file=terminalreporter._tw._file, width=150).print(_rich(SIMPLE_HEAD))
    _FOLDER.mkdir(exist_ok=True)
    with (_FOLDER / "benchmarks.md").open("w", encoding="utf-8") as stream:
        stream.write("".join(f"- {line}\n" for line in head))
        Console(file=stream, width=200).print(_rich(MARKDOWN))
    document = {"head": head, "rows": [asdict(row) for row in _ROWS]}
    (_FOLDER / "benchmarks.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    terminalreporter.write_line(f"also in {_FOLDER}/benchmarks.md and benchmarks.json")


def _compare() -> None:
    """Rows of a case together, with their ratios to its reference."""
    first = {row.case: place for place, row in reversed(list(enumerate(_ROWS)))}
    _ROWS.sort(key=lambda row: (first[row.case], row.states or 0))
    known = {(r.case, r.states, r.discount): r.seconds for r in _ROWS if r.reference}
    for row in _ROWS:
        against = known.get((row.case, row.states, row.discount))
        own = row.seconds if row.seconds is not None else row.limit
        if against and own is not None and not row.reference:
            row.ratio = own / against


def _rich(box: Any) -> RichTable:
    table = RichTable("case", box=box)
    for name in ("size", "gamma", "method", "seconds", "ratio", "error", "MB", "note"):
        table.add_column(name, justify="left" if name in ("method", "note") else "right")
    for row in _ROWS:
        more = ">" if row.seconds is None else ""
        shown = row.limit if row.seconds is None else row.seconds
        table.add_row(
            row.case,
            "" if row.states is None else f"{row.states:,}",
            row.discount,
            row.method,
            "" if shown is None else more + _figures(shown),
            "" if row.ratio is None else f"{more}{_figures(row.ratio)}",
            "" if row.error is None else f"{row.error:.1e}",
            "" if row.memory is None else f"{row.memory:,.0f}",
            row.note,
            end_section=row is _ROWS[-1],
        )
    return table


def _figures(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _machine() -> str:
    versions = []
    for name in _PEERS:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{name} absent")
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, {', '.join(versions)}"
    )
