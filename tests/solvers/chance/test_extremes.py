"""Numbers below and beyond all floats, values that floats cannot tell apart, and sizes refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

from holdfast.solvers import ModelError, Status, from_arrays
from holdfast.solvers.chance import (
    ChanceProblem,
    best_flip,
    enclose_eventual,
    enumerate_policies,
    frontier,
    minimum_risk,
    solve,
    solve_by_flag_program,
)
from holdfast.solvers.chance.forever import eventual
from holdfast.solvers.chance.horizon import problem
from holdfast.solvers.chance.horizon.dynamics import Dynamics
from holdfast.solvers.chance.horizon.episodes import draw_episodes
from holdfast.solvers.chance.horizon.solution import ChanceSolution
from holdfast.verify.kernel import check

HALF, TENTH, HUGE = Fraction(1, 2), Fraction(1, 10), 10**400


def chain(visits: int, charge: Fraction) -> ChanceProblem:
    """From a safe start through forced visits; the last one is optional, and worth 1."""
    end = visits + 1
    law = [[[int(t == s + 1) for t in range(end + 1)]] * 2 for s in range(end)]
    law[visits - 1][1] = law[end - 1][0]
    law.append(law[end - 1])
    reward = [[0, 0] for _ in law]
    reward[visits - 1][0] = 1
    model = from_arrays(law, reward, discount=1, initial=[1] + [0] * end)
    return ChanceProblem(model, tuple(range(1, end)), visits, charge=charge)


# -- below all floats ------------------------------------------------------------------------------
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("visits", "charge"),
    [(13, Fraction(1, 10**30)), (3, Fraction(1, 10**200)), (3, Fraction(1, HUGE)), (6, TENTH)],
)
def test_the_charge_of_a_late_visit_is_below_all_floats_and_counts(visits, charge):
    """The visits 1 .. n-1 are forced, which costs sum of z^j, j < n-1; visit n costs z^(n-1).

    Of 13 with z = 10^-30 the last two cost 10^-330 and 10^-360.
    """
    forced = sum((charge**j for j in range(visits - 1)), Fraction(0))
    full = forced + charge ** (visits - 1)
    chance = chain(visits, charge)
    assert minimum_risk(chance).risk == forced
    below = solve(chance, forced - charge**visits)
    assert (below.status, below.minimum_risk) == (Status.INFEASIBLE, forced)
    tight, middle, free = (solve(chance, level) for level in (forced, (forced + full) / 2, full))
    assert (tight.value, middle.value, free.value) == (0, HALF, 1)
    found = frontier(chance)
    assert (found.kinks, found.complete) == (((forced, 0), (full, 1)), True)


def test_certificates_below_all_floats_are_accepted():
    """10^-200 squared is no double; the two methods agree and the kernel accepts both documents."""
    tiny = Fraction(1, 10**200)
    chance = chain(3, tiny)
    for level in (1, 1 + tiny, 1 + tiny + tiny**2 / 2):
        solution = solve(chance, level)
        assert solution.value == solve_by_flag_program(chance, level).value
        assert check(solution.certificate()).accepted


def test_a_residual_risk_below_all_floats_is_a_risk():
    """One decision between an end and a state that is unsafe later with chance 10^-400."""
    tiny = Fraction(1, HUGE)
    law = [[[0, 1, 0, 0], [0, 0, 1, 0]], [[0, 0, 1 - tiny, tiny]] * 2, *[[[0, 0, 1, 0]] * 2] * 2]
    reward = [[1, 0]] + [[0, 0]] * 3
    model = from_arrays(law, reward, discount=HALF, initial=[1, 0, 0, 0])
    values = {}
    for level in (Fraction(0), tiny / 4, tiny):
        found = enclose_eventual(model, [3], level, horizon=1)
        assert (found.status, found.minimum_risk) == (Status.EXACT, 0)
        values[level] = (found.lower, found.upper)
    assert values == {0: (0, 0), tiny / 4: (Fraction(1, 4),) * 2, tiny: (1, 1)}


def test_an_infeasible_part_of_an_enclosure_is_never_called_optimal(monkeypatch):
    """Which no bound on the risk allows, so it is an error of ours and stops the program."""

    def refused(dynamics: Dynamics, level: Fraction) -> ChanceSolution:
        return ChanceSolution(
            Status.INFEASIBLE, dynamics.problem, level, dynamics, minimum_risk=Fraction(1)
        )

    monkeypatch.setattr(eventual, "solve_dynamics", refused)
    model = from_arrays([[[1]]], [[1]], discount=HALF)
    with pytest.raises(AssertionError, match="over 2 decisions no policy has a risk below 1"):
        enclose_eventual(model, [], 0, horizon=2)


# -- values that floats cannot tell apart ----------------------------------------------------------
@pytest.mark.parametrize("digits", [16, 20, 330])
def test_the_optimum_of_the_reward_may_hide_between_equal_floats(digits):
    """(risk, value): (9/10, 1 + e), (0, 1), (1/10, 1 + 2 e); all of value 1 in floats.

    At 1/2 the third meets the level, but it lies on no chord that rises to the first.
    """
    tiny = Fraction(1, 10**digits)
    law = [[[TENTH, 1 - TENTH], [1, 0], [1 - TENTH, TENTH]], [[0, 1]] * 3]
    reward = [[1 + tiny, 1, 1 + 2 * tiny], [0, 0, 0]]
    chance = ChanceProblem(from_arrays(law, reward, discount=1, initial=[1, 0]), [1], 1)
    solution = solve(chance, HALF)
    assert (solution.value, solution.risk, solution.multiplier) == (1 + 2 * tiny, TENTH, 0)
    assert solve(chance, "1/20").value == 1 + tiny
    assert frontier(chance).kinks == ((0, 1), (TENTH, 1 + 2 * tiny))


@pytest.mark.parametrize("digits", [17, 160, 330])
@pytest.mark.parametrize("seed", range(12))
def test_extreme_problems_agree_with_the_enumeration(random_problem, digits, seed):
    """Random problems with rewards squeezed into 1 +- 10^-digits and charges of 10^-digits."""
    tiny = Fraction(1, 10**digits)
    drawn = random_problem(seed, charge=tiny)
    rewards = drawn.model.reward_vector().fractions()
    model = drawn.model.with_reward([1 + tiny * r for r in rewards])
    options = {"counts_start": drawn.counts_start, "charge": tiny}
    chance = ChanceProblem(model, drawn.unsafe, 2, **options)
    points = [(policy.risk, policy.value) for policy in enumerate_policies(chance)]
    least, most = min(points)[0], max(points)[0]
    assert minimum_risk(chance).risk == least
    for level in (least, least + tiny, (least + most) / 2, most, most + 1):
        best = best_flip(points, level)
        assert best is not None
        assert solve(chance, level).value == best.value


# -- beyond all floats -----------------------------------------------------------------------------
def test_levels_beyond_all_floats_bind_nothing(three_states):
    chance = ChanceProblem(three_states(), [2], 3, charge=1)
    assert solve(chance, HUGE).value == solve(chance, 3).value
    assert solve_by_flag_program(chance, HUGE).value == solve(chance, 3).value


def test_levels_too_long_to_print_are_refused_all_the_same(three_states):
    with pytest.raises(ModelError, match=r"level is 0x[0-9a-f]+; a joint chance lies in \[0, 1\]"):
        solve(ChanceProblem(three_states(), [2], 3), 10**5000)


@pytest.mark.parametrize("factor", [HUGE, Fraction(1, HUGE)])
@pytest.mark.parametrize("most", [None, 3])
def test_the_frontier_of_rewards_beyond_all_floats(three_states, factor, most):
    """It is the frontier in another unit; the widest chord is still refined first."""
    model = three_states()
    scaled = model.with_reward([v * factor for v in model.reward_vector().fractions()])
    plain, found = (frontier(ChanceProblem(m, [2], 3), most=most) for m in (model, scaled))
    assert found.kinks == tuple((risk, value * factor) for risk, value in plain.kinks)
    assert found.complete == plain.complete == (most is None)


@pytest.mark.parametrize(
    ("discount", "width", "steps"),
    [
        # The gap is the value 1 / (1 - 9/10 g) of being risky for ever, times g^N.
        (Fraction(1, 10**20), Fraction(1, 10**60), 4),
        (Fraction(1, 10**100), Fraction(1, HUGE), 5),
        (HALF, Fraction(1, HUGE), 1330),
        (Fraction(0), Fraction(1, HUGE), 1),
    ],
)
def test_horizons_of_extreme_discounts_and_widths(discount, width, steps):
    """The least N with g^N gap <= width; gaps are above 1, so 10^-60 of the first is too much.

    For g = 1/2 the gap is 20/11; 2^1330 = 2.34 10^400 is the first power above 1.82 10^400.
    """
    assert eventual._horizon(discount, 1 / (1 - discount * 9 / 10), width, None) == steps


def test_a_discount_closer_to_one_than_any_float_needs_too_many_decisions():
    discount = 1 - Fraction(1, HUGE)
    with pytest.raises(ModelError, match="needs more than 10000 decisions at discount 9999"):
        eventual._horizon(discount, Fraction(2), Fraction(1), None)


def test_a_solution_at_an_extreme_discount():
    tiny = Fraction(1, 10**20)
    law = [[[1 - TENTH, TENTH], [1, 0]], [[0, 1]] * 2]
    model = from_arrays(law, [[1, 0], [0, 0]], discount=tiny, initial=[1, 0])
    found = enclose_eventual(model, [1], TENTH, width=tiny**3)
    assert found.horizon == 4
    assert found.upper - found.lower <= found.width_bound <= tiny**3


def test_episodes_start_by_weights_beyond_all_floats(three_states):
    model = three_states().with_initial([1, HUGE, 0])
    chance = ChanceProblem(model, [2], 2)
    episodes = draw_episodes(chance, minimum_risk(chance).choices, episodes=20)
    assert episodes[:, 0].tolist() == [1] * 20


# -- too large -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"horizon": 4_000_000_000},
            "horizon is 4000000000: with 2 values of the memory and 3 states that is 24000000000 "
            r"cells \(time, memory, state\), more than the 50000000 .*; shorten the horizon$",
        ),
        (
            {"horizon": 5000, "charge": HALF},
            r"with 5001 values .* shorten the horizon, or take a charge of 0 or 1: the memory then",
        ),
    ],
)
def test_horizons_that_no_table_can_hold_are_refused(three_states, change, message):
    with pytest.raises(ModelError, match=message):
        ChanceProblem(three_states(), [2], **change)


def test_the_largest_table_is_allowed(three_states, monkeypatch):
    monkeypatch.setattr(problem, "LARGEST", 24)
    assert ChanceProblem(three_states(), [2], 4).horizon == 4
    with pytest.raises(ModelError, match=r"that is 30 cells .* more than the 24"):
        ChanceProblem(three_states(), [2], 5)


def test_flag_programs_of_long_horizons_are_refused_at_once(three_states):
    with pytest.raises(ModelError, match="at least 8000001 rows"):
        solve_by_flag_program(ChanceProblem(three_states(), [2], 8_000_000), "1/10")
