"""The exact least costs: by hand, against their duals, and with the kernel."""

from __future__ import annotations

from fractions import Fraction

import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning import (
    FlipProblem,
    dual_value,
    lower_bound,
    solve_flips,
    solve_unboxed_flips,
)
from holdfast.solvers.poisoning.flips.cost import _Moves
from holdfast.solvers.programs import box
from holdfast.verify.kernel import check

from ...zoo.flips import random_problem

F = Fraction
NORMS = ("l1", "l2", "linf")


@pytest.mark.parametrize(("norm", "value", "changes"), [
    # 4 zeta_3 = -1 moves least in sum; zeta = phi y with 21 y = -1 in squares; equal changes of
    # -s (1 + 2 + 4) = -1 in the maximum.
    ("l1", F(1, 4), (0, 0, F(-1, 4))),
    ("l2", F(1, 21), (F(-1, 21), F(-2, 21), F(-4, 21))),
    ("linf", F(1, 7), (F(-1, 7),) * 3),
])  # fmt: skip
def test_one_feature_by_hand(small, norm, value, changes):
    found = solve_flips(small, norm)
    assert found.value == value
    assert found.changes.fractions() == changes
    assert dual_value(small, found.dual.fractions(), norm) == value


@pytest.mark.parametrize("weight", [F(1, 2**40), F(2**40)])
def test_the_unit_of_the_weights_does_not_matter_in_l2(weight):
    """All changes, and the box, are multiples of the weight; the norm is squared."""
    for seed in range(8):
        plain = random_problem(4 * seed + 1)
        scaled = FlipProblem.of(
            plain.features, plain.benign, plain.target, [weight] * plain.n_pairs
        )
        if plain.weights is None:
            assert solve_flips(scaled, "l2").value == weight**2 * solve_flips(plain, "l2").value


def test_the_box_by_hand():
    """phi = (1, 1, 4), all three flipped: b = -6.  Without the box pair 3 would move by 3/2; in the
    box it moves by 1, and the other two make up for the remaining 2."""
    problem = FlipProblem.of([[1, 1, 4]], 1, 0)
    assert solve_unboxed_flips(problem).value == F(3, 2)
    found = solve_flips(problem)
    assert (found.value, found.labels.fractions()) == (3, (0, 0, 0))
    assert solve_flips(problem, "linf").value == 1
    assert solve_flips(problem, "l2").value == 3


def test_weights_are_multiplicities():
    """A pair of weight 2 is two pairs: capacity 2, and each of its flips counts."""
    weighted = FlipProblem.of([[1, 3, 2]], 1, [0, 1, 1], [2, 1, F(1, 2)])
    copied = FlipProblem.of([[1, 1, 3]], 1, [0, 0, 1])
    # b = -2; pair 2 has the largest feature: 2/3 of it
    assert solve_flips(weighted).value == solve_flips(copied).value == F(2, 3)
    heavy = FlipProblem.of([[1, 1]], 1, [0, 1], [2, 0])
    found = solve_flips(heavy)
    assert found.value == 2
    assert found.labels.fractions() == (0, 1)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("features", "target", "value"), [
    ([[1, 2]], [1, 1], 0),  # nothing is asked for
    ([[1, -1]], [0, 0], 0),  # the changes cancel: the benign labels teach the target already
    ([[0, 1]], [0, 1], 0),  # a pair without any difference may be flipped back
    ([[1, 0], [0, 1]], [0, 0], None),  # as many independent features as pairs: no saving
    ([[3], [1], [2]], [F(1, 3)], None),  # one pair, three features
])  # fmt: skip
def test_edge_cases(norm, features, target, value):
    problem = FlipProblem.of(features, 1, target)
    if value is None:
        entries = [abs(x) for x in problem.displacement.fractions()]
        value = {"l1": sum(entries), "l2": sum(x * x for x in entries), "linf": max(entries)}[norm]
    found = solve_flips(problem, norm)
    assert found.value == value
    assert lower_bound(problem, norm) <= value


