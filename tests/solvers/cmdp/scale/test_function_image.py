"""Functions are enclosed as their table is, bit for bit; evaluations on file are checked again."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import (
    ModelError,
    Status,
    check_evaluation,
    enclose,
    from_functions,
    solve,
    write_evaluation,
)
from holdfast.solvers.cmdp.scale.documents import vector_of
from holdfast.solvers.cmdp.scale.function_image import image_of
from holdfast.solvers.cmdp.scale.image import Image
from holdfast.solvers.cmdp.scale.search import Search
from holdfast.solvers.models import functions as module

from ....zoo.lake import as_functions, lake
from ....zoo.large import FAMILIES
from .test_rounding import exact_residuals

F = Fraction


@pytest.fixture(scope="module")
def enclosed():
    return enclose(lake(12))


@pytest.mark.parametrize("family", FAMILIES)
def test_functions_are_enclosed_as_their_table(family, monkeypatch):
    """In pieces of 1,024 states, of which there are three."""
    monkeypatch.setattr(module, "_PAIRS", 1)
    model = FAMILIES[family](2100, constraints=2)
    stored, made = enclose(model), enclose(as_functions(model))
    assert made.statistics["reason"] == "given as functions"
    assert (made.lower, made.upper) == (stored.lower, stored.upper)
    assert made.multipliers == stored.multipliers
    for one, other in zip(made.components, stored.components, strict=True):
        assert one.weight == other.weight
        assert (one.choices == other.choices).all()
        assert (one.values == other.values).all()


@pytest.mark.parametrize("kind", ["int", "float"])
def test_ceilings_bound_the_exact_residuals(kind):
    """Rows of floats that miss the sum one by 1e-10 among them, and payoffs over 3 and 7."""
    generator = np.random.default_rng(1)
    weights = generator.integers(1, 10**9, (9, 3, 4))
    if kind == "float":
        weights = weights / weights.sum(axis=2, keepdims=True)
        weights[:, :, 0] += 1e-10
    aims = np.stack([generator.permutation(9)[:4] for _ in range(27)]).reshape(9, 3, 4)
    payoffs = generator.normal(size=(3, 9, 3)) * 1e3
    model = from_functions(
        9, 3, lambda s, a: (aims[s, a], weights[s, a]), lambda s, a: payoffs[0, s, a],
        [lambda s, a: payoffs[1, s, a], lambda s, a: payoffs[2, s, a]], [1, 1],
        discount="9/10", denominators=[3, 7, 1],
    )  # fmt: skip
    image, table = image_of(model), model.tabulated()
    assert image.largest == tuple(
        max(map(abs, vector.fractions()))
        for vector in (table.reward_vector(), table.cost_vector(0), table.cost_vector(1))
    )
    price = np.array([1.0, -0.3, -1.7])
    values = generator.normal(size=(3, 9)) * 1e3
    found = Search(image).sweep(values, price, image.start[:-1].astype(np.uint32))
    worst = max(exact_residuals(table, vector_of(found.values, found.grid), [F(0.3), F(1.7)]))
    height = F(float(np.abs(found.values).max()))
    error = image.residual_error([F(w) for w in price.tolist()], height)
    assert worst <= found.greatest <= worst + 2 * error
    assert image.roundings == (8 if kind == "float" else Image.of(table).roundings)


def test_small_ones_hold_the_exact_optimum(enclosed):
    model = lake(7)
    exact, found = solve(model.tabulated()).value, enclose(model)
    assert found.lower <= exact <= found.upper
    assert found.upper - found.lower <= F(1, 10**7)
    assert enclosed.status is Status.ENCLOSED


@pytest.mark.parametrize("seed", range(12))
def test_the_exact_optimum_of_drawn_functions_is_enclosed(seed):
    """Rows of integers, doubles and float32, with and without constraints, in any unit."""
    generator = np.random.default_rng(seed)
    states, actions, width, costs = generator.integers(1, [9, 4, 4, 3], endpoint=True)
    shape, unit = (states, actions), 10.0 ** generator.integers(-12, 12)
    aims = generator.integers(0, states, (*shape, width))
    weights = generator.integers(1, 9, (*shape, width))
    if seed % 3:
        weights = (weights / weights.sum(axis=2, keepdims=True)).astype("df"[seed % 3 - 1])
    payoffs = [unit * generator.normal(size=shape) for _ in range(costs + 1)]
    reward, *others = [lambda s, a, table=table: table[s, a] for table in payoffs]
    model = from_functions(
        int(states), int(actions), lambda s, a: (aims[s, a], weights[s, a]), reward, others,
        [0] * costs, discount="9/10",
    )  # fmt: skip
    exact, found = solve(model.tabulated()), enclose(model)
    if exact.status is Status.INFEASIBLE:
        assert 0 < found.relaxation <= exact.relaxation
    else:
        assert found.status is Status.ENCLOSED
        assert found.lower <= exact.value <= found.upper


def test_infeasible_budgets_are_proved_to_be():
    model = lake(5).with_budgets(-1)
    found = enclose(model)
    assert found.status is Status.INFEASIBLE
    assert 1 <= found.relaxation <= solve(model.tabulated()).relaxation


def test_a_change_during_the_search_ends_it():
    """The mutant: one row of the second sweep, or of a later one, is another."""
    model, calls = lake(12), []
    plain = model.functions.successors

    def turning(states, actions):
        steps, weights = plain(states, actions)
        calls.append(len(states))
        if len(calls) > 12:
            weights[(states == 77) & (actions == 3), 0] += 1
        return steps, weights

    changing = replace(model, functions=replace(model.functions, successors=turning))
    with pytest.raises(ModelError, match=r"another row, .* for \(state 77, action 3\) than in an"):
        enclose(changing)
    assert len(calls) == 14  # call 13 is for one action a state, another one of this


def test_the_kernel_runs_no_functions(enclosed):
    with pytest.raises(ModelError, match="the kernel does not run; write_evaluation writes"):
        enclosed.certificate()
    with pytest.raises(ModelError, match=r"not solved exactly; model.tabulated\(\) stores it"):
        enclose(enclosed.model, method="exact")


def test_an_evaluation_is_checked_by_a_second_run(enclosed, tmp_path):
    path = write_evaluation(enclosed, tmp_path / "lake.npz")
    lower, upper = check_evaluation(lake(12), path)
    assert enclosed.lower <= lower <= upper == enclosed.upper


def altered(path, change):
    """The archive with one array, or one entry of its document, changed."""
    with np.load(path) as arrays:
        found = dict(arrays)
    document = json.loads(str(found["document"]))
    change(found, document)
    found["document"] = np.array(json.dumps(document))
    np.savez(path, **found)
    return path


def raised(found, document):
    low, high = map(F, document["bounds"])
    document["bounds"] = [str(low + F(1, 10**6)), str(high + F(1, 10**6))]


def lowered(found, document):
    low, high = map(F, document["bounds"])
    document["bounds"] = [str(low), str(high - F(1, 10**6))]


def entry(name, at, value):
    return lambda found, document: found[name].__setitem__(at, value)


def key(name, value):
    return lambda found, document: document.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (raised, "claims that the optimum is between .* what is in it proves"),
        (lowered, "claims that the optimum is between .* what is in it proves"),
        (entry("ceiling", 5, 1.0), "claims that the optimum is between"),
        (entry("values", (0, 0, 5), 1.0), "claims that the optimum is between"),
        (entry("values", (0, 1, 5), 1.0), "the mixture is only proved to cost at most"),
        (entry("actions", (0, 5), 5), "actions has an entry that is not at most 4"),
        (entry("values", (0, 0, 5), np.nan), "values has an entry that is not at most"),
        (entry("ceiling", 5, -np.inf), "ceiling has an entry that is not at most"),
        (key("multipliers", ["-1"]), "multipliers are one for each cost, and not negative"),
        (key("multipliers", []), "multipliers are one for each cost"),
        (key("weights", ["1"]), "values is of shape .* the shape is"),
        (key("weights", ["1/2", "1/3"]), "weights are not negative, and their sum is 1"),
        (key("weights", [1, [2]]), "lake.npz is no evaluation"),
        (key("bounds", ["1"]), "lake.npz is no evaluation .ValueError"),
        (lambda found, document: found.pop("ceiling"), "is no evaluation .KeyError: 'ceiling'"),
        (lambda found, document: found.__setitem__("x", np.ones(1)), "holds 'x'"),
        (lambda found, document: document.clear(), "is no evaluation .KeyError: 'evaluated'"),
    ],
)
def test_altered_evaluations_are_refused(enclosed, tmp_path, change, message):
    path = altered(write_evaluation(enclosed, tmp_path / "lake.npz"), change)
    with pytest.raises(ModelError, match=message):
        check_evaluation(lake(12), path)


@pytest.mark.parametrize(
    "other",
    [
        lambda model: lake(13),
        lambda model: model.with_budgets("1/3"),
        lambda model: replace(model, discount=F(9, 10)),
        lambda model: replace(model, initial=np.arange(144)),
        lambda model: replace(model, survey=replace(model.survey, digest="0")),
    ],
)
def test_evaluations_are_of_one_model(enclosed, tmp_path, other):
    path = write_evaluation(enclosed, tmp_path / "lake.npz")
    with pytest.raises(ModelError, match=r"lake.npz is of another model: its"):
        check_evaluation(other(enclosed.model), path)


def test_only_bounds_of_functions_are_written(enclosed, tmp_path):
    path = tmp_path / "lake.npz"
    with pytest.raises(ModelError, match=r"the model is stored; write found.certificate()"):
        write_evaluation(enclose(lake(4).tabulated(), method="scale"), path)
    with pytest.raises(ModelError, match="the solution is INFEASIBLE and has no two bounds"):
        write_evaluation(enclose(lake(5).with_budgets(-1)), path)
    assert not path.exists()
    with pytest.raises(ModelError, match=r"there is no file .*lake.npz; give one that"):
        check_evaluation(enclosed.model, path)
