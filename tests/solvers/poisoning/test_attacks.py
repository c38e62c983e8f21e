"""Attacks as functions: which labels they flip, in which order, and what they refuse."""

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning import FlipProblem, dual_value, solve_flips
from holdfast.solvers.poisoning.data import attacks

ONES = np.ones(8)
GAPS = np.array([5, -3, 9, 0, 9, 2, 7, -1])
"""Length of rejected minus chosen: chosen is shorter in pairs 0, 2, 4, 5 and 6."""


def flipped(labels: np.ndarray, benign: np.ndarray = ONES) -> list[int]:
    """The pairs whose label is not the benign one; each must be exactly 1 - theta_O."""
    pairs = np.flatnonzero(labels != benign)
    assert (labels[pairs] == 1 - benign[pairs]).all()
    return pairs.tolist()


@pytest.mark.parametrize(
    ("rate", "pairs", "number"),
    [
        (0.05, 2312, 116),  # 115.6
        (Fraction(1, 20), 50, 3),  # 2.5, a half goes up
        (0.05, 100, 5),  # in binary 0.05 * 100 exceeds 5
        (0.001, 8, 1),  # never none
        (1, 8, 8),
    ],
)
def test_the_number_of_flips(rate: float, pairs: int, number: int) -> None:
    assert attacks.flip_count(rate, pairs) == number


@pytest.mark.parametrize("rate", [0, -0.1, 1.5])
def test_a_rate_is_a_share(rate: float) -> None:
    with pytest.raises(ModelError, match=rf"rate is {rate}; give a share of the pairs"):
        attacks.random_flips(ONES, rate)


def test_random_flips_depend_on_the_seed_alone() -> None:
    benign = np.ones(200)
    first, again, other = (attacks.random_flips(benign, 0.1, seed=s) for s in (3, 3, 4))
    assert len(flipped(first, benign)) == 20
    assert (first == again).all()
    assert flipped(first, benign) != flipped(other, benign)
    assert (benign == 1).all()


def test_soft_labels_are_mirrored() -> None:
    benign = np.array([0.25, 0.9, 1.0, 0.0])
    assert attacks.random_flips(benign, 1).tolist() == pytest.approx([0.75, 0.1, 0.0, 1.0])


def test_by_length_takes_the_largest_gaps_and_the_first_of_equals() -> None:
    assert flipped(attacks.by_length(ONES, GAPS, Fraction(3, 8))) == [2, 4, 6]
    assert flipped(attacks.by_length(ONES, GAPS, Fraction(1, 8))) == [2]


def test_the_published_order_keeps_the_smallest_gaps() -> None:
    assert flipped(attacks.by_length(ONES, GAPS, Fraction(3, 8), order="smallest")) == [0, 5, 6]


def test_by_length_never_flips_a_longer_chosen_answer() -> None:
    assert flipped(attacks.by_length(ONES, GAPS, 1)) == [0, 2, 4, 5, 6]
    with pytest.raises(ModelError, match="no chosen answer is shorter"):
        attacks.by_length(ONES, -np.abs(GAPS), 0.5)


def test_an_unknown_order_names_the_known() -> None:
    with pytest.raises(ModelError, match="order is 'longest'; give one of largest, smallest"):
        attacks.by_length(ONES, GAPS, 0.5, order="longest")


def test_by_margin_takes_the_smallest_in_absolute_value() -> None:
    margins = np.array([3, -0.5, 0.25, 2, 0.5, -9, 1, 4])
    assert flipped(attacks.by_margin(ONES, margins, Fraction(3, 8))) == [1, 2, 4]
    assert flipped(attacks.by_margin(ONES, margins, Fraction(2, 8))) == [1, 2]


def test_the_filter_comes_before_the_gap() -> None:
    """Pairs 2 and 4 have the largest gaps, but only 5 and 6 are among the two nearest margins."""
    margins = np.array([3, 0, 4, 0, -4, 0.1, -0.2, 0])
    quarter = Fraction(1, 4)
    assert flipped(attacks.filtered_by_length(ONES, GAPS, margins, 0.1, kept=quarter)) == [6]
    smallest = attacks.filtered_by_length(ONES, GAPS, margins, 0.1, kept=quarter, order="smallest")
    assert flipped(smallest) == [5]


def test_by_feature_is_a_threshold_with_all_its_ties() -> None:
    feature = np.array([-1, 2, -3, -1, 0, 5, -1, 4])
    assert flipped(attacks.by_feature(ONES, feature, Fraction(1, 8))) == [2]
    assert flipped(attacks.by_feature(ONES, feature, Fraction(2, 8))) == [0, 2, 3, 6]


def test_nothing_is_cheaper_than_a_threshold() -> None:
    """u = e_1, tau = -7/4: y = e_1 / (7/4) has t_i <= -1 just on the flipped pairs."""
    generator = np.random.default_rng(5)
    features = generator.integers(-8, 9, (3, 30)) / 4
    target = attacks.by_feature(np.ones(30), features[0], 0.2)
    chosen = np.flatnonzero(target == 0)
    threshold = Fraction(float(features[0, chosen].max()))
    assert threshold < 0
    assert len(chosen) < 30
    problem = FlipProblem.of(features, 1, target)
    assert solve_flips(problem).value == len(chosen)
    assert dual_value(problem, [1 / -threshold, Fraction(0), Fraction(0)]) == len(chosen)


def test_random_flips_are_dearer_than_needed() -> None:
    """The same data: only the threshold leaves nothing to save."""
    features = np.random.default_rng(5).integers(-8, 9, (3, 60)) / 4
    target = attacks.random_flips(np.ones(60), 0.2)
    assert solve_flips(FlipProblem.of(features, 1, target)).value < 12


def test_a_threshold_must_be_negative() -> None:
    with pytest.raises(ModelError, match=r"must be negative; 3 of 4 pairs .* at most 0\.75"):
        attacks.by_feature(np.ones(4), np.array([-1, -2, 0, -3]), 1)


def test_the_labels_of_a_reward() -> None:
    """sigma(ln 3) = 3/4; entries that are missing are zero."""
    features = np.array([[np.log(3), 0.0], [5.0, -5.0]])
    assert attacks.from_reward(features, np.array([1.0])) == pytest.approx([0.75, 0.5])
    assert attacks.from_reward(features, np.array([0.0, 0.0])).tolist() == [0.5, 0.5]
    with pytest.raises(ModelError, match=r"shape \(3,\) for 2 features"):
        attacks.from_reward(features, np.zeros(3))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros(7), r"margins has shape \(7,\) for 8 pairs"),
        (np.array([0, np.nan, *range(6)]), r"margins\[1\] is nan"),
    ],
)
def test_one_finite_number_a_pair(values: np.ndarray, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        attacks.by_margin(ONES, values, 0.5)
