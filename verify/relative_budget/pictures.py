"""The picture of a log: the law of T with its fit, and what horizons are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincc

from holdfast.solvers.relative_budget.estimate.efficiency import rewards

from ..report.pictures import styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .commands.answer import Answer, Options

_BLUE, _RED, _GREEN = "#0072b2", "#d55e00", "#009e73"


@styled()
def draw_budget(options: Options, answer: Answer, path: str | Path) -> Path:
    """Two panels into a file; ValueError if its suffix is that of no picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 4.6))
    law, worth = figure.subplots(1, 2)
    _draw_law(law, options.horizon, answer)
    _draw_worth(worth, options, answer)
    for axes in (law, worth):
        axes.legend()
    return write(figure, path)


def _draw_law(axes: Axes, horizon: int, answer: Answer) -> None:
    curve, cap, shape = answer.curve, answer.rollouts.cap, answer.pooled.shape
    times = np.concatenate(([0.0], curve.times))
    parts = [np.concatenate(([0.0], 1 - part)) for part in (curve.high, curve.tail, curve.low)]
    axes.fill_between(times, parts[0], parts[2], step="post", color=_BLUE, alpha=0.2,
                      label="95 percent, at each length")  # fmt: skip
    axes.step(times, parts[1], where="post", color=_BLUE, label="solved so far (Kaplan-Meier)")
    t = np.linspace(0, 1.6 * max(horizon, cap), 400)
    means, weights = answer.pooled.parts()
    tail = (gammaincc(shape, shape * t[:, None] / means) * weights).sum(axis=1)
    solved = (1 - answer.prompts.unsolvable.mean()) * (1 - tail)
    for part, style, label in ((t <= cap, "-", "fitted law"), (t > cap, "--", "the law alone")):
        axes.plot(t[part], solved[part], style, color=_RED, label=label)
    axes.axvline(horizon, color="black", linewidth=0.9, linestyle=":", label="horizon")
    axes.set_ylim(0, 1)
    axes.set_xlim(0, t[-1])
    axes.set_xlabel("tokens")
    axes.set_ylabel("share of rollouts solved")


def _draw_worth(axes: Axes, options: Options, answer: Answer) -> None:
    """Guaranteed improvement by a sample and by a token, of a prompt with the mean E T."""
    means, weights = answer.pooled.parts()
    mean = float(means @ weights)
    xi = np.geomspace(0.1, 10, 200)
    found = rewards(np.array(mean), answer.pooled.shape, answer.prompts.unsolvable.mean(),
                    xi * mean, options.kappa, options.log_class)  # fmt: skip
    costs = {"by a rollout": (found.samples, _GREEN), "by a token": (found.tokens, _RED)}
    for label, (cost, colour) in costs.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            worth = np.nan_to_num(found.gain / cost)
        axes.plot(xi, worth / max(worth.max(), 1e-300), color=colour, label=label)
    lines = {"this horizon": (options.horizon, ":")}
    if answer.plan.share > 0:
        lines["planned horizon"] = (answer.plan.horizon, "--")
    for label, (horizon, style) in lines.items():
        axes.axvline(horizon / mean, color="black", linewidth=0.9, linestyle=style, label=label)
    axes.set_xscale("log")
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("relative budget of a prompt with the mean E T of what is solved")
    axes.set_ylabel("guaranteed improvement, in units of the best")
