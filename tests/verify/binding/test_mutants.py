"""Mutants: what is derived from a relation, and what counts as implied by it."""

import random
from fractions import Fraction

import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast import theory
from holdfast.theory import Both, Domain, Eq, Ge, Gt, Le, Lt, Provenance, Quantity, Relation, Source
from holdfast.theory.relations import union
from holdfast.verify.binding.claims import claim, shipped
from holdfast.verify.binding.implied import implied
from holdfast.verify.binding.mutants import derive
from holdfast.verify.engine import expressions
from holdfast.verify.engine.comparison import CompiledRelation

x = Quantity("x", "a number", Domain.NONNEGATIVE)
y = Quantity("y", "a number", Domain.NONNEGATIVE)
z = Quantity("z", "a number", Domain.REAL)
r = Quantity("r", "a number", Domain.REAL)
g = Quantity("g", "a discount", Domain.DISCOUNT)
n = Quantity("n", "a number of trials", Domain.TRIALS)
SOURCE = Source("the tests", "", Provenance.DERIVED)
CLAIMS = {claim.name: claim for claim in shipped() if "#" not in claim.name}


def mutants_of(relation: Relation | Both) -> dict[str, bool]:
    """Name -> whether implied."""
    theorem = theory.Theorem("tests/mutants", "A title", relation, SOURCE)
    return {mutant.name: mutant.implied for mutant in derive(theorem)}


def test_all_of_a_small_relation() -> None:
    """x <= 3 y: the coefficient of x, which is not written; the 3; and y dropped."""
    assert mutants_of(Le(x, 3 * y)) == {
        "9*x/10 <= 3*y": True,
        "11*x/10 <= 3*y": False,
        "x <= 27*y/10": False,
        "x <= 33*y/10": True,
        "x <= 3": False,
    }


def test_exponents_signs_and_terms() -> None:
    found = mutants_of(Le(z, x**2 - y))
    for name in ("z <= x**3 - y", "z <= x - y", "z <= -y", "z <= x**2", "z <= x**2 + y",
                 "z <= -x**2 - y", "z <= 9*x**2/10 - y", "z <= x**2 - 11*y/10"):  # fmt: skip
        assert name in found


def test_lost_absolute_values_and_minima() -> None:
    assert mutants_of(Le(sympy.Abs(z), y))["z <= y"] is True
    found = mutants_of(Eq(z, sympy.Min(x, y)))
    assert {"z == x", "z == y"} <= found.keys()


@pytest.mark.parametrize("function", [sympy.exp, sympy.log])
def test_an_unwritten_coefficient_inside_a_function(function) -> None:
    """exp(-n x^2) has the coefficient -1, which may be wrong like any other."""
    found = mutants_of(Le(y, function(-n * x**2)))
    assert f"y <= {function(-sympy.Rational(11, 10) * n * x**2)}" in found
    assert f"y <= {function(-sympy.Rational(9, 10) * n * x**2)}" in found


def test_roots_move_by_a_half_and_quadratic_constants_once() -> None:
    found = mutants_of(Le(y, sympy.sqrt(x)))
    assert "y <= x" in found
    assert not any("x**(3/2)" in name for name in found)


def test_parts_are_numbered() -> None:
    theorem = theory.Theorem("tests/parts", "T", Both(Le(x, y), Gt(z, 2)), SOURCE)
    assert {mutant.part for mutant in derive(theorem)} == {0, 1}
    assert all(mutant.relation.sign.value == "<=" for mutant in derive(theorem) if not mutant.part)


@pytest.mark.parametrize("name", CLAIMS)
def test_mutants_of_the_catalogue_are_different_and_well_formed(name: str) -> None:
    theorem, derived = CLAIMS[name].theorem, CLAIMS[name].mutants
    assert derived
    names = [mutant.name for mutant in derived]
    assert len(names) == len(set(names))
    for mutant in derived:
        original = theorem.parts[mutant.part]
        assert mutant.relation != original
        assert mutant.relation.sign is original.sign
        assert mutant.relation.quantities
        assert mutant.relation.quantities <= original.quantities
        assert not mutant.relation.left.has(sympy.nan, sympy.zoo)
        CompiledRelation(mutant.relation)


