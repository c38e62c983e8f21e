"""Linear programs with integer data, solved exactly: a float solver proposes, exact algebra proves.

    maximise  c.x / objective_denominator   subject to   A x = b (or <= b) row by row,   x >= 0.

HiGHS proposes a basis B.  The exact solutions of ``B x_B = b`` and ``B^T y = c_B`` either prove it
optimal (x_B >= 0, artificial variables zero, no positive reduced cost) or exact pivots repair it
(``exact_simplex``).  Column j < n is the structural variable x_j; column n + i is the unit column
of row i: its slack when the row is "<=", an artificial variable (which must be zero) if it is "=".
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ..exact import Rational, Vector, common_denominator, format_rational, to_fraction

#: HiGHS's word for a program without a feasible point.
INFEASIBLE = "Infeasible"
Column = tuple[tuple[int, ...], tuple[int, ...]]


class LinearStatus(enum.Enum):
    """What was proved about a linear program; the value says what to do next."""

    OPTIMAL = "proved optimal: use primal, dual and value"
    INFEASIBLE = (
        "no point satisfies the rows; the Farkas vector proves it: relax a row on which "
        "it is not zero"
    )
    UNBOUNDED = "the objective has no upper bound; add the missing constraint or check signs"


def _over_one(values: Sequence[Rational], where: str) -> tuple[list[int], int]:
    return common_denominator(to_fraction(value, where) for value in values)


def sparse(column: Sequence[int]) -> Column:
    """The rows and values of the entries that are not zero."""
    rows = tuple(i for i, value in enumerate(column) if value)
    return rows, tuple(column[i] for i in rows)


@dataclass(frozen=True, slots=True)
class LinearProgram:
    """An exact linear program.

    Attributes:
        columns: for each variable, (row indices, integer coefficients), rows distinct.
        rhs: one integer a row.
        equality: whether each row reads "=" (else "<=").
        objective: one integer a variable, over objective_denominator.
        units: optional positive integers; the float proposal measures x_j in units of
            1 / units[j].  They change nothing exact.
    """

    columns: tuple[Column, ...]
    rhs: tuple[int, ...]
    equality: tuple[bool, ...]
    objective: tuple[int, ...]
    objective_denominator: int = 1
    units: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        rows = len(self.rhs)
        if len(self.equality) != rows:
            raise ValueError(f"{len(self.equality)} relations given for {rows} rows")
        if len(self.objective) != len(self.columns):
            raise ValueError(
                f"the objective has {len(self.objective)} entries for {len(self.columns)} variables"
            )
        if self.units and len(self.units) != len(self.columns):
            raise ValueError(
                f"units has {len(self.units)} entries for {len(self.columns)} variables"
            )
        if self.objective_denominator < 1:
            raise ValueError(
                f"objective_denominator is {self.objective_denominator}; it must be positive"
            )
        self._check_columns()

    def _check_columns(self) -> None:
        rows = len(self.rhs)
        for j, (indices, values) in enumerate(self.columns):
            if len(indices) != len(values):
                raise ValueError(f"column {j} has {len(indices)} rows and {len(values)} values")
            if indices and not (min(indices) >= 0 and max(indices) < rows):
                raise ValueError(f"column {j} names row {max(indices)}; rows are 0 .. {rows - 1}")

    @classmethod
    def of(
        cls,
        objective: Sequence[Rational],
        rows: Sequence[Sequence[Rational]],
        relations: Sequence[str],
        rhs: Sequence[Rational],
    ) -> LinearProgram:
        """A program from dense rational rows; each row is multiplied by its denominators' lcm."""
        if not len(rows) == len(relations) == len(rhs):
            raise ValueError(
                f"{len(rows)} rows, {len(relations)} relations and {len(rhs)} right-"
                "hand sides given; the three must agree"
            )
        scaled = []
        for i, (row, relation, bound) in enumerate(zip(rows, relations, rhs, strict=True)):
            if relation not in ("=", "<="):
                raise ValueError(f'relation {i} is {relation!r}; use "=" or "<="')
            if len(row) != len(objective):
                raise ValueError(f"row {i} has {len(row)} entries for {len(objective)} variables")
            scaled.append(_over_one([*row, bound], f"row {i}")[0])
        top, bottom = _over_one(objective, "objective")
        return cls(
            tuple(sparse([row[j] for row in scaled]) for j in range(len(top))),
            tuple(row[-1] for row in scaled),
            tuple(relation == "=" for relation in relations),
            tuple(top),
            bottom,
        )

    @property
    def n_rows(self) -> int:
        """The number of constraints."""
        return len(self.rhs)

    @property
    def n_columns(self) -> int:
        """The number of structural variables."""
        return len(self.columns)

    def column(self, j: int) -> Column:
        """Rows and integer coefficients of a structural variable or of a row's unit column."""
        if j < len(self.columns):
            return self.columns[j]
        return (j - len(self.columns),), (1,)

    def cost(self, j: int) -> int:
        """The integer objective coefficient of a column (zero for unit columns)."""
        return self.objective[j] if j < len(self.objective) else 0

    def is_artificial(self, j: int) -> bool:
        """Whether a column is the unit column of an "=" row, which must stay zero."""
        return j >= len(self.columns) and self.equality[j - len(self.columns)]

    def unit_basis(self) -> list[int]:
        """The basis of all unit columns: always nonsingular."""
        return list(range(self.n_columns, self.n_columns + self.n_rows))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form used by certificates."""
        terms: list[list[list[Any]]] = [[] for _ in self.rhs]
        for j, (indices, values) in enumerate(self.columns):
            for i, value in zip(indices, values, strict=True):
                terms[i].append([j, format_rational(value)])
        return {
            "sense": "max",
            "objective": list(
                map(format_rational, Vector(self.objective, self.objective_denominator).fractions())
            ),
            "rows": [
                {"terms": row, "relation": "=" if equal else "<=", "rhs": format_rational(bound)}
                for row, equal, bound in zip(terms, self.equality, self.rhs, strict=True)
            ],
        }


@dataclass(slots=True)
class LinearStatistics:
    """How a solution was found: seconds per stage, pivots of the repair, bits of the answer."""

    proposal: str = "none"
    repaired: bool = False
    pivots: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    denominator_bits: int = 0

    def summary(self, program: LinearProgram, method: str) -> dict[str, Any]:
        """All of it as a plain dictionary, with the method that gave the answer."""
        return {
            "method": method,
            "proposal": self.proposal,
            "repaired": self.repaired,
            "pivots": self.pivots,
            "denominator_bits": self.denominator_bits,
            "seconds": dict(self.seconds),
            "rows": program.n_rows,
            "columns": program.n_columns,
        }


@dataclass(frozen=True, slots=True)
class LinearSolution:
    """The proved answer.

    ``primal`` (n) and ``dual`` (rows) are exact when OPTIMAL; ``farkas`` (rows) is exact when
    INFEASIBLE.  ``unique`` is True when the primal solution is proved to be the only optimal one
    (every non-basic reduced cost strictly negative); False means not proved.
    """

    status: LinearStatus
    program: LinearProgram
    value: Fraction | None = None
    primal: Vector | None = None
    dual: Vector | None = None
    farkas: Vector | None = None
    basis: tuple[int, ...] = ()
    unique: bool = False
    statistics: LinearStatistics = field(default_factory=LinearStatistics)

    def summary(self) -> dict[str, Any]:
        """The statistics as a plain dictionary."""
        record = self.statistics
        method = "exact linear program, the basis that HiGHS proposed"
        if record.repaired:
            pivots = f"{record.pivots} exact pivots after HiGHS ({record.proposal})"
            method = f"exact linear program, {pivots}"
        return record.summary(self.program, method)

    def certificate(self) -> dict[str, Any]:
        """A certificate document; raises ValueError for an unbounded program."""
        document: dict[str, Any] = {"format": "holdfast-certificate/1"}
        if self.primal is not None and self.dual is not None and self.value is not None:
            return document | {
                "kind": "linear-program-optimum",
                "program": self.program.to_dict(),
                "primal": self.primal.to_json(),
                "dual": self.dual.to_json(),
                "value": format_rational(self.value),
            }
        if self.farkas is not None:
            return document | {
                "kind": "linear-program-infeasible",
                "program": self.program.to_dict(),
                "farkas": self.farkas.to_json(),
            }
        raise ValueError(
            f"no certificate exists for status {self.status.name}: {self.status.value}"
        )


def row_scale(row: Sequence[Fraction], bound: Fraction) -> int:
    """What ``LinearProgram.of`` multiplies a row of rationals by."""
    return math.lcm(*(value.denominator for value in row), bound.denominator)
