"""``audit`` on numbers at the ends of what can be read, event files, and states of trainers."""

import json
from itertools import product
from pathlib import Path

import pytest

from holdfast.verify.campaign.exit_codes import ExitCode

from ...zoo.trainers import logs
from ..conftest import Invoke

PLAIN = ("--limit", "25", "--rate", "0.05")
BEYOND = ("1e400", "-1e400", "1e-400", "1e9999", "1e101", "9" * 399, "0." + "0" * 390 + "1")
EXTREME = ("1e100", "-1e100", "5e-324", "0e999", "-0.0", "1." + "3" * 390)


def run_log(place: str, text: str) -> str:
    rows = {"step": ["0", "1", "2"], "multiplier": ["0.5", "0.55", "0.6"],
            "cost": ["25", "26", "26"], "reward": ["1", "2", "3"]}  # fmt: skip
    rows[place][-1] = text
    lines = [",".join(rows), *(",".join(row) for row in zip(*rows.values(), strict=True))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("place", "text"), product(["step", "multiplier", "cost"], [BEYOND[0], BEYOND[2], BEYOND[-1]])
)
def test_numbers_of_a_log_beyond_doubles_are_refused(holdfast: Invoke, place, text) -> None:
    Path("log.csv").write_text(run_log(place, text))
    done = holdfast("audit", "log.csv", *PLAIN)
    assert done.code == ExitCode.BAD_USAGE
    assert done.says(f"row 3 of {place} is '{text[:40]}'", "scale the numbers")


@pytest.mark.parametrize("text", BEYOND)
@pytest.mark.parametrize("option", ["--limit", "--rate", "--cap", "--average-start", "--gains"])
def test_options_beyond_doubles_are_refused(holdfast: Invoke, option: str, text: str) -> None:
    Path("log.csv").write_text(run_log("cost", "26"))
    given = {"--limit": "25", "--rate": "0.05"} | {option: text}
    if option == "--average-start":
        given["--average"] = "0.5"
    if option == "--gains":
        given |= {"--rule": "pid", "--gains": f"1,{text},1"}
        del given["--rate"]
    done = holdfast("audit", "log.csv", *(word for pair in given.items() for word in pair))
    assert done.code == ExitCode.BAD_USAGE
    assert text[:40] in done.output


@pytest.mark.parametrize("rule", ["plain", "log", "adam", "log-adam", "pid"])
@pytest.mark.parametrize("text", EXTREME)
def test_extreme_numbers_end_in_an_answer(holdfast: Invoke, rule: str, text: str) -> None:
    """No internal error and no hang: every column and every option, one after the other."""
    allowed = {ExitCode.AS_EXPECTED, ExitCode.VIOLATION, ExitCode.UNDECIDED, ExitCode.BAD_USAGE}
    rate = ("--gains", "1,1,1") if rule == "pid" else ("--rate", "0.05")
    tail = ("--rule", rule, "--json", "out.json")
    for place in ("step", "multiplier", "cost"):
        Path("log.csv").write_text(run_log(place, text))
        assert holdfast("audit", "log.csv", "--limit", "25", *rate, *tail).code in allowed
        if Path("out.json").exists():
            json.loads(Path("out.json").read_text(), parse_constant=pytest.fail)
    Path("log.csv").write_text(run_log("cost", text))
    large = ("--gains", f"{text},1,{text}") if rule == "pid" else ("--rate", text)
    assert holdfast("audit", "log.csv", "--limit", text, *large, *tail).code in allowed


@pytest.mark.parametrize("text", [*EXTREME, *BEYOND])
def test_extreme_numbers_of_a_batch(holdfast: Invoke, text: str) -> None:
    head = {"group": "a", "reward": "1", "advantage": "0.5", "logp": "-1", "old_logp": "-2"}
    for place in ("reward", "advantage", "logp", "old_logp"):
        rows = [head, head | {"reward": "0", "advantage": "-0.5"} | {place: text}]
        lines = [",".join(head) + ",response", *(",".join(x.values()) + ",r" for x in rows)]
        Path("b.csv").write_text("\n".join(lines) + "\n")
        for form in ((), ("--form", "standardised"), ("--exact",)):
            done = holdfast("audit", "b.csv", *form, "--json", "out.json")
            assert done.code in (0, 1, 2, 64), done.output
            assert (done.code == ExitCode.BAD_USAGE) == (text in BEYOND), done.output
            assert done.code != 64 or f"row 2 of {place}" in done.output


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--multiplier-start", "-1"), "is -1; give one of 0 or more"),
     (("--multiplier-start", "2", "--cap", "1"), "is 2, above the cap 1"),
     (("--rate", "0"), "is 0, with which it never rises"),
     (("--average", "0"), "average is 0; give"),
     (("--average", "1.5"), "average is 1.5; give"),
     (("--average", "-0.5"), "average is -0.5; give"),
     (("--updates", "0"), "'0' is not a whole number"),
     (("--average", "0.5", "--rule", "adam"), "with the plain rule, not adam"),
     (("--rule", "pid", "--gains", "1,1,1"), "--rate has no effect"),
     (("--cap", "-1"), "cap of the multiplier is -1")],
)  # fmt: skip
def test_options_without_sense_or_effect_are_refused(holdfast: Invoke, options, words) -> None:
    Path("log.csv").write_text(run_log("cost", "26"))
    done = holdfast("audit", "log.csv", *PLAIN, *options)
    assert done.code == ExitCode.BAD_USAGE
    assert words in done.flat


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--gains", "1,1"), "needs --gains KP,KI,KD"), (("--gains", "0,0,0"), "are 0, 0, 0"),
     (("--gains", "1,-1,1"), "are 1, -1, 1"), (("--gains", "1,x,1"), "'x'"),
     (("--gains", "1,1,1", "--multiplier-start", "1"), "does not depend")],
)  # fmt: skip
def test_gains_without_sense_are_refused(holdfast: Invoke, options, words) -> None:
    Path("log.csv").write_text(run_log("cost", "26"))
    done = holdfast("audit", "log.csv", "--limit", "25", "--rule", "pid", *options)
    assert done.code == ExitCode.BAD_USAGE
    assert words in done.flat


