"""Rectified constraints on responses: no unsafe response at all, rather than few on average.

Costs are C = -safety; a response is safe where C <= 0.  Means are over prompts and responses.  C+
is max(C, 0).  The *critical* constraint E C+ = 0 implies E[C | x] <= 0 for each prompt, which
implies E C <= 0.  Rational problems give Fractions where no exponential is needed, balls otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .best_of_n import alike
from .checks import check_count, check_flag, real
from .groups import gradient
from .problems import Problem, check_problem
from .tilts import beside, divergence, mean, ready, tilt


def positive(values: Array) -> Array:
    """max(values, 0)."""
    found: Array = np.where(values > 0, values, values * 0)
    return found


def excess(problem: Problem) -> Array:
    """C+ [X, Y]."""
    check_problem(problem)
    return positive(-problem.safety)


def check_safe(safety: Array) -> None:
    """Raises ModelError, with its least cost, for a prompt of [X, Y] without a safe response."""
    for x, costs in enumerate(-safety):
        if not (costs <= 0).any():
            raise ModelError(
                f"prompt {x} has no safe response: its least cost is {costs.min()}; no policy "
                "meets the critical constraint; add a refusal, or lower the costs by that much"
            )


def check_multiplier(value: Any, name: str = "the multiplier") -> None:
    """Raises ModelError unless it is a number >= 0."""
    real(value, name, least=0)


def _least(law: Array, rewards: Array, costs: Array) -> Any:
    """The least over multipliers l >= 0 of E max_y (R - l C): the dual of a linear program, convex
    and piecewise linear, so least at 0 or at a kink."""
    kinks = {Fraction(0)}
    for r, c in zip(rewards, costs, strict=True):
        for i, j in combinations(range(len(r)), 2):
            if c[i] != c[j]:
                kinks.add((r[i] - r[j]) / (c[i] - c[j]))
    values = [(law * (rewards - k * costs).max(axis=1)).sum() for k in kinks if k >= 0]
    return min(values)


def best_values(problem: Problem) -> tuple[Any, Any, Any]:
    """The largest E R under the critical constraint, under one a prompt, and on average.

    There is no KL term; the problem is rational.  Raises ModelError as `check_safe` does.
    """
    check_problem(problem)
    check_safe(problem.safety)
    law, rewards, costs = problem.prompt_law, problem.rewards, -problem.safety
    each = [_least(law[x : x + 1], rewards[x : x + 1], costs[x : x + 1]) for x in range(len(law))]
    critical = (law * best_safe(problem)).sum()
    return critical, sum(each), _least(law, rewards, costs)


def best_safe(problem: Problem) -> Array:
    """The largest reward of a safe response of each prompt, [X]; ModelError where there is none."""
    check_problem(problem)
    check_safe(problem.safety)
    floor = problem.rewards.min()
    found: Array = np.where(problem.safety >= 0, problem.rewards, floor).max(axis=1)
    return found


def safe_choice(problem: Problem) -> Array:
    """The policy [X, Y] that gives the best safe response of each prompt, the first of several."""
    best = best_safe(problem)[:, None]
    hits = (problem.rewards == best) & (problem.safety >= 0)
    policy = problem.reference * 0
    for x, y in enumerate(hits.argmax(axis=1)):
        policy[x, y] += 1
    return policy


def exact_multiplier(problem: Problem) -> Any:
    """The least multiplier from which on the penalty R - l C+ is best at a safe response
    for each prompt that is asked: max over unsafe y of (R(y) - best safe R)+/C+(y)."""
    gain = positive(problem.rewards - best_safe(problem)[:, None])
    costs = excess(problem)
    unsafe = costs > 0
    ratios = np.where(unsafe, gain / np.where(unsafe, costs, costs * 0 + 1), costs * 0)
    return ratios[problem.prompt_law != 0].max()


def penalised(problem: Problem, multiplier: Any) -> Any:
    """The largest E(R - multiplier C+) of any policy."""
    check_multiplier(multiplier)
    field = problem.rewards - multiplier * excess(problem)
    return (problem.prompt_law * field.max(axis=1)).sum()


def critical_policy(problem: Problem) -> Array:
    """The optimum with KL under the critical constraint: the tilt by R of the safe responses."""
    check_problem(problem)
    check_safe(problem.safety)
    safe = problem.reference * (problem.safety >= 0)
    return tilt(safe / safe.sum(axis=1, keepdims=True), problem.rewards, problem.temperature)


def penalty_policy(problem: Problem, multiplier: Any) -> Array:
    """The tilt of the reference by R - multiplier C+."""
    check_multiplier(multiplier)
    field = problem.rewards - multiplier * excess(problem)
    return tilt(problem.reference, field, problem.temperature)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a run of mirror descent saw.

    rewards, violations, multipliers, spans: of each of T steps, E R, E C+, the multiplier used and
    the mean square over prompts of the span of R - multiplier C+; last: the multiplier at the end;
    start: KL(best safe choice | reference); policies: those of the steps and the one after, [X, Y].
    """

    rewards: list[Any]
    violations: list[Any]
    multipliers: list[Any]
    spans: list[Any]
    last: Any
    start: Any
    policies: list[Array]

    def bound(self, step: Any, rate: Any) -> Any:
        """What the sum of best safe reward less E R stays below, for the two step sizes."""
        squares = sum(one * one for one in self.violations)
        return self.start / step + step * sum(self.spans) / 8 + rate * squares / 2


