"""Every public function refuses what is no number, no law or of another shape, by name and place.

A table: what each function takes, and wrong values of each of its arguments with what the message
must name.  No argument may be left out.
"""

import inspect
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest

from holdfast.solvers import alignment
from holdfast.solvers.alignment import (
    InfeasibleError,
    LanguageTable,
    Problem,
    debiasing,
    designs,
    preferences,
    rectified,
)
from holdfast.solvers.alignment import inference_aware as aware
from holdfast.solvers.errors import ModelError

NAN, INF = float("nan"), float("inf")
LAW = [0.25, 0.75]
EXACT = np.array([[Fraction(1, 4), Fraction(3, 4)]], dtype=object)
ONE = np.array([Fraction(1)], dtype=object)
GOOD = np.array([[Fraction(0), Fraction(1)]], dtype=object)
NANS = np.array([[flint.arb("nan"), flint.arb(1)]], dtype=object)
PROBLEM = Problem.of([["1/2", "1/2"]], [[1, 0]], [[0, 1]])
BALLS = PROBLEM.in_balls()
TABLE = LanguageTable({(): np.array(LAW)}, 2, 1)

Wrong = tuple[Any, str]


def _laws(name: str, depth: int = 0) -> list[Wrong]:
    """Wrong laws in the place of one; depth 1: of one prompt each."""

    def nested(value: Any) -> Any:
        return [value] if depth else value

    return [
        (nested([NAN, 1.0]), name),
        (nested([1.5, -0.5]), name),
        (nested([0.5, 0.4]), name),
        (nested(["a", "b"]), name),
        (np.zeros(0), name),
        (np.zeros((1, 1, 1, 2, 3)), name),
    ]


def _numbers(name: str, depth: int = 1) -> list[Wrong]:
    one = [1.0, NAN] if depth == 1 else [[1.0, NAN]]
    two = [1.0, -INF] if depth == 1 else [[1.0, -INF]]
    return [
        (one, name), (two, name), (np.zeros(0), name), (np.zeros((2, 3, 5, 7)), name),
        (["a", "b"], name), ([None, 1], name),
    ]  # fmt: skip


TEMPERATURES: list[Wrong] = [(one, "temperature is") for one in (0, -1, NAN, INF, "1", True, None)]
COUNTS: list[Wrong] = [(one, "integer of at least") for one in (0, -1, 2.0, True, "2", None)]
FLAGS: list[Wrong] = [(one, "True or False") for one in ("yes", 1, None)]
LEVELS: list[Wrong] = [(one, "level") for one in (NAN, INF, "x", None, True)]
PROBLEMS: list[Wrong] = [(one, "problem") for one in (None, 3, BALLS)]
SQUARES: list[Wrong] = [
    ([[0.0, NAN], [1, 0]], "[0, 1] is nan"), ([[0.0, -1], [1, 0]], "[0, 1] is -1"),
    ([[0.0, 1]], "shape"), ([1.0, 2], "shape"), (np.zeros((0, 0)), "shape"),
]  # fmt: skip
WINS = [[0.0, 3], [1, 0]]


def _nonnegative(name: str) -> list[Wrong]:
    return [([1.0, -1.0], rf"{name}[1] is -1"), *_numbers(name)]


def _positive(name: str) -> list[Wrong]:
    return [(one, name) for one in (0, -1, NAN, INF, "1", True, None)]


def _at_least_0(name: str) -> list[Wrong]:
    return [(one, name) for one in (-1, NAN, INF, "1", True, None)]


Case = tuple[dict[str, Any], dict[str, list[Wrong]]]
_BEST: Case = (
    {"policy": LAW, "rewards": [0.0, 1], "n": 2},
    {"policy": _laws("policy"), "rewards": _numbers("rewards"), "n": COUNTS},
)
_SOFT: Case = (
    {"policy": LAW, "rewards": [0.0, 1], "weights": [1.0, 2]},
    {
        "policy": _laws("policy"),
        "rewards": _numbers("rewards"),
        "weights": [*_numbers("weights"), ([1.0, 0.0], "weights[1] is 0")],
    },
)
_TILT: Case = (
    {"reference": [LAW], "f": [[0.0, 1]], "temperature": 1.0},
    {
        "reference": _laws("reference", depth=1),
        "f": _numbers("f", depth=2),
        "temperature": TEMPERATURES,
    },
)

