"""Closed forms of expected updates, against rationals and on subjects that are tables."""

from fractions import Fraction as F
from itertools import product

import numpy as np
import pytest

from holdfast.solvers.alignment.audits.trainers import (
    POLICY,
    REFERENCE,
    REWARDS,
    _tilted,
    ascent,
    examine_groups,
    examine_mixture,
    examine_pairs,
    expected,
    floats,
    gibbs,
    stated,
)
from holdfast.solvers.errors import ModelError


def test_the_scale_of_the_centred_update_is_rational() -> None:
    # sum over all 81 groups, in rationals: (1 - 1/4) pi (r - E r)
    mean = sum(p * r for p, r in zip(POLICY, REWARDS, strict=True))
    total = [F(0)] * 3
    for drawn in product(range(3), repeat=4):
        chance = F(1)
        for k in drawn:
            chance *= POLICY[k]
        centre = sum(REWARDS[k] for k in drawn) / 4
        for k in drawn:
            for j in range(3):
                total[j] += chance * (REWARDS[k] - centre) * ((j == k) - POLICY[j]) / 4
    exact = [F(3, 4) * p * (r - mean) for p, r in zip(POLICY, REWARDS, strict=True)]
    assert total == exact
    subject = Table("centred")
    push, _ = expected(
        floats(POLICY), 4,
        lambda drawn: subject.group(floats(POLICY), floats(POLICY), floats(REWARDS), drawn),
    )  # fmt: skip
    assert np.abs(push - floats(exact)).max() < 1e-15


class Table:
    """A group update with KL in the reward, in numpy; or DPO with some beta."""

    group_size, unit, multiplier = 4, 2.0**-53, None

    def __init__(self, form="centred", weight=0.3, beta=0.3, direction="reverse") -> None:
        self.form, self.weight, self.beta, self.direction = form, weight, beta, direction

    def group(self, policy, reference, rewards, drawn):
        rows = list(drawn)
        values = np.asarray(rewards)[rows].astype(float)
        if values.ndim == 2:
            values = values @ np.array([1, 0.5])
        away = values - values.mean()
        if self.form == "loo":
            away = away * 4 / 3
        if self.form == "std" and away.any():
            away = away / values.std()
        if self.form == "cubic":
            away = values**3
        slope = away @ (np.eye(len(policy))[rows] - policy) / 4
        away = np.log(policy / reference)
        pull = {"reverse": ascent(policy, away), "forward": policy - reference,
                "neither": ascent(policy, policy - reference), "none": 0 * policy}  # fmt: skip
        return -slope + self.weight * pull[self.direction]

    def pair(self, policy, reference, chosen, rejected):
        eye = np.eye(len(policy))
        away = np.log(policy / reference)
        margin = self.weight * (away[chosen] - away[rejected])
        return -self.weight / (1 + np.exp(margin)) * (eye[chosen] - eye[rejected])


@pytest.mark.parametrize(
    ("form", "rewards", "fixed"),
    [
        ("centred", "1 - 1/G", "(1 - 1/G)/beta"),
        ("loo", "1", "1/beta"),
        ("std", "standardised", None),
    ],
)
def test_scales(form, rewards, fixed) -> None:
    found = {one.check: one for one in examine_groups(Table(form))}
    assert found["rewards"].form == rewards
    assert found["divergence"].form == "reverse"
    assert not any(one.fault for one in found.values())
    assert found.get("fixed point") is None or found["fixed point"].form == fixed


@pytest.mark.parametrize("direction", ["reverse", "forward", "neither", "none"])
def test_directions(direction) -> None:
    found = {one.check: one for one in examine_groups(Table(direction=direction))}["divergence"]
    wanted = {"neither": "none", "none": "absent"}.get(direction, direction)
    assert (found.form, found.fault) == (wanted, direction in ("forward", "none"))
    assert found.open == (direction == "neither")


def test_the_directions_of_the_note_on_estimators() -> None:
    policy, reference = floats(POLICY), floats(REFERENCE)
    assert np.allclose(policy - reference, [1 / 4, 1 / 12, -1 / 3])
    assert np.allclose(
        ascent(policy, np.log(policy / reference)), [0.217, 0.009, -0.226], atol=5e-4
    )


