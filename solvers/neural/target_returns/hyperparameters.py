"""Lengths, variance and noise of a Gaussian process by maximum likelihood, with gpytorch.

A fit looks at what was already evaluated.  The promise of safe tuning is for a kernel that is known
beforehand, so fit on evaluations of another policy, or on targets that are known to be safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import gpytorch
import numpy as np
import torch

from ...errors import ModelError
from ...sequences import Array
from ...target_returns.gaussian.kernels import FAMILIES, Kernel

_SMOOTHNESS = {"matern12": 0.5, "matern32": 1.5, "matern52": 2.5}
_LEAST_NOISE = 1e-6
"""Share of the values' variance that noise is at least: with less of it, and equal targets, there
is no likelihood to climb."""


@dataclass(frozen=True)
class Fit:
    """kernel; noise: the standard deviation of one evaluation; log_likelihood: of the values."""

    kernel: Kernel
    noise: float
    log_likelihood: float


class _Process(gpytorch.models.ExactGP):
    def __init__(self, points: torch.Tensor, values: torch.Tensor, likelihood: object, family: str):
        super().__init__(points, values, likelihood)
        size = points.shape[1]
        base = (
            gpytorch.kernels.RBFKernel(ard_num_dims=size)
            if family == "rbf"
            else gpytorch.kernels.MaternKernel(_SMOOTHNESS[family], ard_num_dims=size)
        )
        self.mean_module = gpytorch.means.ZeroMean()
        self.covar_module = gpytorch.kernels.ScaleKernel(base)

    def forward(self, points: torch.Tensor) -> gpytorch.distributions.MultivariateNormal:
        return gpytorch.distributions.MultivariateNormal(
            self.mean_module(points), self.covar_module(points)
        )


def fit(points: Array, values: Array, *, prior_mean: float, family: str = "rbf") -> Fit:
    """The kernel and noise under which the values are likeliest, from one start, by L-BFGS.

    points: float64[n, D], targets; values: float64[n], one average return or cost each.  Raises
    ModelError for an unknown family, fewer than two values, values that are all the same or not
    finite, and a coordinate that is the same at all targets.
    """
    points, values = np.asarray(points, dtype=float), np.asarray(values, dtype=float)
    _check(points, values, family)
    scale, spread = points.std(axis=0), float(values.std())
    with _doubles():
        x = torch.from_numpy(points / scale)
        y = torch.from_numpy((values - prior_mean) / spread)
        floor = gpytorch.constraints.GreaterThan(_LEAST_NOISE)
        likelihood = gpytorch.likelihoods.GaussianLikelihood(noise_constraint=floor)
        process = _Process(x, y, likelihood, family)
        found = _climb(process, likelihood, x, y)
        kernel, noise = process.covar_module, likelihood.noise.item()
        lengths = kernel.base_kernel.lengthscale.detach().numpy().ravel() * scale
        variance = kernel.outputscale.item() * spread**2
    # the density of n values in units of their spread is that of the values times spread^n
    likely = found - len(values) * float(np.log(spread))
    return Fit(Kernel(family, variance, tuple(map(float, lengths))), noise**0.5 * spread, likely)


def _climb(process: _Process, likelihood: object, x: torch.Tensor, y: torch.Tensor) -> float:
    """The greatest logarithm of the likelihood of y that is found."""
    process.train()
    objective = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, process)
    optimizer = torch.optim.LBFGS(
        process.parameters(), lr=0.5, max_iter=200, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        worth: torch.Tensor = -objective(process(x), y)
        worth.backward()  # type: ignore[no-untyped-call]
        return worth

    optimizer.step(loss)
    with torch.no_grad():
        return float(objective(process(x), y)) * len(y)


@contextmanager
def _doubles() -> Iterator[None]:
    """gpytorch keeps hyper-parameters in the default type, and inverts exactly when told to."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with gpytorch.settings.fast_computations(False, False, False):
            yield
    finally:
        torch.set_default_dtype(before)


def _check(points: Array, values: Array, family: str) -> None:
    if family not in FAMILIES:
        raise ModelError(f"the kernel family {family!r} is unknown; choose {', '.join(FAMILIES)}")
    if points.ndim != 2 or values.shape != points.shape[:1] or len(values) < 2:
        raise ModelError(
            f"points are of shape {points.shape} and values of {values.shape}; give n targets "
            "(n, D) and as many values (n), at least 2"
        )
    if not (np.isfinite(points).all() and np.isfinite(values).all()):
        raise ModelError("a target or a value is not finite; leave that evaluation out")
    if not points.std(axis=0).all() or not values.std():
        raise ModelError(
            "the values are all the same, or the targets are along a coordinate, so that there is "
            "no length to fit; evaluate targets that differ in each coordinate"
        )