@pytest.mark.parametrize("seed", range(60))
def test_random_problems(seed):
    """Feasible, as good as the dual, a vertex, and certified."""
    problem = random_problem(seed)
    rooms = (problem.room_down.fractions(), problem.room_up.fractions())
    for norm in NORMS:
        found = solve_flips(problem, norm)
        assert problem.moments(found.changes) == problem.moment
        entries = zip(found.changes.fractions(), *rooms, strict=True)
        assert all(-down <= x <= up for x, down, up in entries)
        assert dual_value(problem, found.dual.fractions(), norm) == found.value
        if norm != "l2":
            report = check(found.certificate())
            assert report.accepted, report.steps[-1]
            assert report.enclosure.lo == report.enclosure.hi == -found.value
    vertex = solve_flips(problem)
    assert vertex.n_fractional <= problem.rank
    assert set(vertex.fractional) <= set(vertex.basis)
    free = solve_unboxed_flips(problem)
    assert free.value <= vertex.value
    assert check(free.certificate()).enclosure.lo == -free.value


@pytest.mark.parametrize("seed", range(60, 80))
def test_a_wrong_proposal_is_repaired(seed, monkeypatch):
    """No basis at all, and one of the wrong variables: exact pivots find the same."""
    problem = random_problem(seed)
    right = solve_flips(problem).value
    last = range(problem.n_features)
    proposal = [], []
    if seed % 2:
        count = len(_Moves.of(problem).moves)
        proposal = [max(count - 1 - k, 0) for k in last], [0]
    monkeypatch.setattr(box, "_propose", lambda program, seconds: proposal)
    found = solve_flips(problem)
    assert found.value == right
    assert dual_value(problem, found.dual.fractions()) == right
    assert found.n_fractional <= problem.rank


@pytest.mark.parametrize("solve", [solve_flips, solve_unboxed_flips])
def test_numbers_beyond_the_range_of_doubles(solve):
    """A label of 2^-1000 gives room in units of 2^-1000: integers that are no doubles."""
    problem = FlipProblem.of([[1.0, 2.0, -1.0]], [1.0, 2.0**-1000, 1.0], [0.0, 2.0**-1000, 1.0])
    assert solve(problem).value == F(1, 2) + (
        F(1, 2) - F(1, 2**1000) if solve is solve_flips else 0
    )


def test_two_thousand_pairs():
    """The structure keeps exact arithmetic to systems of n equations."""
    import numpy as np

    rng = np.random.default_rng(5)
    target = (rng.random(2000) > 0.05).astype(int).tolist()
    problem = FlipProblem.of(rng.normal(size=(6, 2000)), 1, target)
    found = solve_flips(problem)
    assert dual_value(problem, found.dual.fractions()) == found.value
    assert found.n_fractional == 6
    assert found.value < target.count(0) / 2


@pytest.mark.parametrize("norm", NORMS)
def test_every_dual_vector_is_a_bound(norm):
    for seed in range(20):
        problem = random_problem(seed)
        for scale in (F(1, 30), F(1, 4), F(3)):
            y = [scale * ((k * 7 + seed) % 5 - 2) for k in range(problem.n_features)]
            assert dual_value(problem, y, norm) <= solve_flips(problem, norm).value


def test_bad_arguments(small):
    with pytest.raises(ModelError, match="norm is 'l3'; give one of l1, l2, linf"):
        solve_flips(small, "l3")
    with pytest.raises(ModelError, match="the least cost in l2 has no certificate"):
        solve_flips(small, "l2").certificate()
    with pytest.raises(ModelError, match="2 entries for 1 features"):
        dual_value(small, [1, 2])
    many = FlipProblem.of([[1] * 500], 1, [0] + [1] * 499)
    with pytest.raises(ModelError, match=r"500 pairs are too many .* use enclose_flips"):
        solve_flips(many, "linf")
