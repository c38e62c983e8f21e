"""What a policy earns and how often it violates, measured on fresh episodes.

The seeds come from a Philox stream that is keyed by the words of the caller, and lie in a range
that no training may use, so that a policy is never judged on what it was trained with.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from ...errors import ModelError
from ...exact import Array
from .costs import Cost
from .tasks import Task, make, world_of

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv

FIRST_FRESH_SEED = 2**32
"""Seeds of evaluations are at least this, seeds of trainings below: torch and numpy's global
generators take no larger ones anyway."""
_SEEDS = 2**62
"""Seeds are below."""
_COPIES = 1_000
"""Episodes of an exact task that run at once: more need more memory and are hardly faster."""
_SLOW_COPIES = 8
"""The same for other tasks, each of which holds a simulator."""

Words = tuple[int | str, ...]


class Policy(Protocol):
    """What stable-baselines3 calls a predictor."""

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """(actions, state) for n observations."""
        ...


@runtime_checkable
class Told(Protocol):
    """A state of a policy that is asked for returns: it is told what each step earned and cost."""

    def tell(self, rewards: Array, costs: Array) -> None:
        """float64[n] each, of the step that was just made."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of the mean return and of the chance of a violation, each at the confidence."""

    confidence: float
    value: tuple[float, float]
    risk: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Episodes:
    """The exact record of an evaluation.

    Attributes:
        episodes: how many were run.
        violations: those that had an unsafe step.
        returns_sum, returns_squares: sums over the episodes of the UN-normalised return, and of its
            square, exactly (a return of floats is the rational that it is).
        lowest, highest: bounds of the return of any episode of the task; None where not known.
        seeds: of the copies that ran together, in order; each is at least `FIRST_FRESH_SEED`.
    """

    episodes: int
    violations: int
    returns_sum: Fraction
    returns_squares: Fraction
    lowest: Fraction | None = None
    highest: Fraction | None = None
    seeds: tuple[int, ...] = field(default=(), repr=False)

    @property
    def value(self) -> Fraction:
        """The mean return, UN-normalised."""
        return self.returns_sum / self.episodes

    @property
    def risk(self) -> Fraction:
        """The share of episodes with a violation."""
        return Fraction(self.violations, self.episodes)

    @property
    def variance(self) -> Fraction:
        """The unbiased variance of the return; ModelError for fewer than two episodes."""
        if self.episodes < 2:
            raise ModelError("the variance of the return needs at least 2 episodes; 1 was run")
        centred = self.returns_squares - self.returns_sum**2 / self.episodes
        return centred / (self.episodes - 1)

    def interval(self, confidence: float = 0.95) -> Interval:
        """Intervals for people: Student's for the mean, that of Clopper and Pearson for the risk.

        The first is right in the limit only; the second holds for every number of episodes.
        """
        from scipy.stats import binomtest, t

        if not 0 < confidence < 1:
            raise ModelError(f"confidence is {confidence}; it must lie strictly between 0 and 1")
        spread = math.sqrt(self.variance / self.episodes)
        half = float(t.ppf((1 + confidence) / 2, self.episodes - 1)) * spread
        mean = float(self.value)
        exact = binomtest(self.violations, self.episodes).proportion_ci(confidence, "exact")
        return Interval(
            confidence, (mean - half, mean + half), (float(exact.low), float(exact.high))
        )


def ends_of_mean(
    values: Array, confidence: float, least: float = -math.inf, most: float = math.inf
) -> tuple[float, float]:
    """An interval for the expectation of values, float64[n], that lie between `least` and `most`.

    Student's, which is right in the limit only.  Where all values agree it has no width and says
    nothing: then that of a law that takes another value with the largest probability p at which n
    values agree with probability 1 - confidence, at most (1 - p)^(n - 1) whatever the value is.
    """
    from scipy.stats import t

    n, mean = len(values), float(values.mean())
    if values.min() == values.max():
        p = 1 - (1 - confidence) ** (1 / (n - 1)) if n > 1 else 1.0
        return mean - p * (mean - least), mean + p * (most - mean)
    half = float(t.ppf((1 + confidence) / 2, n - 1)) * float(values.std(ddof=1)) / n**0.5
    return max(least, mean - half), min(most, mean + half)


