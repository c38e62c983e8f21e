"""The drawn families are models of the right shape, always the same, whose constraints bind."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError, policy_iteration, solve
from holdfast.solvers.cmdp.policies import policy_return

from .large import FAMILIES, grid_world, nearly_deterministic, random_sparse


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [1, 2, 5, 9, 70])
def test_any_size(family, size):
    model = FAMILIES[family](size, constraints=2, share=None)
    assert model.n_states == (int(size**0.5) ** 2 if family == "grid world" else size)
    assert model.n_choices == 4 * model.n_states
    assert model.n_constraints == 2
    assert model == FAMILIES[family](size, constraints=2, share=None)
    assert size == 1 or model != FAMILIES[family](size, constraints=2, share=None, seed=1)
    for function in (model.reward_vector(), model.cost_vector(1)):
        assert min(function) >= 0
        assert max(function) <= 1


def test_random_sparse_reaches_five_to_eight_states():
    model = random_sparse(1000, share=None)
    lengths = np.diff(model.indptr)
    assert (lengths.min(), lengths.max()) == (5, 8)
    assert 6.4 < lengths.mean() < 6.6
    assert np.diff(random_sparse(3, share=None).indptr).max() == 3


def test_nearly_deterministic_choices_have_a_likely_successor():
    model = nearly_deterministic(50, share=None)
    assert model.transition_row(7)[0][1] == Fraction(997, 1000)
    assert model.denominators.tolist() == [1000] * 200


def test_grid_moves_slip_and_walls_stop():
    model = grid_world(16, share=None)
    meant, slip = Fraction(17, 20), Fraction(1, 20)
    # Cell 5 of the 4 x 4 grid: up 1, down 9, left 4, right 6; action 3 is right.
    assert dict(model.transition_row(4 * 5 + 3)) == {1: slip, 9: slip, 4: slip, 6: meant}
    # The corner 0: up and left stay.
    assert dict(model.transition_row(0)) == {0: meant + slip, 4: slip, 1: slip}
    assert dict(model.transition_row(1)) == {0: 2 * slip, 4: meant, 1: slip}


@pytest.mark.parametrize("family", FAMILIES)
def test_budgets_lie_between_the_least_cost_and_that_of_reward(family):
    model = FAMILIES[family](49, discount="9/10", seed=3)
    best = policy_iteration(model).policy(model)
    assert solve(model).multipliers[0] > 0
    assert model.budgets[0] < policy_return(model, best, ("cost", 0))
    least = FAMILIES[family](49, discount="9/10", seed=3, share=0).budgets[0]
    most = FAMILIES[family](49, discount="9/10", seed=3, share=1).budgets[0]
    assert abs(model.budgets[0] - (least + most) / 2) <= Fraction(1, 1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_states": 0}, "0 states with 4 actions asked for"),
        ({"n_states": 5, "discount": 1}, r"discount is 1; it must lie in \[0, 1\)"),
    ],
)
def test_bad_sizes_are_named(arguments, message):
    for draw in FAMILIES.values():
        with pytest.raises(ModelError, match=message):
            draw(**arguments)
