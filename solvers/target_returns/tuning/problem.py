"""What a safe tuner is told: the grid, the seeds, the limit, the two surfaces and the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import hypot, inf
from typing import Any, Literal, get_args

import numpy as np

from ...errors import ModelError
from ...sequences import listed
from ..gaussian.checks import Floats, bound, count, failure_probability, finite, grid_of, positive
from ..gaussian.kernels import AnyKernel, GridKernel, Kernel

Method = Literal["pls", "safeopt", "stageopt", "goose", "losbo", "ucb"]
Rule = Literal["direct", "lipschitz", "printed"]
Expanders = Literal["plus", "printed"]
Initial = Literal["seeds", "printed"]
Confidence = Literal["bayes", "one-sided", "exact", "determinant"]
STAGED: tuple[Method, ...] = ("pls", "stageopt")
"""Methods that expand first and maximise then."""


@dataclass(frozen=True, slots=True)
class Surface:
    """The Gaussian process that stands for a return as a function of the target.

    noise: standard deviation of one observation, after whatever averaging over episodes its owner
    does; prior_mean: in the units of the return, which is said to be around it before anything is
    observed; norm: a bound on the RKHS norm of the surface less its prior mean, for the confidence
    "determinant" alone.
    """

    kernel: AnyKernel
    noise: float
    prior_mean: float = 0.0
    norm: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, Kernel | GridKernel):
            raise ModelError(f"the kernel is {self.kernel!r}; give a Kernel or a GridKernel")
        noise = positive(self.noise, "the standard deviation of the noise")
        positive(noise * noise, f"the variance of the noise, the square of {noise},")
        _set(self, noise=noise, prior_mean=finite(self.prior_mean, "the prior mean"))
        if self.norm is not None:
            _set(self, norm=positive(self.norm, "the bound on the RKHS norm"))


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """A problem of safe tuning: the expected cost of what is tried is to stay at most `limit`.

    points: float[N, D], the targets, distinct and finite; distances are Euclidean in them.
    seeds: indices of targets that the owner promises to be safe.
    limit: b, in the units of the cost (an un-normalised return).
    reward, cost: the two surfaces, taken to be independent.
    failure: Delta.  Lower and upper bounds of one surface, at all targets and times, fail together
    with a probability of at most Delta.  Those of both surfaces do so under "bayes" too (PLS,
    Theorem 3; 0.87 Delta), under "exact" and "determinant" with 2 Delta; under "one-sided" Delta is
    for one side of one surface, such as the upper bounds of the cost, which safety rests on.
    method: "pls" and "stageopt" expand first and maximise then; "safeopt" and "losbo" do both at
    once; "goose" expands where its suggestion asks for it; "ucb" is not safe.
    rule: how targets become certified.  "direct": a target's own upper bound is at most the limit
    (ours).  "lipschitz": u(z) + L d(z, z') is, for a certified z, closed under itself.  "printed":
    the union as PLS prints it, one step at a time, L put in literally; with L = 0 it is not safe.
    lipschitz: L in cost per distance; None is the direct rule, which is not the same as 0.
    tolerance: zeta, the width of a cost's bounds from which on a target may still expand.
    accuracy: of the reward; "pls" and "stageopt" stop when the target to be recommended is within
    it of the best that can be reached, "safeopt" and "losbo" when no bounds that matter are wider.
    expanders: "plus" counts z' with l(z) + L d(z, z') at most the limit (ours); "printed" is the
    sign of PLS's Algorithm 1, line 10, by which every certified target is an expander.
    initial: "seeds" begins with costs of at most b at the seeds alone (ours); "printed" does at
    every target, which is safe where members' bounds certify and not under "direct".
    trust_prior: must be True for a `Tuner` whose cost's prior certifies targets by itself.
    unsafe_comparison: must be True for rules of which it is known that they certify what is not
    safe: "direct" with the initial "printed", "printed" with lipschitz 0.  Then nobody is harmed:
    the tuner trusts the prior, and goes on, as printed, when observations contradict the bounds.
    cost_range: what neither an expected nor an observed cost can leave.
    confidence: PLS's "bayes", the narrower "one-sided" and "exact", "determinant" (no prior but a
    norm), or a constant such as SafeOpt's usual 2.0, for which nothing is promised.
    noise_bound: for "losbo", what ``|observed cost - expected cost|`` never exceeds.
    explorations, evaluations: the most observations before maximising, and of all.
    Raises ModelError where one of these cannot be what was meant, or could have no effect.
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
    trust_prior: bool = False
    unsafe_comparison: bool = False

    def __post_init__(self) -> None:
        points = grid_of(self.points).copy()
        points.setflags(write=False)
        _set(
            self,
            points=points,
            seeds=_seeds(self.seeds, len(points)),
            failure=failure_probability(self.failure),
            limit=finite(self.limit, "the limit"),
            tolerance=finite(self.tolerance, "the tolerance"),
            cost_range=_range(self.cost_range),
        )
        for name, check in _OPTIONAL.items():
            if getattr(self, name) is not None:
                _set(self, **{name: check(getattr(self, name), name)})
        for name in ("cost", "reward"):
            _check_surface(getattr(self, name), name, points)
        for name, words in _WORDS.items():
            found = getattr(self, name)
            if not isinstance(found, str) or found not in words:
                raise ModelError(f"{name} {found!r} is unknown; choose one of {', '.join(words)}")
        _check_limit(self.limit, *self.cost_range)
        _check_rule(self)
        _check_comparison(self)
        _check_losbo(self)
        _check_stops(self)
        _check_confidence(self)

    @property
    def misleading(self) -> str | None:
        """What certifies targets that are not safe, where that is known."""
        if self.initial == "printed" and self.rule == "direct":
            return "initial='printed' with the rule 'direct' certifies every target at once"
        if self.rule == "printed" and self.lipschitz == 0:
            return "rule='printed' with lipschitz=0 certifies every target by any other"
        return None

    @property
    def promises(self) -> bool:
        """Whether certified targets are safe where the assumptions hold, but for `failure`."""
        sure = self.method == "losbo" or isinstance(self.confidence, str)
        return sure and self.method != "ucb" and self.misleading is None


