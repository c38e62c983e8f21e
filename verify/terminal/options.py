"""Numbers of the command line, and options that would have no effect."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction

import click
from click.core import ParameterSource


class Whole(click.ParamType):
    """A whole number in the digits 0 to 9, from `least` to `greatest`.

    Python's own `int` also reads digits of other scripts and underscores; here they are a slip.
    """

    name = "integer"

    def __init__(self, least: int, greatest: int) -> None:
        self.least, self.greatest = least, greatest

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number; fails with the value and the range."""
        text = str(value)
        long = len(text) > len(str(self.greatest)) + 1
        number = None if long or not re.fullmatch("-?[0-9]+", text) else int(text)
        if number is None or not self.least <= number <= self.greatest:
            shown = text if len(text) <= 40 else f"{text[:40]}... ({len(text)} characters)"
            between = f"{self.least} to {self.greatest}"
            self.fail(f"{shown!r} is not a whole number from {between}", param, ctx)
        return number


SEED = Whole(0, 2**128 - 1)
"""Of whatever is drawn."""

JOBS = Whole(1, 1024)
"""Processes, each of some 200 MB: more is a slip of the finger."""


def refuse_repeated(values: Sequence[int | Fraction], name: str) -> None:
    """Raises click.BadParameter if a value is there twice: once would do, or another was meant."""
    repeated = [value for value, times in Counter(values).items() if times > 1]
    if repeated:
        raise click.BadParameter(f"{name} has {repeated[0]} more than once; give each value once")


def refuse_idle(names: Iterable[str], why: str) -> None:
    """Raises click.BadParameter if one of these options was given: it would have no effect.

    names: of parameters of the current command; why: ends the sentence that begins with the option.
    """
    context = click.get_current_context()
    options = {one.name: one.opts[0] for one in context.command.params}
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.BadParameter(f"{options[name]} {why}")
