"""The printed theorems on flipping policies: golden counterexamples, promises kept."""

from dataclasses import replace
from fractions import Fraction
from math import exp

import pytest

from holdfast.solvers import Policy, policy_return, solve
from holdfast.solvers.chance.windows.flips import best_flipping, state_program
from holdfast.solvers.chance.windows.optimum import solve_windows
from holdfast.solvers.chance.windows.problem import WindowProblem, excess_risk, window_risks
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.binding.family import OutOfScope
from holdfast.verify.chance.claims.flipping import reached_risks
from holdfast.verify.chance.claims.policy_mixtures import mixed_in_each_step, with_coin
from holdfast.verify.chance.claims.policy_sampling import (
    DivergenceStep,
    ce4,
    ce4_chance,
    looks_safe,
    wrongly_chosen,
)
from holdfast.verify.chance.claims.surrogate_costs import discounted_unsafe, worst_risk
from holdfast.verify.chance.families.windows import hazards, watched_models, windows
from holdfast.verify.chance.landmarks.windows import (
    X,
    Y,
    always_unsafe,
    ce1,
    ce2,
    ce2_flips,
    ce3,
    corridor,
    late_risk,
    one_shot,
)
from holdfast.verify.chance.returns import start_risk, start_safety
from holdfast.verify.kernel import check
from holdfast.verify.search.counterexample import Refuter

F = Fraction
CLAIMS = {claim.name: claim for claim in shipped()}


# -- CE-1: three actions are needed
@pytest.mark.parametrize("additive", [False, True])
def test_g4(additive: bool) -> None:
    """10/9 at p = (1/3, 2/9, 4/9); 1 with two actions; 6/5 promised: derived in `ce1`."""
    problem = ce1(additive=additive)
    best = solve_windows(problem)
    assert best is not None
    assert best.value == F(10, 9)
    assert best.policy.probabilities[1:4] == (F(1, 3), F(2, 9), F(4, 9))
    # x: (2/9)/2 + (4/9)/5 = 1/5; y: 1/10 + 9/10 (1/9) = 1/5; w: 1/5
    risks = window_risks(problem, best.policy)
    assert risks[:4] == (F(1, 5), F(1, 5), F(1, 5), 0)
    flip = best_flipping(problem, best.rows)
    assert flip is not None
    assert flip.value == 1
    program = state_program(problem, best, X)
    assert program is not None
    assert program.value == F(6, 5)
    # what the program promises is not allowed: p2 = 2/5 gives 1/10 + 9/10 (1/5) from y
    promised = Policy((F(1), F(3, 5), F(2, 5), F(0), F(1), F(1), F(1)))
    assert window_risks(problem, promised)[Y] == F(28, 100)


@pytest.mark.parametrize("discount", [F(0), F(1, 2), F(9, 10), F(999, 1000)])
def test_g4_from_y(discount: Fraction) -> None:
    """x is reached with probability 9/10 one step later: all values times 9 gamma/10."""
    problem = ce1(start=Y, discount=discount)
    best = solve_windows(problem)
    assert best is not None
    flip = best_flipping(problem, best.rows)
    assert flip is not None
    assert (best.value, flip.value) == (F(9, 10) * discount * F(10, 9), F(9, 10) * discount)


def test_at_one_step_the_same_model_needs_two_actions() -> None:
    """T = 1: only p2/2 <= 1/5 is left in x, so p2 = 2/5, p3 = 3/5: 6/5 + 3/5 = 9/5."""
    problem = ce1(window=1)
    best = solve_windows(problem)
    assert best is not None
    flip, program = best_flipping(problem, best.rows), state_program(problem, best, X)
    assert flip is not None
    assert program is not None
    assert best.value == flip.value == program.value == F(9, 5)


# -- CE-2: one joint constraint, stationary policies
def test_g5() -> None:
    """Safety .8102 (1 - .0742) = .75008316; V = (15/8 (.0742) + .1156)/(1 - .8102/100) = .256805...

    The flips are at most .253407 and .251889: derived in `ce2_flips`.
    """
    problem, acting = ce2()
    p1, p2, p3 = acting.probabilities[:3]
    assert p1 + p2 + p3 == 1
    assert start_safety(problem, acting) == p1 * (1 - p2) == F(75008316, 10**8)
    assert excess_risk(problem, acting) < 0
    value = policy_return(problem.model, acting)
    assert value == (F(15, 8) * p2 + p3) / (1 - p1 / 100)
    assert F(256805, 10**6) < value < F(256806, 10**6)
    assert F(253407, 10**6) < ce2_flips() < F(253408, 10**6)
    assert value > ce2_flips()


