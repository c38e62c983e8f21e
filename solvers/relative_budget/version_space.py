"""Improving a policy from the rewards of its own samples, on finitely many trajectories, exactly.

b is the base policy's law, R the reward of each trajectory (between 0 and the horizon H), J its
UN-normalised mean and sigma^2 its variance.  The version space is what a class of rewards has left
once samples were seen; the policy is the one of largest worst-case reward on it, among those of
density at most 1/c against b.  Source: ALG-VB of Wachi et al. 2026 and its parent, recalled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations

from ..errors import ModelError
from ..programs.program import LinearProgram, LinearStatus
from ..programs.solve import solve_linear_program

ZERO, ONE = Fraction(0), Fraction(1)
Law = tuple[Fraction, ...]
Seen = frozenset[int]


def mean(law: Sequence[Fraction], rewards: Sequence[Fraction]) -> Fraction:
    """J, the mean reward under a law."""
    return sum((p * r for p, r in zip(law, rewards, strict=True)), ZERO)


def variance(law: Sequence[Fraction], rewards: Sequence[Fraction]) -> Fraction:
    """sigma^2, the variance of the reward under a law."""
    middle = mean(law, rewards)
    return mean(law, [(r - middle) ** 2 for r in rewards])


def chi_square(policy: Sequence[Fraction], base: Sequence[Fraction]) -> Fraction:
    """chi^2(policy | base); ModelError where the policy leaves the support of the base."""
    for i, (p, b) in enumerate(zip(policy, base, strict=True)):
        if p and not b:
            raise ModelError(
                f"trajectory {i} has probability {p} under the policy and 0 under the base, so the "
                "divergence is infinite; keep to what the base can do"
            )
    pairs = zip(policy, base, strict=True)
    return sum(((p - b) ** 2 / b for p, b in pairs if b), ZERO)


@dataclass(frozen=True, slots=True)
class BallOptimum:
    """The largest mean reward within chi^2 <= kappa: `centre` + sqrt(`square`).

    lowest: the smallest reward that keeps any probability.
    """

    centre: Fraction
    square: Fraction
    lowest: Fraction


def ball_optimum(base: Law, rewards: Law, kappa: Fraction) -> BallOptimum:
    """The optimum of J over all policies with chi^2(policy | base) <= kappa, in closed form.

    The optimal density against b is in proportion to (R - nu)_+.  With B, m, v the probability,
    mean and variance of what it keeps, J = m + sqrt(v (B (1 + kappa) - 1)); where the best
    trajectories alone are within reach, they are kept and no other.
    """
    levels = sorted({r for r, b in zip(rewards, base, strict=True) if b}, reverse=True)
    for at, lowest in enumerate(levels):
        kept = [b if r >= lowest else ZERO for b, r in zip(base, rewards, strict=True)]
        total = sum(kept, ZERO)
        law = tuple(b / total for b in kept)
        middle, spread, room = mean(law, rewards), variance(law, rewards), total * (1 + kappa) - 1
        if at + 1 == len(levels) or (room > 0 and spread <= room * (middle - levels[at + 1]) ** 2):
            return BallOptimum(middle, spread * max(room, ZERO), lowest)
        if at == 0 and room >= 0:
            return BallOptimum(middle, ZERO, lowest)
    raise AssertionError("the base policy has no trajectory")


def better(base: Law, rewards: Law, kappa: Fraction) -> tuple[int, ...]:
    """A = {R >= J + sigma sqrt(kappa)}, ties included, among what the base can do."""
    middle, spread = mean(base, rewards), variance(base, rewards)
    return tuple(
        i
        for i, (b, r) in enumerate(zip(base, rewards, strict=True))
        if b and r >= middle and (r - middle) ** 2 >= kappa * spread
    )


def conditioned(base: Law, event: Sequence[int]) -> Law:
    """The base policy given an event; ModelError if that has probability 0."""
    total = sum((base[i] for i in event), ZERO)
    if not total:
        raise ModelError("no trajectory is good enough: c is 0; take a smaller kappa")
    return tuple(b / total if i in event else ZERO for i, b in enumerate(base))


@dataclass(frozen=True, slots=True)
class RewardClass:
    """A base policy over M trajectories, and rewards that it may have, `candidates[truth]` truly.

    Raises ModelError for a base that is no law with positive probabilities, or a reward outside
    [0, horizon].
    """

    base: Law
    candidates: tuple[Law, ...]
    horizon: Fraction
    truth: int = 0

    def __post_init__(self) -> None:
        if sum(self.base, ZERO) != 1 or min(self.base) <= 0:
            raise ModelError(
                f"the base {self.base} is no law with positive probabilities; leave out "
                "trajectories that it never makes"
            )
        for k, rewards in enumerate(self.candidates):
            if len(rewards) != len(self.base) or not all(0 <= r <= self.horizon for r in rewards):
                raise ModelError(
                    f"candidate {k} has the rewards {rewards}; give {len(self.base)} of them, "
                    f"between 0 and {self.horizon}"
                )

    @property
    def rewards(self) -> Law:
        """R, the true reward."""
        return self.candidates[self.truth]

    def version_space(self, seen: Seen) -> tuple[int, ...]:
        """The candidates that agree with R on all trajectories that were seen."""
        return tuple(
            k
            for k, candidate in enumerate(self.candidates)
            if all(candidate[i] == self.rewards[i] for i in seen)
        )


def maximin_policy(problem: RewardClass, left: Sequence[int], share: Fraction) -> Law:
    """The law of largest least mean over the candidates `left`, of density at most 1/share.

    Of several the one of least true mean, so that what is said of it is said of all.
    """
    size = len(problem.base)
    rows: list[list[Fraction]] = [[*(-r for r in problem.candidates[k]), ONE] for k in left]
    rows += [[Fraction(i == j) for i in range(size)] + [ZERO] for j in range(size)]
    rows.append([ONE] * size + [ZERO])
    relations = ["<="] * (len(rows) - 1) + ["="]
    right = [ZERO] * len(left) + [b / share for b in problem.base] + [ONE]
    worst = _solved([ZERO] * size + [ONE], rows, relations, right)[-1]
    rows, relations = [*rows, [ZERO] * size + [-ONE]], [*relations, "<="]
    negated = [-r for r in problem.rewards]
    return _solved([*negated, ZERO], rows, relations, [*right, -worst])[:size]


def _solved(
    objective: Sequence[Fraction], rows: Sequence[Sequence[Fraction]],
    relations: Sequence[str], right: Sequence[Fraction],
) -> Law:  # fmt: skip
    found = solve_linear_program(LinearProgram.of(objective, rows, relations, right))
    assert found.status is LinearStatus.OPTIMAL and found.primal is not None
    return found.primal.fractions()


@cache
def outcomes(problem: RewardClass, share: Fraction) -> dict[Seen, Fraction]:
    """The true mean J of the maximin policy, for each set of trajectories that may be seen."""
    of: dict[tuple[int, ...], Fraction] = {}
    found = {}
    for seen in _subsets(len(problem.base)):
        left = problem.version_space(seen)
        if left not in of:
            of[left] = mean(maximin_policy(problem, left, share), problem.rewards)
        found[seen] = of[left]
    return found


def _subsets(size: int) -> list[Seen]:
    return [frozenset(one) for k in range(1, size + 1) for one in combinations(range(size), k)]


def seen_exactly(base: Law, seen: Seen, samples: int) -> Fraction:
    """The probability that `samples` draws show these trajectories and no other, by inclusion and
    exclusion: the sum of ``(-1)^(|seen| - |U|) b(U)^samples`` over the subsets U."""
    return sum(
        (
            (-1) ** (len(seen) - len(one)) * sum((base[i] for i in one), ZERO) ** samples
            for one in _subsets(len(base))
            if one <= seen
        ),
        ZERO,
    )


def probability(base: Law, event: Callable[[Seen], bool], samples: int) -> Fraction:
    """The probability that the set of trajectories seen in `samples` draws is in the event."""
    return sum(
        (seen_exactly(base, one, samples) for one in _subsets(len(base)) if event(one)), ZERO
    )


def shortfall_quantile(
    problem: RewardClass, event: Sequence[int], samples: int, failure: Fraction
) -> Fraction:
    """What J of the policy given the event exceeds that of the maximin policy by, except with
    probability at most `failure`."""
    share = sum((problem.base[i] for i in event), ZERO)
    target = mean(conditioned(problem.base, event), problem.rewards)
    found, total = outcomes(problem, share), ZERO
    for value in sorted(set(found.values())):
        level = value
        total += probability(problem.base, lambda seen: found[seen] == level, samples)  # noqa: B023
        if total > failure:
            return target - value
    raise AssertionError("probabilities sum to one")


def samples_needed(
    problem: RewardClass, share: Fraction, least: Fraction, failure: Fraction, most: int
) -> int:
    """The least n from which on J of the maximin policy is at least `least`, except with
    probability at most `failure`.

    A seen set counts as failed if some larger one fails, so that failures get rarer with n.  Raises
    ModelError if `most` samples are too few.
    """
    found = outcomes(problem, share)
    failed = {one for one, value in found.items() if value < least}

    def fails(seen: Seen) -> bool:
        return any(seen <= one for one in failed)

    low, high = 0, most
    if probability(problem.base, fails, most) > failure:
        raise ModelError(f"{most} samples are too few for a failure of {failure}; allow more")
    while high - low > 1:
        middle = (low + high) // 2
        enough = probability(problem.base, fails, middle) <= failure
        low, high = (low, middle) if enough else (middle, high)
    return high
