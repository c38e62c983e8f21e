"""Tiny Markov games with a Boltzmann follower, in the numbers of `balls`, reduced to `Point`.

n states, L actions of the leader, A of the follower.  A follower that observes the leader's action
has the states (s, a); one that moves at the same time has the states s, with rewards and
transitions that are means over the leader's actions.  Returns are UN-normalised sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .balls import (
    Array,
    Number,
    Point,
    covariances,
    follower_gradients,
    leader_advantages,
    leader_values,
    mean,
    occupancy,
)


@dataclass(frozen=True, slots=True)
class Game:
    """A game at one policy of the leader, and how that moves along a direction.

    leader_policy, slope [n, L]; policy, values: the follower's, [n, L, A] and [n, L] if it
    observes, [n, A] and [n] if not; transitions [n, L, A, n], whose missing mass ends the episode;
    leader_rewards, follower_rewards [n, L, A] (the latter up to a term in state and follower's
    action, and used only if it moves at the same time); initial [n].
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


def observing(game: Game) -> Point:
    """The game as its follower sees it, on states (s, a) in order of s."""
    pairs = game.leader_policy.size
    zero, policy = game.leader_rewards * 0, game.policy.reshape(pairs, -1)

    def joint(law: Array) -> Array:
        return np.einsum("sabt,tc->sabtc", game.transitions, law).reshape(pairs, -1, pairs)

    return Point(
        policy=policy,
        values=game.values.ravel(),
        transitions=joint(game.leader_policy),
        leader_rewards=game.leader_rewards.reshape(policy.shape),
        initial=(game.initial[:, None] * game.leader_policy).ravel(),
        follower_slope=zero.reshape(policy.shape),
        transition_slope=joint(game.slope),
        leader_slope=zero.reshape(policy.shape),
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
        initial_slope=game.initial * 0,
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
        "none": action_values * 0,
        "state": mean(law, values.reshape(law.shape))[:, None, None],
        "released code": np.einsum("sa,sab->sb", law, action_values)[:, None, :],
    }[baseline]
    visits = occupancy(point).reshape(law.shape).sum(axis=1)
    return (visits[:, None] * game.slope * mean(game.policy, action_values - taken)).sum()


def benefit_times_influence(game: Game, *, first: bool = False, centred: bool = True) -> Number:
    """E sum gamma_L^t B_L times the influence; over the temperature the indirect term (BC-T5).

    first: whether the influence has the term k = 0, which does not depend on b; centred: whether it
    has V_F less its mean over the leader's actions, or V_F as it is.
    """
    law, point = game.leader_policy, observing(game)
    gaps = game.values - (mean(law, game.values)[:, None] if centred else 0)
    later = np.einsum("sabt,t->sab", game.transitions, (game.slope * gaps).sum(axis=1))
    # as an own reward of the follower what comes later is summed up as in BC-T2
    terms = game.follower_discount * later.reshape(point.policy.shape)
    own = replace(point, follower_slope=terms, transition_slope=point.transition_slope * 0)
    influence = follower_gradients(own)[1]
    if first:
        influence = influence + (game.slope / law * gaps).ravel()[:, None]
    benefit = leader_advantages(point)
    return (occupancy(point) * mean(point.policy, benefit * influence)).sum()


def later_covariances(game: Game) -> Number:
    """The covariances of a follower that moves at the same time, without the term of the step
    itself, k = 0, which only an observing follower may forget (BC-T5)."""
    point = simultaneous(game)
    slopes, _ = follower_gradients(point)
    later = point.follower_discount * np.einsum("sbt,t->sb", point.transitions, slopes)
    still = replace(point, follower_discount=0, follower_slope=later)
    return covariances(still)
