"""Claims on controllers of a multiplier, in rationals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from holdfast.solvers import CMDP, policy_iteration, value_of
from holdfast.solvers.cmdp.dual_ascent import ascend
from holdfast.solvers.cmdp.policies import lagrangian
from holdfast.solvers.exact import Vector
from holdfast.solvers.offline.multipliers.controllers import PID, Controller, path
from holdfast.theory import Eq, Quantity
from holdfast.theory.offline import controllers as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw, PhiloxDraw
from ...binding.family import Family
from ...binding.values import Values
from ...cmdp.families.cmdps import cmdps
from ..families.multipliers import Equality, costs, equalities, quarter, scaled_forms

Coefficients = tuple[Fraction, ...]


def _at(polynomial: Coefficients, x: Fraction) -> Fraction:
    return sum((c * x**k for k, c in enumerate(polynomial)), Fraction(0))


def _slope(polynomial: Coefficients) -> Coefficients:
    return tuple(k * c for k, c in enumerate(polynomial))[1:]


def _proportional(case: Equality, before: Fraction = Fraction(0)) -> tuple[Fraction, Fraction]:
    """Last iterate and multiplier of lambda' = lambda + eta h + omega (h - h of the last step)."""
    x, lam = case.start, case.first_multiplier
    for _ in range(case.updates):
        h = _at(case.constraint, x)
        lam = lam + case.gain * h + case.penalty * (h - before)
        pull = _at(_slope(case.objective), x) + _at(_slope(case.constraint), x) * lam
        x, before = x - case.rate * pull, h
    return x, lam


def _augmented(case: Equality, *, alternating: bool) -> tuple[Fraction, Fraction, Fraction]:
    """Last iterate, multiplier mu and constraint before the last step."""
    x, mu, h = case.start, case.first_multiplier, Fraction(0)
    for _ in range(case.updates):
        h, old = _at(case.constraint, x), mu
        mu = mu + case.gain * h
        used = (mu if alternating else old) + case.penalty * h
        x -= case.rate * (_at(_slope(case.objective), x) + _at(_slope(case.constraint), x) * used)
    return x, mu, h


other = Quantity("other", "what the other method ends with")


def _simultaneous() -> Iterator[Values]:
    for index in range(20):
        case = equalities().draw(PhiloxDraw("simultaneous", index))[0]
        yield {
            theory.x_pi: _proportional(case)[0],
            other: _augmented(case, alternating=False)[0],
        }


@claim(
    theory.augmented,
    over=equalities()
    .along(lambda *_: Fraction(0))
    .with_controls(alternating=equalities().along(lambda *_: Fraction(1))),
    mutants=(
        NamedMutant(
            "PID7-simultaneous",
            Eq(theory.x_pi, other),
            "the same with a simultaneous update",
            _simultaneous,
        ),
    ),
)
def augmented(case: Equality, before: Fraction) -> Iterator[Values]:
    x_pi, lam = _proportional(case, before)
    x_al, mu, h = _augmented(case, alternating=True)
    yield {
        theory.x_pi: x_pi,
        theory.x_al: x_al,
        theory.lam_pi: lam,
        theory.mu: mu,
        theory.omega: case.penalty,
        theory.h: h,
    }


Logged = tuple[Fraction, Fraction, Fraction, Fraction, Fraction]
"""Limit, integral gain, first multiplier, step of the ascent, start of the ascent."""


def _logged(draw: Draw) -> Logged:
    limit, gain, start = quarter(draw, 12), quarter(draw, 8, 1), quarter(draw, 12)
    return limit, gain, start, gain, start


def _other_step(draw: Draw) -> Logged:
    limit, gain, start, *_ = _logged(draw)
    return limit, gain, start, 2 * gain, start


def _other_start(draw: Draw) -> Logged:
    limit, gain, start, *_ = _logged(draw)
    return limit, gain, start, gain, start + 1


def _unclipped() -> Iterator[Values]:
    for index in range(20):
        draw = PhiloxDraw("unclipped", index)
        (limit, gain, start, *_), observed = _logged(draw), costs(draw)
        wound = PID(limit, Fraction(0), gain, Fraction(0), start, clipped=False)
        yield {theory.lam_pid: path(wound, observed)[-1], theory.lam_ascent: _ascended(
            limit, gain, start, observed)}  # fmt: skip


