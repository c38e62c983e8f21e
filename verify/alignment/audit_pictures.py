"""The multiplier of a log beside what its rule gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.solvers.alignment.audits.printed import float_of

from ..report.pictures import styled, write

if TYPE_CHECKING:
    from .commands.audit_answer import Found


@styled()
def draw_run(found: Found, path: str | Path) -> Path:
    """Multipliers above, violations below; ValueError if the suffix is that of no picture."""
    from matplotlib.figure import Figure

    run, rule, verdict = found.run, found.rule, found.verdict
    steps = [float_of(x) for x in run.steps]
    figure = Figure(figsize=(6.4, 5.2))
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(steps, [x.middle for x in run.multipliers], color="#0072b2", lw=1.2, label="logged")
    first = verdict.first
    if first is not None:
        above.plot([float_of(first.step)], [first.wanted.middle], "x", color="#d55e00", ms=8,
                   label="what the rule gives")  # fmt: skip
        above.axvline(float_of(first.step), color="#d55e00", lw=0.8, ls=":")
    above.set_ylabel("multiplier")
    above.legend()
    below.plot(steps, [rule.violation(x).middle for x in run.values], color="#999999", lw=0.8)
    for one in verdict.certified:
        ends = [float_of(one.first), float_of(one.last)]
        below.plot(ends, [float_of(one.bound)] * 2, color="#009e73", lw=2,
                   label="average at most")  # fmt: skip
        below.plot(ends, [one.average.middle] * 2, color="#d55e00", lw=1, ls="--",
                   label="average as logged")  # fmt: skip
    below.axhline(0, color="black", lw=0.5)
    below.set_ylabel("violation")
    below.set_xlabel(found.columns.step)
    if verdict.certified:
        handles, labels = below.get_legend_handles_labels()
        below.legend(handles[:2], labels[:2])
    return write(figure, path)
