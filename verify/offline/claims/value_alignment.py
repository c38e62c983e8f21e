"""Claims on aligned critics: exact where alpha = 0, in balls where entropies take part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial as bound
from itertools import combinations
from typing import Any

import flint
import numpy as np

from holdfast.solvers.hypergradient.balls import Array, number, solve
from holdfast.solvers.offline.value_alignment import (
    bonus_of,
    covered_fixed_point,
    cpq_fixed_point,
    entropies,
    fixed_point,
    rank_distance,
    sweep,
    sweeps,
)
from holdfast.theory import Eq, Ge, Le, Quantity
from holdfast.theory.offline import value_alignment as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import PhiloxDraw
from ...binding.values import Ball, Value, Values
from ..families.tables import Fit, even_policy, fits, in_balls, separated
from ..landmarks import tables as landmarks


def _largest(values: Array) -> Any:
    """The largest absolute value, of Fractions or of balls."""
    found = [abs(one) for one in values.reshape(-1)]
    if not any(isinstance(one, flint.arb) for one in found):
        return max(found)
    largest = number(found[0])
    for one in found[1:]:
        largest = largest.max(number(one))
    return largest


def _value(fit: Fit, compute: Callable[[], Any]) -> Value:
    """A Fraction where there is no entropy, else a ball."""
    if fit.temperature == 0:
        exact: Fraction = compute()
        return exact
    return Ball(lambda: number(compute()))


def _soft(fit: Fit) -> Array:
    fit = in_balls(fit)
    return fixed_point(fit.table, fit.table.reward, bonus_of(fit.table, fit.temperature))


def _swept(fit: Fit) -> Array:
    fit = in_balls(fit)
    bonus = bonus_of(fit.table, fit.temperature)
    return sweeps(fit.table, fit.table.reward, fit.start, fit.count, bonus)


@claim(theory.contracts, over=fits().with_landmarks(**landmarks.contracts))
def contracts(fit: Fit) -> Iterator[Values]:
    yield {
        theory.soft_0: _value(fit, lambda: _largest(in_balls(fit).start - _soft(fit))),
        theory.soft_j: _value(fit, lambda: _largest(_swept(fit) - _soft(fit))),
        theory.gamma: fit.table.discount,
        theory.j: fit.count,
    }


def _bias(fit: Fit, pair: tuple[int, int]) -> Any:
    return (_soft(fit) - in_balls(fit).truth())[pair]


def _uniform(fit: Fit) -> Any:
    """The bias of the uniform policy on the same table."""
    table, width = fit.table, fit.start.shape[1]
    even = replace(table, policy=table.policy * 0 + Fraction(1, width))
    return _bias(replace(fit, table=even), (0, 0))


def _ahead(fit: Fit, pair: tuple[int, int]) -> Any:
    """By the linear system of the entropies to come, in which no reward takes part."""
    table = in_balls(replace(fit, temperature=Fraction(1))).table
    matrix = np.eye(len(table.policy), dtype=int) - table.discount * table.kernel
    to_come = solve(matrix, entropies(table.policy))
    return table.discount * (table.transitions[pair] * to_come).sum()


@claim(
    theory.biased,
    over=fits().with_landmarks(**landmarks.biased),
    mutants=(
        NamedMutant("MV2-unbiased", Eq(theory.bias, 0), "alignment is unbiased for alpha > 0"),
        NamedMutant(
            "MV2-optimistic", Le(theory.bias, 0), "the bonus makes costs look smaller than they are"
        ),
    ),
)
def biased(fit: Fit) -> Iterator[Values]:
    yield {
        theory.bias: _value(fit, lambda: _bias(fit, (0, 0))),
        theory.ceiling: _value(fit, lambda: _uniform(fit)),
        theory.ahead: Ball(lambda: number(_ahead(fit, (0, 0)))),
        theory.alpha: fit.temperature,
        theory.gamma: fit.table.discount,
        theory.A: fit.start.shape[1],
    }


@claim(
    theory.aligned,
    over=fits().with_landmarks(**landmarks.aligned),
    survivors={
        "error_j <= 11*H*(1 - gamma**j)/10 + error_0*gamma**j": (
            "true: a weaker bound, as gamma^j is at most 1"
        )
    },
)
def aligned(fit: Fit) -> Iterator[Values]:
    yield {
        theory.error_0: _largest(fit.start - fit.truth()),
        theory.error_j: _value(fit, lambda: _largest(_swept(fit) - in_balls(fit).truth())),
        theory.gamma: fit.table.discount,
        theory.ceiling: _value(fit, lambda: _uniform(fit)),
        theory.j: fit.count,
    }


def _lost(fit: Fit) -> Array:
    """D = gamma P (1{safe} D + 1{unsafe} Q^pi), pair by pair."""
    table, safe = fit.table, fit.chosen.reshape(-1)
    ahead = np.einsum("sat,tb->satb", table.transitions, table.policy).reshape(safe.size, -1)
    right = table.discount * (ahead[:, ~safe] * fit.truth().reshape(-1)[~safe]).sum(axis=1)
    matrix = np.eye(safe.size, dtype=int) - table.discount * ahead * safe.astype(int)
    return solve(matrix, right).reshape(fit.chosen.shape)


@claim(
    theory.pessimistic,
    over=fits(temperatures=(Fraction(0),)).with_controls(
        pays=fits(least=-4, temperatures=(Fraction(0),))
    ),
)
def pessimistic(fit: Fit) -> Iterator[Values]:
    found, truth, lost = cpq_fixed_point(fit.table, fit.chosen), fit.truth(), _lost(fit)
    flat = (one.reshape(-1).tolist() for one in (found, truth, lost))
    for kept, value, missed in zip(*flat, strict=True):
        yield {theory.cpq: kept, theory.value: value, theory.lost: missed}


def _rho(left: Array, right: Array) -> Fraction:
    """Spearman's rank correlation of values without ties."""
    n = left.size
    return 1 - 6 * rank_distance(left, right) / (n * (n * n - 1))


