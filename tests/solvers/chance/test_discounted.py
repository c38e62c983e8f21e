"""Infinite horizons: a first window, a fading first hit, and an eventual one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError, Status, from_arrays, policy_iteration
from holdfast.solvers.chance import (
    ChanceProblem,
    enclose_eventual,
    evaluate_policy,
    first_window,
    least_eventual_risk,
    solve,
    solve_first_hit,
)

HALF, TENTH = Fraction(1, 2), Fraction(1, 10)


def hazard(discount: Fraction = HALF):
    """G10.  One state: a risky choice worth 1 with hazard 1/10, and a safe one worth 0."""
    law = [[[1 - TENTH, TENTH], [1, 0]], [[0, 1]] * 2]
    return from_arrays(law, [[1, 0], [0, 0]], discount=discount, initial=[1, 0])


# -- the first window ------------------------------------------------------------------------------
def test_after_the_first_window_anything_goes():
    """Level 0: wait one step, then be risky for ever: 1/2 V, V = 1 + 1/2 9/10 V = 20/11."""
    solution = solve(first_window(hazard(), [1], 1), 0)
    assert solution.value == Fraction(10, 11)
    # With a level that allows it: all of V, for a risk of 1/10.
    assert solve(first_window(hazard(), [1], 1), TENTH).value == Fraction(20, 11)


def test_a_longer_window_is_worth_less():
    values = [solve(first_window(hazard(), [1], horizon), "1/20").value for horizon in (1, 2, 5)]
    assert values[0] > values[1] > values[2]


# -- the fading hit --------------------------------------------------------------------------------
def test_a_fading_hit_by_hand():
    """Always risky: J = 20/11, E[gamma^tau] = x with x = 1/2 (1/10 + 9/10 x), so x = 1/11.

    At level 1/22 the optimum is half of it, on the line from (0, 0) to (1/11, 20/11).
    """
    full, part = (solve_first_hit(hazard(), [1], level) for level in ("1/11", "1/22"))
    assert (full.value, full.risk) == (Fraction(20, 11), Fraction(1, 11))
    assert (part.value, part.risk) == (Fraction(10, 11), Fraction(1, 22))
    assert part.solution.n_randomisations == 1


@pytest.mark.parametrize("level", ["1/50", "1/10", "3/10"])
def test_the_bound_of_a_fading_hit(three_states, level):
    solution = solve_first_hit(three_states(Fraction(9, 10)), [2], level)
    total, last = Fraction(0), Fraction(0)
    for horizon in range(1, 60):
        chance = solution.chance_within(horizon) if horizon < 12 else last
        assert last <= chance <= solution.chance_bound(horizon) <= 1
        total += Fraction(9, 10) ** horizon * (chance - last)
        last = chance
    assert total <= solution.risk <= Fraction(level)
    assert solution.chance_bound(1) == Fraction(level) * Fraction(10, 9)
    assert solution.chance_bound(1000) == 1


def test_a_fading_hit_that_nobody_can_avoid():
    """Forced into 1 at once: E[gamma^tau] = gamma; or at time 0 if the start counts."""
    model = from_arrays([[[0, 1]], [[0, 1]]], [[0], [0]], discount=HALF, initial=[1, 0])
    solution = solve_first_hit(model, [1], "1/4")
    assert (solution.status, solution.minimum_risk) == (Status.INFEASIBLE, HALF)
    with pytest.raises(ValueError, match="there is no policy: the least risk is 1/2"):
        solution.chance_within(3)
    counted = model.with_initial([1, 1])
    assert solve_first_hit(counted, [1], "4/5", counts_start=True).risk == Fraction(3, 4)


def test_reward_only_before_the_hit(three_states):
    model = three_states(Fraction(9, 10))
    free, lost = (
        solve_first_hit(model, [2], "1/4", reward_after_violation=after).value
        for after in (True, False)
    )
    assert lost < free


# -- the eventual hit ------------------------------------------------------------------------------
@pytest.mark.parametrize("horizon", [1, 2, 5, 20])
def test_stationary_policies_fail_and_others_do_not(horizon):
    """G10: one risky step uses the level 1/10 up and is worth 1.  Stationary policies that are ever
    risky are ruined for certain, so they earn 0.

    Above, all but the first step are free in the end: the excess is gamma^N V* times the chance
    left, at most gamma^N 20/11.
    """
    found = enclose_eventual(hazard(), [1], TENTH, horizon=horizon)
    assert found.lower == 1 < found.upper
    assert found.upper - found.lower <= found.width_bound == HALF**horizon * Fraction(20, 11)
    assert found.tail[0, 0] == 1
    for q in (Fraction(1, 3), Fraction(1)):  # a stationary policy over a long window
        law = {(t, 0, 0): {0: q, 1: 1 - q} for t in range(200)}
        table = np.array([[[1, 2]] * 2] * 200)
        risk = evaluate_policy(ChanceProblem(hazard(), [1], 200), table, law)[1]
        assert risk == 1 - (1 - q / 10) ** 200 > Fraction(9, 10)


def test_a_wanted_width_tells_the_horizon():
    """gamma^N 20/11 <= 1/1000 from N = 11 on."""
    found = enclose_eventual(hazard(), [1], TENTH, width="1/1000")
    assert found.horizon == 11
    assert found.upper - found.lower <= Fraction(1, 1000) < HALF**10 * Fraction(20, 11)


def test_enclosures_shrink_and_nest(three_states):
    model = three_states(Fraction(4, 5))
    found = [enclose_eventual(model, [2], "1/3", horizon=n) for n in (2, 5, 10, 40)]
    lowers, uppers = [f.lower for f in found], [f.upper for f in found]
    assert lowers == sorted(lowers)
    assert uppers == sorted(uppers, reverse=True)
    assert all(f.upper - f.lower <= f.width_bound for f in found)
    assert uppers[-1] - lowers[-1] < Fraction(1, 100)


def test_the_least_eventual_risk_knows_loops():
    """0: wait for ever in a safe loop, or cross to 1 with hazard 1/2.  1: hazard 1/3 to reach 3,
    or return to 0.  4: only 1/4 to 0 and 3/4 to the unsafe 2 whatever is done.  5: back to itself
    with 1/2, unsafe with 1/4, safe in 3 with 1/4: q = 1/2 q + 1/4, so 1/2.
    """
    q = Fraction(1, 4)
    law = [
        [[1, 0, 0, 0, 0, 0], [0, HALF, HALF, 0, 0, 0]],
        [[0, 0, Fraction(1, 3), Fraction(2, 3), 0, 0], [1, 0, 0, 0, 0, 0]],
        [[0, 0, 1, 0, 0, 0]] * 2,
        [[0, 0, 0, 1, 0, 0]] * 2,
        [[q, 0, 1 - q, 0, 0, 0]] * 2,
        [[0, 0, q, q, 0, HALF], [0, 0, HALF, HALF, 0, 0]],
    ]
    model = from_arrays(law, [[0, 0]] * 6, discount=HALF)
    least = least_eventual_risk(model, [2])
    assert least.risks.fractions() == (0, 0, 1, 0, 1 - q, HALF)
    # 0 must not cross, 1 must return, 5 may do either.
    assert least.allowed.tolist() == [True, False, False, True] + [True] * 8


@pytest.mark.parametrize("seed", range(25))
def test_the_least_eventual_risk_against_long_windows(random_problem, seed):
    """Pr(visit within T) under the best policy for T grows to it, and never beyond."""
    problem = random_problem(seed, counts_start=False, charge=0, terminal=None)
    model = problem.model
    least = least_eventual_risk(model, problem.unsafe)
    for s in range(model.n_states):
        start = model.with_initial([int(s == t) for t in range(model.n_states)])
        near = solve(ChanceProblem(start, problem.unsafe, 120), Fraction(0))
        reached = Fraction(0) if near.value is not None else near.minimum_risk
        assert 0 <= least.risks[s] - reached < Fraction(1, 1000)


def test_an_eventual_risk_that_is_too_great():
    model = from_arrays([[[HALF, HALF]], [[0, 1]]], [[1], [0]], discount=HALF, initial=[1, 0])
    found = enclose_eventual(model, [1], "3/4", width=1)
    assert (found.status, found.minimum_risk) == (Status.INFEASIBLE, 1)
    start = enclose_eventual(hazard().with_initial([1, 3]), [1], "1/2", width=1, counts_start=True)
    assert (start.status, start.minimum_risk) == (Status.INFEASIBLE, Fraction(3, 4))


def test_reward_lost_after_an_eventual_hit(three_states):
    model = three_states(Fraction(4, 5))
    free, lost = (
        enclose_eventual(model, [2], "1/3", horizon=30, reward_after_violation=after)
        for after in (True, False)
    )
    assert lost.upper < free.lower


def test_everything_allowed_is_the_unconstrained_optimum(three_states):
    """At a level that its own risk in the window meets, the first window costs nothing."""
    model = three_states(HALF)
    best = policy_iteration(model).values[0]
    assert solve(first_window(model, [2], 1), "1/5").value == best


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give either the width of the enclosure or the horizon"),
        ({"width": 1, "horizon": 2}, "give either the width"),
        ({"width": 0}, "width is 0; it must be positive"),
        ({"width": "-1/2"}, "width is -1/2"),
        ({"horizon": 0}, "horizon is 0"),
    ],
)
def test_bad_widths_are_refused(options, message):
    with pytest.raises(ModelError, match=message):
        enclose_eventual(hazard(), [1], TENTH, **options)


def test_widths_out_of_reach_are_refused():
    model = hazard(1 - Fraction(1, 10**6))
    with pytest.raises(ModelError, match="needs more than 10000 decisions at discount 999999/"):
        enclose_eventual(model, [1], TENTH, width="1/1000")


def test_discount_one_needs_a_finite_horizon():
    model = hazard(Fraction(1))
    for run in (
        lambda: enclose_eventual(model, [1], TENTH, horizon=3),
        lambda: solve_first_hit(model, [1], TENTH),
        lambda: first_window(model, [1], 3),
    ):
        with pytest.raises(ModelError, match="the discount is 1"):
            run()
