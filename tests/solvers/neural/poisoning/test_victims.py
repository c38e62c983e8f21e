"""One cell of the experiment: five labellings, two trunks, and the control in each."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from holdfast.solvers import ModelError
from holdfast.solvers.neural.poisoning.answers import Answers, synthetic_answers
from holdfast.solvers.neural.poisoning.victims import (
    LABELS,
    Cell,
    Outcome,
    RewardModelOptions,
    Victim,
    experiment,
    prepare,
)

DATA = synthetic_answers()
SMALL = RewardModelOptions(hidden=16, width=8, steps=80)
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def frozen() -> list[Outcome]:
    options = replace(SMALL, ridge=20.0, optimizer="lbfgs", steps=25)
    return [experiment(DATA, options, seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def trained() -> list[Outcome]:
    return [experiment(DATA, replace(SMALL, trunk="trained"), seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def cell() -> Cell:
    return prepare(DATA, SMALL, 0)


def test_the_labels_are_what_their_names_say(cell: Cell) -> None:
    clean, attack, cheap, rounded, thinned = (cell.labels[name] for name in LABELS)
    assert len(clean) == 480
    assert (clean == 1).all()
    assert cell.flips("attack") == 48
    phi = cell.start.features(cell.train)
    assert phi @ cheap == pytest.approx(phi @ attack, abs=1e-9)
    assert cell.least.lower <= cell.flips("least-cost") + 1e-9
    assert cell.least.upper - cell.least.lower <= 1e-6 * cell.least.upper
    assert (rounded == np.round(cheap)).all()
    assert ((thinned == 1) | (attack == 0)).all(), "only flips of the attack are kept"
    assert cell.flips("thinned") == np.ceil(cell.least.lower)


def test_thinning_pays_in_weights() -> None:
    """With weights 1 and 3 the kept flips cost at least the least cost, and less with one fewer."""
    weights = 1.0 + 2.0 * (np.arange(DATA.n_pairs) % 2)
    cell = prepare(replace(DATA, weights=weights), SMALL, 0)
    assert cell.least.lower <= cell.flips("thinned") < cell.least.lower + 3
    assert cell.flips("thinned") < cell.flips("attack")


@pytest.mark.slow
def test_with_a_frozen_trunk_the_least_cost_has_the_attacks_effect(frozen: list[Outcome]) -> None:
    for found in frozen:
        cheap, rounded = found.of("least-cost"), found.of("rounded")
        assert found.attack == 48
        assert cheap.flips < 0.8 * found.attack
        assert cheap.loss < 1e-6
        assert cheap.agree == cheap.pairs == 120
        assert rounded.loss < 0.1
        assert found.of("thinned").loss > 0.2, "the control: as many flips, not chosen"
        assert all(victim.drift == 0 for victim in found.victims)


@pytest.mark.slow
def test_with_a_trained_trunk_it_does_worse_than_the_thinned_attack(
    trained: list[Outcome],
) -> None:
    for found in trained:
        cheap, thinned = found.of("least-cost"), found.of("thinned")
        assert cheap.loss > thinned.loss + 0.1
        assert found.of("attack").drift > 0.3
    agree = {n: sum(one.of(n).agree for one in trained) for n in ("least-cost", "thinned")}
    assert agree["least-cost"] < agree["thinned"] < 3 * 120


def test_the_ends_of_the_scale_are_clean_and_attack(
    frozen: list[Outcome], trained: list[Outcome]
) -> None:
    for found in (*frozen, *trained):
        assert found.of("clean").loss == 1
        assert found.of("attack").loss == 0
        assert found.moved > 0.02


def test_the_stability_bound_stands_beside_the_distance(frozen: list[Outcome]) -> None:
    """Labels of equal moments are certainly nearer than those of the control, whose moments
    differ."""
    for found in frozen:
        near = {victim.labels: victim.near for victim in found.victims}
        for one in near.values():
            assert one is not None
            assert one.distance_upper <= one.bound
            assert one.moved <= one.allowed
        cheap, thinned = near["least-cost"], near["thinned"]
        assert cheap is not None
        assert thinned is not None
        assert cheap.bound < 1e-4
        assert cheap.allowed < 1e-4
        assert thinned.distance_lower > 1e3 * cheap.distance_upper
        assert near["attack"] is not None
        assert near["attack"].distance_upper == 0


def test_no_bound_is_claimed_of_a_trained_trunk(trained: list[Outcome]) -> None:
    assert all(victim.near is None for found in trained for victim in found.victims)


def test_agreement_has_the_exact_binomial_interval() -> None:
    low, high = Victim("rounded", 1.0, 0.1, 57, 60, 0.0).agreement(0.9)
    assert low == pytest.approx(beta.ppf(0.05, 57, 4))
    assert high == pytest.approx(beta.ppf(0.95, 58, 3))
    assert Victim("rounded", 1.0, 0.1, 60, 60, 0.0).agreement()[1] == 1


def test_an_outcome_is_plain_numbers_and_back(
    frozen: list[Outcome], trained: list[Outcome]
) -> None:
    for found in (frozen[0], trained[0]):
        assert Outcome.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"attack": "margin"}, "attack = 'margin'; give one of random, length"),
        ({"trunk": "thawed"}, "trunk = 'thawed'; give one of frozen, trained"),
        ({"width": 0}, "width = 0; it must be at least 1"),
        ({"held_out": 1.0}, "held_out = 1.0; give a share"),
        ({"trunk": "trained", "trunk_learning_rate": 0.0}, "trains no trunk"),
        ({"trunk": "trained", "optimizer": "lbfgs"}, "trains the head on all pairs"),
        ({"warm_steps": 0}, "must be positive"),
    ],
)
def test_options_that_mean_nothing_are_refused(given: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        RewardModelOptions(**given)


def test_data_that_do_not_suffice_are_refused() -> None:
    with pytest.raises(ModelError, match="lengths are not known"):
        prepare(replace(DATA, gaps=None), replace(SMALL, attack="length"), 0)
    few: Answers = DATA.of(np.arange(1))
    with pytest.raises(ModelError, match=r"held_out = 0\.2 of 1 pairs leaves 1 to compare on"):
        prepare(few, SMALL, 0)