before = Quantity("before", "rank correlation before a sweep", latex=r"\rho_S(Q_0,Q^\pi)")


def _along(least: int, most: int) -> Iterator[Values]:
    """Rank correlations after and before a sweep, from the sweep number `least` on, of critics
    without ties."""
    for index in range(60):
        fit: Fit = separated().draw(PhiloxDraw("sweeps", index))[0]
        fine = np.array(range(fit.start.size), dtype=object).reshape(fit.start.shape)
        values, still = fit.start + fine * Fraction(1, 1000), bonus_of(fit.table, 0)
        for step in range(most):
            following = sweep(fit.table, fit.table.reward, values, still)
            distinct = all(len(set(q.reshape(-1))) == q.size for q in (values, following))
            if step >= least and distinct:
                yield {
                    theory.rho: _rho(following, fit.truth()),
                    before: _rho(values, fit.truth()),
                }
            values = following


def _at_once(fit: Fit) -> Fit:
    return replace(fit, count=0)


def _too_early() -> Any:
    family = separated()
    return replace(family, base=lambda draw: _at_once(family.base(draw)))


@claim(
    theory.ranked,
    over=separated().with_controls(separated=_too_early()),
    mutants=(
        NamedMutant("MV5-monotone", Ge(theory.rho, before), "the rank correlation never falls "
                    "along alignment", bound(_along, 0, 4)),
        NamedMutant("MV5-first", Ge(theory.rho, before), "one sweep never lowers it",
                    bound(_along, 0, 1)),
    ),
)  # fmt: skip
def ranked(fit: Fit) -> Iterator[Values]:
    yield {theory.rho: _rho(_swept(fit), fit.truth())}


def _agreeing(fit: Fit) -> int:
    """Couples of pairs in the order of Q^pi: signs of differences, where 0 is a ball with 0."""
    truth, bias = fit.truth().reshape(-1), (_soft(fit) - in_balls(fit).truth()).reshape(-1)

    def sign(difference: Any) -> int:
        ball = number(difference)
        return int(ball > 0) - int(ball < 0)

    places = combinations(range(truth.size), 2)
    return sum(
        sign(truth[x] - truth[y]) == sign(number(truth[x] - truth[y]) + bias[x] - bias[y])
        for x, y in places
    )


def _uneven() -> Iterator[Values]:
    """Of any policy, with a large alpha."""
    family = fits(temperatures=(Fraction(20),))
    for index in range(20):
        fit: Fit = family.draw(PhiloxDraw("uneven", index))[0]
        yield {theory.agree: _agreeing(fit), theory.couples: _couples(fit)}


def _couples(fit: Fit) -> int:
    return fit.start.size * (fit.start.size - 1) // 2


@claim(
    theory.even,
    over=fits(policy=even_policy, temperatures=(Fraction(1, 5), Fraction(2))).with_controls(
        constant=fits(temperatures=(Fraction(2),))
    ),
    mutants=(
        NamedMutant(
            "MV6-any-alpha",
            Eq(theory.agree, theory.couples),
            "ranks are recovered for any alpha",
            _uneven,
        ),
    ),
)
def even(fit: Fit) -> Iterator[Values]:
    last = (fit.start.shape[0] - 1, fit.start.shape[1] - 1)
    yield {
        theory.bias: Ball(lambda: number(_bias(fit, (0, 0)))),
        theory.elsewhere: Ball(lambda: number(_bias(fit, last))),
        theory.agree: _agreeing(fit),
        theory.couples: _couples(fit),
    }


@claim(
    theory.partial,
    over=fits(temperatures=(Fraction(0),)).with_landmarks(**landmarks.partial),
)
def partial(fit: Fit) -> Iterator[Values]:
    table, covered = fit.table, fit.chosen
    limit = covered_fixed_point(table, table.reward, fit.start, covered)
    error = abs(limit - fit.truth())
    leaving = (table.transitions * (table.policy * ~covered).sum(axis=1)).sum(axis=-1)
    yield {
        theory.inside: error[covered].max(),
        theory.out: error[~covered].max(),
        theory.p: leaving[covered].max(),
        theory.gamma: table.discount,
    }
