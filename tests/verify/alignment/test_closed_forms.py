"""The closed forms of alignment: drawn models, false variants, instances by hand."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from tests.zoo.shards import shards

from holdfast.solvers.alignment import best_of_n as solver
from holdfast.solvers.alignment import groups
from holdfast.verify.alignment.landmarks import best_of_n, group_updates
from holdfast.verify.binding.claims import shipped
from holdfast.verify.engine.examiner import Kind
from holdfast.verify.kernel import Verdict

LABELS = (
    "tilts/gibbs",
    "tilts/shift",
    "tilts/lipschitz",
    "tilts/nearness",
    "tilts/multiplier",
    "tilts/cold",
    "tilts/soft-bellman",
    "preferences/dpo-loss",
    "preferences/dpo",
    "preferences/components",
    "preferences/ipo",
    "preferences/kto",
    "best-of-n/law",
    "best-of-n/divergence",
    "best-of-n/win-rate",
    "best-of-n/gain",
    "best-of-n/variation",
    "best-of-n/smooth",
    "best-of-n/soft-variation",
    "best-of-n/soft-mixture",
    "group-updates/leave-one-out",
    "group-updates/fixed-point",
    "group-updates/pairs",
    "group-updates/estimators",
    "group-updates/token-kl",
    "group-updates/token-fixed-point",
)
CLAIMS = {c.name: c for c in shipped() if c.theorem.label in LABELS and not c.trained}
MUTANTS = [(name, one.name) for name, claim in CLAIMS.items() for one in claim.named_mutants]


shard = shards(CLAIMS, 5)


def values_on(label: str, landmark: str) -> dict[str, Any]:
    claim = CLAIMS[label]
    values = next(iter(claim.evaluate(*claim.family.landmark(landmark))))
    return {quantity.name: value for quantity, value in values.items()}


def test_every_closed_form_is_listed() -> None:
    areas = {label.partition("/")[0] for label in LABELS}
    pillar = {c.theorem.label for c in shipped() if "alignment/claims" in c.file}
    mine = {label for label in pillar if label.partition("/")[0] in areas}
    assert {c.theorem.label for c in CLAIMS.values()} == set(LABELS) == mine


@pytest.mark.parametrize("name", CLAIMS)
def test_a_few_models_agree(name: str) -> None:
    verdicts = {one.verdict for one in shard(name, Kind.DRAWN, 8).findings}
    assert not verdicts & {Verdict.VIOLATED, Verdict.UNDECIDED, Verdict.OUT_OF_SCOPE}
    assert verdicts - {Verdict.VACUOUS}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_a_named_mutant_falls(name: str, mutant: str) -> None:
    drawn = shard(name, Kind.DRAWN, 8).kills
    assert mutant in drawn or mutant in shard(name, Kind.LANDMARKS, 9).kills


@pytest.mark.parametrize(
    ("name", "assumption"), [("tilts/shift", "prompt-only"), ("preferences/dpo", "connected")]
)
def test_without_an_assumption_it_fails(name: str, assumption: str) -> None:
    assert shard(name, Kind.CONTROL, 50, assumption).kills


def test_soft_best_of_n_on_the_exact_pair() -> None:
    """64/71 and 201/214, and 34/37 at the mean of both policies, which is below their mean."""
    found = values_on("best-of-n/soft-mixture", "not_concave")
    ends = found["soft"], found["soft_other"]
    assert ends == (Fraction(64, 71), Fraction(201, 214))
    assert found["soft_middle"] == Fraction(34, 37) < sum(ends) / 2


@pytest.mark.parametrize("n", [2, 3, 8])
def test_half_of_the_constant_is_too_small_by_two(n: int) -> None:
    """On the extremal instance what concavity leaves is the whole constant times KL, nearly."""
    case, other = best_of_n.extremal(n)
    policy, other = case.policy.astype(float), other.astype(float)
    rewards = case.rewards.astype(float)
    left = solver.best_value(policy, rewards, n) - solver.best_value(other, rewards, n)
    left += (other - policy) @ solver.first_variation(policy, rewards, n)
    far = other @ np.log(other / policy)
    assert left / (solver.smoothness(1.0, n) * far) == pytest.approx(1, abs=0.01)


def test_signs_and_gradient_of_three_rewards() -> None:
    """Rewards 0, 1, 5, even: the gradient is (-2, -1, 3)/3, signs give (-1, 0, 1)."""
    policy, rewards = group_updates.three_rewards()
    gradient = groups.gradient(policy, rewards)
    assert gradient.tolist() == [Fraction(-2, 3), Fraction(-1, 3), Fraction(1)]
    update = groups.expected_update(policy, rewards, 2, scaled=True)
    root = 2**0.5
    assert [float(one) for one in update] == pytest.approx([-2 / 9 / root, 0, 2 / 9 / root])
