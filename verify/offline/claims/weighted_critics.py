"""Claims on weighted critics against any covered reference: exact, on finite classes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from math import isqrt
from typing import Any

import flint
from sympy import Rational, sqrt

from holdfast.solvers import Policy
from holdfast.solvers.hypergradient.balls import number
from holdfast.solvers.offline.critics import critic
from holdfast.solvers.offline.data_errors import data_errors, largest_weight_norm, unrealised
from holdfast.solvers.offline.no_regret import doubling
from holdfast.solvers.offline.problems import OfflineProblem, Signal, concentrability
from holdfast.solvers.offline.wsac import Gaps, Run, Weights, gaps, mixture_return, train
from holdfast.solvers.sequences import Array, objects
from holdfast.theory import Le, Quantity, Relation
from holdfast.theory.offline import coverage, safe_improvement
from holdfast.theory.offline import weighted_critics as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw, PhiloxDraw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ..families import problems as families
from ..landmarks import bandits as landmarks
from ..landmarks import extremal
from .safe_improvement import POSITIVE, SMALL, outcome

_LAM, _V = safe_improvement.lam, safe_improvement.V
_PHI, _REGRET = safe_improvement.phi, theory.linear_regret


def _rounds(variant: str, **how: Any) -> Family:
    return families.problems().along(families.multiplier, families.rounds(variant, **how))  # type: ignore[arg-type]


def _stochastic(policy: Policy) -> Fraction:
    return sum((p * (1 - p) for p in policy.probabilities), Fraction(0))


def _met(case: OfflineProblem, multiplier: Fraction, run: Run) -> Values:
    told = [x for payoff in run.payoffs for x in payoff]
    found = gaps(case, run, multiplier)
    return {
        theory.stochastic: _stochastic(case.reference),
        theory.reward_gap: found.reward,
        safe_improvement.eps_opt: found.linear,
        _PHI: found.phi,
        _V: case.horizon,
        _LAM: multiplier,
        safe_improvement.lowest: min(told),
        safe_improvement.highest: max(told),
    }


@claim(
    theory.lemma_literal,
    over=_rounds("paper").with_landmarks(
        means=landmarks.average_of_parts, hedge=lambda: landmarks.jensen(16)
    ),
    witness="means",
    shows=_met,
)
def lemma_literal(case: OfflineProblem, multiplier: Fraction, run: Run) -> Iterator[Values]:
    found = gaps(case, run, multiplier)
    yield {theory.reward_gap: found.reward, safe_improvement.eps_opt: found.linear}


@claim(
    theory.lemma_constant,
    over=_rounds("paper").with_landmarks(clean=landmarks.range_clean, regret=landmarks.full_regret),
    witness="clean",
    shows=_met,
)
def lemma_constant(case: OfflineProblem, multiplier: Fraction, run: Run) -> Iterator[Values]:
    found = gaps(case, run, multiplier)
    yield {
        theory.cost_gap: found.cost,
        safe_improvement.eps_opt: found.linear,
        _V: case.horizon,
        _LAM: multiplier,
    }


def _concave(found: Gaps, case: OfflineProblem, multiplier: Fraction) -> Values:
    return {
        theory.reward_gap: found.reward,
        theory.cost_gap: found.cost,
        _PHI: found.phi,
        _REGRET: found.linear,
        _V: case.horizon,
        _LAM: multiplier,
    }


@claim(
    theory.concave,
    over=_rounds("concave")
    .with_landmarks(
        clean=lambda: landmarks.range_clean("concave"),
        small=lambda: landmarks.small_multiplier("concave"),
    )
    .with_controls(ranges=_rounds("concave", scale=-3)),
    mutants=(
        NamedMutant("M10", Le(theory.cost_gap, _PHI + _V / _LAM), "the printed constant"),
    ),
)  # fmt: skip
def concave(case: OfflineProblem, multiplier: Fraction, run: Run) -> Iterator[Values]:
    yield _concave(gaps(case, run, multiplier), case, multiplier)


def _parts_of(case: OfflineProblem, cost: Any) -> Array:
    """sum_a ref(a|s) {f_c(s, a) - f_c(s, ref)}_+, [S]."""
    excess = objects(cost) - case.spread(case.under(cost, case.reference))
    return case.under([max(x, Fraction(0)) for x in excess], case.reference)


@claim(
    theory.linear,
    over=_rounds("paper").with_landmarks(means=landmarks.average_of_parts),
    mutants=(
        NamedMutant("M8", Le(theory.reward_gap + _LAM * theory.cost_gap, _REGRET),
                    "line 7's payoffs, a stochastic reference"),
    ),
)  # fmt: skip
def linear(case: OfflineProblem, multiplier: Fraction, run: Run) -> Iterator[Values]:
    found, states = gaps(case, run, multiplier), case.by_state(case.occupancy(case.reference))
    added = [(states * _parts_of(case, f_c)).sum() for f_c in run.cost_critics]
    yield {
        theory.reward_gap: found.reward,
        theory.cost_gap: found.cost,
        _REGRET: found.linear,
        theory.deviation: sum(added, Fraction(0)) / len(added),
        _LAM: multiplier,
    }


_EXTREMAL = extremal.reference_cases()
_CASES = {name: partial(_EXTREMAL.__getitem__, name) for name in _EXTREMAL}


def _population(draw: Draw, case: OfflineProblem, *_: object) -> OfflineProblem:
    return case


def _sampled(
    betas: tuple[Fraction, ...] = families.LARGE, *, weighted: bool = True, sampled: bool = True
) -> Family:
    family = families.perturbed_problems(weighted=weighted)
    seen, rounds = (families.data, families.few) if sampled else (_population, lambda *_: 1)
    return family.along(seen, families.weights(betas), families.start, rounds)


def _steps() -> Family:
    return (
        _sampled()
        .with_landmarks(**_CASES)
        .with_controls(weight=_sampled(weighted=False, sampled=False), two=_sampled(families.SMALL))
    )


def _step(
    truth: OfflineProblem, seen: OfflineProblem, weights: Weights, policy: Policy, signal: Signal
) -> tuple[Fraction, Fraction, Fraction, Values]:
    """J(ref) - J(pi), E_d [f(s, ref) - f(s, pi)], the same under mu's states, and the errors."""
    beta = weights.reward if signal == "reward" else weights.cost
    f = critic(seen, policy, signal, beta)
    gap = truth.under(f, truth.reference) - truth.under(f, policy)
    lost = truth.normalised_return(truth.reference, signal) - truth.normalised_return(
        policy, signal
    )
    shown, elsewhere = (
        Fraction((truth.by_state(law) * gap).sum())
        for law in (truth.occupancy(truth.reference), truth.law)
    )
    played = tuple(dict.fromkeys((policy, truth.behaviour, truth.reference)))
    errors = data_errors(truth, seen, (policy,), signal)
    eps_L, eps_E = (
        (safe_improvement.eps_L, safe_improvement.eps_E)
        if signal == "reward"
        else (safe_improvement.eps_Lc, safe_improvement.eps_Ec)
    )
    return lost, shown, elsewhere, {
        eps_L: errors[0],
        eps_E: errors[1],
        safe_improvement.eps1: unrealised(truth, played, signal),
        safe_improvement.C2: largest_weight_norm(truth),
        safe_improvement.beta_r if signal == "reward" else safe_improvement.beta_c: beta,
    }  # fmt: skip


