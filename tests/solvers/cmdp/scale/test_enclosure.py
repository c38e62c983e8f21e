"""Enclosures contain the exact optimum whatever the method, and their mixtures meet the budgets."""

from __future__ import annotations

from fractions import Fraction

import pytest

from holdfast.solvers import ModelError, Status, enclose, solve
from holdfast.solvers.cmdp.scale import enclosure as module
from holdfast.solvers.cmdp.scale import solution
from holdfast.verify.kernel import check


def test_small_models_are_solved_exactly(two_states):
    """G1 at d = 3/2 has value 7/2."""
    model = two_states([[0, 1, 0, 2]], [Fraction(3, 2)])
    found = enclose(model)
    assert (found.status, found.lower, found.width) == (Status.EXACT, Fraction(7, 2), 0)
    assert found.statistics["reason"] == "at most 300 states"
    assert found.exact.policy.n_randomisations(model) == 1
    assert found.certificate()["kind"] == "cmdp-optimum"
    searched = enclose(model, method="scale")
    assert searched.statistics["method"] == "multiplier search"
    assert searched.statistics["reason"] == "asked for"
    assert searched.lower <= Fraction(7, 2) <= searched.upper


def test_the_method_is_chosen_by_the_number_of_states(random_model, monkeypatch):
    model = random_model(1, states=12)
    monkeypatch.setattr(module, "EXACT_UP_TO", 11)
    assert enclose(model).statistics["reason"] == "more than 11 states"
    assert enclose(model, method="exact").statistics["method"].startswith("exact")
    monkeypatch.setattr(module, "EXACT_UP_TO", 12)
    assert enclose(model).status is Status.EXACT


def test_certificates_are_complete(two_states):
    found = enclose(two_states([[0, 1, 0, 2]], [Fraction(3, 2)]), method="scale")
    document = found.certificate()
    assert document["kind"] == "cmdp-enclosure"
    component = document["mixture"]["components"][0]
    assert set(component) == {"weight", "policy", "reward_values", "cost_values"}
    assert Fraction(document["value"][0]) <= Fraction(7, 2) <= Fraction(document["value"][1])
    assert check(document).accepted
    document["value"] = [str(found.lower + 1), str(found.upper + 2)]
    assert not check(document).accepted


def test_large_models_have_no_certificate(two_states, monkeypatch):
    found = enclose(two_states([[0, 1, 0, 2]], [Fraction(3, 2)]), method="scale")
    monkeypatch.setattr(solution, "CERTIFICATE_UP_TO", 5)
    with pytest.raises(ModelError, match="the model has 6 transitions and certificates hold at mo"):
        found.certificate()


def test_infeasibility_is_proved_exactly(two_states, check_certificate):
    model = two_states([[0, 1, 0, 2], [0, 1, 1, 0]], ["3/2", "1/4"])
    found = enclose(model, method="scale")
    assert found.status is Status.INFEASIBLE
    # The exact relaxation is 1/20 (test_occupancy.py).
    assert Fraction(1, 20) - Fraction(1, 10**6) < found.relaxation <= Fraction(1, 20)
    assert sum(found.multipliers) == 1
    check_certificate(found.certificate())
    assert enclose(model).relaxation == Fraction(1, 20)


def test_undecidable_budgets_say_so(random_model):
    model = random_model(2, states=12)
    least = solve(model.with_budgets(-(10**6))).relaxation - 10**6
    with pytest.raises(ModelError, match="use solve, which is exact"):
        enclose(model.with_budgets(least - Fraction(1, 10**25)), method="scale")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "fast"}, "method is 'fast'; give one of auto, exact, scale"),
        ({"width": 0}, "width is 0; it must be positive"),
        ({"width": -1e-3}, "width is -0.001; it must be positive"),
    ],
)
def test_bad_arguments_are_named(two_states, arguments, message):
    with pytest.raises(ModelError, match=message):
        enclose(two_states([[0, 1, 0, 2]], [1]), **arguments)


def test_an_undiscounted_model_is_refused(two_states):
    with pytest.raises(ModelError, match="the discount is 1"):
        enclose(two_states([[0, 1, 0, 2]], [1]).with_discount(1))
