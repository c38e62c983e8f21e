"""Enclosures against exact optima, on small data with ties and on structured data."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from holdfast.solvers import Status
from holdfast.solvers.poisoning import solve_flips
from holdfast.solvers.poisoning.large import sifting, stages
from holdfast.solvers.poisoning.large.closed_form import closed_form_bound
from holdfast.solvers.poisoning.large.enclose import EnclosedFlips, enclose_flips
from holdfast.solvers.poisoning.large.known import Known

from ...zoo.flips import NORMS, arrays, random_problem

Array = np.ndarray[Any, Any]


def brackets(found: EnclosedFlips, value: Fraction) -> bool:
    """Whether the exact optimum (for l2 its square) lies between the bounds."""
    lower, upper = Fraction(found.lower), Fraction(found.upper)
    if found.norm == "l2":
        lower, upper = lower**2, upper**2
    return lower <= value <= upper


def gaussian(n: int, size: int, seed: int = 0, share: float = 0.05) -> tuple[Array, Array]:
    """Features, and a target that flips a share of labels at random."""
    rng = np.random.default_rng(seed)
    target = np.ones(size)
    target[rng.choice(size, int(share * size), replace=False)] = 0
    return rng.standard_normal((n, size)), target


def moments_agree(found: EnclosedFlips, features: Array, moved: Array) -> bool:
    """Whether the changes have the moments of the target up to rounding."""
    features = features.astype(float)
    scale = np.abs(features).max(axis=1) * np.abs(moved).sum() + 1e-300
    gap = np.abs(features @ (found.changes - moved)) / scale
    return bool(gap.max() < 1e-7)


@pytest.mark.parametrize("method", ["linear program", "dense Newton", "sparse Newton"])
@pytest.mark.parametrize(("norm", "count"), [("l1", 150), ("l2", 60), ("linf", 60)])
def test_the_bounds_bracket_the_exact_optimum(
    monkeypatch: pytest.MonkeyPatch, norm: str, count: int, method: str
) -> None:
    """Without the exact arithmetic that would settle such small data otherwise."""
    monkeypatch.setattr(stages, "_RATIONAL", dict.fromkeys(NORMS, 0))
    if method == "sparse Newton":
        count //= 3
        monkeypatch.setattr(sifting, "_SMALL", 0)
        monkeypatch.setattr(sifting, "_SPARSE", 1)
    if method != "linear program":
        monkeypatch.setattr(stages, "_WHOLE", 0)
        monkeypatch.setattr(stages, "_WHOLE_PAIRS", 0)
    closed = 0
    for seed in range(count):
        problem = random_problem(seed, largest=40)
        found = enclose_flips(**arrays(problem), norm=norm)
        value = solve_flips(problem, norm).value
        assert brackets(found, value), seed
        closed += found.status is Status.ENCLOSED
        if norm == "l1":
            assert found.n_fractional <= problem.rank, seed
    assert closed >= 0.97 * count


def _structured() -> dict[str, dict[str, Any]]:
    rng, n, size = np.random.default_rng(5), 12, 900
    features, target = gaussian(n, size, 5)
    twice, opposite, zero = features.copy(), features.copy(), features.copy()
    twice[:, size // 2 :] = features[:, : size // 2]
    opposite[:, size // 2 :] = -features[:, : size // 2]
    zero[:, ::3] = 0
    counts = (rng.poisson(0.1, (n, size)) - rng.poisson(0.1, (n, size))).astype(float)
    one_hot = (rng.integers(0, n, size) == np.arange(n)[:, None]).astype(float)
    integer = np.rint(4 * features)
    integer[-1] = integer[0] - 2 * integer[1]
    noisy = features[0] + 0.3 * rng.standard_normal(size)
    by_length = np.where(noisy > np.quantile(noisy, 0.95), 0.0, 1.0)
    soft = {"benign": rng.random(size), "target": rng.random(size)}
    hard = {"benign": 1, "target": target}
    return {
        "repeated pairs": {"features": twice, **hard},
        "opposite pairs": {"features": opposite, **hard},
        "zero columns": {"features": zero, **hard},
        "counts": {"features": counts, **hard},
        "one group a pair": {"features": one_hot, **hard},
        "dependent integers": {"features": integer, **hard},
        "length": {"features": features, "benign": 1, "target": by_length},
        "soft labels": {"features": features, **soft},
        "weights": {
            "features": features, **soft,
            "weights": rng.exponential(size=size) * (rng.random(size) > 0.2),
        },
        "bad scales": {"features": features * 10.0 ** rng.uniform(-6, 6, (n, 1)), **hard},
        "heavy tails": {"features": rng.standard_t(1.5, (n, size)), **hard},
        "shifted": {"features": features + 3, **hard},
        "single precision": {"features": features.astype(np.float32), **hard},
        "column order": {"features": np.asfortranarray(features), **hard},
        "every second": {"features": np.repeat(features, 2, axis=1)[:, ::2], **hard},
    }  # fmt: skip


@pytest.mark.parametrize("name", _structured())
def test_structured_data_are_enclosed(name: str) -> None:
    given = _structured()[name]
    found = enclose_flips(**given)
    assert found.status is Status.ENCLOSED
    assert found.width <= 1e-6 * found.upper
    weights = given.get("weights")
    factor = 1.0 if weights is None else weights
    moved = factor * (given["target"] - given["benign"])
    assert moments_agree(found, given["features"], moved)
    assert found.n_fractional <= np.linalg.matrix_rank(given["features"])
    assert 0 < closed_form_bound(**given) <= found.upper
    cost = float(np.abs(found.changes).sum())
    assert found.lower * (1 - 1e-9) <= cost <= found.upper * (1 + 1e-9)
    assert ((found.labels >= 0) & (found.labels <= 1)).all()


def test_a_threshold_attack_cannot_be_improved() -> None:
    """X4: with t = u.phi <= tau < 0 flipped, y = u / abs(tau) proves the cost to be the count."""
    features, _ = gaussian(10, 3000, 2)
    direction = np.random.default_rng(3).standard_normal(10)
    flipped = direction @ features <= -1.5 * np.linalg.norm(direction)
    found = enclose_flips(features, 1, np.where(flipped, 0.0, 1.0))
    count = int(flipped.sum())
    assert count > 100
    assert found.status is Status.ENCLOSED
    assert found.lower <= count <= found.upper
    assert found.n_fractional == 0


@pytest.mark.parametrize("norm", NORMS)
def test_as_many_features_as_pairs_save_nothing(norm: str) -> None:
    """Rank N: the target is the only feasible point."""
    features, target = gaussian(30, 20, 4, 0.3)
    found = enclose_flips(features, 1, target, norm=norm)
    exact = {"l1": 6, "l2": np.sqrt(6), "linf": 1}[norm]  # six labels change by one
    assert found.status is Status.ENCLOSED
    assert found.upper == pytest.approx(exact, rel=1e-6)
    assert any("combinations of the others" in note for note in found.notes)


@pytest.mark.parametrize("norm", NORMS)
def test_one_pair(norm: str) -> None:
    found = enclose_flips(np.array([[2.0], [3.0]]), 1, 0.25, norm=norm)
    assert found.lower <= 0.75 <= found.upper
    assert found.status is Status.ENCLOSED


@pytest.mark.parametrize(
    ("features", "target"),
    [
        (np.ones((2, 3)), [1, 1, 1]),  # the target is benign
        (np.zeros((2, 3)), [0, 1, 0]),  # no pair teaches anything
        (np.array([[1.0, -1.0, 2.0]]), [0, 0, 1]),  # the two changes cancel: Phi d = 0
    ],
)
@pytest.mark.parametrize("norm", NORMS)
def test_nothing_to_do_costs_exactly_nothing(features: Array, target: list[int], norm: str) -> None:
    found = enclose_flips(features, 1, target, norm=norm)
    assert found.status is Status.ENCLOSED
    assert found.lower == found.upper == 0
    assert not found.changes.any()


def test_features_dependent_up_to_rounding_are_said_to_be() -> None:
    features, target = gaussian(8, 2000, 6)
    features[-1] = features[0] + features[1]  # rounded: not exactly dependent
    found = enclose_flips(features, 1, target)
    without = enclose_flips(features[:-1], 1, target)
    assert found.status is Status.WIDE
    assert found.upper == pytest.approx(100)  # the target's own cost is what is proved
    assert found.lower == pytest.approx(without.lower, rel=1e-6)
    assert any("up to rounding, which was not proved" in note for note in found.notes)
    assert any(note.startswith("without them at most") for note in found.notes)


def test_bad_scales_are_mentioned() -> None:
    features, target = gaussian(4, 500)
    features[2] *= 1e9
    assert any("rescaled" in note for note in enclose_flips(features, 1, target).notes)


def test_an_interrupted_search_has_bounds() -> None:
    features, target = gaussian(20, 3000)
    seen: list[tuple[str, float, float, float]] = []

    def stop(*now: Any) -> None:
        seen.append(now)
        if len(seen) == 2:
            raise KeyboardInterrupt

    found = enclose_flips(features, 1, target, progress=stop)
    whole = enclose_flips(features, 1, target)
    assert found.status is Status.INTERRUPTED
    assert whole.status is Status.ENCLOSED
    assert 0 < found.lower <= whole.upper
    assert whole.lower <= found.upper == pytest.approx(150)
    assert [stage for stage, *_ in seen] == ["Newton", "Newton"]
    assert any("interrupted at the stage 'Newton'" in note for note in found.notes)


def test_a_large_linf_falls_back_on_the_projection(monkeypatch: pytest.MonkeyPatch) -> None:
    from holdfast.solvers.poisoning.large import maximum

    features, target = gaussian(6, 400)
    whole = enclose_flips(features, 1, target, norm="linf")
    monkeypatch.setattr(maximum, "_LARGEST", 100)
    found = enclose_flips(features, 1, target, norm="linf")
    assert found.status is Status.WIDE
    assert closed_form_bound(features, 1, target, norm="linf") <= found.lower * (1 + 1e-9)
    assert 0 < found.lower <= whole.lower <= whole.upper <= found.upper < 1
    assert len(found.notes) == 1
    assert "too many for the linear program of linf" in found.notes[0]
    assert "take l1 or l2, or fewer pairs" in found.notes[0]


def test_what_is_known_only_grows() -> None:
    """Worse bounds change nothing; without the other features a cost bounds only theirs."""
    one, none = np.ones(1), np.zeros(0, dtype=int)
    known = Known(1.0, 4.0, one, one, none)
    assert known.below(0.5, 2 * one) is known
    assert known.above(4.0, 2 * one, none) is known
    closer = known.below(2.0, 2 * one).above(3.0, 3 * one, none)
    assert (closer.lower, closer.upper, *closer.dual, *closer.changes) == (2, 3, 2, 3)
    partial = replace(known, sound=False).above(3.0, 3 * one, none)
    assert (partial.upper, partial.without, *partial.changes) == (4, 3, 3)


def test_the_dual_and_the_basis_are_those_of_the_features_as_given() -> None:
    features, target = gaussian(5, 800, 9)
    features *= np.array([1e-3, 1, 7, 50, 1e4])[:, None]
    found = enclose_flips(features, 1, target)
    prices = found.dual @ features
    value = found.dual @ features @ (target - 1) - np.maximum(-prices - 1, 0).sum()
    assert value == pytest.approx(found.lower, rel=1e-9)
    assert len(found.basis) == 5
    assert np.abs(prices[list(found.basis)]) == pytest.approx(1, abs=1e-8)


def test_the_closed_form_is_theorem_2() -> None:
    """norm(p)^2 / norm(p)_*, p the projection of d on the rows, here by numpy's pseudo-inverse."""
    for seed in range(20):
        given = arrays(random_problem(seed, largest=30))
        if given["weights"] is not None:
            continue
        d = given["target"] - given["benign"]
        p = np.linalg.pinv(given["features"]) @ given["features"] @ d
        for norm, dual in (("l1", np.inf), ("l2", 2), ("linf", 1)):
            size = np.linalg.norm(p, dual)
            expected = p @ p / size if size > 1e-12 else 0
            bound = closed_form_bound(**given, norm=norm)
            assert bound == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_float_data_that_rounding_dominates_is_still_bounded() -> None:
    """A condition number of 1e9: the bounds hold, and how close they are is said."""
    rng = np.random.default_rng(1)
    features, target = gaussian(10, 1000, 1)
    mixed = (rng.standard_normal((10, 10)) * 10.0 ** np.linspace(0, -9, 10)) @ features
    found = enclose_flips(mixed, 1, target, width=1e-12)
    assert found.lower < found.upper
    assert found.status is Status.WIDE
    assert any("keep a closer upper bound" in note for note in found.notes)
