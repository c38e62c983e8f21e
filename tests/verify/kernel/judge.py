"""Whether what a certificate claims is true, decided without it: by solving, not by checking.

Nothing of the kernel is used. Linear programs are solved by a simplex method over fractions, a
policy's return from its linear equations, a window on its own time-expanded program with every
count of unsafe states kept apart, and an expression from intervals of fractions, with FLINT for
exp, log and sqrt. Slow and simple.
"""

import operator
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate, product
from math import isqrt
from typing import Any

import flint

Document = dict[str, Any]
Interval = tuple[Fraction, Fraction]
UNBOUNDED = "unbounded"


def number(text: Any) -> Fraction:
    parts = [int(part, 16 if "x" in part else 10) for part in text.split("/")]
    return Fraction(*parts)


def numbers(value: Any) -> list[Fraction]:
    if isinstance(value, dict):
        bottom = whole(value["denominator"])
        return [Fraction(whole(n), bottom) for n in value["numerators"]]
    return list(map(number, value))


def whole(value: Any) -> int:
    return value if type(value) is int else int(value, 16 if "x" in value else 10)


def interval(value: Any) -> Interval:
    low, high = map(number, value if isinstance(value, list) else [value, value])
    assert low <= high
    return low, high


# -- linear programs: max c.x over x >= 0 with rows (coefficients, "<=" or "=", right side)
Row = tuple[list[Fraction], str, Fraction]


def _pivot(table: list[list[Fraction]], basis: list[int], row: int, column: int) -> None:
    lead = table[row][column]
    table[row] = [x / lead for x in table[row]]
    for i, other in enumerate(table):
        if i != row and (factor := other[column]):
            table[i] = [x - factor * y for x, y in zip(other, table[row], strict=True)]
    basis[row] = column


def _improve(table: list[list[Fraction]], basis: list[int], columns: int) -> bool:
    """Bland's rule on a table whose last row is minus the objective; False if unbounded."""
    while True:
        entering = next((j for j in range(columns) if table[-1][j] < 0), None)
        if entering is None:
            return True
        ratios = [
            (row[-1] / row[entering], basis[i], i)
            for i, row in enumerate(table[:-1])
            if row[entering] > 0
        ]
        if not ratios:
            return False
        _pivot(table, basis, min(ratios)[2], entering)


def optimum(objective: list[Fraction], rows: list[Row]) -> Fraction | str | None:
    """The optimal value, UNBOUNDED, or None if there is no point."""
    n, slacks = len(objective), [i for i, row in enumerate(rows) if row[1] == "<="]
    width, table = n + len(slacks), []
    for i, (coefficients, _, side) in enumerate(rows):
        sign = -1 if side < 0 else 1
        line = [sign * a for a in coefficients]
        line += [Fraction(sign * (i == slack)) for slack in slacks]
        line += [Fraction(i == k) for k in range(len(rows))]
        table.append([*line, sign * side])
    basis = [width + i for i in range(len(rows))]
    first = [-sum(row[j] for row in table) for j in range(width)]
    table.append(
        [*first, *[Fraction(0)] * len(rows), -sum((row[-1] for row in table), Fraction(0))]
    )
    _improve(table, basis, width)
    if table[-1][-1] != 0:
        return None
    table.pop()
    for i, basic in enumerate(basis):  # an artificial variable that stays does so in a row of zeros
        column = next((j for j in range(width) if table[i][j]), None)
        if basic >= width and column is not None:
            _pivot(table, basis, i, column)
    kept = [i for i, basic in enumerate(basis) if basic < width]
    table = [[*table[i][:width], table[i][-1]] for i in kept]
    basis = [basis[i] for i in kept]
    costs = [-c for c in objective] + [Fraction(0)] * (width - n + 1)
    for row, basic in zip(table, basis, strict=True):
        costs = [x - costs[basic] * y for x, y in zip(costs, row, strict=True)]
    table.append(costs)
    return table[-1][-1] if _improve(table, basis, width) else UNBOUNDED


def _program(document: Document) -> Fraction | str | None:
    assert document["sense"] == "max"
    objective = numbers(document["objective"])
    rows = []
    for row in document["rows"]:
        assert row["relation"] in ("<=", "=")
        line = [Fraction(0)] * len(objective)
        for column, coefficient in row["terms"]:
            assert whole(column) >= 0
            line[whole(column)] += number(coefficient)
        rows.append((line, row["relation"], number(row["rhs"])))
    return optimum(objective, rows)


