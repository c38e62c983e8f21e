"""Counterexamples for Lean: read and evaluated by a program of our own, for want of Lean itself."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.solvers.errors import ModelError
from holdfast.theory import Standing
from holdfast.verify.binding.claims import shipped
from holdfast.verify.report.exports.lean import lean

from ...oracles.lean import Term, is_refuted
from ..conftest import Invoke

CLAIMS = {one.name: one for one in shipped()}
REFUTED = [name for name, one in CLAIMS.items() if one.theorem.standing is Standing.REFUTED]


@pytest.fixture(autouse=True)
def long_numbers() -> Iterator[None]:
    """Python reads integers of more than 4300 digits, as Lean does."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(limit)


@pytest.mark.parametrize("label", REFUTED)
def test_the_negation_is_true_and_false_of_another_number(label: str) -> None:
    text = lean(CLAIMS[label])
    assert is_refuted(text)
    if "left_low" in text:  # an enclosure: what if it reached far enough?
        other = re.sub(r"def left_low : Rat := .*", "def left_low : Rat := (-1000000)", text)
    else:  # both sides are the same number
        name = text.partition("theorem")[2].partition("(")[2].split()[0]
        right = re.split(" [≤<≥=] ", text.partition("refuted : ¬ (")[2].partition(") := by")[0])[1]
        known = {one: Term(term, {}).value()
                 for one, term in re.findall(r"def (\S+) : Rat := (.*)", text)}  # fmt: skip
        value = Term(right, known).value() - ("<" in text.partition("theorem")[2])
        other = re.sub(rf"def {name} : Rat := .*", f"def {name} : Rat := ({value})", text)
    assert not is_refuted(other)


def test_the_oracle_knows_brackets_powers_and_the_larger_of_two() -> None:
    # (2 - 1/2) / 4 + 1/2 + max(0, -3) + |-1| = 3/8 + 1/2 + 0 + 1
    text = "(((2 - (1 / 2)) * ((2 ^ 2)⁻¹)) + (2⁻¹) + (max 0 (-3)) + |(-1)|)"
    assert Term(text, {}).value() * 8 == 15
    with pytest.raises(AssertionError):
        Term("1 + )", {}).value()


def test_a_quotient_is_no_power_with_a_negative_exponent() -> None:
    assert "((lam⁻¹) * V)" in lean(CLAIMS["weighted-critics/lemma-constant"])


@pytest.mark.parametrize("label", ["flipping/one-step", "covariance/trick#neural"])
def test_what_is_not_refuted_as_printed_has_no_file(label: str, holdfast: Invoke) -> None:
    if label in CLAIMS:
        with pytest.raises(ModelError, match=f"{label} has no file for Lean"):
            lean(CLAIMS[label])
    done = holdfast("show", label, "--lean", "a.lean")
    assert done.code == 64
    assert not Path("a.lean").exists()


def test_show_writes_both_files_or_none(holdfast: Invoke) -> None:
    done = holdfast("show", "flipping/bellman", "--lean", "a.lean", "--standalone", "a.py")
    assert done.code == 0 and done.says("wrote a.py", "wrote a.lean; check it in a project")
    assert Path("a.lean").read_text() == lean(CLAIMS["flipping/bellman"])
    done = holdfast("show", "flipping/bellman", "--lean", "b.lean", "--standalone", "b.txt")
    assert done.code == 64 and done.says("b.txt is to end in .py")
    done = holdfast("show", "flipping/bellman", "--lean", "b.lean", "--json", "b.json")
    assert done.code == 64 and done.says("--json is of no use to --standalone and --lean")
    done = holdfast("show", "flipping/bellman", "--lean", "nowhere/b.lean")
    assert done.code == 64 and done.says("there is no folder")
    assert sorted(path.name for path in Path().iterdir()) == ["a.lean", "a.py"]
