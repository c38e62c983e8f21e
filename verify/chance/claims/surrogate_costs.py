"""Claims on expected costs that stand in for a chance constraint, as printed and repaired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from sympy import Expr, Rational, sqrt

from holdfast.solvers import CMDP, Policy, Vector, evaluate, policy_return, solve
from holdfast.solvers.chance.windows.problem import WindowProblem
from holdfast.solvers.cmdp.policy_change import covers, policy_change, temporal_differences
from holdfast.theory import Le, Quantity
from holdfast.theory.chance import flipping
from holdfast.theory.chance import surrogate_costs as theory
from holdfast.theory.cmdp import foundations
from holdfast.theory.cmdp import randomisation as cmdp_randomisation

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import OutOfScope
from ...binding.proofs import Proved, calculated
from ...binding.values import ClaimError, Values
from ...cmdp import landmarks
from ...cmdp.claims import duality, randomisation
from ...cmdp.claims.randomisation import cost_discount
from ...cmdp.claims.trust_region import mean_kl
from ...cmdp.families import cmdps
from ...cmdp.families.cmdps import covering_policy, policy
from ...cmdp.returns import proved_return, return_within_budgets
from ..families.windows import hazards, one_shots, watched_models
from ..landmarks.windows import always_unsafe, at_rest, ce2, ce2_flips, ce3, for_ever, late_risk
from ..returns import start_risk, start_safety
from .flipping import next_law, solved


def unsafe_cost(
    model: CMDP, unsafe: Sequence[int], weight: Fraction | int = 1
) -> tuple[Fraction, ...]:
    """For each choice `weight` times the probability that the next state is unsafe."""
    return tuple(
        weight * sum((p for t, p in model.transition_row(k) if t in unsafe), Fraction(0))
        for k in range(model.n_choices)
    )


def discounted_unsafe(problem: WindowProblem, acting: Policy, discount: Fraction) -> Proved:
    """H = E sum over i >= 1 of discount^i 1[s_i unsafe], un-normalised, from the initial law."""
    cost = unsafe_cost(problem.model, problem.unsafe, discount)
    return proved_return(problem.model.with_discount(discount), acting, cost)


def _acting(draw: Draw, problem: WindowProblem, *_: object) -> Policy:
    return policy(draw, problem.model)


def _covering(draw: Draw, problem: WindowProblem, other: Policy) -> Policy:
    return covering_policy(draw, problem.model, other)


_COSTED = watched_models().along(_acting, cost_discount)


def _three_actions() -> Iterator[Values]:
    """A policy with three actions, against more than any flip that is safe enough is worth."""
    problem, acting = ce2()
    assert start_safety(problem, acting) >= 1 - problem.level
    yield {
        flipping.V_star: proved_return(problem.model, acting),
        flipping.V_flip: ce2_flips(),
    }


M2 = NamedMutant(
    "M2",
    Le(flipping.V_star, flipping.V_flip),
    "two actions are enough for one joint constraint too, among stationary policies",
    _three_actions,
)


@claim(theory.two_actions, over=_COSTED, mutants=(M2,))
def two_actions(problem: WindowProblem, acting: Policy, discount: Fraction) -> Iterator[Values]:
    model = problem.model
    costed = model.with_costs([unsafe_cost(model, problem.unsafe, discount)], [0])
    for values in randomisation.coordinate_vertex.evaluate(costed, acting, discount):
        renamed = {
            cmdp_randomisation.cost_before: theory.H_before,
            cmdp_randomisation.cost_after: theory.H_after,
        }
        yield {renamed.get(quantity, quantity): value for quantity, value in values.items()}


@claim(
    theory.cumulative_costs,
    over=cmdps(constraints=(1, 1), feasible=None)
    .along(policy, cost_discount)
    .with_landmarks(negative=lambda: (landmarks.negative_cost(Fraction(0)),)),
)
def cumulative_costs(model: CMDP, acting: Policy, discount: Fraction) -> Iterator[Values]:
    yield from randomisation.coordinate_vertex.evaluate(model, acting, discount)


@claim(
    theory.cost_range,
    over=_COSTED.with_landmarks(
        always=always_unsafe, patient=lambda: always_unsafe(Fraction(99, 100))
    ),
)
def cost_range(problem: WindowProblem, acting: Policy, discount: Fraction) -> Iterator[Values]:
    yield {
        theory.H_cost: discounted_unsafe(problem, acting, discount),
        theory.gamma_c: discount,
    }


def worst_risk(problem: WindowProblem) -> Proved:
    """The largest risk of any policy with H <= alpha, where a state is unsafe in the first step or
    never: a constrained problem with the risk for the reward.  gamma_c is the model's discount."""
    model = problem.model
    risk = unsafe_cost(model, problem.unsafe)
    cost = unsafe_cost(model, problem.unsafe, model.discount)
    found = solve(model.with_reward(risk).with_costs([cost], [problem.level]))
    if found.value is None:
        raise ClaimError("no policy has H = 0, though the first action is safe")
    return Proved(found.value, found.certificate)


