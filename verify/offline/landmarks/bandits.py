"""Problems with one state, two actions and discount 0 that decide, each worked out by hand.

Policies are given by the probability of the first action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers import CMDP, Policy
from holdfast.solvers.exact import Rational
from holdfast.solvers.models.arrays import from_arrays
from holdfast.solvers.offline.no_regret import doubling
from holdfast.solvers.offline.problems import Function, OfflineProblem
from holdfast.solvers.offline.wsac import Run, Variant, Weights, payoff, train

HALF, ZERO, ONE = Fraction(1, 2), Fraction(0), Fraction(1)
Pair = tuple[Fraction, Fraction]


def bandit(rewards: Sequence[Fraction], costs: Sequence[Fraction]) -> CMDP:
    """One state that stays, discount 0: Q is the reward, or the cost, for every policy."""
    return from_arrays([[[1], [1]]], [list(rewards)], [[list(costs)]], [0], discount=0, initial=[1])


def law(first: Fraction) -> Policy:
    """The policy that takes the first action with this probability."""
    return Policy((Fraction(first), 1 - Fraction(first)))


def pair(first: Rational, second: Rational) -> Pair:
    """Two rationals."""
    return Fraction(first), Fraction(second)


def problem(
    rewards: Pair,
    costs: Pair,
    *,
    behaviour: Fraction,
    reference: Fraction,
    others: Sequence[Fraction] = (),
    more: Sequence[Function] = (),
    more_rewards: Sequence[Function] = (),
) -> OfflineProblem:
    """F = {R} and G = {C} with more members; Pi the others, the reference, the behaviour."""
    members = dict.fromkeys(map(law, (*others, reference, behaviour)))
    return OfflineProblem(
        bandit(rewards, costs), law(behaviour), law(reference), tuple(members),
        tuple(dict.fromkeys((*more_rewards, rewards))), tuple(dict.fromkeys((*more, costs))),
        ((ONE, ONE),),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Misled:
    """A problem on which the cost critic of the printed weights gives up the truth.

    start: pi_1; threshold: the critic is misled where the frequency of the first action is above;
    N: data; constant: that of O(.); failure: delta.
    """

    problem: OfflineProblem
    multiplier: Fraction
    start: Policy
    threshold: Fraction
    N: int
    constant: Fraction
    failure: Fraction = Fraction(1, 10)


def misled(multiplier: int = 20, N: int = 10**6, constant: int = 10) -> Misled:
    """G = {0, C}, C = (1, 0): at (1/2, 1/2), -lambda L + 2 E is lambda (1/2 - x) + 0 for C, x the
    frequency of the first action, and 2 x for 0.  So 0 is chosen where lambda (x - 1/2) > 2 x."""
    given = problem(
        (ZERO, ZERO), (ONE, ZERO), behaviour=Fraction(4, 5), reference=ZERO, others=(HALF,),
        more=((ZERO, ZERO),), more_rewards=((ZERO, ZERO), (ONE, ZERO)),
    ).with_reference_weights()  # fmt: skip
    lam = Fraction(multiplier)
    return Misled(given, lam, law(HALF), lam / (2 * (lam - 2)), N, Fraction(constant))


def misled_at_three(N: int = 10**6, constant: int = 1) -> Misled:
    """lambda = 3, mu = (9/10, 1/10), G = {C, (9/20, 9/20)}: -3 L + 2 E is 3 x - 3/2 for C, and
    2 max(abs(9/20 - x), 9/2 (1 - x)) for the constant, which is less where x > 7/8."""
    constant_function = (Fraction(9, 20),) * 2
    given = problem(
        (ZERO, ZERO), (ONE, ZERO), behaviour=Fraction(9, 10), reference=ZERO, others=(HALF,),
        more=(constant_function,), more_rewards=((ZERO, ZERO), (ONE, ZERO)),
    ).with_reference_weights()  # fmt: skip
    return Misled(given, Fraction(3), law(HALF), Fraction(7, 8), N, Fraction(constant))


def misled_at_two(N: int = 10**6, constant: int = 1) -> Misled:
    """lambda = 2, mu = (9/10, 1/10), C = (1, -1), G = {C, (-1/10, -1/10)}, pi_1 = (2/5, 3/5):
    -2 L + 2 E is 4 x - 8/5 for C, and 2 max(abs(9/10 - 2 x), 9 (1 - x)) for the constant, which is
    less where x > 49/55."""
    given = problem(
        (ZERO, ZERO), pair(1, -1), behaviour=Fraction(9, 10), reference=ZERO,
        others=(Fraction(2, 5),), more=((Fraction(-1, 10),) * 2,),
    ).with_reference_weights()  # fmt: skip
    return Misled(given, Fraction(2), law(Fraction(2, 5)), Fraction(49, 55), N, Fraction(constant))


def tempted(multiplier: Fraction) -> tuple[OfflineProblem, Fraction, Fraction, str]:
    """M7: R = (1, 0), C = (99/100/lambda, 0), data and reference take the second action: the first
    has objective 1 - 99/100 > 0, and an excess of 99/100/lambda."""
    small = Fraction(99, 100) / multiplier
    given = problem((ONE, ZERO), (small, ZERO), behaviour=ZERO, reference=ZERO, others=(ONE,))
    return given, multiplier, Fraction(2), "weighted"


def cheap() -> tuple[OfflineProblem, Fraction, Fraction, str]:
    """lambda = 1/10, R = (1/2, 0), C = (1, 0): half a reward is worth a cost of 1."""
    given = problem((HALF, ZERO), (ONE, ZERO), behaviour=ZERO, reference=ZERO, others=(ONE,))
    return given, Fraction(1, 10), Fraction(2), "weighted"


def jensen(rounds: int = 64) -> tuple[OfflineProblem, Fraction, Run]:
    """R = (1, 3/5), C = (1/2, -1/2), lambda 1, mu = reference = (1/2, 1/2): the payoffs of line 7
    are (1/2, 3/5), and Hedge with eta = 10 log 2 halves the first action's odds each round."""
    given = problem(pair(1, Fraction(3, 5)), pair(HALF, -HALF), behaviour=HALF, reference=HALF)
    run = train(given, doubling(10), rounds, Weights(ONE), variant="paper")
    return given, ONE, run