# -- models
def _laws(model: Document) -> list[tuple[int, dict[int, Fraction]]]:
    """Of each pair: its state, and where it leads."""
    found = []
    for (state, _), row in zip(model["choices"], model["transitions"], strict=True):
        total, law = sum(whole(w) for _, w in row), {}
        for successor, weight in row:
            assert whole(weight) > 0
            s = whole(successor)
            law[s] = law.get(s, Fraction(0)) + Fraction(whole(weight), total)
        found.append((whole(state), law))
    states = {s for s, _ in found}
    assert states == set(range(whole(model["n_states"]))), "a state without an action"
    assert all(t in states for _, law in found for t in law)
    initial = numbers(model["initial"])
    assert len(initial) == len(states) and min(initial) >= 0 and sum(initial) == 1
    return found


def _constrained(model: Document) -> Fraction | str | None:
    """The optimal value over the occupancies, by one equation for each state."""
    gamma, laws = number(model["discount"]), _laws(model)
    assert 0 <= gamma < 1
    rows: list[Row] = []
    for s, share in enumerate(numbers(model["initial"])):
        line = [(state == s) - gamma * law.get(s, Fraction(0)) for state, law in laws]
        rows.append((line, "=", share))
    for cost, budget in zip(model["costs"], numbers(model["budgets"]), strict=True):
        rows.append((numbers(cost), "<=", budget))
    assert all(len(row[0]) == len(laws) for row in rows)
    return optimum(numbers(model["reward"]), rows)


def _window(document: Document) -> Fraction | str | None:
    """The optimal value over the chances of (decisions taken, unsafe states seen, pair)."""
    model, horizon = document["model"], whole(document["horizon"])
    assert horizon >= 1
    assert model["costs"] == [] and len(numbers(model["budgets"])) == 0
    gamma, laws, z = number(model["discount"]), _laws(model), number(document["charge"])
    assert 0 <= gamma <= 1
    assert 0 <= z <= 1
    unsafe, ends = set(map(whole, document["unsafe"])), numbers(document["terminal"])
    rewards, counts = numbers(model["reward"]), document["counts_start"]
    assert unsafe <= {s for s, _ in laws}
    now, left = {}, number(document["level"])
    for s, share in enumerate(numbers(model["initial"])):
        now[(1 if counts and s in unsafe else 0, s)] = share
        left -= share * (counts and s in unsafe)
    keys = [(t, c, k) for t in range(horizon) for c in range(t + 2) for k in range(len(laws))]
    place = {key: j for j, key in enumerate(keys)}
    payoff, risk = [Fraction(0)] * len(keys), [Fraction(0)] * len(keys)
    flows: dict[tuple[int, int, int], list[Fraction]] = {}
    for (t, c, k), j in place.items():
        state, law = laws[k]
        after = document["reward_after_violation"]
        payoff[j] = gamma**t * rewards[k] * (after or c == 0)
        flows.setdefault((t, c, state), [Fraction(0)] * len(keys))[j] += 1
        for s, chance in law.items():
            d = c + (s in unsafe)
            risk[j] += z**c * chance * (s in unsafe)
            if t + 1 < horizon:
                flows.setdefault((t + 1, d, s), [Fraction(0)] * len(keys))[j] -= chance
            else:
                payoff[j] += gamma**horizon * chance * ends[s] * (after or d == 0)
    rows: list[Row] = [
        (line, "=", now.get((c, s), Fraction(0)) if t == 0 else Fraction(0))
        for (t, c, s), line in flows.items()
    ]
    return optimum(payoff, [*rows, (risk, "<=", left)])


def _best(model: Document) -> Fraction | str | None:
    return _window(model) if model["kind"] == "joint-chance" else _constrained(model)


