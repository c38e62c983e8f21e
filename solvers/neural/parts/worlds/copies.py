"""Copies of a finite world that make their steps together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ....exact import Array
from .finite import FiniteWorld


class Outcome(NamedTuple):
    """One step of n copies.

    observations: what is seen after it; where the episode has ended, that of the last states.
    rewards: float64[n].  costs: float64[n], 1 where an unsafe state was entered (with
    first_violation the first time only).  ended: whether the horizon is reached, by all at once.
    """

    observations: Array
    rewards: Array
    costs: Array
    ended: bool


class Copies:
    """n copies with one clock: an episode has T decisions and ends for all of them at once.

    Everything that is drawn follows from the seed given to `reset`; without one the stream of the
    last seed goes on.

    Attributes:
        earned: int64[n], the return of the running episode so far, over the world's denominator.
    """

    def __init__(self, world: FiniteWorld, count: int, *, first_violation: bool) -> None:
        self.world, self.count, self.first_violation = world, count, first_violation
        self.stream = np.random.Generator(np.random.Philox(0))
        self.reset()

    def reset(self, seed: int | None = None) -> Array:
        """Begin an episode; returns the first observations."""
        if seed is not None:
            self.stream = np.random.Generator(np.random.Philox(seed))
        self.time = 0
        self.states = self.world.start(self.count, self.stream)
        self.memory = np.zeros(self.count, dtype=np.int64)
        self.earned = np.zeros(self.count, dtype=np.int64)
        return self.observe()

    def observe(self) -> Array:
        """float32[n, F + 1 or F + 2], what is seen now."""
        flag = self.first_violation
        return self.world.observe(self.time, self.memory, self.states, flag=flag)

    def step(self, actions: Array) -> Outcome:
        """Every copy makes one action in 0 .. A - 1."""
        world, problem = self.world, self.world.problem
        earnings, before = world.earnings, self.memory
        choices = problem.model.choice_start[self.states] + actions
        self.states = world.land(choices, self.stream)
        unsafe = problem.is_unsafe[self.states]
        self.memory = before | unsafe
        self.time += 1
        gained = earnings.choice[choices] + earnings.arrival[self.states]
        ended = self.time == problem.horizon
        if not problem.reward_after_violation:
            gained = gained * (1 - before)
        if ended:
            kept = 1 if problem.reward_after_violation else 1 - self.memory
            gained = gained + earnings.end[self.states] * kept
        self.earned += gained
        costs = unsafe > before if self.first_violation else unsafe
        rewards = gained / earnings.denominator
        return Outcome(self.observe(), rewards, costs.astype(float), ended)
