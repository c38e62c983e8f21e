"""The picture of a log: the law of T with its fit, and what horizons are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincc

from ..report.pictures import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .commands.answer import Drawing

_BLUE, _RED, _GREEN = "#0072b2", "#d55e00", "#009e73"


def draw_budget(found: Drawing, path: str | Path) -> Path:
    """Two panels into a file; ValueError if its suffix is that of no picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 4.6), layout="constrained", facecolor="white")
    law, worth = figure.subplots(1, 2)
    _draw_law(law, found)
    _draw_worth(worth, found)
    for axes in (law, worth):
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=8, framealpha=0.8, edgecolor="none")
    return write(figure, path)


def _draw_law(axes: Axes, found: Drawing) -> None:
    curve = found.curve
    times = np.concatenate(([0.0], curve.times))
    parts = [np.concatenate(([0.0], 1 - part)) for part in (curve.high, curve.tail, curve.low)]
    axes.fill_between(times, parts[0], parts[2], step="post", color=_BLUE, alpha=0.2,
                      label="95 percent, at each length")  # fmt: skip
    axes.step(times, parts[1], where="post", color=_BLUE, label="solved so far (Kaplan-Meier)")
    t = np.linspace(0, 1.6 * max(found.horizon, found.cap), 400)
    means, weights = found.fitted.parts()
    shape = found.fitted.shape
    tail = (gammaincc(shape, shape * t[:, None] / means) * weights).sum(axis=1)
    known = t <= found.cap
    for part, style, label in ((known, "-", "fitted law"), (~known, "--", "the law alone")):
        axes.plot(t[part], found.solvable * (1 - tail[part]), style, color=_RED, label=label)
    axes.axvline(found.horizon, color="black", linewidth=0.9, linestyle=":", label="horizon")
    axes.set_ylim(0, 1)
    axes.set_xlim(0, t[-1])
    axes.set_xlabel("tokens")
    axes.set_ylabel("share of rollouts solved")


def _draw_worth(axes: Axes, found: Drawing) -> None:
    """Guaranteed improvement by a sample and by a token, of a prompt with the mean E T."""
    gain = found.rewards.gain
    means, weights = found.fitted.parts()
    xi = found.horizons / float(means @ weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        for cost, colour, label in (
            (found.rewards.samples, _GREEN, "by a rollout"),
            (found.rewards.tokens, _RED, "by a token"),
        ):
            worth = np.nan_to_num(gain / cost)
            axes.plot(xi, worth / max(worth.max(), 1e-300), color=colour, label=label)
    own = found.horizon / float(means @ weights)
    axes.axvline(own, color="black", linewidth=0.9, linestyle=":", label="this horizon")
    if found.best is not None:
        best = found.best / float(means @ weights)
        axes.axvline(best, color=_BLUE, linewidth=0.9, linestyle="--", label="planned horizon")
    axes.set_xscale("log")
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("relative budget of a prompt with the mean E T")
    axes.set_ylabel("guaranteed improvement, in units of the best")
