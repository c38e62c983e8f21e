"""Known answers: what each kind of certificate proves, on models that can be solved by hand."""

import json
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from holdfast.verify import kernel
from holdfast.verify.kernel import Enclosure, check, check_file

Document = dict[str, Any]
HALVES = Fraction(7, 2)


def test_every_document_is_accepted_from_memory_and_from_a_file(
    valid: Document, tmp_path: Path
) -> None:
    report = check(valid)
    assert report.accepted, str(report.steps[-1])
    assert [step.number for step in report.steps] == list(range(1, len(report.steps) + 1))
    assert all(step.ok for step in report.steps)
    assert report.kind == valid["kind"]
    assert report.conclusion

    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(valid))
    from_file = check_file(path)
    assert from_file.accepted
    assert len(from_file.steps) == len(report.steps) + 1
    assert from_file.enclosure == report.enclosure


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optimum", HALVES),
        ("policy", HALVES),
        ("mixture", HALVES),
        ("bounds", HALVES),
        ("program", Fraction(14, 5)),
        ("counterexample", Fraction(1, 6)),  # 7/2 - (3 + 1/3)
    ],
)
def test_exact_values(documents: dict[str, Document], name: str, value: Fraction) -> None:
    assert check(documents[name]).enclosure == Enclosure.exact(value)


def test_infeasible_documents_prove_no_number_but_say_by_how_much(
    documents: dict[str, Document],
) -> None:
    report = check(documents["infeasible"])
    assert report.enclosure is None
    assert "-1/20" in report.conclusion
    assert "-1" in check(documents["farkas"]).conclusion


def test_costs_and_functions_given_by_values(documents: dict[str, Document]) -> None:
    policy = documents["policy"]
    # Costs of the policy: C0 = 2 and C1 = 2/9 (2 + (2 + C1)/4) + 7/18 C1 = 5/9 + 4/9 C1 = 1.
    policy |= {"function": ["cost", 0], "values": ["2", "1"], "value": "3/2"}
    assert check(policy).enclosure == Enclosure.exact(Fraction(3, 2))
    policy["function"] = {"values": ["0", "1", "0", "2"]}
    assert check(policy).enclosure == Enclosure.exact(Fraction(3, 2))


def test_approximate_values_are_enclosed_by_their_residuals(
    documents: dict[str, Document],
) -> None:
    bounds = documents["bounds"]
    # V = (4, 5) for policy "11": the residual is 0 in state 0 and 3 + 9/4 - 5 = 1/4 in state 1, so
    # J is in 9/2 + [0, 1/4] 2, and the mixture earns 7/10 3 + 3/10 [9/2, 5] = [69/20, 18/5].
    bounds["mixture"]["components"][1]["reward_values"] = ["4", "5"]
    # V = (2, 5/2) with multiplier 1: the residuals are 9/8 - 2 < 0 for (0, 0), 1 + 1 - 2 = 0 for
    # (0, 1), 1 + 5/4 - 5/2 = -1/4 for (1, 0) and 1 + 9/8 - 5/2 = -3/8 for (1, 1), so the bound is
    # initial.V + 3/2 = 9/4 + 3/2 = 15/4.
    bounds["values"] = ["2", "5/2"]
    bounds["value"] = ["69/20", "15/4"]
    report = check(bounds)
    assert report.accepted, str(report.steps[-1])
    assert report.enclosure == Enclosure(Fraction(69, 20), Fraction(15, 4))


def test_a_residual_above_zero_raises_the_upper_bound(documents: dict[str, Document]) -> None:
    bounds = documents["bounds"]
    # V = (0, 0) with multiplier 0: the largest reward is 3, so the bound is 3 / (1 - 1/2) = 6.
    bounds |= {"values": ["0", "0"], "multipliers": ["0"], "value": ["7/2", "6"]}
    report = check(bounds)
    assert report.enclosure == Enclosure(HALVES, Fraction(6))
    bounds["value"] = ["7/2", "5999999/1000000"]
    assert not check(bounds).accepted


def test_discount_zero_and_no_constraint() -> None:
    model = {
        "kind": "cmdp", "n_states": 1, "choices": [[0, 3], [0, 1]], "discount": "0",
        "transitions": [[[0, "0x2"]], [[0, 5], [0, 1]]], "reward": ["1/3", "1/2"], "costs": [],
        "budgets": [], "initial": ["1"],
    }  # fmt: skip
    document = {
        "format": "holdfast-certificate/1", "kind": "cmdp-optimum", "model": model,
        "occupancy": ["0", "1"], "values": ["1/2"], "multipliers": [], "value": "1/2",
    }  # fmt: skip
    assert check(document).enclosure == Enclosure.exact(Fraction(1, 2))


def test_numbers_may_be_hexadecimal_and_unreduced(documents: dict[str, Document]) -> None:
    optimum = documents["optimum"]
    optimum["value"] = "0x7/0x2"
    optimum["occupancy"] = {"denominator": "0x14", "numerators": ["0", "0x16", "14", "4"]}
    assert check(optimum).accepted


