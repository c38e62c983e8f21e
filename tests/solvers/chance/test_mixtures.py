"""Mixtures of atoms: pairs, duals and linear programs agree exactly."""

from fractions import Fraction

import pytest

from holdfast.solvers import solve_linear_program
from holdfast.solvers.chance.mixtures import (
    Atom,
    atom_program,
    best_pair,
    best_single,
    dual_value,
    level_value,
    reduce_to_two,
)
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.chance.families.mixtures import atom_weights, atoms

F = Fraction
SAFE, RISKY, MIDDLE = Atom(F(0), F(1)), Atom(F(4), F(0)), Atom(F(1), F(1, 2))


def test_three_atoms_by_hand() -> None:
    """At least 3/4 safe: a quarter of the risky one gives 1; the middle one half the time 1/2."""
    found = best_pair([SAFE, MIDDLE, RISKY], F(3, 4))
    assert found is not None
    assert (found.value, found.safety, found.atoms) == (1, F(3, 4), (0, 2))
    assert found.weight == F(3, 4)
    single = best_single([SAFE, MIDDLE, RISKY], F(1, 2))
    assert single is not None
    assert (single.value, single.atoms) == (1, (1,))
    assert level_value([SAFE, MIDDLE, RISKY], F(1, 2)) == 1
    assert level_value([MIDDLE, RISKY], F(1, 4)) is None
    assert dual_value([SAFE, MIDDLE, RISKY], F(3, 4)) == 1


def test_nothing_safe_enough() -> None:
    for program in (best_single, best_pair, dual_value):
        assert program([MIDDLE, RISKY], F(3, 4)) is None


def test_pairs_duals_and_programs_agree() -> None:
    for index in range(60):
        (drawn,) = atoms().draw(PhiloxDraw("mixtures", index))
        least = 1 - drawn.level
        pair = best_pair(drawn.atoms, least)
        assert pair is not None
        assert pair.safety >= least
        assert pair.value == dual_value(drawn.atoms, least)
        assert pair.value == solve_linear_program(atom_program(drawn.atoms, least)).value


def test_reduction_keeps_value_and_safety() -> None:
    for index in range(40):
        drawn, weights = atoms().along(atom_weights).draw(PhiloxDraw("reduce", index))
        found = reduce_to_two(drawn.atoms, weights)
        assert all(weights[atom] > 0 for atom in found.atoms)
        assert found.value >= sum(w * a.value for w, a in zip(weights, drawn.atoms, strict=True))
        assert found.safety >= sum(w * a.safety for w, a in zip(weights, drawn.atoms, strict=True))


@pytest.mark.parametrize("weights", [(F(1),), (F(1, 2), F(1, 3)), (F(3, 2), F(-1, 2)), ()])
def test_what_is_no_law_is_refused(weights) -> None:
    with pytest.raises(ValueError, match="are no weights of 2 atoms"):
        reduce_to_two([SAFE, RISKY], weights)
