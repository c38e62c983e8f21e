"""Files of claims that change the process they run in: its streams, folder, handlers, limits.

Each is the same lemma, x <= 2 y at x = 2 y, which is true, and one line that is not about it.  The
command ends with the code of its answer, or with 64 and the line; never with 1.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.verify.campaign.exit_codes import ExitCode

CLAIM = """
import atexit, os, signal, sys, threading, time
from fractions import Fraction

from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import Family, claim

x = Quantity("x", "the smaller", Domain.NONNEGATIVE)
y = Quantity("y", "the larger", Domain.NONNEGATIVE)
IMPORT
numbers = Family("numbers", lambda draw: Fraction(draw.integer(1, 30), 9))
halves = Theorem("attack/process", "Halves", Le(x, FACTOR * y), Source("me", "", Provenance.READ))


@claim(halves, over=numbers)
def check(number):
    BODY
    yield {x: 2 * number, y: number}
"""

UNDONE = (
    "sys.stdout = sys.stderr = None",
    "sys.stdout = open(os.devnull, 'w')",
    "sys.excepthook = None",
    "sys.exit = print",
    "os.chdir('/')",
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "sys.setrecursionlimit(len(__import__('inspect').stack()) + 45)",
    "__import__('flint').ctx.prec = 2",
    "__import__('decimal').getcontext().prec = 1",
)
REFUSED = ("sys.stdout.close()", "sys.stdout.detach()", "sys.stderr.buffer.close()")


def run(
    folder: Path, line: str, place: str, *command: str, factor: int = 2
) -> subprocess.CompletedProcess[str]:
    """The command on a file with the line in the claim (BODY) or beside it (IMPORT)."""
    path = folder / "mine_claims.py"
    text = CLAIM.replace(place, line).replace("IMPORT", "").replace("BODY", "pass")
    path.write_text(text.replace("FACTOR", str(factor)).lstrip())
    return subprocess.run(
        [sys.executable, "-m", "holdfast", command[0], path.name, "--budget", "40",
         "--store", "s.sqlite", *command[1:]],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_what_a_claim_changes_of_the_process_is_put_back(tmp_path: Path) -> None:
    """All of it at once; the claim's answer is there, and its files where they were asked for."""
    line = "; ".join(UNDONE)
    done = run(tmp_path, line, "BODY", "verify", "--jobs", "1", "--json", "out.json")
    assert done.returncode == ExitCode.AS_EXPECTED, done.stdout + done.stderr
    assert "Every statement fared as expected" in done.stdout
    assert (tmp_path / "out.json").is_file() and (tmp_path / "s.sqlite").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("place", ["BODY", "IMPORT"])
@pytest.mark.parametrize("line", UNDONE)
def test_each_change_alone(tmp_path: Path, line: str, place: str) -> None:
    """1 is the code of a refutation: x <= y is false, and so it stays."""
    true = run(tmp_path, line, place, "verify", "--jobs", "1")
    assert true.returncode == ExitCode.AS_EXPECTED, true.stdout + true.stderr
    false = run(tmp_path, line, place, "verify", "--jobs", "1", factor=1)
    assert false.returncode == ExitCode.VIOLATION, false.stdout + false.stderr
    assert list((tmp_path / "certificates").iterdir())


@pytest.mark.parametrize(("line", "place", "command"), [
    (REFUSED[0], "IMPORT", ("verify", "--jobs", "1")),
    (REFUSED[0], "BODY", ("hunt",)),
    *(pytest.param(line, place, command, marks=pytest.mark.slow)
      for line in REFUSED for place in ("IMPORT", "BODY")
      for command in (("verify", "--jobs", "1"), ("verify", "--jobs", "2"), ("hunt",))),
])  # fmt: skip
def test_a_stream_that_a_claim_closes_is_an_error_with_its_line(
    tmp_path: Path, line: str, place: str, command: tuple[str, ...]
) -> None:
    done = run(tmp_path, line, place, *command)
    shown = done.stdout + done.stderr
    assert done.returncode == ExitCode.BAD_USAGE, shown
    assert "a standard stream is the command's" in " ".join(shown.split())
    assert f"  {line}\n" in "\n".join(one.rstrip() for one in shown.split("\n"))
    assert "Traceback" not in shown


THREAD = "threading.Thread(target=time.sleep, args=(600,), name='mine').start()"


@pytest.mark.parametrize(("place", "jobs"), [
    ("IMPORT", 1), pytest.param("IMPORT", 2, marks=pytest.mark.slow),
    pytest.param("BODY", 2, marks=pytest.mark.slow),
])  # fmt: skip
def test_a_thread_that_goes_on_does_not_keep_the_command(
    tmp_path: Path, place: str, jobs: int
) -> None:
    """Those of a worker end with it, and nothing need be said of them."""
    done = run(tmp_path, THREAD, place, "verify", "--jobs", str(jobs), factor=1)
    assert done.returncode == ExitCode.VIOLATION, done.stdout + done.stderr
    assert "findings: s.sqlite" in done.stdout
    said = "holdfast: a thread was still running (mine) and was ended with the command.\n"
    if place == "IMPORT":
        assert done.stderr == said


def test_a_thread_that_ends_by_itself_is_not_spoken_of(tmp_path: Path) -> None:
    line = THREAD.replace("600", "0.2")
    done = run(tmp_path, line, "IMPORT", "verify", "--jobs", "1")
    assert (done.returncode, done.stderr) == (ExitCode.AS_EXPECTED, "")
