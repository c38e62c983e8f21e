"""Is a relation true here for a reason without the theorem?

Both sides may be zero because a factor is, or a term may vanish that the statement is about. So the
values at the edge of their domains are kept, all others are replaced by arbitrary ones, and the
relation is tried again: where none of these replacements makes it false, the edge alone makes it
true, and the theorem said nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache

from holdfast.theory import Domain, Quantity, Relation

from ..binding.values import Value, is_known
from ..kernel import Enclosure

_PROBES = 64
"""Replacements tried before a relation counts as true whatever they are.  More cost time on every
new set of edges, fewer take a bound that is seldom false for one that never is: with 64, one that
one replacement in ten refutes is missed once in 800 times."""

_LARGEST_EXPONENT = 8
"""Replacements without a bound have a magnitude between 2^-8 and 2^8.  Wider ranges seldom hit the
few values at which a bound is false; narrower ones do not leave the scale of the case."""

_UPPER_EDGES = {Domain.PROBABILITY: Fraction(1), Domain.TRIALS: Fraction(1)}
"""The end of a domain, other than zero, that belongs to it."""

Edges = frozenset[tuple[str, Fraction]]
Refutes = Callable[[Mapping[str, Value]], bool]


def watched(relation: Relation) -> tuple[tuple[str, Fraction], ...]:
    """Each quantity of the relation with the end of its domain, zero if there is no other.

    None where a side holds no quantity, as in ``residual == 0``: there the theorem is about just
    these values.
    """
    if not (relation.left.free_symbols and relation.right.free_symbols):
        return ()
    zero = Fraction(0)
    return tuple((one.name, _UPPER_EDGES.get(one.domain, zero)) for one in relation.quantities)


def edges(names: tuple[tuple[str, Fraction], ...], values: Mapping[str, Value]) -> Edges:
    """Those of the watched values that are zero or at the end of their domain."""
    found = ((name, end, _number(values[name])) for name, end in names)
    return frozenset(
        (name, number) for name, end, number in found if number is not None and number in (0, end)
    )


def true_regardless(relation: Relation, kept: Edges, refutes: Refutes) -> bool:
    """Whether the relation is true whatever the values are, but for those that are kept."""
    known = dict(kept)
    return not any(refutes({**probe, **known}) for probe in _probes(relation.quantities))


def _number(value: Value) -> Fraction | None:
    if isinstance(value, Enclosure) and is_known(value):
        return value.lo
    return value if isinstance(value, Fraction) else None


@cache
def _probes(quantities: frozenset[Quantity]) -> tuple[dict[str, Fraction], ...]:
    """Arbitrary values of the domains, a few at their edges; the same in every process."""
    generator = random.Random(0)
    ordered = sorted(quantities, key=lambda quantity: quantity.name)
    return tuple({one.name: _arbitrary(one, generator) for one in ordered} for _ in range(_PROBES))


def _arbitrary(quantity: Quantity, generator: random.Random) -> Fraction:
    if quantity.domain is not Domain.POSITIVE and generator.randrange(16) == 0:
        return _UPPER_EDGES.get(quantity.domain, Fraction(0))
    match quantity.domain:
        case Domain.PROBABILITY | Domain.DISCOUNT:
            return Fraction(generator.randrange(1, 64), 64)
        case Domain.COUNT | Domain.TRIALS:
            return Fraction(generator.randrange(2, 16))
    exponent = generator.randint(-_LARGEST_EXPONENT, _LARGEST_EXPONENT)
    size = Fraction(2) ** exponent * Fraction(generator.randrange(64, 128), 64)
    return -size if quantity.domain is Domain.REAL and generator.randrange(2) else size
