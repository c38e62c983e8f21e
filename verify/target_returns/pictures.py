"""The picture of a tuning: what was tried and why that was safe, the safe set, bounds, regret."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from holdfast.solvers.target_returns import Step, Tuner
from holdfast.solvers.target_returns.gaussian.checks import Floats, Indices

from ..report.pictures import styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_REASONS = {
    "promised as a seed": ("s", "#444444"),
    "by its own bound": ("o", "#0072b2"),
    "by another's bound": ("^", "#d55e00"),
}
"""Why a target was safe to try -> marker and colour."""
_FAINT = "#bbbbbb"


@styled()
def draw_tuning(
    tuner: Tuner,
    names: Sequence[str],
    since: Indices,
    recorded: Floats | None,
    best: int | None,
    path: str | Path,
) -> Path:
    """Three panels into a file; ValueError if its suffix is that of no picture.

    names: of the coordinates (D); since: int[N], the evaluation after which each target was
    certified, -1 for none; recorded: rewards and costs (2, N) of a replay, which has a regret;
    best: the target recommended, if any.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15.0, 4.6))
    costs, where, rewards = figure.subplots(1, 3)
    _draw_costs(costs, tuner)
    if len(names) == 1:
        _draw_line(where, tuner, since)
    else:
        _draw_map(where, tuner, since, best)
    where.set_xlabel(names[0])
    where.set_ylabel("cost" if len(names) == 1 else names[1])
    _draw_rewards(rewards, tuner, recorded)
    for axes in (costs, rewards):
        axes.set_xlabel("evaluation")
    for axes in (costs, where, rewards):
        if axes.get_legend_handles_labels()[1]:
            axes.legend()
    return write(figure, path)


def _reason(step: Step) -> str:
    proposal = step.proposal
    seed, own, other = _REASONS
    if proposal is None or proposal.certified_by is not None:
        return other
    return seed if "is a seed, whose" in proposal.reason else own


def _bars(axes: Axes, bounds: Sequence[tuple[float, float]], what: str) -> None:
    times = range(1, len(bounds) + 1)
    low, high = [low for low, _ in bounds], [high for _, high in bounds]
    label = f"bounds on the expected {what}, afterwards"
    axes.vlines(times, low, high, color=_FAINT, linewidth=3, label=label)


def _draw_costs(axes: Axes, tuner: Tuner) -> None:
    steps = tuner.history
    _bars(axes, [step.cost_bounds for step in steps], "cost")
    for reason, (marker, colour) in _REASONS.items():
        times = [k for k, step in enumerate(steps, 1) if _reason(step) == reason]
        if times:
            seen = [steps[k - 1].cost for k in times]
            axes.plot(times, seen, marker, color=colour, label=f"safe {reason}")
    limit = tuner.tuning.limit
    axes.axhline(limit, color="black", linewidth=1.0, linestyle="--", label=f"limit {limit:g}")
    axes.set_ylabel("observed cost")


def _draw_line(axes: Axes, tuner: Tuner, since: Indices) -> None:
    """Targets on a line: the bounds on the cost, and where they certify."""
    place, (low, high, _, _) = tuner.tuning.points[:, 0], tuner.bounds
    order = np.argsort(place)
    axes.fill_between(place[order], low[order], high[order], color="#0072b2", alpha=0.2,
                      label="bounds on the expected cost")  # fmt: skip
    tried = [step.index for step in tuner.history]
    costs = [step.cost for step in tuner.history]
    axes.plot(place[tried], costs, "o", color="#444444", markersize=4, label="observed")
    limit = tuner.tuning.limit
    axes.axhline(limit, color="black", linewidth=1.0, linestyle="--")
    _colour(axes, place, np.full(len(place), limit), since)


def _colour(axes: Axes, x: Floats, y: Floats, since: Indices) -> None:
    """The safe set over the evaluations, at places (N)."""
    safe = since >= 0
    shown = axes.scatter(x[safe], y[safe], c=since[safe], marker="s", s=30, cmap="viridis_r")
    title = f"certified since evaluation ({safe.sum()} of {len(since)} targets)"
    axes.figure.colorbar(shown, ax=axes, label=title)


def _draw_map(axes: Axes, tuner: Tuner, since: Indices, best: int | None) -> None:
    """Targets by their first two coordinates: since when they are certified, and what was tried."""
    x, y = tuner.tuning.points[:, 0], tuner.tuning.points[:, 1]
    axes.plot(x, y, ".", color=_FAINT, markersize=2, zorder=0)
    _colour(axes, x, y, since)
    tried = sorted({step.index for step in tuner.history})
    axes.plot(x[tried], y[tried], "o", color="#d55e00", markersize=4, label="tried")
    for step in tuner.history:
        if step.proposal and step.proposal.certified_by is not None:
            pair = [step.proposal.certified_by, step.index]
            axes.plot(x[pair], y[pair], color="#d55e00", linewidth=0.7)
    if best is not None:
        axes.plot(x[best], y[best], "*", color="black", markersize=13, label="recommended")


def _draw_rewards(axes: Axes, tuner: Tuner, recorded: Floats | None) -> None:
    """The regret against the best safe target of the table, or what was observed."""
    times = np.arange(1, len(tuner.history) + 1)
    safe = np.zeros(0, bool) if recorded is None else recorded[1] <= tuner.tuning.limit
    if recorded is None or not safe.any():
        _bars(axes, [step.reward_bounds for step in tuner.history], "reward")
        axes.plot(times, [step.reward for step in tuner.history], "o", color="#444444")
        axes.set_ylabel("observed reward")
        return
    regret = recorded[0][safe].max() - recorded[0][[step.index for step in tuner.history]]
    axes.plot(times, regret, "o", color=_FAINT, label="of the target tried")
    axes.plot(times, np.minimum.accumulate(regret), color="#0072b2", label="least so far")
    axes.set_ylabel("regret: reward below the table's best safe target")
