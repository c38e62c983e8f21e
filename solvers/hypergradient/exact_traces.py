"""Estimates of the hypergradient from given trajectories, in the numbers of `balls`.

A trajectory is a sequence of steps (x, b, y): state, follower's action, next state, which is `END`
where the episode ends.  Critics are exact: A_L, V_L and V_F are those of the `Point`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction

from .balls import Number, Point, leader_values
from .exact_games import Game, observing

END = -1
"""The state in which an episode has ended; no row of transitions leads there."""
Step = tuple[int, int, int]
ZERO = Fraction(0)


def _scored(point: Point, step: Step, values: Sequence[Number]) -> Number:
    """dlog P(y|x, b) values(y); 0 at the end of the episode, where values are 0."""
    if step[2] == END:
        return ZERO
    return point.transition_slope[step] / point.transitions[step] * values[step[2]]


def immediate_terms(point: Point, steps: Sequence[Step]) -> list[Number]:
    """i_k: the follower's reward and next value, differentiated, at each step."""
    return [
        point.follower_slope[step[:2]] + point.follower_discount * _scored(point, step, point.values)
        for step in steps
    ]


def direct_sum(point: Point, steps: Sequence[Step]) -> Number:
    """The direct term of one trajectory, the score of its first state included."""
    values, _ = leader_values(point)
    first = steps[0][0]
    total = point.initial_slope[first] / point.initial[first] * values[first]
    for k, step in enumerate(steps):
        term = point.leader_slope[step[:2]] + point.leader_discount * _scored(point, step, values)
        total += point.leader_discount**k * term
    return total


def trace_sum(
    point: Point,
    steps: Sequence[Step],
    *,
    trace_discount: Number = None,
    discounted: bool = True,
    late: bool = False,
) -> Number:
    """sum_k e_k i_k with e_k = gamma_F e_(k-1) + gamma_L^k A_L at step k (BC-T4).

    Wrong variants: another discount of the trace, advantages that are not `discounted`, and the
    trace taken too `late`, which drops the term of the step itself.
    """
    values, action_values = leader_values(point)
    decay = point.follower_discount if trace_discount is None else trace_discount
    trace, total = ZERO, ZERO
    for k, (step, term) in enumerate(zip(steps, immediate_terms(point, steps), strict=True)):
        weight = point.leader_discount**k if discounted else 1
        before = decay * trace
        trace = before + weight * (action_values[step[:2]] - values[step[0]])
        total += (before if late else trace) * term
    return total


def suffix_sum(point: Point, steps: Sequence[Step], length: int | None = None) -> Number:
    """sum_t gamma_L^t A_L times the sum over k >= t of gamma_F^(k-t) i_k, from the end backwards;
    `length`: of the suffix, at most."""
    values, action_values = leader_values(point)
    terms, total = immediate_terms(point, steps), ZERO
    for t, (x, b, _) in enumerate(steps):
        rest = terms[t:] if length is None else terms[t : t + length]
        suffix = ZERO
        for term in reversed(rest):
            suffix = term + point.follower_discount * suffix
        total += point.leader_discount**t * (action_values[x, b] - values[x]) * suffix
    return total


def game_trace_sum(game: Game, steps: Sequence[Step]) -> Number:
    """The same for a game whose follower observes: the trace decays, meets the score of the step
    times V_F less its mean, and is then raised by gamma_L^k B_L (BC-T5)."""
    point = observing(game)
    values, action_values = leader_values(point)
    mean_values = (game.leader_policy * game.values).sum(axis=1)
    trace, total = ZERO, ZERO
    for k, (x, b, _) in enumerate(steps):
        s, a = divmod(x, game.leader_policy.shape[1])
        score = game.slope[s, a] / game.leader_policy[s, a]
        trace *= game.follower_discount
        total += trace * score * (game.values[s, a] - mean_values[s])
        trace += game.leader_discount**k * (action_values[x, b] - values[x])
    return total


def _averages(pairs: Iterable[tuple[Hashable, Number]]) -> dict[Hashable, Number]:
    found: dict[Hashable, list[Number]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return {key: sum(values, ZERO) / len(values) for key, values in found.items()}


def averaged_sum(point: Point, episodes: Sequence[Sequence[Step]]) -> Number:
    """The indirect sum of HPGD-MC, a mean over episodes: A_L times the difference of the averages,
    in this batch, of the follower's return gradients over the visits of (s, b) and of s (BC-T7)."""
    values, action_values = leader_values(point)
    visits = []
    for steps in episodes:
        suffix = ZERO
        for t, term in reversed(list(enumerate(immediate_terms(point, steps)))):
            suffix = term + point.follower_discount * suffix
            visits.append((t, steps[t][0], steps[t][1], suffix))
    by_cell = _averages(((x, b), suffix) for _, x, b, suffix in visits)
    by_state = _averages((x, suffix) for _, x, _, suffix in visits)
    total = ZERO
    for t, x, b, _ in visits:
        advantage = action_values[x, b] - values[x]
        total += point.leader_discount**t * advantage * (by_cell[x, b] - by_state[x])
    return total / len(episodes)
