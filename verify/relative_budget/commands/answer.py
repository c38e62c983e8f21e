"""What ``holdfast budget`` finds out: estimates, what the theory then asks for, and a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import click
import numpy as np

from holdfast.solvers.relative_budget import class_logarithm
from holdfast.solvers.relative_budget.estimate.budgets import (
    REGIMES,
    Estimate,
    estimate_pooled,
    estimate_prompts,
    naive_relative_budget,
    regimes,
    restricted_mean,
    survival,
)
from holdfast.solvers.relative_budget.estimate.efficiency import Plan, Rewards, rewards, spend
from holdfast.solvers.relative_budget.estimate.fitting import Family
from holdfast.solvers.relative_budget.estimate.population import Population
from holdfast.solvers.relative_budget.estimate.rollouts import Rollouts, Wrong
from holdfast.solvers.relative_budget.estimate.survival import LEVEL, RestrictedMean, SurvivalCurve

from .logs import Log

NO_REGIME = "E T infinite"
"""Where a rollout ended on a wrong answer and counts as never solved: the theory says nothing."""
BEYOND = 4
"""How many caps long the longest horizon is that a plan considers: further out the fit is all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``budget`` says."""

    lengths: str
    horizon: int
    cap: int | None
    wrong: Wrong
    family: Family
    steps: int | None
    kappa: float
    class_size: int
    delta: float
    spend: int | None
    length_column: str | None
    solved_column: str | None
    solved_from: float | None
    prompt_column: str | None
    advances_column: str | None
    pool: bool
    tokenizer: str | None
    whole: bool
    json_path: str | None
    plot: str | None

    @property
    def log_class(self) -> float:
        """L = ``log(|R|/delta)``."""
        return class_logarithm(self.class_size, self.delta)


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is said. own: samples by the log's own rewards, where it holds them whole;
    others: the pooled estimate under the other two readings of a wrong end, where there is one."""

    rollouts: Rollouts
    prompts: Estimate
    pooled: Population
    curve: SurvivalCurve
    restricted: RestrictedMean | None
    naive: float
    rewards: Rewards
    own: tuple[float, str | None] | None
    plan: Plan
    others: Mapping[str, Population]
    notes: tuple[str, ...]

    def regime(self, prompt: int, horizon: int) -> str:
        """The regimes in which a prompt may be."""
        if self.prompts.unsolvable[prompt] > 0:
            return NO_REGIME
        low, high = self.prompts.low[prompt], self.prompts.high[prompt]
        return regimes(horizon / high, horizon / low)

    def shares(self, horizon: int) -> dict[str, float]:
        """Regime, by the estimate itself -> share of the prompts."""
        xi, never = self.prompts.relative_budgets(horizon)[0], self.prompts.unsolvable > 0
        edges = np.searchsorted(list(REGIMES.values()), xi)
        found = {name: float((~never & (edges == k)).mean()) for k, name in enumerate(REGIMES)}
        return found | {NO_REGIME: float(never.mean())}


def answer_of(options: Options, rollouts: Rollouts, notes: list[str]) -> Answer:
    """Raises click.BadParameter for a kappa with which no prompt can be improved."""
    how: dict[str, Any] = {"family": options.family, "steps": options.steps}
    pooled = estimate_pooled(rollouts, wrong=options.wrong, **how)
    prompts = estimate_prompts(rollouts, wrong=options.wrong, shared=pooled, **how)
    found = rewards(
        prompts.solvable, prompts.shape, prompts.unsolvable, np.array(float(options.horizon)),
        options.kappa, options.log_class,
    )  # fmt: skip
    _check_kappa(options, found)
    total = int(rollouts.lengths.sum())
    plan = spend(
        prompts.solvable, prompts.shape, prompts.unsolvable, options.spend or total, options.kappa,
        options.log_class, BEYOND * max(rollouts.cap, options.horizon),
    )  # fmt: skip
    readings: tuple[Wrong, ...] = ("infinite", "continues", "restarts")
    others: dict[str, Population] = {
        wrong: estimate_pooled(rollouts, wrong=wrong, **how)
        for wrong in readings
        if rollouts.ended.any() and wrong != options.wrong
    }
    return Answer(
        rollouts,
        prompts,
        pooled,
        survival(rollouts, options.wrong),
        restricted_mean(rollouts, options.wrong, min(options.horizon, rollouts.cap)),
        naive_relative_budget(rollouts, options.horizon),
        found,
        _own(options, rollouts),
        plan,
        others,
        tuple(notes),
    )


