"""Advantages as rationals, bets on ratios, and probabilities that sum to too much."""

import math
from fractions import Fraction as F

import numpy as np
import pytest
import torch

from holdfast.solvers.alignment.audits.batches import (
    Bet,
    bet,
    grouped,
    overfull,
    recompute,
)
from holdfast.solvers.alignment.audits.printed import SINGLE, Interval, printed
from holdfast.solvers.errors import ModelError

REWARDS = ([1.0, 0.0, 0.25, 0.5], [0.3, 0.31, 0.7, -2.0], [1.0, 1.0, 1.0, 1.0078125], [0.5] * 4)
FORMS = {
    "centred": lambda x: x - x.mean(),
    "leave-one-out": lambda x: x - (x.sum() - x) / (len(x) - 1),
    "standardised": lambda x: (x - x.mean()) / (x.std(unbiased=False) + 1e-8),
    "standardised, G - 1": lambda x: (x - x.mean()) / (x.std() + 1e-6),
    "raw": lambda x: x,
}


def groups_of(function, rewards=REWARDS, dtype=torch.float32):
    found = []
    for name, values in enumerate(rewards):
        advantages = function(torch.tensor(values, dtype=dtype)).float().tolist()
        exact = [Interval.of(F(str(x))) for x in values]
        texts = printed([repr(x) for x in advantages], "A", range(4), SINGLE, "type")
        found += grouped([str(name)] * 4, exact, texts)
    return found


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_recognised_and_no_other(form) -> None:
    found = recompute(groups_of(FORMS[form]))
    assert {one.split(", guarded")[0] for one in found.forms} == {form}
    assert found.usual == form
    assert (found.awake == ()) == (form != "raw")


def test_bfloat16_is_told_from_rounding() -> None:
    # OpenRLHF#1334: the exact advantages are -1/2, -1/2, -1/2, 3/2
    found = recompute(groups_of(FORMS["standardised, G - 1"], dtype=torch.bfloat16))
    wrong = found.mismatches["standardised, G - 1"]
    assert [one.group for one in wrong if one.unbalanced]


def test_a_variance_that_is_exactly_zero() -> None:
    def cancelling(x):
        spread = ((x * x).mean() - x.mean() ** 2).clamp(min=0).sqrt() + 4.5e-4
        return (x - x.mean() + 6e-8) / spread

    found = recompute(groups_of(cancelling, [[0.95] * 4, *REWARDS[:2]]))
    assert found.awake == ("0",)


def test_a_group_of_one_row_is_refused() -> None:
    with pytest.raises(ModelError, match="group 'b' has one row"):
        grouped(["a", "a", "b"], [Interval.of(1)] * 3, [Interval.of(0)] * 3)


def bet_on(log_ratios: list[float]) -> Bet:
    return bet([Interval.of(F(x)) for x in log_ratios])


def test_a_bet_wins_against_a_wrong_sampler_and_seldom_else() -> None:
    assert bet_on([math.log(1.5)] * 60).error < 1e-6
    assert bet_on([0.0] * 500).capital == 1
    assert bet_on([math.log(0.5)] * 500).error == 1  # a mean below 1 cannot be found
    rng, wins = np.random.default_rng(1), 0
    for _ in range(400):  # ratios of mean 1: exp(N(-1/8, 1/4)); Ville: at most 20 of 400 in mean
        wins += bet_on(rng.normal(-0.125, 0.5, 50).tolist()).capital >= 20
    assert wins <= 20


def test_no_ratio_is_refused() -> None:
    with pytest.raises(ModelError, match="no ratio"):
        bet([])


def test_probabilities_of_distinct_responses() -> None:
    half = Interval.of(F(-6, 10))  # exp(-.6) is .549
    assert overfull(["a", "a"], ["x", "x"], [half, half]) is None
    found = overfull(["a", "b", "b"], ["x", "x", "y"], [half] * 3)
    assert found is not None
    assert found[0] == "b"
    assert found[1] == pytest.approx(2 * math.exp(-0.6))
    assert overfull(["a"], ["x"], [Interval(F(-1, 10**9), F(1, 10**9))]) is None
    assert overfull(["a"], ["x"], [Interval.of(F(1, 10**9))]) is not None
