"""Best-of-n: by hand, against tuples, its derivative by differences, and bad counts."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.solvers.alignment import best_of_n as solver
from holdfast.solvers.errors import ModelError
from holdfast.verify.alignment.oracles.tuples import best_of_tuples

POLICY = np.array([Fraction(k, 10) for k in (1, 2, 3, 4)])
TIED = np.array([Fraction(k) for k in (1, 0, 1, 3)])


def test_two_coins() -> None:
    """The better of two fair coins is 1 with probability 3/4."""
    half, rewards = np.array([Fraction(1, 2)] * 2), np.array([0, 1])
    assert solver.best_of(half, rewards, 2).tolist() == [Fraction(1, 4), Fraction(3, 4)]
    assert solver.best_value(half, rewards, 2) == Fraction(3, 4)
    assert solver.first_variation(half, rewards, 2).tolist() == [-1, 0]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_it_is_the_best_of_all_tuples(n: int) -> None:
    found = solver.best_of(POLICY, TIED, n)
    assert (found == best_of_tuples(POLICY, TIED, n)).all()
    assert found.sum() == 1
    assert solver.best_value(POLICY, TIED, n) == (found * TIED).sum()


def test_a_response_of_probability_zero_is_never_best() -> None:
    policy = np.array([0.0, 0.5, 0.5])
    assert solver.best_of(policy, np.array([2.0, 1, 0]), 2).tolist() == [0, 0.75, 0.25]


def test_splitting_a_response_in_two_copies_adds_up() -> None:
    split = np.append(POLICY[:3], [POLICY[3] / 2, POLICY[3] / 2])
    found = solver.best_of(split, np.append(TIED, TIED[3]), 3)
    whole = solver.best_of(POLICY, TIED, 3)
    assert (found[:3] == whole[:3]).all()
    assert found[3] + found[4] == whole[3]


def test_first_variations_are_derivatives() -> None:
    policy, rewards = POLICY.astype(float), TIED.astype(float)
    change, step = np.array([0.1, -0.3, 0.1, 0.1]), 1e-6
    weights = np.exp(rewards)

    def slope(value: object) -> float:
        return (value(policy + step * change) - value(policy - step * change)) / (2 * step)  # type: ignore[operator]

    best = slope(lambda p: solver.best_value(p, rewards, 3))
    soft = slope(lambda p: solver.soft_value(p, rewards, weights))
    assert best == pytest.approx(change @ solver.first_variation(policy, rewards, 3), abs=1e-8)
    assert soft == pytest.approx(
        change @ solver.soft_first_variation(policy, rewards, weights), abs=1e-8
    )


def test_constants_of_smoothness() -> None:
    """(n - 1)(1 - 1/n)^(n - 1): 0, 1/2, 8/9, 81/64."""
    found = [solver.smoothness(Fraction(1), n) for n in (1, 2, 3, 4)]
    assert found == [0, Fraction(1, 2), Fraction(8, 9), Fraction(81, 64)]


def test_groups_without_order_have_all_the_probability() -> None:
    found = solver.groups(POLICY, 3)
    assert len(found) == 20
    assert sum(chance for _, chance in found) == 1


@pytest.mark.parametrize("wrong", [0, -1, 2.0, True])
def test_counts_that_are_refused(wrong: object) -> None:
    with pytest.raises(ModelError, match=f"n is {wrong!r}; it must be an integer of at least 1"):
        solver.best_of(POLICY, TIED, wrong)  # type: ignore[arg-type]


def test_rewards_of_other_responses_are_refused() -> None:
    with pytest.raises(ModelError, match=r"rewards has shape \(3,\); it needs \(4,\)"):
        solver.best_value(POLICY, TIED[:3], 2)


@pytest.mark.parametrize("n", [144, 200, 10**6])
def test_a_large_count_does_not_overflow(n: int) -> None:
    """The constant is spread (n - 1)(1 - 1/n)^(n - 1), about (n - 1)/e; here in balls."""
    wanted = (n - 1) * ((n - 1) * (1 - 1 / flint.arb(n)).log()).exp()
    assert abs(solver.smoothness(1.0, n) / float(wanted) - 1) < 1e-9