CASES: dict[str, Case] = {
    "best_of": _BEST,
    "best_value": _BEST,
    "first_variation": _BEST,
    "smoothness": ({"spread": 1.0, "n": 2}, {"spread": _at_least_0("spread"), "n": COUNTS}),
    "soft_value": _SOFT,
    "soft_first_variation": _SOFT,
    "soft_bellman": (
        {"reference": TABLE, "rewards": {(0,): 1.0, (1,): 0.0}, "temperature": 1.0},
        {
            "reference": [(None, "reference"), ({}, "reference")],
            "rewards": [
                ({(0,): 1.0}, "(1,) has no reward"), ({(0,): 1.0, (1,): NAN}, "(1,) is nan"),
                ({(0,): 1.0, (1,): 0.0, (0, 1): 2.0}, "(0, 1)"), ([1.0, 0.0], "rewards"),
            ],
            "temperature": TEMPERATURES,
        },
    ),
    "LanguageTable": (
        {"laws": {(): np.array(LAW)}, "vocabulary": 2, "horizon": 1, "end": None},
        {
            "laws": [
                ({}, "() has no law"), ({(): np.array([0.5, NAN])}, "after ()"),
                ({(): np.array([0.5, 0.4])}, "after ()"), (None, "laws"),
            ],
            "vocabulary": COUNTS, "horizon": COUNTS, "end": [(2, "end is 2"), (-1, "end"),
                                                            (0.5, "end"), ("a", "end")],
        },
    ),
    "advantages": (
        {"rewards": [0.0, 1], "baseline": "mean", "scaled": True, "epsilon": 0.1},
        {
            "rewards": [*_numbers("rewards"), ([1.0], "group of 1")],
            "baseline": [("median", "baseline"), (None, "baseline")],
            "scaled": FLAGS, "epsilon": _at_least_0("epsilon"),
        },
    ),
    "expected_update": (
        {"policy": LAW, "rewards": [0.0, 1], "size": 2, "baseline": "mean", "scaled": True,
         "epsilon": 0.1},
        {
            "policy": _laws("policy"), "rewards": _numbers("rewards"),
            "size": [*COUNTS, (1, "at least 2")],
            "baseline": [("median", "baseline"), (None, "baseline")],
            "scaled": FLAGS, "epsilon": _at_least_0("epsilon"),
        },
    ),
    "estimator_gradient": (
        {"policy": LAW, "reference": [0.5, 0.5], "estimator": "k1", "ratio": False},
        {
            "policy": [*_laws("policy"), ([1.0, 0.0], "policy[1] is 0")],
            "reference": [*_laws("reference"), ([1.0, 0.0], "reference[1] is 0")],
            "estimator": [("k4", "estimator"), (None, "estimator")], "ratio": FLAGS,
        },
    ),
    "constrained_vertex": (
        {"problem": PROBLEM, "level": Fraction(1, 2)},
        {"problem": PROBLEMS, "level": [*LEVELS, (2, "too high")]},
    ),
    "lock_step": (
        {"problem": PROBLEM, "level": Fraction(1, 2)},
        {"problem": PROBLEMS, "level": [*LEVELS, (2, "outside")]},
    ),
    "enclose_multiplier": (
        {"problem": PROBLEM, "level": Fraction(1, 2)},
        {"problem": PROBLEMS, "level": [*LEVELS, (2, "lower it")]},
    ),
    "enclose_constrained": (
        {"problem": PROBLEM, "safeties": GOOD[None], "levels": ["1/2"]},
        {
            "problem": PROBLEMS,
            "safeties": [(GOOD, "safeties"), ([[[0.0, NAN]]], "safeties[0, 0, 1]"),
                         ([[[0.0, 1.0]]], "safeties"), (np.zeros((0, 1, 2)), "safeties")],
            "levels": [([NAN], "levels[0]"), ([2], "missed by"), ("1", "levels"), (None, "levels"),
                       (["1/2", "1/2"], "2 levels")],
        },
    ),
    "bradley_terry": ({"rewards": [0.0, 1]}, {"rewards": _numbers("rewards")}),
    "components": ({"wins": WINS}, {"wins": SQUARES}),
    "dpo": (
        {"wins": WINS, "reference": LAW, "temperature": 1.0},
        {
            "wins": [*SQUARES, ([[0.0, 1], [0, 0]], "wins[1, 0] is 0: "),
                     ([[0.0, 1e308], [1, 0]], "wins[0, 1] is 1e+308 and wins[1, 0] is 1.0")],
            "reference": [*_laws("reference"), ([1.0, 0.0], "reference[1] is 0")],
            "temperature": TEMPERATURES,
        },
    ),
    "dpo_loss": (
        {"wins": WINS, "policy": [0.5, 0.5], "reference": LAW, "temperature": 1.0},
        {
            "wins": SQUARES, "policy": [*_laws("policy"), ([1.0, 0.0], "policy[1] is 0")],
            "reference": [*_laws("reference"), ([1.0, 0.0], "reference[1] is 0")],
            "temperature": TEMPERATURES,
        },
    ),
    "ipo": (
        {"wins": WINS, "reference": LAW, "temperature": 1.0},
        {
            "wins": SQUARES,
            "reference": [*_laws("reference"), ([1.0, 0.0], "reference[1] is 0")],
            "temperature": TEMPERATURES,
        },
    ),
    "kto": (
        {"desirable": [2.0, 1], "undesirable": [1.0, 0], "reference": LAW, "temperature": 0.5,
         "baseline": 0.0},
        {
            "desirable": [*_nonnegative("desirable"), ([0.0, 0.0], "on balance")],
            "undesirable": _nonnegative("undesirable"),
            "reference": [*_laws("reference"), ([1.0, 0.0], "reference[1] is 0")],
            "temperature": [*TEMPERATURES, (1.5, "temperature is 1.5")],
            "baseline": [(NAN, "baseline"), (INF, "baseline"), (1e4, "baseline")],
        },
    ),
    "kto_loss": (
        {"desirable": [2.0, 1], "undesirable": [1.0, 0], "policy": LAW, "reference": LAW,
         "temperature": 0.5, "baseline": 0.0},
        {
            "desirable": _nonnegative("desirable"), "undesirable": _nonnegative("undesirable"),
            "policy": _laws("policy"),
            "reference": [*_laws("reference"), ([1.0, 0.0], "reference[1] is 0")],
            "temperature": TEMPERATURES, "baseline": [(NAN, "baseline"), (INF, "baseline")],
        },
    ),
    "population_wins": (
        {"rewards": [0.0, 1], "weights": [[0.0, 1], [1, 0]]},
        {
            "rewards": _numbers("rewards"),
            "weights": [*SQUARES, ([[0.0, 1], [2, 0]], "not symmetric")],
        },
    ),
    "sampled_wins": (
        {"rewards": [0.0, 1], "counts": [[0, 3], [0, 0]], "generator": np.random.default_rng(0)},
        {
            "rewards": _numbers("rewards"),
            "counts": [*SQUARES, ([[0, 1.5], [0, 0]], "counts[0, 1] is 1.5")],
            "generator": [(None, "generator"), (0, "generator")],
        },
    ),
    "Problem": (
        {"prompt_law": ONE, "reference": EXACT, "rewards": GOOD, "safety": GOOD, "temperature": 1},
        {
            "prompt_law": [(ONE * 2, "prompt_law"), ([1], "prompt_law"), (ONE[:0], "prompt_law")],
            "reference": [(EXACT * 2, "reference"), (EXACT * 0, "reference"), (None, "reference"),
                          (EXACT[:, :0], "reference"), (EXACT.astype(float), "floats")],
            "rewards": [(GOOD[:, :1], "rewards"), (NANS, "rewards[0, 0]")],
            "safety": [(GOOD[:, :1], "safety"), (NANS, "safety[0, 0]")],
            "temperature": TEMPERATURES,
        },
    ),
    "merge_logits": (
        {"policy": [LAW], "other": [[0.5, 0.5]], "weight": 0.5},
        {
            "policy": _laws("policy", depth=1),
            "other": [*_laws("other", depth=1), ([[1.0, 0.0]], "response 1")],
            "weight": [(-0.1, "weight"), (1.1, "weight"), (NAN, "weight"), ("a", "weight")],
        },
    ),
    "realign": (
        {"policy": [LAW], "safety": [[0.0, 1]], "temperature": 1.0, "multiplier": 2.0},
        {
            "policy": _laws("policy", depth=1), "safety": _numbers("safety", depth=2),
            "temperature": TEMPERATURES, "multiplier": _at_least_0("multiplier"),
        },
    ),
    "stages": (
        {"policy": [LAW], "tilts": [([[0.0, 1]], 1.0)]},
        {
            "policy": _laws("policy", depth=1),
            "tilts": [
                ([([[0.0, NAN]], 1.0)], "tilts[0]"), ([([[0.0, 1]], 0.0)], "tilts[0]"),
                ([([[0.0, 1]],)], "tilts[0]"), (None, "tilts"), ("ab", "tilts"),
            ],
        },
    ),
    "smallest_safe_merge": (
        {"prompt_law": ONE, "policy": EXACT[:, ::-1], "conservative": EXACT, "safety": GOOD,
         "level": Fraction(1, 2)},
        {
            "prompt_law": [(ONE * 2, "prompt_law"), ([1.0], "prompt_law holds floats")],
            "policy": [(EXACT * 2, "policy"), ([LAW], "policy"), (EXACT[:, :1], "policy")],
            "conservative": [(EXACT * 2, "conservative"), (EXACT[:, :1], "conservative")],
            "safety": [*_numbers("safety", depth=2), ([[0.0, 1]], "safety holds floats")],
            "level": [*LEVELS, (2, "larger multiplier")],
        },
    ),
    "tilt": _TILT,
    "log_partition": _TILT,
    "mean": (
        {"prompt_law": [1.0], "policy": [LAW], "f": [[0.0, 1]]},
        {
            "prompt_law": [([0.5], "prompt_law"), ([NAN], "prompt_law"), (LAW, "prompt_law")],
            "policy": _laws("policy", depth=1), "f": _numbers("f", depth=2),
        },
    ),
    "divergence": (
        {"prompt_law": [1.0], "policy": [LAW], "other": [[0.5, 0.5]]},
        {
            "prompt_law": [([0.5], "prompt_law"), ([NAN], "prompt_law"), (LAW, "prompt_law")],
            "policy": _laws("policy", depth=1),
            "other": [*_laws("other", depth=1), ([[1.0, 0.0]], "infinite")],
        },
    ),
    "objective": (
        {"prompt_law": [1.0], "policy": [LAW], "reference": [[0.5, 0.5]], "f": [[0.0, 1]],
         "temperature": 1.0},
        {
            "prompt_law": [([0.5], "prompt_law"), ([NAN], "prompt_law"), (LAW, "prompt_law")],
            "policy": _laws("policy", depth=1), "f": _numbers("f", depth=2),
            "reference": [*_laws("reference", depth=1), ([[1.0, 0.0]], "infinite")],
            "temperature": TEMPERATURES,
        },
    ),
}  # fmt: skip
MADE_BY_OTHERS = {"Constrained", "InfeasibleError"}
"""A result and an error: nobody but the functions makes them."""
ELSEWHERE = {
    "trigram_table", "best_safe", "best_values", "critical_policy", "exact_multiplier",
    "lagrangian_policy", "mirror_descent", "penalty_policy", "BiasEstimate", "accuracy", "debiased",
    "decompose", "Goal", "enclose", "minimize", "plug_in_derivative", "unbiased_derivative",
}  # fmt: skip
"""Refused in test_trigrams, test_rectified, test_debiasing and test_inference_aware."""

