"""The occupancy program: golden values, edge cases, certificates."""

from __future__ import annotations

from fractions import Fraction

import pytest

from holdfast.solvers import (
    CMDP,
    ModelError,
    Status,
    Vector,
    from_arrays,
    most_feasible,
    policy_return,
    solve,
    value_of,
)
from holdfast.solvers.cmdp.infeasibility import infeasible_solution
from holdfast.solvers.cmdp.occupancy import occupancy_program
from holdfast.solvers.programs.program import LinearStatus
from holdfast.solvers.programs.solve import solve_linear_program

C1, C2 = [0, 1, 0, 2], [0, 1, 1, 0]
F = Fraction


def test_golden_one_constraint(two_states, check_certificate):
    """G1.  The deterministic policies have (J_r, J_c) = (4/3,0), (3,2), (3,1), (14/3,8/3).

    Their concave envelope runs (0, 4/3), (1, 3), (8/3, 14/3): slope 5/3 and then 1.  At d = 3/2 the
    value is 3 + (3/2 - 1) = 7/2 with multiplier 1, mixing policies 10 and 11 by 7/10 and 3/10:
    rho(0,1) = 7/10 * 1 + 3/10 * 4/3 = 11/10, rho(1,0) = 7/10, rho(1,1) = 3/10 * 2/3 = 1/5.
    """
    solution = solve(two_states([C1], [F(3, 2)]))
    assert solution.value == F(7, 2)
    assert solution.multipliers == (1,)
    assert solution.occupancy.fractions() == (0, F(11, 10), F(7, 10), F(1, 5))
    assert solution.policy.probabilities == (0, 1, F(7, 9), F(2, 9))
    assert (solution.n_randomisations, solution.unique) == (1, True)
    check_certificate(solution.certificate())


def test_golden_kink(two_states, check_certificate):
    """At d = 1 policy 10 alone is optimal; the multiplier may be anything in [1, 5/3]."""
    solution = solve(two_states([C1], [1]))
    assert (solution.value, solution.n_randomisations) == (3, 0)
    assert 1 <= solution.multipliers[0] <= F(5, 3)
    check_certificate(solution.certificate())


@pytest.mark.parametrize(
    ("budgets", "value", "rho"),
    [
        # G2.  Both constraints bind with both states randomised; rho solves the 4 equations
        #   3/4 r00 + 1/2 r01 - 1/4 r11 = 1/2,  3/4 r11 + 1/2 r10 - 1/4 r00 = 1/2  (flow)
        #   r01 + 2 r11 = d1,  r01 + r10 = d2,
        # and the value 2 r01 + r10 + 3 r11 follows; lambda = (5/4, 5/8) solves the dual equations.
        (("3/2", "1/2"), "43/16", ("13/16", "1/8", "3/8", "11/16")),
        ((2, "1/3"), "77/24", ("19/24", "1/4", "1/12", "7/8")),
    ],
)
def test_golden_two_constraints(two_states, check_certificate, budgets, value, rho):
    solution = solve(two_states([C1, C2], budgets))
    assert solution.value == F(value)
    assert solution.multipliers == (F(5, 4), F(5, 8))
    assert solution.occupancy.fractions() == tuple(map(F, rho))
    assert solution.n_randomisations == 2
    check_certificate(solution.certificate())


def test_golden_infeasible(two_states, check_certificate):
    """G2 with d = (3/2, 1/4).

    With lambda = (2/5, 3/5) the costs are 0, 2/5 + 3/5 = 1, 3/5 and 4/5.  State 0 is cheapest with
    action 0, W0 = (W0 + W1)/4, so W0 = W1/3.  In state 1 staying costs 3/5 / (1 - 1/2) = 6/5, and
    action 1 gives W1 = 4/5 + (W0 + W1)/4 = 4/5 + W1/3 = 6/5 as well.  So
    mu.W = (2/5 + 6/5)/2 = 4/5 against lambda.d = 3/5 + 3/20 = 3/4.  The gap is 1/20.
    """
    solution = solve(two_states([C1, C2], ["3/2", "1/4"]))
    assert solution.status is Status.INFEASIBLE
    assert solution.multipliers == (F(2, 5), F(3, 5))
    assert solution.values.fractions() == (F(2, 5), F(6, 5))
    assert solution.relaxation == F(1, 20)
    assert solution.value is None and solution.policy is None
    check_certificate(solution.certificate())
    relaxed = two_states([C1, C2], [F(3, 2) + F(1, 20), F(1, 4) + F(1, 20)])
    assert solve(relaxed).status is Status.EXACT


@pytest.mark.parametrize("seed", range(20))
def test_the_slack_program_is_exact(random_model, seed):
    model = random_model(seed, constraints=2)
    best = most_feasible(model)
    assert min(best.slacks) >= best.slack
    assert best.reward == policy_return(model, best.policy)
    assert sum(best.multipliers) == 1
    scalarised = value_of(model, best.values)
    allowed = sum(w * d for w, d in zip(best.multipliers, model.budgets, strict=True))
    assert allowed - scalarised == best.slack
    assert (best.slack >= 0) == (solve(model).status is Status.EXACT)


def test_a_budget_below_the_least_cost_by_1e_minus_12_is_refused(two_states, check_certificate):
    # The policy 00 has cost 0, the least.
    assert solve(two_states([C1], [0])).status is Status.EXACT
    solution = solve(two_states([C1], [F(-1, 10**12)]))
    assert solution.status is Status.INFEASIBLE
    assert solution.relaxation == F(1, 10**12)
    check_certificate(solution.certificate())


