"""The moves of a local search over the integers that draw a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from numpy.random import Generator

from ..binding.draws import Draw

_BEYOND = 2**64
"""An integer above all ranges, which is read as the upper end of its own."""


def moved(draw: Draw, generator: Generator) -> list[int]:
    """The trace after one or two random moves; out of bounds is clipped when it is read.

    Half the time what is at the upper end of its range stays there, also where a move of another
    integer shifts that end.
    """
    values = list(draw.trace)
    if values:
        if generator.integers(2):
            values = [
                _BEYOND if value == hi else value
                for value, (_, hi) in zip(values, draw.bounds, strict=True)
            ]
        for _ in range(int(generator.integers(1, 3))):
            move = _MOVES[int(generator.integers(len(_MOVES)))]
            at = int(generator.integers(len(values)))
            move(values, draw.bounds, at, generator)
    return values


Values = list[int]
Bounds = list[tuple[int, int]]
Move = Callable[[Values, Bounds, int, Generator], None]


def _step(values: Values, bounds: Bounds, at: int, generator: Generator) -> None:
    del bounds
    values[at] += 1 if generator.integers(2) else -1


def _leap(values: Values, bounds: Bounds, at: int, generator: Generator) -> None:
    lo, hi = bounds[at]
    size = 1 << int(generator.integers((hi - lo).bit_length()))
    values[at] += size if generator.integers(2) else -size


def _resample(values: Values, bounds: Bounds, at: int, generator: Generator) -> None:
    lo, hi = bounds[at]
    values[at] = int(generator.integers(lo, hi, endpoint=True))


def _to_end(values: Values, bounds: Bounds, at: int, generator: Generator) -> None:
    values[at] = bounds[at][int(generator.integers(2))]


def _zero_block(values: Values, bounds: Bounds, at: int, generator: Generator) -> None:
    for index in _block(len(values), at, generator):
        lo, hi = bounds[index]
        values[index] = min(max(0, lo), hi)


def _copy_block(values: Values, bounds: Bounds, at: int, generator: Generator) -> None:
    del bounds
    source = int(generator.integers(len(values)))
    for offset, index in enumerate(_block(len(values), at, generator)):
        values[index] = values[(source + offset) % len(values)]


def _copy_neighbour(values: Values, bounds: Bounds, at: int, generator: Generator) -> None:
    del bounds
    values[at] = values[(at + (1 if generator.integers(2) else -1)) % len(values)]


def _block(size: int, at: int, generator: Generator) -> Iterator[int]:
    length = 1 + int(generator.integers(max(size // 3, 1)))
    yield from range(at, min(at + length, size))


_MOVES: tuple[Move, ...] = (
    _step,
    _leap,
    _resample,
    _to_end,
    _zero_block,
    _copy_block,
    _copy_neighbour,
)
