"""One quadratic form that falls under several matrices: stable under every switching between them.

If P and all P - M' P M are positive definite, V(y) = y' P y falls at each step, whichever of the
matrices makes it, and so does it under every matrix between them.  A form is looked for in floats,
by linear programs that get a cut for each direction in which the last form did not fall; it counts
only once it is rounded to rationals and checked in Fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq_mat

from .stability import Loop, Matrix, in_flint, matrix, vertices

_ROUNDS = 200
"""Linear programs at most: forms of 3 states were found within 40."""
LARGEST = 6
"""Numbers of a state at most: with 13, of a delay of ten updates, the search takes a minute."""
_DENOMINATOR = 2**30
"""Of rounded entries, which are at most the dimension: far below any margin that is looked for."""
_NOTHING = 1e-9
"""A margin that the linear program says cannot be exceeded, of entries of order 1: there is no form
that would outlast rounding."""


def falls(P: Matrix, matrices: Sequence[Matrix]) -> bool:
    """Whether P and all P - M' P M are positive definite: exact, by leading minors."""
    form = in_flint(P)
    return form == form.transpose() and _definite(form) and all(
        _definite(form - M.transpose() * form * M) for M in map(in_flint, matrices)
    )  # fmt: skip


def _definite(form: fmpq_mat) -> bool:
    size = form.nrows()
    return all(
        fmpq_mat(k, k, [form[i, j] for i in range(k) for j in range(k)]).det() > 0
        for k in range(1, size + 1)
    )


def common_form(matrices: Sequence[Matrix]) -> Matrix | None:
    """A form that `falls` under all the matrices, of one size; None if none was found, which
    proves nothing."""
    plain = np.array(matrices, dtype=float)
    # units of the state, powers of 2, in which what is off the diagonal weighs alike both ways
    couplings = abs(plain).sum(axis=0) * (1 - np.eye(len(plain[0])))
    from scipy.linalg import matrix_balance  # loads much, and is used here alone

    scale = matrix_balance(couplings, permute=False, separate=True)[1][0]
    floats = plain * scale / scale[:, None]
    size = len(scale)
    upper = [(i, j) for i in range(size) for j in range(i, size)]
    cuts = [_cut(M, v, upper) for M in floats for v in _directions(size)]
    for _ in range(_ROUNDS):
        entries, margin = _program(cuts, upper)
        if not margin > _NOTHING:
            return None
        P = np.zeros((size, size))
        for (i, j), value in zip(upper, entries, strict=True):
            P[i, j] = P[j, i] = value
        falling = True
        for M in floats:
            sizes, vectors = np.linalg.eigh(P - M.T @ P @ M)
            falling &= bool(sizes[0] > 0)
            cuts += [_cut(M, v, upper) for s, v in zip(sizes, vectors.T, strict=True)
                     if s < margin / 2]  # fmt: skip
        rounded = [
            [
                Fraction(round(x * _DENOMINATOR), _DENOMINATOR) / Fraction(u) / Fraction(v)
                for v, x in zip(scale, row, strict=True)
            ]
            for u, row in zip(scale, P, strict=True)
        ]
        if falling and falls(rounded, matrices):
            return rounded
    return None


def _directions(size: int) -> list[Any]:
    """Unit vectors, and sums and differences of two."""
    units = np.eye(size)
    pairs = [units[i] + s * units[j] for i in range(size) for j in range(i) for s in (1, -1)]
    return [*units, *pairs]


def _cut(M: Any, v: Any, upper: list[tuple[int, int]]) -> Any:
    """Coefficients of v' (P - M' P M) v by the entries of P, for v of length 1."""
    v = v / np.linalg.norm(v)
    after = M @ v
    return np.array([(1 if i == j else 2) * (v[i] * v[j] - after[i] * after[j]) for i, j in upper])


def _program(cuts: list[Any], upper: list[tuple[int, int]]) -> tuple[Any, float]:
    """Entries of P with the largest margin that all cuts leave; trace as the dimension."""
    size = upper[-1][0] + 1
    rows = np.column_stack([-np.array(cuts), np.ones(len(cuts))])
    trace = np.array([[*(float(i == j) for i, j in upper), 0.0]])
    from scipy.optimize import linprog  # as above

    found = linprog(
        np.array([0.0] * len(upper) + [-1.0]), A_ub=rows, b_ub=np.zeros(len(cuts)), A_eq=trace,
        b_eq=[size], bounds=[(-size, size)] * len(upper) + [(None, 1)], method="highs",
    )  # fmt: skip
    return (found.x[:-1], float(found.x[-1])) if found.status == 0 else (None, 0.0)


def certified(loop: Loop) -> Matrix | None:
    """A form that falls under every switching of the loop's rectified terms and moving gains; None
    if none was found, or looked for in a state of more than `LARGEST` numbers, which proves
    nothing."""
    matrices = [matrix(each, watched=bool(loop.derivative)) for each in vertices(loop).values()]
    return common_form(matrices) if len(matrices[0]) <= LARGEST else None
