"""Language models small enough to be tables: laws of sequences, token by token.

A history is a tuple of tokens.  Sequences end with the first end token, or at the horizon; both
kinds are outcomes.  Numbers are Fractions, arbs or floats; the formulas are those of `tilts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .checks import check_count, check_kind, check_laws, check_temperature, real, reals
from .tilts import beside, log_partition, ready, weighted

History = tuple[int, ...]
MOST_SEQUENCES = 50_000
"""Sequences that are enumerated: more take more than a second, and gigabytes beyond a million."""


@dataclass(frozen=True, eq=False)
class LanguageTable:
    """A law of the next token for every history that goes on.

    laws: history -> law [V]; vocabulary: V; horizon: tokens at most; end: the token that ends a
    sequence, None where all have the horizon's length.

    Raises
    ------
    ModelError: for a history without a law, a law of another size, an end token or horizon that
        cannot be, or more than `MOST_SEQUENCES` sequences.
    """

    laws: Mapping[History, Array]
    vocabulary: int
    horizon: int
    end: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("vocabulary", self.vocabulary), ("horizon", self.horizon)):
            check_count(value, name)
        if self.end is not None:
            check_count(self.end, "end", 0)
            if self.end >= self.vocabulary:
                raise ModelError(f"end is {self.end}; tokens are 0 to {self.vocabulary - 1}")
        check_kind(self.laws, "laws", Mapping, "give a dict from histories to laws")
        for history in self.histories:
            law = self.laws.get(history)
            if law is None:
                raise ModelError(f"history {history} has no law of the next token; give one")
            if law.shape != (self.vocabulary,):
                raise ModelError(
                    f"the law after {history} has shape {law.shape}; the vocabulary needs "
                    f"({self.vocabulary},)"
                )
            reals(law, f"the law after {history}")
            check_laws(law[None], f"the law after {history}")

    @classmethod
    def of(
        cls, law: Callable[[History], Array], vocabulary: int, horizon: int, end: int | None = None
    ) -> LanguageTable:
        """The table of a function from histories to laws."""
        laws = {history: law(history) for history in _histories(vocabulary, horizon, end)}
        return cls(laws, vocabulary, horizon, end)

    @cached_property
    def histories(self) -> tuple[History, ...]:
        """All that go on, shorter ones first."""
        return _histories(self.vocabulary, self.horizon, self.end)

    @cached_property
    def sequences(self) -> tuple[History, ...]:
        """All that have ended: the outcomes, in the order of `probabilities`."""
        going = set(self.histories)
        longer = ((*h, v) for h in self.histories for v in range(self.vocabulary))
        return tuple(one for one in longer if one not in going)

    def probabilities(self) -> Array:
        """The law of all sequences, [N]."""
        return np.array([self.probability(one) for one in self.sequences])

    def probability(self, sequence: History) -> Any:
        """The product of the laws of its tokens."""
        found = self.laws[()][sequence[0]]
        for t in range(1, len(sequence)):
            found = found * self.laws[sequence[:t]][sequence[t]]
        return found


def _histories(vocabulary: int, horizon: int, end: int | None) -> tuple[History, ...]:
    found: list[History] = [()]
    level = found
    for _ in range(horizon - 1):
        level = [(*h, v) for h in level for v in range(vocabulary) if v != end]
        found = found + level
        if len(found) * vocabulary > MOST_SEQUENCES:
            raise ModelError(
                f"{vocabulary} tokens and horizon {horizon} make more than {MOST_SEQUENCES} "
                "sequences; shorten the horizon or the vocabulary"
            )
    return tuple(found)


def soft_bellman(
    reference: LanguageTable, rewards: Mapping[History, Any], temperature: Any
) -> tuple[LanguageTable, dict[History, Any]]:
    """The tilt of a law of sequences as a table, and the soft values V(h) of all histories.

    rewards: sequence -> r.  Raises ModelError for a sequence without a reward, a reward that is not
    finite or is of no sequence, or a temperature that is not positive.
    """
    check_kind(reference, "reference", LanguageTable, "give a LanguageTable")
    check_kind(rewards, "rewards", Mapping, "give a dict from sequences to rewards")
    check_temperature(temperature)
    missing = [one for one in reference.sequences if one not in rewards]
    if missing:
        raise ModelError(f"sequence {missing[0]} has no reward; give each of them one")
    strange = rewards.keys() - set(reference.sequences)
    if strange:
        raise ModelError(f"rewards holds {min(strange)}, which is no whole sequence; leave it out")
    for one, value in rewards.items():
        real(value, f"the reward of {one}")
    sample = ready(reference.laws[()])
    heat = beside(sample, temperature)
    values = {one: beside(sample, rewards[one]) for one in reference.sequences}
    laws: dict[History, Array] = {}
    for history in reversed(reference.histories):
        ahead = np.array([values[(*history, v)] for v in range(reference.vocabulary)])
        law = reference.laws[history]
        laws[history] = weighted(ready(law), ahead, temperature)
        values[history] = heat * log_partition(law[None], ahead[None], temperature)[0]
    return LanguageTable(laws, reference.vocabulary, reference.horizon, reference.end), values
