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
from .checks import check_policy, kind
from .linear import Resolvent
from .models import (
    BilevelModel,
    Leader,
    checked_parameters,
    jacobians_of,
    model_of,
    pulled_back,
)
from .records import NO_ROUNDING, Critic, Follower, Rounding, Term, Weights
from .rounding import critic_errors, term_errors, weight_errors
from .soft import solve_follower

_REFINED = 1e-8
"""What one of three solves for the leader's values leaves: together they reach extended precision,
and one pass of the Krylov method is enough for each."""

Terms: TypeAlias = Literal["all", "direct", "indirect"]


@dataclass(frozen=True)
class Hypergradient:
    """The leader's objective and its gradient (BC-T3).

    Attributes:
        objective: J_L = E sum gamma_L^t r_L, UN-normalised.
        gradient, direct, indirect: float64[d]; gradient = direct + indirect, of the terms asked
            for (the others are zero).  The indirect term is what the follower's response adds.
        error_bound: float64[d], a rigorous bound on the error of each component of the gradient;
            infinite where the leader has no Jacobians and too many entries to find them.
        objective_error: the same for the objective.
        covers_leader: whether the bounds cover the way from the parameters to the model and its
            Jacobians, as they do for an `AffineLeader` of amounts or of a `SoftmaxPolicy` whose
            base, maps and parameters are the doubles they are; if not, as for leaders of functions
            and torch modules, the model and the Jacobians are taken as the doubles returned.
        follower, critic: what the gradient was computed from.
    """

    objective: float
    gradient: Array
    direct: Array
    indirect: Array
    error_bound: Array
    objective_error: float
    follower: Follower
    critic: Critic
    covers_leader: bool


def evaluate_leader(
    model: BilevelModel, policy: Array, policy_error: float = 0.0, data: Rounding = NO_ROUNDING
) -> Critic:
    """The leader's values and visits under a follower's policy [n, A], whose rows are normalised.

    policy_error: how far the policy may be from the one that is meant, relative to each entry.
    data: how far the model may be from the one that is meant.
    """
    kind(model, BilevelModel, "model", "give a BilevelModel")
    check_policy(policy, (model.n_states, model.n_actions))
    resolvent = Resolvent(model.chain(policy), model.leader_discount)
    exact = policy.astype(np.longdouble)
    exact /= exact.sum(axis=1, keepdims=True)
    values = np.zeros(model.n_states, dtype=np.longdouble)
    for _ in range(3):  # refined, since errors of values grow with each of three discounts
        action_values = model.leader_rewards + model.leader_discount * model.expected(values)
        mean = (exact * action_values).sum(axis=1)
        values = values + resolvent.solve((mean - values).astype(float), gain=_REFINED)
    action_values = model.leader_rewards + model.leader_discount * model.expected(values)
    advantages = action_values - (exact * action_values).sum(axis=1, keepdims=True)
    errors = critic_errors(model, exact, policy_error, values, action_values, data)
    occupancy = resolvent.solve_transposed(model.initial)
    doubles = values.astype(float), action_values.astype(float), advantages.astype(float)
    return Critic(*doubles, occupancy, *errors)


def adjoint_weights(model: BilevelModel, policy: Array, critic: Critic) -> Weights:
    """The weights of each entry's gradient, for a policy that is the follower's best response.

    With w = occ_L g A_L / beta on the gradients of Q_F, the follower's measure u solves
    u = gamma_F (P^T w + P_g^T u), and w + u g weighs the gradients of r_F (BC-T2, transposed).
    """
    check_policy(policy, (model.n_states, model.n_actions))
    own = critic.occupancy[:, None] * policy
    immediate = own * critic.advantages / model.temperature
    discount = model.follower_discount
    resolvent = Resolvent(model.chain(policy), discount)
    carried = resolvent.solve_transposed(discount * model.arrivals(immediate))
    carried = np.where(model.terminal, 0.0, carried)
    return Weights(own, immediate, carried, immediate + carried[:, None] * policy)


