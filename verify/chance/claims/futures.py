"""Claims on chance constraints in infinite discounted time: a window, a first hit, ever a hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from holdfast.solvers import Policy, from_arrays, policy_iteration, policy_return, value_of
from holdfast.solvers import solve as solve_cmdp
from holdfast.solvers.chance import (
    ChanceProblem,
    enclose_eventual,
    first_window,
    least_eventual_risk,
    solve,
    solve_first_hit,
)
from holdfast.theory import Ge, Quantity
from holdfast.theory.chance import futures as theory
from holdfast.theory.chance import joint_chance
from holdfast.theory.cmdp import foundations

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, OutOfScope
from ...binding.values import ClaimError, Values
from ..families.problems import acting, chance_problems
from ..landmarks.problems import g8, g10, late_choice
from ..oracles.futures import discounted_hit, eventual_risk, stitched
from ..oracles.laws import joint_and_sum
from .flag_program import small


def discounted_future(problem: ChanceProblem) -> None:
    """Raise OutOfScope unless the future is discounted and programs over its layers stay small."""
    small(problem)
    if problem.model.discount == 1:
        raise OutOfScope("speaks of infinite discounted futures, and the discount is 1")


def slack_share(draw: Draw, *_: object) -> Fraction:
    """Where the level lies between the policy's risk and 1."""
    return draw.choice((Fraction(0), Fraction(1, 4), Fraction(3, 4)))


def _level(risk: Fraction, share: Fraction) -> Fraction:
    level = risk + share * (1 - risk)
    if level >= 1:
        raise OutOfScope("the policy meets an unsafe state for certain; a level is below 1")
    return level


def _certain(reward: int) -> Case:
    """One state and action, never unsafe: every value is 2 r."""
    model = from_arrays([[[1]]], [[reward]], discount=Fraction(1, 2))
    return ChanceProblem(model, (), 1), Policy((Fraction(1),)), Fraction(1, 4)


_FUTURES = chance_problems(safe_start=True, lasting=True).along(acting, slack_share)
_ENDS = {"gain": lambda: _certain(1), "loss": lambda: _certain(-1)}


@claim(theory.first_window, over=_FUTURES.with_landmarks(**_ENDS))
def first_window_claim(problem: ChanceProblem, policy: Policy, share: Fraction) -> Iterator[Values]:
    """The stitched problem is solved as one infinite constrained MDP, without terminal values."""
    discounted_future(problem)
    model = problem.model
    if not model.discount:
        raise OutOfScope("without a future there is nothing after the window")
    level = _level(joint_and_sum(problem, policy)[0], share)
    whole = solve_cmdp(stitched(problem, level))
    best = solve(first_window(model, problem.unsafe, problem.horizon), level)
    if whole.value is None or best.value is None:
        raise ClaimError("no policy keeps a level that the drawn one keeps")
    yield {
        theory.V_window: best.value,
        theory.V_stitched: whole.value,
        theory.V_policy: policy_return(model, policy),
        theory.V_free: value_of(model, policy_iteration(model).values),
    }


def _late(steps: int, share: Fraction) -> Case:
    """A risk that hits at time T exactly, taken with probability 1/3: E gamma^tau = gamma^T/3."""
    model = late_choice(steps)
    last, third = steps - 1, Fraction(1, 3)
    row = [p for s in range(model.n_states) for p in ((1 - third, third) if s == last else (1, 0))]
    return ChanceProblem(model, (steps,), steps), Policy(tuple(map(Fraction, row))), share


@claim(
    theory.first_hit,
    over=_FUTURES.with_landmarks(**_ENDS, late=lambda: _late(3, Fraction(0))),
)
def first_hit(problem: ChanceProblem, policy: Policy, share: Fraction) -> Iterator[Values]:
    discounted_future(problem)
    model, steps = problem.model, problem.horizon
    hit = discounted_hit(problem, policy)
    best = solve_first_hit(model, problem.unsafe, _level(hit, share))
    if best.value is None:
        raise ClaimError("no policy keeps a level that the drawn one keeps")
    yield {
        foundations.gamma: model.discount,
        joint_chance.T_window: steps,
        joint_chance.J_T: joint_and_sum(problem, policy)[0],
        theory.E_tau: hit,
        theory.J_best: best.chance_within(steps),
        joint_chance.alpha: best.level,
        theory.V_policy: policy_return(model, policy),
        theory.V_hit: best.value,
        joint_chance.n_cells: best.solution.n_randomisations,
    }


