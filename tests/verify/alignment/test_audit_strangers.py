"""``audit`` on logs as strangers write them: the correct ones pass, the wrong ones are named."""

import json
import math
from collections.abc import Iterator
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from holdfast.solvers.alignment.audits.rules import Rule
from holdfast.verify.alignment.commands.audit_answer import audit_run, find_columns
from holdfast.verify.alignment.commands.run_logs import Table
from holdfast.verify.campaign.exit_codes import ExitCode

from ..conftest import Invoke

ROWS = 60
PLAIN = ("--limit", "25", "--rate", "0.05")
GAINS = (0.05, 0.0005, 0.1)


def costs(rows: int = ROWS, slope: float = 0.02) -> list[float]:
    rng = np.random.default_rng(5)
    return [float(25.4 - slope * k + 1.5 * rng.normal()) for k in range(rows)]


def plain(
    start=0.5, rate=0.05, limit=25.0, cap=math.inf, rho=0.0, mean=25.0, kind=float, repeat=1,
    rows=ROWS, slope=0.02, sign=1.0, floor=0.0,
) -> Iterator[tuple[Any, Any, Any]]:  # fmt: skip
    """(multiplier before, after, cost), computed in the type `kind`."""
    lam, e = kind(start), kind(mean)
    for cost in costs(rows, slope):
        before, value = lam, kind(cost)
        for _ in range(repeat):
            e = kind(rho) * e + (kind(1) - kind(rho)) * value
            driver = e if rho else value
            lam = lam + kind(rate) * (kind(sign) * (driver - kind(limit)))
            lam = min(max(kind(floor), lam), kind(cap))
        yield before, lam, value


def stepped(optimiser: type, logarithm: bool, rate: float, start=0.5, dtype=torch.float32,
            sign=1.0, cap=None) -> Iterator[tuple[Any, Any, Any]]:  # fmt: skip
    """The same by an optimiser of torch on the multiplier, or on its logarithm."""
    x = math.log(start) if logarithm else start
    held = torch.nn.Parameter(torch.tensor(x, dtype=dtype))
    step = optimiser([held], lr=rate)
    for cost in costs():
        before = held.exp().item() if logarithm else held.item()
        step.zero_grad()
        (-sign * (torch.tensor(cost, dtype=dtype) - 25) * (held.exp() if logarithm else held)
         ).backward()  # fmt: skip
        step.step()
        if not logarithm:
            held.data.clamp_(0.0, cap)
        yield before, held.exp().item() if logarithm else held.item(), cost


def pid(gains=GAINS, windup=False, change=False) -> Iterator[tuple[Any, Any, Any]]:
    """As FSRL does it: kp e + ki I + kd max(0, e - e before), I = max(0, I + e)."""
    integral, old, lam = 0.0, 0.0, 0.0
    for cost in costs():
        before, error = lam, cost - 25.0
        integral = integral + error if windup else max(0.0, integral + error)
        rise = error - old if change else max(0.0, error - old)
        lam = max(0.0, gains[0] * error + gains[1] * integral + gains[2] * rise)
        old = error
        yield before, lam, cost


def table(found, writer=repr, after=True, step=1, first=0, other=None) -> list[dict[str, str]]:
    """Rows of a log, with another column of numbers beside."""
    return [
        {"step": str(first + step * k), "multiplier": writer(y if after else x),
         "cost": writer(z), "reward": writer(7.0 + math.sin(k) if other is None else other[k])}
        for k, (x, y, z) in enumerate(found)
    ]  # fmt: skip


def fixed(digits: int):
    return lambda x: f"{float(x):.{digits}f}"


