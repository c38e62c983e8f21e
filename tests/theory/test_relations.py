"""Relations stay as they were written; sympy decides nothing about them."""

import pickle

import pytest
import sympy

from holdfast.theory import Both, Domain, Eq, Ge, Gt, Le, Lt, Ne, Quantity, Relation, Sign

x = Quantity("x", "a number", Domain.NONNEGATIVE, "x")
y = Quantity("y", "another number", Domain.REAL, "y_0")
MAKERS = (Le, Lt, Ge, Gt, Eq, Ne)


@pytest.mark.parametrize("make", MAKERS)
def test_a_relation_between_equal_sides_is_not_decided(make) -> None:
    relation = make(x, x)
    assert isinstance(relation, Relation)
    assert (relation.left, relation.right) == (x, x)
    assert str(relation) == f"x {relation.sign.value} x"


def test_sympy_would_have_decided() -> None:
    """The reason for a class of our own."""
    assert sympy.Le(x, x) is sympy.true


@pytest.mark.parametrize("make", MAKERS)
def test_a_relation_decided_by_a_domain_is_kept(make) -> None:
    """x >= 0 by its domain, which must not turn 0 <= x into True."""
    relation = make(0, x)
    assert relation.quantities == {x}
    assert relation.left == sympy.Integer(0)


def test_signs_have_one_maker_each() -> None:
    assert {make(x, y).sign for make in MAKERS} == set(Sign)


@pytest.mark.parametrize(("sign", "latex"), [
    (Sign.LE, r"\le"), (Sign.LT, "<"), (Sign.GE, r"\ge"),
    (Sign.GT, ">"), (Sign.EQ, "="), (Sign.NE, r"\ne"),
])  # fmt: skip
def test_latex_of_a_relation_reads_as_it_was_written(sign: Sign, latex: str) -> None:
    assert Relation(x, sign, y).to_latex() == f"x {latex} y_0"


def test_latex_moves_nothing_across() -> None:
    assert Le(x - y, y / 2).to_latex() == r"x - y_0 \le \frac{y_0}{2}"


@pytest.mark.parametrize("side", [sympy.true, x > 0])
def test_a_boolean_side_is_refused(side: object) -> None:
    with pytest.raises(TypeError, match="must be an expression"):
        Le(side, y)


def test_a_bare_symbol_is_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match=r"'z' is a bare symbol|z is a bare symbol") as caught:
        Le(x, sympy.Symbol("z") + 1)
    assert "Quantity('z', meaning)" in str(caught.value)


def test_a_conjunction_keeps_its_parts_in_order() -> None:
    both = Both(Le(x, y), Ge(y, 0))
    assert [str(part) for part in both.parts] == ["x <= y", "y >= 0"]
    assert both.quantities == {x, y}
    assert str(both) == "x <= y and y >= 0"
    assert both.to_latex().count(r"\quad") == 1


def test_a_conjunction_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two relations, got 1"):
        Both(Le(x, y))


@pytest.mark.parametrize("relation", [Le(x, x), Both(Eq(x, y), Lt(y, x**2))])
def test_relations_survive_pickling(relation: Relation | Both) -> None:
    again = pickle.loads(pickle.dumps(relation))
    assert again == relation
    assert again.quantities == relation.quantities
    assert again.to_latex() == relation.to_latex()
