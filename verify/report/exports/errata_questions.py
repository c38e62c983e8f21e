"""The questions of the decidable errata set: statements about finite classes, and printed ones.

Answers stand here as they are believed; the files that decide them are what says so, and the export
ends where one disagrees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import finite


@dataclass(frozen=True, slots=True)
class Class:
    """A finite class of models, what the symbols of it are, and relations that hold on all of it or
    not; relations are written in Python."""

    cases: Callable[[], finite.Cases]
    text: str
    true: tuple[str, ...]
    false: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Printed:
    """A statement of the catalogue that is refuted as printed, in words that stand alone.

    text: what the symbols are, and the fields of the model that matter: the others are not shown;
    change: a number of the counterexample's model, and another at which the relation holds.
    """

    label: str
    text: str
    change: tuple[str, str]


_CHAIN = "A chain has two states, 0 and 1; row s of its matrix is the law of the state after s. "
_ROW = (
    "The model is written in Python: each of `rows` is (state, action, {next state: probability}, "
    "reward, costs), and `initial` is the law of the first state. "
)

CLASSES = (
    Class(
        finite.two_chains,
        f"{_CHAIN}Take two chains P and Q with all probabilities in {{0, 1/2, 1}}, the reward of a "
        "state being (0, 1) or (1, 0), and gamma 1/2 or 9/10. The value of a state is the expected "
        "sum of gamma^t times the reward of the state at time t = 0, 1, ... Let gap be the largest "
        "absolute difference, over the two states, between its values under P and under Q, and "
        "delta the larger of the two total variation distances (half the l1 distance) between "
        "equal rows of P and Q.",
        ("gap <= gamma*delta/(1 - gamma)**2",
         "gap <= gamma*delta/((1 - gamma)*(1 - gamma + gamma*delta))"),
        ("gap <= gamma*delta/(1 - gamma)", "gap <= delta/(1 - gamma)"),
    ),
    Class(
        finite.cut_chains,
        f"{_CHAIN}Take a chain with all probabilities multiples of 1/3, rewards of the two states "
        "in {0, 1}, gamma 1/2 or 9/10, and H in {1, 2, 3}. The value of a state is the expected "
        "sum of gamma^t times the reward of the state at time t = 0, 1, ... Let rest be the "
        "larger, over the two states, of the value less the part of it with t < H.",
        ("rest <= gamma**H/(1 - gamma)",),
        ("rest < gamma**H/(1 - gamma)",),
    ),
    Class(
        finite.trajectories,
        f"{_CHAIN}Take two chains P and Q with all probabilities multiples of 1/3, both begun in "
        "state 0, and T in {1, 2, 3}. Let delta be the larger of the total variation distances "
        "(half the l1 distance) between equal rows of P and Q, and distance the one between the "
        "laws of the states at times 1, ..., T together.",
        ("distance <= T*delta", "distance <= 1 - (1 - delta)**T",
         "distance <= T*delta - (T - 1)*delta**2"),
        ("distance <= (T + 1)*delta/2", "distance <= max(delta, T*delta/2)",
         "distance >= delta/2"),
    ),
    Class(
        finite.two_laws,
        "Take two laws p and q on three points, all probabilities multiples of 1/6 and those of q "
        "positive. Let tv be half the l1 distance, and chi2 the sum of (p_i - q_i)^2/q_i.",
        ("4*tv**2 <= chi2", "tv < 1/2 or chi2 >= tv/(1 - tv)", "chi2 <= 6*tv"),
        ("5*tv**2 <= chi2", "chi2 >= tv/(1 - tv)", "chi2 <= 5*tv"),
    ),
    Class(
        finite.best_of_n,
        "A model gives one of three answers, ordered from worst to best, with positive "
        "probabilities that are multiples of 1/8. It is asked n times, independently, n in {2, 3, "
        "4}, and the best of the n answers is kept. For each of the three answers let p be the "
        "probability of it in one draw, and q the probability that it is the one kept.",
        ("q <= n*p", "q <= (n - p)*p", "q >= p**n"),
        ("q <= (n - 2*p)*p", "q <= n*p - n*(n - 1)/2*p**2", "q >= p"),
    ),
    Class(
        finite.bandits,
        "There are three arms with rewards and costs in {0, 1, 2}, numbered such that no reward is "
        "below the one before; a policy is a law on the arms, and earns and costs the mean. Let V "
        "be the best reward of a policy of cost at most a limit, which is 1/2 or 1 and not below "
        "the smallest cost, V_two the same among the policies with at most two arms, V_double "
        "the same as V with twice the limit, and free whether some arm costs 0.",
        ("V_two >= V", "not free or V_double <= 2*V"),
        ("V_double <= 2*V", "V_double <= V + 1"),
    ),
    Class(
        finite.windows,
        f"{_CHAIN}State 0 is safe and state 1 is unsafe, all probabilities are multiples of 1/4, "
        "the chain begins in state 0, and T is 2 or 3. Let joint be the probability that some "
        "state at a time 1, ..., T is unsafe, and risks the list of the T probabilities that the "
        "state at time t is unsafe; prod is the product of a list.",
        ("joint <= sum(risks)", "joint >= max(risks)", "joint >= sum(risks)/len(risks)"),
        ("joint <= 2*max(risks)", "joint <= 1 - prod(1 - r for r in risks)",
         "joint >= sum(risks) - sum(risks)**2/2"),
    ),
    Class(
        finite.integer_laws,
        "Take a law on 0, 1, 2, 3 with all probabilities multiples of 1/5, and a in {1/2, 1, 3/2, "
        "2}. Let X have that law, mu be its mean, var its variance, above the probability that "
        "X - mu >= a, and apart the probability that |X - mu| >= a.",
        ("apart <= var/a**2", "above <= var/(var + a**2)", "above <= mu/(mu + a)"),
        ("above <= var/(2*a**2)", "apart <= var/(var + a**2)", "var <= 2"),
    ),
    Class(
        finite.weighted,
        "Take two laws p and q on two points, all probabilities multiples of 1/6 and those of q "
        "positive, and a function f from the points to {0, 1}. With w = p/q and points drawn from "
        "q, let target be the mean of f under p, clipped the mean of min(w, 2) f under q, second "
        "the mean of w^2 under q, and normalised the mean of (w(x) f(x) + w(y) f(y))/(w(x) + w(y)) "
        "for two independent points x and y of q, given that w(x) + w(y) > 0.",
        ("clipped <= target", "second >= 1", "target - clipped <= (second - 1)/4"),
        ("normalised == target", "normalised >= target/2", "abs(normalised - target) <= 1/2"),
    ),
    Class(
        finite.decisions,
        "A decision process has two states, 0 and 1, with two actions each; an action leads to one "
        "state for certain, and pays 0 or 1. Values are sums of 2^-t times what is paid at time t "
        "= 0, 1, ... A policy is one action for each state; V lists its values from the two "
        "states, V_star the best ones, and V_next those of the policy that in each state takes the "
        "action of the larger reward + V(next state)/2, action 0 where both are equal. Let kept "
        "say whether the same policies are best from both states if a step from s to t pays t/2 - "
        "s besides its reward, and kept_plain whether they are if it pays t - s besides. Relations "
        "are over all processes and policies; zip pairs the entries of two lists.",
        ("all(x >= y for x, y in zip(V_next, V))",
         "V == V_star or any(x > y for x, y in zip(V_next, V))", "kept"),
        ("V_next == V_star", "V == V_star or all(x > y for x, y in zip(V_next, V))",
         "kept_plain"),
    ),
)  # fmt: skip

_WINDOWS = (
    f"{_ROW}A policy gives each state a law on its actions, the same at all times. Its value is "
    "the expected sum of discount^k r_k over k = 0, 1, ... from the law `initial`. "
)
_EVERYWHERE = (
    "A policy is allowed if from every state that is not `unsafe`, whether or not it is reached, "
    "the probability that some of the next `window` states is unsafe is at most `level`. "
)
_ADDED = (
    "A policy is allowed if from every state that is not `unsafe`, whether or not it is reached, "
    "the sum of the probabilities that the next `window` states are unsafe is at most `level`. "
)
_STAR = "V_star is the best value of an allowed policy, "
_FLIP = f"{_STAR}V_flip the best of one with at most two actions in each state."
_PROGRAM = (
    "from the one state with several actions: of the laws on its actions {most}under which the "
    "window from that state alone is unsafe with probability at most `level`, the best mean of the "
    "values of taking each action there. V_star is the best value from that state of an allowed "
    "policy."
)
_DISCOUNTED = (
    "H is the expected sum over i = 1, 2, ... of discount^i times 1 where s_i is unsafe, from "
    "`initial`. "
)
_LEVEL = ("'level': Fraction(1, 5)", "'level': Fraction({})")

PRINTED = (
    Printed(
        "flipping/bellman",
        f"{_WINDOWS}{_EVERYWHERE}V_laws is the value {_PROGRAM.format(most='')}",
        (_LEVEL[0], _LEVEL[1].format("3, 4")),
    ),
    Printed(
        "flipping/flipping-program",
        f"{_WINDOWS}{_EVERYWHERE}V_pairs is the value "
        f"{_PROGRAM.format(most='with at most two of them ')}",
        (_LEVEL[0], _LEVEL[1].format("9, 10")),
    ),
    Printed(
        "flipping/two-actions",
        f"{_WINDOWS}{_EVERYWHERE}{_FLIP}",
        (_LEVEL[0], _LEVEL[1].format("1, 2")),
    ),
    Printed(
        "flipping/additive-windows",
        f"{_WINDOWS}{_ADDED}{_FLIP}",
        (_LEVEL[0], _LEVEL[1].format("3, 4")),
    ),
    Printed(
        "flipping/additive-reached",
        f"{_WINDOWS}A policy is allowed if at each time k = 0, 1, ... the expected number of "
        "unsafe states among the next `window` ones, given that s_k is not `unsafe`, is at most "
        f"`level`. {_FLIP}",
        (_LEVEL[0], _LEVEL[1].format("1, 2")),
    ),
    Printed(
        "surrogate-costs/discounted-cost",
        f"{_WINDOWS}{_DISCOUNTED}alpha is `level`, and risk_worst the largest probability, over "
        "the policies with H <= alpha, that some of the first `window` states after `initial` is "
        "unsafe.",
        ("'level': Fraction(1, 10)", "'level': 0"),
    ),
    Printed(
        "surrogate-costs/conservative",
        f"{_WINDOWS}{_EVERYWHERE}{_DISCOUNTED}V_chance is the best value of an allowed policy, and "
        "V_H that of a policy with H <= `level`.",
        ("'level': Fraction(1, 10)", "'level': 0"),
    ),
    Printed(
        "surrogate-costs/always-stochastic",
        f"{_WINDOWS}Its cost is the expected sum of discount^k times the cost at time k, and is to "
        "be at most the one number of `budgets`. J_opt is the best value of a policy within the "
        "budget, and J_det the best among those that take one action in each state.",
        ("'budgets': [1]", "'budgets': [Fraction(3, 2)]"),
    ),
    Printed(
        "estimated/level-printed",
        "There is one prompt with finitely many responses; `reference` is a law on them, `rewards` "
        "is r and `safety` is g. The optimum is the law that maximises the mean of r less "
        "`temperature` times the KL divergence to the reference, under a limit on the mean of g "
        "that it meets by the margin `slack`: so b, the level, is the mean of g under the optimum "
        "less the slack, and the optimal multiplier lam is 0. c is the number after the record, "
        "and moved the mean of (c - lam) g under the optimum.",
        ("    Fraction(1, 2),\n]", "    0,\n]"),
    ),
    Printed(
        "designs/any-ridge",
        "A number `weight` of absolute value at most B = `bound` is estimated from `count` "
        "noiseless observations of itself by ridge regression: the estimate minimises the sum of "
        "squared errors plus `ridge` times its square. error is the absolute error, form is "
        "1/(count + ridge), and delta is `failure`; log is the natural logarithm.",
        ("'ridge': 5", "'ridge': 2"),
    ),
    Printed(
        "guarded/safe-as-printed",
        "A policy has true costs `costs`, estimated costs `estimates` and budgets `budgets`, one "
        "number each; the estimate is exact. It is called safe for the margin eps = `margin` if "
        "the absolute difference between budget and estimated cost is at least eps. V_said is the "
        "true cost of this policy, which is called safe, and budget its budget.",
        ("'budgets': [1]", "'budgets': [3]"),
    ),
)
"""The errata whose models and symbols a page can define.  The others need definitions of learning
algorithms or models that are too long to be read in a question; all are on the errata page."""