NEIGHBOURS: list[tuple[Any, dict[str, Any], dict[str, list[Wrong]]]] = [
    (preferences.ipo_log_ratios, {"wins": WINS, "temperature": 1.0},
     {"wins": SQUARES, "temperature": TEMPERATURES}),
    (debiasing.bias, {"weights": [1.0], "ratios": [[0.0, 1]]},
     {"weights": [([0.5], "weights"), ([NAN], "weights")], "ratios": _numbers("ratios", depth=2)}),
    (debiasing.accuracy, {"spread": 1.0, "tokens": 2, "contexts": 3, "failure": 0.1},
     {"spread": _at_least_0("spread"), "tokens": COUNTS, "contexts": COUNTS,
      "failure": [(0, "failure"), (1, "failure"), (NAN, "failure"), ("a", "failure")]}),
    (aware.plug_in_derivative, {"rewards": [0.0, 1], "n": 2},
     {"rewards": _numbers("rewards")[:3], "n": COUNTS}),
    (aware.unbiased_derivative, {"rewards": [0.0, 1], "n": 2},
     {"rewards": _numbers("rewards")[:3], "n": [*COUNTS, (3, "size of a group is 2")]}),
    (designs.fitted, {"weights": [Fraction(1)], "counts": [3], "ridge": Fraction(1)},
     {"weights": [([NAN], "weights[0]"), (["a"], "weights[0]")],
      "counts": [([-1], "counts[0]"), ([1.5], "counts[0]"), ([1, 2], "2 counts")],
      "ridge": [(-1, "ridge"), (NAN, "ridge")]}),
    (designs.quantile, {"law": {1: Fraction(1)}, "failure": Fraction(1, 2)},
     {"law": [({}, "mass 1")], "failure": [(0, "failure"), (1, "failure"), (NAN, "failure")]}),
    (rectified.two_branch_update,
     {"policy": LAW, "rewards": [0.0, 1], "costs": [1.0, -1], "multiplier": 1.0, "baseline": 0.0},
     {"policy": _laws("policy"), "rewards": _numbers("rewards"), "costs": _numbers("costs"),
      "multiplier": _at_least_0("multiplier"), "baseline": [(NAN, "baseline")]}),
    (rectified.mirror_descent,
     {"problem": PROBLEM, "steps": 2, "step": 1, "multiplier": 0, "rate": 0, "signed": False},
     {"steps": COUNTS, "step": _positive("step is"), "multiplier": _at_least_0("multiplier"),
      "rate": _at_least_0("rate is"), "signed": FLAGS, "problem": PROBLEMS[:2]}),
]  # fmt: skip


