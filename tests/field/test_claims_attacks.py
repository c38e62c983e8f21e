"""Files of claims that end as if all were well, or do not end: none of them is a success.

Each is the same true lemma, x <= 2 y at x = 2 y, with one line that spoils it.
"""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from holdfast.verify.binding.claims import load
from holdfast.verify.binding.values import ClaimError
from holdfast.verify.campaign import schedule
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.cli import _run
from holdfast.verify.engine.examiner import Kind, Shard, run_shard

CLAIM = """
import os, signal, sys, warnings
from fractions import Fraction

from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import Family, claim

x = Quantity("x", "the smaller", Domain.NONNEGATIVE)
y = Quantity("y", "the larger", Domain.NONNEGATIVE)
IMPORT
numbers = Family("numbers", lambda draw: Fraction(draw.integer(1, 30), 9))
halves = Theorem("LABEL", "Halves", Le(x, 2 * y), Source("me", "", Provenance.DERIVED))


@claim(halves, over=numbers)
def check(number):
    BODY
    yield {x: 2 * number, y: number}
"""
LINE = CLAIM[: CLAIM.index("BODY")].count("\n")
"""Line of BODY, the file beginning with the first import."""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(body: str = "pass", at_import: str = "") -> Path:
        path = tmp_path / "mine_claims.py"
        text = CLAIM.replace("LABEL", f"attack/{tmp_path.name}").replace("BODY", body)
        path.write_text(text.replace("IMPORT", at_import).lstrip())
        return path

    return written


def verify(path: Path | str, *options: str, jobs: int = 1) -> int:
    store = str(Path(str(path).partition("::")[0]).parent / "store.sqlite")
    budget = () if "--budget" in options else ("--budget", "50")
    return _run(["verify", str(path), "--store", store, "--jobs", str(jobs), *budget, *options])


