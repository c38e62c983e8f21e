"""The curve of Kaplan and Meier on logs that can be worked by hand."""

import numpy as np
import pytest
from scipy.stats import t

from holdfast.solvers.relative_budget.estimate.survival import (
    kaplan_meier,
    restricted_mean_of_prompts,
)


def curve():
    """Solved after 1, 3 and 4 tokens, cut after 2."""
    return kaplan_meier(np.array([1, 2, 3, 4]), np.array([True, False, True, True]))


def test_the_curve_by_hand() -> None:
    """Of four, one is solved at 1: 3/4.  Two are left at 3, one solved: 3/8.  The last at 4: 0."""
    assert curve().tail.tolist() == [0.75, 0.75, 0.375, 0.0]
    assert curve().at(np.array([0.5, 1, 2.9, 3, 4])).tolist() == [1, 0.75, 0.75, 0.375, 0]


def test_the_restricted_mean_by_hand() -> None:
    """To 4 tokens: 1 + 2 x 3/4 + 3/8 = 23/8.  Behind 1 lie 15/8, behind 3 lie 3/8, so Greenwood's
    variance is (15/8)^2 / (4 x 3) + (3/8)^2 / (2 x 1) = 225/768 + 9/128 = 279/768."""
    mean, low, high = curve().restricted_mean(4, level=0.95)
    assert mean == 23 / 8
    reach = 1.959963984540054 * np.sqrt(279 / 768)
    assert low == pytest.approx(23 / 8 - reach)
    assert high == 4  # of at most 4 tokens


def test_without_cuts_it_is_the_log_itself() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 400)
    found = kaplan_meier(lengths, np.ones(400, bool))
    assert np.allclose(found.at(np.arange(60.0)), [(lengths > t).mean() for t in range(60)])
    mean, low, high = found.restricted_mean(60)
    assert mean == pytest.approx(lengths.mean())
    reach = 1.959963984540054 * lengths.std() / 20
    assert (low, high) == (pytest.approx(mean - reach), pytest.approx(mean + reach))


def test_where_all_is_cut_before_it_says_nothing_of_what_lies_behind() -> None:
    """Half are cut at 10 unsolved: the curve ends at 1/2, and the mean of T may be anything."""
    found = kaplan_meier(np.array([5, 10, 10, 7]), np.array([True, False, False, True]))
    assert found.tail[-1] == 0.5
    assert found.restricted_mean(10)[0] == 0.25 * (5 + 7) + 5


def test_a_cut_at_a_length_counts_as_unsolved_there() -> None:
    found = kaplan_meier(np.array([3, 3]), np.array([True, False]))
    assert found.tail.tolist() == [0.5]


def test_one_rollout_a_prompt_has_greenwoods_variance() -> None:
    """279/768 by hand as above, times 4/3 for the four prompts, with Student's law; cut at 1."""
    lengths, solved = np.array([1, 2, 3, 4]), np.array([True, False, True, True])
    mean, low, high = restricted_mean_of_prompts(lengths, solved, np.arange(4), 4)
    assert mean == 23 / 8
    assert (low, high) == (1, 4)
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 50, 400)
    solved = rng.random(400) < 0.7
    plain = kaplan_meier(lengths, solved).restricted_mean(45)
    found = restricted_mean_of_prompts(lengths, solved, np.arange(400), 45)
    assert found == pytest.approx(plain, rel=0.01)


def test_prompts_that_differ_widen_the_interval_of_the_mean_over_prompts() -> None:
    """Nothing cut: that of the mean of 40 means of prompts, by Student; Greenwood is too narrow."""
    rng = np.random.default_rng(1)
    lengths = np.ceil(rng.exponential(1, (40, 20)) * 100 * np.exp(rng.standard_normal((40, 1))))
    flat = lengths.ravel().astype(int)
    horizon, yes = int(flat.max()) + 1, np.ones(800, bool)
    mean, low, high = restricted_mean_of_prompts(flat, yes, np.repeat(np.arange(40), 20), horizon)
    assert mean == pytest.approx(flat.mean())
    reach = t.ppf(0.975, 39) * lengths.mean(axis=1).std(ddof=1) / np.sqrt(40)
    assert (low, high) == (pytest.approx(mean - reach), pytest.approx(mean + reach))
    plain = kaplan_meier(flat, yes).restricted_mean(horizon)
    assert high - low > 1.5 * (plain[2] - plain[1])
