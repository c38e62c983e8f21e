"""The files of claims that the documentation shows do what it says of them."""

import runpy
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


def test_a_policy_simulated_in_gymnasium_earns_what_is_certified(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """To 99 %; the seed is fixed, so that it does or does not."""
    runpy.run_path(str(DOCUMENTATION / "how-to" / "simulate_policy.py"))
    words = capsys.readouterr().out.replace(",", "").split()
    certified, simulated, error = (float(words[place]) for place in (1, 3, 5))
    assert certified == 0.5420
    assert abs(certified - simulated) <= error < 0.02


def test_a_policy_for_arrays_earns_and_costs_what_is_certified(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """To 99 %, each; the seeds are fixed.  The limit of 1/2 binds."""
    runpy.run_path(str(DOCUMENTATION / "how-to" / "simulate_mine.py"))
    earned, paid = capsys.readouterr().out.replace(",", "").splitlines()[-2:]
    for line, known in ((earned, 8.468), (paid, 0.5)):
        certified, simulated, error = (float(line.split()[place]) for place in (2, 4, 6))
        assert certified == known
        assert 0 < abs(certified - simulated) <= error


def test_the_windy_lake_is_enclosed_and_checked_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["windy_lake.py", "30"])
    runpy.run_path(str(DOCUMENTATION / "how-to" / "windy_lake.py"), run_name="__main__")
    first, *boats, again = capsys.readouterr().out.splitlines()
    low, high = (float(word) for word in first.split()[2::2])
    assert low <= high <= low + 1.1e-5
    assert again.endswith(first.removeprefix("fish: "))
    assert sum(float(line.split()[0]) for line in boats) == pytest.approx(1, abs=2e-4)


@pytest.mark.slow
def test_what_ppo_learnt_is_found_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(DOCUMENTATION / "how-to" / "certify_ppo.py"))
    said = capsys.readouterr().out
    assert "within the limit: False; the optimum is 0.2296" in said


@pytest.mark.slow
def test_what_other_solvers_answer_is_bracketed_and_a_broken_limit_found_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.542026 is the optimum without the limit, 0.229574 within it: two linear programs."""
    pytest.importorskip("stormpy")
    pytest.importorskip("quantecon")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(DOCUMENTATION / "how-to" / "certify_others.py"))
    program, priced, *unlimited = capsys.readouterr().out.splitlines()
    assert "earns 0.2296, limit kept; optimum up to 0.229574" in program
    assert float(program.split(", ")[2].split()[0]) < 1e-6
    assert priced.startswith("QuantEcon, priced   optimum up to 0.229574")
    assert [line[:19].rstrip() for line in unlimited] == ["QuantEcon, no limit", "Storm, no limit"]
    assert all("earns 0.5420, limit broken by 6.8e-02" in line for line in unlimited)
