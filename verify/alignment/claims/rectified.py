"""Claims on rectified costs: rationals where no exponential is needed, balls otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

import flint
import numpy as np

from holdfast.solvers.alignment import rectified as solver
from holdfast.solvers.alignment.groups import gradient
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.tilts import divergence, log_partition, mean, ready, tilt
from holdfast.solvers.hypergradient.balls import number
from holdfast.solvers.sequences import Array
from holdfast.theory import Eq, Ge, Le, Quantity
from holdfast.theory.alignment import rectified as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Ball, Values
from ..families import problems
from ..families import rectified as families
from ..families.rectified import Descent
from ..landmarks import rectified as landmarks
from ..landmarks.rectified import HALF
from ..together import together

_PROMPT_MEAN = Eq(theory.by_prompt, theory.rectified)


def _ones(where: Any) -> Array:
    """1 where it is true, 0 elsewhere, as Fractions."""
    found: Array = where + Fraction(0)
    return found


@claim(
    theory.nested,
    over=families.mixed_problems()
    .along(problems.any_policy)
    .with_landmarks(always=landmarks.always),
    mutants=(
        NamedMutant("M12-reverse", Ge(theory.average, theory.by_prompt), "average is stricter"),
        NamedMutant("M12-prompt-mean", _PROMPT_MEAN, "(E[C|x])+ for E[C+|x]"),
    ),
)
def nested(case: Problem, policy: Array) -> Iterator[Values]:
    law, costs, excess = case.prompt_law, -case.safety, solver.excess(case)
    yield {
        theory.unsafe: mean(law, policy, _ones(costs > 0)),
        theory.rectified: mean(law, policy, excess),
        theory.by_prompt: (law * solver.positive((policy * costs).sum(axis=1))).sum(),
        theory.average: mean(law, policy, costs),
        theory.c_min: excess[excess > 0].min(),
        theory.c_max: excess.max(),
    }


@claim(
    theory.values,
    over=families.mixed_problems().with_landmarks(losing=landmarks.losing),
    mutants=(NamedMutant("M12-values", Ge(theory.V_critical, theory.V_average), "reversed"),),
)
def values(case: Problem) -> Iterator[Values]:
    critical, prompt, average = solver.best_values(case)
    yield {theory.V_critical: critical, theory.V_prompt: prompt, theory.V_average: average}


@claim(theory.compensation, over=families.mixed_problems().along(families.multiplier))
def compensation(case: Problem, multiplier: Fraction) -> Iterator[Values]:
    def found() -> flint.arb:
        policy = tilt(case.reference, case.rewards + multiplier * case.safety, case.temperature)
        law, costs = ready(case.prompt_law), ready(-case.safety)
        centred = costs - mean(law, policy, costs)
        return mean(law, policy, solver.positive(centred))

    yield {theory.rectified: Ball(found)}


_NO_NUMBER = "the logarithm of a negative number is none: nothing to compare"
_ONE = families.mixed_problems(prompts=1).along(families.multiplier)


def _parts(case: Problem, multiplier: Fraction) -> dict[Quantity, flint.arb]:
    """What is said of one prompt."""
    safe = _ones(case.safety >= 0)
    weights = ready(case.reference) * np.exp(ready(case.rewards / case.temperature))
    penalty, best = solver.penalty_policy(case, multiplier), solver.critical_policy(case)
    more = solver.penalty_policy(case, multiplier + 1)
    law, excess = ready(case.prompt_law), ready(solver.excess(case))
    field, heat = case.rewards - multiplier * solver.excess(case), number(case.temperature)
    value = mean(law, best, ready(case.rewards))
    return {
        theory.leaking: mean(law, penalty, ready(1 - safe)),
        theory.Z_u: (weights * ready(1 - safe)).sum(),
        theory.Z_s: (weights * ready(safe)).sum(),
        theory.apart: divergence(case.prompt_law, best, penalty),
        theory.at_lam: mean(law, penalty, excess),
        theory.at_more: mean(law, more, excess),
        theory.dual_value: heat * log_partition(case.reference, field, heat)[0],
        theory.critical: value - heat * divergence(case.prompt_law, best, case.reference),
    }


def _exact(case: Problem, multiplier: Fraction) -> Values:
    excess = solver.excess(case)
    return {
        theory.beta: case.temperature,
        theory.lam: multiplier,
        theory.c_min: excess[excess > 0].min(),
    }


@claim(
    theory.leak,
    over=_ONE.with_landmarks(cheap=landmarks.cheap),
    survivors=dict.fromkeys(("apart == -log(-leaking)", "apart == -log(-leaking - 1)"), _NO_NUMBER),
)
def leak(case: Problem, multiplier: Fraction) -> Iterator[Values]:
    exact = _exact(case, multiplier)
    names = theory.leak.quantities - exact.keys()
    yield {**exact, **together(lambda: _parts(case, multiplier), *names)}


@claim(
    theory.dual,
    over=_ONE.with_landmarks(small_leak=landmarks.small_leak),
    mutants=(NamedMutant("RP4-attained", Eq(theory.dual_value, theory.critical), "attained"),),
    survivors=dict.fromkeys(
        (
            "-critical + dual_value == -beta*log(-leaking)",
            "-critical + dual_value == -beta*log(-leaking - 1)",
        ),
        _NO_NUMBER,
    ),
)
def dual(case: Problem, multiplier: Fraction) -> Iterator[Values]:
    exact = _exact(case, multiplier)
    names = theory.dual.quantities - exact.keys()
    yield {**exact, **together(lambda: _parts(case, multiplier), *names)}


_BOUND = Le(theory.R_pi - theory.V_critical, theory.lambda_0 * theory.rectified)


def _smallest_ratio() -> Iterator[Values]:
    """lambda_0 by the least ratio, 1/2, in the place of the largest, 2."""
    (case,) = landmarks.steep()
    policy = np.array([[Fraction(0), Fraction(1), Fraction(0)]], dtype=object)
    found = {**_penalty(case, policy), theory.lambda_0: Fraction(1, 2)}
    yield {name: found[name] for name in _BOUND.quantities}


_TEMPTING = families.mixed_problems(tempting=True).along(problems.any_policy)


def _penalty(case: Problem, policy: Array) -> dict[Quantity, Fraction]:
    exact = solver.exact_multiplier(case)
    return {
        theory.lambda_0: exact,
        theory.at_0: solver.penalised(case, exact),
        theory.above: solver.penalised(case, exact + 1),
        theory.under: solver.penalised(case, Fraction(9, 10) * exact),
        theory.V_critical: (case.prompt_law * solver.best_safe(case)).sum(),
        theory.R_pi: mean(case.prompt_law, policy, case.rewards),
        theory.rectified: mean(case.prompt_law, policy, solver.excess(case)),
    }


@claim(
    theory.exact_penalty,
    over=_TEMPTING.with_landmarks(
        attained=lambda: (
            *landmarks.steep(),
            np.array([[Fraction(0), Fraction(1), Fraction(0)]], dtype=object),
        ),
        loss=landmarks.steep_loss,
    ),
    mutants=(
        NamedMutant("M13-tenth-less", Eq(theory.under, theory.V_critical), "0.9 of lambda_0"),
        NamedMutant("RP5-min", _BOUND, "the smallest ratio", _smallest_ratio),
    ),
)
def exact_penalty(case: Problem, policy: Array) -> Iterator[Values]:
    yield _penalty(case, policy)


def _run(case: Descent, *, signed: bool = False, moves: bool = False) -> dict[Quantity, flint.arb]:
    run = solver.mirror_descent(
        case.problem, case.steps, case.step, multiplier=case.multiplier, rate=case.rate,
        signed=signed,
    )  # fmt: skip
    law, best = case.problem.prompt_law, solver.best_safe(case.problem)
    missed = case.steps * number((law * best).sum()) - sum(run.rewards)
    violated, spans = sum(run.violations), sum(run.spans)
    charged = sum(np.array(run.multipliers) * run.violations)
    found = {
        theory.K: run.start,
        theory.S: spans / case.steps,
        theory.S_sum: spans,
        theory.missed: missed,
        theory.charged: charged,
        theory.paid: missed + charged,
        theory.shortfall: missed / case.steps,
        theory.V_sum: violated,
        theory.violation: violated / case.steps,
        theory.V_squares: sum(one**2 for one in run.violations),
        theory.last: run.last,
        theory.A: run.bound(number(case.step), number(case.rate)),
    }
    if moves:
        found[theory.left] = divergence(law, solver.safe_choice(case.problem), run.policies[-1])
        found[theory.moves] = sum(divergence(law, *pair) for pair in pairwise(run.policies))
    return found


def _of(quantities: frozenset[Quantity], case: Descent, *, signed: bool = False) -> Values:
    settings = {
        theory.eta: case.step,
        theory.T: case.steps,
        theory.lam: case.multiplier,
        theory.alpha: case.rate,
        theory.lambda_0: solver.exact_multiplier(case.problem),
    }
    exact = {name: one for name, one in settings.items() if name in quantities}
    run = partial(_run, case, signed=signed, moves=theory.moves in quantities)
    return {**exact, **together(run, *(quantities - exact.keys()))}


@claim(
    theory.regret,
    over=families.descents(rising=True).with_landmarks(even=landmarks.even),
)
def regret(case: Descent) -> Iterator[Values]:
    yield _of(theory.regret.quantities, case)


_LARGER = "true: the bound is larger"
_SHARE = (
    "true for one step, where 2(1 - p)^2 <= 0.815 log(1/p) for the probability p of the best safe "
    "response; undecided for more, where differential evolution needs 0.70 of the term at most"
)


@claim(
    theory.mirror_descent,
    over=families.descents(rising=False).with_landmarks(
        just_above=landmarks.just_above,
        rare=partial(landmarks.rare, Fraction(20)),
        rare_short=partial(landmarks.rare, HALF),
        tempted=landmarks.tempted,
        long_step=partial(landmarks.long_step, False),
        long_step_unsafe=partial(landmarks.long_step, True),
    ),
    mutants=(
        NamedMutant("RP6-lambda", Le(theory.violation, theory.eps / theory.lam), "eps/lambda"),
    ),
    survivors={
        **dict.fromkeys(
            (
                "violation <= (K/(T*eta) + 11*S*eta/80)/(lam - lambda_0)",
                "violation <= (11*K/(10*T*eta) + S*eta/8)/(lam - lambda_0)",
                "violation <= (K/eta + S*eta/8)/(lam - lambda_0)",
            ),
            _LARGER,
        ),
        **dict.fromkeys(
            (
                "shortfall <= K/(T*eta) + 9*S*eta/80",
                "violation <= (K/(T*eta) + 9*S*eta/80)/(lam - lambda_0)",
            ),
            _SHARE,
        ),
    },
)
def mirror_descent(case: Descent) -> Iterator[Values]:
    yield _of(theory.mirror_descent.quantities, case)


_SUM = theory.dual_ascent.parts[4]


def _by_signed_costs() -> Iterator[Values]:
    (case,) = landmarks.compensated()
    yield _of(_SUM.quantities, case, signed=True)


@claim(
    theory.dual_ascent,
    over=families.descents(rising=True).with_landmarks(
        compensated=landmarks.compensated,
        rare=landmarks.rare_rising,
        circling=partial(landmarks.circling, Fraction(1, 8)),
        circling_far=partial(landmarks.circling, Fraction(20)),
        leaning=partial(landmarks.circling, Fraction(1), Fraction(9, 10)),
    ),
    mutants=(
        NamedMutant(
            "M14-half",
            Le(theory.V_sum, theory.lambda_0 / (2 * theory.alpha)),
            "half of lambda_0 over alpha",
        ),
        NamedMutant("RP7-signed", _SUM, "raised by E C, not by E C+", _by_signed_costs),
    ),
    survivors=dict.fromkeys(
        (
            "V_sum <= (lambda_0 + sqrt(2*A*alpha + 11*lambda_0**2/10))/alpha",
            "V_sum <= (lambda_0 + sqrt(11*A*alpha/5 + lambda_0**2))/alpha",
        ),
        _LARGER,
    ),
)
def dual_ascent(case: Descent) -> Iterator[Values]:
    yield _of(theory.dual_ascent.quantities, case)


@claim(
    theory.two_branches,
    over=families.mixed_problems(prompts=1).along(families.multiplier, families.multiplier),
    mutants=(
        NamedMutant("RP8-invariant", Eq(theory.moved, theory.unmoved), "baselines do not matter"),
    ),
)
def two_branches(case: Problem, multiplier: Fraction, k: Fraction) -> Iterator[Values]:
    policy, rewards, costs = case.reference[0], case.rewards[0], solver.excess(case)[0]
    plain = rewards - multiplier * costs
    unsafe = _ones(costs > 0)
    updates = (
        solver.two_branch_update(policy, rewards, costs, multiplier, k),
        solver.two_branch_update(policy, rewards, costs, multiplier),
        gradient(policy, plain - k),
        gradient(policy, plain),
        policy * (unsafe - (policy * unsafe).sum()),
    )
    for moved, unmoved, plain_moved, plain_unmoved, slope in zip(*updates, strict=True):
        yield {
            theory.moved: moved,
            theory.unmoved: unmoved,
            theory.plain_moved: plain_moved,
            theory.plain_unmoved: plain_unmoved,
            theory.slope: slope,
            theory.k: k,
            theory.lam: multiplier,
        }


def _lagrangian(case: Problem, multiplier: Fraction, policy: Array, heat: Fraction) -> Values:
    """With the tilt at temperature `heat`; KL is put into rewards and costs, by response."""
    field = case.rewards + multiplier * case.safety

    def combined(one: Array) -> flint.arb:
        gone = number(case.temperature) * (np.log(one) - np.log(ready(case.reference)))
        paid = ready(case.rewards) - gone - number(multiplier) * (gone - ready(case.safety))
        return mean(ready(case.prompt_law), one, paid) / (1 + number(multiplier))

    def found() -> dict[Quantity, flint.arb]:
        optimum = tilt(case.reference, field, heat)
        return {
            theory.combined: combined(ready(policy)),
            theory.best: combined(optimum),
            theory.far: divergence(case.prompt_law, policy, case.reference),
            theory.off: divergence(case.prompt_law, policy, optimum),
        }

    return {
        theory.lam: multiplier,
        theory.c_kl: case.temperature,
        theory.gain: mean(case.prompt_law, policy, field),
        **together(found, theory.combined, theory.best, theory.far, theory.off),
    }


def _at_c_kl() -> Iterator[Values]:
    """The tilt at c_kl, with lambda 1."""
    case = landmarks.tempting(Fraction(1))
    found = _lagrangian(case, Fraction(1), case.reference, case.temperature)
    yield {name: found[name] for name in theory.lagrangian.parts[1].quantities}


@claim(
    theory.lagrangian,
    over=families.mixed_problems().along(
        problems.policy, lambda draw, *_: families.multiplier(draw)
    ),
    mutants=(NamedMutant("M15-c-kl", theory.lagrangian.parts[1], "temperature c_kl", _at_c_kl),),
)
def lagrangian(case: Problem, policy: Array, multiplier: Fraction) -> Iterator[Values]:
    yield _lagrangian(case, multiplier, policy, case.temperature * (1 + multiplier))
