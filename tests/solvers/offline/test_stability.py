"""Stability of controlled multipliers: verdicts, closed forms, eigenvalues, trajectories."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.solvers.errors import ModelError
from holdfast.solvers.offline.multipliers.crossings import gain_limits
from holdfast.solvers.offline.multipliers.lyapunov import certified, common_form, falls
from holdfast.solvers.offline.multipliers.stability import (
    FORMS,
    GAINS,
    Loop,
    Verdict,
    characteristic,
    critical_proportional,
    damping_ratio,
    eigenvalues,
    hurwitz,
    matrix,
    schur,
    stable_margin,
    verdict,
    vertices,
)

STABLE, BOUNDARY, UNSTABLE = Verdict.STABLE, Verdict.BOUNDARY, Verdict.UNSTABLE
roots = st.lists(st.integers(-12, 12).map(lambda n: Fraction(n, 8)), min_size=1, max_size=4)
pairs = st.sampled_from([(3, 4, 5), (5, 12, 13), (1, 2, 3), (3, 4, 4), (0, 1, 1)])


def product_of(factors: list[list[Fraction]]) -> list[Fraction]:
    polynomial = [Fraction(1)]
    for factor in factors:
        longer = [Fraction(0)] * (len(polynomial) + len(factor) - 1)
        for i, x in enumerate(polynomial):
            for j, y in enumerate(factor):
                longer[i + j] += x * y
        polynomial = longer
    return polynomial


@given(roots, st.lists(pairs, max_size=2))
def test_the_verdict_is_that_of_the_zeros(real, complex_pairs) -> None:
    """Zeros are real ones and pairs (p +- iq)/r, of modulus below, at and above 1, repeated too."""
    factors = [[-root, Fraction(1)] for root in real]
    squares = [root * root for root in real]
    for p, q, r in complex_pairs:
        squares.append(Fraction(p * p + q * q, r * r))
        factors.append([squares[-1], Fraction(-2 * p, r), Fraction(1)])
    largest = max(squares)
    expected = STABLE if largest < 1 else BOUNDARY if largest == 1 else UNSTABLE
    assert schur(product_of(factors)) is expected


@given(roots, st.lists(pairs, max_size=2))
def test_the_left_half_plane(real, complex_pairs) -> None:
    factors = [[-root, Fraction(1)] for root in real]
    parts = list(real)
    for p, q, r in complex_pairs:
        parts.append(Fraction(p - 1, r))
        factors.append([parts[-1] ** 2 + q * q, -2 * parts[-1], Fraction(1)])
    largest = max(parts)
    expected = STABLE if largest < 0 else BOUNDARY if largest == 0 else UNSTABLE
    assert hurwitz(product_of(factors)) is expected


def test_closed_forms_of_continuous_time() -> None:
    # damping (1/5 + 1/5) / (2 sqrt(...)): .2475, and less with a derivative
    found = [damping_ratio(Loop("1/5", 1, "1/5", Fraction(653, 1000), kd)) for kd in (0, "1/2", 1)]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(0.2475, abs=1e-4)
    assert found[1:] == pytest.approx([0.2021, 0.175], abs=1e-4)
    loop = Loop("1/2", -2, 0, 1, "3/4")  # (2 * 2 * sqrt(1 * 4) - 1/2) / 4 = 15/8
    assert critical_proportional(loop) == 15 / 8
    swings = [
        bool(eigenvalues(Loop("1/2", -2, kp, 1, "3/4")).imag.any()) for kp in ("1.87", "1.88")
    ]
    assert swings == [True, False]
    assert verdict(loop) is STABLE
    assert verdict(Loop(0, 1, 0, 1)) is BOUNDARY  # an undamped centre
    assert verdict(Loop("1/5", 1, "1/2", "1/5")) is STABLE
    docstring = Loop("1/5", 1, "1/2", "1/5", form="incremental")
    assert verdict(docstring) is UNSTABLE
    assert eigenvalues(docstring)[0].real == pytest.approx(0.0795, abs=1e-4)
    # a K_P = K_I
    assert verdict(Loop("1/5", 1, 1, "1/5", form="incremental")) is BOUNDARY


def test_edges() -> None:
    assert verdict(Loop(1, 0, 1, 1, 0, "1/10")) is BOUNDARY  # b = 0: the integral never moves
    assert math.isnan(damping_ratio(Loop(1, 0, 1, 1)))
    assert math.isnan(critical_proportional(Loop(1, 0, 1, 1)))
    assert verdict(Loop(1, 1, 1, 0, 0, "1/10")) is BOUNDARY  # K_I = 0: the error stays
    assert math.isinf(damping_ratio(Loop(1, 1, 1, 0)))
    assert verdict(Loop(0, 1, 0, 1, 0, "1/10")) is BOUNDARY  # a cycle of the bilinear game
    assert gain_limits(Loop(0, 1, 0, 1, 0, "1/10"), "proportional") is None


def test_limits_of_gains_are_those_of_the_closed_form() -> None:
    loop = Loop("1/2", 1, 2, "1/2", 0, "1/10")
    # 2 eta (a + K_P) + eta K_I < 4
    assert gain_limits(loop, "proportional") == (0, pytest.approx(19.25))
    assert gain_limits(loop, "integral") == (0, pytest.approx(35))
    continuous = Loop("1/2", 1, 2, "1/2")
    assert gain_limits(continuous, "derivative") == (0, math.inf)
    swing = Loop("1/5", 1, 2, "1/5", form="incremental")
    assert gain_limits(swing, "proportional") == (pytest.approx(1), math.inf)


def test_limits_do_not_jump_over_gains_that_are_unstable() -> None:
    """Smoothing: stable at K_I 5/2, unstable at 8, and stable again before 9.2."""
    loop = Loop("31/20", "19/10", "293/100", "5/2", "27/4", "1/10", form="omnisafe")
    low, high = gain_limits(loop, "integral") or (0, 0)
    assert low == pytest.approx(0.472302, abs=1e-6)
    assert 5 / 2 < high < 8
    assert verdict(replace(loop, integral=8)) is UNSTABLE
    for inside, outside in ((low + 1e-9, low - 1e-9), (high - 1e-9, high + 1e-9)):
        assert verdict(replace(loop, integral=inside)) is STABLE
        assert verdict(replace(loop, integral=outside)) is UNSTABLE


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("step", [None, "1/10"])
def test_all_between_the_limits_is_stable_and_nothing_beyond(form: str, step: object) -> None:
    largest = 5 if form == "adaptive" else None
    for a, b, kp, ki, kd in ((1, 1, 3, "1/5", 0), ("1/2", -2, 1, "1/10", "1/4"), (2, 1, 4, 1, 1)):
        loop = Loop(a, b, kp, ki, kd, step, form, largest=largest)
        fixed = replace(loop, form="stooke", largest=None) if largest else loop
        for name in GAINS:
            if (limits := gain_limits(loop, name)) is None:
                assert verdict(fixed) is not STABLE
                continue
            low, high = limits
            ends = [low * (1 - 1e-9)] * (low > 0) + [high * (1 + 1e-9)] * (high < math.inf)
            assert all(verdict(replace(fixed, **{name: x})) is not STABLE for x in ends)
            far = min(high, 1e9)
            within = (low + (far - low) * share for share in (1e-9, 0.1, 0.4, 0.8, 1 - 1e-9))
            assert all(verdict(replace(fixed, **{name: x})) is STABLE for x in within)


def test_a_limit_is_found_however_far_it_is() -> None:
    """2 eta (a + b^2 K_P) + eta b^2 K_I < 4 with b = 1/1000: K_P < 1.9e7 - 1/2."""
    loop = Loop(1, "1/1000", 1, 1, 0, "1/10")
    assert gain_limits(loop, "proportional") == (0, pytest.approx(1.9e7 - 0.5))


def test_limits_of_an_adaptive_loop_take_its_gain_to_stay() -> None:
    loop = Loop("1/2", 1, "1/5", "1/2", step="1/10", form="adaptive", largest="3/10")
    for name in GAINS:
        assert gain_limits(loop, name) == gain_limits(
            replace(loop, form="stooke", largest=None), name
        )
    with pytest.raises(ModelError, match="'gain' is no gain; there are proportional"):
        gain_limits(loop, "gain")


@pytest.mark.parametrize(
    ("memory", "radius"), [(0, 0.894), ("1/2", 0.881), ("0.9", 0.986), ("0.95", 0.996)]
)
def test_smoothing_takes_the_damping(memory: object, radius: float) -> None:
    loop = Loop(0, 1, 2, "1/2", 0, "1/10", form="omnisafe", memory=memory)
    assert abs(eigenvalues(loop)[0]) == pytest.approx(radius, abs=5e-4)


def simulate(cases: np.ndarray, steps: int) -> np.ndarray:
    """The size of x, e and I at the end, from x = 1, of PIDs with two-sided derivative."""
    a, b, kp, ki, kd, eta = cases
    x, total, before = np.ones(len(a)), np.zeros(len(a)), np.zeros(len(a))
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            e = b * x
            total = total + e
            lam = kp * e + ki * total + kd * (e - before)
            x, before = x - eta * (a * x + b * lam), e
        return np.nan_to_num(np.abs(x) + np.abs(total) + np.abs(before), nan=np.inf)


def drawn(number: int, seed: int) -> np.ndarray:
    """a, b, K_P, K_I, K_D, eta, [6, number]."""
    rng = np.random.default_rng(seed)
    scale = np.array([2.0, 2.0, 10.0, 5.0, 3.0, 0.3])[:, None]
    cases = rng.uniform(0.02, 1, (6, number)) * scale
    cases[0] *= rng.integers(0, 2, number)  # half of them bilinear
    cases[1] *= rng.choice([-1, 1], number)
    cases[4] *= rng.integers(0, 2, number)
    return cases


def test_predictions_against_trajectories_and_eigenvalues() -> None:
    cases = drawn(5000, 3)
    predicted = stable_margin(*cases) > 0
    radius = np.array(
        [
            abs(eigenvalues(Loop(a, b, kp, ki, kd, eta))[0])
            for a, b, kp, ki, kd, eta in cases.T[:400]
        ]
    )
    decided = np.abs(radius - 1) > 1e-7
    assert ((radius < 1) == predicted[:400])[decided].all()
    assert 50 < predicted[:400].sum() < 350
    # by trajectories where 1,500 steps decide
    end = simulate(cases[:, :400], 1500)
    clear = np.abs(radius - 1) > 0.02
    assert ((end < 1e-3) == predicted[:400])[clear].all()
    assert clear.sum() > 250
    # two mutants: without K_P, and without the upper limit of K_P
    a, b, kp, ki, kd, eta = cases[:, :400]
    without = stable_margin(a, b, 0 * kp, ki, kd, eta) > 0
    unlimited = (ki > 0) & (a + b * b * kp > 0)
    assert (without != predicted[:400]).sum() > 20
    assert (unlimited != predicted[:400]).sum() > 20
    exact = [
        verdict(Loop(*(Fraction(float(v)).limit_denominator(1000) for v in case)))
        for case in cases.T[:200]
    ]
    rounded = [
        stable_margin(*(Fraction(float(v)).limit_denominator(1000) for v in case)) > 0
        for case in cases.T[:200]
    ]
    assert [one is STABLE for one in exact] == rounded


def test_moving_gains_have_one_form_up_to_the_limit() -> None:
    for largest, found in ((2, True), (5, True), (15, True), (19, True), (25, False)):
        loop = Loop("1/2", 1, "1/5", "1/2", 0, "1/10", form="adaptive", largest=largest)
        form = certified(loop)
        assert (form is not None) is found, largest
        if form is not None:
            M = [matrix(each) for each in vertices(loop).values()]
            assert falls(form, M)
            assert not falls([[-x for x in row] for row in form], M)
            assert not falls([[form[0][0], form[0][1] + 1], form[1]], M)  # not symmetric
            slower = matrix(Loop("1/2", 1, 25, "1/2", 0, "1/10"))
            assert not falls(form, [*M, slower])


def test_a_rectified_derivative_switches_between_two_gains() -> None:
    loop = Loop("1/2", 1, 2, "1/2", 1, "1/10")
    assert list(vertices(loop)) == ["derivative 1", "derivative 0"]
    assert len(list(vertices(Loop("1/2", 1, 2, "1/2", 1, "1/10", form="osrl")))) == 4
    assert list(vertices(Loop("1/2", 1, 2, "1/2", 1))) == ["all gains as given"]
    assert certified(loop) is not None
    # FSRL's gains, whose slowest mode takes 4,000 updates
    assert certified(Loop(0, 1, "0.05", "0.0005", "0.1", "0.01", form="fsrl")) is not None
    steep = Loop("1/2", 1, 2, "1/2", 12, "1/10")  # the derivative alone is past its limit
    assert certified(steep) is None


@pytest.mark.slow
def test_cvxpy_finds_the_same() -> None:
    cp = pytest.importorskip("cvxpy")
    for largest in (15, 25):
        loop = Loop("1/2", 1, "1/5", "1/2", 0, "1/10", form="adaptive", largest=largest)
        M = [np.array(matrix(each), float) for each in vertices(loop).values()]
        P = cp.Variable((2, 2), symmetric=True)
        rules = [P >> np.eye(2)] + [P - one.T @ P @ one >> 1e-6 * np.eye(2) for one in M]
        problem = cp.Problem(cp.Minimize(cp.trace(P)), rules)
        problem.solve(solver=cp.CLARABEL)
        assert (problem.status == "optimal") is (certified(loop) is not None)


def test_a_form_of_two_matrices_that_pull_apart_is_not_found() -> None:
    # each is stable, their product has the eigenvalue 9/4
    half = Fraction(1, 2)
    up, down = [[0 * half, 3 * half], [0 * half, 0 * half]], [[0 * half] * 2, [3 * half, 0 * half]]
    assert schur(characteristic(up)) is schur(characteristic(down)) is STABLE
    assert common_form([up, down]) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"form": "pid"}, "form is 'pid'; there are stooke, fsrl"),
        ({"proportional": -1}, "proportional is -1; it must be at least 0"),
        ({"curvature": -1}, "curvature is -1; it must be at least 0"),
        ({"curvature": "1e400"}, "curvature is 1e400; give 0 or a size from 1e-30 to 1e30"),
        ({"slope": Fraction(-1, 10**31)}, "give 0 or a size from 1e-30 to 1e30, in other units"),
        ({"integral": math.nan}, "integral is nan; every number"),
        ({"step": 0}, "step is 0, so that nothing moves"),
        ({"memory": "1/2"}, "memory has no effect with the form stooke; leave it out"),
        ({"delay": 3, "form": "fsrl"}, "delay has no effect with the form fsrl"),
        ({"memory": 1, "form": "omnisafe"}, "the weights of averages must be below 1"),
        ({"delay": 0, "form": "omnisafe"}, "delay is 0; it must be a whole number of at least 1"),
        ({"form": "adaptive"}, "needs the largest proportional gain"),
        ({"largest": 3}, "the form adaptive, and no other"),
        ({"form": "adaptive", "largest": "1/2"}, "largest is 1/2, below proportional 1"),
    ],
)
def test_wrong_numbers_are_refused(given: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Loop(**{"curvature": 1, "slope": 1, "proportional": 1, "integral": 1, **given})


@pytest.mark.parametrize("form", FORMS)
def test_each_form_has_a_verdict_in_both_times(form: str) -> None:
    for step in (None, "1/10"):
        largest = 3 if form == "adaptive" else None
        loop = Loop("1/2", 1, 2, "1/2", "1/4", step, form=form, largest=largest)
        top = eigenvalues(loop)[0]
        size = top.real if step is None else abs(top) - 1
        assert (verdict(loop) is STABLE) is bool(size < 0)
