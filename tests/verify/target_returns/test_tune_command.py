"""``tune`` around a program that is slow, noisy and sometimes fails: nothing lost, nothing doubled,
nothing tried that is not certified; replays, outputs, and what contradicts the model."""

import json
import math
import sys
from pathlib import Path

import pytest

from ..conftest import Invoke

SIMULATOR = '''\
"""Costs rise along the return; some first attempts fail, in three ways."""
import json, math, random, sys, time

asked = json.load(sys.stdin)
x, number, attempt = asked["target"]["x"], asked["evaluation"], asked["attempt"]
open("calls.txt", "a").write(f"{number} {attempt} {asked['index']} {sys.argv[1:]}\\n")
time.sleep(0.2)
if attempt == 1 and number == 3:
    sys.exit("the simulator crashed")
if attempt == 1 and number == 5:
    print('{"reward": 1, "cost": NaN}')
    sys.exit()
if attempt == 1 and number == 7:
    time.sleep(60)
noise = random.Random(number)
print("a line of log")
print(json.dumps({"reward": x + noise.gauss(0, 0.1), "cost": x * x + noise.gauss(0, 0.1)}))
'''
LIMIT, GRID, EVALUATIONS = 0.5, "x=0:1:21", 12
MODEL = ("--seeds", "0,1", "--limit", LIMIT, "--cost", 1, 1, 0.1, "--reward", 0, 1, 0.1,
         "--lengths", 0.5)  # fmt: skip
PROGRAM = f"{sys.executable} simulate.py"
RUN = ("tune", "--observe", PROGRAM, "--grid", GRID, *MODEL, "--timeout", "2s",
       "--evaluations", EVALUATIONS, "--journal", "journal.jsonl")  # fmt: skip


@pytest.fixture
def simulator(tmp_path: Path) -> Path:
    (tmp_path / "simulate.py").write_text(SIMULATOR)
    return tmp_path


