"""The rounding-error bounds dominate the errors there are, in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError, evaluate, value_of
from holdfast.solvers.cmdp.policies import Policy, lagrangian, q_values
from holdfast.solvers.cmdp.scale.bounds import expectation, return_bounds
from holdfast.solvers.cmdp.scale.documents import vector_of
from holdfast.solvers.cmdp.scale.evaluation import Chain, evaluate_chain, grid_of
from holdfast.solvers.cmdp.scale.image import Image
from holdfast.solvers.cmdp.scale.search import Search
from holdfast.solvers.exact import Vector


def awkward(model, rng, digits):
    """The model with weights, rewards and an initial law of many digits."""
    from dataclasses import replace

    def large(shape, least):
        return [int(rng.integers(least, 10)) * 10**digits + int(v) for v in range(shape)]

    return replace(
        model,
        weights=np.array(large(len(model.weights), 1), dtype=object),
        reward=np.array(large(model.n_choices, -9), dtype=object),
        reward_denominator=3 * 10**digits,
        initial=np.array(large(model.n_states, 1), dtype=object),
    )


def exact_residuals(model, values, multipliers):
    """q - V over the choices for r - lambda c, in Fractions."""
    q = q_values(model, values, lagrangian(model, multipliers))
    owners = model.choice_states.tolist()
    return [q[k] - values[owners[k]] for k in range(model.n_choices)]


@pytest.mark.parametrize("digits", [0, 12, 25])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("seed", range(3))
def test_ceilings_bound_the_exact_residuals(random_model, seed, spread, digits):
    rng = np.random.default_rng(seed)
    model = random_model(seed, states=9, constraints=2)
    model = awkward(model, rng, digits) if digits else model
    image = Image.of(model)
    values = rng.normal(size=(3, 9)) * spread
    price = np.array([1.0, -rng.random(), -rng.random()])
    found = Search(image).sweep(values, price, image.start[:-1].astype(np.uint32))
    v = vector_of(found.values, found.grid)
    multipliers = [Fraction(-float(w)) for w in price[1:]]
    worst = max(exact_residuals(model, v, multipliers))
    height = Fraction(float(np.abs(found.values).max()))
    error = image.residual_error([Fraction(float(w)) for w in price], height)
    assert worst <= found.greatest <= worst + 2 * error
    assert error < Fraction(1, 10**13) * (height + 100)
    assert found.ceiling == value_of(model, v) + found.greatest / (1 - model.discount)


@pytest.mark.parametrize("digits", [0, 25])
@pytest.mark.parametrize("kind", ["generic", "deterministic", "ties"])
def test_returns_of_policies_lie_in_their_bounds(random_model, kind, digits):
    rng = np.random.default_rng(5)
    model = random_model(4, states=9, constraints=2, kind=kind)
    model = awkward(model, rng, digits) if digits else model
    image = Image.of(model)
    choices = np.array(
        [rng.integers(a, b) for a, b in zip(image.start[:-1], image.start[1:], strict=True)]
    ).astype(np.uint32)
    policy = Policy.of_choices(model, choices.tolist())
    functions = ["reward", ("cost", 0), ("cost", 1)]
    returns = [value_of(model, evaluate(model, policy, f)) for f in functions]
    for span, limit in ((1e-11, 400), (10.0, 1)):
        start = np.zeros((3, 9)) if limit > 1 else rng.normal(size=(3, 9))
        found = evaluate_chain(Chain.of(image, choices), start, np.full(3, span), limit)
        lower, upper = return_bounds(image, found)
        for low, value, high in zip(lower, returns, upper, strict=True):
            assert low <= value <= high
        assert (max(np.subtract(upper, lower)) < 1e-7) == (limit > 1)


@pytest.mark.parametrize("digits", [0, 9, 10, 30])
def test_expectations_are_exact(random_model, digits):
    model = random_model(3, states=9, kind="unreachable")
    if digits:
        model = model.with_initial([10**digits + s for s in range(9)])
    image, rng = Image.of(model), np.random.default_rng(0)
    for spread in (1e-9, 1.0, 1e9):
        values = rng.normal(size=9) * spread
        grid = grid_of(values)
        values = np.rint(values * grid) / grid
        assert np.abs(values - values.astype(np.float32)).max() > 0
        v = Vector.of([Fraction(float(x)) for x in values])
        assert expectation(image, values, grid) == value_of(model, v)
        assert vector_of(values, grid) == v


def test_weights_beyond_32_bits_become_probabilities(random_model):
    model = awkward(random_model(1, states=9), np.random.default_rng(1), 25)
    image = Image.of(model)
    assert image.weights.dtype == np.float64
    exact = [p for k in range(model.n_choices) for _, p in model.transition_row(k)]
    assert image.weights.tolist() == [float(p) for p in exact]
    plain = Image.of(random_model(1, states=9))
    assert plain.weights.dtype == np.int32
    assert np.shares_memory(plain.successors, plain.model.successors)


def test_numbers_beyond_double_precision_are_refused(random_model):
    model = random_model(1, states=9)
    with pytest.raises(ModelError, match="the reward holds numbers beyond double precision"):
        Image.of(model.with_reward([10**400] * model.n_choices))
    large = model.with_reward([10**305] * model.n_choices).with_discount("9999999/10000000")
    image = Image.of(large)
    values = np.full((2, 9), 1e308)
    with pytest.raises(ModelError, match="the values leave the range of double precision"):
        Search(image).sweep(values, np.array([1.5, 1.0]), image.start[:-1].astype(np.uint32))
