"""Families of training runs: two policies of one algorithm, a safer and a bolder one.

A case is named by integers alone, so a run is trained once and looked up afterwards; what is
yielded of it follows from the network that is kept and from episodes of its own seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from holdfast.solvers.chance import (
    ChanceProblem,
    evaluate_episode_flip,
    evaluate_policy,
    evaluate_step_flip,
)
from holdfast.solvers.exact import Array
from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.training import Training, options_from

from ...binding.draws import Draw
from ...binding.family import Family

if TYPE_CHECKING:
    from holdfast.solvers.neural.parts.evaluation import Episodes

Form = Literal["episode", "printed"]
Limits = tuple[tuple[int, int], tuple[int, int]]
SMALL, LARGE = "holdfast/TwoDiscs8-v0", "holdfast/TwoDiscs-v0"


@dataclass(frozen=True)
class TrainedPair:
    """Two trainings that differ in what a violation costs, and the policies that they end with."""

    safer: Training
    bolder: Training

    @property
    def task(self) -> str:
        """The id of the task of both."""
        return self.safer.task

    def obtained(self) -> Flip:
        """The policies, trained where they were not before, with their exact numbers."""
        from holdfast.solvers.neural.parts import judging
        from holdfast.solvers.neural.parts.runs import obtain

        policies = [obtain(training).result() for training in (self.safer, self.bolder)]
        problem = judging.exact_world(self.task).problem
        tables = [judging.table(policy, self.task) for policy in policies]
        points = [evaluate_policy(problem, table) for table in tables]
        # which of the two is the safer is decided by what they ended with
        first, second = sorted(range(2), key=lambda i: (points[i][1], points[i][0]))
        return Flip(
            self.task,
            problem,
            (policies[first], policies[second]),
            (tables[first], tables[second]),
            (points[first], points[second]),
        )


@dataclass(frozen=True)
class Flip:
    """Two policies of a task: networks, their tables of choices, and (value, risk), exactly."""

    task: str
    problem: ChanceProblem
    policies: tuple[Any, Any]
    tables: tuple[Any, Any]
    points: tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]

    def average(self, weight: Fraction) -> Fraction:
        """The risk that both have on average, the bolder one with this weight."""
        (_, safer), (_, bolder) = self.points
        return (1 - weight) * safer + weight * bolder

    def weight(self, level: Fraction) -> Fraction | None:
        """The weight of the bolder policy at which both average to the level; None if none does."""
        (_, safer), (_, bolder) = self.points
        return (level - safer) / (bolder - safer) if safer <= level < bolder else None

    def by_episode(self, weight: Fraction) -> tuple[Fraction, Fraction]:
        """(value, risk) with one coin an episode, exactly."""
        return evaluate_episode_flip(self.problem, *self.tables, weight)

    def by_step(self, weight: Fraction) -> tuple[Fraction, Fraction]:
        """(value, risk) with one coin a step, exactly."""
        return evaluate_step_flip(self.problem, *self.tables, weight)

    def fresh(self, form: Form, weight: Fraction, episodes: int, *words: str) -> Episodes:
        """Fresh episodes of the flip by the networks themselves, in a form of `FlippingPolicy`."""
        return self._run(form, weight, episodes, words)

    def unsafe(self, weight: Fraction, choices: int, samples: int, *words: str) -> Array:
        """int[choices], unsafe ones of so many fresh episodes each, with one coin an episode."""
        found: list[Array] = []
        if choices:
            self._run("episode", weight, choices * samples, words, found.append)
        return np.concatenate([np.zeros(0, dtype=int), *found]).reshape(choices, samples).sum(1)

    def _run(
        self,
        form: Form,
        weight: Fraction,
        episodes: int,
        words: Sequence[str],
        each: Callable[[Array], object] | None = None,
    ) -> Episodes:
        from holdfast.solvers.neural.chance import FlippingPolicy
        from holdfast.solvers.neural.parts.evaluation import evaluate
        from holdfast.solvers.neural.parts.on_policy import one_thread

        policy = FlippingPolicy(*self.policies, weight, form=form)
        named = ("verify", *words, form, str(weight))
        with one_thread():
            return evaluate(policy, self.task, episodes=episodes, seed_words=named, each=each)


def trained_pairs(algorithm: str, task: str, limits: Limits, **common: Any) -> Family:
    """Pairs of one algorithm; seed and limits are drawn, all other options are given.

    limits: the least and the largest limit of the safer policy, and of the bolder, in hundredths.
    """

    def training(seed: int, limit: int) -> Training:
        options: Any = options_from(find(algorithm).options, {**common, "limit": limit / 100})
        return Training(algorithm, task, seed, options)

    def base(draw: Draw) -> TrainedPair:
        seed = draw.integer(0, 999)
        safer, bolder = (draw.integer(*ends) for ends in limits)
        return TrainedPair(training(seed, safer), training(seed, bolder))

    return Family(f"pairs trained by {algorithm} on {task}", base, trained=True)


_NEAR: Limits = (8, 12), (40, 60)
"""Around the level 1/10 at which flips are judged: too near to each other, the two policies learn
the same; further apart, flips are worth less."""
_SMALL: dict[str, Any] = {"rollout": 15}
FAMILIES = {
    "neural": trained_pairs("chance/ppo-lagrangian", SMALL, _NEAR, **_SMALL),
    "cpo#neural": trained_pairs("chance/cpo", SMALL, _NEAR, **_SMALL),
    "neural-large": trained_pairs("chance/ppo-lagrangian", LARGE, _NEAR),
    "cpo#neural-large": trained_pairs("chance/cpo", LARGE, _NEAR),
}
"""Tag -> runs.  Those on the large task take minutes each and are named by their own tag."""
