"""The choice of a target: counts, rates, intervals, tilts, corrected predictions; wrong input."""

from fractions import Fraction
from itertools import product
from math import exp, inf, nan

import numpy as np
import pytest
from scipy.optimize import isotonic_regression
from scipy.stats import binomtest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.target_returns.experts.counts import (
    ReturnCounts,
    count_returns,
    expert_intervals,
    expert_rates,
    top_share,
)
from holdfast.solvers.target_returns.experts.targets import (
    adjusted,
    best_of_many,
    choose_target,
    confusion_counts,
    exponentially_tilted,
    posterior,
    tilted,
)

F = Fraction


def counts(episodes: list[int], experts: list[int]) -> ReturnCounts:
    return ReturnCounts(tuple(map(F, range(len(episodes)))), tuple(episodes), tuple(experts))


def test_the_best_tenth_and_its_ties_are_expert() -> None:
    assert top_share(range(10)) == (False,) * 9 + (True,)
    assert top_share([1, 5, 5, 0], F(1, 4)) == (False, True, True, False)
    assert top_share([3, 3], F(1, 10)) == (True, True)


def test_returns_go_to_the_nearest_bin_and_empty_bins_stay() -> None:
    """Halfway goes down; -1.6 is nearest to -2, 0.5 to 0."""
    found = count_returns([-1.6, 0.5, 1], [False, True, True])
    assert found.returns == (-2, -1, 0, 1)
    assert (found.episodes, found.experts) == ((1, 0, 1, 1), (0, 0, 1, 1))


def test_returns_beyond_the_tokens_are_counted_as_moved() -> None:
    found = count_returns([150, 100, -3], [True, False, False], limits=(-20, 100))
    assert (found.returns[0], found.returns[-1], len(found.returns)) == (-20, 100, 121)
    assert found.clipped == 1
    assert (found.episodes[-1], found.experts[-1]) == (2, 1)


def test_rates_that_fall_are_pooled_as_scipy_does() -> None:
    generator = np.random.default_rng(5)
    for _ in range(50):
        episodes = generator.integers(1, 9, 7)
        experts = generator.integers(0, episodes + 1)
        found = expert_rates(counts(episodes.tolist(), experts.tolist()))
        expected = isotonic_regression(experts / episodes, weights=episodes).x
        assert np.allclose(np.array(found, float), expected, atol=1e-12)


def test_an_empty_bin_lies_on_the_line_between_its_neighbours() -> None:
    table = counts([0, 4, 0, 0, 4, 0], [0, 1, 0, 0, 4, 0])
    assert expert_rates(table) == (F(1, 4), F(1, 4), F(1, 2), F(3, 4), 1, 1)
    fallen = counts([2, 0, 2], [2, 0, 0])
    assert expert_rates(fallen, isotonic=False) == (1, F(1, 2), 0)
    assert expert_rates(fallen) == (F(1, 2),) * 3


def test_intervals_share_the_failure() -> None:
    """At delta/B, as scipy computes Clopper and Pearson's; an empty bin says nothing."""
    found = expert_intervals(counts([10, 0], [3, 0]), F(1, 10))
    expected = binomtest(3, 10).proportion_ci(0.95, "exact")
    assert found[1] == (0, 1)
    assert float(found[0][0]) == pytest.approx(expected.low, abs=1e-6)
    assert float(found[0][1]) == pytest.approx(expected.high, abs=1e-6)
    alone = expert_intervals(counts([10], [3]), F(1, 10))
    assert found[0][0] < alone[0][0] < alone[0][1] < found[0][1]


def test_the_exponential_tilt_equals_its_formula_and_never_overflows() -> None:
    law = exponentially_tilted([F(1, 2), F(1, 2)], [0, 10], 10, 0, 10)
    assert law[1] == pytest.approx(1 / (1 + exp(-10)), rel=1e-12)
    huge = exponentially_tilted([1, 1, 0], [0, 1, 2], 1e6, 0, 1)
    assert huge == (0, 1, 0)  # nothing outside the support, however strong the tilt


def test_the_correction_is_bayes_rule() -> None:
    """Predicted 0 eight times: six times right, twice it was 1; 1 is never predicted."""
    table = confusion_counts([0] * 8, [0] * 6 + [1] * 2, 2)
    rows = posterior(table)
    assert rows == ((F(3, 4), F(1, 4)), (0, 1))
    assert adjusted([F(1, 2), F(1, 2)], rows) == (F(3, 8), F(5, 8))
    assert adjusted([0.5, 0.5], rows) == (0.375, 0.625)


def test_a_target_is_the_likeliest_and_of_equals_the_largest() -> None:
    half = (F(1, 2), F(1, 2))
    assert choose_target([3, 7], half).value == 7
    assert choose_target([3, 7], half, (F(2), F(1))).value == 3
    found = choose_target([3, 7], (1.0, 0.0), (0.0, 1.0))
    assert found.value == 3
    assert "not tilted" in found.note


def test_sampled_targets_have_the_law() -> None:
    """Of 4000 draws with probability 3/4, outside 3000 +- 150 with probability below 1e-7."""
    generator = np.random.default_rng(0)
    drawn = [choose_target([0, 1], (0.5, 0.5), (1, 3), generator).value for _ in range(4000)]
    assert abs(sum(drawn) - 3000) < 150


def test_the_largest_of_many_by_enumeration() -> None:
    returns, law = (F(-1), F(2), F(5)), (F(1, 2), F(1, 3), F(1, 6))
    pairs = list(zip(returns, law, strict=True))
    expected = sum(max(a, b, c) * p * q * r for (a, p), (b, q), (c, r) in product(pairs, repeat=3))
    assert best_of_many(returns, law, 3) == expected
    assert best_of_many(returns, law, 1) == sum(r * p for r, p in pairs)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: top_share([]), "of 0 recorded episodes"),
        (lambda: top_share([1, 2], 0), "share of experts is 0"),
        (lambda: top_share([1, nan]), "return number 1 is nan"),
        (lambda: count_returns([1], [True, False]), "1 returns have 2 marks"),
        (lambda: count_returns([1], [True], limits=(5, 1)), "out of order"),
        (lambda: count_returns([inf], [True]), "return number 0 is inf"),
        (lambda: counts([1, 2], [2, 0]), "2 experts of 1 episodes"),
        (lambda: counts([0, 0], [0, 0]), "none of the 2 bins"),
        (lambda: ReturnCounts((F(1), F(1)), (1, 1), (0, 0)), "bin 1 follows 1"),
        (lambda: expert_intervals(counts([1], [1]), 1), "failure is 1"),
        (lambda: tilted([1, 0], [0, 1]), "no positive weight"),
        (lambda: tilted([1, nan], [1, 1]), "weight nan in bin 1"),
        (lambda: tilted([1], [1, 2]), "1 and 2 weights of a law"),
        (lambda: exponentially_tilted([1], [1], 10, 5, 5), "kappa 10 between 5 and 5"),
        (
            lambda: exponentially_tilted([1], [1, 2], 10, 0, 5),
            "1 and 2 weights of a law and returns",
        ),
        (lambda: confusion_counts([0, 3], [0, 0], 2), r"number 1 has the bins \(3, 0\)"),
        (lambda: confusion_counts([0], [0, 0], 2), "1 and 2 predicted"),
        (lambda: adjusted([1], ((F(1), F(0)), (F(0), F(1)))), "1 and 2 predicted bins"),
        (lambda: choose_target([1, 2], [1]), "2 and 1 returns"),
        (lambda: best_of_many((F(1),), (F(1),), 0), "largest of 0"),
    ],
)
def test_wrong_input_is_named(call, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        call()
