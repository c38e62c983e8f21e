"""The compiled sampler against exact laws, by exact binomial tests whose power is stated."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from holdfast.solvers.cmdp.scale.compiled import at_most
from holdfast.solvers.errors import ModelError
from holdfast.solvers.relative_budget import (
    Gamma,
    Geometric,
    Mixture,
    NegativeBinomial,
    simulate,
)
from holdfast.solvers.relative_budget.simulate import alias_table, masses

DRAWS, LEVEL, HORIZON = 2_000_000, 1e-6, 256
PROCESSES = {
    "geometric": Geometric(Fraction(1, 100)),
    "negative binomial": NegativeBinomial(3, Fraction(1, 50)),
    "gamma": Gamma(0.7, 0.01),
    "unsolvable": Mixture(Geometric(Fraction(1, 40)), Fraction(1, 3)),
    "at once": Geometric(Fraction(1)),
}
TIMES = (1, 16, 64, 100, 150, HORIZON)


def refused(draws, process) -> list[int]:
    """The times at which the share of T <= t is not binomial with the cdf of the process."""
    exact = process.cdf(np.array(TIMES, float))
    counts = [
        (int((draws <= t).sum()), min(float(p), 1.0)) for t, p in zip(TIMES, exact, strict=True)
    ]
    return [
        t
        for t, (seen, p) in zip(TIMES, counts, strict=True)
        if binomtest(seen, len(draws), p).pvalue < LEVEL
    ]


@pytest.mark.parametrize("name", PROCESSES)
def test_draws_have_the_exact_law(name: str) -> None:
    """Six tests at 1e-6: a right sampler fails with probability 6e-6 at most."""
    process = PROCESSES[name]
    draws = simulate(process, HORIZON, DRAWS, seed=3)
    assert draws.min() >= 1
    assert draws.max() <= HORIZON + 1
    assert not refused(draws, process)


def test_a_rate_that_is_one_percent_off_is_refused() -> None:
    """The control.  At t = 100 the cdf moves from 0.63397 to 0.63764, by 10.8 deviations of a share
    of 2e6 draws, and the test rejects beyond 4.9: its power is above 1 - 1e-8."""
    off = Geometric(Fraction(101, 10000))
    true = PROCESSES["geometric"]
    p, q = (float(law.cdf(np.array([100.0]))[0]) for law in (true, off))
    edge = binom.ppf(1 - LEVEL / 2, DRAWS, p)
    assert binom.sf(edge, DRAWS, q) > 1 - 1e-8
    assert 100 in refused(simulate(off, HORIZON, DRAWS, seed=3), true)


def test_neighbouring_draws_are_independent() -> None:
    """Of pairs at distances 1 and one block, the share with both T <= 69 is F(69)^2."""
    process = PROCESSES["geometric"]
    draws = simulate(process, HORIZON, DRAWS, seed=4)
    both = float(process.cdf(np.array([69.0]))[0]) ** 2
    for distance in (1, 2**16):
        first, second = draws[:-distance], draws[distance:]
        blocks = (np.arange(len(first)) // distance) % 2 == 0  # pairs that do not overlap
        seen = int(((first <= 69) & (second <= 69))[blocks].sum())
        assert binomtest(seen, int(blocks.sum()), both).pvalue > LEVEL


def test_draws_depend_on_the_seed_alone() -> None:
    process = PROCESSES["gamma"]
    draws = simulate(process, HORIZON, 200_000, seed=5)
    with at_most(1):
        assert (simulate(process, HORIZON, 200_000, seed=5) == draws).all()
    assert (simulate(process, HORIZON, 70_000, seed=5) == draws[:70_000]).all()
    assert (simulate(process, HORIZON, 200_000, seed=6) != draws).mean() > 0.5


@pytest.mark.parametrize("name", PROCESSES)
def test_the_table_has_the_masses(name: str) -> None:
    """Added up in integers: each outcome gets its own cell up to the threshold, and of others'
    cells what lies above it."""
    weights = masses(PROCESSES[name], HORIZON)
    thresholds, others = alias_table(weights)
    total = [0] * (len(thresholds) + 1)
    for cell, (threshold, other) in enumerate(
        zip(thresholds.tolist(), others.tolist(), strict=True)
    ):
        total[cell + 1] += threshold
        total[other] += 2**64 - threshold
    found = np.array([Fraction(x, len(thresholds) * 2**64) for x in total[1:]], float)
    assert np.abs(found[: len(weights)] - weights).max() < 1e-15
    assert found[len(weights) :].max(initial=0.0) == 0.0


def test_masses_are_those_of_the_process() -> None:
    process = PROCESSES["negative binomial"]
    exact = process.masses(HORIZON)
    found = masses(process, HORIZON)
    assert np.allclose(found[:-1], [float(x) for x in exact], rtol=1e-9, atol=0)
    assert found[-1] == pytest.approx(1 - float(sum(exact)), rel=1e-9)


@pytest.mark.parametrize("horizon", [0, -1, 1.5, 2**22 + 1, True])
def test_a_horizon_that_is_none_is_refused(horizon) -> None:
    with pytest.raises(ModelError, match=f"the horizon is {horizon}"):
        simulate(PROCESSES["gamma"], horizon, 10, seed=0)


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(ModelError, match="size is -1"):
        simulate(PROCESSES["gamma"], 10, -1, seed=0)
    with pytest.raises(ModelError, match="seed is -1"):
        simulate(PROCESSES["gamma"], 10, 1, seed=-1)