_ONE_SHOTS = one_shots().with_landmarks(
    **{
        "CE-3": lambda: ce3()[:1],
        "CE-3 patient": lambda: ce3(Fraction(999, 1000), Fraction(1, 100))[:1],
        "CE-3 sure": lambda: ce3(Fraction(1, 2), Fraction(3, 4))[:1],
    }
)


def _least_excess(problem: WindowProblem) -> Values:
    """H of the policy with the risk alpha (1 + 1/gamma_c)/2, between alpha and the worst."""
    gamma_c = problem.model.discount
    acting = ce3(gamma_c, problem.level)[1]
    return {
        flipping.T_window: problem.window,
        theory.H_cost: discounted_unsafe(problem, acting, gamma_c),
    }


@claim(theory.discounted_cost, over=_ONE_SHOTS, witness="CE-3", shows=_least_excess)
def discounted_cost(problem: WindowProblem) -> Iterator[Values]:
    """Every draw refutes it, so no discount and no window is the one that exists."""
    yield {theory.risk_worst: worst_risk(problem), theory.alpha: problem.level}


@claim(theory.worst_case, over=_ONE_SHOTS)
def worst_case(problem: WindowProblem) -> Iterator[Values]:
    yield {
        theory.risk_worst: worst_risk(problem),
        theory.alpha: problem.level,
        theory.gamma_used: problem.model.discount,
    }


@claim(
    theory.conservative,
    over=hazards().with_landmarks(**{"CE-3": lambda: ce3()[:1]}),
    witness="CE-3",
    shows=lambda problem: {theory.alpha: problem.level},
)
def conservative(problem: WindowProblem) -> Iterator[Values]:
    """Both problems have the model's own discount, so that both are linear programs."""
    model = problem.model
    cost = unsafe_cost(model, problem.unsafe, model.discount)
    costed, best = solve(model.with_costs([cost], [problem.level])), solved(problem)
    if costed.value is None:
        raise ClaimError("no policy meets the discounted cost, though the first action is safe")
    yield {
        theory.V_cost: Proved(costed.value, costed.certificate),
        theory.V_chance: Proved(best.value, best.certificate),
    }


@claim(
    theory.always_stochastic,
    over=cmdps(constraints=(1, 1)).with_landmarks(
        G1=lambda: (landmarks.g1(),), kink=lambda: (landmarks.g1(1),)
    ),
    witness="kink",
)
def always_stochastic(model: CMDP) -> Iterator[Values]:
    """The deterministic policies that a basic optimal policy mixes: itself, or two, one of which is
    within the budget."""
    best, value = duality.optimum(model)
    assert best.policy is not None
    mixed = randomisation.resolutions(model, best.policy)
    ends = (best.policy,) if mixed is None else mixed[2:]
    kept = [e for e in ends if policy_return(model, e, ("cost", 0)) <= model.budgets[0]]
    if not kept:
        raise ClaimError("a mixture is within the budget, but neither of its parts")
    for end in kept:
        yield {
            theory.J_deterministic: return_within_budgets(model, end),
            theory.J_optimal: Proved(value, best.certificate),
        }


J_step = Quantity("J_new", "discounted cost after the step, the first at weight 1")
alpha_advantage = Quantity("alpha_adv", "level met by the cost linearised with the advantage")
eta_safe = Quantity("eta_safe", "largest expected raw cost over the safe states")


def _advantage_step() -> Iterator[Values]:
    model, unsafe, new, old = late_risk()
    cost = unsafe_cost(model, unsafe)
    values = evaluate(model, old, Vector.of(cost)).fractions()
    change = policy_change(model, old, new, values, cost)
    linearised = change.old_return + change.surrogate / (1 - model.discount)
    yield {
        foundations.gamma: model.discount,
        J_step: proved_return(model, new, cost),
        alpha_advantage: _advantage_level(model, new, old, cost, linearised),
        theory.eta: max(_raw(model, new, cost)),
        theory.kl: mean_kl(model, new, old),
    }


def _safe_states_only() -> Iterator[Values]:
    problem, new, old = for_ever()
    for values in step_bound.evaluate(problem, new, old):
        raw = _raw(problem.model, new, unsafe_cost(problem.model, problem.unsafe))
        kept = {q: value for q, value in values.items() if q != theory.eta}
        yield {**kept, eta_safe: max(raw[s] for s in problem.safe)}


