"""Whole rows chosen together: nearer to the attack than each label rounded alone."""

from itertools import combinations

import numpy as np
import pytest

from holdfast.solvers.poisoning.data.attacks import random_flips
from holdfast.solvers.poisoning.large.enclose import enclose_flips
from holdfast.solvers.poisoning.measure import rounding
from holdfast.solvers.poisoning.measure.rounding import rounded_jointly, thinned, to_copies
from holdfast.solvers.poisoning.rewards.effects import performance_loss_ratio
from holdfast.solvers.poisoning.rewards.learning import fit_reward
from holdfast.solvers.sequences import Array


def cheapest(n: int, pairs: int, rate: float, seed: int) -> tuple[Array, Array, Array, Array]:
    """Features in eighths, benign and target labels, and the cheapest ones."""
    features = np.random.default_rng(seed).integers(-16, 17, (n, pairs)) / 8
    benign = np.ones(pairs)
    target = random_flips(benign, rate, seed=seed)
    return features, benign, target, enclose_flips(features, benign, target).labels


def ridge_loss(features: Array, benign: Array, target: Array, labels: Array) -> float:
    """The performance-loss ratio of the ridge reward (lambda = 1): 0 the attack's effect."""
    three = (fit_reward(features, one, ridge=1.0).reward for one in (benign, target, labels))
    return performance_loss_ratio(features, *three)


def rows(labels: Array, benign: Array) -> float:
    return float(np.abs(labels - benign).sum())


@pytest.mark.parametrize(
    ("case", "alone", "jointly"),
    [((4, 60, 0.25, 3), (6, 0.150), (7, 0.044)), ((8, 100, 0.15, 0), (7, 0.224), (7, 0.121))],
)
def test_seven_rows_lose_less_when_they_are_chosen_together(
    case: tuple[int, int, float, int], alone: tuple[int, float], jointly: tuple[int, float]
) -> None:
    """Performance-loss ratios of the ridge reward, of n features, N pairs, a rate and a seed."""
    features, benign, target, labels = cheapest(*case)
    nearest = to_copies(labels, benign, 1)
    found = rounded_jointly(features, labels, benign, target, None, copies=1, ridge=1.0)
    for given, expected in ((nearest, alone), (found, jointly)):
        assert rows(given, benign) == expected[0]
        assert ridge_loss(features, benign, target, given) == pytest.approx(expected[1], abs=5e-4)
    drawn = [thinned(benign, target, jointly[0], copies=1, seed=k) for k in range(5)]
    for one in drawn:
        assert one is not None
        assert rows(one, benign) == jointly[0]
        assert set(np.flatnonzero(one != benign)) <= set(np.flatnonzero(target != benign))
        assert ridge_loss(features, benign, target, one) > 3 * jointly[1]


def distances(features: Array, target: Array, labels: Array) -> Array:
    """d' H^-1 d at the attack's ridge reward for labels (K, N), by numpy alone."""
    chance = 1 / (1 + np.exp(-fit_reward(features, target, ridge=1.0).reward @ features))
    hessian = features * (chance * (1 - chance)) @ features.T + np.eye(len(features))
    d = (labels - target) @ features.T
    found: Array = np.einsum("ij,ij->i", d, np.linalg.solve(hessian, d.T).T)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_on_small_data_next_to_no_rows_are_nearer(seed: int) -> None:
    """Of all sets of at most as many of fourteen rows fewer than one in a hundred are nearer."""
    features, benign, target, labels = cheapest(3, 14, 0.4, seed)
    found = rounded_jointly(features, labels, benign, target, None, copies=1, ridge=1.0)
    most = int(np.ceil(rows(labels, benign) - 1e-9))
    assert rows(found, benign) <= most
    sets = [one for k in range(most + 1) for one in combinations(range(14), k)]
    every = np.ones((len(sets), 14))
    for labels, flipped in zip(every, sets, strict=True):
        labels[list(flipped)] = 0
    mine = distances(features, target, found[None])[0]
    assert np.mean(distances(features, target, every) < mine * (1 - 1e-9)) < 0.01


@pytest.mark.parametrize("copies", [1, 2, 4])
def test_multiples_of_a_fraction_weights_and_labels_of_a_half(copies: int) -> None:
    """The distance never grows, labels stay within 0 and 1, and no row is added to the budget."""
    features, benign, target, _ = cheapest(3, 40, 0.3, 5)
    if copies > 1:
        benign[:4] = target[:4] = 0.5
    weights = np.where(np.arange(40) % 2, 2.0, 1.0)
    labels = enclose_flips(features, benign, target, weights=weights).labels
    found = rounded_jointly(features, labels, benign, target, weights, copies=copies, ridge=1.0)
    assert not np.mod(found * copies, 1).any()
    assert 0 <= found.min() <= found.max() <= 1
    assert copies * rows(found, benign) <= np.ceil(copies * rows(labels, benign) - 1e-9)


def test_nothing_to_change_changes_nothing() -> None:
    features, benign, _, _ = cheapest(3, 20, 0.3, 1)
    found = rounded_jointly(features, benign, benign, benign, None, copies=1, ridge=0.0)
    assert (found == benign).all()


def test_more_than_can_be_searched_is_rounded_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    features, benign, target, labels = cheapest(4, 60, 0.25, 3)
    monkeypatch.setattr(rounding, "LARGEST", 239)
    found = rounded_jointly(features, labels, benign, target, None, copies=1, ridge=1.0)
    assert (found == to_copies(labels, benign, 1)).all()


def test_an_attack_that_is_no_whole_rows_is_not_thinned() -> None:
    assert thinned(np.ones(3), np.array([0.5, 1, 1]), 1, copies=1, seed=0) is None
    halves = thinned(np.ones(3), np.array([0.5, 1, 0]), 3, copies=2, seed=0)
    assert halves is not None
    assert halves.tolist() == [0.5, 1, 0]
    assert thinned(np.ones(3), np.array([0.5, 1, 0]), 4, copies=2, seed=0) is None
