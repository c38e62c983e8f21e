"""The unit of a reward or of a cost does not matter to an enclosure."""

from __future__ import annotations

from fractions import Fraction

import pytest

from holdfast.solvers import CMDP, ModelError, Status, enclose, most_feasible
from holdfast.solvers.cmdp.scale.units import Units
from holdfast.verify.kernel import check

from ....zoo.large import grid_world, random_sparse
from ....zoo.unconstrained import optimal_returns

F = Fraction
POWERS = [F(2) ** 40, F(1, 2**70), F(2) ** 1000]
TENS = [F(10) ** 12, F(1, 10**15), F(10) ** 300, F(1, 10**300)]


def in_units(model: CMDP, reward: Fraction, *costs: Fraction) -> CMDP:
    """Rewards, costs and budgets multiplied."""
    rows = [
        [unit * value for value in model.cost_vector(i).fractions()] for i, unit in enumerate(costs)
    ]
    budgets = [unit * budget for unit, budget in zip(costs, model.budgets, strict=True)]
    earned = [reward * value for value in model.reward_vector().fractions()]
    return model.with_costs(rows, budgets).with_reward(earned)


def choices(found: object) -> list[list[int]]:
    return [part.choices.tolist() for part in found.components]  # type: ignore[attr-defined]


@pytest.mark.parametrize("unit", POWERS)
@pytest.mark.parametrize("payoff", ["costs", "reward"])
def test_powers_of_two_change_nothing(unit, payoff):
    model = grid_world(64, constraints=2)
    reward, cost = (F(1), unit) if payoff == "costs" else (unit, F(1))
    plain = enclose(model, method="scale")
    found = enclose(in_units(model, reward, cost, cost), method="scale")
    assert found.status is plain.status is Status.ENCLOSED
    assert (found.lower, found.upper) == (plain.lower * reward, plain.upper * reward)
    assert choices(found) == choices(plain)
    assert found.multipliers == tuple(w * reward / cost for w in plain.multipliers)
    assert [part.costs for part in found.components] == [
        tuple((low * cost, high * cost) for low, high in part.costs) for part in plain.components
    ]
    assert check(found.certificate()).accepted


@pytest.mark.parametrize("unit", TENS)
@pytest.mark.parametrize("payoff", ["costs", "one cost", "reward"])
def test_powers_of_ten_round_and_no_more(unit, payoff):
    model = random_sparse(60, constraints=2)
    reward = unit if payoff == "reward" else F(1)
    costs = {"costs": (unit, unit), "one cost": (F(1), unit), "reward": (F(1), F(1))}[payoff]
    plain = enclose(model, method="scale")
    wanted = reward / 10**7
    found = enclose(in_units(model, reward, *costs), method="scale", width=wanted)
    assert found.status is Status.ENCLOSED and choices(found) == choices(plain)
    assert found.lower <= plain.upper * reward and plain.lower * reward <= found.upper
    assert found.width <= wanted
    assert check(found.certificate()).accepted


@pytest.mark.parametrize("unit", [*POWERS, *TENS])
def test_infeasibility_has_no_unit(unit):
    model = random_sparse(40, constraints=2, share=F(-1, 5))
    plain = enclose(model, method="scale")
    found = enclose(in_units(model, F(1), unit, unit), method="scale")
    assert found.status is plain.status is Status.INFEASIBLE
    assert abs(found.relaxation / unit - plain.relaxation) < F(1, 10**9)
    assert check(found.certificate()).accepted


def test_costs_of_units_far_apart():
    """The least uniform increase is in units of the first; the second must do without."""
    model = random_sparse(40, constraints=2)
    far = in_units(model.with_budgets(-1, model.budgets[1]), F(1), F(1), F(10) ** 12)
    found = enclose(far, method="scale")
    least = -most_feasible(far).slack  # 4.77 in exact arithmetic; 4.60 at equal units
    assert found.status is Status.INFEASIBLE and check(found.certificate()).accepted
    assert least - F(1, 10**6) < found.relaxation <= least


def test_optimal_returns_have_no_unit():
    model = random_sparse(50)
    plain = optimal_returns(model, ["1/2"])
    far = optimal_returns(in_units(model, F(2) ** 60, F(2) ** 20), [F(2) ** 39])
    assert (far.lower, far.upper) == (plain.lower * 2**60, plain.upper * 2**60)


def test_units_are_powers_of_two_that_no_magnitude_exceeds():
    model = in_units(random_sparse(5, constraints=1), F(3), F(1, 3)).with_budgets(7)
    units = Units.of(model)
    assert units.scales == (4, F(1, 2))  # the greatest reward is in (2, 3], cost in (1/4, 1/3]
    assert units.model.budgets == (14,)
    assert max(abs(v) for v in units.model.reward_vector().fractions()) <= 1
    assert units.model.reward_vector().fractions() == tuple(
        v / 4 for v in model.reward_vector().fractions()
    )
    one = random_sparse(5, constraints=0).with_reward([1] * 20)
    assert Units.of(one).model is one


def test_numbers_that_no_unit_brings_together_are_bounded(random_model):
    """1e-400 beside 1 is nothing to a double; the error it makes is in the bounds."""
    model = random_model(1, states=4, constraints=0)
    rewards = [F(1, 10**400) * (k + 1) for k in range(model.n_choices - 1)] + [F(1)]
    found = enclose(model.with_reward(rewards), method="scale")
    exact = enclose(model.with_reward(rewards), method="exact").lower
    assert found.lower <= exact <= found.upper


def test_budgets_beyond_floats_are_taken(random_model):
    model = random_model(1, states=4, constraints=1)
    slack = enclose(model.with_budgets(F(10) ** 400), method="scale")
    exact = enclose(model.with_budgets(F(10) ** 400), method="exact").lower
    assert slack.lower <= exact <= slack.upper
    with pytest.raises(ModelError, match="budget 0 is below -1e300 of the cost's own unit"):
        enclose(model.with_budgets(-(F(10) ** 400)), method="scale")


def test_a_width_is_in_the_units_of_the_reward():
    model = in_units(random_sparse(60), F(10) ** 6, F(1))
    assert enclose(model, method="scale", width=1e5).width <= 10**5
    assert "width asked for" in enclose(model, method="scale").statistics
    with pytest.raises(ModelError, match="width is 0"):
        enclose(model, width=0)
