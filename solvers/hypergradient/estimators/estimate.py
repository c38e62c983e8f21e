"""Estimates of the leader's hypergradient from trajectories: BC-HG and its peers, on one interface.

All of them are sums over steps of a number times what the leader knows, the derivatives of rewards
and of the logarithms of transition probabilities.  So an estimator is a rule that gives each step
its weight; a trace carries the weights on to later steps, and the leader's vector-Jacobian product
does the rest, whatever the number of its parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..models import BilevelModel, Leader, checked_parameters, model_of
from ..sampling import Trajectories
from ..soft import Follower
from .critics import EstimatedCritic, carried, sums


@dataclass(frozen=True, slots=True)
class Method:
    """An estimator.

    Attributes:
        form: of the follower's reaction: "trace", each step's advantage times the return-gradient
            that followed; "averaged", with means of these over the visits of a pair; "centred",
            with the means of the state's visits taken off; "score", one return times the
            undiscounted sum of reward gradients less their means; or "none".
        critic: that the published method takes: "sarsa", "monte-carlo" or "stackelberg".
        oracle: whether return-gradients and critic come from further steps, reset to any state.
        meaning: in a few words.
    """

    form: Literal["trace", "averaged", "centred", "score", "none"]
    critic: Literal["exact", "sarsa", "monte-carlo", "stackelberg"]
    meaning: str
    oracle: bool = False


METHODS: Mapping[str, Method] = {
    "bc-hg": Method("trace", "sarsa", "advantages carried along by a trace"),
    "bc-hg-averaged": Method("averaged", "sarsa", "the same, return-gradients averaged by pairs"),
    "hpgd-mc": Method("centred", "monte-carlo", "averages by pairs less those by states"),
    "hpgd-sa": Method("centred", "sarsa", "the same with a SARSA critic"),
    "hpgd-oracle": Method("centred", "monte-carlo", "the same from resets to any state", True),
    "sobirl": Method("score", "monte-carlo", "one return times undiscounted reward gradients"),
    "naive": Method("none", "sarsa", "the direct term alone"),
    "bi-ac": Method("none", "stackelberg", "the direct term, a critic of best leader's actions"),
}
"""Name -> estimator.  The forms are those of the repositories lasgroup/HPGD and akimotolab/BC-HG;
what these divide by the number of ended episodes is here divided by that of all episodes."""


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """An estimate as what `Leader.pull_back` takes: weights of the derivatives of the tables."""

    follower_rewards: Array
    leader_rewards: Array
    transitions: Array
    initial: Array


def estimate(
    leader: Leader,
    parameters: Array,
    follower: Follower,
    trajectories: Trajectories,
    critic: EstimatedCritic,
    method: str = "bc-hg",
    *,
    model: BilevelModel | None = None,
    oracle: Trajectories | None = None,
) -> Array:
    """An estimate of the gradient of the leader's return, float64[d], mean over the episodes.

    BC-HG's is unbiased for an exact critic where all episodes run to their end.  model: that of the
    parameters, where it is there already.  oracle: further steps for a method that asks for them.
    In a game whose follower observes, the values of the states that steps lead to are taken less
    their mean over the leader's action (`AffineLeader.groups`), whose score has mean zero: for
    variance alone.
    Raises ModelError for an unknown method and for steps that are missing or have no effect.
    """
    rule = find(method)
    if rule.oracle != (oracle is not None):
        words = "needs" if rule.oracle else "takes no"
        raise ModelError(f"{method} {words} further steps that are reset to any state, `oracle`")
    if trajectories.n_episodes == 0:
        raise ModelError("there is no episode; roll out at least one")
    parameters = checked_parameters(leader, parameters)
    model = model_of(leader, parameters) if model is None else model
    baselines = _means(leader, parameters, critic.values, follower.values)
    found = sensitivities(model, follower, trajectories, critic, rule, oracle, baselines)
    return leader.pull_back(
        parameters, found.follower_rewards, found.leader_rewards, found.transitions, found.initial
    )


def _means(leader: Leader, parameters: Array, *values: Array) -> tuple[Array, ...] | None:
    """Of values [n] over the leader's action, [n]; None where the leader has no groups."""
    groups = getattr(leader, "groups", None)
    if groups is None:
        return None
    shares = leader.vector.values(parameters)  # type: ignore[attr-defined]
    return tuple(np.bincount(groups, shares * each)[groups] for each in values)


