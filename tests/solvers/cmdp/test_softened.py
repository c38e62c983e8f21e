"""The softened model's policies are those of a class: mixtures with the uniform policy."""

from __future__ import annotations

from fractions import Fraction

import pytest

from holdfast.solvers import ModelError, Policy, policy_return
from holdfast.solvers.cmdp.softened import softened

F = Fraction


@pytest.mark.parametrize("kind", ["generic", "deterministic", "unreachable"])
@pytest.mark.parametrize("share", [F(0), F(1, 7), F(1)])
@pytest.mark.parametrize("seed", range(5))
def test_returns_are_those_of_the_mixed_policy(random_model, seed, share, kind):
    model = random_model(seed, kind=kind)
    acting = Policy.of_choices(model, model.choice_start[1:] - 1)
    uniform = Policy.uniform(model)
    pairs = zip(acting.probabilities, uniform.probabilities, strict=True)
    mixed = Policy(tuple((1 - share) * p + share * q for p, q in pairs))
    soft = softened(model, share)
    for function in (None, ("cost", 0)):
        assert policy_return(soft, acting, function) == policy_return(model, mixed, function)


@pytest.mark.parametrize("share", [F(-1, 2), F(3, 2)])
def test_a_share_is_a_probability(random_model, share):
    with pytest.raises(ModelError, match=f"share of random actions is {share}; it must be in"):
        softened(random_model(0), share)
