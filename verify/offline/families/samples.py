"""Logged counts and held-out scores, and the exact probabilities of their errors."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod

import flint

from holdfast.solvers.cmdp.tails import multinomial_l1_tail

from ...binding.balls import from_arb
from ...binding.draws import Draw
from ...binding.family import Family


@dataclass(frozen=True, slots=True)
class Sampled:
    """Pairs with their laws over the same states, each drawn until its count is in [least, most].

    radius: in l1; failure: delta, for radii by the count; copies: how often each draw is recorded,
    1 where they are independent.
    """

    laws: tuple[tuple[Fraction, ...], ...]
    least: int
    most: int
    radius: Fraction
    failure: Fraction = Fraction(1, 10)
    copies: int = 1

    def _failing(self, errs: Callable[[int, Fraction], bool]) -> Fraction:
        """The probability that some pair errs at some count."""
        kept = Fraction(1)
        for law, times in Counter(self.laws).items():
            kept *= (1 - crossing(law, self.least, self.most, errs)) ** times
        return 1 - kept

    def failing_at_radius(self) -> Fraction:
        """That some pair has an error of the radius, whatever count it ends at."""
        if self.least == self.most:
            kept = (
                (1 - multinomial_l1_tail(self.most, law, self.radius)) ** times
                for law, times in Counter(self.laws).items()
            )
            return 1 - prod(kept, start=Fraction(1))
        return self._failing(lambda _, error: error >= self.radius)

    def failing_by_count(self, factor: int) -> Fraction:
        """That some pair has an error of sqrt(2/n log(factor/delta)) at some count n."""
        with flint.ctx.workprec(128):
            ratio = factor / self.failure
            log = flint.arb(flint.fmpq(ratio.numerator, ratio.denominator)).log()
        low, high = from_arb(log)

        def errs(count: int, error: Fraction) -> bool:
            size = count * self.copies * error**2 / 2
            if low <= size <= high:
                raise ArithmeticError(f"{size} is as good as the logarithm of {ratio}")
            return size > high

        return self._failing(errs)


def crossing(
    law: Sequence[Fraction], least: int, most: int, errs: Callable[[int, Fraction], bool]
) -> Fraction:
    """Pr(errs(n, l1 error of the frequencies) at some count n from least to most), exactly."""
    bottom = lcm(*(p.denominator for p in law))
    tops = [int(p * bottom) for p in law]
    alive, lost = {(0,) * len(law): 1}, 0
    for n in range(1, most + 1):
        further: defaultdict[tuple[int, ...], int] = defaultdict(int)
        for counts, ways in alive.items():
            for i, top in enumerate(tops):
                if top:
                    further[*counts[:i], counts[i] + 1, *counts[i + 1 :]] += ways * top
        lost *= bottom
        alive = {}
        for counts, ways in further.items():
            # |c/n - t/b| summed, over the common denominator n b
            size = sum(abs(c * bottom - t * n) for c, t in zip(counts, tops, strict=True))
            if n >= least and errs(n, Fraction(size, n * bottom)):
                lost += ways
            else:
                alive[counts] = ways
    return Fraction(lost, bottom**most)


def sampled(*, copies: int = 1, by_count: bool = False) -> Family:
    """One to three pairs of two or three states; few counts, and radii where bounds are below 1.

    by_count: counts from 1 on, and a probability to fail.
    """

    def base(draw: Draw) -> Sampled:
        size = draw.integer(2, 3)
        laws = []
        for _ in range(draw.integer(1, 3)):
            weights = [draw.integer(1, 4) for _ in range(size)]
            laws.append(tuple(Fraction(w, sum(weights)) for w in weights))
        least = 1 if by_count else draw.integer(3, 7)
        most = least + draw.integer(0, 10 if size == 2 else 3)
        radius = Fraction(draw.integer(8, 20), 10)
        failure = Fraction(draw.choice((1, 5, 9)), 10)
        return Sampled(tuple(laws), least, most, radius, failure, copies)

    return Family("pairs that are seen again and again", base)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Scores of held-out samples, and how much worse than they look a threshold set may be."""

    samples: int
    deviation: Fraction
    copies: int = 1


def held_out(*, copies: int = 1) -> Family:
    """Up to 40 samples with exp(-2 N t^2) <= 1/2."""

    def base(draw: Draw) -> HeldOut:
        samples = draw.integer(1, 40)
        least = next(k for k in range(1, 21) if 2 * samples * k * k >= 278)  # log(2) 400 < 278
        return HeldOut(samples, Fraction(draw.integer(min(least, 19), 19), 20), copies)

    return Family("held-out scores", base)
