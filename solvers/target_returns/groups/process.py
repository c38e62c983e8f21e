"""Small processes and return-conditioned softmax policies whose episodes can be written down.

Logits are logarithms of whole numbers (odds), so that probabilities, and gradients of
log-probabilities in the logits, are rational.  Returns are UN-normalised sums of whole rewards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

from ...errors import ModelError

Outcome: TypeAlias = tuple[Fraction, int, int]
"""Probability, reward, next state."""
Step: TypeAlias = tuple[int, int, int]
"""State, action, reward."""
Past: TypeAlias = tuple[Step, ...]


class Conditioned(Protocol):
    """A policy that knows its past and what it was told up to now; or how its log-odds move."""

    def law(self, past: Past, state: int, told: tuple[int, ...]) -> tuple[Any, ...]:
        """The probabilities of the actions."""

    def slopes(self, past: Past, state: int, told: tuple[int, ...]) -> tuple[Any, ...]:
        """Derivatives of the log-odds of the actions."""


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

    def law(self, past: Past, state: int, told: tuple[int, ...]) -> tuple[Any, ...]:
        """The law of the action; of what it was told the last counts, and the past does not."""
        odds = [one * other for one, other in self._odds(state, told)]
        total = sum(odds, Fraction(0))  # whole odds give rational probabilities
        return tuple(one / total for one in odds)

    def slopes(self, past: Past, state: int, told: tuple[int, ...]) -> tuple[Any, ...]:
        """The entries as changes of log-odds: how a direction of the parameters moves them."""
        return tuple(one + other for one, other in self._odds(state, told))

    def _odds(self, state: int, told: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
        row = min(max(told[-1], 0), len(self.by_target) - 1)
        return zip(self.by_state[state], self.by_target[row], strict=True)


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


def laws(policy: Conditioned, episode: Episode, told: Sequence[int]) -> Iterator[Any]:
    """The law of the action at each step, given what the policy was told up to then."""
    for t, (state, _, _) in enumerate(episode.steps):
        yield policy.law(episode.steps[:t], state, tuple(told[: t + 1]))


def chances(policy: Conditioned, episode: Episode, told: Sequence[int]) -> tuple[Any, ...]:
    """The probability of the action that was taken at each step."""
    found = zip(laws(policy, episode, told), episode.steps, strict=True)
    return tuple(law[action] for law, (_, action, _) in found)


def score(old: Conditioned, along: Conditioned, episode: Episode, told: Sequence[int]) -> Fraction:
    """The derivative of the log-likelihood of the actions as log-odds move in a direction."""
    total = Fraction(0)
    for t, (law, (state, action, _)) in enumerate(
        zip(laws(old, episode, told), episode.steps, strict=True)
    ):
        slopes = along.slopes(episode.steps[:t], state, tuple(told[: t + 1]))
        mean = sum((p * slope for p, slope in zip(law, slopes, strict=True)), Fraction(0))
        total += slopes[action] - mean
    return total
