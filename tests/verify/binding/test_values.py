"""What a claim may yield, and how everything else is refused."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.theory import Domain, Quantity
from holdfast.verify.binding.values import Ball, ClaimError, Count, Mean, checked
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


def mean(*samples: Fraction | int, lo: int = 0, hi: int = 1) -> Mean:
    found = [Fraction(sample) for sample in samples]
    squares = sum((sample**2 for sample in found), Fraction(0))
    return Mean(len(found), sum(found, Fraction(0)), squares, Fraction(lo), Fraction(hi))


def test_the_variance_of_a_mean_is_the_unbiased_one() -> None:
    """0, 0, 1: deviations -1/3, -1/3, 2/3 have squares 1/9 + 1/9 + 4/9 = 2/3, over 3 - 1."""
    assert mean(0, 0, 1).variance == Fraction(1, 3)
    assert mean(HALF).variance == 0


@pytest.mark.parametrize("sums", [
    (0, 0, 0), (3, 4, 2), (3, -1, 1), (3, 1, Fraction(1, 4)), (3, 1, Fraction(5, 4)),
])  # fmt: skip
def test_sums_that_no_samples_of_the_range_have(sums: tuple[int, int, Fraction]) -> None:
    """No samples; a sum above or below the range; squares less than the square of the sum over n,
    or more than samples at the ends of the range have: of 0, 0, 1 they are 1, and no more."""
    samples, total, squares = sums
    with pytest.raises(ValueError, match=r"no mean|cannot have the sum"):
        Mean(samples, Fraction(total), Fraction(squares), Fraction(0), Fraction(1))
    with pytest.raises(ValueError, match="need no mean; yield the number"):
        mean(1, lo=1, hi=1)


def test_the_range_of_a_mean_lies_in_the_domain() -> None:
    inside = mean(0, 1)
    assert checked("here", BOTH, {x: inside, k: 0})[x] is inside
    with pytest.raises(ClaimError, match=r"mean of samples in \[0, 2\], which its domain does not"):
        checked("here", BOTH, {x: mean(0, 1, hi=2), k: 0})
    with pytest.raises(ClaimError, match=r"k is the mean of samples .*an integer"):
        checked("here", BOTH, {x: 0, k: mean(0, 1)})
    assert checked("here", BOTH, {x: mean(0, 1, hi=2), k: 0}, domains=False)
