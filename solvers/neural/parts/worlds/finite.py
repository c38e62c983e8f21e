"""Exact finite-horizon problems as environments: what is sampled is the model itself.

The transition rows of the exact model become one table of successors and integer weights, and an
integer drawn below their sum decides; no probability is ever a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ....chance import ChanceProblem
from ....errors import ModelError
from ....exact import Array, common_denominator, format_rational, integer_array
from .features import state_features


@dataclass(frozen=True, eq=False)
class Earnings:
    """Integers over one denominator: at a choice (K), on an arrival (S), in the end (S)."""

    denominator: int
    choice: Array
    arrival: Array
    end: Array


@dataclass(frozen=True, eq=False)
class FiniteWorld:
    """A joint-chance problem as an agent meets it: A actions everywhere, T decisions an episode.

    Attributes:
        problem: its discount is 1 and its charge 0, and its start does not count, so that a return
            is the UN-normalised sum of the rewards of an episode, and its cost is whether an unsafe
            state was entered.
        arrivals: what arriving at a state earns (S rationals).  None pays the mean r(s, a) at the
            decision.  The rewards of the model must be exactly the means of the arrivals, so that
            returns have the same expectation either way; with arrivals they vary more.

    Raises ModelError when one of these does not hold.
    """

    problem: ChanceProblem
    arrivals: tuple[Fraction, ...] | None = None

    def __post_init__(self) -> None:
        _check_problem(self.problem)
        if self.arrivals is not None:
            _check_means(self.problem, self.arrivals)

    @property
    def n_actions(self) -> int:
        """A; action a of a state is its a-th choice."""
        return int(self.problem.model.action_counts[0])

    @cached_property
    def landing(self) -> tuple[Array, Array]:
        """int64[K, W] each: the successors of each choice, and the running sums of their weights.

        Shorter rows are filled up with sums that no draw reaches.
        """
        model = self.problem.model
        lengths = np.diff(model.indptr)
        within = np.arange(int(lengths.max())) < lengths[:, None]
        weights, successors = (np.zeros(within.shape, dtype=np.int64) for _ in range(2))
        weights[within], successors[within] = model.weights, model.successors
        return successors, weights.cumsum(axis=1)

    def land(self, choices: Array, stream: np.random.Generator) -> Array:
        """int64[n], a successor of each choice, drawn by the exact weights."""
        successors, sums = self.landing
        drawn = stream.integers(0, sums[choices, -1])
        return successors[choices, (drawn[:, None] >= sums[choices]).sum(axis=1)]

    def start(self, count: int, stream: np.random.Generator) -> Array:
        """int64[count], first states, drawn by the exact initial weights."""
        sums = np.cumsum(self.problem.model.initial)
        return np.searchsorted(sums, stream.integers(0, sums[-1], count), side="right")

    @cached_property
    def earnings(self) -> Earnings:
        """Rewards as integers."""
        model, problem = self.problem.model, self.problem
        nothing = (Fraction(0),) * model.n_states
        parts = (
            model.reward_vector().fractions() if self.arrivals is None else nothing * 0,
            self.arrivals or nothing,
            nothing if problem.terminal is None else problem.terminal.fractions(),
        )
        numerators, bottom = common_denominator([value for part in parts for value in part])
        integers = integer_array(np.array(numerators, dtype=object), "rewards")
        first, second = len(parts[0]), len(parts[0]) + model.n_states
        choice = integers[:first] if first else np.zeros(model.n_choices, dtype=np.int64)
        return Earnings(bottom, choice, integers[first:second], integers[second:])

    @cached_property
    def returns(self) -> tuple[Fraction, Fraction]:
        """(lowest, highest): no episode earns less or more."""
        lowest, highest = (self._extreme(pick) for pick in (np.minimum, np.maximum))
        return lowest, highest

    def _extreme(self, pick: np.ufunc) -> Fraction:
        """Backward induction in which luck is picked as the action is."""
        earned, (successors, sums) = self.earnings, self.landing
        possible = np.diff(sums, prepend=0) > 0
        first = successors[:, :1]
        values = earned.end
        for _ in range(self.problem.horizon):
            after = (earned.arrival + values)[np.where(possible, successors, first)]
            choices = earned.choice + pick.reduce(after, axis=1)
            values = pick.reduceat(choices, self.problem.model.choice_start[:-1])
            if not self.problem.reward_after_violation:  # from any time on, nothing may be earned
                values = pick(values, 0)
        started = values[np.flatnonzero(self.problem.model.initial)]
        return Fraction(int(pick.reduce(started)), earned.denominator)

    # -- what an agent sees ----------------------------------------------------------------------
    @cached_property
    def features(self) -> Array:
        """float32[S, F], each in [-1, 1]."""
        return state_features(self.problem)

    def observe(
        self, time: Array | int, memory: Array | int, states: Array, *, flag: bool
    ) -> Array:
        """float32[n, F + 1 or F + 2]: features of the state, time to go, and the flag, if wanted.

        Time to go falls from 1 to -1 over an episode; the flag is -1 before a violation, 1 after.
        """
        width = self.features.shape[1]
        seen = np.empty((len(states), width + 1 + flag), dtype=np.float32)
        seen[:, :width] = self.features[states]
        seen[:, width] = 1 - 2 * time / self.problem.horizon
        if flag:
            seen[:, width + 1] = 2 * np.asarray(memory) - 1
        return seen


def _check_problem(problem: ChanceProblem) -> None:
    if problem.model.discount != 1:
        raise ModelError(
            f"the model has discount {format_rational(problem.model.discount)}; the return of an "
            "episode is the sum of its rewards, so take model.with_discount(1)"
        )
    if problem.charge != 0 or problem.counts_start:
        raise ModelError(
            f"the problem has charge {format_rational(problem.charge)} and counts_start "
            f"{problem.counts_start}; the cost of an episode is whether it enters an unsafe state, "
            "so give charge 0 and counts_start False"
        )
    counts = problem.model.action_counts
    if (differing := np.flatnonzero(counts != counts[0])).size:
        state = int(differing[0])
        raise ModelError(
            f"state 0 has {counts[0]} choices and state {state} has {counts[state]}; an agent has "
            "the same actions everywhere, so give every state as many choices"
        )
    if object in (problem.model.denominators.dtype, problem.model.initial.dtype):
        raise ModelError(
            "the probabilities of the model have a denominator of 2^63 or more; samples are drawn "
            "in 64-bit integers, so round the model to smaller denominators"
        )


def _check_means(problem: ChanceProblem, arrivals: Sequence[Fraction]) -> None:
    model = problem.model
    if len(arrivals) != model.n_states:
        raise ModelError(
            f"arrivals has {len(arrivals)} entries for {model.n_states} states; give one a state"
        )
    for choice, reward in enumerate(model.reward_vector().fractions()):
        mean = sum(p * arrivals[s] for s, p in model.transition_row(choice))
        if mean != reward:
            raise ModelError(
                f"choice {choice} has reward {format_rational(reward)}, but what its arrivals earn "
                f"has mean {format_rational(mean)}; arrivals must explain the model's rewards"
            )
