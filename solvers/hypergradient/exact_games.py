"""Tiny Markov games with a Boltzmann follower, in the numbers of `balls`, reduced to `Point`.

n states, L actions of the leader, A of the follower.  A follower that observes the leader's action
has the states (s, a); one that moves at the same time has the states s, with rewards and
transitions that are means over the leader's actions.  Returns are UN-normalised sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .balls import (
    Array,
    Number,
    Point,
    covariances,
    follower_gradients,
    leader_values,
    mean,
    occupancy,
)

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Game:
    """A game at one policy of the leader, and how that moves along a direction.

    leader_policy, slope [n, L]; policy, values: the follower's, [n, L, A] and [n, L] if it
    observes, [n, A] and [n] if not; transitions [n, L, A, n], whose missing mass ends the episode;
    leader_rewards, follower_rewards [n, L, A] (the latter up to a term that depends on state and
    follower's action only); initial [n].
    """

    leader_policy: Array
    slope: Array
    policy: Array
    values: Array
    transitions: Array
    leader_rewards: Array
    follower_rewards: Array
    initial: Array
    temperature: Number
    follower_discount: Number
    leader_discount: Number


def _joint(game: Game, law: Array) -> Array:
    """Transitions [n L, A, n L] from (s, a) by the follower's action to (s', a')."""
    found = np.einsum("sabt,tc->sabtc", game.transitions, law)
    return found.reshape(law.size, -1, law.size)


def observing(game: Game) -> Point:
    """The game as its follower sees it, on states (s, a) in order of s."""
    pairs = game.leader_policy.size
    follower = game.policy.reshape(pairs, -1)
    return Point(
        policy=follower,
        values=game.values.ravel(),
        transitions=_joint(game, game.leader_policy),
        leader_rewards=game.leader_rewards.reshape(pairs, -1),
        initial=(game.initial[:, None] * game.leader_policy).ravel(),
        follower_slope=np.full_like(follower, ZERO),
        transition_slope=_joint(game, game.slope),
        leader_slope=np.full_like(follower, ZERO),
        initial_slope=(game.initial[:, None] * game.slope).ravel(),
        temperature=game.temperature,
        follower_discount=game.follower_discount,
        leader_discount=game.leader_discount,
    )


def simultaneous(game: Game) -> Point:
    """The game as a follower sees it that moves at the same time, on states s."""
    law, slope = game.leader_policy, game.slope
    return Point(
        policy=game.policy,
        values=game.values,
        transitions=np.einsum("sa,sabt->sbt", law, game.transitions),
        leader_rewards=np.einsum("sa,sab->sb", law, game.leader_rewards),
        initial=game.initial,
        follower_slope=np.einsum("sa,sab->sb", slope, game.follower_rewards),
        transition_slope=np.einsum("sa,sabt->sbt", slope, game.transitions),
        leader_slope=np.einsum("sa,sab->sb", slope, game.leader_rewards),
        initial_slope=np.full_like(game.initial, ZERO),
        temperature=game.temperature,
        follower_discount=game.follower_discount,
        leader_discount=game.leader_discount,
    )


def direct_term(game: Game, baseline: str = "state") -> Number:
    """E sum gamma_L^t dlog f(a|s) (Q_L(s, a, b) - baseline), the follower observing (BC-T5).

    baseline: "state" for V_L(s), "none", or "released code" for the mean of Q_L(s, a', b) over a'
    at the follower's action b that was sampled, which is no function of s alone.
    """
    law, point = game.leader_policy, observing(game)
    values, found = leader_values(point)
    action_values = found.reshape(game.policy.shape)
    taken = {
        "none": np.full_like(action_values, ZERO),
        "state": (law * values.reshape(law.shape)).sum(axis=1)[:, None, None],
        "released code": np.einsum("sa,sab->sb", law, action_values)[:, None, :],
    }[baseline]
    visits = occupancy(point).reshape(law.shape).sum(axis=1)
    advantages = mean(game.policy, action_values - taken)
    return (visits[:, None] * game.slope * advantages).sum()


def influence(game: Game, *, first: bool = False, centred: bool = True) -> Array:
    """E of the sum over k >= 1 of gamma_F^k dlog f (V_F - mean of V_F) at step k, [n L, A].

    first: with the term of k = 0, which does not depend on the follower's action; centred: without
    it, V_F is taken as it is.
    """
    law, values = game.leader_policy, game.values
    mean_values = (law * values).sum(axis=1)
    gaps = values - mean_values[:, None] if centred else values
    moved = (game.slope * gaps).sum(axis=1)
    later = np.einsum("sabt,t->sab", game.transitions, moved)
    point = observing(game)
    terms = game.follower_discount * later.reshape(point.policy.shape)
    # an own reward in the place of the score's: what follows it is summed up as in BC-T2
    still = np.full_like(point.transition_slope, ZERO)
    found = follower_gradients(_with(point, terms, still))[1]
    if not first:
        return found
    score = (game.slope / law * gaps).ravel()
    return found + score[:, None]


def _with(point: Point, follower_slope: Array, transition_slope: Array) -> Point:
    from dataclasses import replace

    return replace(point, follower_slope=follower_slope, transition_slope=transition_slope)


def benefit_times_influence(game: Game, *, first: bool = False, centred: bool = True) -> Number:
    """E sum gamma_L^t B_L times the influence, B_L = Q_L less its mean over b; over the
    temperature it is the indirect term (BC-T5)."""
    point = observing(game)
    values, action_values = leader_values(point)
    benefit = action_values - values[:, None]
    terms = benefit * influence(game, first=first, centred=centred)
    return (occupancy(point) * mean(point.policy, terms)).sum()


def blind_indirect(game: Game, *, own: bool = True) -> Number:
    """The covariances of a follower that moves at the same time; without `own`, the term of the
    step itself, k = 0, is forgotten (BC-T5)."""
    point = simultaneous(game)
    if own:
        return covariances(point)
    terms = follower_gradients(point)[0]
    later = point.follower_discount * np.einsum("sbt,t->sb", point.transitions, terms)
    _, action_values = leader_values(point)
    centred = later - mean(point.policy, later)[:, None]
    return (occupancy(point) * mean(point.policy, action_values * centred)).sum()