def _window_return(document: Document, policy: Any, function: Any) -> Fraction:
    """Of a policy that remembers min(c, C - 1) unsafe states, followed forwards in time.

    Its entries are in the order of t, c, pair, and one more for what comes after the last decision.
    """
    model, horizon = document["model"], whole(document["horizon"])
    z, after = number(document["charge"]), document["reward_after_violation"]
    cap = horizon + 1 if 0 < z < 1 else 1 if z == 1 and after else 2
    laws, shares, ends = _laws(model), numbers(policy), numbers(document["terminal"])
    gamma, rewards, unsafe = number(model["discount"]), numbers(model["reward"]), document["unsafe"]
    written = numbers(function["values"]) if isinstance(function, dict) else None
    if isinstance(function, list):
        kind, place = function
        function = [kind, whole(place)]
    now: dict[tuple[int, int], Fraction] = {}
    for s, share in enumerate(numbers(model["initial"])):
        start = min(bool(document["counts_start"]) and s in unsafe, cap - 1)
        now[int(start), s] = share
    total = Fraction(0)
    for t in range(horizon):
        then: dict[tuple[int, int], Fraction] = {}
        for (c, at), mass in now.items():
            chosen = [
                (k, shares[(t * cap + c) * len(laws) + k])
                for k, (state, _) in enumerate(laws)
                if state == at
            ]
            assert min(p for _, p in chosen) >= 0 and sum(p for _, p in chosen) == 1
            for k, p in chosen:
                if written:
                    total += mass * p * written[(t * cap + c) * len(laws) + k] / 2**t
                elif function == "reward" and (after or c == 0):
                    total += mass * p * gamma**t * rewards[k]
                for s, chance in laws[k][1].items():
                    d, flow = c + (s in unsafe), mass * p * chance
                    then[min(d, cap - 1), s] = then.get((min(d, cap - 1), s), Fraction(0)) + flow
                    if function == ["cost", 0]:
                        total += flow * z**c * (s in unsafe)
                    elif function == "reward" and t == horizon - 1 and (after or d == 0):
                        total += flow * gamma**horizon * ends[s]
        now = then
    assert written or function in ("reward", ["cost", 0])
    return total + (written[-1] * 2 / 2**horizon if written else 0)


def _return(model: Document, policy: Any, function: Any) -> Fraction:
    """Of a policy, from V = payoff + gamma P V, whose table is solved by elimination."""
    if model["kind"] == "joint-chance":
        return _window_return(model, policy, function)
    laws, shares, gamma = _laws(model), numbers(policy), number(model["discount"])
    initial = numbers(model["initial"])
    payoff = _payoff(model, function)
    assert len(laws) == len(shares) == len(payoff) and min(shares) >= 0 and 0 <= gamma < 1
    table = [
        [Fraction(i == j) for j in range(len(initial))] + [Fraction(0)] for i in range(len(initial))
    ]
    total = [Fraction(0)] * len(initial)
    for (state, law), share, value in zip(laws, shares, payoff, strict=True):
        total[state] += share
        table[state][-1] += share * value
        for s, chance in law.items():
            table[state][s] -= gamma * share * chance
    assert set(total) == {1}
    for i in range(len(initial)):
        _pivot(table, [0] * len(initial), i, i)  # I - gamma P has diagonal blocks of rank i
    return sum((p * row[-1] for p, row in zip(initial, table, strict=True)), Fraction(0))


def _payoff(model: Document, function: Any) -> list[Fraction]:
    if isinstance(function, dict):
        return numbers(function["values"])
    if function == "reward":
        return numbers(model["reward"])
    kind, i = function
    assert kind == "cost" and whole(i) >= 0
    return numbers(model["costs"][whole(i)])


def _mixture(model: Document, components: list[Document]) -> Fraction:
    """Its reward; asserts that it is a mixture and meets the budgets."""
    weights = [number(part["weight"]) for part in components]
    assert min(weights) >= 0
    assert sum(weights) == 1
    functions = ["reward", *[["cost", i] for i in range(len(model["costs"]))]]
    found = [
        sum(
            (
                w * _return(model, part["policy"], f)
                for w, part in zip(weights, components, strict=True)
            ),
            Fraction(0),
        )
        for f in functions
    ]
    budgets = numbers(model["budgets"])
    assert all(cost <= budget for cost, budget in zip(found[1:], budgets, strict=True))
    return found[0]


# -- expressions: intervals with fractions as ends, where FLINT knows exp, log and sqrt
def _hull(operation: Callable[..., Fraction], *parts: Interval) -> Interval:
    ends = [operation(*choice) for choice in product(*parts)]
    return min(ends), max(ends)


