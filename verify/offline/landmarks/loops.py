"""Loops of a plant and a controller that are worked out by hand."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.offline.multipliers.stability import Loop

from ...binding.family import Family

continuous = {
    "spring": lambda: (Loop(0, 1, Fraction(1, 5), 1),),
    "brake": lambda: (Loop(1, -2, 1, Fraction(1, 4), Fraction(1, 4)),),
}
"""Lambdas, so that nothing is made before it is wanted."""
discrete = {
    # det 1 - (K_P)/10 and margin 4 - K_P/5 - 1/20: -1 at K_P = 19.75
    "below": lambda: (Loop(0, 1, Fraction(197, 10), Fraction(1, 2), 0, Fraction(1, 10)),),
    "above": lambda: (Loop(0, 1, Fraction(198, 10), Fraction(1, 2), 0, Fraction(1, 10)),),
    "curved": lambda: (Loop(Fraction(193, 10), 1, Fraction(1, 4), 1, 0, Fraction(1, 10)),),
    "flat": lambda: (Loop(Fraction(192, 10), 1, Fraction(1, 4), 1, 0, Fraction(1, 10)),),
    "weak": lambda: (Loop(0, 1, Fraction(1, 100), Fraction(1, 2), 0, Fraction(1, 10)),),
    "steep": lambda: (Loop(0, 1, 1, 37, 0, Fraction(1, 10)),),
}
with_derivative = {
    # 4 - 2/10 (a + K_P) - 1/10 - 4/10 K_D = 0 at a = K_P = 1 and K_D = 35/4
    "calm": lambda: (Loop(1, 1, 1, 1, Fraction(87, 10), Fraction(1, 10)),),
    "nervous": lambda: (Loop(1, 1, 1, 1, Fraction(88, 10), Fraction(1, 10)),),
}
at_edge = Family(
    "a loop at the edge",  # 4 - 2 K_P/10 - K_I/10 = 0 without curvature: the eigenvalue -1
    lambda draw: Loop(0, 1, 20 - Fraction(draw.integer(1, 4), 2),
                      2 * Fraction(draw.integer(1, 4), 2), 0, Fraction(1, 10)),
)  # fmt: skip
incremental = {
    # a K_P = K_I + 1/100, and - 1/100
    "just": lambda: (Loop(1, 1, Fraction(101, 100), 1, form="incremental"),),
    "not": lambda: (Loop(1, 1, Fraction(99, 100), 1, form="incremental"),),
    "double": lambda: (Loop(1, 1, Fraction(199, 100), 2, form="incremental"),),
    # K_D K_P = K_I + 1/100, and - 1/100, without curvature
    "derived": lambda: (Loop(0, 1, Fraction(101, 100), 1, 1, form="incremental"),),
    "underived": lambda: (Loop(0, 1, Fraction(99, 100), 1, 1, form="incremental"),),
}
smoothed = {
    # (z - 1/2)(z^2 - z/2 + 1/4): all three eigenvalues have modulus 1/2
    "even": lambda: (
        Loop(Fraction(1, 8), Fraction(1, 2), Fraction(1, 3), Fraction(1, 2), 0, 4,
             form="omnisafe"),
        Fraction(1, 4),
    ),
    "heavy": lambda: (
        Loop(0, 1, 2, Fraction(1, 2), 0, Fraction(1, 10), form="omnisafe"), Fraction(99, 100),
    ),
}  # fmt: skip


def _ends() -> tuple[object, ...]:
    """A state that hardly falls, at the first end: x = 0, and the integral acts by K_I eta only."""
    one = [[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]]
    slow = [[Fraction(99, 100), Fraction(0)], [Fraction(0), Fraction(99, 100)]]
    fast = [[Fraction(0), Fraction(0)], [Fraction(0), Fraction(0)]]
    return one, slow, fast, slow, (Fraction(1), Fraction(0)), Fraction(1)


switching = {"slow": lambda: (_ends(),)}
