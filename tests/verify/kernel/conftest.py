"""Small certificates, one of each kind at least, whose numbers can be followed by hand.

The model is landmark G1. States 0 and 1, actions 0 and 1, discount 1/2, start 1/2 and 1/2; from 0
action 0 leads to 0 or 1 with probability 1/2 each and action 1 to 0; from 1 action 0 leads to 1 and
action 1 to 0 or 1 with probability 1/2 each; r = (0, 2; 1, 3), c = (0, 1; 0, 2), J_c <= 3/2.

* Policy "10" (action 1 in state 0, action 0 in state 1): V0 = 2 + V0/2 = 4 and V1 = 1 + V1/2 = 2,
  so J = 3; its costs are C0 = 1 + C0/2 = 2 and C1 = 0, so J_c = 1.
* Policy "11": V0 = 4, V1 = 3 + (4 + V1)/4 = 16/3, so J = 14/3; C0 = 2 and C1 = 2 + (2 + C1)/4 =
  10/3, so J_c = 8/3.
* The mixture with weight p on "11" costs 1 + 5p/3, which is 3/2 at p = 3/10, and earns
  3 + 5p/3 = 7/2.
* With multiplier 1 the payoffs r - c are (0, 1; 1, 1) and V = (2, 2) solves Bellman's equation:
  0 + 1 < 2 for (0, 0), and 1 + 1 = 2 for the rest. The bound is 2 + 3/2 = 7/2: no policy does
  better than the mixture, and the occupancy (0, 11/10, 7/10, 1/5) attains it too.
"""

import copy
from typing import Any

import pytest

Document = dict[str, Any]
FORMAT = {"format": "holdfast-certificate/1"}

G1: Document = {
    "kind": "cmdp",
    "n_states": 2,
    "choices": [[0, 0], [0, 1], [1, 0], [1, 1]],
    "transitions": [[[0, 1], [1, 1]], [[0, 1]], [[1, 1]], [[0, 1], [1, 1]]],
    "discount": "1/2",
    "reward": ["0", "2", "1", "3"],
    "costs": [["0", "1", "0", "2"]],
    "budgets": ["3/2"],
    "initial": ["1/2", "1/2"],
    "notes": ["landmark G1"],
}

# G2 adds c2 = (0, 1; 1, 0). The deterministic policies cost (0, 4/3), (2, 0), (1, 2), (8/3, 4/3),
# so 2/5 J1 + 3/5 J2 >= 4/5 for all of them, with V = (2/5, 6/5): V1 = 3/5 + V1/2 for action 0, and
# V0 = (V0 + V1)/4. The budgets (3/2, 1/4) weigh 2/5 3/2 + 3/5 1/4 = 3/4 < 4/5: 1/20 is lacking.
G2: Document = {
    **G1,
    "costs": [["0", "1", "0", "2"], ["0", "1", "1", "0"]],
    "budgets": ["3/2", "1/4"],
}

OPTIMUM: Document = {
    **FORMAT,
    "kind": "cmdp-optimum",
    "model": G1,
    "occupancy": ["0", "11/10", "7/10", "1/5"],
    "values": {"denominator": "1", "numerators": ["2", "2"]},
    "multipliers": ["1"],
    "value": "7/2",
}

COMPONENTS: list[Document] = [
    {
        "weight": "7/10",
        "policy": ["0", "1", "1", "0"],
        "reward_values": ["4", "2"],
        "cost_values": [["2", "0"]],
    },
    {
        "weight": "3/10",
        "policy": {"denominator": "1", "numerators": ["0", "1", "0", "1"]},
        "reward_values": ["4", "16/3"],
        "cost_values": [["2", "10/3"]],
    },
]

# max x + y with x + 2y <= 4, 3x + y <= 6: (8/5, 6/5) earns 14/5, and 2/5 (1, 2) + 1/5 (3, 1) =
# (1, 1) while 2/5 4 + 1/5 6 = 14/5. The third row, x - y = 2/5, has the dual 0.
PROGRAM: Document = {
    "sense": "max",
    "objective": ["1", "1"],
    "rows": [
        {"terms": [[0, "1"], [1, "2"]], "relation": "<=", "rhs": "4"},
        {"terms": [[0, "3"], [1, "1"]], "relation": "<=", "rhs": "6"},
        {"terms": [[0, "1/2"], [1, "-1/2"]], "relation": "=", "rhs": "1/5"},
    ],
}

# Euler's number is 2.718281828459045235...
E_LOW, E_HIGH = "2718281828459045/1000000000000000", "2718281828459046/1000000000000000"

DOCUMENTS: dict[str, Document] = {
    "optimum": OPTIMUM,
    "infeasible": {
        **FORMAT,
        "kind": "cmdp-infeasible",
        "model": G2,
        "values": ["2/5", "6/5"],
        "multipliers": ["2/5", "3/5"],
    },
    # Action 1 of state 1 with probability 2/9, the policy of the occupancy above: V0 = 4 and
    # V1 = 7/9 (1 + V1/2) + 2/9 (3 + (4 + V1)/4) = 5/3 + 4/9 V1 = 3, so J = 7/2.
    "policy": {
        **FORMAT,
        "kind": "policy-value",
        "model": G1,
        "policy": ["0", "1", "7/9", "2/9"],
        "values": ["4", "3"],
        "function": "reward",
        "value": "7/2",
    },
    "mixture": {
        **FORMAT,
        "kind": "mixture",
        "model": G1,
        "components": COMPONENTS,
        "value": ["7/2", "7/2"],
    },
    "bounds": {
        **FORMAT,
        "kind": "cmdp-enclosure",
        "model": G1,
        "mixture": {"components": COMPONENTS},
        "values": ["2", "2"],
        "multipliers": ["1"],
        "value": ["3499/1000", "3501/1000"],
    },
    "program": {
        **FORMAT,
        "kind": "linear-program-optimum",
        "program": PROGRAM,
        "primal": ["8/5", "6/5"],
        "dual": ["2/5", "1/5", "0"],
        "value": "14/5",
    },
    # x + y <= 1 and x + y = 2: one of the first minus one of the second is 0 <= -1.
    "farkas": {
        **FORMAT,
        "kind": "linear-program-infeasible",
        "program": {
            "sense": "max",
            "objective": ["1", "1"],
            "rows": [
                {"terms": [[0, "1"], [1, "1"]], "relation": "<=", "rhs": "1"},
                {"terms": [[0, "1"], [1, "1"]], "relation": "=", "rhs": "2"},
            ],
        },
        "farkas": ["1", "-1"],
    },
    # 7/2, by the certificate inside, is not at most 3 + 1/3.
    "counterexample": {
        **FORMAT,
        "kind": "counterexample",
        "relation": ["<=", ["symbol", "v"], ["add", "3", ["symbol", "slack"]]],
        "values": {"v": {"certificate": OPTIMUM}, "slack": {"value": "1/3"}},
        "notes": {"claim": "cmdp/example"},
    },
    "euler": {
        **FORMAT,
        "kind": "enclosure",
        "expression": ["exp", ["symbol", "x"]],
        "values": {"x": {"value": "1"}},
        "lo": E_LOW,
        "hi": E_HIGH,
    },
}


@pytest.fixture(params=sorted(DOCUMENTS))
def valid(request: pytest.FixtureRequest) -> Document:
    """Each of the certificates, to be changed at will."""
    return copy.deepcopy(DOCUMENTS[request.param])


@pytest.fixture
def documents() -> dict[str, Document]:
    """All certificates by name, to be changed at will."""
    return copy.deepcopy(DOCUMENTS)
