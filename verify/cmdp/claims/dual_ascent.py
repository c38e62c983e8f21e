"""Claims on the multiplier's path in a log of dual ascent."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers.cmdp.dual_ascent import DualPath, ascend
from holdfast.theory.cmdp import dual_ascent, natural_gradient

from ...binding.claims import claim
from ...binding.values import Values
from ..families import DualLog, logs


def _path(log: DualLog) -> DualPath:
    return ascend(
        log.observed,
        target=log.target,
        step=log.step,
        first=log.first,
        cap=log.cap,
        memory=log.memory,
        first_average=log.first_average,
    )


def _values(log: DualLog, path: DualPath) -> Values:
    return {
        dual_ascent.shortfall: sum((log.target - j for j in log.observed), Fraction(0)),
        dual_ascent.lam_last: path.multipliers[-1],
        dual_ascent.lam_first: log.first,
        natural_gradient.eta: log.step,
    }


@claim(dual_ascent.telescoping, over=logs().with_controls(uncapped=logs(capped=True)))
def telescoping(log: DualLog) -> Iterator[Values]:
    yield _values(log, _path(log))


@claim(
    dual_ascent.telescoping_unclipped,
    over=logs(unclipped=True).with_controls(unclipped=logs(), uncapped=logs(capped=True)),
)
def telescoping_unclipped(log: DualLog) -> Iterator[Values]:
    yield _values(log, _path(log))


@claim(
    dual_ascent.telescoping_average,
    over=logs(averaged=True).with_controls(uncapped=logs(averaged=True, capped=True)),
)
def telescoping_average(log: DualLog) -> Iterator[Values]:
    path = _path(log)
    yield {
        **_values(log, path),
        dual_ascent.rho: log.memory,
        dual_ascent.e_last: path.averages[-1],
        dual_ascent.e_first: log.first_average,
    }


@claim(dual_ascent.regret, over=logs())
def regret(log: DualLog) -> Iterator[Values]:
    path = _path(log)
    slacks = [j - log.target for j in log.observed]
    earned = zip(path.multipliers, slacks, strict=False)
    yield {
        dual_ascent.weighted_slack: sum((lam * x for lam, x in earned), Fraction(0)),
        dual_ascent.lam_first: log.first,
        dual_ascent.lam_last: path.multipliers[-1],
        natural_gradient.eta: log.step,
        dual_ascent.energy: sum((x * x for x in slacks), Fraction(0)),
    }
