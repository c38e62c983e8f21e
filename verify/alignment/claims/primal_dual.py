"""Claims on HIPO's problem and algorithm: rationals without a divergence, balls with one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial

import flint
import numpy as np

from holdfast.solvers.alignment import hipo
from holdfast.solvers.alignment.groups import reverse_gradient
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.tilts import ready, tilt
from holdfast.theory import Eq, Ge, Le, Quantity
from holdfast.theory.alignment import primal_dual as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ..families import primal_dual as families
from ..families.primal_dual import OPPOSED, SCORED, SETTLED, Opposed, dual_value
from ..families.stepwise import Known
from ..landmarks import primal_dual as landmarks
from ..together import together

Balls = Mapping[Quantity, flint.arb]


def _reached(case: Problem, multiplier: Fraction | flint.arb) -> flint.arb:
    """J of a multiplier."""
    return Known(case, Fraction(0), Fraction(0)).safety(_optimum(case, multiplier))


def _optimum(case: Problem, multiplier: Fraction | flint.arb) -> families.Array:
    f = ready(case.rewards) + ready(multiplier) * ready(case.safety)
    return tilt(case.reference, f, case.temperature)


_CLOSE, _WIDE = (Fraction(0), Fraction(1, 1000)), (Fraction(0), Fraction(2))
_AT_MOST_1 = "true: scores and levels are 1 at most"


@claim(
    theory.dual,
    over=SCORED.along(families.level, families.pair).with_landmarks(
        balanced=lambda: (landmarks.balanced().problem, Fraction(1, 20), _CLOSE),
        hot=lambda: (landmarks.balanced("0", "4").problem, Fraction(1, 2), _WIDE),
        wanting=lambda: (landmarks.balanced().problem, Fraction(1), _CLOSE),
    ),
    survivors={
        Le(theory.by * (theory.J_low - 1), theory.D_high - theory.D_low): _AT_MOST_1,
        Le(theory.J_high - 1, theory.by / (4 * theory.beta)): _AT_MOST_1,
    },
)
def dual(case: Problem, level: Fraction, pair: tuple[Fraction, Fraction]) -> Iterator[Values]:
    low, high = pair

    def found() -> Balls:
        return {
            theory.J_low: _reached(case, low),
            theory.J_high: _reached(case, high),
            theory.D_low: dual_value(case, low, level),
            theory.D_high: dual_value(case, high, level),
        }

    quantities = (theory.J_low, theory.J_high, theory.D_low, theory.D_high)
    given = {theory.by: high - low, theory.tau: level, theory.beta: case.temperature}
    yield {**given, **together(found, *quantities)}


def _stepped(known: Known, multiplier: flint.arb, step: Fraction) -> flint.arb:
    """The next multiplier of exact dual descent."""
    shortfall = known.level() - _reached(known.problem, multiplier)
    return (multiplier + ready(step) * shortfall).max(flint.arb(0))


def _start(draw: Draw, known: Known) -> Fraction:
    """Near the optimum, or not."""
    away = draw.choice(tuple(map(Fraction, ("1/50", "1", "3", "-1/50"))))
    return max(known.multiplier + away, Fraction(0))


def _share(draw: Draw, *_: object) -> Fraction:
    """The step over 8 beta, below 1."""
    return draw.choice(tuple(map(Fraction, ("1/2", "1/4", "1", "1/20"))))


def _long_share(draw: Draw, *_: object) -> Fraction:
    return draw.choice(tuple(map(Fraction, ("2", "4", "30"))))


_STEPS = SETTLED.along(_start, _share).with_landmarks(
    balanced=lambda: (landmarks.balanced("1/100"), Fraction(11, 1000), Fraction(1)),
    careful=lambda: (landmarks.balanced("1/100"), Fraction(11, 1000), Fraction(1, 2)),
    cold=lambda: (landmarks.balanced("1/100", "1/20"), Fraction(11, 1000), Fraction(1, 20)),
    hot=lambda: (landmarks.balanced("1/100", "4"), Fraction(11, 1000), Fraction(2)),
    hot_long=lambda: (landmarks.balanced("1/100", "4"), Fraction(11, 1000), Fraction(4)),
    long=lambda: (landmarks.balanced("1/100"), Fraction(11, 1000), Fraction(4)),
)


@claim(theory.descent, over=_STEPS)
def descent(known: Known, start: Fraction, share: Fraction) -> Iterator[Values]:
    step = share * 8 * known.problem.temperature

    def found() -> Balls:
        after = _stepped(known, ready(start), step)
        return {
            theory.after: after,
            theory.D_before: dual_value(known.problem, start, known.level()),
            theory.D_next: dual_value(known.problem, after, known.level()),
        }

    given = {theory.before: start, theory.eta: step, theory.beta: known.problem.temperature}
    yield {**given, **together(found, theory.after, theory.D_before, theory.D_next)}


_SUM = theory.before + theory.lam
_SHORT = SETTLED.along(_start, _share).with_landmarks(
    balanced=lambda: (landmarks.balanced(), Fraction(1, 500), Fraction(1)),
    still=lambda: (landmarks.balanced(), Fraction(1, 500), Fraction(1, 200)),
    far=lambda: (landmarks.balanced("5"), Fraction(7), Fraction(1, 200)),
    zero=lambda: (landmarks.balanced("5"), Fraction(0), Fraction(1, 200)),
    below=lambda: (landmarks.balanced("5"), Fraction(23, 5), Fraction(1, 200)),
    above=lambda: (landmarks.balanced("5"), Fraction(27, 5), Fraction(1, 200)),
)


@claim(
    theory.nearer,
    over=_SHORT.with_controls(short=SETTLED.along(_start, _long_share)),
    survivors={
        Le((theory.after - theory.lam) ** 2, other): "true: multipliers are not negative"
        for other in (_SUM**2, (-theory.before - theory.lam) ** 2)
    },
)
def nearer(known: Known, start: Fraction, share: Fraction) -> Iterator[Values]:
    step = share * 8 * known.problem.temperature
    yield {
        theory.lam: known.multiplier,
        theory.before: start,
        theory.after: Ball(lambda: _stepped(known, ready(start), step)),
    }


def _count(draw: Draw, *_: object) -> int:
    return draw.integer(1, 5)


_RATE = theory.apart**2 / (2 * theory.eta * theory.K)


_LATE, _EARLY = (Quantity(f"distance_{one}", f"distance of the {one} multiplier from the optimal "
                          "one") for one in ("last", "first"))  # fmt: skip


def _any_step() -> Iterator[Values]:
    """Ten steps of 3/2, where 8 beta is 2/5, from near the optimal multiplier: they end far."""
    known, first = landmarks.balanced("1/10", "1/20"), Fraction(101, 1000)

    def last() -> flint.arb:
        at = ready(first)
        for _ in range(10):
            at = _stepped(known, at, Fraction(3, 2))
        return abs(at - ready(known.multiplier))

    yield {_LATE: Ball(last), _EARLY: first - known.multiplier}


@claim(
    theory.rate,
    mutants=(
        NamedMutant("H2-any-step", Le(_LATE, _EARLY), "steps of any size converge", _any_step),
    ),
    over=SETTLED.along(_start, _share, _count).with_landmarks(
        cold=lambda: (landmarks.balanced("1/100", "1/20"), Fraction(11, 1000), Fraction(1, 3), 1),
        hot=lambda: (landmarks.balanced("1/100", "16"), Fraction(11, 1000), Fraction(1, 3), 1),
        far=lambda: (landmarks.balanced("1/100", "16"), Fraction(20), Fraction(1, 3), 1),
    ),
    survivors={
        Le(theory.D_last - 1, _RATE): "true: user scores, so the optimum, are 1 at most",
        Le(
            theory.D_last - theory.D_star, _RATE * 9 / 10
        ): "true or not known to be false: gradient descent is about twice as good as this bound",
    },
)
def rate(known: Known, start: Fraction, share: Fraction, count: int) -> Iterator[Values]:
    step = share * 4 * known.problem.temperature

    def found() -> Balls:
        at = ready(start)
        for _ in range(count):
            at = _stepped(known, at, step)
        level = known.level()
        return {
            theory.D_last: dual_value(known.problem, at, level),
            theory.D_star: dual_value(known.problem, known.multiplier, level),
        }

    apart = abs(start - known.multiplier)
    given = {theory.apart: apart, theory.eta: step, theory.K: count}
    yield {**given, **together(found, theory.D_last, theory.D_star)}


@claim(
    theory.idle,
    over=SETTLED.with_landmarks(
        balanced=lambda: (landmarks.balanced(),),
        hot=lambda: (landmarks.balanced("1/1000", "4"),),
    ),
    survivors={Le(theory.tau - 1, theory.lam / (4 * theory.beta)): _AT_MOST_1},
)
def idle(known: Known) -> Iterator[Values]:
    free = partial(_reached, known.problem, Fraction(0))
    yield {
        theory.lam: known.multiplier,
        theory.beta: known.problem.temperature,
        theory.J_free: Ball(free),
        theory.tau: Ball(known.level),
        theory.spare: Ball(lambda: (free() - known.level()).max(flint.arb(0)))
        if known.slack
        else 0,
    }


@claim(
    theory.lock_step,
    over=OPPOSED.along(families.group),
    mutants=(
        NamedMutant("sum", Eq(theory.drift, (1 + theory.lam) * theory.drift_unit), "1 + lambda"),
    ),
)
def lock_step(case: Opposed, group: tuple[int, int, Fraction]) -> Iterator[Values]:
    """The first prompt, at the reference."""
    size, count, lam = group
    user, system = case.problem.rewards[0], case.problem.safety[0]
    responses = [0] * count + [1] * (size - count)

    def drift(f: families.Array, g: families.Array, multiplier: Fraction) -> flint.arb:
        policy = ready(case.problem.reference[0])
        return hipo.expected_direction(policy, f, g, ready(multiplier), size)[0]

    unit = np.array([Fraction(1), Fraction(0)], dtype=object)

    def found() -> Balls:
        return {
            theory.a_user: hipo.standardised(user[responses])[0],
            theory.a_system: hipo.standardised(system[responses])[0],
            theory.drift: drift(user, system, lam),
            theory.drift_unit: drift(unit, unit, Fraction(0)),
        }

    yield {
        theory.G: size,
        theory.k: count,
        theory.lam: lam,
        **together(found, theory.a_user, theory.a_system, theory.drift, theory.drift_unit),
    }


_EXCHANGE = OPPOSED.with_landmarks(
    at_three_quarters=lambda: (families.two_prompts(),),
    at_printed_level=lambda: (families.two_prompts("7/10"),),
)


@claim(
    theory.exchange,
    over=_EXCHANGE,
    mutants=(
        NamedMutant("M18", Eq(theory.J_lock, theory.J_best), "normalised HIPO finds the optimum"),
    ),
)
def exchange(case: Opposed) -> Iterator[Values]:
    best = hipo.constrained_vertex(case.problem, case.level)
    user, system = hipo.lock_step(case.problem, case.level)
    (u, v), (s, t) = (
        [(case.problem.prompt_law * f[:, y]).sum() for y in (0, 1)]
        for f in (case.problem.rewards, case.problem.safety)
    )
    yield {
        theory.u_first: u,
        theory.u_second: v,
        theory.s_first: s,
        theory.by_second: t - s,
        theory.q: (case.level - s) / (t - s),
        theory.dual_best: families.least_dual(
            case.problem.prompt_law, case.problem.rewards, case.problem.safety, case.level
        ),
        theory.J_lock: user,
        theory.s_lock: system,
        theory.J_best: best.user,
        theory.s_best: best.system,
        theory.tau: case.level,
    }


@claim(
    theory.kl_gradient,
    over=families.OWN.with_controls(on_policy=families.SHARPENED),
    mutants=(NamedMutant("M19", Eq(theory.k1, theory.true_kl), "k1 in the loss regularises"),),
)
def kl_gradient(case: families.Sampling) -> Iterator[Values]:
    """The first logit; signs are those of descent."""
    policy, reference, sampling, weight = case

    def found() -> Balls:
        return {
            theory.in_reward: -hipo.in_reward(policy, reference, weight)[0],
            theory.true_kl: ready(weight) * reverse_gradient(policy, reference)[0],
        }

    moved = hipo.own_samples_only(policy, sampling, weight)[0]
    yield {theory.k1: -moved, **together(found, theory.in_reward, theory.true_kl)}


def _feasible(draw: Draw, case: Problem) -> Fraction:
    """Up to the largest system score."""
    return Fraction(draw.integer(0, 8), 8) * (case.prompt_law * case.safety.max(axis=1)).sum()


@claim(theory.one_prompt, over=SCORED.along(_feasible))
def one_prompt(case: Problem, level: Fraction) -> Iterator[Values]:
    best = hipo.constrained_vertex(case, level)
    yield {
        theory.n_random: int(((best.policy > 0).sum(axis=1) > 1).sum()),
        theory.J_best: best.user,
        theory.dual_best: best.dual,
    }


@claim(
    theory.average,
    over=families.PROMPTS.with_landmarks(
        two=lambda: ((families.array("1/2", "1/2"), families.array("0", "1")),)
    ),
    mutants=(NamedMutant("each", Ge(theory.own, theory.J), "each prompt complies as the average"),),
)
def average(case: families.Prompts) -> Iterator[Values]:
    law, own = case
    yield {theory.share: law[0], theory.own: own[0], theory.J: (law * own).sum()}


def _root(draw: Draw) -> Fraction:
    return Fraction(draw.integer(1, 9), 10)


@claim(
    theory.tied,
    over=Family("levels of two tied tokens", _root).with_landmarks(
        quarter=lambda: (Fraction(1, 2),)
    ),
    witness="quarter",
    shows=lambda root: {theory.root: root},
)
def tied(root: Fraction) -> Iterator[Values]:
    """P(aa) = p^2 subject to P(bb) = (1 - p)^2 >= root^2: p = 1 - root.  The Lagrangian is convex
    in p, so largest at p = 0 or 1: max(lam (1 - tau), 1 - lam tau), least at lam = 1."""
    yield {theory.primal: (1 - root) ** 2, theory.dual_tied: 1 - root**2}


_APART = "true as well: the two kinds of runs are far apart"


def _seed(draw: Draw) -> int:
    return draw.integer(0, 1)


_SEEDS = Family("seeds of 512 runs", _seed, weight=500)


@claim(
    theory.sampled,
    over=_SEEDS,
    survivors={
        Le(theory.J_run * 11 / 10, theory.middle): _APART,
        Le(theory.J_run, theory.middle * 9 / 10): _APART,
        Ge(theory.J_plain * 9 / 10, theory.middle): _APART,
        Ge(theory.J_plain, theory.middle * 11 / 10): _APART,
    },
    mutants=(
        NamedMutant("sampled-alike", Ge(theory.J_run, theory.middle), "runs find the optimum"),
    ),
)
def sampled(seed: int) -> Iterator[Values]:
    case = families.two_prompts()
    lock = hipo.lock_step(case.problem, case.level)[0]
    best = hipo.constrained_vertex(case.problem, case.level).user
    yield {
        theory.middle: (lock + best) / 2,
        theory.J_run: families.late_scores(seed, True),
        theory.J_plain: families.late_scores(seed, False),
    }
