"""Offline problems, critics, no-regret oracles and WSAC: values by hand, and what is refused."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import flint
import numpy as np
import pytest

from holdfast.solvers import Policy
from holdfast.solvers.errors import ModelError
from holdfast.solvers.offline import no_regret
from holdfast.solvers.offline.critics import (
    bellman_error,
    box_critic,
    critic,
    critic_program,
    relative_value,
    residual,
    squared_box_critic,
)
from holdfast.solvers.offline.problems import (
    OfflineProblem,
    absorbed,
    check_weight,
    concentrability,
    density_ratio,
    with_action_values,
)
from holdfast.solvers.offline.wsac import (
    VARIANTS,
    Weights,
    gaps,
    mixture_return,
    payoff,
    safe_improvement,
    train,
)
from holdfast.solvers.offline.wsac_floats import FloatProblem, returns, sample, sweep
from holdfast.solvers.programs.solve import solve_linear_program
from holdfast.solvers.sequences import objects
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.kernel import check
from holdfast.verify.offline.families import problems as families
from holdfast.verify.offline.landmarks import bandits, extremal
from holdfast.verify.offline.oracles import plain

HALF, ONE, ZERO = Fraction(1, 2), Fraction(1), Fraction(0)


@cache
def drawn(index: int) -> OfflineProblem:
    return families.problem(PhiloxDraw("offline tests", index))


@cache
def small() -> OfflineProblem:
    """mu = (4/5, 1/5), the reference takes the second action."""
    return bandits.misled().problem


# -- problems ------------------------------------------------------------------------------------
def test_the_law_of_the_data_is_a_normalised_occupancy() -> None:
    for index in range(8):
        problem = drawn(index)
        assert problem.law.sum() == 1
        assert (problem.law == problem.occupancy(problem.behaviour)).all()


def test_coverage_by_hand() -> None:
    """d = (0, 1), mu = (4/5, 1/5): weights (0, 5), C^2 = C_inf = 5, chi^2 = 4."""
    problem = small()
    target = problem.occupancy(problem.reference)
    assert density_ratio(target, problem.law) == (0, 5)
    assert concentrability(target, problem.law) == (5, 5, 4)


def test_frequencies_take_the_place_of_the_law_and_of_transitions() -> None:
    truth, seen, *_ = extremal.noisy("reward", "second")
    assert seen.law.tolist() == [Fraction(n, 32) for n in (8, 8, 5, 11)]
    assert seen.transitions[0].tolist() == [0, HALF, HALF]
    assert truth.transitions[0].tolist() == [0, Fraction(1, 8), Fraction(7, 8)]
    policy = truth.behaviour
    assert seen.normalised_return(policy, "reward") == truth.normalised_return(policy, "reward")


def test_a_threshold_is_absorbed() -> None:
    """gamma 1/2, J_c <= 3 un-normalised: c - 3/2, and J of the two differ by 3/2."""
    model = families.model(PhiloxDraw("absorbed", 3)).with_discount(HALF).with_budgets(3)
    found = absorbed(model)
    assert found.budgets == (0,)
    pairs = zip(model.cost_vector(0).fractions(), found.cost_vector(0).fractions(), strict=True)
    assert {before - after for before, after in pairs} == {Fraction(3, 2)}


def changed(**parts: object) -> OfflineProblem:
    return replace(small(), **parts)


BAD = {
    "budget is 1; .* absorb": lambda: changed(model=small().model.with_budgets(1)),
    "has 0 costs": lambda: changed(model=small().model.with_costs([], [])),
    "discount is 1": lambda: changed(model=small().model.with_discount(1)),
    "reward of choice 1 is 2, outside": lambda: changed(model=small().model.with_reward([0, 2])),
    "cost of choice 0 is -2": lambda: changed(model=small().model.with_costs([[-2, 0]], [0])),
    "reference: .* sum to 3/2": lambda: changed(reference=Policy((ONE, HALF))),
    "behaviour: .* -1/2": lambda: changed(behaviour=Policy((-HALF, 3 * HALF))),
    r"policies\[0\]: .* 1 probabilities": lambda: changed(policies=(Policy((ONE,)),)),
    "policies is empty": lambda: changed(policies=()),
    "rewards is empty": lambda: changed(rewards=()),
    r"rewards\[0\]\[1\] is 2, outside \[0, 1\]": lambda: changed(rewards=((0, 2),)),
    r"costs\[0\] has 1 values": lambda: changed(costs=((0,),)),
    r"weights\[1\]\[0\] is -1": lambda: changed(weights=((1, 1), (-1, 0))),
    "weights lack the constant 1": lambda: changed(weights=((0, 5),)),
    "counts are all 0; .*N = 0": lambda: small().empirical([[0], [0]]),
    r"counts\[1\] has -1": lambda: small().empirical([[3], [-1]]),
    "counts must be 2 rows": lambda: small().empirical([[3]]),
    "choice 0 has probability 1 .* 0 in the data": lambda: changed(
        behaviour=bandits.law(ZERO), reference=bandits.law(ONE)
    ).with_reference_weights(),
    "the model has 0 costs; an": lambda: absorbed(small().model.with_costs([], [])),
    "beta is -1": lambda: critic(small(), small().behaviour, "reward", Fraction(-1)),
    "beta is -1; it": lambda: box_critic(small(), small().behaviour, "cost", Fraction(-1)),
    "multiplier is 0": lambda: safe_improvement(small(), ZERO, ONE),
    'form is "squared"': lambda: safe_improvement(small(), ONE, ONE, "squared", boxes=True),
    "multiplier is -1": lambda: Weights(Fraction(-1)),
    "the cost critic's beta is -2": lambda: Weights(ONE, ONE, Fraction(-2)),
    "rounds is 0": lambda: train(small(), no_regret.stay, 0, Weights()),
    "variant is 'other'": lambda: train(small(), no_regret.stay, 1, Weights(), variant="other"),
    "answers with arb": lambda: train(small(), no_regret.hedge(ONE), 2, Weights()),
    "sum to 3/2": lambda: train(small(), no_regret.stay, 1, Weights(), start=Policy((ONE, HALF))),
    "irrational": lambda: no_regret.doubling(1)(
        objects([HALF, HALF]), objects([HALF, HALF]), objects([HALF, ZERO]), objects([HALF, ZERO])
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused(message: str) -> None:
    with pytest.raises(ModelError, match=message):
        BAD[message]()


def test_weights_are_read_as_fractions() -> None:
    assert check_weight("1/3", "beta") == Fraction(1, 3)
    assert check_weight(0, "beta") == 0


# -- critics -------------------------------------------------------------------------------------
@pytest.mark.parametrize("index", range(6))
def test_l_and_e_agree_with_plain_loops(index: int) -> None:
    problem = drawn(index)
    for policy in problem.policies:
        for signal, members in (("reward", problem.rewards), ("cost", problem.costs)):
            for f in members:
                values = problem.signal(signal).tolist()
                assert relative_value(problem, policy, f) == plain.relative(problem, policy, f)
                found = bellman_error(problem, policy, f, signal)
                assert found == plain.error(problem, policy, f, values)


@pytest.mark.parametrize("index", range(6))
def test_action_values_have_no_error(index: int) -> None:
    problem = with_action_values(drawn(index))
    for policy in problem.policies:
        for signal in ("reward", "cost"):
            q = problem.action_values(policy, signal)
            assert not any(residual(problem, policy, q, signal))
            assert all(bellman_error(problem, policy, q, signal, form) == 0
                       for form in families.FORMS)  # fmt: skip


def test_other_forms_of_the_error_by_hand() -> None:
    """Residual (-1, 0) of the zero function for C = (1, 0): squared 4/5, box 5 times 4/5."""
    problem, policy = small(), bandits.law(HALF)
    zero = (ZERO, ZERO)
    assert bellman_error(problem, policy, zero, "cost", "squared") == Fraction(4, 5)
    assert bellman_error(problem, policy, zero, "cost", "box") == 4


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("signal", ["reward", "cost"])
def test_a_box_critic_is_certified_and_agrees_with_another_program(index: int, signal) -> None:
    problem, policy, beta = drawn(index), drawn(index).policies[-1], Fraction(3, 2)
    solution = solve_linear_program(critic_program(problem, policy, signal, beta))
    assert check(solution.certificate()).accepted
    f, value = box_critic(problem, policy, signal, beta)
    sign = 1 if signal == "reward" else -1
    error = bellman_error(problem, policy, f, signal)
    assert value == sign * relative_value(problem, policy, f) + beta * error
    assert float(value) == pytest.approx(
        plain.box_objective(problem, policy, signal, float(beta)), abs=1e-7
    )
    members = problem.rewards if signal == "reward" else problem.costs
    assert all(value <= sign * relative_value(problem, policy, g)
               + beta * bellman_error(problem, policy, g, signal) for g in members)  # fmt: skip


@pytest.mark.parametrize("index", range(3))
def test_box_weights_are_harder_than_finite_ones(index: int) -> None:
    problem, policy = drawn(index), drawn(index).policies[-1]
    finite = box_critic(problem, policy, "reward", ONE)[1]
    f, value = box_critic(problem, policy, "reward", ONE, "box")
    assert value >= finite
    error = bellman_error(problem, policy, f, "reward", "box")
    assert value == relative_value(problem, policy, f) + error


def test_a_squared_critic_over_the_box_by_hand() -> None:
    """The cost C = (1, 0) under pi = (1/2, 1/2): least of 3/10 (f_1 - f_2) + 2 (4/5 (f_1 - 1)^2 +
    1/5 f_2^2), where f_1 = 1 - 3/32 and f_2 = 3/8; at beta = 1/10 f_2 is at its end."""
    problem, policy = small(), bandits.law(HALF)
    found, objective, gap = squared_box_critic(problem, policy, "cost", Fraction(2))
    assert (found, gap) == ((Fraction(29, 32), Fraction(3, 8)), 0)
    assert objective == Fraction(3, 10) * Fraction(17, 32) + Fraction(8, 5) * Fraction(9, 1024) + (
        Fraction(2, 5) * Fraction(9, 64)
    )
    found, _, gap = squared_box_critic(problem, policy, "cost", Fraction(1, 10))
    assert (found, gap) == ((-Fraction(7, 8), ONE), 0)
    flat = squared_box_critic(problem, policy, "cost", ZERO)
    assert (flat[0], flat[2]) == ((-ONE, ONE), 0)


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("signal", ["reward", "cost"])
def test_a_squared_critic_over_the_box_is_no_worse_than_another_program(index: int, signal) -> None:
    problem, policy, beta = drawn(index), drawn(index).policies[-1], Fraction(3, 2)
    found, objective, gap = squared_box_critic(problem, policy, signal, beta)
    sign = 1 if signal == "reward" else -1
    error = bellman_error(problem, policy, found, signal, "squared")
    assert objective == sign * relative_value(problem, policy, found) + beta * error
    assert 0 <= gap < Fraction(1, 10**6)
    other = plain.squared_objective(problem, policy, signal, float(beta))
    assert float(objective - gap) - 1e-6 <= other <= float(objective) + 1e-6
    clamped = critic(problem, policy, signal, beta, "squared")
    assert objective - gap <= sign * relative_value(problem, policy, clamped) + beta * (
        bellman_error(problem, policy, clamped, signal, "squared")
    )


# -- oracles -------------------------------------------------------------------------------------
def test_doubling_is_hedge() -> None:
    """Odds of 2^3 after payoffs (1, 0), (2, 0); and e^(3 log 2) is in the ball."""
    told = [objects([ONE, ZERO]), objects([2 * ONE, ZERO]), objects([ZERO, ZERO])]
    start = objects([HALF, HALF])
    rows = no_regret.play(no_regret.doubling(1), start, told)
    assert rows[2].tolist() == [Fraction(8, 9), Fraction(1, 9)]
    balls = no_regret.play(no_regret.hedge(flint.arb(2).log()), start, told)
    assert balls[2][0].overlaps(flint.arb(8) / 9)
    floats = no_regret.play(
        no_regret.hedge_floats(float(np.log(2))),
        start.astype(float),
        [x.astype(float) for x in told],
    )
    assert floats[2][0] == pytest.approx(8 / 9)


def test_the_nearest_law() -> None:
    assert no_regret.nearest_law(objects([2 * ONE, ZERO])).tolist() == [1, 0]
    found = no_regret.nearest_law(objects([ONE, HALF, -ONE])).tolist()
    assert found == [Fraction(3, 4), Fraction(1, 4), 0]


@pytest.mark.parametrize("rounds", [20, 80])
def test_only_the_negative_controls_have_linear_regret(rounds: int) -> None:
    """Payoffs that turn against the leader: to the even law he loses 1/2 a round, less a start."""
    told = [objects([HALF, ZERO])] + [
        objects([Fraction(k % 2), Fraction(1 - k % 2)]) for k in range(rounds)
    ]
    start, even = objects([HALF, HALF]), objects([HALF, HALF])
    leader = no_regret.regret(no_regret.play(no_regret.follow_the_leader, start, told), told, even)
    assert leader == Fraction(rounds, 2)
    eta = Fraction(1, 10)
    gradient = no_regret.play(no_regret.projected_gradient(eta), start, told)
    assert no_regret.regret(gradient, told, even) <= eta * (rounds + 1) / 2
    steady = [objects([ONE, ZERO])] * rounds
    stays = no_regret.play(no_regret.stay, start, steady)
    assert no_regret.regret(stays, steady, objects([ONE, ZERO])) == Fraction(rounds, 2)


# -- the witnesses ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("case", "objectives", "added"),
    [
        (bandits.misled(), (Fraction(8, 5), 6), HALF),
        (bandits.misled_at_three(), (Fraction(9, 10), Fraction(6, 5)), HALF),
        (bandits.misled_at_two(), (Fraction(9, 5), 2), Fraction(4, 5)),
    ],
)
def test_the_printed_weights_mislead_the_cost_critic(case, objectives, added) -> None:
    problem, lam = case.problem, case.multiplier
    found = [
        -lam * relative_value(problem, case.start, f)
        + 2 * bellman_error(problem, case.start, f, "cost")
        for f in problem.costs
    ]
    assert tuple(found) == objectives
    printed = Weights(lam, Fraction(2), 2 / lam)
    run = train(problem, no_regret.doubling(1), 4, printed, start=case.start, variant="paper")
    assert set(run.policies) == {case.start}
    assert not any(map(any, run.payoffs))
    assert mixture_return(problem, run.policies, "cost") - problem.normalised_return(
        problem.reference, "cost"
    ) == added > 1 / lam  # fmt: skip
    repaired = critic(problem, case.start, "cost", Fraction(2))
    assert repaired == problem.costs[-1], "with 2 lambda the critic returns C"


def test_data_mislead_it_where_the_frequency_is_above_the_threshold() -> None:
    for case in (bandits.misled(), bandits.misled_at_three(), bandits.misled_at_two()):
        for n in range(46):
            seen = case.problem.empirical([[n], [45 - n]])
            misled = critic(seen, case.start, "cost", 2 / case.multiplier) != seen.costs[-1]
            tied = Fraction(n, 45) == case.threshold
            assert misled == (Fraction(n, 45) > case.threshold) or tied


def test_line_seven_moves_away_from_a_stochastic_reference() -> None:
    """t3: payoffs (-1, 0), weights 2^-k, K = 64: J_r falls by .480 while the regret is -.480."""
    problem = bandits.problem(
        bandits.pair(1, 0), bandits.pair(1, -1), behaviour=HALF, reference=HALF
    )
    weights = Weights(Fraction(2))
    run = train(problem, no_regret.doubling(1), 64, weights, variant="paper")
    assert run.payoffs[0].tolist() == [-1, 0]
    lost = HALF - mixture_return(problem, run.policies, "reward")
    found = gaps(problem, run, Fraction(2))
    assert lost == found.phi == -found.linear
    assert lost == HALF - sum(Fraction(1, 1 + 2**k) for k in range(64)) / 64
    assert round(lost, 3) == Fraction(48, 100)
    concave = train(problem, no_regret.doubling(1), 64, weights)
    assert mixture_return(problem, concave.policies, "reward") > HALF - lost / 4


def test_batch_means_are_a_third_objective() -> None:
    """States of 1/4 and 3/4; costs more by 1 in the first and less by 1 in the second: the mean is
    negative, and the batch sees no harm."""
    truth, _, _, played, _ = extremal.two_states("cost")
    zero, f_c = (ZERO,) * 4, (ONE, ZERO, ZERO, ONE)
    told = {
        variant: payoff(truth, played, zero, f_c, Fraction(3), variant).tolist()
        for variant in VARIANTS
    }
    assert told == {"concave": [-3, 0, 0, 0], "paper": [-3, 0, 0, 0], "batch": [0] * 4}


def test_the_mixture_keeps_one_policy_for_the_episode() -> None:
    """Averaging probabilities is another policy: J differs on some problem of two policies."""
    differs = 0
    for index in range(12):
        problem = drawn(index)
        pair = problem.policies[0], problem.policies[-1]
        mean = Policy(
            tuple((a + b) / 2 for a, b in zip(*(p.probabilities for p in pair), strict=True))
        )
        kept = mixture_return(problem, pair, "reward")
        differs += kept != problem.normalised_return(mean, "reward")
    assert differs > 2


def test_one_action_leaves_nothing_to_learn() -> None:
    problem = bandits.problem((ONE, ZERO), (ONE, ZERO), behaviour=ONE, reference=ONE)
    answer = safe_improvement(problem, ONE, Fraction(2))
    assert (answer.best, answer.believed) == (0, (0,))


# -- double precision ------------------------------------------------------------------------------
@cache
def tempting() -> OfflineProblem:
    """R = C = (1, 0), data and reference (1/5, 4/5): what pays costs.  W has a weight for each."""
    fifth = Fraction(1, 5)
    found = bandits.problem((ONE, ZERO), (ONE, ZERO), behaviour=fifth, reference=fifth)
    return replace(found, weights=((1, 1), (5, 0), (0, Fraction(5, 4))))


def test_float_critics_attain_the_certified_objective() -> None:
    problem = drawn(1)
    policy, given = problem.policies[-1], FloatProblem.of(problem)
    row = np.array(policy.probabilities, dtype=float)
    for signal, sign in (("reward", 1), ("cost", -1)):
        f = [Fraction(x) for x in given.critic(row, signal, 2.0)]
        found = sign * relative_value(problem, policy, f) + 2 * bellman_error(
            problem, policy, f, signal
        )
        best = box_critic(problem, policy, signal, Fraction(2))[1]
        assert float(found) == pytest.approx(float(best), abs=1e-7)
    occupancy = problem.occupancy(policy).astype(float)
    assert given.occupancy(row) == pytest.approx(occupancy)


def test_without_the_multiplier_the_cost_rises() -> None:
    """The critics are exact here, and lambda 5 makes the first action cost five times its reward;
    one round alone is the reference."""
    found = sweep(tempting(), [2.0], [0.0, 5.0], rounds=40)
    assert returns(tempting(), 2.0, 5.0, 1) == pytest.approx((0.2, 0.2))
    unsafe, safe = found[0, :, 1]
    assert unsafe > 0.9
    assert 0.1 < safe < 0.3


def test_data_are_drawn_from_the_law() -> None:
    seen = sample(tempting(), 40, np.random.Generator(np.random.Philox(key=1)))
    assert sum(map(sum, seen.counts)) == 40
    assert seen.law[0] == Fraction(seen.counts[0][0], 40)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: returns(tempting(), -1.0, 1.0), "beta = -1.0"),
        (lambda: returns(tempting(), 1.0, -1.0), "lambda = -1.0"),
        (lambda: returns(tempting(), 1.0, 1.0, 0), "0 rounds"),
        (lambda: sample(tempting(), 0, np.random.default_rng(0)), "number is 0"),
    ],
)
def test_bad_arguments_of_the_float_path(wrong, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        wrong()
