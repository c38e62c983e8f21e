"""What a claim may yield, and how everything else is refused."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.theory import Domain, Quantity
from holdfast.verify.binding.values import Ball, ClaimError, Count, checked
from holdfast.verify.kernel import Enclosure

x = Quantity("x", "a probability", Domain.PROBABILITY)
k = Quantity("k", "how many", Domain.COUNT)
BOTH = frozenset({x, k})
HALF = Fraction(1, 2)


def test_integers_become_fractions_and_the_rest_stays() -> None:
    ball, count = Ball(lambda: flint.arb(1)), Count(1, 2)
    assert checked("here", BOTH, {x: 1, k: 3}) == {x: Fraction(1), k: Fraction(3)}
    assert type(checked("here", BOTH, {x: 1, k: 3})[k]) is Fraction
    assert checked("here", BOTH, {x: ball, k: 0})[x] is ball
    assert checked("here", BOTH, {x: count, k: 0})[x] is count
    wide = Enclosure(HALF, Fraction(3, 2))
    assert checked("here", BOTH, {x: wide, k: 0})[x] is wide


@pytest.mark.parametrize(
    "value", [0.5, True, None, "1/2", np.float64(0.5), np.int64(1), 1j, [1], float("nan")]
)
def test_what_is_no_evidence_is_refused_with_what_to_yield_instead(value: object) -> None:
    with pytest.raises(ClaimError, match=r"here: x = .*a float is not evidence"):
        checked("here", BOTH, {x: value, k: 0})


@pytest.mark.parametrize("values", [
    {x: Fraction(3, 2), k: 0}, {x: 0, k: HALF}, {x: 0, k: -1},
    {x: Enclosure(Fraction(2), Fraction(3)), k: 0},
])  # fmt: skip
def test_values_outside_their_domain(values: object) -> None:
    with pytest.raises(ClaimError, match=r"is outside its domain, (a real|an integer)"):
        checked("here", BOTH, values)
    assert checked("here", BOTH, values, domains=False)


def test_a_missing_quantity_is_named_with_its_meaning() -> None:
    with pytest.raises(ClaimError, match=r"here: no value for k \(how many\)"):
        checked("here", BOTH, {x: 0})


def test_an_unknown_quantity_is_answered_with_the_known_ones() -> None:
    other = Quantity("other", "something else")
    with pytest.raises(ClaimError, match="here: the theorem has no quantity other; it has k, x"):
        checked("here", BOTH, {x: 0, k: 0, other: 0})


def test_a_quantity_of_the_same_name_and_another_meaning_is_unknown() -> None:
    with pytest.raises(ClaimError, match="the theorem has no quantity x"):
        checked("here", BOTH, {Quantity("x", "not that one", Domain.PROBABILITY): 0, k: 0})


@pytest.mark.parametrize("values", [None, [], (x, 1), 3])
def test_something_else_than_a_mapping(values: object) -> None:
    with pytest.raises(ClaimError, match=r"yields \{quantity: value\}, got"):
        checked("here", BOTH, values)


@pytest.mark.parametrize("pair", [(-1, 5), (6, 5), (0, 0), (1, 0)])
def test_impossible_counts(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"{pair[0]} successes in {pair[1]} trials is not a count"):
        Count(*pair)
