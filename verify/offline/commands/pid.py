"""``holdfast pid``: whether a multiplier under PID control comes to rest, and how far its gains are
from where it does not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, get_args

import click
from rich.console import Console
from rich.table import Table

from holdfast.solvers.errors import ModelError
from holdfast.solvers.exact import format_rational, to_fraction
from holdfast.solvers.offline.multipliers.crossings import gain_limits
from holdfast.solvers.offline.multipliers.lyapunov import LARGEST, certified
from holdfast.solvers.offline.multipliers.stability import (
    GAINS,
    RECTIFIED,
    SIZES,
    Form,
    Loop,
    Verdict,
    critical_proportional,
    damping_ratio,
    eigenvalues,
    verdict,
    vertices,
)
from holdfast.verify.campaign.exit_codes import ExitCode

from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import json_option, plot_option, refuse_idle
from ...terminal.targets import check_picture, check_targets

_SHOWN = 8
"""Eigenvalues that are printed: a form with a delay has more than ten, and the largest decide."""
_LONGEST = 40
"""Characters of a number: a longer one is a slip, and would make the exact test slow."""
_SYMBOLS = dict(zip(GAINS, ("K_P", "K_I", "K_D"), strict=True))
_SAYS = {
    (True, Verdict.STABLE): "every eigenvalue lies inside the unit circle",
    (True, Verdict.BOUNDARY): "no eigenvalue lies outside the unit circle, some on it",
    (True, Verdict.UNSTABLE): "some eigenvalue lies outside the unit circle",
    (False, Verdict.STABLE): "every eigenvalue has a negative real part",
    (False, Verdict.BOUNDARY): "no eigenvalue has a positive real part, some have none",
    (False, Verdict.UNSTABLE): "some eigenvalue has a positive real part",
}
"""With steps or without them."""


class _Number(click.ParamType):
    """An exact number of at least 0, or of any sign."""

    name = "number"

    def __init__(self, *, signed: bool = False) -> None:
        self.signed = signed

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """The number; fails with the value and the remedy."""
        text = str(value)
        if len(text) > _LONGEST:
            self.fail(
                f"{text[:_LONGEST]}... has {len(text)} characters; give {_LONGEST} at most, of a "
                "number that is 0 or of a size from 1e-30 to 1e30",
                param,
                ctx,
            )
        try:
            number = None if "x" in text.lower() else to_fraction(text, "it")
        except ValueError:
            number = None
        if number is None or (number < 0 and not self.signed):
            what = "a number" if self.signed else "a number of at least 0"
            self.fail(f"{text!r} is not {what}, such as 0.05 or 1/20", param, ctx)
        if number and not SIZES[0] <= abs(number) <= SIZES[1]:
            self.fail(f"{text} is neither 0 nor of a size from 1e-30 to 1e30; take other units for "
                      "costs or steps", param, ctx)  # fmt: skip
        return number


class _Plant(click.ParamType):
    """``a,b``."""

    name = "a,b"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Fraction, Fraction]:
        """Curvature and slope; fails with the value and the remedy."""
        parts = str(value).split(",")
        if len(parts) != 2:
            self.fail(f"{str(value)[:_LONGEST]!r} is not two numbers a,b such as 0.5,1", param, ctx)
        return _Number().convert(parts[0], param, ctx), _Number(signed=True).convert(
            parts[1], param, ctx
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The loop and what was found out about it."""

    loop: Loop
    found: Verdict
    eigenvalues: Any
    vertices: dict[str, tuple[Verdict, float]]
    certificate: list[list[Fraction]] | None
    limits: dict[str, tuple[float, float] | None]


@click.command()
@click.option("--plant", type=_Plant(), required=True, help="Curvature a >= 0 of the objective and "
              "slope b of the constraint: min (a/2) x^2 subject to b x = 0.")  # fmt: skip
@click.option("--kp", type=_Number(), required=True, help="Proportional gain.")
@click.option("--ki", type=_Number(), required=True, help="Integral gain.")
@click.option("--kd", type=_Number(), default="0", show_default=True, help="Derivative gain.")
@click.option("--step", type=_Number(), help="Step size of the policy; without it time is "
              "continuous.")  # fmt: skip
