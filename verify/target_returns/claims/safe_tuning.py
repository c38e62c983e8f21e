"""Claims on safe tuning: path by path in rationals, and probabilities from independent draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from sympy import Rational, log

from holdfast.solvers.target_returns import Tuner
from holdfast.solvers.target_returns.gaussian.confidence import alpha_bayes
from holdfast.solvers.target_returns.gaussian.posterior import Posterior
from holdfast.solvers.target_returns.tuning.reachability import reachable
from holdfast.theory import Le, Quantity
from holdfast.theory.target_returns import safe_tuning as theory

from ...binding.balls import to_arb
from ...binding.claims import claim
from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope
from ...binding.values import Ball, Count, Values
from ..families.experiments import Experiment, experiments
from ..families.gaussian import GRAMS, Process, targets_observed
from ..families.landscapes import LONGEST, Landscape, landscapes
from ..landmarks import safe_tuning as marks
from ..oracles.gaussian import determinant, variances_met
from ..oracles.posteriors import matrix
from .information_gain import most


def _over(values: Sequence[float], bounds: Sequence[float]) -> Fraction:
    """The largest excess of values over bounds, exactly."""
    return max(Fraction(v) - Fraction(b) for v, b in zip(values, bounds, strict=True))


def _outside(values: Sequence[float], low: np.ndarray, high: np.ndarray) -> Fraction:
    return max(_over(values, high.tolist()), _over(low.tolist(), values))


def _excess(tuner: Tuner, costs: Sequence[float]) -> Fraction:
    certified = np.flatnonzero(tuner.safe).tolist()
    return max(Fraction(costs[z]) for z in certified) - Fraction(tuner.tuning.limit)


def _exceeding(case: Landscape) -> Iterator[Values]:
    tuner = case.finished()
    promised = Tuner(replace(case.tuning, initial="seeds"))  # bounds of the model and the seeds
    for step in tuner.history:
        promised.tell(step.index, step.reward, step.cost)
    high = promised.bounds[1].tolist()
    yield {theory.excess: _excess(tuner, case.costs), theory.miss: _over(case.costs, high)}


@claim(
    theory.pathwise,
    over=landscapes()
    .with_landmarks(met=marks.met_bound)
    .with_controls(
        lipschitz=landscapes(steep=2.0, valid=False, rule="lipschitz", initial="seeds"),
        initial=landscapes(rule="direct", initial="printed"),
    ),
)
def pathwise(case: Landscape) -> Iterator[Values]:
    yield from _exceeding(case)


_ZERO = landscapes(valid=False, rule="printed", lipschitz=0.0, initial="printed")


@claim(theory.literal_zero, over=_ZERO.with_landmarks(two=marks.zero_constant), witness="two")
def literal_zero(case: Landscape) -> Iterator[Values]:
    yield from _exceeding(case)


def _stronger(left: Quantity, reason: str) -> dict[Any, str]:
    """Two mutants that ask for a tenth less than Delta."""
    more = Le(Rational(11, 10) * left, theory.Delta)
    return dict.fromkeys((more, Le(left, Rational(9, 10) * theory.Delta)), reason)


_HALF = "true: a cost is above its upper bound with probability Delta/2 at most, by either formula"
_RISKY: dict[str, Any] = {"failure": 0.01, "rule": "direct", "initial": "seeds"}


@claim(
    theory.safety,
    over=experiments(200, failure=0.3).with_controls(
        prior=experiments(shrunk=3.0, confidence="bayes", **_RISKY),
        noise=experiments(louder=10.0, confidence="bayes", **_RISKY),
        formula=experiments(confidence=1.0, **_RISKY),
        initial=experiments(confidence="bayes", **{**_RISKY, "initial": "printed"}),
    ),
    survivors=_stronger(theory.failing, _HALF),
)
def safety(case: Experiment) -> Iterator[Values]:
    failing = 0
    for land in case.draws():
        fair = all(land.costs[seed] <= case.tuning.limit for seed in case.tuning.seeds)
        failing += fair and _excess(land.finished(), land.costs) > 0 and land.is_lipschitz()
    probability = Count(failing, case.landscapes)
    yield {theory.failing: probability, theory.Delta: Fraction(case.tuning.failure)}


def _never_outside(land: Landscape) -> bool:
    for tuner, _ in land.steps():
        cost_low, cost_high, low, high = tuner.bounds
        inside = (low <= land.rewards) & (land.rewards <= high)
        if not (inside & (cost_low <= land.costs) & (land.costs <= cost_high)).all():
            return False
    return not any(step.contradicted for step in tuner.history)


_ALL_SAFE: dict[str, Any] = {"limit": 1e6, "rule": "direct", "initial": "seeds"}
"""Every target is certified, so that seeds are safe for sure and the event is the bounds' alone."""
_TAIL = "true: with exact tails the probability is at most 0.87 Delta"


