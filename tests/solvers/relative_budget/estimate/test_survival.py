"""The curve of Kaplan and Meier on logs that can be worked by hand."""

import numpy as np
import pytest
from scipy.stats import t

from holdfast.solvers.relative_budget.estimate.survival import kaplan_meier, mean_to_horizon


def curve():
    """Solved after 1, 3 and 4 tokens, cut after 2."""
    return kaplan_meier(np.array([1, 2, 3, 4]), np.array([True, False, True, True]))


def test_the_curve_by_hand() -> None:
    """Of four, one is solved at 1: 3/4.  Two are left at 3, one solved: 3/8.  The last at 4: 0."""
    assert curve().tail.tolist() == [0.75, 0.75, 0.375, 0.0]
    assert curve().at(np.array([0.5, 1, 2.9, 3, 4])).tolist() == [1, 0.75, 0.75, 0.375, 0]


def single(lengths, solved, horizon):
    return mean_to_horizon(
        np.array(lengths), np.array(solved, bool), np.zeros(len(lengths), int), horizon
    )


def test_the_restricted_mean_by_hand() -> None:
    """To 4 tokens: 1 + 2 x 3/4 + 3/8 = 23/8.  Behind 1 lie 15/8, behind 3 lie 3/8, so Greenwood's
    variance is (15/8)^2 / (4 x 3) + (3/8)^2 / (2 x 1) = 225/768 + 9/128 = 279/768, times 4/3 for
    its four rollouts, with Student's law: that reaches to both ends."""
    found = single([1, 2, 3, 4], [1, 0, 1, 1], 4)
    assert found == pytest.approx((23 / 8, 1, 4, True))
    many = single([1, 2, 3, 4] * 30, [1, 0, 1, 1] * 30, 4)
    # each of 30 alike has n a thirtieth of the share: d/(n (n - d)) summed over 30 times as many
    reach = t.ppf(0.975, 119) * np.sqrt(279 / 768 / 30 * 120 / 119)
    assert many == pytest.approx((23 / 8, 23 / 8 - reach, 23 / 8 + reach, True))


def test_without_cuts_it_is_the_log_itself() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 400)
    found = kaplan_meier(lengths, np.ones(400, bool))
    assert np.allclose(found.at(np.arange(60.0)), [(lengths > t).mean() for t in range(60)])
    reach = t.ppf(0.975, 399) * lengths.std(ddof=1) / 20
    expected = (lengths.mean(), lengths.mean() - reach, lengths.mean() + reach, True)
    assert single(lengths, np.ones(400), 60) == pytest.approx(expected)


def test_beyond_the_longest_rollout_nothing_is_counted() -> None:
    """Half are cut at 10 unsolved: E min(T, 1000) is at least 0.25 (5 + 7) + 5 = 8."""
    assert kaplan_meier(np.array([5, 10, 10, 7]), np.array([1, 0, 0, 1], bool)).tail[-1] == 0.5
    found = single([5, 10, 10, 7], [1, 0, 0, 1], 1000)
    assert (found.mean, found.whole) == (8, False)
    assert single([5, 10, 10, 7], [1, 0, 0, 1], 10)[::3] == (8, True)


def test_wrong_ends_that_hit_hard_prompts_do_not_hide_them() -> None:
    """Easy prompts are solved at 10, hard ones end unsolved at 5, 6, ...: the curve of all would
    say that all is solved by 10, and each prompt's own says no more than it has seen."""
    lengths = np.array([10, 11, 5, 5, 10, 12, 6, 6])
    solved = np.array([1, 1, 0, 0, 1, 1, 0, 0], bool)
    found = mean_to_horizon(lengths, solved, np.repeat(np.arange(4), 2), 100)
    assert found.mean == np.mean([10.5, 5, 11, 6])
    assert not found.whole
    assert mean_to_horizon(lengths, solved, np.repeat(np.arange(4), 2), 5) == pytest.approx(
        (5, 5 - 4 * (1 - 0.05 ** (1 / 8)), 5, True)
    )


def test_no_interval_without_a_law_has_the_width_zero() -> None:
    """Of 61 that reach 2, one solved there, T is 1 with probability 1 - 0.05^(1/61) at most."""
    q = 1 - 0.05 ** (1 / 61)
    assert single([2] + [50] * 60, [1] + [0] * 60, 2) == pytest.approx((2, 2 - q, 2, True))
    q = 1 - 0.05 ** (1 / 2)  # two of three reach 5, and both are solved there
    expected = (5, 5 - 4 * q, 5 + 95 * q, True)
    assert single([5, 5, 3], [1, 1, 0], 100) == pytest.approx(expected)
    twice = mean_to_horizon(np.array([3, 6] * 2), np.ones(4, bool), np.array([0, 0, 1, 1]), 9)
    assert twice == pytest.approx(single([3, 6] * 2, [1] * 4, 9))  # areas agree by chance
    assert twice.low < twice.mean < twice.high


def test_a_cut_at_a_length_counts_as_unsolved_there() -> None:
    found = kaplan_meier(np.array([3, 3]), np.array([True, False]))
    assert found.tail.tolist() == [0.5]


def test_prompts_that_differ_widen_the_interval_of_the_mean_over_prompts() -> None:
    """Nothing cut: that of the mean of 40 means of prompts, by Student; Greenwood is too narrow."""
    rng = np.random.default_rng(1)
    lengths = np.ceil(rng.exponential(1, (40, 20)) * 100 * np.exp(rng.standard_normal((40, 1))))
    flat = lengths.ravel().astype(int)
    horizon, yes = int(flat.max()) + 1, np.ones(800, bool)
    found = mean_to_horizon(flat, yes, np.repeat(np.arange(40), 20), horizon)
    reach = t.ppf(0.975, 39) * lengths.mean(axis=1).std(ddof=1) / np.sqrt(40)
    assert found[:3] == pytest.approx((flat.mean(), flat.mean() - reach, flat.mean() + reach))
    plain = single(flat, yes, horizon)
    assert found.high - found.low > 1.5 * (plain.high - plain.low)
