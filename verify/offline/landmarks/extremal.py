"""Problems on which the bounds of WSAC from data are attained, each with one round.

A case is (truth, what the data show, weights, pi_1, rounds).  Critics tie with the better ones,
and come first.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from holdfast.solvers import Policy
from holdfast.solvers.exact import Rational
from holdfast.solvers.models.arrays import assemble
from holdfast.solvers.offline.problems import Function, OfflineProblem, Signal
from holdfast.solvers.offline.wsac import Weights

from .bandits import HALF, ONE, ZERO, law, pair, problem

Case = tuple[OfflineProblem, OfflineProblem, Weights, Policy, int]
TWO = Fraction(2)


def _numbers(*values: Rational) -> Function:
    return tuple(Fraction(value) for value in values)


def unrealised(signal: Signal, gains: bool = True) -> Case:
    """Discount 0; data and reference take the second action, pi_1 the first.

    The nearest member is off by 1/20, upwards at one action and downwards at the other: its E is
    2/20 (W has a weight of 2) and its L is off by 2/20.  Another one, right at the second action
    and off by (2 + 2 beta)/20 at the first, has E = 0 and ties with it, beta = 2.
    """
    e, off = Fraction(1, 20), Fraction(6, 20)
    high, low = pair("3/5", "1/10") if gains else pair("1/10", "9/10")
    if signal == "reward":
        given = problem((high, low), (ZERO, ZERO), behaviour=ZERO, reference=ZERO, others=(ONE,))
        members = ((high + off, low), (high + e, low - e))
        given = _with(given, rewards=members)
    else:
        given = problem((ONE, ZERO), pair("9/10", "-9/10"), behaviour=ZERO,
                        reference=ZERO, others=(ONE,))  # fmt: skip
        high, low = pair("9/10", "-9/10")
        given = _with(given, costs=((high - off, low), (high - e, low + e)))
    multiplier = TWO if signal == "reward" else HALF
    return given, given, Weights(multiplier, TWO, TWO), law(ONE), 1


def _with(
    given: OfflineProblem,
    rewards: tuple[Function, ...] | None = None,
    costs: tuple[Function, ...] | None = None,
) -> OfflineProblem:
    return OfflineProblem(
        given.model, given.behaviour, given.reference, given.policies,
        rewards or given.rewards, costs or given.costs, (*given.weights, (ZERO, TWO)),
    )  # fmt: skip


def two_states(signal: Signal, offset: Fraction = ZERO) -> Case:
    """Discount 0, states of probability 1/4 and 3/4 that the data show half and half; data and
    reference take the second action, pi_1 the first, so that no residual is ever seen.

    Q sets the first action apart by 1/2 in one state, the other member in the other: L is 1/8
    against 3/8, both 1/4 by the data; each is off by 1/8.
    """
    base = offset
    first, second = (
        _numbers(base + HALF - offset, base, base - offset, base),
        _numbers(base - offset, base, base + HALF - offset, base),
    )
    plain, zero = _numbers(1, 0, 1, 0), _numbers(0, 0, 0, 0)
    rewards, costs = (first, zero) if signal == "reward" else (plain, second)
    model = assemble(
        counts=[2, 2], rows=[{0: 1}, {0: 1}, {1: 1}, {1: 1}], reward=rewards, costs=[costs],
        budgets=[0], discount=0, initial=[1, 3],
    )  # fmt: skip
    data, played = Policy(_numbers(0, 1, 0, 1)), Policy(_numbers(1, 0, 1, 0))
    truth = OfflineProblem(
        model, data, data, (data, played),
        (second, first) if signal == "reward" else (plain,),
        (first, second) if signal == "cost" else (zero,),
        (_numbers(1, 1, 1, 1),),
    )  # fmt: skip
    seen = truth.empirical([[0, 0], [1, 0], [0, 0], [0, 1]])
    return truth, seen, Weights(TWO, TWO, TWO), played, 1


def noisy(signal: Signal, reference: Literal["data", "second"], first: Rational = 0) -> Case:
    """Discount 1/2.  Both actions of the first state lead to one that pays 1 for ever (Q 2) or to
    one that pays nothing: with 1/8 and 1/2, by the data with 1/2 and 3/8; all pairs are seen as
    often as they should be.  The data mix both actions, pi_1 takes the first.

    The Q of what the data show has error 0 there and 1/16 in truth, with weight 1, and -1/16 with
    that of the second action; the true Q the reverse.  With beta = 2 they tie.
    """
    a, b = Fraction(first), Fraction(3, 4) if not first else ZERO
    sign = 1 if signal == "reward" else -1
    if signal == "cost":
        a, b = ONE, ZERO
    pays = (a, b, sign * ONE, ZERO)
    true = (a + sign * Fraction(1, 8), b + sign * HALF, sign * TWO, ZERO)
    shown = (a + sign * HALF, b + sign * Fraction(3, 8), sign * TWO, ZERO)
    zero = _numbers(0, 0, 0, 0)
    model = assemble(
        counts=[2, 1, 1], rows=[{1: 1, 2: 7}, {1: 1, 2: 1}, {1: 1}, {2: 1}],
        reward=pays if signal == "reward" else zero,
        costs=[pays if signal == "cost" else zero],
        budgets=[0], discount=HALF, initial=[1, 0, 0],
    )  # fmt: skip
    data, played = Policy(_numbers("1/2", "1/2", 1, 1)), Policy(_numbers(1, 0, 1, 1))
    target = data if reference == "data" else Policy(_numbers(0, 1, 1, 1))
    members = (shown, true)
    truth = OfflineProblem(
        model, data, target, tuple(dict.fromkeys((data, played, target))),
        members if signal == "reward" else (zero,), members if signal == "cost" else (zero,),
        (_numbers(1, 1, 1, 1),),
    ).with_reference_weights()  # fmt: skip
    seen = truth.empirical([[0, 4, 4], [0, 3, 5], [0, 5, 0], [0, 0, 11]])
    multiplier = TWO if signal == "reward" else Fraction(10**6)
    return truth, seen, Weights(multiplier, TWO, TWO), played, 1


def behaviour_cases() -> dict[str, Case]:
    """Where the reference is the behaviour policy."""
    return {
        "unrealised": unrealised("reward"),
        "unrealised_lost": unrealised("reward", gains=False),
        "unrealised_cost": unrealised("cost"),
        "states": two_states("reward"),
        "states_lost": two_states("reward", HALF),
        "states_cost": two_states("cost"),
        "noisy": noisy("reward", "data"),
        "noisy_gain": noisy("reward", "data", 1),
        "noisy_cost": noisy("cost", "data"),
    }


def reference_cases() -> dict[str, Case]:
    """The same, and noise where the reference takes the second action."""
    kept = {name: case for name, case in behaviour_cases().items() if "noisy" not in name}
    return kept | {
        "noisy": noisy("reward", "second"),
        "noisy_gain": noisy("reward", "second", 1),
        "noisy_cost": noisy("cost", "second"),
    }


def squares(
    first: Rational, second: Rational, *, mu: Fraction = HALF, beta: Fraction = TWO
) -> tuple[OfflineProblem, Policy, Fraction]:
    """Discount 0, the reference takes the first action, of probability m in the data: 1 - w is
    (1 - 1/m, 1), chi^2 = 1/m - 1.  R + (1 - w)/(2 beta) ties with R for pi = (m + (1 - m)/2, .),
    and what it gives up is chi^2/(4 beta)."""
    high, low = Fraction(first), Fraction(second)
    off, played = 1 / (2 * beta), mu + (1 - mu) / 2
    given = problem(
        (high, low), (ZERO, ZERO), behaviour=mu, reference=ONE, others=(played,),
        more_rewards=((high + (1 - 1 / mu) * off, low + off),),
    )  # fmt: skip
    return given, law(played), beta
