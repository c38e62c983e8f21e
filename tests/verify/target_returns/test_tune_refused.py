"""``tune`` refuses what cannot be meant or would have no effect, and says what to do instead."""

import sys
from pathlib import Path

import pytest

from ..conftest import Invoke
from .test_tune_command import RUN, SIMULATOR

OBSERVE = f"{sys.executable} simulate.py"
MODEL = ("--cost", 1, 1, 0.1, "--reward", 0, 1, 0.1, "--lengths", 0.5)
PLAIN = ("tune", "--observe", OBSERVE, "--grid", "x=0:1:21", "--seeds", 0, "--limit", 0.5, *MODEL)

REFUSED = {
    # what to tune
    ("--replay", "t.csv"): "give either --observe CMD",
    ("--observe", "no-such-program 1"): "begins with no program that can be run",
    ("--observe", "python 'unclosed"): "No closing quotation",
    ("--observe", f"{sys.executable} simulate.py {{y}}"): "{y} is no column of the grid",
    # the grid
    ("--grid", "no-such-file.csv"): "is neither a file nor ranges FIRST:LAST:NUMBER",
    ("--grid", "0:1:0"): "has no target",
    ("--grid", "0:1:90000000"): "more than 10,000,000",
    ("--grid", "1:1:2"): "row 1 of the grid repeats row 0",
    ("--grid", "0:one:3"): "is neither a file nor ranges",
    ("--grid", "nan:1:3"): "every number must be finite",
    ("--grid", "empty.csv"): "give at least one line of numbers",
    ("--grid", "twice.csv"): "row 2 of the grid repeats row 0",
    ("--grid", "infinite.csv"): "every number must be finite",
    ("--grid", "words.csv"): "could not convert string 'two' to float64",
    ("--grid", "ragged.csv"): "the number of columns changed from 2 to 1",
    ("--grid", "same-names.csv"): "each column a name of its own",
    ("--grid", "nameless.csv"): "each column a name of its own",
    ("--grid", "semicolons.csv"): "separated by semicolons or tabs, not by commas",
    ("--grid", "tabs.csv"): "separated by semicolons or tabs, not by commas",
    ("--grid", f"0:1:{10**20}"): "too many targets, more than 10,000,000",
    ("--grid", "0:inf:3"): "every number must be finite",
    # the seeds
    ("--seeds", ""): "is neither a file nor rows of the grid",
    ("--seeds", "21"): "the seed 21 is not on the grid; its targets are 0 to 20",
    ("--seeds", "0,0"): "name a target twice",
    ("--seeds", "off.csv"): "the target [0.512] is not on the grid, whose nearest is [0.5]",
    ("--seeds", "other.csv"): "the grid has x; give the same columns",
    ("--seeds", "empty.csv"): "give at least one line of numbers",
    # what is known beforehand
    ("--cost", 0, 0.05, 0.1): "A mean of 0 for raw costs says just that, and is hardly meant",
    ("--cost", 40, 2, 1): "which is above the limit, and it is a seed; give a mean that is nearer",
    ("--cost", 8, 1e200, 0.5): "a square that float64 holds",
    ("--reward", 8, 1e-200, 0.5): "a square that float64 holds",
    ("--cost", 1, 1, 1e-12): "is too small for 50 evaluations",
    ("--lengths", 1e300): "the cost would be the same everywhere",
    ("--lipschitz", 1e-320): "the cost is the same everywhere",
    ("--cost", 1, 1, 0): "standard deviation of the noise is 0.0",
    ("--cost", 1, -1, 0.1): "the last two above zero",
    ("--reward", "nan", 1, 0.1): "the prior mean is nan",
    ("--lengths", "0.5,0.5"): "give one number a column",
    ("--lengths", "long"): "give one number a column",
    ("--lengths", "0"): "lengths[0] is 0.0",
    ("--limit", "inf"): "the limit is inf",
    ("--delta", 0): "the failure probability is 0.0; it must lie between 0 and 1",
    ("--delta", 1): "the failure probability is 1.0; it must lie between 0 and 1",
    ("--cost-range", 1, 0): "is not a range",
    ("--cost-range", 1, 2): "no target can be safe",
    ("--cost-range", 0, 0.4): "every target is safe",
    ("--lipschitz", 0): "certify every target",
    ("--tolerance", -1): "is not a width",
    # what would have no effect
    ("--noise-bound", 0.1): "losbo needs a bound on the noise, and no other method uses one",
    ("--method", "losbo", "--lipschitz", 1): "losbo needs a bound on the noise",
    ("--method", "losbo", "--lipschitz", 1, "--noise-bound", 1, "--delta", 0.1): "which is sure",
    ("--method", "goose", "--accuracy", 0.1): "would have no effect with the method 'goose'",
    ("--trust-prior",): "nothing is certified by --cost alone",
    # where to write
    ("--plot", "plot.doc"): "the suffix must be one of",
    ("--json", "none/numbers.json"): "there is no folder",
    ("--json", "j.jsonl", "--journal", "j.jsonl"): "is the same file",
    ("--journal", "/dev/full"): "is not a regular file",
    ("--journal", "off.csv", "--seeds", "off.csv"): "is the same file",
    ("--timeout", "5"): "is not a time above zero",
    ("--retries", -1): "is not a whole number",
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> None:
    tables = {
        "simulate.py": SIMULATOR,
        "empty.csv": "",
        "twice.csv": "x\n0\n1\n0\n",
        "infinite.csv": "x\n0\n1e999\n",
        "words.csv": "x\n0\ntwo\n",
        "ragged.csv": "x,y\n0,1\n0\n",
        "nameless.csv": "x,\n0,1\n",
        "semicolons.csv": "x;y\n0,5;1,5\n",
        "tabs.csv": "x\ty\n0\t1\n",
        "gap.csv": "x,reward,cost\n0,0,0\n1,1,nan\n",
        "same-names.csv": "x,x\n0,1\n",
        "off.csv": "x\n0.512\n",
        "other.csv": "speed\n0.5\n",
        "t.csv": "x,reward,cost\n0,0,0\n1,1,1\n",
    }
    for name, text in tables.items():
        (tmp_path / name).write_text(text)


@pytest.mark.parametrize("options", REFUSED, ids=lambda options: " ".join(map(str, options)))
@pytest.mark.usefixtures("files")
def test_it_is_refused_before_anything_is_evaluated(
    options: tuple[object, ...], holdfast: Invoke
) -> None:
    done = holdfast(*PLAIN, *options)
    assert done.code == 64, done.output
    assert done.says(REFUSED[options]), done.output
    assert not Path("calls.txt").exists()


@pytest.mark.usefixtures("files")
def test_what_is_refused_is_taken_without_the_fault(holdfast: Invoke) -> None:
    """The control: the same options as above, with nothing wrong."""
    assert holdfast(*PLAIN, "--evaluations", 1).code == 0
    Path("quoted.csv").write_text('"x"\n"0"\n"0.5"\n')
    ranges = ("--cost-range", 0, "inf", "--journal", "ranges.jsonl", "--json", "numbers.json")
    assert holdfast(*PLAIN, "--evaluations", 1, "--grid", "quoted.csv", *ranges).code == 0
    assert '"cost_range": [0.0, null]' in Path("ranges.jsonl").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--grid", "0:1:2"), "--grid has no effect with --replay"),
        (("--journal", "j.jsonl"), "--journal has no effect with --replay"),
        (("--retries", 1), "--retries has no effect with --replay"),
        (("--replay", "gap.csv"), "the column cost of target 1 (counted from 0) is nan"),
        (("--replay", "other.csv"), "two named reward and cost"),
        (("--method", "ucb"), "is not one of"),  # it is unsafe; Python has it
    ],
)
@pytest.mark.usefixtures("files")
def test_a_replay_needs_a_table_and_no_program(
    options: tuple[object, ...], words: str, holdfast: Invoke
) -> None:
    done = holdfast("tune", "--replay", "t.csv", "--seeds", 0, "--limit", 0.5, *MODEL, *options)
    assert done.code == 64
    assert done.says(words), done.output


@pytest.mark.usefixtures("files")
def test_a_prior_that_certifies_is_taken_at_its_word_and_said(holdfast: Invoke) -> None:
    done = holdfast(*PLAIN, "--cost", 0, 0.05, 0.1, "--trust-prior", "--evaluations", 0)
    assert done.code == 0
    assert done.says(
        "careful: the mean 0 and the deviation 0.05 of the cost say", "20 of the 20 targets"
    )


def test_nothing_is_asked_of_a_shell(tmp_path: Path, holdfast: Invoke) -> None:
    (tmp_path / "simulate.py").write_text(SIMULATOR)
    words = f"{OBSERVE} > made.txt ; touch made.txt $HOME"
    assert holdfast(*RUN, "--evaluations", 1, "--observe", words).code == 0
    assert not Path("made.txt").exists()
    assert "'>', 'made.txt', ';', 'touch', 'made.txt', '$HOME'" in Path("calls.txt").read_text()
