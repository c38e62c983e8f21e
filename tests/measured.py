"""How much processor time each test takes, children included, and which of them are long.

    python -m pytest --measure=FOLDER    writes the times of every process of the run there
    python tests/measured.py FOLDER      writes tests/medium.txt anew: what took over LONG

Tests are listed as a function with all its cases, by the mean of them; the tests of a shipped claim
share one run, and are listed together.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from pathlib import Path

MEDIUM = Path(__file__).with_name("medium.txt")
LONG = 0.3
"""Seconds.  A lower one makes the fast tests faster, and leaves more to the others.  Measured: of
19,300 tests those in 816 groups take longer, and four fifths of the whole time of 42 minutes."""
_CLAIMS = "tests/verify/test_claims.py"


def group(test: str) -> str:
    """What a test is listed under."""
    function, _, case = test.partition("[")
    return f"{_CLAIMS}[{case}" if case and function.startswith(_CLAIMS) else function


def processor_time() -> float:
    """Seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def note(folder: Path, test: str, seconds: float) -> None:
    """Append a line to the file of this process."""
    with (folder / f"{os.getpid()}.txt").open("a", encoding="utf-8") as file:
        file.write(f"{seconds:.2f} {test}\n")


def medium(folder: Path) -> list[str]:
    """The groups of which a test takes over LONG on average, a claim in all."""
    seconds, tests = defaultdict(float), defaultdict(int)
    for path in folder.glob("*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            took, test = line.split(" ", 1)
            seconds[group(test)] += float(took)
            tests[group(test)] += 1
    return sorted(
        name
        for name, total in seconds.items()
        if total / (1 if "[" in name else tests[name]) > LONG
    )


if __name__ == "__main__":
    MEDIUM.write_text("\n".join(medium(Path(sys.argv[1]))) + "\n", encoding="utf-8")
