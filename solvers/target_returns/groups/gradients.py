"""Expectations of group estimators of the policy gradient, exactly, by enumeration.

All gradients are along one direction of the log-odds.  Source: Luo and Zhu 2026 for the estimators,
in our formalisation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import prod

from ...errors import ModelError
from .process import Conditioned, Process, chances, episodes, seen

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

    @property
    def ratio(self) -> Fraction:
        """That of the whole sequence."""
        return prod(self.tokens, start=ONE)


def sampled(
    process: Process, old: Conditioned, direction: Conditioned, *, start: int = 0, target: int = 0,
    new: Conditioned | None = None, relabel: bool = False,
) -> tuple[Sampled, ...]:  # fmt: skip
    """All episodes that `old` may roll out when it is told `target`.

    relabel: scores and ratios are given what hindsight writes beside the steps, not what the policy
    was told; `new` is the policy in the numerator of the ratios, by default `old`.
    """
    found = []
    for episode in episodes(process, start):
        told = episode.intended(target)
        written = episode.relabelled() if relabel else told
        chance = episode.chance * prod(chances(old, episode, told), start=ONE)
        if not chance:
            continue
        score = ZERO
        for known, (_, action, _) in zip(seen(episode, written), episode.steps, strict=True):
            law, slopes = old.law(*known), direction.slopes(*known)
            score += slopes[action] - sum(p * v for p, v in zip(law, slopes, strict=True))
        both = (chances(policy, episode, written) for policy in (new or old, old))
        tokens = tuple(one / other for one, other in zip(*both, strict=True))
        found.append(Sampled(chance, Fraction(episode.total), score, tokens))
    return tuple(found)


def mean(law: Sequence[Sampled], value: Callable[[Sampled], Fraction]) -> Fraction:
    """The expectation of a function of one episode."""
    return sum((one.chance * value(one) for one in law), ZERO)


def groups(law: Sequence[Sampled], size: int) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    """Probability, sum over i of (R_i - mean of R) score_i / G, and sum of returns of each group.

    Raises ModelError for a group of one, which is its own baseline, so that its advantage is 0.
    """
    if size < 2:
        raise ModelError(f"a group of {size} has no advantage beside its mean; take at least 2")
    for group in product(law, repeat=size):
        total = sum((one.total for one in group), ZERO)
        terms = ((size * one.total - total) * one.score for one in group)
        yield prod((one.chance for one in group), start=ONE), sum(terms, ZERO) / size**2, total


def group_gradient(law: Sequence[Sampled], size: int) -> Fraction:
    """The expectation of the estimate with the group's mean as baseline."""
    return sum((chance * estimate for chance, estimate, _ in groups(law, size)), ZERO)


def second_moment(law: Sequence[Sampled], size: int) -> Fraction:
    """The expectation of the square of the same estimate."""
    return sum((chance * estimate**2 for chance, estimate, _ in groups(law, size)), ZERO)


def gradient_by_successes(law: Sequence[Sampled], size: int) -> tuple[Fraction, ...]:
    """Parts of `group_gradient` by the number of successes; ModelError but for returns 0 and 1."""
    strange = {one.total for one in law} - {ZERO, ONE}
    if strange:
        raise ModelError(f"a return of {min(strange)} is no failure (0) and no success (1)")
    parts = [ZERO] * (size + 1)
    for chance, estimate, total in groups(law, size):
        parts[int(total)] += chance * estimate
    return tuple(parts)


def mixed(laws: Sequence[Sequence[Sampled]], weights: Sequence[Fraction]) -> tuple[Sampled, ...]:
    """Episodes whose reset state is drawn anew for each, with these probabilities."""
    pairs = zip(laws, weights, strict=True)
    return tuple(replace(one, chance=w * one.chance) for law, w in pairs for one in law if w)


def greedy_tail(
    process: Process, policy: Conditioned, start: int, target: int, steps: int
) -> Fraction:
    """The expected return if `steps` actions are sampled and the rest are the likeliest.

    Of equally likely actions the first.
    """
    expected = ZERO
    for episode in episodes(process, start):
        chance = episode.chance
        for at, known in enumerate(seen(episode, episode.intended(target))):
            law, action = policy.law(*known), episode.steps[at][1]
            chance *= law[action] if at < steps else int(action == law.index(max(law)))
        expected += chance * episode.total
    return expected
