"""Two actions a state are enough for one cost with a discount of its own: 150 random instances."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import pytest

from holdfast.solvers import Policy, policy_return
from holdfast.solvers.cmdp.coordinate_vertex import reduce_policy

F = Fraction
DISCOUNTS = [F(1, 2), F(3, 4), F(9, 10), F(99, 100)]


def interior_policy(model, seed):
    """Every action with a drawn positive probability."""
    stream = random.Random(seed)
    probabilities = []
    for a, b in pairwise(model.choice_start.tolist()):
        weights = [stream.randint(1, 9) for _ in range(a, b)]
        probabilities += [F(w, sum(weights)) for w in weights]
    return Policy(tuple(probabilities))


@pytest.mark.parametrize("seed", range(150))
def test_every_policy_is_reduced_and_improved(random_model, seed):
    drawn = (random_model(n, states=2 + seed % 3, actions=4) for n in range(seed, 1000))
    model = next(model for model in drawn if model.action_counts.max() > 2)
    own, other = random.Random(seed).sample(DISCOUNTS, 2)
    model = model.with_discount(own)
    acting = interior_policy(model, seed)
    reduced = reduce_policy(model, acting, other)
    paid = model.with_discount(other)
    assert max(reduced.probabilities) <= 1
    spans = list(pairwise(model.choice_start.tolist()))
    assert any(sum(p > 0 for p in acting.probabilities[a:b]) > 2 for a, b in spans)
    assert all(sum(p > 0 for p in reduced.probabilities[a:b]) <= 2 for a, b in spans)
    assert policy_return(model, reduced) > policy_return(model, acting)
    assert policy_return(paid, reduced, ("cost", 0)) <= policy_return(paid, acting, ("cost", 0))
