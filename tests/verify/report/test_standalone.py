"""Stand-alone counterexamples: run by a bare Python, compared with our certificates, corrupted."""

import ast
import subprocess
import sys
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from holdfast.solvers.errors import ModelError
from holdfast.theory import Standing
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.report.standalone import plain
from holdfast.verify.report.standalone.files import computation, file_name, standalone
from holdfast.verify.search.counterexample import Refuter

from ..conftest import Invoke

REFUTED = {one.name: one for one in shipped() if one.theorem.standing is Standing.REFUTED}

RUN = """
import runpy, sys
sides = runpy.run_path(sys.argv[1], run_name="__main__")["sides"]
print([[hex(n) for x in (side if type(side) is tuple else (side,) * 2)
        for n in x.as_integer_ratio()] for side in sides])
"""
NO_RISK = "(0, 1, {1: 1}, 1, [])", "(0, 1, {2: 1}, 1, [])"
CORRUPTED = {
    "estimated/level-printed": ("    Fraction(1, 2),\n]", "    0,\n]"),
    "designs/violation": ("'safety_counts': [0, 10000000000]", "'safety_counts': [0, 10]"),
    "designs/any-ridge": ("'ridge': 5", "'ridge': 4"),
    "designs/at-once": ("'root': 10", "'root': 1"),
    "flipping/bellman": ("'level': Fraction(1, 5)", "'level': Fraction(99, 100)"),
    "flipping/two-actions": ("'level': Fraction(1, 5)", "'level': Fraction(99, 100)"),
    "flipping/flipping-program": ("'level': Fraction(1, 5)", "'level': Fraction(99, 100)"),
    "flipping/additive-windows": ("4: Fraction(1, 10)}", "4: Fraction(2, 10)}"),
    "flipping/additive-reached": ("(4, 0, {3: 1}", "(4, 0, {4: 1}"),
    "policy-mixtures/selection-bound": ("Fraction(21, 100)", "Fraction(1, 2)"),
    "policy-mixtures/selection-chance": ("'policies': 40", "'policies': 1"),
    "policy-mixtures/selection-divergence": ("Fraction(1, 2)}", "0}"),
    "surrogate-costs/discounted-cost": NO_RISK,
    "surrogate-costs/conservative": NO_RISK,
    "surrogate-costs/always-stochastic": ("'budgets': [1]", "'budgets': [Fraction(3, 2)]"),
    "guarded/esrl-comparator": ("'discount': Fraction(9, 10)", "'discount': Fraction(1, 10)"),
    "guarded/safe-as-printed": ("'budgets': [1]", "'budgets': [3]"),
    "weighted-critics/lemma-literal": (
        "'cost_critics': [[Fraction(1, 2), Fraction(-1, 2)]]", "'cost_critics': [[0, 0]]"
    ),
    "weighted-critics/lemma-constant": ("    2,\n    {'policies'", "    1,\n    {'policies'"),
    "weighted-critics/reference-printed": ("'N': 1000000", "'N': 1"),
    "safe-improvement/proof-line": ("    20,\n    2,", "    20,\n    0,"),
    "safe-improvement/literal-oracle": ("Fraction(1, 3), Fraction(2, 3)", "Fraction(1, 2)"),
}  # fmt: skip
"""Label -> a number of the model, and another in its place."""


@cache
def text_of(label: str) -> str:
    return standalone(REFUTED[label])


def sides_of(claim: Claim) -> list[tuple[Fraction, Fraction]]:
    """Both sides on the witness, as our engine encloses them."""
    seen = Refuter(claim).refute(claim.family.landmark(claim.witness))
    assert seen is not None
    return [(side.lo, side.hi) for side in (seen.outcome.left, seen.outcome.right)]


def test_every_statement_that_is_refuted_as_printed_has_a_file() -> None:
    assert len(REFUTED) >= 22
    assert {name for name, one in REFUTED.items() if computation(one)} == REFUTED.keys()
    assert CORRUPTED.keys() == REFUTED.keys()


