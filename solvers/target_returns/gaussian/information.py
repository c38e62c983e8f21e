r"""How much observations can say: :math:`I=\frac12\log\det(I+\nu^{-2}K)` in nats, and its maximum.

:math:`\gamma_N` is the largest information of N observations, repetitions allowed; ``trace_bound``
and ``water_filling`` are above it, the information of ``greedy`` is at least 1 - 1/e of it.
"""

from __future__ import annotations

from math import fsum, log, log1p

import numpy as np

from ...errors import ModelError
from .checks import Floats, count, doubles, positive
from .kernels import AnyKernel
from .posterior import Posterior


def information(matrix: Floats, noise_variance: float) -> float:
    """(1/2) log det(I + K / noise variance) of observed values with the kernel matrix K (t, t)."""
    matrix = doubles(matrix, "the kernel matrix")
    noise = positive(noise_variance, "the noise variance")
    try:
        factor = np.linalg.cholesky(np.eye(len(matrix)) + matrix / noise)
    except np.linalg.LinAlgError as error:
        raise ModelError(
            "the kernel matrix plus noise is not positive definite; check its entries"
        ) from error
    return float(np.log(factor.diagonal()).sum())


def greedy(
    kernel: AnyKernel, points: Floats, noise_variance: float, observations: int
) -> tuple[tuple[int, ...], float]:
    """The targets of largest posterior variance, one after the other, and their information."""
    posterior = Posterior(kernel, points, noise_variance)
    for _ in range(count(observations, "the number of observations", 0)):
        posterior.append(int(posterior.variance.argmax()), 0.0)
    return posterior.observations[0], posterior.information


def water_filling(spectrum: Floats, noise_variance: float, observations: int) -> float:
    r"""The maximum of half the sum of log(1 + m_t lambda_t / nu^2) over m >= 0 of sum N.

    At the optimum m_t is the part of a common level above nu^2 / lambda_t.
    """
    noise = positive(noise_variance, "the noise variance")
    n = count(observations, "the number of observations", 0)
    eigenvalues = sorted(one for one in doubles(spectrum, "the spectrum").tolist() if one > 0)
    depths = [noise / one for one in reversed(eigenvalues)]
    for wet in range(len(depths), 0, -1):
        level = (n + fsum(depths[:wet])) / wet
        if level >= depths[wet - 1]:
            return fsum(log(level / depth) for depth in depths[:wet]) / 2
    return 0.0


def trace_bound(targets: int, largest: float, noise_variance: float, observations: int) -> float:
    """(n / 2) log(1 + N k_max / (nu^2 n)) for n targets and N observations."""
    n = count(targets, "the number of targets")
    share = count(observations, "the number of observations", 0) / n
    largest = positive(largest, "the largest variance")
    return n / 2 * log1p(share * largest / positive(noise_variance, "the noise variance"))


def variance_constant(largest: float, noise_variance: float) -> float:
    """C with sum of sigma^2_{t-1}(x_t) <= C I, which is 2 k_max / log(1 + k_max / nu^2)."""
    largest = positive(largest, "the largest variance")
    return 2 * largest / log(1 + largest / positive(noise_variance, "the noise variance"))
