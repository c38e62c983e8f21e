"""The Gamma case: closed forms against other methods, golden limits, growth, and best budgets."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import flint
import pytest
import sympy

from holdfast.solvers.errors import ModelError
from holdfast.solvers.relative_budget import (
    Gamma,
    anti_concentration,
    argmax_table,
    best_budget,
    growth_table,
    moments,
    next_budget,
    requirement,
    simulate_growth,
)
from holdfast.solvers.relative_budget.criteria import CRITERIA, KAPPAS, SHAPES
from holdfast.solvers.relative_budget.enclosures import (
    Density,
    enclosed_moments,
    enclosed_requirement,
    gamma_density,
)
from holdfast.solvers.relative_budget.gamma import (
    ample_limit,
    deficient_limit,
    gamma_requirement,
    gamma_shares,
)
from holdfast.solvers.relative_budget.online import (
    enclosed_next_budget,
    geometric_growth,
    scheduled_path,
)

QUARTER = Fraction(1, 4)


@pytest.mark.parametrize("shape", [0.5, 1, 3, 10])
@pytest.mark.parametrize("budget", [0.05, 0.7, 2, 40])
def test_closed_forms_agree_with_the_moments(shape: float, budget: float) -> None:
    found, shares = moments(Gamma(shape, shape), budget), gamma_shares(shape, budget)
    assert shares.success == pytest.approx(found.success, rel=1e-12)
    assert shares.mean == pytest.approx(found.mean / budget, rel=1e-9)
    assert shares.deviation == pytest.approx(found.deviation / budget, rel=1e-9)
    assert shares.lost == pytest.approx(1 - shares.mean, rel=1e-9)
    want = requirement(Gamma(shape, shape), budget, QUARTER, 1.0).samples
    assert gamma_requirement(shape, budget, 0.25) == pytest.approx(want, rel=1e-8)


@pytest.mark.parametrize("kind", ["gamma", "weibull", "log-normal"])
@pytest.mark.parametrize("horizon", [Fraction(1), Fraction(9), Fraction(80)])
def test_enclosures_hold_the_integrals(kind: str, horizon: Fraction) -> None:
    """E R = int_0^H F(t) dt, by arb's own integration, and the floats."""
    law = Density(kind, Fraction(3, 2), Fraction(1, 10) if kind == "gamma" else Fraction(4, 5))
    found = enclosed_moments(law, horizon)
    process = law.process()
    assert float(found.deviation.mid()) == pytest.approx(
        moments(process, float(horizon)).deviation, rel=1e-6
    )
    steps = 4000
    h = float(horizon) / steps
    trapezoid = sum(float(law.cdf(flint.arb((i + 0.5) * h)).mid()) for i in range(steps)) * h
    assert float(found.mean.mid()) == pytest.approx(trapezoid, rel=1e-4)
    assert float(enclosed_requirement(law, horizon, QUARTER).mid()) == pytest.approx(
        requirement(process, float(horizon), QUARTER, 1.0).samples, rel=1e-6
    )


@pytest.mark.parametrize("shape", [1, 2, 3])
def test_derivative_and_moments_by_sympy(shape: int) -> None:
    """For whole shapes all is elementary: g and s^2 are the integrals, and g' = F_{K+1}/xi^2."""
    xi, v = sympy.symbols("xi v", positive=True)
    density = shape**shape * v ** (shape - 1) * sympy.exp(-shape * v) / sympy.factorial(shape - 1)

    def lower(order: int) -> sympy.Expr:
        return 1 - sympy.exp(-shape * xi) * sum(
            (shape * xi) ** j / sympy.factorial(j) for j in range(order)
        )

    g = sympy.integrate(sympy.expand((1 - v / xi) * density), (v, 0, xi))
    square = sympy.integrate(sympy.expand((1 - v / xi) ** 2 * density), (v, 0, xi))
    assert sympy.simplify(g - (lower(shape) - lower(shape + 1) / xi)) == 0
    assert sympy.simplify(sympy.diff(g, xi) - lower(shape + 1) / xi**2) == 0
    closed = lower(shape) - 2 * lower(shape + 1) / xi
    closed += sympy.Rational(shape + 1, shape) * lower(shape + 2) / xi**2
    assert sympy.simplify(square - closed) == 0