_OPTIONAL: dict[str, Callable[[Any, str], Any]] = {
    "lipschitz": finite,
    "accuracy": positive,
    "noise_bound": positive,
    "explorations": partial(count, least=0),
    "evaluations": partial(count, least=0),
}
"""What may be None."""
_WORDS: dict[str, tuple[str, ...]] = {
    "method": get_args(Method),
    "rule": get_args(Rule),
    "expanders": get_args(Expanders),
    "initial": get_args(Initial),
}


def target_index(value: object, targets: int, name: str = "the target") -> int:
    """`value` as the index of one of so many targets; raises ModelError if it is none."""
    index = count(value, name, 0)  # type: ignore[arg-type]
    if index >= targets:
        raise ModelError(f"{name} {index} is not on the grid; its targets are 0 to {targets - 1}")
    return index


def _seeds(seeds: object, targets: int) -> tuple[int, ...]:
    if not isinstance(seeds, tuple | list):
        raise ModelError(
            f"seeds are {seeds!r}; give a tuple of indices of the grid, such as (0, 3)"
        )
    found = tuple(target_index(seed, targets, "the seed") for seed in seeds)
    if not found:
        raise ModelError("seeds are empty: nothing is known to be safe; name at least one target")
    if len(set(found)) < len(found):
        raise ModelError(f"seeds {found} name a target twice; name each once")
    return found


def _set(record: object, **values: object) -> None:
    """Give a frozen record, while it is made, the values as they were checked."""
    for name, value in values.items():
        object.__setattr__(record, name, value)


def _check_surface(surface: object, name: str, points: Floats) -> None:
    if not isinstance(surface, Surface):
        raise ModelError(f"the {name} is {surface!r}; give a Surface, such as Surface(kernel, 0.1)")
    surface.kernel.fitted(points)
    largest = positive(surface.kernel.largest, f"the largest variance of the {name}'s kernel")
    if len(points) > 1 and (surface.kernel.rows(points, 0) >= largest).all():
        raise ModelError(
            f"the {name}'s kernel is the same number for all pairs of targets, as with lengths far "
            f"beyond the grid's extent: the {name} would be the same everywhere, and one "
            "observation would tell all; give the lengths over which it changes"
        )


def _range(given: Any) -> tuple[float, float]:
    ends = [bound(end, "an end of cost_range") for end in listed(given, "cost_range")]
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise ModelError(f"cost_range {given!r} is not a range; give (least, largest)")
    return ends[0], ends[1]


