"""Minimisers of losses on preferences: by hand, by BFGS, and data that have none."""

from collections.abc import Callable
from fractions import Fraction

import flint
import numpy as np
import pytest
from scipy.optimize import minimize

from holdfast.solvers.alignment import preferences as solver
from holdfast.solvers.alignment import tilt
from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient.balls import number

REWARDS, REFERENCE = np.array([1.0, 0.0, -0.5, 2.0]), np.array([0.1, 0.2, 0.3, 0.4])
PATH = np.array([[0.0, 1, 0, 0], [1, 0, 2, 0], [0, 2, 0, 1], [0, 0, 1, 0]])
TEMPERATURE = 0.5


def softmin(loss: Callable[[np.ndarray], float], count: int = 4) -> np.ndarray:
    """The policy of least loss by BFGS on logits."""

    def policy(logits: np.ndarray) -> np.ndarray:
        return tilt(np.full((1, count), 1 / count), logits[None], 1)[0]

    found = minimize(lambda z: loss(policy(z)), np.zeros(count), options={"gtol": 1e-10})
    return policy(found.x)


def test_dpo_on_a_path_finds_the_tilt() -> None:
    found = solver.dpo(solver.population_wins(REWARDS, PATH), REFERENCE, TEMPERATURE)
    expected = tilt(REFERENCE[None], REWARDS[None], TEMPERATURE)[0]
    assert np.allclose(found, expected, rtol=1e-10)


def test_dpo_on_counts_agrees_with_bfgs_and_the_enclosure() -> None:
    wins = solver.sampled_wins(REWARDS, 200 * PATH, np.random.default_rng(1))
    assert ((wins + wins.T) == 200 * PATH).all()
    found = solver.dpo(wins, REFERENCE, TEMPERATURE)
    by_bfgs = softmin(lambda p: float(solver.dpo_loss(wins, p, REFERENCE, TEMPERATURE)))
    assert np.allclose(found, by_bfgs, atol=1e-5)
    exact = np.vectorize(Fraction, otypes=[object])(wins.astype(int))
    reference = np.array([Fraction(k, 10) for k in (1, 2, 3, 4)])
    with flint.ctx.workprec(200):
        enclosed = solver.dpo(exact, reference, Fraction(1, 2))
    assert all(ball.rad() < 1e-50 for ball in enclosed)
    assert np.allclose(found, [float(ball) for ball in enclosed], rtol=1e-9)


def test_two_responses_by_hand() -> None:
    """3 of 4 wins: log-odds log 3, over the temperature 1/2 a factor of 9."""
    found = solver.dpo(np.array([[0, 3], [1, 0]]), np.array([0.5, 0.5]), 0.5)
    assert np.allclose(found, [0.9, 0.1], rtol=1e-10)


def test_components_keep_the_mass_of_the_reference() -> None:
    apart = PATH.copy()
    apart[1, 2] = apart[2, 1] = 0
    found = solver.dpo(solver.population_wins(REWARDS, apart), REFERENCE, TEMPERATURE)
    assert solver.components(apart) == [[0, 1], [2, 3]]
    assert found[:2].sum() == pytest.approx(0.3)
    assert found[0] / found[1] == pytest.approx(0.5 * np.exp(2))


@pytest.mark.parametrize("wins", [((0, 5), (0, 0)), ((0, 2, 1), (3, 0, 2), (0, 0, 0))])
def test_separable_data_are_refused(wins: tuple[tuple[int, ...], ...]) -> None:
    reference = np.full(len(wins), 1 / len(wins))
    with pytest.raises(ModelError, match=r"in every comparison.*half a win more"):
        solver.dpo(np.array(wins), reference, 1.0)


def test_bad_tables_are_refused() -> None:
    with pytest.raises(ModelError, match=r"wins has shape \(1, 2\)"):
        solver.dpo(np.zeros((1, 2)), REFERENCE, 1.0)
    with pytest.raises(ModelError, match=r"wins\[0, 1\] is -1"):
        solver.ipo(np.array([[0.0, -1], [1, 0]]), REFERENCE, 1.0)
    with pytest.raises(ModelError, match="temperature is 0"):
        solver.dpo(PATH, REFERENCE, 0.0)
    with pytest.raises(ModelError, match=r"reference has shape \(3,\)"):
        solver.ipo(PATH, REFERENCE[:3], 1.0)
    huge = np.array([[Fraction(0), Fraction(10**400)], [Fraction(1), Fraction(0)]])
    with pytest.raises(ModelError, match="wins holds a number beyond the doubles"):
        solver.dpo(huge, np.array([Fraction(1, 2)] * 2), 1)
    with pytest.raises(ModelError, match="not symmetric"):
        solver.population_wins(REWARDS[:2], np.array([[0, 1], [2, 0]]))


def test_ipo_agrees_with_bfgs() -> None:
    wins = solver.population_wins(REWARDS, PATH)

    def loss(policy: np.ndarray) -> float:
        h = np.log(policy / REFERENCE)
        return float((wins * (h[:, None] - h - 1 / (2 * TEMPERATURE)) ** 2).sum())

    assert np.allclose(solver.ipo(wins, REFERENCE, TEMPERATURE), softmin(loss), atol=1e-5)


def test_kto_agrees_with_bfgs_and_leaves_a_response_out() -> None:
    good, bad = np.array([0.7, 0.6, 0.2, 0.9]), np.array([0.3, 0.4, 0.8, 0.1])
    found = solver.kto(good, bad, REFERENCE, TEMPERATURE, 0.3)
    by_bfgs = softmin(lambda p: float(solver.kto_loss(good, bad, p, REFERENCE, TEMPERATURE, 0.3)))
    assert np.allclose(found, by_bfgs, atol=1e-3)
    assert found[2] == 0


@pytest.mark.parametrize(
    ("good", "temperature", "message"),
    [([1.0, 0], 2.0, "temperature is 2"), ([0.0, 0], 0.5, "desirable on balance")],
)
def test_what_kto_refuses(good: list[float], temperature: float, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        solver.kto(np.array(good), np.array([0.5, 0.5]), np.array([0.5, 0.5]), temperature)


def test_scores_that_floats_hardly_tell_are_enclosed() -> None:
    """A win of 10^12: log-odds 27.6."""
    wins = np.array([[0, 10**12], [1, 0]], dtype=object)
    with flint.ctx.workprec(128):
        scores = solver.enclose_log_odds(wins)
        assert (scores[0] - scores[1] - number(10**12).log()).contains(0)
        assert scores[1].rad() < 1e-20