@claim(
    theory.both_events,
    over=experiments(600, confidence="bayes", failure=0.3, **_ALL_SAFE).with_controls(
        prior=experiments(shrunk=3.0, confidence="bayes", **_ALL_SAFE),
        noise=experiments(louder=10.0, confidence="bayes", **_ALL_SAFE),
        formula=experiments(confidence=2.0, **_ALL_SAFE),
    ),
    survivors=_stronger(theory.outside_both, _TAIL),
)
def both_events(case: Experiment) -> Iterator[Values]:
    left = sum(not _never_outside(land) for land in case.draws())
    probability = Count(left, case.landscapes)
    yield {theory.outside_both: probability, theory.Delta: Fraction(case.tuning.failure)}


@claim(
    theory.exact_tails,
    over=Family("targets and probabilities", lambda draw: draw.integer(1, 40))
    .along(lambda draw, _: Fraction(1, draw.integer(1, 100)))
    .with_landmarks(worst=lambda: (1, Fraction(1))),
)
def exact_tails(targets: int, failure: Fraction) -> Iterator[Values]:
    yield {theory.tails: Ball(lambda: marks.tails(targets, failure)), theory.Delta: failure}


def _newest(tuner: Tuner) -> np.ndarray:
    """Upper bounds of the cost by the newest posterior alone, two deviations wide."""
    points, cost = tuner.tuning.points, tuner.tuning.cost
    found = Posterior(cost.kernel, points, cost.noise**2, cost.prior_mean)
    for step in tuner.history:
        found.append(step.index, step.cost)
    return found.bounds(2.0)[1]


_DIRECT = landscapes(rule="direct")


@claim(
    theory.monotone,
    over=_DIRECT.along(lambda *_: True).with_controls(nested=_DIRECT.along(lambda *_: False)),
)
def monotone(case: Landscape, nested: bool) -> Iterator[Values]:
    before = np.zeros(len(case.costs), dtype=bool)
    for tuner, _ in case.steps():
        now = (tuner.bounds[1] if nested else _newest(tuner)) <= case.tuning.limit
        yield {theory.before: int(before.sum()), theory.kept: int((before & now).sum())}
        before = tuner.safe if nested else now


_PLS: dict[str, Any] = {"method": "pls", "rule": "lipschitz", "initial": "seeds"}
_UNTIL_STOPPED: dict[str, Any] = {**_PLS, "evaluations": None}


@claim(
    theory.expansion,
    over=landscapes(**_UNTIL_STOPPED)
    .with_landmarks(long=marks.long_search)
    .with_controls(stopped=landscapes(explorations=0, **_UNTIL_STOPPED)),
)
def expansion(case: Landscape) -> Iterator[Values]:
    tuner, tuning = case.explored(), case.tuning
    miss = _outside(case.costs, *tuner.bounds[:2])
    certified = frozenset(np.flatnonzero(tuner.safe).tolist())
    place = (tuning.points, case.costs, tuning.seeds, tuning.limit, tuning.lipschitz or 0)
    near = reachable(*place, Fraction(tuning.tolerance) + miss)
    yield {
        theory.certified: len(certified),
        theory.within: len(certified & reachable(*place, -miss)),
        theory.in_reach: len(near),
        theory.reached: len(near & certified),
    }


def _half_log(number: Fraction) -> Ball:
    return Ball(lambda: to_arb(number).log() / 2)


_RATIO = theory.k_max / theory.nu2
_LESS = (Rational(9, 10) * (1 + _RATIO), _RATIO + Rational(9, 10), 1 + Rational(9, 10) * _RATIO)
_WEAKER = "true: the argument of the logarithm is less, so the bound is more"
_SPENT = theory.k_max * theory.information


