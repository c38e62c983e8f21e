"""What optimal policies look like: one randomised cell, the flip it equals; exact evaluation."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from holdfast.solvers import WORLDS, ModelError, Vector
from holdfast.solvers.chance import (
    ChanceProblem,
    evaluate_episode_flip,
    evaluate_policy,
    evaluate_step_flip,
    resolutions,
    solve,
    solve_by_flag_program,
)


@pytest.mark.parametrize("seed", range(30))
def test_one_cell_is_the_same_as_one_flip_an_episode(random_problem, seed):
    """Splitting: the weight q of the flip solves pi = q x2 / (q x2 + (1 - q) x1)."""
    problem = random_problem(seed)
    for level in (Fraction(1, 9), Fraction(1, 3), Fraction(3, 5)):
        solution = solve(problem, level)
        if solution.value is None:
            continue
        exact = (solution.value, solution.risk)
        split = resolutions(solution)
        one, two = split.safer, split.bolder
        flipped = evaluate_episode_flip(problem, one.choices, two.choices, split.weight)
        assert flipped == evaluate_policy(problem, solution.policy.choices, solution.mixed) == exact
        ends = (solution.safer.choices, solution.bolder.choices)
        assert evaluate_episode_flip(problem, *ends, solution.flip_probability) == exact
        assert np.count_nonzero(one.choices != two.choices) == len(solution.mixed) <= 1
        # A layer is passed once, and up to it both parts are one policy.
        assert split.visits[0] == split.visits[1]
        slope = solution.multiplier
        for part in (one, two, solution.safer, solution.bolder):
            assert part.value - slope * part.risk == exact[0] - slope * exact[1]


def walk(problem, solution) -> list[tuple[Fraction, Fraction]]:
    """(value, risk) of the policies between both ends, changing one cell after the other."""
    table = solution.safer.choices.copy()
    cells = np.argwhere(table != solution.bolder.choices)
    points = [evaluate_policy(problem, table)]
    for cell in reversed([tuple(cell) for cell in cells.tolist()]):
        table[cell] = solution.bolder.choices[cell]
        points.append(evaluate_policy(problem, table))
    return points


def ties() -> ChanceProblem:
    """Two cells of the same slope: 0 -> 1 or 2, where one may each earn 1 at a risk of 1/2."""
    from holdfast.solvers import from_arrays

    half = Fraction(1, 2)
    law = [
        [[0, half, half, 0, 0]] * 2,
        [[0, 0, 0, 1, 0], [0, 0, 0, half, half]],
        [[0, 0, 0, 1, 0], [0, 0, 0, half, half]],
        [[0, 0, 0, 1, 0]] * 2,
        [[0, 0, 0, 0, 1]] * 2,
    ]
    reward = [[0, 0], [0, 1], [0, 1], [0, 0], [0, 0]]
    return ChanceProblem(from_arrays(law, reward, discount=1, initial=[1, 0, 0, 0, 0]), [4], 2)


def test_the_walk_stays_optimal_and_stops_at_the_level():
    """Each cell adds risk 1/4 and value 1/2: kinks at 0 and 1/2, and 1/4 on the way between."""
    problem = ties()
    solution = solve(problem, "3/8")
    assert (solution.safer.risk, solution.bolder.risk) == (0, Fraction(1, 2))
    assert solution.flip_probability == Fraction(3, 4)
    points = walk(problem, solution)
    assert [risk for _, risk in points] == [0, Fraction(1, 4), Fraction(1, 2)]
    assert all(b[0] - a[0] == 2 * (b[1] - a[1]) for a, b in pairwise(points))
    # Half of the second quarter.
    assert (solution.policy.risk, solution.cell.probability) == (Fraction(1, 4), Fraction(1, 2))


def test_a_deterministic_policy_may_meet_the_level_between_two_kinks():
    solution = solve(ties(), "1/4")
    assert (solution.flip_probability, solution.cell) == (Fraction(1, 2), None)
    assert (solution.policy.value, solution.policy.risk) == (Fraction(1, 2), Fraction(1, 4))


def test_a_kink_needs_no_flip(three_states):
    """1/5 is the risk of the second kink of G3 (test_golden.py): nothing is drawn there."""
    solution = solve(ChanceProblem(three_states(), [2], 3), "1/5")
    assert solution.safer is solution.bolder is solution.policy
    assert (solution.value, solution.risk) == (Fraction(134, 25), Fraction(1, 5))
    assert Fraction(55, 4) <= solution.multiplier <= Fraction(77, 5)


@pytest.mark.parametrize("seed", range(20))
def test_flag_programs_randomise_at_most_once(random_problem, seed):
    solution = solve_by_flag_program(random_problem(seed), "2/7")
    assert len(solution.mixed) <= 1
    if solution.cell is not None:
        assert set(solution.cell.law) == {solution.cell.safer, solution.cell.bolder}
        assert 0 < solution.cell.probability < 1


def test_step_flips_of_the_square_differ_unless_one_cell_does():
    """Neighbouring kinks that differ in one cell draw once anyway; distant ones do not."""
    world = WORLDS["two-discs"]
    model = world.build()
    problem = ChanceProblem(model, model.label("unsafe"), world.horizon)
    near, far = (solve(problem, level) for level in ("17/100", "9/10"))
    ends, flip = (near.safer.choices, near.bolder.choices), near.flip_probability
    exact = (near.value, Fraction(17, 100))
    assert evaluate_episode_flip(problem, *ends, flip) == exact
    assert evaluate_step_flip(problem, *ends, flip) == exact
    distant = (near.safer.choices, far.bolder.choices)
    once, each = (f(problem, *distant, flip) for f in (evaluate_episode_flip, evaluate_step_flip))
    assert once[0] != each[0]
    assert once[1] != each[1]


def test_evaluation_by_hand(three_states):
    """Choice 0 in 0 and in 1, two decisions: 3 + 4/10 3 + 4/10 5 + 2/10 2 = 33/5; risk
    2/10 + 4/10 2/10 + 4/10 4/10 = 11/25 for the joint chance; Boole's sum adds 2/10 5/10 0 = 0."""
    table = np.array([[[0, 2, 4]] * 2] * 2)
    joint, boole = (ChanceProblem(three_states(), [2], 2, charge=z) for z in (0, 1))
    assert evaluate_policy(joint, table) == (Fraction(33, 5), Fraction(11, 25))
    assert evaluate_policy(boole, table[:, :1]) == (Fraction(33, 5), Fraction(11, 25))


