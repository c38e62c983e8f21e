"""Statements: what each kind of certificate proves, step by step. Documents in, reports out.

A checker yields the name of each step before it takes it, and returns what is proved. Whatever is
raised rejects the document in that step.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from .documents import (
    Parser,
    anything,
    array,
    field,
    load,
    located,
    measure,
    one_of,
    record,
    vector,
)
from .enclosures import Comparison, Enclosure, claimed, compare
from .exact import Rejected, Vector, common_vector, rational, require, show, spend, with_allowance
from .expressions import refine, symbols
from .processes import Model, model
from .programs import Program, program

WORK = 300_000
"""Units that a document may spend, and those that its programs and models bring with them. One that
spends just these takes about a second; see `effort`."""
OWN_WORK = 60 * WORK
"""Of a document whose maker is known, such as an answer of one's own: about a minute."""


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
    """What was proved, if accepted, and what stands behind it.

    conclusion: the statement, which names its subject; enclosure: of the number proved, if it is
    one. proved: how many numbers rest on a program or a model in the document; given: how many were
    believed, or calculated from nothing but constants; behind: a line on each of them.
    """

    conclusion: str = ""
    enclosure: Enclosure | None = None
    proved: int = 1
    given: int = 0
    behind: tuple[str, ...] = ()
    kind: str = "unknown"
    accepted: bool = False
    steps: tuple[Step, ...] = ()


Checker = Generator[str, None, Report]
_CHECKERS: dict[str, tuple[Parser, Callable[..., Checker]]] = {}


def checker(kind: str, **parsers: Parser) -> Callable[..., Callable[..., Checker]]:
    """Register the checker of a kind of document: its arguments are the fields, parsed."""
    header = {"format": one_of("holdfast-certificate/1"), "kind": one_of(kind)}

    def register(function: Callable[..., Checker]) -> Callable[..., Checker]:
        _CHECKERS[kind] = record(dict, **header, **parsers), function
        return function

    return register


def _examine(document: Any) -> Checker:
    yield "kind is known"
    certificate = isinstance(document, dict) and "kind" in document
    require(certificate, "no certificate: not an object with the key kind", document)
    kind = located("kind", one_of(*_CHECKERS), document["kind"])
    yield f"fields of {kind} are well formed"
    parse, function = _CHECKERS[kind]
    if _brings_work(document):
        spend(-measure(document))
    fields = located(kind, parse, document)
    del fields["format"], fields["kind"]
    return replace((yield from function(**fields)), kind=kind)


def _brings_work(document: Any) -> bool:
    """Whether it is of a program or model; expressions, however long, bring nothing with them."""
    kind = document.get("kind") if isinstance(document, dict) else None
    return kind in [known for known in _CHECKERS if known not in ("counterexample", "enclosure")]


def _measured(document: Any, run: Checker) -> Checker:
    """The same run; what is not measured later is found to be small enough in the first step."""
    yield next(run)
    if not _brings_work(document):
        measure(document)
    return (yield from run)


def _read(path: str | Path) -> Checker:
    yield "file is JSON in UTF-8, without floats and repeated keys"
    document = load(path)
    return (yield from _measured(document, _examine(document)))


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
    steps[-1] = replace(steps[-1], ok=False, reason=found.reason.strip(), value=found.value)
    return Report(steps=tuple(steps), proved=0)


def check(document: object, work: int = WORK) -> Report:
    """Check a certificate already parsed. Never raises: bad documents are rejected."""
    return with_allowance(work, lambda: _follow(_measured(document, _examine(document))))


def check_file(path: str | Path, work: int = WORK) -> Report:
    """Check a certificate file. Never raises: missing and malformed files are rejected."""
    return with_allowance(work, lambda: _follow(_read(path)))


# Programs and constrained MDPs, which are programs


@checker("linear-program-optimum", program=program, primal=vector, dual=vector, value=claimed)
def check_optimum(program: Program, primal: Vector, dual: Vector, value: Enclosure) -> Checker:
    """c.x <= y.(Ax) <= y.b for all feasible x and y, so equality makes both optimal."""
    yield "primal is feasible"
    program.check_primal(primal)
    yield "dual is feasible"
    program.check_dual(dual, program.objective)
    yield "both objectives equal the value"
    found = Enclosure.exact(program.objective.dot(primal))
    value.must_contain(found, "primal objective")
    found.must_contain(Enclosure.exact(program.rhs.dot(dual)), "dual objective")
    return Report(f"the optimal value of {program.title} is {show(found)}", found)