@claim(
    theory.stopping,
    over=landscapes(confidence="bayes", **_UNTIL_STOPPED).with_landmarks(
        free=lambda: marks.free_step(1.5, 1.0),
        large=lambda: marks.free_step(25.0, 1.0),
        loud=lambda: marks.free_step(25.0, 2.0),
        small=lambda: marks.free_step(0.04, 0.5),
        long=marks.long_search,
    ),
    survivors={
        Le(theory.N_steps * theory.zeta**2, 8 * theory.alpha**2 * _SPENT / log(inside)): _WEAKER
        for inside in _LESS
    },
)
def stopping(case: Landscape) -> Iterator[Values]:
    tuner, tuning = case.explored(), case.tuning
    order = [step.index for step in tuner.history]
    noise, words = Fraction(tuning.cost.noise**2), tuning.confidence
    bayes = alpha_bayes(len(tuning.points), max(len(order), 1), tuning.failure)
    yield {
        theory.N_steps: len(order),
        theory.zeta: Fraction(tuning.tolerance),
        theory.alpha: Fraction(bayes if isinstance(words, str) else words),
        theory.k_max: Fraction(tuning.cost.kernel.largest),
        theory.nu2: noise,
        theory.information: _half_log(determinant(matrix(tuning), noise, order)),
    }


def _maximising(draw: Draw) -> Landscape:
    few: dict[str, Any] = {"method": "pls", "evaluations": 8, "explorations": draw.integer(0, 3)}
    return landscapes(**few).draw(draw)[0]


_MAXIMISING = Family("landscapes whose reward is maximised", _maximising)


@claim(
    theory.regret,
    over=_MAXIMISING.along(lambda draw, land: False)
    .with_landmarks(
        ends=marks.at_the_bounds,
        beyond=lambda: marks.at_the_bounds(4.0),
        inside=lambda: marks.at_the_bounds(-0.5),
    )
    .with_controls(reachable=_MAXIMISING.along(lambda draw, land: True)),
)
def regret(case: Landscape, everywhere: bool) -> Iterator[Values]:
    misses: list[Fraction] = []
    against = np.asarray(case.costs) <= case.tuning.limit
    for tuner, proposal in case.steps():
        if proposal is not None and proposal.phase == "maximise":
            against = against if everywhere or misses else tuner.safe
            misses.append(_outside(case.rewards, *tuner.bounds[2:]))
    if not misses or tuner.unsafe:
        raise OutOfScope("no target was tried for its reward")
    found = Fraction(case.rewards[tuner.recommend()])
    best = max(Fraction(case.rewards[z]) for z in np.flatnonzero(against))
    tried = [step for step in tuner.history if step.proposal and step.proposal.phase == "maximise"]
    yield {
        theory.behind: max(best - found, Fraction(0)),
        theory.width: min(Fraction(step.reward_width) for step in tried),
        theory.miss_r: max(misses),
    }


def _multipliers(draw: Draw, _: Process, order: Sequence[int]) -> list[Fraction]:
    """They grow from one observation to the next."""
    return sorted(Fraction(draw.integer(1, 8), 2) for _ in order)


@claim(
    theory.average_width,
    over=GRAMS.along(targets_observed, _multipliers).with_landmarks(
        one=lambda: marks.each_once(1),
        small=lambda: marks.each_once(Fraction(1, 4)),
        large=lambda: marks.each_once(25),
        three=lambda: marks.each_once(4, 4, 4),
    ),
    survivors={
        Le(theory.V_mean, 2 * _SPENT / (theory.N_steps * log(inside))): _WEAKER for inside in _LESS
    },
)
def average_width(
    process: Process, order: Sequence[int], multipliers: Sequence[Fraction]
) -> Iterator[Values]:
    found, count = variances_met(process.kernel, process.noise, order), len(order)
    pairs = list(zip(multipliers, found, strict=True))

    def mean_width() -> flint.arb:
        return sum((2 * to_arb(a) * to_arb(v).sqrt() for a, v in pairs), flint.arb(0)) / count

    yield {
        theory.W_mean: Ball(mean_width),
        theory.V_mean: sum(found) / Fraction(count),
        theory.information: _half_log(determinant(process.kernel, process.noise, order)),
        theory.gamma: _half_log(most(process, count)),
        theory.N_steps: count,
        theory.nu2: process.noise,
        theory.alpha: multipliers[-1],
        theory.k_max: process.largest,
    }


