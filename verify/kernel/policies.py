"""Constrained MDPs as programs over occupancies; returns are un-normalised, E sum gamma^t r_t.

For any V every policy has J = initial.V + occupancy.residual, residual = payoff + gamma P V - V,
and occupancies are >= 0 of mass 1 / (1 - gamma). Residuals are minus the slacks of a dual vector.
"""

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from .certificate import Checker, Report, checker, one_of
from .exact import (
    Enclosure,
    Vector,
    array,
    parse_integer,
    parse_rational,
    parse_value,
    parse_vector,
    record,
    require,
    vector,
)
from .programs import Column, Program, check_infeasible, check_optimum


@dataclass(frozen=True, slots=True)
class Model:
    """Columns of `program` are the pairs (state, action); its rows S flow equations, m budgets."""
    states: list[int]  # of each pair
    payoffs: list[Vector]  # the reward, then the costs
    initial: Vector
    mass: Enclosure  # 1 / (1 - gamma)
    program: Program
    def residuals(self, payoff: Vector, policy: Vector, values: Vector) -> list[Fraction]:
        """payoff + gamma P V - V in each state, averaged over the actions of a policy."""
        for name, v in (("policy", policy), ("payoff", payoff)):
            v.check(name, len(self.states), sign=name == "policy")
        zeros = Vector([0] * (len(self.payoffs) - 1))
        slacks, scale = self.program.slacks(_stack(values, zeros), payoff)
        found, shares = [Fraction(0)] * len(values.numerators), [0] * len(values.numerators)
        for s, share, slack in zip(self.states, policy.numerators, slacks, strict=True):
            shares[s] += share
            found[s] -= share * slack if share else 0
        for s, share in enumerate(shares):
            total = Fraction(share, policy.denominator)
            require(total == 1, f"policy in state {s} has sum", total)
        return [x / (scale * policy.denominator) if x else x for x in found]

def _stack(top: Vector, bottom: Vector) -> Vector:
    a, b = top.denominator, bottom.denominator
    return Vector([n * b for n in top.numerators] + [n * a for n in bottom.numerators], a * b)

