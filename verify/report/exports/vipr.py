"""Certificates of linear programs as .vipr, a format for which verified checkers exist.

Grammar: version 1.0 of Cheung, Gleixner and Steffy, "Verifying integer programming results", which
version 1.1 extends. The program is max c.x with 0 <= x among the constraints. One derivation proves
its bound: the rows times the dual y, minus the bounds of the variables times the slacks y.A - c,
say c.x <= y.b; for an infeasible program they say 0 <= y.b, which is negative.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import flint

from ...kernel.documents import vector
from ...kernel.exact import Vector
from ...kernel.processes import model
from ...kernel.programs import Program, program

KINDS = (
    "linear-program-optimum",
    "linear-program-infeasible",
    "cmdp-optimum",
    "cmdp-infeasible",
)
"""Of the certificates that are about a linear program and its exact optimum."""


def linear_programs(document: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    """The document, or those inside it behind its symbols, if they are of `KINDS`, each with a name
    of its own that begins with `name` and is fit for a file."""
    if document["kind"] in KINDS:
        yield name, document
    if document["kind"] in ("counterexample", "enclosure"):
        for symbol, number in document["values"].items():
            if "certificate" in number:
                yield from linear_programs(
                    number["certificate"], f"{name}-{re.sub(r'[^A-Za-z0-9_]+', '-', symbol)}"
                )


def vipr(document: Mapping[str, Any]) -> str:
    """The text of the .vipr file of a certificate that the kernel accepts, of one of `KINDS`."""
    found, primal, dual = _parts(document)
    variables, rows = len(found.objective), len(found.bounded)
    target = Vector([0] * variables) if primal is None else found.objective
    slacks, bound = found.slacks(dual, target), _text(found.rhs.dot(dual))
    weights = [-Fraction(slack, slacks.scale) for slack in slacks.numerators]
    weights += [number for _, number in _entries(dual)]
    entries = _rows(found)
    return "\n".join(
        [
            f"% {found.title}",
            "VER 1.0",
            f"VAR {variables}",
            *(f"x{j}" for j in range(variables)),
            "INT 0",
            "OBJ max",
            _sparse(_entries(found.objective)),
            f"CON {variables + rows} {variables}",
            *(f"B{j} G 0 1 {j} 1" for j in range(variables)),
            *(
                f"R{i} {'L' if bounded else 'E'} {_text(found.rhs[i])} {_sparse(row.items())}"
                for i, (bounded, row) in enumerate(zip(found.bounded, entries, strict=True))
            ),
            "RTP infeas" if primal is None else f"RTP range {bound} {bound}",
            "SOL 0" if primal is None else f"SOL 1\noptimum {_sparse(_entries(primal))}",
            "DER 1",
            f"D L {bound} {'0' if primal is None else 'OBJ'} "
            f"{{ lin {_sparse(enumerate(weights))} }} -1",
            "",
        ]
    )


def _parts(document: Mapping[str, Any]) -> tuple[Program, Vector | None, Vector]:
    """The program, its optimum or None if it is infeasible, and the dual or Farkas' multipliers."""
    infeasible = document["kind"].endswith("infeasible")
    if "program" in document:
        names = ("", "farkas") if infeasible else ("primal", "dual")
        found, dual = program(document["program"]), vector(document[names[1]])
    else:
        names = ("occupancy", "values")
        process, values = model(document["model"]), vector(document["values"])
        if infeasible:
            values = Vector([-n for n in values.numerators], values.denominator)
        found, dual = process.program, process.dual(values, vector(document["multipliers"]))
    return found, None if infeasible else vector(document[names[0]]), dual


def _entries(numbers: Vector) -> Iterator[tuple[int, Fraction]]:
    return ((index, numbers[index]) for index in range(len(numbers)))


def _rows(program: Program) -> list[dict[int, Fraction]]:
    """For each row variable -> coefficient; a column may name a row more than once."""
    rows: list[dict[int, Fraction]] = [defaultdict(Fraction) for _ in program.bounded]
    for j in range(len(program.objective)):
        column = program.column(j)
        for i, entry in column.entries:
            rows[i][j] += Fraction(entry, column.denominator)
    return rows


def _sparse(numbers: Iterable[tuple[int, Fraction]]) -> str:
    """The count of the non-zeros, then index and number of each."""
    kept = [f"{index} {_text(number)}" for index, number in numbers if number]
    return " ".join([str(len(kept)), *kept])


def _text(number: Fraction) -> str:
    """As p/q in decimal digits, of which Python's own `str` would write only 4300."""
    return str(flint.fmpq(number.numerator, number.denominator))
