"""Safe optimisation over many targets, beside refits by other Gaussian-process libraries.

All compute the posterior of the same 500 observations in float64 with the same hyper-parameters.
holdfast's time is that of a step of safe optimisation, bounds that hold included.  BoTorch and
SafeOpt live in an environment of their own, named by HOLDFAST_GP_PEERS; SafeOpt runs with two names
given back to it that Python and numpy have dropped.  No time is asserted.
"""

from __future__ import annotations

import os

import pytest

TARGETS, BEFORE, STEPS = 10_000, 300, 200
VARIABLE = "HOLDFAST_GP_PEERS"
HOW = (
    "python3.11 -m venv peers; peers/bin/pip install torch gpytorch botorch GPy matplotlib "
    f"setuptools; peers/bin/pip install --no-deps safeopt; export {VARIABLE}=peers/bin/python"
)
PATIENCE = 900


def test_steps_at_500_observations(table, work, request, tmp_path) -> None:
    keep = str(tmp_path / "posterior.npz")
    data = {"targets": TARGETS, "keep": keep, "worker": "gaussian_worker.py"}
    done = work(PATIENCE, do="holdfast", before=BEFORE, steps=STEPS, **data)
    assert done.answer is not None, done.errors
    ours = done.answer
    assert ours["unsafe"] == 0
    case = "a step at 500 observations"
    table.add(
        case, "holdfast", ours["seconds"], states=TARGETS, memory=ours["memory"], reference=True,
        note=f"best {ours['best'] * 1e3:.2f} ms, 200 steps {ours['total']:.2f} s",
    )  # fmt: skip
    table.add(
        case, "reading all rows once", ours["floor"], states=TARGETS,
        note=f"the floor; holdfast's best step is {ours['best'] / ours['floor']:.2f} times it",
    )  # fmt: skip
    limit = max(request.config.getoption("--peer-limit"), 120)
    peers = os.environ.get(VARIABLE)
    missing = []
    for name in ("gpytorch", "botorch", "safeopt"):
        interpreter = {} if name == "gpytorch" else {"interpreter": peers}
        if name != "gpytorch" and peers is None:
            missing.append(name)
            continue
        done = work(limit, do=name, **data, **interpreter)
        assert done.answer is not None, done.errors
        assert done.answer["apart"] < 1e-9
        table.add(
            case, name, done.answer["seconds"], states=TARGETS, memory=done.answer["memory"],
            error=done.answer["apart"],
            note=f"{done.answer['seconds'] / ours['seconds']:.0f} times our median step",
        )  # fmt: skip
    if missing:
        pytest.skip(f"{', '.join(missing)} not compared; to do so: {HOW}")


def test_a_million_targets(table, work, request, tmp_path) -> None:
    """200 observations: the rows take 1.6 GB, and twice as much while they grow."""
    if request.config.getoption("--largest") < 1_000_000:
        pytest.skip("larger than --largest")
    done = work(
        PATIENCE, do="holdfast", before=150, steps=50, targets=1_000_000,
        keep=str(tmp_path / "posterior.npz"), worker="gaussian_worker.py",
    )  # fmt: skip
    assert done.answer is not None, done.errors
    ours = done.answer
    assert ours["memory"] < 6000
    table.add(
        "a step at 200 observations", "holdfast", ours["seconds"], states=1_000_000,
        memory=ours["memory"],
        note=f"reading all rows once takes {ours['floor'] * 1e3:.0f} ms on one core",
    )  # fmt: skip