@click.option("--form", type=click.Choice(get_args(Form)), default="stooke", show_default=True,
              help="Which controller; in continuous time all but incremental are one.")  # fmt: skip
@click.option("--largest", type=_Number(), help="Of --form adaptive: K_P wanders between --kp and "
              "this.")  # fmt: skip
@json_option
@plot_option("the response and the stable gains")
def pid_command(
    plant: tuple[Fraction, Fraction], kp: Fraction, ki: Fraction, kd: Fraction,
    step: Fraction | None, form: Form, largest: Fraction | None, json_path: str | None,
    plot: str | None,
) -> int:  # fmt: skip
    """Decide exactly whether a PID-controlled multiplier comes to rest near an optimum.

    The plant stands for the neighbourhood of an optimum with one active constraint; b and the
    curvature a are what a step of the policy feels of constraint and objective there. Prints the
    verdict, the eigenvalues, the damping and the interval of each gain that is stable.
    """
    _check(step, form, largest)
    check_picture(plot)
    check_targets([("--json", json_path), ("--plot", plot)])
    loop = Loop(*plant, kp, ki, kd, step, form, largest=largest)
    console = output.console()
    answer = answer_of(loop)
    for line in _lines(answer):
        console.print(line, highlight=False)
    _tables(console, answer)
    if json_path:
        write_json(document(answer), json_path)
        console.print(f"numbers: {output.plain(json_path)}", highlight=False)
    if plot:
        from ..loop_pictures import draw_loop

        console.print(f"plot: {output.plain(draw_loop(loop, plot))}", highlight=False)
    return ExitCode.AS_EXPECTED


def _check(step: Fraction | None, form: Form, largest: Fraction | None) -> None:
    """Raises click.BadParameter for what cannot be meant or would have no effect."""
    if step == 0:
        raise click.BadParameter("--step 0 moves nothing; give a step above 0, or none at all")
    if step is None and form != "incremental":
        refuse_idle(["form"], f"{form} is a form of controllers with steps; give --step, or leave "
                    "it out: in continuous time all forms but incremental are one")  # fmt: skip
    if form != "adaptive":
        refuse_idle(["largest"], f"has no effect with --form {form}, whose gains stay; it is for "
                    "--form adaptive")  # fmt: skip
    elif largest is None:
        raise click.BadParameter("--form adaptive needs --largest, up to which K_P may wander")


def answer_of(loop: Loop) -> Answer:
    """Raises click.BadParameter where --largest is below --kp."""
    try:
        corners = vertices(loop)
    except ModelError as error:
        raise click.BadParameter(str(error)) from error
    found = {name: (verdict(one), _size(one)) for name, one in corners.items()}
    stable = all(one is Verdict.STABLE for one, _ in found.values())
    form = certified(loop) if stable and len(found) > 1 else None
    limits = {name: gain_limits(loop, name) for name in GAINS}
    return Answer(loop, verdict(loop), eigenvalues(loop), found, form, limits)


def _size(loop: Loop) -> float:
    largest = eigenvalues(loop)[0]
    return float(largest.real if loop.step is None else abs(largest))


def document(answer: Answer) -> dict[str, Any]:
    """The answer as JSON; rationals are exact strings, and what is infinite becomes null."""
    loop = answer.loop
    return {
        "plant": [format_rational(loop.curvature), format_rational(loop.slope)],
        **{name: format_rational(getattr(loop, name)) for name in GAINS},
        "step": None if loop.step is None else format_rational(loop.step),
        "form": None if loop.step is None and loop.form != "incremental" else loop.form,
        "verdict": answer.found.value,
        "eigenvalues": [[float(one.real), float(one.imag)] for one in answer.eigenvalues],
        "switching": {name: one.value for name, (one, _) in answer.vertices.items()},
        "common_form": answer.certificate
        and [[format_rational(x) for x in row] for row in answer.certificate],
        "damping_ratio": damping_ratio(loop),
        "critical_proportional": critical_proportional(loop),
        "limits": answer.limits,
    }


