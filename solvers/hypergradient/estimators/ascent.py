"""Ascent on the leader's return: plain gradient steps of bounded length, from samples or exact.

As in the released code: stochastic gradient ascent, the gradient scaled down to norm 1 where it is
longer, a critic whose table is kept from one iteration to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..adjoint import checked_parameters, evaluate_leader, hypergradient
from ..models import BilevelModel, Leader
from ..sampling import Trajectories, roll_out
from ..soft import Follower, solve_follower
from .critics import EstimatedCritic, monte_carlo_critic, sarsa_critic, stackelberg_critic
from .estimate import Method, estimate, find

EXACT = "exact"
"""In the place of an estimator: the exact hypergradient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What an estimator is given at each iteration.

    Attributes:
        method: an estimator of `METHODS`.
        steps: of the follower, the last episode cut.
        horizon: steps after which an episode is cut.
        critic: "exact", "sarsa", "monte-carlo" or "stackelberg"; default the method's own.
        critic_step: of SARSA, in (0, 1].
        oracle_steps: further steps that are reset to any state, for methods that take them.
        groups: int64[n], for "stackelberg".
    """

    method: str = "bc-hg"
    steps: int
    horizon: int
    critic: str | None = None
    critic_step: float = 0.5
    oracle_steps: int = 10_000
    groups: Array | None = None


@dataclass(frozen=True, slots=True)
class Ascent:
    """Parameters at the end, float64[d], and at each record: iterations and steps of the follower
    so far, int64[R], and the exact return of the leader, float64[R], UN-normalised."""

    parameters: Array
    iterations: Array
    samples: Array
    objectives: Array


class Gradient(Protocol):
    """What gives the direction of ascent at parameters, float64[d]."""

    def __call__(self, parameters: Array) -> Array: ...


def climb(
    leader: Leader,
    gradient: Callable[[Array], Array],
    parameters: Array | None = None,
    *,
    iterations: int,
    learning_rate: float,
    clip: float = 1.0,
    records: int = 50,
    samples: int = 0,
) -> Ascent:
    """Steps of learning_rate * gradient, which is scaled down to a norm of `clip`.

    records: how often the exact return is computed; samples: of the follower, each iteration.
    Raises ModelError for numbers out of range, and for a gradient that is not finite.
    """
    for name, value in (("learning_rate", learning_rate), ("clip", clip)):
        if not (np.isfinite(value) and value > 0):
            raise ModelError(f"{name} is {value}; give a number above 0")
    if iterations < 1:
        raise ModelError(f"iterations is {iterations}; give a whole number above 0")
    parameters = checked_parameters(leader, parameters)
    recorded = np.unique(np.linspace(0, iterations, records + 1).astype(int))
    objectives = []
    for k in range(iterations + 1):
        if k in recorded:
            objectives.append(objective(leader, parameters))
        if k < iterations:
            ascent = gradient(parameters)
            norm = float(np.linalg.norm(ascent))
            if not np.isfinite(norm):
                raise ModelError(f"the gradient of iteration {k} is not finite; choose a smaller "
                                 "learning rate or a critic with smaller values")  # fmt: skip
            parameters = parameters + learning_rate * min(1.0, clip / max(norm, clip)) * ascent
    return Ascent(parameters, recorded, recorded * samples, np.array(objectives))


def objective(leader: Leader, parameters: Array) -> float:
    """The leader's exact return, UN-normalised, against the follower's best response."""
    model = leader.model(parameters)
    critic = evaluate_leader(model, solve_follower(model).policy)
    return float(model.initial @ critic.values)


def ascend(
    leader: Leader,
    sampling: Sampling | None,
    parameters: Array | None = None,
    *,
    seed: int,
    iterations: int,
    learning_rate: float,
    clip: float = 1.0,
    records: int = 50,
) -> Ascent:
    """Ascent by an estimator, or by the exact hypergradient where `sampling` is None.

    A seed gives the same ascent again.  Raises ModelError as `climb` and `estimate` do.
    """
    size, gradient = 0, _exact(leader)
    if sampling is not None:
        gradient = Sampler(leader, sampling, seed)
        size = sampling.steps + (sampling.oracle_steps if find(sampling.method).oracle else 0)
    return climb(leader, gradient, parameters, iterations=iterations, clip=clip, records=records,
                 learning_rate=learning_rate, samples=size)  # fmt: skip


def _exact(leader: Leader) -> Gradient:
    return lambda parameters: hypergradient(leader, parameters).gradient


class Sampler:
    """An estimate at any parameters, from new trajectories each time; a SARSA table is kept."""

    def __init__(self, leader: Leader, sampling: Sampling, seed: int) -> None:
        self.leader, self.sampling, self.rule = leader, sampling, find(sampling.method)
        self.critic = sampling.critic or self.rule.critic
        if self.critic == "stackelberg" and sampling.groups is None:
            raise ModelError(f"{sampling.method} is for games, whose leader acts; take another "
                             "estimator, or give `groups`, the game's state of each state")  # fmt: skip
        self._random = np.random.Generator(np.random.Philox(seed))
        self._table: Array | None = None
        self._values: Array | None = None

    def __call__(self, parameters: Array) -> Array:
        """float64[d]."""
        model = self.leader.model(parameters)
        follower = solve_follower(model, self._values)
        self._values = follower.values
        sampling, oracle = self.sampling, None
        steps = self._roll(model, follower, sampling.steps, None)
        if self.rule.oracle:
            law = ~model.terminal / np.count_nonzero(~model.terminal)
            oracle = self._roll(model, follower, sampling.oracle_steps, law)
        critic = self._critic(model, follower, steps if oracle is None else oracle)
        return estimate(self.leader, parameters, follower, steps, critic, sampling.method,
                        model=model, oracle=oracle)  # fmt: skip

    def _roll(
        self, model: BilevelModel, follower: Follower, steps: int, law: Array | None
    ) -> Trajectories:
        seed = int(self._random.integers(2**63))
        horizon = self.sampling.horizon
        return roll_out(model, follower.policy, seed, horizon=horizon, steps=steps, initial=law)

    def _critic(
        self, model: BilevelModel, follower: Follower, steps: Trajectories
    ) -> EstimatedCritic:
        if self.critic == "monte-carlo":
            return monte_carlo_critic(model, steps)
        if self.critic == "stackelberg":
            return stackelberg_critic(model, follower.policy, self.sampling.groups)
        if self.critic == "exact":
            return evaluate_leader(model, follower.policy)
        if self.critic != "sarsa":
            raise ModelError(f"{self.critic!r} is not a critic; give exact, sarsa, monte-carlo or "
                             "stackelberg")  # fmt: skip
        if self._table is None:  # as in the released code, normal numbers to begin with
            self._table = self._random.normal(size=follower.policy.shape)
        found = sarsa_critic(model, follower.policy, steps, self._table,
                             self.sampling.critic_step, self._random)  # fmt: skip
        self._table = found.action_values
        return found
