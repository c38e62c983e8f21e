"""The search on awkward models: degenerate, unconstrained, slack, infeasible, interrupted."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import CMDP, ModelError, Status, enclose, solve
from holdfast.solvers.cmdp.scale.compiled import at_most, threads
from holdfast.solvers.cmdp.scale.image import Image
from holdfast.solvers.cmdp.scale.lagrangian import Lagrangian
from holdfast.verify.kernel import check

from ....zoo.large import FAMILIES, grid_world, random_sparse
from ....zoo.unconstrained import optimal_returns


def assert_encloses(model, value, **arguments):
    """The optimum is inside, and the kernel agrees that the bounds hold."""
    found = enclose(model, method="scale", **arguments)
    assert found.status is Status.ENCLOSED
    assert found.lower <= value <= found.upper
    assert found.width <= Fraction(1, 10**7)
    assert check(found.certificate()).accepted
    return found


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("constraints", [1, 2, 3])
@pytest.mark.parametrize("discount", ["19/20", "999/1000"])
def test_families_agree_with_the_exact_solver(family, constraints, discount):
    model = FAMILIES[family](64, constraints=constraints, discount=discount, seed=constraints)
    exact = solve(model)
    found = assert_encloses(model, exact.value)
    for ours, theirs in zip(found.multipliers, exact.multipliers, strict=True):
        assert (ours > 0) == (theirs > 0) or abs(float(ours - theirs)) < 1e-3


@pytest.mark.parametrize("share", [Fraction(1, 50), Fraction(1, 3), 1, 2])
def test_budgets_from_tight_to_slack(share):
    model = grid_world(49, share=share, seed=2)
    exact = solve(model)
    found = assert_encloses(model, exact.value)
    if share == 2:
        assert found.multipliers == (0,)
        assert [part.weight for part in found.components] == [1]


def test_repeated_and_empty_constraints():
    model = random_sparse(40, constraints=1, seed=1)
    one, budget = model.cost_vector(0), model.budgets[0]
    exact = solve(model)
    twice = model.with_costs([one, one], [budget, budget])
    assert_encloses(twice, exact.value)
    none = [0] * model.n_choices
    assert_encloses(model.with_costs([none, one], [0, budget]), exact.value)
    found = enclose(model.with_costs([none, one], [-1, budget]), method="scale")
    assert found.status is Status.INFEASIBLE
    assert 1 - Fraction(1, 10**7) <= found.relaxation <= 1
    assert check(found.certificate()).accepted


def test_costs_may_be_negative_and_rewards_constant():
    model = random_sparse(40, constraints=1, seed=1)
    shifted = [value - 1 for value in model.cost_vector(0).fractions()]
    horizon = 1 / (1 - model.discount)
    moved = model.with_costs([shifted], [model.budgets[0] - horizon])
    exact = solve(model).value
    assert_encloses(moved, exact)
    constant = model.with_reward([1] * model.n_choices)
    assert_encloses(constant, horizon)


def test_one_step_and_one_state():
    model = random_sparse(30, constraints=2, seed=4)
    model = model.with_discount(0)
    means = [sum(model.cost_vector(i)[4 * s] for s in range(30)) / 30 for i in range(2)]
    model = model.with_budgets(*means)
    assert_encloses(model, solve(model).value)
    # One state, reward a and cost a of action a = 0..3, budget 2 at gamma = 1/2: any mean of 1 a
    # step is worth 2.
    single = CMDP(
        1, [0, 4], range(4), range(5), [0] * 4, [1] * 4, range(4), 1, [range(4)], (1,), (2,),
        Fraction(1, 2), [1],
    )  # fmt: skip
    found = assert_encloses(single, 2)
    assert found.width < Fraction(1, 10**9)


def test_a_concentrated_start_and_absorbing_states():
    model = grid_world(100, seed=5, discount="9/10", share=None)
    initial = [0] * 100
    initial[37] = 1
    model = model.with_initial(initial).with_budgets(2)
    exact = solve(model)
    found = assert_encloses(model, exact.value)
    assert found.multipliers[0] > 0
    rows = replace(
        model,
        indptr=np.arange(model.n_choices + 1),
        successors=np.repeat(np.arange(100), 4),
        weights=np.ones(model.n_choices, dtype=int),
    )
    stuck = 10 * rows.cost_vector(0)[4 * 37]
    assert_encloses(rows.with_budgets(stuck + Fraction(1, 100)), solve(rows.with_budgets(9)).value)


def test_a_width_that_rounding_forbids_is_reported():
    model = random_sparse(40, constraints=1, seed=1)
    found = enclose(model, method="scale", width=1e-16)
    assert found.status is Status.WIDE
    assert 1e-16 < found.width < 1e-10
    assert "the width 1e-16 was not reached" in found.statistics["stopped"]
    assert found.lower <= solve(model).value <= found.upper
    wide = enclose(model, method="scale", width=1.0)
    assert wide.width <= 1
    assert wide.statistics["products"] < found.statistics["products"]
    assert wide.statistics["stopped"] == "the width was reached"


def test_progress_narrows_monotonically():
    seen = []
    found = enclose(grid_world(400, seed=1), progress=lambda *report: seen.append(report))
    assert len(seen) >= found.statistics["sweeps"]
    stages, lowers, uppers, seconds = zip(*seen, strict=True)
    assert "first policy" in stages and "proof" in stages
    lowers = [low for low in lowers if low is not None]
    assert lowers == sorted(lowers) and lowers[-1] <= found.lower
    uppers = [high for high in uppers if high is not None]
    assert uppers == sorted(uppers, reverse=True) and uppers[-1] >= found.upper
    assert list(seconds) == sorted(seconds)


@pytest.mark.parametrize("constraints", [1, 3])
def test_an_interrupted_search_keeps_what_it_has(constraints):
    model = random_sparse(64, constraints=constraints, seed=7)
    exact = solve(model).value
    total = enclose(model, method="scale").statistics["sweeps"]
    widths = []
    for stop in range(1, total, constraints):
        calls = iter(range(stop))

        def interrupt(*_, calls=calls):
            if next(calls, None) is None:
                raise KeyboardInterrupt

        found = enclose(model, method="scale", progress=interrupt)
        assert found.status is Status.INTERRUPTED
        assert "interrupted at the stage" in found.statistics["stopped"]
        if found.upper is not None:
            assert exact <= found.upper
        if found.width is None:
            with pytest.raises(ModelError, match="interrupted before both bounds were known"):
                found.certificate()
            continue
        assert found.lower <= exact
        assert sum(part.weight for part in found.components) == 1
        assert check(found.certificate()).accepted
        widths.append(found.width)
    assert widths and widths[-1] < widths[0]


def test_infeasible_models_of_many_states():
    model = random_sparse(500, constraints=2, seed=2, discount="9/10")
    poor = model.with_budgets(model.budgets[0], 1)
    found = enclose(poor)
    assert found.status is Status.INFEASIBLE
    assert sum(found.multipliers) == 1
    report = check(found.certificate())
    assert report.accepted
    # Raising every budget by the relaxation is necessary; a little more is enough.
    raised = [d + found.relaxation + Fraction(1, 10**6) for d in poor.budgets]
    assert enclose(poor.with_budgets(*raised)).lower is not None


def test_results_do_not_depend_on_the_number_of_threads():
    model = grid_world(90 * 90, discount="9/10", seed=3)
    results = []
    for number in {1, threads()}:
        with at_most(number):
            found = enclose(model)
        results.append((found.lower, found.upper, found.multipliers))
    assert len(set(results)) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_optimal_returns_without_budgets(family):
    model = FAMILIES[family](64, share=None, discount="99/100")
    exact = solve(model.with_costs([], [])).value
    found = optimal_returns(model)
    assert found.lower <= exact <= found.upper
    assert found.upper - found.lower <= Fraction(1, 10**7)
    half = optimal_returns(model, ["1/2"])
    priced = [
        r - c / 2
        for r, c in zip(
            model.reward_vector().fractions(), model.cost_vector(0).fractions(), strict=True
        )
    ]
    assert half.lower <= solve(model.with_costs([], []).with_reward(priced)).value <= half.upper
    with pytest.raises(ModelError, match="2 multipliers given for 1 constraint"):
        optimal_returns(model, [1, 1])


def test_units_of_rewards_and_costs_do_not_matter():
    model = random_sparse(60, constraints=1, seed=8)
    exact, plain = solve(model).value, enclose(model, method="scale")
    costs = [c / 10**5 for c in model.cost_vector(0).fractions()]
    small = model.with_costs([costs], [model.budgets[0] / 10**5])
    found = assert_encloses(small, exact)
    assert found.statistics["products"] < 2 * plain.statistics["products"]
    dear = model.with_reward([10**5 * r for r in model.reward_vector().fractions()])
    found = enclose(dear, method="scale", width=1e-2)
    assert found.lower <= 10**5 * exact <= found.upper
    assert found.width <= Fraction(1, 100)
    assert found.statistics["products"] < 2 * plain.statistics["products"]


def test_rough_evaluations_do_not_hold_up_the_search():
    found = enclose(random_sparse(10_000, constraints=3, discount="99/100"))
    assert found.width <= Fraction(1, 10**7)
    assert found.statistics["policies"] < 50


def test_a_search_goes_on_from_policies_whose_values_were_forgotten():
    model = random_sparse(400, constraints=2)
    state = Lagrangian(Image.of(model), 1e-2)
    assert state.run()
    most = state._base()
    state.columns = [replace(c, values=None) if c is most else c for c in state.columns]
    state.width = 1e-7
    assert state.run()
    assert state.done


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("constraints", [1, 3])
def test_a_hundred_thousand_states(family, constraints):
    model = FAMILIES[family](100_000, constraints=constraints, discount="99/100")
    found = enclose(model)
    assert found.status is Status.ENCLOSED
    assert found.width <= Fraction(1, 10**7)
    assert len(found.components) <= constraints + 1
    with pytest.raises(ModelError, match="its bounds were computed with a rounding-error analysis"):
        found.certificate()


_MILLION = """
from holdfast.solvers import enclose
from tests.zoo.large import random_sparse
from tests.zoo.memory import peak_memory
found = enclose(random_sparse(1_000_000, discount="99/100"))
print(float(found.width), peak_memory() / 2**10)
"""


@pytest.mark.slow
def test_a_million_states_in_one_and_a_half_gigabytes(repository):
    done = subprocess.run(
        [sys.executable, "-c", _MILLION],
        capture_output=True, text=True, check=True, cwd=repository,
    )  # fmt: skip
    width, gigabytes = map(float, done.stdout.split())
    assert width <= 1e-7
    assert gigabytes < 1.5
