"""Claims on the best relative budget: maximisers on a grid, certified against its other points."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers.relative_budget.criteria import best_budget
from holdfast.theory import Eq
from holdfast.theory.relative_budget import optimum as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Values
from ..families import gamma as families
from ..families.gamma import Cell


@claim(theory.inside, over=families.CELLS_INSIDE)
def inside(cell: Cell) -> Iterator[Values]:
    yield {theory.best_budget: best_budget(*cell)}


@claim(
    theory.outside,
    over=families.CELLS_OUTSIDE,
    survivors=dict.fromkeys(
        ("Abs(best_budget) > 1/4", "Abs(best_budget + 7/4) > 1/4"), "true: best_budget > 1/4"
    ),
)
def outside(cell: Cell) -> Iterator[Values]:
    yield {theory.best_budget: best_budget(*cell)}


@claim(
    theory.kappa_moves,
    over=families.PAIRS,
    mutants=(
        NamedMutant("RB-T6-one", Eq(theory.best_budget, 1), "the optimum is at xi = 1"),
        NamedMutant(
            "RB-T6-constant",
            Eq(theory.best_budget, theory.with_larger),
            "the optimum does not depend on kappa",
        ),
    ),
)
def kappa_moves(radii: tuple[int, Fraction, Fraction]) -> Iterator[Values]:
    shape, smaller, larger = radii
    yield {
        theory.best_budget: best_budget("samples of one step", shape, smaller),
        theory.with_larger: best_budget("samples of one step", shape, larger),
    }
