"""``audit``: logs of all formats, what is said of faulty ones, and what is refused."""

import csv
import json
from pathlib import Path

import pytest

from holdfast.verify.campaign.exit_codes import ExitCode

from ...zoo.trainers import logs
from ..conftest import Invoke

PLAIN = ("--limit", "25", "--rate", "0.05")


@pytest.fixture(autouse=True)
def zoo(holdfast: Invoke) -> None:
    """The logs, in the empty folder in which commands run."""
    logs.write(".")


def answer() -> dict:
    return json.loads(Path("out.json").read_text())


@pytest.mark.parametrize("name", logs.RUNS)
def test_the_zoo_of_runs(holdfast: Invoke, name: str) -> None:
    done = holdfast("audit", f"{name}.csv", *PLAIN, "--json", "out.json", "--plot", "p.png")
    where, named, _ = logs.RUNS[name]
    found = answer()
    assert Path("p.png").stat().st_size > 1000
    if where == "correct":
        assert done.code == ExitCode.AS_EXPECTED, done.output
        assert found["consistent"]
        assert found["compared"] == logs.STEPS - 1
        assert "certified (primal-dual/telescoping)" in done.output
    else:
        assert done.code == ExitCode.VIOLATION, done.output
        assert any(named in words for words in found["agrees_with"]), found["agrees_with"]
        assert "nothing is certified" in done.output


@pytest.mark.parametrize("name", logs.BATCHES)
def test_the_zoo_of_batches(holdfast: Invoke, name: str) -> None:
    done = holdfast("audit", f"{name}.csv", "--json", "out.json")
    faults = logs.BATCHES[name][1]
    assert set(faults) <= set(answer()["faults"])
    assert done.code == (ExitCode.VIOLATION if faults else ExitCode.AS_EXPECTED), done.output


def rows() -> list[dict[str, str]]:
    with open("plain.csv") as file:
        return list(csv.DictReader(file))


def numbers() -> list[dict[str, float]]:
    return [{key: float(value) for key, value in row.items()} for row in rows()]


def test_formats_are_detected(holdfast: Invoke) -> None:
    nested = [{"step": int(r["step"]), "train": {"multiplier": r["multiplier"], "cost": r["cost"]}}
              for r in numbers()]  # fmt: skip
    Path("run.jsonl").write_text("".join(json.dumps(row) + "\n" for row in nested))
    state = [{"step": 1, "loss": 0.5}]
    state += [{"step": r["step"], "lambda": r["multiplier"], "cost": r["cost"]} for r in numbers()]
    Path("trainer_state.json").write_text(json.dumps({"log_history": state}))
    done = holdfast("audit", "run.jsonl", *PLAIN, "--preset", "trl")
    assert done.code == 0, done.output
    assert "multiplier from train/multiplier" in done.output
    for place in ("trainer_state.json", "."):
        done = holdfast("audit", place, *PLAIN)
        assert done.code == 0, done.output
        assert "trainer_state.json, 40 rows" in done.output
        assert "1 row without one of these columns" in done.output


def test_event_files_of_tensorboard(holdfast: Invoke) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writer, lam = SummaryWriter("events"), 0.5
    for row in numbers():
        lam = max(0.0, lam + 0.05 * (row["cost"] - 25))
        writer.add_scalar("train/multiplier", lam, int(row["step"]))
        writer.add_scalar("train/cost", row["cost"], int(row["step"]))
    writer.close()
    done = holdfast("audit", "events", *PLAIN, "--preset", "trl", "--precision", "float32")
    assert done.code == 0, done.output
    assert "TensorBoard, 40 rows" in done.output
    assert holdfast("audit", "events", "--limit", "25", "--rate", "0.0501").code == 1