def one_round(
    rewards: Pair,
    costs: Pair,
    multiplier: Fraction,
    variant: Variant,
    *,
    reference: Fraction,
    played: Fraction,
) -> tuple[OfflineProblem, Fraction, Run]:
    """One round of exact critics."""
    given = problem(rewards, costs, behaviour=HALF, reference=reference)
    told = payoff(given, law(played), rewards, costs, multiplier, variant)
    return given, multiplier, Run((law(played),), (rewards,), (costs,), (told,))


def average_of_parts() -> tuple[OfflineProblem, Fraction, Run]:
    """Payoffs (1/2, 3/5); the second action is played: a gap of 1/5, a regret of -1/20."""
    return one_round(pair(1, Fraction(3, 5)), pair(HALF, -HALF), ONE, "paper", reference=HALF,
                     played=ZERO)  # fmt: skip


def range_clean(variant: Variant = "paper") -> tuple[OfflineProblem, Fraction, Run]:
    """lambda 2, payoffs (1/2, 0), the first action is played: regret -1/2, cost gap 1/4, printed
    bound -1/2 + 1/2 = 0; (-1/2 + 1)/2 is right, and attained."""
    eighth = Fraction(1, 8)
    return one_round(pair(1, 0), pair(eighth, -eighth), Fraction(2), variant, reference=ZERO,
                     played=ONE)  # fmt: skip


def full_regret() -> tuple[OfflineProblem, Fraction, Run]:
    """lambda 1, R = (1, 1), payoffs (0, 1), the first action is played: regret 1, cost gap 1; the
    bound is 2, and would be 0 with the regret taken off."""
    return one_round(pair(1, 1), pair(HALF, -HALF), ONE, "paper", reference=ZERO, played=ONE)


def small_multiplier(variant: Variant = "paper") -> tuple[OfflineProblem, Fraction, Run]:
    """lambda 4/5: regret 3/5, cost gap 2, printed bound 37/20; (3/5 + 1)/(4/5) = 2 is right."""
    return one_round(pair(1, 0), pair(1, -1), Fraction(4, 5), variant, reference=ZERO, played=ONE)
