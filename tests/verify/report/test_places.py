"""From a theorem to its statement, claim, family, solvers and tests, for every theorem."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from holdfast.theory import catalogue
from holdfast.verify.binding.claims import load, shipped
from holdfast.verify.report.places import Place, places

BY_HAND = {
    "group-primal-dual/average",
    "group-primal-dual/tied",
    "inference-aware/two-goals",
    "chance/sandwich",
    "chance/interpolation",
    "policy-mixtures/selection-divergence",
    "adaptive-poisoning/joint-argmin",
    "adaptive-poisoning/trained-trunk",
    "information-gain/chain-rule",
    "information-gain/greedy",
    "information-gain/spectrum",
    "information-gain/water-filling",
    "information-gain/trace",
    "information-gain/variances",
    "confidence/bayesian",
    "confidence/one-sided",
    "confidence/exact-tails",
    "confidence/regret",
    "confidence/error-split",
    "confidence/determinant",
    "confidence/lipschitz",
    "group-gradients/truncation",
    "return-conditioning/fluctuation",
    "safe-tuning/average-width",
    "safe-tuning/exact-tails",
    "safe-tuning/unit-regret",
    "trained-targets/evaluated",
    "trained-targets/recommended",
    "trained-targets/asked-for",
    "covariance/gaussian",
    "baselines/mode-target",
    "baselines/two-kernels",
    "baselines/batch-scale",
    "baselines/ring-suffix",
    "coverage/cloning-bias",
    "coverage/cloning-spread",
    "guarded/safe",
    "guarded/safe-as-printed",
    "guarded/every-count",
    "guarded/coverage",
    "controllers/augmented",
    "pid/energy",
    "pid/switching",
    "offline-policies/cheaper",
    "offline-policies/better",
    "offline-policies/aligned",
    "offline-policies/speed-limit",
}
"""Theorems whose claims compute everything themselves, in rationals or balls, without a function of
the solvers, or only through a record of what a trained network did."""


@cache
def of(label: str) -> list[Place]:
    return places([claim for claim in shipped() if claim.theorem.label == label])


def mentions(place: Place, label: str) -> bool:
    """Whether the lines there are what the place says."""
    lines = place.file.read_text(encoding="utf-8").splitlines()[place.line - 1 :]
    here = lines[0]
    defined = next((line for line in lines if line.startswith("def ")), "").startswith(
        f"def {place.name}("
    )
    return {
        "statement": here == f"{place.name} = Theorem(" and f'label="{label}"' in lines[1],
        "claim": here.startswith(("@claim(", "@_bound(")) and defined,
        "family": here.startswith(("def ", "@")) and defined,
        "solver": (here.startswith(("def ", "@")) and defined)
        or here.startswith(f"class {place.name}"),
        "test": any(word in here for word in (f'"{label}', f"'{label}", "shipped()"))
        or here.startswith("from holdfast.verify."),
    }[place.role]


@pytest.mark.parametrize("label", [theorem.label for theorem in catalogue()])
def test_every_theorem_leads_to_its_check(label: str) -> None:
    found = of(label)
    assert not [place for place in found if not mentions(place, label)]
    roles = [place.role for place in found]
    assert roles.count("statement") == 1
    assert {"claim", "family", "test"} <= set(roles)
    assert ("solver" in roles) is (label not in BY_HAND)


def test_a_wrong_line_or_name_would_be_seen() -> None:
    for place in of("cmdp/multiplier-bound"):
        assert not mentions(replace(place, line=1), "cmdp/multiplier-bound")
    assert not mentions(replace(of("cmdp/multiplier-bound")[0], name="other"), "cmdp/occupancy")


def test_a_claim_on_trained_networks_leads_to_tests_that_examine_it() -> None:
    """The one that goes through all claims leaves it out."""
    tests = [place.file.name for place in of("offline-policies/cheaper") if place.role == "test"]
    assert "test_trained.py" in tests
    assert "test_power.py" not in tests
    assert "test_power.py" in [place.file.name for place in of("tilts/soft-bellman")]


def test_the_solvers_are_those_that_the_claim_calls() -> None:
    """The span bound is computed from `policy_change`, through no helper; see its claim."""
    found = {place.name: place for place in of("trust-region/span-bound")}
    assert found["policy_change"].file.name == "policy_change.py"
    assert found["cmdps"].role == "family"
    # strong duality asks the optimum through `optima`, a helper of the claims
    assert "solve" in {place.name for place in of("cmdp/strong-duality")}


MINE = """
from holdfast.theory import Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import claim, families

x = Quantity("x", "a number")
small = Theorem(
    label="mine/small",
    title="Small",
    relation=Le(x, 1),
    source=Source("me", "", Provenance.DERIVED),
)


@claim(small, over=families.cmdps())
def check(model):
    yield {x: 0}
"""


def test_a_claim_of_a_user_leads_to_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    first, second, *rest = places(load(Path("mine.py")))
    assert (str(first), str(second)) == ("mine.py:6", "mine.py:14")
    assert [place.role for place in rest] == ["family"], "no test of ours examines it"
