"""The picture of ``holdfast offline``: of each plan the value in the model, bound, and truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.solvers.offline.guarded import Plan

from ..report.pictures import styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .commands.guarded_answer import Answer

_MODEL, _BOUND, _TRUTH = "#0072b2", "#999999", "#d55e00"


@styled()
def draw_plans(answer: Answer, path: str | Path) -> Path:
    """A panel for the return and one for each cost; ValueError if the suffix is no picture's."""
    from matplotlib.figure import Figure

    panels = len(answer.logged)
    figure = Figure(figsize=(5.4 * panels, 3.4))
    for index, axes in enumerate(figure.subplots(1, panels, squeeze=False)[0]):
        _draw(axes, answer, index)
    return write(figure, path)


def _draw(axes: Axes, answer: Answer, index: int) -> None:
    mean, low, high = answer.logged[index]
    rows = {"behaviour": (mean, high if index else low)}
    for name, found in answer.plans.items():
        if isinstance(found, Plan):
            rows[name] = float(found.values[index]), float(found.bound(index))
    for place, (name, (value, bound)) in enumerate(rows.items()):
        axes.plot([bound, value], [place, place], color=_BOUND, linewidth=5, solid_capstyle="butt",
                  label="up to the certified bound" if place == 0 else None)  # fmt: skip
        axes.plot(value, place, "o", color=_MODEL, label="in the model" if place == 0 else None)
        if name in answer.exact:
            truth = float(answer.exact[name][index][0])
            axes.plot(truth, place, "|", color=_TRUTH, markersize=16, markeredgewidth=2,
                      label="truth" if place == 0 else None)  # fmt: skip
    if index:
        budget = float(answer.known.model.budgets[index - 1])
        axes.axvline(budget, color="black", linewidth=0.8, linestyle=":", label="budget")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set_xlabel(f"discounted cost {index}" if index else "discounted return")
    axes.legend()
