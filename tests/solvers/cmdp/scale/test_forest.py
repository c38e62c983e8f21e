"""The forest of likeliest successors: its order, its solutions, and what it does for evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.solvers.cmdp.policies import Policy, evaluate_choices, occupancy_of
from holdfast.solvers.cmdp.scale import evaluation, forest
from holdfast.solvers.cmdp.scale.evaluation import Chain, evaluate_chain, visits_of
from holdfast.solvers.cmdp.scale.image import Image

from ....zoo.large import grid_world, nearly_deterministic, random_sparse


def random_links(size, seed):
    """A random map of states to states and rates, in depth-first order."""
    rng = np.random.default_rng(seed)
    ahead = rng.integers(0, size, size).astype(np.uint32)
    ahead[:3] = [0, 2, 1]  # a loop and a cycle of two at least
    order, rank = np.empty(size, dtype=np.uint32), np.empty(size, dtype=np.uint32)
    forest.depth_first(ahead, order)
    assert sorted(order) == list(range(size))
    rank[order] = np.arange(size, dtype=np.uint32)
    link, rate = np.empty(size, dtype=np.uint32), np.empty(size)
    forest.chunked(
        -(-size // forest.CHUNK), order, ahead, 0.99 * rng.random(size), rank, link, rate
    )
    return ahead, order, rank, link, rate


@pytest.mark.parametrize("size", [3, 4, 50, 1000])
def test_successors_come_first_except_once_a_cycle(size):
    ahead, order, rank, link, rate = random_links(size, size)
    assert (link == rank[ahead[order]]).all()
    assert (rate > 0).all()
    heads = np.flatnonzero(link >= np.arange(size))
    on_a_cycle = set()
    for head in heads.tolist():
        at = int(link[head])
        cycle = {head}
        while at != head:
            cycle.add(at)
            at = int(link[at])
        assert not cycle & on_a_cycle
        on_a_cycle |= cycle
    assert len(heads) >= 1


@pytest.mark.parametrize("size", [3, 50, 1000])
def test_solutions_solve(size):
    *_, link, rate = random_links(size, size)
    matrix = np.eye(size)
    matrix[np.arange(size), link] -= rate
    right = np.random.default_rng(0).normal(size=(size, 2))
    result = np.empty_like(right)
    forest.solve_forest(-(-len(link) // forest.CHUNK), link, rate, right, result)
    assert np.abs(matrix @ result - right).max() < 1e-10
    forest.solve_transposed(-(-len(link) // forest.CHUNK), link, rate, right, result)
    assert np.abs(matrix.T @ result - right).max() < 1e-10


def test_edges_between_chunks_are_cut():
    size = 3 * forest.CHUNK + 17
    *_, link, rate = random_links(size, 1)
    chunk = np.arange(size) // forest.CHUNK
    assert (link // forest.CHUNK == chunk).all()
    cut = rate == 0
    assert (link[cut] == np.flatnonzero(cut)).all()
    assert 0 < cut.mean() < 0.05
    right, result = np.ones((size, 1)), np.empty((size, 1))
    forest.solve_forest(-(-len(link) // forest.CHUNK), link, rate, right, result)
    assert np.abs(result[:, 0] - rate * result[link, 0] - 1).max() < 1e-9
    forest.solve_transposed(-(-len(link) // forest.CHUNK), link, rate, right, result)
    back = result[:, 0].copy()
    np.subtract.at(back, link, rate * result[:, 0])
    assert np.abs(back - 1).max() < 1e-9


FAMILIES = {"plain": random_sparse, "forest": grid_world, "cycles": nearly_deterministic}


@pytest.mark.parametrize("name", FAMILIES)
def test_values_and_visits_agree_with_exact_ones(name):
    model = FAMILIES[name](49, constraints=1, seed=3, share=None, discount="9/10")
    image = Image.of(model)
    choices = (image.start[:-1] + np.arange(49) % 4).astype(np.uint32)
    chain = Chain.of(image, choices)
    assert (chain.link is not None) == (name != "plain")
    found = evaluate_chain(chain, np.zeros((2, 49)), np.full(2, 1e-11), 400)
    for i, function in enumerate([None, ("cost", 0)]):
        exact = np.array(evaluate_choices(model, choices.tolist(), function).floats())
        error = found.values[i] - exact
        assert np.ptp(error) < 1e-9
    visits, _ = visits_of(chain, image.law, None, 1e-9)
    policy = Policy.of_choices(model, choices.tolist())
    exact = np.array(occupancy_of(model, policy).floats())[choices]
    assert np.abs(visits - exact).max() < 1e-7


def test_the_forest_saves_products(monkeypatch):
    monkeypatch.setattr(evaluation, "_LONG", 300)  # no factors instead of products
    model = nearly_deterministic(1000, share=None, discount="99/100")
    image = Image.of(model)
    chain = Chain.of(image, image.start[:-1].astype(np.uint32))
    plain = Chain(chain.rows, chain.successors, chain.weights, chain.scale, chain.payoffs)
    start = np.zeros((2, 1000))
    fast = evaluate_chain(chain, start, np.full(2, 1e-10), 300)
    slow = evaluate_chain(plain, start, np.full(2, 1e-10), 300)
    assert 10 * fast.products < slow.products