@np.errstate(over="ignore", invalid="ignore")  # of bounds, which are infinite then
def hypergradient(
    leader: Leader,
    parameters: Array | None = None,
    *,
    terms: Terms = "all",
    bounds: bool = True,
) -> Hypergradient:
    """The gradient of the leader's objective through the follower's best response (BC-T3).

    Args:
        parameters: float64[d], default the leader's own.
        terms: "direct" holds the follower's policy fixed, "indirect" is what its response adds.
        bounds: whether to bound errors, which needs the leader's Jacobians: leave it out where they
            are expensive.

    Raises ModelError for other terms, parameters of another shape, a law of one possible successor
    that depends on the parameters, gradients beyond doubles, and what the leader's model or
    pull-back refuses.
    """
    check_terms(terms)
    theta = checked_parameters(leader, parameters)
    model = model_of(leader, theta)
    _check_scores(leader, theta, model)
    given = rounding_of(leader, theta) if bounds else None
    data = NO_ROUNDING if given is None else given
    follower = solve_follower(model, data=data)
    critic = evaluate_leader(model, follower.policy, follower.policy_error, data)
    weights = adjoint_weights(model, follower.policy, critic)
    direct = Term(model, weights.own, critic.values, own=True)
    indirect = Term(model, weights.response, follower.values, own=False)
    asked = [direct] * (terms != "indirect") + [indirect] * (terms != "direct")
    found = {term.own: pulled_back(leader, theta, term.weights) for term in asked}
    zero = np.zeros_like(theta)
    if not all(np.isfinite(one).all() for one in found.values()):
        raise ModelError(
            "the hypergradient is beyond doubles; measure rewards in a larger unit, or raise the "
            "temperature"
        )
    bound = np.full(theta.shape, np.inf)
    if bounds and (jacobians := jacobians_of(leader, theta)) is not None:
        errors = weight_errors(model, follower, critic, weights, data)
        known = {True: (critic.value_error, errors[0]), False: (follower.value_error, errors[1])}
        each = (term_errors(model, jacobians, t, found[t.own], *known[t.own], data) for t in asked)
        bound = sum(each, zero)
        bound[np.isnan(bound)] = np.inf  # an overflow on the way: nothing is known
    most = float(np.abs(critic.values).max())
    return Hypergradient(
        float(model.initial @ critic.values),
        sum(found.values(), zero),
        found.get(True, zero),
        found.get(False, zero),
        bound,
        critic.value_error * (1 + data.initial) + (2.0**-52 * model.n_states + data.initial) * most,
        follower,
        critic,
        given is not None,
    )


def check_terms(terms: str) -> None:
    """Raises ModelError for other terms than there are."""
    if terms not in ("all", "direct", "indirect"):
        raise ModelError(f'terms is {terms!r}; it is one of "all", "direct" and "indirect"')


def rounding_of(leader: Leader, parameters: Array) -> Rounding | None:
    """What the leader's doubles may be off, if it knows."""
    own = getattr(leader, "rounding", None)
    found: Rounding | None = None if own is None else own(parameters)
    return found


_NO_SCORE = 1e-9
"""A derivative of a probability that is always one, beyond rounding in its computation."""


def _check_scores(leader: Leader, theta: Array, model: BilevelModel) -> None:
    """Where only one state can follow, the law must not depend on the parameters."""
    alone = np.diff(model.transitions.indptr) == 1
    weights = np.where(alone[model.cells], 1 + np.cos(model.cells), 0.0)
    if not weights.any():
        return
    none = np.zeros_like(model.follower_rewards)
    moved = pulled_back(leader, theta, (none, none, weights, np.zeros(model.n_states)))
    wrong = np.flatnonzero(np.abs(moved) > _NO_SCORE * weights.sum())
    if len(wrong):
        row = divmod(int(np.argmax(alone)), model.n_actions)
        raise ModelError(
            f"parameter {wrong[0]} moves the law of a (state, action) with a single successor (the "
            f"first such is {row}), by {moved[wrong[0]]:.3g} a unit: the score of a deterministic "
            "transition is undefined. Store at least two successors with positive probabilities"
        )