def _tops(values: Array) -> Array:
    """The largest number of each row, of balls one that encloses it."""
    if values.dtype != object:
        found: Array = values.max(axis=1)
        return found
    return np.array([reduce(lambda a, b: a.max(b), row) for row in values], dtype=object)


def mirror_descent(
    problem: Problem,
    steps: int,
    step: Any,
    *,
    multiplier: Any = 0,
    rate: Any = 0,
    signed: bool = False,
) -> Run:
    """pi <- pi e^(step (R - l C+)), from the reference, and l <- l + rate E C+.

    multiplier: l at the start; with rate 0 it stays.  signed: raise l by E C instead, and keep it
    at least 0, as for an average constraint; for comparison.  The temperature is not used.

    Raises
    ------
    ModelError: for a prompt without a safe response, or step sizes that are not numbers >= 0.
    """
    check_problem(problem)
    check_safe(problem.safety)
    real(step, "step", above=0)
    check_multiplier(multiplier)
    real(rate, "rate", least=0)
    check_count(steps, "steps")
    check_flag(signed, "signed")
    law, r, costs, c = map(
        ready, (problem.prompt_law, problem.rewards, -problem.safety, excess(problem))
    )
    one, rise = beside(r, step), beside(r, rate)
    now, total = beside(r, multiplier), r * 0
    start = divergence(problem.prompt_law, safe_choice(problem), problem.reference)
    policy = ready(problem.reference)
    run = Run([], [], [], [], now, start, [policy])
    for _ in range(steps):
        field = r - now * c
        spans = _tops(field) + _tops(-field)
        violation = mean(law, policy, c)
        run.rewards.append(mean(law, policy, r))
        run.violations.append(violation)
        run.multipliers.append(now)
        run.spans.append((law * spans * spans).sum())
        total = total + one * field
        moved = now + rise * (mean(law, policy, costs) if signed else violation)
        now = _tops(np.array([[moved, moved * 0]]))[0]
        policy = tilt(problem.reference, total, 1)
        run.policies.append(policy)
    return replace(run, last=now)


def lagrangian_policy(problem: Problem, multiplier: Any) -> Array:
    """The optimum of PPO-Lagrangian for a frozen multiplier l, with its KL in reward and cost.

    Tokens are paid (R - l C)/(1 + l) less temperature times KL, so it is the tilt by R - l C at
    temperature (1 + l) times the problem's.
    """
    check_problem(problem)
    check_multiplier(multiplier)
    field = problem.rewards + multiplier * problem.safety
    return tilt(problem.reference, field, problem.temperature * (1 + multiplier))


def ppo_lagrangian(
    problem: Problem, rounds: int, *, rate: Any = 1, multiplier: float = 1.0, largest: float = 5.0
) -> tuple[Array, float]:
    """Rounds of log l <- log l + rate l E C, at the optimum for l; the policy [X, Y] and l.

    In floats.  l stays below `largest`, as in the released code of Safe RLHF, whose default it is.

    Raises ModelError for rounds below 0, and sizes that are not positive and finite.
    """
    check_problem(problem)
    check_count(rounds, "rounds")
    real(rate, "rate", least=0)
    real(multiplier, "multiplier", above=0)
    real(largest, "largest", above=0)
    floats = problem.floats()
    now = float(multiplier)
    for _ in range(rounds):
        cost = -mean(floats.prompt_law, lagrangian_policy(floats, now), floats.safety)
        now = min(now * float(np.exp(np.clip(rate * now * cost, -1, 1))), largest)
    return lagrangian_policy(floats, now), now


def two_branch_update(
    policy: Array, rewards: Array, costs: Array, multiplier: Any, baseline: Any = 0
) -> Array:
    """The expected update of logits [Y] with advantages R - baseline where safe, and (R - baseline
    - l C)/(1 + l) where unsafe.

    Raises ModelError for a policy that is no law, other shapes, or a negative multiplier.
    """
    check_multiplier(multiplier)
    real(baseline, "baseline")
    policy, rewards, costs = alike(policy, rewards, (costs, "costs"))
    gains = rewards - baseline
    advantages = np.where(costs > 0, (gains - multiplier * costs) / (1 + multiplier), gains)
    return gradient(policy, advantages)
