"""The ball's optimum against cvxpy, seen sets against all sequences, and hand-made instances."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod, sqrt

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.relative_budget import version_space as exact
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.relative_budget.families.trajectories import BALLS, LEARNING, hidden
from holdfast.verify.relative_budget.oracles.sequences import probability_by_sequences

THREE = exact.RewardClass(
    (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    ((Fraction(2), Fraction(1), Fraction(0)), (Fraction(0), Fraction(1), Fraction(0))),
    Fraction(2),
)


@pytest.mark.parametrize("seed", range(12))
def test_the_ball_s_optimum_is_that_of_a_cone_solver(seed: int) -> None:
    import cvxpy

    (model,) = BALLS.draw(PhiloxDraw("cvxpy", seed))
    base, rewards = (np.array(one, float) for one in (model.base, model.rewards))
    law = cvxpy.Variable(len(base), nonneg=True)
    divergence = cvxpy.sum_squares(cvxpy.multiply(law - base, base**-0.5))
    program = cvxpy.Problem(
        cvxpy.Maximize(rewards @ law), [cvxpy.sum(law) == 1, divergence <= float(model.kappa)]
    )
    program.solve(solver="CLARABEL")
    found = exact.ball_optimum(model.base, model.rewards, model.kappa)
    value = float(found.centre) + sqrt(found.square)
    assert value == pytest.approx(program.value, abs=1e-6)


def test_the_ball_s_optimum_by_hand() -> None:
    """b = (1/2, 1/2), R = (1, 0): J = 1/2, sigma = 1/2; kappa = 1/4 gives 1/2 + 1/4 by the linear
    tilt, and kappa = 1 or more all of it."""
    half = (Fraction(1, 2),) * 2
    rewards = (Fraction(1), Fraction(0))
    found = exact.ball_optimum(half, rewards, Fraction(1, 4))
    assert (found.centre, found.square) == (Fraction(1, 2), Fraction(1, 16))
    assert exact.ball_optimum(half, rewards, Fraction(3)).centre == 1


@pytest.mark.parametrize("samples", [1, 2, 4])
def test_seen_sets_agree_with_all_sequences(samples: int) -> None:
    for event in (frozenset({0}), frozenset({0, 2}), frozenset({0, 1, 2})):
        seen = exact.seen_exactly(THREE.base, event, samples)
        assert seen == probability_by_sequences(THREE.base, event, samples)
        assert seen == sum(
            (
                prod((THREE.base[i] for i in one), start=Fraction(1))
                for one in product(range(3), repeat=samples)
                if set(one) == event
            ),
            Fraction(0),
        )


def test_the_version_space_keeps_what_agrees() -> None:
    assert THREE.version_space(frozenset({1, 2})) == (0, 1)
    assert THREE.version_space(frozenset({0})) == (0,)


def test_the_maximin_policy_hedges() -> None:
    """With both rewards left trajectory 0 may be worthless: the least mean is p_1, at most 2/3 =
    (1/3)/(1/2); the rest goes where the true mean is least, to trajectory 2."""
    share = Fraction(1, 2)
    assert exact.maximin_policy(THREE, (0, 1), share) == (0, Fraction(2, 3), Fraction(1, 3))
    assert exact.maximin_policy(THREE, (0,), share) == (1, 0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_the_maximin_value_is_that_of_a_float_solver(seed: int) -> None:
    from scipy.optimize import linprog

    (case,) = LEARNING.draw(PhiloxDraw("linprog", seed))
    problem, left = case.problem, tuple(range(len(case.problem.candidates)))
    share = Fraction(1, 3)
    law = exact.maximin_policy(problem, left, share)
    worst = min(exact.mean(law, problem.candidates[k]) for k in left)
    size = len(problem.base)
    rows = [[*(-float(r) for r in problem.candidates[k]), 1] for k in left]
    bounds = [*((0, float(b / share)) for b in problem.base), (None, None)]
    found = linprog(
        [0] * size + [-1], rows, [0] * len(left), [[1] * size + [0]], [1], bounds=bounds
    )
    assert float(worst) == pytest.approx(-found.fun, abs=1e-9)


def test_one_hidden_trajectory_fails_as_often_as_it_is_unseen() -> None:
    """(1 - 1/10)^n <= 1/100 from n = 44 on: log(100)/-log(.9) = 43.7."""
    problem = hidden(1, Fraction(1, 10))
    assert exact.samples_needed(problem, Fraction(1, 10), Fraction(2), Fraction(1, 100), 500) == 44
    assert exact.shortfall_quantile(problem, (0,), 43, Fraction(1, 100)) == Fraction(2999, 1000)
    assert exact.shortfall_quantile(problem, (0,), 44, Fraction(1, 100)) == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: exact.chi_square((Fraction(1),), (Fraction(0),)), "infinite"),
        (lambda: exact.conditioned((Fraction(1),), ()), "c is 0"),
        (lambda: exact.RewardClass((Fraction(1, 2),), (), Fraction(1)), "is no law"),
        (
            lambda: exact.RewardClass((Fraction(1),), ((Fraction(2),),), Fraction(1)),
            "candidate 0 has the rewards",
        ),
        (
            lambda: exact.samples_needed(
                hidden(1, Fraction(1, 10)), Fraction(1, 10), Fraction(2), Fraction(1, 100), 3
            ),
            "3 samples are too few",
        ),
    ],
)
def test_what_cannot_be_is_refused(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(ModelError, match=words):
        make()