ADAM = ("--limit", "25", "--rate", "0.035", "--rule", "adam")
FSRL = ("--limit", "25", "--rule", "pid", "--gains", "0.05,0.0005,0.1")
SGD, TORCH_ADAM = torch.optim.SGD, torch.optim.Adam
CORRECT: dict[str, tuple[list[dict[str, str]], tuple[str, ...]]] = {
    "full doubles": (table(plain()), PLAIN),
    "before the update": (table(plain(), after=False), (*PLAIN, "--logged", "before")),
    "three decimals": (table(plain(), fixed(3)), PLAIN),
    "six digits": (table(plain(), "{:.6g}".format), PLAIN),
    "rounded by Python": (table(plain(), lambda x: repr(round(x, 4))), PLAIN),
    "float32, shortest": (table(plain(kind=np.float32), str), PLAIN),
    "float32 as doubles": (table(plain(kind=np.float32), lambda x: repr(float(x))), PLAIN),
    "bfloat16 printed": (
        table(plain(), lambda x: repr(torch.tensor(x).bfloat16().item())),
        (*PLAIN, "--precision", "bfloat16"),
    ),
    "cap": (table(plain(cap=0.8, slope=-0.02), fixed(5)), (*PLAIN, "--cap", "0.8")),
    "mostly 0": (table(plain(slope=0.2), fixed(5)), PLAIN),
    "moving average": (table(plain(rho=0.9), fixed(6)), (*PLAIN, "--average", "0.9")),
    "moving average with its start": (
        table(plain(rho=0.9)),
        (*PLAIN, "--average", "0.9", "--average-start", "25", "--multiplier-start", "0.5"),
    ),
    "steps of the environment": (table(plain(), fixed(5), step=20000, first=20000), PLAIN),
    "four updates by each value": (table(plain(repeat=4)), (*PLAIN, "--updates", "4")),
    "Adam": (table(stepped(TORCH_ADAM, False, 0.035)), ADAM),
    "Adam with a cap": (table(stepped(TORCH_ADAM, False, 0.035, cap=0.6)), (*ADAM, "--cap", "0.6")),
    "logarithm": (table(stepped(SGD, True, 0.02)), ("--limit", "25", "--rate", ".02", "--rule",
                                                    "log")),
    "Adam on the logarithm": (
        table(stepped(TORCH_ADAM, True, 0.02)),
        ("--limit", "25", "--rate", "0.02", "--rule", "log-adam", "--multiplier-start", "0.5"),
    ),
    "logarithm, from a start that is a float32's": (
        table(stepped(SGD, True, 0.3, start=0.001), after=False),
        ("--limit", "25", "--rate", "0.3", "--rule", "log", "--multiplier-start", "0.001"),
    ),
    "PID of FSRL": (table(pid(), "{:.9g}".format), FSRL),
    "PID, before the update": (table(pid(), after=False), FSRL),
    "to be reached": (
        table(plain(sign=-1)),
        ("--at-least", "25", "--rate", "0.05", "--multiplier-start", "0.5"),
    ),
}  # fmt: skip
WRONG: dict[str, tuple[list[dict[str, str]], tuple[str, ...], str | None]] = {
    "before for after": (table(plain()), (*PLAIN, "--logged", "before"),
                         "the multiplier of a row is the one after the update by its value"),
    "after for before": (table(plain(), after=False), (*PLAIN, "--logged", "after"),
                         "the multiplier of a row is the one before the update by its value"),
    "no average stated": (table(plain(rho=0.9)), PLAIN, "a moving average of the column with "
                          "rho = 0.9"),
    "another average": (table(plain(rho=0.8)), (*PLAIN, "--average", "0.9"), "rho = 0.8"),
    "rho is the weight of the value": (table(plain(rho=0.9)), (*PLAIN, "--average", "0.1"),
                                       "rho = 0.9"),
    "average of nothing": (table(plain()), (*PLAIN, "--average", "0.9"),
                           "there is no moving average"),
    "another column": (table(plain(), other=list(range(ROWS))),
                       (*PLAIN, "--value", "reward"), "follows the column cost"),
    "sign": (table(plain(sign=-1)), PLAIN, "the other way round"),
    "a half of the rate": (table(plain(rate=0.025), fixed(6)), PLAIN, "about 0.5 times"),
    "another limit": (table(plain(limit=24.0)), PLAIN, "the target is about 24, not 25"),
    "a cap that is not stated": (table(plain(cap=0.8, slope=-0.02)), PLAIN, "it is cut off at 0.8"),
    "another cap": (table(plain(cap=0.8, slope=-0.02)), (*PLAIN, "--cap", "0.7"),
                    "it is cut off at 0.8"),
    "another start": (table(plain()), (*PLAIN, "--multiplier-start", "0.6"),
                      "the multiplier before the first update is another"),
    "Adam for plain": (table(stepped(TORCH_ADAM, False, 0.05)), PLAIN, "Adam moves it"),
    "plain for Adam": (table(plain(rate=0.035)), ADAM, "by the plain rule"),
    "plain for the logarithm": (table(plain()), (*PLAIN, "--rule", "log"), "by the plain rule"),
    "below 0": (table(plain(floor=-math.inf, slope=0.2)), PLAIN, "not kept at 0"),
    "PID whose integral is never cut": (table(pid(windup=True)), FSRL, None),
    "PID with a two-sided derivative": (table(pid(change=True)), FSRL, None),
    "other gains": (table(pid((0.05, 0.005, 0.1))), FSRL, None),
    "a wrong start and timing": (
        table(plain(), after=False),
        (*PLAIN, "--logged", "after", "--multiplier-start", "0.6"),
        "before the first update is another than stated, and the multiplier of a row is the one",
    ),
    "sign and timing": (
        table(plain(sign=-1)), (*PLAIN, "--logged", "before"),
        "the other way round, and the multiplier of a row is the one after",
    ),
}  # fmt: skip


