"""Relative budgets xi = H/E T of each prompt and of all rollouts together, with intervals.

What T is where generation has ended on a wrong answer is the reader's to say (`Wrong`), for no log
can: *infinite*, so that E T is infinite and xi is 0 for every prompt where that has happened;
*continues*, so that such a rollout was merely cut early, which assumes that those that end wrong
would have gone on as the others did; *restarts*, T being the tokens of all attempts until one is
solved, of mean tokens/solves by Wald's identity.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t

from ...errors import ModelError
from ...sequences import Array
from ...target_returns.gaussian.checks import count, failure_probability, positive
from . import fitting
from .fitting import Family
from .laws import Counts, Law, counts_of
from .population import Population, fit_population
from .rollouts import WRONG, Rollouts, Wrong
from .survival import LEVEL, RestrictedMean, SurvivalCurve, kaplan_meier, mean_to_horizon

REGIMES = {"deficient": 0.5, "balanced": 5.0, "ample": math.inf}
"""Regime -> the relative budget up to which it reaches.  The theory names the regimes by their
rates and draws no line; learning was reported to be clearly worse below 1/2 and above 5."""
_NAMES, _EDGES = tuple(REGIMES), tuple(REGIMES.values())
ENOUGH = 2000
"""Prompts from which shape and population are estimated: to a few percent, in some seconds."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Means of T in tokens, of P prompts or of one law, with the ends of their intervals.

    mean, low, high: float64[P], infinity where nothing bounds them; shape: of the law, common to
    all; solvable: float64[P], E T of those that are solved sooner or later; unsolvable: float64[P],
    the share that never is, as it ended on a wrong answer and T is infinite there.
    """

    mean: Array
    low: Array
    high: Array
    shape: float
    solvable: Array
    unsolvable: Array

    def relative_budgets(self, horizon: float) -> tuple[Array, Array, Array]:
        """xi (P), least and greatest value of its interval."""
        positive(horizon, "the horizon")
        return horizon / self.mean, horizon / self.high, horizon / self.low


def naive_relative_budget(rollouts: Rollouts, horizon: int) -> float:
    """H over the mean length of the rollouts solved within H, which is 1 or more whatever is true.

    It stands beside the estimates as a warning; NaN where nothing is solved within H.
    """
    positive(horizon, "the horizon")
    lengths = rollouts.lengths[rollouts.solved & (rollouts.lengths <= horizon)]
    return float(horizon / lengths.mean()) if len(lengths) else math.nan


def regimes(low: float, high: float) -> str:
    """The regimes in which a relative budget from `low` to `high` may lie."""
    first, last = (bisect_left(_EDGES, x) for x in (low, high))
    return " or ".join(_NAMES[first : last + 1])


def _check(wrong: str, level: float, family: str = "gamma", steps: int | None = None) -> None:
    """Raises ModelError for a reading, a law or a level that there is not."""
    known = (("wrong", wrong, WRONG), ("family", family, fitting.FAMILIES))
    for name, value, words in known:
        if value not in words:
            raise ModelError(f"{name} is {value!r}; give one of {', '.join(words)}")
    failure_probability(level, "level")
    if steps is not None:
        count(steps, "steps")


def survival(rollouts: Rollouts, wrong: Wrong, level: float = LEVEL) -> SurvivalCurve:
    """The curve of one attempt; where T is infinite after a wrong end, that is never solved."""
    _check(wrong, level)
    return kaplan_meier(_lengths(rollouts, wrong), rollouts.solved, level)


def _lengths(rollouts: Rollouts, wrong: Wrong) -> Array:
    if wrong == "continues":
        return rollouts.lengths
    return np.where(rollouts.ended, rollouts.cap, rollouts.lengths)


def restricted_mean(
    rollouts: Rollouts, wrong: Wrong, horizon: int, level: float = LEVEL
) -> RestrictedMean | None:
    """E min(T, horizon) of a prompt drawn at random without any law, with an interval.

    horizon: at most the cap.  None where T is of many attempts.
    """
    _check(wrong, level)
    positive(horizon, "the horizon")
    if wrong == "restarts":
        return None
    lengths = _lengths(rollouts, wrong)
    return mean_to_horizon(lengths, rollouts.solved, rollouts.prompts, horizon, level)


def estimate_prompts(
    rollouts: Rollouts,
    family: Family = "gamma",
    wrong: Wrong = "infinite",
    *,
    steps: int | None = None,
    level: float = LEVEL,
    shared: Population | None = None,
) -> Estimate:
    """Each prompt's own mean, P of them, of laws of the same shape.

    steps: K of a chain whose advances are logged; shared: what `estimate_pooled` has found, so that
    it is not sought again.  The shape is maximised out: of several prompts over those shapes that
    the rollouts of all leave possible; of more than a few thousand the likeliest is taken as known.
    """
    _check(wrong, level, family, steps)
    if wrong == "restarts":
        return _restarting(rollouts, level)
    if steps is not None:
        law, counts = _chain_counts(rollouts, steps, wrong)
        return _with_wrong(_of_rates(law, counts, fitting.room(level)), law.shape, rollouts, wrong)
    counts = _counts(rollouts, wrong)
    if len(rollouts.names) == 1:
        shape = fitting.own_shape(family, counts)
        ends = fitting.profile_interval(family, counts, shape, level)
        return _with_wrong([np.array([end]) for end in ends], shape, rollouts, wrong)
    found = shared or estimate_pooled(rollouts, family, wrong, level=level)
    few = len(rollouts.names) <= ENOUGH  # of more the shape is known well, and each takes seconds
    spare = float(counts.rollouts.sum()) - len(rollouts.names)
    known = family == "geometric" or not few
    fall = fitting.room(level) if known else fitting.room(level, max(spare, 1), spare)
    mean, low, high = _of_rates(fitting.law_of(family, found.shape), counts, fall)
    others = zip(found.shapes.tolist(), found.drops.tolist(), strict=True) if few else ()
    for shape, less in others:
        _, least, most = _of_rates(fitting.law_of(family, shape), counts, fall - less)
        low, high = np.minimum(low, least), np.maximum(high, most)
    return _with_wrong([mean, low, high], found.shape, rollouts, wrong)


def estimate_pooled(
    rollouts: Rollouts,
    family: Family = "gamma",
    wrong: Wrong = "infinite",
    *,
    steps: int | None = None,
    level: float = LEVEL,
) -> Population:
    """E T of a rollout of a prompt drawn at random, as if the log's were drawn from many.

    Of a single prompt it is that prompt's.  Of several, log means of prompts are taken as normal,
    and a few thousand prompts as telling enough; the interval does not allow for what the law of a
    prompt has wrong beyond the cap.
    """
    _check(wrong, level, family, steps)
    if wrong == "restarts" or len(rollouts.names) == 1:
        one = (
            _restarting_pooled(rollouts, level)
            if wrong == "restarts"
            else estimate_prompts(rollouts, family, wrong, steps=steps, level=level)
        )
        mean, low, high = (float(x[0]) for x in (one.mean, one.low, one.high))
        shape = np.array([one.shape])
        return Population(
            math.log(one.solvable[0]), 0.0, mean, low, high, one.shape, shape, np.zeros(1)
        )
    some = _spread(rollouts)
    if steps is None:
        found = fit_population(family, _counts(some, wrong), level)
    else:
        counts = _chain_counts(some, steps, wrong)[1]
        found = fit_population("negative-binomial", counts, level, steps)
    never = wrong == "infinite" and rollouts.ended.any()
    return replace(found, mean=math.inf, low=math.inf, high=math.inf) if never else found


def _counts(rollouts: Rollouts, wrong: Wrong) -> Counts:
    """Where T is infinite after a wrong end, the law is that of the others."""
    keep = ~rollouts.ended if wrong == "infinite" else np.ones(len(rollouts.lengths), bool)
    lengths, solved = rollouts.lengths[keep], rollouts.solved[keep]
    return counts_of(lengths, solved, rollouts.prompts[keep], len(rollouts.names))


def _spread(rollouts: Rollouts) -> Rollouts:
    """The rollouts of `ENOUGH` prompts, evenly spread over all."""
    size = len(rollouts.names)
    wanted = np.zeros(size, bool)
    wanted[np.unique(np.linspace(0, size - 1, ENOUGH).astype(int))] = True
    return rollouts.chosen(wanted[rollouts.prompts])


def _of_rates(law: Law, counts: Counts, fall: float) -> list[Array]:
    """Means of the prompts (P), their least and their greatest."""
    best = fitting.rates(law, counts)
    slowest, fastest = fitting.intervals(law, counts, best, fall)
    with np.errstate(divide="ignore"):
        return [law.shape / law.rate(theta) for theta in (best, fastest, slowest)]


def _chain_counts(rollouts: Rollouts, steps: int, wrong: Wrong) -> tuple[Law, Counts]:
    """K tokens/advances: every token tells of the rate, whether its rollout is solved or not."""
    if rollouts.advances is None:
        raise ModelError("the log has no column of advances; without one, leave out --steps")
    made, tokens = (
        np.bincount(rollouts.prompts, x, len(rollouts.names))
        for x in (rollouts.advances, rollouts.lengths)
    )
    other = rollouts.solved != (rollouts.advances == steps)
    if other.any():
        row = int(np.flatnonzero(other)[0])
        what = "solved" if rollouts.solved[row] else "not solved"
        raise ModelError(
            f"rollout {row + 1} is {what} after {rollouts.advances[row]:g} advances, and a "
            f"chain of {steps} steps is solved by {steps}; correct --steps or the log"
        )
    counts = fitting.with_advances(_counts(rollouts, wrong), made, tokens, steps)
    return fitting.law_of("negative-binomial", steps), counts


def _with_wrong(ends: list[Array], shape: float, rollouts: Rollouts, wrong: Wrong) -> Estimate:
    sizes = np.bincount(rollouts.prompts)
    share = np.bincount(rollouts.prompts, rollouts.ended, len(sizes)) / sizes
    share = share if wrong == "infinite" else np.zeros(len(sizes))
    mean, low, high = (np.where(share > 0, np.inf, np.maximum(end, 1)) for end in ends)
    return Estimate(mean, low, high, shape, ends[0], share)


def _restarting(rollouts: Rollouts, level: float) -> Estimate:
    """Of each prompt, an attempt that was cut counting as begun anew."""
    lengths, solved = rollouts.lengths, rollouts.solved
    return _ratio(lengths, solved, rollouts.prompts, len(rollouts.names), level)


def _restarting_pooled(rollouts: Rollouts, level: float) -> Estimate:
    """Of all, prompts being what was drawn where there are several."""
    size = len(rollouts.names)
    if size == 1:
        return _restarting(rollouts, level)
    columns = (rollouts.lengths, rollouts.solved)
    tokens, solves = (np.bincount(rollouts.prompts, column, size) for column in columns)
    return _ratio(tokens, solves, np.zeros(size, np.int64), 1, level)


def _ratio(tokens: Array, solves: Array, groups: Array, size: int, level: float) -> Estimate:
    """Tokens/solves of each group of draws, with the interval of a ratio on a logarithmic scale.

    As a law, T is exponential: of many attempts.
    """
    many, total, solved = (
        np.bincount(groups, x, size) for x in (np.ones_like(tokens, float), tokens, solves)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(solved > 0, total / solved, np.inf)
        ratio = np.where(solved > 0, mean, 0.0)[groups]
        rest = np.bincount(groups, (tokens - ratio * solves) ** 2, size)
        deviation = np.sqrt(rest * many / (many - 1)) / total
        factor = np.exp(t.ppf((1 + level) / 2, many - 1) * deviation)
        most = 1 - (1 - level) ** (1 / many)  # of solving, where none is solved
        low = np.where(solved > 0, mean / factor, total / many / most)
        high = np.where(solved > 0, mean * factor, np.inf)
    return Estimate(mean, low, high, 1.0, mean, np.zeros(size))
