"""The guide of the auditors says what they do: its formulas are run, and its commands."""

import re
import runpy
import sys
from contextlib import redirect_stdout
from fractions import Fraction as F
from math import exp, log, sin, sqrt
from pathlib import Path

import pytest

from holdfast.solvers.alignment.audits.printed import printed
from holdfast.solvers.alignment.audits.rules import KINDS, Rule
from holdfast.solvers.alignment.audits.scalar import Run, judge

from ...zoo.trainers import logs
from ..conftest import Invoke

GUIDE = (Path(__file__).resolve().parents[3] / "docs/how-to/audit.md").read_text()
TABLE = dict(re.findall(r"^\| `?([a-z-]+)`? \| (.*(?:lam|e) .*) \|$", GUIDE, re.M))
GAINS = (F(1, 20), F(1, 2000), F(1, 10))


def statements(kind: str) -> list[str]:
    """The formulas of a rule, as the guide has them."""
    if kind == "log-adam":  # in words: "the same step with g, added to log lam"
        assert "`g = u * lam`, added to log lam" in TABLE[kind]
        *before, last = statements("adam")
        step = last.removeprefix("lam = max(0, lam + ").removesuffix(")")
        return ["g = u * lam", *before[1:], f"lam = exp(log(lam) + {step})"]
    return [one for one in re.findall(r"`([^`]*)`", TABLE[kind]) if "=" in one]


def run_of(kind: str, averaged: bool) -> Run:
    state = {"lam": 0.5, "eta": 0.05, "m": 0.0, "v": 0.0, "I": 0.0, "u_before": 0.0, "e": 26.0,
             "RHO": 0.9, "KP": 0.05, "KI": 0.0005, "KD": 0.1, "sqrt": sqrt, "exp": exp, "log": log,
             "max": max}  # fmt: skip
    found = []
    for t in range(1, 41):
        j = 25.3 + sin(t) - 0.02 * t
        state |= {"t": t, "j": j}
        for line in statements("average") if averaged else ():
            exec(line, state)
        state["u"] = (state["e"] if averaged else j) - 25.0
        for line in statements(kind):
            exec(line, state)
        state["u_before"] = state["u"]
        found.append((repr(state["lam"]), repr(j)))
    lam, values = (printed(column, "x", range(40)) for column in zip(*found, strict=True))
    return Run(tuple(map(F, range(40))), tuple(lam), tuple(values))


@pytest.mark.parametrize(
    ("kind", "averaged"), [*((kind, False) for kind in KINDS), ("plain", True)]
)
def test_the_formulas_of_the_guide_are_those_of_the_code(kind: str, averaged: bool) -> None:
    rule = Rule(
        kind=kind, target=F(25), rate=F(1, 20), gains=GAINS if kind == "pid" else None,
        initial=None if kind == "pid" else F(1, 2), average=F(9, 10) if averaged else None,
        start=F(26) if averaged else None,
    )  # fmt: skip
    verdict = judge(run_of(kind, averaged), rule, "after")
    assert (verdict.checked, verdict.breaks) == (40, 0)
    for other in set(KINDS) - {kind, "pid"}:
        assert judge(run_of(other, averaged and other == "plain"), rule, "after").breaks > 0


def written(name: str, arguments: list[str], target: str) -> None:
    before = sys.argv
    sys.argv = [name, *arguments]
    try:
        with open(target, "w") as file, redirect_stdout(file):
            runpy.run_path(name, run_name="__main__")
    finally:
        sys.argv = before


def test_the_answers_of_the_guide_are_those_of_the_commands(holdfast: Invoke) -> None:
    run, loss = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    Path("run.py").write_text(run)
    Path("loss.py").write_text(loss)
    written("run.py", [], "run.csv")
    written("run.py", ["wrong"], "wrong.csv")
    Path("logs").mkdir()
    logs.write("logs")
    shown = 0
    for block in re.findall(r"```console\n(.*?)```", GUIDE, re.S):
        command, answer = block.strip().split("\n", 1) if "\n" in block.strip() else (block, "")
        while not command.startswith("$ holdfast"):
            command, answer = answer.split("\n", 1)
        if answer:
            done = holdfast(*command.split()[2:])
            assert " ".join(answer.split()) == done.flat
            shown += 1
    assert shown == 4


def test_every_option_is_in_the_guide_or_explained_by_help(holdfast: Invoke) -> None:
    """Those that say what a log is."""
    for option in ("--gains", "--cap", "--average", "--average-start", "--multiplier-start",
                   "--at-least", "--updates", "--precision", "--exact", "--form", "--logps",
                   "--sampler-logps", "--rule", "--budget", "--set", "--json -"):  # fmt: skip
        assert f"`{option}" in GUIDE, option