def _rows() -> list[Any]:
    named = [(getattr(alignment, name), *parts) for name, parts in CASES.items()]
    return [
        pytest.param(function, given, argument, wrong, message,
                     id=f"{function.__qualname__}-{argument}-{i}")
        for function, given, table in [*named, *NEIGHBOURS]
        for argument, values in table.items()
        for i, (wrong, message) in enumerate(values)
    ]  # fmt: skip


def test_no_public_function_and_no_argument_is_left_out() -> None:
    public = set(alignment.__all__) - MADE_BY_OTHERS - ELSEWHERE
    assert set(CASES) == public
    named = [(getattr(alignment, name), *parts) for name, parts in CASES.items()]
    for function, given, table in [*named, *NEIGHBOURS]:
        arguments = set(inspect.signature(function).parameters)
        assert set(table) == arguments == set(given), function.__name__
        function(**given)  # what is said to be right is taken


@pytest.mark.parametrize(("function", "given", "argument", "wrong", "message"), _rows())
def test_wrong_values_are_refused(
    function: Any, given: dict[str, Any], argument: str, wrong: Any, message: str
) -> None:
    with pytest.raises(ModelError) as refused:
        function(**{**given, argument: wrong})
    assert message in str(refused.value)
    assert isinstance(refused.value, InfeasibleError) == (type(refused.value) is not ModelError)


def test_floats_beside_exact_numbers_are_refused() -> None:
    with pytest.raises(ModelError, match="f holds floats and reference exact numbers"):
        alignment.tilt(EXACT, [[0.5, 1.0]], 1)
    with pytest.raises(ModelError, match=r"f\[0, 1\] is 1\.0 among exact numbers"):
        alignment.tilt(EXACT, np.array([[Fraction(1), 1.0]], dtype=object), 1)
