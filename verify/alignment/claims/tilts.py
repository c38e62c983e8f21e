"""Claims on tilts: values in balls, of the tilt itself, so that each formula meets a definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce

import flint
import numpy as np

from holdfast.solvers.alignment.autoregressive import soft_bellman as solve_sequences
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.tilts import divergence, log_partition, mean, objective, ready, tilt
from holdfast.solvers.hypergradient.balls import elementwise
from holdfast.solvers.sequences import Array
from holdfast.theory import Eq, Quantity
from holdfast.theory.alignment import tilts as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.values import Values
from ...hypergradient.families.points import numbers
from ...hypergradient.oracles.duals import line
from ..families import problems as families
from ..families.sequences import Sequences, sequences
from ..landmarks import tilts as landmarks
from ..together import together

Balls = Mapping[Quantity, flint.arb]


def _best(case: Problem, f: Array) -> tuple[Array, flint.arb]:
    """The tilt by f, and J_f there by its definition."""
    found = tilt(case.reference, f, case.temperature)
    value = objective(case.prompt_law, found, case.reference, f, case.temperature)
    return found, value


def _mean(prompt_law: Array, values: Array) -> flint.arb:
    found: flint.arb = (ready(prompt_law) * values).sum()
    return found


@claim(
    theory.gibbs,
    over=families.problems().along(families.any_policy),
    mutants=(
        NamedMutant("G1-inverse", Eq(theory.best - theory.J, theory.apart / theory.beta), "1/beta"),
    ),
)
def gibbs(case: Problem, policy: Array) -> Iterator[Values]:
    law, heat = case.prompt_law, case.temperature

    def found() -> Balls:
        optimum, value = _best(case, case.rewards)
        return {
            theory.best: value,
            theory.J: objective(law, policy, case.reference, case.rewards, heat),
            theory.apart: divergence(law, policy, optimum),
            theory.log_Z: _mean(law, log_partition(case.reference, case.rewards, heat)),
        }

    names = theory.gibbs.quantities - {theory.beta}
    yield {theory.beta: heat, **together(found, *names)}


def _of_prompts(draw: Draw, case: Problem) -> Array:
    found: Array = numbers(draw, len(case.prompt_law), 1) + case.rewards * 0
    return found


@claim(
    theory.shift,
    over=families.problems()
    .along(_of_prompts)
    .with_controls(prompt_only=families.problems().along(families.gains)),
)
def shift(case: Problem, moved: Array) -> Iterator[Values]:
    def found() -> Balls:
        (law, value), (moved_law, moved_value) = (
            _best(case, f) for f in (case.rewards, case.rewards + moved)
        )
        return {
            theory.best: value,
            theory.moved_best: moved_value,
            theory.chance: law[0, 0],
            theory.moved_chance: moved_law[0, 0],
        }

    names = theory.shift.quantities - {theory.mean_c}
    c = mean(case.prompt_law, case.reference, moved)
    yield {theory.mean_c: c, **together(found, *names)}


_PAIRS = families.problems().along(families.gains)


@claim(
    theory.lipschitz,
    over=_PAIRS.with_landmarks(
        level=landmarks.level, no_rise=landmarks.no_rise, deep=landmarks.deep, below=landmarks.below
    ),
)
def lipschitz(case: Problem, other: Array) -> Iterator[Values]:
    def found() -> Balls:
        values = (_best(case, f)[1] for f in (case.rewards, other))
        return dict(zip((theory.best, theory.other_best), values, strict=True))

    apart = case.rewards - other
    yield {
        theory.largest: abs(apart).max(),
        theory.rise: apart.max(),
        **together(found, theory.best, theory.other_best),
    }


@claim(
    theory.nearness,
    over=_PAIRS.with_landmarks(slight=landmarks.slight, seldom=landmarks.seldom),
)
def nearness(case: Problem, other: Array) -> Iterator[Values]:
    def found() -> Balls:
        laws = [tilt(case.reference, f, case.temperature) for f in (case.rewards, other)]
        ratios = [abs(one) for one in np.log(laws[0] / laws[1]).ravel()]
        return {
            theory.divergence: divergence(case.prompt_law, *laws),
            theory.log_ratio: reduce(flint.arb.max, ratios),
        }

    apart = case.rewards - other
    yield {
        theory.span: (apart.max(axis=1) - apart.min(axis=1)).max(),
        theory.beta: case.temperature,
        **together(found, theory.divergence, theory.log_ratio),
    }


@claim(theory.multiplier, over=families.problems())
def multiplier(case: Problem) -> Iterator[Values]:
    """The reference of the case is the tilt at lambda; a step of lambda tilts it by g."""
    g, law = case.safety, case.prompt_law
    weights = case.reference * elementwise(lambda one: one.exp(), line(g * 0, g / case.temperature))
    moving = (weights * g).sum(axis=1) / weights.sum(axis=1)
    centred = g - (case.reference * g).sum(axis=1)[:, None]
    yield {
        theory.slope: (law * moving).sum().slope,
        theory.variance: mean(law, case.reference, centred**2),
        theory.beta: case.temperature,
    }


@claim(
    theory.cold,
    over=families.problems(prompts=1).with_landmarks(
        cold=landmarks.cold, hot=landmarks.hot, alike=landmarks.alike, negative=landmarks.negative
    ),
    survivors={"best >= 11*beta*log(p)/10 + top": "true: weaker, as log p <= 0"},
)
def cold(case: Problem) -> Iterator[Values]:
    f, law = case.rewards[0], case.reference[0]
    winners = f == f.max()
    rest = f[~winners]

    def found() -> Balls:
        optimum, value = _best(case, case.rewards)
        return {theory.best: value, theory.missed: optimum[0][~winners].sum() + flint.arb(0)}

    yield {
        theory.p: law[winners].sum(),
        theory.gap: f.max() - rest.max() if rest.size else 1,
        theory.top: f.max(),
        theory.plain: (law * f).sum(),
        theory.beta: case.temperature,
        **together(found, theory.best, theory.missed),
    }


@claim(theory.soft_bellman, over=sequences())
def soft_bellman(case: Sequences) -> Iterator[Values]:
    """The first of the sequences, and the tilt of them all as one set of responses."""

    def found() -> Balls:
        policy, values = solve_sequences(case.reference, case.rewards, case.temperature)
        law = case.reference.probabilities()[None]
        gains = np.array([case.rewards[one] for one in case.reference.sequences])[None]
        first = case.reference.sequences[0]
        return {
            theory.root: values[()],
            theory.log_Z_one: log_partition(law, gains, case.temperature)[0],
            theory.product: policy.probability(first),
            theory.whole: tilt(law, gains, case.temperature)[0, 0],
        }

    names = theory.soft_bellman.quantities - {theory.beta}
    yield {theory.beta: case.temperature, **together(found, *names)}
