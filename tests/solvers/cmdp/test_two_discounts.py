"""Reward and cost with discounts of their own: values by hand, by linear programs, and in between.

G9: one state, gamma = 1/2, gamma_c = 3/4; risking pays and costs 1, else nothing.  A risk at time t
pays (1/2)^t and costs (3/4)^t, so early risks are cheapest: one for sure at each time, while the
budget lasts.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from holdfast.solvers import (
    ModelError,
    Policy,
    Status,
    from_arrays,
    policy_return,
    solve_by_chord,
)
from holdfast.solvers.cmdp.finite_horizon import horizon_bounds, solve_finite_horizon, unrolled
from holdfast.solvers.cmdp.policies import evaluate_choices
from holdfast.solvers.cmdp.two_discounts import SwitchingPolicy, solve_two_discounts

F = Fraction
HALF = F(1, 2)
DISCOUNTS = [F(0), F(1, 2), F(3, 4), F(9, 10)]


def bandit(budget, discount=HALF):
    return from_arrays([[[1], [1]]], [[1, 0]], [[[1, 0]]], [budget], discount=discount)


@pytest.mark.parametrize(
    ("budget", "value", "multiplier"),
    [
        (F(1), F(1), None),  # time 0: a kink, with an interval of multipliers
        (F(1, 2), F(1, 2), F(1)),  # half of time 0, which pays 1 for 1
        (F(11, 8), F(5, 4), F(2, 3)),  # and half of time 1: 1/4 for 3/8
        (F(7, 4) + F(9, 32), F(3, 2) + F(1, 8), F(4, 9)),  # time 0, 1, and half of time 2
        (F(4), F(2), F(0)),  # always
    ],
)
def test_early_risks_are_taken_first(budget, value, multiplier):
    found = solve_two_discounts(bandit(budget), F(3, 4))
    assert found.status is Status.EXACT
    assert found.value == value
    assert multiplier is None or found.multiplier == multiplier
    assert found.low.cost <= budget or found.high.cost <= budget


def test_late_risks_are_taken_last_when_the_reward_outlasts_the_cost():
    """gamma = 3/4, gamma_c = 1/2, d = 1/4: risks from time t on cost (1/2)^t 2, so t = 3 on, which
    pays 4 (27/64) = 27/16."""
    found = solve_two_discounts(bandit(F(1, 4), F(3, 4)), F(1, 2))
    assert found.value == F(27, 16)
    assert found.switch == 3


@pytest.mark.parametrize("own, other", [(F(1, 2), F(3, 4)), (F(3, 4), F(1, 2))])
def test_a_tie_of_the_two_ends_counts_the_decisions_before_the_tail(own, other):
    """Only the choice at time 1 matters, 1 at cost 1 or nothing: half of it returns own / 2.  Both
    ends are stationary and optimal for lambda = own / other, and the tail alone is neither."""
    rows = [[[0, 1, 0]] * 2, [[0, 0, 1]] * 2, [[0, 0, 1]] * 2]
    paid = [[0, 0], [1, 0], [0, 0]]
    model = from_arrays(rows, paid, [paid], [other / 2], discount=own, initial=[1, 0, 0])
    found = solve_two_discounts(model, other)
    assert (found.value, found.multiplier, found.switch) == (own / 2, own / other, 2)
    tail = evaluate_choices(model, found.tail).fractions()
    spent = evaluate_choices(model.with_discount(other), found.tail, ("cost", 0)).fractions()
    assert solve_finite_horizon(model, other, 2, tail, spent).value == own / 2
    assert solve_finite_horizon(model, other, 1, tail, spent).value != own / 2


def test_the_best_stationary_policy_reaches_half():
    model = bandit(F(1))
    acting = Policy((F(1, 4), F(3, 4)))
    assert policy_return(model.with_discount(F(3, 4)), acting, ("cost", 0)) == 1
    assert policy_return(model, acting) == F(1, 2)


def returns_of(model, discount, policy: SwitchingPolicy):
    """(reward, cost) again, of the unrolled model under the table."""
    tail = evaluate_choices(model, policy.tail).fractions()
    paid = evaluate_choices(model.with_discount(discount), policy.tail, ("cost", 0)).fractions()
    steps = policy.steps or (policy.tail,)
    long = unrolled(model, discount, len(steps), tail, paid)
    choices = [t * model.n_choices + k for t, row in enumerate(steps) for k in row]
    acting = Policy.of_choices(long, [*choices, long.n_choices - 1])
    return policy_return(long, acting), policy_return(long, acting, ("cost", 0))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("own", "other"), [p for p in product(DISCOUNTS, repeat=2) if p[0] != p[1]]
)
def test_it_agrees_with_linear_programs(random_model, seed, own, other):
    """Between the bounds of two free decisions, and equal to the program that ends in the tail."""
    model = random_model(seed, states=1 + seed % 3).with_discount(own)
    cost = policy_return(model.with_discount(other), Policy.uniform(model), ("cost", 0))
    model = model.with_budgets(cost * F(3 + seed % 3, 4))
    found = solve_two_discounts(model, other)
    bounds = horizon_bounds(model, other, 2)
    if found.value is None:
        assert bounds is None
        assert found.minimum_cost > model.budgets[0]
        return
    assert bounds.lower <= found.value <= bounds.upper
    assert bounds.upper - bounds.lower <= bounds.spread
    for end in (found.low, found.high):
        assert returns_of(model, other, end) == (end.reward, end.cost)
    mixed = found.low.reward + found.weight * (found.high.reward - found.low.reward)
    spent = found.low.cost + found.weight * (found.high.cost - found.low.cost)
    assert mixed == found.value
    assert spent <= model.budgets[0]
    if found.switch <= 4:
        tail = evaluate_choices(model, found.tail).fractions()
        paid = evaluate_choices(model.with_discount(other), found.tail, ("cost", 0)).fractions()
        again = solve_finite_horizon(model, other, max(1, found.switch), tail, paid)
        assert again.value == found.value
        assert again.n_randomisations <= 1


def test_a_budget_at_the_least_cost_leaves_only_the_cheapest_policies():
    found = solve_two_discounts(bandit(F(0)), F(3, 4))
    assert (found.value, found.multiplier) == (0, None)


def test_a_budget_below_the_least_cost():
    model = from_arrays([[[1]]], [[1]], [[[1]]], [F(3)], discount=F(1, 2))
    found = solve_two_discounts(model, F(3, 4))
    assert found.status is Status.INFEASIBLE
    assert found.minimum_cost == 4
    assert horizon_bounds(model, F(3, 4), 2) is None


def test_a_finite_horizon_may_charge_without_discount():
    """Three decisions, each risk costs 1 whenever it is taken: two of them, the early ones."""
    nothing = [F(0)]
    found = solve_finite_horizon(bandit(F(2)), F(1), 3, nothing, nothing)
    assert found.value == F(3, 2)


def three_offers():
    """Pay 0, 1, 2 for 0, 2, 3: at a multiplier between 1 and 2 the middle offer is taken as long as
    the discounts have not drifted apart."""
    return from_arrays([[[1]] * 3], [[0, 2, 3]], [[[0, 1, 2]]], [F(3)], discount=HALF)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda m: (m.with_costs([], []), F(3, 4)),
            "0 constraints; two discounts take exactly one",
        ),
        (lambda m: (m, F(1)), r"cost's discount is 1; it must be in \[0, 1\)"),
        (lambda m: (m, F(-1, 2)), "cost's discount is -1/2"),
        (lambda m: (m.with_discount(1), F(1, 2)), "the discount is 1"),
        (lambda _: (three_offers(), HALF + F(1, 10**9)), "so close that the tail is not optimal"),
    ],
)
def test_what_it_cannot_solve_is_refused(change, message):
    model, discount = change(bandit(F(1)))
    with pytest.raises(ModelError, match=message):
        solve_two_discounts(model, discount)


def test_no_decision_is_no_program():
    with pytest.raises(ModelError, match="horizon 0 with 1 costs; give at least one decision"):
        unrolled(bandit(F(1)), F(3, 4), 0, [F(0)], [F(0)])


def test_the_chord_of_one_discount_is_kept():
    model = bandit(F(1))
    assert solve_two_discounts(model, F(1, 2)).value == solve_by_chord(model).value == 1
