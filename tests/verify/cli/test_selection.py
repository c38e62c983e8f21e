"""One claim of a file of several is named as pytest names a test: ``file.py::label``."""

from pathlib import Path
from textwrap import dedent

import click
import pytest

from holdfast.verify.binding import claims
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.cli import _run
from holdfast.verify.cli.selection import one, select

FILE = """
from fractions import Fraction

from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import Family, claim

x = Quantity("x", "the smaller", Domain.NONNEGATIVE)
y = Quantity("y", "the larger", Domain.NONNEGATIVE)
numbers = Family("numbers", lambda draw: Fraction(draw.integer(1, 30), 9))


def bound(label, factor):
    theorem = Theorem(label, "A lemma", Le(x, factor * y), Source("me", "", Provenance.DERIVED))

    @claim(theorem, over=numbers)
    def check(number):
        yield {x: 2 * number, y: number}


bound("mine/true", 2)
bound("mine/false", 1)
bound("yours/true", 2)
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of three claims, in a registry of its own."""
    claims.shipped()  # imported before the registry is replaced, or they would end with the test
    monkeypatch.setattr(claims, "_REGISTRY", dict(claims._REGISTRY))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lemmas.py").write_text(dedent(FILE))
    return "lemmas.py"


def names(*patterns: str) -> list[str]:
    return [claim.name for claim in select(patterns)]


@pytest.mark.parametrize(("pattern", "expected"), [
    ("lemmas.py", ["mine/true", "mine/false", "yours/true"]),
    ("lemmas.py::mine/true", ["mine/true"]),
    ("lemmas.py::mine/*", ["mine/true", "mine/false"]),
    ("lemmas.py::mine", ["mine/true", "mine/false"]),
    ("lemmas.py::*/tru?", ["mine/true", "yours/true"]),
    ("./lemmas.py::mine/false", ["mine/false"]),
])  # fmt: skip
def test_claims_of_a_file(file: str, pattern: str, expected: list[str]) -> None:
    assert file in pattern
    assert names(pattern) == expected


def test_a_pillar_or_an_area_is_all_its_claims() -> None:
    """A pillar is the folder of its claims; one word of a label alone is neither."""
    assert set(names("poisoning")) == {
        claim.name for claim in claims.shipped() if "/verify/poisoning/claims/" in claim.file
    }
    assert names("policy-mixtures") == names("policy-mixtures/*")
    with pytest.raises(click.BadParameter, match="no theorem matches 'episode-flip'"):
        names("episode-flip")


def test_a_label_may_be_of_a_file_given_beside_it(file: str) -> None:
    assert names("yours/true", f"{file}::mine/true") == ["yours/true", "mine/true"]
    assert names(f"{file}::mine/true", "cmdp/occupancy") == ["mine/true", "cmdp/occupancy"]
    with pytest.raises(click.BadParameter, match=r"no theorem matches 'yours/true'"):
        names("yours/true")


@pytest.mark.parametrize("label", ["mine/truth", "cmdp/occupancy", "", "mine/true "])
def test_an_unknown_label_is_answered_with_those_there_are(file: str, label: str) -> None:
    """Not even a shipped label: it was asked for in this file."""
    with pytest.raises(click.BadParameter) as error:
        names(f"{file}::{label}")
    assert str(error.value) == (
        f"lemmas.py has no theorem {label!r}; it has mine/true, mine/false, yours/true"
    )


def test_one_claim(file: str) -> None:
    assert one(f"{file}::mine/false").name == "mine/false"
    with pytest.raises(click.BadParameter, match=r"matches 3 claims: mine/true, mine/false, your"):
        one(file)


@pytest.mark.parametrize(("command", "code"), [
    (["verify", "lemmas.py::mine/true", "--budget", "50", "--jobs", "1"], ExitCode.AS_EXPECTED),
    (["verify", "lemmas.py::mine/false", "--budget", "50", "--jobs", "1"], ExitCode.VIOLATION),
    (["hunt", "lemmas.py::mine/false", "--budget", "50"], ExitCode.VIOLATION),
    (["hunt", "lemmas.py::mine/true", "--budget", "50"], ExitCode.AS_EXPECTED),
    (["hunt", "lemmas.py", "--budget", "50"], ExitCode.BAD_USAGE),
    (["show", "lemmas.py::mine/false"], ExitCode.AS_EXPECTED),
    (["list", "lemmas.py::mine/*"], ExitCode.AS_EXPECTED),
    (["verify", "lemmas.py::none", "--budget", "50"], ExitCode.BAD_USAGE),
    (["verify", "nowhere.py::mine/true", "--budget", "50"], ExitCode.BAD_USAGE),
])  # fmt: skip
def test_every_command_takes_it(
    file: str, capsys: pytest.CaptureFixture[str], command: list[str], code: ExitCode
) -> None:
    assert _run(command) == code
    shown = capsys.readouterr()
    if code is ExitCode.AS_EXPECTED or code is ExitCode.VIOLATION:
        asked = command[1].partition("::")[2].partition("*")[0]
        assert asked in shown.out and "yours/true" not in shown.out
