"""Ascent on the leader's return: plain gradient steps of bounded length, from samples or exact.

As in the released code: stochastic gradient ascent, the gradient scaled down to norm 1 where it is
longer, a critic whose table is kept from one iteration to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..adjoint import evaluate_leader, hypergradient
from ..checks import real, whole
from ..models import BilevelModel, Leader, checked_leader, checked_parameters, model_of
from ..sampling import Trajectories, roll_out
from ..soft import Follower, solve_follower
from .critics import (
    EstimatedCritic,
    check_step,
    monte_carlo_critic,
    sarsa_critic,
    stackelberg_critic,
)
from .estimate import estimate, find


@dataclass(frozen=True, slots=True)
class Ascent:
    """Where an ascent led: parameters, float64[d], and, at each record, iterations so far,
    int64[R], and the exact return of the leader, float64[R], UN-normalised."""

    parameters: Array
    iterations: Array
    objectives: Array


def ascend(
    leader: Leader,
    gradient: Callable[[Array], Array] | None = None,
    parameters: Array | None = None,
    *,
    iterations: int,
    learning_rate: float,
    clip: float = 1.0,
    records: int = 50,
) -> Ascent:
    """Steps of learning_rate * gradient, which is scaled down to a norm of `clip`.

    gradient: of parameters, float64[d], such as a `Sampler`; default the exact hypergradient.
    records: how often the exact return is computed.  Raises ModelError for numbers out of range and
    for a gradient that is not finite.
    """
    for name, value in (("learning_rate", learning_rate), ("clip", clip)):
        real(value, name, positive=True)
    whole(iterations, "iterations")
    whole(records, "records")
    if gradient is not None and not callable(gradient):
        raise ModelError(f"gradient is {gradient!r:.60}; give a function of the parameters")
    direction = gradient or (lambda at: hypergradient(leader, at, bounds=False).gradient)
    parameters = checked_parameters(leader, parameters)
    recorded = np.unique(np.linspace(0, iterations, records + 1).astype(int))
    objectives = [objective(leader, parameters)]
    for k in range(1, iterations + 1):
        ascent = np.asarray(direction(parameters))
        if ascent.shape != parameters.shape or ascent.dtype.kind not in "iuf":
            raise ModelError(
                f"the gradient of iteration {k} has shape {ascent.shape} and type {ascent.dtype}; "
                f"it needs a real number for each of the {parameters.size} parameters"
            )
        norm = float(np.linalg.norm(ascent))
        if not np.isfinite(norm):
            raise ModelError(f"the gradient of iteration {k} is not finite; choose a smaller "
                             "learning rate or a critic with smaller values")  # fmt: skip
        parameters = parameters + learning_rate * clip / max(norm, clip) * ascent
        if k in recorded:
            objectives.append(objective(leader, parameters))
    return Ascent(parameters, recorded, np.array(objectives))


def objective(leader: Leader, parameters: Array) -> float:
    """The leader's exact return, UN-normalised, against the follower's best response."""
    model = model_of(leader, checked_parameters(leader, parameters))
    critic = evaluate_leader(model, solve_follower(model).policy)
    return float(model.initial @ critic.values)


@dataclass(kw_only=True)
class Sampler:
    """An estimate of the hypergradient at any parameters, from new trajectories at each call.

    Attributes:
        method: an estimator of `METHODS`.
        steps: of the follower, the last episode cut, or `episodes`, whole ones.
        horizon: steps after which an episode is cut.
        critic: "exact", "sarsa", "monte-carlo" or "stackelberg"; default the method's own.
        critic_step: of SARSA, in (0, 1]; its table is kept from call to call.
        oracle_steps: further steps that are reset to any state, for methods that take them.

    A "stackelberg" critic needs a game whose follower observes (`AffineLeader.groups`).
    """

    leader: Leader
    seed: int
    horizon: int
    method: str = "bc-hg"
    steps: int | None = None
    episodes: int | None = None
    critic: str | None = None
    critic_step: float = 0.5
    oracle_steps: int = 10_000

    def __post_init__(self) -> None:
        checked_leader(self.leader)
        whole(self.horizon, "horizon")
        for name in ("steps", "episodes"):
            if getattr(self, name) is not None:
                whole(getattr(self, name), name)
        if (self.steps is None) == (self.episodes is None):
            raise ModelError("give either episodes or steps, the size of a sample, and not both")
        whole(self.oracle_steps, "oracle_steps")
        check_step(self.critic_step)
        self.rule = find(self.method)
        self.critic = self.critic or self.rule.critic
        if self.critic not in ("exact", "sarsa", "monte-carlo", "stackelberg"):
            raise ModelError(f"{self.critic!r} is not a critic; give exact, sarsa, monte-carlo or "
                             "stackelberg")  # fmt: skip
        self._groups = getattr(self.leader, "groups", None)
        if self.critic == "stackelberg" and self._groups is None:
            raise ModelError(
                "a stackelberg critic is for games whose follower observes what the leader does; "
                "take a leader from game_leader, or another estimator"
            )
        self._random = np.random.Generator(np.random.Philox(whole(self.seed, "seed", 0)))
        self._table: Array | None = None
        self._values: Array | None = None

    def __call__(self, parameters: Array) -> Array:
        """float64[d], the mean over the episodes."""
        parameters = checked_parameters(self.leader, parameters)
        model = model_of(self.leader, parameters)
        follower = solve_follower(model, self._values)
        self._values, oracle = follower.values, None
        steps = self._roll(model, follower, steps=self.steps, episodes=self.episodes)
        if self.rule.oracle:
            law = ~model.terminal / np.count_nonzero(~model.terminal)
            oracle = self._roll(model, follower, steps=self.oracle_steps, initial=law)
        critic = self._critic(model, follower, steps if oracle is None else oracle)
        return estimate(
            self.leader, parameters, follower, steps, critic, self.method, model=model,
            oracle=oracle,
        )  # fmt: skip

    def _roll(self, model: BilevelModel, follower: Follower, **size: Any) -> Trajectories:
        seed = int(self._random.integers(2**63))
        return roll_out(model, follower.policy, seed, horizon=self.horizon, **size)

    def _critic(
        self, model: BilevelModel, follower: Follower, seen: Trajectories
    ) -> EstimatedCritic:
        if self.critic == "exact":
            return evaluate_leader(model, follower.policy)
        if self.critic == "monte-carlo":
            return monte_carlo_critic(model, seen)
        if self._groups is not None and self.critic == "stackelberg":
            return stackelberg_critic(model, follower.policy, self._groups)
        table = self._table
        if table is None:  # as in the released code, normal numbers to begin with
            table = np.asarray(self._random.normal(size=follower.policy.shape))
        found = sarsa_critic(model, follower.policy, seen, table, self.critic_step, self._random)
        self._table = found.action_values
        return found
