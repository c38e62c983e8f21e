"""The reward learnt in floats: closed forms, statuses, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning.rewards import loss_passes
from holdfast.solvers.poisoning.rewards.effects import (
    performance_loss_ratio,
    preferences,
    reward_change,
)
from holdfast.solvers.poisoning.rewards.learning import fit_reward
from holdfast.solvers.poisoning.rewards.separability import separating_direction
from holdfast.solvers.solution import Status

from ...zoo.flips import soft_labels


@pytest.mark.parametrize("label", [0.5, 0.25, 0.9])
def test_one_pair_has_the_logit_of_its_label(label):
    """sigma(2 r) = theta at r = log(theta/(1 - theta))/2."""
    found = fit_reward(np.array([[2.0]]), np.array([label]))
    assert found.status is Status.APPROXIMATE
    assert found.reward[0] == pytest.approx(math.log(label / (1 - label)) / 2, abs=1e-9)
    assert found.gradient <= 1e-10


def test_weights_are_copies():
    """Three pairs won and one lost on one feature: sigma(r) = 3/4, so r = log 3."""
    found = fit_reward(np.ones((1, 2)), np.array([1.0, 0.0]), weights=np.array([3.0, 1.0]))
    assert found.reward[0] == pytest.approx(math.log(3), abs=1e-9)
    assert found.loss == pytest.approx(4 * math.log(4) - 3 * math.log(3), abs=1e-9)


def test_blocks_do_not_change_the_result(monkeypatch):
    features, labels, rho = soft_labels(5)
    whole = fit_reward(features, labels, weights=rho, ridge=0.1)
    monkeypatch.setattr(loss_passes, "_BLOCK", 28)
    parts = fit_reward(features, labels, weights=rho, ridge=0.1)
    scale = np.linalg.norm(np.abs(features).max(axis=1)) * rho.sum()  # at least root mean squares
    slack = (parts.gradient + whole.gradient) * scale / 0.1  # the ridge makes the loss 1/10-convex
    assert slack < 1e-4
    assert np.linalg.norm(parts.reward - whole.reward) <= slack


def test_single_precision_is_taken_as_it_is():
    features, labels, _ = soft_labels(6)
    single = features.astype(np.float32)
    whole = fit_reward(single.astype(float), labels)
    np.testing.assert_allclose(fit_reward(single, labels).reward, whole.reward, rtol=1e-12)


def test_long_scores_alone_do_not_separate():
    """One pair of score 40: a minimiser exists since the others contradict each other."""
    features = np.array([[1.0, 1.0, 1.0, 1.0, 40.0]])
    labels = np.array([1.0, 1.0, 1.0, 0.0, 1.0])
    found = fit_reward(features, labels)
    assert found.status is Status.APPROXIMATE
    assert found.direction is None
    assert found.reward[0] * 40 > 20
    np.testing.assert_allclose(found.reward, [math.log(3)], atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_labels_of_a_reward_are_separable(seed):
    """Labels 1 exactly where a reward is positive: no minimiser, and the direction shows it."""
    features, _, _ = soft_labels(seed)
    labels = (np.random.default_rng(seed + 100).normal(size=4) @ features > 0).astype(float)
    found = fit_reward(features, labels)
    assert found.status is Status.UNATTAINED
    assert "ridge" in found.status.value
    assert ((found.direction @ features > 0) == (labels == 1)).all()
    assert fit_reward(features, labels, ridge=1.0).status is Status.APPROXIMATE


def test_separated_only_in_part():
    """The first pair alone has the second feature, and the others contradict each other: the
    gradient vanishes along the way to infinity, but there is no minimiser."""
    features = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    labels = np.array([1.0, 1.0, 0.0])
    found = fit_reward(features, labels)
    assert found.status is Status.UNATTAINED
    assert found.direction[0] == pytest.approx(0, abs=1e-9)
    assert found.direction[1] > 0
    soft = fit_reward(features, np.array([0.75, 1.0, 0.0]))
    assert soft.status is Status.APPROXIMATE
    np.testing.assert_allclose(soft.reward, [0, math.log(3)], atol=1e-9)


def test_soft_labels_never_separate():
    features, labels, _ = soft_labels(7)
    assert separating_direction(features, labels) is None
    assert separating_direction(np.ones((1, 2)), np.array([1.0, 0.5])) is None
    weightless = np.array([1.0, 0.0])
    assert separating_direction(np.ones((1, 2)), np.array([1.0, 0.5]), weights=weightless) > 0


def test_few_iterations_stop_short():
    features, labels, rho = soft_labels(8)
    found = fit_reward(features, labels, weights=rho, iterations=1)
    assert found.status is Status.UNDECIDED
    assert found.iterations == 1


def test_a_feature_without_difference_gets_nothing():
    found = fit_reward(np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([0.25, 0.75]))
    np.testing.assert_allclose(found.reward, [0, 0], atol=1e-12)
    assert found.status is Status.APPROXIMATE


@pytest.mark.parametrize(
    ("features", "labels", "extra", "message"),
    [
        (np.ones(3), np.ones(3), {}, r"shape \(3,\)"),
        (np.ones((2, 0)), np.ones(0), {}, "neither empty"),
        (np.ones((2, 3)), np.ones(2), {}, r"labels has shape \(2,\) for 3 pairs"),
        (
            np.ones((1, 2)),
            np.array([0.5, 1.5]),
            {},
            r"labels\[1\] \(pair 2\) is 1.5",
        ),
        (np.ones((1, 2)), np.array([np.nan, 1]), {}, r"labels\[0\] \(pair 1\) is nan"),
        (np.array([[1.0, np.inf]]), np.ones(2), {}, "the features of pair 2 are"),
        (
            np.ones((1, 2)),
            np.ones(2),
            {"weights": np.array([1, -2.0])},
            r"weights\[1\] .* is -2.0",
        ),
        (
            np.ones((1, 2)),
            np.ones(2),
            {"weights": np.zeros(2)},
            "weights are all zero",
        ),
        (np.ones((1, 2)), np.ones(2), {"ridge": -1.0}, "ridge is -1.0"),
    ],
)
def test_what_is_refused(features, labels, extra, message):
    with pytest.raises(ModelError, match=message):
        fit_reward(features, labels, **extra)


# -- effects -------------------------------------------------------------------------------------
def test_changes_of_a_reward_by_hand():
    """Scores log 3 and 0 against 0 and -log 3: probabilities 3/4, 1/2 against 1/2, 1/4; no sign of
    one agrees with the other's."""
    features = np.eye(2)
    change = reward_change(features, np.array([math.log(3), 0.0]), np.array([0.0, -math.log(3)]))
    assert change.mean_gap == pytest.approx(1 / 4)
    assert change.agreement == 0
    same = reward_change(features, np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    assert same.agreement == 1


def test_the_loss_ratio_runs_from_the_attack_to_nothing():
    features = np.eye(2)
    clean, attacked = np.array([1.0, 1.0]), np.array([-1.0, 0.5])
    assert performance_loss_ratio(features, clean, attacked, attacked) == 0
    assert performance_loss_ratio(features, clean, attacked, clean) == 1
    assert math.isnan(performance_loss_ratio(features, clean, clean, attacked))


def test_a_reward_of_another_length_is_refused():
    with pytest.raises(ModelError, match=r"shape \(3,\) for 2 features"):
        preferences(np.eye(2), np.ones(3))


def test_cheaper_labels_with_the_same_moments_teach_the_same():
    """phi = 1, 2, 4 and the first pair flipped: a quarter of a flip of the third moves the moment
    by as much."""
    features = np.array([[1.0, 2.0, 4.0]])
    attacked, cheaper = np.array([0.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.75])
    rewards = [
        fit_reward(features, labels, ridge=0.3).reward for labels in (np.ones(3), attacked, cheaper)
    ]
    assert performance_loss_ratio(features, *rewards) == pytest.approx(0, abs=1e-9)
