"""Claims on safe tuning: path by path in rationals, and probabilities from independent draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations_with_replacement
from math import prod

import flint
import numpy as np
from sympy import Rational, log

from holdfast.solvers.target_returns import Surface, Tuner, Tuning
from holdfast.solvers.target_returns.gaussian.confidence import alpha_bayes
from holdfast.solvers.target_returns.gaussian.kernels import GridKernel
from holdfast.solvers.target_returns.gaussian.posterior import Posterior
from holdfast.solvers.target_returns.tuning.reachability import reachable
from holdfast.theory import Le
from holdfast.theory.target_returns import safe_tuning as theory

from ...binding.balls import to_arb
from ...binding.claims import claim
from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope
from ...binding.values import Ball, Count, Values
from ..families.experiments import Design, Experiment, designs, experiments
from ..families.landscapes import LONGEST, Landscape, landscapes, misled
from ..oracles.posteriors import variances


def _over(values: Sequence[float], bounds: Sequence[float]) -> Fraction:
    """The largest excess of values over bounds, exactly."""
    return max(Fraction(v) - Fraction(b) for v, b in zip(values, bounds, strict=True))


def _excess(tuner: Tuner, costs: Sequence[float]) -> Fraction:
    certified = np.flatnonzero(tuner.safe)
    return max(Fraction(costs[z]) for z in certified) - Fraction(tuner.tuning.limit)


def _replayed(tuner: Tuner, **changed: object) -> Tuner:
    """A tuner of a changed tuning that is told the same."""
    other = Tuner(replace(tuner.tuning, **changed))
    for step in tuner.history:
        other.tell(step.index, step.reward, step.cost)
    return other


def _exceeding(case: Landscape) -> Iterator[Values]:
    tuner = case.finished()
    promised = _replayed(tuner, initial="seeds").bounds[1].tolist()
    yield {theory.excess: _excess(tuner, case.costs), theory.miss: _over(case.costs, promised)}


def identity(count: int, variance: float = 1.0, noise: float = 1.0) -> Surface:
    """Independent targets."""
    return Surface(GridKernel(variance * np.eye(count)), noise)


def line(count: int) -> np.ndarray:
    """So many targets on a line, at distance 1."""
    return np.arange(float(count))[:, None]


def met_bound() -> tuple[Landscape]:
    """A second target whose bound is just the limit and whose cost is five above it."""
    free = Tuning(line(2), (0,), 9.0, identity(2), identity(2), confidence=2.0, evaluations=0)
    limit = float(Tuner(free).bounds[1][1])
    return (Landscape(replace(free, limit=limit), (0.0, limit + 5.0), (0.0, 0.0), ()),)


claim(
    theory.pathwise,
    over=landscapes()
    .with_landmarks(met=met_bound)
    .with_controls(
        lipschitz=landscapes(steep=4, valid=False, rule="lipschitz", initial="seeds"),
        initial=landscapes(rule="direct", initial="printed"),
    ),
)(_exceeding)


def zero_constant() -> tuple[Landscape]:
    """Costs 0 and 2, the limit 1, the seed the first, nothing observed: both are certified."""
    tuning = Tuning(
        line(2), (0,), 1.0, identity(2), identity(2),
        rule="printed", lipschitz=0.0, initial="printed", evaluations=0,
    )  # fmt: skip
    return (Landscape(tuning, (0.0, 2.0), (0.0, 0.0), ()),)


@claim(
    theory.literal_zero,
    over=landscapes(valid=False, rule="printed", lipschitz=0.0, initial="printed").with_landmarks(
        two=zero_constant
    ),
    witness="two",
)
def literal_zero(case: Landscape) -> Iterator[Values]:
    yield from _exceeding(case)


_TAIL = "true: with exact tails the probability is at most 0.44 Delta, of both events 0.87 Delta"
_SMALL = {"failure": 0.01, "rule": "direct", "initial": "seeds", "confidence": "bayes"}
"""What shows a wrong model within 300 landscapes: at Delta = 1/10 the excess is too small."""


@claim(
    theory.safety,
    over=experiments().with_controls(prior=experiments(shrunk=3.0, **_SMALL)),
    survivors={
        Le(Rational(11, 10) * theory.failing, theory.Delta): _TAIL,
        Le(theory.failing, Rational(9, 10) * theory.Delta): _TAIL,
    },
)
def safety(case: Experiment) -> Iterator[Values]:
    failing = 0
    for land in case.draws():
        limit = case.tuning.limit
        fair = all(land.costs[seed] <= limit for seed in case.tuning.seeds) and land.is_lipschitz()
        failing += fair and _excess(land.finished(), land.costs) > 0
    yield {
        theory.failing: Count(failing, case.landscapes),
        theory.Delta: Fraction(case.tuning.failure),
    }


def _never_outside(land: Landscape) -> bool:
    for tuner, _ in land.steps():
        cost_low, cost_high, low, high = tuner.bounds
        inside = (low <= land.rewards) & (land.rewards <= high)
        if not (inside & (cost_low <= land.costs) & (land.costs <= cost_high)).all():
            return False
    return not any(step.contradicted for step in tuner.history)


_ALL_SAFE = {"limit": 1e6, "rule": "direct", "initial": "seeds"}
"""Every target is certified, so that seeds are safe for sure and the event is the bounds' alone."""


