"""Models a second on one core, by claim, and what an import costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdfast.verify.binding.claims import shipped
from holdfast.verify.engine.examiner import Kind, Shard, run_shard

CLAIMS = {claim.name: claim for claim in shipped() if not claim.trained}
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
def test_models_a_second(table, best, name: str) -> None:
    shard = Shard(name, Kind.DRAWN, 0, MODELS, 0)
    run_shard(CLAIMS[name], shard)
    seconds, result = best(lambda: run_shard(CLAIMS[name], shard), 3)
    assert result.error == ""
    grades = {found.grade for found in result.findings if found.grade}
    note = f"{MODELS / seconds:,.0f} models a second, {'/'.join(sorted(grades))}"
    table.add(f"claim, {MODELS} models", name, seconds, note=note)


@pytest.mark.parametrize("module", ["holdfast", "holdfast.verify.kernel", "holdfast.solvers",
                                    "holdfast.verify.chance.claims"])  # fmt: skip
def test_import(table, best, module: str) -> None:
    def run() -> None:
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)

    run()
    table.add("import, with starting Python", module, best(run, 5)[0])
