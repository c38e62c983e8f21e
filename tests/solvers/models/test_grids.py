"""The square with two discs: its cells, slips and rewards, by hand."""

from fractions import Fraction

import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.models.grids import two_discs


def test_the_square_has_the_stated_cells_slips_and_rewards():
    model = two_discs()
    assert (model.n_states, model.n_choices, model.discount) == (256, 2304, 1)
    assert model.coordinates[17] == (1, 1)
    # the corner (0, 0), moving nowhere: 16 + two slips that are clipped stay, two slips leave
    assert dict(model.transition_row(4)) == {
        0: Fraction(18, 20),
        16: Fraction(1, 20),
        1: Fraction(1, 20),
    }
    # (0, 0) is 2 15^2 = 450 from the corner: 1000 / 450.1 = 2.22 -> 2; (1, 0) and (0, 1) are 421: 2
    assert model.reward_vector()[4] == Fraction(2, 1000)
    # at the goal, staying: 18/20 of 1000 / (1/10) = 10^4, and 2/20 of 1000 / (11/10) = 909.09
    goal = model.choice_start[255] + 4
    assert model.reward_vector()[int(goal)] == Fraction(18 * 10_000 + 2 * 909, 20 * 1000)


def test_unsafe_cells_are_those_within_the_discs():
    """The first disc has its rows at x = 5..10, y = 8..12, by (x - 7.5)^2 + (y - 10)^2 <= 6.25."""
    cells = [(x, y) for x in range(16) for y in range(16)]
    first = {16 * x + y for x, y in cells if (2 * x - 15) ** 2 + (2 * y - 20) ** 2 <= 25}
    second = {16 * x + y for x, y in cells if (2 * x - 20) ** 2 + (2 * y - 10) ** 2 <= 25}
    unsafe = set(two_discs().label("unsafe"))
    assert unsafe == first | second
    assert 16 * 7 + 10 in first
    assert 16 * 7 + 13 not in first


def test_a_finer_square_has_the_same_discs_in_proportion():
    """Each cell of the 16 x 16 square becomes 4 x 4, so the unsafe share hardly changes."""
    coarse, fine = (len(two_discs(side).label("unsafe")) / side**2 for side in (16, 32))
    assert abs(coarse - fine) < 0.02


def test_a_square_needs_two_cells_a_side():
    with pytest.raises(ModelError, match="side is 1"):
        two_discs(1)