_ELSEWHERE = Quantity("lost_elsewhere", "J(ref) - J(pi) less the gap under the states of mu")


def _under_mu() -> Iterator[Values]:
    """Realisable problems without errors, beta = 2, with the gap under the states of the data."""
    for index in range(40):
        case = families.problem(PhiloxDraw("under-mu", index))
        found = _step(case, case, Weights(), case.policies[-1], "reward")
        yield {_ELSEWHERE: found[0] - found[2]}


def _loose(left: Any, right: Any, beta: Any, eps_L: Any, eps_E: Any) -> dict[Relation | str, str]:
    """Variants of a step that nothing refutes."""
    norm, root = sqrt(safe_improvement.C2), sqrt(safe_improvement.eps1)

    def step(first: Any = 2 * eps_L, second: Any = eps_E, norm: Any = norm) -> Relation:
        return Le(left, right + first + (beta + 2) * second + (beta * norm + 2) * root)

    return {
        step(first=2): SMALL,
        step(second=1): SMALL,
        step(norm=safe_improvement.C2): "true: weaker, as W has the constant 1 and C2 >= 1",
    }


@claim(
    theory.reward_step,
    over=_steps(),
    survivors=_loose(
        theory.lost_k,
        theory.shown_r,
        safe_improvement.beta_r,
        safe_improvement.eps_L,
        safe_improvement.eps_E,
    ),
    mutants=(NamedMutant("states", Le(_ELSEWHERE, 0), "the gap under mu's states", _under_mu),),
)
def reward_step(
    truth: OfflineProblem, seen: OfflineProblem, weights: Weights, policy: Policy, _: int
) -> Iterator[Values]:
    lost, shown, _elsewhere, errors = _step(truth, seen, weights, policy, "reward")
    yield {theory.lost_k: lost, theory.shown_r: shown, **errors}


@claim(
    theory.cost_step,
    over=_steps(),
    survivors=_loose(theory.added_k, theory.shown_c, safe_improvement.beta_c,
                     safe_improvement.eps_Lc, safe_improvement.eps_Ec),
)  # fmt: skip
def cost_step(
    truth: OfflineProblem, seen: OfflineProblem, weights: Weights, policy: Policy, _: int
) -> Iterator[Values]:
    lost, shown, _elsewhere, errors = _step(truth, seen, weights, policy, "cost")
    yield {theory.added_k: -lost, theory.shown_c: -shown, **errors}


def _drawn_misled(draw: Draw) -> landmarks.Misled:
    N, constant = 10 ** draw.integer(4, 9), 10 ** draw.integer(0, 2)
    multiplier = draw.integer(0, 50)
    if multiplier > 5:
        return landmarks.misled(multiplier, N, constant)
    make = landmarks.misled_at_three if multiplier % 2 else landmarks.misled_at_two
    return make(N, constant)


