"""Estimates on the bilevel LQR beside the derivative of the closed form, and of responses."""

import numpy as np
import pytest

from holdfast.solvers.hypergradient import bilevel_lqr
from holdfast.solvers.neural.hypergradient.regulator import roll, sampled
from holdfast.solvers.neural.hypergradient.responses import TEMPERATURE, responses, tilted

GAINS = np.array([-7.0, 5.0])
"""Where the leader's reward is reached, and both terms can be seen."""


@pytest.mark.slow
def test_estimates_of_the_regulator_have_the_derivative_as_their_mean() -> None:
    """Two derivations that share no formula: scores, Riccati and critics here, a complex step
    through the leader's return there."""
    problem = bilevel_lqr()
    exact, direct = (problem.gradient(GAINS, terms=terms) for terms in ("all", "direct"))
    seen = [roll(problem, GAINS, 100 + seed, 16) for seed in range(20)]
    found = {}
    for method in ("bc-hg", "naive", "flipped", "uncentred"):
        values = np.array([sampled(problem, one, method) for one in seen])
        found[method] = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(seen))
    for method, wanted in (("bc-hg", exact), ("naive", direct), ("flipped", 2 * direct - exact)):
        mean, error = found[method]
        assert (np.abs(mean - wanted) < 4 * error).all(), method
    for control in ("naive", "flipped", "uncentred"):
        mean, error = found[control]
        assert (np.abs(mean - exact) > 4 * error).any(), control


def test_weighted_responses_show_the_covariance_and_products_do_not() -> None:
    """Cov_p(F, features)/tau by differences of E_p F over all tokens, against samples of pi."""
    seen = responses("tiny")
    weights = 0.1 * np.random.default_rng(0).standard_normal(seen.features.shape[1])

    def mean(at):
        law = seen.reference * np.exp(seen.features @ at / TEMPERATURE)
        return law @ seen.lengths / law.sum()

    steps = 1e-5 * np.eye(len(weights))
    exact = np.array([(mean(weights + h) - mean(weights - h)) / 2e-5 for h in steps])
    draws = np.random.default_rng(1).choice(len(seen.reference), 200_000, p=seen.reference)
    off = np.linalg.norm(tilted(seen, weights, draws) - exact) / np.linalg.norm(exact)
    wrong = tilted(seen, weights, draws, centred=False)
    assert off < 0.1
    assert np.linalg.norm(wrong - exact) > np.linalg.norm(exact)