def test_a_row_that_is_none_is_named_in_words(holdfast: Invoke) -> None:
    for line, words in (("[1]", "is a list"), ("7", "is the number 7"), ('"x"', "is 'x'"),
                        ("[" * 9 + "]" * 9, "is a list"), ("null", "is None")):  # fmt: skip
        Path("run.jsonl").write_text(f'{{"step": 1}}\n{line}\n')
        done = holdfast("audit", "run.jsonl", *PLAIN)
        assert (done.code, f"line 2 {words}; each row" in done.flat) == (64, True), done.output


def test_wrong_advantages_say_which_form_is_nearest(holdfast: Invoke) -> None:
    rows = [f"{k},{r},{a}\n" for k in range(6) for r, a in ((1, 0.5), (0, -0.5))]
    rows[1], rows[2], rows[5] = "0,0,-0.4\n", "1,1,0.3\n", "2,0,-0.2\n"
    Path("b.csv").write_text("group,reward,advantage\n" + "".join(rows))
    done = holdfast("audit", "b.csv")
    assert done.code == ExitCode.UNDECIDED
    assert done.says("centred is nearest, with 3 of 6 groups", "Say with --form")
    done = holdfast("audit", "b.csv", "--form", "centred")
    assert done.code == ExitCode.VIOLATION
    assert done.says("3 of 6 groups of unequal rewards obey this form")
    done = holdfast("audit", "b.csv", "--form", "leave-one-out")
    assert done.code == ExitCode.VIOLATION
    assert done.says("nearest is centred, with 3")


def test_numbers_alone_go_to_the_output(
    holdfast: Invoke, capfd: pytest.CaptureFixture[str]
) -> None:
    from holdfast.verify.cli import main

    logs.write(".")
    for log, options in (("plain.csv", PLAIN), ("batch_plain.csv", ())):
        capfd.readouterr()
        with pytest.raises(SystemExit):
            main(["audit", log, *options, "--json", "-"])
        out, err = capfd.readouterr()
        assert json.loads(out)["consistent"]
        assert log in err
    assert not Path("-").exists()


def events(folder: str, rows: list[tuple[int, float, float]], tags: tuple[str, ...]) -> Path:
    """An event file; returns its path."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(folder)
    for step, *values in rows:
        for tag, value in zip(tags, values, strict=False):
            writer.add_scalar(tag, value, step)
    writer.close()
    (path,) = Path(folder).glob("*tfevents*")
    return path


@pytest.mark.slow
def test_event_files_that_lack_something(holdfast: Invoke) -> None:
    rows, lam = [], 0.5
    for k in range(30):
        cost = 25 + (k * 7 % 5 - 2) / 2
        lam = max(0.0, lam + 0.05 * (cost - 25))
        rows.append((k, lam, cost))
    tags = ("train/multiplier", "train/cost")
    options = (*PLAIN, "--preset", "trl")
    path = events("whole", rows, tags)
    assert holdfast("audit", "whole", *options).code == 0
    events("lacking", rows, tags[:1])
    done = holdfast("audit", "lacking", *options)
    assert (done.code, done.says("none is known to hold the value", "train/multiplier")) == (64, 1)
    Path("cut").mkdir()
    cut = Path("cut") / path.name
    cut.write_bytes(path.read_bytes()[:-200])  # a run that was killed while it wrote
    done = holdfast("audit", "cut", *options)
    assert done.code == 0, done.output
    assert "TensorBoard, 30 rows" not in done.output
    (Path("cut") / f"{path.name}.2").write_bytes(path.read_bytes())
    done = holdfast("audit", "cut", *options)
    assert (done.code, done.says("holds 2 logs", "name one")) == (64, True)


def test_a_state_of_a_trainer_with_evaluations_alone(holdfast: Invoke) -> None:
    rows = [{"step": k, "eval_loss": 0.5, "eval_cost": 25.0} for k in range(5)]
    Path("trainer_state.json").write_text(json.dumps({"log_history": rows}))
    done = holdfast("audit", ".", *PLAIN)
    assert done.code == ExitCode.BAD_USAGE
    assert done.says("step, eval_loss, eval_cost", "none is known to hold the multiplier")
    Path("trainer_state.json").write_text(json.dumps({"log_history": []}))
    assert holdfast("audit", ".", *PLAIN).says("holds no rows")
