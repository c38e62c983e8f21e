"""Every shipped claim: as expected on landmarks, drawn models, controls; every mutant dead."""

import pytest

from holdfast import theory
from holdfast.theory import Standing
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.binding.family import OutOfScope
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.summary import ClaimSummary, mutants_to_kill, summarise
from holdfast.verify.engine.examiner import Kind, Shard, ShardResult, run_shard
from holdfast.verify.engine.ledger import Ledger
from holdfast.verify.kernel import Verdict

MODELS = 60
CLAIMS = {claim.name: claim for claim in shipped() if not claim.trained}
NAMED = {
    "M1": "flipping/one-step",
    "M2": "surrogate-costs/two-actions",
    "M3": "chance/safe-expected-cost",
    "M3'": "chance/absorbing-threshold",
    "M4": "chance/levels",
    "M5": "chance/levels",
    "M6": "chance/flag-program",
    "M7": "policy-classes/two-discounts",
    "M7'": "chance/eventual",
    "M8": "cmdp/randomisations",
    "M9": "cmdp/splitting",
    "M10": "cmdp/randomisations",
    "M11": "cmdp/perturbation",
    "M12": "trust-region/policy-bound",
    "M13": "trust-region/policy-bound",
    "M14": "policy-mixtures/union-bound",
    "M15": "primal-dual/average-gap",
    "M15'": "primal-dual/average-violation",
    "M16": "primal-dual/natural-improvement",
    "M21": "policy-classes/policy-loss",
    "M22": "policy-classes/zero-gap",
    "M25": "concentration/hoeffding",
    "M26": "model-based/pessimism",
    "M27": "policy-mixtures/episode-flip",
    "M29": "cmdp/multiplier-bound",
    "M30": "cmdp/time-inconsistency",
    "M31": "flipping/zero-level",
    "M32": "chance/expected-cost",
    "T1d-dropped": "poisoning/duality",
    "T1d-swapped": "poisoning/duality",
    "T1d-unboxed": "poisoning/chain",
    "T2-half-more": "poisoning/lower-bound",
    "T2-twice": "poisoning/lower-bound",
    "T2-tight": "poisoning/lower-bound",
    "T2-mean": "poisoning/lower-bound",
    "T2-distance": "poisoning/lower-bound",
    "T3-half": "poisoning/upper-bound",
    "T3-tight": "poisoning/upper-bound",
    "T3-projection": "poisoning/upper-bound",
    "T3-swapped": "poisoning/upper-bound",
    "T3'-cheaper": "poisoning/tighter-upper-bound",
    "P4-reversed": "poisoning/monotone",
    "X1-one-less": "poisoning/vertex",
    "X1-integral": "poisoning/vertex",
    "X2-quarter": "poisoning/rounding",
    "X2-quarter-moments": "poisoning/rounding",
    "X4-always-saves": "poisoning/threshold",
    "T6-no-capacity": "adaptive-poisoning/one-direction",
    "L0-close": "reward-learning/sufficient-statistic",
    "L0-far": "reward-learning/sufficient-statistic",
    "X3-half": "reward-learning/stability",
    "BC-T1-uncentred": "covariance/trick",
    "BC-T3-uncentred": "hypergradients/boltzmann",
    "BC-T3-sign": "hypergradients/boltzmann",
    "BC-T3-no-beta": "hypergradients/boltzmann",
    "BC-T3-half": "hypergradients/boltzmann",
    "BC-T3-direct": "hypergradients/boltzmann",
    "BC-T3-leader": "hypergradients/boltzmann",
    "BC-T4-undiscounted": "hypergradients/unbiased",
    "BC-T4-late": "hypergradients/unbiased",
    "BC-T4-leader-trace": "hypergradients/unbiased",
    "BC-T5-direct": "games/observing",
    "BC-T5-sign": "games/observing",
    "BC-T5-blind": "games/simultaneous",
    "BC-T6-policy": "bounds/policy",
    "BC-T6-eighth": "bounds/indirect",
    "BC-T7-unbiased": "baselines/unique-visits",
    "BC-T8-backups": "bounds/tracking",
    "BC-T8-lipschitz": "bounds/tracking",
}
"""The false statements that somebody might believe, by the names that reports print."""
CONTROLS = {
    "primal-dual/telescoping": "uncapped",  # M17: telescoping although the multiplier was cut off
    "primal-dual/telescoping-unclipped": "unclipped",
    "cmdp/randomisations": "basic",
    "cmdp/splitting": "one-state",
    "cmdp/approximate-primal": "penalty",
    "model-based/pessimism": "error-bound",
    "trust-region/policy-bound": "continuous",
    "concentration/hoeffding": "independent",
    "chance/expected-cost-absorbing": "absorbing",
    "chance/absorbing-flag": "absorbing",
    "chance/safe-expected-cost": "tightened",
    "policy-classes/policy-loss": "bounded-reward",
    "policy-classes/parametrised-gap": "universal",
    "flipping/one-step": "one-step",
    "flipping/zero-level": "zero-level",
    "policy-mixtures/strict-gain": "strictly-convex",
    "policy-mixtures/union-bound": "tightened",
    "poisoning/hard-labels": "hard",
    "poisoning/no-saving": "independent",
    "poisoning/rounding": "grid",
    "poisoning/threshold": "negative",
    "adaptive-poisoning/expressive": "expressive",
    "reward-learning/same-training": "moments",
    "reward-learning/reformulation": "attained",
    "reward-learning/same-policy": "prompt-only",
    "return-conditioning/sharper-alignment": "near-deterministic",
    "return-conditioning/exact-alignment": "deterministic",
    "return-conditioning/model-bias-sharper": "bounded",
    "hypergradients/shaping": "shaping",
    "baselines/unique-visits": "once",
}
REFUTED = {
    "flipping/bellman",
    "flipping/two-actions",
    "flipping/flipping-program",
    "flipping/additive-windows",
    "flipping/additive-reached",
    "policy-mixtures/selection-bound",
    "policy-mixtures/selection-chance",
    "policy-mixtures/selection-divergence",
    "surrogate-costs/discounted-cost",
    "surrogate-costs/conservative",
    "surrogate-costs/always-stochastic",
    "estimated/level-printed",
    "designs/violation",
    "designs/any-ridge",
    "designs/at-once",
    "safe-improvement/proof-line",
    "safe-improvement/literal-oracle",
    "weighted-critics/lemma-literal",
    "weighted-critics/lemma-constant",
    "weighted-critics/reference-printed",
    "guarded/esrl-comparator",
    "guarded/safe-as-printed",
}
"""Statements that are false as printed in a text that was read."""
FALSE_OTHERWISE = {
    "policy-mixtures/limit": Standing.FALSE_UNPRINTED,
    "policy-mixtures/step-flip": Standing.FALSE_UNPRINTED,
    "adaptive-poisoning/joint-argmin": Standing.FALSE_AS_RECALLED,
    "reward-learning/literal-attack": Standing.FALSE_AS_RECALLED,
    "trained-policies/step-coin": Standing.FALSE_UNPRINTED,
    "trained-targets/asked-for": Standing.FALSE_UNPRINTED,
    "adaptive-poisoning/trained-trunk": Standing.FALSE_UNPRINTED,
    "return-conditioning/model-bias-pooled": Standing.FALSE_UNPRINTED,
    "group-gradients/relabelled": Standing.FALSE_UNPRINTED,
    "group-primal-dual/tied": Standing.FALSE_UNPRINTED,
    "safe-tuning/last-target": Standing.FALSE_UNPRINTED,
    "safe-tuning/literal-zero": Standing.FALSE_UNPRINTED,
    "safe-tuning/unit-regret": Standing.FALSE_UNPRINTED,
    "baselines/code-backup": Standing.FALSE_UNPRINTED,
    "baselines/action-baseline": Standing.FALSE_UNPRINTED,
    "baselines/mode-target": Standing.FALSE_UNPRINTED,
    "baselines/two-kernels": Standing.FALSE_UNPRINTED,
    "baselines/batch-scale": Standing.FALSE_UNPRINTED,
    "baselines/ring-suffix": Standing.FALSE_UNPRINTED,
    "guarded/main-text-step": Standing.FALSE_UNPRINTED,
    "guarded/window-at-beta": Standing.FALSE_UNPRINTED,
}
"""What a reader might take from a theorem, an algorithm as it runs, lines of a released code, and
two theorems as a note can be read."""
ONLY_TRAINED = {
    "covariance/tilted",
    "trained-targets/evaluated",
    "trained-targets/recommended",
    "trained-targets/asked-for",
    "offline-policies/cheaper",
    "offline-policies/better",
    "offline-policies/aligned",
    "offline-policies/speed-limit",
}
"""Statements on what is trained, which no drawn model stands for."""
HEAVY = 12
"""Experiments of so many tunings a case are examined by `make verify` and among the slow tests."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(claim, id=name, marks=[pytest.mark.slow] * (claim.family.weight >= HEAVY))
        for name, claim in CLAIMS.items()
    ],
)
def claim(request: pytest.FixtureRequest) -> Claim:
    """Each claim in turn: of the module, so that all its tests follow one another and one process
    makes its run."""
    found: Claim = request.param
    return found


_SAYS = (Verdict.HOLDS, Verdict.TIGHT, Verdict.AGREES)
_RUNS: dict[str, list[ShardResult]] = {}


def models_of(claim: Claim, most: int = MODELS) -> int:
    return max(2, most // claim.family.weight)


def run_of(claim: Claim) -> list[ShardResult]:
    """Landmarks, 60 drawn models and the controls; once a session."""
    if claim.name not in _RUNS:
        ledger = Ledger(claims=len(CLAIMS))
        shards = [
            Shard(claim.name, Kind.LANDMARKS, 0, len(claim.family.landmarks), 0),
            Shard(claim.name, Kind.DRAWN, 0, models_of(claim), 0),
            *(Shard(claim.name, Kind.CONTROL, 0, 400, 0, name) for name in claim.family.controls),
        ]
        _RUNS[claim.name] = [run_shard(claim, shard, ledger) for shard in shards]
    return _RUNS[claim.name]


def summary_of(claim: Claim) -> ClaimSummary:
    return summarise(claim, run_of(claim))


def test_as_expected(claim: Claim) -> None:
    summary = summary_of(claim)
    assert summary.error == ""
    if not claim.theorem.standing.is_false:
        assert [str(found) for found in summary.violations] == []
    assert summary.survived == ()
    assert summary.exit_code is ExitCode.AS_EXPECTED
    assert summary.as_expected


def test_it_says_something(claim: Claim) -> None:
    """Not vacuous, and most drawn models are within the scope of the statement."""
    refuted = claim.theorem.standing.is_false
    expected = (Verdict.VIOLATED,) if refuted else _SAYS
    assert summary_of(claim).verdict in expected
    drawn = run_of(claim)[1]
    met = {found.case for found in drawn.findings if found.verdict is not Verdict.OUT_OF_SCOPE}
    assert drawn.models == len(met) >= models_of(claim) // 3


def test_nothing_is_out_of_scope_in_a_family_s_own_landmarks(claim: Claim) -> None:
    verdicts = {found.verdict for found in run_of(claim)[0].findings}
    assert Verdict.OUT_OF_SCOPE not in verdicts
    assert Verdict.UNDECIDED not in verdicts


def test_every_mutant_is_accounted_for(claim: Claim) -> None:
    """Killed, or implied by the theorem, or listed with a reason; and nothing is two of these."""
    summary = summary_of(claim)
    assert set(mutants_to_kill(claim, summary.killed)) <= summary.killed.keys()
    derived = {mutant.name for mutant in claim.mutants}
    assert set(claim.survivors) <= derived, "a listed mutant that is not derived is out of date"
    assert not set(claim.survivors) & set(summary.implied)
    assert not {one.name for one in claim.mutants if one.implied} & summary.killed.keys()
    assert all(reason for reason in claim.survivors.values())
    assert derived == (
        set(summary.implied) | set(claim.survivors) | (derived & summary.killed.keys())
    )


def test_an_implied_mutant_is_never_refuted(claim: Claim) -> None:
    """The proof from domains, against every value that the run saw; a false statement implies
    nothing."""
    from dataclasses import replace

    if claim.theorem.standing.is_false:
        return
    for mutant in claim.mutants:
        if mutant.implied:
            believed = replace(
                claim.theorem, relation=mutant.relation, trivial=None, known=(), sharp=()
            )
            if believed.quantities != claim.theorem.quantities:
                continue
            bound = replace(claim, theorem=believed, named_mutants=(), name=claim.name + "#implied")
            result = run_shard(bound, Shard(claim.name, Kind.DRAWN, 0, models_of(claim, 10), 0))
            assert result.error == ""
            assert Verdict.VIOLATED not in {found.verdict for found in result.findings}, mutant.name


def test_the_same_shard_twice_finds_the_same(claim: Claim) -> None:
    first = run_of(claim)[1]
    few = models_of(claim, 5)
    again = run_shard(claim, Shard(claim.name, Kind.DRAWN, 0, few, 0), Ledger(claims=len(CLAIMS)))
    cases = {f"drawn:{index}" for index in range(few)}
    assert again.findings == tuple(found for found in first.findings if found.case in cases)


def test_every_theorem_has_a_claim() -> None:
    drawn = {claim.theorem.label for claim in CLAIMS.values()}
    trained = {claim.theorem.label for claim in shipped() if claim.trained}
    assert drawn | trained == {theorem.label for theorem in theory.catalogue()}
    assert trained - drawn == ONLY_TRAINED


def test_every_claim_is_of_a_theorem_of_the_catalogue() -> None:
    known = set(map(id, theory.catalogue()))
    assert all(id(claim.theorem) in known for claim in CLAIMS.values())


def test_what_is_refuted_as_printed() -> None:
    refuted = {
        claim.theorem.label
        for claim in CLAIMS.values()
        if claim.theorem.standing is Standing.REFUTED
    }
    assert refuted == REFUTED
    false = {claim.theorem.label: claim.theorem.standing for claim in shipped()}
    assert {
        label: standing
        for label, standing in false.items()
        if standing.is_false and label not in REFUTED
    } == FALSE_OTHERWISE


def test_named_mutants_exist_and_die(claim: Claim) -> None:
    named = {one.name: one for one in claim.named_mutants}
    for mutant in (mutant for mutant, label in NAMED.items() if label == claim.name):
        assert named[mutant].why
        assert mutant in summary_of(claim).killed


def test_controls_exist_and_fail(claim: Claim) -> None:
    """Without the assumption the theorem is false on some model, so the assumption is needed."""
    if assumption := CONTROLS.get(claim.name):
        assert claim.theorem.assumption(assumption).text
        assert f"without {assumption}" in summary_of(claim).killed


def test_what_is_listed_here_exists() -> None:
    assert {*NAMED.values(), *CONTROLS} <= CLAIMS.keys()


def test_controls_are_named_after_assumptions(claim: Claim) -> None:
    names = {assumption.name for assumption in claim.theorem.given}
    assert set(claim.family.controls) <= names


def test_a_model_of_another_kind_is_out_of_scope(claim: Claim) -> None:
    with pytest.raises(OutOfScope):
        claim.family.on("not a model")


def test_a_control_passes_over_models_out_of_scope() -> None:
    """Seed 3 of this control draws one on which the claim has nothing to say; the hunt goes on."""
    claim = CLAIMS["cmdp/splitting"]
    for seed in range(5):
        result = run_shard(claim, Shard(claim.name, Kind.CONTROL, 0, 400, seed, "one-state"))
        assert "without one-state" in result.kills