def test_a_weight_that_is_not_beta_is_a_fault() -> None:
    found = {one.check: one for one in examine_groups(Table("loo", weight=0.15))}
    assert found["divergence"].fault
    assert found["fixed point"].form == "none"


def test_rewards_that_obey_no_form() -> None:
    first = examine_groups(Table("cubic"))[0]
    assert (first.form, first.fault, first.open) == ("none", False, True)


def test_mixtures() -> None:
    assert examine_mixture(Table()).form == "linear"


@pytest.mark.parametrize(("weight", "form"), [(0.3, "1/beta"), (0.15, "other"), (1 / 0.3, "beta")])
def test_pairs(weight, form) -> None:
    (found,) = examine_pairs(Table(weight=weight))
    assert (found.form, found.fault) == (form, form != "1/beta")


def test_gibbs_is_normalised_far_from_one() -> None:
    assert gibbs(np.array([0.5, 0.5]), np.array([900.0, 0.0]))[0] == 1.0


def test_a_beta_that_is_not_stated_is_read_off() -> None:
    (found,) = examine_pairs(Table(weight=0.15, beta=None))
    assert (found.form, found.fault) == ("1/beta", False)
    assert "with beta = 0.15, which the loss does not state" in found.words
    for weight in (0.3, 0.15):
        fixed = examine_groups(Table("loo", weight=weight, beta=None))[2]
        assert (fixed.form, fixed.fault) == ("1/beta", False)


@pytest.mark.parametrize(
    ("direction", "fault", "words"),
    [("none", False, "beta is 0, and nothing holds"), ("reverse", True, "and beta is 0"),
     ("forward", True, "and beta is 0")],
)  # fmt: skip
def test_a_beta_of_zero_is_a_loss_without_divergence(direction, fault, words) -> None:
    found = {one.check: one for one in examine_groups(Table(beta=0.0, direction=direction))}
    assert found["divergence"].fault == fault
    assert words in found["divergence"].words


class Known(Table):
    """Losses on pairs whose end is no tilt of the reference: f of the margin, by its slope."""

    def __init__(self, slope) -> None:
        super().__init__()
        self.slope = slope

    def pair(self, policy, reference, chosen, rejected):
        away = np.log(policy / reference)
        eye = np.eye(len(policy))
        margin = self.beta * (away[chosen] - away[rejected])
        return -self.beta * self.slope(margin) * (eye[chosen] - eye[rejected])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    "slope",
    [lambda m: float(m < 1), lambda m: 2 * max(0.0, 1 - m), lambda m: np.exp(-m / 2) + 0.1 * m,
     lambda m: 0.9 * sigmoid(-m) - 0.1 * sigmoid(m),
     lambda m: (0.9 * sigmoid(-m) + 0.1 * sigmoid(m)) / 0.8],
    ids=["hinge (SLiC)", "squared hinge", "another", "conservative DPO", "robust DPO"],
)  # fmt: skip
def test_other_losses_on_pairs_are_undecided(slope) -> None:
    (found,) = examine_pairs(Known(slope))
    assert (found.form, found.fault, found.open) == ("none", False, True)
    assert "undecided: none of the known closed forms" in found.words


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "x", True, [1]])
def test_what_a_loss_states_must_be_a_number(value) -> None:
    with pytest.raises(ModelError, match="give a finite number above 0, why"):
        stated(value, "beta", "above 0", "why")


def test_zero_where_it_has_a_meaning() -> None:
    assert stated(0, "beta", "of 0 or more", "why") == 0
    assert stated(None, "beta", "above 0", "why") is None
    with pytest.raises(ModelError, match="beta is 0; give a finite number above 0"):
        stated(0, "beta", "above 0", "why")


def test_a_corner_is_no_tilt() -> None:
    """Where one response has all the probability, every large tilt is as near as another."""
    corner = np.array([1 - 2e-9, 1e-9, 1e-9])
    rewards = floats(REWARDS)
    found = _tilted(Table(), corner, floats(REFERENCE), rewards, np.full((3, 3), 0.5))
    assert (found.form, found.fault, found.open) == ("none", False, True)
