"""The recipe for SLURM: its script, and, with stand-ins for SLURM's commands, a campaign."""

import os
import runpy
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.verify.binding.claims import load
from holdfast.verify.campaign.difference import differences
from holdfast.verify.campaign.results import read_results
from holdfast.verify.campaign.run import run_campaign
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.store.store import Store

_INTERRUPTED = signal.getsignal(signal.SIGINT)
jobqueue = pytest.importorskip("dask_jobqueue", reason="the extra slurm is not installed")
signal.signal(signal.SIGINT, _INTERRUPTED)  # which it takes for itself while it is imported
MATERIAL = Path(__file__).with_name("campaign_material.py")
SBATCH = """#!/bin/sh
bash "$1" > "$1.out" 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill "$1"
"""


@pytest.fixture
def recipe(repository: Path) -> dict[str, Any]:
    return runpy.run_path(str(repository / "docs" / "how-to" / "slurm_campaign.py"))


def test_the_script_is_one(recipe: dict[str, Any], tmp_path: Path) -> None:
    with jobqueue.SLURMCluster(**recipe["WORKER"]) as cluster:
        script = cluster.job_script()
    lines = script.splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert {"#SBATCH -n 1", "#SBATCH --cpus-per-task=16", "#SBATCH -t 04:00:00"} <= set(lines)
    assert "--nthreads 16" in lines[-1] and "--lifetime 225m" in lines[-1]
    (tmp_path / "job.sh").write_text(script)
    subprocess.run(["bash", "-n", str(tmp_path / "job.sh")], check=True)


@pytest.mark.slow
def test_a_campaign_through_sbatch(
    recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DASK_TEMPORARY_DIRECTORY", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    small = {"cores": 1, "memory": "2GB", "job_script_prologue": [], "interface": "lo"}
    recipe["WORKER"].update(small)
    main: Callable[[list[str]], int] = recipe["main"]
    assert main(["night", str(MATERIAL), "--budget", "60", "--seed", "3"]) in (0, 1, 3)
    with Store.open("alone.sqlite") as store:
        run_campaign(load(MATERIAL), budget=Budget(models=60), seed=3, store=store)
    old, new = read_results("alone.sqlite"), read_results(".holdfast/night.sqlite")
    assert new.finished and old.outcomes and differences(old, new) == []
