"""What solving a bilevel model finds, and what the hypergradient is put together from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..sequences import Array
from .models import BilevelModel, Matrix


@dataclass(frozen=True)
class Rounding:
    """What a leader's doubles are off the map of its parameters that is meant.

    Attributes:
        follower_rewards, leader_rewards: of each reward at most.
        transitions: of the entries of each row of the transitions, summed up.
        initial: of the entries of the first law, summed up.
        jacobians: bounds on each entry of `Jacobians`, csr_arrays in their order; None is zero.
    """

    follower_rewards: float = 0.0
    leader_rewards: float = 0.0
    transitions: float = 0.0
    initial: float = 0.0
    jacobians: tuple[Matrix | None, ...] = (None,) * 4


NO_ROUNDING = Rounding()
"""The doubles are what is meant."""


@dataclass(frozen=True)
class Follower:
    """The soft-optimal response, up to the errors stated.

    Attributes:
        policy: float64[n, A], exp((Q - V) / beta); uniform in terminal states, where none acts.
        values: float64[n], V = beta log sum_b exp(Q / beta), UN-normalised; zero where it is over.
        action_values: float64[n, A], Q = r_F + gamma_F P V.
        residual: the greatest ``|Q's own V - V that Q was made of|``.
        value_error, action_value_error: rigorous bounds on ``|V - V*|`` and ``|Q - Q*|``.
        policy_error: a rigorous bound on ``|g - g*| / g``.
    """

    policy: Array
    values: Array
    action_values: Array
    residual: float
    value_error: float
    action_value_error: float
    policy_error: float


@dataclass(frozen=True)
class Critic:
    """What the leader gets from a follower's policy, UN-normalised.

    values: V_L [n]; action_values: Q_L [n, A]; advantages: A_L = Q_L - E_g Q_L [n, A], exactly zero
    where there is one action; occupancy: [n], the discounted number of visits; value_error,
    advantage_error: rigorous bounds on the errors of V_L and A_L.
    """

    values: Array
    action_values: Array
    advantages: Array
    occupancy: Array
    value_error: float
    advantage_error: float


@dataclass(frozen=True)
class Weights:
    """What the hypergradient weighs the gradient of each entry of the model by.

    own: [n, A], of r_L, the discounted number of times an action is taken; immediate: [n, A], of
    Q_F; carried: [n], of V_F at the states that these lead to; response: [n, A], of r_F.
    """

    own: Array
    immediate: Array
    carried: Array
    response: Array


@dataclass(frozen=True)
class Term:
    """One term of the hypergradient: rewards weighed by ``rewards`` [n, A], next values too.

    own: whether it is the direct term, of the leader's rewards, values and first state.
    """

    model: BilevelModel
    rewards: Array
    values: Array
    own: bool

    @property
    def discount(self) -> float:
        """Of the values at the next state."""
        return self.model.leader_discount if self.own else self.model.follower_discount

    @property
    def weights(self) -> tuple[Array, Array, Array, Array]:
        """Of r_F, r_L, the stored transitions and the initial law, for `Leader.pull_back`."""
        model, none = self.model, np.zeros_like(self.rewards)
        moved = self.rewards.ravel()[model.cells] * self.values[model.transitions.indices]
        start = self.values if self.own else np.zeros_like(self.values)
        own, other = (self.rewards, none) if self.own else (none, self.rewards)
        return other, own, self.discount * moved, start

    @property
    def size(self) -> float:
        """The sum of all weights of rewards, without signs."""
        return float(np.abs(self.rewards).sum())
