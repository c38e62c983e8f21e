"""Golden numbers of the statements on chance constraints, policy classes and natural gradients.

Each number is derived here or in the docstring of the instance.
"""

import random
from dataclasses import replace
from fractions import Fraction
from itertools import count, islice, pairwise
from typing import Any

import flint
import numpy as np
import pytest

from holdfast.solvers import CMDP, Policy, from_arrays, policy_iteration, policy_return, value_of
from holdfast.solvers import solve as solve_cmdp
from holdfast.solvers.chance import (
    ChanceProblem,
    count_policies,
    enclose_eventual,
    enumerate_policies,
    evaluate_episode_flip,
    evaluate_policy,
    evaluate_step_flip,
    minimum_risk,
    solve,
    solve_by_flag_program,
)
from holdfast.solvers.cmdp.natural_policy_gradient import natural_policy_gradient
from holdfast.solvers.cmdp.softened import softened
from holdfast.verify.binding.claims import Claim, NamedMutant, shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.binding.family import OutOfScope
from holdfast.verify.chance.families.problems import acting, chance_problems, is_absorbing
from holdfast.verify.chance.landmarks.problems import g3, g7, g8, g10, late_choice, late_hit, stuck
from holdfast.verify.chance.oracles import laws as chance_claims
from holdfast.verify.chance.oracles.futures import eventual_risk, stitched
from holdfast.verify.chance.oracles.history_hull import HistoryHull, hull, mixed, value_at
from holdfast.verify.cmdp.claims.policy_classes import least_upper_bound, leaving
from holdfast.verify.search.counterexample import Refuter

F = Fraction
CLAIMS = {claim.name: claim for claim in shipped()}


def named(label: str, mutant: str) -> tuple[Claim, NamedMutant]:
    claim = CLAIMS[label]
    return claim, next(one for one in claim.named_mutants if one.name == mutant)


def witness(label: str, mutant: str) -> dict[str, Any]:
    """The values at which a false statement is refuted, by name."""
    _, found = named(label, mutant)
    assert found.witness is not None
    (values,) = found.witness()
    return {quantity.name: value for quantity, value in values.items()}


def values_on(label: str, landmark: str) -> dict[str, Any]:
    claim = CLAIMS[label]
    (values,) = claim.evaluate(*claim.family.landmark(landmark))
    return {quantity.name: value for quantity, value in values.items()}


# -- the sandwich
def test_a_late_hit() -> None:
    """Once, at time 3, with probability 1/3: J = B = 1/3, H = (9/10)^3/3."""
    problem = late_hit(3, F(1, 3))
    policy = Policy.uniform(problem.model)
    assert chance_claims.visits(problem, policy) == [F(2, 3), F(1, 3), 0, 0]
    assert chance_claims.joint_and_sum(problem, policy) == (F(1, 3), F(1, 3))
    assert chance_claims.discounted(problem, policy, F(9, 10)) == F(729, 1000) / 3


def test_a_state_that_is_never_left() -> None:
    """From time 1 on with probability 1/3: J = 1/3, B = 1, C_z = (1 + z + z^2)/3."""
    problem = stuck(3, F(1, 3))
    policy = Policy.uniform(problem.model)
    law = chance_claims.visits(problem, policy)
    assert chance_claims.joint_and_sum(problem, policy) == (F(1, 3), 1)
    assert chance_claims.charged(law, F(1, 2)) == F(7, 12)
    assert is_absorbing(problem)


@pytest.mark.parametrize("index", range(30))
def test_visits_agree_with_the_solver(index: int) -> None:
    """The law of the count against the integer evaluation, which knows a capped memory only."""
    draw = PhiloxDraw("visits", index)
    problem = chance_problems().draw(draw)[0]
    policy = acting(draw, problem)
    law = chance_claims.visits(problem, policy)
    for charge in (F(0), F(1, 3), F(1)):
        charged = replace(problem, charge=charge)
        start = problem.model.choice_start.tolist()
        cells = [
            (t, n, s)
            for t in range(problem.horizon)
            for n in range(charged.levels)
            for s in range(problem.model.n_states)
        ]
        mixed_cells = {
            cell: {k: policy.probabilities[k] for k in range(start[cell[2]], start[cell[2] + 1])}
            for cell in cells
        }
        table = np.tile(start[:-1], (problem.horizon, charged.levels, 1))
        assert evaluate_policy(charged, table, mixed_cells)[1] == chance_claims.charged(law, charge)


