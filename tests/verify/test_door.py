"""``holdfast.verify.verify``: the command, from Python."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

import holdfast.verify
from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import Draw, Family, claim, verify
from holdfast.verify.campaign.exit_codes import ExitCode

x = Quantity("x", "a number", Domain.NONNEGATIVE)
y = Quantity("y", "its square", Domain.NONNEGATIVE)


def mine(slope: int):
    """The claim that x^2 is at most a multiple of x, of numbers up to 3."""
    source = Source("the tests", "", Provenance.DERIVED)
    theorem = Theorem(f"mine/square-{slope}", "A square below a line", Le(y, slope * x), source)

    def number(draw: Draw) -> Fraction:
        return Fraction(draw.integer(0, 12), 4)

    @claim(theorem, over=Family("numbers up to 3", number))
    def square(value: Fraction) -> Iterator[dict]:
        yield {x: value, y: value * value}

    return square


def test_an_own_claim_that_holds() -> None:
    """At x = 3 both sides are 9."""
    found = verify(mine(3), budget=50)
    assert found.exit_code is ExitCode.AS_EXPECTED
    (row,) = found.table()
    assert (row["claim"], row["verdict"], row["violations"]) == ("mine/square-3", "TIGHT", 0)
    assert row["killed"] == row["mutants"] > 0
    assert row["ratio"] == 1
    assert "mine/square-3: TIGHT, 0 violations on" in str(found)
    assert "<td>mine/square-3</td><td>TIGHT</td>" in found._repr_html_()


def test_an_own_claim_that_is_false(tmp_path: Path) -> None:
    found = verify(mine(2), budget=50, certificates=tmp_path)
    assert found.exit_code is ExitCode.VIOLATION
    assert found.table()[0]["violations"] > 0
    assert found.counterexamples


def test_names_as_the_command_takes_them() -> None:
    found = verify("cmdp/strong-duality", budget=5)
    assert [row["claim"] for row in found.table()] == ["cmdp/strong-duality"]


@pytest.mark.parametrize(
    ("claims", "options", "said"),
    [
        ((), {}, "name claims"),
        (("no/such",), {}, "no/such"),
        (("cmdp/strong-duality",), {"budget": "many"}, "cannot read the budget 'many'"),
    ],
)
def test_what_cannot_be_meant(claims: tuple, options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        verify(*claims, **options)


def test_the_public_names_load() -> None:
    names = dir(holdfast.verify)
    assert {"verify", "claim", "Family", "Draw", "NamedMutant", "RunSummary"} <= set(names)
    assert all(getattr(holdfast.verify, name) is not None for name in names)


def test_what_is_no_claim_is_named() -> None:
    with pytest.raises(ValueError, match="3 is no claim; give labels, files, or claims of yours"):
        verify(3)  # type: ignore[arg-type]
