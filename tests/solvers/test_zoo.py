"""Every solver on every model of the zoo: values agree, and the kernel accepts what proves them.

The reference is the optimum derived by hand where there is one, and else another algorithm in
exact arithmetic; cvxpy in floating point stands beside all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest

from holdfast.solvers import (
    CMDP,
    ModelError,
    Policy,
    Status,
    enclose,
    lagrangian,
    most_feasible,
    policy_iteration,
    policy_return,
    solve,
    solve_by_chord,
)
from holdfast.solvers import chance as joint
from holdfast.solvers.chance import ChanceProblem
from holdfast.solvers.cmdp.two_discounts import solve_two_discounts
from holdfast.solvers.poisoning import FlipProblem, enclose_flips, fit_reward, solve_flips
from holdfast.verify.kernel import check
from holdfast.verify.poisoning.landmarks import PROBLEMS

from ..oracles import convex
from ..zoo import chance, cmdps, flips
from .conftest import check_certificate

F = Fraction


def accepted(solution: Any) -> bool:
    """Whether the kernel accepts the solution's certificate."""
    return check(solution.certificate()).accepted


# -- constrained models ----------------------------------------------------------------------------
def by_programs(model: CMDP, value: Fraction | None) -> None:
    found = solve(model)
    assert accepted(found)
    check_certificate(found.certificate())
    assert found.value == value
    if value is None:
        assert found.status is Status.INFEASIBLE
        relaxed = [d + found.relaxation for d in model.budgets]
        assert solve(model.with_budgets(*relaxed)).status is Status.EXACT
        tighter = [d - F(1, 10**12) for d in relaxed]
        assert solve(model.with_budgets(*tighter)).status is Status.INFEASIBLE
        return
    assert found.n_randomisations <= model.n_constraints
    assert policy_return(model, found.policy) == value
    for i, budget in enumerate(model.budgets):
        cost = policy_return(model, found.policy, ("cost", i))
        assert cost <= budget
        assert found.multipliers[i] * (budget - cost) == 0
    assert found.values == policy_iteration(model, lagrangian(model, found.multipliers)).values


def by_chords(model: CMDP, value: Fraction | None) -> None:
    found = solve_by_chord(model)
    assert found.value == value
    if value is None:
        assert found.minimum_cost > model.budgets[0]
        return
    assert policy_return(model, found.policy) == value
    assert policy_return(model, found.policy, ("cost", 0)) <= model.budgets[0]
    assert found.policy.n_randomisations(model) <= 1
    assert sum(a != b for a, b in zip(found.low.choices, found.high.choices, strict=True)) <= 1


def by_two_discounts(model: CMDP, value: Fraction | None) -> None:
    found = solve_two_discounts(model, model.discount)
    assert found.value == value
    assert found.switch == 0


def by_search(model: CMDP, value: Fraction | None) -> None:
    try:
        found = enclose(model, method="scale")
    except ModelError as problem:  # a budget exactly at a least cost cannot be decided by floats
        assert "use solve" in str(problem)
        assert value is None or most_feasible(model).slack == 0
        return
    assert accepted(found)
    if value is None:
        assert found.status is Status.INFEASIBLE
        assert 0 < found.relaxation <= solve(model).relaxation
        return
    assert found.status is Status.ENCLOSED
    assert found.lower <= value <= found.upper
    assert found.width <= F(1, 10**7)
    mixture_meets_the_budgets(found)


def mixture_meets_the_budgets(found: Any) -> None:
    model, parts = found.model, found.components
    assert sum(part.weight for part in parts) == 1
    assert len(parts) <= model.n_constraints + 1
    policies = [Policy.of_choices(model, part.choices.tolist()) for part in parts]
    for i, budget in enumerate(model.budgets):
        costs = [policy_return(model, policy, ("cost", i)) for policy in policies]
        for part, cost in zip(parts, costs, strict=True):
            assert part.costs[i][0] <= cost <= part.costs[i][1]
        assert sum(p.weight * c for p, c in zip(parts, costs, strict=True)) <= budget
    rewards = [policy_return(model, policy) for policy in policies]
    assert found.lower <= sum(p.weight * r for p, r in zip(parts, rewards, strict=True))


def by_cvxpy(model: CMDP, value: Fraction | None) -> None:
    assert convex.constrained(model).agrees(value)