def evaluate(
    policy: Policy,
    task: Task,
    *,
    episodes: int,
    seed_words: Words,
    first_violation: bool = True,
    deterministic: bool = True,
    cost: Cost | None = None,
    copies: int | None = None,
    each: Callable[[Array], object] | None = None,
    each_cost: Callable[[Array], object] | None = None,
    cost_discount: float = 1.0,
) -> Episodes:
    """Run a policy on fresh episodes of a task.

    Args:
        policy: anything with the ``predict`` of stable-baselines3; the states that it returns are
            handed back to it, with the starts of episodes.
        seed_words: what names this evaluation; the same words give the same episodes.
        first_violation: whether the policy was trained with the flag in the observation; violations
            are counted by episode either way.
        copies: how many episodes run at once, at most; 1 for an environment that there is once.
        deterministic, cost: as `predict` and `make` take them.  What a policy draws is
            reproducible where it draws from torch's generator, which is seeded here and put back.
        each: is told bool[n], which of the next n episodes had an unsafe step, until all are done.
        each_cost: is told float64[n], the costs of these, UN-normalised sums discounted by
            cost_discount; with first_violation that of an unsafe episode comes at its first step.

    Raises ModelError when there are no episodes, or the task is not what `make` can make.
    """
    if episodes < 1:
        raise ModelError(f"episodes is {episodes}; at least 1 is needed")
    world = world_of(task)
    most = copies or (_SLOW_COPIES if world is None else _COPIES)
    returns: list[Fraction] = []
    violations, seeds, env = 0, tuple(fresh_seeds(task, seed_words, -(-episodes // most))), None
    copied = partial(make, task, first_violation=first_violation, cost=cost)
    with ExitStack() as opened:  # a simulator holds some megabytes a copy
        for seed in seeds:
            count = min(episodes - len(returns), most)
            if env is None or env.num_envs != count:
                opened.close()
                env = copied(seed=seed, n_envs=count)
                opened.callback(env.close)
            with seeded(policy, env, seed):
                batch, violated, costs = one_episode_each(policy, env, deterministic, cost_discount)
            returns += batch
            violations += int(violated.sum())
            if each is not None:
                each(violated)
            if each_cost is not None:
                each_cost(costs)
    lowest, highest = (None, None) if world is None else world.returns
    squares = sum((value**2 for value in returns), Fraction(0))
    return Episodes(
        episodes, violations, sum(returns, Fraction(0)), squares, lowest, highest, seeds
    )


def fresh_seeds(task: Task, words: Words, count: int) -> list[int]:
    """Distinct for all practical purposes: they are drawn from 62 bits."""
    name = task if isinstance(task, str) else task.model.digest
    text = json.dumps(["evaluation", name, *words])
    key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])
    stream = np.random.Generator(np.random.Philox(key=key))
    return [int(seed) for seed in stream.integers(FIRST_FRESH_SEED, _SEEDS, count)]


@contextmanager
def seeded(policy: Policy, env: VecEnv, seed: int) -> Iterator[None]:
    """Environment and policy follow the seed; torch's generator is put back afterwards."""
    import torch
    from stable_baselines3.common.base_class import BaseAlgorithm

    env.seed(seed)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        if hasattr(policy, "set_random_seed") and not isinstance(policy, BaseAlgorithm):
            policy.set_random_seed(seed)  # the coin of a flipping policy
        yield


def one_episode_each(
    policy: Policy, env: VecEnv, deterministic: bool, discount: float
) -> tuple[list[Fraction], Array, Array]:
    """Of an episode of every copy the exact returns, bool[n], which had an unsafe step, and
    float64[n], the discounted sums of costs."""
    from .worlds.vectors import FiniteVecEnv

    seen, state, starts = env.reset(), None, np.ones(env.num_envs, dtype=bool)
    running, violated = np.ones_like(starts), np.zeros_like(starts)
    returns, costs, weight = np.zeros(env.num_envs), np.zeros(env.num_envs), 1.0
    while running.any():
        actions, state = policy.predict(seen, state, starts, deterministic)
        seen, rewards, starts, infos = env.step(actions)
        returns[running] += rewards[running]
        charged = np.array([info["cost"] for info in infos], dtype=float)
        if isinstance(state, Told):
            state.tell(rewards, charged)
        violated |= running & (charged > 0)
        costs[running] += weight * charged[running]
        weight *= discount
        running &= ~starts
    if isinstance(env, FiniteVecEnv):
        bottom = env.copies.world.earnings.denominator
        return [Fraction(total, bottom) for total in env.last_returns.tolist()], violated, costs
    return [Fraction(total) for total in returns.tolist()], violated, costs