def test_the_lemma_itself_is_true(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """The control of all others: unspoilt, the run is a success."""
    assert verify(write()) == ExitCode.AS_EXPECTED, capsys.readouterr().out


ENDINGS = {
    "sys.exit(0)": "asked the program to end (SystemExit: 0)",
    "raise SystemExit": "asked the program to end (SystemExit: None)",
    "os._exit(0)": "asked the program to end (SystemExit: 0)",
    "raise KeyboardInterrupt": "raised KeyboardInterrupt",
    "raise GeneratorExit": "raised GeneratorExit",
    "1 / 0": "raised ZeroDivisionError: division by zero",
    "assert number < 0": "raised AssertionError",
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_claim_that_ends_the_run_is_an_error_with_its_line(
    write: Write, capsys: pytest.CaptureFixture[str], ending: str, jobs: int
) -> None:
    if jobs == 2 and not ending.startswith(("os", "raise K")):
        pytest.skip("a worker does what is done here; two endings stand for all")
    path = write(ending)
    report = path.with_suffix(".json")
    assert verify(path, "--json", str(report), jobs=jobs) == ExitCode.BAD_USAGE
    shown = capsys.readouterr().out
    assert "survived" not in shown
    error = json.loads(report.read_text())["claims"][0]["error"]
    assert ENDINGS[ending] in error
    assert error.splitlines()[1:3] == [
        f'  File "{path}", line {LINE}, in check', f"    {ending}"
    ]  # fmt: skip
    assert not error.splitlines()[3:] or set(error.splitlines()[3]) <= set(" ^~")


@pytest.mark.parametrize("ending", [e for e in ENDINGS if "number" not in e])
def test_a_file_that_ends_the_run_at_import_is_an_error_with_its_line(
    write: Write, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    path = write(at_import=ending)
    assert verify(path) == ExitCode.BAD_USAGE
    shown = capsys.readouterr().err
    assert "does not import: it" in shown and ENDINGS[ending] in shown
    assert f'File "{path}", line 9, in <module>' in shown
    assert f"    {ending}\n" in shown
    assert verify(path) == ExitCode.BAD_USAGE, "again: a half-imported file is not remembered"


def test_only_the_lines_of_the_user_are_shown(write: Write) -> None:
    """The error rises in the library, and what is shown is the call."""
    (claim,) = load(write("Fraction('x')"))
    error = run_shard(claim, Shard(claim.name, Kind.DRAWN, 0, 1, 0)).error
    assert error.count("File ") == 1, error
    assert error.endswith("in check\n    Fraction('x')")


def test_a_worker_that_dies_is_an_error(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("os.kill(os.getpid(), signal.SIGKILL)")
    assert verify(path, jobs=2) == ExitCode.BAD_USAGE
    assert "killed its worker" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("body", ["return", "if not number: yield", "number = iter(())"])
def test_a_claim_that_never_yields_has_examined_nothing(
    write: Write, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    path = write(body)
    path.write_text(path.read_text().replace("    yield {x: 2 * number, y: number}\n", ""))
    code = verify(path)
    shown = " ".join(capsys.readouterr().out.split())
    if body == "number = iter(())":  # without any yield it is no generator
        assert code == ExitCode.BAD_USAGE
        assert "a claim yields {quantity: value}; this returned None" in shown
    elif body == "return":
        assert code == ExitCode.BAD_USAGE
    else:
        assert code == ExitCode.UNDECIDED
        assert "the claim yields nothing" in shown and "survived" not in shown


def test_a_generator_that_returns_before_its_yield_has_examined_nothing(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(write("return")) == ExitCode.UNDECIDED
    assert "out of scope" in " ".join(capsys.readouterr().out.split())


def test_warnings_turned_off_change_nothing(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """No verdict is given by way of a warning."""
    with warnings.catch_warnings():
        path = write("number = number + 1", "warnings.simplefilter('ignore')")
        path.write_text(path.read_text().replace("y: number}", "y: number - 1}"))
        assert verify(path) == ExitCode.VIOLATION, capsys.readouterr().out


LOOPS = {
    "plain": "while True: pass",
    "stubborn": "\n    ".join(
        ["while True:", "    try:", "        while True: pass", "    except Exception: pass"]
    ),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_case_that_does_not_end_is_ended_by_a_budget_of_seconds(
    write: Write,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    loop: str,
) -> None:
    monkeypatch.setattr(schedule, "LEAST_PATIENCE", 0.3)
    path = write(LOOPS[loop])
    assert verify(path, "--budget", "0.2s") == ExitCode.BAD_USAGE
    shown = " ".join(capsys.readouterr().out.split())
    assert "the claim had not ended after 0.3 s" in shown
    assert "while True" in shown


def test_without_a_limit_a_case_may_take_its_time(write: Write) -> None:
    """The control: 0.1 s within a limit of 5 s, and within none."""
    (claim,) = load(write("import time; time.sleep(0.1)"))
    for seconds in (5.0, None):
        shard = Shard(claim.name, Kind.DRAWN, 0, 1, 0, seconds=seconds)
        result = run_shard(claim, shard)
        assert not result.error and result.models == 1


def test_the_exit_code_of_the_program_itself(write: Write) -> None:
    """Through a shell, where ``os._exit(0)`` would otherwise end all of it with 0."""
    path = write("os._exit(0)")
    command = ["verify", str(path), "--jobs", "1", "--budget", "5", "--store", ":memory:"]
    done = subprocess.run(
        [sys.executable, "-m", "holdfast", *command],
        capture_output=True, text=True, check=False, cwd=path.parent,
    )  # fmt: skip
    assert done.returncode == ExitCode.BAD_USAGE, done.stderr


def test_a_label_claimed_twice_in_a_file_is_refused(write: Write) -> None:
    """The second would replace the first without a word."""
    path = write()
    head, _, body = path.read_text().partition("@claim")
    path.write_text(dedent(f"{head}@claim{body}\n\n@claim{body}"))
    with pytest.raises(ClaimError, match=r"is claimed twice in .*; give one of them a tag"):
        load(path)


NO_FUNCTION = {  # body, import, what is said
    "calls": (
        "calls.append(number); number *= 1 + (len(calls) % 7 == 0)",
        "calls = []",
        "it yielded x = ",
    ),
    "random": ("number *= random.randint(2, 10**9)", "import random", "it yielded x = "),
    "scope": (
        "if seen: raise OutOfScope('twice')\n    seen.append(number); number *= 2",
        "from holdfast.verify import OutOfScope; seen = []",
        "called the same case, made again, out of scope (twice)",
    ),
}


@pytest.mark.parametrize("command", ["verify", "hunt"])
@pytest.mark.parametrize("kind", NO_FUNCTION)
def test_a_violation_that_does_not_come_again_is_an_error_of_the_claim(
    write: Write, capsys: pytest.CaptureFixture[str], kind: str, command: str
) -> None:
    """2 number <= 2 y, y being `number` before the body: violated whenever the body raises x."""
    body, at_import, said = NO_FUNCTION[kind]
    path = write(body, at_import)
    text = path.read_text().replace("def check(number):", "def check(y_):\n    number = y_")
    path.write_text(text.replace("y: number}", "y: y_}"))
    store = str(path.parent / "s.sqlite")
    options = ["--jobs", "1"] if command == "verify" else []
    code = _run([command, str(path), "--budget", "200", "--store", store, *options])
    out, err = capsys.readouterr()
    shown = " ".join((out + err).split())
    assert code == ExitCode.BAD_USAGE, shown
    assert said in shown and "VIOLATED" not in shown and "false in" not in shown


@pytest.mark.parametrize("command", ["verify", "hunt"])
def test_a_claim_that_changes_its_case_is_no_counterexample(
    write: Write, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """The case that would be shown is [0], where x = y = 0: no counterexample."""
    path = write()
    text = path.read_text().replace("lambda draw: Fraction(draw.integer(1, 30), 9)",
                                    "lambda draw: [Fraction(draw.integer(1, 30), 9)]")  # fmt: skip
    text = text.replace("    pass\n", "    value = number[0]; number[0] = 0 * value\n")
    path.write_text(text.replace("{x: 2 * number, y: number}", "{x: 3 * value, y: value}"))
    options = ["--jobs", "1"] if command == "verify" else []
    store = str(path.parent / "s.sqlite")
    code = _run([command, str(path), "--budget", "20", "--store", store, *options])
    assert code == ExitCode.BAD_USAGE
    assert "the claim changes its case" in " ".join("".join(capsys.readouterr()).split())


def test_a_case_without_a_repr_of_its_own_is_the_same_case_made_again(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """The control: a violation on an object whose address is another one each time."""
    path = write(at_import="class Box:\n    def __init__(self, n): self.n = n\n")
    text = path.read_text().replace("lambda draw: Fraction(draw.integer(1, 30), 9)",
                                    "lambda draw: Box(draw.integer(1, 30))")  # fmt: skip
    path.write_text(text.replace("{x: 2 * number, y: number}", "{x: 3 * number.n, y: number.n}"))
    assert verify(path) == ExitCode.VIOLATION, capsys.readouterr().out
