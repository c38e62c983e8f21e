"""The statements on WSAC: drawn models, sharp cases by hand, false variants counted."""

import subprocess
import sys
from fractions import Fraction

import pytest
import sympy

from holdfast.solvers.offline.wsac import Run, gaps
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.engine.examiner import Kind, Shard, run_shard
from holdfast.verify.engine.fairness import why_fair
from holdfast.verify.kernel import Verdict
from holdfast.verify.offline.landmarks import bandits, extremal

LABELS = (
    "coverage/difference",
    "coverage/decomposition",
    "coverage/concentrability",
    "coverage/separation",
    "coverage/deviation",
    "coverage/cloning-bias",
    "coverage/cloning-spread",
    "no-regret/hedge",
    "no-regret/gradient",
    "no-regret/starts",
    "safe-improvement/population",
    "safe-improvement/proof-line",
    "safe-improvement/literal-oracle",
    "safe-improvement/samples",
    "safe-improvement/squared",
    "weighted-critics/lemma-literal",
    "weighted-critics/lemma-constant",
    "weighted-critics/concave",
    "weighted-critics/linear",
    "weighted-critics/reward-step",
    "weighted-critics/cost-step",
    "weighted-critics/reference-printed",
    "weighted-critics/reference",
)
CLAIMS = {claim.name: claim for claim in shipped(LABELS)}
BOXES = "safe-improvement/population#boxes"
FALSE = [label for label in LABELS if CLAIMS[label].theorem.standing.is_false]


@pytest.mark.parametrize("label", [*LABELS, BOXES])
def test_drawn_models_say_what_is_expected(label: str) -> None:
    found = run_shard(CLAIMS[label], Shard(label, Kind.DRAWN, 0, 6, seed=7))
    assert not found.error
    verdicts = {finding.verdict for finding in found.findings}
    assert Verdict.UNDECIDED not in verdicts
    assert label in FALSE or Verdict.VIOLATED not in verdicts


@pytest.mark.parametrize("label", FALSE)
def test_a_false_statement_lists_what_is_printed(label: str) -> None:
    met = why_fair(CLAIMS[label])
    assert len(met) >= 6
    assert all(one.text.endswith(".") for one in met)


def test_the_cases_of_the_catalogue() -> None:
    """1/5 against -1/20; 1/4 against 0; 2 against 37/20; 0 >= 8/5 is false."""
    (values,) = CLAIMS["weighted-critics/lemma-literal"].evaluate(*bandits.average_of_parts())
    assert sorted(values.values()) == [Fraction(-1, 20), Fraction(1, 5)]
    for case, term, bound in (
        (bandits.range_clean(), Fraction(1, 4), 0),
        (bandits.small_multiplier(), 2, Fraction(37, 20)),
    ):
        found = gaps(case[0], case[2], case[1])
        assert (found.cost, found.linear + 1 / case[1]) == (term, bound)
        assert (found.phi + 1) / case[1] == term, "the right constant is attained"
    claim = CLAIMS["safe-improvement/proof-line"]
    (values,) = claim.evaluate(*claim.family.landmark("misled"))
    named = {quantity.name: value for quantity, value in values.items()}
    assert (named["true_objective"], named["beta"] * named["E_cost"]) == (0, Fraction(8, 5))


def test_the_multiplier_is_said_as_it_is() -> None:
    for label, shown in (("lemma-literal", 1), ("lemma-constant", 2)):
        met = why_fair(CLAIMS[f"weighted-critics/{label}"])
        assert f"It is {shown}." in [one.met for one in met]


def test_the_regret_is_added_and_not_taken_off() -> None:
    """Payoffs (0, 1): cost gap 1 <= 1 + 1, where 1 - 1 is less."""
    case, multiplier, run = bandits.full_regret()
    found = gaps(case, run, multiplier)
    assert (found.cost, found.linear, min(run.payoffs[0])) == (1, 1, 0)


@pytest.mark.parametrize("multiplier", [2, 5, 50])
def test_the_tight_instance_of_theorem_4_1(multiplier: int) -> None:
    """M7: objective 1/100, excess 99/100/lambda."""
    case = bandits.tempted(Fraction(multiplier))
    values = [dict(one) for one in CLAIMS["safe-improvement/population"].evaluate(*case)]
    named = {quantity.name: value for quantity, value in values[0].items()}
    assert named["excess"] == Fraction(99, 100) / multiplier
    assert max(one[q] for one in values for q in one if q.name == "believed") == Fraction(1, 100)


@pytest.mark.parametrize("name", extremal.behaviour_cases())
def test_bounds_from_data_are_attained(name: str) -> None:
    for label, cases in (
        ("safe-improvement/samples", extremal.behaviour_cases()),
        ("weighted-critics/reference", extremal.reference_cases()),
    ):
        claim = CLAIMS[label]
        values = {q: sympy.Rational(v) for q, v in next(claim.evaluate(*cases[name])).items()}
        part = claim.theorem.parts[name.endswith("cost")]
        over = sympy.simplify(part.right.xreplace(values) - part.left.xreplace(values))
        # there lambda is 10^6 and Vmax/lambda all that is left
        assert over == (sympy.Rational(2, 10**6) if name == "noisy_cost" else 0)


def test_a_run_of_one_round_is_what_it_says() -> None:
    problem, multiplier, run = bandits.average_of_parts()
    assert isinstance(run, Run)
    assert gaps(problem, run, multiplier).reward == Fraction(1, 5)


def test_draws_are_the_same_each_time() -> None:
    family = CLAIMS["weighted-critics/reference"].family
    first, second = (family.draw(PhiloxDraw("same", 3)) for _ in range(2))
    assert first[0].rewards == second[0].rewards


@pytest.mark.slow
def test_certificates_are_accepted_in_a_fresh_process(tmp_path) -> None:
    command = [sys.executable, "-m", "holdfast"]
    for label in FALSE:
        subprocess.run(
            [*command, "verify", label, "--budget", "6", "--jobs", "1"], cwd=tmp_path, check=True,
            capture_output=True,
        )  # fmt: skip
    files = sorted(map(str, (tmp_path / ".holdfast" / "certificates").glob("*.json")))
    assert len(files) >= len(FALSE)
    done = subprocess.run(
        [*command, "check", *files], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
