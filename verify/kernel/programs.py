"""Linear programs max c.x over x >= 0. Nothing is solved: given vectors are multiplied out."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from .certificate import Checker, Report, checker, one_of
from .exact import (
    Enclosure,
    Rejected,
    Vector,
    array,
    format_rational,
    parse_integer,
    parse_rational,
    parse_value,
    parse_vector,
    record,
    require,
    vector,
)

Column = tuple[int, list[tuple[int, int]]]  # a denominator, and (row, integer) for each entry

@dataclass(frozen=True, slots=True)
class Program:
    """Row i is "<=" if bounded[i], else "="."""
    objective: Vector
    column: Callable[[int], Column]
    bounded: list[bool]
    rhs: Vector
    def check_primal(self, x: Vector) -> None:
        """Raise unless x >= 0 and every row holds."""
        x.check("primal", len(self.objective.numerators), sign=1)
        support = [(n, *self.column(j)) for j, n in enumerate(x.numerators) if n]
        common = lcm(*(denominator for _, denominator, _ in support))
        totals = [0] * len(self.bounded)
        for n, denominator, entries in support:
            scaled = n * (common // denominator)
            for i, a in entries:
                totals[i] += a * scaled
        scale, base = common * x.denominator, self.rhs.denominator
        for i, (total, bound) in enumerate(zip(totals, self.rhs.numerators, strict=True)):
            excess = total * base - bound * scale
            if excess > 0 or (excess and not self.bounded[i]):
                raise Rejected(f"row {i}: left minus right side", Fraction(excess, scale * base))
    def slacks(self, y: Vector, objective: Vector) -> tuple[list[Fraction], int]:
        """y.column(j) - objective[j] for each j, all times the integer returned beside them."""
        y.check("dual", len(self.bounded))
        slacks = []
        for j, c in enumerate(objective.numerators):
            denominator, entries = self.column(j)
            total = objective.denominator * sum([a * y.numerators[i] for i, a in entries])
            slacks.append(Fraction(total - c * denominator * y.denominator, denominator))
        return slacks, y.denominator * objective.denominator
    def check_dual(self, y: Vector, objective: Vector) -> None:
        """Raise unless y >= 0 on the <= rows and no slack is negative."""
        slacks, scale = self.slacks(y, objective)
        for i, bounded in enumerate(self.bounded):
            if bounded and y.numerators[i] < 0:
                raise Rejected(f"dual[{i}] of a <= row is negative", y[i])
        if (least := min(slacks, default=Fraction(0))) < 0:
            raise Rejected(f"column {slacks.index(least)} has negative slack", least / scale)

def _parse_program(value: object) -> Program:
    term = array(lambda entry: entry, 2)
    row = record(terms=array(term), relation=one_of("=", "<="), rhs=parse_rational)
    _, objective, rows = record(sense=one_of("max"), objective=parse_vector, rows=array(row))(value)
    columns: list[dict[int, Fraction]] = [{} for _ in objective.numerators]
    for i, (terms, _, _) in enumerate(rows):
        for index, coefficient in terms:
            j, a = parse_integer(index), parse_rational(coefficient)
            valid = 0 <= j < len(columns) and i not in columns[j]
            require(valid, f".rows[{i}] names a column twice or out of range", j)
            columns[j][i] = a
    def column(j: int) -> Column:
        common = lcm(*(a.denominator for a in columns[j].values()))
        return common, [(i, int(a * common)) for i, a in columns[j].items()]
    bounded, rhs = [row[1] == "<=" for row in rows], vector([row[2] for row in rows])
    return Program(objective, column, bounded, rhs)

@checker("linear-program-optimum", program=_parse_program, primal=parse_vector, dual=parse_vector,
         value=parse_value)
def check_optimum(program: Program, x: Vector, y: Vector, value: Enclosure) -> Checker:
    """c.x <= y.(Ax) <= y.b for all feasible x and y, so equality makes both optimal."""
    yield "primal is feasible"
    program.check_primal(x)
    yield "dual is feasible"
    program.check_dual(y, program.objective)
    yield "both objectives equal the value"
    found = Enclosure.exact(program.objective.dot(x))
    value.must_contain(found, "primal objective")
    found.must_contain(Enclosure.exact(program.rhs.dot(y)), "dual objective")
    return Report(f"the optimal value is {found}", found)

@checker("linear-program-infeasible", program=_parse_program, farkas=parse_vector)
def check_infeasible(program: Program, y: Vector) -> Checker:
    """y.A >= 0 > y.b contradicts y.(Ax) <= y.b for every feasible x (Farkas)."""
    yield "combined rows have no negative coefficient"
    program.check_dual(y, Vector([0] * len(program.objective.numerators)))
    yield "combined right sides are negative"
    require((total := program.rhs.dot(y)) < 0, "the combined right sides are", total)
    return Report(f"infeasible: the right sides combine to {format_rational(total)}")
