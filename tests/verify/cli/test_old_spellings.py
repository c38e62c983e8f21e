"""Options of the release before: what they become, and that today's are left alone."""

from pathlib import Path

import pytest

from holdfast.solvers import save
from holdfast.verify.cli.old_spellings import in_new_spelling
from holdfast.verify.cmdp import landmarks

from ..conftest import Invoke


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("solve m --budget 5", "solve m --limit 5"),
        ("solve m --cost step --budget=1/20", "solve m --cost step --limit 1/20"),
        ("solve m --budget -1/2 --seconds 60", "solve m --limit -1/2 --budget 60s"),
        ("solve m --seconds=1e-3", "solve m --budget 0.001000000s"),
        ("export m --to a --budget 5", "export m --to a --limit 5"),
        ("solve m --joint-risk 0.1,1/4 --horizon 3", "chance m --risk 0.1,1/4 --horizon 3"),
        ("solve m --joint-risk=0.1 --fading", "chance m --risk 0.1 --fading"),
        ("solve m --joint-risk 1/4 --method auto --seconds 9", "chance m --risk 1/4 --budget 9s"),
        ("solve m --cost step --budget 5 --joint-risk 1/4", "chance m --risk 1/4"),
        ("solve m --joint-risk 1/4 --limit 3", "chance m --risk 1/4"),
        ("solve m --horizon 3", "chance m --horizon 3"),
    ],
)
def test_an_old_spelling_is_said_in_full(
    capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    assert in_new_spelling(old.split()) == new.split()
    said = capsys.readouterr()
    assert said.err.startswith(f"hint: now spelt `holdfast {new}`")
    assert not said.out


@pytest.mark.parametrize(
    "words",
    [
        "", "--help", "solve", "solve m --budget", "solve m --budget 60s --limit 5",
        "solve m --budget nonsense", "solve -- m --budget 5", "chance m --risk 1/4 --horizon 3",
        "verify --budget 5", "hunt a --budget 5", "poison --budget 5",
    ],
)  # fmt: skip
def test_a_new_spelling_is_left_alone(capsys: pytest.CaptureFixture[str], words: str) -> None:
    assert in_new_spelling(words.split()) == words.split()
    assert capsys.readouterr() == ("", "")


def test_a_number_without_a_unit_is_the_old_bound(holdfast: Invoke, tmp_path: Path) -> None:
    path = save(landmarks.g1(), tmp_path / "g1.json")
    old, new = holdfast("solve", path, "--budget", "1"), holdfast("solve", path, "--limit", "1")
    assert old.code == new.code == 0
    assert old.says("value 3", "--limit is the bound of a cost; --budget is a time, such as 60s")
    assert not new.says("hint:")


def test_a_joint_risk_is_answered_by_chance(holdfast: Invoke) -> None:
    options = ("--horizon", 2, "--unsafe", "5", "--all")
    old = holdfast("solve", "frozen-lake-4x4", "--joint-risk", "1/2", *options)
    new = holdfast("chance", "frozen-lake-4x4", "--risk", "1/2", *options)
    assert old.code == new.code == 0
    assert old.says("hint: now spelt `holdfast chance frozen-lake-4x4 --risk 1/2 --horizon 2")
    assert new.says("accepted by the kernel")