def _parse_model(value: object) -> Model:
    pairs = array(array(parse_integer, 2))
    _, n, choices, rows, gamma, reward, costs, budgets, initial = record(
        kind=one_of("cmdp"), n_states=parse_integer, choices=pairs, transitions=array(pairs),
        discount=parse_rational, reward=parse_vector, costs=array(parse_vector),
        budgets=parse_vector, initial=parse_vector)(value)
    states = [s for s, _ in choices]
    ordered = states == sorted(states) and {0, n - 1} <= set(states) and len(set(states)) == n
    require(ordered, f".choices are not sorted by state over 0..{n - 1}", states)
    require(len(set(map(tuple, choices))) == len(states), ".choices repeat a pair", choices)
    require(0 <= gamma < 1, ".discount is outside [0, 1)", gamma)
    require(len(rows) == len(states), f".transitions must have {len(states)} rows", len(rows))
    for k, row in enumerate(rows):
        wrong = [[t, w] for t, w in row if not 0 <= t < n or w <= 0]
        require(bool(row) and not wrong, f".transitions[{k}] has no or wrong entries", wrong)
    for i, payoff in enumerate([reward, *costs]):
        payoff.check(f".costs[{i - 1}]" if i else ".reward", len(states))
    initial.check(".initial", n, sign=1, total=1)
    budgets.check(".budgets", len(costs))
    top, base = gamma.as_integer_ratio()
    common = lcm(*(cost.denominator for cost in costs))
    prices = [[c * (common // cost.denominator) for c in cost.numerators] for cost in costs]
    def column(k: int) -> Column:
        total = base * sum([w for _, w in rows[k]])
        entries = [(t, -top * common * w) for t, w in rows[k]] + [(states[k], common * total)]
        return common * total, entries + [(n + i, p[k] * total) for i, p in enumerate(prices)]
    program = Program(reward, column, [False] * n + [True] * len(costs), _stack(initial, budgets))
    return Model(states, [reward, *costs], initial, Enclosure.exact(1 / (1 - gamma)), program)

_DUAL = {"values": parse_vector, "multipliers": parse_vector}
_PARTS = array(record(weight=parse_rational, policy=parse_vector, reward_values=parse_vector,
                      cost_values=array(parse_vector)))

@checker("cmdp-optimum", model=_parse_model, occupancy=parse_vector, **_DUAL, value=parse_value)
def _optimum(model: Model, x: Vector, v: Vector, multipliers: Vector, value: Enclosure) -> Checker:
    return check_optimum(model.program, x, _stack(v, multipliers), value)

@checker("cmdp-infeasible", model=_parse_model, **_DUAL)
def _infeasible(model: Model, values: Vector, multipliers: Vector) -> Checker:
    negated = Vector([-n for n in values.numerators], values.denominator)
    return check_infeasible(model.program, _stack(negated, multipliers))

@checker("policy-value", model=_parse_model, policy=parse_vector, values=parse_vector,
         function=lambda value: value, value=parse_value)
def _policy(model: Model, policy: Vector, v: Vector, function: Any, value: Enclosure) -> Checker:
    yield "function is a payoff"
    names = ["reward", *(["cost", i] for i in range(len(model.payoffs) - 1))]
    payoff = (record(values=parse_vector)(function)[0] if isinstance(function, dict)
              else model.payoffs[names.index(function)])
    yield "values solve the evaluation equation"
    for s, residual in enumerate(model.residuals(payoff, policy, v)):
        require(residual == 0, f"payoff + gamma P V - V in state {s}", residual)
    yield "value is initial.values"
    found = Enclosure.exact(model.initial.dot(v))
    value.must_contain(found, "return")
    return Report(f"the policy has return {found}", found)

def _mix(model: Model, parts: list[Any]) -> Generator[str, None, Enclosure]:
    yield "weights are >= 0 of sum 1"
    vector([part[0] for part in parts]).check("weights", len(parts), sign=1, total=1)
    yield "mixture meets the budgets"
    returns = [Enclosure.exact(0)] * len(model.payoffs)
    for weight, policy, reward_values, cost_values in parts:
        solved = zip(model.payoffs, [reward_values, *cost_values], strict=True)
        for i, (payoff, v) in enumerate(solved):
            residuals = model.residuals(payoff, policy, v)
            error = model.mass * Enclosure(min(residuals), max(residuals))
            found = Enclosure.exact(model.initial.dot(v)) + error
            returns[i] += Enclosure.exact(weight) * found
    for i, cost in enumerate(returns[1:]):
        budget = model.program.rhs[len(model.initial.numerators) + i]
        require(cost.hi <= budget, f"cost {i} exceeds its budget {Enclosure.exact(budget)}", cost.hi)
    return returns[0]

@checker("mixture", model=_parse_model, components=_PARTS, value=parse_value)
def _mixture(model: Model, parts: list[Any], value: Enclosure) -> Checker:
    reward = yield from _mix(model, parts)
    yield "value contains the reward"
    value.must_contain(reward, "reward")
    return Report(f"the mixture meets the budgets, with reward {reward}", reward)

@checker("cmdp-enclosure", model=_parse_model, mixture=record(components=_PARTS), **_DUAL,
         value=parse_value)
def _enclosure(model: Model, mixture: list[Any], v: Vector, prices: Vector, value: Enclosure
               ) -> Checker:
    lower = yield from _mix(model, mixture[0])
    yield "value contains both bounds"
    prices.check("multipliers", len(model.payoffs) - 1, sign=1)
    slacks, scale = model.program.slacks(_stack(v, prices), model.program.objective)
    upper = model.program.rhs.dot(_stack(v, prices)) - min(slacks) / scale * model.mass.lo
    value.must_contain(found := Enclosure(lower.lo, upper), "bounds")
    return Report(f"the optimal value is in {found}", found)
