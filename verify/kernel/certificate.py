"""Documents in, reports out. A checker yields the name of each step before it takes it.

Linear programs are max c.x over x >= 0; nothing is solved, given vectors are multiplied out.
Constrained MDPs are programs over occupancies, which are >= 0 of mass 1 / (1 - gamma): for any V,
J = initial.V + occupancy.residual, residual = payoff + gamma P V - V, minus the slack of V.
"""

# fmt: off
import json  # noqa: I001
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import lcm
from pathlib import Path
from typing import Any

from .exact import Comparison, Enclosure, Parser, Rejected, Vector, anything, array, claim
from .exact import common_vector, compare, evaluate_expression, integer, located, one_of
from .exact import rational, record, require, show, vector
Column = tuple[int, list[tuple[int, int]]]  # a denominator, and (row, integer) for each entry
Known = tuple[dict[str, Enclosure], int]  # what is known of the symbols, how much of it is proved
@dataclass(frozen=True, slots=True)
class Step:
    """One numbered step; if it failed, `reason` says where and why, `value` what was found."""
    number: int
    name: str
    ok: bool = True
    reason: str = ""
    value: str = ""
    def __str__(self) -> str:
        outcome = "ok" if self.ok else f"REJECTED: {self.reason}: {self.value}"
        return f"step {self.number}, {self.name}: {outcome}"
@dataclass(frozen=True, slots=True)
class Report:
    """What was proved, if accepted; `proved` and `given` count numbers derived and believed."""
    conclusion: str = ""
    enclosure: Enclosure | None = None
    proved: int = 1
    given: int = 0
    kind: str = "unknown"
    accepted: bool = False
    steps: tuple[Step, ...] = ()
Checker = Generator[str, None, Report]
_CHECKERS: dict[str, tuple[Parser, Callable[..., Checker]]] = {}
def checker(kind: str, **parsers: Parser) -> Callable[..., Callable[..., Checker]]:
    """Register the checker of a kind of document: its arguments are the fields, parsed."""
    header = {"format": one_of("holdfast-certificate/1"), "kind": one_of(kind)}
    def register(function: Callable[..., Checker]) -> Callable[..., Checker]:
        _CHECKERS[kind] = record(**header, **parsers), function
        return function
    return register
def _examine(document: Any) -> Checker:
    yield "kind is known"
    kind = located("kind", one_of(*_CHECKERS), document["kind"])
    yield f"fields of {kind} are well formed"
    parse, function = _CHECKERS[kind]
    _, _, *arguments = located(kind, parse, document)
    return replace((yield from function(*arguments)), kind=kind)
def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    require(len(dict(pairs)) == len(pairs), "an object repeats a key", [key for key, _ in pairs])
    return dict(pairs)
def _read(path: str | Path) -> Checker:
    yield "file is JSON in UTF-8, without floats and repeated keys"
    text = Path(path).read_text(encoding="utf-8")
    return (yield from _examine(json.loads(  # where "0.5" and "NaN" are refused
        text, object_pairs_hook=_unique, parse_float=integer, parse_constant=integer)))
def _follow(run: Checker) -> Report:
    steps: list[Step] = []
    try:
        while True:
            steps.append(Step(len(steps) + 1, next(run)))
    except StopIteration as end:
        report: Report = end.value
        return replace(report, accepted=True, steps=tuple(steps))
    except Exception as error:  # whatever is raised rejects the step in which it was raised
        found = error if isinstance(error, Rejected) else Rejected(type(error).__name__, str(error))
    steps[-1] = replace(steps[-1], ok=False, reason=found.reason, value=found.value)
    return Report(steps=tuple(steps), proved=0)
def check(document: object) -> Report:
    """Check a certificate already parsed. Never raises: bad documents are rejected."""
    return _follow(_examine(document))
def check_file(path: str | Path) -> Report:
    """Check a certificate file. Never raises: missing and malformed files are rejected."""
    return _follow(_read(path))
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
            require(not bounded or y.numerators[i] >= 0, f"dual[{i}] of a <= row is negative", y[i])
        if (least := min(slacks, default=Fraction(0))) < 0:
            raise Rejected(f"column {slacks.index(least)} has negative slack", least / scale)
