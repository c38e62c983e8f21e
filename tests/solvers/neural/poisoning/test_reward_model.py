"""The reward model: what it computes, what trains, and what a frozen trunk knows of labels."""

import numpy as np
import pytest
import torch

from holdfast.solvers import ModelError
from holdfast.solvers.neural.parts.training import TrainingError
from holdfast.solvers.neural.poisoning.reward_model import Descent, RewardModel, fit, pairs_of
from holdfast.solvers.poisoning.rewards.learning import fit_reward

ANSWERS = pairs_of(*np.random.default_rng(5).standard_normal((2, 80, 6)))
LABELS = np.where(np.arange(80) % 5 == 0, 0.25, 1.0)
WEIGHTS = 1.0 + np.arange(80) % 3


def model(seed: int = 0) -> RewardModel:
    found = RewardModel(6, 8, 3, seed)
    found.standardise(ANSWERS)
    return found


def test_a_pair_scores_the_difference_of_its_answers() -> None:
    one = model()
    phi = one.features(ANSWERS)
    with torch.no_grad():
        chosen, rejected = (one.head(one.trunk(one.inputs(x)).double())[:, 0] for x in ANSWERS)
    assert phi.shape == (3, 80)
    assert one.reward @ phi == pytest.approx((chosen - rejected).numpy(), abs=1e-12)


def test_inputs_are_standardised_also_where_they_are_constant() -> None:
    answers = ANSWERS.clone() * 100 + 7
    answers[:, :, 2] = 4.0
    one = RewardModel(6, 8, 3, 0)
    one.standardise(answers)
    rows = one.inputs(answers).flatten(0, 1)
    assert rows.mean(dim=0).abs().max() < 1e-5
    assert rows.std(dim=0)[[0, 1, 3, 4, 5]] == pytest.approx(np.ones(5), abs=1e-5)
    assert (rows[:, 2] == 0).all()


def test_a_frozen_trunk_stays_and_the_head_reaches_the_minimiser_of_newtons_method() -> None:
    """The second method is `fit_reward` on the trunk's features, with the same units of a ridge."""
    start = model()
    how = Descent(steps=60, ridge=0.7, optimizer="lbfgs")
    found = fit(start, ANSWERS, LABELS, how, weights=WEIGHTS)
    assert (found.features(ANSWERS) == start.features(ANSWERS)).all()
    best = fit_reward(start.features(ANSWERS), LABELS, weights=WEIGHTS, ridge=0.7)
    assert found.reward == pytest.approx(best.reward, abs=1e-6)


def test_adam_gets_there_too() -> None:
    start = model()
    found = fit(start, ANSWERS, LABELS, Descent(800, 1e-2, ridge=5.0))
    best = fit_reward(start.features(ANSWERS), LABELS, ridge=5.0)
    assert found.reward == pytest.approx(best.reward, abs=1e-3)


def test_the_gradient_of_a_trained_trunk_is_that_of_the_loss() -> None:
    """One step of Adam moves every weight by the learning rate against the sign of the slope, which
    finite differences of the loss, computed apart, confirm."""
    start, rate, size = model(), 1e-4, 1e-2
    after = fit(start, ANSWERS, LABELS, Descent(1, 1e-9, rate), weights=WEIGHTS)
    before = start.trunk[0].weight.detach()
    moved = (after.trunk[0].weight.detach() - before).numpy()

    def loss() -> float:
        u = start.reward @ start.features(ANSWERS)
        return float(WEIGHTS @ (np.logaddexp(0, u) - LABELS * u) / WEIGHTS.sum())

    for place in [(0, 0), (3, 2), (7, 5)]:
        before[place] += size
        up = loss()
        before[place] -= 2 * size
        slope = (up - loss()) / (2 * size)
        before[place] += size
        assert abs(slope) > 1e-4, "a slope that finite differences can tell from rounding"
        assert moved[place] == pytest.approx(-rate * np.sign(slope), rel=0.05)


def same_moments(phi: np.ndarray) -> np.ndarray:
    """Labels with the moments of LABELS: a step along the null space of Phi, inside the box."""
    _, _, rows = np.linalg.svd(phi)
    middle = 0.25 + 0.5 * LABELS
    direction = rows[-1]
    return middle, middle + 0.2 * direction / np.abs(direction).max()


def test_frozen_labels_of_equal_moments_teach_the_same_and_trained_ones_do_not() -> None:
    start = model()
    one, two = same_moments(start.features(ANSWERS))
    assert np.abs(one - two).max() > 0.1

    def apart(how: Descent, other: np.ndarray) -> float:
        a, b = (fit(start, ANSWERS, labels, how) for labels in (one, other))
        gap = a.reward @ a.features(ANSWERS) - b.reward @ b.features(ANSWERS)
        return float(np.abs(gap).max())

    assert apart(Descent(100), two) < 1e-10
    assert apart(Descent(100), one[::-1].copy()) > 1e-2, "other moments teach something else"
    assert apart(Descent(100, trunk_learning_rate=1e-2), two) > 1e-2
    assert apart(Descent(100, batch=16), two) > 1e-4, "batches have moments of their own"


def test_a_training_repeats_bit_for_bit_and_leaves_the_start_alone() -> None:
    start = model()
    before = {name: tensor.clone() for name, tensor in start.state_dict().items()}
    how = Descent(20, trunk_learning_rate=1e-3, batch=16)
    one, two = (fit(start, ANSWERS, LABELS, how, seed=4).state_dict() for _ in range(2))
    other = fit(start, ANSWERS, LABELS, how, seed=5).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["head.weight"], other["head.weight"])
    assert all(torch.equal(before[name], tensor) for name, tensor in start.state_dict().items())


def test_what_is_not_finite_stops_the_training_and_is_placed() -> None:
    broken = ANSWERS.clone()
    broken[1, 7, 2] = float("nan")
    with pytest.raises(TrainingError, match=r"update 1 of 50: the loss is nan .*learning rates"):
        fit(model(), broken, LABELS, Descent(50))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"optimizer": "sgd"}, "give one of adam, lbfgs"),
        ({"optimizer": "lbfgs", "batch": 8}, "trains the head on all pairs"),
        ({"optimizer": "lbfgs", "trunk_learning_rate": 1e-3}, "trains the head on all pairs"),
        ({"steps": 0}, "steps = 0; it must be positive"),
        ({"learning_rate": -1.0}, "learning_rate = -1.0; it must be positive"),
        ({"trunk_learning_rate": 1e300}, "trunk_learning_rate = 1e[+]300; give at most 1e[+]37"),
        ({"ridge": -1.0}, "ridge = -1.0; it must not be negative"),
        ({"batch": -1}, "batch = -1; it must not be negative"),
    ],
)
def test_what_cannot_be_trained_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Descent(**given)
