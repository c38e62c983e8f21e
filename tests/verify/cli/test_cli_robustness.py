"""The command line in all weathers: signals, pipes, full disks, closed streams, odd terminals."""

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import click
import psutil
import pytest

from holdfast.solvers import save
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.cli import EXIT_CODES, application, looking
from holdfast.verify.cmdp import landmarks

from ..conftest import Invoke

HOLDFAST = [sys.executable, "-P", "-m", "holdfast"]
PATIENCE = 60.0
"""Seconds that a command may take on a busy machine; each needs about one."""

CLAIM = """
    import os
    import time
    from fractions import Fraction
    from pathlib import Path

    from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
    from holdfast.verify import Family, claim

    x = Quantity("x", "the smaller", Domain.NONNEGATIVE)
    y = Quantity("y", "the larger", Domain.NONNEGATIVE)
    fractions = Family("fractions", base=lambda draw: Fraction(draw.integer(1, 9)))


    @claim(Theorem("user/LABEL", "Halves", Le(x, 2 * y), Source("me", "", Provenance.DERIVED)),
           over=fractions)
    def _(number):
        BODY
        yield {x: 2 * number, y: number}
"""


def claim_file(folder: Path, body: str) -> Path:
    path = folder / "my_claims.py"
    text = dedent(CLAIM).replace("LABEL", folder.name).replace("BODY", body)
    path.write_text(text, encoding="utf-8")
    return path


def run(*arguments: object, shell: str = "", **options: object) -> subprocess.CompletedProcess[str]:
    """The command in a process; shell: what a shell does with its output."""
    command = [*HOLDFAST, *map(str, arguments)]
    if shell:
        command = ["bash", "-c", f'"$@" {shell}; exit ${{PIPESTATUS[0]}}', "bash", *command]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PATIENCE,
        check=False,
        **options,
    )  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "g1.json"
    save(landmarks.g1(), path)
    return path


# -- signals
@pytest.mark.parametrize("delay", [0.1, 0.3, 0.6])
def test_interrupted_while_loading(delay: float) -> None:
    """Without a word: loading takes about a second, and nothing has begun."""
    code = "import holdfast.__main__ as m; print('ready', flush=True); m.main()"
    command = [sys.executable, "-c", code, "doctor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode in (130, -signal.SIGINT)  # a shell says 130 for both
    assert b"Traceback" not in error
    assert b"Exception" not in error


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_in_mid_run(tmp_path: Path, number: int, code: int, jobs: int) -> None:
    """The signal goes to the command alone, as from `kill`: its workers must not go on."""
    body = "Path('begun').touch(); time.sleep(600)"
    options = ("--jobs", str(jobs), "--budget", "100", "--json", "run.json")
    command = [*HOLDFAST, "verify", str(claim_file(tmp_path, body)), *options]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "begun").exists() and time.monotonic() < until:
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= (2 if jobs > 1 else 0)
    process.send_signal(number)
    since = time.monotonic()
    _, error = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - since < 20
    assert process.returncode == code, error
    assert "finished shards are kept" in error
    assert "Traceback" not in error
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    assert not (tmp_path / "run.json").exists()
    assert not list(tmp_path.glob(".holdfast-*"))


