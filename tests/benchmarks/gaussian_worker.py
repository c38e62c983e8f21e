"""One measurement of a Gaussian-process library in a process of its own; holdfast is one of them.

Called with an order in JSON: ``do`` names a function below.  holdfast runs 200 steps of safe
optimisation and keeps what it observed; the others get these observations, and their time is that
of taking in the last one and predicting mean and variance on all targets, as a step needs it.
The hyper-parameters are given, not fitted.
"""

from __future__ import annotations

import faulthandler
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[2]))  # for the zoo
from tests.zoo.memory import peak_memory

LENGTH, NOISE, ALPHA, LIMIT, ROUNDS = 0.3, 0.01, 3.0, 1.0, 5


def grid(size: int) -> np.ndarray:
    return np.random.default_rng(0).random((size, 2))


def truth(points: np.ndarray) -> np.ndarray:
    """A smooth cost, below LIMIT on more than half of the square."""
    return np.sin(5 * points[:, 0]) * np.cos(4 * points[:, 1]) + points.sum(axis=1) / 2


def holdfast(order: dict[str, Any]) -> dict[str, Any]:
    """``before`` random observations, then ``steps`` at the widest target that is certified."""
    from holdfast.solvers.target_returns.gaussian.kernels import Kernel
    from holdfast.solvers.target_returns.gaussian.posterior import Posterior

    points = grid(order["targets"])
    cost, rng = truth(points), np.random.default_rng(1)
    posterior = Posterior(Kernel("rbf", 1.0, (LENGTH, LENGTH)), points, NOISE)
    for index in rng.integers(len(points), size=order["before"]).tolist():
        posterior.append(index, cost[index] + 0.1 * rng.normal())
    seconds, floors = [], []
    for _ in range(order["steps"]):
        start = time.perf_counter()
        lower, upper = posterior.bounds(ALPHA)
        index = int(np.where(upper <= LIMIT, upper - lower, 0).argmax())
        value = cost[index] + 0.1 * rng.normal()
        posterior.append(index, value)
        seconds.append(time.perf_counter() - start)
        floors.append(_floor(posterior._solved[: len(posterior.observations[0])]))
    indices, values = posterior.observations
    np.savez(
        order["keep"], indices=indices, values=values,
        mean=posterior.mean, variance=posterior.variance,
    )  # fmt: skip
    return {
        "seconds": float(np.median(seconds[-50:])), "best": min(seconds[-50:]),
        "total": sum(seconds), "floor": min(floors[-50:]), "rows": len(indices),
        "unsafe": int((cost[list(indices[order["before"] :])] > LIMIT).sum()),
    }  # fmt: skip


def _floor(rows: np.ndarray) -> float:
    """Seconds to read all that is kept, once, by a loop that does nothing but add it up."""
    if not hasattr(_floor, "loop"):
        import numba

        @numba.njit
        def loop(rows: np.ndarray, sums: np.ndarray) -> None:
            for first in range(0, rows.shape[1], 1024):
                part = sums[first : first + 1024]
                for k in range(0, rows.shape[0] - 3, 4):
                    a, b = rows[k, first : first + 1024], rows[k + 1, first : first + 1024]
                    c, d = rows[k + 2, first : first + 1024], rows[k + 3, first : first + 1024]
                    for x in range(part.shape[0]):
                        part[x] += a[x] + b[x] + c[x] + d[x]

        _floor.loop = loop  # type: ignore[attr-defined]
        loop(rows, np.zeros(rows.shape[1]))
    sums = np.zeros(rows.shape[1])
    start = time.perf_counter()
    _floor.loop(rows, sums)  # type: ignore[attr-defined]
    return time.perf_counter() - start


Observed = tuple[np.ndarray, np.ndarray, np.ndarray]


def _observed(order: dict[str, Any]) -> Observed:
    with np.load(order["keep"]) as data:
        points = grid(order["targets"])
        return points, points[data["indices"]], data["values"]


def _answered(
    order: dict[str, Any], predict: Callable[[], tuple[np.ndarray, np.ndarray]]
) -> dict[str, Any]:
    """The least time of some rounds, and how far the posterior is from the one that was kept."""
    best, spent = float("inf"), 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        mean, variance = predict()
        best = min(best, time.perf_counter() - start)
        spent += time.perf_counter() - start
        if spent > order["limit"] / 2:
            break
    with np.load(order["keep"]) as data:
        apart = max(np.abs(mean - data["mean"]).max(), np.abs(variance - data["variance"]).max())
    return {"seconds": best, "apart": float(apart)}


