"""What the statements on controllers and value alignment say on instances worked out by hand."""

from fractions import Fraction

import pytest

from holdfast.theory import catalogue
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.offline.claims.pid_steps import _unclipped
from holdfast.verify.offline.claims.value_alignment import _along
from holdfast.verify.offline.families.loops import near_edge, switched
from holdfast.verify.offline.landmarks import ascents

LABELS = {t.label for t in catalogue() if t.label.split("/")[0] in
          ("pid", "controllers", "dual-response", "value-alignment")}  # fmt: skip
CLAIMS: dict[str, Claim] = {claim.name: claim for claim in shipped(["pid/jury"])}
MUTANTS = {
    "PID-no-P": "pid/discrete",
    "PID-no-limit": "pid/discrete",
    "PID-no-D": "pid/jury",
    "PID-D-damps": "pid/inertia",
    "PID-I-converges": "pid/bilinear",
    "PID5-unclipped": "pid/switching",
    "PID5-outside": "pid/adaptive",
    "PID9-docstring": "pid/incremental",
    "PID7-simultaneous": "controllers/augmented",
    "PID8-unclipped": "controllers/ascent",
    "PID8-no-wind-up": "controllers/wind-up",
    "PID6-tenth": "dual-response/average",
    "PID6-safe": "dual-response/average",
    "MV9-free": "dual-response/average",
    "MV2-unbiased": "value-alignment/biased",
    "MV2-optimistic": "value-alignment/biased",
    "MV5-monotone": "value-alignment/ranked",
    "MV5-first": "value-alignment/ranked",
    "MV6-any-alpha": "value-alignment/even",
}
"""The false statements of the catalogue, and two of ours; that they die is for tests of claims."""


def test_the_false_statements_of_the_catalogue_are_there() -> None:
    found = {one.name: name for name in LABELS for one in CLAIMS[name].named_mutants}
    assert found == MUTANTS


def values(label: str, landmark: str) -> dict[str, Fraction]:
    claim = CLAIMS[label]
    found = next(claim.evaluate(*claim.family.landmark(landmark)))
    return {quantity.name: value for quantity, value in found.items()}


def test_a_bound_on_dual_ascent_is_attained() -> None:
    found = values("dual-response/average", "attained")
    # 1/(2 * 3/2) + 3/2 (2/3)^2/2 = 1/3 + 1/3
    assert (
        found["gap"]
        == Fraction(2, 3)
        == 1 / (2 * found["eta"]) + found["eta"] * found["B"] ** 2 / 2
    )
    golden = values("dual-response/average", "golden")
    assert golden["gap"] == Fraction(1, 6)
    assert golden["eta"] * golden["B"] ** 2 / 10 < Fraction(1, 6)
    assert golden["excess"] == -Fraction(1, 6)


def test_a_far_multiplier_takes_its_time() -> None:
    found = values("dual-response/speed", "down")
    assert found["lam_k"] == 1480 == 1500 - 100 * found["eta"] * found["d"]


def test_wind_up() -> None:
    assert values("controllers/wind-up", "golden")["silent"] == 50


def test_three_eigenvalues_of_one_modulus() -> None:
    found = values("pid/smoothed", "even")
    assert [found[name] for name in ("c_2", "c_1", "c_0")] == [-1, Fraction(1, 2), -Fraction(1, 8)]


def test_the_leak_lets_in_what_the_bound_says() -> None:
    found = values("value-alignment/partial", "leak")
    assert found["e_in"] == Fraction(3, 5)


def test_the_witnesses_are_not_empty() -> None:
    assert len(list(_unclipped())) == 1
    falls = [found for found in _along(0, 1)]
    assert any(a < b for a, b in (one.values() for one in falls))
    assert any(a > b for a, b in (one.values() for one in falls))


@pytest.mark.parametrize("family", [near_edge(), switched()])
def test_families_reach_both_sides(family) -> None:
    from holdfast.solvers.offline.multipliers.stability import Loop, Verdict, verdict
    from holdfast.verify.binding.draws import PhiloxDraw

    drawn = [family.draw(PhiloxDraw("sides", k))[0] for k in range(40)]
    if isinstance(drawn[0], Loop):
        assert {verdict(one) for one in drawn} == {Verdict.STABLE, Verdict.UNSTABLE}
    else:
        assert {len(case[0]) for case in drawn} == {2, 3}


def test_arms_are_told_apart() -> None:
    model = ascents.arms(Fraction(1, 2), (0, 0), (1, 1))
    assert (model.n_states, model.n_choices, model.budgets) == (1, 2, (Fraction(1, 2),))
