"""A sharper constant is suggested where one may be true, and nowhere else; limits are named."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from holdfast.theory import Domain, Ge, Le, Provenance, Quantity, Sharp, Source, Theorem
from holdfast.verify.binding.claims import Claim
from holdfast.verify.binding.draws import Draw
from holdfast.verify.binding.family import Family
from holdfast.verify.binding.values import Ball, Values
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.search.hunt import hunt
from holdfast.verify.search.keeping import Extremal, extremals
from holdfast.verify.search.limits import named
from holdfast.verify.search.suggestion import Suggestion, simplest, suggest

SHARE = Quantity("share", "a share", Domain.NONNEGATIVE)
SOURCE = Source("nobody", "", Provenance.DERIVED)
BELOW = Theorem("demo/below", "It is at most one", Le(SHARE, 1), SOURCE)


def of(share: Any, base: Any, folder: Path) -> Claim:
    def evaluate(n: int) -> Iterator[Values]:
        yield {SHARE: share(n)}

    (folder / "mine.py").touch()
    file = str(folder / "mine.py")
    return Claim(BELOW, Family("numbers", base), evaluate, BELOW.label, file=file)


def growing(draw: Draw) -> int:
    return draw.growing(1, 4)


def at_most(most: int) -> Any:
    return lambda draw: draw.integer(1, most)


def found(claim: Claim) -> Extremal:
    (one,) = extremals(claim, hunt(claim, budget=Budget(models=300)))
    return one


def suggested(claim: Claim) -> Suggestion:
    (one,) = suggest(claim, hunt(claim, budget=Budget(models=300)))
    return one


@pytest.mark.parametrize(
    ("share", "constant", "formula"),
    [
        (lambda n: Fraction(n, n + 1), "1", "1 - 1/(n + 1)"),
        (lambda n: Fraction(3 * n * n, 4 * n * n + 7), "3/4", "3/4 - 21/(4*(4*n**2 + 7))"),
    ],
)
def test_a_rational_ratio_is_found_in_closed_form(
    tmp_path: Path, share: Any, constant: str, formula: str
) -> None:
    limit = found(of(share, growing, tmp_path)).limit
    assert limit is not None
    assert (limit.constant, limit.along) == (constant, f"ratio {formula} with integer 1 = n")


def test_an_irrational_limit_is_extrapolated_and_named(tmp_path: Path) -> None:
    """sqrt(n/(2 n + 1)) tends to sqrt(2)/2."""

    def share(n: int) -> Ball:
        from holdfast.verify.binding.balls import to_arb

        return Ball(lambda: to_arb(Fraction(n, 2 * n + 1)).sqrt())

    limit = found(of(share, growing, tmp_path)).limit
    assert limit is not None
    assert limit.constant == "sqrt(2)/2"
    assert limit.along.startswith("extrapolated")


@pytest.mark.parametrize(
    ("value", "name"),
    [(0.75, "3/4"), (0.3678794411714423, "exp(-1)"), (0.8325546111576978, "sqrt(log(2))"),
     (0.7501, ""), (0.123456789, "")],
)  # fmt: skip
def test_names_of_constants(value: float, name: str) -> None:
    assert named(value) == name


def test_a_constant_that_is_not_sharp_gets_a_suggestion(tmp_path: Path) -> None:
    """n/(2 n + 1) <= 1: the true constant is 1/2, and nothing calls 1 the best."""
    one = suggested(of(lambda n: Fraction(n, 2 * n + 1), growing, tmp_path))
    assert str(one.factor) == "1/2"
    assert str(one.relation) == "share <= 1/2"
    assert "tends to" in one.why


def test_where_both_sides_are_negative_the_smaller_one_is_raised(tmp_path: Path) -> None:
    """-n/(2 n + 1) >= -1 is -1/2 at the least."""
    drop = Quantity("drop", "a change for the worse")
    theorem = Theorem("demo/below", "It loses at most one", Ge(drop, -1), SOURCE)
    claim = of(lambda n: 0, growing, tmp_path)
    values = lambda n: iter([{drop: -Fraction(n, 2 * n + 1)}])  # noqa: E731
    one = suggested(replace(claim, theorem=theorem, evaluate=values))
    assert str(one.relation) == "-1/2 <= drop"


def test_an_attained_bound_gets_none(tmp_path: Path) -> None:
    one = suggested(of(lambda n: Fraction(1, n), at_most(3), tmp_path))
    assert (one.factor, one.relation) == (None, None)
    assert "equal" in one.why


def test_a_bound_that_is_approached_gets_none(tmp_path: Path) -> None:
    one = suggested(of(lambda n: Fraction(n, n + 1), growing, tmp_path))
    assert one.factor is None
    assert "tends to 1" in one.why


def test_a_suggestion_is_refuted_on_a_loosened_family(tmp_path: Path) -> None:
    """Up to n = 4 the largest ratio is 4/5; up to n = 30 the same statement, sharpened, is false,
    and the suggestion had named the integer that stopped it."""
    share = lambda n: Fraction(n, n + 1)  # noqa: E731
    narrow = suggested(of(share, at_most(4), tmp_path))
    assert str(narrow.relation) == "share <= 4/5"
    assert narrow.at_ends == ((0, 4),)
    assert narrow.relation is not None
    sharpened = Theorem("demo/sharper", "Suggested", narrow.relation, SOURCE)
    for most, holds in ((4, True), (30, False)):
        claim = replace(of(share, at_most(most), tmp_path), theorem=sharpened)
        assert (hunt(claim, budget=Budget(models=300)).violation is None) is holds


def test_the_smallest_case_of_the_ratio_is_kept(tmp_path: Path) -> None:
    """The ratio depends on n alone; what was drawn beside it goes."""

    def base(draw: Draw) -> int:
        beside = [draw.integer(0, 9) for _ in range(draw.integer(0, 5))]
        return draw.integer(1, 3) + 0 * sum(beside)

    one = found(of(lambda n: Fraction(n, 4), base, tmp_path))
    assert (one.ratio, one.peak.trace) == ("3/4", (0, 3))


def test_a_degenerate_equality_leaves_the_mutants_that_would_decide(tmp_path: Path) -> None:
    """share <= 2 rest + part is attained where rest is zero, though share is rest + part: what the
    attained case leaves open is a mutant that nothing refutes; no weaker one is named."""
    part, rest = (Quantity(name, "a share", Domain.NONNEGATIVE) for name in ("part", "rest"))
    theorem = Theorem("demo/sum", "The sum", Le(SHARE, part + 2 * rest), SOURCE)
    claim = replace(
        of(None, lambda draw: (draw.integer(1, 50), draw.integer(1, 50)), tmp_path),
        theorem=theorem,
        evaluate=lambda n: iter([{SHARE: n[0] + n[1], part: n[0], rest: n[1]}]),
    )
    claim = replace(claim, family=claim.family.with_landmarks(nil=lambda: ((3, 0),)))
    one = suggested(claim)
    assert (one.factor, one.extremal.ratio) == (None, "1")
    assert list(map(str, one.undecided)) == ["share <= part + 9*rest/5"]


@pytest.mark.parametrize(
    ("ratio", "relation", "left"),
    [("3/8", "share <= 2/5", []),
     ("11/25", "share <= 1/2", ["11*share/10 <= 1/2", "share <= 9/20"]),
     ("1/1000000", "share <= 1/800000", ["11*share/10 <= 1/800000", "share <= 9/8000000"])],
)  # fmt: skip
def test_a_conjecture_is_near_what_was_seen_and_its_sharper_mutants_are_named(
    tmp_path: Path, ratio: str, relation: str, left: list[str]
) -> None:
    one = suggested(of(lambda n: Fraction(ratio), at_most(4), tmp_path))
    assert (str(one.relation), list(map(str, one.undecided))) == (relation, left)


def test_a_limit_is_read_off_what_the_family_draws(tmp_path: Path) -> None:
    """(1 - 1/n)^n tends to 1/e, also where the family stops n at 3000; a ratio of more digits than
    a corpus takes is a decimal."""
    share = lambda n: (1 - Fraction(1, n)) ** n  # noqa: E731
    claim = of(share, lambda draw: draw.growing(1, 50, 3000), tmp_path)
    (one,) = extremals(claim, hunt(claim, budget=Budget(models=60)))
    assert one.limit is not None
    assert (one.limit.constant, one.ratio) == ("exp(-1)", "0.3676954248")


def test_integers_that_grow_together_are_followed_together(tmp_path: Path) -> None:
    """m n/(m n + m + n): with m fixed, however large, the limit would be m/(m + 1)."""
    share = lambda pair: Fraction(pair[0] * pair[1], pair[0] * pair[1] + sum(pair))  # noqa: E731
    one = found(of(share, lambda draw: (growing(draw), growing(draw)), tmp_path))
    assert one.limit is not None
    assert one.limit.constant == "1"


@pytest.mark.parametrize(
    ("low", "high", "least"),
    [("1/3", "1/2", "1/2"), ("3141/1000", "3143/1000", "22/7"), ("4/5", "17/20", "4/5")],
)
def test_simplest_fraction(low: str, high: str, least: str) -> None:
    assert simplest(Fraction(low), Fraction(high)) == Fraction(least)


def test_a_part_that_is_not_there_cannot_be_sharp() -> None:
    with pytest.raises(ValueError, match="part 1 is called sharp"):
        replace_sharp(Sharp("1", "no reason", 1))


def replace_sharp(sharp: Sharp) -> Theorem:
    return Theorem("demo/below", "It is at most one", Le(SHARE, 1), SOURCE, sharp=(sharp,))
