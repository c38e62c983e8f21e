"""One table of everything that was measured, printed at the end of the session."""

from __future__ import annotations

import pytest

_ROWS: list[tuple[str, str, str]] = []


class Table:
    """What the measurements add their rows to."""

    def add(self, what: str, seconds: float, note: str = "") -> None:
        """A row: what was measured, best time, and what to compare it with."""
        _ROWS.append((what, _duration(seconds), note))

    def rate(self, what: str, per_second: float, note: str = "") -> None:
        """A row for a throughput."""
        _ROWS.append((what, f"{per_second:,.0f}/s", note))


def _duration(seconds: float) -> str:
    return f"{seconds:.3f} s" if seconds >= 1 else f"{1000 * seconds:.2f} ms"


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _ROWS:
        return
    widths = [max(len(row[column]) for row in _ROWS) for column in range(2)]
    terminalreporter.section("measurements (best of the rounds, one process)")
    for what, time, note in _ROWS:
        terminalreporter.line(f"{what:<{widths[0]}}  {time:>{widths[1]}}  {note}")
