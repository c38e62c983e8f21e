"""What a safe tuner is told: the grid, the seeds, the limit, the two surfaces and the rules."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf, isfinite, isnan
from numbers import Real
from typing import Any, Literal, get_args, get_type_hints

import numpy as np

from ...errors import ModelError
from .stand_in import Floats, Kernel

Method = Literal["pls", "safeopt", "stageopt", "goose", "losbo", "ucb"]
Rule = Literal["direct", "lipschitz", "printed"]
Expanders = Literal["plus", "printed"]
Initial = Literal["seeds", "printed"]
Confidence = Literal["bayes", "one-sided", "exact", "determinant"]


@dataclass(frozen=True, slots=True)
class Surface:
    """The Gaussian process that stands for a return as a function of the target.

    noise: standard deviation of one observation, after whatever averaging over episodes its owner
    does; prior_mean: in the units of the return; norm: a bound on the RKHS norm of the surface less
    its prior mean, for the confidence "determinant" alone.
    """

    kernel: Kernel
    noise: float
    prior_mean: float = 0.0
    norm: float | None = None

    def __post_init__(self) -> None:
        _positive(self.noise, "noise", "the standard deviation of an observation")
        if not isfinite(self.prior_mean):
            raise ModelError(f"prior_mean {self.prior_mean} is not finite; give a number")
        if self.norm is not None:
            _positive(self.norm, "norm", "a bound on the RKHS norm")


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """A problem of safe tuning: expected costs of the targets tried are to stay at most `limit`.

    points: float[N, D], the targets, distinct and finite; distances are Euclidean in them.
    seeds: indices of targets that the owner promises to be safe.
    limit: b, in the units of the cost (an un-normalised return).
    reward, cost: the two surfaces; they are taken to be independent.
    failure: Delta, of each surface's confidence bounds (of both together as well: Theorem 3).
    method: "pls" and "stageopt" expand first and maximise then; "safeopt" and "losbo" do both at
    once; "goose" expands where its suggestion asks for it; "ucb" is not safe.
    rule: how targets become certified.  "direct": a target's own upper bound is at most the limit
    (ours).  "lipschitz": u(z) + L d(z, z') is, for a certified z, closed under itself.  "printed":
    the union as PLS prints it, one step at a time and L = 0 put in literally, which is not safe.
    lipschitz: L in cost per distance; None is the direct rule, which is not the same as 0.
    tolerance: zeta, the width of a cost's bounds below which expanding from it is over.
    accuracy: of the reward; "pls" and "stageopt" stop when the target to be recommended is within
    it of the best that can be reached, "safeopt" and "losbo" when no bounds that matter are wider.
    expanders: "plus" counts z' with l(z) + L d(z, z') at most the limit (ours); "printed" is the
    sign of PLS's Algorithm 1, line 10, by which every certified target is an expander.
    initial: "seeds" begins with the interval [low, b] at the seeds alone (ours); "printed" does at
    every target, which is safe under the rules that use members' bounds and not under "direct".
    cost_range: what neither an expected nor an observed cost can leave.
    confidence: PLS's bound "bayes", the narrower "one-sided" and "exact", "determinant" (no prior,
    but a norm), or a constant such as SafeOpt's usual 2, for which nothing is promised.
    noise_bound: for "losbo", what |observed cost - expected cost| never exceeds.
    explorations, evaluations: the most observations before maximising, and of all.
    Raises ModelError where any of these cannot be what was meant.
    """

    points: Floats
    seeds: tuple[int, ...]
    limit: float
    reward: Surface
    cost: Surface
    failure: float = 0.05
    method: Method = "pls"
    rule: Rule = "direct"
    lipschitz: float | None = None
    tolerance: float = 0.0
    accuracy: float | None = None
    expanders: Expanders = "plus"
    initial: Initial = "seeds"
    cost_range: tuple[float, float] = (-inf, inf)
    confidence: Confidence | float = "bayes"
    noise_bound: float | None = None
    explorations: int | None = None
    evaluations: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", _grid(self.points))
        object.__setattr__(self, "seeds", _seeds(self.seeds, len(self.points)))
        _check_words(self)
        _check_numbers(self)
        _check_limit(self)
        _check_rule(self)
        _check_confidence(self)


def _grid(points: Any) -> Floats:
    grid = np.array(points, dtype=np.float64)
    if grid.ndim != 2 or grid.shape[0] == 0:
        raise ModelError(f"points have the shape {grid.shape}; give one row for each target")
    if not np.isfinite(grid).all():
        raise ModelError("points are not finite")
    if len(np.unique(grid, axis=0)) < len(grid):
        raise ModelError("points hold a target twice")
    grid.setflags(write=False)
    return grid


def _seeds(seeds: Any, targets: int) -> tuple[int, ...]:
    found = tuple(target_index(seed, targets, "seed") for seed in seeds)
    if not found:
        raise ModelError("seeds are empty: nothing is known to be safe; name at least one target")
    if len(set(found)) < len(found):
        raise ModelError(f"seeds {found} name a target twice")
    return found


def target_index(value: Any, targets: int, name: str = "target") -> int:
    """`value` as the index of one of so many targets; raises ModelError if it is none."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise ModelError(f"{name} {value!r} is not an index; give a whole number such as 0")
    if not 0 <= value < targets:
        raise ModelError(f"{name} {value} is not in the grid, whose targets are 0 to {targets - 1}")
    return int(value)


