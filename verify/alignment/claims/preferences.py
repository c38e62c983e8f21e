"""Claims on losses of preferences: minimisers are found by Newton's method and enclosed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import flint
import numpy as np
from sympy import log

from holdfast.solvers.alignment import preferences as solver
from holdfast.solvers.alignment.tilts import ready, tilt
from holdfast.solvers.sequences import Array
from holdfast.theory import Eq, Ge, Quantity
from holdfast.theory.alignment import preferences as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import PhiloxDraw
from ...binding.family import Family
from ...binding.values import Values
from ..families import comparisons as families
from ..families.comparisons import Comparisons, Labels, Tournament
from ..together import together

Balls = Mapping[Quantity, flint.arb]
_CONNECTED, _APART = families.comparisons(), families.comparisons(2)


def _loss(case: Comparisons, policy: Array) -> flint.arb:
    wins = solver.population_wins(case.rewards, case.weights)
    found: flint.arb = solver.dpo_loss(wins, policy, case.reference, case.temperature)
    return found


def _best(case: Comparisons) -> Array:
    found: Array = tilt(case.reference[None], case.rewards[None], case.temperature)[0]
    return found


@claim(theory.dpo_loss, over=_CONNECTED)
def dpo_loss(case: Comparisons) -> Iterator[Values]:
    """Probabilities of labels from rewards, and from the implicit rewards of the policy."""

    def found() -> Balls:
        implied = ready(np.array([case.temperature])) * np.log(
            ready(case.policy) / ready(case.reference)
        )
        p, predicted = (solver.bradley_terry(one) for one in (case.rewards, implied))
        return {
            theory.loss: _loss(case, case.policy),
            theory.least: _loss(case, _best(case)),
            theory.labels: (ready(case.weights) * p * np.log(p / predicted)).sum(),
        }

    yield {**together(found, *theory.dpo_loss.quantities)}


def _minimiser(case: Comparisons) -> Array:
    wins = solver.population_wins(case.rewards, case.weights)
    return solver.dpo(wins, case.reference, case.temperature)


def _pair(case: Comparisons, y: int, other: int) -> Values:
    """What is known of two responses beside their ratio at the minimiser."""
    return {
        theory.ratio_ref: case.reference[y] / case.reference[other],
        theory.gain: case.rewards[y],
        theory.other_gain: case.rewards[other],
        theory.beta: case.temperature,
    }


_LOG_REF = log(theory.ratio_ref)


@claim(
    theory.dpo,
    over=_CONNECTED.with_controls(connected=_APART),
    mutants=(
        NamedMutant(
            "G3-inverse",
            Eq(log(theory.ratio), _LOG_REF + theory.beta * (theory.gain - theory.other_gain)),
            "beta in place of 1/beta",
        ),
        NamedMutant(
            "G3-sum",
            Eq(log(theory.ratio), _LOG_REF + (theory.gain + theory.other_gain) / theory.beta),
            "sigma(r + r')",
        ),
    ),
)
def dpo(case: Comparisons) -> Iterator[Values]:
    """The first response and the last, which are often not compared."""

    def found() -> Balls:
        policy = _minimiser(case)
        return {theory.ratio: policy[0] / policy[-1]}

    yield {**_pair(case, 0, len(case.weights) - 1), **together(found, theory.ratio)}


def _ends(case: Comparisons) -> tuple[int, int, int]:
    """Two responses that are connected, and one that is not with them."""
    first, second = solver.components(case.weights)
    return first[0], first[-1], second[0]


def _across() -> Iterator[Values]:
    for index in range(5):
        (case,) = _APART.draw(PhiloxDraw("M8", index))
        y, _, other = _ends(case)
        policy = _minimiser(case)
        yield {**_pair(case, y, other), **together(lambda p=policy, y=y, other=other: {
            theory.across: p[y] / p[other]}, theory.across)}  # fmt: skip


_ACROSS = Eq(log(theory.across), _LOG_REF + (theory.gain - theory.other_gain) / theory.beta)


@claim(
    theory.components,
    over=_APART,
    mutants=(NamedMutant("M8-any-graph", _ACROSS, "any graph identifies the tilt", _across),),
)
def components(case: Comparisons) -> Iterator[Values]:
    """A third of the mass of one component moves to the others, in proportion."""
    y, other, _ = _ends(case)
    first = solver.components(case.weights)[0]
    inside = case.policy[first].sum()
    shifted = case.policy * (1 + inside / 3 / (1 - inside))
    shifted[first] = case.policy[first] * Fraction(2, 3)

    def found() -> Balls:
        policy = _minimiser(case)
        return {
            theory.ratio: policy[y] / policy[other],
            theory.loss: _loss(case, case.policy),
            theory.shifted_loss: _loss(case, shifted),
        }

    names = (theory.ratio, theory.loss, theory.shifted_loss)
    yield {**_pair(case, y, other), **together(found, *names)}


@claim(theory.ipo, over=Family("tournaments", families.tournament))
def ipo(case: Tournament) -> Iterator[Values]:
    wins = case.law[:, None] * case.law * case.chances
    ratios = solver.ipo_log_ratios(wins, case.temperature)
    win = case.chances @ case.law
    yield {
        theory.log_ratio: ratios[0] - ratios[-1],
        theory.win: win[0],
        theory.other_win: win[-1],
        theory.beta: case.temperature,
    }


@claim(
    theory.kto,
    over=Family("labels of single responses", families.labels).with_landmarks(
        mixed=lambda: (families.mixed(),)
    ),
    mutants=(
        NamedMutant(
            "KTO-tilt", Ge(theory.kto_moved, theory.kto_loss), "no policy is better than a tilt"
        ),
    ),
)
def kto(case: Labels) -> Iterator[Values]:
    moved = case.policy.copy()
    moved[:2] += np.array([-1, 1]) * case.policy[0] / 2

    def found() -> Balls:
        data = case.desirable, case.undesirable
        rest = case.reference, case.temperature, case.baseline
        return {
            theory.kto_loss: solver.kto_loss(*data, case.policy, *rest),
            theory.kto_moved: solver.kto_loss(*data, moved, *rest),
        }

    yield {**together(found, theory.kto_loss, theory.kto_moved)}
