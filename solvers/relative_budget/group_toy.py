"""One update of group-normalised policy gradients on a chain of steps, exactly and by simulation.

Each token makes one of K steps with probability p = 1/(1 + exp(-theta)), one logit for all, so that
T is NegativeBinomial(K, p) and xi = H p/K.  A group of G rollouts has the advantages
(R - mean)/std, 0 where all rewards agree, and the estimate is the mean of advantage times score.
Source: ALG-GRPO, ours; advantages as GRPO has them, without its 1e-8 in the denominator, which
changes nothing visible where rewards are whole numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy  # its parts are loaded when they are used

from ..errors import ModelError
from ..target_returns.gaussian.checks import count, finite
from ..target_returns.groups.advantages import group_advantages
from .continuous import Floats
from .moments import moments
from .processes import NegativeBinomial

_SCALES = np.arange(-36.0, 7.0, 0.5)
"""Logarithms of t, the variable of 1/std = int t^(-1/2) exp(-t var) dt/sqrt(pi).  A wider range or
a smaller step costs time; these leave a relative error below 1e-6 for whole rewards up to 100."""
_STEP, _REACH = 0.6, 9.0
"""Step and reach of the sum over the centre m, in units of 1/sqrt(t), where it has the deviation
1/sqrt(2): trapezoids of a Gaussian are exact to 1e-8 with this step, and 1e-35 is beyond reach."""


@dataclass(frozen=True, slots=True)
class Lock:
    """K steps within a horizon of H tokens, at relative budget xi.

    binary: whether R is 1{T <= H} rather than (H - T + 1) 1{T <= H}.

    Raises ModelError for no step, a horizon below K, or a budget that needs p outside (0, 1).
    """

    steps: int
    horizon: int
    budget: float
    binary: bool = False

    def __post_init__(self) -> None:
        if not count(self.steps, "steps", 0) or self.steps > count(self.horizon, "the horizon"):
            raise ModelError(
                f"{self.steps} steps do not fit a horizon of {self.horizon} tokens; give at least "
                "one step and as many tokens as steps"
            )
        if not 0 < self.success < 1:
            raise ModelError(
                f"a relative budget of {self.budget} asks for a success of {self.success:.4g} a "
                f"token; it must lie between 0 and {self.horizon / self.steps:.4g}"
            )

    @property
    def success(self) -> float:
        """p = xi K/H."""
        return self.budget * self.steps / self.horizon

    @property
    def logit(self) -> float:
        """theta."""
        return float(scipy.special.logit(self.success))

    def mean_reward(self, theta: float) -> float:
        """J at another logit, UN-normalised."""
        law = NegativeBinomial(self.steps, Fraction(float(scipy.special.expit(theta))))
        found = moments(law, self.horizon)
        return found.success if self.binary else found.mean

    def rewards(self) -> tuple[Floats, Floats, Floats]:
        """Each reward, its probability, and the mean score given it; float64[H - K + 2]."""

        t = np.arange(self.steps, self.horizon + 1)
        chance = scipy.stats.nbinom.pmf(t - self.steps, self.steps, self.success)
        score = self.steps * (1 - self.success) - (t - self.steps) * self.success
        reward = np.ones(len(t)) if self.binary else self.horizon + 1.0 - t
        # scores have mean 0, which gives the mean of those that are not solved
        rest = float(scipy.stats.nbinom.sf(self.horizon - self.steps, self.steps, self.success))
        unsolved = -float(chance @ score) / rest if rest > 0 else 0.0
        return np.append(reward, 0.0), np.append(chance, rest), np.append(score, unsolved)


def expected_advantages(reward: Floats, chance: Floats, group: int = 8) -> Floats:
    """E[advantage of a rollout | its reward], by quadrature in two variables; float64[N].

    reward, chance: float64[N] whole rewards and their probabilities.  With 1/std as the integral of
    t^(-1/2) exp(-t var), and exp(-t var) as that of a Gaussian in the place m of the mean, rollouts
    are independent given t and m: the expectation at r is (1/pi) int dt int dm (r - m)
    exp(-t (r - m)^2/G) A^(G - 1), where A = E exp(-t (R - m)^2/G).
    """
    count(group, "group", 2)
    levels, at = np.unique(reward, return_inverse=True)
    share = np.bincount(at, chance)
    found = np.zeros(len(levels))
    for t in np.exp(_SCALES):
        step, reach = _STEP / math.sqrt(t), _REACH / math.sqrt(t)
        away = levels[:, None] - np.arange(levels[0] - reach, levels[-1] + reach, step)
        near = np.exp(-t / group * away**2)
        found += t * step * ((near * away) @ (share @ near) ** (group - 1))
    return np.asarray(found[at]) * float(_SCALES[1] - _SCALES[0]) / math.pi


def expected_update(lock: Lock, group: int = 8) -> float:
    """The expectation of the estimate of one group: that of score times expected advantage."""
    reward, chance, score = lock.rewards()
    return float((expected_advantages(reward, chance, group) * chance * score).sum())


def equal_groups(lock: Lock, group: int = 8) -> float:
    """The probability that all rewards of a group agree, so that it teaches nothing."""
    reward, chance, _ = lock.rewards()
    shares = [chance[reward == value].sum() for value in np.unique(reward)]
    return float(np.sum(np.array(shares) ** group))


def expected_gain(lock: Lock, rate: float = 0.05, group: int = 8) -> float:
    """What J gains by the expected update, UN-normalised: J(theta + rate E update) - J(theta)."""
    moved = lock.logit + finite(rate, "rate") * expected_update(lock, group)
    return lock.mean_reward(moved) - lock.mean_reward(lock.logit)


def simulated_updates(
    lock: Lock, generator: np.random.Generator, updates: int = 60, groups: int = 4, group: int = 8
) -> Floats:
    """The estimates of independent updates, each the mean of `groups` groups; float64[updates]."""
    shape = (count(updates, "updates"), count(groups, "groups"), count(group, "group", 2))
    made = np.cumsum(generator.geometric(lock.success, (*shape, lock.steps)), axis=-1)
    advances = (made <= lock.horizon).sum(axis=-1)
    tokens = np.minimum(made[..., -1], lock.horizon)
    solved = made[..., -1] <= lock.horizon
    reward = solved * (1.0 if lock.binary else lock.horizon + 1.0 - tokens)
    score = advances * (1 - lock.success) - (tokens - advances) * lock.success
    return np.asarray((group_advantages(reward) * score).mean(axis=(1, 2)))


@dataclass(frozen=True, slots=True)
class ToyPoint:
    """Gains of J at one budget, in percent of the largest reward.

    exact: by one expected update; simulated: the mean of sampled ones, with its standard error;
    equal: the probability that a group teaches nothing.
    """

    budget: float
    exact: float
    simulated: float
    standard_error: float
    equal: float


BUDGETS = (0.2, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, 4.0, 6.0, 10.0)
"""Denser where gains peak; each costs a third of a second."""


def toy_curve(
    steps: int,
    budgets: tuple[float, ...] = BUDGETS,
    *,
    horizon: int = 60,
    rate: float = 0.05,
    updates: int = 60,
    binary: bool = False,
    seed: int = 0,
) -> tuple[ToyPoint, ...]:
    """What one update gains, against the budget.

    Raises ModelError for fewer than two updates, of which no error could be told, and numbers that
    are none.
    """
    count(updates, "updates", 2)
    finite(rate, "rate")
    count(seed, "seed", 0)
    points = []
    for budget in budgets:
        lock = Lock(steps, horizon, budget, binary)
        scale = 100 / (1 if binary else horizon)
        generator = np.random.Generator(np.random.Philox(key=seed))
        now = lock.mean_reward(lock.logit)
        found = simulated_updates(lock, generator, updates)
        gains = scale * (
            np.array([lock.mean_reward(lock.logit + rate * one) for one in found]) - now
        )
        points.append(
            ToyPoint(
                budget,
                scale * expected_gain(lock, rate),
                float(gains.mean()),
                float(gains.std(ddof=1) / math.sqrt(updates)),
                equal_groups(lock),
            )
        )
    return tuple(points)
