"""The statements on relative budgets: drawn models, sharp cases by hand, false variants."""

from fractions import Fraction

import pytest
from tests.zoo.shards import shards

from holdfast.solvers.relative_budget.criteria import argmax_table, best_budget
from holdfast.solvers.relative_budget.version_space import better
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.engine.examiner import Kind
from holdfast.verify.kernel import Verdict
from holdfast.verify.relative_budget.families.gamma import INSIDE, OUTSIDE

LABELS = (
    "improvement/chi-square",
    "improvement/best-in-ball",
    "improvement/linear-tilt",
    "improvement/conditioning",
    "improvement/cantelli",
    "improvement/variance-bound",
    "improvement/variance-bound-sharper",
    "improvement/version-space",
    "improvement/one-step",
    "requirement/universal",
    "requirement/deficient",
    "requirement/deficient-sharper",
    "requirement/balanced",
    "requirement/ample",
    "requirement/gamma-deviation",
    "requirement/gamma-deficient",
    "requirement/gamma-ample",
    "growth/slope",
    "growth/step",
    "growth/linear",
    "growth/sharper",
    "growth/sharper-rising",
    "growth/sample-size",
    "growth/window",
    "growth/cumulative",
    "growth/fixed-kappa",
    "optimum/inside",
    "optimum/outside",
    "optimum/kappa-moves",
)
CLAIMS = {c.name: c for c in shipped() if c.theorem.label in LABELS and not c.trained}
MUTANTS = [(name, one.name) for name, claim in CLAIMS.items() for one in claim.named_mutants]
SEVERAL_MODELS = {"RB-T4-power", "RB-T5-samples", "RB-L1-always", "RB-L3-half", "RB-L1-half-ball",
                  "RB-L4-eightfold", "RB-T6-one", "RB-T6-constant"}  # fmt: skip
"""Mutants that fall on drawn models; the others fall on a landmark or on their witness."""


shard = shards(CLAIMS, 3)


def values_on(label: str, landmark: str) -> dict[str, object]:
    claim = CLAIMS[label]
    (values,) = claim.evaluate(*claim.family.landmark(landmark))
    return {quantity.name: value for quantity, value in values.items()}


def test_every_statement_of_the_pillar_is_listed() -> None:
    pillar = {c.theorem.label for c in shipped() if "relative_budget/claims" in c.file}
    assert {one for one in pillar if one.partition("/")[0] in
            ("improvement", "requirement", "growth", "optimum")} == set(LABELS)  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_a_few_models_agree(name: str) -> None:
    verdicts = {one.verdict for one in shard(name, Kind.DRAWN, 15).findings}
    assert not verdicts & {Verdict.VIOLATED, Verdict.UNDECIDED, Verdict.OUT_OF_SCOPE}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_a_named_mutant_falls(name: str, mutant: str) -> None:
    if mutant in SEVERAL_MODELS:
        assert mutant in shard(name, Kind.DRAWN, 30).kills
    else:
        assert mutant in shard(name, Kind.LANDMARKS, 9).kills


@pytest.mark.parametrize(
    ("name", "control"),
    [(name, control) for name, claim in CLAIMS.items() for control in claim.family.controls],
)
def test_without_an_assumption_it_fails(name: str, control: str) -> None:
    assert shard(name, Kind.CONTROL, 100, control).kills


def ratios(name: str) -> dict[tuple[str, int], float]:
    found = shard(name, Kind.LANDMARKS, 9).findings
    return {(one.case, one.part): one.ratio for one in found if one.ratio is not None}


def test_the_bound_on_the_gap_is_nearly_attained() -> None:
    """With two hidden trajectories and delta = 10^-6: log(2 10^6)/log(3 10^6) = 0.973, nearly."""
    found = ratios("improvement/version-space")
    assert found["landmark:two", 0] > 0.96
    assert found["landmark:one", 0] > 0.9


def test_the_bound_on_the_samples_is_nearly_attained() -> None:
    assert ratios("improvement/one-step")["landmark:two", 0] > 0.95


def test_one_hidden_trajectory_by_hand() -> None:
    """(99/100)^n > 1/1000 up to n = 687; unseen, its reward of 3 is lost for 1/1000."""
    assert values_on("improvement/one-step", "one")["insufficient"] == 687
    assert values_on("improvement/version-space", "one")["gap"] == 3 - Fraction(1, 1000)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_the_universal_bound_is_attained_by_a_coin(part: int) -> None:
    """n/L = 8; xi/CV = 2, so that both parts of the maximum agree."""
    assert values_on("requirement/universal", "coin")["n2"] == 64
    assert ratios("requirement/universal")["landmark:coin", part] == 1


def test_the_universal_bound_is_attained_where_all_is_solved() -> None:
    """H = 50, c = 1/5, sigma = 2/5, kappa = 4: n/L = 100/(2 (1/5)(2/5)) = 625."""
    assert values_on("requirement/universal", "early")["n2"] == 625**2
    assert ratios("requirement/universal")["landmark:early", 1] == 1


def test_the_deficient_constants_are_attained() -> None:
    """R in {0, H}: n^2 kappa q^3 = 4/(1 - q). R in {0, H/2}: n^2 kappa q^3 (1 - q) = 16."""
    q = Fraction(1, 10000)
    found = values_on("requirement/deficient", "at_once")
    assert found["n2"] * found["kappa"] * q**3 == 4 / (1 - q)  # type: ignore[operator]
    assert ratios("requirement/deficient-sharper")["landmark:halfway", 0] == 1


def test_no_doubling_constant_holds_for_all_log_normals() -> None:
    """Far below the median c_f exceeds any number: here log10 of it is above 80."""
    found = values_on("requirement/deficient#densities", "log_normal")
    assert found["doubling"].compute() > 10**80  # type: ignore[attr-defined]


def test_the_lists_of_the_window_are_those_of_the_table() -> None:
    rows = {(row.criterion, row.shape, row.kappa): row.inside for row in argmax_table()}
    assert {cell for cell, inside in rows.items() if inside} == set(INSIDE)
    assert set(rows) == set(INSIDE) | set(OUTSIDE)
    assert not set(INSIDE) & set(OUTSIDE)


def test_kappas_that_nearly_agree_share_their_best_point() -> None:
    """So the statement is of listed kappas: 1/10 and 10001/100000 are both best at 83/50."""
    found = {best_budget("samples of one step", 1, k) for k in
             (Fraction(1, 10), Fraction(10001, 100000))}  # fmt: skip
    assert found == {Fraction(83, 50)}


def test_rewards_that_all_agree_are_all_good() -> None:
    """c = 1 > 1/(1 + kappa), so that sigma > 0 is assumed."""
    one = Fraction(1)
    assert better((one / 2, one / 2), (one, one), one) == (0, 1)
    assert "varied" in CLAIMS["improvement/cantelli"].family.controls


def test_no_density_lets_sqrt_kappa_reach_the_least_length() -> None:
    """T uniform on [0, 1] has E T = 1/2 = sqrt(3) std T and no mass at 0, so it is strict."""
    assumed = {one.name: one.text for one in CLAIMS["requirement/ample"].theorem.given}
    assert "std T < E T - ess inf T" in assumed["attainable"]
    for seed in range(40):
        (case,) = CLAIMS["requirement/ample"].family.draw(PhiloxDraw(seed))
        mean, variance = case.process.mean_and_variance()
        assert case.kappa * variance < (mean - case.process.lengths[0]) ** 2