def _run(case: landmarks.Misled) -> tuple[Run, Gaps, Fraction]:
    """Three rounds as printed, on infinite data; and J_c of the mixture less the reference's."""
    problem, multiplier = case.problem, case.multiplier
    weights = Weights(multiplier, Fraction(2), 2 / multiplier)
    run = train(problem, doubling(1), 3, weights, start=case.start, variant="paper")
    added = mixture_return(problem, run.policies, "cost")
    added -= problem.normalised_return(problem.reference, "cost")
    return run, gaps(problem, run, multiplier), added


def _sizes(case: landmarks.Misled) -> tuple[int, Fraction, Fraction]:
    """|F| |G| |Pi| |W|, the largest square of W, B_w."""
    p = case.problem
    count = len(p.rewards) * len(p.costs) * len(p.policies) * len(p.weights)
    return count, largest_weight_norm(p), max(map(max, p.weights))


def _failing(case: landmarks.Misled) -> flint.arb:
    """By Hoeffding's inequality for the frequency of the first action, where the run on data is
    that on infinite data; 0 where the bound is not exceeded."""
    _, found, added = _run(case)
    count, norm, top = _sizes(case)
    log = number(count / case.failure).log() / case.N
    stat = (number(norm) * log).sqrt() + number(top) * log
    bound = number(case.constant) * stat + number(found.linear + 1 / case.multiplier)
    if not number(added) > bound:
        return flint.arb(0)
    margin = case.problem.law[0] - case.threshold
    return 1 - number(-2 * case.N * margin**2).exp()


def _shown_misled(case: landmarks.Misled) -> Values:
    run, found, added = _run(case)
    problem = case.problem
    count, norm, top = _sizes(case)
    played = tuple(dict.fromkeys((*run.policies, *problem.policies)))
    square, _, _ = concentrability(problem.occupancy(problem.reference), problem.law)
    return {
        coverage.N: case.N,
        theory.critics: count,
        theory.c: case.constant,
        theory.B_w: top,
        theory.ref_square: square,
        theory.stochastic: _stochastic(problem.reference),
        theory.added_bar: added,
        safe_improvement.unrealised: max(
            unrealised(problem, played, "reward"), unrealised(problem, played, "cost")
        ),
        safe_improvement.C2: norm,
        safe_improvement.beta: 2,
        safe_improvement.eps_opt: found.linear,
        safe_improvement.highest: max(max(payoff) for payoff in run.payoffs),
        safe_improvement.outside: int(problem.behaviour not in problem.policies),
        _LAM: case.multiplier,
        _V: problem.horizon,
    }


@claim(
    theory.reference_printed,
    over=Family("bandits that mislead the cost critic", _drawn_misled).with_landmarks(
        twenty=lambda: (landmarks.misled(),),
        three=lambda: (landmarks.misled_at_three(),),
        two=lambda: (landmarks.misled_at_two(),),
    ),
    witness="twenty",
    shows=_shown_misled,
)
def reference_printed(case: landmarks.Misled) -> Iterator[Values]:
    yield {theory.failing: Ball(partial(_failing, case)), coverage.delta: case.failure}


def _error(beta: Fraction, errors: tuple[Fraction, Fraction], norm: Fraction, off: Fraction) -> Any:
    """2 eps_L + (beta + 2) eps_E + (beta sqrt(C2) + 2) sqrt(eps1): exact where the roots are."""
    exact = 2 * errors[0] + (beta + 2) * errors[1]
    if not off:
        return exact
    roots = [Fraction(isqrt(x.numerator), isqrt(x.denominator)) for x in (norm, off)]
    if [root**2 for root in roots] == [norm, off]:
        return exact + (beta * roots[0] + 2) * roots[1]

    def ball() -> flint.arb:
        weight = number(beta) * number(norm).sqrt() + 2
        return number(exact) + weight * number(off).sqrt()

    return Ball(ball)


@claim(
    theory.reference,
    over=_sampled()
    .with_landmarks(**_CASES)
    .with_controls(weight=_sampled(weighted=False, sampled=False), two=_sampled(families.SMALL)),
    survivors={
        Le(Rational(9, 10) * theory.added_bar, (_PHI + _V) / _LAM + theory.errors_c): POSITIVE,
        Le(theory.added_bar, Rational(11, 10) * ((_PHI + _V) / _LAM) + theory.errors_c): POSITIVE,
    },
)
def reference(
    truth: OfflineProblem, seen: OfflineProblem, weights: Weights, start: Policy, rounds: int
) -> Iterator[Values]:
    found = outcome(truth, seen, weights, start, rounds)
    norm, mixed = largest_weight_norm(truth), partial(mixture_return, truth, found.run.policies)
    yield {
        theory.lost_bar: truth.normalised_return(truth.reference, "reward") - mixed("reward"),
        theory.added_bar: mixed("cost") - truth.normalised_return(truth.reference, "cost"),
        theory.errors_r: _error(weights.reward, found.rewards, norm, found.unrealised),
        theory.errors_c: _error(weights.cost, found.costs, norm, found.unrealised),
        _PHI: found.phi,
        _V: truth.horizon,
        _LAM: weights.multiplier,
    }
