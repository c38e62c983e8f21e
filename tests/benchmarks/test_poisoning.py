"""The least number of label flips for 1e4 to 1e6 pairs, beside other solvers of the same program.

Every solver runs in a process of its own on data drawn there.  The error of another solver is the
distance of its value from the middle of the enclosure, relative to that; holdfast's is the relative
width of the enclosure.  Its memory includes Python and the features; nothing is copied from
elsewhere.  A solver that was stopped at the limit is not tried on data with as many features and
pairs or more.  Other solvers' programs are in memory before the clock starts where they allow it.
No time is asserted.
"""

from __future__ import annotations

from typing import Any

import pytest

CASES = (
    (50, 10_000, "random"),
    (50, 100_000, "random"),
    (384, 100_000, "random"),
    (64, 1_000_000, "random"),
    (500, 10_000, "random"),
    (50, 100_000, "length"),
    (300, 20_000, "one-hot"),
    (300, 20_000, "two groups"),
    (300, 20_000, "words"),
)
PEERS = {
    "HiGHS simplex": "highspy",
    "HiGHS IPX": "highspy",
    "HiGHS HiPO": "highspy_extras",
    "scipy linprog": "scipy",
    "cvxpy": "cvxpy",
    "OR-tools PDLP": "ortools",
}
WIDTH = 1e-6
PATIENCE = 900
_SMALL_MB = 100

_LATE: list[tuple[str, int, int]] = []


@pytest.mark.parametrize(("features", "pairs", "attack"), CASES)
def test_least_flips(table, work, request, features: int, pairs: int, attack: str) -> None:
    if pairs > request.config.getoption("--largest"):
        pytest.skip("larger than --largest")
    data = {"features": features, "pairs": pairs, "attack": attack, "worker": "poisoning_worker.py"}
    done = work(PATIENCE, do="enclose", **data)
    assert done.answer is not None, done.errors
    ours = done.answer
    assert ours["lower"] <= ours["upper"]
    assert ours["width"] <= WIDTH
    assert ours["fractional"] <= features
    if ours["matrix"] > _SMALL_MB:
        assert ours["memory"] <= 3 * ours["matrix"]
    case = f"{attack} flips, n = {features}"
    table.add(
        case, "holdfast", ours["seconds"], states=pairs, memory=ours["memory"],
        error=ours["width"], reference=True,
        note=f"{ours['upper']:.6g} flips, features {ours['matrix']:,.0f} MB; {ours['note']}",
    )  # fmt: skip
    limit = request.config.getoption("--peer-limit")
    middle = (ours["lower"] + ours["upper"]) / 2
    for name, package in PEERS.items():
        if any(name == late and n <= features and k <= pairs for late, n, k in _LATE):
            continue
        done = work(limit, do="peer", method=name, **data)
        if done.answer is None:
            _LATE.append((name, features, pairs))
        table.add(case, name, states=pairs, **_fields(done, middle, limit, package, features))


def _fields(done: Any, middle: float, limit: float, package: str, n: int) -> dict[str, Any]:
    """What the table says of another solver; a value that is far off fails the test."""
    if done.answer is None:
        if f"No module named '{package}" in done.errors:
            return {"seconds": None, "note": f"{package} is not installed"}
        lines = done.errors.strip().splitlines()
        return {"seconds": None, "limit": limit, "note": lines[-1][:60] if lines else ""}
    found = done.answer
    gap = abs(found["value"] - middle) / middle
    assert gap < 1e-2
    more = "" if found["fractional"] <= n else f", no vertex ({found['fractional']} fractional)"
    return {
        "seconds": found["seconds"],
        "memory": done.memory,
        "error": gap,
        "note": f"moments missed by {found['missed']:.0e}{more} {found['note']}".strip(),
    }