@pytest.mark.parametrize(
    ("discount", "longest"), [(F(9, 10), 21), (F(99, 100), 458), (F(995, 1000), 1057)]
)
def test_the_longest_window_in_which_the_discounted_number_is_enough(
    discount: Fraction, longest: int
) -> None:
    """gamma^T >= 1 - gamma holds up to T = ln(1 - gamma)/ln(gamma), and no further."""
    assert discount**longest >= 1 - discount
    assert discount ** (longest + 1) < 1 - discount


@pytest.mark.parametrize(("steps", "enough"), [(21, True), (22, False)])
def test_one_step_more_breaks_it(steps: int, enough: bool) -> None:
    """At gamma_c = 9/10 and T = 22 a hit at the end has H = 9^22/10^21 p < p."""
    problem = late_hit(steps, F(1, 5), stay=True)
    policy = Policy.uniform(problem.model)
    joint, _ = chance_claims.joint_and_sum(problem, policy)
    assert (joint <= chance_claims.discounted(problem, policy, F(9, 10))) is enough


def test_ce3() -> None:
    """alpha = 1/5, gamma_c = 9/10: p = (1 + 10/9)/10 = 19/90, H = 19/100 <= 1/5 < 19/90."""
    found = witness("chance/safe-expected-cost", "M3")
    assert found == {"J_T": F(19, 90), "H": F(19, 100), "alpha": F(1, 5)}


# -- G3, G7, G8 and the flag program
@pytest.mark.parametrize(("level", "joint", "boole"), [
    (F(0), F(57, 25), F(57, 25)),
    (F(1, 10), F(191, 50), F(731, 200)),
    (F(1, 4), F(2419, 400), F(1121, 200)),
    (F(2, 5), F(403, 50), F(3826, 525)),
])  # fmt: skip
def test_g3(level: Fraction, joint: Fraction, boole: Fraction) -> None:
    for charge, value in ((F(0), joint), (F(1), boole)):
        problem = replace(g3(), charge=charge)
        assert solve(problem, level).value == value
        assert solve_by_flag_program(problem, level).value == value
        assert value_at(HistoryHull(problem).whole(), level) == value


def test_g7_memory_is_worth_a_tenth() -> None:
    found = witness("chance/flag-program", "M6")
    assert found == {"V_markov": 0, "V_LP": F(1, 10)}
    assert minimum_risk(g7()).risk == F(1, 10)


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_g8_boole_costs_a_factor_of_t(steps: int) -> None:
    problem = g8(steps)
    assert solve(problem, F(1, 10)).value == F(1, 10)
    assert solve(replace(problem, charge=F(1)), F(1, 10)).value == F(1, 10 * steps)


def test_g8_between_the_two() -> None:
    """Charge 1/2 over ten unsafe times: 2 - 2^-9 each, so alpha/(2 - 2^-9) = 256/5115."""
    found = values_on("chance/levels", "G8")
    assert found == {"V_scaled": F(1, 100), "V_B": F(1, 100), "V_z": F(256, 5115), "V_J": F(1, 10)}
    assert witness("chance/levels", "M5")["V_less"] == F(1, 90)


def small_problems() -> list[ChanceProblem]:
    """Sixty drawn problems of at most 600 deterministic policies, any charge, safe-only or not."""
    family = chance_problems(undiscounted=True, charged=True)
    drawn = (family.draw(PhiloxDraw("enumerated", index))[0] for index in count())
    return list(islice((one for one in drawn if 2 <= count_policies(one) <= 600), 60))


@pytest.mark.parametrize("problem", small_problems(), ids=lambda problem: problem.model.digest[:8])
def test_program_chord_hull_and_enumeration_agree(problem: ChanceProblem) -> None:
    """At every kink and half-way between; all deterministic policies, not only good ones."""
    every = hull((policy.risk, policy.value) for policy in enumerate_policies(problem))
    assert HistoryHull(problem).whole() == every
    risks = [risk for risk, _ in every]
    levels = [*risks, *((a + b) / 2 for a, b in pairwise(risks))]
    for level in levels:
        if problem.charge == 0 and level >= 1:
            continue
        value = value_at(every, level)
        assert solve(problem, level).value == value
        assert solve_by_flag_program(problem, level).value == value


def test_sixty_problems_were_found() -> None:
    assert len(small_problems()) == 60


# -- hulls
def test_a_hull_keeps_what_an_optimum_needs() -> None:
    """(1, 1) is below the chord of (0, 0) and (2, 3); (3, 2) risks more for less."""
    assert hull([(F(0), F(0)), (F(1), F(1)), (F(2), F(3)), (F(3), F(2)), (F(0), F(-1))]) == [
        (0, 0),
        (2, 3),
    ]