@checker("linear-program-infeasible", program=program, farkas=vector)
def check_infeasible(program: Program, farkas: Vector) -> Checker:
    """y.A >= 0 > y.b contradicts y.(Ax) <= y.b for every feasible x (Farkas)."""
    yield "combined rows have no negative coefficient"
    program.check_dual(farkas, Vector([0] * len(program.objective)))
    yield "combined right sides are negative"
    require((total := program.rhs.dot(farkas)) < 0, "the combined right sides are", total)
    return Report(f"{program.title} is infeasible: the right sides combine to {show(total)}")


_DUAL = {"values": vector, "multipliers": vector}


@checker("cmdp-optimum", model=model, occupancy=vector, **_DUAL, value=claimed)
def _optimum(
    model: Model, occupancy: Vector, values: Vector, multipliers: Vector, value: Enclosure
) -> Checker:
    return check_optimum(model.program, occupancy, model.dual(values, multipliers), value)


@checker("cmdp-infeasible", model=model, **_DUAL)
def _infeasible(model: Model, values: Vector, multipliers: Vector) -> Checker:
    negated = Vector([-n for n in values.numerators], values.denominator)
    return check_infeasible(model.program, model.dual(negated, multipliers))


@checker(
    "policy-value", model=model, policy=vector, values=vector, function=anything, value=claimed
)
def _policy(
    model: Model, policy: Vector, values: Vector, function: Any, value: Enclosure
) -> Checker:
    yield "value contains the return"
    payoff, name = located("function ", model.payoff, function)
    value.must_contain(found := model.evaluate(payoff, policy, values), "return")
    return Report(
        f"the policy written out has return {show(found)}, for {name} of {model.title}", found
    )


# Mixtures, and the enclosures that they and multipliers give


@dataclass(frozen=True, slots=True)
class Component:
    """A policy, the probability of drawing it at the start, and its value functions."""

    weight: Fraction
    policy: Vector
    reward_values: Vector
    cost_values: list[Vector]


_components = array(
    record(
        Component,
        weight=rational,
        policy=vector,
        reward_values=vector,
        cost_values=array(vector),
    )
)


def _mix(model: Model, parts: list[Component]) -> Generator[str, None, Enclosure]:
    """The reward of a mixture that meets the budgets."""
    yield "weights are >= 0 of sum 1"
    common_vector([part.weight for part in parts]).require_distribution("weights")
    yield "mixture meets the budgets"
    payoffs = [model.process.reward, *model.process.costs]
    returns = [Enclosure.exact(0)] * len(payoffs)
    for part in parts:
        functions = [part.reward_values, *part.cost_values]
        found = len(part.cost_values)
        require(len(functions) == len(payoffs), "cost_values must be one for each cost, not", found)
        for i, (payoff, values) in enumerate(zip(payoffs, functions, strict=True)):
            one = model.evaluate(payoff, part.policy, values)
            returns[i] += one * Enclosure.exact(part.weight)
    for i, cost in enumerate(returns[1:]):
        budget = model.process.budgets[i]
        require(cost.hi <= budget, f"cost {i} exceeds its budget {show(budget)}", cost.hi)
    return returns[0]


@checker("mixture", model=model, components=_components, value=claimed)
def _mixture(model: Model, components: list[Component], value: Enclosure) -> Checker:
    reward = yield from _mix(model, components)
    yield "value contains the reward"
    value.must_contain(reward, "reward")
    text = f"the mixture of {len(components)} policies written out meets the budgets, with reward"
    return Report(f"{text} {show(reward)}, of {model.title}", reward)


@checker(
    "cmdp-enclosure", model=model, mixture=field("components", _components), **_DUAL, value=claimed
)
def _enclosure(
    model: Model,
    mixture: list[Component],
    values: Vector,
    multipliers: Vector,
    value: Enclosure,
) -> Checker:
    """The mixture bounds the optimum below; above, with the multipliers y >= 0 as prices of the
    costs, every policy in the budgets has J <= initial.V + y.d - x.slack for any V."""
    lower = yield from _mix(model, mixture)
    yield "value contains both bounds"
    multipliers.require_length("multipliers", len(model.process.costs))
    multipliers.require_positive("multipliers")
    dual = model.dual(values, multipliers)
    least = model.program.slacks(dual, model.program.objective).least()
    upper = model.program.rhs.dot(dual) - least * model.mass
    value.must_contain(found := Enclosure(lower.lo, upper), "bounds")
    return Report(f"the optimal value of {model.title} is in {show(found)}", found)