# -- implied
@pytest.mark.parametrize(("original", "variant", "expected"), [
    (Le(x, y), Le(x, 2 * y), True),
    (Le(x, 2 * y), Le(x, y), False),
    (Le(z, x), Le(z, 2 * x), True),
    (Le(x, z), Le(x, 2 * z), True),  # z >= x >= 0
    (Le(z, -x), Le(z, -2 * x), False),
    (Ge(x, y), Ge(2 * x, y), True),
    (Eq(z, 0), Eq(2 * z, 0), True),
    (Eq(z, x), Eq(2 * z, x), False),
    (Le(x, y / (1 - g)), Le(x, y / (1 - g) ** 2), True),
    (Le(x, y / (1 - g) ** 2), Le(x, y / (1 - g)), False),
    (Le(x, sympy.exp(-2 * n * y)), Le(x, sympy.exp(-n * y)), True),
    (Le(x, sympy.exp(-n * y)), Le(x, sympy.exp(-2 * n * y)), False),
    (Le(sympy.Abs(z), y), Le(-z, y), True),
    (Gt(x, y), Gt(x, 0), True),
    (Le(x, y), Le(0, x + y), True),  # by the domains alone
    (Gt(x, y), Gt(x + y, 0), True),
    (Gt(z, y), Gt(x + y, 0), False),  # by the domains it may be an equality
    (Le(x, y), Le(sympy.Rational(9, 10) * x, y + z), False),
    (Le(y, 2 * x - z), Le(y, sympy.Rational(9, 5) * x - sympy.Rational(9, 10) * z), False),
    (Le(x, y / sympy.sqrt(n)), Le(x, y), True),  # n >= 1
    (Le(x, y * sympy.sqrt(n)), Le(x, y), False),
    (Ge(x, g**n * y), Ge(x, g**(n + 1) * y), True),
    (Ge(x, g**(n + 1) * y), Ge(x, g**n * y), False),
    (Ge(r, z**n * y), Ge(r, sympy.Rational(9, 10) * z**n * y), False),
    (Le(x, 1 / (2**n - 1)), Le(x, 2 / (2**n - 1)), True),
    (Le(x, y * (z - 1)**2), Le(x, 2 * y * (z - 1)**2), True),
    (Le(x, y * (z - 1)**3), Le(x, 2 * y * (z - 1)**3), True),  # twice what is at least x
    (Le(z, y * (z - 1)**3), Le(z, 2 * y * (z - 1)**3), False),
    (Le(x, sympy.Min(y, z)), Le(x, z), True),
    (Le(x, sympy.Min(y, z)), Le(x, sympy.Min(2 * y, z)), True),
    (Le(x, sympy.Min(y, z)), Le(x, sympy.Min(y / 2, z)), False),
    (Le(n * sympy.Abs(z - x), y), Le(n * (z - x), y), True),
    (Le(n * (z - x), y), Le(n * sympy.Abs(z - x), y), False),
    (Le(x, y), Lt(x, y), False),
])  # fmt: skip
def test_implied(original: Relation, variant: Relation, expected: bool) -> None:
    assert implied(original, variant) is expected


@pytest.mark.parametrize(("facts", "expected"), [
    ((), False),
    ((Ge(z, 0),), True),
    ((Le(0, z),), True),
    ((Le(z, 0),), False),
    ((Le(x, 1),), False),
    ((Ge(z, y), Ge(y, x)), True),
    ((Eq(z, 0),), False),  # an equality tells no sign here
])  # fmt: skip
def test_what_is_known_besides(facts: tuple[Relation, ...], expected: bool) -> None:
    """r >= g z implies r >= 9/10 g z where z >= 0, and not where z may be negative."""
    assert implied(Ge(r, g * z), Ge(r, sympy.Rational(9, 10) * g * z), facts) is expected


def number(draw: st.DrawFn, domain: Domain) -> Fraction:
    small = st.fractions(0, 20, max_denominator=12)
    match domain:
        case Domain.REAL:
            return draw(st.fractions(-20, 20, max_denominator=12))
        case Domain.NONNEGATIVE:
            return draw(small)
        case Domain.POSITIVE:
            return draw(small) + Fraction(1, 100)
        case Domain.DISCOUNT:
            return draw(st.fractions(0, Fraction(99, 100), max_denominator=100))
        case Domain.PROBABILITY:
            return draw(st.fractions(0, 1, max_denominator=30))
        case Domain.COUNT:
            return Fraction(draw(st.integers(0, 9)))
        case Domain.TRIALS:
            return Fraction(draw(st.integers(1, 9)))


