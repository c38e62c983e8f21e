"""Draws: the same integers from three back ends, recorded, replayed and clipped."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.verify.binding.draws import Draw, HypothesisDraw, PhiloxDraw, VectorDraw, philox


def play(draw: Draw) -> list[object]:
    """A bit of everything that a family does."""
    return [
        draw.integer(-3, 9),
        draw.integer(7, 7),
        draw.choice("abcde"),
        draw.shuffle([1, 2, 3, 4]),
        [draw.integer(0, 10**6) for _ in range(draw.integer(0, 3))],
    ]


def test_philox_replays_bit_for_bit() -> None:
    assert play(PhiloxDraw(1, "claim", 7)) == play(PhiloxDraw(1, "claim", 7))


def test_philox_is_numpy_s_stream_under_the_hash_of_the_words() -> None:
    draw = PhiloxDraw(0, "cmdp/strong-duality", 0)
    key = hashlib.sha256(b"0\x1fcmdp/strong-duality\x1f0").digest()[:16]
    stream = np.random.Generator(np.random.Philox(key=int.from_bytes(key)))
    numbers = [int(stream.integers(0, 999, endpoint=True)) for _ in range(5)]
    assert [draw.integer(0, 999) for _ in range(5)] == numbers


@pytest.mark.parametrize("other", [(2, "claim", 7), (1, "clai", "m", 7), (1, "claim", 8), (1,)])
def test_other_words_are_another_stream(other: tuple[object, ...]) -> None:
    numbers = [PhiloxDraw(*words).integer(0, 10**15) for words in ((1, "claim", 7), other)]
    assert numbers[0] != numbers[1]


def test_words_are_told_apart_by_where_they_end() -> None:
    assert philox("ab", "c").integers(10**15) != philox("a", "bc").integers(10**15)


@given(st.data())
def test_replaying_a_trace_gives_the_same(data: st.DataObject) -> None:
    draw = HypothesisDraw(data)
    played = play(draw)
    again = VectorDraw(draw.trace)
    assert play(again) == played
    assert again.trace == draw.trace
    assert again.bounds == draw.bounds


@given(st.lists(st.integers(), max_size=12))
def test_any_vector_is_a_valid_draw(values: list[int]) -> None:
    draw = VectorDraw(values)
    play(draw)
    assert len(draw.trace) == len(draw.bounds)
    assert all(lo <= value <= hi for value, (lo, hi) in zip(draw.trace, draw.bounds, strict=True))


def test_a_vector_that_is_too_short_goes_on_with_the_simplest() -> None:
    assert play(VectorDraw([])) == [-3, 7, "a", [1, 2, 3, 4], []]


def test_an_integer_without_choice_is_not_recorded() -> None:
    draw = PhiloxDraw("x")
    assert draw.integer(5, 5) == 5
    assert draw.trace == []


def test_an_empty_interval_is_refused() -> None:
    with pytest.raises(ValueError, match=r"empty interval \[3, 2\]"):
        VectorDraw([]).integer(3, 2)


@pytest.mark.parametrize("options", [[], ""])
def test_a_choice_of_nothing_is_refused(options) -> None:
    with pytest.raises(ValueError, match="empty interval"):
        PhiloxDraw(0).choice(options)


def test_shuffles_are_uniform_enough_to_meet_every_order() -> None:
    met = {tuple(PhiloxDraw(index).shuffle([1, 2, 3])) for index in range(200)}
    assert len(met) == 6


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**12))
def test_philox_stays_within_bounds(lo: int, width: int) -> None:
    assert lo <= PhiloxDraw(lo, width).integer(lo, lo + width) <= lo + width
