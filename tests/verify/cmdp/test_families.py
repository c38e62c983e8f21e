"""Families keep what they promise: every case satisfies the assumptions, however it is drawn."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.solvers import CMDP, Policy, Status, from_arrays, most_feasible, policy_return, solve
from holdfast.solvers.cmdp.dual_ascent import ascend
from holdfast.solvers.cmdp.policies import check_policy
from holdfast.solvers.cmdp.policy_change import covers
from holdfast.solvers.models.formats.document import model_from_document
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.description import digest
from holdfast.verify.binding.draws import HypothesisDraw, PhiloxDraw, VectorDraw
from holdfast.verify.binding.family import Family, OutOfScope
from holdfast.verify.chance.families.mixtures import (
    atom_weights,
    atoms,
    convex_returns,
    sampled_levels,
    selections,
)
from holdfast.verify.chance.families.windows import hazards, watched_models, windows
from holdfast.verify.cmdp.families import (
    branches,
    cmdps,
    empirical_laws,
    frequencies,
    logs,
    simulable_frequencies,
)
from holdfast.verify.cmdp.families.cmdps import (
    KINDS,
    baseline,
    budget_step,
    covering_policy,
    deterministic_policy,
    neighbour,
    policy,
    share,
)

FAMILIES: dict[str, Family] = {
    "feasible": cmdps(constraints=(0, 3)),
    "slater": cmdps(slater=True),
    "infeasible": cmdps(constraints=(1, 3), feasible=False),
    "bounded": cmdps(constraints=(0, 0), bounded_reward=True),
    "policies": cmdps(constraints=(1, 1), feasible=None).along(policy, covering_policy, baseline),
    "neighbours": cmdps(constraints=(0, 0)).along(neighbour, policy, share),
    "deterministic": cmdps().along(deterministic_policy, budget_step),
    "branches": branches(),
    "logs": logs(averaged=True),
    "unclipped": logs(unclipped=True),
    "capped": logs(capped=True),
    "frequencies": frequencies(),
    "simulable": simulable_frequencies(),
    "laws": empirical_laws(),
    "windows": windows(),
    "additive windows": windows(additive=True),
    "watched": watched_models(),
    "watched at level zero": watched_models(level=(0, 0)),
    "hazards": hazards(),
    "atoms": atoms().along(atom_weights),
    "convex returns": convex_returns(),
    "levels": sampled_levels(),
    "selections": selections(),
}
CLAIMS = {claim.name: claim for claim in shipped()}
every_family = pytest.mark.parametrize("name", FAMILIES)
few = settings(max_examples=25)


def first_of(case: tuple) -> CMDP:
    model = case[0]
    assert isinstance(model, CMDP)
    return model


# -- the three back ends
@every_family
@few
@given(data=st.data())
def test_a_trace_replayed_gives_the_same_case(name: str, data: st.DataObject) -> None:
    draw = HypothesisDraw(data)
    case = FAMILIES[name].draw(draw)
    far, again = VectorDraw(draw.trace), VectorDraw(draw.trace, reach=draw.reach)
    for back in (far, again):  # also where growing integers may go farther
        assert digest(FAMILIES[name].draw(back)) == digest(case)
        assert back.trace == draw.trace
    assert again.bounds == draw.bounds


@every_family
@few
@given(values=st.lists(st.integers(-2, 9), max_size=60))
def test_any_vector_draws_a_case(name: str, values: list[int]) -> None:
    """What the search does: whatever the numbers, a case that satisfies the assumptions."""
    case = FAMILIES[name].draw(VectorDraw(values))
    CHECKS.get(name, lambda *_: None)(*case)


@every_family
def test_philox_replays_bit_for_bit(name: str) -> None:
    for index in range(5):
        first, second = (PhiloxDraw(3, name, index) for _ in range(2))
        assert digest(FAMILIES[name].draw(first)) == digest(FAMILIES[name].draw(second))
        assert first.trace == second.trace


@every_family
def test_cases_differ(name: str) -> None:
    digests = {digest(FAMILIES[name].draw(PhiloxDraw(3, name, index))) for index in range(40)}
    assert len(digests) > 20


@pytest.mark.parametrize("name", CLAIMS)
def test_the_families_of_the_claims_replay_too(name: str) -> None:
    family = CLAIMS[name].family
    for index in range(5):
        draw = PhiloxDraw(0, name, index)
        case = family.draw(draw)
        assert digest(family.draw(VectorDraw(draw.trace))) == digest(case)


# -- what each promises
def feasible(model: CMDP) -> None:
    assert model.n_constraints <= 3
    best = solve(model)
    assert best.status is Status.EXACT
    assert best.policy is not None
    for i, budget in enumerate(model.budgets):
        assert policy_return(model, best.policy, ("cost", i)) <= budget


def has_slack(model: CMDP) -> None:
    assert 1 <= model.n_constraints <= 2
    inner = most_feasible(model)
    assert inner.slack > 0
    assert min(inner.slacks) == inner.slack


def infeasible(model: CMDP) -> None:
    assert 1 <= model.n_constraints <= 3
    answer = solve(model)
    assert answer.status is Status.INFEASIBLE
    assert answer.relaxation is not None
    assert answer.relaxation > 0


def bounded(model: CMDP) -> None:
    assert min(model.reward.tolist()) >= 0
    assert model.n_constraints == 0


def covered(model: CMDP, old: Policy, new: Policy, function: tuple[int, ...]) -> None:
    check_policy(model, old)
    check_policy(model, new)
    assert covers(new, old), "the second policy takes every action that the first takes"
    assert len(function) == model.n_states


def alike(model: CMDP, truth: CMDP, acting: Policy, weight: Fraction) -> None:
    assert model.choice_start.tolist() == truth.choice_start.tolist()
    assert model.reward_vector().fractions() == truth.reward_vector().fractions()
    assert model.discount == truth.discount
    check_policy(truth, acting)
    assert 0 <= weight <= 1


def deterministic(model: CMDP, acting: Policy, step: tuple[Fraction, ...]) -> None:
    check_policy(model, acting)
    assert acting.is_deterministic
    assert len(step) == model.n_constraints
    assert min(step) >= 0


def stays_positive(log) -> None:
    path = ascend(log.observed, target=log.target, step=log.step, first=log.first, cap=log.cap,
                  memory=log.memory, first_average=log.first_average)  # fmt: skip
    assert min(path.multipliers) > 0


CHECKS: dict[str, Callable[..., None]] = {
    "feasible": feasible,
    "slater": has_slack,
    "infeasible": infeasible,
    "bounded": bounded,
    "policies": covered,
    "neighbours": alike,
    "deterministic": deterministic,
    "unclipped": stays_positive,
}


@pytest.mark.parametrize("name", CHECKS)
@few
@given(data=st.data())
def test_assumptions_hold_by_construction(name: str, data: st.DataObject) -> None:
    case = FAMILIES[name].draw(HypothesisDraw(data))
    CHECKS[name](*case)


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "unclipped"])
def test_models_are_well_formed(name: str) -> None:
    for index in range(20):
        model = first_of(FAMILIES[name].draw(PhiloxDraw(5, name, index)))
        assert 0 <= model.discount < 1
        for k in range(model.n_choices):
            row = model.transition_row(k)
            assert sum(p for _, p in row) == 1
            assert min(p for _, p in row) > 0
        assert sum(model.initial_vector().fractions()) == 1
        assert model_from_document(model.to_dict()) == model


def test_every_kind_occurs() -> None:
    met = {
        note.removeprefix("drawn, kind ")
        for index in range(60)
        for note in first_of(cmdps().draw(PhiloxDraw("kinds", index))).notes
    }
    assert met == set(KINDS)


def test_unreachable_states_are_never_visited() -> None:
    from holdfast.solvers import occupancy_of

    found = 0
    for index in range(200):
        model = first_of(cmdps(constraints=(0, 0)).draw(PhiloxDraw("kinds", index)))
        if "drawn, kind unreachable" in model.notes and model.n_states > 1:
            found += 1
            rho = occupancy_of(model, Policy.uniform(model)).fractions()
            assert not any(rho[int(model.choice_start[-2]) :])
    assert found > 5


def test_budgets_are_placed_at_kinks_and_between() -> None:
    """Some models have no slack at all, some need randomising, some do not bind."""
    family = cmdps(constraints=(1, 1))
    models = [first_of(family.draw(PhiloxDraw("budgets", index))) for index in range(80)]
    assert {solve(model).n_randomisations for model in models} == {0, 1}
    assert {most_feasible(model).slack > 0 for model in models} == {True, False}


# -- a user's model
ONE = from_arrays([[[1], [1]]], [[1, 0]], [[[1, 0]]], [Fraction(1, 2)], discount=0)
TWO = ONE.with_costs([[1, 0], [0, 1]], [1, 1])


@pytest.mark.parametrize(("family", "model", "reason"), [
    (cmdps(), "a model", "speaks of constrained MDPs, not of str"),
    (cmdps(), ONE.with_costs([], []), "needs at least 1 cost, the model has 0"),
    (cmdps(constraints=(1, 1)), TWO, "needs exactly one cost, the model has 2"),
    (cmdps(bounded_reward=True), ONE.with_reward([-1, 0]), "needs non-negative rewards"),
    (cmdps(feasible=False), ONE, "speaks of infeasible budgets, and these are feasible"),
    (cmdps(slater=True), ONE.with_budgets(0), "Slater slack; the greatest uniform slack here is 0"),
    (logs(), ONE, r"not a statement about such a model \(it speaks of logs of dual ascent\)"),
])  # fmt: skip
def test_a_model_that_does_not_fit_is_out_of_scope(family, model, reason: str) -> None:
    with pytest.raises(OutOfScope, match=reason):
        family.on(model)


def test_a_model_that_fits_is_taken_as_it_is() -> None:
    assert cmdps().on(ONE).draw(PhiloxDraw(0)) == (ONE,)
    assert cmdps(slater=True).along(policy).on(ONE).draw(PhiloxDraw(0))[0] == ONE


def test_costs_that_a_statement_does_not_speak_of_are_left_out() -> None:
    (taken,) = cmdps(constraints=(0, 0)).on(ONE).draw(PhiloxDraw(0))
    assert taken == ONE.with_costs([], [])


# -- composing families
def test_extras_see_what_was_drawn_before() -> None:
    family = Family("sums", lambda draw: draw.integer(1, 9)).along(
        lambda draw, n: draw.integer(0, n), lambda _, n, k: n + k
    )
    for index in range(20):
        n, k, total = family.draw(PhiloxDraw(index))
        assert 0 <= k <= n
        assert total == n + k


def test_landmarks_are_completed_the_same_way_each_time() -> None:
    alone = Family("sums", lambda draw: draw.integer(1, 9), landmarks={"five": lambda: (5,)})
    family = alone.along(lambda draw, n: draw.integer(0, 10**9))
    assert family.landmark("five") == family.landmark("five")
    assert family.landmark("five")[0] == 5


def test_controls_gain_the_extras_too_and_unknown_ones_are_named() -> None:
    family = Family("some", lambda _: 1).with_controls(some_thing=Family("other", lambda _: 2))
    widened = family.along(lambda *_: "extra")
    assert widened.without("some-thing").draw(PhiloxDraw(0)) == (2, "extra")
    with pytest.raises(KeyError, match="cannot do without 'nothing'; it can without: some-thing"):
        widened.without("nothing")
