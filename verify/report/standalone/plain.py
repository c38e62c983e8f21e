"""What the stand-alone files share; it is copied into them, so it needs the standard library alone.

Nothing here is fast, and nothing is taken from the solvers: it is a second computation.  An
interval is a pair of fractions (low, high) that encloses a real number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from math import floor, isqrt, prod
from typing import Any

Rational = Fraction | int
Interval = tuple[Rational, Rational]
Row = tuple[int, int, Mapping[int, Rational], Rational, Sequence[Rational]]
"""Of a model: state, action, probabilities of the next states, reward, costs."""
Rows = Mapping[int, Row]
"""State -> the row of the action that a deterministic policy takes there."""

GRID = 2**200  # ends of intervals are rounded outwards to multiples of 1/GRID


def met(text: str, holds: bool) -> None:
    """Say that the model meets what is printed; end where it does not."""
    print(("met: " if holds else "NOT MET: ") + text)
    if not holds:
        raise SystemExit("this model is not a counterexample")


def solved(
    matrix: Sequence[Sequence[Rational]], right: Sequence[Rational]
) -> list[Fraction] | None:
    """The solution of a square system by elimination, or None where there is not exactly one."""
    size = len(right)
    table = [[Fraction(x) for x in (*row, b)] for row, b in zip(matrix, right, strict=True)]
    for k in range(size):
        pivot = next((i for i in range(k, size) if table[i][k]), None)
        if pivot is None:
            return None
        table[k], table[pivot] = table[pivot], table[k]
        table[k] = [x / table[k][k] for x in table[k]]
        for i in range(size):
            if i != k:
                table[i] = [x - table[i][k] * y for x, y in zip(table[i], table[k], strict=True)]
    return [row[-1] for row in table]


def is_law(weights: Iterable[Rational]) -> bool:
    """Whether these are probabilities."""
    found = list(weights)
    return min(found) >= 0 and sum(found) == 1


def policies(model: Mapping[str, Any]) -> list[Rows]:
    """All deterministic policies."""
    every = [model["initial"], *(row[2].values() for row in model["rows"])]
    met("the probabilities of the next state, and of the first, sum to 1", all(map(is_law, every)))
    states = sorted({row[0] for row in model["rows"]})
    choices = [[row for row in model["rows"] if row[0] == state] for state in states]
    return [dict(zip(states, chosen, strict=True)) for chosen in product(*choices)]


def values(rows: Rows, discount: Rational, paid: Mapping[int, Rational]) -> list[Fraction]:
    """From each state the sum of discount^k times what is paid in step k: v = paid + discount P v.

    paid: state -> what its row pays.
    """
    size = len(rows)
    matrix = [[int(s == t) - discount * rows[s][2].get(t, 0) for t in range(size)]
              for s in range(size)]  # fmt: skip
    found = solved(matrix, [paid[s] for s in range(size)])
    if found is None:
        raise SystemExit("the discount is not below 1")
    return found


def mean(weights: Iterable[Rational], numbers: Iterable[Rational]) -> Fraction:
    """The sum of weights times numbers."""
    return Fraction(sum(w * x for w, x in zip(weights, numbers, strict=True)))


def best_mixture(
    worth: Sequence[Rational],
    limits: Sequence[tuple[Sequence[Rational], Rational]],
    most: int | None = None,
) -> Fraction:
    """The largest mean of `worth` over weights that sum to 1 and keep each mean of costs within its
    bound, with at most `most` positive weights.

    It is attained at a vertex, where one limit less is tight than there are positive weights.
    limits: pairs (costs, bound).
    """
    found = []
    for size in range(1, min(most or len(worth), len(limits) + 1, len(worth)) + 1):
        for used in combinations(range(len(worth)), size):
            for tight in combinations(limits, size - 1):
                rows: list[list[Rational]] = [[1] * size]
                rows += [[costs[i] for i in used] for costs, _ in tight]
                w = solved(rows, [1, *(bound for _, bound in tight)])
                if w is not None and min(w) >= 0 and all(
                    mean(w, [costs[i] for i in used]) <= bound for costs, bound in limits
                ):  # fmt: skip
                    found.append(mean(w, [worth[i] for i in used]))
    if not found:
        raise SystemExit("no weights keep the limits")
    return max(found)


def interval(x: Rational | Interval) -> Interval:
    """A number as an interval of one point."""
    return x if isinstance(x, tuple) else (x, x)


def add(*terms: Rational | Interval) -> Interval:
    """A sum of intervals."""
    ends = [interval(x) for x in terms]
    return sum(x[0] for x in ends), sum(x[1] for x in ends)


def times(*factors: Rational | Interval) -> Interval:
    """A product of intervals."""
    corners = [prod(ends) for ends in product(*(interval(x) for x in factors))]
    return min(corners), max(corners)


def over(x: Rational | Interval, y: Rational | Interval) -> Interval:
    """A quotient of intervals, the second positive."""
    low, high = interval(y)
    return times(x, (1 / Fraction(high), 1 / Fraction(low)))


def outwards(low: Rational, high: Rational) -> Interval:
    """The interval rounded outwards to the grid."""
    return Fraction(floor(low * GRID), GRID), Fraction(-floor(-high * GRID), GRID)


def root(x: Rational | Interval) -> Interval:
    """The square root of an interval of numbers of at least 0."""
    low, high = interval(x)
    return (
        Fraction(isqrt(floor(low * GRID**2)), GRID),
        Fraction(isqrt(floor(high * GRID**2)) + 1, GRID),
    )


def exp(x: Rational | Interval) -> Interval:
    """The exponential: the series up to 1, squared as often as x was halved; 1/exp(-x) below 0."""
    low, high = interval(x)
    if low != high:
        return exp(low)[0], exp(high)[1]
    if low < 0:
        return outwards(*over(1, exp(-low)))
    halvings, rest = 0, Fraction(low)
    while rest > 1:
        halvings, rest = halvings + 1, rest / 2
    term = total = Fraction(1)
    for k in range(1, 60):
        term *= rest / k
        total += term
    found = outwards(total, total + term)  # what is left out is less than the last term
    for _ in range(halvings):
        found = outwards(found[0] ** 2, found[1] ** 2)
    return found


def log(x: Rational) -> Interval:
    """The logarithm of a number of at least 1: twice the series of artanh((x - 1)/(x + 1)), after
    halving x down to 2."""
    halvings, rest = 0, Fraction(x)
    while rest > 2:
        halvings, rest = halvings + 1, rest / 2
    two = log(2) if halvings else (0, 0)
    z = (rest - 1) / (rest + 1)
    terms = [2 * z ** (2 * k + 1) / (2 * k + 1) for k in range(80)]
    return add(times(halvings, two), outwards(sum(terms), sum(terms) + terms[-1]))


def refuted(left: Interval, sign: str, right: Interval) -> bool:
    """Whether the relation between two enclosed numbers is certainly false."""
    above, below = left[0] > right[1], left[1] < right[0]
    return {"<=": above, ">=": below, "<": left[0] >= right[1], "==": above or below}[sign]


def shown(x: Interval) -> str:
    """An exact number, by its first digits where it is long; both ends of an interval, in decimals
    that are rounded outwards."""
    low, high = x
    if low != high:
        ends = (Decimal(floor(low * 10**20)), Decimal(-floor(-high * 10**20)))
        return " to ".join(str(end.scaleb(-20)) for end in ends)
    if low.denominator == 1:
        return str(low)
    bits = low.denominator.bit_length()
    exact = str(low) if bits < 70 else f"an exact fraction, its denominator of {bits} bits"
    return f"{exact}, about {float(low):.10g}"


def conclude(relation: str, sign: str, sides: tuple[Rational | Interval, ...]) -> None:
    """Print both sides and the verdict."""
    left, right = map(interval, sides)
    print(f"{relation}\nleft: {shown(left)}\nright: {shown(right)}")
    print("refuted" if refuted(left, sign, right) else "not refuted")


def reached(rows: Iterable[Row], start: int) -> set[int]:
    """The states that may be met after `start`, by any of the rows."""
    every, found, waiting = list(rows), set[int](), [start]
    while waiting:
        state = waiting.pop()
        new = {t for row in every if row[0] == state for t, p in row[2].items() if p} - found
        found |= new
        waiting += new
    return found


def laws(rows: Rows, initial: Sequence[Rational]) -> Iterator[list[Rational]]:
    """The laws of the states at time 0, 1, and so on, until they no longer change."""
    law = list(initial)
    while True:
        yield law
        after = [sum((law[s] * rows[s][2].get(t, 0) for s in rows), Fraction(0)) for t in rows]
        if after == law:
            return
        law = after
