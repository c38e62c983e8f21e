"""``pytest --holdfast`` collects claims, runs them, and explains failures without tracebacks."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from holdfast.verify import pytest_plugin
from holdfast.verify.binding import claims as binding_claims

PLUGIN = "holdfast.verify.pytest_plugin"
INSTALLED = any(point.value == PLUGIN for point in entry_points(group="pytest11"))

CLAIMS = """
from fractions import Fraction
from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Standing, Theorem
from holdfast.verify.binding.claims import claim
from holdfast.verify.binding.family import Family

x = Quantity("x", "a number", Domain.NONNEGATIVE)
y = Quantity("y", "its double", Domain.NONNEGATIVE)
numbers = Family("numbers", lambda draw: draw.integer({lo}, {hi}))
source = Source("me", "", Provenance.READ)
theorem = Theorem("{label}", "Doubling", Le(x, {factor} * y), source{more})

@claim(theorem, over=numbers)
def _(number):
    yield {{x: number, y: Fraction(2 * number)}}
"""


def claims(
    label: str, factor: str = "Fraction(1, 2)", lo: int = 0, hi: int = 10**6, more: str = ""
) -> str:
    """A file of one claim: x <= factor * 2 x, attained at the default factor unless x = 0."""
    return CLAIMS.format(label=label, factor=factor, lo=lo, hi=hi, more=more)


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims made in these tests end with them."""
    monkeypatch.setattr(binding_claims, "_REGISTRY", {})


def run(pytester: pytest.Pytester, *arguments: str, inside: bool = True) -> pytest.RunResult:
    plugin = () if INSTALLED else ("-p", PLUGIN)
    start = pytester.runpytest_inprocess if inside else pytester.runpytest_subprocess
    return start("-p", "no:cacheprovider", *plugin, *arguments)