@claim(
    theory.both_events,
    over=experiments(600, confidence="bayes", failure=0.3, **_ALL_SAFE).with_controls(
        prior=experiments(shrunk=3.0, confidence="bayes", **_ALL_SAFE),
        noise=experiments(louder=10.0, confidence="bayes", **_ALL_SAFE),
        formula=experiments(confidence=2.0, **_ALL_SAFE),
    ),
    survivors={
        Le(Rational(11, 10) * theory.outside_both, theory.Delta): _TAIL,
        Le(theory.outside_both, Rational(9, 10) * theory.Delta): _TAIL,
    },
)
def both_events(case: Experiment) -> Iterator[Values]:
    left = sum(not _never_outside(land) for land in case.draws())
    yield {
        theory.outside_both: Count(left, case.landscapes),
        theory.Delta: Fraction(case.tuning.failure),
    }


@dataclass(frozen=True, slots=True)
class Confidence:
    """A number of targets and a probability of failure."""

    targets: int
    failure: Fraction

    def tails(self) -> flint.arb:
        """At most this: 400 times exactly, the rest by the last tail, as erfcx decreases."""
        n, failure = self.targets, to_arb(self.failure)
        pi2, total, most = flint.arb.pi() ** 2, flint.arb(0), 400
        for j in range(1, most + 1):
            root = (n * j * j * pi2 / (6 * failure)).log().sqrt()  # alpha_j / sqrt(2)
            tail = 2 * n * root.erfc()
            total += tail
        # a later tail is less by j^2 at least, and sum of 1/j^2 beyond J is at most 1/J
        return total + tail * most**2 / most


def _confidences(draw: Draw) -> Confidence:
    return Confidence(draw.integer(1, 40), Fraction(1, draw.integer(1, 100)))


@claim(
    theory.exact_tails,
    over=Family("targets and probabilities", _confidences).with_landmarks(
        worst=lambda: (Confidence(1, Fraction(1)),)
    ),
)
def exact_tails(case: Confidence) -> Iterator[Values]:
    yield {theory.tails: Ball(case.tails), theory.Delta: case.failure}


def _raw_high(tuner: Tuner) -> np.ndarray:
    """The bounds of PLS on costs without an intersection."""
    tuning, cost = tuner.tuning, tuner.tuning.cost
    posterior = Posterior(cost.kernel, tuning.points, cost.noise**2, cost.prior_mean)
    for step in tuner.history:
        posterior.append(step.index, step.cost)
    alpha = alpha_bayes(len(tuning.points), len(tuner.history) + 1, tuning.failure)
    return posterior.bounds(alpha)[1]


_DIRECT = {"rule": "direct", "initial": "seeds", "confidence": "bayes"}


@claim(
    theory.monotone,
    over=landscapes(**_DIRECT)
    .along(lambda draw, land: True)
    .with_controls(nested=landscapes(**_DIRECT).along(lambda draw, land: False)),
)
def monotone(case: Landscape, nested: bool) -> Iterator[Values]:
    worst, before = (0, 0), np.zeros(len(case.costs), dtype=bool)
    for tuner, _ in case.steps():
        high = tuner.bounds[1] if nested else _raw_high(tuner)
        again = before & (high <= case.tuning.limit)
        again[list(case.tuning.seeds)] = before[list(case.tuning.seeds)]
        worst = max(worst, (int(before.sum() - again.sum()), int(before.sum())))
        before = tuner.safe
    yield {theory.before: worst[1], theory.kept: worst[1] - worst[0]}


def explored(case: Landscape) -> Tuner:
    """The tuner when its exploration is over; OutOfScope if it is not after all the noise there is.

    Also where a certified target was observed to be unsafe, which stops the tuner.
    """
    for tuner, proposal in case.steps():
        if proposal is not None and proposal.phase == "maximise":
            return tuner
    raise OutOfScope(tuner.stopped or f"exploration goes on after {len(case.noise)} observations")


