"""BC-HG on the bilevel LQR, in continuous states, beside the gradient in closed form.

Follower and critics are exact here too, but from formulas of their own: `Regulator` of
`solvers.hypergradient`, which is the judge, differentiates the leader's return instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import solve_discrete_are
from scipy.signal import lfilter

from ...hypergradient.regulators import Regulator, bilevel_lqr
from ...sequences import Array
from ..parts.training import Training
from .ascent import Climb

_STEPS = 300
"""Of an episode: what comes later weighs less than a twentieth in the leader's return."""
_NOISE = 1e-3
"""Standard deviation of the leader's actions."""
_AHEAD = 300
"""Steps the critic looks ahead, at a cost in proportion; advantages fade as the loop forgets."""


@dataclass(frozen=True)
class Episodes:
    """float64[N, T, 2] states, and [N, T] standard normal noises of the leader's actions; what
    follows from them: advantages of the follower's actions and of the leader's, and V_F less its
    mean over the leader's action."""

    states: Array
    noises: Array
    follower_advantages: Array
    leader_advantages: Array
    action_values: Array
    follower_values: Array


def roll(problem: Regulator, gains: Array, seed: int, episodes: int) -> Episodes:
    """Trajectories of the exact follower, and exact critics along them."""
    random = np.random.Generator(np.random.Philox(seed))
    system, discount = problem.dynamics(gains), problem.follower_discount
    drift, control, noise = (np.real(one) for one in (system.drift, system.control, system.noise))
    root = np.sqrt(discount)
    value = solve_discrete_are(
        root * drift, root * control, problem.state_cost, problem.action_cost
    )
    inner = problem.action_cost + discount * control.T @ value @ control
    reaction = discount * np.linalg.solve(inner, control.T @ value)  # to the state without it
    after = np.eye(2) - control @ reaction
    price = value @ after  # gamma_F z' price z is what a state z is going to cost
    spread = problem.temperature / 2 * control @ np.linalg.inv(inner) @ control.T
    own = after @ noise
    mixed = own @ own.T + spread
    states = np.empty((episodes, _STEPS + 1, 2))
    states[:, 0] = problem.mean
    noises = random.standard_normal((episodes, _STEPS))
    shocks = random.standard_normal((episodes, _STEPS)) * np.sqrt(
        problem.temperature / 2 / inner[0, 0]
    )
    pushed = noises[..., None] * noise[:, 0]
    for t in range(_STEPS):
        moved = states[:, t] @ drift.T + pushed[:, t]
        states[:, t + 1] = moved @ after.T + shocks[:, t, None] * control[:, 0]
    now = states[:, :-1]
    meant = now @ drift.T
    moved = meant + pushed

    def worth(mean: Array, covariance: Array) -> Array:
        return _worth(problem.leader_discount, mean, covariance, after @ drift, mixed)

    none = np.zeros((2, 2))
    later, expected = worth(states[:, 1:], none), worth(moved @ after.T, spread)
    ahead = problem.leader_discount
    costs = [np.einsum("nti,ij,ntj->nt", z, price, z) for z in (moved, meant)]
    return Episodes(
        now, noises, ahead * (later - expected),
        ahead * (expected - worth(meant @ after.T, mixed)), ahead * later,
        -discount * (costs[0] - costs[1] - (noise.T @ price @ noise)[0, 0]),
    )  # fmt: skip


_TARGET, _WIDTHS = np.array([-0.8, 0.0]), np.diag([0.2**2, 0.01**2])
"""Of the leader's reward, as `bilevel_lqr` has them."""
_FAR = 1e3
"""Where states are held in the critic's sum: the reward there is 0, and unstable ones overflow."""


def _worth(discount: float, mean: Array, covariance: Array, closed: Array, added: Array) -> Array:
    """The leader's values of states [..., 2] that are normal with the same covariance."""
    total, factor = np.zeros(mean.shape[:-1]), 1.0
    for _ in range(_AHEAD):
        whole = _WIDTHS + covariance
        off = mean - _TARGET
        height = factor * np.sqrt(np.linalg.det(_WIDTHS) / np.linalg.det(whole))
        total += height * np.exp(-((off @ np.linalg.inv(whole)) * off).sum(-1) / 2)
        mean = np.clip(mean @ closed.T, -_FAR, _FAR)
        covariance = closed @ covariance @ closed.T + added
        factor *= discount
    return total


def sampled(problem: Regulator, seen: Episodes, method: str) -> Array:
    """float64[2], the mean over the episodes of an estimate of the hypergradient (BC-T5)."""
    times = problem.leader_discount ** np.arange(seen.noises.shape[1])
    scores = seen.states * seen.noises[..., None] / _NOISE
    direct = times * seen.leader_advantages
    if method == "naive":
        weights = direct
    else:
        own = seen.action_values if method == "uncentred" else seen.follower_advantages
        trace = lfilter([1.0], [1.0, -problem.follower_discount], times * own, axis=1)
        carried = np.zeros_like(trace)
        carried[:, 1:] = problem.follower_discount * trace[:, :-1]
        sign = -1 if method == "flipped" else 1
        weights = direct + sign / problem.temperature * carried * seen.follower_values
    found: Array = np.einsum("nt,nti->i", weights, scores) / len(weights)
    return found


class Steered(Climb):
    """Gains of the leader, begun at random."""

    def __init__(self, training: Training) -> None:
        self.problem = bilevel_lqr()
        super().__init__(training, torch.randn(2, dtype=torch.float64).numpy())

    def exact(self) -> tuple[float, Array, Array]:
        """By the derivative of the closed form."""
        full, direct = (self.problem.gradient(self.theta, terms=t) for t in ("all", "direct"))
        return self.problem.objective(self.theta), full, direct

    def estimate(self, seed: int) -> Array:
        """From new trajectories of the exact follower."""
        episodes = -(-self.options.steps // _STEPS)
        return sampled(
            self.problem, roll(self.problem, self.theta, seed, episodes), self.options.method
        )


begin = Steered
