"""Exact evaluation and policy iteration."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from holdfast.solvers import (
    ModelError,
    Policy,
    Vector,
    evaluate,
    occupancy_of,
    policy_iteration,
    policy_return,
    q_values,
    value_of,
)
from holdfast.solvers.cmdp.improvement import advantages, greedy_choices


@pytest.mark.parametrize(
    ("actions", "reward", "cost"),
    [
        # G1.  00: V(1) = 1/(1-1/2) = 2, V(0) = V(0)/4 + 2/4 = 2/3; mean 4/3.  No cost.
        ((0, 0), "4/3", "0"),
        # 01: V(0) = (V0+V1)/4, V(1) = 3+(V0+V1)/4: V1 = V0+3, V0 = (2 V0+3)/4 = 3/2; mean 3.
        #     costs: C0 = (C0+C1)/4, C1 = 2+C0-> C0 = 1, C1 = 3; mean 2.
        ((0, 1), "3", "2"),
        # 10: V(0) = 2+V0/2 = 4, V(1) = 2; mean 3.  C(0) = 1+C0/2 = 2, C(1) = 0; mean 1.
        ((1, 0), "3", "1"),
        # 11: V(0) = 4, V(1) = 3+(4+V1)/4 = 16/3; mean 14/3.  C(0) = 2, C1 = 2+(2+C1)/4 = 10/3; 8/3.
        ((1, 1), "14/3", "8/3"),
    ],
)
def test_golden_returns(two_states, actions, reward, cost):
    model = two_states([[0, 1, 0, 2]], [0])
    policy = Policy.deterministic(model, actions)
    assert policy_return(model, policy) == Fraction(reward)
    assert policy_return(model, policy, ("cost", 0)) == Fraction(cost)


@pytest.mark.parametrize("seed", range(12))
def test_evaluation_satisfies_its_equation_and_occupancy_its_mass(random_model, seed):
    model = random_model(seed, states=2 + seed)
    policy = Policy.uniform(model)
    values, q = evaluate(model, policy), q_values(model, evaluate(model, policy))
    start = model.choice_start.tolist()
    for s in range(model.n_states):
        assert values[s] == sum(
            policy.probabilities[k] * q[k] for k in range(start[s], start[s + 1])
        )
    rho = occupancy_of(model, policy)
    assert sum(rho.fractions()) == 1 / (1 - model.discount)
    assert sum(
        a * b for a, b in zip(rho.fractions(), model.reward_vector().fractions(), strict=True)
    ) == value_of(model, values)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", ["generic", "deterministic", "ties", "unreachable"])
def test_policy_iteration_beats_every_deterministic_policy_everywhere(random_model, seed, kind):
    model = random_model(seed, states=3, kind=kind)
    best = policy_iteration(model)
    least = policy_iteration(model, maximise=False)
    spans = [
        range(a, b) for a, b in zip(model.choice_start[:-1], model.choice_start[1:], strict=True)
    ]
    for choices in product(*spans):
        values = evaluate(model, Policy.of_choices(model, choices))
        for s in range(model.n_states):
            assert least.values[s] <= values[s] <= best.values[s]
    assert evaluate(model, best.policy(model)) == best.values
    assert evaluate(model, least.policy(model)) == least.values


def test_float_start_and_exact_start_agree(random_model):
    model = random_model(5, states=40, actions=4)
    best = policy_iteration(model)
    cold = policy_iteration(model, start=model.choice_start[:-1].tolist())
    assert best.values == cold.values
    assert max(advantages(model, best.values)) == 0
    assert (
        evaluate(model, Policy.of_choices(model, greedy_choices(model, best.values))) == best.values
    )


def test_policies_are_validated(two_states):
    model = two_states([], [])
    with pytest.raises(ModelError, match="state 1 sum to 3/4"):
        Policy.of(model, ["1/2", "1/2", "1/4", "1/2"])
    with pytest.raises(ModelError, match="probability -1/2 in state 0"):
        Policy.of(model, ["-1/2", "3/2", 1, 0])
    with pytest.raises(ModelError, match="3 probabilities for 4 choices"):
        evaluate(model, Policy((Fraction(1),) * 3))
    with pytest.raises(ModelError, match="action 7 is not available in state 1"):
        Policy.deterministic(model, [0, 7])
    with pytest.raises(ModelError, match="1 actions given for 2 states"):
        Policy.deterministic(model, [0])
    assert Policy.of(model, ["1/2", "1/2", 0, 1]).n_randomisations(model) == 1
    assert not Policy.uniform(model).is_deterministic


def test_functions_are_validated(two_states):
    model = two_states([[0, 1, 0, 2]], [0])
    policy = Policy.uniform(model)
    with pytest.raises(ModelError, match="3 values for 4 choices"):
        evaluate(model, policy, Vector((1, 2, 3)))
    with pytest.raises(ModelError, match="function is 'costs'"):
        evaluate(model, policy, "costs")
    with pytest.raises(IndexError, match="cost 1 asked for"):
        evaluate(model, policy, ("cost", 1))
    assert evaluate(model, policy, Vector((0, 1, 0, 2))) == evaluate(model, policy, ("cost", 0))


def test_vectors_compare_by_value():
    assert Vector((1, 2), 2) == Vector((2, 4), 4) == Vector.of(["1/2", 1])
    assert Vector((1, 2), 2) != Vector((1, 2), 3)
    assert hash(Vector((1, 2), 2)) == hash(Vector((2, 4), 4))
    with pytest.raises(ValueError, match="denominator is 0"):
        Vector((1,), 0)
