"""The refuted statements on alignment, computed again with plain loops and enclosed logarithms.

Each function takes the parts of the counterexample's case and returns both sides; it is copied into
the stand-alone file with what it uses (`holdfast.verify.report.standalone`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import comb, floor
from typing import Any

from ..report.standalone.plain import (
    Interval,
    Rational,
    add,
    exp,
    log,
    met,
    over,
    root,
    times,
)

Sides = tuple[Rational | Interval, Rational | Interval]


def tilted(
    reference: Sequence[Rational], scores: Sequence[Rational], temperature: Rational
) -> list[Interval]:
    """The policy proportional to reference times exp(score/temperature)."""
    top = max(scores)
    weights = [
        times(p, exp(Fraction(x - top) / temperature))
        for p, x in zip(reference, scores, strict=True)
    ]
    return [over(one, add(*weights)) for one in weights]


def expected(policy: Sequence[Rational | Interval], numbers: Sequence[Rational]) -> Interval:
    """The mean under a policy."""
    return add(*(times(p, x) for p, x in zip(policy, numbers, strict=True)))


def level_printed(known: Mapping[str, Any], weight: Fraction) -> Sides:
    """E (c - lam) g under the optimum, and b (c - lam): one prompt, lam = 0."""
    problem, lam = known["problem"], known["multiplier"]
    (reference,), (reward,), (safety,) = (
        problem[name] for name in ("reference", "rewards", "safety")
    )
    beta = problem["temperature"]
    met("the reference is positive and beta > 0", min(reference) > 0 and beta > 0)
    met("the constraint is slack and its multiplier is 0", lam == 0 and known["slack"] > 0)
    optimum = tilted(reference, reward, beta)
    reached = expected(optimum, safety)
    level = add(reached, -known["slack"])
    xi = add(max(safety), times(-1, level))
    met("some policy is safe by a margin", xi[0] > 0)
    safest = safety.index(max(safety))
    # R* is beta log E exp(r/beta), and the safest response alone has r + beta log(reference); equal
    # rewards leave beta log(1/reference) between them
    met("all responses have the same reward", len(set(reward)) == 1)
    bound = over(times(beta, log(1 / Fraction(reference[safest]))), xi)
    met("c is between 0 and Lambda", 0 <= weight <= bound[0])
    return times(weight - lam, reached), times(weight - lam, level)


def alpha(failure: Rational) -> Interval:
    """1 + sqrt(log(2/delta)/2): the printed width with B = 1."""
    return add(1, root(times(log(2 / Fraction(failure)), Fraction(1, 2))))


def violation(case: Mapping[str, Any]) -> Sides:
    """By how much the estimated policy misses the level, and the printed bound; B = 1, lam = 0."""
    met("both multipliers are 0, and all weights have norm 1 at most",
        case["multiplier"] == case["estimated"] == 0
        and all(sum(x * x for x in case[name]) <= 1 for name in ("reward", "safety")))  # fmt: skip
    beta, kappa = case["temperature"], case["ridge"]
    met("beta and kappa are positive", beta > 0 and kappa > 0)
    fits, widths = {}, {}
    for name in ("reward", "safety"):
        counts = case[f"{name}_counts"]
        # labels without noise: the ridge shrinks each weight by n/(n + kappa)
        fits[name] = [w * Fraction(n, n + case["fitting"])
                      for w, n in zip(case[name], counts, strict=True)]  # fmt: skip
        widths[name] = [over(1, root(kappa + n)) for n in counts]
        sure = times(alpha(case["failure"]), 1)
        for truth, fit, width in zip(case[name], fits[name], widths[name], strict=True):
            met(f"the {name} is within alpha U", abs(truth - fit) <= times(sure, width)[0])
    optimum = tilted(case["reference"], case["reward"], beta)
    answer = tilted(case["reference"], fits["reward"], beta)
    level = case["level"]
    met("the optimum is within the constraint without a multiplier",
        expected(optimum, case["safety"])[0] >= level)  # fmt: skip
    met("some policy is safe by a margin", max(case["safety"]) > level)
    met("the estimated policy is believed to meet the level",
        expected(answer, fits["safety"])[0] >= level)  # fmt: skip
    weighted = add(*(
        times(p, u_g, exp(times(2 / Fraction(beta), alpha(case["failure"]), u_r)))
        for p, u_r, u_g in zip(optimum, widths["reward"], widths["safety"], strict=True)
    ))  # fmt: skip
    missed = add(level, times(-1, expected(answer, case["safety"])))
    return missed, times(weighted, alpha(case["failure"]))


def any_ridge(case: Mapping[str, Any]) -> Sides:
    """The error of a ridge estimate at a unit vector, and B U (1 + sqrt(log(2/delta)/2))."""
    weight, n, kappa, bound = (case[name] for name in ("weight", "count", "ridge", "bound"))
    met("kappa > 0, and weights have norm B at most", kappa > 0 and abs(weight) <= bound)
    met("delta is in (0, 1)", 0 < case["failure"] < 1)
    error = abs(weight - weight * Fraction(n, n + kappa))
    return error, times(bound, root(1 / Fraction(kappa + n)), alpha(case["failure"]))


def first_of_power(weights: Sequence[int], n: int, most: int) -> list[int]:
    """The first coefficients of a polynomial to the power n, from each other: p q' = n p' q."""
    found = [weights[0] ** n]
    for k in range(1, most):
        terms = range(1, min(k, len(weights) - 1) + 1)
        total = sum((n * j - k + j) * weights[j] * found[k - j] for j in terms)
        found.append(total // (k * weights[0]))  # without rest
    return found


def at_once(case: Mapping[str, Any]) -> Sides:
    """The probability that some response fails while the weights have norm 1, and delta.

    d = root^2 unit vectors, each observed `count` times with noise +-1/2, so that S_i/2 is the sum
    of its noise; features are the 2^d sign vectors over root.  The worst of them is off by
    the sum of abs(S_i) over 2 root (kappa + n), and fails where that is above alpha U.
    """
    d, n, kappa = case["root"] ** 2, case["count"], case["ridge"]
    met("kappa = 1, and the number of labels is odd", kappa == 1 and n % 2 == 1)
    steps = [2 * comb(n, (n + 1) // 2 + k) for k in range((n + 1) // 2)]  # |S| = 2 k + 1
    limit = times(2, alpha(case["failure"]), case["root"], root(kappa + n))
    most = max(0, floor((limit[1] - d) / 2) + 1)  # sum |S_i| = 2 k + d is not above for k < most
    hidden = sum(first_of_power(steps, d, most)[:most])
    # Chebyshev's inequality for the squared norm of the weights, the sum of (S_i/(2 (kappa + n)))^2
    scale = (2 * (kappa + n)) ** 2
    average, variance = Fraction(d * n, scale), Fraction(2 * d * n * (n - 1), scale**2)
    met("the mean of the squared norm is below 1", average < 1)
    exceeded = 1 - Fraction(hidden, 2 ** (n * d))
    return exceeded - variance / (1 - average) ** 2, case["failure"]


COUNTEREXAMPLES = {
    "estimated/level-printed": level_printed,
    "designs/violation": violation,
    "designs/any-ridge": any_ridge,
    "designs/at-once": at_once,
}
"""Label -> both sides of the statement at a case."""
