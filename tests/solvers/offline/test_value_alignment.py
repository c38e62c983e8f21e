"""Operators of value alignment against iteration, and the tabular pipeline."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import spearmanr

from holdfast.solvers.errors import ModelError
from holdfast.solvers.offline.multipliers.controllers import PID, Ascent
from holdfast.solvers.offline.value_alignment import (
    Table,
    aligned,
    bonus_of,
    covered_fixed_point,
    cpq_fixed_point,
    drawn_table,
    entropies,
    fixed_point,
    marvel,
    rank_distance,
    ranks,
    spearman,
    sweep,
    sweeps,
)

HALF = Fraction(1, 2)


def exact(values: object) -> np.ndarray:
    return np.frompyfunc(Fraction, 1, 1)(np.array(values, dtype=object))


COIN = Table(exact([[[1], [1]]]), exact([[HALF, HALF]]), exact([[1, 0]]), exact([[0, 1]]), HALF)


def test_fixed_points_by_hand() -> None:
    # V = 1/2 + V/2 = 1
    still = bonus_of(COIN, 0)
    assert fixed_point(COIN, COIN.reward, still).tolist() == [[Fraction(3, 2), HALF]]
    # u = 1/2 Q_0 = 1/2 (1 + u/2) = 2/3 where only the first action is safe
    safe = np.array([[True, False]])
    assert cpq_fixed_point(COIN, safe).tolist() == [[Fraction(4, 3), Fraction(1, 3)]]
    assert cpq_fixed_point(COIN, safe | True).tolist() == [[Fraction(3, 2), HALF]]
    # covered: Q_0 = 1 + 1/2 (Q_0/2 + 5/2) with Q_1 = 5 from outside: (1 + 5/4) / (3/4) = 3
    start = exact([[0, 5]])
    assert covered_fixed_point(COIN, COIN.reward, start, safe).tolist() == [[3, 5]]


def test_fixed_points_are_limits_of_sweeps() -> None:
    table, cost_critic = drawn_table(3)
    for alpha in (0.0, 0.5):
        bonus = bonus_of(table, alpha)
        limit = sweeps(table, table.reward, cost_critic, 400, bonus)
        assert np.allclose(limit, fixed_point(table, table.reward, bonus), atol=1e-9)
    safe = cost_critic <= np.median(cost_critic)
    values = cost_critic
    for _ in range(400):
        values = table.reward + table.discount * (
            table.transitions * (table.policy * safe * values).sum(axis=1)
        ).sum(axis=-1)
    assert np.allclose(values, cpq_fixed_point(table, safe), atol=1e-9)
    still = bonus_of(table, 0)
    values = cost_critic
    for _ in range(400):
        values = np.where(safe, sweep(table, table.reward, values, still), values)
    assert np.allclose(values, covered_fixed_point(table, table.reward, cost_critic, safe))


def test_entropies() -> None:
    assert entropies(np.array([[1.0, 0.0], [0.5, 0.5]])) == pytest.approx([0, math.log(2)])
    balls = entropies(exact([[1, 0], [HALF, HALF]]))
    assert balls[0] == 0
    assert float(balls[1]) == pytest.approx(math.log(2))
    assert bonus_of(COIN, 0).tolist() == [0]


def test_ranks_with_ties() -> None:
    assert ranks([3, 1, 3, 2]) == [Fraction(7, 2), 1, Fraction(7, 2), 2]
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = rng.integers(0, 6, (2, 9))
        assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic)
    x, y = rng.permutation(9), rng.permutation(9)
    without_ties = 1 - 6 * rank_distance(x, y) / (9 * 80)
    assert spearman(x, y) == pytest.approx(float(without_ties))
    assert math.isnan(spearman([1, 1], [1, 2]))


def test_alignment_lifts_rank_correlation() -> None:
    found = []
    for seed in range(40):
        table, cost_critic = drawn_table(seed)
        start = cpq_fixed_point(table, cost_critic <= np.median(cost_critic))
        found.append(aligned(table, table.reward, start, 20, 0.05))
    before = np.mean([one.before for one in found])
    after = np.mean([one.after for one in found])
    assert before < 0.9
    assert after > 0.995
    assert np.mean([one.error_before for one in found]) > 4
    assert np.mean([one.error_after for one in found]) < 0.3


def test_the_pipeline() -> None:
    table, cost_critic = drawn_table(0)
    initial = np.full(8, 1 / 8)
    threshold = float(np.median(cost_critic))
    limit = 1.0
    step = Ascent(limit, 0.05, start=20.0)
    run = marvel(table, initial, cost_critic, threshold, step, updates=30)
    assert run.reward.after > run.reward.before
    assert run.cost.error_after < run.cost.error_before
    # no faster than the speed limit allows: eta d an update
    assert all(lam >= 20 - k * 0.05 * limit - 1e-12 for k, lam in enumerate(run.multipliers))
    assert len(run.costs) == len(run.rewards) == len(run.multipliers) - 1 == 30
    free = marvel(table, initial, cost_critic, threshold, PID(100.0, 0.1, 0.1, 0.0), updates=5)
    assert set(free.multipliers) == {0.0}
    assert free.costs[-1] > run.costs[0]  # a large multiplier is careful
    assert free.rewards[-1] > run.rewards[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transitions": exact([[[1]]])}, "transitions have the shape"),
        ({"reward": exact([[1]])}, r"reward has the shape \(1, 1\)"),
        ({"discount": 1}, r"discount is 1; it must lie in \[0, 1\)"),
        ({"policy": exact([[HALF, 1]])}, r"policy\[0\] sums to 3/2"),
        ({"policy": exact([[2, -1]])}, "or has a negative entry"),
    ],
)
def test_wrong_tables_are_refused(change: dict, message: str) -> None:
    names = ("transitions", "policy", "reward", "cost", "discount")
    with pytest.raises(ModelError, match=message):
        Table(**{**{name: getattr(COIN, name) for name in names}, **change})


def test_wrong_runs_are_refused() -> None:
    table, cost_critic = drawn_table(0)
    initial, hold = np.full(8, 1 / 8), PID(1.0, 1.0, 0.0, 0.0)
    with pytest.raises(ModelError, match="cost_critic has the shape"):
        marvel(table, initial, cost_critic[:1], 1.0, hold)
    with pytest.raises(ModelError, match="softness is 0; it must be above 0"):
        marvel(table, initial, cost_critic, 1.0, hold, softness=0)
    with pytest.raises(ModelError, match="temperature is -1; it must be at least 0"):
        bonus_of(table, -1)
