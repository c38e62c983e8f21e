"""Claims on safe tuning: the oracle's sets, what landmarks show, and properties on our families."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.solvers.target_returns.gaussian.confidence import alpha_bayes
from holdfast.verify.binding.draws import HypothesisDraw, PhiloxDraw
from holdfast.verify.binding.family import OutOfScope
from holdfast.verify.binding.values import Ball, Count
from holdfast.verify.target_returns.claims import safe_tuning as claims
from holdfast.verify.target_returns.families.experiments import experiments
from holdfast.verify.target_returns.families.landscapes import LONGEST, Landscape, landscapes
from holdfast.verify.target_returns.landmarks import safe_tuning as marks
from holdfast.verify.target_returns.oracles.posteriors import certified


def values(claim: Any, *case: Any) -> Mapping[str, Any]:
    (found,) = claim.evaluate(*case)
    return {quantity.name: value for quantity, value in found.items()}


def number(ball: Ball) -> float:
    return float(ball.compute())


def drawn(index: int, **fixed: Any) -> Landscape:
    try:
        return landscapes(**fixed).draw(PhiloxDraw("tests of tuning", index))[0]
    except OutOfScope:
        return drawn(index + 1000, **fixed)


@pytest.mark.parametrize("rule", ["direct", "lipschitz"])
def test_sets_are_those_of_the_definition_in_rationals(rule: str) -> None:
    """A second method: rational posteriors, roots compared by squares, sets from their definition.

    Bounds of the tuner are wider by rounding, so that equality could fail at one in 10^12 only.
    """
    grown = 0
    for index in range(12):
        case = drawn(index, rule=rule, initial="seeds", evaluations=5, confidence="bayes")
        case = replace(case, tuning=replace(case.tuning, limit=case.tuning.limit + 1.0))
        sets = [frozenset(np.flatnonzero(tuner.safe).tolist()) for tuner, _ in case.steps()]
        tells = [(step.index, step.cost) for step in case.finished().history]
        targets, times = len(case.costs), range(1, len(tells) + 2)
        alphas = [alpha_bayes(targets, j, case.tuning.failure) for j in times]
        assert sets == certified(case.tuning, alphas, tells)
        grown += len(sets[-1]) > len(sets[0])
    assert grown >= 3


def test_literal_zero_certifies_a_target_that_is_twice_the_limit() -> None:
    found = values(claims.literal_zero, *marks.zero_constant())
    assert found["excess"] == 1 and found["miss"] < 0


@pytest.mark.parametrize(
    ("variance", "probability"), [(25, 0.865), (100, 0.559), (10**4, 0.141), (10**6, 0.104)]
)
def test_a_constant_for_kernels_of_at_most_one(variance: int, probability: float) -> None:
    """P(first of ten is near-optimal) by 200,000 draws as well, within four deviations."""
    found = number(values(claims.unit_regret, variance)["success"])
    assert abs(found - probability) < 6e-4
    reach = np.sqrt(8 * 2 * np.log(1000 * np.pi**2 / 60**1) * np.log(1 + variance) / 2 / np.log(2))
    draws = np.sqrt(variance) * np.random.Generator(np.random.Philox(7)).standard_normal(
        (200000, 10)
    )
    share = float((draws.max(axis=1) - draws[:, 0] <= reach).mean())
    assert abs(share - found) < 4 * np.sqrt(found * (1 - found) / 200000)


def test_the_last_target_is_not_good_and_the_recommended_one_is() -> None:
    case = marks.two_arms(5.4, -5.4)[0]
    found = values(claims.last_target, case)
    bound = 7.26  # alpha_24 sqrt(8 gamma/(24 log 2)), gamma = log 13: 6.54 * 1.111
    alpha, gamma = float(found["alpha"]), number(found["gamma"])
    assert found["N"] == 24 and abs(alpha * np.sqrt(8 * gamma / 24 / np.log(2)) - bound) < 0.01
    assert float(found["behind_last"]) > 10.7
    assert case.finished().recommend() == 0


def test_a_search_longer_than_drawn_ones_stops_within_the_bound() -> None:
    """N is the least with 4/sqrt(1 + N) <= 39/100."""
    (case,) = marks.long_search()
    found = values(claims.stopping, case)
    assert found["N"] == 105 > LONGEST
    assert 15.9 < found["N"] * found["zeta"] ** 2 < 16 * np.log2(106)


def test_tails_of_both_surfaces_sum_to_less_than_delta() -> None:
    """0.8646 Delta at |Z| = 1, Delta = 1; 0.39 Delta at |Z| = 36, Delta = 1/10."""
    worst = number(values(claims.exact_tails, 1, F(1))["tails"])
    usual = number(values(claims.exact_tails, 36, F(1, 10))["tails"])
    assert 0.864 < worst < 0.866 and 0.038 < usual < 0.040


def test_a_free_step_meets_the_bound_on_the_number_of_steps() -> None:
    found = values(claims.stopping, *marks.free_step(1.5, 1.0))
    spent = 8 * found["alpha"] ** 2 * found["k"] * F(number(found["I"]))
    ratio = float(found["N"] * found["zeta"] ** 2 * F(np.log(2.5)) / spent)
    assert abs(ratio - (3.99 / 4) ** 2) < 1e-9


def test_exploration_goes_beyond_the_seed_and_misses_nothing_in_reach() -> None:
    grown = 0
    for index in range(45):
        case = drawn(index, method="pls", rule="lipschitz", initial="seeds", evaluations=None)
        try:
            found = values(claims.expansion, case)
        except OutOfScope:
            continue
        assert found["certified"] == found["within"] and found["in_reach"] == found["reached"]
        grown += found["certified"] > 1
    assert grown >= 5


@pytest.mark.parametrize("steep", [2.0, 4.0])
def test_a_constant_that_is_too_small_is_caught_path_by_path(steep: float) -> None:
    """L/2 and L/4: some path has something certified that exceeds the limit by more than a miss.

    About one path in 70 and one in 15; which ones depends on rounding.
    """
    paths = (
        values(
            claims.pathwise, drawn(k, steep=steep, valid=False, rule="lipschitz", initial="seeds")
        )
        for k in range(300)
    )
    assert any(found["excess"] > found["miss"] for found in paths)


def test_the_printed_sign_expands_from_everywhere_and_ours_does_not() -> None:
    fewer = 0
    for index in range(10):
        case = drawn(index, method="pls", rule="lipschitz", initial="seeds", expanders="printed")
        try:
            found = values(claims.printed_sign, case)
        except OutOfScope:
            continue
        assert found["counted"] == found["uncertified"]
        tuner = replace(case, tuning=replace(case.tuning, expanders="plus")).finished()
        inside = np.flatnonzero(tuner.safe)
        fewer += not tuner._expands(inside).all() and not tuner.safe.all()
    assert fewer > 0


def test_shares_of_a_wrong_model_are_seen_at_the_level_of_events_first() -> None:
    """A constant multiplier of 2 leaves the bounds in most draws, and PLS's in few."""
    usual = claims._ALL_SAFE
    (right,) = experiments(60, confidence="bayes", **usual).draw(PhiloxDraw("power", 1))
    (wrong,) = experiments(60, confidence=2.0, **usual).draw(PhiloxDraw("power", 1))
    few, many = (values(claims.both_events, one)["outside"] for one in (right, wrong))
    assert isinstance(few, Count) and few.successes <= 12 and many.successes >= 20


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_what_is_certified_exceeds_the_limit_by_no_more_than_a_miss(data: st.DataObject) -> None:
    try:
        case = claims.pathwise.family.draw(HypothesisDraw(data))
    except OutOfScope:
        return
    found = values(claims.pathwise, *case)
    assert found["excess"] <= found["miss"]


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_what_is_observed_certifies_without_a_model(data: st.DataObject) -> None:
    try:
        case = claims.observed.family.draw(HypothesisDraw(data))
    except OutOfScope:
        return
    found = values(claims.observed, *case)
    assert found["excess"] <= found["broken"]
