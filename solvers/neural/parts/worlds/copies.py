"""Copies of a finite world that make their steps together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ....exact import Array
from .finite import FiniteWorld


class Outcome(NamedTuple):
    """One step of n copies.

    observations: what is seen after it; where an episode has ended, that of its last state.
    rewards: float64[n].  costs: float64[n], 1 where an unsafe state was entered (with
    first_violation the first time only).  ended: bool[n], where the horizon is reached.
    """

    observations: Array
    rewards: Array
    costs: Array
    ended: Array


class Copies:
    """n copies; an episode has T decisions, and ends at once for all that start at its start.

    Everything that is drawn follows from the seed given to `reset`; without one the stream of the
    last seed goes on.

    Attributes:
        exploring: the first so many copies begin at a drawn time, in a drawn state, and if this is
            unsafe or by the toss of a coin after a violation, as if they had come there.
        times: int64[n], decisions made in the running episode, before it began included.
        earned: int64[n], the return of the running episode so far, over the world's denominator.
    """

    def __init__(
        self, world: FiniteWorld, count: int, *, first_violation: bool, exploring: int = 0
    ) -> None:
        self.world, self.count, self.first_violation = world, count, first_violation
        self.exploring = exploring
        self.stream = np.random.Generator(np.random.Philox(0))
        self.reset()

    def reset(self, seed: int | None = None) -> Array:
        """Begin an episode; returns the first observations."""
        if seed is not None:
            self.stream = np.random.Generator(np.random.Philox(seed))
        self.states = np.zeros(self.count, dtype=np.int64)
        self.memory, self.times, self.earned = (np.zeros_like(self.states) for _ in range(3))
        return self.restart(np.arange(self.count))

    def restart(self, where: Array) -> Array:
        """Begin another episode in these copies; returns what all of them see."""
        self.states[where] = self.world.start(len(where), self.stream)
        self.memory[where] = self.times[where] = self.earned[where] = 0
        anywhere = where[where < self.exploring]
        if len(anywhere):
            self._explore(anywhere)
        return self.observe()

    def _explore(self, where: Array) -> None:
        problem = self.world.problem
        drawn = self.stream.integers
        self.states[where] = states = drawn(0, problem.model.n_states, len(where))
        self.times[where] = times = drawn(0, problem.horizon, len(where))
        came_unsafe = problem.is_unsafe[states] | (drawn(0, 2, len(where)) == 1)
        self.memory[where] = came_unsafe & (times > 0)

    def observe(self) -> Array:
        """float32[n, F + 1 or F + 2], what is seen now."""
        flag = self.first_violation
        return self.world.observe(self.times, self.memory, self.states, flag=flag)

    def step(self, actions: Array) -> Outcome:
        """Every copy makes one action in 0 .. A - 1."""
        world, problem = self.world, self.world.problem
        earnings, before = world.earnings, self.memory
        choices = problem.model.choice_start[self.states] + actions
        self.states = world.land(choices, self.stream)
        unsafe = problem.is_unsafe[self.states]
        self.memory = before | unsafe
        self.times = self.times + 1
        gained = earnings.choice[choices] + earnings.arrival[self.states]
        ended = self.times == problem.horizon
        if not problem.reward_after_violation:
            gained = gained * (1 - before)
        kept = 1 if problem.reward_after_violation else 1 - self.memory
        gained = gained + earnings.end[self.states] * kept * ended
        self.earned = self.earned + gained
        costs = unsafe > before if self.first_violation else unsafe
        rewards = gained / earnings.denominator
        return Outcome(self.observe(), rewards, costs.astype(float), ended)
