"""Models of 1e2 to 1e6 states: rigorous enclosures, beside other solvers on the same model.

Three families, discounts 19/20 and 99/100, and 999/1000 for the largest, one constraint that binds;
then the inner problem without constraints, for the reward r - lambda c at the multiplier found;
also three constraints, a model given as functions, a sweep beside the memory's speed, and the first
call after an installation.
With ``--before COMMIT`` another version of holdfast is measured as well.  Every solver runs in
processes of its own, so that its memory is its own, too; the enclosure's includes drawing the
model.  Short runs are the best of three.

The error of another solver is that of its value against the middle of the enclosure, or its excess
over the budget where that is larger; that of holdfast is the width of the enclosure.  A solver that
was stopped at the limit is not tried on models of its family that are as large or larger.  No time
is asserted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

FAMILIES = ("random sparse", "grid world", "nearly deterministic")
DISCOUNTS = ("19/20", "99/100")
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
CASES = [(s, family, d) for s in SIZES for family in FAMILIES for d in DISCOUNTS]
CASES += [(SIZES[-1], family, "999/1000") for family in FAMILIES]
LARGEST_BESIDE_OTHERS = (1_000_000, FAMILIES[0], DISCOUNTS[0])
CONSTRAINED = {
    "HiGHS simplex": "highspy",
    "HiGHS IPX": "highspy",
    "HiGHS HiPO": "highspy_extras",
    "HiGHS PDLP": "highspy",
    "OR-tools PDLP": "ortools",
    "cvxpy": "cvxpy",
    "Storm": "stormpy",
}
UNCONSTRAINED = {
    "QuantEcon MPI": "quantecon",
    "QuantEcon PI": "quantecon",
    "Storm discounted": "stormpy",
}
FIRST_CALL = str(Path(__file__).with_name("worker.py"))
WIDTH = 1e-7
WIDTH_OF_FUNCTIONS = 1e-5
PATIENCE = 900

_LATE: set[tuple[str, str]] = set()


@pytest.mark.parametrize(("states", "family", "discount"), CASES)
def test_one_constraint(
    table, work, versions, request, tmp_path: Path, states, family, discount
) -> None:
    if states > request.config.getoption("--largest"):
        pytest.skip("larger than --largest")
    model = {"family": family, "states": states, "discount": discount, "constraints": 1}
    where = {"states": states, "discount": discount}
    for version in reversed(versions):
        done = work(PATIENCE, do="enclose", inner=True, tree=version.tree, **model)
        assert done.answer is not None, done.errors
        ours = done.answer
        assert ours["width"] <= WIDTH
        for case, found in ((family, ours), (f"{family}, inner", ours["inner"])):
            _own(table, case, version, found | {"memory": ours["memory"]}, where)
    if states == LARGEST_BESIDE_OTHERS[0] and (states, family, discount) != LARGEST_BESIDE_OTHERS:
        return
    path, limit = tmp_path / "model.npz", request.config.getoption("--peer-limit")
    assert work(PATIENCE, do="draw", path=str(path), **model).answer is not None

    def beside(case: str, found: dict[str, Any], peers: dict[str, str], **order: Any) -> None:
        for name, package in peers.items():
            if (name, family) not in _LATE:
                done = work(limit, method=name, path=str(path), **order)
                if done.answer is None:
                    _LATE.add((name, family))
                middle = (found["lower"] + found["upper"]) / 2
                table.add(case, name, **where, **_fields(done, middle, limit, package))

    beside(family, ours, CONSTRAINED, do="peer")
    beside(
        f"{family}, inner", ours["inner"], UNCONSTRAINED,
        do="inner peer", multipliers=ours["multipliers"],
    )  # fmt: skip
    path.unlink()


def _own(table: Any, case: str, version: Any, found: dict[str, Any], where: dict[str, Any]) -> None:
    """The row of a version of holdfast; the one at hand is what the others are compared with."""
    table.add(
        case, version.name, found["seconds"], **where, memory=found["memory"],
        error=found["width"], note=found["note"], reference=version.name == "holdfast",
    )  # fmt: skip


def _fields(done: Any, middle: float, limit: float, package: str) -> dict[str, Any]:
    """What the table says of another solver; a value that is far off fails the test."""
    if done.answer is None:
        if f"No module named '{package}" in done.errors:
            return {"seconds": None, "note": f"{package} is not installed"}
        lines = done.errors.strip().splitlines()
        return {"seconds": None, "limit": limit, "note": lines[-1][:60] if lines else ""}
    found = done.answer
    gap = abs(found["value"] - middle)
    assert gap < 1e-2 * max(1, abs(middle))
    return {
        "seconds": found["seconds"],
        "memory": done.memory,
        "error": max(gap, found["excess"]),
        "note": found["note"],
    }


@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("states", SIZES[-2:])
def test_three_constraints(
    table, work, versions, request, states: int, family: str, discount: str
) -> None:
    if states > request.config.getoption("--largest"):
        pytest.skip("larger than --largest")
    model = {"family": family, "states": states, "discount": discount, "constraints": 3}
    for version in versions:
        done = work(PATIENCE, do="enclose", tree=version.tree, **model)
        assert done.answer is not None, done.errors
        where = {"states": states, "discount": discount}
        _own(table, f"{family}, 3 costs", version, done.answer, where)


@pytest.mark.parametrize("side", [100, 1000, 3162])
def test_functions(table, work, request, side: int) -> None:
    """Ten million states in 8 GB, with ``--largest 10000000``: five actions, no stored matrix."""
    if side**2 > request.config.getoption("--largest"):
        pytest.skip("larger than --largest")
    done = work(4 * PATIENCE, do="functions", side=side, width=WIDTH_OF_FUNCTIONS)
    assert done.answer is not None, done.errors
    found = done.answer
    assert found["width"] <= WIDTH_OF_FUNCTIONS
    assert found["memory"] <= 8_000
    table.add(
        "lake of functions", "holdfast", found["seconds"], states=side**2, discount="19/20",
        memory=found["memory"], error=found["width"], note=found["note"], reference=True,
    )  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_sweep(table, work, versions, request, family: str) -> None:
    states = request.config.getoption("--largest")
    model = {"family": family, "states": states, "discount": "19/20", "constraints": 1}
    case = f"{family}, a sweep"
    for version in versions:
        done = work(PATIENCE, do="sweep", tree=version.tree, **model)
        assert done.answer is not None, done.errors
        found = done.answer
        table.add(case, f"Bellman sweep, {version.name}", found["seconds"], states=states,
                  memory=done.memory)  # fmt: skip
    note = f"{found['bandwidth'] / 1e9:.1f} GB/s, {found['bytes'] / 1e6:,.0f} MB"
    table.add(case, "its arrays as a stream", found["stream"], states=states, note=note,
              reference=True)  # fmt: skip


def test_first_call(table, work, versions, tmp_path: Path) -> None:
    """Nothing is compiled before: what the compiled code of the enclosures takes to be made."""
    for number, version in enumerate(versions):
        model = {"family": FAMILIES[0], "states": 100, "discount": "19/20", "constraints": 1}
        done = work(PATIENCE, do="first call", tree=version.tree, cache=tmp_path / str(number),
                    worker=FIRST_CALL, **model)  # fmt: skip
        assert done.answer is not None, done.errors
        note = f"{done.answer['work']:.1f} s of processor time; again {done.answer['again']:.3f} s"
        table.add("first call", version.name, done.answer["seconds"], note=note,
                  reference=version.name == "holdfast")  # fmt: skip
