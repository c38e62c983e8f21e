"""What the certificates of counterexamples on flipping policies prove, and what they are given."""

import copy
import pickle
from dataclasses import replace
from fractions import Fraction

import pytest

from holdfast.solvers import Policy
from holdfast.solvers.cmdp.policy_change import policy_change
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.binding.family import OutOfScope
from holdfast.verify.binding.proofs import Proved
from holdfast.verify.binding.values import ClaimError
from holdfast.verify.chance.claims import flag_program as flag_program_claims
from holdfast.verify.chance.claims import flipping as flipping_claims
from holdfast.verify.chance.claims.surrogate_costs import unsafe_cost
from holdfast.verify.chance.families.windows import watched_models
from holdfast.verify.chance.landmarks.windows import ce1, ce2
from holdfast.verify.chance.returns import start_risk, start_safety
from holdfast.verify.cmdp.families.cmdps import policy
from holdfast.verify.cmdp.landmarks import g1
from holdfast.verify.cmdp.returns import return_within_budgets
from holdfast.verify.kernel import check
from holdfast.verify.report import cases
from holdfast.verify.search.counterexample import Observation, Refuter, certify, certify_witness

F = Fraction
CLAIMS = {claim.name: claim for claim in shipped()}


def refutation(name: str, landmark: str) -> Observation:
    claim = CLAIMS[name]
    seen = Refuter(claim).refute(claim.family.landmark(landmark))
    assert seen is not None
    return seen


@pytest.mark.parametrize(("name", "landmark", "given"), [
    ("flipping/bellman", "CE-1", 0),
    ("flipping/flipping-program", "CE-1", 0),
    ("flipping/two-actions", "CE-1", 0),
    ("flipping/two-actions", "CE-1 from y", 0),
    ("flipping/additive-windows", "CE-1", 0),
    ("surrogate-costs/discounted-cost", "CE-3", 1),
    ("surrogate-costs/conservative", "CE-3", 0),
    ("surrogate-costs/always-stochastic", "kink", 0),
    ("policy-mixtures/selection-chance", "CE-4'", 5),
    ("policy-mixtures/selection-divergence", "CE-4''", 5),
    ("policy-mixtures/selection-bound", "CE-4", 5),
    ("policy-mixtures/limit", "minimum", 1),
    ("policy-mixtures/step-flip", "corridor", 1),
])  # fmt: skip
def test_counterexamples_carry_their_proofs(name: str, landmark: str, given: int) -> None:
    """Given are the parameters of a case (alpha, gamma_c, N, the coin), and constants: numbers
    calculated without a program or a model, such as the failure probability of a mixture."""
    seen = refutation(name, landmark)
    certified = certify(seen.claim, seen.case, seen.part, seen.values)
    assert certified.report.accepted
    assert certified.report.given == given
    assert certified.report.proved == len(certified.document["values"]) - given
    assert len(certified.report.behind) == len(certified.document["values"])
    # what is proved is what was yielded
    for quantity, value in seen.values.items():
        if isinstance(value, Proved):
            enclosure = check(value.document()).enclosure
            assert enclosure is not None
            assert enclosure.lo == enclosure.hi == value, quantity


def test_a_wrong_proof_is_not_accepted() -> None:
    seen = refutation("flipping/two-actions", "CE-1")
    document = copy.deepcopy(dict(certify(seen.claim, seen.case, seen.part, seen.values).document))
    document["values"]["V_star"]["certificate"]["value"] = "11/9"
    assert not check(document).accepted


def test_a_proved_number_is_a_number() -> None:
    number = Proved(F(2, 3), lambda: {"kind": "none"})
    assert number == F(2, 3)
    assert number + 1 == F(5, 3)
    assert copy.deepcopy(number) is number is copy.copy(number)
    again = pickle.loads(pickle.dumps(number))
    assert again == number
    assert type(again) is type(number + 1) is Fraction


def test_a_problem_is_written_out() -> None:
    seen = refutation("flipping/two-actions", "CE-1")
    text = str(seen)
    assert "windows: unsafe [4], window 2, level 1/5" in text
    assert "state 1, action 1: to 3 (1/2), 4 (1/2); reward 3" in text
    case = (seen.case[0], "beside")
    assert cases.models(case) == (seen.case[0].model,)
    windows, beside = cases.others(case)
    assert (windows["level"], beside) == ("1/5", "beside")
    assert "model" not in windows


