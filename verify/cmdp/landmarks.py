"""Named edge cases and golden instances, each with its derivation.

``g1``, ``g2``, ... are golden instances, solved by hand in their docstrings; reports call them G1,
G2, ...  (Those with a chance constraint are in `holdfast.verify.chance.landmarks.problems`.)  The
others say what they are sharp for.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from holdfast.solvers import CMDP, Policy, from_arrays

_HALF = Fraction(1, 2)


def g1(budget: Fraction | int = Fraction(3, 2)) -> CMDP:
    """Two states, two actions, gamma = 1/2, uniform start.

    Deterministic policies (a_0, a_1) have (J_r, J_c): 00 -> (4/3, 0), 01 -> (3, 2), 10 -> (3, 1),
    11 -> (14/3, 8/3).  The upper hull has kinks at costs 0, 1 and 8/3 with slopes 5/3 and 1, so
    v(1) = 3, a kink with multipliers [1, 5/3], and v(3/2) = 3 + 1/2 = 7/2 with multiplier 1.
    """
    return from_arrays(
        [[[_HALF, _HALF], [1, 0]], [[0, 1], [_HALF, _HALF]]],
        [[0, 2], [1, 3]],
        [[[0, 1], [0, 2]]],
        [budget],
        discount=_HALF,
        initial=[_HALF, _HALF],
    )


def g2(budgets: tuple[Fraction, Fraction] = (Fraction(3, 2), _HALF)) -> CMDP:
    """G1 with a second cost c_2 = [[0, 1], [1, 0]].

    At (3/2, 1/2) the four numbers rho solve two flow and two budget equations:
    rho = (13/16, 1/8; 3/8, 11/16), value 2/8 + 3/8 + 33/16 = 43/16, two randomisations,
    multipliers (5/4, 5/8).
    """
    model = g1(budgets[0])
    second = [Fraction(0), Fraction(1), Fraction(1), Fraction(0)]
    return model.with_costs([model.cost_vector(0), second], budgets)


def bandit(budget: Fraction | int = _HALF, discount: Fraction = Fraction(0)) -> CMDP:
    """One state; a risky action with reward = cost = 1 and a safe one with 0; value min(d, 1)."""
    return from_arrays([[[1], [1]]], [[1, 0]], [[[1, 0]]], [budget], discount=discount)


def risky_branch(q: Fraction, discount: Fraction, budget: Fraction, start: int) -> CMDP:
    """Start -> risky state with probability q, else stop; risk there pays and costs 1, then stop.

    The risky state is reached with weight gamma q from the start, so a budget d allows risk
    min(1, d/(gamma q)) planned from the start and min(1, d) planned from the risky state.
    """
    stay = [0, 0, 1]
    transitions = [[[0, q, 1 - q], [0, q, 1 - q]], [stay, stay], [stay, stay]]
    risk = [[0, 0], [1, 0], [0, 0]]
    initial = [int(s == start) for s in range(3)]
    return from_arrays(transitions, risk, [risk], [budget], discount=discount, initial=initial)


def sharp_change(
    shift: Fraction = Fraction(1, 100),
    discount: Fraction = Fraction(9, 10),
    scale: int = 1,
    bonus: Fraction = _HALF,
) -> tuple[CMDP, Policy, Policy, tuple[int, ...]]:
    """(model, new, old, baseline 0) attaining the trust-region bounds.

    State 0 leads to g (reward +scale for ever) or b (-scale for ever); old takes g with probability
    1/2 - shift/2, new with shift more, and going to g pays the bonus at once, at most scale.  With
    f = 0 the surrogate accounts for the bonus, and bar delta is scale in g, -scale in b and between
    them in 0, so the error is 2 gamma shift scale/(1 - gamma); so is the bound, since
    E_d TV = (1 - gamma) shift.
    """
    model = from_arrays(
        [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]]],
        [[bonus, 0], [scale, scale], [-scale, -scale]],
        [[[1, 1], [2, 2], [0, 0]]],
        [0],
        discount=discount,
        initial=[1, 0, 0],
    )
    rest = [Fraction(1), Fraction(0)] * 2
    low, high = (1 - shift) / 2, (1 + shift) / 2
    old, new = (Policy((p, 1 - p, *rest)) for p in (low, high))
    return model, new, old, (0, 0, 0)


def leak(probability: Fraction, discount: Fraction = Fraction(9, 10), pay: int = 1) -> CMDP:
    """State 0 pays and leaks to a worthless state with the given probability.

    V(0) = pay/(1 - gamma (1 - probability)).
    """
    return from_arrays(
        [[[1 - probability, probability]], [[0, 1]]],
        [[pay], [0]],
        discount=discount,
        initial=[1, 0],
    )


def leaky_choice(probability: Fraction, factor: Fraction = Fraction(1)) -> tuple[CMDP, CMDP]:
    """(model, truth): a certain action beside one that the model believes to leak.

    From state 0, action 0 leads to a state that pays x for ever, action 1 to one that pays 2 for
    ever in truth, but leaks with the given probability in the model.  x is the value of action 1
    under the model less its penalty (times `factor`), and a little more, so the penalised optimum
    is action 0, and it falls short of action 1 by (1 + factor) lambda u up to second order.
    """
    gamma = Fraction(9, 10)
    model_value = 2 / (1 - gamma * (1 - probability))
    penalty = factor * gamma / (1 - gamma) * probability * model_value
    pay = (1 - gamma) * (model_value - penalty) + probability**2

    def build(leaking: Fraction) -> CMDP:
        to_sure, to_leaky = [0, 1, 0, 0], [0, 0, 1, 0]
        sure, leaky, lost = [0, 1, 0, 0], [0, 0, 1 - leaking, leaking], [0, 0, 0, 1]
        return from_arrays(
            [[to_sure, to_leaky], [sure, sure], [leaky, leaky], [lost, lost]],
            [[0, 0], [pay, pay], [2, 2], [0, 0]],
            discount=gamma,
            initial=[1, 0, 0, 0],
        )

    return build(probability), build(Fraction(0))


def opposite_beliefs() -> tuple[CMDP, CMDP]:
    """(model, truth) with gamma = 1/10 that disagree about everything that follows action 1.

    In truth action 1 (reward 1) leads to a state that pays 1 for ever, in the model to a worthless
    one, which in truth leads on to another worthless one; so V - V^ = gamma/(1 - gamma) = 1/9 for
    action 1, and its penalty is lambda/(1 - gamma) = 10/81.  Action 0 pays 1 - 10/81 + 1/1000 once.
    """
    sure = 1 - Fraction(10, 81) + Fraction(1, 1000)

    def build(to: int, on: int) -> CMDP:
        rows = [[int(t == target) for t in range(5)] for target in range(5)]
        return from_arrays(
            [
                [rows[4], rows[to]],
                [rows[1]] * 2,
                [rows[on]] * 2,
                [rows[3]] * 2,
                [rows[4]] * 2,
            ],
            [[sure, 1], [1, 1], [0, 0], [0, 0], [0, 0]],
            discount=Fraction(1, 10),
            initial=[1, 0, 0, 0, 0],
        )

    return build(2, 2), build(1, 3)


def negative_cost(budget: Fraction, discount: Fraction = Fraction(0)) -> CMDP:
    """One state, two actions that both cost -1 and pay 1 and 0; J_c = -1/(1 - gamma) always."""
    return from_arrays([[[1], [1]]], [[1, 0]], [[[-1, -1]]], [budget], discount=discount)


def raw_cost_blind() -> dict[str, Fraction]:
    """A change of policy at which the raw cost bounds nothing (a false variant of the cost bound).

    0 -> b always under old; under new -> g with probability t.  At b old pays cost 1 for ever and
    new nothing; g is free.  So eta = max_s E_new[c] = 0, J = gamma/(1 - gamma), J' = 0, and
    L = -gamma (1 + t): the variant claims J' - J <= L/(1 - gamma), which is off by gamma t/(1 -
    gamma).
    """
    gamma, t = Fraction(9, 10), _HALF
    return {
        "J": gamma / (1 - gamma),
        "J_new": Fraction(0),
        "L": -gamma * (1 + t),
        "eta": Fraction(0),
        "TV": (1 - gamma) * t + gamma,
        "gamma": gamma,
    }


def g12(tiny: Fraction = Fraction(1, 1000)) -> tuple[CMDP, Policy, Policy]:
    """(model, new, old): the trust-region bound with f = V^old, ratio -> 2 against gamma eps TV.

    0 -> b under old, -> g with probability 1/2 under new; g pays new 1 for ever; at b new takes
    with probability `tiny` an action that costs 1/tiny.  V^old = 0 everywhere, and epsilon = 1.
    With L the sum over new - old, -gamma, the gap is gamma/(1 - gamma); E_d TV = (1 - gamma)/2 +
    gamma tiny, so the ratio is 2/(1 + 2 gamma tiny/(1 - gamma)).
    """
    stay_g, stay_b = [0, 1, 0], [0, 0, 1]
    model = from_arrays(
        [[stay_b, stay_g], [stay_g, stay_g], [stay_b, stay_b]],
        [[0, 0], [0, 1], [0, -1 / tiny]],
        discount=Fraction(9, 10),
        initial=[1, 0, 0],
    )
    old = Policy.deterministic(model, [0, 0, 0])
    new = Policy((_HALF, _HALF, Fraction(0), Fraction(1), 1 - tiny, tiny))
    return model, new, old


def g16() -> dict[str, Any]:
    """N = 10, p = 1/10, t = 1/10: Pr(p^ - p >= t) = 0.26..., far above exp(-2 N^2 t) = 2e-9."""
    return {"N": 10, "p": Fraction(1, 10), "t": Fraction(1, 10)}
