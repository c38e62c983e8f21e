"""Claims on what OGSRL prints: exact counterexamples, and how they meet what is printed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers import CMDP, from_arrays, policy_return, solve
from holdfast.solvers.cmdp.tails import binomial_tail
from holdfast.theory.cmdp.foundations import gamma
from holdfast.theory.offline import guarded, guarded_samples
from holdfast.theory.offline import guarded_printed as theory

from ...binding.claims import claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Values
from ...cmdp.families.samples import Frequency, frequencies
from ..families.guarded import Estimates, estimates
from ..landmarks import guarded as landmarks
from .guarded import left_within, outside

Unsupported = tuple[CMDP, Fraction, Fraction]
"""A model in which only the last action pays, 1 a step, and is outside of U; limit; each error."""


def _unsupported(draw: Draw) -> Unsupported:
    """Any transitions of one to three states: the value of the plan does not depend on them."""
    size, discount = draw.integer(1, 3), Fraction(draw.choice((9, 5, 99)), draw.choice((10, 100)))
    discount = min(discount, Fraction(99, 100))
    rows = [[[draw.integer(1, 4) for _ in range(size)] for _ in range(2)] for _ in range(size)]
    laws = [[[Fraction(w, sum(row)) for w in row] for row in pair] for pair in rows]
    model = from_arrays(laws, [[0, 1]] * size, discount=discount)
    return model, Fraction(draw.integer(0, 4), 2), Fraction(draw.integer(0, 4), 20)


def _plan_value(model: CMDP, limit: Fraction) -> Fraction:
    """The most that a plan within the limit has in the model: GSRL's optimum."""
    found = solve(model.with_costs([model.reward_vector()], [limit])).value
    assert found is not None  # the first action keeps any limit
    return found


@claim(
    theory.comparator,
    over=Family("paying actions that were never logged", _unsupported).with_landmarks(
        unsupported=landmarks.unsupported
    ),
    witness="unsupported",
    shows=lambda case: {
        theory.spent: 0, gamma: case[0].discount, theory.logged: 0, guarded.limit: case[1],
        theory.supported: 0,
    },
)  # fmt: skip
def comparator(case: Unsupported) -> Iterator[Values]:
    """All three errors are equal; Theorem 2 bounds the true value of the plan from above."""
    model, limit, error = case
    best = 1 / (1 - model.discount)
    yield {
        theory.gap: best - _plan_value(model, limit) - 2 * error,
        guarded.eps_r: error,
        theory.eps_k: error,
        theory.eps_H: error,
    }


def _violating() -> tuple[Estimates]:
    one, two = Fraction(1), Fraction(2)
    return (Estimates((one,), (two,), (two,), Fraction(1, 2)),)


@claim(
    theory.printed_safe,
    over=estimates(absolute=True).with_landmarks(violating=_violating),
    witness="violating",
    shows=lambda case: {
        theory.eps_s: case.margin,
        theory.difference: max(
            abs(b - e) for b, e in zip(case.budgets, case.estimates, strict=True)
        ),
        theory.error: max(abs(e - v) for e, v in zip(case.estimates, case.costs, strict=True)),
    },
)
def printed_safe(case: Estimates) -> Iterator[Values]:
    for cost, bound in zip(case.costs, case.budgets, strict=True):
        yield {theory.V_said: cost, guarded.budget: bound}


@claim(
    theory.step,
    over=frequencies().with_landmarks(
        G16=lambda: (Frequency(10, Fraction(1, 10), Fraction(1, 10)),)
    ),
    witness="G16",
    shows=lambda sample: {theory.alpha: sample.probability},
)
def step(sample: Frequency) -> Iterator[Values]:
    """Strictly above alpha + t: from the next count on."""
    n, p, t = sample.trials, sample.probability, sample.deviation
    first = int(n * (p + t)) + 1
    yield {
        theory.beyond: binomial_tail(n, p, Fraction(first, n) - p),
        guarded_samples.N: n,
        guarded_samples.t: t,
    }


Walk = tuple[int, Fraction]
"""Steps before the set is left with probability 1/2, never again; the discount."""


def _walk(draw: Draw) -> Walk:
    return draw.integer(0, 3), Fraction(draw.integer(1, 3), 4)


def _spent(walk: Walk) -> Fraction:
    model, acting, guard, _ = landmarks.last_step(*walk)
    return policy_return(model, acting, outside(guard))


@claim(
    theory.at_beta,
    over=Family("walks that leave the set once", _walk).with_landmarks(
        second=lambda: ((1, Fraction(1, 2)),)
    ),
    witness="second",
    shows=lambda walk: {theory.V_exit: _spent(walk), guarded.H: walk[0], gamma: walk[1]},
)
def at_beta(walk: Walk) -> Iterator[Values]:
    """beta is the value of the cost itself."""
    yield {guarded.reached: left_within(*landmarks.last_step(*walk)), theory.beta: _spent(walk)}
