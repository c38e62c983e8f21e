"""Small processes and return-conditioned policies whose episodes can be written down.

Probabilities, and gradients of log-probabilities in log-odds, are rational.  Returns are
UN-normalised sums of whole rewards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

from ...errors import ModelError

Outcome: TypeAlias = tuple[Fraction, int, int]
"""Probability, reward, next state."""
Past: TypeAlias = tuple[tuple[int, int, int], ...]
"""State, action and reward of each step up to now."""
Told: TypeAlias = tuple[int, ...]
"""The return that a policy is asked for at each step, this one included."""


@dataclass(frozen=True, slots=True)
class Process:
    """`outcomes[s][a]` are the outcomes of an action; the episode ends after `horizon` actions.

    Raises ModelError if probabilities do not sum to 1, a reward is negative, a state does not
    exist, or there is no action to take.
    """

    outcomes: tuple[tuple[tuple[Outcome, ...], ...], ...]
    horizon: int

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise ModelError(f"an episode of {self.horizon} actions has no return; give at least 1")
        for place, found in (
            ((s, a), found)
            for s, actions in enumerate(self.outcomes)
            for a, found in enumerate(actions)
        ):
            whole = sum(p for p, _, _ in found) == 1 and min(p for p, _, _ in found) >= 0
            if not whole or any(r < 0 or not 0 <= s < len(self.outcomes) for _, r, s in found):
                raise ModelError(
                    f"state and action {place} have the outcomes {found}; probabilities must sum "
                    "to 1, rewards be at least 0, and states exist"
                )


class Conditioned(Protocol):
    """A policy that knows its past and what it was told up to now; or how its log-odds move."""

    def law(self, past: Past, state: int, told: Told) -> tuple[Any, ...]:
        """The probabilities of the actions."""

    def slopes(self, past: Past, state: int, told: Told) -> tuple[Any, ...]:
        """Derivatives of the log-odds of the actions."""


@dataclass(frozen=True, slots=True)
class Policy:
    """pi(a | s, g) in proportion to `by_state[s][a]` times `by_target[g][a]`, whole numbers.

    A target above the last row uses the last row, a negative one the first.  The parameters are the
    logarithms of all these odds; as a direction, the entries are how these move.
    """

    by_state: tuple[tuple[int, ...], ...]
    by_target: tuple[tuple[int, ...], ...]

    def law(self, past: Past, state: int, told: Told) -> tuple[Fraction, ...]:
        """The law of the action; of what it was told the last counts, and the past does not."""
        odds = [one * other for one, other in self._entries(state, told)]
        return tuple(Fraction(one, sum(odds)) for one in odds)

    def slopes(self, past: Past, state: int, told: Told) -> tuple[int, ...]:
        """The entries as changes of log-odds."""
        return tuple(one + other for one, other in self._entries(state, told))

    def _entries(self, state: int, told: Told) -> Iterator[tuple[int, int]]:
        row = min(max(told[-1], 0), len(self.by_target) - 1)
        return zip(self.by_state[state], self.by_target[row], strict=True)


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode: its steps, and the probability that the process has in it."""

    steps: Past
    chance: Fraction

    @property
    def total(self) -> int:
        """The return."""
        return sum(reward for _, _, reward in self.steps)

    def intended(self, target: int) -> Told:
        """What the policy was told: the target less what was received before each step."""
        return tuple(target - sum(r for _, _, r in self.steps[:t]) for t in range(len(self.steps)))

    def relabelled(self) -> Told:
        """What hindsight writes in its place: the return that did follow, from each step on."""
        return self.intended(self.total)


def episodes(process: Process, state: int, past: Past = ()) -> Iterator[Episode]:
    """All episodes that go on from a state after a past, with the probabilities from there on."""
    if len(past) == process.horizon:
        yield Episode(past, Fraction(1))
        return
    for action, outcomes in enumerate(process.outcomes[state]):
        for chance, reward, to in outcomes:
            for rest in episodes(process, to, (*past, (state, action, reward))):
                yield Episode(rest.steps, chance * rest.chance)


def seen(episode: Episode, told: Sequence[int]) -> Iterator[tuple[Past, int, Told]]:
    """What a policy knows at each step, given what it was told: the arguments of its law."""
    for t, (state, _, _) in enumerate(episode.steps):
        yield episode.steps[:t], state, tuple(told[: t + 1])


def chances(policy: Conditioned, episode: Episode, told: Sequence[int]) -> list[Any]:
    """The probability of the action that was taken at each step."""
    laws = (policy.law(*known) for known in seen(episode, told))
    return [law[action] for law, (_, action, _) in zip(laws, episode.steps, strict=True)]
