"""What a leader knows of its own values when it estimates: critics made from steps.

The exact critic is `solvers.hypergradient.adjoint.evaluate_leader`.  All values are UN-normalised
sums, discounted by the leader; terminal states have value 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...cmdp.scale.compiled import serial
from ...errors import ModelError
from ...sequences import Array
from ..adjoint import Critic
from ..checks import real
from ..models import BilevelModel
from ..sampling import Trajectories


@dataclass(frozen=True, slots=True)
class SampledCritic:
    """V_L, float64[n], and Q_L, float64[n, A]: what states and actions seem worth to the leader."""

    values: Array
    action_values: Array

    @property
    def advantages(self) -> Array:
        """A_L = Q_L - V_L, float64[n, A]."""
        return self.action_values - self.values[:, None]


def stackelberg_critic(model: BilevelModel, policy: Array, groups: Array) -> SampledCritic:
    """Bi-AC's critic: the leader takes its best action against the follower's likeliest answer.

    groups: int64[n], the state of the game that each follower's state (state, leader's action)
    belongs to.  The follower's answer is the mode of its policy, as in the released code.
    """
    states, answer = np.arange(len(policy)), np.argmax(policy, axis=1)
    order = np.argsort(groups, kind="stable")
    firsts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    place = np.searchsorted(groups[order[firsts]], groups)
    values, change = np.zeros(len(policy)), np.inf
    while change > 1e-12 * max(1.0, float(np.abs(values).max())):  # contracts by the discount
        own = _backup(model, values)[states, answer]
        best = np.maximum.reduceat(own[order], firsts)[place]
        change, values = float(np.abs(best - values).max()), best
    table = _backup(model, values)
    return SampledCritic((policy * table).sum(axis=1), table)


def _backup(model: BilevelModel, values: Array) -> Array:
    table: Array = model.leader_rewards + model.leader_discount * model.expected(values)
    return table


def monte_carlo_critic(model: BilevelModel, trajectories: Trajectories) -> SampledCritic:
    """Means of the returns that followed each pair and each state; 0 where none was visited."""
    n, n_actions = model.leader_rewards.shape
    rewards = model.leader_rewards.reshape(-1)[trajectories.cells]
    returns = carried(rewards[::-1], trajectories.is_last[::-1], model.leader_discount)[::-1]
    pairs = sums(returns, trajectories.cells, n * n_actions, mean=True)
    return SampledCritic(sums(returns, trajectories.states, n, mean=True),
                         pairs.reshape(n, n_actions))  # fmt: skip


def sarsa_critic(
    model: BilevelModel,
    policy: Array,
    trajectories: Trajectories,
    table: Array,
    step: float,
    random: np.random.Generator,
) -> SampledCritic:
    """One pass of SARSA over the steps in random order, from a table, float64[n, A], left as it is.

    Where an episode was cut, the next action is not known and its mean by the policy is taken.
    Raises ModelError unless 0 < step <= 1.
    """
    check_step(step)
    table = np.where(model.terminal[:, None], 0.0, table)
    rewards = model.leader_rewards.reshape(-1)[trajectories.cells]
    _sarsa(
        table, policy, trajectories.cells, trajectories.followings, trajectories.is_last, rewards,
        random.permutation(len(rewards)), float(model.leader_discount), step,
    )  # fmt: skip
    return SampledCritic((policy * table).sum(axis=1), table)


def check_step(step: float) -> None:
    """Raises ModelError unless 0 < step <= 1."""
    if not 0 < real(step, "the step of the critic") <= 1:
        raise ModelError(f"the step of the critic is {step}; give a number above 0 and up to 1")


EstimatedCritic = Critic | SampledCritic


def sums(values: Array, places: Array, size: int, *, mean: bool = False) -> Array:
    """The sum, or mean, of the values at each of so many places; 0 where there is none."""
    found = np.zeros(size, values.dtype)
    np.add.at(found, places, values)
    if mean:
        visited, counts = np.unique(places, return_counts=True)
        found[visited] = found[visited] / counts
    return found


def carried(weights: Array, is_first: Array, discount: float) -> Array:
    """e_k = w_k + discount e_{k-1} along an episode: a trace, and backwards a return.

    Numbers may be objects, such as fractions: then the same loop runs without the compiler.
    """
    trace = np.empty_like(weights)
    run = _carry.py_func if weights.dtype == object else _carry  # type: ignore[attr-defined]
    run(weights, is_first, discount, trace)
    return trace


@serial
def _carry(weights: Array, is_first: Array, discount: float, trace: Array) -> None:
    for k in range(len(weights)):
        trace[k] = weights[k]
        if not is_first[k]:
            trace[k] += discount * trace[k - 1]


@serial
def _sarsa(
    table: Array, policy: Array, cells: Array, followings: Array, is_last: Array, rewards: Array,
    order: Array, discount: float, step: float,
) -> None:  # fmt: skip
    n_actions = policy.shape[1]
    for k in order:
        after = 0.0
        if is_last[k]:
            for b in range(n_actions):
                after += policy[followings[k], b] * table[followings[k], b]
        else:
            after = table[cells[k + 1] // n_actions, cells[k + 1] % n_actions]
        state, action = cells[k] // n_actions, cells[k] % n_actions
        table[state, action] += step * (rewards[k] + discount * after - table[state, action])
