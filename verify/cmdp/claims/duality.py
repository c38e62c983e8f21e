"""Claims on duality: no gap, bounded multipliers, the value as a function of the budgets."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers import (
    CMDP,
    Policy,
    Solution,
    Status,
    lagrangian,
    most_feasible,
    policy_iteration,
    policy_return,
    solve,
    value_of,
)
from holdfast.solvers.cmdp.policies import scalarised_cost
from holdfast.theory import Eq, Le, Quantity
from holdfast.theory.cmdp import duality, foundations

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, OutOfScope
from ...binding.values import ClaimError, Values
from .. import landmarks
from ..families import cmdps
from ..families.cmdps import budget_step, policy


def optimum(model: CMDP) -> tuple[Solution, Fraction]:
    """The solution and its value; OutOfScope if the budgets cannot be met."""
    best = solve(model)
    if best.status is not Status.EXACT or best.value is None:
        raise OutOfScope(f"no policy meets the budgets; raise each by {best.relaxation}")
    return best, best.value


def weighted(multipliers: tuple[Fraction, ...], amounts: tuple[Fraction, ...]) -> Fraction:
    """sum_i lambda_i d_i."""
    return sum((a * b for a, b in zip(multipliers, amounts, strict=True)), Fraction(0))


def dual_value(model: CMDP, multiplier: Fraction) -> Fraction:
    """max_pi J_r - lambda (J_c - d) of a model with one cost."""
    best = policy_iteration(model, lagrangian(model, [multiplier]))
    return value_of(model, best.values) + multiplier * model.budgets[0]


@claim(
    duality.strong_duality,
    over=cmdps(constraints=(0, 3)).with_landmarks(
        G1=lambda: (landmarks.g1(),),
        G2=lambda: (landmarks.g2(),),
        no_slater=lambda: (landmarks.g1(0),),
    ),
)
def strong_duality(model: CMDP) -> Iterator[Values]:
    """The primal side is the return of the policy, the dual side the best Lagrangian value by
    policy iteration; neither is read off the linear program, whose every basis makes them equal."""
    best, _ = optimum(model)
    assert best.policy is not None
    for i, budget in enumerate(model.budgets):
        if policy_return(model, best.policy, ("cost", i)) > budget:
            raise ClaimError(f"the policy exceeds budget {i}, {budget}")
    relaxed = policy_iteration(model, lagrangian(model, best.multipliers))
    yield {
        foundations.P_star: policy_return(model, best.policy),
        duality.mu_V: value_of(model, relaxed.values),
        duality.lam_d: weighted(best.multipliers, model.budgets),
    }


reward_range = Quantity("reward_range", "(max r - min r)/(1 - gamma)")


def _unbounded_multiplier() -> Iterator[Values]:
    """G1 with the least possible budget: 100 is an optimal multiplier, the range is 3/(1/2) = 6."""
    model = landmarks.g1(0)
    assert dual_value(model, Fraction(100)) == solve(model).value
    yield {duality.Lambda: 100, reward_range: 6}


M29 = NamedMutant(
    "M29",
    Le(duality.Lambda, reward_range),
    "every optimal multiplier is bounded by the range of returns, Slater or not",
    _unbounded_multiplier,
)


@claim(
    duality.multiplier_bound,
    over=cmdps(slater=True).with_landmarks(
        bandit=lambda: (landmarks.bandit(),), G1=lambda: (landmarks.g1(),)
    ),
    mutants=(M29,),
)
def multiplier_bound(model: CMDP) -> Iterator[Values]:
    best, value = optimum(model)
    inner = most_feasible(model)
    if inner.slack <= 0:
        raise OutOfScope(f"needs Slater slack; the greatest uniform slack is {inner.slack}")
    yield {
        duality.Lambda: sum(best.multipliers, Fraction(0)),
        duality.xi: inner.slack,
        foundations.P_star: value,
        duality.J_slater: inner.reward,
    }


lam_left = Quantity("lam_left", "an optimal multiplier")
lam_right = Quantity("lam_right", "an optimal multiplier")


def _two_multipliers() -> Iterator[Values]:
    """G1 at the kink d = 1, where v has slopes 5/3 and 1: both are optimal multipliers."""
    model = landmarks.g1(1)
    ends = Fraction(5, 3), Fraction(1)
    assert all(dual_value(model, end) == solve(model).value for end in ends)
    yield {lam_left: ends[0], lam_right: ends[1]}


M11 = NamedMutant(
    "M11", Eq(lam_left, lam_right), "the optimal multiplier is unique", _two_multipliers
)


def _decreasing(draw: Draw, model: CMDP, *_: object) -> tuple[Fraction, ...]:
    """A decrease of the budgets that leaves them feasible."""
    slacks = most_feasible(model).slacks
    return tuple(-slack * draw.integer(1, 4) / 4 for slack in slacks)


@claim(
    duality.perturbation_function,
    over=cmdps()
    .along(budget_step)
    .with_landmarks(G1=lambda: (landmarks.g1(1), (Fraction(1),)))
    .with_controls(ordered_budgets=cmdps(slater=True).along(_decreasing)),
    mutants=(M11,),
)
def perturbation_function(model: CMDP, step: tuple[Fraction, ...]) -> Iterator[Values]:
    budgets = model.budgets
    moved = [
        tuple(d + share * s for d, s in zip(budgets, step, strict=True))
        for share in (Fraction(1, 2), Fraction(1))
    ]
    best, low = optimum(model)
    middle, high = (optimum(model.with_budgets(*new))[1] for new in moved)
    rise = weighted(best.multipliers, step)
    yield {
        duality.v_low: low,
        duality.v_middle: middle,
        duality.v_high: high,
        duality.lam_step: rise,
    }


Penalty = tuple[Fraction, Fraction]


def above(draw: Draw, *_: object) -> Penalty:
    """C = lambda + k/4."""
    return Fraction(1), Fraction(draw.integer(1, 8), 4)


def twice(draw: Draw, *_: object) -> Penalty:
    """C = 2 lambda + k/4."""
    return Fraction(2), Fraction(draw.integer(0, 8), 4)


def too_small(scale: Fraction) -> Penalty:
    """C a fixed share of lambda."""
    return scale, Fraction(0)


def _penalised(model: CMDP, acting: Policy, rule: Penalty) -> dict[str, Fraction]:
    best, value = optimum(model)
    lam = best.multipliers[0]
    penalty = rule[0] * lam + rule[1]
    excess = max(Fraction(0), policy_return(model, acting, ("cost", 0)) - model.budgets[0])
    suboptimality = value - policy_return(model, acting)
    return {
        "violation": excess,
        "delta": suboptimality + penalty * excess,
        "C": penalty,
        "lam": lam,
    }


def _risky_bandit(scale: Fraction, offset: Fraction) -> Case:
    """The bandit with d = 1/2 (lambda = 1) under its risky action: violation 1/2, tight."""
    model = landmarks.bandit()
    return model, Policy.deterministic(model, [0]), (scale, offset)


_ONE_COST = cmdps(constraints=(1, 1)).along(policy)


@claim(
    duality.approximate_primal,
    over=_ONE_COST.along(above)
    .with_landmarks(
        bandit=lambda: _risky_bandit(Fraction(1), Fraction(1)),
        close=lambda: _risky_bandit(Fraction(1), Fraction(1, 20)),
    )
    .with_controls(penalty=_ONE_COST.along(lambda *_: too_small(Fraction(1, 2)))),
    mutants=(
        NamedMutant(
            "delta/C",
            Le(duality.violation, duality.delta / duality.penalty),
            "the violation is at most delta / C",
        ),
    ),
)
def approximate_primal(model: CMDP, acting: Policy, rule: Penalty) -> Iterator[Values]:
    found = _penalised(model, acting, rule)
    if found["C"] > 0 and found["C"] != found["lam"]:
        yield {quantity: found[quantity.name] for quantity in _PENALISED}


_PENALISED = (duality.violation, duality.delta, duality.penalty, duality.lam)


@claim(
    duality.approximate_primal_double,
    over=_ONE_COST.along(twice)
    .with_landmarks(bandit=lambda: _risky_bandit(Fraction(2), Fraction(0)))
    .with_controls(double_penalty=_ONE_COST.along(lambda *_: too_small(Fraction(1)))),
)
def approximate_primal_double(model: CMDP, acting: Policy, rule: Penalty) -> Iterator[Values]:
    found = _penalised(model, acting, rule)
    if found["C"] > 0:
        yield {quantity: found[quantity.name] for quantity in _PENALISED[:3]}


@claim(
    duality.infeasibility,
    over=cmdps(constraints=(1, 3), feasible=False).with_landmarks(
        G2=lambda: (landmarks.g2((Fraction(3, 2), Fraction(1, 4))),),
        negative=lambda: (landmarks.negative_cost(Fraction(-21, 20)),),
    ),
)
def infeasibility(model: CMDP) -> Iterator[Values]:
    answer = solve(model)
    if answer.relaxation is None:
        raise OutOfScope("speaks of infeasible budgets, and these are feasible")
    cost = scalarised_cost(model, answer.multipliers)
    cheapest = policy_iteration(model, cost, maximise=False)
    yield {
        duality.J_scalar: value_of(model, cheapest.values),
        duality.lam_d: weighted(answer.multipliers, model.budgets),
        duality.t_star: answer.relaxation,
        duality.lam_sum: sum(answer.multipliers, Fraction(0)),
    }
