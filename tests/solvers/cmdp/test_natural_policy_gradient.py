"""The primal-dual method: two steps by hand, against floats, and within its bounds."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.solvers import ModelError, from_arrays, most_feasible, solve
from holdfast.solvers.cmdp.natural_policy_gradient import natural_policy_gradient

F = Fraction
HALF, ZERO = F(1, 2), F(0)


def bandit(budget=HALF, discount=ZERO):
    """Risking pays and costs 1, else nothing."""
    return from_arrays([[[1], [1]]], [[1, 0]], [[[1, 0]]], [budget], discount=discount)


def holds(ball, number) -> bool:
    with flint.ctx.workprec(300):
        exact = flint.arb(flint.fmpq(number.numerator, number.denominator))
        return ball.contains(exact) and ball.rad() < 1e-15


def test_the_first_steps_by_hand():
    """From 1/2 each, lambda = 0 and A = +-1/2: the odds are multiplied by e^{2 log 2} = 4, so the
    risk becomes 4/5; J_c = 1/2 = d leaves lambda at 0.  Then once more: 16/17, and with T = 2
    lambda = sqrt(2) (4/5 - 1/2)."""
    one = natural_policy_gradient(bandit(), 1, HALF)
    assert holds(one.reward, HALF)
    assert holds(one.last_cost, F(4, 5))
    assert one.multiplier.contains(0)
    two = natural_policy_gradient(bandit(), 2, HALF)
    assert holds(two.cost, F(13, 20))
    assert holds(two.last_reward, F(16, 17))
    assert (two.multiplier**2).contains(flint.arb(flint.fmpq(9, 50)))


def test_the_multiplier_is_capped():
    """cap = 2/xi = 4, and a step of 100 on an excess of 3/10 would give 30."""
    found = natural_policy_gradient(bandit(), 2, HALF, dual_step=F(100))
    assert found.multiplier.contains(4)


def test_precision_is_that_of_the_caller():
    with flint.ctx.workprec(200):
        assert natural_policy_gradient(bandit(), 16, HALF).reward.rad() < flint.arb(2) ** -150


def unit_model(random_model, seed):
    """Rewards and costs shifted and scaled to [0, 1], and the budget with them."""
    model = random_model(seed)
    reward, cost = model.reward_vector().fractions(), model.cost_vector(0).fractions()
    least, scale = min(cost), max(cost) - min(cost)
    budget = (model.budgets[0] - least / (1 - model.discount)) / scale
    paid = model.with_costs([[(c - least) / scale for c in cost]], [budget])
    return paid.with_reward([(r - min(reward)) / (max(reward) - min(reward)) for r in reward])


def in_floats(model, steps, slack):
    """The same in doubles, with the state-action matrices written out."""
    gamma, counts = float(model.discount), model.action_counts
    rows = np.zeros((model.n_choices, model.n_states))
    for k in range(model.n_choices):
        for t, p in model.transition_row(k):
            rows[k, t] = float(p)
    pay, cost = model.reward_vector().floats(), model.cost_vector(0).floats()
    initial, owner = model.initial_vector().floats(), model.choice_states
    theta, lam, total = np.zeros(model.n_choices), 0.0, np.zeros(2)
    for _ in range(steps):
        weights = np.exp(theta - theta.max())
        policy = weights / np.bincount(owner, weights)[owner]
        gather = np.zeros((model.n_states, model.n_choices))
        gather[owner, np.arange(model.n_choices)] = policy
        inverse = np.linalg.inv(np.eye(model.n_states) - gamma * gather @ rows)
        values = [inverse @ gather @ f for f in (pay, cost)]
        total += [initial @ v for v in values]
        mixed = values[0] - lam * values[1]
        advantage = pay - lam * cost + gamma * rows @ mixed - mixed[owner]
        theta += 2 * np.log(counts.max()) / (1 - gamma) * advantage
        lam += 2 * (1 - gamma) / np.sqrt(steps) * (initial @ values[1] - float(model.budgets[0]))
        lam = min(max(lam, 0.0), 2 / ((1 - gamma) * float(slack)))
    return total / steps


@pytest.mark.parametrize("seed", range(6))
def test_floats_come_out_the_same(random_model, seed):
    drawn = (unit_model(random_model, number) for number in range(7 * seed, 1000))
    model = next(model for model in drawn if most_feasible(model).slack > 0)
    slack = most_feasible(model).slack
    found = natural_policy_gradient(model, 5, slack)
    expected = in_floats(model, 5, slack)
    assert [float(found.reward), float(found.cost)] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("steps", [1, 4, 16, 64, 256])
def test_the_explicit_bounds(steps):
    """gap <= 1/(2T) + 1/(g^2 T) + 4/(g^2 R) + 1/(g R) and violation <= g xi (that + 1/(g^3 xi^2
    R)), g = 1 - gamma, R = sqrt(T)."""
    model, slack = bandit(F(1), HALF), F(1)
    found = natural_policy_gradient(model, steps, slack)
    g, root = HALF, int(np.sqrt(steps))
    bound = F(1, 2 * steps) + 1 / (g**2 * steps) + 4 / (g**2 * root) + 1 / (g * root)
    best = solve(model).value
    assert float(best) - float(found.reward) <= bound
    assert float(found.cost) - 1 <= g * slack * (bound + 1 / (g**3 * slack**2 * root))


@pytest.mark.parametrize(
    ("model", "steps", "slack", "message"),
    [
        (bandit().with_costs([], []), 1, HALF, "0 costs; the primal-dual method here takes one"),
        (bandit().with_reward([2, 0]), 1, HALF, r"reward 2 of choice 0 is outside \[0, 1\]"),
        (bandit().with_costs([[0, -1]], [0]), 1, HALF, "cost -1 of choice 1 is outside"),
        (bandit(), 0, HALF, "steps 0 and Slater slack 1/2 must be positive"),
        (bandit(), 1, F(0), "steps 1 and Slater slack 0 must be positive"),
        (bandit().with_discount(1), 1, HALF, "the discount is 1"),
    ],
)
def test_what_it_cannot_run_on_is_refused(model, steps, slack, message):
    with pytest.raises(ModelError, match=message):
        natural_policy_gradient(model, steps, slack)
