"""What ``holdfast chance`` was asked: its options, and the model with what is bounded there."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import click

from holdfast.solvers import CMDP, Limits

from ...cmdp.named_models import rational, states
from ...terminal.certificates import path_for_level
from ...terminal.options import refuse_repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``chance`` says; budget: seconds."""

    model: str
    risks: tuple[str, ...]
    horizon: int | None
    then_free: bool
    fading: bool
    width: str
    unsafe: str
    charge: str
    counts_start: bool
    reward_only_safe: bool
    compare_boole: bool
    discount: str | None
    method: str
    budget: float | None
    certificate: str | None
    whole: bool
    plot: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """What the kinds of problem have in common.

    unsafe: states; levels: bounds on the risk, in the order given.
    """

    options: Options
    model: CMDP
    unsafe: tuple[int, ...]
    levels: tuple[Fraction, ...]

    @property
    def flags(self) -> dict[str, bool]:
        """Arguments of the problem: is s_0 watched too, is reward earned after an unsafe state."""
        options = self.options
        return {
            "counts_start": options.counts_start,
            "reward_after_violation": not options.reward_only_safe,
        }

    @property
    def limits(self) -> Limits:
        """Of the exact solution."""
        budget = self.options.budget
        return Limits() if budget is None else Limits(seconds=budget)

    def certificate(self, level: Fraction) -> str | None:
        """Where the certificate of a level goes, if a file was named: each to a file of its own."""
        path = self.options.certificate
        return path if path is None or len(self.levels) == 1 else path_for_level(path, level)


def unsafe_states(model: CMDP, text: str) -> tuple[int, ...]:
    """The states that ``--unsafe`` names; ModelError or click.BadParameter with what to change."""
    known = dict(model.labels)
    if text in known:
        return known[text]
    parts = text.split(",")
    try:  # the label of a state that is two says so
        return tuple(s for part in parts for s in (known[part] if part in known else states(part)))
    except ValueError as error:
        raise click.BadParameter(
            f"--unsafe {text!r} is neither a label of the model (it has "
            f"{', '.join(known) or 'none'}) nor a list of states such as 3,7,12"
        ) from error


def read_levels(texts: tuple[str, ...]) -> tuple[Fraction, ...]:
    """The bounds of ``--risk``, each text one or several with commas."""
    levels = tuple(rational(part, "a risk") for text in texts for part in text.split(","))
    refuse_repeated(levels, "--risk")
    return levels