def _safest(problem: ChanceProblem) -> Policy:
    """A stationary policy of least eventual risk from every state."""
    allowed = least_eventual_risk(problem.model, problem.unsafe).allowed.tolist()
    spans = pairwise(problem.model.choice_start.tolist())
    return Policy.of_choices(
        problem.model, [next(k for k in range(a, b) if allowed[k]) for a, b in spans]
    )


V_stationary = Quantity("V_stat", "best return of a stationary policy that keeps the level")


def _ruined() -> Iterator[Values]:
    problem, level = g10(), Fraction(1, 10)
    model = problem.model
    for q in (Fraction(1, 1000), Fraction(1, 2), Fraction(1)):
        risky = Policy((q, 1 - q, Fraction(1), Fraction(0)))
        assert eventual_risk(problem, risky) == 1
    safe = Policy.deterministic(model, [1, 0])
    assert eventual_risk(problem, safe) == 0
    best = enclose_eventual(model, problem.unsafe, level, horizon=1)
    assert best.lower is not None
    yield {V_stationary: policy_return(model, safe), theory.V_lower: best.lower}


M7 = NamedMutant(
    "M7'",
    Ge(V_stationary, theory.V_lower),
    "a stationary policy does as well under a bound on ever meeting an unsafe state",
    _ruined,
)


def _g10_safe(hazard: Fraction) -> Case:
    """G10 under the safe action, at the level of one risk: L_1 = 1 and, with the hazard h,
    V* = 1 + (1 - h)/2 V*, U_1 = V* = 2/(1 + h), so U_1 - L_1 = (1 - h) V*/2 and the bound V*/2."""
    problem = g10(hazard)
    return problem, Policy.deterministic(problem.model, [1, 0]), hazard


def _g8_taken() -> Case:
    """G8, discounted, under its risky action."""
    problem = replace(g8(1), model=g8(1).model.with_discount(Fraction(1, 2)))
    half = Policy((Fraction(1, 2), Fraction(1, 2), *[Fraction(1), Fraction(0)] * 2))
    return problem, half, Fraction(0)


@claim(
    theory.eventual,
    over=chance_problems(safe_start=True, lasting=True, once=True, exposed=True)
    .along(acting, slack_share)
    .with_landmarks(
        **_ENDS,
        G10=lambda: _g10_safe(Fraction(1, 10)),
        rare=lambda: _g10_safe(Fraction(1, 1000)),
        G8=_g8_taken,
    ),
    mutants=(M7,),
    little_power="upper and lower bound are one number wherever the best future is a safe one",
)
def eventual(problem: ChanceProblem, policy: Policy, share: Fraction) -> Iterator[Values]:
    """Where the drawn policy is not careful enough for any level, the safest one stands for it."""
    discounted_future(problem)
    model, steps = problem.model, problem.horizon
    risk = eventual_risk(problem, policy)
    if risk == 1:
        policy = _safest(problem)
        risk = eventual_risk(problem, policy)
    level = _level(risk, share)
    now, later = (
        enclose_eventual(model, problem.unsafe, level, horizon=n) for n in (steps, steps + 1)
    )
    if now.lower is None or now.upper is None or later.lower is None or later.upper is None:
        raise ClaimError("no policy keeps a level that the drawn one keeps")
    assert now.width_bound is not None
    yield {
        foundations.gamma: model.discount,
        theory.N_steps: steps,
        theory.V_policy: policy_return(model, policy),
        theory.V_lower: now.lower,
        theory.V_upper: now.upper,
        theory.V_lower_next: later.lower,
        theory.V_upper_next: later.upper,
        theory.V_gap: now.width_bound / model.discount**steps if model.discount else Fraction(0),
    }
