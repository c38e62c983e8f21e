"""Draws of T a second, beside the uniform numbers that numpy draws in the same run.

A table of T up to the horizon makes a draw cost about one random number.  numpy's own inversion, a
logarithm each, is the peer.  No time is asserted.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from holdfast.solvers.cmdp.scale.compiled import at_most, threads
from holdfast.solvers.relative_budget import Gamma, Geometric, NegativeBinomial, simulate

DRAWS = 20_000_000
LAWS = {
    "geometric": (Geometric(Fraction(1, 500)), 1024),
    "negative binomial": (NegativeBinomial(4, Fraction(1, 100)), 1024),
    "gamma": (Gamma(2.0, 0.002), 8192),
}


def test_draws_of_token_processes(table, best) -> None:
    generator = np.random.default_rng(0)
    floor, _ = best(lambda: generator.random(DRAWS), 3)
    inverted, _ = best(lambda: generator.geometric(1 / 500, DRAWS), 3)
    case = "20,000,000 draws of T"
    table.add(case, "numpy: random()", floor, states=DRAWS, reference=True,
              note=f"{DRAWS / floor:.2g} a second, one core")  # fmt: skip
    table.add(case, "numpy: geometric()", inverted, states=DRAWS)
    for number in sorted({1, threads()}):
        with at_most(number):
            for name, (process, horizon) in LAWS.items():
                simulate(process, horizon, 10, 0)
                seconds, draws = best(lambda law=process, h=horizon: simulate(law, h, DRAWS, 0), 3)
                assert len(draws) == DRAWS
                table.add(case, f"holdfast: {name}, {number} threads", seconds, states=DRAWS,
                          note=f"{DRAWS / seconds:.2g} a second, {floor / seconds:.2f} of "
                          "random()")  # fmt: skip
