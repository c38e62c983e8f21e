"""Estimates against known truths: what the naive one cannot see, heterogeneity, wrong ends."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.relative_budget import (
    NegativeBinomial,
    Rollouts,
    estimate_pooled,
    estimate_prompts,
    naive_relative_budget,
    read_rollouts,
)
from holdfast.solvers.relative_budget.estimate.budgets import regimes, restricted_mean, survival

from .conftest import Log


@pytest.mark.parametrize(
    ("truth", "steps", "printed"), [(0.3, 1, 2.08), (0.5, 2, 1.63), (1, 2, 1.81), (2, 3, 2.19)]
)
def test_the_naive_estimate_never_sees_the_deficient_regime(truth, steps, printed) -> None:
    """Exactly, of chains of so many steps with H = 60, beside what a prototype had found."""
    horizon = 60
    law = NegativeBinomial(steps, Fraction(round(1000 * truth) * steps, 1000 * horizon))
    assert horizon / law.mean == pytest.approx(truth)
    masses = np.array([float(x) for x in law.masses(horizon)])
    mean = (masses * np.arange(1, horizon + 1)).sum() / masses.sum()
    assert horizon / mean == pytest.approx(printed, abs=0.04)


def test_the_naive_estimate_is_at_least_one_on_every_log(log: Log) -> None:
    for seed in range(6):
        rollouts, _ = log(1, 40, mean=400, seed=seed)
        assert naive_relative_budget(rollouts, rollouts.cap) >= 1
        found = estimate_prompts(rollouts).relative_budgets(rollouts.cap)
        assert found[0][0] < 0.6  # the truth is 0.25


def test_a_chain_is_read_off_its_advances_exactly() -> None:
    """mu = K tokens/advances: 3 steps, 12 tokens a rollout, advances 3, 1, 2, so 3 x 36/6 = 18."""
    rollouts = read_rollouts([12, 12, 12], [True, False, False], None, 12, [3, 1, 2])
    assert estimate_prompts(rollouts, wrong="continues", steps=3).mean[0] == pytest.approx(18)
    with pytest.raises(ModelError, match=r"rollout 1 is solved after 3 advances.*4 steps"):
        estimate_prompts(rollouts, steps=4)
    with pytest.raises(ModelError, match="no column of advances"):
        estimate_prompts(read_rollouts([5, 6], [True, False], None, 6), steps=3)


def test_prompts_keep_their_own_means(log: Log) -> None:
    """Of 2,000 prompts of 12 rollouts with intervals of 95 percent, 93 to 97 percent are right."""
    rollouts, means = log(2000, 12, spread=0.8, cap=120, seed=2)
    found = estimate_prompts(rollouts)
    assert found.shape == pytest.approx(2, rel=0.1)
    right = (found.low <= means) & (means <= found.high)
    assert 0.93 <= right.mean() <= 0.97


def test_pooled_is_the_mean_over_prompts_which_one_law_for_all_misses(log: Log) -> None:
    """E T = 100 exp(0.8^2/2) = 137.7, of which 110 is the longest rollout that is seen."""
    rollouts, _ = log(2000, 8, spread=0.8, cap=110, seed=3)
    truth = 100 * math.exp(0.32)
    found = estimate_pooled(rollouts)
    assert found.low < truth < found.high
    assert found.high / found.low < 1.25
    assert estimate_prompts(rollouts.pooled()).high[0] < truth  # the control
    means, weights = found.parts()
    assert float(means @ weights) == pytest.approx(found.mean, rel=1e-3)


def test_pooled_without_spread_is_one_law(log: Log) -> None:
    rollouts, _ = log(50, 40, cap=100, seed=4)
    found, alone = estimate_pooled(rollouts), estimate_prompts(rollouts.pooled())
    assert found.mean == pytest.approx(alone.mean[0], rel=0.02)
    assert found.low < 100 < found.high


@pytest.mark.parametrize("each", [300, 3000])
def test_prompts_with_very_many_rollouts_do_not_fall_between_the_grid(each, log: Log) -> None:
    """Their means are then known, and the pooled mean is that of 30 numbers."""
    rollouts, means = log(30, each, spread=0.5, cap=500, seed=6)
    assert estimate_pooled(rollouts).mean == pytest.approx(means.mean(), rel=0.05)


def with_wrong_ends(seed=0, prompts=1, each=4000) -> Rollouts:
    """T exponential with mean 100, wrong ends with mean 200, cut at 150."""
    rng = np.random.default_rng(seed)
    right, wrong = (np.ceil(rng.exponential(m, prompts * each)) for m in (100, 200))
    lengths = np.minimum(np.minimum(right, wrong), 150)
    names = [f"p{k}" for k in range(prompts) for _ in range(each)]
    return read_rollouts(lengths, right <= np.minimum(wrong, 150), names, 150)


def test_what_a_wrong_end_means_is_the_readers_to_say() -> None:
    rollouts = with_wrong_ends()
    share = rollouts.ended.mean()
    never = estimate_prompts(rollouts, "geometric", "infinite")
    assert never.relative_budgets(150)[0][0] == 0
    assert never.unsolvable[0] == pytest.approx(share)
    # going on as the others: the exponential of mean 100, cut by wrong ends at random
    on = estimate_prompts(rollouts, "geometric", "continues")
    assert on.low[0] < 100.5 < on.high[0]
    # beginning again: tokens/solves; with rates 1/100 and 1/200 attempts last (1 - e^-2.25) 66.67
    # tokens and solve (1 - e^-2.25) 2/3, so that E T is 100 here too, the law having no memory
    again = estimate_prompts(rollouts, wrong="restarts")
    assert again.mean[0] == pytest.approx(rollouts.lengths.sum() / rollouts.solved.sum())
    assert again.low[0] < 100.5 < again.high[0]


def test_restarts_of_several_prompts_take_prompts_as_what_was_drawn() -> None:
    rollouts = with_wrong_ends(prompts=20, each=200)
    found = estimate_pooled(rollouts, wrong="restarts")
    assert found.low < 100.5 < found.high
    assert found.mean == pytest.approx(rollouts.lengths.sum() / rollouts.solved.sum())


def test_the_curve_holds_a_wrong_end_for_never_solved_unless_it_goes_on() -> None:
    rollouts = with_wrong_ends()
    at = np.array([150.0])
    assert survival(rollouts, "infinite").at(at)[0] == pytest.approx(1 - rollouts.solved.mean())
    assert survival(rollouts, "continues").at(at)[0] == pytest.approx(math.exp(-1.5), abs=0.03)


def test_a_prompt_without_solves_has_no_least_budget(log: Log) -> None:
    rollouts = read_rollouts([50] * 8 + [10, 20, 50, 50], [False] * 8 + [True] * 2 + [False] * 2,
                             ["hard"] * 8 + ["easy"] * 4, 50)  # fmt: skip
    found = estimate_prompts(rollouts, "geometric")
    xi, low, high = found.relative_budgets(50)
    assert (xi[0], low[0]) == (0, 0)
    # of 400 tokens none solved: p at most 1 - exp(-1.92/400), so xi at most 50 p
    assert high[0] == pytest.approx(50 * (1 - math.exp(-3.841458820694124 / 2 / 400)), rel=1e-6)


def test_without_a_solve_within_the_horizon_the_least_restricted_mean_is_exact() -> None:
    """20 rollouts reach 50: q = 1 - 0.05^(1/20) at most, where (1 - q)^20 = 1/20."""
    log = read_rollouts([80] * 19 + [60], [False] * 19 + [True], "ab" * 10, 80)
    q = 1 - 0.05 ** (1 / 20)
    assert restricted_mean(log, "infinite", 50) == pytest.approx((50, q + 50 * (1 - q), 50, True))
    assert restricted_mean(log, "restarts", 50) is None
    assert restricted_mean(log, "infinite", 80)[2] == 80


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.1, 0.5, "deficient"),
        (0.4, 0.6, "deficient or balanced"),
        (0.6, 5, "balanced"),
        (6, math.inf, "ample"),
        (0.1, 9, "deficient or balanced or ample"),
    ],
)
def test_regimes_of_an_interval(low, high, words) -> None:
    assert regimes(low, high) == words


ODD = {
    "a prompt of which all rollouts end wrong": ([3, 4, 5, 50], [0, 0, 1, 0], "aabb"),
    "a prompt of which all end at once": ([0, 0, 5, 50], [0, 0, 1, 0], "aabb"),
    "all but one at the same length": ([7, 7, 7, 8], [1, 1, 1, 1], "aabb"),
    "solved at the first token": ([1, 1, 1, 50], [1, 1, 1, 0], "aabb"),
    "one solve of many": ([50] * 39 + [2], [0] * 39 + [1], "a" * 40),
    "as dispersed as can be": ([1, 1, 49, 50, 50, 50], [1, 1, 1, 0, 0, 0], "aaabbb"),
    "very long": ([10**9, 2 * 10**9, 5, 10**9], [1, 0, 1, 1], "aabb"),
}


def ways() -> Iterator[Any]:
    """Of every family in every way; Gamma laws take long, and one way stands for the others."""
    for family in ("geometric", "negative-binomial", "gamma"):
        for wrong in ("infinite", "continues", "restarts"):
            long = family == "gamma" and wrong != "infinite"
            yield pytest.param(family, wrong, marks=[pytest.mark.slow] if long else [])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("family", "wrong"), ways())
@pytest.mark.parametrize("name", ODD)
def test_odd_logs_have_answers_in_order(name: str, family, wrong) -> None:
    """Each was an overflow, a grid without end or a search without end once."""
    lengths, solved, prompts = ODD[name]
    log = read_rollouts(lengths, [bool(x) for x in solved], prompts, max(50, *lengths))
    found, pooled = estimate_prompts(log, family, wrong), estimate_pooled(log, family, wrong)
    assert (found.low <= found.mean * (1 + 1e-9)).all()
    assert (found.mean <= found.high * (1 + 1e-9)).all()
    assert pooled.low <= pooled.mean * (1 + 1e-9) <= pooled.high * (1 + 2e-9)


GOOD = read_rollouts([1, 2, 3, 5], [True, True, True, False], None, 5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: read_rollouts([1, 2], [True], None, 5), "lengths has 2 entries, solved has 1"),
        (lambda: read_rollouts([1, 2], [True, False], ["a"], 5), "prompts has 1 entries"),
        (lambda: read_rollouts([1, 2], ["False", "True"], None, 5), "solved is .'False', 'True'"),
        (lambda: read_rollouts([1, 2], [2, 0], None, 5), "rollout 1 has 2; solved is true or"),
        (lambda: read_rollouts(["1", "2"], [True, False], None, 5), "give a whole number for each"),
        (lambda: read_rollouts([1, [2]], [True, False], None, 5), "give a whole number for each"),
        (lambda: read_rollouts([1, 2**63], [True, False], None, 5), "2 has 9223372036854775808;"),
        (lambda: read_rollouts([1, 2], [True, False], None, math.nan), "rollouts were cut is nan"),
        (lambda: read_rollouts([1, 2], [True, False], ["a", None], 5), "a prompt is called None"),
        (lambda: read_rollouts([1, 2], [True, False], None, 5, [1, 3]), "rollout 2 has 3; adv"),
        (lambda: estimate_pooled(GOOD, "weibull"), "family is 'weibull'; give one of geometric"),
        (lambda: estimate_prompts(GOOD, "Geometric"), "family is 'Geometric'"),
        (lambda: estimate_prompts(GOOD, wrong="never"), "wrong is 'never'; give one of infinite"),
        (lambda: survival(GOOD, "never"), "wrong is 'never'"),
        (lambda: restricted_mean(GOOD, "infinite", -5), "the horizon is -5"),
        (lambda: estimate_prompts(GOOD, level=0), "level is 0; it must lie between 0 and 1"),
        (lambda: estimate_pooled(GOOD, level=1.5), r"level is 1\.5"),
        (lambda: survival(GOOD, "infinite", math.nan), "level is nan"),
        (lambda: estimate_prompts(GOOD, steps=0), "steps is 0"),
        (lambda: estimate_prompts(GOOD).relative_budgets(-1), "the horizon is -1"),
        (lambda: naive_relative_budget(GOOD, math.nan), "the horizon is nan"),
    ],
)
def test_arguments_that_are_none_are_refused(make, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        make()
