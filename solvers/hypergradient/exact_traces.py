"""Estimates of the hypergradient from given trajectories, in the numbers of `balls`.

A trajectory is a sequence of steps (x, b, y): state, follower's action, next state, which is `END`
where the episode ends.  The leader's critics are given: its values [n], or its advantages [n, A],
Q_L - V_L; V_F is that of the `Point`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .balls import Array, Number, Point
from .exact_games import Game

END = -1
"""The state in which an episode has ended; no row of transitions leads there."""
Step = tuple[int, int, int]
Steps = Sequence[Step]
ZERO = Fraction(0)


def _scored(point: Point, step: Step, values: Array) -> Number:
    """dlog P(y|x, b) values(y); 0 at the end of the episode, where values are 0."""
    if step[2] == END:
        return ZERO
    return point.transition_slope[step] / point.transitions[step] * values[step[2]]


def immediate_terms(point: Point, steps: Steps) -> list[Number]:
    """i_k: the follower's reward and next value, differentiated, at each step."""
    discount = point.follower_discount
    return [
        point.follower_slope[step[:2]] + discount * _scored(point, step, point.values)
        for step in steps
    ]


def direct_sum(point: Point, values: Array, steps: Steps) -> Number:
    """The direct term of one trajectory, the score of its first state included."""
    first = steps[0][0]
    total = point.initial_slope[first] / point.initial[first] * values[first]
    for k, step in enumerate(steps):
        term = point.leader_slope[step[:2]] + point.leader_discount * _scored(point, step, values)
        total += point.leader_discount**k * term
    return total


def trace_sum(point: Point, advantages: Array, steps: Steps) -> Number:
    """sum_k e_k i_k with e_k = gamma_F e_(k-1) + gamma_L^k A_L at step k (BC-T4)."""
    trace, total = ZERO, ZERO
    for k, (step, term) in enumerate(zip(steps, immediate_terms(point, steps), strict=True)):
        weight = point.leader_discount**k
        trace = point.follower_discount * trace + weight * advantages[step[:2]]
        total += trace * term
    return total


def suffix_sum(
    point: Point,
    advantages: Array,
    steps: Steps,
    *,
    inner: Number = None,
    outer: Number = None,
    late: bool = False,
) -> Number:
    """sum_t gamma_L^t A_L times the sum over k >= t of gamma_F^(k-t) i_k, from the end backwards.

    Wrong variants: `inner` in the place of gamma_F, `outer` in that of gamma_L, and suffixes that
    begin a step too `late`, at k = t + 1.
    """
    inner = point.follower_discount if inner is None else inner
    outer = point.leader_discount if outer is None else outer
    suffix, total = ZERO, ZERO
    for t, term in reversed(list(enumerate(immediate_terms(point, steps)))):
        after, suffix = inner * suffix, term + inner * suffix
        total += outer**t * advantages[steps[t][:2]] * (after if late else suffix)
    return total


def game_trace_sum(game: Game, advantages: Array, steps: Steps) -> Number:
    """The same for a game whose follower observes: the trace decays, meets the score of the step
    times V_F less its mean, and is then raised by gamma_L^k B_L (BC-T5)."""
    law = game.leader_policy
    gaps = game.slope / law * (game.values - (law * game.values).sum(axis=1)[:, None])
    trace, total = ZERO, ZERO
    for k, (x, b, _) in enumerate(steps):
        trace *= game.follower_discount
        total += trace * gaps.ravel()[x]
        trace += game.leader_discount**k * advantages[x, b]
    return total


def averaged_sum(point: Point, advantages: Array, episodes: Sequence[Steps]) -> Number:
    """The indirect sum of HPGD-MC, a mean over episodes: A_L times the difference of the averages,
    in this batch, of the follower's return gradients over the visits of (s, b) and of s (BC-T7)."""
    found: dict[tuple[int, ...], list[Number]] = {}
    for steps in episodes:
        suffix = ZERO
        for (x, b, _), term in zip(
            reversed(steps), reversed(immediate_terms(point, steps)), strict=True
        ):
            suffix = term + point.follower_discount * suffix
            for key in ((x,), (x, b)):
                found.setdefault(key, []).append(suffix)
    averages = {key: sum(one, ZERO) / len(one) for key, one in found.items()}
    total = ZERO
    for steps in episodes:
        for t, (x, b, _) in enumerate(steps):
            gap = averages[x, b] - averages[x,]
            total += point.leader_discount**t * advantages[x, b] * gap
    return total / len(episodes)
