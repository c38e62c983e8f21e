"""Golden instances, each number derived by hand here or in the landmark's docstring."""

from fractions import Fraction
from typing import Any

import pytest

from holdfast.solvers import (
    Policy,
    Status,
    lagrangian,
    most_feasible,
    occupancy_of,
    policy_iteration,
    policy_return,
    solve,
    solve_by_chord,
    value_of,
)
from holdfast.solvers.cmdp.policy_change import policy_change
from holdfast.solvers.cmdp.tails import binomial_tail
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.description import digest
from holdfast.verify.cmdp import landmarks
from holdfast.verify.cmdp.families import Branch
from holdfast.verify.kernel import check

F = Fraction
HALF = F(1, 2)


# -- G1
@pytest.mark.parametrize(("actions", "reward", "cost"), [
    # 00: V(0) = V/4 + ..., nothing is ever paid but action 0 of state 1 pays 1 and stays in 1:
    #     V(1) = 1 + V(1)/2 = 2, V(0) = (V(0) + V(1))/4 = 2/3, J = 4/3; no cost.
    ([0, 0], F(4, 3), F(0)),
    # 01: V(1) = 3 + (V(0) + V(1))/4, V(0) = (V(0) + V(1))/4, so V(0) = V(1) - 3 = 3/2; J = 3.
    #     costs: the same with 2 for 3, J = 2.
    ([0, 1], F(3), F(2)),
    # 10: V(0) = 2 + V(0)/2 = 4, V(1) = 2, J = 3; cost 1 each step in 0: (2 + 0)/2 = 1.
    ([1, 0], F(3), F(1)),
    # 11: V(0) = 4, V(1) = 3 + (4 + V(1))/4 = 16/3, J = 14/3; costs 2 and 2 + (2 + C)/4 = 10/3: 8/3.
    ([1, 1], F(14, 3), F(8, 3)),
])  # fmt: skip
def test_g1_deterministic_policies(actions: list[int], reward: Fraction, cost: Fraction) -> None:
    model = landmarks.g1()
    policy = Policy.deterministic(model, actions)
    assert policy_return(model, policy) == reward
    assert policy_return(model, policy, ("cost", 0)) == cost


def test_g1_at_the_kink() -> None:
    """v(1) = 3: policy 10 has exactly cost 1, and needs no randomising."""
    best = solve(landmarks.g1(1))
    assert best.value == 3
    assert best.n_randomisations == 0
    assert 1 <= best.multipliers[0] <= F(5, 3)


def test_g1_between_two_kinks() -> None:
    """3/2 lies 3/10 of the way from cost 1 to cost 8/3, so v = 3 + 3/10 (14/3 - 3) = 7/2, slope 1.

    The occupancy mixes those of policies 10 and 11, (0, 1; 1, 0) and (0, 4/3; 0, 2/3), by 7/10 and
    3/10: rho(0, 1) = 7/10 + 4/10 = 11/10, rho(1, 0) = 7/10, rho(1, 1) = 2/10.
    """
    model = landmarks.g1(F(3, 2))
    best = solve(model)
    assert best.value == F(7, 2)
    assert best.multipliers == (1,)
    assert best.n_randomisations == 1
    assert best.occupancy is not None
    assert best.occupancy.fractions() == (0, F(11, 10), F(7, 10), F(1, 5))
    ends = [occupancy_of(model, Policy.deterministic(model, [1, a])).fractions() for a in (0, 1)]
    assert ends == [(0, 1, 1, 0), (0, F(4, 3), 0, F(2, 3))]


@pytest.mark.parametrize(("multiplier", "optimal"), [
    (F(1), True), (F(4, 3), True), (F(5, 3), True),
    (F(1) - F(1, 10**9), False), (F(5, 3) + F(1, 10**9), False),
])  # fmt: skip
def test_m11_the_multipliers_at_the_kink_are_an_interval(multiplier: Fraction, optimal) -> None:
    """Left slope (3 - 4/3)/1 = 5/3, right slope (14/3 - 3)/(8/3 - 1) = 1: exactly [1, 5/3]."""
    model = landmarks.g1(1)
    best = policy_iteration(model, lagrangian(model, [multiplier]))
    dual = value_of(model, best.values) + multiplier * 1
    assert (dual == 3) is optimal
    assert dual >= 3


def test_g1_without_slater() -> None:
    """Budget 0 leaves only policy 00; the value is 4/3 and there is no slack."""
    model = landmarks.g1(0)
    assert solve(model).value == F(4, 3)
    assert most_feasible(model).slack == 0


