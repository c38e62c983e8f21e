"""Conditioned policies under their theorems: tight instances by hand, and many processes."""

from fractions import Fraction

import pytest

from holdfast.solvers.target_returns.returns import return_conditioned
from holdfast.solvers.target_returns.returns.process import return_process
from holdfast.theory import Sign
from holdfast.verify.binding.claims import Claim
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.engine.comparison import CompiledRelation
from holdfast.verify.engine.examiner import Kind, Shard, run_shard
from holdfast.verify.engine.fairness import why_fair
from holdfast.verify.kernel import Verdict
from holdfast.verify.search.hunt import hunt
from holdfast.verify.target_returns.claims import return_conditioning as claims
from holdfast.verify.target_returns.landmarks import returns as landmarks

LUCK = Fraction(1, 1000)


def ratios(claim: Claim, *case: object) -> list[float]:
    """Smaller over larger side of the claim's first part, for each of its values on a case."""
    relation = CompiledRelation(claim.theorem.parts[0])
    found = []
    for values in claim.evaluate(*case):
        named = {q.name: Fraction(v) if isinstance(v, int) else v for q, v in values.items()}
        found.append(relation.examine(named).ratio)
    return found


def test_luck_alone_comes_near_the_bound() -> None:
    process, asked = landmarks.luck()
    assert return_conditioned(process, asked).expected_return == (LUCK,)
    assert ratios(claims.sharper_alignment, process, asked, process.noise) == [1 - float(LUCK)]


@pytest.mark.parametrize("horizon", [4, 8, 16])
def test_the_chain_loses_a_quarter_of_the_horizon(horizon: int) -> None:
    """alpha = h e + (1 - h e)(1 - (1 - e)^h) with h = H/2: of beta_z a share
    (1 - h e)(1 - (1 - e)^h)/alpha goes the bad way; there h - 1 more steps may be the lucky one."""
    process, asked = landmarks.chain(horizon, LUCK)
    half, stays = horizon // 2, 1 - LUCK
    good = half * LUCK
    # the corridor has h steps, so it must be entered at time h at the latest, 1 .. h - 1 waiting
    enters = 1 - stays ** (half - 1)
    alpha = good + (1 - good) * enters
    policy = return_conditioned(process, asked)
    assert policy.coverage == alpha
    # entered one, two, ... steps late it pays one, two, ... rewards less
    late = sum(LUCK * stays ** (half - 2 + k) * (half - k) for k in range(1, half + 1))
    bad = (1 - good) * enters / alpha
    assert policy.expected_return == (half * (1 - bad) + bad * (half * enters + late),)


def test_the_sticky_family_attains_the_improved_exponent() -> None:
    for horizon in (1, 4, 9):
        process, asked, model = landmarks.sticky(horizon)
        (ratio,) = ratios(claims.model_bias_sharper, process, asked, model)
        assert 0.998 < ratio < 1
        (printed,) = ratios(claims.model_bias, process, asked, model)
        assert printed == pytest.approx(ratio / horizon**0.5)


def test_the_density_bounds_are_sharp_at_one_step() -> None:
    """1 - luck of 2 delta; and (1 - 1/N)(1 - ...) over 1 + epsilon for a stray reward."""
    assert ratios(claims.density_sharper, *landmarks.edge_of_ball()) == [pytest.approx(0.99)]
    (ratio,) = ratios(claims.density_sharper, *landmarks.stray())
    assert 0.99 < ratio < 1


def test_without_smooth_densities_nothing_is_promised() -> None:
    """A gap of more than a third, where the bound without its c is below 1/15."""
    lattice, asked = landmarks.off_the_actions()
    (values,) = claims.density_sharper.evaluate(lattice, asked)
    named = {quantity.name: value for quantity, value in values.items()}
    # J = 1/N on average at first, and then 3/4 (1 - 1/N) in half of the cases; the target is 2/N
    assert named["J_beta"] == Fraction(1, 64) + Fraction(3, 8) * Fraction(63, 64)
    assert named["R"] == Fraction(2, 64)
    assert 2 * named["delta"] * named["C"] / named["eta"] < Fraction(1, 15)


def test_the_reading_over_the_data_falls_by_the_counterexample() -> None:
    (values,) = claims.model_bias_pooled.evaluate(Fraction(1, 100), Fraction(1, 100))
    named = {quantity.name: value for quantity, value in values.items()}
    assert (named["J_beta"], named["J_model"]) == (1, Fraction(1, 100))
    right = CompiledRelation(claims.model_bias_pooled.theorem.relation).examine(
        {**named, "H": Fraction(1)}
    )
    assert right.verdict is Verdict.VIOLATED
    assert float(right.right.hi) == pytest.approx(0.1517, abs=1e-4)  # sqrt(log(100)/200)
    assert [one.shown[:9] for one in why_fair(claims.model_bias_pooled)] == [
        "share > 0",
        "eps_pool ",
    ]


def test_a_target_that_is_not_covered_is_no_case() -> None:
    process = return_process([[[(1, [1], 0)]]], [[[1]]])
    with pytest.raises(ValueError, match="no episode"):
        list(claims.alignment.evaluate(process, (Fraction(0),), Fraction(0)))


@pytest.mark.parametrize("claim", [claims.sharper_alignment, claims.model_bias_sharper])
def test_the_hunt_finds_nearly_tight_cases(claim: Claim) -> None:
    found = hunt(claim, budget=Budget(models=600))
    assert found.violation is None
    assert found.best[0].ratio > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claim", "models"), [(claims.sharper_alignment, 5000), (claims.model_bias_sharper, 5000)]
)
def test_no_violation_on_five_thousand_processes(claim: Claim, models: int) -> None:
    result = run_shard(claim, Shard(claim.name, Kind.DRAWN, 0, models, 0))
    assert (result.error, result.models) == ("", models)
    assert {found.verdict for found in result.findings} <= {
        Verdict.HOLDS,
        Verdict.TIGHT,
        Verdict.VACUOUS,
    }
    assert claim.theorem.parts[0].sign is Sign.LE