def journal(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def ended(folder: Path) -> list[dict]:
    path = folder / "journal.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines() if '"end"' in line]


def test_the_same_command_again_evaluates_nothing(simulator: Path, holdfast: Invoke) -> None:
    short = (*RUN, "--evaluations", 2)
    first, again = holdfast(*short), holdfast(*short)
    assert (first.code, again.code) == (0, 0)
    assert again.says("2 evaluations taken from the journal", "All 2 evaluations are made.")
    assert len((simulator / "calls.txt").read_text().splitlines()) == 2
    refused = holdfast(*RUN, "--evaluations", 1)
    assert refused.code == 64
    assert refused.says("evaluation 2 of the journal is of target", "raise --evaluations")


def test_a_line_cut_short_is_dropped_and_a_changed_one_refused(
    simulator: Path, holdfast: Invoke
) -> None:
    short = (*RUN, "--evaluations", 2)
    assert holdfast(*short).code == 0
    path = simulator / "journal.jsonl"
    text = path.read_text()
    path.write_text(text[:-20])
    done = holdfast(*short)
    assert done.code == 0
    assert done.says("was cut short, and is dropped", "1 evaluation taken from the journal")
    assert path.read_text().splitlines()[-1] == text.splitlines()[-1]
    target = ended(simulator)[1]["target"]
    changed = f'"end": 2, "target": {(target + 1) % 21}'
    path.write_text(text.replace(f'"end": 2, "target": {target}', changed))
    assert holdfast(*short).says("line 5 of the journal", "or the end of evaluation 2 that is due")
    begin = f'"begin": 2, "target": {target}'
    both = path.read_text().replace(begin, begin.replace(f"{target}", f"{(target + 1) % 21}"))
    path.write_text(both)
    assert holdfast(*short).says("evaluation 2 of the journal is of target", "was changed")
    path.write_text(text.replace('"end": 1', '"end": 7'))
    assert holdfast(*short).says("or the end of evaluation 1 that is due there; restore")
    path.write_text(text.replace('"end": 1', '"end" 1'))
    assert holdfast(*short).says("line 3 of the journal journal.jsonl is not complete JSON")


FOREIGN = {
    "text with an end": b"not JSON\n",
    "text without": b"line one\nline two",
    "JSON": b'{"my": "data"}',
    "a table": b"x,reward,cost\n0,1,1",
    "binary": bytes(range(1, 250)),
    "beginning alike": b'{"journal": "mine"}',
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_no_journal_is_left_as_it_is(
    name: str, simulator: Path, holdfast: Invoke
) -> None:
    path = simulator / "journal.jsonl"
    path.write_bytes(FOREIGN[name])
    refused = holdfast(*RUN)
    assert refused.code == 64
    assert refused.says("--journal journal.jsonl is no journal of holdfast tune")
    assert path.read_bytes() == FOREIGN[name]
    assert not (simulator / "calls.txt").exists()


def test_a_journal_that_is_refused_keeps_a_line_cut_short(
    simulator: Path, holdfast: Invoke
) -> None:
    assert holdfast(*RUN, "--evaluations", 1).code == 0
    path = simulator / "journal.jsonl"
    path.write_text(path.read_text()[:-9])
    before = path.read_text()
    assert holdfast(*RUN, "--delta", 0.1).says("of another tuning")
    assert path.read_text() == before


DAMAGED = {
    "an unknown line": '{"foo": 1}',
    "another object": "[1]",
    "a begin of another evaluation": '{"begin": 3, "target": 0}',
    "a failure before the begin": '{"failed": 2, "attempt": 1, "reason": ""}',
    "an end before the begin": '{"end": 2, "target": 0, "reward": 0, "cost": 0}',
    "an attempt too many": 'B{"failed": 2, "attempt": 2, "reason": ""}',
    "no attempt": 'B{"failed": 2, "attempt": -1, "reason": ""}',
    "a truth for a cost": 'B{"end": 2, "target": 0, "reward": 0, "cost": true}',
    "a word for a cost": 'B{"end": 2, "target": 0, "reward": 0, "cost": "1"}',
    "a key too many": 'B{"end": 2, "target": 0, "reward": 0, "cost": 0, "more": 1}',
    "another target": 'B{"end": 2, "target": 1, "reward": 0, "cost": 0}',
}


@pytest.mark.parametrize("name", DAMAGED)
def test_every_line_of_a_journal_is_checked(name: str, simulator: Path, holdfast: Invoke) -> None:
    path = simulator / "journal.jsonl"
    if not path.exists():
        assert holdfast(*RUN, "--evaluations", 1).code == 0
    begin, line = '{"begin": 2, "target": 0}\n', DAMAGED[name]
    path.write_text(path.read_text() + line.replace("B{", begin + "{") + "\n")
    refused = holdfast(*RUN)
    assert refused.code == 64
    assert refused.says(f"line {5 if line[0] == 'B' else 4} of the journal", "evaluation 2 that is")


def test_blank_lines_are_harmless_and_headers_and_begins_are_checked(
    simulator: Path, holdfast: Invoke
) -> None:
    short = (*RUN, "--evaluations", 1)
    assert holdfast(*short).code == 0
    path = simulator / "journal.jsonl"
    text = path.read_text()
    path.write_text(text + "\n\n")
    assert holdfast(*RUN, "--evaluations", 2, "--lengths", "5e-1").code == 0
    assert len(ended(simulator)) == 2
    assert holdfast(*RUN, "--evaluations", 2).says("2 evaluations taken from the journal")
    path.write_text(text.splitlines()[0] + "\n" + text)
    assert holdfast(*short).says("line 2 of the journal")
    path.write_text(text + '{"begin": 2, "target": 20}\n')
    assert holdfast(*RUN).says("the begin of an evaluation of target 20, which would not be prop")
    assert holdfast(*short).code == 0  # with fewer evaluations nothing is proposed any more


def test_another_tuning_does_not_go_on_from_the_journal(simulator: Path, holdfast: Invoke) -> None:
    assert holdfast(*RUN, "--evaluations", 0).code == 0
    refused = holdfast(*RUN, "--delta", 0.1, "--seeds", 0)
    assert refused.code == 64
    assert refused.says("of another tuning", "delta 0.05, now 0.1", "seeds [0, 1], now [0]")
    moved = holdfast(*RUN, "--evaluations", 0, "--observe", f"{PROGRAM} --fast")
    assert moved.code == 0
    assert moved.says("is right only if both observe the same system")


FAILING = {
    "raise SystemExit(3)": "exit code 3",
    "import os; os.kill(os.getpid(), 9)": "signal 9",
    "import time; time.sleep(60)": "ran for 0.3 s",
    "pass": "printed nothing",
    "print('x' * 70000)": "is longer than 65,536 bytes, too long for an observation",
    "print([1, 2])": "not an object with the numbers reward and cost",
    "print('{\"reward\": 1}')": "not an object with the numbers reward and cost",
    'print(\'{"reward": true, "cost": 0}\')': "not an object with the numbers reward and cost",
    'print(\'{"reward": 1e999, "cost": 0}\')': "beyond all floats",
    'print(\'{"reward": 1, "cost": -2}\')': "outside cost_range -1.0 to 9.0",
    "while True: print('x' * 10**6)": "printed more than",
}


@pytest.mark.parametrize("source", FAILING)
def test_a_program_that_gives_no_observation_ends_the_tuning(
    source: str, simulator: Path, holdfast: Invoke
) -> None:
    (simulator / "broken.py").write_text(source)
    timeout = "20s" if "while" in source else "0.3s"
    broken = (*RUN, "--timeout", timeout, "--retries", 1, "--cost-range", -1, 9)
    done = holdfast(*broken, "--observe", f"{sys.executable} -S broken.py")
    assert done.code == 75
    assert done.says(FAILING[source], "Evaluation 1 has failed 2 times", "0 evaluations")
    assert ended(simulator) == []
    mended = holdfast(*broken, "--timeout", "20s", "--evaluations", 2)
    assert mended.code == 0
    assert len(ended(simulator)) == 2


def test_the_columns_are_put_into_the_words(simulator: Path, holdfast: Invoke) -> None:
    (simulator / "echo.py").write_text(
        "import sys; assert sys.argv[1:] == ['--x=0.0', 'b c']\n"
        'print(\'{"reward": 1, "cost": 0, "length": 9}\')'
    )
    words = f"{sys.executable} echo.py --x={{x}} 'b c'"
    done = holdfast(*RUN, "--evaluations", 1, "--seeds", 0, "--observe", words)
    assert done.code == 0
    assert done.says("also printed length, which nothing reads")


def test_a_seed_that_is_observed_to_be_unsafe_stops_the_tuning(
    simulator: Path, holdfast: Invoke
) -> None:
    """x^2 = 1 at the last target, with noise of 0.1: far above 0.5."""
    done = holdfast(*RUN, "--seeds", 20)
    assert done.code == 2
    assert done.says("The seed 20 is not safe", "no target is recommended")
    assert done.says("the expected cost of each seed (target 20) is at most 0.5")
    assert holdfast(*RUN, "--seeds", 20).code == 2  # nor does it go on from its journal
    assert len(ended(simulator)) == 1


def test_a_cost_that_its_bound_and_noise_exclude_ends_the_tuning(
    simulator: Path, holdfast: Invoke
) -> None:
    """Costs of 0 at the seeds; then 3 where the bound is about 0."""
    (simulator / "late.py").write_text(
        "import json, sys\n"
        "cost = 3 * (json.load(sys.stdin)['evaluation'] == 5)\n"
        "print(json.dumps({'reward': 1, 'cost': cost}))\n"
    )
    late = (*RUN, "--observe", f"{sys.executable} -S late.py", "--lengths", 2)
    done = holdfast(*late)
    assert done.code == 2
    assert done.says("stopped: ", "what the tuning rests on is false", "no target is recommended")
    assert not done.says("as noise alone can do")
    assert len(ended(simulator)) == 5
    again = holdfast(*late)
    assert again.code == 2 and len(ended(simulator)) == 5


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two columns, costs (x + y) / 2, rewards x + 2 y: the best safe one is x = 0, y = 1."""
    path = tmp_path / "table.csv"
    rows = [f"{x / 4},{y / 4},{(x + y) / 8},{(x + 2 * y) / 4}" for x in range(5) for y in range(5)]
    path.write_text("x,y,cost,reward\n" + "\n".join(rows) + "\n")
    return path


REPLAY = ("--seeds", 0, "--limit", 0.6, "--cost", 1, 1, 0.01, "--reward", 0, 2, 0.01,
          "--lengths", "4,4")  # fmt: skip


METHODS = {
    "pls": (),
    "pls with a constant": ("--lipschitz", 0.8),
    "safeopt": ("--method", "safeopt"),
    "goose": ("--method", "goose"),
    "losbo": ("--method", "losbo", "--lipschitz", 0.8, "--noise-bound", 0.01),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_replay_gets_near_the_best_safe_target(
    method: str, table: Path, holdfast: Invoke
) -> None:
    """From a reward of 0 at the seed to at least 7/4; the best is 2, at the corner (0, 1)."""
    done = holdfast("tune", "--replay", table, *REPLAY, *METHODS[method], "--json", "numbers.json")
    assert done.code == 0, done.output
    assert done.says("by the table, 0 of the", "targets tried are unsafe")
    found = json.loads(Path("numbers.json").read_text())
    x, y = found["recommended"]["target"]
    assert x + 2 * y >= 1.75
    proposals = [step["proposal"] for step in found["steps"]]
    assert all(proposal["upper"] <= 0.6 for proposal in proposals)
    assert "is a seed, whose cost is promised" in proposals[0]["reason"]
    assert all("is safe: the" in proposal["reason"] for proposal in proposals[1:] if
               proposal["index"] != 0)  # fmt: skip
    vouched = any(proposal["certified_by"] is not None for proposal in proposals)
    assert vouched == ("--lipschitz" in METHODS[method])


def test_a_replay_is_drawn_with_its_regret(table: Path, holdfast: Invoke) -> None:
    done = holdfast("tune", "--replay", table, *REPLAY, "--lipschitz", 0.8, "--evaluations", 12,
                    "--plot", "plot.svg")  # fmt: skip
    assert done.says("plot: plot.svg")
    assert Path("plot.svg").read_text().count("<svg") == 1
    assert holdfast("tune", "--replay", table, *REPLAY, "--plot", "plot.doc").code == 64


def test_the_promise_is_printed_with_what_it_rests_on(table: Path, holdfast: Invoke) -> None:
    done = holdfast("tune", "--replay", table, *REPLAY, "--lipschitz", 0.8, "--delta", 0.01,
                    "--cost-range", 0, 2)  # fmt: skip
    assert done.says("with probability at least 0.99 no target is evaluated whose expected cost is "
                     "above 0.6")  # fmt: skip
    assert done.says("differ by at most 0.8 times the Euclidean distance", "mean 1, variance 1")
    assert done.says("Gaussian noise of standard deviation 0.01", "outside 0 to 2")
    sure = holdfast("tune", "--replay", table, *REPLAY, "--method", "losbo", "--lipschitz", 0.8,
                    "--noise-bound", 0.02)  # fmt: skip
    assert sure.says("Safe means: no target", "is further than 0.02 from the expected cost")
    assert "Gaussian" not in sure.output.split("recommended")[0]
    assert sure.says("cost at most 0.6", "interval of the reward fails with a probability of at mo")
    full = holdfast("tune", "--replay", table, *REPLAY, "--limit", 0.61234567, "--delta", 1e-9)
    assert full.says("with probability at least 0.999999999 no", "cost is above 0.61234567.")


def test_a_table_of_one_column_is_drawn_as_a_line(tmp_path: Path, holdfast: Invoke) -> None:
    rows = [f"{k / 10},{k / 10},{math.sin(k / 10)}" for k in range(11)]
    Path(tmp_path / "line.csv").write_text("z,cost,reward\n" + "\n".join(rows))
    done = holdfast("tune", "--replay", "line.csv", "--seeds", 0, "--limit", 0.5, "--cost", 1, 1,
                    0.01, "--reward", 0, 1, 0.01, "--lengths", 1, "--plot", "line.png")  # fmt: skip
    assert done.code == 0
    assert Path("line.png").stat().st_size > 10_000


def test_a_replay_says_what_the_table_has_as_unsafe(table: Path, holdfast: Invoke) -> None:
    """Costs (x + y) / 2: 0.625 at target 13, x = 0.5 and y = 0.75, within noise of the limit."""
    loud = (*REPLAY, "--cost", 1, 1, 0.1, "--seeds", "0,13")
    done = holdfast("tune", "--replay", table, *loud)
    assert done.code == 2
    assert done.says("target 13 (x 0.5, y 0.75) is a seed and unsafe", "it costs 0.625")
    Path("dear.csv").write_text("x,cost,reward\n0,9,0\n1,9,1\n")
    dear = ("--replay", "dear.csv", "--seeds", 0, "--limit", 5, "--cost", 9, 4, 1, "--reward", 0, 1,
            0.1, "--lengths", 1, "--evaluations", 0)  # fmt: skip
    assert holdfast("tune", *dear).says("by the table, no target at all is safe")


def test_one_evaluation_that_certifies_all_is_said(table: Path, holdfast: Invoke) -> None:
    words = "one evaluation has certified every target"
    assert holdfast("tune", "--replay", table, *REPLAY, "--lengths", "900,900").says(words)
    assert not holdfast("tune", "--replay", table, *REPLAY).says(words)
