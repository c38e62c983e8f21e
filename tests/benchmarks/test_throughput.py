"""Models a second on one core, by claim, and what an import costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdfast.verify.binding import shipped
from holdfast.verify.engine import Kind, Shard, run_shard

CLAIMS = {claim.name: claim for claim in shipped()}
MODELS = 200
MEASURED = (
    "cmdp/occupancy",
    "cmdp/strong-duality",
    "cmdp/perturbation",
    "trust-region/policy-bound",
    "trust-region/kl-bound",
    "model-based/pessimism",
    "primal-dual/telescoping",
    "concentration/hoeffding",
)


@pytest.mark.parametrize("name", MEASURED)
def test_models_a_second(benchmark, table, name: str) -> None:
    shard = Shard(name, Kind.DRAWN, 0, MODELS, 0)
    result = benchmark.pedantic(run_shard, (CLAIMS[name], shard), rounds=3, warmup_rounds=1)
    assert result.error == ""
    grades = {found.grade for found in result.findings if found.grade}
    table.rate(f"models, {name}", MODELS / benchmark.stats.stats.min, "/".join(sorted(grades)))


@pytest.mark.parametrize("module", ["holdfast", "holdfast.verify.kernel", "holdfast.solvers",
                                    "holdfast.verify.claims"])  # fmt: skip
def test_import(benchmark, table, module: str) -> None:
    def run(statement: str) -> None:
        subprocess.run([sys.executable, "-c", statement], check=True)

    benchmark.pedantic(run, (f"import {module}",), rounds=5, warmup_rounds=1)
    table.add(f"import {module}, with starting Python", benchmark.stats.stats.min)
