"""Token processes on which the bounds on the requirement are attained, or nearly."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.relative_budget.enclosures import Density
from holdfast.solvers.relative_budget.moments import exact_moments
from holdfast.solvers.relative_budget.processes import Empirical, NegativeBinomial

from ..families.gamma import Budget
from ..families.processes import Budgeted, Dense


def coin() -> Budgeted:
    """Solved by the first token or just too late, half each: R is H or 0, sigma = H/2 = std T.

    With kappa = 1 the good half is a tie, c = 1/2 = 1/(1 + kappa), and n/L = 2 H/(c H/2) = 8.
    """
    return Budgeted(Empirical((1, 11), (1, 1)), 10, Fraction(1))


def early() -> Budgeted:
    """T is 1 or 2 with probability 1/5 and 4/5: sigma = std T, and c = 1/5 = 1/(1 + kappa)."""
    return Budgeted(Empirical((1, 2), (1, 4)), 50, Fraction(4))


def seldom() -> Budgeted:
    """R is H with probability 1/5, else 0, and kappa = 4: c = 1/5, sigma = 2H/5, (n/L)^2 = 625/4.

    At least 16 (1 + kappa)^2/kappa = 100 is said; 400 without the division is too much.
    """
    return Budgeted(Empirical((1, 11), (1, 4)), 10, Fraction(4))


def late() -> Budgeted:
    """T is 1 or 31 with probability 9/10 and 1/10: mean 4, sigma = std T = 9, c = 1/(1 + kappa)."""
    return Budgeted(Empirical((1, 31), (9, 1)), 40, Fraction(1, 9))


def at_once() -> Budgeted:
    """R is H with probability 1/10000, else 0: c = q, sigma^2 = H^2 q (1 - q)."""
    return Budgeted(Empirical((1, 1000), (1, 9999)), 10, Fraction(4))


def halfway() -> Budgeted:
    """R is H/2 with probability q, else 0: c_f = 1, c = q, sigma^2 = H^2 q (1 - q)/4."""
    return Budgeted(Empirical((6, 1000), (1, 99)), 10, Fraction(1, 4))


def four_steps() -> Budgeted:
    """Four steps of success 1/200 within 12 tokens: half the reward is far less likely than any."""
    return Budgeted(NegativeBinomial(4, Fraction(1, 200)), 12, Fraction(1))


def four_steps_small() -> Budgeted:
    """The same with kappa at most s^2: Var T given T <= H is not small, though sigma is."""
    case = four_steps()
    found = exact_moments(case.process, case.horizon)
    return Budgeted(case.process, case.horizon, found.variance / case.horizon**2)


def rare_and_large() -> Budgeted:
    """R is H with probability 1/1000, kappa = s^2/100: c = q, s^2 = q (1 - q)."""
    q = Fraction(1, 1000)
    return Budgeted(Empirical((1, 1000), (1, 999)), 10, q * (1 - q) / 100)


def all_solved() -> Budgeted:
    """T is 1, 2 or 3: Var[T | T <= H] is Var T and the variance of R."""
    return Budgeted(Empirical((1, 2, 3), (1, 1, 1)), 3, Fraction(1, 100))


def log_normal() -> Dense:
    """At a millionth of the median what is solved in time is solved late, with rewards far below H:
    no constant would do in the place of c_f."""
    return Dense(
        Density("log-normal", Fraction(0), Fraction(1, 5)), Fraction(1, 10**6), Fraction(1)
    )


def tiny_shape() -> Budget:
    """Shape 1/1000 at a budget of 2^-1000: R is nearly H with probability 1/2, and 0 else."""
    return Budget(Fraction(1, 1000), Fraction(1, 2**1000))


def tiny_budget() -> Budget:
    """Shape 1 at a budget of 2^-60: both sides of the deficient law differ by less than 10^-8."""
    return Budget(Fraction(1), Fraction(1, 2**60), Fraction(4))
