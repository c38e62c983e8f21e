"""What ``holdfast train`` says of a training: what updates gained, beside what was expected."""

from __future__ import annotations

from typing import Any

from holdfast.solvers.neural.relative_budget.efficiency import (
    Bin,
    Gap,
    Point,
    binned,
    budget_of,
    efficiency,
)


def judge(run: Any, episodes: int | None = None) -> list[dict[str, str]]:
    """Heading -> number: a row of a lock, of several locks one each, of a language model a row for
    each range of budgets.  Gains are in percent of H, UN-normalised otherwise; episodes are not
    used, since all is exact or was seen in training."""
    del episodes
    found = run.result()
    if run.training.algorithm == "relative_budget/arithmetic":
        return [_asked(found), *(_bin(one) for one in binned([found]))]
    if len(found.options.chances) == 1:
        return [_point(efficiency([found]))]
    return _several(found)


def shown(gap: Gap, digits: int = 3) -> str:
    """The mean with its interval."""
    return f"{gap.mean:.{digits}f} ({gap.low:.{digits}f} to {gap.high:.{digits}f})"


def _point(one: Point) -> dict[str, str]:
    return {
        "xi": f"{one.budget:.3f}", "xi at last": f"{one.last:.3f}",
        "expected gain, % of H": f"{one.expected:.3f}", "gain": shown(one.gain),
        "equal groups": f"{one.equal:.3f}", "expected": f"{one.expected_equal:.3f}",
        "xi by tokens a step": f"{one.estimate:.3f}",
        "xi by solved rollouts": "none" if one.naive is None else f"{one.naive:.3f}",
        "as expected": "yes" if not one.contradicted else f"no: {', '.join(one.contradicted)}",
    }  # fmt: skip


def _several(found: Any) -> list[dict[str, str]]:
    horizon, tokens = found.options.horizon, found.column("tokens").sum()
    rows = []
    for lock in range(len(found.options.chances)):
        policies = found.policies(lock)
        first, last = (budget_of(policies[k], horizon) for k in (0, -1))
        rows.append({"lock": str(lock), "xi": f"{first:.3f}", "xi at last": f"{last:.3f}"})
    gained = 100 * found.column("gain").sum() / horizon
    return [*rows, {"lock": "all", "tokens": f"{tokens:.0f}", "gain, % of H": f"{gained:.3f}"}]


def _asked(found: Any) -> dict[str, str]:
    first, final, attempts = found.first, found.final, found.options.group
    right, wanted = found.column("right").sum(), attempts * found.column("chance").sum()
    return {
        "xi": "all", "updates": str(len(found.lines)),
        "chance of a right attempt": f"{first.mean():.3f} to {final.mean():.3f}",
        "range at first": f"{first.min():.3f} to {first.max():.3f}",
        "right attempts": f"{right:.0f} of {attempts * len(found.lines)}, {wanted:.1f} expected",
    }  # fmt: skip


def _bin(one: Bin) -> dict[str, str]:
    return {
        "xi": f"{one.low:g} to {one.high:g}", "updates": str(one.updates),
        "gain an update, % of H": shown(one.gain, 2), "equal groups": f"{one.equal:.2f}",
    }  # fmt: skip
