"""The hunt finds the extremal case, the same one every time, and keeps it."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import pytest

from holdfast.theory import Both, Domain, Eq, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify.binding.claims import Claim
from holdfast.verify.binding.draws import FAR, Draw, PhiloxDraw
from holdfast.verify.binding.family import Family
from holdfast.verify.binding.values import Ball, ClaimError, Values
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.engine.comparison import CompiledRelation
from holdfast.verify.search.hunt import Hunt, hunt, score
from holdfast.verify.store.store import Store

N = Quantity("n", "smaller number", Domain.POSITIVE)
M = Quantity("m", "larger number", Domain.POSITIVE)
SOURCE = Source("nobody", "", Provenance.DERIVED)
MEANS = Theorem(
    "demo/means", "Geometric below arithmetic mean", Le(4 * N * M, (N + M) ** 2), SOURCE
)


def distinct(draw: Draw) -> tuple[int, int]:
    """n and m = n + d with n, d in [1, 200]."""
    n = draw.integer(1, 200)
    return n, n + draw.integer(1, 200)


def both(model: tuple[int, int]) -> Iterator[Values]:
    yield {N: model[0], M: model[1]}


def claim_of(theorem: Theorem = MEANS, base: Any = distinct, evaluate: Any = both) -> Claim:
    return Claim(theorem, Family("pairs of numbers", base), evaluate, theorem.label)


def timeless(result: Hunt) -> Hunt:
    return replace(result, seconds=0.0)


@pytest.mark.parametrize("seed", range(3))
def test_the_extremal_case_is_found(seed: int) -> None:
    """4 n m / (n + m)^2 = 1 - d^2 / (n + m)^2 is largest at d = 1, n = 200: 1 - 1/401^2."""
    result = hunt(claim_of(), seed=seed, budget=Budget(models=1500))
    (peak,) = result.best
    assert peak.trace == (200, 1)
    assert peak.ratio == float(1 - Fraction(1, 401**2))
    assert result.violation is None
    assert result.models == 1500
    assert result.restarts > 1


def test_a_number_of_models_makes_the_hunt_deterministic() -> None:
    first, second = (hunt(claim_of(), seed=5, budget=Budget(models=200)) for _ in range(2))
    assert timeless(first) == timeless(second)


def test_a_budget_of_seconds_is_kept() -> None:
    result = hunt(claim_of(), budget=Budget(seconds=0.2))
    assert 0.2 <= result.seconds < 5
    assert result.models > 1


def test_a_violation_ends_the_hunt_and_is_shrunk() -> None:
    """3 <= n + d fails at n = d = 1 only, one case in 40,000."""
    wrong = Theorem("demo/wrong", "m is at least 3", Le(3, M), SOURCE)
    result = hunt(claim_of(wrong, evaluate=lambda model: iter([{M: model[1]}])))
    assert result.violation is not None
    assert result.violation.case == ((1, 2),)
    assert result.models < 2000


def test_each_part_of_a_theorem_has_its_own_peak() -> None:
    """n <= 200 is attained at n = 200; m <= 500 comes closest at m = 400, the ratio 4/5."""
    parts = Theorem("demo/parts", "Two bounds", Both(Le(N, 200), Le(M, 500)), SOURCE)
    result = hunt(claim_of(parts), budget=Budget(models=800))
    assert [peak.ratio for peak in result.best] == [1.0, 0.8]
    assert result.best[1].trace == (200, 200)


def test_a_store_keeps_peaks_and_gives_them_back() -> None:
    with Store.open(":memory:") as store:
        hunt(claim_of(), budget=Budget(models=1500), corpus=store)
        (kept,) = store.corpus("demo/means")
        assert kept.trace == (200, 1)
        assert kept.case == [["200", "201"]]
        again = hunt(claim_of(), seed=9, budget=Budget(models=1), corpus=store)
    assert again.best[0].trace == (200, 1)
    assert (again.kept, again.restarts) == (1, 0)


def test_a_violation_is_kept_in_the_corpus() -> None:
    wrong = Theorem("demo/wrong", "m is at least 3", Le(3, M), SOURCE)
    with Store.open(":memory:") as store:
        hunt(claim_of(wrong, evaluate=lambda model: iter([{M: model[1]}])), corpus=store)
        notes = {kept.note: kept.trace for kept in store.corpus("demo/wrong")}
        assert notes["violation, shrunk"] == (1, 1)
        again = hunt(
            claim_of(wrong, evaluate=lambda model: iter([{M: model[1]}])), seed=1, corpus=store
        )
    assert again.violation is not None
    assert again.models > 1, "a violation that was kept is not found again by replaying it"
    assert again.kept == len(notes) - 1


def test_zero_against_zero_is_no_peak() -> None:
    """At d = 0 both sides of d <= 2 d vanish; anywhere else the ratio is 1/2."""
    d = Quantity("d", "a number that may vanish", Domain.NONNEGATIVE)
    double = Theorem("demo/double", "d is at most 2 d", Le(d, 2 * d), SOURCE)
    loose = claim_of(double, lambda draw: draw.integer(0, 3), lambda number: iter([{d: number}]))
    assert hunt(loose, budget=Budget(models=60)).best[0].ratio == 0.5
    compared = CompiledRelation(double.parts[0])
    zero = Ball(lambda: flint.arb(2).sqrt() - flint.arb(2).sqrt())
    for nothing in (Fraction(0), zero):
        assert score(compared.examine({"d": nothing})) == float("-inf")


def test_scores_order_what_ratios_cannot() -> None:
    """-5 <= 5 is farther from breaking than -1 <= 1, and any ratio is closer than both."""
    x, y = Quantity("x", "left"), Quantity("y", "right")
    relation = CompiledRelation(Le(x, y))
    far, near, ratio = (
        score(relation.examine({"x": Fraction(a), "y": Fraction(b)}))
        for a, b in [(-5, 5), (-1, 1), (1, 9)]
    )
    assert far < near < ratio
    assert score(CompiledRelation(Eq(x, y)).examine({"x": Fraction(3), "y": Fraction(3)})) == 0


def test_a_family_of_one_model_uses_up_its_budget() -> None:
    result = hunt(claim_of(base=lambda _: (1, 2)), budget=Budget(models=7))
    assert result.models == 7
    assert result.best[0].trace == ()


def test_progress_is_told_of_every_case() -> None:
    told: list[tuple[int, float | None]] = []
    hunt(claim_of(), budget=Budget(models=30), progress=lambda *news: told.append(news))
    assert [models for models, _ in told] == list(range(1, 31))
    ratios = [ratio for _, ratio in told if ratio is not None]
    assert ratios == sorted(ratios)


def test_a_faulty_claim_stops_the_hunt() -> None:
    with pytest.raises(ClaimError, match="no value for m"):
        hunt(claim_of(evaluate=lambda model: iter([{N: model[0]}])))


def test_a_growing_integer_is_followed_to_the_limit() -> None:
    """n/(n + 1) <= 1 is drawn up to n = 3, ratio 3/4; a hunt goes on to a million times that."""
    share = Quantity("share", "n/(n + 1)", Domain.NONNEGATIVE)
    theorem = Theorem("demo/limit", "A share is at most one", Le(share, 1), SOURCE)
    for draw, most in ((Draw.growing, FAR), (Draw.integer, 1)):
        limit = claim_of(
            theorem,
            lambda source, draw=draw: draw(source, 1, 3),
            lambda n: iter([{share: Fraction(n, n + 1)}]),
        )
        (peak,) = hunt(limit, budget=Budget(models=300)).best
        assert peak.ratio == float(Fraction(3 * most, 3 * most + 1))
        assert PhiloxDraw(peak.trace).growing(1, 3) <= 3, "drawn models stay small"


def test_what_is_at_an_end_stays_there_when_the_end_moves() -> None:
    """Of (n, m) with m <= 7 n, the sum is largest at both ends, which move together."""

    def base(draw: Draw) -> tuple[int, int]:
        m = draw.integer(1, 100)
        return m, draw.integer(1, 7 * m)

    bound = Theorem("demo/ends", "A sum is bounded", Le(N + M, 900), SOURCE)
    (peak,) = hunt(claim_of(bound, base), budget=Budget(models=1500)).best
    assert peak.trace == (100, 700)
