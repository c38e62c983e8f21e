"""What the values of three other solvers prove, in the time of how many sweeps.

Each solves the problem without budgets, for the reward, in floating point; holdfast bounds the
optimum by its values.  The error is that bound less the value that the first one reports.  PDLP is
stopped after a minute: a bound holds for any values, and is as good as they are.  No time is
asserted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

SOLVERS = ("QuantEcon MPI", "Storm discounted", "OR-tools PDLP, a minute")
FAMILIES = ("random sparse", "grid world")
DISCOUNT = "19/20"
PATIENCE = 900
REPORTED = 1e-6
"""What the first solver's value may be off."""


@pytest.mark.parametrize("family", FAMILIES)
def test_values_of_others(table, work, request, tmp_path: Path, family: str) -> None:
    states = request.config.getoption("--largest")
    model = {"family": family, "states": states, "discount": DISCOUNT, "constraints": 1}
    model |= {"share": None}
    path, values = str(tmp_path / "model.npz"), str(tmp_path / "values.npy")
    assert work(PATIENCE, do="draw", path=path, **model).answer is not None
    sweep = work(PATIENCE, do="sweep", **model).answer["seconds"]
    case, where = f"{family}, certified", {"states": states, "discount": DISCOUNT}
    table.add(case, "a sweep", sweep, **where, reference=True)
    first = None
    for name in SOLVERS:
        done = work(PATIENCE, do="inner peer", method=name, path=path, values=values,
                    multipliers=[0.0])  # fmt: skip
        assert done.answer is not None, done.errors
        proved = work(PATIENCE, do="certify", multipliers=[0.0], values=values, **model)
        assert proved.answer is not None, proved.errors
        first = done.answer["value"] if first is None else first
        gap = proved.answer["upper"] - first
        assert gap > -REPORTED, "no bound is below an optimum"
        note = f"solved in {done.answer['seconds']:.1f} s"
        table.add(case, f"certify {name}", proved.answer["seconds"], **where, error=gap, note=note)
