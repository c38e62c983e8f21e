"""Solvers on one side, the kernel on the other: certificates pass, and no corrupted one does."""

import copy
import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from holdfast.solvers import (
    CMDP,
    Policy,
    Status,
    enclose,
    evaluate,
    policy_return,
    solve,
    solve_by_chord,
    value_of,
)
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.cmdp.families import cmdps
from holdfast.verify.cmdp.families.cmdps import policy
from holdfast.verify.kernel import check, format_rational, parse_rational

MODELS = 100
SEEDS = range(MODELS)
Document = dict[str, Any]


def model_number(seed: int) -> CMDP:
    """Every fourth is infeasible."""
    infeasible = seed % 4 == 3
    family = cmdps(constraints=(1, 3), feasible=False) if infeasible else cmdps(constraints=(0, 3))
    return family.draw(PhiloxDraw("certificates", seed))[0]


def policy_value(model: CMDP, acting: Policy, function: Any, name: Any) -> Document:
    values = evaluate(model, acting, function)
    return {
        "format": "holdfast-certificate/1",
        "kind": "policy-value",
        "model": model.to_dict(),
        "policy": [format_rational(p) for p in acting.probabilities],
        "values": values.to_json(),
        "function": name,
        "value": format_rational(value_of(model, values)),
    }


# -- accepted
@pytest.mark.parametrize("seed", SEEDS)
def test_solutions_are_certified(seed: int) -> None:
    model = model_number(seed)
    answer = solve(model)
    assert (answer.status is Status.INFEASIBLE) is (seed % 4 == 3)
    report = check(answer.certificate())
    assert report.accepted, report.steps[-1]
    if answer.value is not None:
        assert report.enclosure is not None
        assert report.enclosure.lo == report.enclosure.hi == answer.value


@pytest.mark.parametrize("seed", range(0, MODELS, 2))
def test_enclosures_are_certified_and_contain_the_optimum(seed: int) -> None:
    model = model_number(seed)
    found, answer = enclose(model), solve(model)
    report = check(found.certificate())
    assert report.accepted, report.steps[-1]
    if answer.value is None:
        assert found.status is Status.INFEASIBLE
        return
    assert report.enclosure is not None
    assert report.enclosure.lo <= answer.value <= report.enclosure.hi


@pytest.mark.parametrize("seed", SEEDS)
def test_values_of_policies_are_certified(seed: int) -> None:
    draw = PhiloxDraw("policies", seed)
    model, acting = cmdps(constraints=(1, 2)).along(policy).draw(draw)
    named: tuple[tuple[Any, Any], ...] = (("reward", "reward"), (("cost", 0), ["cost", 0]))
    for function, name in named:
        report = check(policy_value(model, acting, function, name))
        assert report.accepted, report.steps[-1]
        assert report.enclosure is not None
        assert report.enclosure.lo == policy_return(model, acting, function)


@pytest.mark.parametrize("seed", range(0, MODELS, 5))
def test_the_chord_s_policy_is_certified_to_have_the_value_of_the_program(seed: int) -> None:
    (model,) = cmdps(constraints=(1, 1)).draw(PhiloxDraw("chords", seed))
    chord = solve_by_chord(model)
    assert chord.policy is not None
    reward = check(policy_value(model, chord.policy, "reward", "reward"))
    cost = check(policy_value(model, chord.policy, ("cost", 0), ["cost", 0]))
    assert reward.accepted
    assert cost.accepted
    assert reward.enclosure is not None
    assert cost.enclosure is not None
    assert reward.enclosure.lo == solve(model).value == chord.value
    assert cost.enclosure.hi <= model.budgets[0]


# -- rejected
PROOF = ("occupancy", "values", "multipliers", "value", "policy", "mixture")