def test_g5_flips_on_a_grid() -> None:
    """No flip in steps of 1/200 that is safe enough comes near the policy with three actions."""
    problem, acting = ce2()
    best = F(0)
    for pair in ((0, 1), (0, 2), (1, 2)):
        for parts in range(0, 1001, 5):
            law = [F(0)] * 3
            law[pair[0]], law[pair[1]] = F(parts, 1000), F(1000 - parts, 1000)
            flip = Policy((*law, F(1), F(1), F(1)))
            if excess_risk(problem, flip) <= 0:
                best = max(best, policy_return(problem.model, flip))
    assert F(25, 100) < best <= ce2_flips() < policy_return(problem.model, acting)


# -- CE-3: the discounted cost is not conservative
@pytest.mark.parametrize("discount", [F(1, 10), F(1, 2), F(9, 10), F(999, 1000)])
@pytest.mark.parametrize("level", [F(1, 100), F(1, 20)])
def test_g6(discount: Fraction, level: Fraction) -> None:
    """H = gamma_c p = alpha (1 + gamma_c)/2 < alpha, but the risk p = alpha (1 + 1/gamma_c)/2."""
    problem, acting, gamma_c = ce3(discount, level)
    assert discounted_unsafe(problem, acting, gamma_c) == level * (1 + discount) / 2 < level
    risk = start_risk(problem, acting)
    assert risk == level * (1 + 1 / discount) / 2 > level
    # the factor gamma_c^T on the level is what is missing
    assert discounted_unsafe(problem, acting, gamma_c) > discount * level


@pytest.mark.parametrize("discount", [F(0), F(1, 10), F(1, 2), F(9, 10), F(10**6 - 1, 10**6)])
@pytest.mark.parametrize("level", [F(1, 100), F(1, 2), F(99, 100)])
def test_g6_for_every_discount(discount: Fraction, level: Fraction) -> None:
    """No gamma_c is large enough: some policy with H <= alpha has the risk min(1, alpha/gamma_c),
    and 1 at gamma_c = 0, where H is 0."""
    worst = worst_risk(one_shot(discount, level))
    assert worst == (min(F(1), level / discount) if discount else 1) > level
    report = check(worst.document())
    assert report.enclosure is not None
    assert report.enclosure.lo == report.enclosure.hi == worst
    # a longer window changes nothing: the state is unsafe in the first step or never
    assert worst_risk(one_shot(discount, level, window=5)) == worst


def test_every_draw_refutes_the_discounted_cost() -> None:
    """Theorem 5 says that gamma_c and T exist, so one pair does not refute it."""
    claim = CLAIMS["surrogate-costs/discounted-cost"]
    discounts = set()
    for index in range(40):
        case = claim.family.draw(PhiloxDraw("every", index))
        assert Refuter(claim).refute(case) is not None
        discounts.add(case[0].model.discount)
    assert max(discounts) > F(99, 100)
    assert len(discounts) > 20


def test_g6_values() -> None:
    """Reward 1 for the risk p: gamma_c p <= alpha allows alpha/gamma_c, the window alpha."""
    problem, _, gamma_c = ce3()
    costed = problem.model.with_costs([[0, gamma_c, 0, 0]], [problem.level])
    best = solve_windows(problem)
    assert best is not None
    assert (solve(costed).value, best.value) == (F(1, 10) / F(9, 10), F(1, 10))


def test_always_unsafe_attains_the_range() -> None:
    """sum over i >= 1 of (9/10)^i = 9, where the source allows 1."""
    assert discounted_unsafe(*always_unsafe()) == 9


# -- CE-4: the best that looks safe
@pytest.mark.parametrize(("policies", "shown"), [
    (1, 0.00288), (10, 0.02846), (100, 0.25076), (1000, 0.94425),
])  # fmt: skip
def test_ce4(policies: int, shown: float) -> None:
    """Pr(at most 10 of 100 unsafe, each with probability 21/100), by its 11 terms; e^-2 = 0.135."""
    (case,) = ce4(policies)
    by_hand = sum(_binomial(100, k) * F(21, 100) ** k * F(79, 100) ** (100 - k) for k in range(11))
    assert looks_safe(case) == by_hand
    failure = wrongly_chosen(case)
    assert failure == 1 - (1 - by_hand) ** policies
    assert float(failure) == pytest.approx(shown, abs=6e-6)
    assert (float(failure) > exp(-2)) is (policies >= 100)
    assert case.risk / (1 - case.discount) > case.level


def _binomial(n: int, k: int) -> int:
    ways = 1
    for i in range(k):
        ways = ways * (n - i) // (i + 1)
    return ways


# -- coins
def test_the_corridor() -> None:
    """Each policy is safe and earns 1 in the second step, so 1/2; a coin a step fails half the
    time, and then earns nothing: 1/4."""
    problem, left, right, half = corridor()
    assert start_safety(problem, left) == start_safety(problem, right) == 1
    assert policy_return(problem.model, left) == policy_return(problem.model, right) == F(1, 2)
    flip = mixed_in_each_step(left, right, half)
    assert start_safety(problem, flip) == F(1, 2)
    assert policy_return(problem.model, flip) == F(1, 4)
    both = Policy(left.probabilities + right.probabilities)
    assert policy_return(with_coin(problem.model, half), both) == F(1, 2)


