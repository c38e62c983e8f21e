"""The exact hypergradient by adjoint equations, for any number of leader parameters.

Three linear systems and one pull-back: the leader's critic, its occupancy, and the measure that
carries weights on the follower's action values to weights on its rewards and transitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .linear import Resolvent
from .models import BilevelModel, Leader
from .soft import Follower, solve_follower

Terms: TypeAlias = Literal["all", "direct", "indirect"]


@dataclass(frozen=True)
class Critic:
    """What the leader gets from a follower's policy, UN-normalised.

    values: V_L [n]; action_values: Q_L [n, A]; advantages: A_L = Q_L - E_g Q_L [n, A], exactly zero
    where there is one action; occupancy: [n], the discounted number of visits.
    """

    values: Array
    action_values: Array
    advantages: Array
    occupancy: Array


@dataclass(frozen=True)
class Weights:
    """What the hypergradient weighs each entry of the model by.

    own: [n, A], on the gradient of r_L, the discounted number of times an action is taken;
    response: [n, A], on the gradient of r_F.
    """

    own: Array
    response: Array


@dataclass(frozen=True)
class Hypergradient:
    """The leader's objective and its gradient (BC-T3).

    Attributes:
        objective: J_L = E sum gamma_L^t r_L, UN-normalised.
        gradient, direct, indirect: float64[d]; gradient = direct + indirect, of the terms asked
            for (the others are zero).  The indirect term is what the follower's response adds.
        error_bound: float64[d], a bound on the error of each component of the gradient;
            infinite where none is known.
        follower, critic: what the gradient was computed from.
    """

    objective: float
    gradient: Array
    direct: Array
    indirect: Array
    error_bound: Array
    follower: Follower
    critic: Critic


def evaluate_leader(model: BilevelModel, policy: Array) -> Critic:
    """The leader's values and visits under a follower's policy [n, A]."""
    resolvent = Resolvent(model.chain(policy), model.leader_discount)
    values = resolvent.solve((policy * model.leader_rewards).sum(axis=1))
    action_values = model.leader_rewards + model.leader_discount * model.expected(values)
    advantages = action_values - (policy * action_values).sum(axis=1, keepdims=True)
    return Critic(values, action_values, advantages, resolvent.solve_transposed(model.initial))


def adjoint_weights(model: BilevelModel, policy: Array, critic: Critic) -> Weights:
    """The weights of each entry's gradient, for a policy that is the follower's best response.

    With w = occ_L g A_L / beta on the gradients of Q_F, the follower's measure u solves
    u = gamma_F (P^T w + P_g^T u), and w + u g weighs the gradients of r_F (BC-T2, transposed).
    """
    own = critic.occupancy[:, None] * policy
    immediate = own * critic.advantages / model.temperature
    discount = model.follower_discount
    resolvent = Resolvent(model.chain(policy), discount)
    carried = resolvent.solve_transposed(discount * model.arrivals(immediate))
    carried = np.where(model.terminal, 0.0, carried)
    return Weights(own, immediate + carried[:, None] * policy)


def hypergradient(
    leader: Leader,
    parameters: Array | None = None,
    *,
    terms: Terms = "all",
) -> Hypergradient:
    """The gradient of the leader's objective through the follower's best response.

    Args:
        parameters: float64[d], default the leader's own.
        terms: "direct" holds the follower's policy fixed, "indirect" is what its response adds.

    Raises ModelError for other terms, parameters of another shape, and what the leader's model or
    pull-back refuses.
    """
    if terms not in ("all", "direct", "indirect"):
        raise ModelError(f'terms is {terms!r}; it is one of "all", "direct" and "indirect"')
    parameters = checked_parameters(leader, parameters)
    model = leader.model(parameters)
    follower = solve_follower(model)
    critic = evaluate_leader(model, follower.policy)
    zero = np.zeros_like(parameters)
    direct, indirect = zero, zero
    weights = adjoint_weights(model, follower.policy, critic)
    if terms != "indirect":
        direct = _pull_back(leader, parameters, model, weights.own, critic.values, direct=True)
    if terms != "direct":
        indirect = _pull_back(
            leader, parameters, model, weights.response, follower.values, direct=False
        )
    bound = np.full(parameters.shape, np.inf)
    objective = float(model.initial @ critic.values)
    return Hypergradient(objective, direct + indirect, direct, indirect, bound, follower, critic)


def checked_parameters(leader: Leader, parameters: Array | None) -> Array:
    """float64[d] as given, or the leader's own; ModelError for another shape and for NaN."""
    own = np.asarray(leader.parameters, dtype=float)
    if parameters is None:
        parameters = own
    given = np.asarray(parameters, dtype=float)
    if given.shape != own.shape:
        raise ModelError(f"parameters has shape {given.shape}; the leader's are {own.shape}")
    if not np.isfinite(given).all():
        at = int(np.argmin(np.isfinite(given)))
        raise ModelError(f"parameters[{at}] is {given[at]}; every parameter must be finite")
    return given


def _pull_back(
    leader: Leader, parameters: Array, model: BilevelModel, weights: Array, values: Array, *,
    direct: bool,
) -> Array:  # fmt: skip
    """The gradient of rewards and of discounted next values, weighed by weights [n, A]."""
    discount = model.leader_discount if direct else model.follower_discount
    moved = discount * weights.ravel()[model.cells] * values[model.transitions.indices]
    none = np.zeros_like(weights)
    rewards = (none, weights) if direct else (weights, none)
    start = values if direct else np.zeros_like(values)
    gradient = np.asarray(leader.pull_back(parameters, *rewards, moved, start), dtype=float)
    if gradient.shape != parameters.shape or not np.isfinite(gradient).all():
        raise ModelError(
            f"the leader's pull_back returned {gradient.ravel()[:4]} of shape {gradient.shape}; it "
            f"must return finite numbers, one for each of the {parameters.size} parameters. If a "
            "derivative does not exist there, choose other parameters or a smooth leader"
        )
    return gradient