_UNTIL_STOPPED = {"method": "pls", "rule": "lipschitz", "initial": "seeds", "evaluations": None}


def free_step(variance: float, noise: float) -> tuple[Landscape]:
    """A seed of known cost that would reach the second target: nothing but one width to reduce.

    In units of the deviation: bounds [-2, 2], limit 10, L = 9, d = 1: it certifies nothing, and
    might, as -2 + 9 <= 10.  The width is 4, and zeta 3.99: one observation; N zeta^2 = 15.9 of 16.
    """
    unit, model = variance**0.5, identity(2, variance, noise)
    tuning = Tuning(
        line(2), (0,), 10 * unit, model, model,
        rule="lipschitz", lipschitz=9 * unit, confidence=2.0, tolerance=3.99 * unit,
    )  # fmt: skip
    return (Landscape(tuning, (0.0, 9.0), (0.0, 0.0), ((0.0, 0.0),) * 2),)


@claim(
    theory.expansion,
    over=landscapes(**_UNTIL_STOPPED).with_controls(
        stopped=landscapes(explorations=0, **_UNTIL_STOPPED)
    ),
)
def expansion(case: Landscape) -> Iterator[Values]:
    tuner, tuning = explored(case), case.tuning
    low, high, *_ = (bound.tolist() for bound in tuner.bounds)
    miss = max(_over(case.costs, high), _over(low, case.costs))
    certified = frozenset(np.flatnonzero(tuner.safe).tolist())
    place = (tuning.points, case.costs, tuning.seeds, tuning.limit, tuning.lipschitz or 0)
    near = reachable(*place, Fraction(tuning.tolerance) + miss)
    yield {
        theory.certified: len(certified),
        theory.within: len(certified & reachable(*place, -miss)),
        theory.in_reach: len(near),
        theory.reached: len(near & certified),
    }


def _multiplier(tuning: Tuning, step: int) -> Fraction:
    if not isinstance(tuning.confidence, str):
        return Fraction(tuning.confidence)
    return Fraction(alpha_bayes(len(tuning.points), step, tuning.failure))


def _gained(kernel: np.ndarray, noise: Fraction, order: Sequence[int]) -> Ball:
    """Half the log-determinant of I + K/noise variance over the observed targets."""

    def compute() -> flint.arb:
        size = len(order)
        entries = [
            to_arb((i == j) + Fraction(float(kernel[order[i], order[j]])) / noise)
            for i in range(size)
            for j in range(size)
        ]
        return flint.arb_mat(size, size, entries).det().log() / 2 if size else flint.arb(0)

    return Ball(compute)


_RATIO = theory.k_max / theory.nu2
_LESS = (Rational(9, 10) * (1 + _RATIO), _RATIO + Rational(9, 10), 1 + Rational(9, 10) * _RATIO)
_WEAKER = "true: the argument of the logarithm is less, so the bound is more"


@claim(
    theory.stopping,
    over=landscapes(confidence="bayes", **_UNTIL_STOPPED).with_landmarks(
        free=lambda: free_step(1.5, 1.0),
        large=lambda: free_step(25.0, 1.0),
        loud=lambda: free_step(25.0, 2.0),
        small=lambda: free_step(0.04, 0.5),
    ),
    survivors={
        Le(
            theory.N_steps * theory.zeta**2,
            8 * theory.alpha**2 * theory.k_max * theory.information / log(x),
        ): _WEAKER
        for x in _LESS
    },
)
def stopping(case: Landscape) -> Iterator[Values]:
    tuner, tuning = explored(case), case.tuning
    order = [step.index for step in tuner.history]
    kernel, noise = tuning.cost.kernel, Fraction(tuning.cost.noise**2)
    yield {
        theory.N_steps: len(order),
        theory.zeta: Fraction(tuning.tolerance),
        theory.alpha: _multiplier(tuning, max(len(order), 1)),
        theory.k_max: Fraction(kernel.largest),
        theory.nu2: noise,
        theory.information: _gained(kernel.values, noise, order),
    }


def at_the_bounds(beyond: float = 0.0) -> tuple[Landscape, bool]:
    """Two seeds with bounds of 2 on either side; one reward is at the lower, one at the upper end.

    The first is tried, by the tie, and its regret is the width, and twice what is `beyond`.
    """
    tuning = Tuning(line(2), (0, 1), 1.0, identity(2), identity(2), confidence=2.0, evaluations=1)
    _, _, low, high = Tuner(tuning).bounds
    ends = (float(low[0]) - beyond, float(high[1]) + beyond)
    return Landscape(tuning, (0.0, 0.0), ends, ((0.0, 0.0),)), False


