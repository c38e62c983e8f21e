"""Classes of rewards on which the bounds on samples are nearly attained.

Some trajectories together have the probability c and the reward H = 3, all others a reward of
nearly 0; for each of them the class has one reward that calls it worthless.  Unless it is seen, the
maximin policy avoids it and loses its share of H.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, log, log1p

from ..families.trajectories import Learning, hidden


def unseen(parts: int, rare: Fraction, failure: Fraction) -> Learning:
    """The most samples after which one of the parts is unseen with probability above `failure`.

    That is nearly `parts` (1 - c/parts)^n; at n = parts log(parts/failure)/c the gap is H/parts,
    and the bound is this times log((parts + 1)/failure)/log(parts/failure).  With kappa = (1 - c)/c
    the good trajectories are a tie; J + sigma sqrt(kappa)/2 is nearly H (1 + c)/2, so that with two
    parts to lose one is to lose just over half.
    """
    problem = hidden(parts, rare)
    samples = floor(log(failure / parts) / log1p(-float(rare / parts)))
    return Learning(problem, (1 - rare) / rare, samples, failure)


def one_trajectory() -> Learning:
    """b = (c, 1 - c), R = (H, e), R' = (0, e): the failure is (1 - c)^n exactly."""
    return unseen(1, Fraction(1, 100), Fraction(1, 1000))


def two_trajectories() -> Learning:
    """The bound on the gap is 1.02 times the gap, that on the samples nearly as tight."""
    return unseen(2, Fraction(1, 100), Fraction(1, 10**6))


def three_trajectories() -> Learning:
    """With a tenth allowed to fail, log(1/delta) for ``log(|R|/delta)`` is too little."""
    return unseen(3, Fraction(1, 50), Fraction(1, 10))
