"""The exact hypergradient beside automatic differentiation and differences, on the same model.

5,000 states, 4 actions, 100 leader parameters; and 100,000 states.  All work in float64 on one
thread, each in a process of its own.  jaxopt lives in an environment of its own, named by
HOLDFAST_JAX_PEERS.  Agreement and the ratio of memory are asserted, no time.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from holdfast.solvers.hypergradient import random_model

VARIABLE = "HOLDFAST_JAX_PEERS"
HOW = (
    "python3.11 -m venv peers; peers/bin/pip install jax jaxopt scipy; "
    f"export {VARIABLE}=peers/bin/python"
)
PARAMETERS, AGREEMENT = 100, 1e-10
SMALLER = 3
CASE = "hypergradient, 100 parameters"


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")


def problem(folder: Path, states: int) -> str:
    """A random model, and each reward moved by one parameter, in a file."""
    model = random_model(states, 4, successors=6, follower_discount=0.95, leader_discount=0.9)
    rng, rows = np.random.default_rng(0), 4 * states
    columns = rng.integers(0, PARAMETERS, rows)
    parts = (rng.normal(size=rows), (np.arange(rows), columns))
    adds = sparse.csr_array(parts, shape=(rows, PARAMETERS))
    matrices = {
        f"{name}_{part}": getattr(matrix, part)
        for name, matrix in (("kernel", model.transitions), ("adds", adds))
        for part in ("data", "indices", "indptr")
    }
    path = folder / f"problem{states}.npz"
    np.savez(
        path, follower=model.follower_rewards, leader=model.leader_rewards, beta=model.temperature,
        discounts=[0.95, 0.9], theta=0.1 * rng.normal(size=PARAMETERS), **matrices,
    )  # fmt: skip
    return str(path)


def test_5000_states(table, work, request, tmp_path) -> None:
    order = {"problem": problem(tmp_path, 5000), "worker": "hypergradient_worker.py"}
    limit = max(request.config.getoption("--peer-limit"), 120)
    answers, gradients = {}, {}
    for name in ("holdfast", "without bounds", "unrolled", "differences", "jaxopt"):
        peer = os.environ.get(VARIABLE)
        if name == "jaxopt" and peer is None:
            table.say(f"jaxopt was left out: {HOW}")
            continue
        other = {"interpreter": peer} if name == "jaxopt" else {}
        keep = str(tmp_path / f"{name}.npy")
        done = work(limit, do=name, keep=keep, **order, **other)
        assert done.answer is not None, (name, done.errors)
        answers[name], gradients[name] = done.answer, np.load(keep)
        error = float(np.abs(gradients[name] - gradients["holdfast"]).max())
        table.add(
            CASE, name, done.answer["seconds"], states=5000, memory=done.answer["memory"],
            reference=name == "holdfast", error=error if name != "holdfast" else None,
            note=f"{done.answer['note']} ({done.answer['before']:.0f} MB before)",
        )  # fmt: skip
    ours, theirs = answers["holdfast"], answers["unrolled"]
    assert np.abs(gradients["unrolled"] - gradients["holdfast"]).max() < AGREEMENT
    assert theirs["memory"] > SMALLER * ours["memory"]


def test_100000_states(table, work, request, tmp_path) -> None:
    states = 100_000
    if states > request.config.getoption("--largest"):
        pytest.skip("larger than --largest")
    order = {"problem": problem(tmp_path, states), "worker": "hypergradient_worker.py"}
    done = work(300, do="holdfast", keep=str(tmp_path / "g.npy"), **order)
    assert done.answer is not None, done.errors
    table.add(
        CASE, "holdfast", done.answer["seconds"], states=states, memory=done.answer["memory"],
        note=done.answer["note"],
    )  # fmt: skip