def gpytorch(order: dict[str, Any]) -> dict[str, Any]:
    """ExactGP in float64 with Cholesky factors, fitted anew to the data of the step."""
    import gpytorch
    import torch

    torch.set_default_dtype(torch.float64)
    points, inputs, values = (torch.from_numpy(one) for one in _observed(order))

    class Model(gpytorch.models.ExactGP):
        def __init__(self, likelihood: Any) -> None:
            super().__init__(inputs, values, likelihood)
            self.mean_module = gpytorch.means.ZeroMean()
            self.covar_module = gpytorch.kernels.RBFKernel()

        def forward(self, x: Any) -> Any:
            return gpytorch.distributions.MultivariateNormal(
                self.mean_module(x), self.covar_module(x)
            )

    def predict() -> tuple[np.ndarray, np.ndarray]:
        likelihood = gpytorch.likelihoods.GaussianLikelihood()
        likelihood.noise = NOISE
        model = Model(likelihood)
        model.covar_module.lengthscale = LENGTH
        model.eval()
        with torch.no_grad(), gpytorch.settings.fast_computations(False, False, False):
            found = model(points)
            return found.mean.numpy(), found.variance.numpy()

    return _answered(order, predict)


def botorch(order: dict[str, Any]) -> dict[str, Any]:
    """SingleTaskGP with the given noise and kernel, without its standardisation and priors."""
    import gpytorch
    import torch
    from botorch.models import SingleTaskGP

    torch.set_default_dtype(torch.float64)
    points, inputs, values = (torch.from_numpy(one) for one in _observed(order))

    def predict() -> tuple[np.ndarray, np.ndarray]:
        kernel = gpytorch.kernels.RBFKernel()
        kernel.lengthscale = LENGTH
        model = SingleTaskGP(
            inputs, values[:, None], torch.full_like(values[:, None], NOISE),
            covar_module=kernel, mean_module=gpytorch.means.ZeroMean(), outcome_transform=None,
        ).eval()  # fmt: skip
        with torch.no_grad(), gpytorch.settings.fast_computations(False, False, False):
            found = model.posterior(points)
            return found.mean.numpy()[:, 0], found.variance.numpy()[:, 0]

    return _answered(order, predict)


def safeopt(order: dict[str, Any]) -> dict[str, Any]:
    """SafeOpt's own step: take in a point, update the intervals, find sets and the next point.

    Two names that Python and numpy no longer have are given back to it.  The posterior is that of
    its GPy model, which adds 1e-8 to the noise; so much less is given to it, for the same problem.
    """
    import collections
    import collections.abc

    collections.Sequence = collections.abc.Sequence  # type: ignore[attr-defined]
    np.float = float  # type: ignore[attr-defined]
    import GPy
    from safeopt import SafeOpt

    points, inputs, values = _observed(order)
    kernel = GPy.kern.RBF(2, 1.0, LENGTH)
    model = GPy.models.GPRegression(inputs[:-1], -values[:-1, None], kernel, noise_var=NOISE - 1e-8)
    optimiser = SafeOpt(model, points, -LIMIT, beta=ALPHA, threshold=0.2)

    def predict() -> tuple[np.ndarray, np.ndarray]:
        optimiser.remove_last_data_point()
        optimiser.add_new_data_point(inputs[-1:], -values[-1:, None])
        optimiser.optimize()
        low, high = optimiser.Q.T
        return -(low + high) / 2, ((high - low) / (2 * ALPHA)) ** 2

    optimiser.add_new_data_point(inputs[-1:], -values[-1:, None])
    return _answered(order, predict)


def main() -> None:
    order = json.loads(sys.argv[1])
    faulthandler.dump_traceback_later(order["limit"], exit=True)
    if order["do"] in ("gpytorch", "botorch"):
        import torch

        torch.set_num_threads(1)
    answer = globals()[order["do"]](order)
    answer["memory"] = peak_memory()
    print(json.dumps(answer))


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).resolve().parent))
    main()