def test_evaluation_of_starts_terminals_and_lost_rewards(three_states):
    """One decision from 2, which counts as a visit: nothing is earned, and the level is spent."""
    options = {"counts_start": True, "terminal": Vector((2, 4, 6), 3), "charge": Fraction(1, 2)}
    model = three_states(discount=Fraction(1, 2), initial=[0, 0, 1])
    table = np.array([[[0, 2, 4]] * 2])
    full = ChanceProblem(model, [2], 1, **options)
    lost = ChanceProblem(model, [2], 1, reward_after_violation=False, **options)
    # 2 + 1/2 (1/2 2/3 + 1/2 4/3) = 5/2.
    assert evaluate_policy(full, table) == (Fraction(5, 2), 1)
    assert evaluate_policy(lost, table) == (0, 1)


@pytest.mark.parametrize(
    ("table", "mixed", "message"),
    [
        ([[[0, 2, 4]]], {}, r"has shape \(1, 1, 3\); it needs \(1, 2, 3\)"),
        ([[[0, 2, 4], [0, 2, 1]]], {}, r"choice 1 at \(time 0, memory 1, state 2\); .* 4 \.\. 5"),
        ([[[0.5, 2, 4]] * 2], {}, "dtype float64; it holds ints"),
        ([[[0, 2, 4]] * 2], {(0, 0, 9): {0: 1}}, r"\(0, 0, 9\) is no \(time, memory, state\)"),
        ([[[0, 2, 4]] * 2], {(0, 0, 0): {2: 1}}, r"at \(0, 0, 0\) are \[2\]; .* 0 \.\. 1"),
        ([[[0, 2, 4]] * 2], {(0, 0, 0): {0: "1/2"}}, r"is \{0: 1/2\}; it must be >= 0 with sum 1"),
    ],
)
def test_tables_that_are_no_policies_are_refused(three_states, table, mixed, message):
    with pytest.raises(ModelError, match=message):
        evaluate_policy(ChanceProblem(three_states(), [2], 1), table, mixed)


def test_probabilities_outside_the_unit_interval_are_refused(three_states):
    table = [[[0, 2, 4]] * 2]
    with pytest.raises(ModelError, match=r"probability is 3/2; it must lie in \[0, 1\]"):
        evaluate_episode_flip(ChanceProblem(three_states(), [2], 1), table, table, "3/2")


def test_there_is_nothing_to_split_in_an_infeasible_problem(three_states):
    model = three_states(initial=[0, 0, 1])
    solution = solve(ChanceProblem(model, [2], 1, counts_start=True), 0)
    with pytest.raises(ValueError, match="no policy to split: start state 2 is unsafe"):
        resolutions(solution)
