"""Grid worlds to cross without entering discs: small models of motion with obstacles.

The example of Shen et al. 2024 (arXiv:2410.06474, appendix K) crosses a square with two discs in
continuous space; the time step, horizon and bounds of the actions are not given there.  This is
its integer make: cells of a square, nine moves, slips, a reward for being near the far corner.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

from ..errors import ModelError
from .arrays import assemble
from .cmdp import CMDP

# The law of the motion and the discs, as `two_discs` describes them.
_INTENDED, _SLIP = 16, 1  # twentieths
_SLIPS = ((1, 0), (-1, 0), (0, 1), (0, -1))  # unit steps (x, y)
_MOVES = tuple(itertools.product((-1, 0, 1), (-1, 0, 1)))
_CENTRES = ((Fraction(15, 2), Fraction(10)), (Fraction(10), Fraction(5)))
_RADIUS = Fraction(5, 2)
_SIDE = 16  # for which the discs are given


def two_discs(side: int = _SIDE) -> CMDP:
    """Cross a square of side x side cells from (0, 0) to the far corner, around two discs.

    Nine moves, each made with probability 16/20 and followed by one of the four unit slips with
    1/20 each, clipped at the border.  Arriving at a cell earns 1000 / (d^2 + 1/10) rounded to an
    integer, over 1000, with d the distance to the far corner.  A cell is labelled "unsafe" when
    it lies in one of the discs of radius 5/2 around (15/2, 10) and (10, 5).  For other sides the
    square of 16 cells is scaled by side / 16 with its discs: cell k fills [k - 1/2, k + 1/2], so
    that a coordinate c of a centre becomes (c + 1/2) side / 16 - 1/2, and the radius becomes
    5/2 side / 16.  Entering a disc does not end the run.  Discount 1, for finite
    horizons; states are numbered x * side + y, with coordinates.

    Raises ModelError when side is below 2.
    """
    if side < 2:
        raise ModelError(f"side is {side}; the square needs at least 2 cells a side")
    cells = list(itertools.product(range(side), range(side)))
    earned = corner_rewards(side)
    rows = [_landing(cell, move, side) for cell in cells for move in _MOVES]
    total = _INTENDED + len(_SLIPS) * _SLIP
    model = assemble(
        counts=[len(_MOVES)] * len(cells),
        rows=rows,
        reward=[Fraction(sum(w * earned[s] for s, w in row.items()), total) for row in rows],
        discount=1,
        initial=[1] + [0] * (len(cells) - 1),
    )
    unsafe = [state for state, cell in enumerate(cells) if _in_a_disc(cell, side)]
    return model.with_labels(unsafe=unsafe).with_coordinates(cells)


def corner_rewards(side: int = _SIDE) -> tuple[Fraction, ...]:
    """What arriving at each state of `two_discs` earns, of which its rewards are the means (S)."""
    cells = itertools.product(range(side), range(side))
    return tuple(_near_the_corner(cell, side) for cell in cells)


def _near_the_corner(cell: tuple[int, int], side: int) -> Fraction:
    squared = sum((side - 1 - x) ** 2 for x in cell)
    return Fraction(round(Fraction(1000) / (squared + Fraction(1, 10))), 1000)


def _in_a_disc(cell: tuple[int, int], side: int) -> bool:
    """Whether the cell is unsafe; cell centres scale as (c + 1/2) side / 16 - 1/2."""
    scale = Fraction(side, _SIDE)
    return any(
        sum(
            (x - ((c + Fraction(1, 2)) * scale - Fraction(1, 2))) ** 2
            for x, c in zip(cell, centre, strict=True)
        )
        <= (_RADIUS * scale) ** 2
        for centre in _CENTRES
    )


def _landing(cell: tuple[int, int], move: tuple[int, int], side: int) -> dict[int, int]:
    """Weights of the states where a move ends."""
    weights: dict[int, int] = {}
    for (dx, dy), weight in (((0, 0), _INTENDED), *((slip, _SLIP) for slip in _SLIPS)):
        x = min(max(cell[0] + move[0] + dx, 0), side - 1)
        y = min(max(cell[1] + move[1] + dy, 0), side - 1)
        weights[x * side + y] = weights.get(x * side + y, 0) + weight
    return weights
