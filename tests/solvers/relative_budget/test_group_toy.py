"""The exact expected update against all groups, and against simulation; where its peak lies."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.relative_budget.group_toy import (
    Lock,
    equal_groups,
    expected_gain,
    expected_update,
    simulated_updates,
    toy_curve,
)


def by_enumeration(lock: Lock, group: int) -> tuple[float, float]:
    """Expected update and share of equal groups, over all groups of rewards."""
    reward, chance, score = lock.rewards()
    update = equal = 0.0
    for one in product(range(len(reward)), repeat=group):
        index = list(one)
        weight, r = np.prod(chance[index]), reward[index]
        if np.ptp(r) == 0:
            equal += weight
            continue
        update += weight * np.mean((r - r.mean()) / r.std() * score[index])
    return float(update), float(equal)


@pytest.mark.parametrize("group", [2, 3, 4])
@pytest.mark.parametrize("lock", [Lock(1, 5, 1.5), Lock(2, 7, 0.8), Lock(2, 6, 1.2, binary=True)])
def test_the_quadrature_agrees_with_all_groups(lock: Lock, group: int) -> None:
    update, equal = by_enumeration(lock, group)
    assert expected_update(lock, group) == pytest.approx(update, rel=1e-5)
    assert equal_groups(lock, group) == pytest.approx(equal, rel=1e-9)


def test_simulated_updates_have_the_exact_mean() -> None:
    """4,000 updates of one seed: within five standard errors, with probability 1 - 6e-7."""
    lock = Lock(2, 20, 1.5)
    found = simulated_updates(lock, np.random.Generator(np.random.Philox(key=1)), 4000, groups=1)
    error = found.std() / np.sqrt(len(found))
    assert abs(found.mean() - expected_update(lock)) < 5 * error
    assert abs(found.mean() - 0.9 * expected_update(lock)) > 5 * error, "a tenth would be seen"


def test_scores_have_mean_zero_and_rewards_their_law() -> None:
    lock = Lock(3, 12, 1.0)
    reward, chance, score = lock.rewards()
    assert chance.sum() == pytest.approx(1)
    assert chance @ score == pytest.approx(0, abs=1e-12)
    assert chance @ reward == pytest.approx(lock.mean_reward(lock.logit))


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_peak_is_in_the_window(steps: int) -> None:
    """The catalogue: peaks of 1.15, 2.13 and 3.71 percent at 1.75 to 2, 2 and 1.5, simulated."""
    budgets = (0.2, 1.25, 1.5, 1.75, 2.0, 2.25, 10.0)
    gains = {xi: expected_gain(Lock(steps, 60, xi)) / 0.6 for xi in budgets}
    peak = max(gains, key=lambda xi: gains[xi])
    assert 1.25 <= peak <= 2.25
    assert max(gains[0.2], gains[10.0]) < gains[peak] / 2
    assert gains[peak] == pytest.approx({1: 1.165, 2: 2.165, 4: 3.622}[steps], abs=2e-3)


def test_the_curve_has_both_methods() -> None:
    (point,) = toy_curve(1, (1.5,), horizon=20, updates=40)
    assert abs(point.exact - point.simulated) < 5 * point.standard_error


@pytest.mark.parametrize(
    ("arguments", "words"), [((3, 2, 1.0), "3 steps do not fit"), ((2, 10, 6.0), "asks for")]
)
def test_what_is_no_lock_is_refused(arguments: tuple[int, int, float], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        Lock(*arguments)


def test_no_error_can_be_told_of_one_update() -> None:
    with pytest.raises(ModelError, match="updates is 1; it must be a whole number of at least 2"):
        toy_curve(1, (1.5,), updates=1)
    with pytest.raises(ModelError, match="group is 1"):
        expected_update(Lock(1, 20, 1.0), group=1)
