"""Certified optima: which method, with what certificate, and what an interruption leaves."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from holdfast.solvers import ModelError, save
from holdfast.verify.cmdp import landmarks, optima
from holdfast.verify.kernel import check

from ..conftest import Invoke


def test_small_models_are_solved_exactly_and_large_ones_enclosed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The golden instance has the value 7/2."""
    assert optima.certified_optimum(landmarks.g1()).value == "7/2"
    monkeypatch.setattr(optima, "EXACT_BY_DEFAULT", 1)
    enclosed = optima.certified_optimum(landmarks.g1())
    low, _, high = enclosed.value.partition("..")
    assert Fraction(low) <= Fraction(7, 2) <= Fraction(high or low)
    assert enclosed.accepted
    assert enclosed.document is not None
    assert check(enclosed.document).kind == "cmdp-enclosure"
    assert enclosed.remarks[0].startswith("method")


def test_a_model_too_large_for_the_exact_optimum_is_sent_to_the_enclosure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(optima, "EXACT_AT_MOST", 1)
    with pytest.raises(ModelError, match=r"2 states; .* at most 1. The method enclosure gives"):
        optima.certified_optimum(landmarks.g1(), "exact")


def test_large_models_get_no_certificate_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optima, "CERTIFIED_BY_DEFAULT", 1)
    assert optima.certified_optimum(landmarks.g1(), "enclosure").document is None
    asked = optima.certified_optimum(landmarks.g1(), "enclosure", certify=True)
    assert asked.accepted


def interrupting(calls: int) -> Callable[..., None]:
    """A progress callback that presses Ctrl-C at a call."""
    seen: list[Any] = []

    def progress(*news: Any) -> None:
        seen.append(news)
        if len(seen) == calls:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("calls", [1, 2, 4, 8])
def test_what_an_interrupted_search_knows_is_true(calls: int) -> None:
    found = optima.certified_optimum(landmarks.g1(), "enclosure", progress=interrupting(calls))
    ends = found.value.removeprefix("at least ").removeprefix("at most ").split("..")
    if found.interrupted:
        assert any("interrupted" in line for line in found.remarks)
    if found.value.startswith("at least "):
        assert Fraction(ends[0]) <= Fraction(7, 2)
    elif found.value.startswith("at most ") or len(ends) == 2:
        assert Fraction(ends[-1]) >= Fraction(7, 2)
    else:
        assert found.value in ("7/2", "nothing known yet")


def test_the_command_ends_an_interrupted_search_with_130(
    holdfast: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(landmarks.g1(), tmp_path / "g1.json")
    real = optima.enclose

    def interrupted(*arguments: Any, progress: Any, **options: Any) -> Any:
        return real(*arguments, progress=interrupting(1), **options)

    monkeypatch.setattr(optima, "enclose", interrupted)
    done = holdfast("solve", path, "--method", "enclosure")
    assert done.code == 130
    assert done.says("interrupted: what was known by then")
