"""Censored likelihoods beside scipy's, their derivatives beside differences, ends of intervals."""

import numpy as np
import pytest
from scipy.stats import CensoredData, gamma, nbinom

from holdfast.solvers.relative_budget.estimate.fitting import (
    intervals,
    law_of,
    likelihoods,
    own_shape,
    profile_interval,
    rates,
    room,
)
from holdfast.solvers.relative_budget.estimate.laws import (
    GammaLaw,
    NegativeBinomialLaw,
    counts_of,
)
from holdfast.solvers.relative_budget.estimate.population import fit_population

DROP = 3.841458820694124 / 2  # the 95 percent quantile of chi-square with one degree of freedom
LAWS = [GammaLaw(0.3), GammaLaw(2.5), NegativeBinomialLaw(1.0), NegativeBinomialLaw(7.0)]


def sample(size=300, cap=150, seed=0):
    times = np.ceil(np.random.default_rng(seed).gamma(2, 100, size)).astype(int) + 6
    return np.minimum(times, cap), times <= cap


def one(lengths, solved):
    return counts_of(lengths, solved, np.zeros(len(lengths), int), 1)


def test_gamma_is_scipys_censored_fit() -> None:
    lengths, solved = sample()
    data = CensoredData(uncensored=lengths[solved], right=lengths[~solved])
    shape, _, scale = gamma.fit(data, floc=0)
    counts = one(lengths, solved)
    found = own_shape("gamma", counts)
    assert found == pytest.approx(shape, rel=1e-3)
    assert profile_interval("gamma", counts, found, 0.95)[0] == pytest.approx(
        shape * scale, rel=1e-4
    )


def test_geometric_is_solves_over_tokens() -> None:
    """The likelihood is p^D (1 - p)^(tokens - D), greatest at D/tokens."""
    lengths, solved = sample()
    mean = profile_interval("geometric", one(lengths, solved), 1.0, 0.95)[0]
    assert mean == pytest.approx(lengths.sum() / solved.sum(), rel=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_likelihoods_are_scipys(law) -> None:
    """With the constant, of three prompts, one of which has no solved rollout."""
    lengths, solved = sample(12)
    prompts = np.repeat([0, 1, 2], 4)
    solved = solved & (prompts < 2)
    counts, mean = counts_of(lengths, solved, prompts, 3), 130.0
    found = likelihoods(law, counts, np.array([mean]))[:, 0] + law.constant(counts)
    k, p = law.shape, law.shape / mean
    if isinstance(law, GammaLaw):
        density, tail = gamma(k, scale=1 / p).logpdf, gamma(k, scale=1 / p).logsf
    else:
        density, tail = (lambda t, f=f: f(t - k) for f in (nbinom(k, p).logpmf, nbinom(k, p).logsf))
    each = np.where(solved, density(lengths), tail(lengths))
    assert np.allclose(found, [each[prompts == x].sum() for x in range(3)], rtol=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("rate", [1e-7, 0.003, 0.02, 0.3, 0.999])
def test_derivatives_are_differences(law, rate) -> None:
    """Far into the tail too, where the leading term alone is known, to some 0.3 percent here."""
    counts = one(np.array([7, 40, 90, 3, 5000]), np.array([True, True, False, False, False]))
    theta, h = law.theta(np.array([rate])), 1e-5
    terms = law.terms(counts, theta)
    ahead, behind = law.terms(counts, theta + h), law.terms(counts, theta - h)
    scale = 1 + abs(terms.value[0])
    assert terms.slope[0] == pytest.approx(
        (ahead.value - behind.value)[0] / (2 * h), rel=2e-4, abs=1e-9 * scale / h
    )
    assert terms.curvature[0] == pytest.approx(
        (ahead.slope - behind.slope)[0] / (2 * h), rel=5e-3, abs=1e-9 * scale / h
    )
    assert terms.curvature[0] < 0


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_prompts_are_fitted_together_as_each_alone(law) -> None:
    lengths, solved = sample(400)
    prompts = np.random.default_rng(1).integers(0, 40, 400)
    solved = solved & (prompts != 17)
    counts = counts_of(lengths, solved, prompts, 40)
    best = rates(law, counts)
    ends = intervals(law, counts, best, room(0.95))
    assert best[17] == -np.inf
    assert ends[0][17] == -np.inf
    for k in range(40):
        alone = one(lengths[prompts == k], solved[prompts == k])
        assert rates(law, alone)[0] == pytest.approx(best[k], rel=1e-9)
        top = 0.0 if k == 17 else law.terms(alone, best[k : k + 1]).value[0]
        for end in ends[k == 17 :]:
            value = law.terms(alone, end[k : k + 1]).value[0]
            assert value == pytest.approx(top - DROP, abs=1e-7 * (1 + abs(top)))
        if k != 17:
            assert ends[0][k] < best[k] < ends[1][k]
            assert abs(law.terms(alone, best[k : k + 1]).slope[0]) < 1e-6


@pytest.mark.parametrize("family", ["geometric", "negative-binomial", "gamma"])
def test_the_profile_interval_ends_where_the_best_shape_is_refused(family) -> None:
    """Looked for on a grid of shapes, which is slow and plain."""
    lengths, solved = sample()
    counts = one(lengths, solved)
    mean, low, high = profile_interval(family, counts, own_shape(family, counts), 0.95)
    shapes = {"geometric": [1.0], "negative-binomial": range(1, 8)}.get(
        family, np.geomspace(1, 5, 801)
    )

    def highest(at):
        found = []
        for shape in shapes:
            law = law_of(family, shape)
            found.append((likelihoods(law, counts, np.array([at])) + law.constant(counts)[0]).max())
        return max(found)

    assert low < mean < high
    # 150 log(1 + t^2/299), t = 1.96793 being Student's quantile, where the shape is estimated
    fall = DROP if family == "geometric" else 1.93038
    for end in (low, high):
        assert highest(end) == pytest.approx(highest(mean) - fall, abs=1e-4)


def test_a_shared_shape_is_not_inflated_by_as_many_rates_as_prompts() -> None:
    """2,000 prompts of 6 rollouts, shape 2, nothing cut.  Plain maximum likelihood tends to about
    2 x 6/5: the control."""
    rng = np.random.default_rng(5)
    means = 1000 * np.exp(rng.standard_normal(2000))
    times = np.ceil(rng.gamma(2, 0.5, (2000, 6)) * means[:, None]).astype(int)
    counts = counts_of(times.ravel(), np.ones(12000, bool), np.repeat(np.arange(2000), 6), 2000)
    found = fit_population("gamma", counts, 0.95)
    assert found.shape == pytest.approx(2, rel=0.04)
    assert found.shapes.min() < 2 < found.shapes.max()

    def plain(shape):
        law = GammaLaw(shape)
        return (law.terms(counts, rates(law, counts)).value + law.constant(counts)).sum()

    assert max(np.linspace(1.6, 3, 57), key=plain) > 2.3
