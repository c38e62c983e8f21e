"""The refuted statements on offline learning, computed again with plain loops.

Each function takes the parts of the counterexample's case and returns both sides; it is copied into
the stand-alone file with what it uses (`holdfast.verify.report.standalone`).  All but the guarded
plans are about one state and discount 0, where Q is what an action pays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ..report.standalone.plain import (
    Interval,
    Rational,
    add,
    best_mixture,
    exp,
    is_law,
    log,
    mean,
    met,
    policies,
    root,
    times,
    values,
)

Law = Sequence[Rational]
Sides = tuple[Rational | Interval, Rational | Interval]


def comparator(case: Sequence[Any]) -> Sides:
    """What the plan certainly loses to the best policy, and 2 eps_H + 2 eps_k + eps_r: the plan
    keeps its guard, which costs 1 where the reward is 1, within the limit."""
    model, limit, error = case
    met("the discount is below 1", model["discount"] < 1)
    met("rewards are in [0, 1]", all(0 <= row[3] <= 1 for row in model["rows"]))
    met("the errors are positive", error > 0)
    worth = [
        mean(
            model["initial"],
            values(rows, model["discount"], {s: row[3] for s, row in rows.items()}),
        )
        for rows in policies(model)
    ]
    guarded = best_mixture(worth, [(worth, limit)])
    met("the guarded problem is feasible", min(worth) <= limit)
    return max(worth) - guarded - 2 * error, 5 * error


def printed_safe(case: Mapping[str, Any]) -> Sides:
    """The cost of a policy that is eps_s-safe as printed, and its budget."""
    (budget,), (estimate,), (cost,) = (case[name] for name in ("budgets", "estimates", "costs"))
    met("eps_s > 0", case["margin"] > 0)
    met("the printed condition: the estimate is eps_s away from the budget",
        abs(budget - estimate) >= case["margin"])  # fmt: skip
    met("the estimate is the true cost", estimate == cost)
    return cost, budget


def bandit(problem: Mapping[str, Any]) -> tuple[Law, Law, Law, Law]:
    """Rewards, costs, behaviour and reference of a problem with one state and discount 0."""
    model = problem["model"]
    one = len(policies(model)) == len(model["rows"]) and model["discount"] == 0
    met("there is one state, and the discount is 0", one)
    rewards, costs = [row[3] for row in model["rows"]], [row[4][0] for row in model["rows"]]
    met("rewards are in [0, 1], costs in [-1, 1]",
        all(0 <= r <= 1 for r in rewards) and all(-1 <= c <= 1 for c in costs))  # fmt: skip
    law, reference = (problem[name]["probabilities"] for name in ("behaviour", "reference"))
    met("behaviour and reference are laws on the actions", is_law(law) and is_law(reference))
    return rewards, costs, law, reference


def line_7(f_r: Law, f_c: Law, reference: Law, lam: Rational) -> list[Rational]:
    """The payoffs that line 7 tells the oracle: f_r - lambda {f_c - f_c(reference)}_+."""
    base = mean(reference, f_c)
    return [r - lam * max(c - base, Fraction(0)) for r, c in zip(f_r, f_c, strict=True)]


def played(problem: Mapping[str, Any], lam: Rational, run: Mapping[str, Any]) -> list[Rational]:
    """Means over the rounds: the gap for rewards, that for costs, and the regret of the payoffs,
    all of them against the reference."""
    _, _, _, reference = bandit(problem)
    met("lambda is positive", lam > 0)
    total = [Fraction(0)] * 3
    for policy, f_r, f_c in zip(
        (one["probabilities"] for one in run["policies"]),
        run["reward_critics"],
        run["cost_critics"],
        strict=True,
    ):
        told = line_7(f_r, f_c, reference, lam)
        met("critics of reward are in [0, 1], those of cost in [-1, 1], payoffs in [0, 1]",
            all(0 <= x <= 1 for x in (*f_r, *told)) and all(-1 <= x <= 1 for x in f_c))  # fmt: skip
        lost = [mean(reference, f) - mean(policy, f) for f in (f_r, f_c, told)]
        lost[1] = max(-lost[1], Fraction(0))
        total = [x + y for x, y in zip(total, lost, strict=True)]
    return [x / len(run["policies"]) for x in total]


def lemma_literal(problem: Mapping[str, Any], lam: Rational, run: Mapping[str, Any]) -> Sides:
    """The gap for rewards, and the regret."""
    reward, _, regret = played(problem, lam, run)
    met("the gap is above max(regret, 0) as well", reward > max(regret, 0))
    return reward, regret


def lemma_constant(problem: Mapping[str, Any], lam: Rational, run: Mapping[str, Any]) -> Sides:
    """The gap for costs, and Vmax/lambda + the regret, Vmax = 1."""
    _, cost, regret = played(problem, lam, run)
    return cost, 1 / Fraction(lam) + regret


def relative(function: Law, policy: Law, law: Law) -> Fraction:
    """L: the mean under the policy less that under the law of the data."""
    return mean(policy, function) - mean(law, function)


def bellman_error(function: Law, truth: Law, law: Law, weights: Sequence[Law]) -> Rational:
    """E: the largest weighted mean of the error under the law of the data."""
    errors = [f - x for f, x in zip(function, truth, strict=True)]
    means = [mean(law, [w * e for w, e in zip(one, errors, strict=True)]) for one in weights]
    return max(*means, *(-x for x in means))


def proof_line(
    problem: Mapping[str, Any], lam: Rational, beta: Rational, policy: Mapping[str, Any]
) -> Sides:
    """The true objective of a policy, and what the line of the proof puts below it."""
    rewards, costs, law, _ = bandit(problem)
    pi, weights = policy["probabilities"], problem["weights"]
    met("realisability", rewards in problem["rewards"] and costs in problem["costs"])
    met("the behaviour policy is in Pi", problem["behaviour"] in problem["policies"])
    met("lambda > 0 and beta >= 0", lam > 0 and beta >= 0)

    def error(function: Law, truth: Law) -> Rational:
        return bellman_error(function, truth, law, weights)

    f_r = min(problem["rewards"], key=lambda f: relative(f, pi, law) + beta * error(f, rewards))
    f_c = min(
        problem["costs"],
        key=lambda f: -lam * relative(f, pi, law) + beta * error(f, costs),
    )
    left = relative(rewards, pi, law) - lam * max(relative(costs, pi, law), Fraction(0))
    right = relative(f_r, pi, law) - lam * max(relative(f_c, pi, law), Fraction(0))
    return left, right + beta * (error(f_r, rewards) + error(f_c, costs))


def reference_printed(case: Mapping[str, Any]) -> Sides:
    """At least how often the bound fails, and delta.

    Where the frequency x of the first action in the data is above the threshold, the cost critic
    of pi_1 is 0, payoffs are 0, and the oracle stays at pi_1 in each round.
    """
    problem, lam, pi = case["problem"], case["multiplier"], case["start"]["probabilities"]
    rewards, costs, law, reference = bandit(problem)
    n, weights = case["N"], problem["weights"]
    met("realisability", rewards in problem["rewards"] and costs in problem["costs"])
    met("lambda > 0, N >= 1", lam > 0 and n >= 1)
    met("the behaviour policy is in Pi", problem["behaviour"] in problem["policies"])
    met("all rewards are 0", not any(rewards))
    zero, ones = [0] * len(costs), [1] * len(costs)
    met("G is the truth and 0", all(f in (costs, zero) for f in problem["costs"]))
    met("W has the constant 1", ones in problem["weights"])
    for x in (case["threshold"], Fraction(1)):
        # Between these x the objective of the truth is affine and that of 0 is convex.  A critic f
        # of reward has L + 2 E of at least f(pi) + mean f, which is affine, and 0 has 0.
        seen = [x, 1 - x]
        above = -lam * relative(costs, pi, seen) - 2 * bellman_error(zero, costs, seen, weights)
        met(f"at x = {x} the critic of cost is 0", above > 0 or (above == 0 and x < 1))
        others = [f for f in problem["rewards"] if f != zero]
        met(f"at x = {x} the critic of reward is 0",
            all(mean(pi, f) + mean(seen, f) > 0 for f in others))  # fmt: skip
    added = mean(pi, costs) - mean(reference, costs)
    ratio = [Fraction(r) / m for r, m in zip(reference, law, strict=True)]
    met("the reference's weights are in W", ratio in [list(one) for one in weights])
    count = 1
    for name in ("rewards", "costs", "policies", "weights"):
        count *= len(problem[name])
    norm = max(mean(law, [w * w for w in one]) for one in weights)
    logs = times(log(count / Fraction(case["failure"])), Fraction(1, n))
    stat = add(root(times(norm, logs)), times(max(map(max, weights)), logs))
    bound = add(times(case["constant"], stat), 1 / Fraction(lam))  # the regret of payoffs 0 is 0
    met("the mixture costs more than the bound allows", added > bound[1])
    margin = law[0] - case["threshold"]
    met("the threshold is below the mean of x", margin > 0)
    missed = exp(-2 * n * margin**2)  # Hoeffding's inequality
    return add(1, times(-1, missed)), case["failure"]


def literal_oracle(problem: Mapping[str, Any], lam: Rational, run: Mapping[str, Any]) -> Sides:
    """What the mixture of Hedge's rounds loses to the reference, and the regret plus 10 (beta + 1)
    eps_stat with beta = 2, N = 10^9 and delta = 1/10.

    Hedge begins at the behaviour policy; its weights are 2 to the power of 10 times all payoffs.
    """
    rewards, costs, law, reference = bandit(problem)
    met("F = {R} and G = {C}", problem["rewards"] == [rewards] and problem["costs"] == [costs])
    told = line_7(rewards, costs, reference, lam)
    met("payoffs are in [0, 1]", all(0 <= x <= 1 for x in told))
    rounds, policy, laws = len(run["policies"]), list(law), []
    step = [10 * (x - max(told)) for x in told]
    met("the powers of 2 are whole numbers", all(x == int(x) for x in step))
    for _ in range(rounds):
        laws.append(policy)
        raised = [p * Fraction(2) ** int(x) for p, x in zip(policy, step, strict=True)]
        policy = [w / sum(raised) for w in raised]
    met("the rounds are those of Hedge", laws == [one["probabilities"] for one in run["policies"]])
    lost = [
        sum((mean(reference, f) - mean(one, f) for one in laws), Fraction(0)) / rounds
        for f in (rewards, told)
    ]
    members = len({tuple(one) for one in [*laws, law]}) * len(problem["weights"])
    norm = max(mean(law, [w * w for w in one]) for one in problem["weights"])
    logs = times(log(Fraction(10 * members)), Fraction(1, 10**9))
    rest = add(root(times(norm, logs)), times(max(map(max, problem["weights"])), logs))
    played_mean = sum((mean(one, told) for one in laws), Fraction(0)) / rounds
    largest = max(told) - played_mean
    met("the largest regret is at most 1/100", largest <= Fraction(1, 100))
    met("more is lost than the regret to any law", lost[0] > max(Fraction(0), lost[1], largest))
    return lost[0], add(lost[1], times(30, rest))


COUNTEREXAMPLES = {
    "guarded/esrl-comparator": comparator,
    "guarded/safe-as-printed": printed_safe,
    "weighted-critics/lemma-literal": lemma_literal,
    "weighted-critics/lemma-constant": lemma_constant,
    "weighted-critics/reference-printed": reference_printed,
    "safe-improvement/proof-line": proof_line,
    "safe-improvement/literal-oracle": literal_oracle,
}
"""Label -> both sides of the statement at a case."""
