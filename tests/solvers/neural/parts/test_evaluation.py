"""Fresh episodes: their law is that of the exact problem, and their record is exact."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binom

from holdfast.solvers.chance import evaluate_policy
from holdfast.solvers.errors import ModelError
from holdfast.solvers.exact import Array
from holdfast.solvers.neural.parts import evaluation
from holdfast.solvers.neural.parts.evaluation import (
    FIRST_FRESH_SEED,
    Episodes,
    ends_of_mean,
    evaluate,
)
from holdfast.solvers.neural.parts.judging import envelope
from holdfast.solvers.neural.parts.tasks import largest_cost, make, world_of

from .policies import Always, TablePolicy
from .test_worlds import corridor, slipping

TASK = "holdfast/TwoDiscs8-v0"
ALPHA = 1e-6
EPISODES = 20_000


def bold_policy() -> TablePolicy:
    """An end of the optimal flip at 1/5, with a risk of some size."""
    world = world_of(TASK)
    assert world is not None
    solution = envelope(TASK, "1/5")
    assert solution.bolder is not None
    return TablePolicy(world, solution.bolder.choices)


def disagrees(record: Episodes, value: Fraction, risk: Fraction) -> bool:
    """Whether fresh episodes tell that (value, risk) is wrong: exact binomial, and Hoeffding."""
    assert record.lowest is not None
    assert record.highest is not None
    tails = [
        binom.cdf(record.violations, record.episodes, float(risk)),
        binom.sf(record.violations - 1, record.episodes, float(risk)),
    ]
    spread = float(record.highest - record.lowest)
    gap = abs(float(record.value - value)) / spread
    hoeffding = 2 * np.exp(-2 * record.episodes * gap**2)
    return bool(2 * min(tails) < ALPHA / 2 or hoeffding < ALPHA / 2)


def test_fresh_episodes_agree_with_the_exact_value_and_risk() -> None:
    policy = bold_policy()
    value, risk = evaluate_policy(policy.world.problem, policy.table)
    record = evaluate(policy, TASK, episodes=EPISODES, seed_words=("test", 1))
    assert record.episodes == EPISODES
    assert not disagrees(record, value, risk)
    # the control: the same table where slips are likelier
    value, risk = evaluate_policy(slipping((12, 2)), policy.table)
    assert disagrees(record, value, risk)


def test_the_record_is_exact_for_certain_episodes() -> None:
    # two steps to the right: 2 + 4 + 32 each, through the unsafe state; sums of 3 by hand
    record = evaluate(Always(1), corridor(), episodes=3, seed_words=("right",))
    assert (record.episodes, record.violations) == (3, 3)
    assert (record.returns_sum, record.returns_squares) == (3 * 38, 3 * 38**2)
    assert (record.lowest, record.highest) == (10, 38)
    assert (record.value, record.risk, record.variance) == (38, 1, 0)
    stays = evaluate(Always(0), corridor(), episodes=2, seed_words=("stays",))
    assert (stays.violations, stays.returns_sum) == (0, 20)


def test_returns_of_thousandths_are_summed_without_rounding() -> None:
    record = evaluate(Always(8), TASK, episodes=50, seed_words=("thousandths",))
    assert 1000 % record.returns_sum.denominator == 0
    assert record.returns_squares >= record.returns_sum**2 / 50  # Cauchy and Schwarz


def test_the_words_name_the_episodes() -> None:
    one, again, other = (
        evaluate(Always(8), TASK, episodes=1_500, seed_words=words)
        for words in (("a", 1), ("a", 1), ("a", 2))
    )
    assert one == again
    assert one.returns_sum != other.returns_sum
    assert len(one.seeds) == 2  # two batches
    assert not set(one.seeds) & set(other.seeds)
    assert all(seed >= FIRST_FRESH_SEED for seed in one.seeds + other.seeds)


def test_the_generators_of_the_caller_are_left_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    evaluate(Always(4), TASK, episodes=5, seed_words=("calm",))
    assert torch.equal(torch.rand(3), expected)


def test_intervals_for_people() -> None:
    record = Episodes(20, 0, Fraction(40), Fraction(99))
    found = record.interval(0.9)
    # Clopper and Pearson for none of 20: 0 and 1 - (alpha / 2)^(1/20)
    assert found.risk == pytest.approx((0, 1 - 0.05**0.05), abs=1e-12)
    # variance (99 - 40^2 / 20) / 19 = 1; the 95 percent quantile of Student's t with 19 is 1.7291
    assert found.value == pytest.approx((2 - 1.7291 / 20**0.5, 2 + 1.7291 / 20**0.5), abs=1e-4)
    with pytest.raises(ModelError, match="confidence is 95; it must lie strictly between"):
        record.interval(95)
    with pytest.raises(ModelError, match="needs at least 2 episodes"):
        Episodes(1, 0, Fraction(1), Fraction(1)).interval()


def test_equal_values_do_not_make_an_interval_without_width() -> None:
    """Costs 30 of at most 100, 20 times: another has probability p <= 1 - 0.05^(1/19) = 0.1459."""
    other = 1 - 0.05 ** (1 / 19)
    found = ends_of_mean(np.full(20, 30.0), 0.95, 0.0, 100.0)
    assert found == pytest.approx((30 - 30 * other, 30 + 70 * other))
    assert ends_of_mean(np.full(20, 30.0), 0.95) == (-math.inf, math.inf)
    assert ends_of_mean(np.array([3.0]), 0.95, 0.0, 10.0) == (0.0, 10.0)
    # mean 1, deviation 2 / sqrt(3), of 4: the 97.5 percent quantile of Student's t with 3 is 3.1824
    assert ends_of_mean(np.array([0.0, 0, 2, 2]), 0.95) == pytest.approx(
        (1 - 3.1824 / 3**0.5, 1 + 3.1824 / 3**0.5), abs=1e-4
    )
    assert ends_of_mean(np.array([0.0, 0, 2, 2]), 0.95, 0.0, 2.0) == (0.0, 2.0)


def test_the_largest_cost_is_known_where_steps_cost_at_most_one() -> None:
    wanted = {
        "SafetyBallRun-v0": 100,
        "SafetyCarCircle-v0": 300,
        TASK: 15,
        "holdfast/HopperVelocity-v0": 1000,
        "SafetyBallGather-v0": math.inf,
        "CartPole-v1": math.inf,
    }
    assert {task: largest_cost(task) for task in wanted} == wanted


def test_no_episodes_are_refused() -> None:
    with pytest.raises(ModelError, match="episodes is 0; at least 1"):
        evaluate(Always(0), TASK, episodes=0, seed_words=())


def test_each_episode_is_told_and_the_record_counts_them() -> None:
    """Batches of 1,000 at most, one flag an episode; blocks of them are samples of their own."""
    told: list[Array] = []
    record = evaluate(bold_policy(), TASK, episodes=2500, seed_words=("each",), each=told.append)
    assert [len(flags) for flags in told] == [1000, 1000, 500]
    assert sum(int(flags.sum()) for flags in told) == record.violations
    assert 0 < record.violations < 2500


def test_every_environment_that_is_made_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulator holds megabytes until it is closed; a ladder evaluates hundreds of policies."""
    made, closed = [], []

    def watched(*given: Any, **named: Any) -> Any:
        env = make(*given, **named)
        made.append(env)
        monkeypatch.setattr(env, "close", lambda: closed.append(env))
        return env

    monkeypatch.setattr(evaluation, "make", watched)
    evaluate(Always(0), TASK, episodes=1500, seed_words=("closed",))  # 1,000 copies, then 500
    assert len(made) == 2
    assert closed == made