@pytest.mark.parametrize("shape", [1, 2, 3])
def test_limits_by_sympy(shape: int) -> None:
    """As xi falls to 0, s^2/q tends to 2/((K+1)(K+2)); as it grows, and e^(-K xi) falls to 0 even
    times any power, K xi^2 s^2 and xi (1 - g) tend to 1."""
    xi, vanishing = sympy.symbols("xi vanishing", positive=True)

    def lower(order: int) -> sympy.Expr:
        return 1 - vanishing * sum((shape * xi) ** j / sympy.factorial(j) for j in range(order))

    q, g = lower(shape), lower(shape) - lower(shape + 1) / xi
    square = lower(shape) - 2 * lower(shape + 1) / xi
    square += sympy.Rational(shape + 1, shape) * lower(shape + 2) / xi**2 - g**2
    near = sum((-shape * xi) ** j / sympy.factorial(j) for j in range(shape + 6))
    first, second = (
        sympy.Poly(sympy.expand(one.subs(vanishing, near) * xi**2), xi).coeff_monomial(
            xi ** (shape + 2)
        )
        for one in (q, square)
    )
    assert second / first == sympy.Rational(2, (shape + 1) * (shape + 2))
    assert sympy.simplify((shape * xi**2 * square).subs(vanishing, 0)) == 1
    assert sympy.simplify((xi * (1 - g)).subs(vanishing, 0)) == 1


@pytest.mark.parametrize(("shape", "want"), [(1, 1.732), (2, 2.449), (3, 3.162)])
def test_the_deficient_limit(shape: int, want: float) -> None:
    assert deficient_limit(shape) == pytest.approx(want, abs=5e-4)
    q = gamma_shares(shape, 1e-5).success
    near = gamma_requirement(shape, 1e-5, 0.25) * q**1.5 * 0.5 / 2
    assert near == pytest.approx(want, rel=0.01)


@pytest.mark.parametrize(("shape", "want"), [(1, 2.5415), (2, 3.8154), (3, 4.8175)])
def test_the_ample_limit(shape: int, want: float) -> None:
    assert ample_limit(shape, 0.25) == pytest.approx(want, abs=5e-5)
    assert gamma_requirement(shape, 500, 0.25) * 0.5 / 1000 == pytest.approx(want, rel=1e-3)


def test_a_large_kappa_leaves_nothing_good() -> None:
    """K = 1, kappa = 1.2: the catalogue's c at five budgets, 0 at the last."""
    found = [anti_concentration(Gamma(1, 1), xi, 1.2) for xi in (0.5, 1, 2, 3, 5)]
    assert found == pytest.approx([0.196, 0.212, 0.129, 0.034, 0], abs=5e-4)
    assert ample_limit(1, 1.2) == math.inf


def test_the_geometric_growth_of_a_fixed_radius() -> None:
    assert geometric_growth(1, 0.1) == pytest.approx(1.18781, abs=5e-6)
    assert next_budget(1, 500, 0.1) / 500 == pytest.approx(1.18781, abs=5e-6)


def test_an_enclosed_step_holds_the_float_one() -> None:
    root = enclosed_next_budget(Fraction(2), flint.arb(3), flint.arb(1) / 18)
    assert root.rel_accuracy_bits() > 40
    assert float(root.mid()) == pytest.approx(next_budget(2, 3, 1 / 18), rel=1e-10)


def test_a_rational_path_rises_by_half_of_what_the_ball_offers() -> None:
    path = scheduled_path(Fraction(2), Fraction(1), 3)
    for now, after in pairwise(path):
        first, second = (gamma_shares(2, float(one)) for one in (now, after))
        want = first.deviation / (2 * math.sqrt(2) * float(now))
        assert second.mean - first.mean == pytest.approx(want, rel=1e-8)


def test_a_step_without_an_end_is_refused() -> None:
    """K = 1, xi = 0.3: g = 0.14, s = 0.27, so g + sqrt(100) s/2 = 1.5."""
    with pytest.raises(ModelError, match="no budget has the mean reward"):
        next_budget(1, 0.3, 100)
    assert len(simulate_growth(1, 0.3, 5.0, 4, kappa=100)) == 1


