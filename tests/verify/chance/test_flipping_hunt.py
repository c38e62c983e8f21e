"""The hunt for counterexamples to the printed theorems on flipping policies."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from holdfast.solvers.chance.windows.flips import best_flipping
from holdfast.solvers.chance.windows.optimum import WindowOptimum, solve_windows
from holdfast.solvers.chance.windows.problem import WindowProblem
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.chance.landmarks.windows import ce1
from holdfast.verify.report.json_report import hunt_document, write_hunt
from holdfast.verify.search.counterexample import certify
from holdfast.verify.search.hunt import Hunt, hunt

F = Fraction
CLAIMS = {claim.name: claim for claim in shipped()}
AREAS = ("flipping", "policy-mixtures", "surrogate-costs")
OURS = {name: claim for name, claim in CLAIMS.items() if name.partition("/")[0] in AREAS}
REFUTED = [name for name, claim in OURS.items() if claim.theorem.standing.is_false]


def found_by_hunting(seed: int) -> tuple[Claim, Hunt]:
    claim = CLAIMS["flipping/two-actions"]
    return claim, hunt(claim, seed=seed, budget=Budget(models=5000))


def check_rediscovery(found: Hunt) -> WindowProblem:
    """A model of at most five states, T = 2, not the known one, refuting two actions."""
    assert found.violation is not None
    (problem,) = found.violation.case
    assert problem.model.n_states <= ce1().model.n_states
    assert problem.window == 2
    assert problem != ce1()
    best = solve_windows(problem)
    assert best is not None
    flip = best_flipping(problem, best.rows)
    assert flip is not None
    assert flip.value < best.value
    return problem


def test_the_hunt_finds_a_counterexample_to_the_two_action_theorem() -> None:
    claim, found = found_by_hunting(3)
    check_rediscovery(found)
    assert 0 < found.models <= 5000
    seen = found.violation.observation if found.violation else None
    assert seen is not None
    certified = certify(claim, seen.case, seen.part, seen.values)
    assert certified.report.accepted
    assert (certified.report.proved, certified.report.given) == (2, 0)


def test_the_hunt_is_not_told() -> None:
    """Without the landmarks it tries the same models; none of these is a landmark."""
    claim = CLAIMS["flipping/two-actions"]
    untold = replace(claim, family=replace(claim.family, landmarks={}))
    told, alone = (hunt(one, seed=3, budget=Budget(models=20)) for one in (claim, untold))
    assert (told.models, told.restarts) == (alone.models, alone.restarts)
    assert [peak.trace for peak in told.best] == [peak.trace for peak in alone.best]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_the_hunt_finds_it_from_any_start(seed: int) -> None:
    check_rediscovery(found_by_hunting(seed)[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUTED)
def test_every_refuted_statement_is_refuted_by_a_hunt(name: str) -> None:
    """From random starts, without landmarks."""
    found = hunt(CLAIMS[name], seed=1, budget=Budget(models=5000))
    assert found.violation is not None


def test_the_record_of_a_hunt(tmp_path: Path) -> None:
    claim = CLAIMS["surrogate-costs/conservative"]
    found = hunt(claim, seed=0, budget=Budget(models=500))
    assert found.violation is not None
    seen = found.violation.observation
    certified = certify(claim, seen.case, seen.part, seen.values)
    document = hunt_document(found, claim, certified)
    assert document["violation"]["accepted"] is True
    assert (document["violation"]["proved"], document["violation"]["given"]) == (2, 0)
    assert document["models"] == found.models
    assert document["violated"] is True
    assert document["standing"] == "refuted"
    assert document["violation"]["models_shrinking"] > 0
    assert document["violation"]["integers_after"] <= document["violation"]["integers_before"]
    write_hunt(found, claim, certified, tmp_path / "hunt.json")
    assert json.loads((tmp_path / "hunt.json").read_text()) == document


def test_hunting_a_refuted_statement_is_as_expected(holdfast) -> None:
    """Exit code 0, the number of models on the console and in the record."""
    store = ("--store", "store/findings.sqlite", "--json", "hunt.json")
    done = holdfast("hunt", "surrogate-costs/conservative", *store)
    assert done.code == 0
    record = json.loads(Path("hunt.json").read_text())
    assert done.says(
        f"{record['models']} models tried", "2 numbers proved of the programs", "0 given"
    )
    (certificate,) = Path("store/certificates").glob("*.json")
    assert holdfast("check", certificate).code == 0


def test_a_hunt_does_not_find_what_it_kept(holdfast) -> None:
    """The second run searches anew; what it took from the store is said apart."""
    tell = ("--store", "store/findings.sqlite", "--json", "hunt.json")
    first = holdfast("hunt", "surrogate-costs/conservative", *tell)
    assert "from the store" not in first.output
    again = holdfast("hunt", "surrogate-costs/conservative", "--seed", "5", *tell)
    record = json.loads(Path("hunt.json").read_text())
    assert record["starts_from_store"] == 1
    assert again.says("1 start from the store")
    assert record["models"] > 1


def test_a_rejected_counterexample_is_no_counterexample(
    holdfast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A solver whose certificate is wrong: its step is named, and the exit code is 4."""
    honest = WindowOptimum.certificate
    monkeypatch.setattr(
        WindowOptimum, "certificate", lambda self: {**honest(self), "value": "1234567"}
    )
    tell = ("--store", "store/findings.sqlite", "--json", "hunt.json")
    done = holdfast("hunt", "surrogate-costs/conservative", *tell)
    assert done.code == 4
    assert done.says("REJECTED", "step 2, fields of counterexample", "1234567")
    assert "numbers proved" not in done.output
    assert json.loads(Path("hunt.json").read_text())["violation"]["accepted"] is False
    (certificate,) = Path("store/certificates").glob("*.json")
    assert holdfast("check", certificate).code == 4