def _check_limit(limit: float, low: float, high: float) -> None:
    if limit < low:
        raise ModelError(
            f"the limit {limit} is below {low}, the least cost: no target can be safe, not even "
            "the seeds; raise the limit or widen cost_range"
        )
    if limit >= high:
        raise ModelError(
            f"the limit {limit} is no less than {high}, the largest cost: every target is safe, "
            "and there is nothing to be careful of; lower the limit or widen cost_range"
        )


def _check_rule(tuning: Tuning) -> None:
    constant, rule = tuning.lipschitz, tuning.rule
    if rule == "direct" and (constant is not None or tuning.expanders == "printed"):
        raise ModelError(
            f"lipschitz {constant} and expanders {tuning.expanders!r} need a distance, which the "
            "direct rule does not use; set rule='lipschitz', or lipschitz=None and expanders='plus'"
        )
    extent = _extent(tuning.points)
    if rule != "direct":
        if constant is None:
            raise ModelError(f"the rule {rule!r} needs lipschitz, the most that costs can rise")
        most, noise = constant * extent, tuning.cost.noise
        same = len(tuning.points) > 1 and most > 0 and noise + most == noise
        if constant < 0 or same or (constant == 0 and rule == "lipschitz"):
            raise ModelError(
                f"lipschitz {constant} would say that the cost is the same everywhere, and certify "
                "every target; give a positive number, or lipschitz=None with rule='direct'"
            )


def _extent(points: Floats) -> float:
    """The diameter of the grid's box."""
    with np.errstate(over="ignore"):
        sides = np.ptp(points, axis=0)
    if not np.isfinite(sides).all():
        raise ModelError(
            "the grid has coordinates that are further apart than float64 holds; give other units"
        )
    return hypot(*sides.tolist())


def _check_comparison(tuning: Tuning) -> None:
    for name in ("trust_prior", "unsafe_comparison"):
        if not isinstance(getattr(tuning, name), bool):
            raise ModelError(f"{name} is {getattr(tuning, name)!r}; give True or False")
    if tuning.misleading and not tuning.unsafe_comparison:
        raise ModelError(
            f"{tuning.misleading}, safe or not; to compare with just that, where nobody is "
            "harmed, set unsafe_comparison=True"
        )


def _check_losbo(tuning: Tuning) -> None:
    rule = tuning.rule
    if (tuning.method == "losbo") != (tuning.noise_bound is not None):
        raise ModelError(
            f"noise_bound {tuning.noise_bound} does not go with the method {tuning.method!r}: "
            "losbo needs a bound on the noise, and no other method uses one"
        )
    if tuning.noise_bound is not None and (rule != "lipschitz" or tuning.initial != "seeds"):
        raise ModelError(
            f"losbo certifies by observations and L, not by the rule {rule!r} with the initial "
            f"intervals {tuning.initial!r}; set rule='lipschitz' and initial='seeds'"
        )


def _check_stops(tuning: Tuning) -> None:
    if tuning.tolerance < 0:
        raise ModelError(f"the tolerance {tuning.tolerance} is not a width; give 0 or more")
    useless = []
    if tuning.accuracy is not None:
        useless += ["accuracy"] * (tuning.method in ("goose", "ucb"))
    if tuning.explorations is not None:
        useless += ["explorations"] * (tuning.method not in STAGED)
    if useless:
        raise ModelError(
            f"{' and '.join(useless)} would have no effect with the method {tuning.method!r}; "
            "leave out what the method does not use"
        )


def _check_confidence(tuning: Tuning) -> None:
    word = tuning.confidence
    if not isinstance(word, str):
        name = "the confidence, a multiple of the posterior's deviation,"
        _set(tuning, confidence=positive(word, name))
    elif word not in get_args(Confidence):
        words = ", ".join(get_args(Confidence))
        raise ModelError(f"the confidence {word!r} is unknown; choose {words} or a number like 2.0")
    for name, surface in (("reward", tuning.reward), ("cost", tuning.cost)):
        if (word == "determinant") != (surface.norm is not None):
            raise ModelError(
                f"the {name} has the norm {surface.norm} and the confidence is {word!r}: "
                "'determinant' needs a norm of each surface, and no other confidence uses one"
            )
