"""Options that several commands have, numbers of the command line, options without effect."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

import click
from click.core import ParameterSource

Command = TypeVar("Command", bound=Callable[..., Any])


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


class Time(click.ParamType):
    """A time with its unit, such as 60s, 2m or 1.5h; its value is in seconds."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds, above zero; fails with the value and what is right."""
        found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smh])", str(value).strip())
        seconds = float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else 0.0
        if seconds <= 0:
            self.fail(
                f"{str(value)[:40]!r} is not a time above zero in digits and s, m or h, such as "
                "60s, 2m or 1.5h, of at most 999999999",
                param,
                ctx,
            )
        return seconds


_JOBS = Whole(1, 1024)
"""Processes, each of some 200 MB: more is a slip of the finger."""

STORE = ".holdfast/findings.sqlite"
"""Where findings go unless --store says otherwise."""

seed_option = click.option(
    "--seed", type=Whole(0, 2**128 - 1), default=0, show_default=True, help="Random seed."
)
jobs_option = click.option(
    "--jobs", type=_JOBS, default=os.cpu_count() or 1, show_default=True,
    help="Number of processes.",
)  # fmt: skip
cluster_option = click.option(
    "--cluster", metavar="ADDRESS",
    help="Work on a cluster of Dask: HOST:PORT of its scheduler, or local:4 for a trial here.",
)  # fmt: skip
store_option = click.option(
    "--store", "path", default=STORE, show_default=True,
    help="Database of findings and extremal models.",
)  # fmt: skip
json_option = click.option(
    "--json", "json_path", type=click.Path(), help="Write the results to this file as JSON."
)
time_option = click.option(
    "--budget", type=Time(), help="Time for the exact solution, such as 60s or 2m."
)
certificate_option = click.option(
    "--certificate", type=click.Path(), help="Write the certificate to this file; by default to "
    "one of its own in .holdfast/certificates.",
)  # fmt: skip
all_option = click.option("--all", "whole", is_flag=True, help="Print every row of the policy.")


def plot_option(what: str) -> Callable[[Command], Command]:
    """``--plot``; what: is drawn."""
    return click.option(
        "--plot", type=click.Path(), help=f"Draw {what} into this .png, .svg or .pdf file."
    )


def refuse_repeated(values: Sequence[int | Fraction | str], name: str) -> None:
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
