"""The refuted statements on chance constraints, computed again with plain loops.

Each function takes the parts of the counterexample's case and returns both sides; it is copied into
the stand-alone file with what it uses (`holdfast.verify.report.standalone`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from math import comb, floor
from typing import Any, NamedTuple

from ..report.standalone.plain import (
    Interval,
    Rational,
    Rows,
    best_mixture,
    exp,
    laws,
    mean,
    met,
    policies,
    reached,
    values,
)

Limit = tuple[Sequence[Rational], Rational]
Sides = tuple[Rational | Interval, Rational | Interval]


def risk(rows: Rows, problem: Mapping[str, Any], steps: int) -> list[Rational]:
    """From each state the probability that one of the next states is unsafe; with "additive" the
    sum of these probabilities."""
    found: list[Rational] = [0] * len(rows)
    for _ in range(steps):
        after: list[Rational] = [int(t in problem["unsafe"]) for t in range(len(rows))]
        for t, unsafe in enumerate(after):
            after[t] += found[t] if problem["additive"] or not unsafe else 0
        found = [sum(p * after[t] for t, p in rows[s][2].items()) for s in range(len(rows))]
    return found


class Decision(NamedTuple):
    """A problem in which one state decides: for each of its actions, in order, the deterministic
    policy, its values and its risks.  A policy that mixes the actions has the means of them, since
    the state is met at most once."""

    state: int
    acting: list[Rows]
    worth: list[list[Fraction]]
    risks: list[list[Rational]]
    safe: list[int]


def decision(problem: Mapping[str, Any]) -> Decision:
    """Every action of the state that decides, evaluated."""
    model, acting = problem["model"], policies(problem["model"])
    owners = [row[0] for row in model["rows"]]
    deciding = [s for s in sorted(set(owners)) if owners.count(s) > 1]
    met("one state decides, and is met once", len(deciding) == 1
        and deciding[0] not in reached(model["rows"], deciding[0]))  # fmt: skip
    paid = [{s: row[3] for s, row in rows.items()} for rows in acting]
    worth = [values(rows, model["discount"], pay) for rows, pay in zip(acting, paid, strict=True)]
    risks = [risk(rows, problem, problem["window"]) for rows in acting]
    safe = [s for s in sorted(set(owners)) if s not in problem["unsafe"]]
    ahead = [reached(model["rows"], s) for s in problem["unsafe"]]
    met("where risks are added up, an unsafe state is met once", not problem["additive"]
        or not any(after & set(problem["unsafe"]) for after in ahead))  # fmt: skip
    met("the level is in [0, 1), the discount below 1",
        0 <= problem["level"] < 1 and 0 < model["discount"] < 1)  # fmt: skip
    return Decision(deciding[0], acting, worth, risks, safe)


def from_every_state(problem: Mapping[str, Any], found: Decision) -> list[Limit]:
    """The windows that begin in any safe state, whatever led to it."""
    met("the windows begin in every safe state", problem["everywhere"])
    return [([risks[s] for risks in found.risks], problem["level"]) for s in found.safe]


def started(problem: Mapping[str, Any], found: Decision) -> list[Rational]:
    """For each action the value from the initial law."""
    return [mean(problem["model"]["initial"], worth) for worth in found.worth]


def state_program(problem: Mapping[str, Any], most: int) -> Sides:
    """The best value from the state that decides, and that of the printed program there, whose laws
    have at most `most` actions and keep the window from that state alone."""
    met("the window has at least 2 steps", problem["window"] >= 2)
    found = decision(problem)
    here = [worth[found.state] for worth in found.worth]
    own = ([risks[found.state] for risks in found.risks], problem["level"])
    best = best_mixture(here, from_every_state(problem, found))
    return best, best_mixture(here, [own], most)


def bellman(problem: Mapping[str, Any]) -> Sides:
    """V_star and V_laws."""
    return state_program(problem, len(problem["model"]["rows"]))


def flipping_program(problem: Mapping[str, Any]) -> Sides:
    """V_star and V_pairs."""
    return state_program(problem, 2)


def two_actions(problem: Mapping[str, Any]) -> Sides:
    """V_star and V_flip."""
    met("the window has at least 2 steps", problem["window"] >= 2)
    found = decision(problem)
    limits, worth = from_every_state(problem, found), started(problem, found)
    return best_mixture(worth, limits), best_mixture(worth, limits, 2)


def additive_reached(problem: Mapping[str, Any]) -> Sides:
    """V_star and V_flip, with the windows at each time k given that s_k is safe: the mean over safe
    s_k of risk - alpha is at most 0."""
    met("the window has at least 2 steps", problem["window"] >= 2)
    found = decision(problem)
    excess = [
        [
            sum((law[s] * (risks[s] - problem["level"]) for s in found.safe), Fraction(0))
            for law in laws(rows, problem["model"]["initial"])
        ]
        for rows, risks in zip(found.acting, found.risks, strict=True)
    ]
    last = [one[-1] for one in excess]
    times_k = zip_longest(*excess)
    limits: list[Limit] = [
        ([end if x is None else x for x, end in zip(row, last, strict=True)], 0) for row in times_k
    ]
    worth = started(problem, found)
    return best_mixture(worth, limits), best_mixture(worth, limits, 2)


def discounted_unsafe(problem: Mapping[str, Any], found: Decision) -> list[Fraction]:
    """For each action H = E sum over i >= 1 of discount^i 1[s_i is unsafe]."""
    discount, initial = problem["model"]["discount"], problem["model"]["initial"]
    costs = []
    for rows in found.acting:
        next_unsafe = risk(rows, problem, 1)
        paid = {s: discount * next_unsafe[s] for s in rows}
        costs.append(mean(initial, values(rows, discount, paid)))
    return costs


def discounted_cost(problem: Mapping[str, Any]) -> Sides:
    """The largest risk of a policy with H <= alpha, and alpha."""
    met("the window is one step, the smallest there is", problem["window"] == 1)
    found = decision(problem)
    limit = (discounted_unsafe(problem, found), problem["level"])
    risks = [mean(problem["model"]["initial"], one) for one in found.risks]
    return best_mixture(risks, [limit]), problem["level"]


def conservative(problem: Mapping[str, Any]) -> Sides:
    """The best value with H <= alpha, and the best that keeps every window."""
    met("the window is one step, the smallest there is", problem["window"] == 1)
    found = decision(problem)
    worth = started(problem, found)
    limit = (discounted_unsafe(problem, found), problem["level"])
    return best_mixture(worth, [limit]), best_mixture(worth, from_every_state(problem, found))


def always_stochastic(model: Mapping[str, Any]) -> Sides:
    """The best return of a deterministic policy within the budget, and of any policy: the returns
    of policies are the means of those of the deterministic ones."""
    (budget,) = model["budgets"]
    worth, costs = list[Rational](), list[Rational]()
    for rows in policies(model):
        pays = {s: row[3] for s, row in rows.items()}, {s: row[4][0] for s, row in rows.items()}
        for kept, paid in zip((worth, costs), pays, strict=True):
            kept.append(mean(model["initial"], values(rows, model["discount"], paid)))
    within = [w for w, cost in zip(worth, costs, strict=True) if cost <= budget]
    met("a deterministic policy is within the budget", bool(within))
    return max(within), best_mixture(worth, [(costs, budget)])


def hoeffding(samples: int, discount: Rational, level: Rational, tightened: Rational) -> Interval:
    """exp(-2 N (1 - gamma_c)^2 (alpha_s - alpha_t)^2)."""
    met("the estimate is held to a smaller level", tightened < level)
    return exp(-2 * samples * (1 - discount) ** 2 * (level - tightened) ** 2)


def wrongly_chosen(case: Mapping[str, Any]) -> Sides:
    """The probability that a policy of cost above the level looks safe enough and is taken, and the
    printed bound.  An episode is unsafe from its first step on with probability `risk`, or never;
    at most `allowed` of the samples may be."""
    bad, n = case["risk"], case["trials"]
    met("each episode is counted once", case["copies"] == 1)
    cost = bad / (1 - case["discount"])
    met("every risky policy costs more than the level", cost > case["level"])
    allowed = floor(n * case["tightened"] * (1 - case["discount"]))
    looks_safe = sum(comb(n, k) * bad**k * (1 - bad) ** (n - k) for k in range(allowed + 1))
    right = hoeffding(n, case["discount"], case["level"], case["tightened"])
    return 1 - (1 - looks_safe) ** case["policies"], right


def selection_chance(case: Mapping[str, Any]) -> Sides:
    """The same, where the chance constraint has the level 1/2."""
    met("every risky policy breaks the chance constraint", case["risk"] > Fraction(1, 2))
    return wrongly_chosen(case)


def selection_divergence(case: Mapping[str, Any]) -> Sides:
    """What the probability that a risky policy is taken exceeds, and the printed bound.

    In x the safe action has probability 9/10, each of four risky ones, of risk 3/5, has 1/40; the
    class is that policy and the four that always take one risky action.  A sample is of x with
    probability 1 - gamma_c.  No risky policy is taken only if all four show an unsafe sample, or if
    all N actions of the old policy are risky, so that its sampled return is no smaller.
    """
    gamma, risky, old = case["discount"], Fraction(3, 5), Fraction(1, 40)
    level, tightened = Fraction(2, 5), Fraction(1, 10)
    samples = next(n for n in range(1, 10**6) if n * n >= 1 / (1 - gamma))
    met("a risky policy breaks the chance constraint 1/2", risky > Fraction(1, 2))
    met("the policy before the step meets its cost", gamma * 4 * old * risky <= tightened)
    all_safe = (1 - risky * (1 - gamma)) ** samples
    taken = 1 - (1 - all_safe) ** 4 - (4 * old) ** samples
    return taken, hoeffding(samples, gamma, level, tightened)


COUNTEREXAMPLES = {
    "flipping/bellman": bellman,
    "flipping/two-actions": two_actions,
    "flipping/flipping-program": flipping_program,
    "flipping/additive-windows": two_actions,
    "flipping/additive-reached": additive_reached,
    "policy-mixtures/selection-bound": wrongly_chosen,
    "policy-mixtures/selection-chance": selection_chance,
    "policy-mixtures/selection-divergence": selection_divergence,
    "surrogate-costs/discounted-cost": discounted_cost,
    "surrogate-costs/conservative": conservative,
    "surrogate-costs/always-stochastic": always_stochastic,
}
"""Label -> both sides of the statement at a case."""
