"""What a user writes: a theorem and a claim in a file; and every way of getting it wrong."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from holdfast.verify.binding.claims import load
from holdfast.verify.binding.values import ClaimError
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.summary import summarise
from holdfast.verify.engine.examiner import Kind, Shard, run_shard

HEAD = '''
    """A theorem of my own."""
    from fractions import Fraction

    from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
    from holdfast.verify import Family, claim

    x = Quantity("x", "the smaller", Domain.NONNEGATIVE)
    y = Quantity("y", "the larger", Domain.NONNEGATIVE)
    fractions = Family(
        "fractions",
        base=lambda draw: Fraction(draw.integer(0, 9), draw.integer(1, 9)),
        landmarks={"one": lambda: (Fraction(1),)},
    )
    theorem = Theorem("LABEL", "Halves", Le(x, 2 * y), Source("me", "", Provenance.DERIVED))


    @claim(theorem, over=fractions)
    def halves(number):
'''
RIGHT = "        yield {x: 2 * number, y: number}\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of one claim; labels differ, as all claims of a process share a registry."""

    def written(body: str, name: str = "mine.py", head: str = HEAD) -> Path:
        path = tmp_path / name
        label = f"mine/{tmp_path.name}-{path.stem}"
        path.write_text(dedent(head + body).replace("LABEL", label).lstrip())
        return path

    return written


def run(path: Path, kind: Kind = Kind.DRAWN, size: int = 20):
    (claim,) = load(path)
    return claim, run_shard(claim, Shard(claim.name, kind, 0, size, 0))


def test_twenty_five_lines_are_enough(write: Write) -> None:
    path = write(RIGHT)
    assert len(path.read_text().splitlines()) <= 25
    claim, drawn = run(path)
    results = [run_shard(claim, Shard(claim.name, Kind.LANDMARKS, 0, 1, 0)), drawn]
    summary = summarise(claim, results)
    assert summary.exit_code is ExitCode.AS_EXPECTED
    assert summary.killed.keys() == {
        "11*x/10 <= 2*y", "x <= 9*y/5", "x <= 2",
    }  # fmt: skip


@pytest.mark.parametrize(("body", "message"), [
    ("        raise RuntimeError('no idea')\n        yield {}\n",
     "drawn:0: the claim raised RuntimeError: no idea"),
    ("        yield {x: 1 / (number - number), y: 1}\n", "the claim raised ZeroDivisionError"),
    ("        yield {x: float(number), y: number}\n", "a float is not evidence"),
    ("        yield {x: number}\n", r"no value for y \(the larger\)"),
    ("        yield {x: 0, y: 0, Quantity('z', 'no part of it'): 0}\n",
     "the theorem has no quantity z; it has x, y"),
    ("        yield {'x': 0, 'y': 0}\n", "the theorem has no quantity"),
    ("        yield {x: -1, y: 0}\n", "x = -1 is outside its domain"),
    ("        yield [0, 1]\n", r"yields \{quantity: value\}"),
    ("        return {x: 0, y: 0}\n", "the claim raised|yields"),
])  # fmt: skip
def test_a_faulty_claim_is_an_error_with_its_place(write: Write, body: str, message: str) -> None:
    claim, result = run(write(body))
    with pytest.raises(ClaimError, match=message):
        raise ClaimError(result.error)
    assert claim.name in result.error
    assert summarise(claim, [result]).exit_code is ExitCode.BAD_USAGE


def test_what_was_found_before_the_fault_is_kept(write: Write) -> None:
    _, result = run(write("        yield {x: 0, y: 1}\n        yield {x: None, y: 1}\n"))
    assert result.error
    assert len(result.findings) == 1


def test_a_claim_that_yields_nothing_decides_nothing(write: Write) -> None:
    claim, result = run(write("        yield from ()\n"))
    assert result.error == ""
    assert result.models == 0
    summary = summarise(claim, [result])
    assert summary.verdict.name == "OUT_OF_SCOPE"
    assert not summary.as_expected


def test_a_family_that_raises_is_an_error_too(write: Write) -> None:
    path = write(RIGHT, head=HEAD.replace("draw.integer(1, 9)", "draw.integer(0, 0)"))
    _, result = run(path)
    assert "the family raised ZeroDivisionError" in result.error


def test_two_sets_of_values_are_two_findings(write: Write) -> None:
    _, result = run(write("        yield {x: 0, y: 0}\n        yield {x: 0, y: number}\n"), size=1)
    assert [found.repeat for found in result.findings] == [0, 1]


# -- files
def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ClaimError, match=r"no such file of claims: .*nowhere\.py"):
        load(tmp_path / "nowhere.py")


def test_a_file_that_does_not_import(write: Write) -> None:
    path = write("        yield (\n", "syntax.py")
    with pytest.raises(ClaimError, match=r"syntax\.py does not import: it raised SyntaxError"):
        load(path)
    path = write("        yield {}\n    import no_such_module\n", "importing.py")
    with pytest.raises(ClaimError, match=r"ModuleNotFoundError: .*no_such_module"):
        load(path)


def test_a_file_without_claims(tmp_path: Path) -> None:
    path = tmp_path / "empty.py"
    path.write_text("")
    with pytest.raises(ClaimError, match=r"makes no claim; decorate a generator with @claim"):
        load(path)


def test_a_file_is_imported_once(write: Write) -> None:
    path = write(RIGHT)
    assert load(path)[0] is load(path)[0]


def test_a_label_of_another_file_is_refused(write: Write) -> None:
    text = write(RIGHT, "first.py").read_text()
    load(write(RIGHT, "first.py"))
    path = write(RIGHT, "second.py")
    path.write_text(text)
    with pytest.raises(ClaimError, match=r"is claimed in .*first\.py and again in .*second\.py"):
        load(path)


def test_a_plain_symbol_is_explained(write: Write) -> None:
    quantity = 'Quantity("x", "the smaller", Domain.NONNEGATIVE)'
    head = HEAD.replace(quantity, '__import__("sympy").Symbol("x")')
    with pytest.raises(ClaimError, match="x is a bare symbol; write Quantity"):
        load(write(RIGHT, "symbol.py", head))


@pytest.mark.parametrize(("fact", "error"), [("Le(x, y)", True), ("Le(y, x)", False)])
def test_what_is_said_to_be_known_is_looked_at(write: Write, fact: str, error: bool) -> None:
    """x = 2 y: that x <= y is false, and would prove mutants implied that are not."""
    head = HEAD.replace("Provenance.DERIVED))", f"Provenance.DERIVED), known=({fact},))")
    _, found = run(write(RIGHT, head=head))
    assert ("is said to be known, and is false with x = " in found.error) is error
