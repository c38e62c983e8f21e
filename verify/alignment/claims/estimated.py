"""Claims on what errors of reward and safety cost: the errors are given, and balls decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import flint
import numpy as np
from sympy import Abs

from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.tilts import objective, ready
from holdfast.theory import Le, Quantity
from holdfast.theory.alignment import estimated as theory
from holdfast.theory.alignment import stepwise

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.values import Ball, Values
from ...hypergradient.families.points import numbers
from ..families import estimated as families
from ..families.estimated import ESTIMATED, ORDERED, Estimated
from ..families.stepwise import KNOWN, Known
from ..landmarks import designs as linear
from ..landmarks import estimated as landmarks
from ..together import together
from .designs import printed_violation

Balls = Mapping[Quantity, flint.arb]

_EXTREMAL = ESTIMATED.with_landmarks(
    under=lambda: (landmarks.under(),),
    under_twice=lambda: (landmarks.under(2),),
    over=lambda: (landmarks.over(),),
    over_twice=lambda: (landmarks.over(2),),
    swapped=lambda: (landmarks.swapped(),),
    swapped_twice=lambda: (landmarks.swapped(2),),
    unsafe=lambda: (landmarks.swapped_safety(),),
    unsafe_twice=lambda: (landmarks.swapped_safety(2),),
    safe=lambda: (landmarks.swapped_safety(1, -1),),
    no_multiplier=lambda: (landmarks.only_multiplier("0"),),
    larger_multiplier=lambda: (landmarks.only_multiplier("21/10"),),
)


def _any_f(draw: Draw, case: Estimated) -> Any:
    return numbers(draw, *case.known.problem.reference.shape)


@claim(theory.difference, over=ESTIMATED.along(_any_f))
def difference(case: Estimated, f: Any) -> Iterator[Values]:
    problem = case.known.problem
    true, fitted = (
        case.objective(case.known.multiplier),
        case.objective(case.multiplier, estimated=True),
    )

    def found() -> Balls:
        best, rival = case.optimum(), case.policy()
        J = partial(
            objective, problem.prompt_law, reference=problem.reference, f=f,
            temperature=problem.temperature,
        )  # fmt: skip
        return {
            theory.J_star: J(best),
            theory.J_hat: J(rival),
            theory.at_star: case.mean(best, f - true),
            theory.at_hat: case.mean(rival, fitted - f),
            theory.log_ratio: (ready(problem.prompt_law) * case.log_ratios()).sum(),
        }

    quantities = theory.difference.quantities - {theory.beta}
    yield {theory.beta: problem.temperature, **together(found, *quantities)}


def _moved(known: Known, weight: Fraction) -> flint.arb:
    """E (c - lam) g under the optimum."""
    gain = known.safety(known.tilted(known.multiplier))
    return ready(weight - known.multiplier) * gain


def _weight(draw: Draw, known: Known) -> Fraction:
    """0 where the constraint is slack."""
    return Fraction(0) if known.slack else Fraction(draw.integer(0, 6), 2)


def _any_weight(draw: Draw, known: Known) -> Fraction:
    return Fraction(draw.integer(0, 6), 2)


@claim(
    theory.level,
    over=KNOWN.along(_weight).with_controls(active=KNOWN.along(_any_weight)),
)
def level(known: Known, weight: Fraction) -> Iterator[Values]:
    yield {
        stepwise.lam: known.multiplier,
        theory.c: weight,
        stepwise.b: Ball(known.level),
        theory.moved: Ball(partial(_moved, known, weight)),
    }


def _slack_constraint() -> tuple[Known, Fraction]:
    """Reference (1/2, 1/2), r = 0, g = (0, 1), b = 1/4 of 1/2, and c = 1/2."""
    case = Problem.of(["1/2", "1/2"], [0, 0], [0, 1])
    return Known(case, Fraction(0), Fraction(1, 4)), Fraction(1, 2)


def _safest(known: Known) -> Any:
    """The policy that gives the safest response to each prompt."""
    safety = known.problem.safety
    safest = safety * 0
    for x, row in enumerate(safety):
        safest[x, row.argmax()] = Fraction(1)
    return safest


def _largest_multiplier(known: Known) -> flint.arb:
    """Lambda by the safest policy: (R* - R(safest)) over its G - b."""
    safest = _safest(known)
    lost = known.value(known.tilted(known.multiplier)) - known.value(safest)
    return lost / _margin(known, safest)


def _margin(known: Known, policy: Any) -> flint.arb:
    """G - b of a policy."""
    found: flint.arb = known.safety(policy) - known.level()
    return found


def _met(known: Known, weight: Fraction) -> Values:
    def above() -> flint.arb:
        return _margin(known, known.tilted(known.multiplier))

    return {
        theory.Lambda: Ball(partial(_largest_multiplier, known)),
        stepwise.xi: Ball(lambda: _margin(known, _safest(known))),
        stepwise.beta: known.problem.temperature,
        theory.above: Ball(above),
        theory.slack: Ball(lambda: ready(known.multiplier) * above()),
    }


@claim(
    theory.level_printed,
    over=KNOWN.along(_any_weight).with_landmarks(slack=_slack_constraint),
    witness="slack",
    shows=_met,
)
def level_printed(known: Known, weight: Fraction) -> Iterator[Values]:
    yield from level.evaluate(known, weight)


_BOUND_OF_SUM = Le(
    Abs(theory.eta - theory.h_hat),
    theory.alpha * (theory.U_r + theory.c * theory.U_g) + Abs(theory.c + theory.lam_hat) * theory.B,
)


@claim(
    theory.width,
    over=_EXTREMAL.along(families.weight, families.response).with_landmarks(
        above=lambda: (landmarks.under(2, ("2", "1")), Fraction(3), (0, 1)),
        below=lambda: (landmarks.under(2, ("2", "3")), Fraction(1), (0, 1)),
    ),
    mutants=(
        NamedMutant(
            "width-no-rest",
            Le(Abs(theory.eta - theory.h_hat), theory.alpha * (theory.U_r + theory.c * theory.U_g)),
            "the weight's error costs nothing",
        ),
    ),
    survivors={
        _BOUND_OF_SUM: "true: neither weight is negative",
    },
)
def width(case: Estimated, weight: Fraction, at: tuple[int, int]) -> Iterator[Values]:
    yield {
        theory.eta: case.objective(weight)[at],
        theory.h_hat: case.objective(case.multiplier, estimated=True)[at],
        theory.alpha: case.alpha,
        theory.U_r: case.reward_width[at],
        theory.U_g: case.safety_width[at],
        theory.c: weight,
        theory.lam_hat: case.multiplier,
        theory.B: case.bound,
    }


@claim(theory.ratio, over=_EXTREMAL.along(families.response))
def ratio(case: Estimated, at: tuple[int, int]) -> Iterator[Values]:
    def found() -> Balls:
        return {
            theory.pi_star: case.optimum()[at],
            theory.pi_hat: case.policy()[at],
            theory.Z_ratio: case.log_ratios()[at[0]].exp(),
        }

    yield {
        theory.h_star: case.objective(case.known.multiplier)[at],
        theory.h_hat: case.objective(case.multiplier, estimated=True)[at],
        theory.beta: case.known.problem.temperature,
        **together(found, theory.pi_star, theory.pi_hat, theory.Z_ratio),
    }


def _exponentials(case: Estimated, bound: Fraction, times: int = 1) -> Any:
    """exp(times Gamma(lam)/beta), [X, Y], in balls."""
    spread = case.spread(case.known.multiplier, bound)
    return np.exp(ready(spread * (times / case.known.problem.temperature)))


@claim(theory.partition, over=_EXTREMAL.along(families.response))
def partition(case: Estimated, at: tuple[int, int]) -> Iterator[Values]:
    def found() -> Balls:
        best, factors = case.optimum(), _exponentials(case, case.bound)
        logs = case.log_ratios()
        return {
            theory.Z_ratio: logs[at[0]].exp(),
            theory.spread: (best[at[0]] * factors[at[0]]).sum(),
            theory.log_ratio: (ready(case.known.problem.prompt_law) * logs).sum(),
            theory.log_spread: case.mean(best, factors).log(),
        }

    yield together(found, *theory.partition.quantities)


@claim(theory.variational, over=_EXTREMAL)
def variational(case: Estimated) -> Iterator[Values]:
    lam = case.known.multiplier

    def found() -> Balls:
        best = case.optimum()
        short = case.objective(lam) - case.objective(case.multiplier, estimated=True)
        return {
            theory.log_ratio: (ready(case.known.problem.prompt_law) * case.log_ratios()).sum(),
            theory.short: case.mean(best, short),
            theory.wide: case.mean(best, case.spread(lam, case.bound)),
        }

    quantities = theory.variational.quantities - {theory.beta}
    yield {theory.beta: case.known.problem.temperature, **together(found, *quantities)}


_LOSS = theory.R_star - theory.R_hat
_LEVEL = -theory.lam * theory.b
_LOG = theory.beta * theory.log_spread
_LOOSE = "true or not known to be false: Theorem 2 is far from tight, by 30 at the median"


@claim(
    theory.optimality,
    over=_EXTREMAL.with_landmarks(exact=lambda: (landmarks.exact(),)),
    survivors={
        Le(_LOSS, right): _LOOSE
        for right in (
            _LEVEL + theory.weighted_free,
            _LEVEL + _LOG * 9 / 10 + theory.weighted_free,
            _LEVEL + theory.log_spread + theory.weighted_free,
            _LEVEL + theory.beta + theory.weighted_free,
            _LOG + theory.weighted_free,
            -_LEVEL + _LOG + theory.weighted_free,
            _LEVEL * 9 / 10 + _LOG + theory.weighted_free,
            _LEVEL * 11 / 10 + _LOG + theory.weighted_free,
            -theory.lam + _LOG + theory.weighted_free,
            -theory.b + _LOG + theory.weighted_free,
            _LEVEL + _LOG + theory.weighted_free * 9 / 10,
        )
    },
)
def optimality(case: Estimated) -> Iterator[Values]:
    """B bounds the norms of r, g and their fits as weights of unit vectors."""
    lam, bound = case.known.multiplier, case.norm_bound

    def found() -> Balls:
        best = case.optimum()
        free = case.spread(Fraction(0), bound)
        return {
            theory.R_star: case.known.value(best),
            theory.R_hat: case.known.value(case.policy()),
            theory.b: case.known.level(),
            theory.weighted_free: case.mean(best, ready(free) * _exponentials(case, bound, 2)),
            theory.log_spread: case.mean(best, _exponentials(case, bound)).log(),
        }

    given = {theory.lam: lam, theory.beta: case.known.problem.temperature}
    yield {**given, **together(found, *(theory.optimality.quantities - given.keys()))}


@claim(theory.optimality_repaired, over=_EXTREMAL)
def optimality_repaired(case: Estimated) -> Iterator[Values]:
    def found() -> Balls:
        best, rival = case.optimum(), case.policy()
        return {
            theory.R_star: case.known.value(best),
            theory.R_hat: case.known.value(rival),
            theory.b: case.known.level(),
            theory.U_r_star: case.mean(best, case.reward_width),
            theory.U_r_hat: case.mean(rival, case.reward_width),
            theory.U_g_star: case.mean(best, case.safety_width),
            theory.believed: case.mean(rival, case.safety),
        }

    given = {theory.lam_hat: case.multiplier, theory.alpha: case.alpha}
    yield {**given, **together(found, *(theory.optimality_repaired.quantities - given.keys()))}


def _missed(case: Estimated, slack: Fraction) -> flint.arb:
    """[b - G]_+ for a level that is believed to be met with a slack."""
    rival = case.policy()
    lack = case.mean(rival, case.safety - slack) - case.mean(rival, case.known.problem.safety)
    return lack.max(flint.arb(0))


_MET = _EXTREMAL.along(families.slack)
M5 = NamedMutant(
    "M5-printed",
    Le(theory.violation_size, theory.alpha * theory.weighted),
    "Theorem 3 as printed",
    lambda: printed_violation(linear.printed()),
)


@claim(theory.violation_repaired, over=_MET, mutants=(M5,))
def violation_repaired(case: Estimated, slack: Fraction) -> Iterator[Values]:
    yield {
        theory.violation_size: Ball(lambda: _missed(case, slack)),
        theory.alpha: case.alpha,
        theory.U_g_hat: Ball(lambda: case.mean(case.policy(), case.safety_width)),
    }


@claim(theory.violation_moved, over=_MET, mutants=(M5,))
def violation_moved(case: Estimated, slack: Fraction) -> Iterator[Values]:
    def product() -> flint.arb:
        best, factors = case.optimum(), _exponentials(case, case.bound)
        widths = (best * ready(case.safety_width) * factors).sum(axis=1)
        return (ready(case.known.problem.prompt_law) * (best * factors).sum(axis=1) * widths).sum()

    yield {
        theory.violation_size: Ball(lambda: _missed(case, slack)),
        theory.alpha: case.alpha,
        theory.product: Ball(product),
    }


@claim(
    theory.violation_ordered,
    over=ORDERED.with_landmarks(
        over=lambda: (landmarks.over(),),
        over_twice=lambda: (landmarks.over(2),),
        over_far=lambda: (landmarks.over(1, 16),),
    ).along(families.slack),
    mutants=(M5,),
)
def violation_ordered(case: Estimated, slack: Fraction) -> Iterator[Values]:
    def weighted() -> flint.arb:
        factors = _exponentials(case, case.bound, 2)
        return case.mean(case.optimum(), ready(case.safety_width) * factors)

    yield {
        theory.violation_size: Ball(lambda: _missed(case, slack)),
        theory.alpha: case.alpha,
        theory.weighted: Ball(weighted),
    }