def test_a_mixture_of_hulls_takes_the_steepest_edges_first() -> None:
    """Half of slope 3 and half of slope 1, both of length 2."""
    steep, flat = [(F(0), F(0)), (F(2), F(6))], [(F(0), F(1)), (F(2), F(3))]
    assert mixed([(F(1, 2), flat), (F(1, 2), steep)]) == [
        (0, F(1, 2)),
        (1, F(7, 2)),
        (2, F(9, 2)),
    ]


def test_below_a_hull_there_is_nothing() -> None:
    points = [(F(1), F(1)), (F(2), F(3))]
    assert value_at(points, F(1, 2)) is None
    assert value_at(points, F(3, 2)) == 2
    assert value_at(points, F(5)) == 3


# -- I1 to I3
def test_i1_a_window_and_then_everything() -> None:
    """G8 with T = 1, gamma = 1/2, and a state after the end that pays: at level 1/4 the risk is
    taken with probability 1/4; nothing else pays."""
    problem = replace(g8(1), model=g8(1).model.with_discount(F(1, 2)))
    assert solve_cmdp(stitched(problem, F(1, 4))).value == F(1, 4)


def test_i2_the_first_hit_of_a_late_choice() -> None:
    """E[gamma^tau] = gamma^3 p <= alpha: at alpha = gamma^3/3 the chance within T = 3 is 1/3, and
    the bound gamma^-3 alpha is attained."""
    found = values_on("chance/first-hit", "late")
    assert found["E_tau"] == F(1, 24)
    assert found["J_T"] == found["J_best"] == F(1, 3)
    assert found["gamma"] ** 3 * found["J_best"] == found["alpha"]


def test_i3_g10() -> None:
    """Stationary 0, else 1: and the enclosure closes in on 1."""
    assert witness("chance/eventual", "M7'") == {"V_stat": 0, "L_N": 1}
    problem = g10()
    for steps, upper in ((1, 1 + F(9, 11)), (2, 1 + F(9, 22))):
        found = enclose_eventual(problem.model, problem.unsafe, F(1, 10), horizon=steps)
        assert (found.lower, found.upper) == (1, upper)


def test_an_eventual_risk() -> None:
    """G10 under any risk is ruined for certain, and under none never."""
    problem = g10()
    risky, safe = (Policy.deterministic(problem.model, [a, 0]) for a in (0, 1))
    assert eventual_risk(problem, risky) == 1
    assert eventual_risk(problem, safe) == 0


# -- C9 and C12
def test_g9_stationary_policies_reach_half() -> None:
    """4 p <= 1 and 2 p: 1/2; the risk at time 0 alone costs 1 and pays 1."""
    found = witness("policy-classes/two-discounts", "M7")
    assert found == {"J_best": F(1, 2), "P_star": 1}


def test_the_dual_over_deterministic_policies() -> None:
    """The bandit with d = 1/2: the dual sees the mixture, 1/2; the best deterministic one is 0."""
    found = values_on("policy-classes/zero-gap", "bandit")
    assert (found["P_det"], found["D_det"], found["sup_min"]) == (0, F(1, 2), F(1, 2))
    assert least_upper_bound([(F(0), F(0)), (F(1), F(1))], F(2)) == 1


def test_g13_a_leak_loses_more_than_one_factor() -> None:
    """gamma = 9/10, epsilon = 1/50: 10 - 1/(1 - 891/1000) = 10 - 1000/109 = 90/109 > 1/5."""
    model, stays, leaves = leaving(F(1, 100), leave=1)
    loss = policy_return(model, stays) - policy_return(model, leaves)
    assert loss == F(90, 109) > F(1, 50) / (1 - F(9, 10))
    assert loss <= F(1, 50) / 2 / (1 - F(9, 10)) ** 2


def test_the_softened_leak() -> None:
    """Half of every action is random: the class leaves with probability 1/4 at least."""
    model = leaving(F(1, 2))[0].with_costs([[0] * 4], [1])
    soft = softened(model, F(1, 2))
    best = value_of(soft, policy_iteration(soft).values)
    assert best == F(3, 4) / (1 - F(9, 10) * F(3, 4))


# -- C16
def test_g14_the_last_iterate_cycles() -> None:
    """After 256 steps of the bandit the last violation exceeds 3/8, and the mean does not."""
    model = from_arrays([[[1], [1]]], [[1, 0]], [[[1, 0]]], [F(1, 2)], discount=F(0))
    run = natural_policy_gradient(model, 256, F(1, 2))
    assert run.last_cost - flint.arb(0.5) > flint.arb(0.375)
    assert run.cost - flint.arb(0.5) < flint.arb(0.375)