# -- G2
def test_g2_between() -> None:
    """Flow: a + b = 1/2 + a/4 + b/2 + e/4, e + f ... with rho = (a, b; e, f); both budgets bind:
    b + 2 f = 3/2, b + e = 1/2, and flow of state 0: 3a/4 + b/2 = 1/2 + f/4, of state 1:
    e/2 + 3f/4 = 1/2 + a/4.  At rho = (13/16, 1/8; 3/8, 11/16) all four hold, and the reward is
    2/8 + 3/8 + 33/16 = 43/16.  Multipliers: see `test_g2_multipliers`.
    """
    a, b, e, f = rho = (F(13, 16), F(1, 8), F(3, 8), F(11, 16))
    assert b + 2 * f == F(3, 2)
    assert b + e == HALF
    assert a * F(3, 4) + b / 2 == HALF + f / 4
    assert e / 2 + f * F(3, 4) == HALF + a / 4
    best = solve(landmarks.g2())
    assert best.value == 2 * b + e + 3 * f == F(43, 16)
    assert best.occupancy is not None
    assert best.occupancy.fractions() == rho
    assert best.n_randomisations == 2


@pytest.mark.parametrize("budgets", [(F(3, 2), HALF), (F(2), F(1, 3))])
def test_g2_multipliers(budgets: tuple[Fraction, Fraction]) -> None:
    """All four pairs are used, so complementary slackness gives four equations:
    V0 = (V0 + V1)/4, V0 = 2 - l1 - l2 + V0/2, V1 = 1 - l2 + V1/2, V1 = 3 - 2 l1 + (V0 + V1)/4.
    So V1 = 3 V0 = 2 - 2 l2, V0/2 = 2 - l1 - l2, 2 V0 = 3 - 2 l1; hence l1 = 5/4, l2 = 5/8.
    """
    assert solve(landmarks.g2(budgets)).multipliers == (F(5, 4), F(5, 8))


def test_g2_elsewhere() -> None:
    """v is linear with slopes (5/4, 5/8) here: 43/16 + 5/4 (1/2) - 5/8 (1/6) = 77/24."""
    assert F(43, 16) + F(5, 8) - F(5, 48) == F(77, 24)
    assert solve(landmarks.g2((F(2), F(1, 3)))).value == F(77, 24)


def test_g2_infeasible() -> None:
    """(3/2, 1/4): no policy; the certificate says by how much, and raising by that is enough."""
    answer = solve(landmarks.g2((F(3, 2), F(1, 4))))
    assert answer.status is Status.INFEASIBLE
    assert answer.relaxation is not None
    assert answer.relaxation > 0
    assert check(answer.certificate()).accepted
    short = answer.relaxation - F(1, 10**12)
    for rise, status in ((answer.relaxation, Status.EXACT), (short, Status.INFEASIBLE)):
        raised = landmarks.g2((F(3, 2) + rise, F(1, 4) + rise))
        assert solve(raised).status is status


@pytest.mark.parametrize("budget", [F(0), F(1, 2), F(1), F(3, 2), F(2), F(8, 3), F(3)])
def test_the_lp_and_the_chord_agree(budget: Fraction) -> None:
    """v by hand: slopes 5/3 on [0, 1] and 1 on [1, 8/3], then constant."""
    by_hand = F(4, 3) + F(5, 3) * min(budget, 1) + max(0, min(budget, F(8, 3)) - 1)
    model = landmarks.g1(budget)
    assert solve(model).value == solve_by_chord(model).value == by_hand


def test_the_lp_and_the_chord_agree_on_infeasibility() -> None:
    """Every policy of this model costs -1/(1 - gamma) = -2; the budget is less by 1/20."""
    model = landmarks.negative_cost(F(-41, 20), HALF)
    assert solve(model).relaxation == F(1, 20)
    chord = solve_by_chord(model)
    assert chord.status is Status.INFEASIBLE
    assert chord.minimum_cost == -2


# -- C8: the right plan depends on the start
def test_c8_time_inconsistency() -> None:
    """q = gamma = 1/2, d = 1/4: from the start the risk allowed is d/(gamma q) = 1, later d."""
    (branch,) = next(
        claim for claim in shipped() if claim.name == "cmdp/time-inconsistency"
    ).family.landmark("C8")
    assert branch == Branch(HALF, HALF, F(1, 4))
    for start, risk, value in ((0, 1, F(1, 4)), (1, F(1, 4), F(1, 4))):
        best = solve(landmarks.risky_branch(branch.q, branch.discount, branch.budget, start))
        assert best.policy is not None
        assert best.policy.probabilities[2] == risk
        assert best.value == value


