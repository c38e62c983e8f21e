"""The certified exact solver on random constrained MDPs, its stages and the kernel's check.

Branching 4, gamma 9/10, one cost whose budget binds.  No time is asserted.
"""

from __future__ import annotations

import pytest

from holdfast.solvers import solve
from holdfast.verify.kernel import check

from ..zoo.large import random_graph

ROUNDS = {200: 5, 1000: 1, 2000: 1}


@pytest.mark.parametrize("states", ROUNDS, ids=lambda states: f"{states}x4")
def test_certified_optimum(states: int, table, best) -> None:
    model, case = random_graph(states), "exact, random"
    where = {"states": states, "discount": "9/10"}
    seconds, found = best(lambda: solve(model), ROUNDS[states])
    value = f"value {float(found.value):.6f}"
    table.add(case, "certified optimum", seconds, **where, note=value, error=0.0, reference=True)
    stage = found.statistics["seconds"]["float"]
    table.add(case, "of which the float program", stage, **where)
    seconds, report = best(lambda: check(found.certificate()), ROUNDS[states])
    assert report.accepted
    table.add(case, "the kernel's check", seconds, **where)
