"""Quantities: symbols with a meaning, a domain and a typeset form."""

import copy
import pickle
from fractions import Fraction

import pytest
import sympy

from holdfast.theory import Domain, Quantity

x = Quantity("x", "a number", Domain.NONNEGATIVE, r"\xi")
HALF, BIG = Fraction(1, 2), Fraction(10**30)


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        (Domain.REAL, [-BIG, Fraction(0), BIG], []),
        (Domain.NONNEGATIVE, [Fraction(0), BIG], [Fraction(-1, 10**30)]),
        (Domain.POSITIVE, [Fraction(1, 10**30)], [Fraction(0), -HALF]),
        (Domain.DISCOUNT, [Fraction(0), 1 - 1 / BIG], [Fraction(1), -1 / BIG]),
        (Domain.PROBABILITY, [Fraction(0), Fraction(1)], [1 + 1 / BIG, -1 / BIG]),
        (Domain.COUNT, [Fraction(0), Fraction(7)], [HALF, Fraction(-1)]),
        (Domain.TRIALS, [Fraction(1), Fraction(7)], [Fraction(0), 1 + HALF]),
    ],
)
def test_domains_decide_exact_numbers(domain: Domain, inside, outside) -> None:
    assert all(domain.contains(value, value) for value in inside)
    assert not any(domain.contains(value, value) for value in outside)


@pytest.mark.parametrize("domain", list(Domain))
def test_an_interval_is_refused_only_if_wholly_outside(domain: Domain) -> None:
    assert domain.contains(-HALF, Fraction(3, 2))
    wholly_below = domain.contains(Fraction(-2), Fraction(-1))
    assert wholly_below is (domain is Domain.REAL)


@pytest.mark.parametrize("domain", list(Domain))
def test_every_domain_says_in_words_what_it_is(domain: Domain) -> None:
    assert domain.value.startswith(("a real", "an integer", "any real"))


@pytest.mark.parametrize("other", [
    Quantity("y", "a number", Domain.NONNEGATIVE, r"\xi"),
    Quantity("x", "another number", Domain.NONNEGATIVE, r"\xi"),
    Quantity("x", "a number", Domain.REAL, r"\xi"),
    Quantity("x", "a number", Domain.NONNEGATIVE, "x"),
])  # fmt: skip
def test_quantities_differ_if_anything_differs(other: Quantity) -> None:
    assert x != other
    assert sympy.simplify(x - other) != 0


def test_equal_quantities_are_one() -> None:
    again = Quantity("x", "a number", Domain.NONNEGATIVE, r"\xi")
    assert x == again
    assert hash(x) == hash(again)
    assert x - again == 0


@pytest.mark.parametrize("again", [pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)])
def test_copies_keep_everything(again: Quantity) -> None:
    assert again == x
    assert (again.name, again.meaning, again.domain, again.latex) == (
        "x", "a number", Domain.NONNEGATIVE, r"\xi",
    )  # fmt: skip


def test_expressions_of_quantities_survive_pickling() -> None:
    tree = 2 * x**2 / (1 + x)
    again = pickle.loads(pickle.dumps(tree))
    assert again == tree
    assert {symbol.domain for symbol in again.free_symbols} == {Domain.NONNEGATIVE}


def test_latex_is_the_quantity_s_own() -> None:
    assert sympy.latex(x**2) == r"\xi^{2}"
    assert Quantity("q", "no form of its own").latex == "q"


def test_quantities_are_real() -> None:
    """So that sympy keeps Abs and does not invent conjugates."""
    assert x.is_real
    assert sympy.Abs(Quantity("z", "any")) != Quantity("z", "any")
