"""Multipliers of safety constraints: by hand, against cvxpy, and what is refused."""

from fractions import Fraction
from typing import Any

import cvxpy
import flint
import numpy as np
import pytest

from holdfast.solvers.alignment.multipliers import (
    InfeasibleError,
    enclose_constrained,
    enclose_multiplier,
)
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient.balls import number

TWO = Problem.of(["1/2", "1/2"], [1, 0], [0, 1])
HALVES = [[[0, 1]], [[1, 0]]]


def array(values: Any) -> np.ndarray:
    return np.vectorize(Fraction, otypes=[object])(np.array(values, dtype=object))


@pytest.mark.parametrize("bits", [53, 256, 1000])
def test_even_odds_need_the_difference_of_rewards(bits: int) -> None:
    """The tilt is even where r + lam g is equal for both: lam = 1."""
    with flint.ctx.workprec(bits):
        found = enclose_multiplier(TWO, Fraction(1, 2))
        assert found.contains(1)
        assert found.rad() < flint.arb(2) ** (40 - bits)


def test_a_level_that_is_met_already_needs_none() -> None:
    """Safety without a multiplier is 1/(1 + e) = 0.27."""
    assert enclose_multiplier(TWO, Fraction(1, 4)) == 0
    assert enclose_multiplier(TWO, Fraction(27, 100)) > 0


@pytest.mark.parametrize("level", ["9/10", "999/1000", "999999/1000000"])
def test_two_responses_have_a_closed_form(level: str) -> None:
    """lam - 1 = log(level/(1 - level))."""
    b = Fraction(level)
    with flint.ctx.workprec(200):
        odds = flint.arb(b.numerator) / (b.denominator - b.numerator)
        assert abs(enclose_multiplier(TWO, b) - 1 - odds.log()) < flint.arb(2) ** -150


def test_levels_out_of_reach_say_by_how_much() -> None:
    with pytest.raises(InfeasibleError, match="above the largest possible mean safety 1, by 1/2"):
        enclose_multiplier(TWO, Fraction(3, 2))
    with pytest.raises(InfeasibleError, match="no Slater point") as caught:
        enclose_multiplier(TWO, Fraction(1))
    assert caught.value.excess == 0
    with pytest.raises(InfeasibleError, match=r"missed by 0.1; lower them") as both:
        enclose_constrained(TWO, array(HALVES), [Fraction(3, 5), Fraction(3, 5)])
    assert both.value.excess == Fraction(1, 10)
    with pytest.raises(InfeasibleError, match="no policy is found that exceeds every level"):
        enclose_constrained(TWO, array(HALVES), [Fraction(1, 2), Fraction(1, 2)])
    with pytest.raises(ModelError, match=r"safeties have shape \(2, 1, 2\); 1 levels"):
        enclose_constrained(TWO, array(HALVES), [Fraction(1, 2)])


def oracle(problem: Problem, safeties: np.ndarray, levels: list[Fraction]) -> float:
    """The same optimum by an exponential cone program."""
    law, reference = problem.prompt_law.astype(float), problem.reference.astype(float)
    policy = cvxpy.Variable(reference.shape, nonneg=True)
    joint = law[:, None]
    gain = cvxpy.sum(cvxpy.multiply(joint * problem.rewards.astype(float), policy))
    kl = cvxpy.sum(cvxpy.multiply(joint, cvxpy.rel_entr(policy, reference)))
    rows = [
        cvxpy.sum(cvxpy.multiply(joint * one.astype(float), policy)) >= float(b)
        for one, b in zip(safeties, levels, strict=True)
    ]
    goal = cvxpy.Maximize(gain - float(problem.temperature) * kl)
    return float(cvxpy.Problem(goal, [cvxpy.sum(policy, axis=1) == 1, *rows]).solve("CLARABEL"))


