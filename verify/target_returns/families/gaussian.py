"""Small rational kernels with what is observed, and designs whose paths are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ...binding.draws import Draw
from ...binding.family import Family

Matrix = tuple[tuple[Fraction, ...], ...]
ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Process:
    """A kernel on n targets, the noise variance, and the eigenvalues where they are rational."""

    kernel: Matrix
    noise: Fraction
    spectrum: tuple[Fraction, ...] = ()

    @property
    def largest(self) -> Fraction:
        """max k(z, z)."""
        return max(self.kernel[i][i] for i in range(len(self.kernel)))


def white(*variances: Fraction | int, noise: Fraction = ONE) -> Process:
    """Independent targets."""
    spectrum = tuple(map(Fraction, variances))
    rows = [tuple(one * (i == j) for j in range(len(spectrum))) for i, one in enumerate(spectrum)]
    return Process(tuple(rows), noise, spectrum)


def _noise(draw: Draw) -> Fraction:
    return draw.choice((ONE, Fraction(1, 4), Fraction(1, 100), Fraction(3)))


def _gram(draw: Draw) -> Process:
    n, rank, unit = draw.integer(1, 4), draw.integer(1, 4), draw.choice((1, 2, 5))
    root = [[draw.integer(-3, 3) for _ in range(rank)] for _ in range(n)]
    root[0][0] = draw.integer(1, 3)
    rows = [
        tuple(Fraction(sum(a * b for a, b in zip(x, y, strict=True)), unit) for y in root)
        for x in root
    ]
    return Process(tuple(rows), _noise(draw))


def _rotated(draw: Draw) -> Process:
    """The spectrum between two reflections, I - 2 v v'/v'v."""
    n = draw.integer(1, 3)
    spectrum = [Fraction(draw.integer(0, 8), draw.choice((1, 4))) for _ in range(n)]
    spectrum[0] = Fraction(draw.integer(1, 8))
    v = [draw.integer(1, 3), *(draw.integer(-3, 3) for _ in range(n - 1))]
    half = Fraction(sum(one * one for one in v), 2)
    mirror = [[(i == j) - a * b / half for j, b in enumerate(v)] for i, a in enumerate(v)]
    rows = [
        tuple(
            sum((s * a * b for s, a, b in zip(spectrum, x, y, strict=True)), Fraction(0))
            for y in mirror
        )
        for x in mirror
    ]
    return Process(tuple(rows), _noise(draw), tuple(spectrum))


def targets_observed(draw: Draw, process: Process, *_: object) -> tuple[int, ...]:
    """Up to five observations, repetitions included."""
    last = len(process.kernel) - 1
    return tuple(draw.integer(0, last) for _ in range(draw.integer(1, 5)))


def several(draw: Draw, *_: object) -> int:
    """A number of observations that can be tried out on all multisets."""
    return draw.integer(1, 5)


def rationals(draw: Draw, process: Process, *_: object) -> tuple[Fraction, ...]:
    """A small number for each target and each of five observations."""
    size = len(process.kernel) + 5
    return tuple(Fraction(draw.integer(-6, 6), 2) for _ in range(size))


GRAMS = Family("small rational kernels", _gram)
ROTATED = Family("small kernels of rational spectrum", _rotated)


@dataclass(frozen=True, slots=True)
class Design:
    """n targets of correlation^|i - j|, observed with noise, and the first multiplier.

    scale: the deviation of the process drawn, in units of what its prior says.
    """

    targets: int
    alpha: Fraction
    steps: int = 1
    correlation: Fraction = Fraction(0)
    noise: Fraction = Fraction(1, 4)
    scale: int = 1


def _one_step(draw: Draw) -> Design:
    return Design(draw.integer(1, 60), Fraction(draw.integer(12, 24), 4))


def _several_steps(draw: Draw, scale: int = 1) -> Design:
    return Design(
        draw.integer(1, 6),
        Fraction(draw.integer(10, 12), 4),
        draw.integer(2, 12),
        draw.choice((Fraction(9, 10), Fraction(1, 2), Fraction(0))),
        _noise(draw),
        scale,
    )


def _correlated(draw: Draw) -> Design:
    """Targets that are outside together, so that the sum of their probabilities is too much."""
    steps = draw.integer(2, 12)
    return Design(draw.integer(4, 8), Fraction(2), steps, Fraction(19, 20), _noise(draw))


def _slopes(draw: Draw) -> Design:
    return Design(draw.integer(2, 8), Fraction(draw.integer(11, 13), 4))


ONE_STEP = Family("independent targets before any observation", _one_step)
CORRELATED = Family("correlated targets under an adaptive design", _correlated, weight=4)
SLOPES = Family("the slopes between independent targets", _slopes)
SEVERAL_STEPS = Family(
    "drawn processes under an adaptive design", _several_steps, weight=3
).with_controls(
    prior=Family("a process of three times the deviation", lambda draw: _several_steps(draw, 3))
)


@dataclass(frozen=True, slots=True)
class FixedFunction:
    """A function of norm B, R-sub-Gaussian noise, the regulariser and the probability allowed.

    The n targets are independent and observed once each, or, with ``steps``, correlated and chosen
    by one who knows f.
    """

    norm: Fraction
    noise: Fraction
    regulariser: Fraction
    failure: Fraction
    targets: int = 1
    steps: int = 0


def _fixed(draw: Draw, *, steps: bool = False) -> FixedFunction:
    return FixedFunction(
        draw.choice((ONE, Fraction(1, 10), Fraction(10))),
        draw.choice((ONE, Fraction(1, 10))),
        draw.choice((ONE, Fraction(1, 100), Fraction(1, 4))),
        draw.choice((Fraction(1, 10), Fraction(1, 20))),
        draw.integer(1, 5) if steps else draw.integer(1, 40),
        draw.integer(2, 12) if steps else 0,
    )


def _fixed_steps(draw: Draw) -> FixedFunction:
    return _fixed(draw, steps=True)


FIXED = Family("fixed functions on independent targets", _fixed)
FIXED_STEPS = Family("fixed functions, designs that know them", _fixed_steps)
