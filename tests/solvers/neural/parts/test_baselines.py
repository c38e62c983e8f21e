"""Policies that learn nothing on the two discs: what they are worth, by two exact methods."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers.chance import evaluate_policy
from holdfast.solvers.neural.parts.judging import exact_world, expected

TASK = "holdfast/TwoDiscs-v0"
HORIZON = 30
MOVES = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
SLIPS = {(0, 0): 16, (1, 0): 1, (-1, 0): 1, (0, 1): 1, (0, -1): 1}

CELLS = [(x, y) for x in range(16) for y in range(16)]
NEAR = {(x, y): round(1000 / ((15 - x) ** 2 + (15 - y) ** 2 + 0.1)) for x, y in CELLS}
UNSAFE = {
    (x, y): min((x - 7.5) ** 2 + (y - 10) ** 2, (x - 10) ** 2 + (y - 5) ** 2) <= 6.25
    for x, y in CELLS
}  # halves and quarters, which floats hold exactly


def by_hand(moves: list[tuple[int, int]]) -> tuple[Fraction, Fraction]:
    """(value, risk) of a move drawn evenly from some in every step, from the words of the task.

    Nothing of the solvers is used: masses are integers that 20 and the number of moves divide anew
    in each step.
    """
    mass, bottom = {(0, 0, False): 1}, 1
    value = Fraction(0)
    for _ in range(HORIZON):
        following: Counter[tuple[int, int, bool]] = Counter()
        for (x, y, hit), weight in mass.items():
            for a, b in moves:
                for (c, d), slip in SLIPS.items():
                    i, j = min(max(x + a + c, 0), 15), min(max(y + b + d, 0), 15)
                    following[i, j, hit or UNSAFE[i, j]] += weight * slip
        mass, bottom = following, bottom * 20 * len(moves)
        earned = sum(NEAR[i, j] * weight for (i, j, _), weight in mass.items())
        value += Fraction(earned, 1000 * bottom)
    return value, Fraction(sum(w for (_, _, hit), w in mass.items() if hit), bottom)


def judged(moves: list[tuple[int, int]]) -> tuple[Fraction, Fraction]:
    """The same by the exact evaluation of the task's problem."""
    problem = exact_world(TASK).problem
    chosen = [MOVES.index(move) for move in moves]
    table = np.broadcast_to(9 * np.arange(256) + chosen[0], (HORIZON, 2, 256)).copy()
    share = Fraction(1, len(moves))
    mixed = {
        (t, m, s): {9 * s + a: share for a in chosen}
        for t, m, s in np.ndindex(table.shape)
        if len(moves) > 1
    }
    return evaluate_policy(problem, table, mixed)


def test_pressing_into_the_corner_is_safe_and_worth_nearly_nothing() -> None:
    # no slip of one step undoes the move (-1, -1), so the corner is kept; each arrival there earns
    # round(1000 / 450.1) / 1000 = 2/1000
    assert judged([(-1, -1)]) == (30 * Fraction(2, 1000), 0) == by_hand([(-1, -1)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moves", "figures"),
    [([(0, 0)], (0.0691, 8.26e-7)), ([(1, 1)], None), (MOVES, (0.0951, 0.1026))],
    ids=["stay", "diagonal", "random"],
)
def test_baselines_by_two_exact_methods(
    moves: list[tuple[int, int]], figures: tuple[float, float] | None
) -> None:
    found = judged(moves)
    assert found == by_hand(moves)
    law = np.zeros((HORIZON, 2, 256, 9))
    law[..., [MOVES.index(move) for move in moves]] = 1 / len(moves)
    assert expected(exact_world(TASK).problem, law) == pytest.approx(found, rel=1e-9)
    # to be read by people: a trained policy has to be better than these
    assert figures is None or found == pytest.approx(figures, rel=1e-3)