@pytest.mark.parametrize("seed", range(6))
def test_several_constraints_agree_with_a_cone_program(seed: int) -> None:
    generator = np.random.default_rng(seed)
    X, Y, n = 2, 4, 1 + seed % 3
    reference = array(generator.integers(1, 9, (X, Y)))
    problem = Problem.of(
        reference / reference.sum(axis=1)[:, None],
        array(generator.integers(-4, 5, (X, Y))),
        temperature=Fraction(1, 2),
    )
    safeties = array(generator.integers(-4, 5, (n, X, Y)))
    middle = [(problem.prompt_law[:, None] * one).sum() / Y for one in safeties]
    found = enclose_constrained(problem, safeties, [m - Fraction(1, 4) for m in middle])
    assert found.gap < 1e-9
    assert not found.gap < 0
    for one, m in zip(safeties, middle, strict=True):
        assert (problem.prompt_law[:, None] * found.policy * one).sum() >= m - Fraction(1, 4)
    exact = oracle(problem, safeties, [m - Fraction(1, 4) for m in middle])
    assert abs(float(found.value.mid()) - exact) < 1e-6


def test_one_constraint_by_both_methods() -> None:
    found = enclose_constrained(TWO, TWO.safety[None], [Fraction(9, 10)])
    assert abs(float(found.multipliers[0]) - float(enclose_multiplier(TWO, Fraction(9, 10)))) < 1e-8


def test_a_level_is_read_as_it_is_printed() -> None:
    problem = Problem.of([["1/2", "1/2"]], [[0, 0]], [[0, 1]])
    by_text, by_float, exact = (
        enclose_multiplier(problem, level) for level in ("7/10", 0.7, Fraction(7, 10))
    )
    assert by_text.overlaps(exact) and by_float.overlaps(exact)
    with pytest.raises(ModelError, match="level"):
        enclose_multiplier(problem, "much")
    with pytest.raises(ModelError, match=r"levels\[0\]"):
        enclose_constrained(problem, problem.safety[None], [float("nan")])


SCALES = [Fraction(10) ** k for k in (-15, -9, -3, 0, 6, 15)]


@pytest.mark.parametrize("heat", SCALES)
@pytest.mark.parametrize("gain", SCALES)
def test_two_responses_over_thirty_orders_of_magnitude(gain: Fraction, heat: Fraction) -> None:
    """lam = (gain + heat log(3 c/(1 - c)))/unit, for odds of 3 to 1 and the level c unit: by hand,
    in 2000 bits, and 0 where that is negative."""
    for unit, c in ((Fraction(1), Fraction(1, 3)), (Fraction(1, 10**12), Fraction(999, 1000))):
        case = Problem.of(["3/4", "1/4"], [gain, 0], [0, unit], temperature=heat)
        found = enclose_multiplier(case, c * unit)
        with flint.ctx.workprec(2000):
            odds = number(3 * c / (1 - c)).log()
            wanted = ((number(gain) + number(heat) * odds) / number(unit)).max(flint.arb(0))
            assert found.contains(wanted)
        assert wanted == 0 or found.rel_accuracy_bits() >= 24


@pytest.mark.parametrize("scale", SCALES)
def test_the_ends_of_a_ball_have_opposite_signs(scale: Fraction) -> None:
    """Five responses to two prompts, E safety less the level at both ends, by sums in 3000 bits."""
    rewards = np.array([[3, 1, 0, 2, -1], [0, 4, -2, 1, 1]]) * scale
    safety = np.array([[0, 1, 3, 2, 2], [1, 0, 2, 3, 1]])
    case = Problem.of(np.full((2, 5), Fraction(1, 5)), rewards, safety, temperature="1/1000")
    level = Fraction(23, 10)
    found = enclose_multiplier(case, level)

    def over(lam: flint.arb) -> flint.arb:
        total = -number(level)
        for r, g in zip(case.rewards, case.safety, strict=True):
            logs = [1000 * (number(a) + lam * number(b)) for a, b in zip(r, g, strict=True)]
            weights = [(one - logs[0]).exp() for one in logs]
            mean = sum(w * number(b) for w, b in zip(weights, g, strict=True)) / sum(weights)
            total += mean / 2
        return total

    with flint.ctx.workprec(3000):
        assert over(found.lower()) <= 0 <= over(found.upper())
        assert over(found.mid() * number(Fraction(9, 10))) < 0