def _ascended(
    limit: Fraction, step: Fraction, start: Fraction, observed: tuple[Fraction, ...]
) -> Fraction:
    """The exact layer's ascent watches what must be at least the target: signs change."""
    run = ascend([-one for one in observed], target=-limit, step=step, first=start)
    return run.multipliers[-1]


@claim(
    theory.ascent,
    over=Family("logs of costs", _logged)
    .along(costs)
    .with_controls(
        same_step=Family("another step", _other_step).along(costs),
        same_start=Family("another start", _other_start).along(costs),
    ),
    mutants=(
        NamedMutant(
            "PID8-unclipped",
            Eq(theory.lam_pid, theory.lam_ascent),
            "an unclipped integral is projected ascent as well",
            _unclipped,
        ),
    ),
)
def ascent(case: Logged, observed: tuple[Fraction, ...]) -> Iterator[Values]:
    limit, gain, start, step, first = case
    integral = PID(limit, Fraction(0), gain, Fraction(0), start)
    yield {
        theory.lam_pid: path(integral, observed)[-1],
        theory.lam_ascent: _ascended(limit, step, first, observed),
    }


Wound = tuple[int, Fraction, Fraction, Fraction]
"""Updates below the limit, how far below, how far above, proportional gain."""


def _wound(draw: Draw) -> Wound:
    return draw.integer(0, 20), quarter(draw, 8), quarter(draw, 8, 1), Fraction(0)


def _not_pure(draw: Draw) -> Wound:
    return draw.integer(4, 20), quarter(draw, 8, 4), quarter(draw, 8, 1), Fraction(10)


@claim(
    theory.wind_up,
    over=Family("integrals that are wound up", _wound)
    .with_landmarks(
        golden=lambda: ((100, Fraction(1), Fraction(2), Fraction(0)),),
        nearly=lambda: ((1, Fraction(195, 100), Fraction(1), Fraction(0)),),
    )
    .with_controls(pure=Family("with a proportional gain", _not_pure)),
    mutants=(NamedMutant("PID8-no-wind-up", Eq(theory.silent, 0), "it answers at once"),),
)
def wind_up(case: Wound) -> Iterator[Values]:
    length, fall, rise, proportional = case
    limit = Fraction(4)
    wound = PID(limit, proportional, Fraction(1), Fraction(0), clipped=False)
    most = int(length * fall / rise) + 3
    multipliers = path(wound, [limit - fall] * length + [limit + rise] * most)[length + 1 :]
    yield {
        theory.silent: next(n for n, one in enumerate(multipliers) if one > 0),
        theory.length: length,
        theory.fall: fall,
        theory.rise: rise,
    }


Scaled = tuple[Callable[[Fraction], Controller], Fraction, bool]
"""A controller by the factor of its gains, the factor of the reward, whether gains follow it."""


def _forgotten(draw: Draw, *_: object) -> Scaled:
    return (*scaled_forms(draw)[:2], False)


def _best(model: CMDP, function: Vector) -> Fraction:
    return value_of(model, policy_iteration(model, function).values)


def _scaled_reward(model: CMDP, factor: Fraction, lam: Fraction) -> Vector:
    """factor r - lam c."""
    rewards = [factor * one for one in model.reward_vector().fractions()]
    paid = model.cost_vector(0).fractions()
    return Vector.of(r - lam * c for r, c in zip(rewards, paid, strict=True))


@claim(
    theory.scaling,
    over=cmdps(constraints=(1, 1))
    .along(scaled_forms, costs)
    .with_controls(gains=cmdps(constraints=(1, 1)).along(_forgotten, costs)),
)
def scaling(model: CMDP, scaled: Scaled, observed: Coefficients) -> Iterator[Values]:
    make, rho, follow = scaled
    lam = path(make(Fraction(1)), observed)[-1]
    lam_scaled = path(make(rho if follow else Fraction(1)), observed)[-1]
    yield {
        theory.rho: rho,
        theory.lam: lam,
        theory.lam_scaled: lam_scaled,
        theory.best: _best(model, lagrangian(model, (lam,))),
        theory.best_scaled: _best(model, _scaled_reward(model, rho, lam_scaled)),
        theory.divided: _best(model, _scaled_reward(model, 1 / (1 + lam), lam / (1 + lam))),
    }