def find(method: str) -> Method:
    """The estimator of that name; ModelError with the names that there are."""
    if not isinstance(method, str) or method not in METHODS:
        raise ModelError(f"{method!r} is not an estimator; give one of {', '.join(METHODS)}")
    return METHODS[method]


def sensitivities(
    model: BilevelModel,
    follower: Follower,
    trajectories: Trajectories,
    critic: EstimatedCritic,
    rule: Method,
    oracle: Trajectories | None = None,
    baselines: tuple[Array, ...] | None = None,
) -> Sensitivities:
    """The estimate before the leader's derivatives come in; in floats or in fractions.

    The direct term weighs r_L by gamma_L^t and log P by gamma_L^(t+1) V_L(next); the reaction of
    the follower weighs r_F by e_t / beta and log P by gamma_F e_t V_F(next) / beta.
    baselines: float64[n] twice, taken off V_L and V_F.
    """
    n, n_actions = model.leader_rewards.shape
    leader_values, follower_values = critic.values, follower.values
    if baselines is not None:
        leader_values, follower_values = (
            leader_values - baselines[0],
            follower_values - baselines[1],
        )
    own = _discounts(model.leader_discount, trajectories) / trajectories.n_episodes
    moved = own * model.leader_discount * leader_values[trajectories.followings]
    firsts = trajectories.states[trajectories.times == 0]
    begun = leader_values[firsts] / (model.initial[firsts] * trajectories.n_episodes)
    visits = trajectories if oracle is None else oracle
    trace = _trace(model, trajectories, visits, critic, rule, own) / model.temperature
    reacted = trace * model.follower_discount * follower_values[visits.followings]
    rewards = sums(trace, visits.cells, n * n_actions).reshape(n, n_actions)
    if rule.form == "score":
        rewards = rewards - sums(trace, visits.states, n)[:, None] * follower.policy
        reacted = 0 * reacted  # of rewards alone; transitions have no derivative there
    entries, size = model.transitions.data, len(model.transitions.data)
    return Sensitivities(
        follower_rewards=rewards,
        leader_rewards=sums(own, trajectories.cells, n * n_actions).reshape(n, n_actions),
        transitions=sums(moved / entries[trajectories.entries], trajectories.entries, size)
        + sums(reacted / entries[visits.entries], visits.entries, size),
        initial=sums(begun, firsts, n),
    )


def _trace(
    model: BilevelModel,
    trajectories: Trajectories,
    visits: Trajectories,
    critic: EstimatedCritic,
    rule: Method,
    own: Array,
) -> Array:
    """What the immediate terms of the visits are weighed by, times the temperature."""
    is_first, advantages = visits.times == 0, critic.advantages.reshape(-1)
    if rule.form == "none":
        return np.zeros(len(visits.states), own.dtype)
    if rule.form == "score":
        returns = critic.action_values.reshape(-1)[trajectories.cells] / trajectories.n_episodes
        return carried(np.where(is_first, returns, 0 * returns), is_first, 1)
    weights = own * advantages[trajectories.cells]
    if rule.form != "trace":
        n, n_actions = model.leader_rewards.shape
        pairs = _spread(weights, trajectories.cells, visits.cells, n * n_actions)
        states = _spread(weights, trajectories.states, visits.states, n)
        weights = pairs - states if rule.form == "centred" else pairs
    return carried(weights, is_first, model.follower_discount)


def _spread(weights: Array, places: Array, visited: Array, size: int) -> Array:
    """The sum of the weights at a place, in equal parts for the visits of that place."""
    totals = sums(weights, places, size)
    return totals[visited] / np.bincount(visited, minlength=size)[visited]


def _discounts(discount: float, trajectories: Trajectories) -> Array:
    """gamma^t of each step."""
    times = trajectories.times
    powers = np.array([discount**0, *[discount] * int(times.max(initial=0))])
    return np.multiply.accumulate(powers)[times]