def test_growth_is_what_the_catalogue_has() -> None:
    """C_400 and the least and largest of n_i/(2 L K xi_i^2), the former at about xi = 100."""
    rows = {(row.shape, row.start): row for row in growth_table((1, 5), steps=400)}
    wanted = {(1, 0.3): 0.87, (1, 1.0): 0.82, (1, 2.0): 0.46, (5, 0.3): 0.58, (5, 1.0): 0.25,
              (5, 2.0): 0.02}  # fmt: skip
    for key, deficit in wanted.items():
        assert rows[key].deficit == pytest.approx(deficit, abs=0.006), key
        assert rows[key].end - key[1] >= rows[key].slope
    assert (rows[1, 1.0].least, rows[1, 1.0].largest) == pytest.approx((1.59, 11.66), abs=0.01)
    assert (rows[5, 1.0].least, rows[5, 1.0].largest) == pytest.approx((1.80, 6.91), abs=0.01)
    for shape, least in ((1, 1.59), (2, 1.69), (3, 1.74), (5, 1.79), (10, 1.85)):
        far = gamma_requirement(shape, 100, 1e-4 / shape) / (2e4 * shape)
        assert far == pytest.approx(least, abs=0.006)


BEST = {
    "samples of one step": (
        (1.75, 1.72, 1.66, 1.58, 1.47), (1.66, 1.65, 1.61, 1.54, 1.44),
        (1.54, 1.56, 1.54, 1.49, 1.40), (1.34, 1.43, 1.43, 1.41, 1.35),
        (1.07, 1.23, 1.27, 1.28, 1.26),
    ),
    "improvement per sample": ((1.50, 1.56, 1.55, 1.50, 1.42),),
    "normalised advantage": ((2.25, 1.93, 1.79, 1.65, 1.50),),
    "plain gradient": ((1.79, 1.69, 1.63, 1.55, 1.44),),
}  # fmt: skip
"""The catalogue's table, a row for each kappa (the last one calls its criterion mixed)."""


@pytest.mark.parametrize("criterion", BEST)
def test_best_budgets_are_those_of_the_catalogue(criterion: str) -> None:
    for kappa, row in zip(KAPPAS, BEST[criterion], strict=False):
        radius = kappa if len(BEST[criterion]) > 1 or "sample" in criterion else None
        for shape, want in zip(SHAPES, row, strict=True):
            assert float(best_budget(criterion, shape, radius)) == pytest.approx(want, abs=0.0101)


def test_the_window_holds_some_and_not_others() -> None:
    rows = argmax_table()
    assert 0 < sum(row.inside for row in rows) < len(rows) == 4 * 25 + 5 * 5
    none = {row.criterion for row in rows} - {row.criterion for row in rows if row.inside}
    assert none == {
        "improvement per token", "mixed gradients", "deviation", "success variance"
    }  # fmt: skip


def test_a_criterion_that_there_is_not_is_refused() -> None:
    with pytest.raises(ModelError, match="no criterion"):
        best_budget("speed", 1)
    with pytest.raises(ModelError, match="depends on kappa"):
        best_budget(next(iter(CRITERIA)), 1)
    with pytest.raises(ModelError, match="is not a law"):
        Density("normal", Fraction(1), Fraction(1))
    with pytest.raises(ModelError, match="the shape is -1"):
        gamma_shares(-1, 1)
    assert gamma_density(Fraction(2)).process().mean == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: gamma_requirement(1, 1, -1), "kappa is -1"),
        (lambda: gamma_requirement(1, 1, math.nan), "kappa is nan"),
        (lambda: next_budget(1, 1, 0), "kappa is 0"),
        (lambda: ample_limit(1, -1), "kappa is -1"),
        (lambda: deficient_limit(-3), "the shape is -3"),
        (lambda: geometric_growth(1, 4), "kappa is 4; it must be below four times the shape, 4"),
        (lambda: simulate_growth(1, 1, -3, 2), "log_class is -3"),
        (lambda: simulate_growth(1, 1, 3, -2), "steps is -2"),
        (lambda: growth_table(steps=-1), "steps is -1"),
        (lambda: best_budget("samples of one step", 1, -0.1), r"kappa is -0\.1"),
        (lambda: best_budget("deviation", 1, QUARTER), "'deviation' has no kappa; leave it out"),
        (lambda: best_budget("deviation", 0), "the shape is 0"),
    ],
)
def test_arguments_that_are_none_are_refused(make, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        make()


def test_a_kappa_may_be_a_float() -> None:
    assert best_budget("anti-concentration", 1, 0.25) == best_budget(
        "anti-concentration", 1, QUARTER
    )
