"""A run as it might have been: the whole catalogue with made-up findings, and misfortunes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from holdfast import theory
from holdfast.solvers import Policy
from holdfast.solvers.models.formats.document import model_from_document
from holdfast.theory import Sign, Standing, Theorem
from holdfast.verify.binding.claims import Claim, NamedMutant
from holdfast.verify.binding.family import Family
from holdfast.verify.campaign.power import Power
from holdfast.verify.campaign.summary import ClaimSummary, RunSummary, mutants_to_kill
from holdfast.verify.campaign.worlds import WorldSummary
from holdfast.verify.engine.finding import Counterexample, Finding
from holdfast.verify.kernel import Verdict

HOSTILE = '<script>alert("x")</script>[bold]&amp;\x00'
VIOLATED = "trust-region/policy-bound"
SURVIVED = "model-based/pessimism"
UNDECIDED = "concentration/weissman"
REFUTED = "cmdp/splitting"

MODEL = model_from_document(
    {
        "kind": "cmdp",
        "n_states": 3,
        "choices": [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0]],
        "transitions": [[[0, 1], [1, 2]], [[2, 1]], [[1, 1]], [[0, 1], [2, 3]], [[2, 1]]],
        "discount": "9/10",
        "reward": ["1", "0", "2/3", "-1/2", "0"],
        "costs": [["0", "1", "1/7", "2", "0"]],
        "budgets": ["3/2"],
        "initial": ["2/3", "1/3", "0"],
        "notes": [],
    }
)
LARGE = model_from_document(
    {
        "n_states": 9,
        "choices": [[state, 0] for state in range(9)],
        "transitions": [[[state, 1]] for state in range(9)],
        "discount": "9/10",
        "reward": ["0"] * 9,
        "costs": [],
        "budgets": [],
        "initial": ["1"] + ["0"] * 8,
    }
)
POLICIES = (
    Policy.of(MODEL, ("1", "0", "1/2", "1/2", "1")),
    Policy.of(MODEL, ("1/4", "3/4", "1", "0", "1")),
)


def _nothing(*case: Any) -> Iterator[Any]:
    yield from ()


def stub_claim(theorem: Theorem, survivors: dict[str, str] | None = None) -> Claim:
    drawn = Family(name="MDPs with up to 4 states", base=lambda draw: draw.integer(0, 1))
    controls = {assumption.name: drawn for assumption in theorem.given[:1]}
    named = (NamedMutant("M12", replace(theorem.parts[0], sign=Sign.LT), "the constant 1"),)
    return Claim(
        theorem,
        drawn.with_controls(**controls),
        _nothing,
        theorem.label,
        named_mutants=named if theorem.label == VIOLATED else (),
        survivors=survivors or {},
    )


def finding(label: str, verdict: Verdict = Verdict.HOLDS, **changes: Any) -> Finding:
    row = Finding(
        label,
        "drawn:17",
        0,
        0,
        verdict,
        left="2/3",
        right="5/7",
        slack=1 / 21,
        ratio=14 / 15,
        grade="exact",
        digest="00c0ffee00c0ffee",
    )
    return replace(row, **changes)


def _to_kill(claim: Claim) -> tuple[str, ...]:
    """All mutants as killed but in one pillar, since proofs of what is implied take minutes."""
    everything = {mutant.name for mutant in claim.mutants} - claim.survivors.keys()
    proved = claim.name.startswith(("cmdp/", "trust-region/"))
    return mutants_to_kill(claim, () if proved else everything)


def claim_summary(theorem: Theorem, noise: random.Random) -> ClaimSummary:
    survivors = {}
    if theorem.label == "cmdp/multiplier-bound":
        survivors = {"Lambda*xi <= P_star": "returns are non-negative in this family"}
    claim = stub_claim(theorem, survivors)
    equality = theorem.parts[0].sign is Sign.EQ
    slacks = [] if equality else [noise.lognormvariate(-2, 2.2) for _ in range(400)] + [0.0] * 25
    verdict = Verdict.HOLDS if equality else Verdict.TIGHT
    violations: tuple[Finding, ...] = ()
    if theorem.standing.is_false:
        verdict = Verdict.VIOLATED
        violations = (finding(claim.name, verdict, left="10/9", right="1", ratio=10 / 9),)
    return ClaimSummary(
        claim=claim,
        verdict=verdict,
        tally={verdict: 400, Verdict.VACUOUS: 25},
        powers=tuple(Power(400, 425, finding(claim.name)) for _ in theorem.parts),
        agreement=None,
        findings=425 * len(theorem.parts),
        tightest=None if equality else finding(claim.name, verdict, ratio=1.0),
        killed={name: f"drawn:{k}" for k, name in enumerate(_to_kill(claim))},
        survived=(),
        grades={"exact": 400, "ball": 25},
        slacks=tuple(slacks),
        violations=violations,
        seconds=noise.uniform(0.2, 6),
    )


_FALSE: dict[str, Any] = {
    "left": "40/3",
    "right": "1/81",
    "slack": -13.3,
    "ratio": 1080.0,
    "values": {"gamma": "9/10", "L": "-1/3", "TV": "1/2"},
}


def _with_misfortunes(one: ClaimSummary) -> ClaimSummary:
    label = one.claim.name
    false = finding(label, Verdict.VIOLATED, **_FALSE)
    if label == VIOLATED:
        return replace(
            one,
            verdict=Verdict.VIOLATED,
            violations=(false, false),
            tightest=false,
            slacks=(*one.slacks, -13.3, -2.0),
        )
    if label == REFUTED:
        read = replace(one.claim.theorem.source, provenance=theory.Provenance.READ)
        theorem = replace(one.claim.theorem, standing=Standing.REFUTED, source=read)
        return replace(
            one,
            claim=replace(one.claim, theorem=theorem),
            verdict=Verdict.VIOLATED,
            violations=(false,),
        )
    if label == SURVIVED:
        *killed, last = one.killed
        return replace(one, killed={name: one.killed[name] for name in killed}, survived=(last,))
    if label == UNDECIDED:
        tally = {Verdict.UNDECIDED: 12, Verdict.HOLDS: 413}
        return replace(one, verdict=Verdict.UNDECIDED, tally=tally, grades={"statistical": 425})
    return one


def on_world(one: ClaimSummary, world: str) -> ClaimSummary:
    scope = one.claim.theorem.label.startswith("cmdp/")
    return replace(
        one,
        world=world,
        killed={},
        survived=(),
        tally={Verdict.HOLDS if scope else Verdict.OUT_OF_SCOPE: 1},
        powers=(),
        findings=1,
        slacks=(),
        verdict=Verdict.HOLDS if scope else Verdict.OUT_OF_SCOPE,
        violations=(),
        tightest=finding(one.claim.name) if scope and one.tightest else None,
        note="" if scope else "not a statement about such a model",
    )


WORLDS = (
    WorldSummary(
        "frozen-lake-4x4",
        "FrozenLake 4x4, cost: falling into a hole",
        16,
        64,
        "12345678901234567890123456789/98765432109876543210987654321",
        "0.125000",
        "cmdp-optimum",
        0.07,
        {"multipliers": "2/3, 0", "randomisations": "1"},
    ),
    WorldSummary(
        "icu-sepsis",
        "ICU-Sepsis benchmark, cost: vasopressors",
        716,
        17000,
        "1234567/2000000..1234568/2000000",
        "",
        "cmdp-enclosure",
        131.0,
        {"multipliers": "1/7"},
    ),
)


@pytest.fixture(scope="session")
def good_run() -> RunSummary:
    """The whole catalogue as expected, on drawn models and two worlds."""
    noise = random.Random(7)
    drawn = [claim_summary(theorem, noise) for theorem in theory.catalogue()]
    worlds = [on_world(one, world.name) for world in WORLDS for one in drawn]
    return RunSummary(
        claims=(*drawn, *worlds),
        worlds=WORLDS,
        seed=20,
        budget="60s",
        seconds=63.2,
        versions={"holdfast": "0.1.0", "numpy": "2.3.1", "python": "3.11.9"},
        alpha="1/1000000",
    )


@pytest.fixture(scope="session")
def bad_run(good_run: RunSummary) -> RunSummary:
    """The same with a violation, a survivor, an undecided and a refuted statement, and worse."""
    claims = tuple(one if one.world else _with_misfortunes(one) for one in good_run.claims)
    small, large = (finding(label, Verdict.VIOLATED, **_FALSE) for label in (VIOLATED, REFUTED))
    kept = {
        VIOLATED: Counterexample(
            finding=replace(small, case="drawn:17, shrunk"),
            case=(MODEL, *POLICIES, Fraction(1, 3)),
            text="three states",
            certificate=Path("corpus/policy-bound.json"),
            accepted=True,
            shrunk=True,
        ),
        REFUTED: Counterexample(large, (LARGE,), "nine states", None, accepted=False, shrunk=False),
    }
    hostile = theory.Theorem(
        label=f"user/{HOSTILE}",
        title=HOSTILE,
        relation=theory.Le(
            theory.Quantity("x", HOSTILE, latex=r"\text{<script>alert(1)</script>} & <img>"),
            Fraction(1, 2),
        ),
        source=theory.Source(HOSTILE, HOSTILE, theory.Provenance.DERIVED),
        given=(theory.Assumption(HOSTILE, HOSTILE),),
        proof=HOSTILE,
        remark=HOSTILE,
    )
    faulty = replace(claim_summary(hostile, random.Random(1)), error=f"raised {HOSTILE}")
    return replace(good_run, claims=(*claims, faulty), counterexamples=kept)
