"""The posterior on a grid: against exact arithmetic, against gpytorch, and bad input."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.target_returns.gaussian.kernels import FAMILIES, GridKernel, Kernel
from holdfast.solvers.target_returns.gaussian.posterior import Posterior

ALPHA = 2.5


def arb(number: float) -> flint.arb:
    return flint.arb(flint.fmpq(*float(number).as_integer_ratio()))


def exact_entry(kernel: Kernel, a: np.ndarray, b: np.ndarray) -> flint.arb:
    """k(a, b) of the kernel itself, for the given floats."""
    pairs = zip(a, b, kernel.lengths, strict=True)
    squared = sum((((arb(x) - arb(y)) / arb(length)) ** 2 for x, y, length in pairs), flint.arb(0))
    r = squared.sqrt()
    match kernel.family:
        case "rbf":
            shape = (-squared / 2).exp()
        case "matern12":
            shape = (-r).exp()
        case "matern32":
            shape = (1 + flint.arb(3).sqrt() * r) * (-flint.arb(3).sqrt() * r).exp()
        case _:
            s = flint.arb(5).sqrt() * r
            shape = (1 + s + s**2 / 3) * (-s).exp()
    return arb(kernel.variance) * shape


def exact_posterior(posterior: Posterior) -> list[tuple[flint.arb, flint.arb]]:
    """Mean and variance at each target, in balls of 600 bits."""
    kernel, points = posterior.kernel, posterior.points
    indices, values = posterior.observations
    size = len(points)

    def entry(i: int, j: int) -> flint.arb:
        if isinstance(kernel, GridKernel):
            return arb(kernel.values[i, j])
        return exact_entry(kernel, points[i], points[j])

    added = arb(posterior.noise_variance)
    matrix = flint.arb_mat(
        [[entry(i, j) + added * (a == b) for b, j in enumerate(indices)]
         for a, i in enumerate(indices)]
    )  # fmt: skip
    mean = arb(posterior.prior_mean)
    residuals = flint.arb_mat([[arb(y) - mean] for y in values])
    found = []
    for z in range(size):
        row = flint.arb_mat([[entry(z, i) for i in indices]])
        weights = matrix.solve(row.transpose()).transpose()
        found.append((mean + (weights * residuals)[0, 0],
                      entry(z, z) - (weights * row.transpose())[0, 0]))  # fmt: skip
    return found


def observed(kernel, points, noise: float, observations: int, mean: float = 0.0) -> Posterior:
    """Observations of random targets, some of them several times."""
    generator = np.random.default_rng(observations)
    posterior = Posterior(kernel, points, noise, mean)
    for _ in range(observations):
        posterior.append(int(generator.integers(len(points))), float(generator.normal(mean, 3)))
    return posterior


LINE = np.linspace(0, 1, 12)[:, None]
PLANE = np.random.default_rng(0).random((15, 2))
CASES = {
    **{name: (Kernel(name, 1.0, (0.3, 0.7)), PLANE, 0.01, 12, 0.0) for name in FAMILIES},
    "smooth": (Kernel("rbf", 100.0, (3.0,)), LINE, 1e-3, 20, 7.0),
    "nearly singular": (Kernel("rbf", 1.0, (2.0,)), LINE, 1e-10, 20, -0.1),
    "rough": (Kernel("matern12", 0.1, (1e-3, 5.0)), PLANE, 1e-6, 18, 1e6),
    "matrix": (GridKernel(np.minimum(LINE, LINE.T) + 0.1), LINE, 1e-4, 20, 0.3),
}


@pytest.mark.parametrize("name", CASES)
def test_bounds_enclose_the_exact_posterior(name: str) -> None:
    posterior = observed(*CASES[name])
    lower, upper = posterior.bounds(ALPHA)
    low, high = posterior.variance_bounds
    flint.ctx.prec = 600
    try:
        for z, (mean, variance) in enumerate(exact_posterior(posterior)):
            width = arb(ALPHA) * variance.sqrt()
            assert arb(lower[z]) <= mean - width and mean + width <= arb(upper[z])
            assert arb(low[z]) <= variance <= arb(high[z])
            assert low[z] > 0 or isinstance(posterior.kernel, GridKernel)
    finally:
        flint.ctx.prec = 53


def test_the_bounds_are_needed() -> None:
    """The control: what is computed in floats alone is on the wrong side at several targets."""
    posterior = observed(*CASES["smooth"])
    naive = posterior.mean - ALPHA * np.sqrt(posterior.variance)
    flint.ctx.prec = 600
    try:
        wrong = sum(
            not arb(naive[z]) <= mean - arb(ALPHA) * variance.sqrt()
            for z, (mean, variance) in enumerate(exact_posterior(posterior))
        )
    finally:
        flint.ctx.prec = 53
    assert wrong > 0


def test_the_bounds_are_not_wide() -> None:
    """With noise of a tenth and 200 observations bounds are off by less than a billionth."""
    posterior = observed(Kernel("rbf", 1.0, (0.3, 0.3)), PLANE, 0.01, 200)
    lower, upper = posterior.bounds(ALPHA)
    width = upper - lower - 2 * ALPHA * np.sqrt(posterior.variance)
    low, high = posterior.variance_bounds
    assert width.min() > 0 and width.max() < 1e-5 and (high - low).max() < 1e-8


def test_rational_posterior_by_hand() -> None:
    """One observation y = 3 of a target of variance 1 with noise 1/2: mean 3/(1 + 1/2) = 2 there,
    half of it, 1, at a target of covariance 1/2; variances 1 - 2/3 = 1/3 and 1 - 1/4 2/3 = 5/6."""
    posterior = Posterior(GridKernel([[1.0, 0.5], [0.5, 1.0]]), LINE[:2], 0.5)
    posterior.append(0, 3.0)
    assert posterior.mean == pytest.approx([2, 1], abs=1e-15)
    assert posterior.variance == pytest.approx([1 / 3, 5 / 6], abs=1e-15)
    assert posterior.information == pytest.approx(np.log(3) / 2, abs=1e-15)
    low, high = posterior.variance_bounds
    for z, exact in enumerate((Fraction(1, 3), Fraction(5, 6))):
        assert Fraction(low[z]) <= exact <= Fraction(high[z])


def test_covariances_are_those_of_the_whole_matrix() -> None:
    posterior = observed(Kernel("matern52", 2.0, (0.4, 0.4)), PLANE, 0.1, 9)
    gram = posterior.kernel.matrix(PLANE, PLANE)
    at = np.array(posterior.observations[0])
    inner = gram[np.ix_(at, at)] + 0.1 * np.eye(len(at))
    whole = gram - gram[:, at] @ np.linalg.solve(inner, gram[at])
    some, others = np.array([3, 1]), np.array([0, 3, 7])
    assert np.abs(posterior.covariance(some, others) - whole[np.ix_(some, others)]).max() < 1e-12
    assert np.abs(np.diag(whole) - posterior.variance).max() < 1e-12


def test_a_kernel_of_zeros_knows_its_process() -> None:
    posterior = Posterior(GridKernel(np.zeros((2, 2))), LINE[:2], 0.1, 3.0)
    posterior.append(0, 5.0)
    assert np.array_equal(posterior.mean, [3, 3]) and not posterior.variance.any()


def test_before_any_observation() -> None:
    posterior = Posterior(Kernel("rbf", 4.0, (1.0,)), LINE, 0.1, 1.0)
    lower, upper = posterior.bounds(3.0)
    assert (lower <= -5).all() and (upper >= 7).all() and np.ptp(upper) == 0
    assert upper[0] - 7 < 1e-12
    assert posterior.observations == ((), ()) and posterior.information == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_gpytorch_agrees(family: str) -> None:
    import gpytorch
    import torch

    lengths, variance, noise, mean = (0.3, 0.7), 2.5, 0.04, -1.0
    posterior = observed(Kernel(family, variance, lengths), PLANE, noise, 25, mean)
    indices, values = posterior.observations
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # else its hyper-parameters pass through float32
    try:
        shape = (
            gpytorch.kernels.RBFKernel(ard_num_dims=2)
            if family == "rbf"
            else gpytorch.kernels.MaternKernel(nu=int(family[-2:-1]) / 2, ard_num_dims=2)
        )
        kernel = gpytorch.kernels.ScaleKernel(shape)
        kernel.outputscale, shape.lengthscale = variance, torch.tensor([lengths])
        grid = torch.from_numpy(PLANE)
        with torch.no_grad():
            gram = kernel(grid).to_dense().numpy()
    finally:
        torch.set_default_dtype(before)
    at = np.array(indices)
    inner = gram[np.ix_(at, at)] + noise * np.eye(len(at))
    weights = np.linalg.solve(inner, gram[at])
    assert np.abs(posterior.kernel.matrix(PLANE, PLANE) - gram).max() < 1e-14
    assert np.abs(posterior.mean - (mean + weights.T @ (np.array(values) - mean))).max() < 1e-10
    assert np.abs(posterior.variance - (variance - (weights * gram[at]).sum(0))).max() < 1e-10


def test_exact_gp_of_gpytorch_agrees() -> None:
    """Its own prediction, not only its kernel."""
    import gpytorch
    import torch

    posterior = observed(Kernel("rbf", 1.0, (0.4, 0.4)), PLANE, 0.01, 30)
    indices, values = posterior.observations
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:

        class Model(gpytorch.models.ExactGP):
            def __init__(self, inputs, outputs, likelihood) -> None:
                super().__init__(inputs, outputs, likelihood)
                self.mean_module = gpytorch.means.ZeroMean()
                self.covar_module = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())

            def forward(self, x):
                return gpytorch.distributions.MultivariateNormal(
                    self.mean_module(x), self.covar_module(x)
                )

        likelihood = gpytorch.likelihoods.GaussianLikelihood()
        inputs = torch.from_numpy(PLANE[list(indices)])
        model = Model(inputs, torch.tensor(values), likelihood)
        likelihood.noise, model.covar_module.outputscale = 0.01, 1.0
        model.covar_module.base_kernel.lengthscale = 0.4
        model.eval()
        with torch.no_grad(), gpytorch.settings.fast_computations(False, False, False):
            found = model(torch.from_numpy(PLANE))
            mean, variance = found.mean.numpy(), found.variance.numpy()
    finally:
        torch.set_default_dtype(before)
    assert np.abs(posterior.mean - mean).max() < 1e-10
    assert np.abs(posterior.variance - variance).max() < 1e-10


def test_replay_is_the_same_bit_for_bit() -> None:
    first = observed(Kernel("rbf", 1.0, (0.3, 0.3)), PLANE, 0.01, 70)
    second = Posterior(first.kernel, PLANE, 0.01)
    for index, value in zip(*first.observations, strict=True):
        second.append(index, value)
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.bounds(3.0), second.bounds(3.0))


def rejected(message: str, work) -> None:
    with pytest.raises(ModelError, match=message):
        work()


RBF = Kernel("rbf", 1.0, (1.0,))


def test_bad_grids() -> None:
    rejected("row 2 of the grid repeats row 0", lambda: Posterior(RBF, [[0.0], [1.0], [0.0]], 1.0))
    rejected(r"the grid\[1, 0\] is nan", lambda: Posterior(RBF, [[0.0], [np.nan]], 1.0))
    rejected("float32, too coarse", lambda: Posterior(RBF, LINE.astype(np.float32), 1.0))
    rejected(r"shape \(0,\); give one row a target", lambda: Posterior(RBF, [], 1.0))
    rejected(r"shape \(12,\); give one row a target", lambda: Posterior(RBF, LINE[:, 0], 1.0))
    rejected("is ragged", lambda: Posterior(RBF, [[0.0], [1.0, 2.0]], 1.0))
    rejected("give real numbers", lambda: Posterior(RBF, [["a"]], 1.0))
    rejected("1 lengths; give one length for each column", lambda: Posterior(RBF, PLANE, 1.0))


def test_bad_numbers() -> None:
    rejected("the noise variance is 0", lambda: Posterior(RBF, LINE, 0))
    rejected("the noise variance is nan", lambda: Posterior(RBF, LINE, np.nan))
    rejected("the prior mean is inf", lambda: Posterior(RBF, LINE, 1.0, np.inf))
    posterior = Posterior(RBF, LINE, 1.0)
    rejected("the observation is nan", lambda: posterior.append(0, np.nan))
    rejected("target 12 is not on the grid", lambda: posterior.append(12, 0.0))
    rejected("the index of a target is -1", lambda: posterior.append(-1, 0.0))
    rejected("must be a whole number", lambda: posterior.append(0.5, 0.0))
    rejected("not negative", lambda: posterior.bounds(-1.0))
    assert posterior.observations == ((), ())


def test_bad_kernels() -> None:
    rejected("'rfb' is unknown; choose one of rbf", lambda: Kernel("rfb", 1.0, (1.0,)))
    rejected("the kernel's variance is 0", lambda: Kernel("rbf", 0, (1.0,)))
    rejected(r"lengths\[1\] is -1", lambda: Kernel("rbf", 1.0, (1.0, -1.0)))
    rejected("lengths is no sequence", lambda: Kernel("rbf", 1.0, 0.5))
    rejected(r"\['rbf'\] is unknown", lambda: Kernel(["rbf"], 1.0, (1.0,)))
    assert not GridKernel(np.eye(2)).values.flags.writeable
    rejected("has no length", lambda: Kernel("rbf", 1.0, ()))
    rejected("least eigenvalue is -1", lambda: GridKernel([[1.0, 2.0], [2.0, 1.0]]))
    rejected(r"not symmetric: entry \[0, 1\] is 0.5", lambda: GridKernel([[1.0, 0.5], [0.4, 1.0]]))
    rejected("give a square one", lambda: GridKernel([[1.0, 2.0]]))
    rejected("2 rows for 12 targets", lambda: Posterior(GridKernel(np.eye(2)), LINE, 1.0))


def test_noise_too_small_for_float64() -> None:
    """A kernel matrix of rank one in float64 with noise below its rounding: no jitter is added."""
    flat = Kernel("rbf", 1.0, (1e9,))
    posterior = Posterior(flat, LINE, 1e-18)

    def run() -> None:
        for index in range(12):
            posterior.append(index, 1.0)

    rejected("not positive definite in float64", run)
    rejected("is too small for", lambda: posterior.bounds(1.0))
