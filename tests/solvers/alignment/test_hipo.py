"""HIPO's dynamics and optimum: exact instances, expectations against samples, what is refused."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from holdfast.solvers.alignment import hipo
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.errors import ModelError

SCORES = ([["1", "0.95"], ["1", "0"]], [["0", "1"], ["1/2", "3/5"]])
TWO = Problem.of([["1/2", "1/2"]] * 2, *SCORES)


@pytest.mark.parametrize(
    ("level", "best", "lock"), [("3/4", "39/40", "23/44"), ("7/10", "391/400", "251/440")]
)
def test_the_exact_instances(level: str, best: str, lock: str) -> None:
    """By hand at 3/4: prompt A gives its second response, B its first: (19/20 + 1)/2 and
    (1 + 1/2)/2.  In lock-step 4/5 - 11/20 p = 3/4, p = 1/11, and 19/40 + 21/40 p = 23/44."""
    found = hipo.constrained_vertex(TWO, Fraction(level))
    assert (found.user, found.system) == (Fraction(best), Fraction(level))
    assert found.dual == found.user
    assert hipo.lock_step(TWO, Fraction(level)) == (Fraction(lock), Fraction(level))


@pytest.mark.parametrize("seed", range(5))
def test_the_vertex_against_a_linear_program(seed: int) -> None:
    generator = np.random.default_rng(seed)
    X, Y = 3, 3
    user, system = (generator.integers(0, 21, (X, Y)) for _ in range(2))
    case = Problem.of([["1/3"] * Y] * X, user / 20, system / 20)
    level = Fraction(int(system.max(axis=1).sum()), 20 * X) * Fraction(9, 10)
    found = hipo.constrained_vertex(case, level)
    laws = np.kron(np.eye(X), np.ones(Y))
    exact = linprog(
        -user.ravel() / 20 / X, -system.ravel()[None] / 20 / X, [-float(level)], laws, np.ones(X)
    )
    assert abs(float(found.user) + exact.fun) < 1e-9
    assert found.system >= level


def test_expected_directions_by_hand() -> None:
    """G = 2 and even odds: half of the groups hold both responses, with advantages 1 and -1."""
    half = np.array([Fraction(1, 2)] * 2, dtype=object)
    user, system = np.array([Fraction(1), Fraction(0)]), np.array([Fraction(0), Fraction(1, 9)])
    plain = hipo.expected_direction(half, user, system, Fraction(2), 2, normalised=False)
    assert plain[0] == Fraction(1, 8) - 2 * Fraction(1, 72)  # (1 - 1/G) p q of each difference
    scaled = hipo.expected_direction(half, user, system, 2, 2)
    assert scaled[0].overlaps((1 - 2) * hipo.expected_direction(half, user, system, 0, 2)[0])


def test_means_of_samples_are_the_expectation() -> None:
    options = hipo.Options(level=0.75, memory=0.0, step=1.0, first=0.5)
    cold = Problem.of(
        *(getattr(TWO, n) for n in ("reference", "rewards", "safety")), temperature="1e-9"
    )
    runs = hipo.sampled(cold, options, 1, 40_000, np.random.default_rng(0))
    logits = np.log(runs.policies)
    found = (logits[:, :, 0] - logits[:, :, 1]).mean(axis=0)
    exact = hipo.mean_field(cold, options, 1).policies[0]
    assert np.abs(found - np.log(exact[:, 0] / exact[:, 1])).max() < 0.02


def test_the_printed_algorithm_moves_in_lock_step_and_the_repair_does_not() -> None:
    one = hipo.Options(level=0.75, memory=0.0)
    path = hipo.mean_field(TWO, one, 300)
    assert np.abs(path.policies[0, 0] - path.policies[0, 1]).max() < 1e-12
    repaired = hipo.Options(level=0.75, memory=0.0, normalised=False, step=1.0)
    path = hipo.mean_field(TWO, repaired, 1500)
    assert path.user[-300:].mean() > 0.96
    assert abs(path.system[-300:].mean() - 0.75) < 0.01


def test_the_cap_and_the_average_are_obeyed() -> None:
    options = hipo.Options(level=1.0, cap=2.1, multiplier_step=0.5)
    path = hipo.sampled(TWO, options, 50, 3, np.random.default_rng(1))
    assert path.multipliers.max() == 2.1
    slow = hipo.Options(level=1.0, memory=0.99, first=0.0)
    path = hipo.mean_field(TWO, slow, 3)
    first = path.system[0, 0]
    assert path.multipliers[1, 0] == pytest.approx(0.07 * (1 - first))


def test_the_divergence_in_the_reward_changes_the_fixed_point() -> None:
    """Means subtracted, multiplier off: exp((1 - 1/G) u/beta) is not where the loss puts it."""
    case = Problem.of(["1/2", "1/2"], [1, 0], [1, 1], temperature="1/2")
    options = hipo.Options(level=0.0, first=0.0, normalised=False, kl="reward", step=1.0)
    path = hipo.mean_field(case, options, 400)
    assert path.policies[0, 0, 0] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-6)
    printed = hipo.Options(level=0.0, first=0.0, normalised=False, step=1.0)
    assert hipo.mean_field(case, printed, 400).policies[0, 0, 0] > 0.98


def test_what_is_refused() -> None:
    with pytest.raises(ModelError, match="a group of 1"):
        hipo.Options(size=1)
    with pytest.raises(ModelError, match="kl is 'k3'"):
        hipo.Options(kl="k3")
    with pytest.raises(ModelError, match="memory"):
        hipo.Options(memory=1.0)
    with pytest.raises(ModelError, match="at most 20"):
        hipo.Options(first=30.0)
    with pytest.raises(ModelError, match="no policy meets level 1: it is 1/5 too high"):
        hipo.constrained_vertex(TWO, Fraction(1))
    with pytest.raises(ModelError, match="outside"):
        hipo.lock_step(TWO, Fraction(9, 10))
    with pytest.raises(ModelError, match="two responses"):
        hipo.lock_step(Problem.of(["1/2", "1/2"], [1, 0], [1, 0]), Fraction(1, 2))
