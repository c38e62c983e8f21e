"""Where a ratio tends to: extremal cases as a family of one number, and the constant at its end.

The integers that draw an extremal case are followed along lines: one that may grow, or all that are
large there, is n.  Where the ratio is rational, it is a rational function of n, found by
interpolation and checked at further n; its limit is then exact for that function.  Elsewhere the
limit is extrapolated, and named where a simple closed form has the same digits.  Neither is proved.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import sympy
from sympy.polys.polyfuncs import rational_interpolate

from ..binding.claims import Claim
from ..binding.draws import VectorDraw
from ..binding.family import OutOfScope
from ..engine.comparison import Outcome
from .counterexample import Refuter
from .hunt import Peak, score

_DOUBLINGS = range(4, 15)
"""n is 16 to 16384 where a limit is extrapolated: more cost time, fewer leave fewer digits.  A
family may stop n before, and only what it draws is followed."""
_FIRST, _CHECKED = 12, 4
"""The least n of an interpolation, from where the shape of a case no longer changes; and points
that a formula must meet beside those that it is made of, and beside one far away."""
_DEGREES = (1, 2, 3)
_GROWING = 64
"""An integer that may be this large or more is a candidate for n."""
_LINES = 12
"""Lines that are tried, of the integers that are largest; each costs a dozen cases."""
_SURE = 1e-7
"""Digits that an extrapolated limit must have before it is given a name.  Some hundreds of names
are tried, so that one in ten thousand would fit a limit without a meaning."""
_ROUGH = 1e-3
"""An extrapolation that is less certain than this is none: the ratio does not settle."""
_CONSTANTS = ("1", "sqrt(2)", "sqrt(3)", "E", "exp(-1)", "pi", "1/pi", "log(2)", "sqrt(log(2))")
n = sympy.Symbol("n", positive=True)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a ratio tends to.

    constant: as text, such as ``1`` or ``about 0.849``; along: the cases, and how it was found;
    value: the constant, for comparisons; places: of the integers of the trace that are n.
    """

    constant: str
    along: str
    value: float
    places: tuple[int, ...]


def limit_of(claim: Claim, peak: Peak) -> Limit | None:
    """The limit of the ratio along cases like the peak; None where it rises along no line."""
    outcome = peak.observation.outcome
    if outcome.ratio is None or outcome.ratio == 1:
        return None
    line = _Line(claim, peak)
    best, places = 0.0, tuple[int, ...]()
    for candidate in _lines(peak, line.bounds):
        top = line.top(candidate)
        middle, end = (_ratio(line.at(candidate, 2**k)) for k in (top - 4, top))
        if best < end and middle < end and end >= outcome.ratio - 1e-3:
            # all at once goes first: one alone ends where the others leave it
            best, places = end + _ROUGH * (len(candidate) > 1), candidate
    found = _found(line, places) if places else None
    return found if found is not None and found.value >= outcome.ratio else None


def at(claim: Claim, peak: Peak, places: Sequence[int], value: int) -> Peak | None:
    """The case like the peak where these integers are `value`; None if it is out of scope there, or
    the family does not draw it."""
    return _Line(claim, peak).peak(places, value)


def named(value: float) -> str:
    """The simplest closed form that agrees with a number to `_SURE`, or nothing."""
    for text in _CONSTANTS:
        constant = sympy.sympify(text)
        share = Fraction(value / float(constant)).limit_denominator(24)
        if share and abs(value - float(share * constant)) <= _SURE / 10:
            return str(sympy.Rational(share.numerator, share.denominator) * constant)
    return ""


class _Line:
    """The ratio of one part of a theorem along cases in which some integers are n."""

    def __init__(self, claim: Claim, peak: Peak) -> None:
        self._claim, self._refuter, self._peak = claim, Refuter(claim), peak
        draw = VectorDraw(peak.trace)
        claim.draw(draw)
        self.bounds = draw.bounds

    def top(self, places: Sequence[int]) -> int:
        """The last doubling of n that the family draws."""
        return min(_DOUBLINGS[-1], *(self.bounds[k][1].bit_length() - 1 for k in places))

    def peak(self, places: Sequence[int], value: int) -> Peak | None:
        """The observation nearest to breaking where these integers are `value`; None if none is."""
        trace = list(self._peak.trace)
        for place in places:
            trace[place] = value
        part, draw = self._peak.observation.part, VectorDraw(trace)
        try:
            case = self._claim.draw(draw)
        except OutOfScope:
            return None
        seen = [one for one in self._refuter.observe(case) if one.part == part]
        clipped = any(draw.trace[k : k + 1] != [value] for k in places)
        if clipped or not seen:
            return None
        best = max(seen, key=lambda one: score(one.outcome))
        return Peak(best, tuple(draw.trace), score(best.outcome), self._peak.seconds)

    def at(self, places: Sequence[int], value: int) -> Outcome | None:
        """The outcome there."""
        peak = self.peak(places, value)
        return None if peak is None else peak.observation.outcome


def _lines(peak: Peak, bounds: Sequence[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """All integers that are large at once, then one at a time."""
    places = [k for k, (_, hi) in enumerate(bounds) if hi >= _GROWING]
    large = tuple(k for k in places if peak.trace[k] >= _GROWING)
    if len(large) > 1:
        yield large
    for place in sorted(places, key=lambda k: -peak.trace[k])[:_LINES]:
        yield (place,)


def _ratio(outcome: Outcome | None) -> float:
    return 0.0 if outcome is None or outcome.ratio is None else outcome.ratio


def _found(line: _Line, places: tuple[int, ...]) -> Limit | None:
    where = f"integer{'s' * (len(places) > 1)} {', '.join(str(k + 1) for k in places)} = n"
    if formula := _formula(line, places):
        end = sympy.limit(formula, n, sympy.oo)
        return Limit(str(end), f"ratio {formula} with {where}", float(end), places)
    values = [_ratio(line.at(places, 2**k)) for k in range(_DOUBLINGS[0], line.top(places) + 1)]
    end, error = _extrapolated(values)
    if error > _ROUGH:
        return None
    name = named(end) if error <= _SURE else ""
    about = f"about {end:.{max(3, min(10, -round(math.log10(error + 1e-12))))}g}"
    return Limit(name or about, f"extrapolated with {where}", end, places)


def _formula(line: _Line, places: Sequence[int]) -> sympy.Expr | None:
    """The ratio as a rational function of n, which further points confirm; None if it is none."""
    points: list[tuple[int, Fraction]] = []
    near = range(_FIRST, _FIRST + 2 * _DEGREES[-1] + 1 + _CHECKED)
    for value in (*near, 2 ** line.top(places)):
        outcome = line.at(places, value)
        if outcome is None or not outcome.is_rational or outcome.quotient is None:
            return None
        points.append((value, outcome.quotient))
    exact = [(x, sympy.Rational(y.numerator, y.denominator)) for x, y in points]
    for degree in _DEGREES:
        formula = sympy.cancel(rational_interpolate(exact[: 2 * degree + 1], degree, X=n))
        if all(formula.subs(n, x) == y for x, y in exact):
            return sympy.apart(formula, n)
    return None


def _extrapolated(values: Sequence[float]) -> tuple[float, float]:
    """(limit, how far the last two estimates lie apart) of a sequence in powers of 1/n."""
    row, best = list(values), (values[-1], abs(values[-1] - values[-2]))
    for power in range(1, min(4, len(values) - 1)):
        row = [(2**power * b - a) / (2**power - 1) for a, b in pairwise(row)]
        best = min(best, (row[-1], abs(row[-1] - row[-2])), key=lambda pair: pair[1])
    return best
