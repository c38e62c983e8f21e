"""What it means that features were left out: a bound on how far the learnt reward can move.

Theorem (the price of what was dropped).  For labels theta and theta_A let g = Phi D (theta -
theta_A), D = diag of the weights, and let r(theta) minimise the loss with a ridge,

    F(r; theta) = sum_i rho_i [softplus(r.phi_i) - theta_i r.phi_i] + lambda/2 norm(r)_2^2.

Then norm(r(theta) - r(theta_A))_2 <= norm(g)_2 / lambda, and a score r.phi_i moves by at most
norm(phi_i)_2 times that.  If the features are used only in part, Phi = (U; C U + E) up to the order
of the rows and U D (theta - theta_A) = 0, then g = (0; E D (theta - theta_A)): what is dropped
costs at most norm(E)_2 norm(D (theta - theta_A))_2 / lambda, whatever C is.

Proof.  The gradients of F(.; theta) and F(.; theta_A) differ by the constant g, and each is
lambda-strongly monotone.  With r and s the minimisers for theta and theta_A,

    lambda norm(r - s)^2 <= (grad F(r; theta) - grad F(s; theta)).(r - s) = g.(r - s)
                         <= norm(g) norm(r - s).

``moment_gap`` bounds norm(g) for the very labels that are returned, so that their own rounding is
in it and neither C nor E is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...sequences import Array
from .arrays import FlipArrays
from .proved_bounds import moments_above


@dataclass(frozen=True, slots=True)
class Dropped:
    """Features that were left out as combinations of the others up to a tolerance.

    Attributes:
        features: their numbers, from 0; tolerance: relative to the size of each.
        gap: an upper bound on norm(Phi D (theta - target))_2 for the labels returned, over all
            features in the units given.
    """

    features: tuple[int, ...]
    tolerance: float
    gap: float

    def price(self, ridge: float) -> float | None:
        """An upper bound on the distance of the rewards (2-norm) learnt with this ridge.

        None where there is no such bound: without a ridge (0), or where doubles overflow.
        """
        bound = math.nextafter(self.gap / ridge, math.inf) if ridge > 0 else math.inf
        return bound if math.isfinite(bound) else None


def moment_gap(data: FlipArrays, labels: Array) -> float:
    """An upper bound on norm(Phi D (labels - target))_2; infinite where doubles overflow."""
    above = moments_above(data, labels)
    with np.errstate(over="ignore", under="ignore"):
        sizes = np.ldexp(above, data.exponents + data.units) + 2.0**-1070  # what underflow may hide
    return math.nextafter(math.hypot(*sizes.tolist()) * (1 + 1e-12), math.inf)
