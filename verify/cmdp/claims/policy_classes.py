"""Claims on what a class of policies loses: deterministic ones, nearby ones, parametrised ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from math import prod

from holdfast.solvers import (
    CMDP,
    Policy,
    from_arrays,
    policy_return,
    solve,
    solve_by_chord,
)
from holdfast.solvers.cmdp.policies import evaluate_choices, value_of
from holdfast.solvers.cmdp.softened import softened
from holdfast.theory import Eq, Le, Quantity
from holdfast.theory.cmdp import foundations
from holdfast.theory.cmdp import policy_classes as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, Family, OutOfScope
from ...binding.values import Values
from .. import landmarks
from ..families import cmdps
from ..families.cmdps import policy
from .duality import dual_value, optimum

_HALF, _SMALL = Fraction(1, 2), Fraction(1, 10**6)
"""The small one is a leak at which the bounds are as good as attained, and still short to print."""
_ENUMERABLE = 1000
"""Deterministic policies up to which all of them are looked at, each by a linear system: more would
slow down the run, fewer leave out the largest of the drawn models."""
_SOFTENED = 60
"""States up to which a model and its softened version are solved: both in fractions, and those of
the softened one are longer."""


Point = tuple[Fraction, Fraction]


def _deterministic_points(model: CMDP) -> list[Point]:
    """(return, cost) of every deterministic stationary policy."""
    if prod(model.action_counts.tolist()) > _ENUMERABLE:
        raise OutOfScope(f"enumerates deterministic policies, up to {_ENUMERABLE} of them")
    spans = [range(a, b) for a, b in pairwise(model.choice_start.tolist())]
    return [
        (
            value_of(model, evaluate_choices(model, choices)),
            value_of(model, evaluate_choices(model, choices, ("cost", 0))),
        )
        for choices in product(*spans)
    ]


def least_upper_bound(points: Sequence[Point], budget: Fraction) -> Fraction:
    """min over lambda >= 0 of max over points of J - lambda (C - d), some point having C <= d."""
    high = max(points, key=lambda point: (point[0], -point[1]))
    low = min(points, key=lambda point: (point[1], -point[0]))
    while high[1] > budget:
        slope = (high[0] - low[0]) / (high[1] - low[1])
        trial = max(points, key=lambda point: point[0] - slope * point[1])
        if trial[0] - slope * trial[1] == high[0] - slope * high[1]:
            return high[0] - slope * (high[1] - budget)
        low, high = (trial, high) if trial[1] <= budget else (low, trial)
    return high[0]


@claim(
    theory.zero_gap,
    over=cmdps(constraints=(1, 1)).with_landmarks(
        bandit=lambda: (landmarks.bandit(),),
        G1=lambda: (landmarks.g1(),),
        gain=lambda: (landmarks.bandit(1),),
        loss=lambda: (landmarks.bandit(1).with_reward([-1, -1]),),
    ),
    mutants=(
        NamedMutant(
            "M22",
            Eq(theory.P_deterministic, theory.D_deterministic),
            "there is no gap over the deterministic policies either",
        ),
    ),
)
def zero_gap(model: CMDP) -> Iterator[Values]:
    """The primal side by linear programming, the dual by policy iteration and the chord."""
    points, budget = _deterministic_points(model), model.budgets[0]
    _, primal = optimum(model)
    yield {
        theory.sup_min: primal,
        theory.min_sup: dual_value(model, solve_by_chord(model).multiplier),
        theory.D_deterministic: least_upper_bound(points, budget),
        theory.P_deterministic: max(gain for gain, cost in points if cost <= budget),
    }


def leaving(
    share: Fraction,
    *,
    discount: Fraction = Fraction(9, 10),
    stay: int = 1,
    leave: int = 0,
    after: int = 0,
) -> Case:
    """(model, staying, leaving with probability `share`); epsilon = 2 share.

    Staying pays `stay` for ever; leaving pays `leave` once and then `after` for ever.  With stay =
    B and nothing else the loss is B share/((1 - gamma)(1 - gamma (1 - share))), which is the bound
    as share tends to 0; with leave = B it is gamma times that (G13: 90/109 at share = 1/100).
    """
    model = from_arrays(
        [[[1, 0], [0, 1]], [[0, 1], [0, 1]]],
        [[stay, leave], [after, after]],
        discount=discount,
        initial=[1, 0],
    )
    rest = [Fraction(1), Fraction(0)]
    return model, *(Policy((1 - p, p, *rest)) for p in (Fraction(0), share))


def _distance(model: CMDP, first: Policy, second: Policy) -> Fraction:
    """Largest l1 distance of two policies over the states."""
    return max(
        sum(
            (
                abs(p - q)
                for p, q in zip(first.probabilities[a:b], second.probabilities[a:b], strict=True)
            ),
            Fraction(0),
        )
        for a, b in pairwise(model.choice_start.tolist())
    )


def _loss(model: CMDP, first: Policy, second: Policy) -> dict[Quantity, Fraction]:
    return {
        foundations.gamma: model.discount,
        theory.J_one: policy_return(model, first),
        theory.J_other: policy_return(model, second),
        theory.epsilon: _distance(model, first, second),
    }


_ANY_REWARD = cmdps(constraints=(0, 0)).along(policy, policy)


@claim(
    theory.policy_loss,
    over=cmdps(constraints=(0, 0), bounded_reward=True)
    .along(policy, policy)
    .with_landmarks(
        G13=lambda: leaving(Fraction(1, 100), leave=1),
        sharp=lambda: leaving(_SMALL),
        rich=lambda: leaving(_SMALL, stay=3),
        reversed=lambda: _swapped(leaving(_SMALL)),
        patient=lambda: leaving(_SMALL, discount=Fraction(99, 100)),
        myopic=lambda: leaving(Fraction(1), discount=Fraction(0)),
    )
    .with_controls(bounded_reward=_ANY_REWARD),
    mutants=(
        NamedMutant(
            "M21",
            Le(
                abs(theory.J_one - theory.J_other),
                theory.B_reward * theory.epsilon / (1 - foundations.gamma),
            ),
            "un-normalised, one factor 1/(1 - gamma) is enough",
        ),
    ),
)
def policy_loss(model: CMDP, first: Policy, second: Policy) -> Iterator[Values]:
    top = max(Fraction(0), *model.reward_vector().fractions())
    yield {**_loss(model, first, second), theory.B_reward: top}


def _swapped(case: Case) -> Case:
    return case[0], case[2], case[1]


@claim(
    theory.policy_loss_signed,
    over=_ANY_REWARD.with_landmarks(
        sharp=lambda: leaving(_SMALL, leave=-1, after=-1),
        rich=lambda: leaving(_SMALL, stay=3, leave=-3, after=-3),
        reversed=lambda: _swapped(leaving(_SMALL, leave=-1, after=-1)),
        patient=lambda: leaving(_SMALL, discount=Fraction(99, 100), leave=-1, after=-1),
        myopic=lambda: leaving(Fraction(1), discount=Fraction(0), leave=-1),
    ),
)
def policy_loss_signed(model: CMDP, first: Policy, second: Policy) -> Iterator[Values]:
    top = max(abs(r) for r in model.reward_vector().fractions())
    yield {**_loss(model, first, second), theory.B_signed: top}


Softness = tuple[Fraction, Fraction]


def softness(draw: Draw, model: CMDP, *_: object) -> Softness:
    """(share of the uniform policy in every policy of the class, factor on epsilon)."""
    return (1 - model.discount) ** 2 / draw.choice((100, 10, 1000)), Fraction(1)


def soft_leak(share: Fraction, factor: Fraction = Fraction(1)) -> Case:
    """The class must leave a paying state with probability share/2: the reward's term, no cost."""
    model = leaving(share)[0]
    free = model.with_costs([[0] * model.n_choices], [1])
    return free, (share, factor)


