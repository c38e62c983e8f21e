"""Claims on the joint chance, Boole's sum and discounted sums of the same policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sympy import Max, Rational

from holdfast.solvers import (
    Policy,
    policy_iteration,
    solve,
    value_of,
)
from holdfast.solvers.chance.horizon.problem import ChanceProblem
from holdfast.theory import Ge, Le
from holdfast.theory.chance import joint_chance as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, Family, OutOfScope
from ...binding.values import ClaimError, Values
from ..families.problems import acting, chance_problems, charge_pair
from ..landmarks.problems import late_choice, late_hit, stuck
from ..oracles.laws import _LONGEST, arrivals, charged, discounted, joint_and_sum, visits

_ANY = chance_problems().along(acting)
_STAYING = chance_problems(absorbing=True).along(acting)


def unsafe_discount(draw: Draw, *_: object) -> Fraction:
    """A discount for the unsafe states."""
    return draw.choice(
        tuple(Fraction(n, d) for n, d in ((1, 2), (9, 10), (3, 4), (0, 1), (199, 200)))
    )


def _bound(problem: ChanceProblem) -> Case:
    """A problem of one action, with its only policy."""
    return problem, Policy.uniform(problem.model)


_THIRD = Fraction(1, 3)


@claim(
    theory.sandwich,
    over=_ANY.with_landmarks(
        late=lambda: _bound(late_hit(3, _THIRD)), stuck=lambda: _bound(stuck(3, _THIRD))
    ),
)
def sandwich(problem: ChanceProblem, policy: Policy) -> Iterator[Values]:
    joint, total = joint_and_sum(problem, policy)
    yield {theory.J_T: joint, theory.B_sum: total, theory.T_window: problem.horizon}


M32 = NamedMutant(
    "M32",
    Le(theory.gamma_c ** (theory.T_window - 1) * theory.B_sum, theory.H_cost),
    "the window of the discounted sum begins at time 0, so T - 1 powers are enough",
)


@claim(
    theory.expected_cost,
    over=_ANY.along(unsafe_discount).with_landmarks(
        late=lambda: (*_bound(late_hit(3, _THIRD)), Fraction(9, 10))
    ),
    mutants=(M32,),
)
def expected_cost(problem: ChanceProblem, policy: Policy, discount: Fraction) -> Iterator[Values]:
    yield {
        theory.gamma_c: discount,
        theory.T_window: problem.horizon,
        theory.B_sum: joint_and_sum(problem, policy)[1],
        theory.H_cost: discounted(problem, policy, discount),
    }


@claim(
    theory.expected_cost_absorbing,
    over=_STAYING.along(unsafe_discount)
    .with_landmarks(
        late=lambda: (*_bound(late_hit(3, _THIRD, stay=True)), Fraction(9, 10)),
        patient=lambda: (*_bound(late_hit(2, _THIRD, stay=True)), Fraction(99, 100)),
    )
    .with_controls(absorbing=_ANY.along(unsafe_discount)),
)
def expected_cost_absorbing(
    problem: ChanceProblem, policy: Policy, discount: Fraction
) -> Iterator[Values]:
    yield {
        theory.gamma_c: discount,
        theory.T_window: problem.horizon,
        theory.J_T: joint_and_sum(problem, policy)[0],
        theory.H_cost: discounted(problem, policy, discount),
    }


@dataclass(frozen=True, slots=True)
class Allowance:
    """A level for the discounted number of unsafe states, in windows of `steps`."""

    discount: Fraction
    steps: int
    level: Fraction
    stay: bool = True


def _allowances(*, stay: bool = True) -> Family:
    def base(draw: Draw) -> Allowance:
        return Allowance(
            Fraction(draw.integer(1, 19), 20),
            draw.integer(1, 8),
            Fraction(draw.integer(0, 20), 20),
            stay,
        )

    return Family("levels for absorbing unsafe states", base)


M3_ABSORBING = NamedMutant(
    "M3'",
    Le(theory.J_worst, theory.alpha),
    "where unsafe states are never left, H <= alpha is enough for every window",
)


@claim(
    theory.absorbing_threshold,
    over=_allowances()
    .with_landmarks(
        slack=lambda: (Allowance(Fraction(9, 10), 21, Fraction(1, 20)),),
        tight=lambda: (Allowance(Fraction(9, 10), 22, Fraction(1, 20)),),
    )
    .with_controls(absorbing=_allowances(stay=False)),
    mutants=(M3_ABSORBING,),
)
def absorbing_threshold(case: Allowance) -> Iterator[Values]:
    """The best of meeting the unsafe state at one of the times of the window, as likely as H <=
    alpha lets it be; H is linear in how likely."""
    worst = Fraction(0)
    for steps in range(1, case.steps + 1):
        sure = late_hit(steps, Fraction(1), stay=case.stay)
        full = discounted(sure, Policy.uniform(sure.model), case.discount)
        worst = max(worst, min(Fraction(1), case.level / full))
    yield {
        theory.J_worst: worst,
        theory.alpha: case.level,
        theory.gamma_late: case.discount,
        theory.T_window: case.steps,
    }


@claim(
    theory.interpolation,
    over=_ANY.along(charge_pair).with_landmarks(
        stuck=lambda: (*_bound(stuck(3, _THIRD)), (Fraction(1, 4), Fraction(1, 2))),
        twice=lambda: (*_bound(stuck(2, _THIRD)), (Fraction(1, 2), Fraction(1, 2))),
        once=lambda: (*_bound(late_hit(3, _THIRD)), (Fraction(0), Fraction(1))),
        joint=lambda: (*_bound(stuck(3, _THIRD)), (Fraction(0), Fraction(0))),
        boole=lambda: (*_bound(stuck(3, _THIRD)), (Fraction(1), Fraction(1))),
    ),
    survivors={
        Ge(
            theory.C_high,
            theory.J_T
            + theory.z_high ** (Rational(11, 10) * theory.T_window - 1)
            * (theory.B_sum - theory.J_T),
        ): "true: weaker, since a higher power of a number in [0, 1] is smaller"
    },
)
def interpolation(
    problem: ChanceProblem, policy: Policy, charges: tuple[Fraction, Fraction]
) -> Iterator[Values]:
    law = visits(problem, policy)
    joint, total = joint_and_sum(problem, policy)
    yield {
        theory.J_T: joint,
        theory.B_sum: total,
        theory.C_low: charged(law, charges[0]),
        theory.C_high: charged(law, charges[1]),
        theory.z_high: charges[1],
        theory.T_window: problem.horizon,
    }


Setting = tuple[Fraction, Fraction, bool]


def tightened(draw: Draw, *_: object) -> Setting:
    """(gamma_c > 0, where the level lies between the least possible and 1, whether tightened)."""
    return _surrogate(draw), Fraction(draw.integer(0, 11), 12), True


def _untightened(draw: Draw, *_: object) -> Setting:
    return _surrogate(draw), Fraction(draw.integer(0, 11), 12), False


def _surrogate(draw: Draw) -> Fraction:
    return draw.choice((Fraction(9, 10), Fraction(199, 200), Fraction(1, 2)))


def ce3(level: Fraction = Fraction(1, 5), discount: Fraction = Fraction(9, 10)) -> Values:
    """T = 1: unsafe once with probability p = alpha (1 + 1/gamma_c)/2, then never again.

    H = gamma_c p = alpha (1 + gamma_c)/2 <= alpha < p = J_T, for every gamma_c < 1.
    """
    problem = late_hit(1, level * (1 + 1 / discount) / 2)
    policy = Policy.uniform(problem.model)
    return {
        theory.J_T: joint_and_sum(problem, policy)[0],
        theory.H_cost: discounted(problem, policy, discount),
        theory.level: level,
    }


M3 = NamedMutant(
    "M3",
    Le(theory.J_T, Max(theory.level, theory.H_cost)),
    "a discounted number of at most alpha is enough",
    lambda: iter((ce3(),)),
)


def _late_choice(steps: int, level: Fraction) -> Case:
    problem = ChanceProblem(late_choice(steps), (steps,), steps)
    return problem, (Fraction(9, 10), level, True)


@claim(
    theory.safe_expected_cost,
    over=chance_problems(once=True, exposed=True)
    .along(tightened)
    .with_landmarks(late=lambda: _late_choice(3, _THIRD))
    .with_controls(tightened=chance_problems(once=True, exposed=True).along(_untightened)),
    mutants=(M3,),
)
def safe_expected_cost(problem: ChanceProblem, setting: Setting) -> Iterator[Values]:
    """The policy is the riskiest that meets the constraint on the discounted number."""
    discount, share, tight = setting
    model = problem.model.with_discount(discount)
    if model.n_states > _LONGEST:
        raise OutOfScope(f"a constrained problem of {model.n_states} states; up to {_LONGEST}")
    factor = discount**problem.horizon if tight else Fraction(1)
    cost = arrivals(problem, discount)
    least = value_of(model, policy_iteration(model, cost, maximise=False).values) / factor
    if least > 1:
        raise OutOfScope("no policy meets the tightened level, whatever the level")
    level = least + share * (1 - least)
    found = solve(model.with_reward(cost).with_costs([cost], [level * factor]))
    if found.policy is None:
        raise ClaimError("no policy meets a level that the cheapest one meets")
    yield {theory.J_T: joint_and_sum(problem, found.policy)[0], theory.level: level}
