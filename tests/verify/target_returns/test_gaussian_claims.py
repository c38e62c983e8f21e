"""Golden numbers of the statements on confidence and information, and the fate of their mutants."""

from fractions import Fraction
from math import erf, erfc, exp, log, pi, sqrt

import numpy as np
import pytest

from holdfast.solvers.target_returns.gaussian.confidence import alpha_bayes, alpha_exact
from holdfast.solvers.target_returns.gaussian.information import greedy, water_filling
from holdfast.solvers.target_returns.gaussian.kernels import GridKernel
from holdfast.solvers.target_returns.gaussian.posterior import Posterior
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.engine.examiner import Kind, Shard, run_shard
from holdfast.verify.engine.ledger import Ledger
from holdfast.verify.kernel import Verdict
from holdfast.verify.target_returns.claims import confidence, information_gain
from holdfast.verify.target_returns.families import gaussian as families
from holdfast.verify.target_returns.oracles import gaussian as oracle

F = Fraction
AREAS = ("confidence/", "information-gain/")
CLAIMS = {one.name: one for one in shipped() if one.name.startswith(AREAS)}
EXACT = [name for name in CLAIMS if "#" not in name]
_FAIR = (Verdict.HOLDS, Verdict.TIGHT, Verdict.AGREES, Verdict.VACUOUS)


def run(claim: Claim, kind: Kind, size: int = 0):
    return run_shard(claim, Shard(claim.name, kind, 0, size, 7), Ledger(claims=len(CLAIMS)))


@pytest.mark.parametrize("name", EXACT)
def test_statements_hold_and_their_mutants_fall(name: str) -> None:
    claim = CLAIMS[name]
    found = [run(claim, Kind.LANDMARKS), run(claim, Kind.DRAWN, 40 if "lip" not in name else 8)]
    assert not any(one.error for one in found), [one.error for one in found]
    verdicts = {finding.verdict for one in found for finding in one.findings}
    assert verdicts <= {*_FAIR, Verdict.OUT_OF_SCOPE}
    killed = {mutant for one in found for mutant in one.kills}
    expected = {m.name for m in claim.mutants if not m.implied} - claim.survivors.keys()
    assert expected | {one.name for one in claim.named_mutants} <= killed


def test_sharper_variants_are_accepted_on_drawn_paths() -> None:
    """One-sided with twice the probability, and exact tails: no path count speaks against them."""
    for name in ("confidence/one-sided#sampled", "confidence/exact-tails#sampled"):
        found = run(CLAIMS[name], Kind.DRAWN, 3)
        assert {one.verdict for one in found.findings} == {Verdict.HOLDS} and not found.error


def test_a_wrong_prior_is_seen_on_drawn_paths() -> None:
    found = run_shard(
        CLAIMS["confidence/bayesian#sampled"],
        Shard("confidence/bayesian#sampled", Kind.CONTROL, 0, 6, 7, name="prior"),
        Ledger(),
    )
    assert found.kills


def white_failure(alpha: float, targets: int = 36) -> float:
    """1 - Pr(|Z| <= alpha)^36."""
    return 1 - erf(alpha / sqrt(2)) ** targets


@pytest.mark.parametrize(("alpha", "measured"), [
    (sqrt(2 * log(pi**2 / 0.6)), 0.486),            # without |Z|
    (alpha_bayes(36, 1, 0.1) / sqrt(2), 0.36),      # beta halved
    (alpha_bayes(36, 1, 0.1) / 2, 0.96),            # alpha halved
    (2.0, 0.95),                                    # alpha = 2
    (sqrt(2 * log(1 / 0.1)), 0.87),                 # neither |Z| nor j^2
])  # fmt: skip
def test_multipliers_that_are_too_small_at_one_step(alpha: float, measured: float) -> None:
    """The failure before any observation is part of what was measured over 30 steps of a white
    kernel, which the 29 later ones add to; it exceeds Delta = 0.1 already."""
    exact = white_failure(alpha)
    design = families.Design(36, F(alpha))
    assert float(confidence.one_step(design, 2).mid()) == pytest.approx(exact, rel=1e-12)
    assert 0.1 < exact < measured + 0.02


def test_multipliers_that_are_large_enough_at_one_step() -> None:
    assert white_failure(alpha_bayes(36, 1, 0.1)) < 0.013
    assert white_failure(alpha_exact(36, 1, 0.1)) < 0.1 * 6 / pi**2


def test_exact_tails_are_less_than_0_45_of_their_bound() -> None:
    """Survivors rest on it: sum_j erfc(alpha_j/sqrt 2) over pi^2/6 exp(-alpha^2/2) falls in alpha,
    so take the least, where the latter is 1 for n = 1; the rest of the sum is at most 1/10^4."""
    squared = 2 * log(pi**2 / 6)
    steps = np.arange(1, 10_001)
    alphas = np.sqrt(squared + 4 * np.log(steps))
    total = sum(erfc(alpha / sqrt(2)) for alpha in alphas) + 1e-4
    assert 0.4 < total / (pi**2 / 6 * exp(-squared / 2)) < 0.45


@pytest.mark.parametrize(("name", "least"), [
    ("B dropped", 1), ("B/2, no log det", 1), ("Bayesian alpha", 1), ("beta = 2", 1),
    ("Chowdhury and Gopalan with lambda = R^2", 0.55), ("B and log det dropped", 0.34),
    ("R/2", 0.01),
])  # fmt: skip
def test_changed_multipliers_of_a_fixed_function(name: str, least: float) -> None:
    multiplier, case = confidence._CHANGES[name]
    value = float(confidence.missing(case, multiplier).mid())
    assert value >= least and value > case.failure
    assert float(confidence.missing(case).mid()) <= case.failure


