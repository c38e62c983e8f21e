"""Window constraints: evaluation, rows, exact optima, and what is refused."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import pytest

from holdfast.solvers import ModelError, Policy, from_arrays, policy_return
from holdfast.solvers.chance.windows.flips import (
    best_deterministic,
    best_flipping,
    flip_certificates,
    state_program,
)
from holdfast.solvers.chance.windows.optimum import solve_windows, window_rows
from holdfast.solvers.chance.windows.problem import WindowProblem, excess_risk, window_risks
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.chance.families.windows import watched_models, windows
from holdfast.verify.chance.landmarks.windows import U, X, Y, ce1, ce2, four_actions
from holdfast.verify.cmdp.families.cmdps import policy
from holdfast.verify.kernel import check

F = Fraction


def drawn(family, count: int, seed: str = "windows") -> Iterator[WindowProblem]:
    for index in range(count):
        yield family.draw(PhiloxDraw(seed, index))[0]


def by_trajectories(problem: WindowProblem, acting: Policy, state: int) -> Fraction:
    """The risk of the window from a state, as a sum over all its trajectories."""
    model, total = problem.model, F(0)
    for path in product(range(model.n_states), repeat=problem.window):
        weight, here = F(1), state
        for there in path:
            weight *= sum(
                acting.probabilities[k] * dict(model.transition_row(k)).get(there, F(0))
                for k in problem.choices(here)
            )
            here = there
        bad = sum(there in problem.unsafe for there in path)
        total += weight * (bad if problem.additive else min(bad, 1))
    return total


@pytest.mark.parametrize("additive", [False, True])
def test_risks_are_sums_over_trajectories(additive: bool) -> None:
    for index, problem in enumerate(drawn(watched_models(), 25)):
        counted = WindowProblem(
            problem.model, problem.unsafe, problem.window, problem.level, additive
        )
        acting = policy(PhiloxDraw("acting", index), problem.model)
        risks = window_risks(counted, acting)
        assert risks == tuple(
            by_trajectories(counted, acting, s) for s in range(problem.model.n_states)
        )


@pytest.mark.parametrize("additive", [False, True])
def test_rows_are_the_risks(additive: bool) -> None:
    """alpha less the risk of a window is its bound less its row at the policy."""
    for index, problem in enumerate(drawn(windows(additive=additive), 30)):
        acting = policy(PhiloxDraw("acting", index), problem.model)
        risks = window_risks(problem, acting)
        for row in window_rows(problem):
            law = (
                [acting.probabilities[k] for k in problem.choices(row.decision)]
                if row.decision is not None
                else []
            )
            left = sum((p * c for p, c in zip(law, row.coefficients, strict=True)), F(0))
            assert row.state is not None
            assert row.bound - left == problem.level - risks[row.state]


def test_the_start_alone_is_one_row() -> None:
    problem = ce1(start=Y)
    alone = WindowProblem(problem.model, (U,), 2, F(1, 5), everywhere=False)
    (row,) = window_rows(alone)
    assert (row.state, row.decision) == (None, X)
    # from y: 1/10 + 9/10 p2/2 <= 1/5
    assert (row.coefficients, row.bound) == ((0, F(9, 20), 0), F(1, 10))
    best = solve_windows(alone)
    assert best is not None
    # only p2 <= 2/9 is left, so p3 = 7/9: 3 (2/9) + 7/9 = 13/9, discounted and reached with 9/10
    assert best.value == F(9, 10) ** 2 * F(13, 9)
    assert excess_risk(alone, best.policy) == 0


def test_the_optimum_beats_every_policy_on_a_grid() -> None:
    """Laws in twelfths on the actions of the one deciding state; allowed ones are not better."""
    for problem in drawn(windows(window=(2, 3)), 12):
        best = solve_windows(problem)
        assert best is not None
        assert excess_risk(problem, best.policy) <= 0
        (state,) = problem.deciding
        choices = problem.choices(state)
        for parts in product(range(7), repeat=len(choices) - 1):
            if sum(parts) > 6:
                continue
            probabilities = [F(1)] * problem.model.n_choices
            for k, part in zip(choices, (*parts, 6 - sum(parts)), strict=True):
                probabilities[k] = F(part, 6)
            acting = Policy(tuple(probabilities))
            if excess_risk(problem, acting) <= 0:
                assert policy_return(problem.model, acting) <= best.value


def test_flips_lie_between_deterministic_policies_and_the_optimum() -> None:
    for problem in drawn(windows(), 60):
        best = solve_windows(problem)
        assert best is not None
        flip, single = (best_flipping(problem, best.rows, most) for most in (2, 1))
        assert flip is not None
        assert excess_risk(problem, flip.policy) <= 0
        assert policy_return(problem.model, flip.policy) == flip.value <= best.value
        if single is not None:
            assert single.policy.is_deterministic
            assert single.value <= flip.value
            enumerated = best_deterministic(problem)
            assert enumerated is not None
            assert enumerated.value == single.value


def test_one_step_windows_are_right_in_every_state() -> None:
    """T = 1: one program over all states agrees with a program in each; two actions are enough."""
    compared = 0
    for problem in drawn(watched_models(window=(1, 1)), 40):
        best = solve_windows(problem)
        assert best is not None
        flip = best_flipping(problem, best.rows)
        assert flip is not None
        assert flip.values == best.values
        for state in problem.safe:
            found = state_program(problem, best, state)
            assert found is not None
            assert found.value == best.values[state]
            compared += len(problem.choices(state)) > 1
    assert compared >= 25


def test_at_level_zero_the_length_does_not_matter() -> None:
    for problem in drawn(watched_models(level=(0, 0)), 20):
        best, single = solve_windows(problem), best_deterministic(problem)
        assert best is not None
        assert single is not None
        assert best.value == single.value
        assert excess_risk(problem, best.policy) == 0


def test_certificates_prove_the_values() -> None:
    problem = ce1()
    best = solve_windows(problem)
    assert best is not None
    report = check(best.certificate())
    assert report.accepted
    assert report.enclosure is not None
    assert report.enclosure.lo == report.enclosure.hi == best.value == F(10, 9)
    # 2/3 with a1 and a2, 1 with a1 and a3, 1 with a2 and a3: see `ce1`
    values = [check(document).enclosure for _, document in flip_certificates(problem, best.rows)]
    assert [one.lo for one in values if one is not None] == [F(2, 3), F(1), F(1)]


def test_actions_that_no_policy_may_take_alone_have_no_flip() -> None:
    """Start x with a1 risking 1 at once and a2 risking 1 in the second step, alpha = 1/2."""
    model = from_arrays(
        [[[0, 0, 0, 1], [0, 1, 0, 0]], [[0, 0, 0, 1]] * 2, [[0, 0, 1, 0]] * 2, [[0, 0, 0, 1]] * 2],
        [[0, 0]] * 4,
        discount=F(1, 2),
        initial=[1, 0, 0, 0],
        available=[[True, True]] + [[True, False]] * 3,
    )
    problem = WindowProblem(model, (3,), 2, F(1, 2))
    assert solve_windows(problem) is None
    assert best_flipping(problem, window_rows(problem)) is None
    assert best_deterministic(problem) is None
    kinds = [document["kind"] for _, document in flip_certificates(problem, window_rows(problem))]
    assert kinds == ["linear-program-infeasible"]


def test_four_actions_in_windows_of_three_steps() -> None:
    best = solve_windows(four_actions())
    assert best is not None
    chosen = [best.policy.probabilities[k] for k in four_actions().choices(2)]
    assert chosen == [F(123, 361), F(82, 361), F(80, 361), F(4, 19)]


# -- what is refused
@pytest.mark.parametrize(("unsafe", "window", "level", "message"), [
    ((7,), 2, F(1, 5), r"unsafe holds 7, which is not a state; they are 0 .. 4"),
    ((-1,), 2, F(1, 5), r"unsafe holds -1, which is not a state"),
    ((4,), 0, F(1, 5), r"the window has 0 steps; give at least 1"),
    ((4,), 2, F(1), r"the level is 1; it must lie in \[0, 1\)"),
    ((4,), 2, F(-1, 9), r"the level is -1/9; it must lie in \[0, 1\)"),
    ((4,), 2, float("nan"), r"level is nan"),
    ((4,), 2, "a tenth", r"level is 'a tenth', not a rational"),
])  # fmt: skip
def test_bad_problems(unsafe, window, level, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        WindowProblem(ce1().model, unsafe, window, level)


def test_unsafe_states_are_kept_in_order_and_once() -> None:
    problem = WindowProblem(ce1().model, (4, 2, 4), 2, "1/5")  # type: ignore[arg-type]
    assert (problem.unsafe, problem.safe, problem.level) == ((2, 4), (0, 1, 3), F(1, 5))


def test_a_state_that_decides_twice_is_refused() -> None:
    problem, acting = ce2()
    assert len(window_risks(problem, acting)) == 4
    with pytest.raises(ModelError, match=r"state 0 decides.*a choice of state 0 again.*not affine"):
        solve_windows(problem)


def test_a_window_that_meets_two_decisions_apart_is_refused() -> None:
    """0 leads to 1 or 2, each with a choice of its own."""
    model = from_arrays(
        [
            [[0, F(1, 2), F(1, 2), 0], [0, F(1, 2), F(1, 2), 0]],
            *[[[0, 0, 0, 1], [0, 1, 0, 0]], [[0, 0, 0, 1], [0, 0, 1, 0]]],
            [[0, 0, 0, 1]] * 2,
        ],
        [[0, 0]] * 4,
        discount=F(1, 2),
        available=[[True, False], [True, True], [True, True], [True, False]],
    )
    with pytest.raises(ModelError, match=r"from state 0 meets the choices of states 1 and 2"):
        window_rows(WindowProblem(model, (3,), 2, F(1, 5)))


def test_discount_one_and_policies_that_do_not_fit_are_refused() -> None:
    problem = ce1()
    endless = WindowProblem(problem.model.with_discount(1), (U,), 2, F(1, 5))
    with pytest.raises(ModelError, match="discount is 1"):
        solve_windows(endless)
    with pytest.raises(ModelError, match="2 probabilities for 7 choices"):
        window_risks(problem, Policy((F(1), F(0))))
    with pytest.raises(ValueError, match="most is 3"):
        best_flipping(problem, window_rows(problem), 3)
