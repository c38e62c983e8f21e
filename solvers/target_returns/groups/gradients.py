"""Expectations of group estimators of the policy gradient, exactly, by enumeration.

All gradients are along one direction of the parameters.  Source: Luo and Zhu 2026 for the
estimators, in our formalisation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

from ...errors import ModelError
from .advantages import clipped
from .process import Conditioned, Process, chances, episodes, laws, score

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Sampled:
    """An episode as the estimators see it.

    chance: its probability; total: its return; score: the derivative of its log-likelihood under
    what is written beside its steps; tokens: the ratio of the new to the old policy at each step.
    """

    chance: Fraction
    total: Fraction
    score: Fraction
    tokens: tuple[Fraction, ...]


def sampled(
    process: Process,
    old: Conditioned,
    along: Conditioned,
    *,
    start: int = 0,
    target: int = 0,
    new: Conditioned | None = None,
    relabel: bool = False,
) -> tuple[Sampled, ...]:
    """All episodes that `old` may roll out when it is told `target`.

    relabel: scores and ratios are given what hindsight writes beside the steps, not what the policy
    was told; `new` is the policy in the numerator of the ratios, by default `old`.
    """
    found = []
    for episode in episodes(process, start):
        told = episode.intended(target)
        written = episode.relabelled() if relabel else told
        chance = episode.chance * prod(chances(old, episode, told), start=ONE)
        if chance:
            pairs = zip(
                chances(new or old, episode, written), chances(old, episode, written), strict=True
            )
            tokens = tuple(one / other for one, other in pairs)
            total = Fraction(episode.total)
            found.append(Sampled(chance, total, score(old, along, episode, written), tokens))
    return tuple(found)


def mean(law: Sequence[Sampled], value: Callable[[Sampled], Fraction]) -> Fraction:
    """The expectation of a function of one episode."""
    return sum((one.chance * value(one) for one in law), ZERO)


Group = tuple[Fraction, Fraction, tuple[Fraction, ...]]
"""Probability, sum over the group of (R_i - mean of R) score_i / G, and the returns."""


def groups(law: Sequence[Sampled], size: int) -> Iterator[Group]:
    """All groups of independent episodes, with the estimate whose baseline is the group's mean.

    Raises
    ------
    ModelError: for a group of one, which is its own baseline, so that its advantage is 0.
    """
    if size < 2:
        raise ModelError(f"a group of {size} has no advantage beside its mean; take at least 2")
    for group in product(law, repeat=size):
        total = sum((one.total for one in group), ZERO)
        terms = ((size * one.total - total) * one.score for one in group)
        chance = prod((one.chance for one in group), start=ONE)
        yield chance, sum(terms, ZERO) / size**2, tuple(one.total for one in group)


def group_gradient(law: Sequence[Sampled], size: int) -> Fraction:
    """The expectation of the estimate with the group's mean as baseline."""
    return sum((chance * estimate for chance, estimate, _ in groups(law, size)), ZERO)


def second_moment(law: Sequence[Sampled], size: int) -> Fraction:
    """The expectation of the square of the same estimate."""
    return sum((chance * estimate**2 for chance, estimate, _ in groups(law, size)), ZERO)


def gradient_by_successes(law: Sequence[Sampled], size: int) -> tuple[Fraction, ...]:
    """Parts of `group_gradient` by the number of successes, for returns 0 and 1.

    Raises
    ------
    ModelError: for another return.
    """
    strange = {one.total for one in law} - {ZERO, ONE}
    if strange:
        raise ModelError(f"a return of {min(strange)} is no failure (0) and no success (1)")
    parts = [ZERO] * (size + 1)
    for chance, estimate, totals in groups(law, size):
        parts[int(sum(totals))] += chance * estimate
    return tuple(parts)


def mixed(laws: Sequence[Sequence[Sampled]], weights: Sequence[Fraction]) -> tuple[Sampled, ...]:
    """Episodes whose reset state is drawn anew for each, with these probabilities."""
    return tuple(
        Sampled(weight * one.chance, one.total, one.score, one.tokens)
        for law, weight in zip(laws, weights, strict=True)
        for one in law
        if weight
    )


def weighted_return(law: Sequence[Sampled]) -> Fraction:
    """E rho R, rho the product of the ratios at all steps."""
    return mean(law, lambda one: prod(one.tokens, start=ONE) * one.total)


def clipped_return(law: Sequence[Sampled], baseline: Fraction, clip: Fraction) -> Fraction:
    """E min(rho A, clip(rho) A) with the advantage A = R - baseline."""
    return mean(law, lambda one: clipped(prod(one.tokens, start=ONE), one.total - baseline, clip))


def greedy_tail(
    process: Process, policy: Conditioned, start: int, target: int, steps: int
) -> Fraction:
    """The expected return if only the first actions are sampled and the rest are the likeliest.

    Of equally likely actions the first; `steps` is how many are sampled.
    """
    expected = ZERO
    for episode in episodes(process, start):
        chance = episode.chance
        for at, law in enumerate(laws(policy, episode, episode.intended(target))):
            action = episode.steps[at][1]
            chance *= law[action] if at < steps else int(action == law.index(max(law)))
        expected += chance * episode.total
    return expected