def _lines(answer: Answer) -> Iterator[str]:
    loop, steps = answer.loop, answer.loop.step is not None
    a, b = format_rational(loop.curvature), format_rational(loop.slope)
    gains = ", ".join(f"{_SYMBOLS[n]} {format_rational(getattr(loop, n))}" for n in GAINS)
    time = f"step {format_rational(loop.step)}, form {loop.form}" if steps else "continuous time"
    if not steps and loop.form == "incremental":
        time += ", form incremental"
    yield f"min (a/2) x^2 subject to b x = 0 with a = {a} and b = {b}; {gains}; {time}"
    yield ""
    given = "" if len(answer.vertices) == 1 else " with the gains as given"
    yield f"[bold]{answer.found.value}{given}[/bold]: {_SAYS[steps, answer.found]} (exact)"
    yield from _notes(answer)
    yield from _switching(answer)
    if loop.form not in ("incremental", "omnisafe"):
        yield from _swinging(loop)


def _notes(answer: Answer) -> Iterator[str]:
    loop = answer.loop
    yield (
        "  this speaks of the linear-quadratic plant, near an optimum with an active constraint: "
        "multiplier and integral are not cut off at 0, and the derivative acts both ways"
    )
    if loop.form == "omnisafe" and loop.step is not None:
        yield (
            f"  averages keep {loop.memory} of the past, the derivative looks {loop.delay} updates "
            "back, as omnisafe does by default"
        )
    if not loop.slope:
        yield (
            "  [bold]b is 0, so that nothing is controlled[/bold]: no multiplier moves the plant, "
            "and nothing moves the integral, whatever the gains are"
        )
    elif not loop.integral:
        yield (
            "  K_I is 0: where the optimum needs a multiplier above 0 the constraint stays violated"
        )


def _switching(answer: Answer) -> Iterator[str]:
    """Of rectified terms and moving gains."""
    loop = answer.loop
    if len(answer.vertices) == 1:
        return
    what = " and ".join(f"{_SYMBOLS[one]}'s term" for one in RECTIFIED[loop.form]
                        if getattr(loop, one))  # fmt: skip
    yield ""
    moving = [f"{what} acts on one side of 0 only"] if what else []
    if loop.form == "adaptive":
        moving.append("K_P moves in its box (the form is reconstructed)")
    yield f"switching: {', and '.join(moving)}, so that the gains change on the way"
    for name, (found, size) in answer.vertices.items():
        yield f"  {name}: {found.value}, largest modulus {size:.6g}"
    if answer.certificate is not None:
        yield (
            "  [bold]stable however they change[/bold]: one quadratic form falls under all of them "
            "(exact)"
        )
    else:
        why = "was found" if len(answer.eigenvalues) <= LARGEST else "is looked for in such a state"
        yield f"  no quadratic form {why} that falls under all of them, which proves nothing"


def _swinging(loop: Loop) -> Iterator[str]:
    zeta = damping_ratio(loop)
    yield ""
    if not math.isnan(zeta):
        word = "swings" if zeta < 1 else "does not swing"
        yield (
            f"damping ratio {zeta:.4g} without steps: it {word}; critical K_P "
            f"{critical_proportional(loop):.4g}"
        )


def _tables(console: Console, answer: Answer) -> None:
    steps = answer.loop.step is not None
    table = Table("eigenvalue", "modulus" if steps else "real part", title_justify="left",
                  title=f"largest {_SHOWN} of {len(answer.eigenvalues)} eigenvalues"
                  if len(answer.eigenvalues) > _SHOWN else "eigenvalues")  # fmt: skip
    for one in answer.eigenvalues[:_SHOWN]:
        text = f"{one.real:.6g}" + (f" {one.imag:+.6g}i" if one.imag else "")
        table.add_row(text, f"{abs(one) if steps else one.real:.6g}")
    console.print(table)
    table = Table("gain", "now", "stable between", "and", title_justify="left",
                  title="each gain, with the others as they are")  # fmt: skip
    for name, limits in answer.limits.items():
        now = format_rational(getattr(answer.loop, name))
        ends = ("not stable now", "") if limits is None else tuple(map(_end, limits))
        table.add_row(_SYMBOLS[name], now, *ends)
    console.print(table)


def _end(value: float) -> str:
    return "no limit" if math.isinf(value) else f"{value:.6g}"