def test_late_risk_by_hand() -> None:
    """gamma = 1/2.  Old: in b 1/2000 a step, so J = 1/2 (1/2)(1/2000)(2) = 1/4000 from the start.
    New: 1/2 (19/40)(1/40000)(2) = 19/1600000, though its linearised cost is 0."""
    model, unsafe, new, old = late_risk()
    problem = WindowProblem(model, unsafe, 1, F(0))
    gamma = model.discount
    assert discounted_unsafe(problem, old, gamma) / gamma == F(1, 4000)
    assert discounted_unsafe(problem, new, gamma) / gamma == F(19, 1600000)
    mutants = {one.name: one for one in CLAIMS["surrogate-costs/step-bound"].named_mutants}
    (values,) = mutants["advantage"].witness()
    named = {quantity.name: value for quantity, value in values.items()}
    assert (named["alpha_adv"], named["eta"]) == (0, F(1, 40000))


def test_for_ever_by_hand() -> None:
    """gamma = 9/10: H = 9 t, so 9/1000 after the step; alpha_s = 9/10000 + 1/1000 + 9/10000.

    Over the safe states eta is 1/1000, the bound 28/10000 + 9/100 sqrt(2 KL) < 45/10000, and false;
    over all states it is 1.
    """
    claim = CLAIMS["surrogate-costs/step-bound"]
    (values,) = claim.evaluate(*claim.family.landmark("for ever"))
    named = {quantity.name: value for quantity, value in values.items()}
    assert (named["H_new"], named["alpha_s"], named["eta"]) == (F(9, 1000), F(28, 10000), 1)


def test_a_step_later_the_windows_of_theorem_10_are_those_that_are_reached() -> None:
    """From y, under the best policy (1/3, 2/9, 4/9): 1/10 + (9/10)(1/9) = 1/5 at k = 0; at k = 1,
    in x, 1/9 + (4/9)/5 = 1/5; at k = 2 w has (9/10)(4/9) = 2/5 and z the rest of the safe 9/10,
    1/10 of it by way of U: (2/5)/(9/10)/5 = 4/45."""
    problem = ce1(0, additive=True)
    best = solve_windows(problem)
    assert best is not None
    risks = reached_risks(problem, best.policy, 5)
    assert risks == [F(1, 5), F(1, 5), F(4, 45), 0, 0]


@pytest.mark.parametrize(("discount", "samples", "promised"), [
    (F(1, 2), 2, 0.0861), (F(9, 10), 4, 0.00717), (F(99, 100), 10, 1.8e-4),
])  # fmt: skip
def test_ce4_with_the_divergence(discount: F, samples: int, promised: float) -> None:
    """Success is at most (1 - (1 - .6 (1 - gamma))^N)^4 + 10^-N: 0.0777 at gamma = 1/2."""
    step = DivergenceStep(discount)
    assert step.samples == samples
    success = 1 - float(step.failure())
    assert (
        success
        < promised
        == pytest.approx(1 - exp(-0.18 * samples * float(1 - discount) ** 2), rel=0.01)
    )
    if samples == 2:
        assert success == pytest.approx(0.0777, abs=5e-5)


def test_ce4_beyond_the_chance_constraint() -> None:
    """1 - (3/5)^40 against exp(-2 (2/5)^2 (1/2)^2) = 0.923."""
    assert wrongly_chosen(ce4_chance()) == 1 - F(3, 5) ** 40
    assert exp(-2 * 0.16 / 4) == pytest.approx(0.923, abs=5e-4)


# -- the families keep what they promise
@pytest.mark.parametrize("family", [
    windows(), windows(additive=True), hazards(), watched_models(window=(1, 1)),
    watched_models(level=(0, 0)),
])  # fmt: skip
def test_some_policy_meets_every_window(family) -> None:
    for index in range(40):
        (problem,) = family.draw(PhiloxDraw("promise", index))
        best = solve_windows(problem)
        assert best is not None
        assert excess_risk(problem, best.policy) <= 0


@pytest.mark.parametrize(("claim", "problem", "message"), [
    ("flipping/window-actions", ce1().model, "not of CMDP"),
    ("flipping/window-actions", ce1(additive=True), "counted in the other way"),
    ("flipping/window-actions", replace(ce2()[0], everywhere=True), "not affine"),
    ("flipping/one-step", ce1(), "windows of 1 to 1 steps, not of 2"),
    ("flipping/zero-level", ce1(), "level 0, not of 1/5"),
])  # fmt: skip
def test_problems_that_do_not_fit(claim: str, problem: object, message: str) -> None:
    with pytest.raises(OutOfScope, match=message):
        CLAIMS[claim].family.on(problem)


def test_a_problem_that_fits_is_examined() -> None:
    family = CLAIMS["flipping/window-actions"].family
    assert family.on(ce1()).draw(PhiloxDraw("user")) == (ce1(),)
