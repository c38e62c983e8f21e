"""Claims on dual ascent against exact best responses."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers import policy_iteration, solve, value_of
from holdfast.solvers.offline.multipliers.controllers import Ascent, path
from holdfast.solvers.offline.multipliers.dual_response import respond
from holdfast.theory import Le
from holdfast.theory.offline import dual_response as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope
from ...binding.values import Values
from ..families.multipliers import Ascended, ascents, costs, quarter
from ..landmarks import ascents as landmarks


@claim(
    theory.average,
    over=ascents().with_landmarks(**landmarks.average).with_controls(pays=landmarks.LOSSES),
    mutants=(
        NamedMutant(
            "PID6-tenth",
            Le(
                theory.gap,
                theory.lam_1**2 / (2 * theory.eta * theory.K) + theory.eta * theory.B**2 / 10,
            ),
            "a tenth of eta B^2",
        ),
        NamedMutant("PID6-safe", Le(theory.excess, 0), "the average cost is within the limit"),
        NamedMutant(
            "MV9-free", Le(theory.gap, theory.eta * theory.B**2 / 2), "a bad start costs nothing"
        ),
    ),
)
def average(case: Ascended) -> Iterator[Values]:
    model, K = case.model, case.updates
    d, gamma = model.budgets[0], model.discount
    run = respond(model, Ascent(d, case.step, case.first), K)
    best = solve(model).value
    if best is None:
        raise OutOfScope("no policy keeps the budget")
    least = policy_iteration(model, ("cost", 0), maximise=False)
    most = [max(f.fractions()) / (1 - gamma) for f in (model.reward_vector(), model.cost_vector(0))]
    xi, B = d - value_of(model, least.values), max(d, most[1] - d)
    yield {
        theory.ceiling: max(case.first, most[0] / xi + case.step * B),
        theory.gap: best - sum(run.rewards, Fraction(0)) / K,
        theory.excess: sum(run.costs, Fraction(0)) / K - d,
        theory.largest: max(run.multipliers),
        theory.lam_1: case.first,
        theory.eta: case.step,
        theory.K: K,
        theory.B: B,
        theory.R: most[0],
        theory.xi: xi,
    }


Log = tuple[Fraction, Fraction, Fraction, Fraction]
"""Limit, step, first multiplier, what a cost may exceed the limit by."""


def _log(draw: Draw) -> Log:
    limit = quarter(draw, 12)
    return limit, quarter(draw, 8, 1), quarter(draw, 80), 4 - limit


def _unbounded(draw: Draw) -> Log:
    limit, step, first, _ = _log(draw)
    return limit, step, first, Fraction(0)


@claim(
    theory.speed,
    over=Family("measured costs", _log)
    .along(costs)
    .with_landmarks(**landmarks.speed)
    .with_controls(measured=Family("costs above their bound", _unbounded).along(costs)),
)
def speed(case: Log, observed: tuple[Fraction, ...]) -> Iterator[Values]:
    limit, step, first, room = case
    yield {
        theory.lam_k: path(Ascent(limit, step, first), observed)[-1],
        theory.lam_1: first,
        theory.k: len(observed),
        theory.eta: step,
        theory.d: limit,
        theory.room: room,
    }