def numbers(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to every number of the proof, which is written as text."""
    if isinstance(document, str):
        try:
            parse_rational(document)
        except ValueError:
            return
        yield path
    elif isinstance(document, dict | list):
        pairs = document.items() if isinstance(document, dict) else enumerate(document)
        for key, part in pairs:
            yield from numbers(part, (*path, key))


def corrupted(document: Document, path: tuple[Any, ...], change: Fraction) -> Document:
    broken = copy.deepcopy(document)
    place: Any = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = format_rational(parse_rational(place[path[-1]]) + change)
    return broken


def test_a_wrong_value_is_rejected() -> None:
    """By however little: the claimed optimum a billionth too high, or too low."""
    for seed in (0, 1, 2):
        document = solve(model_number(seed)).certificate()
        for change in (Fraction(1, 10**9), Fraction(-1, 10**9)):
            report = check(corrupted(document, ("value",), change))
            assert not report.accepted


@pytest.mark.parametrize("seed", SEEDS)
def test_one_corrupted_number_proves_nothing_false(seed: int) -> None:
    """A number of a proof changed at random: rejected, or what it proves is still true.

    Some changes leave a proof: the value of a state that is never visited may be larger.  Then the
    conclusion, which is computed again, is that of the uncorrupted certificate.
    """
    rng = random.Random(seed)
    answer = solve(model_number(seed))
    document = answer.certificate()
    paths = [path for path in numbers(document) if path[0] in PROOF]
    rejected = 0
    for _ in range(6):
        path = rng.choice(paths)
        change = Fraction(rng.choice([-1, 1]) * rng.randint(1, 50), rng.choice([1, 7, 10**6]))
        report = check(corrupted(document, path, change))
        rejected += not report.accepted
        if report.accepted:
            assert report.kind == document["kind"]
            if answer.value is not None:
                assert report.enclosure is not None
                assert report.enclosure.lo == report.enclosure.hi == answer.value
    assert rejected >= 1


@pytest.mark.parametrize("seed", range(0, MODELS, 3))
def test_one_corrupted_number_leaves_the_return_of_a_policy_right(seed: int) -> None:
    """Rejected, since I - gamma P is invertible; but where the residual is the same everywhere.

    As in a model of one state: the return still follows from the values, and must be the true one.
    """
    rng = random.Random(seed)
    model, acting = cmdps(constraints=(1, 2)).along(policy).draw(PhiloxDraw("policies", seed))
    document = policy_value(model, acting, "reward", "reward")
    paths = [
        path for path in numbers(document) if path[0] in ("policy", "value") or "numerators" in path
    ]
    for path in rng.sample(paths, min(5, len(paths))):
        report = check(corrupted(document, path, Fraction(rng.choice([-1, 1]))))
        if report.accepted:
            assert path[0] == "values"
            assert report.enclosure is not None
            assert report.enclosure.lo == report.enclosure.hi == policy_return(model, acting)
        if model.n_states > 1:
            assert not report.accepted, path


@pytest.mark.parametrize("seed", range(3, MODELS, 8))
def test_an_infeasibility_proof_does_not_survive_larger_budgets(seed: int) -> None:
    """Raised by the relaxation the budgets are feasible, so no proof may be accepted."""
    answer = solve(model_number(seed))
    assert answer.relaxation is not None
    document = copy.deepcopy(answer.certificate())
    assert check(document).accepted
    document["model"]["budgets"] = [
        format_rational(parse_rational(budget) + answer.relaxation)
        for budget in document["model"]["budgets"]
    ]
    assert not check(document).accepted


@pytest.mark.parametrize("kind", ["cmdp-optimum", "cmdp-infeasible"])
def test_a_proof_for_another_model_is_rejected(kind: str) -> None:
    step = 4 if kind == "cmdp-infeasible" else 1
    first, second = (solve(model_number(seed)).certificate() for seed in (3, 3 + step))
    if kind == "cmdp-optimum":
        first = solve(model_number(1)).certificate()
        second = solve(model_number(2)).certificate()
    assert first["kind"] == second["kind"] == kind
    assert not check({**first, "model": second["model"]}).accepted
