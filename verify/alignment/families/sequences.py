"""Tables of tiny language models, with rewards of their sequences."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers.alignment.autoregressive import History, LanguageTable

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import laws, numbers
from .problems import TEMPERATURES


@dataclass(frozen=True, slots=True)
class Sequences:
    """A reference as a table, a reward for each sequence, and the temperature."""

    reference: LanguageTable
    rewards: dict[History, Fraction]
    temperature: Fraction


def table(draw: Draw, vocabulary: int, horizon: int, end: int | None) -> LanguageTable:
    """Laws of full support."""
    return LanguageTable.of(
        lambda _: laws(draw, 1, vocabulary, least=1)[0], vocabulary, horizon, end
    )


def _sequences(draw: Draw, shortest: int) -> Sequences:
    """Two or three tokens, the last of which ends a sequence in half of the cases."""
    vocabulary = draw.integer(2, 3)
    horizon = draw.integer(shortest, 3 if vocabulary == 2 else 2)
    end = draw.choice((None, vocabulary - 1))
    reference = table(draw, vocabulary, horizon, end)
    gains = numbers(draw, len(reference.sequences)).tolist()
    rewards = dict(zip(reference.sequences, gains, strict=True))
    return Sequences(reference, rewards, draw.choice(TEMPERATURES))


def sequences(shortest: int = 1) -> Family:
    """Sequences with a horizon of at least `shortest` tokens and at most 3."""
    return Family("rewarded sequences of tokens", lambda draw: _sequences(draw, shortest))


def another(draw: Draw, case: Sequences) -> LanguageTable:
    """A second table over the same sequences."""
    reference = case.reference
    return table(draw, reference.vocabulary, reference.horizon, reference.end)


def direction(draw: Draw, case: Sequences, *_: object) -> dict[History, list[Fraction]]:
    """A direction of the logits of every history."""
    count = case.reference.vocabulary
    return {h: numbers(draw, count).tolist() for h in case.reference.histories}
