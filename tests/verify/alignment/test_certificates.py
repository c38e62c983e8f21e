"""Certificates of the false statements: named instances are accepted, changed numbers are not."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner

from holdfast.verify.alignment.claims import designs, estimated
from holdfast.verify.binding.claims import Claim
from holdfast.verify.cli.looking import check_command
from holdfast.verify.kernel import check
from holdfast.verify.search.counterexample import Certified, Refuter, certify

CLAIMS = {"violation": designs.violation, "any-ridge": designs.any_ridge,
          "level": estimated.level_printed, "at-once": designs.at_once}  # fmt: skip
FITS = ("printed", "least_weights", "active", "active_least", "unit_ridge")
NAMED = [
    *(("violation", name) for name in FITS),
    ("any-ridge", "unseen"), ("level", "slack"), ("at-once", "many"),
]  # fmt: skip
Change = Callable[[dict[str, Any]], None]


@cache
def certified(name: str, landmark: str) -> Certified:
    claim: Claim = CLAIMS[name]
    seen = Refuter(claim).refute(claim.family.landmark(landmark))
    assert seen is not None
    return certify(seen.claim, seen.case, seen.part, seen.values)


@pytest.mark.parametrize(("name", "landmark"), NAMED)
def test_each_named_instance_is_accepted_and_says_what_is_printed(name: str, landmark: str) -> None:
    """T3-A and T3-B, both with either fit, Lemma 9's kappa, Lemma 11."""
    found = certified(name, landmark)
    assert found.report.accepted
    theorem, listed = CLAIMS[name].theorem, found.document["notes"]["printed"]
    assert theorem.refutation is not None
    assert [one["text"] for one in listed] == [one.text for one in theorem.refutation.printed]
    assert all(one["met"] for one in listed) == (landmark == CLAIMS[name].witness)


def test_a_fresh_process_accepts_it_and_lists_what_is_printed(tmp_path, monkeypatch) -> None:
    path = certified("violation", "printed").write(tmp_path)
    monkeypatch.chdir(tmp_path.parent)
    done = CliRunner().invoke(check_command, [str(path)], standalone_mode=False)
    assert done.return_value == 0
    assert "what the source of designs/violation prints" in done.output
    assert "kappa is a fixed positive value. It is 4, and 1 in another instance." in done.output


def _value(name: str, part: str, text: str) -> Change:
    return lambda document: document["values"][name].update({part: text})


def _constant(*place: int, value: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        node = document["relation"]
        for index in place[:-1]:
            node = node[index]
        node[place[-1]] = value

    return change


TAMPERED: list[Change] = [
    _value("B", "value", "3"),
    _value("B", "value", "5/2"),
    _value("delta", "value", f"1/{10**40}"),
    _value("delta", "value", "-1/10"),
    _value("violation", "lo", "1/10"),
    _value("violation", "hi", "1/10"),
    _value("weighted", "hi", "1"),
    _value("weighted", "lo", "1"),
    _constant(2, 1, 1, value="5"),
    _constant(2, 1, 2, 1, value="5"),
    _constant(0, value=">="),
]


@pytest.mark.parametrize("at", range(len(TAMPERED)))
def test_a_changed_number_is_rejected(at: int) -> None:
    document = deepcopy(certified("violation", "printed").document)
    TAMPERED[at](document)
    assert not check(document).accepted
