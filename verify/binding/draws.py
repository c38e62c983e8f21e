"""Where randomness comes from: one interface, three back ends.

A family asks a `Draw` for integers and nothing else, so the same family can be sampled at full
speed (`PhiloxDraw`), shrunk (`HypothesisDraw`) and searched (`VectorDraw`).  Every draw records its
trace, the list of integers it gave; replaying the trace through a `VectorDraw` gives the same
model.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject

T = TypeVar("T")

FAR = 2**20
"""How many times its usual range a growing integer may have where a trace is read back: enough to
see where a ratio tends to, and few enough digits that a case is still computed in no time."""


class Draw(ABC):
    """A source of integers.

    Attributes
    ----------
    trace: the integers given so far.
    bounds: for each of them, the inclusive interval it was asked from.
    reach: how many times its usual range a growing integer may have.
    """

    def __init__(self, reach: int = 1) -> None:
        self.trace: list[int] = []
        self.bounds: list[tuple[int, int]] = []
        self.reach = reach

    @abstractmethod
    def _integer(self, lo: int, hi: int) -> int: ...

    def integer(self, lo: int, hi: int) -> int:
        """An integer in [lo, hi], both ends included; raises ValueError if lo > hi."""
        if lo > hi:
            raise ValueError(f"cannot draw an integer from the empty interval [{lo}, {hi}]")
        value = self._integer(lo, hi) if lo < hi else lo
        if lo < hi:
            self.trace.append(value)
            self.bounds.append((lo, hi))
        return value

    def growing(self, lo: int, hi: int, most: int | None = None) -> int:
        """An integer from `lo` up that is at most `hi` in drawn models, to keep them small.

        For weights and the like: the assumptions hold with any larger integer as well, so that a
        hunt may follow a worst case beyond `hi`, up to `most`, from where a case takes too long.
        """
        end = max(hi, hi * self.reach)
        return self.integer(lo, end if most is None else max(hi, min(end, most)))

    def choice(self, options: Sequence[T]) -> T:
        """One of the options; the first is the simplest."""
        return options[self.integer(0, len(options) - 1)]

    def shuffle(self, items: Sequence[T]) -> list[T]:
        """The items in a drawn order; all-zero draws leave them as they are."""
        rest, order = list(items), []
        while rest:
            order.append(rest.pop(self.integer(0, len(rest) - 1)))
        return order


class PhiloxDraw(Draw):
    """A counter-based stream keyed by words, e.g. (seed, claim, index): replays bit for bit."""

    def __init__(self, *words: object) -> None:
        super().__init__()
        self._generator = philox(*words)

    def _integer(self, lo: int, hi: int) -> int:
        return int(self._generator.integers(lo, hi, endpoint=True))


class HypothesisDraw(Draw):
    """Draws from Hypothesis, which can then shrink the model."""

    def __init__(self, data: "DataObject", reach: int = 1) -> None:
        super().__init__(reach)
        self._data = data

    def _integer(self, lo: int, hi: int) -> int:
        from hypothesis import strategies

        return self._data.draw(strategies.integers(lo, hi))


class VectorDraw(Draw):
    """Reads integers from a vector, clipped into the interval asked for, then the lower ends.

    A clipped vector is a valid one, so any integer vector is a point of the search space.
    """

    def __init__(self, values: Sequence[int], reach: int = FAR) -> None:
        super().__init__(reach)
        self._values = values

    def _integer(self, lo: int, hi: int) -> int:
        position = len(self.trace)
        return min(max(self._values[position], lo), hi) if position < len(self._values) else lo


def philox(*words: object) -> np.random.Generator:
    """A Philox generator keyed by the text of the words; never global state."""
    digest = hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16])))
