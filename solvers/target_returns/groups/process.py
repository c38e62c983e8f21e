"""Small processes and return-conditioned softmax policies whose episodes can be written down.

Logits are logarithms of whole numbers (odds), so that probabilities, and gradients of
log-probabilities in the logits, are rational.  Returns are UN-normalised sums of whole rewards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from ...errors import ModelError

Outcome: TypeAlias = tuple[Fraction, int, int]
"""Probability, reward, next state."""
Step: TypeAlias = tuple[int, int, int]
"""State, action, reward."""


@dataclass(frozen=True, slots=True)
class Process:
    """`outcomes[s][a]` are the outcomes of an action; the episode ends after `horizon` actions.

    Raises
    ------
    ModelError: if probabilities do not sum to 1, a reward is negative, or a state does not exist.
    """

    outcomes: tuple[tuple[tuple[Outcome, ...], ...], ...]
    horizon: int

    def __post_init__(self) -> None:
        for state, actions in enumerate(self.outcomes):
            for action, found in enumerate(actions):
                where = f"action {action} of state {state}"
                if sum(p for p, _, _ in found) != 1 or min(p for p, _, _ in found) < 0:
                    raise ModelError(
                        f"the outcomes {found} of {where} have no probabilities of sum 1"
                    )
                if any(reward < 0 or not 0 <= to < len(self.outcomes) for _, reward, to in found):
                    raise ModelError(
                        f"{where} has outcomes {found}; rewards are at least 0, states exist"
                    )
        if self.horizon < 1:
            raise ModelError(f"an episode of {self.horizon} actions has no return; give at least 1")


@dataclass(frozen=True, slots=True)
class Policy:
    """pi(a | s, g) in proportion to `by_state[s][a]` times `by_target[g][a]`.

    A target above the last row uses the last row, a negative one the first.  The parameters are the
    logarithms of all these odds.
    """

    by_state: tuple[tuple[Any, ...], ...]
    by_target: tuple[tuple[Any, ...], ...]

    def probabilities(self, state: int, target: int) -> tuple[Any, ...]:
        """The law of the action."""
        pairs = zip(self.by_state[state], self.by_target[self.row(target)], strict=True)
        odds = [one * other for one, other in pairs]
        total = sum(odds, Fraction(0))  # whole odds give rational probabilities
        return tuple(one / total for one in odds)

    def row(self, target: int) -> int:
        """The row of odds of a target."""
        return min(max(target, 0), len(self.by_target) - 1)

    def score(self, state: int, target: int, action: int, along: Policy) -> Fraction:
        """The derivative of log pi(action | state, target) along a direction of the parameters."""
        law = self.probabilities(state, target)
        pairs = zip(along.by_state[state], along.by_target[self.row(target)], strict=True)
        slopes = [one + other for one, other in pairs]
        mean = sum((p * slope for p, slope in zip(law, slopes, strict=True)), Fraction(0))
        return Fraction(slopes[action] - mean)


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode: its steps, and the probability that the process has in it."""

    steps: tuple[Step, ...]
    chance: Fraction

    @property
    def total(self) -> int:
        """The return."""
        return sum(reward for _, _, reward in self.steps)

    def intended(self, target: int) -> tuple[int, ...]:
        """What the policy was told: the target less what was received before each step."""
        received = [sum(r for _, _, r in self.steps[:t]) for t in range(len(self.steps))]
        return tuple(target - past for past in received)

    def relabelled(self) -> tuple[int, ...]:
        """What hindsight writes in its place: the return that did follow, from each step on."""
        return self.intended(self.total)


def episodes(process: Process, start: int) -> Iterator[Episode]:
    """All episodes from a state."""

    def grow(state: int, steps: tuple[Step, ...], chance: Fraction) -> Iterator[Episode]:
        if len(steps) == process.horizon:
            yield Episode(steps, chance)
            return
        for action, outcomes in enumerate(process.outcomes[state]):
            for p, reward, to in outcomes:
                if p:
                    yield from grow(to, (*steps, (state, action, reward)), chance * p)

    return grow(start, (), Fraction(1))


def ratios(
    policy: Policy, old: Policy, episode: Episode, targets: Sequence[int]
) -> tuple[Any, ...]:
    """pi(a | s, g) / pi_old(a | s, g) for each step, given what the policies were told."""
    return tuple(
        policy.probabilities(state, target)[action] / old.probabilities(state, target)[action]
        for (state, action, _), target in zip(episode.steps, targets, strict=True)
    )
