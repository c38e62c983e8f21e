"""A family of training runs: two cautious policies, by two algorithms, and a bold one.

A case is named by integers alone, so a run is trained once and looked up afterwards; what is
yielded of it follows from the networks that are kept and from episodes of their own seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from holdfast.solvers.chance import (
    ChanceProblem,
    best_flip,
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
Point = tuple[Fraction, Fraction]
"""(value, risk) of a policy, exactly."""


@dataclass(frozen=True)
class Trainings:
    """A cautious policy by each algorithm, and one that hardly minds violations."""

    cpo: Training
    ppo: Training
    bold: Training

    @property
    def task(self) -> str:
        """The id of the task of all."""
        return self.bold.task

    def obtained(self) -> Trained:
        """The policies, trained where they were not before, with their exact numbers."""
        from holdfast.solvers.neural.parts import judging
        from holdfast.solvers.neural.parts.runs import obtain

        policies = [obtain(training).result() for training in (self.cpo, self.ppo, self.bold)]
        problem = judging.exact_world(self.task).problem
        tables = [judging.table(policy, self.task) for policy in policies]
        points = [evaluate_policy(problem, table) for table in tables]
        return Trained(self.task, problem, policies, tables, points)


@dataclass(frozen=True)
class Trained:
    """The policies of a case: networks, their tables of choices, and their exact points."""

    task: str
    problem: ChanceProblem
    policies: Sequence[Any]
    tables: Sequence[Array]
    points: Sequence[Point]

    def best_flip(self, level: Fraction) -> Point | None:
        """(value, risk) of the best flip at a level, once an episode; None if none is safe enough.

        By the exact program over the points of all policies.
        """
        found = best_flip([(risk, value) for value, risk in self.points], level)
        if found is None:
            return None
        ends = self.tables[found.safer], self.tables[found.bolder]
        return evaluate_episode_flip(self.problem, *ends, found.probability)

    def flip_of(self, place: int) -> Flip:
        """Of the policy at this place and the bold one."""
        return Flip(self, self.policies[place], self.tables[place])

    def flip(self) -> Flip:
        """Of the cautious policy of CPO and the bold one of PPO-Lagrangian."""
        return self.flip_of(0)

    def flip_with_optimum(self, level: Fraction) -> Flip:
        """Of the safer policy of the optimum at a level, which nothing trained, and the bold one.

        The two do not pass the discs alike, whatever the seed: the bold one has learnt not to mind
        them, as the optimum without a constraint, and the other one avoids them.
        """
        from holdfast.solvers.neural.parts.judging import envelope

        safer = envelope(self.task, level).safer
        assert safer is not None
        return Flip(self, tabled(self.task, safer.choices, self.policies[2]), safer.choices)


def tabled(task: str, table: Array, like: Any) -> Any:
    """A policy of stable-baselines3 that looks its choice up in a table [T, M, S].

    like: a policy of the same task, whose spaces it has.
    """
    from stable_baselines3.common.policies import BasePolicy

    from holdfast.solvers.neural.parts import judging

    world = judging.exact_world(task)
    actions = (table - world.problem.model.choice_start[:-1]).ravel().tolist()
    rows = np.concatenate(list(judging.cells(world, flag=True)))
    known = {row.tobytes(): action for row, action in zip(rows, actions, strict=True)}

    class Tabled(BasePolicy):
        def _predict(self, observation: Any, deterministic: bool = False) -> Any:
            raise NotImplementedError("predict looks everything up")

        def predict(self, observation: Any, *_: Any, **__: Any) -> tuple[Any, None]:
            return np.array([known[row.tobytes()] for row in observation]), None

    return Tabled(like.observation_space, like.action_space)


@dataclass(frozen=True)
class Flip:
    """The bold policy and another one; weights are of the bold one.

    other, table: the network, or what looks up the table, and the table.
    """

    of: Trained
    other: Any
    table: Array

    def average(self, weight: Fraction) -> Fraction:
        """The risk that the two have on average."""
        return self.by_episode(weight)[1]

    def by_episode(self, weight: Fraction) -> Point:
        """(value, risk) with one coin an episode, exactly."""
        return evaluate_episode_flip(self.of.problem, self.table, self.of.tables[2], weight)

    def by_step(self, weight: Fraction) -> Point:
        """(value, risk) with one coin a step, exactly."""
        return evaluate_step_flip(self.of.problem, self.table, self.of.tables[2], weight)

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
        from holdfast.solvers.neural.parts import evaluation
        from holdfast.solvers.neural.parts.on_policy import one_thread

        policy = FlippingPolicy(self.other, self.of.policies[2], weight, form=form)
        with one_thread():
            return evaluation.evaluate(
                policy,
                self.of.task,
                episodes=episodes,
                seed_words=("verify", *words, form, str(weight)),
                each=each,
            )


Range = tuple[int, int]


def trainings(
    name: str,
    task: str,
    *,
    limit: Range,
    cautious: Range,
    bold: Range,
    cpo: Mapping[str, Any],
    ppo: Mapping[str, Any],
) -> Family:
    """Three policies of a task; the seed and what each pays for a violation are drawn.

    limit: of CPO, in hundredths; cautious, bold: multipliers of PPO, in rewards a violation; cpo,
    ppo: all other options, so that no default that is changed elsewhere changes these runs.
    """

    def training(algorithm: str, seed: int, given: Mapping[str, Any]) -> Training:
        record = find(algorithm).options
        unsaid = {each.name for each in fields(record)} - given.keys()
        assert not unsaid, f"{name}: {algorithm} is left to its defaults for {sorted(unsaid)}"
        options: Any = options_from(record, given)
        return Training(algorithm, task, seed, options)

    def base(draw: Draw) -> Trainings:
        seed, share = draw.integer(0, 999), draw.integer(*limit) / 100
        first, second = ({**ppo, "multiplier": float(draw.integer(*ends))}
                         for ends in (cautious, bold))  # fmt: skip
        return Trainings(
            training("chance/cpo", seed, {**cpo, "limit": share}),
            training("chance/ppo-lagrangian", seed, first),
            training("chance/ppo-lagrangian", seed, second),
        )

    return Family(name, base, trained=True)


_BOTH: dict[str, Any] = {
    "limit": 0.1, "discounted": False, "first_violation": True, "width": 64, "depth": 2,
    "cost_learning_rate": 1e-3, "last_rate": 1.0, "discount": 1.0, "cost_discount": 1.0,
    "cost_epochs": 4, "cost_batch": 1024, "checkpoint_every": 10,
}  # fmt: skip
_CPO: dict[str, Any] = {
    **_BOTH, "gae": 0.9, "cost_gae": 0.9, "subsampling": 8, "damping": 0.1, "line_search": 10,
    "shrink": 0.8,
}  # fmt: skip
_PPO: dict[str, Any] = {
    **_BOTH, "gae": 0.95, "cost_gae": 0.95, "controller": "fixed", "ascent_rate": 10.0,
    "proportional": 10.0, "integral": 1.0, "derivative": 0.0, "clip": 0.2, "entropy": 0.0,
    "value_weight": 0.5, "gradient_norm": 0.5,
}  # fmt: skip
_SMALL: dict[str, Any] = {"rollout": 15, "learning_rate": 3e-3}
_LARGE: dict[str, Any] = {
    "rollout": 30, "learning_rate": 1e-3, "n_envs": 256, "exploring": 200,
}  # fmt: skip
SMALL = trainings(
    "trained on 8x8 cells",
    "holdfast/TwoDiscs8-v0",
    limit=(8, 12),
    cautious=(45, 60),
    bold=(8, 18),
    cpo={
        **_CPO, **_SMALL, "n_envs": 128, "exploring": 80, "steps": 40 * 1920, "batch": 1920,
        "critic_epochs": 8, "target_kl": 0.05, "conjugate_steps": 6,
    },
    ppo={
        **_PPO, **_SMALL, "n_envs": 192, "exploring": 128, "steps": 50 * 2880, "batch": 720,
        "epochs": 6,
    },
)  # fmt: skip
"""On this task a policy is within a few percent of the optimum after 40 or 50 updates, which is 10
to 20 s of one core, if most copies begin anywhere; from the start alone it learns to stay away from
the discs.  Multipliers: between 33 and 38 the optimum jumps from a risk of 1/10 to 4/5, above 110
to nearly none."""
LARGE = trainings(
    "trained on 16x16 cells",
    "holdfast/TwoDiscs-v0",
    limit=(8, 12),
    cautious=(85, 105),
    bold=(20, 50),
    cpo={
        **_CPO, **_LARGE, "steps": 200 * 7680, "batch": 768, "critic_epochs": 10,
        "target_kl": 0.01, "conjugate_steps": 15,
    },
    ppo={**_PPO, **_LARGE, "steps": 120 * 7680, "batch": 768, "epochs": 10},
)  # fmt: skip
"""The task of the catalogue; minutes for each policy.  There 79 and 110 are the jumps."""
FAMILIES = {"neural": SMALL, "neural-large": LARGE}
"""Tag -> runs."""
