"""Claims on two discounts: what stationary policies lose, and what finitely many steps recover."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers import CMDP, Policy, from_arrays, policy_return
from holdfast.solvers.cmdp.finite_horizon import horizon_bounds, solve_finite_horizon
from holdfast.solvers.cmdp.policies import evaluate_choices, value_of
from holdfast.solvers.cmdp.two_discounts import best_tail, cheapest_tail, solve_two_discounts
from holdfast.theory import Eq, Quantity
from holdfast.theory.cmdp import foundations
from holdfast.theory.cmdp import two_discounts as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, OutOfScope
from ...binding.values import ClaimError, Values
from .. import landmarks
from ..families import cmdps
from ..families.cmdps import policy
from .randomisation import cost_discount

_HALF = Fraction(1, 2)
_UNROLLABLE = 30
"""States up to which a model is unrolled in time, into a copy for each step."""
_STEPS = 5
"""Free decisions up to which the switching policy is found again by a linear program, which grows
with them; with fewer, two policies seldom have the time to differ."""
_ONE_COST = cmdps(constraints=(1, 1), feasible=None)


def allowance(draw: Draw, *_: object) -> Fraction:
    """How much the budget exceeds what the stationary policy costs."""
    return draw.choice((Fraction(0), Fraction(1, 4), Fraction(3)))


def free_decisions(draw: Draw, *_: object) -> int:
    """One to three."""
    return draw.integer(1, 3)


def _unrollable(model: CMDP) -> None:
    if model.n_states > _UNROLLABLE:
        raise OutOfScope(f"unrolls the model in time; done up to {_UNROLLABLE} states")


def _g9() -> Case:
    """G9: the bandit, gamma = 1/2, gamma_c = 3/4, d = 1, risking 1/4 of the time: 1/2 against 1.

    A stationary risk p costs 4 p and returns 2 p.  Risking at time 0 only costs 1 and returns 1,
    and later risk costs (3/2)^t as much for the same return.
    """
    quarter = Fraction(1, 4)
    return landmarks.bandit(1, _HALF), Policy((quarter, 1 - quarter)), Fraction(3, 4)


best_stationary = Quantity("J_best", "best return of a stationary policy within the budget")


def _stationary_is_too_little() -> Iterator[Values]:
    model, acting, discount = _g9()
    assert policy_return(model.with_discount(discount), acting, ("cost", 0)) == model.budgets[0]
    best = solve_two_discounts(model, discount).value
    assert best is not None
    yield {best_stationary: policy_return(model, acting), foundations.P_star: best}


M7 = NamedMutant(
    "M7",
    Eq(best_stationary, foundations.P_star),
    "a stationary policy is optimal also if reward and cost have different discounts",
    _stationary_is_too_little,
)


def _certain(reward: int) -> Case:
    """One state and action: every policy is this one, J = P* = 2 r, and U_N = L_N."""
    model = from_arrays([[[1]]], [[reward]], [[[1]]], [0], discount=_HALF)
    return model, Policy((Fraction(1),)), Fraction(3, 4), Fraction(0), 1


@claim(
    theory.two_discounts,
    over=_ONE_COST.along(policy, cost_discount, allowance, free_decisions).with_landmarks(
        G9=lambda: (*_g9(), Fraction(0), 2),
        gain=lambda: _certain(1),
        loss=lambda: _certain(-1),
    ),
    mutants=(M7,),
)
def two_discounts(
    model: CMDP, acting: Policy, discount: Fraction, extra: Fraction, steps: int
) -> Iterator[Values]:
    _unrollable(model)
    cost = policy_return(model.with_discount(discount), acting, ("cost", 0))
    model = model.with_budgets(cost + extra)
    best, bounds = solve_two_discounts(model, discount), horizon_bounds(model, discount, steps)
    if best.value is None or bounds is None:
        raise ClaimError("no policy meets the budget that the drawn one meets")
    yield {
        foundations.gamma: model.discount,
        theory.J_stationary: policy_return(model, acting),
        foundations.P_star: best.value,
        theory.lower: bounds.lower,
        theory.upper: bounds.upper,
        theory.N_steps: steps,
        theory.V_gap: bounds.spread / model.discount**steps if model.discount else Fraction(0),
    }


def _late(discount: Fraction) -> CMDP:
    """Only the choice at time 1 matters: 1 at cost 1, or nothing."""
    rows = [[[0, 1, 0]] * 2, [[0, 0, 1]] * 2, [[0, 0, 1]] * 2]
    paid = [[0, 0], [1, 0], [0, 0]]
    return from_arrays(rows, paid, [paid], [0], discount=discount, initial=[1, 0, 0])


def another_discount(draw: Draw, model: CMDP, *_: object) -> Fraction:
    """A discount for the cost that is not the reward's."""
    known = (Fraction(1, 2), Fraction(0), Fraction(3, 4), Fraction(9, 10))
    return draw.choice([discount for discount in known if discount != model.discount])


def budget_share(draw: Draw, *_: object) -> Fraction:
    """Where the budget lies between the cheapest policy's cost and the best one's."""
    return draw.choice(tuple(Fraction(k, 4) for k in (2, 1, 3, 4, 0)))


@claim(
    theory.switching,
    over=_ONE_COST.along(another_discount, budget_share).with_landmarks(
        G9=lambda: (landmarks.bandit(1, _HALF), Fraction(3, 4), Fraction(1, 4)),
        between=lambda: (landmarks.bandit(1, _HALF), Fraction(3, 4), Fraction(3, 8)),
        late=lambda: (_late(_HALF), Fraction(3, 4), _HALF),
        late_reward=lambda: (_late(Fraction(3, 4)), _HALF, _HALF),
    ),
)
def switching(model: CMDP, discount: Fraction, share: Fraction) -> Iterator[Values]:
    _unrollable(model)
    best, cheapest = best_tail(model, discount), cheapest_tail(model, discount)
    low, high = (value_of(model, tail.cost) for tail in (cheapest, best))
    model = model.with_budgets(low + share * (high - low))
    found = solve_two_discounts(model, discount)
    if found.switch > _STEPS:
        raise OutOfScope(f"switches after {found.switch} steps; solved again up to {_STEPS}")
    after = evaluate_choices(model, found.tail).fractions()
    paid = evaluate_choices(model.with_discount(discount), found.tail, ("cost", 0)).fractions()
    again = solve_finite_horizon(model, discount, max(found.switch, 1), after, paid)
    if found.value is None or again.value is None:
        raise ClaimError("no policy meets the budget that the cheapest one meets")
    yield {
        foundations.P_star: found.value,
        theory.v_switch: again.value,
        theory.n_random: again.n_randomisations,
    }
