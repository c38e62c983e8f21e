"""What an update gains against the relative budget, measured and expected; and what tokens buy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest
from scipy.stats import t as student

from ...errors import ModelError
from ...sequences import Array

if TYPE_CHECKING:
    from .arithmetic import ArithmeticRun
    from .lock import LockRun

_SURE = 0.999
"""Confidence at which a measurement is said to contradict its expectation: a table of a dozen rows
is then wrongly accused once in eighty."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The mean of a measured number less what it was expected to be, with Student's interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Array, confidence: float = 0.95) -> Gap:
        """Of independent values, or of differences whose conditional mean is 0."""
        mean, spread = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
        half = float(student.ppf((1 + confidence) / 2, len(values) - 1)) * spread
        return cls(mean, mean - half, mean + half)


@dataclass(frozen=True, slots=True)
class Point:
    """Updates of runs that began at one budget; gains in percent of the horizon, a mean an update.

    budget, last: xi of the policies at first and at last; expected: gain of J by the expected
    update; gain: what J gained, exactly; slope, expected_slope: of J along the update that was
    made, and along the expected one: their difference has mean 0 at every update;
    equal, expected_equal: share of groups that teach nothing; estimate: xi from tokens over steps
    opened; naive: H over the mean length of solved rollouts, None where nothing was solved;
    contradicted: what is not as expected at 99.9 %, by the interval of a difference or, of groups,
    by a binomial test.
    """

    budget: float
    last: float
    updates: int
    expected: float
    gain: Gap
    slope: Gap
    expected_slope: float
    equal: float
    expected_equal: float
    estimate: float
    naive: float | None
    contradicted: tuple[str, ...]


def budget_of(chances: Sequence[float], horizon: int) -> float:
    """xi = H/E T, of independent steps."""
    return horizon / sum(1 / p for p in chances)


def efficiency(runs: Sequence[LockRun]) -> Point:
    """The point of runs that differ in their seeds alone, of one lock.

    Raises ModelError if there are several locks in a run, whose budgets differ.
    """
    options = runs[0].options
    if len(options.chances) > 1:
        raise ModelError(
            f"budgets = {options.budgets!r} are several; a point is of runs with one lock"
        )
    policies = [run.policies() for run in runs]
    column = {name: np.concatenate([run.column(name) for run in runs]) for name in runs[0].lines[0]}
    scale = 100 / options.horizon
    off = {
        "the gain of an update": column["slope"] - column["expected_slope"],
        "the mean reward": column["reward"] - column["mean_reward"],
    }
    wrong = tuple(name for name, one in off.items() if _excludes_zero(one))
    equal, expected_equal = (float(column[name].mean()) for name in ("equal", "expected_equal"))
    groups = round(column["rollouts"].sum() / options.group)
    if binomtest(round(equal * groups), groups, expected_equal).pvalue < 1 - _SURE:
        wrong += ("the share of groups that teach nothing",)
    solved = column["solved"].sum()
    moved = options.horizon * column["opened 0"].sum() / column["spent 0"].sum() / options.steps
    return Point(
        budget=float(np.mean([budget_of(each[0], options.horizon) for each in policies])),
        last=float(np.mean([budget_of(each[-1], options.horizon) for each in policies])),
        updates=len(column["gain"]), expected=scale * float(column["expected_gain"].mean()),
        gain=_spread(scale * column["gain"], scale * column["expected_gain"]),
        slope=_spread(scale * column["slope"], scale * column["expected_slope"]),
        expected_slope=scale * float(column["expected_slope"].mean()),
        equal=equal, expected_equal=expected_equal,
        estimate=float(moved),
        naive=options.horizon * solved / column["solved_tokens"].sum() if solved else None,
        contradicted=wrong,
    )  # fmt: skip


def _spread(measured: Array, expected: Array) -> Gap:
    """The mean with the interval of its difference from what was expected, which does not drift."""
    off, mean = Gap.of(measured - expected), float(expected.mean())
    return Gap(float(measured.mean()), mean + off.low, mean + off.high)


def _excludes_zero(values: Array) -> bool:
    if not np.ptp(values):
        return bool(values[0])
    found = Gap.of(values, _SURE)
    return not found.low <= 0 <= found.high


@dataclass(frozen=True, slots=True)
class Bought:
    """J at the fixed horizon, un-normalised, mean over locks: what equal tokens buy.

    tokens: that both runs have spent; controlled, fixed: gains of J since the base policy.
    """

    tokens: float
    controlled: float
    fixed: float


def bought(controlled: LockRun, fixed: LockRun) -> Bought:
    """Both runs at the tokens that the one with fewer has spent, interpolated between updates."""
    spent = [np.concatenate([[0.0], run.column("tokens").cumsum()]) for run in (controlled, fixed)]
    gained = [np.concatenate([[0.0], run.column("gain").cumsum()]) for run in (controlled, fixed)]
    tokens = min(float(one[-1]) for one in spent)
    first, second = (float(np.interp(tokens, *pair)) for pair in zip(spent, gained, strict=True))
    return Bought(tokens, first, second)


@dataclass(frozen=True, slots=True)
class Bin:
    """Updates of a language model whose budget lay between two ends.

    gain: of the expected reward of the question asked, in percent of H; equal: share of groups that
    teach nothing.
    """

    low: float
    high: float
    updates: int
    gain: Gap
    equal: float


def binned(
    runs: Sequence[ArithmeticRun], ends: Sequence[float] = (0, 0.5, 1, 1.5, 2, 3)
) -> list[Bin]:
    """Updates by the budget that they met; bins of fewer than two are left out."""
    xi, gain, equal = (
        np.concatenate([run.column(name) for run in runs]) for name in ("xi", "gain", "equal")
    )
    found = []
    for low, high in zip(ends, [*ends[1:], math.inf], strict=True):
        inside = (xi >= low) & (xi < high)
        if inside.sum() >= 2:
            scaled = 100 * gain[inside] / runs[0].options.tokens
            share = float(equal[inside].mean())
            found.append(Bin(low, high, int(inside.sum()), Gap.of(scaled), share))
    return found