def run(holdfast: Invoke, rows: list[dict[str, str]], *options: str) -> tuple[int, dict[str, Any]]:
    head = list(rows[0])
    lines = [head, *([row[name] for name in head] for row in rows)]
    Path("log.csv").write_text("".join(",".join(line) + "\n" for line in lines))
    done = holdfast("audit", "log.csv", *options, "--json", "out.json")
    assert done.code in (0, 1, 2), done.output
    return done.code, json.loads(Path("out.json").read_text()) | {"output": done.output}


@pytest.mark.parametrize("name", CORRECT)
def test_correct_logs_pass(holdfast: Invoke, name: str) -> None:
    rows, options = CORRECT[name]
    code, found = run(holdfast, rows, *options)
    assert code == ExitCode.AS_EXPECTED, found["output"]
    assert found["compared"] >= ROWS - 3


@pytest.mark.parametrize("name", WRONG)
def test_wrong_logs_are_found_and_named(holdfast: Invoke, name: str) -> None:
    rows, options, words = WRONG[name]
    code, found = run(holdfast, rows, *options)
    assert code == ExitCode.VIOLATION, found["output"]
    named = found["agrees_with"]
    assert named == [] if words is None else words in " ".join(named), named
    assert len(named) <= 2, named


@pytest.mark.parametrize("rule", ["plain", "adam", "pid"])
def test_a_log_of_every_tenth_update_is_no_contradiction(holdfast: Invoke, rule: str) -> None:
    found = {"plain": plain(rows=400), "adam": stepped(TORCH_ADAM, False, 0.035), "pid": pid()}
    rows = table(found[rule], fixed(6))[::10]
    options = {"plain": PLAIN, "adam": ADAM, "pid": FSRL}[rule]
    code, answer = run(holdfast, rows, *options)
    assert (code, answer["open"]) == (ExitCode.UNDECIDED, True)
    assert "rows are 10 steps apart" in answer["output"]
    assert run(holdfast, rows, *options, "--updates", "1")[0] == ExitCode.VIOLATION


def test_a_fault_in_steps_that_are_apart_is_found_where_it_explains_all(holdfast: Invoke) -> None:
    rows = table(plain(sign=-1), step=1000)
    code, found = run(holdfast, rows, *PLAIN)
    assert (code, found["open"]) == (ExitCode.VIOLATION, False)
    assert found["agrees_with"] == ["the sign of the violation is the other way round"]


@pytest.mark.parametrize("rule", ["adam", "pid"])
def test_a_log_that_begins_late_is_undecided(holdfast: Invoke, rule: str) -> None:
    rows = table(pid() if rule == "pid" else stepped(TORCH_ADAM, False, 0.035))[20:]
    code, found = run(holdfast, rows, *(FSRL if rule == "pid" else ADAM))
    assert (code, found["compared"]) == (ExitCode.UNDECIDED, 0)
    assert "the state of the rule before the log is unknown" in found["output"]


def test_the_start_is_compared(holdfast: Invoke) -> None:
    """An option without effect would be refused: this one adds the first row."""
    rows = table(plain())
    assert run(holdfast, rows, *PLAIN)[1]["compared"] == ROWS - 1
    code, found = run(holdfast, rows, *PLAIN, "--multiplier-start", "0.5")
    assert (code, found["compared"]) == (0, ROWS)
    rows[0]["multiplier"] = "0.9"
    assert run(holdfast, rows, *PLAIN, "--multiplier-start", "0.5")[1]["first"]["step"] == 0


