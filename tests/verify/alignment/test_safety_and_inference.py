"""Rectified costs, debiasing and inference-aware alignment: drawn models, false variants."""

import pytest

from holdfast.verify.binding.claims import shipped
from holdfast.verify.engine.examiner import Kind, Shard, run_shard
from holdfast.verify.kernel import Verdict

AREAS = ("rectified/", "debiasing/", "inference-aware/")
CLAIMS = {c.name: c for c in shipped() if c.theorem.label.startswith(AREAS)}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_few_models_agree_and_named_mutants_fall(name: str) -> None:
    claim = CLAIMS[name]
    drawn = run_shard(claim, Shard(name, Kind.DRAWN, 0, 2, 5, ""))
    marked = run_shard(claim, Shard(name, Kind.LANDMARKS, 0, 9, 5, ""))
    assert not drawn.error and not marked.error
    verdicts = {one.verdict for one in (*drawn.findings, *marked.findings)}
    assert not verdicts & {Verdict.VIOLATED, Verdict.UNDECIDED}
    assert {one.name for one in claim.named_mutants} <= {*drawn.kills, *marked.kills}
