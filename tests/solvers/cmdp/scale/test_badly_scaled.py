"""Enclosures of small models whose numbers span many orders of magnitude."""

from __future__ import annotations

from holdfast.solvers import CMDP, Status, enclose, solve
from holdfast.solvers.models.formats.document import model_from_document
from holdfast.verify.kernel import check


def model(
    discount: str,
    transitions: list[list[list[int]]],
    reward: str,
    costs: list[str],
    budgets: list[str],
) -> CMDP:
    """Two actions in each state, all states equally likely at the start."""
    size = len(transitions) // 2
    return model_from_document(
        {
            "kind": "cmdp",
            "n_states": size,
            "choices": [[state, action] for state in range(size) for action in (0, 1)],
            "transitions": transitions,
            "discount": discount,
            "reward": reward.split(),
            "costs": [row.split() for row in costs],
            "budgets": budgets,
            "initial": [f"1/{size}"] * size,
            "notes": [],
        }
    )


ONE_COST = model(
    "9/10",
    [
        [[2, 1000]],
        [[1, 100], [4, 10]],
        [[1, 100000000]],
        [[2, 100000], [4, 1000000000]],
        [[0, 100], [2, 1000000000000], [3, 10000], [5, 1]],
        [[3, 1000000], [7, 1000000000000]],
        [[3, 1000000000000]],
        [[0, 10000000], [1, 100000000], [4, 100], [6, 1]],
        [[3, 10000000]],
        [[0, 10000000], [1, 1], [2, 1000000]],
        [[2, 1000000000], [3, 10000000000], [4, 1000000000000], [5, 1000]],
        [[1, 1000000], [2, 1000], [3, 1000000], [4, 100000000]],
        [[2, 1000000], [3, 1000]],
        [[6, 100000000]],
        [[0, 10000], [4, 100000000000], [6, 100]],
        [[5, 100000], [7, 100000000]],
    ],
    "-57/100000 92 -7/500000000 -11/25 990000000 7/1000000000 3/1250000000 -73/100000000000 "
    "19/10000000000 -910 750000000 -970000 -39/5 5400000000 -880 -100",
    [
        "-58 600000 -3400000000 14/25 1/500 9/200000000000 -3/12500 10000000000 -170 -4900000 "
        "-3/500 -500 50000000000000 -11/12500000 19/5000 -3/50000000000"
    ],
    ["-523626768007/50"],
)
FOUR_COSTS = model(
    "999999/1000000",
    [
        [[2, 100000]],
        [[3, 10]],
        [[0, 10000000], [1, 1000], [2, 100]],
        [[3, 1]],
        [[1, 1000000000000]],
        [[0, 100000000], [1, 100], [3, 1000000000], [4, 10000000]],
        [[1, 100000000000], [3, 1000000000]],
        [[0, 100000], [2, 1], [3, 100000000]],
        [[1, 1000000], [3, 1000]],
        [[2, 1000000]],
    ],
    "-42000000000 -890000000000 14000 97/100000 -8500 -91/1000 -16000000000000 9700000 47/5000 -22",
    [
        "19/10000 100000000000000 67/10000000 8200000000 2/25 7/125000000000 3/62500000 94000 "
        "-1/1250 64000000",
        "-990 -1/20 2600000000000 720000 1/100 -320 -480000000 31/1000 130000000000 -1/100000000",
        "1/25000000000 11/20 1/5 -13/100000000 54 7/200 -49/10000 79/100000000000 "
        "47/500000000000 89/1000000",
        "14 -3/625000000 83/10000000 -8200 -19/100000000 14000000000000 6800000 -70000 "
        "-71/10000000 3000000000",
    ],
    [
        "5413730122863271/2",
        "-120406197542207653/1000",
        "5399017/250",
        "215818624562653971/200",
    ],
)


def test_a_model_that_promised_too_little_is_not_trusted():
    """First-order models promised no gain here, at 0.5 percent of all that could be gained."""
    found = enclose(ONE_COST, method="scale")
    exact = solve(ONE_COST).value
    assert found.status is Status.ENCLOSED and found.statistics["stopped"].startswith("the width")
    assert exact is not None and found.lower <= exact <= found.upper
    assert found.width <= found.statistics["width asked for"]
    assert check(found.certificate()).accepted


def test_feasible_budgets_are_not_left_undecided():
    """A mixture that certainly meets the budgets was not found, so that they seemed too tight."""
    found = enclose(FOUR_COSTS, method="scale")
    exact = solve(FOUR_COSTS).value
    assert found.status is Status.WIDE and "not reached" in found.statistics["stopped"]
    assert exact is not None and found.lower <= exact <= found.upper
    assert found.width <= abs(exact) / 10**5  # 2e-9 and 1.5e-6 of it on two processors
    assert check(found.certificate()).accepted