def _program(value: object) -> Program:
    row = record(terms=array(array(anything, 2)), relation=one_of("=", "<="), rhs=rational)
    _, objective, rows = record(sense=one_of("max"), objective=vector, rows=array(row))(value)
    columns: list[dict[int, Fraction]] = [{} for _ in objective.numerators]
    for i, j, a in ((i, *term) for i, row in enumerate(rows) for term in row[0]):
        valid = integer(j) in range(len(columns)) and i not in columns[integer(j)]
        require(valid, f".rows[{i}] names a column twice or out of range", j)
        columns[integer(j)][i] = located(f".rows[{i}], column {j}", rational, a)
    def column(j: int) -> Column:
        common = lcm(*(a.denominator for a in columns[j].values()))
        return common, [(i, int(a * common)) for i, a in columns[j].items()]
    bounded, rhs = [row[1] == "<=" for row in rows], common_vector([row[2] for row in rows])
    return Program(objective, column, bounded, rhs)
@checker("linear-program-optimum", program=_program, primal=vector, dual=vector, value=claim)
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
    return Report(f"the optimal value is {show(found)}", found)
@checker("linear-program-infeasible", program=_program, farkas=vector)
def check_infeasible(program: Program, y: Vector) -> Checker:
    """y.A >= 0 > y.b contradicts y.(Ax) <= y.b for every feasible x (Farkas)."""
    yield "combined rows have no negative coefficient"
    program.check_dual(y, Vector([0] * len(program.objective.numerators)))
    yield "combined right sides are negative"
    require((total := program.rhs.dot(y)) < 0, "the combined right sides are", total)
    return Report(f"infeasible: the right sides combine to {show(total)}")
@dataclass(frozen=True, slots=True)
class Model:
    """Columns of `program` are the pairs (state, action); its rows S flow equations, m budgets."""
    states: list[int]  # of each pair
    payoffs: list[Vector]  # the reward, then the costs
    initial: Vector
    mass: Enclosure  # 1 / (1 - gamma)
    program: Program
    def evaluate(self, payoff: Vector, policy: Vector, values: Vector) -> Enclosure:
        """Of the return of a policy: exact if values solve its evaluation equation."""
        policy.check("policy", len(self.states), sign=1)
        payoff.check("payoff", len(self.states))
        dual = _stack(values, Vector([0] * (len(self.payoffs) - 1)))
        slacks, scale = self.program.slacks(dual, payoff)
        residuals, shares = [Fraction(0)] * len(values.numerators), [0] * len(values.numerators)
        for s, share, slack in zip(self.states, policy.numerators, slacks, strict=True):
            shares[s] += share
            residuals[s] -= share * slack if share else 0
        unit = policy.denominator
        for s, n in enumerate(shares):
            require(n == unit, f"policy in state {s} has sum", Fraction(n, unit))
        error = Enclosure(min(residuals), max(residuals)) / Enclosure.exact(scale * unit)
        found: Enclosure = Enclosure.exact(self.initial.dot(values)) + error * self.mass
        return found