def test_a_signal_that_the_caller_ignores_is_ignored() -> None:
    """As under nohup: Python leaves an ignored SIGINT alone, and so do we."""
    code = "import os, signal, holdfast.__main__ as m; os.kill(os.getpid(), 2); m.main()"
    done = subprocess.run(
        ["bash", "-c", "trap '' INT; exec \"$@\"", "bash", sys.executable, "-c", code, "--version"],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# -- pipes, full disks, closed streams
@pytest.mark.parametrize("arguments", [("list", "--json"), ("list",), ("--help",), ("doctor",)])
def test_nobody_reads(arguments: tuple[str, ...]) -> None:
    done = run(*arguments, shell="| true")
    assert (done.returncode, done.stderr) == (141, "")


def test_a_reader_that_has_seen_enough() -> None:
    """The first line comes whole.  What fits into the pipe was written well, hence 0 or 141."""
    done = run("list", "--json", shell="| head -1")
    assert (done.stdout, done.stderr) == ("[\n", "")
    assert done.returncode in (0, 141)


@pytest.mark.parametrize("arguments", [("list", "--json"), ("list",), ("--help",), ("solve", "M")])
def test_a_full_disk(arguments: tuple[str, ...], model: Path, tmp_path: Path) -> None:
    names = [str(model) if one == "M" else one for one in arguments]
    done = run(*names, shell="> /dev/full", cwd=tmp_path)
    assert done.returncode == 74
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str, model: Path, tmp_path: Path) -> None:
    """The files that a command opens must not get the number of a closed stream."""
    target = tmp_path / "out.certificate.json"
    done = run("solve", model, "--certificate", target, shell=closed, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(target.read_text())["kind"] == "cmdp-optimum"
    done = run("solve", "nowhere.json", shell=closed, cwd=tmp_path)
    assert done.returncode == 64


def test_a_store_is_not_what_libraries_print_to(tmp_path: Path) -> None:
    """HiGHS and others print to number 1, which the store would have if nothing else had it."""
    done = run("verify", "concentration/hoeffding", "--budget", 5, "--jobs", 2,
               "--store", "s.sqlite", shell=">&-", cwd=tmp_path)  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("environment", [
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii:strict"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
])  # fmt: skip
def test_a_terminal_of_few_letters(environment: dict[str, str]) -> None:
    done = run("show", "cmdp/multiplier-bound", env={**os.environ, **environment})
    assert (done.returncode, done.stderr) == (0, "")
    assert r"Lambda*xi \u2264 P_star - J_bar" in done.stdout
    refused = run("solve", "nö", env={**os.environ, **environment})
    assert refused.returncode == 64 and "Traceback" not in refused.stderr


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


def test_a_file_that_does_not_fit_leaves_the_old_one(model: Path, tmp_path: Path) -> None:
    """The certificate has more than 100 bytes; the limit stands for a full disk."""
    target = tmp_path / "out.certificate.json"
    target.write_text("old")
    done = run("solve", model, "--certificate", target, cwd=tmp_path, preexec_fn=_small_files)
    assert done.returncode == 74
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {target.name, model.name}


# -- errors that nobody foresaw
@pytest.mark.parametrize(("error", "code", "said"), [
    (ZeroDivisionError("no idea"), 70, "ZeroDivisionError: no idea"),
    (AssertionError(), 70, "fault of holdfast"),
    (MemoryError(), 70, "out of memory"),
    (RecursionError(), 70, "nested too deeply"),
    (SystemExit(0), 70, "sys.exit(0)"),
    (SystemExit(1), 70, "sys.exit(1)"),
    (BrokenPipeError(32, "of a worker"), 74, "of a worker"),
    (OSError(28, "No space left on device"), 74, "free some space"),
    (FileNotFoundError(2, "No such file", "x.json"), 64, "x.json"),
    (ModuleNotFoundError("x", name="lazy_loader"), 69, "lazy_loader, which holdfast needs"),
    (ModuleNotFoundError("x", name="elsewhere"), 70, "fault of holdfast"),
    (click.BadParameter("no"), 64, "no"),
    (KeyboardInterrupt(), 130, "interrupted"),
])  # fmt: skip
def test_every_error_has_its_code(
    holdfast: Invoke, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(looking.doctor_command, "callback", fail)
    done = holdfast("doctor")
    assert done.code == code
    assert said in done.output
    assert "Traceback" not in done.output
    monkeypatch.setenv("HOLDFAST_TRACEBACK", "1")
    done = holdfast("doctor")
    assert done.code == code
    assert "Traceback" in done.output


def test_the_help_explains_every_code(holdfast: Invoke) -> None:
    said = " ".join(EXIT_CODES) + " ".join(EXIT_CODES.values())
    assert all(str(code.value) in said for code in ExitCode)
    done = holdfast("--help")
    assert done.says(*EXIT_CODES, "HOLDFAST_TRACEBACK")


# -- where nothing can be written
UNWRITABLE = ("/proc/self/x.json", "g1.json/below/x.json", ".", "", "/dev/full/x.json")


@pytest.mark.parametrize("path", UNWRITABLE)
@pytest.mark.parametrize("command", [
    ("solve", "g1.json", "--certificate"),
    ("chance", "g1.json", "--risk", "1", "--unsafe", "1", "--horizon", "2", "--plot"),
    ("verify", "cmdp/occupancy", "--json"), ("verify", "cmdp/occupancy", "--junit"),
    ("verify", "cmdp/occupancy", "--store"), ("hunt", "cmdp/occupancy", "--json"),
    ("hunt", "cmdp/occupancy", "--store"), ("export", "g1.json", "--to"),
    ("poison", "none.jsonl", "--out"), ("poison", "none.jsonl", "--json"),
    ("poison-synthetic", "--plot"), ("poison-synthetic", "--json"),
])  # fmt: skip
def test_a_path_that_cannot_be_written(
    holdfast: Invoke, monkeypatch: pytest.MonkeyPatch, model: Path, command, path: str
) -> None:
    """Before the work: the model is not even read."""
    for module in ("cmdp.commands.solving", "cmdp.commands.exporting", "chance.commands.chance"):
        monkeypatch.setattr(f"holdfast.verify.{module}.read_model", None)
    monkeypatch.setattr("holdfast.verify.campaign.run.run_campaign", None)
    monkeypatch.setattr("holdfast.verify.cli.hunting.hunt", None)
    done = holdfast(*command, path)
    assert done.code == 64, done.output
    assert command[-1] in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("command", [
    ("verify", "--json", "a", "--junit", "./a"), ("verify", "--store", "a", "--json", "a"),
    ("verify", "--html", "a", "--json", "a/index.html"),
    ("hunt", "x", "--store", "a", "--json", "a"),
    ("solve", "g1.json", "--certificate", "g1.json"), ("export", "g1.json", "--to", "./g1.json"),
    ("poison", "g1.json", "--out", "a.jsonl", "--json", "a.jsonl"),
    ("poison", "a", "--record", "a"),
    ("poison-synthetic", "--json", "a.png", "--plot", "a.png"),
])  # fmt: skip
def test_two_outputs_in_one_file(holdfast: Invoke, model: Path, command: tuple[str, ...]) -> None:
    before = model.read_bytes()
    done = holdfast(*command)
    assert done.code == 64, done.output
    assert done.says("is the same file as", "give each a file of its own"), done.output
    assert model.read_bytes() == before


def test_a_link_stays_a_link_and_a_device_a_device(holdfast: Invoke, model: Path) -> None:
    Path("real.json").write_text("{}")
    Path("link.json").symlink_to("real.json")
    assert holdfast("solve", model, "--certificate", "link.json").code == 0
    assert Path("link.json").is_symlink()
    assert json.loads(Path("real.json").read_text())["kind"] == "cmdp-optimum"
    assert holdfast("solve", model, "--certificate", os.devnull).code == 0
    assert Path(os.devnull).is_char_device()


# -- numbers, and options without effect
@pytest.mark.parametrize("text", [
    "-1", "1e3", "0x10", "1_000", "٣", "nan", "inf", "", "9" * 60, "1.0", "+1", " 1",
])  # fmt: skip
@pytest.mark.parametrize("option", ["--seed", "--jobs", "--cases"])
def test_a_number_that_is_none(holdfast: Invoke, option: str, text: str) -> None:
    done = holdfast("verify", "cmdp/occupancy", "--on", "x", f"{option}={text}")
    assert done.code == 64
    assert done.says(option, "is not a whole number from"), done.output
    assert repr(text[:40]).rstrip("'") in done.output


@pytest.mark.parametrize(
    "text", ["-1", "1e9", "٣s", "nan", "inf", "", "0", "0s", "9" * 30, "1 h m"]
)
@pytest.mark.parametrize("command", ["verify", "hunt"])
def test_a_budget_that_is_none(holdfast: Invoke, command: str, text: str) -> None:
    done = holdfast(command, "cmdp/occupancy", f"--budget={text}")
    assert done.code == 64
    assert "budget" in done.output


def test_options_without_effect(holdfast: Invoke, model: Path) -> None:
    store = ("--jobs", 1, "--store", "s.sqlite")
    done = holdfast("verify", "cmdp/occupancy", "--cases", 2, *store)
    assert done.code == 64
    assert done.says("--cases is for real models")
    done = holdfast("verify", "cmdp/occupancy", "--on", model, "--on", model, *store)
    assert done.code == 64
    assert done.says("is given twice")
    done = holdfast("verify", "cmdp/strong-duality", "--on", model, "--budget", 5, *store)
    assert done.code == 0
    assert done.says("--budget 5 has no effect with --on")
    assert not holdfast("verify", "cmdp/strong-duality", "--on", model, *store).says("no effect")
    assert holdfast("show", "cmdp/occupancy", "--store", "none").says("there is no store none")


@pytest.mark.parametrize("name", ["verify", "hunt", "list", "show", "solve", "export", "check"])
def test_plain_integers_are_not_read_by_python(name: str) -> None:
    """`int` reads digits of other scripts."""
    command = application.get_command(click.Context(application), name)
    assert command is not None
    kinds = {one.name: type(one.type).__name__ for one in command.params}
    assert "IntParamType" not in kinds.values(), kinds


# -- the hostile folder
@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with modules that leave a mark when they are imported."""
    folder = tmp_path / "hostile"
    for name in ("json", "fractions", "socket", "signal", "pickle", "tempfile", "sympy", "click"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"open('ran-{name}', 'w')\nraise SystemExit(0)")
    (folder / "multiprocessing").mkdir()
    (folder / "multiprocessing" / "__init__.py").write_text("open('ran-workers', 'w')\nboom")
    return folder


@pytest.mark.parametrize("command", [
    ("-c", "from holdfast.__main__ import main; import sys; sys.path.remove(''); main()"),
    ("-m", "holdfast"),
])  # fmt: skip
def test_nothing_of_the_current_folder_runs(hostile: Path, command: tuple[str, ...]) -> None:
    """Not in the command, which stands for the console script, and not in its workers."""
    if command[0] == "-c":
        command = ("-P", "-c", command[1].replace("sys.path.remove(''); ", ""))
    arguments = ("verify", "concentration/hoeffding", "--budget", "10", "--jobs", "2")
    done = subprocess.run([sys.executable, *command, *arguments], cwd=hostile, check=False,
                          capture_output=True, text=True, timeout=PATIENCE)  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    assert not list(hostile.glob("ran-*"))


def test_the_hostile_folder_is_hostile(hostile: Path) -> None:
    """The control: Python itself imports from there."""
    subprocess.run([sys.executable, "-c", "import fractions"], cwd=hostile, check=False, timeout=60)
    assert list(hostile.glob("ran-*"))


@pytest.mark.parametrize("death", ["os.abort()", "os.kill(os.getpid(), 9)"])
def test_a_worker_that_dies_is_an_error(tmp_path: Path, death: str) -> None:
    file = claim_file(tmp_path, death)
    done = run("verify", file, "--jobs", 2, "--budget", 10, cwd=tmp_path)
    assert done.returncode == 64, done.stderr
    assert f"user/{tmp_path.name}" in done.stdout
    assert "killed its worker, twice" in " ".join(done.stdout.split())


def test_a_program_that_goes_on_after_the_command_is_not_ended(tmp_path: Path) -> None:
    """The control of the watch over threads: here the main thread is the one that goes on."""
    code = (
        "import sys, threading, time\n"
        "from holdfast.verify.cli import main\n"
        "threading.Thread(target=time.sleep, args=(4,)).start()\n"
        "try: main(['list'])\n"
        "except SystemExit: pass\n"
        "time.sleep(3); print('went on')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0
    assert done.stdout.endswith("went on\n")
