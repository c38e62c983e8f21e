r"""The weighted safe actor-critic: its population problem, and the algorithm on finite classes.

One actor's objective, three readings of its positive part, against the reference policy:

* ``paper``: :math:`f_r-\lambda\{f_c-f_c(\cdot,\pi_{ref})\}_+` action by action, as line 7 of
  Algorithm 1 prints it;
* ``concave``: a supergradient at pi_k of :math:`\Phi_k(s,p)=f_r(s,p)-\lambda\{f_c(s,p)-
  f_c(s,\pi_{ref})\}_+`, the reading under which the bounds are proved;
* ``batch``: the positive part of the mean over states, as the practical algorithm takes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from ..cmdp.policies import Policy, check_policy
from ..errors import ModelError
from ..sequences import Array, objects
from .critics import Form, box_critic, critic, relative_value
from .no_regret import Step
from .problems import Function, OfflineProblem, Signal, check_weight

Variant = Literal["concave", "paper", "batch"]
VARIANTS: tuple[Variant, ...] = ("concave", "paper", "batch")


@dataclass(frozen=True, slots=True)
class Improvement:
    """The answer to the population problem: an index into Pi, and the objective of each policy."""

    best: int
    believed: tuple[Fraction, ...]


def safe_improvement(
    problem: OfflineProblem,
    multiplier: Fraction,
    beta: Fraction,
    form: Form = "weighted",
    *,
    boxes: bool = False,
) -> Improvement:
    """Problem (6): argmax over Pi of L(pi, f_r) - lambda {L(pi, f_c)}_+ with pessimistic critics.

    beta: as printed, the cost critic minimises -lambda L + beta E.  Exact, by enumeration of F and
    G, or with `boxes` over all functions in range, by certified linear programs (not "squared").
    The first of several.  Raises ModelError for a negative beta, a multiplier that is not positive
    and for squares over boxes.
    """
    multiplier = check_weight(multiplier, "multiplier", positive=True)
    if boxes and form == "squared":
        raise ModelError('form is "squared", which is no linear program; take "weighted" or "box"')

    def chosen(policy: Policy, signal: Signal, weight: Fraction) -> Function:
        if boxes:
            return box_critic(problem, policy, signal, weight, form)[0]
        return critic(problem, policy, signal, weight, form)

    def believed(policy: Policy) -> Fraction:
        reward, cost = chosen(policy, "reward", beta), chosen(policy, "cost", beta / multiplier)
        worse = max(relative_value(problem, policy, cost), Fraction(0))
        return relative_value(problem, policy, reward) - multiplier * worse

    values = tuple(map(believed, problem.policies))
    return Improvement(values.index(max(values)), values)


@dataclass(frozen=True, slots=True)
class Run:
    """K rounds: the policies pi_1 .. pi_K, the critics that answered each, and the payoffs."""

    policies: tuple[Policy, ...]
    reward_critics: tuple[Function, ...]
    cost_critics: tuple[Function, ...]
    payoffs: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """What a run weighs: lambda, and beta of either critic, of -L + beta E for the cost.

    The paper prints 2 for -lambda L + beta E: that is 2/lambda for the cost here.
    """

    multiplier: Fraction = Fraction(5)
    reward: Fraction = Fraction(2)
    cost: Fraction = Fraction(2)

    def __post_init__(self) -> None:
        check_weight(self.multiplier, "multiplier", positive=True)
        check_weight(self.reward, "the reward critic's beta")
        check_weight(self.cost, "the cost critic's beta")


def train(
    problem: OfflineProblem,
    step: Step,
    rounds: int,
    weights: Weights,
    *,
    start: Policy | None = None,
    variant: Variant = "concave",
    form: Form = "weighted",
) -> Run:
    """Algorithm 1 with critics by enumeration, exact where the oracle is.

    start: pi_1; by default the reference, from which Hedge has no log A in its regret to it.
    Raises ModelError for less than one round, an unknown variant, a start that is no policy, and an
    oracle whose answers are not Fractions.
    """
    if rounds < 1:
        raise ModelError(f"rounds is {rounds}; take at least one")
    if variant not in VARIANTS:
        raise ModelError(f"variant is {variant!r}; it is one of {', '.join(VARIANTS)}")
    start = start or problem.reference
    check_policy(problem.model, start)
    first = objects(start.probabilities)
    row, total = first, first * 0
    policies, rewards, costs, payoffs = [], [], [], []
    bounds = problem.model.choice_start.tolist()
    for _ in range(rounds):
        policies.append(Policy(tuple(row)))
        rewards.append(critic(problem, policies[-1], "reward", weights.reward, form))
        costs.append(critic(problem, policies[-1], "cost", weights.cost, form))
        found = payoff(problem, policies[-1], rewards[-1], costs[-1], weights.multiplier, variant)
        payoffs.append(found)
        total = total + found
        row = objects(
            p
            for a, b in pairwise(bounds)
            for p in step(first[a:b], row[a:b], total[a:b], found[a:b])
        )
        if not all(isinstance(p, Fraction) for p in row):
            raise ModelError(
                f"the oracle answers with {type(row[0]).__name__}, and critics are chosen exactly; "
                "use doubling or projected_gradient, or sweep for floats"
            )
    return Run(tuple(policies), tuple(rewards), tuple(costs), tuple(payoffs))


def payoff(
    problem: OfflineProblem,
    policy: Policy,
    reward: Sequence[Fraction],
    cost: Sequence[Fraction],
    multiplier: Fraction,
    variant: Variant = "concave",
) -> Array:
    """What the oracle is told after one round, [K]."""
    f_r, f_c = objects(reward), objects(cost)
    base = problem.under(cost, problem.reference)
    if variant == "paper":
        excess = f_c - problem.spread(base)
        return f_r - multiplier * objects(max(x, Fraction(0)) for x in excess)
    if variant == "batch":
        counts = relative_value(problem, policy, cost) > 0
        return f_r - multiplier * counts * f_c
    worse = problem.spread(problem.under(cost, policy) - base)
    return f_r - multiplier * objects(Fraction(x > 0) for x in worse) * f_c


@dataclass(frozen=True, slots=True)
class Gaps:
    """Averages over the rounds, under the comparator's own occupancy (its states, not mu's).

    reward: f_r(s, pi) - f_r(s, pi_k); cost: {f_c(s, pi_k) - f_c(s, pi)}_+;
    phi: Phi_k(s, pi) - Phi_k(s, pi_k), which is reward + lambda cost;
    linear: g_k(s, pi) - g_k(s, pi_k) for the payoffs that the oracle was told.
    """

    reward: Fraction
    cost: Fraction
    phi: Fraction
    linear: Fraction


def gaps(problem: OfflineProblem, run: Run, multiplier: Fraction) -> Gaps:
    """The realised errors of a run against the problem's reference, exact."""
    reference, rounds = problem.reference, len(run.policies)
    states = problem.by_state(problem.occupancy(reference))

    def lost(function: Sequence[Fraction] | Array, policy: Policy) -> Array:
        return problem.under(function, reference) - problem.under(function, policy)

    reward = cost = linear = Fraction(0)
    for k, policy in enumerate(run.policies):
        reward += (states * lost(run.reward_critics[k], policy)).sum()
        excess = -lost(run.cost_critics[k], policy)
        cost += (states * objects(max(x, Fraction(0)) for x in excess)).sum()
        linear += (states * lost(run.payoffs[k], policy)).sum()
    total = reward + multiplier * cost
    return Gaps(reward / rounds, cost / rounds, total / rounds, linear / rounds)


def mixture_return(problem: OfflineProblem, policies: Sequence[Policy], signal: Signal) -> Fraction:
    """J of drawing one policy and keeping it for the whole episode: the mean of their J.

    Averaging the probabilities of actions instead gives another policy and another J.
    """
    returns = [problem.normalised_return(policy, signal) for policy in policies]
    return sum(returns, Fraction(0)) / len(returns)