@pytest.mark.parametrize("label", REFUTED)
def test_a_bare_python_finds_the_sides_of_the_certificate(label: str, tmp_path: Path) -> None:
    file = tmp_path / file_name(REFUTED[label])
    file.write_text(text_of(label), encoding="utf-8")
    command = [sys.executable, "-I", "-S", "-c", RUN, str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *_, verdict, printed = done.stdout.splitlines()
    assert verdict == "refuted"
    for theirs, ours in zip(ast.literal_eval(printed), sides_of(REFUTED[label]), strict=True):
        numbers = [int(one, 16) for one in theirs]
        low, high = Fraction(*numbers[:2]), Fraction(*numbers[2:])
        if ours[0] == ours[1] and low == high:
            assert low == ours[0]
        else:  # both enclose one and the same number
            assert max(low, ours[0]) <= min(high, ours[1])
            assert high - low < Fraction(1, 10**30)


@pytest.mark.parametrize("label", REFUTED)
def test_a_changed_number_refutes_nothing(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    text, (number, other) = text_of(label), CORRUPTED[label]
    head, mark, model = text.rpartition("CASE = [")
    assert number in model
    try:
        exec(head + mark + model.replace(number, other), {"__name__": "__main__"})
    except SystemExit as end:
        assert "not a counterexample" in str(end)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "not refuted" or lines[-1].startswith("NOT MET: ")


@pytest.mark.parametrize("label", REFUTED)
def test_a_file_imports_the_standard_library_alone(label: str) -> None:
    text = text_of(label)
    modules = {
        node.module.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    assert modules <= sys.stdlib_module_names
    assert "holdfast" not in modules
    assert max(map(len, text.splitlines())) <= 110


def test_a_statement_that_stands_has_no_file() -> None:
    (claim,) = (one for one in shipped() if one.name == "flipping/one-step")
    with pytest.raises(ModelError, match=r"flipping/one-step has no stand-alone file.*repaired"):
        standalone(claim)


def test_the_command_writes_the_file(holdfast: Invoke) -> None:
    done = holdfast("show", "flipping/two-actions", "--standalone", "two.py")
    assert done.code == 0
    assert done.says("wrote two.py")
    assert Path("two.py").read_text() == standalone(REFUTED["flipping/two-actions"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["flipping/one-step", "--standalone", "a.py"], "no stand-alone file"),
        (["flipping", "--standalone", "a.py"], "matches 11 claims"),
        (["flipping/bellman", "--standalone", "a.txt"], "is to end in .py"),
        (["flipping/bellman", "--standalone", "nowhere/a.py"], "there is no folder"),
        (
            ["flipping/bellman", "--standalone", "a.py", "--store", "b.sqlite"],
            "--store is of no use",
        ),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(
    holdfast: Invoke, options: list[str], said: str
) -> None:
    done = holdfast("show", *options)
    assert done.code == 64
    assert done.says(said)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("x", [Fraction(1, 3), Fraction(7, 2), Fraction(0), Fraction(-40)])
def test_exponentials_roots_and_logarithms_enclose(x: Fraction) -> None:
    low, high = plain.exp(x)
    again = plain.times((low, high), plain.exp(-x))
    assert again[0] <= 1 <= again[1]
    assert high - low <= high / 10**40 + Fraction(1, 10**50)
    root = plain.root(abs(x))
    assert root[0] ** 2 <= abs(x) < root[1] ** 2
    logs = plain.log(1 + abs(x))
    assert plain.exp(logs[0])[0] <= 1 + abs(x) <= plain.exp(logs[1])[1]
    assert logs[1] - logs[0] < Fraction(1, 10**40)


def test_a_best_mixture_is_at_a_vertex_and_keeps_its_limits() -> None:
    # worth (0, 3, 1), costs (0, 1/2, 1/5), bound 1/4: half of the second, 1/2 * 3 = 3/2
    limit = ([0, Fraction(1, 2), Fraction(1, 5)], Fraction(1, 4))
    assert plain.best_mixture([0, 3, 1], [limit]) == Fraction(3, 2)
    assert plain.best_mixture([0, 3, 1], [limit], 1) == 1
    with pytest.raises(SystemExit, match="no weights keep the limits"):
        plain.best_mixture([1], [([1], 0)])


def test_a_relation_is_refuted_only_where_the_sides_are_apart() -> None:
    one, wide, two = (Fraction(1), Fraction(1)), (Fraction(0), Fraction(3)), (2, 2)
    assert plain.refuted(two, "<=", one) and plain.refuted(one, ">=", two)
    assert plain.refuted(one, "<", one) and not plain.refuted(one, "<=", one)
    assert plain.refuted(one, "==", two) and not plain.refuted(one, "==", wide)
    assert not plain.refuted(wide, "<=", one)