def test_a_fixed_dual_step_leaves_a_gap() -> None:
    """eta_2 = 4: the mean gap after 1225 steps is above 1/5 = 7/35."""
    found = witness("primal-dual/average-gap", "M15")
    assert found["gap_fixed"].compute() > flint.arb(0.2)


def test_a_coin_a_step_is_as_often_safer_as_riskier() -> None:
    """Than a coin an episode, on drawn problems; so one pair of policies need not refute it."""
    claim, gaps = CLAIMS["trained-policies/step-coin"], []
    for index in range(400):
        problem, first, second, weight, _ = claim.family.draw(PhiloxDraw("coins", index))
        pair = first, second, weight
        by_step, once = (
            flip(problem, *pair)[1] for flip in (evaluate_step_flip, evaluate_episode_flip)
        )
        gaps.append(by_step - once)
    safer, riskier = sum(gap < 0 for gap in gaps), sum(gap > 0 for gap in gaps)
    assert safer > 20 < riskier
    assert abs(safer - riskier) <= 4 * (safer + riskier) ** 0.5, (safer, riskier)


# -- out of scope
def test_a_case_out_of_scope_is_passed_over() -> None:
    """A state that is met for certain leaves no level below 1: nothing to observe, no violation."""
    claim = CLAIMS["chance/eventual"]
    problem = late_hit(1, F(1), stay=True)
    case = (problem, Policy.uniform(problem.model), F(0))
    with pytest.raises(OutOfScope, match="meets an unsafe state for certain"):
        list(claim.evaluate(*case))
    assert list(Refuter(claim).observe(case)) == []
    assert Refuter(claim).refute(case) is None


# -- families
@pytest.mark.parametrize("absorbing", [True, False])
@pytest.mark.parametrize("once", [True, False])
def test_drawn_problems_are_what_they_are_said_to_be(absorbing: bool, once: bool) -> None:
    if absorbing and once:
        return
    family = chance_problems(absorbing=absorbing, once=once, safe_start=True, lasting=True)
    for index in range(60):
        problem = family.draw(PhiloxDraw("families", index))[0]
        assert problem.model.discount > 0
        assert not any(problem.model.initial.tolist()[s] for s in problem.unsafe)
        assert is_absorbing(problem) or not absorbing
        if once and problem.unsafe:
            policy = Policy.uniform(problem.model)
            law = chance_claims.visits(replace(problem, horizon=4), policy)
            assert not any(law[2:])


def test_models_that_a_user_brings() -> None:
    model = late_choice(2)
    family = chance_problems()
    assert family.on(model.with_labels(unsafe=[2])).draw(PhiloxDraw(0))[0].unsafe == (2,)
    assert family.on(g8()).draw(PhiloxDraw(0))[0] is not None
    absorbing, safe = chance_problems(absorbing=True), chance_problems(safe_start=True)
    for one, thing, reason in (
        (family, model, 'needs states labelled "unsafe"'),
        (family, "no model", "speaks of joint chance constraints, not of str"),
        (absorbing, model.with_labels(unsafe=[2]), "needs unsafe states that are never left"),
        (safe, model.with_labels(unsafe=[0]), "needs a start in safe states"),
        (family, wide().with_labels(unsafe=[0]), "follows the law of 301 states"),
    ):
        with pytest.raises(OutOfScope, match=reason):
            one.on(thing)


def test_a_discount_of_one_is_out_of_scope_where_sums_have_no_end() -> None:
    endless = late_choice(2).with_discount(1).with_labels(unsafe=[2])
    for label in ("policy-classes/policy-loss", "primal-dual/average-gap"):
        with pytest.raises(OutOfScope, match="the discount is 1"):
            CLAIMS[label].family.on(endless.with_costs([[0] * endless.n_choices], [0]))
    claim = CLAIMS["chance/eventual"]
    with pytest.raises(OutOfScope, match="the discount is 1"):
        list(claim.evaluate(*claim.family.on(endless).draw(PhiloxDraw(0))))


def wide() -> CMDP:
    """More states than a policy is followed through."""
    size = 301
    return from_arrays([[[int(s == t) for t in range(size)]] for s in range(size)], [[0]] * size,
                       discount=F(1, 2))  # fmt: skip


def test_hulls_of_random_points_are_concave() -> None:
    stream = random.Random(0)
    for _ in range(50):
        points = [(F(stream.randint(0, 9)), F(stream.randint(0, 9))) for _ in range(8)]
        found = hull(points)
        slopes = [(d - b) / (c - a) for (a, b), (c, d) in pairwise(found)]
        assert slopes == sorted(slopes, reverse=True)
        assert all(value_at(found, x) is None or value_at(found, x) >= y for x, y in points)