@claim(
    theory.unit_regret,
    over=Family("ten independent targets", lambda draw: draw.integer(20, 10**6)).with_landmarks(
        **{f"k = {k}": lambda k=k: (k,) for k in (25, 100, 10**4, 10**6)}
    ),
    witness="k = 10000",
)
def unit_regret(variance: int) -> Iterator[Values]:
    yield {theory.Delta: Fraction(1, 10), theory.success: Ball(lambda: marks.success(variance))}


def _arms(draw: Draw) -> Landscape:
    return marks.two_arms(draw.integer(30, 54) / 10, -draw.integer(30, 54) / 10)[0]


_EDGE = "has no value at k = nu2 = 1, which is the only kernel here"


def _rewards_inside(case: Landscape) -> Values:
    bounds = [tuner.bounds[2:] for tuner, _ in case.steps()]
    return {theory.miss_r: max(_outside(case.rewards, *each) for each in bounds)}


@claim(
    theory.last_target,
    over=Family("two targets, one good", _arms).with_landmarks(
        late=lambda: marks.two_arms(5.4, -5.4)
    ),
    survivors={
        f"behind_last <= 2*sqrt(2)*alpha*sqrt(gamma*k/{divisor})": reason
        for divisor, reason in (
            ("log(k/nu2 + 1)", "true on these paths: weaker, without the mean over steps"),
            ("(N*log(k/nu2))", _EDGE),
            ("(N*log(k/nu2 - 1))", _EDGE),
            ("(N*log(-k/nu2 + 1))", _EDGE),
        )
    },
    witness="late",
    shows=_rewards_inside,
)
def last_target(case: Landscape) -> Iterator[Values]:
    order = [step.index for step in case.finished().history]
    if 1 not in order:
        raise OutOfScope(f"the second target is not tried within {LONGEST} steps")
    count = order.index(1) + 1
    best, half = max(map(Fraction, case.rewards)), count // 2
    yield {
        theory.behind_last: best - Fraction(case.rewards[1]),
        theory.alpha: Fraction(alpha_bayes(2, count, case.tuning.failure)),
        theory.k_max: 1,
        theory.nu2: 1,
        theory.N_steps: count,
        theory.gamma: _half_log(Fraction((1 + half) * (1 + count - half))),
    }


@claim(theory.printed_sign, over=landscapes(**_PLS, expanders="printed"))
def printed_sign(case: Landscape) -> Iterator[Values]:
    tuner, tuning = case.finished(), case.tuning
    if tuner.unsafe:
        raise OutOfScope("a certified target was observed to be unsafe")
    low, points = tuner.bounds[0][tuner.safe], tuning.points
    gaps = np.linalg.norm(points[tuner.safe][:, None] - points[~tuner.safe][None], axis=-1)
    counts = (low[:, None] - (tuning.lipschitz or 0) * gaps <= tuning.limit).sum(axis=1)
    yield {theory.counted: int(counts.min()), theory.uncertified: int((~tuner.safe).sum())}


_MISLED: dict[str, Any] = {
    "shrunk": 3.0,
    "method": "losbo",
    "rule": "lipschitz",
    "initial": "seeds",
}
"""Costs that vary three times as fast as the model of LoSBO has it, which is told L and E."""


@claim(
    theory.observed,
    over=landscapes(**_MISLED).with_controls(
        lipschitz=landscapes(steep=4.0, valid=False, **_MISLED)
    ),
)
def observed(case: Landscape) -> Iterator[Values]:
    tuner, tuning = case.finished(), case.tuning
    bound = Fraction(tuning.noise_bound or 0)
    noise = [Fraction(case.costs[s.index]) - Fraction(s.cost) - bound for s in tuner.history]
    seeds = [Fraction(case.costs[seed]) - Fraction(tuning.limit) for seed in tuning.seeds]
    yield {theory.excess: _excess(tuner, case.costs), theory.broken: max(noise + seeds)}
