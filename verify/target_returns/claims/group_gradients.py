"""Claims on estimators of the policy gradient from groups of episodes, by enumeration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import comb, prod
from typing import Any

import flint
from sympy import sqrt

from holdfast.solvers.target_returns.groups import gradients as exact
from holdfast.solvers.target_returns.groups.advantages import clipped
from holdfast.solvers.target_returns.groups.process import (
    Conditioned,
    Policy,
    Process,
    chances,
    episodes,
)  # fmt: skip
from holdfast.theory import Eq, Quantity
from holdfast.theory.target_returns import group_gradients as theory

from ...binding.balls import to_arb
from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.duals import Dual
from ...binding.family import Extra
from ...binding.values import Ball, Values
from ..families import groups as families
from ..families.groups import Cut, Setting, settings
from ..oracles.derivatives import Moving, gradient, value

Episodes = tuple[exact.Sampled, ...]
ZERO, ONE = Fraction(0), Fraction(1)


def _law(case: Setting, start: int = 0, **options: Any) -> Episodes:
    return exact.sampled(
        case.process, case.old, case.along, start=start, target=case.target, **options
    )


def _gradient(case: Setting, start: int = 0) -> Fraction:
    return gradient(case.process, case.old, case.along, start, case.target)


def _return(case: Setting, policy: Conditioned) -> Fraction:
    return Fraction(value(case.process, policy, 0, (case.target,)))


@claim(
    theory.own_baseline,
    over=settings().along(families.group_size),
    mutants=(NamedMutant("GR-1", Eq(theory.estimate, theory.gradient), "no factor 1 - 1/G"),),
)
def own_baseline(case: Setting, size: int) -> Iterator[Values]:
    estimate = exact.group_gradient(_law(case), size)
    yield {theory.estimate: estimate, theory.gradient: _gradient(case), theory.G: size}


def _root(number: int) -> flint.arb:
    return flint.arb(number).sqrt()


def _coin(size: int) -> tuple[Setting, int]:
    """One action decides about 1 and 0; the policy tosses a fair coin."""
    pays = tuple(((ONE, reward, 0),) for reward in (0, 1))
    even, along = Policy(((1, 1),), ((1, 1), (1, 1))), Policy(((0, 1),), ((1, 0), (0, 1)))
    return Setting(Process((pays,), 1), even, even, along, 1), size


@claim(
    theory.normalised,
    over=settings(binary=True).along(families.group_size).with_landmarks(coin=lambda: _coin(9)),
    mutants=(
        NamedMutant(
            "GR-2",
            Eq(theory.estimate, theory.gradient / sqrt(theory.p * (1 - theory.p))),
            "the factor of infinite groups",
        ),
    ),
    survivors={
        "spread <= G*p*(1 - p)*(G - 1)": "true: k (G - k) is whole, so its root is at most itself"
    },
)
def normalised(case: Setting, size: int) -> Iterator[Values]:
    """With k successes the standard deviation is sqrt(k (G - k))/G."""
    law = _law(case)
    parts = list(enumerate(exact.gradient_by_successes(law, size)))[1:-1]
    p = exact.mean(law, lambda one: one.total)
    weights = {k: comb(size, k) * p**k * (1 - p) ** (size - k) for k, _ in parts}
    yield {
        theory.estimate: Ball(
            lambda: sum((to_arb(size * c) / _root(k * (size - k)) for k, c in parts), flint.arb(0))
        ),
        theory.spread: Ball(
            lambda: sum(
                (to_arb(w) * _root(k * (size - k)) for k, w in weights.items()), flint.arb(0)
            )
        ),
        theory.gradient: _gradient(case),
        theory.G: size,
        theory.p: p,
    }


def unbiased(case: Setting, taken: Fraction, kind: str) -> dict[Quantity, Fraction]:
    """Expectations given intended targets ("product", "mean": of the ratios) or "relabelled"."""
    law = _law(case, new=case.new, relabel=kind == "relabelled")
    by_mean = exact.mean(law, lambda one: sum(one.tokens, ZERO) / len(one.tokens) * one.total)
    return {
        theory.weighted: by_mean
        if kind == "mean"
        else exact.mean(law, lambda one: one.ratio * one.total),
        theory.J: _return(case, case.new),
        theory.with_baseline: exact.mean(law, lambda one: (one.total - taken) * one.score),
        theory.gradient: _gradient(case),
    }


def _fixed(value: object) -> Extra:
    return lambda *_: value


def _baseline(draw: Draw, *_: object) -> Fraction:
    return Fraction(draw.integer(1, 6), 2)


def _clip(draw: Draw, *_: object) -> Fraction:
    return Fraction(draw.integer(1, 9), 10)


_INTENDED = settings().along(_baseline, _fixed("product"))


_RELABELLED = settings().along(_baseline, _fixed("relabelled"))
_NARROW = settings(covered=False).along(_baseline, _fixed("product"))


@claim(
    theory.intended,
    over=_INTENDED.with_controls(
        intended=_RELABELLED,
        sequence=settings().along(_baseline, _fixed("mean")),
        support=_NARROW,
    ),
)
def intended_targets(case: Setting, taken: Fraction, kind: str) -> Iterator[Values]:
    yield unbiased(case, taken, kind)


@claim(
    theory.ignored_labels,
    over=settings(listens=False)
    .along(_baseline, _fixed("relabelled"))
    .with_controls(
        ignored=_RELABELLED,
        support=settings(listens=False, covered=False).along(_baseline, _fixed("relabelled")),
    ),
)
def ignored_labels(case: Setting, taken: Fraction, kind: str) -> Iterator[Values]:
    yield unbiased(case, taken, kind)


def listening() -> tuple[Setting, Fraction]:
    """Target 1: an even policy, told 1 in both cases; an episode of return 0 is relabelled 0.

    The direction favours action 1 when told 1 and action 0 when told 0.  Intended scores are
    1/2 + 1/2 = 1 for action 1 and -1 for action 0; gradient (1/2) 1 = 1/2.  Relabelled, action 0
    scores 0, and with baseline 1/2 the mean is (1/2)(1/2)(1) + 0 = 1/4.
    """
    return _coin(2)[0], Fraction(1, 2)


@claim(
    theory.relabelled,
    over=settings().along(_baseline).with_landmarks(listening=listening),
    witness="listening",
)
def relabelled(case: Setting, taken: Fraction) -> Iterator[Values]:
    found = unbiased(case, taken, "relabelled")
    yield {one: found[one] for one in (theory.with_baseline, theory.gradient)}


@claim(theory.token_ratios, over=settings())
def token_ratios(case: Setting) -> Iterator[Values]:
    """Ratios of a policy that moves, as dual numbers, at the old policy."""
    moving, by_mean, by_root = Moving(case.old, case.along), Dual(ZERO, ZERO), Dual(ZERO, ZERO)
    for episode in episodes(case.process, 0):
        told = episode.intended(case.target)
        old = chances(case.old, episode, told)
        weight = episode.chance * prod(old, start=ONE) * episode.total
        pairs = zip(chances(moving, episode, told), old, strict=True)
        tokens = [one / other for one, other in pairs]
        by_mean += weight * sum(tokens[1:], tokens[0]) / len(tokens)
        by_root += weight * prod(tokens[1:], start=tokens[0]).root(len(tokens))
    yield {
        theory.token: by_mean.slope,
        theory.geometric: by_root.slope,
        theory.gradient: _gradient(case),
        theory.T: case.process.horizon,
    }


def _short(case: Setting) -> Setting:
    """One action after a reset, so that mixed groups can be listed."""
    return replace(case, process=Process(case.process.outcomes, 1))


def _at_resets(case: Setting) -> list[Episodes]:
    return [_law(case, state) for state in (1, 2)]


def _weighted(weights: Sequence[Fraction], numbers: Sequence[Fraction]) -> Fraction:
    return sum((w * number for w, number in zip(weights, numbers, strict=True)), ZERO)


@claim(theory.reset_states, over=settings().along(families.group_size, families.resets))
def reset_states(case: Setting, size: int, weights: Sequence[Fraction]) -> Iterator[Values]:
    case = _short(case)
    laws = _at_resets(case)
    yield {
        theory.shared: _weighted(weights, [exact.group_gradient(law, size) for law in laws]),
        theory.apart: exact.group_gradient(exact.mixed(laws, weights), size),
        theory.mean_gradient: _weighted(weights, [_gradient(case, state) for state in (1, 2)]),
        theory.G: size,
    }


_MOVED = settings().along(
    families.group_size,
    families.resets,
    lambda draw, *_: (draw.integer(-9, 9), draw.integer(10, 40)),
)


@claim(
    theory.shared_state,
    over=_MOVED.along(_fixed(True)).with_controls(one_state=_MOVED.along(_fixed(False))),
)
def shared_state(
    case: Setting, size: int, weights: Sequence[Fraction], worths: Sequence[int], together: bool
) -> Iterator[Values]:
    laws = _at_resets(_short(case))
    raised = [
        tuple(replace(one, total=one.total + more) for one in law)
        for law, more in zip(laws, worths, strict=True)
    ]

    def moment(laws: Sequence[Episodes]) -> Fraction:
        if together:
            return _weighted(weights, [exact.second_moment(law, size) for law in laws])
        return exact.second_moment(exact.mixed(laws, weights), size)

    yield {theory.moment: moment(laws), theory.moment_offset: moment(raised)}


@claim(
    theory.active_sampling,
    over=settings()
    .along(families.resets, families.resets)
    .with_controls(
        covers=settings().along(
            families.resets, lambda draw, *_: draw.choice(((ZERO, ONE), (ONE, ZERO)))
        )
    ),
)
def active_sampling(
    case: Setting, weights: Sequence[Fraction], chosen: Sequence[Fraction]
) -> Iterator[Values]:
    case = _short(case)
    estimates = [exact.mean(law, lambda one: one.total * one.score) for law in _at_resets(case)]
    gradients = [_gradient(case, state) for state in (1, 2)]
    factors = [q * (d / q) if q else ZERO for d, q in zip(weights, chosen, strict=True)]
    yield {
        theory.sampled: _weighted(chosen, estimates),
        theory.by_sampling: _weighted(chosen, gradients),
        theory.reweighted: _weighted(factors, estimates),
        theory.mean_gradient: _weighted(weights, gradients),
    }


@claim(
    theory.clipping,
    over=_INTENDED.along(_clip).with_controls(
        intended=_RELABELLED.along(_clip), support=_NARROW.along(_clip)
    ),
)
def clipping(case: Setting, taken: Fraction, kind: str, width: Fraction) -> Iterator[Values]:
    law = _law(case, new=case.new, relabel=kind == "relabelled")
    yield {
        theory.clipped: exact.mean(law, lambda one: clipped(one.ratio, one.total - taken, width)),
        theory.improvement: _return(case, case.new) - taken,
    }


@claim(
    theory.truncation,
    over=families.CUTS.with_landmarks(
        constant=lambda: (Cut((3, 3, 3), 1, Fraction(1, 2)),),
        nothing=lambda: (Cut((2, 2), 0, Fraction(9, 10)),),
    ).with_controls(within=families.CUTS_BEYOND),
    survivors=dict.fromkeys(
        (
            "Abs(cut) <= gamma**L*r_max/(9/10 - gamma)",
            "Abs(cut) <= gamma**L*r_max/(1 - 11*gamma/10)",
        ),
        "true where its right side is defined and positive: a larger bound",
    ),
)
def truncation(case: Cut) -> Iterator[Values]:
    """The last reward is repeated for ever where there is a discount."""
    g, kept, size = case.discount, case.counted, len(case.rewards)
    rest = sum((g**t * case.rewards[t] for t in range(kept, size)), ZERO)
    yield {
        theory.cut: rest + case.rewards[-1] * g ** max(size, kept) / (1 - g),
        theory.cut_plain: sum(case.rewards[kept:]),
        theory.L: kept,
        theory.H: size,
        theory.discount: g,
        theory.r_max: max(map(abs, case.rewards)),
    }


@claim(theory.mode_tail, over=settings(settled=True).with_controls(settled_tail=settings()))
def mode_tail(case: Setting) -> Iterator[Values]:
    yield {
        theory.scored: exact.greedy_tail(case.process, case.old, 0, case.target, 1),
        theory.J: _return(case, case.old),
    }