def _maximising(draw: Draw) -> Landscape:
    few = {"method": "pls", "evaluations": 8, "explorations": draw.integer(0, 3)}
    return landscapes(**few).draw(draw)[0]


_MAXIMISING = Family("landscapes whose reward is maximised", _maximising)


@claim(
    theory.regret,
    over=_MAXIMISING.along(lambda draw, land: False)
    .with_landmarks(ends=at_the_bounds, beyond=lambda: at_the_bounds(4.0))
    .with_controls(reachable=_MAXIMISING.along(lambda draw, land: True)),
)
def regret(case: Landscape, everywhere: bool) -> Iterator[Values]:
    misses, against, tuner = [], None, Tuner(case.tuning)
    for tuner, proposal in case.steps():
        if proposal is not None and proposal.phase == "maximise":
            against = tuner.safe if against is None else against
            low, high = (bound.tolist() for bound in tuner.bounds[2:])
            misses.append(max(_over(case.rewards, high), _over(low, case.rewards)))
    tried = [s for s in tuner.history if s.proposal and s.proposal.phase == "maximise"]
    if against is None or not tried or tuner.unsafe:
        raise OutOfScope("no target was tried for its reward")
    if everywhere:
        against = np.asarray(case.costs) <= case.tuning.limit
    found = Fraction(case.rewards[tuner.recommend()])
    yield {
        theory.behind: max(found, *(Fraction(case.rewards[z]) for z in np.flatnonzero(against)))
        - found,
        theory.width: min(Fraction(step.reward_width) for step in tried),
        theory.miss_r: max(misses),
    }


def _product(design: Design, order: Sequence[int]) -> Fraction:
    return prod(
        (1 + v / design.noise for v in variances(design.kernel, design.noise, order)),
        start=Fraction(1),
    )


def _half_log(number: Fraction) -> Ball:
    return Ball(lambda: to_arb(number).log() / 2)


def _constants(design: Design) -> Values:
    found = variances(design.kernel, design.noise, design.order)
    return {
        theory.V_mean: sum(found) / Fraction(len(found)),
        theory.information: _half_log(_product(design, design.order)),
        theory.N_steps: len(found),
        theory.nu2: design.noise,
    }


def one(variance: Fraction | int, steps: int = 1) -> tuple[Design]:
    """One target, or so many independent ones, each observed once with noise 1."""
    kernel = tuple(tuple(Fraction(variance * (i == j)) for j in range(steps)) for i in range(steps))
    return (Design(kernel, Fraction(1), tuple(range(steps)), (Fraction(3),) * steps),)


@claim(
    theory.average_width,
    over=designs().with_landmarks(
        one=lambda: one(1),
        small=lambda: one(Fraction(1, 4)),
        large=lambda: one(25),
        three=lambda: one(4, 3),
        tiny=lambda: one(400),
    ),
    survivors={
        Le(
            theory.V_mean,
            2 * theory.k_max * theory.information / (theory.N_steps * log(inside)),
        ): _WEAKER
        for inside in _LESS
    },
)
def average_width(design: Design) -> Iterator[Values]:
    steps = range(len(design.kernel))
    found = variances(design.kernel, design.noise, design.order)
    multisets = combinations_with_replacement(steps, len(found))
    pairs = list(zip(design.multipliers, found, strict=True))
    yield {
        **_constants(design),
        theory.W_mean: Ball(
            lambda: (
                sum((2 * to_arb(a) * to_arb(v).sqrt() for a, v in pairs), flint.arb(0)) / len(pairs)
            )
        ),
        theory.alpha: design.multipliers[-1],
        theory.k_max: max(design.kernel[i][i] for i in steps),
        theory.gamma: _half_log(max(_product(design, order) for order in multisets)),
    }


@claim(
    theory.unit_constant,
    over=designs(largest=5).with_landmarks(**{"k = 25": lambda: one(25)}),
    witness="k = 25",
)
def unit_constant(design: Design) -> Iterator[Values]:
    yield _constants(design)