@pytest.mark.parametrize(("name", "solver"), [
    ("flipping/zero-level", "best_deterministic"),
    ("flipping/one-step", "best_flipping"),
    ("flipping/two-actions", "solve_windows"),
])  # fmt: skip
def test_a_solver_that_finds_nothing_is_a_fault(
    name: str, solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The families promise that some policy exists, so nothing is out of scope."""
    monkeypatch.setattr(flipping_claims, solver, lambda *_: None)
    claim = CLAIMS[name]
    with pytest.raises(ClaimError, match="was not found, but the choices"):
        list(claim.evaluate(*claim.family.draw(PhiloxDraw("broken", 1))))


def test_a_model_that_no_policy_keeps_safe_is_out_of_scope() -> None:
    """From y the leak is 1/10 whatever is done, so at alpha = 1/20 there is no policy."""
    claim = CLAIMS["flipping/window-actions"]
    with pytest.raises(OutOfScope, match="no policy that meets every window is known"):
        list(claim.evaluate(replace(ce1(), level=F(1, 20))))


def test_flag_programs_that_find_nothing_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = type("Nothing", (), {"value": None})()
    for solver, name in (("solve", "levels"), ("solve_finite_horizon", "absorbing-flag")):
        claim = CLAIMS[f"chance/{name}"]
        case = claim.family.landmark("G8")
        with monkeypatch.context() as patch:
            patch.setattr(flag_program_claims, solver, lambda *_: nothing)
            with pytest.raises(ClaimError, match="no policy"):
                list(claim.evaluate(*case))


def test_ce2_is_checked_by_the_kernel() -> None:
    """V_star is proved of a model, V_flip calculated as a constant.

    So is the safety, as a return of the window that the kernel unrolls:
    1 - (p1 p2 + p2 + p3) = p1 (1 - p2).
    """
    (m2,) = CLAIMS["surrogate-costs/two-actions"].named_mutants
    certified = certify_witness(m2)
    assert certified.report.accepted
    assert (certified.report.proved, certified.report.given) == (1, 1)
    assert certified.document["relation"] == ["<=", ["symbol", "V_star"], ["symbol", "V_flip"]]
    problem, acting = ce2()
    safety = check(start_safety(problem, acting).document())
    assert safety.accepted
    assert (safety.proved, safety.given) == (1, 0)
    assert safety.enclosure is not None
    assert safety.enclosure.lo == safety.enclosure.hi == F(75008316, 10**8)
    # a value that the policy does not have is not accepted
    document = copy.deepcopy(dict(certified.document))
    document["values"]["V_star"]["certificate"]["value"] = "1/3"
    assert not check(document).accepted


def test_a_mutant_without_a_witness_has_no_certificate() -> None:
    (m31,) = CLAIMS["flipping/zero-level"].named_mutants
    with pytest.raises(ValueError, match="M31 has no witness to certify"):
        certify_witness(m31)


def test_m1_falls_on_ce1() -> None:
    """The witness solves the model: 10/9 against 6/5, both proved."""
    (m1,) = CLAIMS["flipping/one-step"].named_mutants
    assert m1.witness is not None
    ((best, program),) = [tuple(values.values()) for values in m1.witness()]
    assert (best, program) == (F(10, 9), F(6, 5))
    assert certify_witness(m1).report.given == 0


def test_the_linearised_cost_is_a_return() -> None:
    """What the kernel proves of alpha_s, on drawn policies: one return of the old policy.

    Here it is put together from distributions: gamma J_old + sum of d_old(s) E_new[c]/(1 - gamma).
    """
    claim, positive = CLAIMS["surrogate-costs/step-bound"], 0
    for index in range(20):
        problem, new, old = claim.family.draw(PhiloxDraw("linearised", index))
        model = problem.model
        cost = unsafe_cost(model, problem.unsafe)
        change = policy_change(model, old, new, [0] * model.n_states, cost)
        linearised = sum(
            d * new.probabilities[k] * cost[k] / (1 - model.discount)
            for s, d in enumerate(change.old_distribution)
            for k in problem.choices(s)
        )
        for values in claim.evaluate(problem, new, old):
            named = {quantity.name: value for quantity, value in values.items()}
            assert named["alpha_s"] == model.discount * change.old_return + linearised
            for name in ("alpha_s", "H_new"):
                enclosure = check(named[name].document()).enclosure
                assert enclosure is not None
                assert enclosure.lo == enclosure.hi == named[name]
            positive += named["alpha_s"] > 0
    assert positive > 3


def test_the_step_bound_that_nobody_prints_has_a_certificate() -> None:
    """With the advantage for the raw cost it is false, and what refutes it is checked."""
    mutants = {one.name: one for one in CLAIMS["surrogate-costs/step-bound"].named_mutants}
    assert certify_witness(mutants["advantage"]).report.accepted
    assert certify_witness(mutants["safe states"]).report.accepted


@pytest.mark.parametrize("additive", [False, True])
def test_risks_are_proved_of_windows(additive: bool) -> None:
    """Any policy and window: the kernel unrolls the model and finds the same risk."""
    for index in range(12):
        draw = PhiloxDraw("risks", index)
        (problem,) = watched_models().draw(draw)
        problem = replace(problem, additive=additive)
        risk = start_risk(problem, policy(draw, problem.model))
        report = check(risk.document())
        assert report.enclosure is not None
        assert report.enclosure.lo == report.enclosure.hi == risk


def test_a_policy_beyond_the_budget_has_no_certificate() -> None:
    """G1: always action 1 earns 14/3 at cost 8/3."""
    model = g1()
    bold = return_within_budgets(model, Policy.deterministic(model, [1, 1]))
    assert bold == F(14, 3)
    assert "exceeds its budget" in check(bold.document()).steps[-1].reason
    assert check(return_within_budgets(model, Policy.deterministic(model, [1, 0])).document())
