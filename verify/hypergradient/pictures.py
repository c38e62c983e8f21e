"""Where a hypergradient points, and the leader's return along ascents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..report.pictures import styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .commands.answer import Answer
    from .commands.question import Question

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#f0e442")
_BARS = 20
"""Components that are shown as bars: more are no longer read."""


@styled()
def draw_hypergradient(question: Question, answer: Answer, path: str | Path) -> Path:
    """One panel or two, into a file; ValueError if its suffix is that of no picture."""
    from matplotlib.figure import Figure

    panels = 2 if answer.ascents else 1
    figure = Figure(figsize=(6.2 * panels, 4.8))
    axes = np.atleast_1d(figure.subplots(1, panels))
    if question.points:
        _draw_map(figure, axes[0], question, answer)
    else:
        _draw_bars(axes[0], question, answer)
    if answer.ascents:
        _draw_ascents(axes[1], answer)
    return write(figure, path)


def _draw_map(figure: Figure, axes: Axes, question: Question, answer: Answer) -> None:
    """One colour a state: whether the leader gains by more of the amount there, or by less."""
    x, y = np.array(question.points).T
    gradient = answer.exact.gradient[: len(x)]
    most = float(np.abs(gradient).max()) or 1.0
    shown = axes.scatter(x, y, c=gradient, cmap="RdBu_r", vmin=-most, vmax=most, marker="s", s=160,
                         edgecolors="#bbbbbb", linewidths=0.4)  # fmt: skip
    figure.colorbar(shown, ax=axes, label="derivative of the leader's return")
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title("where the gradient points")


def _draw_bars(axes: Axes, question: Question, answer: Answer) -> None:
    order = np.argsort(-np.abs(answer.exact.gradient), kind="stable")[:_BARS]
    place = np.arange(len(order))
    axes.barh(place, answer.exact.gradient[order], color="#dddddd", label="exact")
    for k, (name, one) in enumerate(answer.estimates.items()):
        shift = 0.6 * ((k + 0.5) / len(answer.estimates) - 0.5)
        axes.errorbar(one.mean[order], place + shift, xerr=2 * one.error[order], fmt="o", ms=3,
                      color=_COLOURS[k], label=f"{name}, 2 standard errors")  # fmt: skip
    axes.set_yticks(place, [question.names[k] for k in order])
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("derivative of the leader's return")
    axes.legend()


def _draw_ascents(axes: Axes, answer: Answer) -> None:
    exact, *sampled = answer.ascents.items()
    for k, (name, one) in enumerate(sampled):
        axes.plot(one.iterations * answer.samples[name], one.objectives, color=_COLOURS[k],
                  label=name)  # fmt: skip
    axes.axhline(exact[1].objectives[-1], color="black", linestyle="--", linewidth=0.9,
                 label="where the exact gradient leads")  # fmt: skip
    axes.set_xlabel("steps of the follower")
    axes.set_ylabel("leader's exact return")
    axes.legend()
