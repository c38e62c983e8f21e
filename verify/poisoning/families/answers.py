"""Families of answers to one prompt, with a reference policy and rewards: policies are rational."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ...binding.draws import Draw
from ...binding.family import Family


@dataclass(frozen=True, slots=True)
class Answers:
    """Two or more answers to a prompt.

    reference: the reference policy; scores: rewards in units of the temperature times log 2;
    temperature: tau, an integer; shift: what another reward adds to each score.
    """

    reference: tuple[Fraction, ...]
    scores: tuple[int, ...]
    temperature: int
    shift: tuple[int, ...]


def answers(*, prompt_only: bool = True) -> Family:
    """Two to four answers; the shift is the same for all if `prompt_only`."""

    def base(draw: Draw) -> Answers:
        count = range(draw.integer(2, 4))
        weights = [draw.integer(1, 5) for _ in count]
        scores = tuple(draw.integer(-3, 3) for _ in count)
        added = draw.integer(-3, 3)
        shift = tuple(added if prompt_only else draw.integer(-3, 3) for _ in count)
        reference = tuple(Fraction(weight, sum(weights)) for weight in weights)
        return Answers(reference, scores, draw.integer(1, 3), shift)

    return Family("answers to a prompt", base)