def soft_dirt(share: Fraction, dear: int = 1) -> Case:
    """A risk that pays 1 and costs 1/100 once, or a clean state with a dirty action for ever.

    The clean state becomes dirty (cost `dear` a step) under the class, which leaves less for the
    risk: the loss is lambda = 100 times what the class spends there.
    """
    to_clean, to_dirty, to_end = ([int(t == s) for t in range(4)] for s in (1, 2, 3))
    model = from_arrays(
        [[to_end, to_clean], [to_clean, to_dirty], [to_dirty] * 2, [to_end] * 2],
        [[1, 0], [0, 0], [0, 0], [0, 0]],
        [[[Fraction(1, 100), 0], [0, dear], [dear, dear], [0, 0]]],
        [Fraction(1, 10**4)],
        discount=Fraction(99, 100),
        initial=[1, 0, 0, 0],
    )
    return model, (share, Fraction(1))


def soft_choice() -> Case:
    """Three actions that pay 1, 0, 0, gamma = 0, chosen uniformly: D = 1/3 at epsilon = 4/3."""
    model = from_arrays([[[1]] * 3], [[1, 0, 0]], [[[0, 0, 0]]], [1], discount=Fraction(0))
    return model, (Fraction(1), Fraction(1))


def _understated() -> Family:
    """Leaks whose epsilon is stated at half its size."""

    def base(draw: Draw) -> CMDP:
        model: CMDP = soft_leak(_SMALL)[0]
        return model.with_discount(Fraction(draw.integer(5, 9), 10))

    def half(draw: Draw, *_: object) -> Softness:
        return Fraction(1, draw.integer(10**3, 10**4)), _HALF

    return Family("understated distances", base, extras=(half,))


@claim(
    theory.parametrised_gap,
    over=cmdps(constraints=(1, 1), slater=True, bounded_reward=True)
    .along(softness)
    .with_landmarks(
        leak=lambda: soft_leak(_SMALL),
        dirt=lambda: soft_dirt(Fraction(1, 10**10)),
        dear=lambda: soft_dirt(Fraction(1, 10**10), 3),
        uniform=soft_choice,
    )
    .with_controls(universal=_understated()),
)
def parametrised_gap(model: CMDP, soft: Softness) -> Iterator[Values]:
    if model.n_states > _SOFTENED:
        raise OutOfScope(f"solves three dense programs of {model.n_states} states; to {_SOFTENED}")
    share, factor = soft
    widest = max(model.action_counts.tolist())
    distance = factor * 2 * share * (1 - Fraction(1, widest))
    top = max(Fraction(0), *model.reward_vector().fractions())
    dear = max(Fraction(0), *model.cost_vector(0).fractions())
    kappa = distance / 2 / (1 - model.discount) ** 2
    tight = solve(model.with_budgets(model.budgets[0] - kappa * dear))
    if tight.value is None:
        raise OutOfScope("the tightened budget cannot be met")
    _, best = optimum(model)
    _, dual = optimum(softened(model, share))
    yield {
        foundations.gamma: model.discount,
        theory.P_paid: best,
        theory.D_class: dual,
        theory.B_r: top,
        theory.B_c: dear,
        theory.epsilon: distance,
        theory.lam_tight: tight.multipliers[0],
    }