def _exactly(name: str, x: Fraction) -> Fraction | None:
    if name == "sqrt":
        root = Fraction(isqrt(x.numerator), isqrt(x.denominator))
        return root if root * root == x else None
    if name == "exp" and x == 0:
        return Fraction(1)
    return Fraction(0) if name == "log" and x == 1 else None


def _function(name: str, argument: Interval) -> Interval:
    """Of exp, log or sqrt, all of which increase, at both ends."""
    found = []
    for x, end in zip(argument, ("lower", "upper"), strict=True):
        if (exact := _exactly(name, x)) is None:
            ball = getattr(flint.arb(flint.fmpq(x.numerator, x.denominator)), name)()
            mantissa, exponent = getattr(ball, end)().man_exp()
            exact = int(mantissa) * Fraction(2) ** int(exponent)
        found.append(exact)
    return found[0], found[1]


def _power(base: Interval, exponent: int) -> Interval:
    if exponent % 2 == 0:
        base = _magnitude(base)
    assert exponent >= 0 or not base[0] <= 0 <= base[1]
    return _hull(lambda x: x**exponent, base)


def _magnitude(x: Interval) -> Interval:
    low, high = _hull(abs, x)
    return (Fraction(0) if x[0] <= 0 <= x[1] else low), high


FOLDS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "mul": operator.mul,
    "max": max,
    "min": min,
    "div": operator.truediv,
}


def _value(node: Any, known: dict[str, Interval]) -> Interval:
    if isinstance(node, str):
        return number(node), number(node)
    head, *rest = node
    if head == "symbol":
        return known[rest[0]]
    if head == "pow":
        return _power(_value(rest[0], known), whole(rest[1]))
    parts = [_value(part, known) for part in rest]
    if head in FOLDS:
        assert head != "div" or (len(parts) == 2 and not parts[1][0] <= 0 <= parts[1][1])
        return list(accumulate(parts, lambda a, b: _hull(FOLDS[head], a, b)))[-1]
    (only,) = parts
    if head == "neg":
        return -only[1], -only[0]
    return _magnitude(only) if head == "abs" else _function(head, only)


def _known(values: Document) -> dict[str, Interval]:
    found = {}
    for name, spec in values.items():
        if "certificate" in spec:
            assert holds(spec["certificate"])
            found[name] = truth(spec["certificate"])
        elif "value" in spec:
            found[name] = interval(spec["value"])
        else:
            assert 0 <= number(spec.get("alpha", "0")) < 1
            found[name] = interval([spec["lo"], spec["hi"]])
    return found


FALSE: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<=": lambda low, high: low > 0,
    "<": lambda low, high: low >= 0,
    ">=": lambda low, high: high < 0,
    ">": lambda low, high: high <= 0,
    "==": lambda low, high: low > 0 or high < 0,
    "!=": lambda low, high: low == high == 0,
}


def truth(document: Document) -> Interval:
    """The number that a certificate speaks of, computed anew."""
    kind = document["kind"]
    if kind == "enclosure":
        return _value(document["expression"], _known(document["values"]))
    if kind == "policy-value":
        found: Any = _return(document["model"], document["policy"], document["function"])
    elif kind == "mixture":
        found = _mixture(document["model"], document["components"])
    elif kind == "linear-program-optimum":
        found = _program(document["program"])
    else:
        found = _best(document["model"])
    assert isinstance(found, Fraction), found
    return found, found


def holds(document: Document) -> bool:
    """Whether the conclusion of a certificate is true; raises where the document means nothing."""
    kind = document["kind"]
    if kind == "linear-program-infeasible":
        return _program(document["program"]) is None
    if kind == "cmdp-infeasible":
        return _best(document["model"]) is None
    with flint.ctx.workprec(3000):
        if kind == "counterexample":
            relation, *sides = document["relation"]
            known = _known(document["values"])
            left, right = (_value(side, known) for side in sides)
            return FALSE[relation](left[0] - right[1], left[1] - right[0])
        low, high = interval(
            [document["lo"], document["hi"]] if kind == "enclosure" else document["value"]
        )
        found = truth(document)
    return low <= found[0] and found[1] <= high
