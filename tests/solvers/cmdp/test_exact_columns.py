"""Exact policy iteration behind the linear program, against the enumeration of all policies."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, pairwise, product

import pytest

from holdfast.solvers import (
    CMDP,
    LimitReachedError,
    Limits,
    ModelError,
    Status,
    Vector,
    most_feasible,
    solve,
)
from holdfast.solvers.cmdp import occupancy as module
from holdfast.solvers.cmdp import solving
from holdfast.solvers.cmdp.exact_columns import ColumnSearch, to_vertex
from holdfast.solvers.cmdp.policies import Policy, occupancy_of
from holdfast.solvers.models.arrays import assemble
from holdfast.solvers.programs.program import LinearProgram
from holdfast.verify.kernel import check

F = Fraction
Point = tuple[Fraction, tuple[Fraction, ...]]


def number(numbers: random.Random, span: int) -> Fraction:
    size = F(numbers.randint(1, 9)) * F(10) ** numbers.randint(-span, span)
    return size * numbers.choice([0, 1, 1, 1, 1, 1, 1, 1, -1, -1])


def extreme_model(seed: int) -> CMDP:
    """One to three states, numbers over up to 640 orders of magnitude, ties, discounts near 1."""
    numbers = random.Random(seed)
    size, constraints = numbers.choice([1, 2, 2, 3, 3]), numbers.choice([0, 1, 1, 2])
    counts = [numbers.randint(1, 3) for _ in range(size)]
    tiny, span = numbers.random() < 0.5, numbers.choice([0, 3, 14, 30, 320])
    rows = [
        sorted(numbers.sample(range(size), numbers.randint(1, size))) for _ in range(sum(counts))
    ]
    functions = [[number(numbers, span) for _ in rows] for _ in range(1 + constraints)]
    near_one = 1 - F(1, 10 ** numbers.randint(3, 15))
    model = assemble(
        counts=counts,
        rows=[
            {s: 10 ** numbers.randint(0, 12) if tiny else numbers.randint(1, 3) for s in row}
            for row in rows
        ],
        reward=functions[0],
        costs=functions[1:],
        budgets=[F(0)] * constraints,
        discount=numbers.choice([F(0), F(1, 2), F(9, 10), F(1, 10**9), near_one, near_one]),
        initial=[numbers.choice([1, 1, 10**12]) for _ in range(size)],
    )
    ends = list(zip(*(costs for _, costs in points(model)), strict=True))
    shares = [F(0), F(1, 2), F(1), F(3, 10), F(-1, 10**6), F(1, 10**9)]
    return model.with_budgets(
        *(min(end) + numbers.choice(shares) * (max(end) - min(end)) for end in ends)
    )


def points(model: CMDP) -> list[Point]:
    """(J_r, J_c) of every deterministic policy."""
    spans = [range(a, b) for a, b in pairwise(model.choice_start.tolist())]
    found = []
    for choices in product(*spans):
        rho = occupancy_of(model, Policy.of_choices(model, choices))
        costs = zip(model.costs.tolist(), model.cost_denominators, strict=True)
        reward = rho.dot(model.reward.tolist(), model.reward_denominator)
        found.append((reward, tuple(rho.dot(row, bottom) for row, bottom in costs)))
    return found


def enumerated(known: list[Point], budgets: tuple[Fraction, ...]) -> Fraction | None:
    """The best mixture of at most three policies: tight in as many costs as it mixes, less one."""
    known = list(set(known))
    values = [r for r, costs in known if all(c <= d for c, d in zip(costs, budgets, strict=True))]
    for (r1, c1), (r2, c2) in combinations(known, 2):
        for i, budget in enumerate(budgets):
            if c1[i] != c2[i] and 0 <= (t := (budget - c1[i]) / (c2[i] - c1[i])) <= 1:
                mixed = [a + t * (b - a) for a, b in zip(c1, c2, strict=True)]
                if all(c <= d for c, d in zip(mixed, budgets, strict=True)):
                    values.append(r1 + t * (r2 - r1))
    for (r1, c1), (r2, c2), (r3, c3) in combinations(known, 3) if len(budgets) == 2 else ():
        (a, c), (b, d) = ([x - y for x, y in zip(end, c1, strict=True)] for end in (c2, c3))
        e, f = (x - y for x, y in zip(budgets, c1, strict=True))
        if a * d != b * c:
            s, t = (e * d - b * f) / (a * d - b * c), (a * f - e * c) / (a * d - b * c)
            if s >= 0 and t >= 0 and s + t <= 1:
                values.append(r1 + s * (r2 - r1) + t * (r3 - r1))
    return max(values, default=None)


@pytest.mark.parametrize("pivots", [100, 0])
def test_models_of_extreme_numbers_agree_with_enumeration(pivots, monkeypatch):
    """With pivots and, as the control of the method behind them, without any."""
    monkeypatch.setattr(module, "REPAIR", pivots)
    methods: Counter[str] = Counter()
    for seed in range(150):
        model = extreme_model(seed)
        want, found = enumerated(points(model), model.budgets), solve(model)
        assert found.value == want, seed
        assert (found.status is Status.INFEASIBLE) == (want is None), seed
        assert found.n_randomisations <= model.n_constraints, seed
        assert check(found.certificate()).accepted, seed
        if model.n_constraints:
            inner = most_feasible(model)
            assert min(inner.slacks) == inner.slack and (inner.slack >= 0) == (want is not None)
            assert want is not None or found.relaxation == -inner.slack
        methods[found.statistics["method"].split(",")[0]] += 1
    assert min(methods.values()) > 10 and len(methods) == 2


def test_both_phases_agree_with_the_linear_program(random_model):
    for seed in range(12):
        model = random_model(seed, states=5, constraints=2)
        search = ColumnSearch(model, Limits().started())
        slack = search.greatest_slack()
        assert slack is not None and slack.value == most_feasible(model).slack
        if slack.value < 0:
            continue
        best, answer = search.greatest_reward(), solve(model)
        assert best.value == answer.value == search.lower == search.upper
        rho = answer.occupancy
        assert rho is not None
        assert best.occupancy.dot(model.reward.tolist(), model.reward_denominator) == best.value


def test_a_point_inside_a_face_moves_to_a_vertex():
    # max x + y, x + y <= 1: every point of the edge is optimal, (1/3, 2/3) is no vertex.
    program = LinearProgram.of([1, 1], [[1, 1]], ["<="], [1])
    assert to_vertex(program, Vector.of([F(1, 3), F(2, 3)])).fractions() in ((0, 1), (1, 0))
    assert to_vertex(program, Vector.of([1, 0])).fractions() == (1, 0)


def test_what_is_known_when_the_time_is_up(random_model, monkeypatch):
    model = random_model(5, states=6, constraints=1)  # feasible at once, then four policies
    want = solve(model).value
    monkeypatch.setattr(solving, "attempt", lambda *_: None)
    known = []
    for number in range(40):
        looks = iter([False] * number)

        def look(_allowance: object, looks: Iterator[bool] = looks) -> None:
            if next(looks, True):
                raise LimitReachedError("not decided within 1 seconds")

        monkeypatch.setattr("holdfast.solvers.limits.Allowance.look", look)
        found = solve(model)
        if found.status is Status.EXACT:
            break
        assert found.status is Status.UNDECIDED and found.value is None
        with pytest.raises(ModelError, match="UNDECIDED, so that nothing is proved"):
            found.certificate()
        assert found.statistics["method"] == "not decided within 1 seconds"
        known.append((found.lower, found.upper))
    assert found.value == want and known[0] == (None, None)
    both = [(low, high) for low, high in known if low is not None and high is not None]
    assert both and all(low <= want <= high for low, high in both)


def test_no_time_at_all_is_undecided(random_model):
    found = solve(random_model(3), Limits(seconds=1e-9))
    assert found.status is Status.UNDECIDED and "1e-09 seconds" in found.statistics["method"]
    with pytest.raises(LimitReachedError, match="allow more with --budget, in Python with Limits"):
        most_feasible(random_model(3), Limits(seconds=1e-9))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seconds": 0}, "seconds is 0; the limit must be positive"),
        ({"pivots": -1}, "pivots is -1"),
    ],
)
def test_bad_limits_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Limits(**arguments)
