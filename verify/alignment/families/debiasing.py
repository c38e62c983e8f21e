"""Log-ratios of tokens in contexts, with a law of contexts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import laws, numbers


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """weights [H] of contexts, reference [H, V], and logits [H, V] that tuning added to its
    logarithms, not normalised."""

    weights: Array
    reference: Array
    added: Array


def tuned(draw: Draw, *, constant: bool = False, tokens: int | None = None) -> Tuned:
    """Two or three contexts, two to four tokens unless it is said how many; constant: the same is
    added in all contexts."""
    H, V = draw.integer(2, 3), tokens or draw.integer(2, 4)
    added = numbers(draw, 1 if constant else H, V)
    added = added + numbers(draw, H, 1) if constant else added
    return Tuned(laws(draw, 1, H, least=1)[0], laws(draw, H, V, least=1), added)


def policies(*, constant: bool = False) -> Family:
    """Of `tuned`."""

    def one(draw: Draw) -> Tuned:
        return tuned(draw, constant=constant)

    return Family("a tuned policy over contexts and tokens", one)


Positions = tuple[Tuned, ...]


def positions() -> Family:
    """Two or three positions of the same tokens, the last of which is past those debiased."""

    def several(draw: Draw) -> Positions:
        V = draw.integer(2, 3)
        return tuple(tuned(draw, tokens=V) for _ in range(draw.integer(2, 3)))

    return Family("positions of a response, the last one not debiased", several)


def shift(draw: Draw, case: Tuned, *_: object) -> Array:
    """A number for each token."""
    return numbers(draw, case.added.shape[1])


def context_shift(draw: Draw, case: Tuned, *_: object) -> Array:
    """A number for each context."""
    return numbers(draw, case.added.shape[0])


def count(draw: Draw, *_: object) -> int:
    """Contexts of a sample."""
    return draw.integer(1, 5)


def failure(draw: Draw, *_: object) -> Fraction:
    """A probability of failing."""
    return draw.choice(tuple(Fraction(k, 10) for k in (5, 9, 2, 1)))