@pytest.mark.parametrize(
    ("name", "head", "rule"),
    [("omnisafe", ("Train/Epoch", "Metrics/LagrangeMultiplier", "Metrics/EpCost"), "adam"),
     ("safe-rlhf", ("train/step", "train/lambda", "train/episode_cost"), "log")],
)  # fmt: skip
def test_presets_are_found_by_their_columns(holdfast: Invoke, name, head, rule) -> None:
    source = rows()
    if rule == "adam":
        with open("adam.csv") as file:
            source = list(csv.DictReader(file))
    with open("run.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([r["step"], r["multiplier"], r["cost"]] for r in source)
    done = holdfast("audit", "run.csv", *PLAIN, "--json", "out.json")
    assert (answer()["preset"], answer()["rule"]) == (name, rule)
    assert done.code == (rule != "adam")
    assert "SKIPPED: what the path certifies" in done.output or rule != "adam"


def test_columns_that_the_caller_names_are_of_no_library(holdfast: Invoke) -> None:
    """They would be audited by the rule of the first one, and correct logs be accused."""
    rows = "".join(f"{k},{k * 0.5},{0.5}\n" for k in range(5))
    Path("own.csv").write_text("update,price,excess\n" + rows)
    words = ("--step", "update", "--multiplier", "price", "--value", "excess")
    done = holdfast("audit", "own.csv", *words, "--limit", "0", "--rate", "1", "--json", "a.json")
    assert done.code == 0, done.output
    found = json.loads(Path("a.json").read_text())
    assert (found["preset"], found["rule"]) == ("plain", "plain")


def test_pid_needs_gains(holdfast: Invoke) -> None:
    done = holdfast("audit", "plain.csv", "--limit", "25", "--rule", "pid")
    assert (done.code, "--gains" in done.output) == (64, True)
    done = holdfast("audit", "plain.csv", "--limit", "25", "--rule", "pid", "--gains", "0.1,0.1,0")
    assert done.code == 1


def test_an_average_whose_start_is_unknown(holdfast: Invoke) -> None:
    done = holdfast("audit", "average.csv", *PLAIN, "--average", "0.9", "--logged", "after")
    assert done.code == 0, done.output
    assert (
        "undecided: 1 update, since the state of the rule before the log is unknown" in done.output
    )


def test_columns_that_do_not_fit(holdfast: Invoke) -> None:
    done = holdfast("audit", "plain.csv", *PLAIN, "--value", "costs")
    assert done.code == 64
    assert "no column 'costs'; it has step, multiplier, cost, reward" in done.output
    Path("other.csv").write_text("a,b\n1,2\n3,4\n")
    done = holdfast("audit", "other.csv", *PLAIN)
    assert done.code == 64
    assert "the columns a, b, of which none is known to hold the step" in done.output
    done = holdfast(
        "audit", "other.csv", *PLAIN, "--step", "a", "--multiplier", "b", "--value", "b"
    )
    assert done.code == 64
    assert "cannot be both" in done.output


@pytest.mark.parametrize(
    ("text", "words"),
    [("step,multiplier,cost\n", "holds no rows"),
     ("step,multiplier,cost\n1,0,2\n", "1 row with all of"),
     ("step,multiplier,cost\n1,0,2\n1,0,2\n", "step 1 is there twice"),
     ("step,multiplier,cost\n2,0,2\n1,0,2\n", "not in order"),
     ("step,multiplier,cost\n1,nan,2\n2,0,2\n", "row 1 of multiplier is 'nan'"),
     ("step,multiplier,cost\n1,0,2\n2,0,inf\n", "row 2 of cost is 'inf'"),
     ("step,multiplier,cost\n1,0\n", "row 1 has 2 cells"),
     ("step,cost,cost\n1,0,2\n", "two columns named 'cost'")],
)  # fmt: skip
def test_rows_that_do_not_fit(holdfast: Invoke, text: str, words: str) -> None:
    Path("run.csv").write_text(text)
    done = holdfast("audit", "run.csv", *PLAIN)
    assert done.code == ExitCode.BAD_USAGE, done.output
    assert words in done.output


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("run.jsonl", '{"step": 1}\n[2]\n', "line 2 is"),
     ("run.jsonl", '{"step": 1, "step": 2}\n', "twice"),
     ("run.jsonl", "{\n", "no JSON"),
     ("trainer_state.json", "{}", "no log_history"),
     ("run.txt", "1", "not known"),
     ("events.out.tfevents.1", "not an event file", "scalars")],
)  # fmt: skip
def test_files_that_are_none(holdfast: Invoke, name: str, text: str, words: str) -> None:
    Path(name).write_text(text)
    done = holdfast("audit", name, *PLAIN)
    assert done.code == ExitCode.BAD_USAGE, done.output
    assert words in done.output


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--rate", "0.05"), "--limit"),
     (("--limit", "25"), "--rate is missing"),
     ((*PLAIN, "--at-least", "3"), "give one of"),
     (("--limit", "25", "--rate", "-1"), "is -1, with which"),
     (("--limit", "x", "--rate", "1"), "'x', which is no finite number"),
     ((*PLAIN, "--gains", "1,2,3"), "no effect without --rule pid"),
     ((*PLAIN, "--average", "1"), "average is 1;"),
     ((*PLAIN, "--cap", "0"), "cap"),
     ((*PLAIN, "--average-start", "1"), "no effect without --average"),
     ((*PLAIN, "--rewards", "reward"), "no effect on a batch"),
     ((*PLAIN, "--plot", "x.txt"), "x.txt"),
     ((*PLAIN, "--json", "plain.csv"), "same file as the log")],
)  # fmt: skip
def test_options_that_do_not_fit(holdfast: Invoke, options, words) -> None:
    done = holdfast("audit", "plain.csv", *options)
    assert done.code == ExitCode.BAD_USAGE, done.output
    assert words in done.output


def test_batches_that_do_not_fit(holdfast: Invoke) -> None:
    done = holdfast("audit", "plain.csv", "--advantages", "cost", "--rewards", "reward")
    assert done.code == 64
    assert "none is known to hold the group" in done.output
    Path("b.csv").write_text("group,reward,advantage\na,1,0\nb,1,0\n")
    assert "group 'a' has one row" in holdfast("audit", "b.csv").output


def test_checks_without_their_columns_are_skipped_by_name(holdfast: Invoke) -> None:
    Path("b.csv").write_text("group,reward,advantage\na,1.0,0.25\na,0.5,-0.25\n")
    done = holdfast("audit", "b.csv", "--form", "centred")
    assert done.code == 0, done.output
    assert "SKIPPED: column logp missing: importance ratios" in done.output
    assert "SKIPPED: column sampler_logp missing" in done.output
    assert holdfast("audit", "b.csv", "--form", "leave-one-out").code == 1