def _positive(value: float, name: str, what: str) -> None:
    if not (isinstance(value, Real) and isfinite(value) and value > 0):
        raise ModelError(f"{name} {value!r} is not a positive number; give {what}")


def _check_words(tuning: Tuning) -> None:
    hints = get_type_hints(Tuning)
    for field in fields(tuning):
        words = get_args(hints[field.name])
        if field.name in ("method", "rule", "expanders", "initial"):
            value = getattr(tuning, field.name)
            if value not in words:
                raise ModelError(f"{field.name} {value!r} is none of {', '.join(words)}")


def _check_numbers(tuning: Tuning) -> None:
    if not 0 < tuning.failure < 1:
        raise ModelError(f"failure {tuning.failure} is not a probability between 0 and 1, both out")
    if not (isfinite(tuning.tolerance) and tuning.tolerance >= 0):
        raise ModelError(f"tolerance {tuning.tolerance} is not a width; give 0 or more")
    if tuning.accuracy is not None:
        _positive(tuning.accuracy, "accuracy", "a difference of rewards, or None")
        if tuning.method in ("goose", "ucb"):
            raise ModelError(f"accuracy has no effect with the method {tuning.method!r}; remove it")
    for name in ("explorations", "evaluations"):
        count = getattr(tuning, name)
        if count is not None and (not isinstance(count, int) or count < 0):
            raise ModelError(f"{name} {count!r} is not a number of observations; give 0 or more")
    if tuning.explorations is not None and tuning.method not in ("pls", "stageopt"):
        raise ModelError(f"explorations have no effect with the method {tuning.method!r}")


def _check_limit(tuning: Tuning) -> None:
    low, high = tuning.cost_range
    if isnan(low) or isnan(high) or not low < high:
        raise ModelError(f"cost_range {tuning.cost_range} is not a range; give (low, high)")
    if not isfinite(tuning.limit):
        raise ModelError(f"limit {tuning.limit} is not finite; give the cost that is allowed")
    if tuning.limit < low:
        raise ModelError(
            f"limit {tuning.limit} is below {low}, the least cost: no target can be safe, not "
            "even the seeds; raise the limit or widen cost_range"
        )
    if tuning.limit >= high:
        raise ModelError(
            f"limit {tuning.limit} is no less than {high}, the largest cost: every target is safe "
            "and there is nothing to be careful of; lower the limit or widen cost_range"
        )


def _check_rule(tuning: Tuning) -> None:
    constant = tuning.lipschitz
    if tuning.rule == "direct":
        if constant is not None:
            remedy = "set rule='lipschitz', or lipschitz=None"
            raise ModelError(f"lipschitz {constant} has no effect under the direct rule; {remedy}")
        if tuning.expanders == "printed":
            raise ModelError(
                "expanders='printed' is a sign before L d, which the direct rule lacks"
            )
    elif constant is None:
        raise ModelError(f"rule {tuning.rule!r} needs lipschitz, the largest cost per distance")
    elif not (isfinite(constant) and constant >= 0):
        raise ModelError(f"lipschitz {constant} is not a constant; give a positive number")
    elif constant == 0 and tuning.rule == "lipschitz":
        raise ModelError(
            "lipschitz 0 says that the cost is the same at all targets, and certifies every one; "
            "lipschitz=None with rule='direct' is the rule that needs no constant"
        )
    if (tuning.method == "losbo") != (tuning.noise_bound is not None):
        raise ModelError(
            f"noise_bound {tuning.noise_bound} and method {tuning.method!r} do not go together: "
            "losbo needs a bound on the noise, and no other method uses one"
        )
    if tuning.method == "losbo":
        if tuning.rule != "lipschitz":
            raise ModelError("losbo certifies by a Lipschitz constant; set rule='lipschitz'")
        if not (isfinite(tuning.noise_bound or 0) and (tuning.noise_bound or 0) >= 0):
            raise ModelError(f"noise_bound {tuning.noise_bound} is not a bound; give 0 or more")


def _check_confidence(tuning: Tuning) -> None:
    word = tuning.confidence
    if isinstance(word, str):
        if word not in get_args(Confidence):
            words = ", ".join(get_args(Confidence))
            raise ModelError(f"confidence {word!r} is none of {words}, and no number such as 2.0")
    else:
        _positive(word, "confidence", "a multiple of the posterior's standard deviation")
    for name, surface in (("reward", tuning.reward), ("cost", tuning.cost)):
        if (word == "determinant") != (surface.norm is not None):
            raise ModelError(
                f"{name} has the norm {surface.norm} and the confidence is {word!r}: 'determinant' "
                "needs a norm of each surface, and no other confidence uses one"
            )