@dataclass(frozen=True, slots=True)
class Independent:
    """Ten independent targets of this variance, noise 1, Delta = 1/10."""

    variance: int

    def success(self) -> flint.arb:
        """P(f_1 >= max f - E), the integral of phi(x) Phi(x + E/sqrt k)^9."""
        alpha2 = 2 * (10 * flint.arb.pi() ** 2 / 6 * 10).log()
        gained = (1 + flint.arb(self.variance)).log() / 2
        reach = (8 * alpha2 * gained / flint.arb(2).log() / self.variance).sqrt()

        def density(x: flint.acb, _: bool) -> flint.acb:
            phi = (-x * x / 2).exp() / (2 * flint.acb.pi()).sqrt()
            return phi * ((1 + ((x + reach) / flint.acb(2).sqrt()).erf()) / 2) ** 9

        beyond = (flint.arb(12) / flint.arb(2).sqrt()).erfc()
        return flint.acb.integral(density, -12, 12).real + beyond.union(flint.arb(0))


@claim(
    theory.unit_regret,
    over=Family("ten independent targets", lambda d: Independent(d.integer(20, 10**6)))
    .with_landmarks(**{
        f"k = {k}": lambda k=k: (Independent(k),) for k in (25, 100, 10**4, 10**6)
    }),
    witness="k = 10000",
)  # fmt: skip
def unit_regret(case: Independent) -> Iterator[Values]:
    yield {theory.Delta: Fraction(1, 10), theory.success: Ball(case.success)}


def two_arms(first: float, second: float) -> tuple[Landscape]:
    """Two certified targets with these rewards, observed without an error as it happens.

    With 5.4, -5.4: the first is tried 23 times, until the other's growing bound is above; its
    regret of 10.8 exceeds 7.26, what 24 steps promise of the best of them.
    """
    tuning = Tuning(line(2), (0, 1), 1.0, identity(2), identity(2), failure=1e-6, explorations=0)
    return (Landscape(tuning, (0.0, 0.0), (first, second), ((0.0, 0.0),) * LONGEST),)


def _arms(draw: Draw) -> Landscape:
    return two_arms(draw.integer(30, 54) / 10, -draw.integer(30, 54) / 10)[0]


def _rewards_inside(case: Landscape) -> Values:
    bounds = [tuner.bounds[2:] for tuner, _ in case.steps()]
    misses = (max(_over(case.rewards, high), _over(low, case.rewards)) for low, high in bounds)
    return {theory.miss_r: max(misses)}


@claim(
    theory.last_target,
    over=Family("two targets, one good", _arms).with_landmarks(late=lambda: two_arms(5.4, -5.4)),
    witness="late",
    shows=_rewards_inside,
)
def last_target(case: Landscape) -> Iterator[Values]:
    order = [step.index for step in case.finished().history]
    if 1 not in order:
        raise OutOfScope(f"the second target is not tried within {LONGEST} steps")
    order = order[: order.index(1) + 1]
    best, half = max(map(Fraction, case.rewards)), len(order) // 2
    yield {
        theory.behind_last: best - Fraction(case.rewards[order[-1]]),
        theory.alpha: _multiplier(case.tuning, len(order)),
        theory.k_max: 1,
        theory.nu2: 1,
        theory.N_steps: len(order),
        theory.gamma: _half_log(Fraction((1 + half) * (1 + len(order) - half))),
    }


@claim(
    theory.printed_sign,
    over=landscapes(method="pls", rule="lipschitz", initial="seeds", expanders="printed"),
)
def printed_sign(case: Landscape) -> Iterator[Values]:
    tuner, tuning = case.finished(), case.tuning
    if tuner.unsafe:
        raise OutOfScope("a certified target was observed to be unsafe")
    inside, outside = np.flatnonzero(tuner.safe), np.flatnonzero(~tuner.safe)
    low, slope = tuner.bounds[0], tuning.lipschitz or 0.0
    counts = [
        sum(low[z] - slope * np.linalg.norm(tuning.points[z] - tuning.points[y]) <= tuning.limit
            for y in outside)
        for z in inside
    ]  # fmt: skip
    yield {theory.counted: int(min(counts)), theory.uncertified: len(outside)}


@claim(
    theory.observed,
    over=misled().with_controls(lipschitz=misled(steep=4.0, valid=False)),
)
def observed(case: Landscape) -> Iterator[Values]:
    tuner, tuning = case.finished(), case.tuning
    noise = [Fraction(case.costs[s.index]) - Fraction(s.cost) for s in tuner.history]
    beyond = [off - Fraction(tuning.noise_bound or 0) for off in noise]
    seeds = [Fraction(case.costs[seed]) - Fraction(tuning.limit) for seed in tuning.seeds]
    yield {theory.excess: _excess(tuner, case.costs), theory.broken: max(beyond + seeds)}
