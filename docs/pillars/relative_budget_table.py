"""Tables of the pillar on relative budgets, beside what a prototype in floating point had found.

``make relative-budget`` prints them: the best budget of each criterion, the growth of the budget
with the samples that it takes, and the gain of one update of a group toy against the budget.
"""

from collections.abc import Iterator

from holdfast.solvers.relative_budget import argmax_table, growth_table, toy_curve
from holdfast.solvers.relative_budget.criteria import SHAPES
from holdfast.solvers.relative_budget.group_toy import ToyPoint

BEST = {
    ("samples of one step", "1/100"): "1.75 1.72 1.66 1.58 1.47",
    ("samples of one step", "1/10"): "1.66 1.65 1.61 1.54 1.44",
    ("samples of one step", "1/4"): "1.54 1.56 1.54 1.49 1.40",
    ("samples of one step", "1/2"): "1.34 1.43 1.43 1.41 1.35",
    ("samples of one step", "9/10"): "1.07 1.23 1.27 1.28 1.26",
    ("improvement per sample", "1/100"): "1.50 1.56 1.55 1.50 1.42",
    ("normalised advantage", "None"): "2.25 1.93 1.79 1.65 1.50",
    ("plain gradient", "None"): "1.79 1.69 1.63 1.55 1.44",
}
"""Criterion and kappa -> best budgets for K = 1, 2, 3, 5, 10, as found before."""
DEFICIT = {(1, 0.3): 0.87, (1, 1.0): 0.82, (1, 2.0): 0.46,
           (5, 0.3): 0.58, (5, 1.0): 0.25, (5, 2.0): 0.02}  # fmt: skip
"""K and xi_base -> C_400, as found before."""
PEAKS = {1: "1.15 at 1.75 to 2", 2: "2.13 at 2", 4: "3.71 at 1.5"}
"""K -> largest gain in percent of the horizon, and where, simulated with 60 updates."""


def best_budgets() -> Iterator[str]:
    """Criterion and kappa, best budgets (a star: in [1.5, 2]), and those found before."""
    cells: dict[tuple[str, str], list[str]] = {}
    for row in argmax_table():
        shown = f"{float(row.budget):.3f}{'*' if row.inside else ' '}"
        cells.setdefault((row.criterion, str(row.kappa)), []).append(shown)
    yield f"{'best budget of':<24}{'kappa':<8}" + "".join(f"K={k:<7}" for k in SHAPES) + "before"
    for (criterion, kappa), found in cells.items():
        before = BEST.get((criterion, kappa), "")
        yield f"{criterion:<24}{kappa:<8}" + "".join(f"{x:<9}" for x in found) + before


def growth() -> Iterator[str]:
    """400 steps of the schedule."""
    yield "K    xi_base  xi_400   i/(2K)  C_400 (before)  n/(2 L K xi^2), least and largest"
    for row in growth_table():
        before = DEFICIT.get((int(row.shape), row.start), "")
        yield (
            f"{row.shape:<5g}{row.start:<9g}{row.end:<9.2f}{row.slope:<8g}"
            f"{row.deficit:.2f} {f'({before})' if before else '':<11}"
            f"{row.least:.2f} {row.largest:.2f}"
        )


def toy() -> Iterator[str]:
    """The exact gain and the simulated one at the best budget and at both ends."""
    yield "K  dense  exact gain at .2, at its peak, at 10; simulated there           before"
    for steps, before in PEAKS.items():
        for binary in (False, True):
            points = toy_curve(steps, binary=binary)
            peak = max(points, key=lambda point: point.exact)
            gains = " ".join(f"{one.exact:.3f}" for one in (points[0], peak, points[-1]))
            yield (
                f"{steps:<3}{'no' if binary else 'yes':<7}{gains}  {_simulated(peak):<40}"
                f"{'' if binary else before}"
            )


def _simulated(peak: ToyPoint) -> str:
    return f"at {peak.budget:g}: {peak.simulated:.3f} +- {peak.standard_error:.3f}"


if __name__ == "__main__":
    for table in (best_budgets, growth, toy):
        print("\n".join(table()), end="\n\n")
