"""Statements on guarded planning: exact numbers by a second way, and what is said of the paper."""

from fractions import Fraction
from itertools import product
from math import prod

import pytest

from holdfast.solvers import policy_return
from holdfast.solvers.cmdp.tails import multinomial_l1_tail
from holdfast.theory import Standing
from holdfast.theory.offline import guarded_printed
from holdfast.verify.offline.claims import guarded, guarded_samples
from holdfast.verify.offline.claims.guarded_printed import comparator, step
from holdfast.verify.offline.families.samples import Sampled, crossing
from holdfast.verify.offline.landmarks import guarded as landmarks

THIRD = Fraction(1, 3)


def test_the_largest_deviation_of_one_and_of_two_samples() -> None:
    """N = 1: F_1 - F is largest at the sample, 1 - F, so that Pr(>= t) = 1 - t.  N = 2: the largest
    of 1/2 - X_(1) and 1 - X_(2); Pr(both < t) = Pr(X_(1) > 1/2 - t, X_(2) > 1 - t), for t <= 1/2
    t^2 + 2 t (1/2)."""
    assert guarded_samples.largest_deviation_tail(1, THIRD) == 1 - THIRD
    assert guarded_samples.largest_deviation_tail(2, THIRD) == 1 - (THIRD**2 + THIRD)
    assert guarded_samples.largest_deviation_tail(5, Fraction(0)) == 1


def test_crossings_are_those_of_all_sequences() -> None:
    law, radius, least, most = (Fraction(1, 6), Fraction(1, 3), Fraction(1, 2)), Fraction(1), 2, 4
    found = Fraction(0)
    for path in product(range(3), repeat=most):
        errors = (
            sum(abs(Fraction(path[:n].count(i), n) - p) for i, p in enumerate(law))
            for n in range(least, most + 1)
        )
        if any(error >= radius for error in errors):
            found += prod((law[i] for i in path), start=Fraction(1))
    assert crossing(law, least, most, lambda _, error: error >= radius) == found
    once = Sampled((law, law), 4, 4, radius)
    tail = multinomial_l1_tail(4, law, radius)
    assert once.failing_at_radius() == 1 - (1 - tail) ** 2


def test_the_probability_to_leave_is_that_of_the_walk() -> None:
    model, acting, guard, steps = landmarks.last_step(2)
    assert [guarded.left_within(model, acting, guard, h) for h in range(4)] == [0, 0, 0.5, 0.5]
    assert policy_return(model, acting, guarded.outside(guard)) == Fraction(81, 100) / 2
    assert steps == 2


def test_the_numbers_of_the_catalogue() -> None:
    """Pr(frequency > 1/5) of 10 draws with probability 1/10; 10 - 1 - 1/5 against 5/10."""
    (values,) = step.evaluate(*step.family.landmark("G16"))
    assert values[guarded_printed.beyond] == Fraction(87738533, 1250000000)
    (values,) = comparator.evaluate(*comparator.family.landmark("unsupported"))
    assert values[guarded_printed.gap] == Fraction(44, 5)


@pytest.mark.parametrize(
    ("theorem", "standing"),
    [
        (guarded_printed.comparator, Standing.REFUTED),
        (guarded_printed.printed_safe, Standing.REFUTED),
        (guarded_printed.step, Standing.FALSE_UNPRINTED),
        (guarded_printed.at_beta, Standing.FALSE_UNPRINTED),
    ],
)
def test_only_what_was_read_is_called_false_as_printed(theorem: object, standing: object) -> None:
    assert theorem.standing is standing
    assert "not legible" in theorem.refutation.fidelity


def test_theorem_1_is_not_refuted() -> None:
    assert "Theorem 1 is not refuted" in guarded_printed.step.remark
    assert "Not refuted" in guarded_printed.__doc__