ALGORITHMS: dict[str, Callable[[CMDP, Fraction | None], None]] = {
    "programs": by_programs,
    "chords": by_chords,
    "two discounts": by_two_discounts,
    "search": by_search,
    "cvxpy": by_cvxpy,
}
ONE_COST = ("chords", "two discounts")
"""They take exactly one constraint."""


@pytest.mark.parametrize(
    ("form", "algorithm"),
    [(form, name) for form in cmdps.FORMS for name in ALGORITHMS
     if name in ("programs", "chords") or form == "renamed"],
)  # fmt: skip
@pytest.mark.parametrize("name", cmdps.KNOWN)
def test_a_known_optimum(name: str, form: str, algorithm: str) -> None:
    known = cmdps.KNOWN[name]
    model = cmdps.FORMS[form](known.build())
    if algorithm in ONE_COST and model.n_constraints != 1:
        with pytest.raises(ModelError, match="exactly one"):
            ALGORITHMS[algorithm](model, known.value)
    else:
        ALGORITHMS[algorithm](model, known.value)


@cache
def drawn(size: int, constraints: int, kind: str, seed: int) -> tuple[CMDP, Fraction | None]:
    model = cmdps.drawn(size, constraints, kind, seed)
    return model, solve(model).value


@pytest.mark.parametrize(
    ("constraints", "algorithm"),
    [(m, name) for m in range(4) for name in ALGORITHMS if m == 1 or name not in ONE_COST],
)
@pytest.mark.parametrize("kind", cmdps.KINDS)
def test_drawn_models(kind: str, constraints: int, algorithm: str) -> None:
    for seed in {"chords": range(16), "search": range(2, 4)}.get(algorithm, range(4)):
        ALGORITHMS[algorithm](*drawn(2 + 3 * seed % 11, constraints, kind, seed))


def test_the_forms_are_what_they_are_called() -> None:
    model = cmdps.drawn(5, 2, "generic", 0)
    assert cmdps.reread(model) == model
    assert cmdps.renamed(model) != model
    assert cmdps.renamed(cmdps.renamed(model)) == model
    assert cmdps.rescaled(model).denominators.tolist() == (3 * model.denominators).tolist()
    assert cmdps.rescaled(model).reward_vector() == model.reward_vector()


# -- joint chance problems -------------------------------------------------------------------------
def best_flip(problem: ChanceProblem, level: Fraction) -> Fraction | None:
    points = [(policy.risk, policy.value) for policy in joint.enumerate_policies(problem)]
    flip = joint.best_flip(points, level)
    return None if flip is None else flip.value


def proved(solution: Any) -> Fraction | None:
    """Its value; the kernel accepts its certificate, where the charge is one that it knows."""
    if solution.value is not None and solution.problem.charge == 0:
        assert accepted(solution)
    return solution.value


CHANCES: dict[str, Callable[[ChanceProblem, Fraction], Fraction | None]] = {
    "chords": lambda problem, level: proved(joint.solve(problem, level)),
    "flag program": lambda problem, level: joint.solve_by_flag_program(problem, level).value,
    "unrolled": lambda problem, level: solve(joint.unroll(problem, level)).value,
    "enumeration": best_flip,
}


@pytest.mark.parametrize("algorithm", CHANCES)
@pytest.mark.parametrize("name", chance.KNOWN)
def test_a_known_chance(name: str, algorithm: str) -> None:
    known = chance.KNOWN[name]
    assert CHANCES[algorithm](known.problem, known.level) == known.value


@pytest.mark.parametrize("name", chance.KNOWN)
def test_cvxpy_knows_it_too(name: str) -> None:
    known = chance.KNOWN[name]
    assert convex.chance(known.problem, known.level).agrees(known.value)


@pytest.mark.parametrize("seed", range(80, 90))
def test_drawn_chances(seed: int) -> None:
    problem, solved = chance.random_problem(seed), 0
    least = joint.minimum_risk(problem).risk
    for level in {F(2, 7), F(6, 7), min((1 + least) / 2, F(99, 100))}:
        values = {name: find(problem, level) for name, find in CHANCES.items()}
        assert len(set(values.values())) == 1, values
        value = values["chords"]
        assert convex.chance(problem, level).agrees(value)
        solved += value is not None
    assert solved or least > F(99, 100)