# Relations and expressions


@dataclass(frozen=True, slots=True)
class Symbol:
    """What is known of a symbol; proved: whether a program or a model stands behind it."""

    enclosure: Enclosure
    proved: bool
    source: str

    def line(self, name: str) -> str:
        """What a reader is told of it."""
        alpha = f", except with probability {show(self.enclosure.alpha)}" * (
            self.enclosure.alpha > 0
        )
        return f"{show(name)} = {show(self.enclosure)}{alpha}, {self.source}"


def _number(**ends: Fraction) -> Symbol:
    if "value" in ends:
        return Symbol(Enclosure.exact(ends["value"]), False, "given")
    found = Enclosure(*(ends[name] for name in ("lo", "hi", "alpha") if name in ends))
    require(found.alpha < 1, ".alpha must be less than 1, which says nothing", found.alpha)
    return Symbol(found, False, "given")


def _certified(document: Any) -> Symbol:
    report = _follow(_examine(document))
    if report.enclosure is None or report.given:
        raise Rejected(" proves no number, or only from numbers given", report.steps[-1])
    if report.proved:
        return Symbol(report.enclosure, True, f"proved: {report.conclusion}")
    return Symbol(report.enclosure, False, "given: a constant, calculated without program or model")


def _symbol(value: Any) -> Symbol:
    """{"certificate": ...}, {"value": ...}, or {"lo": ..., "hi": ...} with "alpha" in [0, 1)."""
    require(isinstance(value, dict), " is not an object", value)
    if "certificate" in value:
        found: Symbol = field("certificate", _certified)(value)
        return found
    names = ["value"] if "value" in value else ["lo", "hi"] + ["alpha"] * ("alpha" in value)
    parsed: Symbol = record(_number, **dict.fromkeys(names, rational))(value)
    return parsed


def _symbols(value: Any) -> dict[str, Symbol]:
    require(isinstance(value, dict), " is not an object", value)
    return {name: located(f".{name}", _symbol, spec) for name, spec in value.items()}


def _resting(values: dict[str, Symbol], node: Any, conclusion: str, found: Enclosure) -> Report:
    """The report on what holds of an expression; symbols that do not occur in it do not count."""
    require(found.alpha < 1, "holds with probability 0 or more, which says nothing", found.alpha)
    used = {name: values[name] for name in sorted(symbols(node) & values.keys())}
    proved = sum(symbol.proved for symbol in used.values())
    given = len(used) - proved
    text = f"{conclusion}; alpha {show(found.alpha)}, {proved} proved, {given} given"
    lines = tuple(symbol.line(name) for name, symbol in used.items())
    return Report(text, found, proved, given, lines)


@checker("counterexample", relation=array(anything, 3), values=_symbols)
def _counterexample(relation: list[Any], values: dict[str, Symbol]) -> Checker:
    yield "relation is false"
    operator, *sides = relation
    known = {name: symbol.enclosure for name, symbol in values.items()}
    for left, right in refine(sides, known):
        if (answer := compare(left, operator, right)) is not Comparison.UNKNOWN:
            break
    text, gap = f"{show(left)} {operator} {show(right)} is {answer.value}", left - right
    require(answer is Comparison.FALSE, f"{text}; left minus right side", gap)
    return _resting(values, sides, text, gap)


@checker("enclosure", expression=anything, values=_symbols, lo=rational, hi=rational)
def _expression(expression: Any, values: dict[str, Symbol], lo: Fraction, hi: Fraction) -> Checker:
    yield "lo and hi enclose the expression"
    claim, known = Enclosure(lo, hi), {name: s.enclosure for name, s in values.items()}
    for (found,) in refine([expression], known):
        if claim.contains(found):
            break
    claim.must_contain(found, "expression")
    text = f"the expression {show(expression)} is in {show(claim)}"
    return _resting(values, expression, text, Enclosure(lo, hi, found.alpha))
