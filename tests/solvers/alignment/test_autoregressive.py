"""Tables of tiny language models: sequences, the soft Bellman recursion, what is refused."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.alignment import LanguageTable, soft_bellman, tilt
from holdfast.solvers.errors import ModelError

HALF = np.array([0.5, 0.5])


def table(horizon: int, end: int | None = None) -> LanguageTable:
    return LanguageTable.of(lambda _: HALF, 2, horizon, end)


def test_sequences_end_with_the_token_or_at_the_horizon() -> None:
    assert set(table(2, 1).sequences) == {(1,), (0, 0), (0, 1)}
    assert set(table(2).sequences) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert table(3, 1).probabilities().sum() == 1


def test_values_by_hand() -> None:
    """End token 1, horizon 2, temperature 1, rewards log 3 for (1), log 2 for (0, 1), 0 for (0, 0):
    e^V(0) = (1 + 2)/2, e^V = (3/2 + 3)/2, and pi(1) = (3/2)/(9/4)."""
    rewards = {(1,): np.log(3), (0, 1): np.log(2), (0, 0): 0.0}
    policy, values = soft_bellman(table(2, 1), rewards, 1)
    assert np.exp(values[(0,)]) == pytest.approx(3 / 2)
    assert np.exp(values[()]) == pytest.approx(9 / 4)
    assert policy.laws[()][1] == pytest.approx(2 / 3)
    assert policy.probability((0, 1)) == pytest.approx(2 / 9)


def test_a_thousand_sequences_agree_with_one_tilt() -> None:
    generator = np.random.default_rng(0)
    one = LanguageTable.of(lambda _: generator.dirichlet(np.ones(4)), 4, 5, 3)
    gains = generator.normal(size=len(one.sequences))
    rewards = dict(zip(one.sequences, gains, strict=True))
    policy, _ = soft_bellman(one, rewards, 0.3)
    expected = tilt(one.probabilities()[None], gains[None], 0.3)[0]
    assert np.allclose(policy.probabilities(), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"horizon": 0}, "horizon is 0"),
        ({"vocabulary": True}, "vocabulary is True"),
        ({"end": 2}, "end is 2; tokens are 0 to 1"),
        ({"horizon": 2}, r"history \(0,\) has no law"),
        ({"vocabulary": 3}, r"the law after \(\) has shape \(2,\)"),
        ({"laws": {(): np.array([0.5, 0.4])}}, r"the law after \(\) has sum 0\.9"),
        ({"laws": {(): np.array([Fraction(3, 2), Fraction(-1, 2)])}}, "holds -1/2"),
        ({"horizon": 20}, "more than 50000 sequences"),
    ],
)
def test_tables_that_are_refused(changed: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"laws": {(): HALF}, "vocabulary": 2, "horizon": 1, **changed}
    with pytest.raises(ModelError, match=message):
        LanguageTable(**given)


def test_a_sequence_without_a_reward_is_named() -> None:
    with pytest.raises(ModelError, match=r"sequence \(1,\) has no reward"):
        soft_bellman(table(1), {(0,): 1.0}, 1)