def _stack(top: Vector, bottom: Vector) -> Vector:
    common = lcm(top.denominator, bottom.denominator)
    scaled = [n * (common // v.denominator) for v in (top, bottom) for n in v.numerators]
    return Vector(scaled, common)
def _plain(value: object) -> list[Any]:
    pairs = array(array(integer, 2))
    _, n, choices, rows, gamma, reward, costs, budgets, initial = record(kind=one_of("cmdp"),
        n_states=integer, choices=pairs, transitions=array(pairs), discount=rational, reward=vector,
        costs=array(vector), budgets=vector, initial=vector)(value)
    states = [s for s, _ in choices]
    ordered = sorted(states) == states and [states[0], states[-1], len({*states})] == [0, n - 1, n]
    require(ordered, f".choices are not sorted by state over 0..{n - 1}", states)
    require(len(set(map(tuple, choices))) == len(states), ".choices repeat a pair", choices)
    require(0 <= gamma <= 1, ".discount is outside [0, 1]", gamma)
    require(len(rows) == len(states), f".transitions must have {len(states)} rows, not", len(rows))
    for k, row in enumerate(rows):
        wrong = [[t, w] for t, w in row if not 0 <= t < n or w <= 0]
        require(bool(row) and not wrong, f".transitions[{k}] has no or wrong entries", wrong)
    for i, payoff in enumerate([reward, *costs]):
        payoff.check(f".costs[{i - 1}]" if i else ".reward", len(states))
    initial.check(".initial", n, sign=1, total=1)
    budgets.check(".budgets", len(costs))
    return [states, rows, gamma, [reward, *costs], budgets, initial]
def _window(value: object) -> list[Any]:
    """T decisions as a plain model: (t, c, s) is state (t C + c) n + s, the end comes last. c < C
    counts visits to unsafe states, of which visit c costs z^c; 2^t undoes the discount 1/2."""
    flags = dict.fromkeys(["counts_start", "reward_after_violation"], one_of(True, False))
    _, plain, unsafe, T, level, z, terminal, from_start, after = record(kind=one_of("joint-chance"),
        model=_plain, unsafe=array(integer), horizon=integer, level=rational, charge=rational,
        terminal=vector, **flags)(value)
    states, rows, gamma, (reward, *_), _, initial = plain
    n, bad = len(initial.numerators), [s in unsafe for s in range(len(initial.numerators))]
    terminal.check(".terminal", n)
    levels = T + 1 if 0 < z < 1 else 2 - (z == 1 and after)
    valid = 0 < T * levels * len(rows) <= 2**20 and 0 <= z <= 1 and sum(bad) == len(unsafe)
    require(valid, " has a wrong horizon, charge or unsafe state", [T, show(z), unsafe])
    end, parts = T * levels * n, []
    for t, c, k in product(range(T), range(levels), range(len(rows))):
        total, last = sum(w for _, w in rows[k]), t == T - 1
        nexts = [(x, min(c + bad[x], levels - 1), w) for x, w in rows[k]]
        bonus = sum(w * terminal[x] for x, d, w in nexts if last and (after or not d))
        parts.append(((t * levels + c) * n + states[k],
            [(end, 1)] if last else [(((t + 1) * levels + d) * n + x, w) for x, d, w in nexts],
            (2 * gamma)**t * (reward[k] * (after or not c) + gamma * bonus / total),
            2**t * z**c * Fraction(sum(w for x, _, w in nexts if bad[x]), total)))
    parts.append((end, [(end, 1)], Fraction(0), Fraction(0)))
    moved, moves, *payoffs = map(list, zip(*parts, strict=True))
    start, spent = [0] * (end + 1), sum(initial[s] for s in unsafe if from_start)
    for s, share in enumerate(initial.numerators):
        start[min(bad[s] and from_start, levels - 1) * n + s] = share
    return [moved, moves, Fraction(1, 2), list(map(common_vector, payoffs)),
        common_vector([level - spent]), Vector(start, initial.denominator)]
def _model(value: Any) -> Model:
    parse = _window if "unsafe" in value else _plain
    states, rows, gamma, (reward, *costs), budgets, initial = parse(value)
    require(gamma < 1, ".discount is outside [0, 1)", gamma)
    top, base = gamma.as_integer_ratio()
    common, n = lcm(*(cost.denominator for cost in costs)), len(initial.numerators)
    prices = [[c * (common // cost.denominator) for c in cost.numerators] for cost in costs]
    def column(k: int) -> Column:
        total = base * sum([w for _, w in rows[k]])
        entries = [(t, -top * common * w) for t, w in rows[k]] + [(states[k], common * total)]
        return common * total, entries + [(n + i, p[k] * total) for i, p in enumerate(prices)]
    program = Program(reward, column, [False] * n + [True] * len(costs), _stack(initial, budgets))
    return Model(states, [reward, *costs], initial, Enclosure.exact(1 / (1 - gamma)), program)
_DUAL = {"values": vector, "multipliers": vector}
_MIXTURE = array(record(
    weight=rational, policy=vector, reward_values=vector, cost_values=array(vector)))
@checker("cmdp-optimum", model=_model, occupancy=vector, **_DUAL, value=claim)
def _optimum(model: Model, x: Vector, v: Vector, multipliers: Vector, value: Enclosure) -> Checker:
    return check_optimum(model.program, x, _stack(v, multipliers), value)
@checker("cmdp-infeasible", model=_model, **_DUAL)
def _infeasible(model: Model, values: Vector, multipliers: Vector) -> Checker:
    negated = Vector([-n for n in values.numerators], values.denominator)
    return check_infeasible(model.program, _stack(negated, multipliers))
@checker("policy-value", model=_model, policy=vector, values=vector, function=anything, value=claim)
def _policy(model: Model, policy: Vector, v: Vector, function: Any, value: Enclosure) -> Checker:
    yield "value contains the return"
    names = ["reward", *(["cost", i] for i in range(len(model.payoffs) - 1))]
    payoffs = [model.payoffs[i] for i, name in enumerate(names) if name == function]
    payoff = payoffs[0] if payoffs else record(values=vector)(function)[0]
    value.must_contain(found := model.evaluate(payoff, policy, v), "return")
    return Report(f"the policy has return {show(found)}", found)
def _mix(model: Model, parts: list[Any]) -> Generator[str, None, Enclosure]:
    yield "weights are >= 0 of sum 1"
    common_vector([part[0] for part in parts]).check("weights", len(parts), sign=1, total=1)
    yield "mixture meets the budgets"
    returns = [Enclosure.exact(0)] * len(model.payoffs)
    for weight, policy, reward, costs in parts:
        for i, (payoff, v) in enumerate(zip(model.payoffs, [reward, *costs], strict=True)):
            returns[i] += model.evaluate(payoff, policy, v) * Enclosure.exact(weight)
    for i, cost in enumerate(returns[1:]):
        budget = model.program.rhs[len(model.initial.numerators) + i]
        require(cost.hi <= budget, f"cost {i} exceeds its budget {show(budget)}", cost.hi)
    return returns[0]
@checker("mixture", model=_model, components=_MIXTURE, value=claim)
def _mixture(model: Model, parts: list[Any], value: Enclosure) -> Checker:
    reward = yield from _mix(model, parts)
    yield "value contains the reward"
    value.must_contain(reward, "reward")
    return Report(f"the mixture meets the budgets, with reward {show(reward)}", reward)
@checker("cmdp-enclosure", model=_model, mixture=record(components=_MIXTURE), **_DUAL, value=claim)
def _enclosure(model: Model, mixture: Any, v: Vector, prices: Vector, value: Enclosure) -> Checker:
    lower = yield from _mix(model, *mixture)
    yield "value contains both bounds"
    prices.check("multipliers", len(model.payoffs) - 1, sign=1)
    slacks, scale = model.program.slacks(_stack(v, prices), model.program.objective)
    upper = model.program.rhs.dot(_stack(v, prices)) - min(slacks) / scale * model.mass.lo
    value.must_contain(found := Enclosure(lower.lo, upper), "bounds")
    return Report(f"the optimal value is in {show(found)}", found)
def _parse_symbols(value: Any) -> Known:
    def parse(spec: Any) -> Enclosure:
        if "certificate" in spec:
            report = check(record(certificate=anything)(spec)[0])
            if report.enclosure is None or report.given:
                raise Rejected(" proves no number, or only from numbers given", report.steps[-1])
            return report.enclosure
        names = ["value"] if "value" in spec else ["lo", "hi"] + ["alpha"] * ("alpha" in spec)
        ends = record(**dict.fromkeys(names, rational))(spec)
        return Enclosure(*ends) if len(ends) > 1 else Enclosure.exact(*ends)
    found = {name: located(f".{name}", parse, spec) for name, spec in value.items()}
    return found, sum("certificate" in spec for spec in value.values())
def _refine(expressions: list[Any], values: dict[str, Enclosure]) -> Iterator[list[Enclosure]]:
    for bits in (64, 128, 256, 512, 1024, 2048, 4096):
        try:
            yield [evaluate_expression(expression, values, bits) for expression in expressions]
        except Rejected:  # such as a division by an enclosure of a number that is not quite zero
            if bits == 4096:
                raise
@checker("counterexample", relation=array(anything, 3), values=_parse_symbols)
def _counterexample(relation: Any, known: Known) -> Checker:
    yield "relation is false"
    (operator, *sides), (values, proved) = relation, known
    for left, right in _refine(sides, values):
        if (answer := compare(left, operator, right)) is not Comparison.UNKNOWN:
            break
    text, gap = f"{show(left)} {operator} {show(right)} is {answer.value}", left - right
    require(answer is Comparison.FALSE and gap.alpha < 1, f"{text}; left minus right side", gap)
    return Report(f"{text}; alpha {gap.alpha}, {(n := len(values) - proved)} given", gap, proved, n)
@checker("enclosure", expression=anything, values=_parse_symbols, lo=rational, hi=rational)
def _expression(expression: Any, known: Known, *ends: Fraction) -> Checker:
    yield "lo and hi enclose the expression"
    claim, (values, proved) = Enclosure(*ends[:2]), known
    for (found,) in _refine([expression], values):
        if claim.lo <= found.lo and found.hi <= claim.hi:
            break
    claim.must_contain(found, "expression")
    found = Enclosure(claim.lo, claim.hi, found.alpha)
    return Report(f"the expression is in {claim}", found, proved, len(values) - proved)