def test_the_plugin_alone_imports_nothing_heavy() -> None:
    code = (
        f"import sys, {PLUGIN}; heavy = 'numpy sympy hypothesis flint scipy rich'.split(); "
        "sys.exit(', '.join(name for name in heavy if name in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_the_option_nothing_is_collected(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(my_claims="raise RuntimeError('imported')")
    assert run(pytester).ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_file_of_claims_runs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(my_claims=claims("demo/passes"))
    result = run(pytester, "--holdfast", "-v", "my_claims.py")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*my_claims.py::demo/passes PASSED*"])


def test_a_violation_shows_the_shrunk_counterexample(pytester: pytest.Pytester) -> None:
    """x <= 2 x / 3 fails at every x > 0, and the smallest of them is 1."""
    pytester.makepyfile(my_claims=claims("demo/violated", "Fraction(1, 3)"))
    result = run(pytester, "--holdfast", "my_claims.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*demo/violated: Doubling*",
            "demo/violated, violated: x <= y/3",
            "  left side   1",
            "  right side  2/3 (about 0.6666666667)",
            "  x = 1  a number",
            "  y = 2  its double",
            "found on drawn:0 with seed 0, shrunk to the trace [[]1]",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*ClaimFailed*")


def test_a_surviving_mutant_fails_by_name(pytester: pytest.Pytester) -> None:
    """Where x is always zero, x <= 9/10 of the bound is as true as the theorem."""
    pytester.makepyfile(my_claims=claims("demo/blind", hi=0))
    result = run(pytester, "--holdfast", "--holdfast-budget=2", "my_claims.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["mutant survived * models: *"])


def test_without_a_budget_mutants_get_more_models(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One model alone has x = 0 one time in two; the mutants die on a later one."""
    monkeypatch.setattr(pytest_plugin, "_FEWEST", 1)
    for seed in range(4):
        name = f"seed{seed}_claims"
        pytester.makepyfile(**{name: claims(f"demo/later{seed}", hi=1)})
        result = run(pytester, "--holdfast", f"--holdfast-seed={seed}", f"{name}.py")
        result.assert_outcomes(passed=1)


@pytest.mark.parametrize("budget", [1, 7, 120])
def test_a_budget_is_the_number_of_models(pytester: pytest.Pytester, budget: int) -> None:
    """x = 0 always, so that mutants live and nothing ends the run early."""
    pytester.makepyfile(my_claims=claims(f"demo/budget{budget}", hi=0))
    result = run(pytester, "--holdfast", f"--holdfast-budget={budget}", "my_claims.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"mutant survived 0/{budget} telling models: *"])


VERDICTS = {
    "VACUOUS, mutants survive: demo/*: nothing tested*": "yield {x: 0, y: 0}",
    "UNDECIDED, mutants survive: demo/*: undecided on 25 models*": (
        "yield {x: Ball(lambda: arb(1, 0.5)), y: 1}"
    ),
    "VIOLATED: demo/*: false in *": "yield {x: number, y: 0}",
    "OUT OF SCOPE: demo/*: out of scope on 25 models: never": "raise OutOfScope('never'); yield",
}


@pytest.mark.parametrize("said", VERDICTS)
def test_the_verdict_stands_first(pytester: pytest.Pytester, said: str) -> None:
    """x <= y says nothing at 0 <= 0, and cannot be decided for x in [1/2, 3/2] and y = 1."""
    text = claims(f"demo/first{len(said)}", "1", lo=1)
    text = text.replace("yield {x: number, y: Fraction(2 * number)}", VERDICTS[said])
    more = "from flint import arb\nfrom holdfast.verify import Ball, OutOfScope\n"
    pytester.makepyfile(my_claims=more + text)
    result = run(pytester, "--holdfast", "--holdfast-budget=25", "my_claims.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([said])


def test_a_refuted_theorem_passes_by_failing(pytester: pytest.Pytester) -> None:
    refuted = ", standing=Standing.REFUTED"
    pytester.makepyfile(
        my_claims=claims("demo/refuted", "Fraction(1, 3)", more=refuted),
        other_claims=claims("demo/unrefuted", more=refuted),
    )
    result = run(pytester, "--holdfast", "my_claims.py", "other_claims.py")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["demo/unrefuted stands in the catalogue as refuted*"])


def test_a_claim_that_raises_is_reported_without_a_traceback(pytester: pytest.Pytester) -> None:
    text = claims("demo/raises").replace("Fraction(2 * number)", "1 // 0")
    pytester.makepyfile(my_claims=text)
    result = run(pytester, "--holdfast", "my_claims.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "ERROR: demo/raises: the claim is faulty: *the claim raised ZeroDivisionError*",
            "  File *my_claims.py*, line 14, in _",
            "    yield {x: number, y: 1 // 0}",
        ]
    )
    result.stdout.no_fnmatch_line("*mutant survived*")
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("text", "message"),
    [("1 / 0", "*does not import: it raised ZeroDivisionError*"), ("", "*makes no claim*")],
)
def test_a_file_that_makes_no_claim_is_an_error(
    pytester: pytest.Pytester, text: str, message: str
) -> None:
    pytester.makepyfile(my_claims=text)
    result = run(pytester, "--holdfast", "my_claims.py")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([message])


def test_file_names_can_be_configured(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nholdfast_files = bounds_*.py")
    pytester.makepyfile(bounds_a=claims("demo/bounds"), my_claims=claims("demo/ignored"))
    result = run(pytester, "--holdfast", "-v", ".")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*demo/bounds PASSED*"])


@pytest.mark.parametrize("text", ["0", "-3", "1e3", "s", "many", "infs"])
def test_a_bad_budget_is_bad_usage(pytester: pytest.Pytester, text: str) -> None:
    result = run(pytester, "--holdfast", f"--holdfast-budget={text}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--holdfast-budget: *"])


SHELF = """
import pathlib, pytest
from holdfast.verify.binding import claims as binding
binding.shipped = lambda: binding.load(pathlib.Path(__file__).parent / "shelf.py")
"""


@pytest.fixture
def shelf(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project in which one small claim stands for all that ship."""
    monkeypatch.setattr(
        binding_claims, "shipped", binding_claims.shipped
    )  # the project's conftest replaces it
    pytester.makeconftest(SHELF)
    pytester.makepyfile(
        shelf=claims("demo/shipped"), my_claims=claims("demo/own"), test_it="def test_it(): pass"
    )
    return pytester


def test_shipped_claims_run_where_no_path_is_given(shelf: pytest.Pytester) -> None:
    result = run(shelf, "--holdfast", "-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["holdfast::demo/shipped PASSED*"])
    run(shelf, "--holdfast", "my_claims.py").assert_outcomes(passed=1)
    run(shelf).assert_outcomes(passed=1)


def test_claims_can_be_selected(shelf: pytest.Pytester) -> None:
    run(shelf, "--holdfast", "-m", "holdfast", "--strict-markers").assert_outcomes(
        passed=2, deselected=1
    )
    run(shelf, "--holdfast", "-k", "shipped").assert_outcomes(passed=1, deselected=2)


@pytest.mark.slow
def test_claims_run_under_xdist(shelf: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    result = run(shelf, "--holdfast", "-v", "-n", "2", inside=False)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*PASSED*holdfast::demo/shipped*"])
    result = run(shelf, "--holdfast", "-n", "1", "my_claims.py", inside=False)
    result.assert_outcomes(passed=1)


def test_one_claim_of_a_file_is_named_as_a_test_is(pytester: pytest.Pytester) -> None:
    second = CLAIMS.replace("theorem", "other").format(
        label="demo/other", factor="Fraction(1, 3)", lo=0, hi=9, more=""
    )
    pytester.makepyfile(my_claims=claims("demo/named") + second)
    result = run(pytester, "--holdfast", "-v", "my_claims.py::demo/named")
    result.assert_outcomes(passed=1)
    result = run(pytester, "--holdfast", "my_claims.py::demo/nobody")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*not found: *my_claims.py::demo/nobody"])


@pytest.mark.parametrize("ending", ["sys.exit(0)", "os._exit(0)", "raise KeyboardInterrupt"])
def test_a_claim_that_ends_the_run_fails_with_its_line(
    pytester: pytest.Pytester, ending: str
) -> None:
    text = claims("demo/ends").replace("    yield", f"    {ending}\n    yield")
    pytester.makepyfile(my_claims=f"import os, sys\n{text}")
    result = run(pytester, "--holdfast", "my_claims.py")
    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    result.stdout.fnmatch_lines(["*File *my_claims.py*, line *", f"*    {ending}*"])
    result.stdout.no_fnmatch_line("*mutant survived*")


def test_a_file_that_exits_at_import_is_no_success(pytester: pytest.Pytester) -> None:
    """pytest imports the file before we do, and calls this an internal error of its own."""
    pytester.makepyfile(my_claims="import sys\nsys.exit(0)")
    result = run(pytester, "--holdfast", "my_claims.py")
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def test_a_claim_that_never_yields_lists_no_mutants(pytester: pytest.Pytester) -> None:
    text = claims("demo/silent").replace("    yield", "    return\n    yield")
    pytester.makepyfile(my_claims=text)
    result = run(pytester, "--holdfast", "--holdfast-budget=2", "my_claims.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the claim yields nothing on this case*"])
    result.stdout.no_fnmatch_line("*mutant survived*")
