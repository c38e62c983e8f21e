"""Runs that test nothing, or leave something undecided, are no success: exit code 2."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.cli import _run

CLAIM = """
from fractions import Fraction
from flint import arb
from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import Ball, Family, OutOfScope, claim

x = Quantity("x", "the smaller", Domain.NONNEGATIVE)
y = Quantity("y", "the larger", Domain.NONNEGATIVE)
numbers = Family("numbers", lambda draw: Fraction(draw.integer(0, 9), 3))
theorem = Theorem("LABEL", "Order", Le(x, y), Source("me", "", Provenance.READ))


@claim(theorem, over=numbers)
def check(number):
    BODY
"""
BODIES = {  # body, code, telling, undecided, out of scope of 50 models, what is said
    "zero": ("yield {x: 0, y: 0}", 2, 0, 0, 0, "nothing was tested on 50 models"),
    "scope": ("raise OutOfScope('never'); yield", 2, 0, 0, 50, "out of scope on 50"),
    "undecided": ("yield {x: Ball(lambda: arb(1, 0.5)), y: 1}", 2, 50, 50, 0,
                  "UNDECIDED on 50 models"),
    "control": ("yield {x: number + 1, y: number + 2}", 0, 50, 0, 0, "not refuted on 50 models"),
}  # fmt: skip
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(body: str) -> Path:
        path = tmp_path / "mine_claims.py"
        text = CLAIM.replace("LABEL", f"untested/{tmp_path.name}").replace("BODY", body)
        path.write_text(text)
        return path

    return written


@pytest.mark.parametrize("name", BODIES)
def test_a_hunt_that_tests_nothing_or_cannot_decide(
    name: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    body, code, telling, undecided, outside, said = BODIES[name]
    path = write(body)
    report = path.with_suffix(".json")
    store = str(path.with_suffix(".sqlite"))
    options = ["--budget", "50", "--store", store, "--json", str(report)]
    assert _run(["hunt", str(path), *options]) == code
    shown = capsys.readouterr().out
    assert said in shown
    assert ("UNDECIDED, the two sides cannot be told apart" in shown) is (undecided > 0)
    found = json.loads(report.read_text())
    counts = tuple(found[key] for key in ("telling", "undecided", "out_of_scope"))
    assert counts == (telling, undecided, outside)


def test_a_violated_model_is_telling(write: Write) -> None:
    """x = y + 1 on the first model, which ends the hunt."""
    path = write("yield {x: number + 1, y: number}")
    report = path.with_suffix(".json")
    store = str(path.with_suffix(".sqlite"))
    code = _run(["hunt", str(path), "--store", store, "--json", str(report)])
    found = json.loads(report.read_text())
    assert (code, found["violated"], found["models"], found["telling"]) == (1, True, 1, 1)


@pytest.mark.parametrize(("labels", "code", "said"), [
    (["poisoning/duality"], ExitCode.UNDECIDED, "Nothing was tested."),
    (["poisoning/duality", "cmdp/occupancy"], ExitCode.AS_EXPECTED, "fared as expected"),
])  # fmt: skip
def test_a_model_that_no_statement_speaks_of(
    labels: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "s.sqlite")
    options = ["--on", "frozen-lake-4x4", "--jobs", "1", "--store", store]
    assert _run(["verify", *labels, *options]) == code
    shown = " ".join(capsys.readouterr().out.split())
    assert said in shown and "out of scope on frozen-lake-4x4: poisoning/duality" in shown
    assert ("nothing was tested on it" in shown) is (len(labels) == 1)
