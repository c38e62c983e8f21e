"""The exact side: losses in units of log 2, separability with certificates, enclosed minimisers."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import flint
import numpy as np
import pytest

from holdfast.solvers import ModelError, Vector
from holdfast.solvers.poisoning import FlipProblem, solve_flips
from holdfast.solvers.poisoning.rewards.enclosed import enclose_reward
from holdfast.solvers.poisoning.rewards.exact_loss import (
    binary_logarithm,
    descend,
    gradient,
    label_moments,
    loss_difference,
    probabilities,
    unseen_rewards,
)
from holdfast.solvers.poisoning.rewards.learning import fit_reward
from holdfast.solvers.poisoning.rewards.separability import interior_labels, separation
from holdfast.solvers.solution import Status
from holdfast.verify.kernel import check

from ...zoo.flips import random_problem

F = Fraction


def float_loss(problem, labels, reward):
    features = np.array([row.floats() for row in problem.features])
    rho = np.ones(problem.n_pairs) if problem.weights is None else problem.weights.floats()
    u = reward @ features
    return float(rho @ (np.logaddexp(0, u) - labels.floats() * u))


# -- exact losses --------------------------------------------------------------------------------
def test_probabilities_by_hand():
    """Scores log 2, -2 log 2 and 0: 2/3, 1/5 and 1/2."""
    problem = FlipProblem.of([[1, -2, 0]], 1, 0)
    assert probabilities(problem, Vector((1,))).fractions() == (F(2, 3), F(1, 5), F(1, 2))
    # gradient at these, for the labels 1: (2/3 - 1) - 2 (1/5 - 1) + 0 = 19/15; with ridge 2 more
    assert gradient(problem, problem.benign, Vector((1,))).fractions() == (F(19, 15),)
    assert gradient(problem, problem.benign, Vector((1,)), 2).fractions() == (F(49, 15),)


def test_scores_that_are_not_whole_are_refused():
    problem = FlipProblem.of([[F(1, 2), 1]], 1, 0)
    with pytest.raises(ModelError, match="pair 0 scores 1/2 log 2"):
        probabilities(problem, Vector((1,)))
    assert probabilities(problem, Vector((2,))).fractions() == (F(2, 3), F(4, 5))


@pytest.mark.parametrize("seed", range(0, 24, 3))
def test_differences_of_losses_are_those_of_floats(seed):
    problem = random_problem(seed, 8)
    reward = Vector(tuple(2 * (k % 3 - 1) for k in range(problem.n_features)))
    exact = loss_difference(problem, reward, problem.benign, problem.target) * F(math.log(2))
    floats = reward.floats() * math.log(2)
    losses = [float_loss(problem, each, floats) for each in (problem.benign, problem.target)]
    assert float(exact) == pytest.approx(losses[0] - losses[1], abs=1e-8)


def test_logarithms_of_powers_only():
    assert [binary_logarithm(F(2) ** k) for k in (-3, 0, 5)] == [-3, 0, 5]
    for number in (F(3), F(1, 6), F(0), F(-2)):
        with pytest.raises(ValueError, match="not a power of 2"):
            binary_logarithm(number)


def test_descent_by_hand():
    """One pair, phi = 1, label 1, from r = -1 (log 2): sigma = 1/3, so a step of 3 leads to
    -1 + 3 (2/3) = 1; then sigma = 2/3 and 1 + 3/3 = 2."""
    problem = FlipProblem.of([[1]], 1, 0)
    path = descend(problem, problem.benign, Vector((-1,)), F(3), 1, 2)
    assert [r.fractions() for r in path] == [(1,), (2,)]


def test_unseen_rewards():
    """Pairs (1, 1/2) and (2, 1): the reward (-1, 2) sees neither; a pair of weight 0 is no pair."""
    rows = [[1, 2, 0], [F(1, 2), 1, 1]]
    assert unseen_rewards(FlipProblem.of(rows, 1, 0)) == ()
    (unseen,) = unseen_rewards(FlipProblem.of(rows, 1, 0, [1, 1, 0]))
    assert abs(unseen[0]) == 1
    assert unseen[1] == -2 * unseen[0]


# -- separability --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rows", "labels", "expected"),
    [
        ([[1, -2]], [1, 0], True),
        ([[1, -2]], [1, 1], False),
        ([[1, 0, 0], [0, 1, 1]], [1, 1, 0], True),  # only the first pair is on the right side
        ([[1, 1]], [1, F(1, 2)], False),  # the soft label keeps the reward at 0
        ([[1, 0], [0, 1]], [1, F(1, 2)], True),
        ([[0]], [1], False),
        ([[0, 1]], [1, 0], True),
    ],
)
def test_separability_by_hand(rows, labels, expected):
    problem = FlipProblem.of(rows, labels, 0)
    found = separation(problem, problem.benign)
    assert found.separable is expected
    report = check(found.certificate())
    assert report.accepted
    assert report.enclosure.lo == report.enclosure.hi == int(expected)
    inside = interior_labels(problem, problem.benign)
    assert inside.value == 1 - int(expected)
    assert check(inside.certificate()).accepted


@pytest.mark.parametrize(("n", "pairs"), [(1, 4), (2, 5), (3, 5), (3, 3)])
def test_as_many_labellings_are_separable_as_cover_counted(n, pairs):
    """Cover 1965: of N points in general position in R^n a hyperplane through 0 separates
    2 (C(N-1, 0) + ... + C(N-1, n-1)) of the 2^N labellings: 2, 10, 22 and all 8 here."""
    rows = [[t**k for t in range(1, pairs + 1)] for k in range(n)]
    problem = FlipProblem.of(rows, 1, 0)
    found = sum(
        separation(problem, Vector(labels)).separable for labels in product((0, 1), repeat=pairs)
    )
    assert found == 2 * sum(math.comb(pairs - 1, k) for k in range(n))


@pytest.mark.parametrize("seed", range(20))
def test_one_of_two_programs_has_the_value_one(seed):
    problem = random_problem(seed, 8)
    for labels in (problem.benign, problem.target):
        found = separation(problem, labels)
        assert found.separable + interior_labels(problem, labels).value == 1
        if found.direction is None:
            continue
        scores = problem.scores(found.direction.fractions()).fractions()
        rho = (1,) * problem.n_pairs if problem.weights is None else problem.weights.fractions()
        used = [
            (u, label) for u, label, w in zip(scores, labels.fractions(), rho, strict=True) if w
        ]
        assert any(u for u, _ in used)
        assert all(u >= 0 if label == 1 else u <= 0 if label == 0 else u == 0 for u, label in used)


@pytest.mark.parametrize("seed", range(1, 20))
def test_floats_find_the_same(seed):
    problem = random_problem(seed, 8)
    features = np.array([row.floats() for row in problem.features])
    rho = None if problem.weights is None else problem.weights.floats()
    exact = separation(problem, problem.target).separable
    found = fit_reward(features, problem.target.floats(), weights=rho)
    assert (found.status is Status.UNATTAINED) is exact


def test_labels_of_another_length_are_refused():
    problem = FlipProblem.of([[1, 2]], 1, 0)
    with pytest.raises(ModelError, match="3 labels for 2 pairs"):
        separation(problem, Vector((1, 0, 1)))


# -- enclosed minimisers -------------------------------------------------------------------------
def test_a_minimiser_known_in_closed_form():
    """Labels 3/4 of one pair without ridge: log 3; half a unit of phi doubles it."""
    problem = FlipProblem.of([[F(1, 2)]], F(3, 4), 0)
    with flint.ctx.workprec(200):
        found = enclose_reward(problem, problem.benign)
    assert found.radius < flint.arb(2) ** -190
    with flint.ctx.workprec(400):
        assert found.reward[0].contains(2 * flint.arb(3).log())


@pytest.mark.parametrize("ridge", [0, 1])
def test_a_point_with_no_gradient_at_all_is_the_minimiser(ridge):
    """Labels 1/2: the reward 0, with no error."""
    problem = FlipProblem.of([[1, 2], [0, 1]], F(1, 2), 0)
    found = enclose_reward(problem, problem.benign, ridge=ridge)
    assert found.radius == 0
    assert all(value == 0 for value in found.reward)


def test_a_ridge_minimiser_known_in_closed_form():
    """At r = log 2 sigma = 2/3; with phi = 1 and label 1 the ridge 1/(3 log 2) makes it minimal.
    A rational ridge just below and above gives minimisers on both sides of log 2."""
    problem = FlipProblem.of([[1]], 1, 0)
    near = F(1 / (3 * math.log(2)))
    with flint.ctx.workprec(128):
        low, high = (
            enclose_reward(problem, problem.benign, ridge=near * (1 + F(s, 10**12))).reward[0]
            for s in (1, -1)
        )
        assert low < flint.arb(2).log() < high
        assert high - low < flint.arb(10) ** -11


def test_where_no_pair_counts_the_ridge_alone_is_minimal_at_zero():
    problem = FlipProblem.of([[1, 2], [0, 1]], 1, 0, [0, 0])
    found = enclose_reward(problem, problem.target, ridge=F(1, 2))
    assert all(entry == 0 for entry in found.reward)
    with pytest.raises(ModelError, match="add a ridge"):
        enclose_reward(problem, problem.target, ridge=F(0))


@pytest.mark.parametrize("ridge", [F(1, 100), F(3)])
@pytest.mark.parametrize("seed", range(12))
def test_enclosures_contain_what_floats_find(seed, ridge):
    problem = random_problem(seed, 10)
    features = np.array([row.floats() for row in problem.features])
    rho = None if problem.weights is None else problem.weights.floats()
    found = fit_reward(features, problem.target.floats(), weights=rho, ridge=float(ridge))
    for bits in (64, 300):
        with flint.ctx.workprec(bits):
            enclosed = enclose_reward(problem, problem.target, ridge=ridge)
            assert enclosed.radius < flint.arb(2) ** (10 - bits)
            for ball, value in zip(enclosed.reward, found.reward, strict=True):
                assert abs(ball - value) < 1e-6 * (1 + abs(value))


def test_more_bits_are_inside_fewer():
    problem = random_problem(3, 10)
    wide = enclose_reward(problem, problem.target, ridge=1).reward
    with flint.ctx.workprec(400):
        narrow = enclose_reward(problem, problem.target, ridge=1).reward
    assert all(a.overlaps(b) and b.rad() < a.rad() for a, b in zip(wide, narrow, strict=True))


def test_without_a_ridge_in_two_dimensions():
    """Labels 2/3, 1/5 and, for the sum of both features, sigma(log 2 - 2 log 2) = 1/3: the
    minimiser is log 2 times (1, -2)."""
    problem = FlipProblem.of([[1, 0, 1], [0, 1, 1]], [F(2, 3), F(1, 5), F(1, 3)], 0, [1, 2, 3])
    with flint.ctx.workprec(256):
        one, two = enclose_reward(problem, problem.benign).reward
    assert one.rad() < flint.arb(2) ** -200
    with flint.ctx.workprec(400):
        unit = flint.arb(2).log()
        assert one.contains(unit)
        assert two.contains(-2 * unit)


def test_the_cheapest_labels_have_the_target_s_minimiser():
    problem = random_problem(2, 10)
    cheapest = solve_flips(problem).labels
    assert label_moments(problem, cheapest) == label_moments(problem, problem.target)
    with flint.ctx.workprec(256):
        pairs = zip(
            enclose_reward(problem, cheapest, ridge=1).reward,
            enclose_reward(problem, problem.target, ridge=1).reward,
            strict=True,
        )
        assert all(a.overlaps(b) for a, b in pairs)


@pytest.mark.parametrize(
    ("rows", "labels", "ridge", "message"),
    [
        ([[1, 2]], [1, 1], 0, "separated by a direction"),
        ([[1, 2], [2, 4]], [F(1, 2), F(1, 2)], 0, "linearly dependent"),
        ([[1, 2]], [1, 0], -1, "ridge is -1"),
    ],
)
def test_what_has_no_minimiser_is_refused(rows, labels, ridge, message):
    problem = FlipProblem.of(rows, labels, 0)
    with pytest.raises(ModelError, match=message):
        enclose_reward(problem, problem.benign, ridge=ridge)
