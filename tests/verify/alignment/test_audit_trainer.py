"""``audit-trainer``: faulty losses caught by name, correct twins acquitted, TRL and PPO."""

import json
from pathlib import Path

import pytest

from holdfast.verify.alignment.commands.audit_forms import _THEOREMS
from holdfast.verify.campaign.exit_codes import ExitCode

from ...zoo.trainers import losses
from ..conftest import Invoke

ZOO = losses.__file__


def findings(holdfast: Invoke, name: str, *options: str) -> tuple[int, dict[str, dict]]:
    done = holdfast("audit-trainer", name, *options, "--json", "out.json")
    assert Path("out.json").exists(), done.output
    found = json.loads(Path("out.json").read_text())
    return done.code, {one["check"]: one for one in found["findings"]}


@pytest.mark.parametrize("name", losses.FAULTS)
def test_faults_are_caught_by_name(holdfast: Invoke, name: str) -> None:
    _, check, twin = losses.FAULTS[name]
    code, found = findings(holdfast, f"{ZOO}:{name}")
    assert code == ExitCode.VIOLATION
    assert found[check]["fault"]
    assert found[check]["distance"] >= found[check]["bound"] or found[check]["form"] != "none"
    assert hasattr(losses, twin)


@pytest.mark.parametrize("name", sorted({twin for *_, twin in losses.FAULTS.values()}))
def test_correct_twins_are_acquitted(holdfast: Invoke, name: str) -> None:
    code, found = findings(holdfast, f"{ZOO}:{name}")
    assert code == ExitCode.AS_EXPECTED
    assert not any(one["fault"] for one in found.values())


@pytest.mark.parametrize("name", losses.CORRECT)
def test_what_only_looks_wrong_is_acquitted(holdfast: Invoke, name: str) -> None:
    assert findings(holdfast, f"{ZOO}:{name}")[0] == ExitCode.AS_EXPECTED


def test_there_are_enough() -> None:
    from ...zoo.trainers import logs

    runs = [name for name, (where, *_) in logs.RUNS.items() if where != "correct"]
    batches = [name for name, (where, _) in logs.BATCHES.items() if where != "correct"]
    public = [name for name, (where, *_) in losses.FAULTS.items() if "#" in where]
    assert len(public) + len(runs) + len(batches) >= 14


def test_lengths_and_weights(holdfast: Invoke) -> None:
    assert findings(holdfast, f"{ZOO}:sequence_mean")[1]["tokens"]["form"] == "by length"
    assert findings(holdfast, f"{ZOO}:token_mean")[1]["tokens"]["form"] == "equal"
    assert findings(holdfast, f"{ZOO}:dpo")[1]["tokens"]["form"] == "summed"
    found = findings(holdfast, f"{ZOO}:kl_in_reward")[1]
    assert found["rewards"]["form"] == "1"
    assert found["fixed point"]["form"] == "1/beta"


def test_arguments_of_the_factory(holdfast: Invoke) -> None:
    Path("mine.py").write_text(
        "def make(beta, scale=1):\n"
        "    def loss(b):\n"
        "        r = b['rewards'].reshape(-1, 4)\n"
        "        a = scale * (r - r.mean(1, keepdim=True)).reshape(-1, 1)\n"
        "        ratio = (b['logps'] - b['old_logps']).exp()\n"
        "        d = (b['logps'] - b['ref_logps']) ** 2 / 2\n"
        "        return ((beta * d - a * ratio) * b['mask']).sum(1).mean()\n"
        "    loss.beta = beta\n"
        "    return loss\n"
    )
    code, found = findings(holdfast, "mine.py:make", "--set", "beta=0.5")
    assert code == 0
    assert found["fixed point"]["form"] == "(1 - 1/G)/beta"
    code, found = findings(holdfast, "mine.py:make", "--set", "beta=0.5", "--set", "scale=2")
    assert code == 1
    assert found["fixed point"]["form"] == "none"
    # 4/3 is G/(G - 1): the remedy, so that the fixed point is that of r/beta
    code, found = findings(
        holdfast, "mine.py:make", "--set", "beta=0.5", "--set", "scale=1.3333333333333333"
    )
    assert found["fixed point"]["form"] == "1/beta"


@pytest.mark.parametrize(
    ("code", "words"),
    [("def make():\n    return 3\n", "returned something of type int"),
     ("def make():\n    return lambda b: 1.0\n", "must be a tensor of one number"),
     ("def make():\n    return lambda b: b['logps']\n", "must be a tensor of one number"),
     ("def make():\n    return lambda b: b['logps'].sum() / 0\n", "must be finite"),
     ("def make():\n    return lambda b: b['logits_'] \n", "raised KeyError"),
     ("def make(x):\n    return x\n", "raised TypeError"),
     ("def make():\n    raise SystemExit(0)\n", "asked the program to end"),
     ("def make(:\n", "does not import"),
     ("other = 1\n", "has no function make"),
     ("def make():\n    def f(b): return b\n    f.kind = 'x'\n    return f\n", "kind is 'x'"),
     ("def make():\n    def f(b): return b\n    f.group_size = 99\n    return f\n", "group_size"),
     ("def make():\n    return lambda b: b['logps']\n", "a tensor of 4 x 1 numbers"),
     ("def make():\n    def f(b): return b\n    f.beta = -1\n    return f\n", "beta is -1; give"),
     ("def make():\n    def f(b): return b\n    f.multiplier = -1\n    return f\n",
      "multiplier is -1; give"),
     ("def make():\n    def f(b): return b\n    f.kind, f.beta = 'preference', 0\n    return f\n",
      "beta is 0; give a finite number above 0, since a loss on pairs ends at a tilt by r/beta"),
     ("def make():\n    while True: pass\n", "had not ended after"),
     ("def make():\n    def f(b):\n        while True: pass\n    return f\n",
      "give it more time with --budget"),
     ("def make():\n    def f(b): return b\n    f.rewards = 9\n    return f\n", "rewards is 9")],
)  # fmt: skip
def test_files_that_do_not_fit(holdfast: Invoke, code: str, words: str) -> None:
    Path("mine.py").write_text(code)
    budget = ("--budget", "0.5s") if "while" in code else ()
    done = holdfast("audit-trainer", "mine.py:make", *budget)
    assert done.code == ExitCode.BAD_USAGE, done.output
    assert words in done.output


