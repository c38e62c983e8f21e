"""The optimal value against a limit: exact at its kinks, and drawn."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import pytest

from holdfast.solvers import CMDP, Policy, from_arrays, policy_return, save
from holdfast.verify.cmdp import landmarks, value_curve
from holdfast.verify.cmdp.value_curve import value_curves

from ..conftest import Invoke


def envelope(model: CMDP) -> list[tuple[Fraction, Fraction]]:
    """(cost, reward) of the deterministic policies on the rising part of the upper hull."""
    states = range(model.n_states)
    choices = product(*(range(*model.choice_start[s : s + 2].tolist()) for s in states))
    policies = [Policy.of_choices(model, chosen) for chosen in choices]
    points = {(policy_return(model, p, ("cost", 0)), policy_return(model, p)) for p in policies}
    where = min(points, key=lambda point: (point[0], -point[1]))
    found = [where]
    while higher := [p for p in points if p[0] > where[0] and p[1] > where[1]]:
        where = max(higher, key=lambda p: ((p[1] - where[1]) / (p[0] - where[0]), p[0]))
        found.append(where)
    return found


def two_costs(*budgets: int | str) -> CMDP:
    return from_arrays(
        [[["1/2", "1/2"], [1, 0]], [[0, 1], ["1/2", "1/2"]]], [[0, 2], [1, 3]],
        [[[0, 1], [0, 2]], [[1, 0], [0, 1]]], budgets, discount="1/2", initial=["1/2", "1/2"],
    )  # fmt: skip


@pytest.mark.parametrize("budget", ["3/2", "1", "-1/8", "100"])
def test_the_kinks_are_those_of_the_envelope_of_all_policies(budget: str) -> None:
    model = landmarks.g1().with_budgets(budget)
    (curve,) = value_curves(model)
    assert [(one.budget, one.value) for one in curve.points] == envelope(model)
    assert curve.complete
    right = {"3/2": Fraction(7, 2), "1": 3, "-1/8": None, "100": Fraction(14, 3)}
    assert curve.optimum == right[budget]


def test_each_of_two_costs_with_the_other_kept() -> None:
    """Of these limits the second binds only below 1/5: there the value falls from 7/2 to 3."""
    first, second = value_curves(two_costs("3/2", "1/2"))
    assert (first.index, second.index) == (0, 1)
    assert [(p.budget, p.value) for p in second.points] == [
        (0, 3),
        (Fraction(1, 5), Fraction(7, 2)),
    ]
    assert all(a.slope > b.slope for a, b in pairwise(first.points))
    assert [curve.index for curve in value_curves(two_costs(-1, "1/2"))] == [0]
    assert value_curves(two_costs(-1, -1)) == []


def test_what_is_not_complete_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_curve, "_POINTS", 2)
    (curve,) = value_curves(landmarks.g1())
    assert not curve.complete
    axes = value_curve.draw([curve]).axes[0]
    said = [text.get_text() for text in axes.get_legend().get_texts()]
    assert said == ["infeasible: below 0", "optimal value, exact at 2 points; on or above the "
                    "lines", "limit 1.5, as asked: value 3.5"]  # fmt: skip
    assert "limit of cost 1" in axes.get_xlabel()


def test_solve_draws(holdfast: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(landmarks.g1(), tmp_path / "g1.json")
    done = holdfast("solve", "g1.json", "--plot", "curve.png")
    assert done.code == 0
    assert done.says("plot: curve.png, the value against the limit of cost 1")
    assert Path("curve.png").read_bytes().startswith(b"\x89PNG")
    save(two_costs(-1, -1), tmp_path / "two.json")
    assert holdfast("solve", "two.json", "--plot", "no.png").says("no plot: it takes more than one")
    assert not Path("no.png").exists()
    save(from_arrays([[[1]]], [[1]], discount="1/2"), tmp_path / "free.json")
    monkeypatch.setattr(value_curve, "LARGEST", 1)
    for model, path, said in (
        ("free.json", "a.png", "the model has none"),
        ("g1.json", "a.txt", "the suffix must be one of .png"),
        ("g1.json", "g1.json", "is the same file as the model"),
        ("g1.json", "a.png", "models of up to 1 states"),
    ):
        done = holdfast("solve", model, "--plot", path)
        assert (done.code, done.says(said)) == (64, True), done.output


def test_numbers_beyond_floats_are_not_drawn(holdfast: Invoke, tmp_path: Path) -> None:
    save(two_costs("3/2", 1).with_budgets(10**400, 1), tmp_path / "huge.json")
    done = holdfast("solve", "huge.json", "--plot", "huge.png")
    assert done.code == 64
    assert done.says("beyond all floats")
