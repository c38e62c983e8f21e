"""BC-HG on the bilevel LQR, in continuous states: every estimate beside the gradient in closed form.

Follower and critics are exact here too, but from formulas of their own: `Regulator` of
`solvers.hypergradient`, which is the judge, differentiates the leader's return instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_discrete_are
from scipy.signal import lfilter

from ...errors import ModelError
from ...hypergradient.regulators import Regulator, bilevel_lqr
from ...sequences import Array
from ..parts.algorithms import Algorithm
from ..parts.checkpoints import named, optimizer_tensors, part, set_optimizer_tensors
from ..parts.constrained import require_positive
from ..parts.runs import Workplace
from ..parts.training import Training, option
from .ascent import climb, compared, load, word

if TYPE_CHECKING:
    from torch import Tensor

METHODS = ("bc-hg", "naive", "flipped", "uncentred", "exact")
_NOISE = 1e-3
"""Standard deviation of the leader's actions."""
_AHEAD = 300
"""Steps that the critic looks ahead: twice as many change advantages in the fourth digit, and take twice as long."""


@dataclass(frozen=True)
class RegulatorOptions:
    """Options of one training.  Raises ModelError for what is not known or out of range."""

    method: str = option("bc-hg", "bc-hg, naive (direct term), exact; controls: flipped, uncentred")
    updates: int = option(60, "of the leader")
    episodes: int = option(8, "of the follower an update")
    steps: int = option(300, "of each episode")
    learning_rate: float = option(0.1, "of the leader's Adam, whose steps are about that long")
    checkpoint_every: int = option(20, "updates between checkpoints; 0 for none")

    def __post_init__(self) -> None:
        require_positive(self, "updates episodes steps learning_rate")
        if self.method not in METHODS or self.checkpoint_every < 0:
            raise ModelError(
                f"method = {self.method!r} must be one of {', '.join(METHODS)}, and "
                f"checkpoint_every = {self.checkpoint_every} not negative"
            )


def check(training: Training) -> None:
    """Raises ModelError for another task than "lqr", or a device other than the CPU."""
    if (training.task, training.device) != ("lqr", "cpu"):
        raise ModelError(
            f"task {training.task!r} on {training.device!r}; the regulator is the task 'lqr', on "
            "the cpu"
        )


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


def roll(problem: Regulator, gains: Array, seed: int, episodes: int, steps: int) -> Episodes:
    """Trajectories of the exact follower, and exact critics along them."""
    random = np.random.Generator(np.random.Philox(seed))
    system, discount = problem.dynamics(gains), problem.follower_discount
    drift, control, noise = (np.real(one) for one in (system.drift, system.control, system.noise))
    root = np.sqrt(discount)
    value = solve_discrete_are(root * drift, root * control, problem.state_cost, problem.action_cost)
    inner = problem.action_cost + discount * control.T @ value @ control
    reaction = discount * np.linalg.solve(inner, control.T @ value)  # to the state without it
    after = np.eye(2) - control @ reaction
    price = value @ after  # gamma_F z' price z is what a state z is going to cost
    spread = problem.temperature / 2 * control @ np.linalg.inv(inner) @ control.T
    own = after @ noise
    mixed = own @ own.T + spread
    states = np.empty((episodes, steps + 1, 2))
    states[:, 0] = problem.mean
    noises = random.standard_normal((episodes, steps))
    shocks = random.standard_normal((episodes, steps)) * np.sqrt(
        problem.temperature / 2 / inner[0, 0]
    )
    pushed = noises[..., None] * noise[:, 0]
    for t in range(steps):
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


class Steered:
    """The state of one training."""

    def __init__(self, training: Training) -> None:
        import torch

        self.training, self.problem = training, bilevel_lqr()
        self.gains = torch.randn(2, dtype=torch.float64, requires_grad=True)
        self.optimizer = torch.optim.Adam([self.gains], lr=training.options.learning_rate)

    def update(self, number: int) -> dict[str, float]:
        """One step of ascent; its line, with the exact objective before it."""
        import torch

        o, gains = self.training.options, self.gains.detach().numpy()
        exact, direct = (self.problem.gradient(gains, terms=t) for t in ("all", "direct"))
        line = {"objective": self.problem.objective(gains), "norm": float(np.linalg.norm(exact))}
        found = exact
        if o.method != "exact":
            seed = word(self.training.seed, number)
            seen = roll(self.problem, gains, seed, o.episodes, o.steps)
            found = sampled(self.problem, seen, o.method)
        line |= compared(found, exact, direct)
        self.gains.grad = -torch.as_tensor(found)
        self.optimizer.step()
        return line

    def reached(self) -> float:
        """The leader's exact objective at the gains reached."""
        return self.problem.objective(self.gains.detach().numpy())

    def tensors(self) -> dict[str, Tensor]:
        """All that a further update depends on."""
        return {"theta": self.gains, **named("optimizer", optimizer_tensors(self.optimizer))}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on after the update in which `tensors` were taken."""
        self.gains.data = tensors["theta"]
        set_optimizer_tensors(self.optimizer, part("optimizer", tensors))


def train(workplace: Workplace) -> None:
    """Train, from the last checkpoint if there is one."""
    climb(workplace, lambda: Steered(workplace.training))


ALGORITHM = Algorithm("hypergradient/regulator", RegulatorOptions, train, load, check)
