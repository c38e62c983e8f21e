"""The files of claims that the documentation shows do what it says of them."""

from pathlib import Path

import pytest

from holdfast.verify.binding.claims import Claim, load
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.campaign.summary import ClaimSummary
from holdfast.verify.kernel import Verdict
from holdfast.verify.store.store import Store

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs"


def examined(claims: tuple[Claim, ...]) -> ClaimSummary:
    with Store.open(":memory:") as store:
        run = run_campaign(claims, budget=Budget(models=200), seed=0, store=store)
        return summary(run, claims).claims[0]


def test_the_theorem_of_the_guide_is_not_refuted_and_all_its_mutants_are() -> None:
    found = examined(load(DOCUMENTATION / "how-to" / "diminishing_claims.py"))
    assert found.exit_code is ExitCode.AS_EXPECTED, (found.error, found.survived)
    assert found.verdict is Verdict.TIGHT


def test_the_hunch_of_the_tutorial_is_refuted() -> None:
    found = examined(load(DOCUMENTATION / "tutorial" / "hunch_claims.py"))
    assert found.exit_code is ExitCode.VIOLATION
    assert found.verdict is Verdict.VIOLATED


@pytest.mark.parametrize("name", ["how-to/diminishing_claims.py", "tutorial/hunch_claims.py"])
def test_a_whole_user_theorem_takes_at_most_25_lines(name: str) -> None:
    assert len((DOCUMENTATION / name).read_text().splitlines()) <= 25