# -- preference data -------------------------------------------------------------------------------
@cache
def exact_flips(seed: int, norm: str) -> tuple[FlipProblem, Fraction]:
    problem = flips.random_problem(seed)
    return problem, solve_flips(problem, norm).value


def encloses(problem: FlipProblem, norm: str, value: Fraction) -> bool:
    """Whether the enclosure from floats is narrow and holds the optimum (in l2 its square)."""
    found = enclose_flips(**flips.arrays(problem), norm=norm)
    power = 2 if norm == "l2" else 1
    assert found.status is Status.ENCLOSED
    return F(found.lower) ** power <= value <= F(found.upper) ** power


def cvxpy_flips_agree(problem: FlipProblem, norm: str, value: Fraction) -> bool:
    root = F(float(value) ** 0.5) if norm == "l2" else value
    return convex.flips(problem, norm).agrees(root)


@pytest.mark.parametrize("name", flips.LEAST_SUM)
def test_a_known_number_of_flips(name: str) -> None:
    problem, value = PROBLEMS[name](), flips.LEAST_SUM[name]
    found = solve_flips(problem)
    assert found.value == value
    assert accepted(found)
    assert encloses(problem, "l1", value)
    assert cvxpy_flips_agree(problem, "l1", value)


@pytest.mark.parametrize("norm", flips.NORMS)
@pytest.mark.parametrize(("agree", "seeds"), [(encloses, 40), (cvxpy_flips_agree, 20)])
def test_drawn_flips(agree: Callable[..., bool], seeds: int, norm: str) -> None:
    for seed in range(seeds):
        problem, value = exact_flips(seed, norm)
        assert agree(problem, norm, value), seed


@pytest.mark.parametrize("ridge", [0.0, 0.5, 100.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_reward_is_learnt_as_cvxpy_does(seed: int, ridge: float) -> None:
    features, labels, weights = flips.soft_labels(seed)
    found = fit_reward(features, labels, weights=weights, ridge=ridge)
    other = convex.reward(features, labels, weights, ridge)
    assert found.status is Status.APPROXIMATE
    assert found.loss <= other.value + other.error
    assert other.agrees(F(found.loss))
    np.testing.assert_allclose(found.reward, other.point, rtol=1e-3)


# -- what would be noticed -------------------------------------------------------------------------
def test_cvxpy_catches_a_planted_error() -> None:
    """An optimum off by a hundred-thousandth, a budget off by as much, a missing constraint."""
    model, value = cmdps.KNOWN["G1"].build(), F(7, 2)
    found, tiny = convex.constrained(model), F(1, 10**5)
    assert found.agrees(value)
    assert found.agrees(value - tiny, value + tiny)
    assert not found.agrees(value + tiny)
    assert not found.agrees(value + tiny, value + 2 * tiny)
    assert not found.agrees(None)
    assert not convex.constrained(model.with_budgets(F(3, 2) - tiny)).agrees(value)
    assert not convex.constrained(model.with_costs([], [])).agrees(value)
    assert not convex.constrained(cmdps.KNOWN["G2, infeasible by 1/20"].build()).agrees(value)
    problem = chance.KNOWN["G8"].problem
    assert not convex.chance(problem, F(1, 10) + tiny).agrees(F(1, 10))
    assert not convex.chance(chance.boole(problem), F(1, 10)).agrees(F(1, 10))
    boxed = PROBLEMS["boxed"]()
    assert not convex.flips(boxed, "linf").agrees(F(3))
    assert not convex.flips(replace(boxed, weights=None), "l1").agrees(F(2))


def test_an_answer_that_is_not_optimal_is_no_agreement() -> None:
    x = convex.cvxpy.Variable()
    unbounded = convex.cvxpy.Problem(convex.cvxpy.Maximize(x), [x >= 0])
    with pytest.raises(convex.NoAnswerError, match="unbounded; that is no agreement"):
        convex.answer(unbounded)


def test_a_planted_error_in_a_solver_is_seen() -> None:
    """A value that is off by 2^-40 fails in every exact column; one outside, in the enclosure."""
    model = cmdps.KNOWN["G1"].build()
    wrong = F(7, 2) + F(1, 2**40)
    for algorithm in ("programs", "chords", "two discounts"):
        with pytest.raises(AssertionError):
            ALGORITHMS[algorithm](model, wrong)
    with pytest.raises(AssertionError):
        ALGORITHMS["search"](model, F(7, 2) + F(1, 10**6))