@st.composite
def values_for(draw: st.DrawFn, quantities: frozenset[Quantity]) -> dict[str, Fraction]:
    ordered = sorted(quantities, key=str)
    return {quantity.name: number(draw, quantity.domain) for quantity in ordered}


def solved(original: Relation, values: dict[str, Fraction]) -> dict[str, Fraction]:
    """The values, with one that occurs alone on a side moved so that the relation is an equality.

    Random values seldom make an inequality both true and nearly false, where a wrong proof shows.
    """
    for side, other in ((original.left, original.right), (original.right, original.left)):
        if isinstance(side, Quantity) and side not in other.free_symbols:
            try:
                exact = expressions.exact(other)(values)
            except (expressions.Irrational, expressions.Undefined, ZeroDivisionError):
                return values
            if side.domain.contains(exact, exact):
                return {**values, side.name: exact}
    return values


@given(st.data())
def test_what_is_implied_is_true_wherever_the_original_is(data: st.DataObject) -> None:
    bound = CLAIMS[data.draw(st.sampled_from(sorted(CLAIMS)))]
    mutant = data.draw(st.sampled_from(bound.mutants))
    assume(mutant.implied)
    theorem = bound.theorem
    original, given = theorem.parts[mutant.part], (*theorem.parts, *theorem.known)
    values = data.draw(values_for(union(part.quantities for part in given)))
    for at in (values, solved(original, values)):
        if not any(CompiledRelation(part).refutes(at) for part in given):
            assert not CompiledRelation(mutant.relation).refutes(at), (theorem, mutant.name, at)


def random_tree(rng: random.Random, depth: int) -> sympy.Expr:
    if depth == 0 or rng.random() < 0.3:
        return rng.choice([x, y, z, g, n, sympy.Rational(rng.randint(1, 5), rng.randint(1, 3))])
    left, right = random_tree(rng, depth - 1), random_tree(rng, depth - 1)
    form = rng.choice(["+", "-", "*", "*", "/", "abs", "square"])
    if form == "abs":
        return sympy.Abs(left)
    if form == "square":
        return left**2
    if form == "/":
        return left / (1 - g) if left != 0 else right
    return {"+": left + right, "-": left - right, "*": left * right}[form]


@pytest.mark.parametrize("seed", range(40))
def test_implied_mutants_of_random_relations_are_true_with_them(seed: int) -> None:
    """Relations that nobody wrote, at values where they are true."""
    rng = random.Random(seed)
    left, right = random_tree(rng, 2), random_tree(rng, 3)
    make = rng.choice([Le, Ge, Gt])
    relation = make(left, right)
    if not relation.quantities:
        relation = make(x, right)
    compiled = CompiledRelation(relation)
    theorem = theory.Theorem("tests/random", "T", relation, SOURCE)
    variants = [CompiledRelation(mutant.relation) for mutant in derive(theorem) if mutant.implied]
    domains = {
        Domain.NONNEGATIVE: lambda: Fraction(rng.randint(0, 12), rng.randint(1, 6)),
        Domain.REAL: lambda: Fraction(rng.randint(-12, 12), rng.randint(1, 6)),
        Domain.DISCOUNT: lambda: Fraction(rng.randint(0, 9), 10),
        Domain.TRIALS: lambda: Fraction(rng.randint(1, 9)),
    }
    for _ in range(60):
        at = {quantity.name: domains[quantity.domain]() for quantity in (x, y, z, g, n)}
        if not compiled.refutes(at):
            for variant in variants:
                assert not variant.refutes(at), (str(relation), str(variant.relation), at)


def test_a_survivor_is_named_by_its_relation_or_by_the_text_of_it() -> None:
    theorem = theory.Theorem("tests/survivors", "T", Le(x, 3 * y), SOURCE)
    family = CLAIMS["cmdp/randomisations"].family
    reasons = {Le(x, 3): "one", "x <= 27*y/10": "another"}
    bound = claim(theorem, over=family, survivors=reasons)(lambda model: iter(()))
    assert bound.survivors == {"x <= 3": "one", "x <= 27*y/10": "another"}
    assert set(bound.survivors) <= {mutant.name for mutant in bound.mutants}