def test_a_change_that_leaves_the_statement_true_is_accepted(
    documents: dict[str, Document],
) -> None:
    optimum = documents["optimum"]
    # Where (0, 0) leads does not matter: 0 + V/2 = 1 < 2 in any case, and it is never chosen.
    del optimum["model"]["transitions"][0][0]
    assert check(optimum).accepted


def test_multipliers_need_no_normalisation_to_prove_infeasibility(
    documents: dict[str, Document],
) -> None:
    infeasible = documents["infeasible"]
    infeasible |= {"values": ["2", "6"], "multipliers": ["2", "3"]}
    assert check(infeasible).accepted


def test_given_and_proved_numbers_are_counted(documents: dict[str, Document]) -> None:
    report = check(documents["counterexample"])
    assert (report.proved, report.given) == (1, 1)
    report = check(documents["euler"])
    assert (report.proved, report.given) == (0, 1)
    assert check(documents["optimum"]).given == 0
    euler = documents["euler"]
    euler["expression"] = ["mul", ["symbol", "v"], ["symbol", "x"]]
    euler |= {"lo": "3", "hi": "4"}
    euler["values"]["v"] = {"certificate": documents["policy"]}
    report = check(euler)
    assert (report.proved, report.given) == (1, 1)


def test_a_number_resting_on_numbers_given_is_not_proved(documents: dict[str, Document]) -> None:
    nested = documents["counterexample"]
    nested["values"]["v"] = {"certificate": documents["euler"]}
    step = check(nested).steps[-1]
    assert not step.ok
    assert "proves no number, or only from numbers given" in step.reason


def test_alphas_are_carried_to_the_report(documents: dict[str, Document]) -> None:
    euler = documents["euler"]
    euler["values"] = {"x": {"lo": "1", "hi": "1", "alpha": "1/1000000"}}
    report = check(euler)
    assert report.accepted
    assert report.enclosure is not None
    assert report.enclosure.alpha == Fraction(1, 10**6)


def test_precision_is_doubled_until_a_relation_is_decided(
    documents: dict[str, Document],
) -> None:
    counterexample = documents["counterexample"]
    # exp(t) - (1 + t) is about t^2 / 2 = 5e-61 for t = 1e-30: undecided at 64 and at 128 bits.
    tiny = f"1/{10**30}"
    counterexample["relation"] = [">=", ["add", "1", tiny], ["exp", tiny]]
    counterexample["values"] = {}
    report = check(counterexample)
    assert report.accepted, str(report.steps[-1])
    assert report.enclosure is not None
    assert report.enclosure.hi < 0
    assert abs(report.enclosure.lo) < Fraction(1, 10**60)


def test_precision_is_doubled_until_an_enclosure_is_narrow_enough(
    documents: dict[str, Document],
) -> None:
    euler = documents["euler"]
    figures = 2718281828459045235360287471352  # e to 30 places, more than 64 bits hold
    euler |= {"lo": f"{figures}/{10**30}", "hi": f"{figures + 1}/{10**30}"}
    assert check(euler).accepted


def test_relations_hold_at_equality_only_when_exact(documents: dict[str, Document]) -> None:
    counterexample = documents["counterexample"]
    counterexample["relation"] = ["<", ["sqrt", "9/4"], ["exp", ["log", "1"]]]
    counterexample["values"] = {}
    assert check(counterexample).accepted
    counterexample["relation"] = ["!=", ["sqrt", "9/4"], "3/2"]
    assert check(counterexample).accepted
    counterexample["relation"] = ["!=", ["pow", ["sqrt", "2"], 2], "2"]
    step = check(counterexample).steps[-1]
    assert step.name == "relation is false"
    assert "undecided" in step.reason


def test_the_command_line_runs_in_a_fresh_process(
    documents: dict[str, Document], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(documents["optimum"]))
    bad.write_text(json.dumps({**documents["optimum"], "value": "15/4"}))
    command = [sys.executable, "-m", "holdfast.verify.kernel"]
    accepted = subprocess.run([*command, str(good)], capture_output=True, text=True, check=False)
    assert accepted.returncode == 0, accepted.stderr
    assert re.search(
        r"the optimal value of the constrained MDP \(1 budget; 2 states, 4 choices, "
        r"discount 1/2, digest [0-9a-f]{16}\) is 7/2\n",
        accepted.stdout,
    )
    rejected = subprocess.run(
        [*command, str(good), str(bad)], capture_output=True, text=True, check=False
    )
    assert rejected.returncode == 4
    assert "REJECTED" in rejected.stdout
    assert "15/4" in rejected.stdout


def test_the_kernel_runs_elsewhere(documents: dict[str, Document], tmp_path: Path) -> None:
    """A copy of its folder, by its path or as a module, as the guide says."""
    shutil.copytree(Path(kernel.__file__).parent, tmp_path / "kernel")
    (tmp_path / "good.json").write_text(json.dumps(documents["optimum"]))
    for how in (["-I", "kernel/__main__.py"], ["-m", "kernel"]):
        command = [sys.executable, *how, "good.json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "is 7/2" in done.stdout