HINGE = """
import torch
def make():
    print("a word of the file's own")
    def loss(b):
        margin = sum(s * ((b[f"{w}_logps"] - b[f"ref_{w}_logps"]) * b[f"{w}_mask"]).sum(1)
                     for w, s in (("chosen", 1), ("rejected", -1)))
        return torch.relu(1 - 0.3 * margin).mean()
    loss.kind, loss.beta = "preference", 0.3
    return loss
"""


def test_a_hinge_is_undecided_and_what_a_file_prints_is_no_answer(
    holdfast: Invoke, capfd: pytest.CaptureFixture[str]
) -> None:
    from holdfast.verify.cli import main

    Path("mine.py").write_text(HINGE)
    done = holdfast("audit-trainer", "mine.py:make")
    assert done.code == ExitCode.UNDECIDED
    assert done.says("undecided: none of the known closed forms", "1 finding undecided")
    with pytest.raises(SystemExit):
        main(["audit-trainer", "mine.py:make", "--json", "-"])
    out, err = capfd.readouterr()
    assert json.loads(out)["open"] == ["fixed point"]
    assert "a word of the file's own" in err


@pytest.mark.parametrize("place", ["import", "factory", "loss"])
def test_ctrl_c_ends_it_without_a_traceback(holdfast: Invoke, place: str) -> None:
    stop = "os.kill(os.getpid(), signal.SIGINT)"
    parts = [stop if place == one else "pass" for one in ("import", "factory", "loss")]
    Path("mine.py").write_text(
        "import os, signal\n{}\ndef make():\n    {}\n    def f(b):\n        {}\n"
        "    return f\n".format(*parts)
    )
    done = holdfast("audit-trainer", "mine.py:make")
    assert done.code == ExitCode.INTERRUPTED
    assert "Traceback" not in done.output
    assert "interrupted" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("mine.py",), "is not PATH.py:FACTORY"),
     (("nowhere.py:make",), "not a Python file that is there"),
     (("trl:PPOTrainer",), "is not one of trl:GRPOTrainer"),
     (("sb3:A2C",), "is not one of sb3:PPO"),
     (("sb3:PPO", "--set", "nothing=1"), "does not take these settings"),
     (("sb3:PPO", "--set", "nothing"), "is not KEY=VALUE"),
     (("sb3:PPO", "--set", "a=1", "--set", "a=2"), "twice")],
)  # fmt: skip
def test_names_that_do_not_fit(holdfast: Invoke, arguments, words) -> None:
    done = holdfast("audit-trainer", *arguments)
    assert done.code == ExitCode.BAD_USAGE, done.output
    assert words in done.output


def test_ppo_of_stable_baselines3(holdfast: Invoke) -> None:
    code, found = findings(holdfast, "sb3:PPO")
    assert code == 0
    assert found["rewards"]["form"] == "standardised"
    assert "deviations over G - 1" in found["rewards"]["words"]
    assert found["ratios"]["form"] == "one"
    code, found = findings(holdfast, "sb3:PPO", "--set", "normalize_advantage=false")
    assert found["rewards"]["form"] == "1"


def test_theorems_have_labels_of_this_pillar() -> None:
    areas = {label.partition("/")[0] for label in _THEOREMS.values()}
    assert areas <= {"tilts", "group-updates", "group-primal-dual", "stepwise", "preferences"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "form"),
    [(("trl:GRPOTrainer", "--set", "scale_rewards=none"), "(1 - 1/G)/beta"),
     (("trl:RLOOTrainer",), "1/beta"),
     (("trl:DPOTrainer",), "1/beta"),
     (("trl:DPOTrainer", "--set", "loss_type=ipo"), "ipo")],
)  # fmt: skip
def test_fixed_points_of_trl(holdfast: Invoke, arguments, form) -> None:
    code, found = findings(holdfast, *arguments)
    assert code == 0
    assert found["fixed point"]["form"] == form
    assert found["fixed point"]["distance"] < 1e-4  # total variation to the right law
    if "Trainer" in arguments[0] and form != "ipo" and "DPO" not in arguments[0]:
        other = found["fixed point"]["words"].rsplit(",", 1)[1].split()[0]
        assert float(other) > 0.05  # and to the wrong one


@pytest.mark.slow
def test_defaults_of_trl(holdfast: Invoke) -> None:
    found = findings(holdfast, "trl:GRPOTrainer")[1]
    assert found["rewards"]["form"] == "standardised"
    assert found["divergence"]["form"] == "reverse"
    found = findings(holdfast, "trl:GRPOTrainer", "--set", "use_bias_correction_kl=false")[1]
    assert found["divergence"]["form"] == "forward"
    code, found = findings(holdfast, "trl:KTOTrainer")
    assert (code, found["fixed point"]["form"]) == (ExitCode.UNDECIDED, "none")
    done = holdfast("audit-trainer", "trl:DPOTrainer", "--set", "beta=0")
    assert (done.code, "beta is 0" in done.output) == (64, True)