def test_no_constraint_is_plain_dynamic_programming(two_states, check_certificate):
    solution = solve(two_states([], []))
    assert (solution.value, solution.multipliers) == (F(14, 3), ())
    check_certificate(solution.certificate())
    with pytest.raises(ModelError, match="no constraint"):
        most_feasible(two_states([], []))


def test_feasible_models_have_no_infeasibility_certificate(two_states):
    with pytest.raises(ModelError, match="feasible with uniform slack 3/2"):
        infeasible_solution(two_states([C1], [F(3, 2)]))


def test_gamma_zero_is_a_bandit(check_certificate):
    # One state, r = c = (1, 0), d = 1/2: play the risky arm half the time.
    model = from_arrays([[[1], [1]]], [[1, 0]], [[[1, 0]]], ["1/2"], discount=0)
    solution = solve(model)
    assert (solution.value, solution.multipliers) == (F(1, 2), (1,))
    assert solution.policy.probabilities == (F(1, 2), F(1, 2))
    check_certificate(solution.certificate())


def test_single_state_and_action():
    model = from_arrays([[[1]]], [[3]], [[[1]]], [10], discount="9/10")
    solution = solve(model)
    assert (solution.value, solution.occupancy.fractions()) == (30, (10,))
    assert solve(model.with_budgets("99/10")).relaxation == F(1, 10)


def test_duplicated_constraints_and_zero_costs(two_states, check_certificate):
    model = two_states([C1, C1, [0, 0, 0, 0]], [F(3, 2), F(3, 2), 0])
    solution = solve(model)
    assert solution.value == F(7, 2)
    assert sum(solution.multipliers[:2]) == 1
    assert solution.n_randomisations <= 1
    check_certificate(solution.certificate())
    hopeless = solve(two_states([C1, [0, 0, 0, 0]], [F(3, 2), F(-1, 3)]))
    assert (hopeless.relaxation, hopeless.multipliers) == (F(1, 3), (0, 1))


def test_negative_costs_are_utilities(two_states):
    # J_g >= 1/2 for g = 1 at choice (0, 0), that is cost -g with budget -1/2.
    solution = solve(two_states([[-1, 0, 0, 0]], [F(-1, 2)]))
    assert solution.occupancy[0] == F(1, 2)


def test_unreachable_states_get_lambda_optimal_choices(check_certificate):
    # State 1 is never reached; there action 1 is better (reward 5, stays).
    model = from_arrays(
        [[[1, 0], [1, 0]], [[0, 1], [0, 1]]],
        [[1, 0], [0, 5]],
        [[[1, 0], [0, 0]]],
        [1],
        discount="1/2",
        initial=[1, 0],
    )
    solution = solve(model)
    assert (solution.value, solution.n_randomisations) == (1, 1)
    assert solution.policy.probabilities[2:] == (0, 1)
    assert solution.values[1] == 10
    check_certificate(solution.certificate())


def test_ties_are_not_reported_unique():
    model = from_arrays([[[1], [1]]], [[1, 1]], discount="1/2")
    assert solve(model).value == 2
    assert not solve(model).unique


@pytest.mark.parametrize("kind", ["generic", "ties", "deterministic"])
@pytest.mark.parametrize("seed", range(8))
def test_unique_means_that_no_other_occupancy_is_optimal(random_model, seed, kind):
    # Over the optimal face (J_r >= value), each rho_k has the same greatest and least value.
    model = random_model(seed, states=3, kind=kind)
    solution = solve(model)
    if not solution.unique:
        return
    reward = model.reward_vector()
    negated = Vector(tuple(-r for r in reward.numerators), reward.denominator)
    face = model.with_costs([model.cost_vector(0), negated], [model.budgets[0], -solution.value])
    for k in range(model.n_choices):
        for sign in (1, -1):
            direction = [sign * (j == k) for j in range(model.n_choices)]
            assert solve(face.with_reward(direction)).value == sign * solution.occupancy[k]


def test_discount_close_to_one_with_tiny_probabilities(check_certificate):
    tiny = F(1, 10**12)
    model = from_arrays(
        [[[1 - tiny, tiny], [F(1, 2), F(1, 2)]], [[tiny, 1 - tiny], [1, 0]]],
        [[1, 0], [0, 2]],
        [[[1, 0], [0, 1]]],
        [30000],
        discount="99999/100000",
    )
    solution = solve(model)
    assert solution.status is Status.EXACT
    check_certificate(solution.certificate())


def test_any_basis_of_a_model_is_repaired(two_states):
    built = occupancy_program(two_states([C1], [F(3, 2)]))
    program = built.program
    for basis in ([0, 2, 6], [1, 3, 6], [0, 1, 2], [1, 2, 3], program.unit_basis(), [0, 0, 0]):
        answer = solve_linear_program(program, basis=basis)
        assert answer.status is LinearStatus.OPTIMAL
        assert answer.value == F(7, 2)
        assert answer.statistics.repaired == (basis != [1, 2, 3])


def test_initial_weights_need_no_common_scale(two_states):
    model = two_states([C1], [F(3, 2)])
    scaled = model.with_initial([F(1, 2), F(1, 2)])
    assert solve(scaled).value == solve(model.with_initial([7, 7])).value == F(7, 2)
    assert isinstance(model, CMDP)
    assert solve(model).occupancy == Vector.of([0, "11/10", "7/10", "1/5"])