def _bound(level: Quantity, largest: Quantity) -> Expr:
    return level + sqrt(2 * theory.kl) * foundations.gamma * largest / (1 - foundations.gamma) ** 2


_SECOND = _bound(theory.alpha_step, theory.eta) - theory.alpha_step
_HALF_IS_ENOUGH = "true: half of the second term is enough, by the proof"
_ROOM = "not known to be false: half of the second term is enough, which leaves room"
STEP_MUTANTS = (
    NamedMutant(
        "advantage",
        Le(J_step, _bound(alpha_advantage, theory.eta)),
        "the cost is linearised with the advantage, and its error bounded with the raw cost",
        _advantage_step,
    ),
    NamedMutant(
        "safe states",
        Le(theory.H_step, _bound(theory.alpha_step, eta_safe)),
        "the largest raw cost is taken over the safe states",
        _safe_states_only,
    ),
)


@claim(
    theory.step_bound,
    over=watched_models()
    .along(_acting, _covering)
    .with_landmarks(**{"for ever": for_ever, "at rest": at_rest}),
    mutants=STEP_MUTANTS,
    survivors={
        Le(Rational(11, 10) * theory.H_step, theory.alpha_step + _SECOND): _ROOM,
        Le(theory.H_step, Rational(9, 10) * theory.alpha_step + _SECOND): _ROOM,
        Le(theory.H_step, theory.alpha_step + sqrt(Rational(9, 10)) * _SECOND): _HALF_IS_ENOUGH,
        Le(theory.H_step, theory.alpha_step + Rational(9, 10) * _SECOND): _HALF_IS_ENOUGH,
        Le(theory.H_step, theory.alpha_step + sqrt(theory.kl) * _SECOND): "not known to be false, "
        "and true where KL >= 1/4, since half of the second term is enough",
    },
)
def step_bound(problem: WindowProblem, new: Policy, old: Policy) -> Iterator[Values]:
    """alpha_s is one return of the old policy: that of gamma c plus, in each state, the raw cost of
    the new actions."""
    model = problem.model
    if not covers(old, new):
        raise OutOfScope("the new policy takes an action that the old one never takes")
    cost, gamma = unsafe_cost(model, problem.unsafe), model.discount
    raw = _raw(model, new, cost)
    linearised = [
        gamma * c + raw[s] for c, s in zip(cost, model.choice_states.tolist(), strict=True)
    ]
    yield {
        foundations.gamma: gamma,
        theory.H_step: proved_return(model, new, [gamma * c for c in cost]),
        theory.alpha_step: proved_return(model, old, linearised),
        theory.eta: max(raw),
        theory.kl: mean_kl(model, new, old),
    }


def _raw(model: CMDP, new: Policy, cost: Sequence[Fraction]) -> list[Fraction]:
    """E_new[c] in each state."""
    raw = [Fraction(0)] * model.n_states
    for k, s in enumerate(model.choice_states.tolist()):
        raw[s] += new.probabilities[k] * cost[k]
    return raw


def _advantage_level(
    model: CMDP, new: Policy, old: Policy, cost: Sequence[Fraction], linearised: Fraction
) -> Proved:
    """max(0, J + L/(1 - gamma)), which is the old policy's return of the cost plus what the new
    one changes in each state: sum over a of (new - old)(a|s) delta(s, a)."""
    values = evaluate(model, old, Vector.of(cost)).fractions()
    deltas = temporal_differences(model, cost, values)
    owner = model.choice_states.tolist()
    gains = [Fraction(0)] * model.n_states
    for k, s in enumerate(owner):
        gains[s] += (new.probabilities[k] - old.probabilities[k]) * deltas[k]
    function = [c + gains[s] for c, s in zip(cost, owner, strict=True)]
    tree = ["max", "0", ["symbol", "linearised"]]
    found = proved_return(model, old, function)
    return calculated(max(linearised, Fraction(0)), tree, linearised=found)


def safe_steps(problem: WindowProblem, acting: Policy) -> Fraction:
    """Sum over i = 1, ..., T of the probability that s_i is safe, forwards from the initial law."""
    model = problem.model
    law, total = model.initial_vector().fractions(), Fraction(0)
    for _ in range(problem.window):
        law = next_law(model, law, acting)
        total += sum((law[s] for s in problem.safe), Fraction(0))
    return total


@claim(theory.union_of_steps, over=watched_models().along(_acting))
def union_of_steps(problem: WindowProblem, acting: Policy) -> Iterator[Values]:
    summed = replace(problem, additive=True)
    yield {
        theory.risk_window: start_risk(problem, acting),
        theory.boole: start_risk(summed, acting),
        theory.safe_sum: safe_steps(problem, acting),
        flipping.T_window: problem.window,
    }