@pytest.mark.parametrize(
    ("preset", "head", "found", "options"),
    [("omnisafe", ("Train/Epoch", "Metrics/LagrangeMultiplier", "Metrics/EpCost"),
      stepped(TORCH_ADAM, False, 0.035, start=0.001), ("--rate", "0.035")),
     ("fsrl", ("update/env_step", "loss/lagrangian", "train/cost"), pid(),
      ("--gains", "0.05,0.0005,0.1")),
     ("safe-rlhf", ("train/step", "train/lambda", "train/episode_cost"),
      stepped(SGD, True, 0.02), ("--rate", "0.02")),
     ("trl", ("step", "train/multiplier", "rewards/cost/mean"), plain(), ("--rate", "0.05")),
     ("plain", ("iteration", "lam", "j_c"), plain(), ("--rate", "0.05"))],
)  # fmt: skip
def test_presets_on_logs_by_the_libraries_own_formulas(
    holdfast: Invoke, preset, head, found, options
) -> None:
    rows = [dict(zip(head, list(row.values())[:3], strict=True)) for row in table(found)]
    code, answer = run(holdfast, rows, "--limit", "25", *options)
    assert (code, answer["preset"]) == (0, preset), answer["output"]
    rows[30][head[1]] = repr(float(rows[30][head[1]]) + 1e-3)
    code, answer = run(holdfast, rows, "--limit", "25", *options)
    assert (code, answer["first"]["step"]) == (1, 30)
    suggested = "the rule is the one that the names of" in answer["output"]
    assert suggested == (preset != "plain")


NONE = dict.fromkeys(("step", "multiplier", "value", "logged", "precision", "updates"))
PRINTED = {
    "repr": lambda x: repr(float(x)), "float32": lambda x: str(np.float32(x)), "2": fixed(2),
    "4": fixed(4), "7": fixed(7), "digits": "{:.5g}".format, "scientific": "{:.4e}".format,
    "round": lambda x: repr(round(float(x), 3)),
}  # fmt: skip


@pytest.mark.slow
@settings(phases=[Phase.generate])  # to shrink takes minutes and says no more
@given(
    writer=st.sampled_from(sorted(PRINTED)),
    value_writer=st.sampled_from(sorted(PRINTED)),
    kind=st.sampled_from([float, np.float32]),
    after=st.booleans(),
    stated=st.booleans(),
    cap=st.sampled_from([math.inf, 0.7, 1.0]),
    rho=st.sampled_from([0.0, 0.0, 0.5, 0.9, 0.99]),
    known=st.booleans(),
    repeat=st.sampled_from([1, 1, 2, 5]),
    rate=st.sampled_from([1e-4, 0.01, 0.05, 1.0, 30.0]),
    slope=st.sampled_from([0.0, 0.05, 0.2, -0.05]),
    sign=st.sampled_from([1.0, -1.0]),
    missing=st.sampled_from([None, 7, 30]),
)
def test_correct_logs_of_the_plain_rule_are_never_accused(
    writer, value_writer, kind, after, stated, cap, rho, known, repeat, rate, slope, sign, missing
) -> None:
    found = plain(cap=cap, rho=rho, kind=kind, repeat=repeat, rate=rate, slope=slope, sign=sign,
                  mean=26.0)  # fmt: skip
    rows = [
        {"step": str(k), "multiplier": PRINTED[writer](y if after else x),
         "cost": PRINTED[value_writer](z)}
        for k, (x, y, z) in enumerate(found)
        if k != missing
    ]  # fmt: skip
    rule = Rule(
        target=F(25), rate=F(str(rate)), at_least=sign < 0, cap=None if cap > 9 else F(str(cap)),
        average=F(str(rho)) if rho else None, start=F(26) if rho and known else None,
        initial=F(1, 2) if known else None, updates=repeat,
    )  # fmt: skip
    options = NONE | {"exact": False, "preset": "auto", "updates": repeat}
    options["logged"] = ("after" if after else "before") if stated else None
    log = Table("log", "CSV", rows, range(1, len(rows) + 1))
    answer = audit_run(log, find_columns(log, options), rule, options)
    assert not answer.verdict.contradicted, (answer.verdict.first, answer.explained)
