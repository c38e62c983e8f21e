"""Finite classes of small models, and what is computed on each; copied into files that decide
statements about them by looking at every case, so it needs the standard library alone.

A class yields (case in words, symbol -> exact value).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import prod
from re import findall
from typing import Any

from ..standalone.plain import (
    Interval,
    Rational,
    best_mixture,
    interval,
    mean,
    refuted,
    shown,
    solved,
)

Cases = Iterator[tuple[str, dict[str, Any]]]
HALF = Fraction(1, 2)
LIMITS = (HALF, Fraction(1))
DISTANCES = (HALF, Fraction(1), Fraction(3, 2), Fraction(2))
DISCOUNTS = (HALF, Fraction(9, 10))


def decide(cases: Cases, holds: Callable[..., bool]) -> dict[str, Any]:
    """Whether all cases hold, how many do not, and the smallest that does not."""
    total, broken = 0, []
    for case, values in cases:
        total += 1
        if not holds(**values):
            found = ", ".join(f"{name} = {one(number)}" for name, number in values.items())
            broken.append(f"{case}: {found}")
    smallest = min(broken, key=size, default="")
    return {
        "answer": not broken, "cases": total, "violations": len(broken), "witness": smallest
    }  # fmt: skip


def size(text: str) -> int:
    """The sum of the whole numbers in a text: of 1/3 it is 4."""
    return sum(map(int, findall(r"\d+", text)))


def vector(numbers: Sequence[Rational]) -> str:
    """A vector in words."""
    return "(" + ", ".join(map(str, numbers)) + ")"


def one(number: Any) -> str:
    """A number or a vector in words."""
    return vector(number) if isinstance(number, list | tuple) else str(number)


def grid(size: int, denominator: int, least: int = 0) -> list[tuple[Fraction, ...]]:
    """All laws on so many points that are multiples of 1/denominator, none below `least` of it."""
    counts = product(range(least, denominator + 1), repeat=size)
    return [
        tuple(Fraction(n, denominator) for n in row) for row in counts if sum(row) == denominator
    ]


def total_variation(p: Sequence[Rational], q: Sequence[Rational]) -> Fraction:
    """Half the l1 distance."""
    return sum((abs(Fraction(a) - b) for a, b in zip(p, q, strict=True)), Fraction(0)) / 2


def value(chain: Sequence[Sequence[Rational]], paid: Sequence[Rational], discount: Rational) -> Any:
    """The discounted sums v = paid + discount chain v, from each state."""
    n = len(paid)
    return solved(
        [[int(s == t) - discount * chain[s][t] for t in range(n)] for s in range(n)], paid
    )


def chains(denominator: int) -> Iterator[tuple[tuple[Fraction, ...], ...]]:
    """All chains on two states whose probabilities are multiples of 1/denominator."""
    return product(grid(2, denominator), repeat=2)


def two_chains() -> Cases:
    """gap, delta, gamma."""
    for first, second in product(chains(2), repeat=2):
        for gamma, paid in product(DISCOUNTS, [(0, 1), (1, 0)]):
            gaps = zip(value(first, paid, gamma), value(second, paid, gamma), strict=True)
            delta = max(map(total_variation, first, second))
            case = f"P = {vector(first[0])}, {vector(first[1])}; Q = {vector(second[0])}, "
            case += f"{vector(second[1])}; r = {vector(paid)}"
            yield case, {"gap": max(abs(v - w) for v, w in gaps), "delta": delta, "gamma": gamma}


def cut_chains() -> Cases:
    """rest, H, gamma: what is left of a discounted sum after H steps."""
    for H, chain, gamma, paid in product(
        (1, 2, 3), chains(3), DISCOUNTS, product((0, 1), repeat=2)
    ):
        whole = value(chain, paid, gamma)
        part: list[Rational] = [0, 0]
        for _ in range(H):
            part = [paid[s] + gamma * mean(chain[s], part) for s in range(2)]
        rest = max(v - w for v, w in zip(whole, part, strict=True))
        case = f"P = {vector(chain[0])}, {vector(chain[1])}; r = {vector(paid)}"
        yield case, {"rest": rest, "H": H, "gamma": gamma}


def trajectories() -> Cases:
    """distance, delta, T: between the laws of the first T steps of two chains from state 0."""
    for T, first, second in product((1, 2, 3), chains(3), chains(3)):
        distance = Fraction(0)
        for path in product(range(2), repeat=T):
            steps = list(zip((0, *path), path, strict=False))
            p, q = (prod((c[s][t] for s, t in steps), start=Fraction(1)) for c in (first, second))
            distance += abs(p - q) / 2
        delta = max(map(total_variation, first, second))
        case = f"P = {vector(first[0])}, {vector(first[1])}; Q = {vector(second[0])}, "
        yield case + vector(second[1]), {"distance": distance, "delta": delta, "T": T}


def two_laws() -> Cases:
    """tv, chi2 of two laws on three points, the second positive."""
    for p, q in product(grid(3, 6), grid(3, 6, least=1)):
        chi2 = sum((a - b) ** 2 / b for a, b in zip(p, q, strict=True))
        yield f"p = {vector(p)}, q = {vector(q)}", {"tv": total_variation(p, q), "chi2": chi2}


def best_of_n() -> Cases:
    """p, q, n: probability of one answer, and that the best of n independent draws is this one."""
    for n, law in product((2, 3, 4), grid(3, 8, least=1)):
        for i, p in enumerate(law):
            upto = sum(law[: i + 1])
            case = f"answers from worst to best with law {vector(law)}, answer {i + 1} of 3"
            yield case, {"p": p, "q": upto**n - (upto - p) ** n, "n": n}


def bandits() -> Cases:
    """V_two, V, V_double, free: a choice among three arms under a limit on the mean cost."""
    pays = combinations_with_replacement(range(3), 3)
    for worth, costs, limit in product(pays, product(range(3), repeat=3), LIMITS):
        if min(costs) <= limit:
            V, twice, double = (
                best_mixture(worth, [(costs, bound)], most)
                for bound, most in ((limit, None), (limit, 2), (2 * limit, None))
            )
            case = f"rewards {vector(worth)}, costs {vector(costs)}, limit {limit}"
            yield case, {"V_two": twice, "V": V, "V_double": double, "free": min(costs) == 0}


def windows() -> Cases:
    """joint, risks: of a chain on safe 0 and unsafe 1, from 0, over two or three steps."""
    for T, (safe, unsafe) in product((2, 3), chains(4)):
        law, risks, clear = [Fraction(1), Fraction(0)], [], Fraction(1)
        for _ in range(T):
            law = [law[0] * safe[t] + law[1] * unsafe[t] for t in range(2)]
            clear *= safe[0]
            risks.append(law[1])
        case = f"T = {T}, P = {vector(safe)}, {vector(unsafe)}"
        yield case, {"joint": 1 - clear, "risks": risks}


def integer_laws() -> Cases:
    """mu, var, above, apart, a: of a law on 0, 1, 2, 3."""
    for law, a in product(grid(4, 5), DISTANCES):
        mu = mean(law, range(4))
        var = mean(law, [(x - mu) ** 2 for x in range(4)])
        above = sum(p for x, p in enumerate(law) if x - mu >= a)
        apart = sum(p for x, p in enumerate(law) if abs(x - mu) >= a)
        values = {"mu": mu, "var": var, "above": above, "apart": apart}
        yield f"law {vector(law)} on 0, 1, 2, 3", {**values, "a": a}


def weighted() -> Cases:
    """target, clipped, normalised, second: means of importance weights."""
    for p, q in product(grid(2, 6), grid(2, 6, least=1)):
        for f in product((0, 1), repeat=2):
            w: list[Any] = [a / b for a, b in zip(p, q, strict=True)]
            pairs = [(i, j) for i, j in product(range(2), repeat=2) if w[i] + w[j]]
            share = sum(q[i] * q[j] for i, j in pairs)
            ratio = [(w[i] * f[i] + w[j] * f[j]) / (w[i] + w[j]) for i, j in pairs]
            values = {
                "target": mean(p, f),
                "clipped": sum(q[i] * min(w[i], 2) * f[i] for i in range(2)),
                "normalised": mean([q[i] * q[j] / share for i, j in pairs], ratio),
                "second": mean(q, [x * x for x in w]),
            }
            yield f"p = {vector(p)}, q = {vector(q)}, f = {vector(f)}", values


def decisions() -> Cases:
    """V, V_next, V_star, kept, kept_plain: of a policy on two states with two actions."""
    policies = list(product(range(2), repeat=2))
    for leads, paid in product(product(range(2), repeat=4), product((0, 1), repeat=4)):
        plain = {one: worth_of(one, leads, paid, 0) for one in policies}
        V_star = plain[best_policies(plain)[0]]
        kept, kept_plain = (
            best_policies({one: worth_of(one, leads, paid, rate) for one in policies})
            == best_policies(plain)
            for rate in (HALF, 1)
        )
        for policy, V in plain.items():
            Q = [paid[k] + HALF * V[leads[k]] for k in range(4)]
            greedy = tuple(int(Q[2 * s + 1] > Q[2 * s]) for s in range(2))
            case = f"actions 0, 1 of state 0, then of state 1, lead to {leads} and pay {paid}; "
            values = {"V": V, "V_next": plain[greedy], "V_star": V_star}
            yield f"{case}policy {policy}", {**values, "kept": kept, "kept_plain": kept_plain}


def worth_of(
    policy: Sequence[int], leads: Sequence[int], paid: Sequence[int], rate: Rational
) -> Any:
    """Values where a step from s to t pays its reward and, for a rate that is not 0, rate F(t) less
    F(s) besides, with F = (0, 1)."""
    rows = [2 * s + policy[s] for s in range(2)]
    chain = [[int(leads[k] == t) for t in range(2)] for k in rows]
    shaped = [paid[k] + rate * leads[k] - (s if rate else 0) for s, k in enumerate(rows)]
    return value(chain, shaped, HALF)


def best_policies(worths: Mapping[Any, Sequence[Rational]]) -> list[Any]:
    """Those that are best from every state."""
    top: list[Any] = [max(one[s] for one in worths.values()) for s in range(2)]
    return [policy for policy, one in worths.items() if list(one) == top]


def judge(sign: str, sides: Sequence[Rational | Interval]) -> dict[str, Any]:
    """Whether a relation holds between two numbers that are exact, or enclosed and apart."""
    (left, above), (right, over) = map(interval, sides)
    certain = {"<=": above <= right, ">=": left >= over, "<": above < right}
    exact = left == above and right == over
    holds = exact and left == right if sign == "==" else certain[sign]
    if not holds and not refuted((left, above), sign, (right, over)):
        raise SystemExit("the enclosures are too wide to decide")
    shown_sides = " and ".join(map(side, ((left, above), (right, over))))
    return {"answer": holds, "cases": 1, "violations": int(not holds), "witness": shown_sides}


def side(ends: Interval) -> str:
    """An exact number, or decimals that are rounded outwards."""
    return str(ends[0]) if ends[0] == ends[1] else shown(ends)
