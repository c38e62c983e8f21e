"""How a controlled multiplier responds, and which gains are stable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from holdfast.solvers.offline.multipliers.crossings import gain_limits
from holdfast.solvers.offline.multipliers.stability import (
    RECTIFIED,
    Loop,
    eigenvalues,
    matrix,
)
from holdfast.solvers.sequences import Array

from ..report.pictures import styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UPDATES, _GRID = 120, 61
"""Updates of a response, a quarter of the points of one in continuous time; and points of the map
in each direction, of which each is a matrix: more take longer than a second."""
_HUGE = 1e100
"""A state that is kept this small does not overflow in the next step."""
_FLOOR = 1e-3
"""Of the largest real part, below which a response is shown for as long as it would take there."""


@styled()
def draw_loop(loop: Loop, path: str | Path) -> Path:
    """Two panels, into a file; ValueError if its suffix is that of no picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.4))
    left, right = figure.subplots(1, 2)
    _draw_response(left, loop)
    _draw_region(right, loop)
    return write(figure, path)


def _draw_response(axes: Axes, loop: Loop) -> None:
    """From a violation of 1, with the integral at rest."""
    M = np.array(matrix(loop), dtype=float)
    start = np.zeros(len(M))
    start[0] = 1.0
    if loop.step is None:
        from scipy.linalg import expm

        slowest = max(_FLOOR, float(np.abs(eigenvalues(loop)).min()))
        times = np.linspace(0, min(8 / slowest, 200.0), 4 * _UPDATES)
        step = expm(M * times[1])
    else:
        times, step = np.arange(float(_UPDATES)), M
    states = [start]
    for _ in times[1:]:
        states.append(np.clip(step @ states[-1], -_HUGE, _HUGE))
    bounded = np.clip(np.array(states)[:, 0], -1e6, 1e6)
    axes.plot(times, bounded, color="#0072b2", label="as decided: derivative of both signs")
    if loop.step is not None and RECTIFIED[loop.form] and loop.form != "omnisafe":
        axes.plot(times, _rectified(loop), color="#d55e00", linestyle="--",
                  label="with terms of one sign only")  # fmt: skip
    axes.axhline(0, color="black", linewidth=0.8)
    top = float(np.abs(bounded).max())
    if top > 20:
        axes.set_yscale("symlog", linthresh=1)
    axes.set_xlabel("time" if loop.step is None else "update")
    axes.set_ylabel("state of the plant, from 1")
    axes.legend(loc="upper right")


def _rectified(loop: Loop) -> list[float]:
    """The same loop, whose terms act where the form lets them."""
    a, b, eta = float(loop.curvature), float(loop.slope), float(loop.step)
    kp, ki, kd = map(float, (loop.proportional, loop.integral, loop.derivative))
    x, total, before = 1.0, 0.0, 0.0
    found = []
    for _ in range(_UPDATES):
        found.append(float(np.clip(x, -1e6, 1e6)))
        e = b * x
        total += e
        now = max(e, 0.0) if loop.form == "osrl" else e
        lam = kp * now + ki * total + kd * max(e - before, 0.0)
        x, before = float(np.clip(x - eta * (a * x + b * lam), -1e9, 1e9)), e
    return found


def _draw_region(axes: Axes, loop: Loop) -> None:
    """The largest modulus, or real part, by K_P and K_I; the line is the edge of stability."""
    fixed = replace(loop, form="stooke" if loop.form == "adaptive" else loop.form, largest=None)
    reach = []
    for name in ("proportional", "integral"):
        limits = gain_limits(fixed, name)
        now = float(getattr(loop, name))
        far = limits[1] if limits and np.isfinite(limits[1]) else 0.0
        reach.append(max(1.25 * far, 2 * now, 1.0))
    kp, ki = (np.linspace(0, end, _GRID) for end in reach)
    size = _sizes(fixed, kp, ki)
    edge = 0.0 if loop.step is None else 1.0
    spread = 1.0 if loop.step is not None else float(np.abs(size.min())) or 1.0
    shown = axes.contourf(kp, ki, size, levels=np.linspace(edge - spread, edge + spread, 21),
                          cmap="RdBu_r", extend="both")  # fmt: skip
    axes.contour(kp, ki, size, levels=[edge], colors="black")
    axes.figure.colorbar(
        shown, ax=axes, label="largest real part" if loop.step is None else "largest modulus"
    )
    axes.plot(float(loop.proportional), float(loop.integral), "o", color="black", ms=6,
              mfc="white", clip_on=False, label="the gains as given")  # fmt: skip
    axes.set_xlabel("K_P")
    axes.set_ylabel("K_I")
    axes.set_title("blue is stable")
    axes.legend(loc="upper right")


def _sizes(loop: Loop, kp: Array, ki: Array) -> Array:
    """Of each pair of gains [I, P]; a matrix of the loop is affine in both."""
    zero, with_p, with_i = (
        np.array(matrix(replace(loop, proportional=p, integral=i), watched=bool(loop.derivative)),
                 dtype=float)
        for p, i in ((0, 0), (1, 0), (0, 1))
    )  # fmt: skip
    M = zero + kp[None, :, None, None] * (with_p - zero) + ki[:, None, None, None] * (with_i - zero)
    found = np.linalg.eigvals(M)
    return np.asarray((found.real if loop.step is None else np.abs(found)).max(axis=-1))