def _check_kappa(options: Options, found: Rewards) -> None:
    varied = found.deviation > 0
    if varied.any() and not (found.anti_concentration[varied] > 0).any():
        most = ((1 - found.mean[varied]) / found.deviation[varied]) ** 2
        raise click.BadParameter(
            f"--kappa {options.kappa:g} is so large that no rollout is sqrt(kappa) deviations "
            f"better than the mean, for any prompt (c is 0); it must be below {most.max():.4g}"
        )


def _own(options: Options, rollouts: Rollouts) -> tuple[float, str | None] | None:
    """By the rewards of the log as they are, no law, which are known up to the cap: samples, and
    why there is no number of them; ties with the threshold are decided in whole numbers."""
    unknown = options.horizon > rollouts.cap or options.wrong == "restarts"
    unknown |= options.wrong == "continues" and bool(rollouts.ended.any())
    inside = rollouts.solved & (rollouts.lengths <= options.horizon)
    if unknown or not inside.any():
        return None
    lengths, counts = np.unique(rollouts.lengths[inside], return_counts=True)
    pairs = [
        (options.horizon - t + 1, n) for t, n in zip(lengths.tolist(), counts.tolist(), strict=True)
    ]
    size = len(inside)
    total, square = (sum(n * reward**k for reward, n in pairs) for k in (1, 2))
    spread = size * square - total**2  # of size x reward, the variance
    if spread == 0:
        return math.inf, "all rewards agree"
    radius = Fraction(options.kappa)
    good = sum(
        n
        for reward, n in pairs
        if size * reward >= total and (size * reward - total) ** 2 >= radius * spread
    )
    if not good:
        most = (size * pairs[0][0] - total) ** 2 / spread
        return math.inf, f"kappa is too large, it must be at most {most:.4g}"
    sigma = math.sqrt(spread) / size
    needed = 2 * options.horizon * options.log_class * size / (math.sqrt(radius) * good * sigma)
    return needed, None


def document(options: Options, log: Log, answer: Answer) -> dict[str, Any]:
    """The answer as JSON; infinite numbers become null, which the reasons beside them explain."""
    xi, low, high = answer.prompts.relative_budgets(options.horizon)
    sizes = np.bincount(answer.rollouts.prompts)
    solved = np.bincount(answer.rollouts.prompts, answer.rollouts.solved)
    own = answer.own
    return {
        "log": options.lengths,
        "columns": log.names,
        "horizon": options.horizon,
        "cap": answer.rollouts.cap,
        "wrong": options.wrong,
        "family": options.family if options.steps is None else "negative-binomial",
        "shape": answer.prompts.shape,
        "shapes": [float(answer.pooled.shapes.min()), float(answer.pooled.shapes.max())],
        "kappa": options.kappa,
        "class_size": options.class_size,
        "delta": options.delta,
        "level": LEVEL,
        "rollouts": len(answer.rollouts.lengths),
        "solved": int(answer.rollouts.solved.sum()),
        "ended_wrong": int(answer.rollouts.ended.sum()),
        "pooled": pooled_of(answer.pooled, options.horizon),
        "other_readings": {k: pooled_of(v, options.horizon) for k, v in answer.others.items()},
        "restricted_mean": None
        if answer.restricted is None
        else dict(zip(("value", "low", "high", "whole"), answer.restricted, strict=True)),
        "naive": answer.naive,
        "regimes": answer.shares(options.horizon),
        "samples_by_the_log": None if own is None else {"samples": own[0], "why": own[1]},
        "plan": {
            "tokens": options.spend or int(answer.rollouts.lengths.sum()),
            "horizon": answer.plan.horizon if answer.plan.share > 0 else None,
            "share_of_prompts": answer.plan.share,
            "improvement": answer.plan.gain,
            "cheapest_tokens": answer.plan.cheapest[0],
            "cheapest_horizon": answer.plan.cheapest[1],
        },
        "prompts": {
            "prompt": answer.rollouts.names,
            "rollouts": sizes,
            "solved": solved.astype(int),
            "relative_budget": xi,
            "low": low,
            "high": high,
            "regime": [answer.regime(k, options.horizon) for k in range(len(sizes))],
            "samples": answer.rewards.samples,
        },
    }


def pooled_of(found: Population, horizon: int) -> dict[str, Any]:
    """xi with its interval, and the mean of T."""
    ends = sorted((horizon / found.low, horizon / found.high))
    return {
        "relative_budget": horizon / found.mean,
        "low": ends[0],
        "high": ends[1],
        "regime": NO_REGIME if math.isinf(found.mean) else regimes(*ends),
        "mean_tokens": None if math.isinf(found.mean) else found.mean,
        "spread_of_prompts": found.log_deviation,
    }
