"""Problems whose optima are known by hand, and the grid with two discs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import WORLDS, from_arrays
from holdfast.solvers.chance import (
    ChanceProblem,
    evaluate_episode_flip,
    evaluate_policy,
    evaluate_step_flip,
    solve,
    solve_by_flag_program,
)

from ...zoo.corridor import LEFT, RIGHT, always, corridor

# G3, three decisions from state 0; unsafe is 2.  In 0 and 1 choice 1 is safe and choice 0 is not.
# Level 0: safe choices only.  V_2 = (1, 0), V_1 = (1 + 6/10, 8/10) = (8/5, 4/5),
#   V_0(0) = 1 + 6/10 8/5 + 4/10 4/5 = 57/25.
# After a violation 2 is worth 2 with one decision left and 2 + 5 = 7 with two (go to 1, earn 5).
# The choice 0 at time 0 has risk 1/5 and is worth 3 + 4/10 8/5 + 4/10 4/5 + 2/10 7 = 134/25: slope
#   (134 - 57)/25 / (1/5) = 77/5, so 1/10 is worth 57/25 + 77/50 = 191/50.
# Next, choice 0 in state 1 at time 1 (reached with 4/10, risk 4/10) gains 5 + 5/10 + 4/10 2 - 4/5 =
#   11/2 for 4/10: slope 55/4, kink at 1/5 + 4/25 = 9/25; 1/4 is worth 134/25 + 55/80 = 2419/400.
# Then choice 0 in state 1 at time 2 gains 5 for 4/10: slope 25/2; the kink at 9/25 is worth
#   134/25 + 22/10 = 189/25, so 2/5 is worth 189/25 + 25/2 1/25 = 403/50.
G3_JOINT = {"0": "57/25", "1/10": "191/50", "1/4": "2419/400", "2/5": "403/50"}
# Boole charges every visit, so the future after a visit is not free.  By falling slope:
#   state 1, time 1: risk 4/10, as above (then 2 earns 2, its safe choice): slope 55/4, reached with
#     4/10, kink (4/25, 112/25); 1/10 is worth 57/25 + 55/40 = 731/200;
#   state 1, time 2: slope 25/2, reached with 6/10 4/10 + 4/10 1/10 = 28/100, kink (34/125, 147/25);
#     1/4 is worth 112/25 + 25/2 9/100 = 1121/200;
#   state 0, time 1: 3 + 4/10 + 4/10 5 + 2/10 2 = 29/5 for 9/25 against 1 + 6/10 + 4/10 5 = 18/5 for
#     4/25: slope 11, reached with 6/10, kink (49/125, 36/5);
#   state 0, time 0: now 1 is worth 34/5 for 11/25, and 2 is worth 5 for 1/5 (its other choice gains
#     2 for 1/5, slope 10, later): 3 + 4/10 29/5 + 4/10 34/5 + 2/10 5 = 226/25 for 14/25, slope
#     (226/25 - 36/5) / (21/125) = 230/21; 2/5 is worth 36/5 + 230/21 1/125 = 3826/525.
G3_BOOLE = {"0": "57/25", "1/10": "731/200", "1/4": "1121/200", "2/5": "3826/525"}


@pytest.mark.parametrize("method", [solve, solve_by_flag_program])
@pytest.mark.parametrize(("charge", "table"), [(0, G3_JOINT), (1, G3_BOOLE)])
def test_three_states(three_states, method, charge, table):
    problem = ChanceProblem(three_states(), [2], 3, charge=charge)
    found = {level: str(method(problem, level).value) for level in table}
    assert found == table


def test_three_states_flip_where_they_should(three_states):
    """The cell and slope of each level, from the derivation above."""
    problem = ChanceProblem(three_states(), [2], 3)
    one, two, three = (solve(problem, level) for level in ("1/10", "1/4", "2/5"))
    assert (one.multiplier, two.multiplier, three.multiplier) == (
        Fraction(77, 5),
        Fraction(55, 4),
        Fraction(25, 2),
    )
    assert (one.cell.cell, one.cell.law) == ((0, 0, 0), {1: Fraction(1, 2), 0: Fraction(1, 2)})
    # (1/4 - 1/5) / (4/25) = 5/16 of the choice 2 (the first of state 1).
    assert (two.cell.cell, two.cell.law) == ((1, 0, 1), {3: Fraction(11, 16), 2: Fraction(5, 16)})
    assert [end.risk for end in (two.safer, two.bolder)] == [Fraction(1, 5), Fraction(9, 25)]
    assert two.flip_probability == Fraction(5, 16)


def forgetful() -> ChanceProblem:
    """G7.  0 -> 1 (unsafe) with 1/10, else 2; both -> 3, where one may earn 1 by entering 1."""
    tenth = Fraction(1, 10)
    stay = [[0, 0, 0, 1]] * 2
    law = [[[0, tenth, 1 - tenth, 0]] * 2, stay, stay, [[0, 0, 0, 1], [0, 1, 0, 0]]]
    model = from_arrays(law, [[0, 0]] * 3 + [[0, 1]], discount=1, initial=[1, 0, 0, 0])
    return ChanceProblem(model, [1], 3)


def test_policies_without_memory_are_worse():
    """Level 1/10 is spent by the forced hazard: those who had it may be reckless, nobody else."""
    problem = forgetful()
    best = solve(problem, "1/10")
    assert (best.value, best.risk) == (Fraction(1, 10), Fraction(1, 10))
    table = np.array([[[0, 2, 4, 6]] * 2] * 3)
    for q in (Fraction(0), Fraction(1, 3), Fraction(1)):
        law = {6: 1 - q, 7: q}
        blind = evaluate_policy(problem, table, {(2, 0, 3): law, (2, 1, 3): law})
        assert blind == (q, Fraction(1, 10) + Fraction(9, 10) * q)


@pytest.mark.parametrize("horizon", [1, 2, 10])
def test_booles_factor_is_attained(horizon):
    """G8.  One risky choice, worth 1, is unsafe for ever after: Boole counts it T times."""
    law = [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2]
    model = from_arrays(law, [[1, 0], [0, 0], [0, 0]], discount=1, initial=[1, 0, 0])
    joint, boole = (
        solve(ChanceProblem(model, [1], horizon, charge=z), "1/10").value for z in (0, 1)
    )
    assert (joint, boole) == (Fraction(1, 10), Fraction(1, 10 * horizon))


def test_flipping_every_step_is_not_flipping_once():
    """A corridor: left-left and right-right are safe and worth 1, anything else is a crash.

    Flipped once an episode they stay safe; flipped at each step the two draws differ in half of the
    episodes.
    """
    problem, left, right = corridor(), always(LEFT), always(RIGHT)
    assert evaluate_policy(problem, left) == evaluate_policy(problem, right) == (1, 0)
    assert evaluate_episode_flip(problem, left, right, "1/2") == (1, 0)
    assert evaluate_step_flip(problem, left, right, "1/2") == (Fraction(1, 2), Fraction(1, 2))
    q = Fraction(1, 3)
    assert evaluate_step_flip(problem, left, right, q) == (q**2 + (1 - q) ** 2, 2 * q * (1 - q))


# An independent program (plain backward induction over all choices in integers, without screening)
# gave these optima of the 16x16 grid, T = 30: level -> (joint optimum, value of the safer kink,
# optimum under Boole's sum), rounded to four decimals.
TWO_DISCS = {
    "1/20": ("85.5470", "82.5115", "85.2688"),
    "1/10": ("90.4064", "89.2386", "89.6591"),
    "17/100": ("95.9886", "93.8719", "93.6352"),
    "22/100": ("99.9751", "99.8718", "96.4750"),
    "3/10": ("106.3528", "106.3014", "101.0187"),
}


@pytest.mark.parametrize("level", TWO_DISCS)
def test_the_square_with_two_discs(level):
    world = WORLDS["two-discs"]
    model = world.build()
    joint, boole = (
        ChanceProblem(model, model.label("unsafe"), world.horizon, charge=z) for z in (0, 1)
    )
    one, other = solve(joint, level), solve(boole, level)
    shown = tuple(f"{float(v):.4f}" for v in (one.value, one.safer.value, other.value))
    assert shown == TWO_DISCS[level]
    for problem, solution in ((joint, one), (boole, other)):
        exact = (solution.value, Fraction(level))
        assert evaluate_policy(problem, solution.policy.choices, solution.mixed) == exact
        ends, flip = (solution.safer.choices, solution.bolder.choices), solution.flip_probability
        assert evaluate_episode_flip(problem, *ends, flip) == exact


@pytest.mark.slow
@pytest.mark.parametrize("charge", [0, 1])
def test_the_large_square(charge):
    """64x64 cells, 100 decisions of 9 moves: exact, and optimal by its own exact bound."""
    world = WORLDS["two-discs-64"]
    model = world.build()
    problem = ChanceProblem(model, model.label("unsafe"), world.horizon, charge=charge)
    solution = solve(problem, "17/100")
    assert sum(solution.statistics["seconds"].values()) < 60
    found = evaluate_policy(problem, solution.policy.choices, solution.mixed)
    assert found == (solution.value, Fraction(17, 100))
