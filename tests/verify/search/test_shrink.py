"""Shrinking ends at a violation that is small, and that is still one."""

import unittest
from collections.abc import Iterator

import pytest

from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify.binding.claims import Claim
from holdfast.verify.binding.draws import Draw, PhiloxDraw, VectorDraw
from holdfast.verify.binding.family import Family
from holdfast.verify.binding.values import ClaimError, Values
from holdfast.verify.search import shrink as shrink_module
from holdfast.verify.search.shrink import shrink

TOTAL = Quantity("total", "sum of the numbers", Domain.NONNEGATIVE)
SMALL_TOTAL = Theorem(
    "demo/small-total",
    "Numbers up to 1000 sum to at most 1000",
    Le(TOTAL, 1000),
    Source("nobody", "", Provenance.DERIVED),
)


def numbers(draw: Draw) -> tuple[int, ...]:
    return tuple(draw.integer(0, 1000) for _ in range(draw.integer(0, 6)))


def total(model: tuple[int, ...]) -> Iterator[Values]:
    yield {TOTAL: sum(model)}


def claim_of(evaluate=total, base=numbers) -> Claim:
    return Claim(SMALL_TOTAL, Family("numbers", base), evaluate, SMALL_TOTAL.label)


def violating_trace(seed: int) -> list[int]:
    for index in range(100):
        draw = PhiloxDraw(seed, index)
        if sum(numbers(draw)) > 1000:
            return draw.trace
    raise AssertionError("no violation in a hundred draws, half of which violate")


@pytest.mark.parametrize("seed", range(3))
def test_the_smallest_violation_is_reached(seed: int) -> None:
    """One number is at most 1000, so two are needed; their sum exceeds 1000 by at least 1.

    The trace then holds the length 2 and the two numbers, at distance 2 + 1001 from zero.
    """
    shrunk = shrink(claim_of(), violating_trace(seed))
    assert shrunk is not None
    assert shrunk.size == (3, 2 + 1001)
    assert sum(shrunk.case[0]) == 1001
    assert shrunk.observation.values == {"total": 1001}
    assert shrunk.size <= shrunk.before
    assert numbers(VectorDraw(shrunk.trace)) == shrunk.case[0]


def test_the_result_depends_on_the_trace_alone() -> None:
    trace = violating_trace(7)
    assert shrink(claim_of(), trace) == shrink(claim_of(), trace)


def test_a_case_that_holds_is_not_shrunk() -> None:
    assert shrink(claim_of(), [1, 5]) is None


def test_cases_that_the_claim_cannot_digest_are_no_counterexamples() -> None:
    """Without the claim's objection the sum would shrink to 1001."""

    def picky(model: tuple[int, ...]) -> Iterator[Values]:
        if sum(model) < 1200:
            raise ZeroDivisionError("too small for me")
        yield {TOTAL: sum(model)}

    shrunk = shrink(claim_of(picky), [2, 900, 800])
    assert shrunk is not None
    assert sum(shrunk.case[0]) == 1200


def test_no_effort_means_no_shrinking() -> None:
    shrunk = shrink(claim_of(), [3, 900, 800, 7], examples=1)
    assert shrunk is not None
    assert shrunk.trace == (3, 900, 800, 7)
    assert (shrunk.size, shrunk.examined) == (shrunk.before, 1)
    late = shrink(claim_of(), [3, 900, 800, 7], seconds=0)
    assert late is not None
    assert late.trace == (3, 900, 800, 7)


def test_what_hypothesis_raises_hides_no_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SkipTest from Hypothesis would make a test runner skip what is a violation."""

    def refuses(_: object) -> None:
        raise unittest.SkipTest("no test cases to run")

    monkeypatch.setattr(shrink_module, "_pursue", refuses)
    shrunk = shrink(claim_of(), [3, 900, 800, 7])
    assert shrunk is not None
    assert sum(shrunk.case[0]) == 1700


def test_a_part_is_left_out_together_with_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A case is a number of pairs, then the pairs; a violation if the last of them is (700, 400).

    Lowering the number alone, or leaving a pair out alone, is no violation.
    """

    def pairs(draw: Draw) -> tuple[tuple[int, int], ...]:
        count = draw.integer(1, 5)
        return tuple((draw.integer(0, 1000), draw.integer(0, 1000)) for _ in range(count))

    def last(model: tuple[tuple[int, int], ...]) -> Iterator[Values]:
        yield {TOTAL: 1001 if model[-1] == (700, 400) else 0}

    monkeypatch.setattr(shrink_module, "_pursue", lambda _: None)
    shrunk = shrink(claim_of(last, pairs), [4, 1, 2, 3, 4, 5, 6, 700, 400])
    assert shrunk is not None
    assert shrunk.case == (((700, 400),),)


def test_integers_beyond_machine_words_shrink() -> None:
    """The smallest integer above 1000 is 1001."""

    def large(draw: Draw) -> tuple[int, ...]:
        return (draw.integer(0, 2**80),)

    shrunk = shrink(claim_of(base=large), [2**79 + 12345])
    assert shrunk is not None
    assert shrunk.trace == (1001,)


def test_a_claim_that_changes_its_mind_is_reported() -> None:
    answers = iter([2000, 0])

    def fickle(_: tuple[int, ...]) -> Iterator[Values]:
        yield {TOTAL: next(answers)}

    with pytest.raises(
        ClaimError, match=r"small-total: the claim is not a function of its case.*\[1, 3\]"
    ):
        shrink(claim_of(fickle), [1, 3], examples=1)
