"""Rectified costs, debiasing and inference-aware alignment: drawn models, false variants."""

import numpy as np
import pytest

from holdfast.solvers.alignment import debiasing, inference_aware, rectified
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.errors import ModelError
from holdfast.verify.binding.claims import shipped
from holdfast.verify.engine.examiner import Kind, Shard, run_shard
from holdfast.verify.kernel import Verdict

AREAS = ("rectified/", "debiasing/", "inference-aware/")
CLAIMS = {c.name: c for c in shipped() if c.theorem.label.startswith(AREAS)}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_few_models_agree_and_named_mutants_fall(name: str) -> None:
    claim = CLAIMS[name]
    drawn = run_shard(claim, Shard(name, Kind.DRAWN, 0, 4, 5, ""))
    marked = run_shard(claim, Shard(name, Kind.LANDMARKS, 0, 9, 5, ""))
    assert not drawn.error and not marked.error
    verdicts = {one.verdict for one in (*drawn.findings, *marked.findings)}
    assert not verdicts & {Verdict.VIOLATED, Verdict.UNDECIDED}
    assert {one.name for one in claim.named_mutants} <= {*drawn.kills, *marked.kills}


def test_bad_input_is_refused() -> None:
    with pytest.raises(ModelError, match="no safe response"):
        rectified.exact_multiplier(Problem.of([[0.5, 0.5]], [[0, 1]], [[-1, -2]]))
    with pytest.raises(ModelError, match="at least 3"):
        inference_aware.unbiased_derivative(np.array([0.0, 1.0]), 3)
    with pytest.raises(ModelError, match="masked"):
        debiasing.BiasEstimate(1, 2).add([[0.0, -np.inf]], [[0.0, 0.0]])
