"""A verifier that cannot reject is a rubber stamp: corrupted certificates, each rejected by name.

Each corruption changes one thing in a valid certificate and says in which step it must be found and
what the message must show: where, and the offending value.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from holdfast.verify.kernel import check

Document = dict[str, Any]
TINY30, TINY40 = Fraction(1, 10**30), Fraction(1, 10**40)


def put(*path: Any) -> Callable[[Document], None]:
    """Put the last argument at the place that the others name."""
    *where, last, value = path

    def change(document: Document) -> None:
        place: Any = document
        for key in where:
            place = place[key]
        place[last] = value

    return change


def drop(*path: Any) -> Callable[[Document], None]:
    """Remove what is at this place."""
    *where, last = path

    def change(document: Document) -> None:
        place: Any = document
        for key in where:
            place = place[key]
        del place[last]

    return change


def swap_transitions(document: Document) -> None:
    rows = document["model"]["transitions"]
    rows[0], rows[1] = rows[1], rows[0]


def swap_rows(document: Document) -> None:
    rows = document["program"]["rows"]
    rows[0]["rhs"], rows[1]["rhs"] = rows[1]["rhs"], rows[0]["rhs"]


def negative_probability(document: Document) -> None:
    # Twice action 0 less once action 1: V1 = 2 (1 + V1/2) - (3 + (4 + V1)/4) gives V1 = -8, all
    # consistent with V0 = 4, and the "return" -2.
    document |= {"policy": ["0", "1", "2", "-1"], "values": ["4", "-8"], "value": "-2"}


FIELDS = "fields of {} are well formed"
PRIMAL, DUAL = "primal is feasible", "dual is feasible"
VALUE = "both objectives equal the value"
CMDP, POLICY = FIELDS.format("cmdp-optimum"), FIELDS.format("policy-value")
LP = FIELDS.format("linear-program-optimum")
COUNTEREXAMPLE = FIELDS.format("counterexample")

# name of the certificate, change, number of the step, its name, pieces of the message
CORRUPTIONS: list[tuple[str, Callable[[Document], None], int, str, tuple[str, ...]]] = [
    # the document itself
    ("optimum", put("format", "holdfast-certificate/2"), 2, CMDP, (".format", "certificate/2")),
    ("optimum", drop("format"), 2, CMDP, ("keys", "format")),
    ("optimum", put("kind", "cmdp-optimal"), 1, "kind is known", ("kind", "cmdp-optimal")),
    ("optimum", put("kind", ["cmdp-optimum"]), 1, "kind is known", ("kind", "['cmdp-optimum']")),
    ("optimum", drop("kind"), 1, "kind is known", ("no certificate", "key kind")),
    ("optimum", put("kind", "mixture"), 2, FIELDS.format("mixture"), ("keys", "components")),
    ("optimum", drop("multipliers"), 2, CMDP, ("keys", "multipliers")),
    ("optimum", put("alpha", "1/2"), 2, CMDP, ("keys", "alpha")),
    # numbers that are no exact numbers
    ("optimum", put("value", 3.5), 2, CMDP, (".value", "3.5")),
    ("optimum", put("value", True), 2, CMDP, (".value", "True")),
    ("optimum", put("value", None), 2, CMDP, (".value", "None")),
    ("optimum", put("value", 7), 2, CMDP, (".value", "7")),
    ("optimum", put("value", "3.5"), 2, CMDP, (".value", "3.5")),
    ("optimum", put("value", "nan"), 2, CMDP, (".value", "nan")),
    ("optimum", put("value", "1_000"), 2, CMDP, (".value", "1_000")),
    ("optimum", put("value", " 7/2"), 2, CMDP, (".value", " 7/2")),
    ("optimum", put("value", "7/2\n"), 2, CMDP, (".value", "7/2")),
    ("optimum", put("value", "7 /2"), 2, CMDP, (".value", "7 /2")),
    ("optimum", put("value", "+7/2"), 2, CMDP, (".value", "+7/2")),
    ("optimum", put("value", "-7/-2"), 2, CMDP, (".value", "-7/-2")),
    ("optimum", put("value", "7/0"), 2, CMDP, (".value", "7/0")),
    ("optimum", put("value", "7/0x00"), 2, CMDP, (".value", "7/0x00")),
    ("optimum", put("value", "7/2/1"), 2, CMDP, (".value", "7/2/1")),
    ("optimum", put("value", "\u0667/2"), 2, CMDP, (".value", "\u0667/2")),
    ("optimum", put("value", "0x7g/2"), 2, CMDP, (".value", "0x7g/2")),
    ("optimum", put("value", "7e0/2"), 2, CMDP, (".value", "7e0/2")),
    ("optimum", put("value", ["7/2"]), 2, CMDP, (".value", "7/2")),
    ("optimum", put("value", ["4", "3"]), 2, CMDP, ("lo <= hi", "4", "3")),
    ("optimum", put("occupancy", 1, 1.1), 2, CMDP, (".occupancy[1]", "1.1")),
    ("optimum", put("occupancy", "0"), 2, CMDP, (".occupancy", "not an array", "0")),
    ("optimum", put("values", "numerators", 0, 2.0), 2, CMDP, (".numerators[0]", "2.0")),
    ("optimum", put("values", "numerators", 0, False), 2, CMDP, (".numerators[0]", "False")),
    ("optimum", put("values", "denominator", "0"), 2, CMDP, (".values.denominator", "0")),
    ("optimum", put("values", "denominator", "-1"), 2, CMDP, (".values.denominator", "-1")),
    # the model
    ("optimum", put("model", "kind", "mdp"), 2, CMDP, (".model.kind", "mdp")),
    ("optimum", put("model", "discount", "1"), 2, CMDP, (".discount", "[0, 1)", "1")),
    ("optimum", put("model", "discount", "-1/2"), 2, CMDP, (".discount", "-1/2")),
    ("optimum", put("model", "discount", 0.5), 2, CMDP, (".discount", "0.5")),
    ("optimum", put("model", "initial", ["1/2", "1/3"]), 2, CMDP, (".initial", "sum", "5/6")),
    ("optimum", put("model", "initial", ["3/2", "-1/2"]), 2, CMDP, (".initial[1]", "-1/2")),
    ("optimum", put("model", "initial", ["1"]), 2, CMDP, (".initial", "2 entries", "1")),
    ("optimum", put("model", "n_states", 3), 2, CMDP, (".choices", "0..2", "[0, 0, 1, 1]")),
    ("optimum", put("model", "n_states", 10**12), 2, CMDP, (".choices", "[0, 0, 1, 1]")),
    ("optimum", put("model", "n_states", 2.0), 2, CMDP, (".n_states", "2.0")),
    ("optimum", put("model", "choices", 1, [1, 1]), 2, CMDP, (".choices repeat", "[1, 1]")),
    ("optimum", put("model", "choices", 2, [0, 2]), 3, PRIMAL, ("row 0", "7/10")),
    ("optimum", put("model", "choices", 0, [1, 2]), 2, CMDP, ("sorted", "[1, 0, 1, 1]")),
    ("optimum", put("model", "choices", 0, [0, 0, 0]), 2, CMDP, (".choices[0]", "[0, 0, 0]")),
    # a negative weight that sums right: 2 - 1 = 1
    (
        "optimum",
        put("model", "transitions", 1, [[0, 2], [1, -1]]),
        2,
        CMDP,
        (".transitions[1]", "[1, -1]"),
    ),
    ("optimum", put("model", "transitions", 1, [[0, 0]]), 2, CMDP, ("[1]", "[[0, 0]]")),
    ("optimum", put("model", "transitions", 1, []), 2, CMDP, (".transitions[1]", "[]")),
    ("optimum", put("model", "transitions", 1, 0, [2, 1]), 2, CMDP, ("[1]", "[[2, 1]]")),
    ("optimum", put("model", "transitions", 1, 0, [0, 0.5]), 2, CMDP, ("[1][0][1]", "0.5")),
    ("optimum", put("model", "transitions", 1, 0, [0, "1/2"]), 2, CMDP, ("[1][0][1]", "1/2")),
    ("optimum", drop("model", "transitions", 3), 2, CMDP, (".transitions", "4 rows", "3")),
    ("optimum", drop("model", "reward", 3), 2, CMDP, (".reward", "4 entries", "3")),
    ("optimum", drop("model", "costs", 0, 3), 2, CMDP, (".costs[0]", "4 entries", "3")),
    ("optimum", put("model", "costs", 0, 3, 2.0), 2, CMDP, (".costs[0][3]", "2.0")),
    ("optimum", put("model", "budgets", []), 2, CMDP, (".budgets", "1 entries", "0")),
    ("optimum", put("model", "horizon", 3), 2, CMDP, (".model", "keys", "horizon")),
    # a proof of something else: the model or a vector changed
    ("optimum", drop("model", "transitions", 3, 0), 3, PRIMAL, ("row 0",)),
    ("optimum", swap_transitions, 3, PRIMAL, ("row 0",)),
    ("optimum", put("model", "transitions", 3, 0, [0, 2]), 3, PRIMAL, ("row 0", "-1/60")),
    ("optimum", put("model", "discount", "49/100"), 3, PRIMAL, ("row 0", "3/250")),
    ("optimum", put("model", "budgets", ["3"]), 5, VALUE, ("dual objective", "5")),
    ("optimum", put("model", "budgets", ["1"]), 3, PRIMAL, ("row 2", "1/2")),
    ("optimum", put("model", "reward", 1, "21/10"), 4, DUAL, ("column 1", "-1/10")),
    ("optimum", put("model", "initial", ["1/3", "2/3"]), 3, PRIMAL, ("row 0", "1/6")),
    ("optimum", put("occupancy", ["1/10", "11/10", "7/10", "1/5"]), 3, PRIMAL, ("row 0", "3/40")),
    ("optimum", put("occupancy", ["-1/10", "6/5", "7/10", "1/5"]), 3, PRIMAL, ("[0]", "-1/10")),
    ("optimum", put("occupancy", ["11/10", "0", "7/10", "1/5"]), 3, PRIMAL, ("row 0",)),
    ("optimum", drop("occupancy", 3), 3, PRIMAL, ("primal", "4 entries", "3")),
    ("optimum", put("values", ["2", "2", "2"]), 2, CMDP, ("values must have 2 entries", "3")),
    ("optimum", put("values", ["2", "3"]), 5, VALUE, ("dual objective", "4")),
    (
        "optimum",
        put("values", ["2", str(2 - TINY40)]),
        4,
        DUAL,
        ("column 3", f"-3/{4 * 10**40}"),
    ),
    ("optimum", put("values", ["3", "2"]), 4, DUAL, ("column 3", "-1/4")),
    ("optimum", put("multipliers", ["-1"]), 4, DUAL, ("dual[2]", "-1")),
    ("optimum", put("multipliers", ["0"]), 4, DUAL, ("column 3", "-2")),
    (
        "optimum",
        put("value", str(Fraction(7, 2) + TINY30)),
        5,
        VALUE,
        ("primal", "7/2", "10000000"),
    ),
    ("optimum", put("value", "14/3"), 5, VALUE, ("14/3 is not the primal objective", "7/2")),
    # infeasibility
    (
        "infeasible",
        put("model", "budgets", ["3/2", "1/3"]),
        4,
        "combined right sides are negative",
        (": 0",),
    ),
    (
        "infeasible",
        put("multipliers", ["2/5", "-3/5"]),
        3,
        "combined rows have no negative coefficient",
        ("dual[3]", "-3/5"),
    ),
    (
        "infeasible",
        put("values", ["2/5", str(Fraction(6, 5) + TINY30)]),
        3,
        "combined rows have no negative coefficient",
        ("column 3", f"-3/{4 * 10**30}"),
    ),
    (
        "farkas",
        put("farkas", ["-1", "1"]),
        3,
        "combined rows have no negative coefficient",
        ("dual[0]", "-1"),
    ),
    (
        "farkas",
        put("farkas", ["1", "-2"]),
        3,
        "combined rows have no negative coefficient",
        ("column 0", "-1"),
    ),
    ("farkas", put("farkas", ["2", "-1"]), 4, "combined right sides are negative", (": 0",)),
    # policies
    ("policy", put("values", ["4", str(3 + TINY30)]), 3, "value contains the return", ("7/2",)),
    ("policy", put("value", "3"), 3, "value contains the return", ("3 is not the return", "7/2")),
    ("policy", put("function", ["cost", 0]), 3, "value contains the return", ("7/2",)),
    ("policy", put("function", ["cost", 1]), 3, "value contains the return", ("cost", "1")),
    ("policy", put("function", "cost"), 3, "value contains the return", ("function", "cost")),
    ("policy", put("policy", 3, "1/9"), 3, "value contains the return", ("state 1", "8/9")),
    ("policy", put("policy", ["2", "-1", "1", "0"]), 3, "value contains the return", ("-1",)),
    ("policy", negative_probability, 3, "value contains the return", ("policy[3]", "-1")),
    ("policy", drop("policy", 0), 3, "value contains the return", ("policy must have 4", "3")),
    (
        "policy",
        put("function", {"values": ["0", "2", "1"]}),
        3,
        "value contains the return",
        ("payoff must have 4 entries", "3"),
    ),
    ("policy", put("policy", 0, 0), 2, POLICY, (".policy[0]", "0")),
    (
        "policy",
        put("values", ["4"]),
        3,
        "value contains the return",
        ("values must have 2 entries", "1"),
    ),
    # mixtures and bounds
    (
        "mixture",
        put("components", 1, "weight", "2/10"),
        3,
        "weights are >= 0 of sum 1",
        ("sum", "9/10"),
    ),
    (
        "mixture",
        put("components", 1, "weight", "-3/10"),
        3,
        "weights are >= 0 of sum 1",
        ("weights[1]", "-3/10"),
    ),
    (
        "mixture",
        put("model", "budgets", [str(Fraction(3, 2) - TINY30)]),
        4,
        "mixture meets the budgets",
        ("cost 0", "3/2"),
    ),
    (
        "mixture",
        put("components", 1, "cost_values", []),
        4,
        "mixture meets the budgets",
        ("cost_values", "one for each cost", "0"),
    ),
    (
        "mixture",
        put("components", 1, "cost_values", 0, 1, "10/4"),
        4,
        "mixture meets the budgets",
        ("cost 0 exceeds its budget 3/2",),
    ),
    ("mixture", put("value", ["4", "5"]), 5, "value contains the reward", ("4..5", "7/2")),
    ("bounds", put("value", ["0", "3"]), 5, "value contains both bounds", ("0..3", "7/2")),
    (
        "bounds",
        put("multipliers", ["-1"]),
        5,
        "value contains both bounds",
        ("multipliers[0]", "-1"),
    ),
    (
        "bounds",
        put("values", ["2", "199/100"]),
        5,
        "value contains both bounds",
        ("3499/1000..3501/1000 is not the bounds", "7/2..351/100"),
    ),
    # linear programs
    ("program", put("program", "sense", "min"), 2, LP, (".program.sense", "min")),
    ("program", put("program", "rows", 0, "relation", ">="), 2, LP, ("[0].relation", ">=")),
    ("program", put("program", "rows", 0, "terms", 0, [2, "1"]), 2, LP, (".rows[0]", "2")),
    ("program", put("program", "rows", 0, "terms", 0, [-1, "1"]), 2, LP, (".rows[0]", "-1")),
    ("program", put("program", "rows", 0, "terms", 0, [1, "1"]), 2, LP, (".rows[0]", "twice", "1")),
    ("program", put("program", "rows", 1, "terms", 0, [0, 3.0]), 2, LP, ("[1], column 0", "3.0")),
    ("program", put("program", "rows", 1, "terms", 0, [0]), 2, LP, (".terms[0]", "[0]")),
    ("program", put("program", "rows", 2, "rhs", 0.2), 2, LP, (".rows[2].rhs", "0.2")),
    ("program", swap_rows, 3, PRIMAL, ("row 1", "2")),
    ("program", drop("program", "rows", 2), 4, DUAL, ("dual", "2 entries", "3")),
    ("program", put("program", "rows", 2, "rhs", "1/4"), 3, PRIMAL, ("row 2", "-1/20")),
    ("program", put("program", "objective", 0, "2"), 4, DUAL, ("column 0", "-1")),
    ("program", put("primal", ["8/5", str(Fraction(6, 5) - TINY30)]), 3, PRIMAL, ("row 2",)),
    ("program", put("primal", ["8/5", "-6/5"]), 3, PRIMAL, ("primal[1]", "-6/5")),
    ("program", put("dual", ["-2/5", "1/5", "0"]), 4, DUAL, ("dual[0]", "-2/5")),
    ("program", put("dual", ["1/5", "2/5", "0"]), 4, DUAL, ("column 1", "-1/5")),
    ("program", put("dual", ["1", "1/5", "0"]), 5, VALUE, ("dual objective", "26/5")),
    ("program", put("value", str(Fraction(14, 5) - TINY30)), 5, VALUE, ("primal", "14/5")),
    # relations
    ("counterexample", put("relation", 0, ">="), 3, "relation is false", (">=", "true", "1/6")),
    ("counterexample", put("relation", 0, "=<"), 3, "relation is false", ("operator", "=<")),
    ("counterexample", put("relation", 0, 5), 3, "relation is false", ("operator", "5")),
    ("counterexample", drop("relation", 2), 2, COUNTEREXAMPLE, (".relation", "<=")),
    (
        "counterexample",
        put("values", "slack", {"value": "1/2"}),
        3,
        "relation is false",
        ("7/2 <= 7/2 is true", "0"),
    ),
    (
        "counterexample",
        put("values", "slack", {"lo": "1/3", "hi": "2/3"}),
        3,
        "relation is false",
        ("undecided", "-1/6..1/6"),
    ),
    ("counterexample", drop("values", "slack"), 3, "relation is false", ("symbol", "slack")),
    (
        "counterexample",
        put("values", "slack", {"value": 0.25}),
        2,
        COUNTEREXAMPLE,
        ("slack", "0.25"),
    ),
    ("counterexample", put("values", "slack", {"lo": "1/3"}), 2, COUNTEREXAMPLE, ("slack", "hi")),
    (
        "counterexample",
        put("values", "slack", {"lo": "1", "hi": "0"}),
        2,
        COUNTEREXAMPLE,
        ("lo <= hi", "Fraction(1, 1)"),
    ),
    (
        "counterexample",
        put("values", "slack", {"lo": "0", "hi": "1", "alpha": "-1/9"}),
        2,
        COUNTEREXAMPLE,
        ("alpha", "Fraction(-1, 9)"),
    ),
    (
        "counterexample",
        put("values", "v", "certificate", "value", "9/2"),
        2,
        COUNTEREXAMPLE,
        (".values.v", "step 5", "9/2 is not the primal objective: 7/2"),
    ),
    (
        "counterexample",
        put("values", "v", "certificate", "multipliers", 0, "1/2"),
        2,
        COUNTEREXAMPLE,
        (".values.v", "step 4, dual is feasible", "column 3"),
    ),
    (
        "counterexample",
        put("relation", 1, ["power", "2", "3"]),
        3,
        "relation is false",
        ("expression", "power"),
    ),
    (
        "counterexample",
        put("relation", 1, ["div", "1", ["add", "1", "-1"]]),
        3,
        "relation is false",
        ("division by what may be zero", ": 0"),
    ),
    (
        "counterexample",
        put("relation", 1, ["log", "-1/7"]),
        3,
        "relation is false",
        ("log of a number that is not positive", "-1/7"),
    ),
    (
        "counterexample",
        put("relation", 1, ["sqrt", "-1/7"]),
        3,
        "relation is false",
        ("sqrt of a negative number", "-1/7"),
    ),
    (
        "counterexample",
        put("relation", 1, ["exp", "0x1000000"]),
        3,
        "relation is false",
        ("exp of a number beyond", "16777216"),
    ),
    (
        "counterexample",
        put("relation", 1, ["pow", "2", 10**9]),
        3,
        "relation is false",
        ("exponent beyond", "1000000000"),
    ),
    (
        "counterexample",
        put("relation", 1, ["pow", "2", 0.5]),
        3,
        "relation is false",
        ("not an integer", "0.5"),
    ),
    ("counterexample", put("relation", 1, 0.5), 3, "relation is false", ("expression", "0.5")),
    # an interval tightened beyond the truth by its last digit: e = 2.718281828459045235...
    (
        "euler",
        put("hi", "2718281828459045235/1000000000000000000"),
        3,
        "lo and hi enclose the expression",
        ("is not the expression",),
    ),
    (
        "euler",
        put("lo", "2718281828459045236/1000000000000000000"),
        3,
        "lo and hi enclose the expression",
        ("is not the expression",),
    ),
    ("euler", put("hi", "2"), 3, "lo and hi enclose the expression", ("lo <= hi",)),
    (
        "euler",
        put("values", "x", {"value": str(1 + TINY30 * 10**15)}),
        3,
        "lo and hi enclose the expression",
        ("is not the expression",),
    ),
]


@pytest.mark.parametrize(
    ("name", "change", "number", "step", "shown"),
    CORRUPTIONS,
    ids=[f"{i:03d}-{c[0]}-step{c[2]}" for i, c in enumerate(CORRUPTIONS)],
)
def test_a_corruption_is_rejected_in_its_step(
    documents: dict[str, Document],
    name: str,
    change: Callable[[Document], None],
    number: int,
    step: str,
    shown: tuple[str, ...],
) -> None:
    document = documents[name]
    assert check(document).accepted
    change(document)
    report = check(document)
    assert not report.accepted
    assert report.enclosure is None
    assert report.proved == report.given == 0
    assert report.conclusion == ""
    *passed, failed = report.steps
    assert all(earlier.ok for earlier in passed)
    assert (failed.number, failed.name, failed.ok) == (number, step, False)
    message = str(failed)
    for piece in shown:
        assert piece in message, message
    assert failed.reason
    assert failed.value


def test_there_are_enough_corruptions() -> None:
    assert len(CORRUPTIONS) >= 100
    assert len({name for name, *_ in CORRUPTIONS}) == 9
