"""Stages and merges of policies: exact by hand, in floats, and what is refused."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.solvers.alignment.multipliers import InfeasibleError
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.stepwise import (
    merge_logits,
    realign,
    smallest_safe_merge,
    stages,
)
from holdfast.solvers.alignment.tilts import tilt
from holdfast.solvers.errors import ModelError

CASE = Problem.of([["1/2", "1/4", "1/4"]] * 2, [[1, 0, 2], [0, 1, 0]], [[0, 1, -1], [2, 0, 1]])
FIRST = tilt(CASE.reference, CASE.rewards, 1)
SAFE = tilt(CASE.reference, CASE.rewards + 3 * CASE.safety, 1)
HALF = Fraction(1, 2)


def same(one: np.ndarray, two: np.ndarray) -> bool:
    return all(a.overlaps(b) and a.rad() < 1e-12 for a, b in zip(one.flat, two.flat, strict=True))


def test_two_stages_in_either_order_are_one() -> None:
    both = tilt(CASE.reference, CASE.rewards + 2 * CASE.safety, 1)
    assert same(realign(FIRST, CASE.safety, 1, 2), both)
    assert same(stages(CASE.reference, [(CASE.safety, HALF), (CASE.rewards, 1)]), both)
    assert realign(FIRST, CASE.safety, 1, 0) is FIRST
    floats = CASE.floats()
    first = tilt(floats.reference, floats.rewards, 1.0)
    found = realign(first, floats.safety, 1.0, 2.0)
    assert np.abs(found - np.array([[float(one) for one in row] for row in both])).max() < 1e-14


def test_the_weight_of_the_first_stage_is_another_policy() -> None:
    assert not same(realign(FIRST, CASE.safety, 1, 1), tilt(FIRST, 2 * CASE.safety, 1))


def test_a_merge_of_logits_scales_the_multiplier() -> None:
    target = tilt(CASE.reference, CASE.rewards + CASE.safety, 1)
    assert same(merge_logits(FIRST, SAFE, Fraction(1, 3)), target)
    assert same(merge_logits(FIRST, SAFE, 0), FIRST)
    assert not same((2 * FIRST + SAFE) / 3, target)


def test_the_smallest_safe_merge_meets_the_level() -> None:
    """At weight 1/3 the multiplier is 1."""
    with flint.ctx.workprec(200):
        safe = tilt(CASE.reference, CASE.rewards + 3 * CASE.safety, 1)
        first = tilt(CASE.reference, CASE.rewards, 1)
        target = tilt(CASE.reference, CASE.rewards + CASE.safety, 1)
        gains = [[flint.arb(int(one)) for one in row] for row in CASE.safety]
        level = (target * np.array(gains, dtype=object)).sum() / 2
        found = smallest_safe_merge(CASE.prompt_law, first, safe, CASE.safety, level)
        assert found.contains(flint.arb(1) / 3)
        assert found.rad() < 1e-30
    assert smallest_safe_merge(CASE.prompt_law, FIRST, SAFE, CASE.safety, Fraction(-1)) == 0


def test_what_is_refused() -> None:
    with pytest.raises(ModelError, match="multiplier is -1"):
        realign(FIRST, CASE.safety, 1, -1)
    with pytest.raises(ModelError, match=r"weight is 3/2; a merge has one in \[0, 1\]"):
        merge_logits(FIRST, SAFE, Fraction(3, 2))
    with pytest.raises(InfeasibleError, match="the conservative policy has mean safety"):
        smallest_safe_merge(CASE.prompt_law, FIRST, SAFE, CASE.safety, Fraction(3, 2))
    with pytest.raises(ModelError, match="prefers a less safe response"):
        smallest_safe_merge(CASE.prompt_law, SAFE, FIRST, CASE.safety, Fraction(0))
    lame = SAFE.copy()
    lame[0] = [1, 0, 0][: len(lame[0])]
    with pytest.raises(ModelError, match="only one of the policies gives response 1 to prompt 0"):
        merge_logits(FIRST, lame, HALF)
    with pytest.raises(ModelError, match="shapes"):
        merge_logits(FIRST, SAFE[:1], HALF)