def test_missing_by_hand() -> None:
    """B = 1/10, R = 1, lambda = 1, delta = 1/100: beta_1 = 1/10 + sqrt(2 log 100 + log 2); a miss
    is |1/10 - w| > beta_1 sqrt 2, w standard."""
    case = families.FixedFunction(F(1, 10), F(1), F(1), F(1, 100))
    limit = (0.1 + sqrt(2 * log(100) + log(2))) * sqrt(2)
    exact = (erfc((limit - 0.1) / sqrt(2)) + erfc((limit + 0.1) / sqrt(2))) / 2
    assert float(confidence.missing(case).mid()) == pytest.approx(exact, rel=1e-10)


def test_the_paths_missed_agree_with_the_exact_probability() -> None:
    """One target, one observation: the sampler against the closed form, at a multiplier for which
    about a quarter misses."""
    case = families.FixedFunction(F(1, 10), F(1), F(1), F(99, 100), 1, 2)
    exact = float(
        confidence.missing(families.FixedFunction(F(1, 10), F(1), F(1), F(99, 100))).mid()
    )
    found = confidence.paths_missed(case)
    assert 0.1 < exact < 0.5
    assert abs(found.successes / found.trials - exact) < 4 * sqrt(exact / found.trials)


def test_no_union_over_time_needs_a_long_horizon() -> None:
    long = dict(next(confidence._long()))
    (interval,) = [value for quantity, value in long.items() if quantity.name == "constant"]
    assert interval.lo > pi**2 / 6 * exp(-((19 / 8) ** 2) / 2) > 0.0977
    short = confidence.paths_outside(families.Design(1, F(19, 8), 5), 2, growing=False)
    assert short.successes / short.trials < 0.0977


# -- the oracles against the solver
def drawn(family, index: int):
    return family.draw(PhiloxDraw("test", index))


def test_rational_conditioning_agrees_with_the_solver() -> None:
    for index in range(20):
        process, indices = drawn(families.GRAMS.along(families.targets_observed), index)
        size = len(process.kernel)
        floats = np.array([[float(one) for one in row] for row in process.kernel])
        posterior = Posterior(GridKernel(floats), np.arange(size)[:, None], float(process.noise))
        mean, kernel = [F(0)] * size, process.kernel
        for step, at in enumerate(indices):
            posterior.append(at, float(step))
            mean, kernel = oracle.conditioned(mean, kernel, at, process.noise, F(step))
        assert posterior.mean == pytest.approx([float(m) for m in mean], abs=1e-9)
        assert posterior.variance == pytest.approx(
            [float(kernel[i][i]) for i in range(size)], abs=1e-9
        )
        determinant = oracle.determinant(process.kernel, process.noise, indices)
        assert 2 * posterior.information == pytest.approx(log(determinant), abs=1e-9)


def test_drawn_paths_agree_with_the_solver() -> None:
    """The batch of paths against one posterior a path."""
    kernel = oracle.autoregressive(4, F(1, 2))
    truth = oracle.drawn(kernel, 3, "test")
    found, logs = oracle.deviations(kernel, truth, 0.25, 5, "test")
    again, _ = oracle.deviations(kernel, truth, 0.25, 6, "test")
    assert np.abs(again[:1] - found[:1]).max() == 0
    for path in range(3):
        posterior = Posterior(GridKernel(kernel), np.arange(4)[:, None], 0.25)
        errors = oracle.philox("test", "noise").standard_normal((5, 3))
        for t in range(5):
            deviation = np.sqrt(posterior.variance)
            expected = (truth[path] - posterior.mean) / deviation
            assert found[t, path] == pytest.approx(expected, abs=1e-10)
            assert logs[t, path] == pytest.approx(2 * posterior.information, abs=1e-10)
            at = int((np.abs(posterior.mean) + 2 * deviation).argmax())
            posterior.append(at, truth[path, at] + errors[t, path] / 2)


def test_rotated_kernels_have_their_spectrum_and_solver_bounds_agree() -> None:
    for index in range(10):
        process, n = drawn(families.ROTATED.along(families.several), index)
        floats = np.array([[float(one) for one in row] for row in process.kernel])
        spectrum = sorted(map(float, process.spectrum))
        assert np.linalg.eigvalsh(floats) == pytest.approx(spectrum, abs=1e-12)
        water = information_gain.water(process, n)
        assert water_filling(np.array(spectrum), float(process.noise), n) == pytest.approx(
            log(water) / 2
        )
        _, gained = greedy(GridKernel(floats), np.eye(len(floats)), float(process.noise), n)
        assert gained <= log(information_gain.most(process, n)) / 2 + 1e-9


def test_greedy_is_not_optimal_between_two_targets() -> None:
    """K = [[4, 0, 3], [0, 4, 3], [3, 3, 5]], nu^2 = 1/100: z3 first, then 501 (1 + 100 11/5...);
    z1 and z2 together have 401^2 = 160801."""
    process, n = information_gain._between()
    assert information_gain.greedy_targets(process, n)[0] == 2
    assert information_gain.most(process, n) == 401**2
    chosen = information_gain.greedy_targets(process, n)
    assert oracle.determinant(process.kernel, process.noise, chosen) < 401**2


def test_regret_is_attained() -> None:
    """f = -5 and 5 at two targets of variance 25, alpha = 1: r = 10 at the first step, and
    4 25 log(26)/log(26) = 100; without k_max it would be 4 log(26)/log(2) = 18.8."""
    process, numbers = confidence._apart(F(25), F(1))
    values = {
        q.name: v for q, v in dict(next(confidence.regret.evaluate(process, numbers))).items()
    }
    assert (values["regrets"], values["alpha"], values["det"]) == (100, 1, 26)
