"""``hunt --keep``, ``atlas`` and ``suggest`` as a newcomer calls them, on a file of claims."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from ..conftest import Invoke

CLAIMS = """
    from fractions import Fraction

    from holdfast.theory import Domain, Eq, Le, Provenance, Quantity, Sharp, Source, Theorem
    from holdfast.verify import Family, claim
    from holdfast.verify.binding.family import OutOfScope

    x = Quantity("x", "n/(n + 1)", Domain.NONNEGATIVE)
    source = Source("me", "", Provenance.READ)
    numbers = Family("numbers", base=lambda draw: draw.growing(1, 3))
    sharp = (Sharp("1", "n grows"),)


    @claim(Theorem("mine/one", "Below one", Le(x, 1), source, sharp=sharp), over=numbers)
    def _(n):
        yield {x: Fraction(n, n + 1)}


    @claim(Theorem("mine/two", "Below two", Le(x, 2), source, sharp=sharp), over=numbers)
    def _(n):
        yield {x: Fraction(n, n + 1)}


    @claim(Theorem("mine/false", "It is false", Le(x, Fraction(3, 4)), source), over=numbers)
    def _(n):
        yield {x: Fraction(n + 1, n + 2)}


    @claim(Theorem("mine/equal", "Itself", Eq(x, x), source), over=numbers)
    def _(n):
        yield {x: Fraction(n, n + 1)}


    @claim(Theorem("mine/silent", "Below one", Le(x, 1), source), over=numbers)
    def _(n):
        return iter(())


    @claim(Theorem("mine/long", "Below one", Le(x, 1), source), over=numbers)
    def _(n):
        yield {x: Fraction(n, n + 1) ** 2000}


    evil = numbers.with_landmarks(evil=lambda: (99,))


    @claim(Theorem("mine/evil", "False on its landmark", Le(x, 1), source), over=evil)
    def _(n):
        yield {x: Fraction(n, 98 if n == 99 else n + 1)}


    @claim(Theorem("mine/fragile", "Below one", Le(x, 1), source), over=Family(
        "fragile", lambda draw: 1 // (draw.integer(1, 9) - 7)))
    def _(n):
        yield {x: Fraction(1)}


    def odd(draw):
        if draw.integer(1, 9) % 2 == 0:
            raise OutOfScope("even")
        return 1


    @claim(Theorem("mine/outside", "Below one", Le(x, 1), source), over=Family("odd", odd))
    def _(n):
        yield {x: Fraction(1, 2)}
"""


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all tests: a label is claimed in one file alone."""
    path = tmp_path_factory.mktemp("tightness") / "mine.py"
    path.write_text(dedent(CLAIMS))
    return path


@pytest.fixture
def mine(claims: Path) -> Iterator[Path]:
    """The file, without a corpus."""
    yield claims
    shutil.rmtree(claims.parent / "corpus", ignore_errors=True)


def test_hunt_keeps_what_verify_replays(holdfast: Invoke, mine: Path) -> None:
    done = holdfast("hunt", f"{mine}::mine/one", "--budget", "100", "--keep")
    assert done.code == 0
    assert "tends to 1: ratio 1 - 1/(n + 1) with integer 1 = n" in done.flat
    file = mine.parent / "corpus" / "mine.json"
    assert f"corpus: {file}" in done.flat
    done = holdfast("verify", f"{mine}::mine/one", "--budget", "20", "--store", ":memory:")
    assert done.code in (0, 3)
    kept = json.loads(file.read_text())
    kept["claims"]["mine/one"][0]["ratio"] = "1/2"
    file.write_text(json.dumps(kept))
    done = holdfast("verify", f"{mine}::mine/one", "--budget", "20", "--store", ":memory:")
    assert done.code == 64
    assert "no longer checks" in done.flat
    file.write_text("not a corpus")
    done = holdfast("verify", f"{mine}::mine/one", "--budget", "20", "--store", ":memory:")
    assert done.code == 64
    assert "not a file of extremal cases" in done.flat
    assert "--keep" in done.flat


def test_the_atlas_says_what_falls_short_of_a_constant_that_is_called_sharp(
    holdfast: Invoke, mine: Path, tmp_path: Path
) -> None:
    """x <= 2 is no sharp bound: its ratio tends to 1/2, and calling it sharp is noticed."""
    path = tmp_path / "atlas.json"
    done = holdfast("atlas", f"{mine}::mine/one", f"{mine}::mine/two", "--budget", "100",
                    "--json", str(path))  # fmt: skip
    assert done.code == 2
    assert "of 2 parts whose constant is known to be the best, 1 come to 0.99 or above" in done.flat
    assert "mine/two, part 0: only 0.4995; hunt longer" in done.flat
    one, two = json.loads(path.read_text())
    assert (one["limit"], two["limit"]) == ("1", "1/2")
    assert not (mine.parent / "corpus").exists(), "without --keep nothing is kept"


def test_a_violation_is_not_kept_in_the_corpus_and_that_is_said(
    holdfast: Invoke, mine: Path
) -> None:
    done = holdfast("hunt", f"{mine}::mine/false", "--budget", "100", "--keep")
    assert done.code == 1
    assert "corpus: nothing is kept there of a theorem that is violated" in done.flat


def test_a_violated_theorem_is_an_exit_code_of_the_atlas(holdfast: Invoke, mine: Path) -> None:
    done = holdfast("atlas", f"{mine}::mine/false", "--budget", "100")
    assert done.code == 1
    assert "holdfast hunt mine/false shows the counterexample" in done.flat


def test_suggest_marks_its_conjecture(holdfast: Invoke, mine: Path) -> None:
    done = holdfast("suggest", f"{mine}::mine/two", "--budget", "100")
    assert done.code == 0
    assert "CONJECTURE, on 100 models: x <= 1" in done.flat
    assert "nothing proves it" in done.flat
    done = holdfast("suggest", f"{mine}::mine/one", "--budget", "100")
    assert "no smaller factor is possible" in done.flat
    assert "CONJECTURE" not in done.flat


@pytest.mark.parametrize(
    ("label", "code", "said"),
    [
        ("equal", 64, "has no side that could be smaller"),
        ("silent", 2, "nothing to suggest: no model was telling"),
        ("false", 1, "is violated, so no sharper constant can be true"),
        ("evil", 1, "is violated, so no sharper constant can be true; holdfast verify "),
    ],
)
def test_suggest_refuses_where_nothing_can_be_said(
    holdfast: Invoke, mine: Path, label: str, code: int, said: str
) -> None:
    done = holdfast("suggest", f"{mine}::mine/{label}", "--budget", "50")
    assert done.code == code
    assert said in done.flat


@pytest.mark.parametrize("command", ["suggest", "hunt", "atlas"])
def test_what_a_family_of_the_user_raises_is_named(
    holdfast: Invoke, mine: Path, command: str
) -> None:
    done = holdfast(command, f"{mine}::mine/fragile", "--budget", "100")
    assert done.code == 64
    assert "mine/fragile: the family raised ZeroDivisionError" in done.flat
    done = holdfast(command, f"{mine}::mine/outside", "--budget", "30")
    assert done.code == 0


def test_a_ratio_of_many_digits_is_kept_so_that_verify_replays_it(
    holdfast: Invoke, mine: Path
) -> None:
    done = holdfast("hunt", f"{mine}::mine/long", "--budget", "60", "--keep")
    assert done.code == 0
    (kept,) = json.loads((mine.parent / "corpus" / "mine.json").read_text())["claims"]["mine/long"]
    assert len(kept["ratio"]) == len("0.1234567890")
    done = holdfast("verify", f"{mine}::mine/long", "--budget", "5", "--store", ":memory:")
    assert done.code in (0, 3)


@pytest.mark.parametrize("command", ["hunt", "atlas"])
def test_where_nothing_can_be_kept_is_said_before_the_hunt(
    holdfast: Invoke, mine: Path, command: str
) -> None:
    (mine.parent / "corpus").touch()
    try:
        done = holdfast(command, f"{mine}::mine/one", "--budget", "999m", "--keep")
    finally:
        (mine.parent / "corpus").unlink()
    assert done.code == 64
    assert f"--keep: the folder {mine.parent / 'corpus'} cannot be made" in done.flat


@pytest.mark.parametrize("command", ["hunt", "verify"])
def test_a_kept_case_of_a_claim_that_is_gone_is_named(
    holdfast: Invoke, mine: Path, command: str
) -> None:
    file = mine.parent / "corpus" / "mine.json"
    file.parent.mkdir()
    file.write_text('{"format": "holdfast-corpus-1", "claims": {"mine/gone": []}}')
    keep = ["--keep"] if command == "hunt" else []
    done = holdfast(command, f"{mine}::mine/one", "--budget", "5", "--store", ":memory:", *keep)
    assert done.code == 64
    assert "keeps cases of 'mine/gone', which mine.py does not claim" in done.flat


@pytest.mark.parametrize("command", ["suggest", "hunt"])
def test_trained_networks_are_refused_with_the_reason(holdfast: Invoke, command: str) -> None:
    done = holdfast(command, "trained-policies/episode-coin#neural")
    assert done.code == 64
    assert "would train one for each model" in done.flat


def test_the_atlas_refuses_what_it_cannot_hunt(holdfast: Invoke, mine: Path) -> None:
    done = holdfast("atlas", f"{mine}::mine/equal")
    assert done.code == 64
    assert "a hunt needs an inequality" in done.flat


def test_a_limit_that_ends_beyond_what_was_followed_is_not_said_to_be_one(holdfast: Invoke) -> None:
    Path("bump_claims.py").write_text(
        "from holdfast.theory import Le, Provenance, Quantity, Source, Theorem\n"
        "from holdfast.verify import Family, claim\n"
        "x, y = Quantity('x', 'left'), Quantity('y', 'right')\n"
        "T = Theorem(label='mine/bump', title='t', relation=Le(x, y),\n"
        "            source=Source('draft', 'L', Provenance.READ))\n"
        "@claim(T, over=Family('grow', lambda draw: draw.growing(1, 12)))\n"
        "def check(n):\n"
        "    yield {x: n if n < 10**7 else 1, y: n + 1}\n"
    )
    done = holdfast("suggest", "bump_claims.py", "--budget", "200")
    assert "if it goes on so, no smaller factor is possible" in done.flat