# -- G12: the trust-region constant is 2
@pytest.mark.parametrize(("tiny", "shown"), [(F(1, 10**3), 1.96464), (F(1, 10**6), 1.999964)])
def test_g12_ratio_tends_to_two(tiny: Fraction, shown: float) -> None:
    """|J' - J - L/(1 - gamma)| / (gamma eps TV/(1 - gamma)^2) with f = V^old = 0, eps = 1.

    Old goes from 0 to b, so d = (1 - g, 0, g) on (0, g, b), and TV is 1/2 in 0 and tiny in b.
    Each step pays new 1 in g and -1 in b on average: J' = g (1/2 - 1/2)/(1 - g) = 0 = J.
    L, summed over new - old, is d(b) tiny (-1/tiny) = -g.  So the gap is g/(1 - g), and the ratio
    (1 - g)/((1 - g)/2 + g tiny) = 2/(1 + 18 tiny) at g = 9/10: 2/1.018 = 1.96464.
    """
    model, new, old = landmarks.g12(tiny)
    gamma = model.discount
    change = policy_change(model, old, new, [0, 0, 0])
    assert change.old_return == 0
    assert change.max_delta == 1
    pairs = zip(new.probabilities, old.probabilities, strict=True)
    reward = model.reward_vector().fractions()
    owner = model.choice_states.tolist()
    surrogate = sum(
        (change.old_distribution[owner[k]] * (p - q) * reward[k] for k, (p, q) in enumerate(pairs)),
        F(0),
    )
    gap = abs(change.new_return - change.old_return - surrogate / (1 - gamma))
    bound = gamma * change.max_delta * change.mean_total_variation / (1 - gamma) ** 2
    assert gap / bound == 2 / (1 + 18 * tiny)
    assert float(gap / bound) == pytest.approx(shown, abs=5e-6)
    assert gap <= 2 * bound


def test_the_sharp_change_attains_both_bounds_exactly() -> None:
    """shift t = 1/100, gamma = 9/10: error 2 gamma t/(1 - gamma) = 18/100, and so is the bound."""
    model, new, old, baseline = landmarks.sharp_change()
    change = policy_change(model, old, new, baseline)
    gamma = model.discount
    error = change.new_return - change.old_return - change.surrogate / (1 - gamma)
    assert error == F(18, 100)
    assert change.mean_total_variation == (1 - gamma) / 100
    assert 2 * gamma * change.max_delta * change.mean_total_variation / (1 - gamma) ** 2 == error
    assert gamma * change.span_delta * change.mean_total_variation / (1 - gamma) ** 2 == error


# -- G16, G17 and the leak
def test_g16_a_typo_in_the_exponent() -> None:
    """N = 10, p = t = 1/10: Pr(X >= 2) = 1 - (9/10)^10 - (9/10)^9 = 0.2639..., against e^-20."""
    given = landmarks.g16()
    exact = binomial_tail(given["N"], given["p"], given["t"])
    assert exact == 1 - F(9, 10) ** 10 - F(9, 10) ** 9
    assert exact > F(26, 100)
    assert exact < F(82, 100)  # exp(-2 N t^2) = exp(-1/5) = 0.8187...


def test_g17_half_the_penalty_is_too_little() -> None:
    """V_model = 10; u = TV = 1/10 along 10 steps, so U = 1; gamma r_max/(1 - gamma) U/2 = 9/2.

    10 - 9/2 = 11/2, but V = 1/(1 - 9/10 * 9/10) = 100/19 = 5.26...
    """
    truth, believed = landmarks.leak(F(1, 10)), landmarks.leak(F(0))
    uniform = Policy.uniform(truth)
    assert policy_return(truth, uniform) == F(100, 19)
    assert policy_return(believed, uniform) == 10
    assert 10 - F(9, 2) == F(11, 2) > F(100, 19)
    claim = next(claim for claim in shipped() if claim.name == "model-based/pessimism")
    (values,) = claim.evaluate(*claim.family.landmark("G17"))
    named: dict[str, Any] = {quantity.name: value for quantity, value in values.items()}
    assert named["V_model"] - F(9, 1) * named["U"] / 2 == F(11, 2)
    assert named["V"] == F(100, 19)


@pytest.mark.parametrize("probability", [F(1, 10), F(1, 1000), F(1, 10**6)])
def test_the_leak_is_as_sharp_as_it_is_said_to_be(probability: Fraction) -> None:
    """V(0) - V(p) = 1/(1-g) - 1/(1-g(1-p)) = g p/((1-g)(1-g(1-p))); the bound is g p/(1-g)^2 with
    epsilon = 2 p, so the ratio is (1-g)/(1-g+g p) -> 1."""
    gamma = F(9, 10)
    sound, leaky = landmarks.leak(F(0)), landmarks.leak(probability)
    uniform = Policy.uniform(sound)
    gap = policy_return(sound, uniform) - policy_return(leaky, uniform)
    bound = gamma * 1 * (2 * probability) / 2 / (1 - gamma) ** 2
    assert gap / bound == (1 - gamma) / (1 - gamma + gamma * probability)
    paid = landmarks.leak(probability, gamma, 3)
    assert policy_return(paid, uniform) == 3 * policy_return(leaky, uniform)


def test_the_raw_cost_is_blind_by_as_much_as_it_says() -> None:
    """J' - J - L/(1 - gamma) = gamma t/(1 - gamma) = 9/2, where the false bound allows 0."""
    given = landmarks.raw_cost_blind()
    error = given["J_new"] - given["J"] - given["L"] / (1 - given["gamma"])
    assert error == F(9, 2)
    assert given["eta"] == 0


def test_every_landmark_of_every_claim_can_be_made_twice_and_is_the_same() -> None:
    for claim in shipped():
        for name in claim.family.landmarks:
            assert digest(claim.family.landmark(name)) == digest(claim.family.landmark(name))
