"""What horizons are worth, beside the requirement of a single process."""

import math

import numpy as np
import pytest

from holdfast.solvers.relative_budget import Gamma, Mixture, class_logarithm, requirement
from holdfast.solvers.relative_budget.estimate.efficiency import rewards, spend

LOG = class_logarithm(100, 0.05)


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("mean", [5.0, 100.0, 3000.0])
@pytest.mark.parametrize("never", [0.0, 0.25])
def test_rewards_are_those_of_one_process(shape, mean, never) -> None:
    process = Mixture(Gamma(shape, shape / mean), never)
    one = requirement(process, 150, 0.25, LOG)
    found = rewards(np.array([mean]), shape, np.array([never]), np.array([150.0]), 0.25, LOG)
    assert found.mean[0] == pytest.approx(one.moments.mean / 150, rel=1e-9)
    assert found.deviation[0] == pytest.approx(one.moments.deviation / 150, rel=1e-6)
    assert found.anti_concentration[0] == pytest.approx(one.anti_concentration, rel=1e-6)
    assert found.samples[0] == pytest.approx(one.samples, rel=1e-6)
    assert found.gain[0] == pytest.approx(0.5 * one.moments.deviation / 2 / 150, rel=1e-6)
    assert found.tokens[0] == pytest.approx(one.samples * (150 - one.moments.mean), rel=1e-6)


def test_nothing_solved_or_nothing_better_needs_infinitely_many() -> None:
    found = rewards(np.array([np.inf, 10.0]), 1.0, np.zeros(2), np.array([100.0]), 2.0, LOG)
    assert np.isinf(found.samples).all()
    assert found.deviation[0] == 0 < found.deviation[1]
    assert found.anti_concentration[1] == 0


def test_the_cheapest_improvements_are_bought_first() -> None:
    means, never = np.array([10.0, 100.0, 1000.0]), np.zeros(3)
    rich = spend(means, 2.0, never, 1e12, 0.25, LOG, 4000)
    assert rich.share == 1
    poor = spend(means, 2.0, never, rich.cheapest[0] / 2, 0.25, LOG, 4000)
    assert (poor.share, poor.gain) == (0, 0)
    some = spend(means, 2.0, never, rich.cheapest[0] * 3, 0.25, LOG, 4000)
    assert some.share == pytest.approx(1 / 3)
    assert some.horizon < rich.horizon  # of the prompt that needs the fewest tokens


def test_of_one_prompt_and_all_tokens_the_horizon_has_the_largest_deviation() -> None:
    """Then the improvement is sqrt(kappa) sigma/2: largest where s is, for K = 1 at xi = 1.13 by
    the closed form s^2 = F_1 - 2 F_2/xi + 2 F_3/xi^2 - g^2 on a grid."""
    plan = spend(np.array([1000.0]), 1.0, np.zeros(1), 1e15, 0.01, LOG, 8000)
    assert plan.horizon / 1000 == pytest.approx(1.13, abs=0.1)


def test_a_share_of_prompts_is_of_all_of_them() -> None:
    """5,000 prompts are more than are looked at one by one."""
    means = np.geomspace(10, 1000, 5000)
    plan = spend(means, 2.0, np.zeros(5000), 1e8, 0.25, LOG, 4000)
    found = rewards(means, 2.0, np.zeros(5000), np.array([float(plan.horizon)]), 0.25, LOG)
    order = np.argsort(found.tokens / found.gain)
    assert plan.share == pytest.approx((found.tokens[order].cumsum() <= 1e8).mean(), abs=0.01)
    assert math.isfinite(plan.gain)
