"""Programs with two rows: mixtures of atoms of the largest value and at least a given safety.

An atom is an action, with its value and the probability that it is safe, or a whole policy, with
its return and the probability that an episode is safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, compress

from ..programs.program import LinearProgram


@dataclass(frozen=True, slots=True)
class Atom:
    """A pair (value, safety)."""

    value: Fraction
    safety: Fraction


@dataclass(frozen=True, slots=True)
class Mixture:
    """`weight` of atom number `first`, the rest of atom number `second`; its value and safety."""

    first: int
    second: int
    weight: Fraction
    value: Fraction
    safety: Fraction

    @property
    def atoms(self) -> tuple[int, ...]:
        """The atoms of positive weight."""
        both = ((self.first, self.weight), (self.second, 1 - self.weight))
        return tuple(dict.fromkeys(atom for atom, weight in both if weight))


def best_single(atoms: Sequence[Atom], least: Fraction) -> Mixture | None:
    """The atom of largest value among those of safety at least `least`; None if there is none."""
    fit = [(a.value, -i) for i, a in enumerate(atoms) if a.safety >= least]
    return _single(atoms, -max(fit)[1]) if fit else None


def best_pair(atoms: Sequence[Atom], least: Fraction) -> Mixture | None:
    """The mixture of largest value and safety at least `least`, over all pairs; None if none.

    Two atoms are enough: a linear program with two rows has a basic solution.
    """
    return max(_candidates(atoms, least), key=lambda found: found.value, default=None)


def _candidates(atoms: Sequence[Atom], least: Fraction) -> Iterator[Mixture]:
    """The vertices: atoms that are safe enough, and pairs across the line that meet it exactly."""
    for i, one in enumerate(atoms):
        if one.safety >= least:
            yield _single(atoms, i)
    for i, j in combinations(range(len(atoms)), 2):
        above, below = atoms[i].safety - least, atoms[j].safety - least
        if above * below < 0:
            yield mix(atoms, i, j, below / (below - above))


def _single(atoms: Sequence[Atom], index: int) -> Mixture:
    return Mixture(index, index, Fraction(1), atoms[index].value, atoms[index].safety)


def mix(atoms: Sequence[Atom], first: int, second: int, weight: Fraction) -> Mixture:
    """The mixture of two atoms; `weight` is of the first."""
    one, other = atoms[first], atoms[second]
    return Mixture(
        first,
        second,
        weight,
        weight * one.value + (1 - weight) * other.value,
        weight * one.safety + (1 - weight) * other.safety,
    )


def atom_program(atoms: Sequence[Atom], least: Fraction) -> LinearProgram:
    """The linear program of the best mixture: weights of sum 1 whose mean safety is enough."""
    return LinearProgram.of(
        [a.value for a in atoms],
        [[1] * len(atoms), [-a.safety for a in atoms]],
        ["=", "<="],
        [1, -least],
    )


def dual_value(atoms: Sequence[Atom], least: Fraction) -> Fraction | None:
    """min over lambda >= 0 of max_i value_i + lambda (safety_i - least); None if unbounded below.

    The maximum of lines in lambda: its least point is at 0 or where two of them cross.
    """
    lines = [(a.value, a.safety - least) for a in atoms]
    if max(slope for _, slope in lines) < 0:
        return None
    at = [Fraction(0), *_crossings(lines)]
    return min(max(value + point * slope for value, slope in lines) for point in at)


def _crossings(lines: Sequence[tuple[Fraction, Fraction]]) -> Iterator[Fraction]:
    """The positive places where two lines (value at 0, slope) cross."""
    for one, other in combinations(lines, 2):
        if one[1] != other[1]:
            point = (other[0] - one[0]) / (one[1] - other[1])
            if point > 0:
                yield point


def reduce_to_two(atoms: Sequence[Atom], weights: Sequence[Fraction]) -> Mixture:
    """Two atoms no worse than a mixture of many, in value and in safety.

    Raises
    ------
    ValueError: if the weights are not non-negative numbers of sum 1, one an atom.
    """
    if len(weights) != len(atoms) or min(weights, default=Fraction(-1)) < 0 or sum(weights) != 1:
        raise ValueError(f"{list(map(str, weights))} are no weights of {len(atoms)} atoms")
    safety = sum((w * a.safety for w, a in zip(weights, atoms, strict=True)), Fraction(0))
    used = list(compress(range(len(atoms)), weights))
    found = best_pair(list(compress(atoms, weights)), safety)
    assert found is not None  # the mixture itself is safe enough
    return replace(found, first=used[found.first], second=used[found.second])


def level_value(atoms: Sequence[Atom], level: Fraction) -> Fraction | None:
    """The largest value of an atom of risk (1 - safety) at most `level`; None if there is none."""
    found = best_single(atoms, 1 - level)
    return None if found is None else found.value
