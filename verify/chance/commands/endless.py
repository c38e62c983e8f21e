"""``solve --joint-risk`` without a horizon: reward discounted for ever, and a bound on the risk."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from rich.console import Console

from holdfast.solvers import CMDP, Status
from holdfast.solvers.chance import enclose_eventual, solve_first_hit
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.kernel import format_rational
from holdfast.verify.report.numbers import decimal, shorten

from ...terminal import output

_HORIZONS = (1, 10, 100)


def _line(console: Console, name: str, number: Fraction | None) -> None:
    text = format_rational(number or Fraction(0))
    shown = "" if text == decimal(text, 12) else f"\n{'':<12}= {decimal(text, 12)}"
    console.print(f"{name:<12}{shorten(text, 60)}{shown}", highlight=False)


def print_eventual(
    console: Console,
    model: CMDP,
    unsafe: Sequence[int],
    levels: Sequence[Fraction],
    width: Fraction,
    flags: dict[str, bool],
) -> int:
    """Bounds on the optimum when the chance of *ever* visiting an unsafe state is bounded."""
    for level in levels:
        found = enclose_eventual(model, unsafe, level, width=width, **flags)
        console.print(
            f"\n[bold]level {level}[/bold] of the chance of ever visiting an unsafe state (the "
            f"least is {decimal(str(found.minimum_risk))})"
        )
        if found.status is Status.INFEASIBLE:
            console.print(
                "[bold red]infeasible[/bold red]: raise the level at least to "
                f"{shorten(str(found.minimum_risk), 60)}"
            )
            continue
        assert found.lower is not None
        assert found.upper is not None
        _line(console, "lower bound", found.lower)
        _line(console, "upper bound", found.upper)
        _line(console, "width", found.upper - found.lower)
        console.print(
            f"{'':<12}both are exact optima with {found.horizon} free decisions and a fixed end; "
            "the lower one is attained by a policy",
            highlight=False,
        )
    return ExitCode.AS_EXPECTED


def print_first_hit(
    console: Console,
    model: CMDP,
    unsafe: Sequence[int],
    levels: Sequence[Fraction],
    path: Path,
    flags: dict[str, bool],
) -> int:
    """The exact optimum when E[gamma^tau] is bounded, tau the first visit to an unsafe state."""
    code = ExitCode.AS_EXPECTED
    for level in levels:
        found = solve_first_hit(model, unsafe, level, **flags)
        console.print(f"\n[bold]level {level}[/bold] of E[gamma^tau], tau the first unsafe visit")
        if found.value is None:
            console.print(
                "[bold red]infeasible[/bold red]: raise the level at least to "
                f"{shorten(str(found.minimum_risk), 60)}"
            )
        else:
            _line(console, "value", found.value)
            _line(console, "risk", found.risk)
            for horizon in _HORIZONS:
                chance, bound = found.chance_within(horizon), found.chance_bound(horizon)
                console.print(
                    f"{'':<12}Pr(tau <= {horizon}) = {decimal(str(chance))}, of at most "
                    f"min(1, gamma^-{horizon} level) = {decimal(str(bound))}",
                    highlight=False,
                )
        target = path if len(levels) == 1 else output.path_for_level(path, level)
        if not output.write_certificate(console, found.certificate(), target):
            code = ExitCode.CERTIFICATE_REJECTED
    return code
