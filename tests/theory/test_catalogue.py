"""What must be true of every theorem that ships, and what the catalogue refuses."""

import pickle
import re
from dataclasses import replace

import pytest
import sympy

from holdfast import theory
from holdfast.theory import (
    Assumption,
    Domain,
    Le,
    Provenance,
    Quantity,
    Source,
    Standing,
    Theorem,
    catalogue,
)
from holdfast.theory.cmdp import randomisation

CATALOGUE = catalogue()
every_theorem = pytest.mark.parametrize("theorem", CATALOGUE, ids=lambda theorem: theorem.label)


def test_labels_are_unique() -> None:
    labels = [theorem.label for theorem in CATALOGUE]
    assert len(set(labels)) == len(labels)


def test_the_classical_results_are_there() -> None:
    labels = {theorem.label for theorem in CATALOGUE}
    assert {
        "cmdp/strong-duality", "cmdp/multiplier-bound", "cmdp/randomisations", "cmdp/infeasibility",
        "cmdp/splitting", "trust-region/policy-bound", "trust-region/kl-bound",
        "model-based/pessimism", "primal-dual/telescoping", "concentration/hoeffding",
    } <= labels  # fmt: skip


def test_uses_form_no_circle() -> None:
    """A proof may not rest on itself: the edges can be sorted."""
    order = list(sympy.utilities.iterables.topological_sort((
        [theorem.label for theorem in CATALOGUE],
        [(used, theorem.label) for theorem in CATALOGUE for used in theorem.uses],
    )))  # fmt: skip
    assert len(order) == len(CATALOGUE)


@every_theorem
def test_provenance_and_source(theorem: Theorem) -> None:
    assert isinstance(theorem.source.provenance, Provenance)
    assert theorem.source.work
    assert str(theorem.source).startswith(theorem.source.work)
    assert isinstance(theorem.standing, Standing)


@every_theorem
def test_words(theorem: Theorem) -> None:
    assert theorem.title
    assert theorem.proof.endswith(".")
    assert all(assumption.text.endswith(".") for assumption in theorem.given)
    assert all(theorem.assumption(one.name) is one for one in theorem.given)


@every_theorem
def test_quantities_are_those_of_the_relation(theorem: Theorem) -> None:
    symbols: set[sympy.Basic] = set()
    for part in theorem.parts:
        symbols |= part.left.free_symbols | part.right.free_symbols
    extra = theorem.trivial.free_symbols if theorem.trivial is not None else set()
    assert theorem.quantities == symbols | extra
    names = [quantity.name for quantity in theorem.quantities]
    assert len(set(names)) == len(names), "values go by name, so names must not clash"
    for quantity in theorem.quantities:
        assert isinstance(quantity, Quantity)
        assert quantity.meaning
        assert isinstance(quantity.domain, Domain)


@every_theorem
def test_latex_names_every_quantity(theorem: Theorem) -> None:
    latex = theorem.statement_latex()
    assert latex.strip()
    for quantity in theorem.relation.quantities:
        assert quantity.latex in latex, quantity.name


@every_theorem
def test_pickling(theorem: Theorem) -> None:
    again = pickle.loads(pickle.dumps(theorem))
    assert again == theorem
    assert again.statement_latex() == theorem.statement_latex()


def test_a_dangling_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    dangling = replace(randomisation.splitting, uses=("cmdp/no-such-lemma",))
    monkeypatch.setattr(randomisation, "splitting", dangling)
    with pytest.raises(ValueError, match=r"cmdp/splitting uses 'cmdp/no-such-lemma'"):
        theory.catalogue()


def test_a_label_used_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        randomisation, "splitting", replace(randomisation.splitting, label="cmdp/vertices")
    )
    with pytest.raises(ValueError, match="'cmdp/vertices' is used twice"):
        theory.catalogue()


x = Quantity("x", "a number")
SOURCE = Source("the tests", "", Provenance.DERIVED)


@pytest.mark.parametrize("label", ["nothing", "/name", "area/", ""])
def test_a_label_without_area_or_name_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="must read 'area/name'"):
        Theorem(label, "A title", Le(x, 1), SOURCE)


def test_a_relation_without_quantities_is_refused() -> None:
    with pytest.raises(ValueError, match="has no quantity left to check"):
        Theorem("tests/constants", "A title", Le(1, 2), SOURCE)


def test_two_quantities_of_one_name_are_refused() -> None:
    """Values go by name: x + v <= v' would be examined as x + v <= v."""
    one, two = Quantity("v", "one"), Quantity("v", "two")
    with pytest.raises(ValueError, match="two different quantities are called 'v'"):
        Theorem("tests/twice", "A title", Le(x + one, two), SOURCE)


def test_what_is_known_speaks_of_the_statement() -> None:
    other = Quantity("other", "another number")
    with pytest.raises(ValueError, match="speaks of other, which the statement does not mention"):
        Theorem("tests/known", "A title", Le(x, 1), SOURCE, known=(Le(other, x),))


def test_an_unknown_assumption_is_answered_with_those_there_are() -> None:
    theorem = Theorem("tests/one", "T", Le(x, 1), SOURCE, given=(Assumption("sunny", "It is."),))
    with pytest.raises(KeyError, match="no assumption 'rainy'; it has: sunny"):
        theorem.assumption("rainy")


def test_the_trivial_bound_s_quantities_count() -> None:
    y = Quantity("y", "another")
    assert Theorem("tests/trivial", "T", Le(x, 1), SOURCE, trivial=y).quantities == {x, y}


def test_provenance_and_standing_say_what_they_are_worth() -> None:
    assert all(len(member.value) > 5 for member in (*Provenance, *Standing))


def test_what_is_known_is_part_of_a_statement_that_is_used() -> None:
    stated = {theorem.label: theorem for theorem in catalogue()}
    known = [(theorem, part) for theorem in catalogue() for part in theorem.known]
    assert known
    for theorem, part in known:
        used = [stated[label] for label in theorem.uses if part in stated[label].parts]
        assert used, f"{theorem.label} knows {part}, which nothing says that it uses"
        assert not any(one.standing.is_false for one in used)
        assert all(set(one.given) <= set(theorem.given) for one in used)


_OF_A_PROGRAM = re.compile(
    r"(optimal|best) (value|return)|optimum|dual value of|least (l1 |dual )?(cost|value)|"
    r"largest E |value of (the|N) .*(program|free decisions)"
)


@every_theorem
def test_the_value_of_a_program_shows_the_program(theorem: Theorem) -> None:
    """Its own symbol may write it out."""
    for quantity in theorem.quantities:
        if _OF_A_PROGRAM.match(quantity.meaning) and r"\min" not in quantity.latex:
            assert quantity.program, quantity
