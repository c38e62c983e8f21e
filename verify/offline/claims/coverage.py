"""Claims on what a data law says of other policies: exact, and exact tails of frequencies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import comb, factorial, prod
from typing import Any

import flint
from sympy import Rational, sqrt

from holdfast.solvers import Policy, policy_return
from holdfast.solvers.hypergradient.balls import number
from holdfast.solvers.offline.critics import relative_value, residual
from holdfast.solvers.offline.problems import (
    SIGNALS,
    Function,
    OfflineProblem,
    concentrability,
)
from holdfast.solvers.sequences import objects
from holdfast.theory import Eq, Le, Quantity
from holdfast.theory.offline import coverage as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Values
from ..families import problems as families


@claim(
    theory.difference,
    over=families.problems()
    .with_controls(occupancy=families.sampled_problems())
    .along(families.drawn_policy),
    mutants=(
        NamedMutant("M14", Eq(theory.V_pi - theory.V_mu, theory.L_Q), "un-normalised returns"),
    ),
)
def difference(case: OfflineProblem, policy: Policy) -> Iterator[Values]:
    for signal in SIGNALS:
        function = "reward" if signal == "reward" else ("cost", 0)
        yield {
            theory.gamma: case.model.discount,
            theory.V_pi: policy_return(case.model, policy, function),  # type: ignore[arg-type]
            theory.V_mu: policy_return(case.model, case.behaviour, function),  # type: ignore[arg-type]
            theory.L_Q: relative_value(case, policy, case.action_values(policy, signal)),
        }


@claim(
    theory.decomposition,
    over=families.problems()
    .with_controls(occupancy=families.sampled_problems())
    .along(families.drawn_policy, families.drawn_policy, families.drawn_function),
    mutants=(
        NamedMutant(
            "M14-six",
            Eq(
                theory.V_pi - theory.V_hat,
                theory.under_mu + theory.under_pi + theory.shown + theory.L_f - theory.L_hat,
            ),
            "un-normalised returns",
        ),
    ),
)
def decomposition(
    case: OfflineProblem, policy: Policy, other: Policy, function: Function
) -> Iterator[Values]:
    error, occupancy = residual(case, other, function, "reward"), case.occupancy(policy)
    gap = case.under(function, policy) - case.under(function, other)
    yield {
        theory.gamma: case.model.discount,
        theory.V_pi: policy_return(case.model, policy),
        theory.V_hat: policy_return(case.model, other),
        theory.under_mu: (case.law * error).sum(),
        theory.under_pi: -(occupancy * error).sum(),
        theory.shown: (case.by_state(occupancy) * gap).sum(),
        theory.L_f: relative_value(case, other, function),
        theory.L_hat: relative_value(case, other, case.action_values(other, "reward")),
    }


def _laws(draw: Draw) -> tuple[list[Fraction], list[Fraction]]:
    """Two laws on two to four pairs, the second positive."""
    size = draw.integer(2, 4)
    first = [draw.integer(0, 3) for _ in range(size - 1)] + [draw.integer(1, 3)]
    second = [draw.integer(1, 9) for _ in range(size)]
    return tuple([Fraction(x, sum(one)) for x in one] for one in (first, second))  # type: ignore[return-value]


def _same() -> tuple[tuple[list[Fraction], list[Fraction]]]:
    law = [Fraction(1, 3), Fraction(2, 3)]
    return ((law, law),)


@claim(
    theory.concentrability,
    over=Family("a target and data that cover it", _laws).with_landmarks(same=_same),
    mutants=(
        NamedMutant("M15", Le(theory.largest, sqrt(theory.square)), "the largest ratio below C_l2"),
    ),
)
def coverage(case: tuple[list[Fraction], list[Fraction]]) -> Iterator[Values]:
    square, largest, chi = concentrability(*map(objects, case))
    yield {theory.square: square, theory.largest: largest, theory.chi: chi}


def _rare(draw: Draw) -> Fraction:
    return Fraction(1, draw.integer(2, 9) ** draw.integer(1, 4))


@claim(theory.separation, over=Family("rare pairs", _rare))
def separation(p: Fraction) -> Iterator[Values]:
    square, largest, _ = concentrability(objects([1 - p, p]), objects([1 - p**2, p**2]))
    yield {theory.square: square, theory.largest: largest, theory.p: p}


@dataclass(frozen=True, slots=True)
class Bandit:
    """One state, two actions, discount 0, rewards 0; the second has probability q in N data.

    functions: F; weights: W, the constant 1 included; failure: delta; policies: pi of the second;
    copies: how often each datum is repeated and counted as another one.
    """

    q: Fraction
    N: int
    functions: tuple[tuple[Fraction, Fraction], ...]
    weights: tuple[tuple[Fraction, Fraction], ...]
    failure: Fraction
    policies: tuple[Fraction, ...]
    copies: int = 1

    def norm(self) -> Fraction:
        """The largest E_mu w^2."""
        return max((1 - self.q) * w * w + self.q * x * x for w, x in self.weights)


def _bandit(draw: Draw) -> Bandit:
    half = Fraction(1, 2)
    pairs = [tuple(half * draw.integer(0, 2) for _ in range(2)) for _ in range(draw.integer(1, 3))]
    weights = [tuple(Fraction(draw.integer(0, 4)) for _ in range(2)) for _ in range(1)]
    return Bandit(
        Fraction(draw.integer(1, 9), 10), draw.integer(1, 60), tuple(pairs),  # type: ignore[arg-type]
        ((Fraction(1), Fraction(1)), *weights), draw.choice((half, Fraction(1, 10))),  # type: ignore[arg-type]
        tuple(Fraction(k, 2) for k in range(draw.integer(1, 3))),
    )  # fmt: skip


def _copied(draw: Draw) -> Bandit:
    return replace(_bandit(draw), copies=100)


def _radii(case: Bandit, *, norm: Any, factor: int = 1) -> tuple[flint.arb, flint.arb]:
    """epsilon_E and epsilon_L, with the norm of weights that is given."""
    number_of_data = case.N * case.copies
    size = 2 * len(case.functions) * len(case.policies)
    some = number(size / case.failure).log()
    log = number(size * len(case.weights) / case.failure).log()
    top = max(map(max, case.weights))
    first = (2 * number(norm) * log / number_of_data).sqrt() + 2 * number(top) * log / (
        3 * number_of_data
    )
    return first, (2 * some / number_of_data).sqrt() / factor


def _beyond(case: Bandit, slope: Fraction, radius: flint.arb) -> Fraction:
    """P(slope |X/N - q| > radius) for X binomial; a deviation is linear in the frequency."""
    if not slope:
        return Fraction(0)
    a, b, n = case.q.numerator, case.q.denominator, case.N
    most = int(str((radius * n * b / number(slope)).floor().unique_fmpz()))
    over = [k for k in range(n + 1) if abs(k * b - n * a) > most]
    return Fraction(sum(comb(n, k) * a**k * (b - a) ** (n - k) for k in over), b**n)


def _failures(case: Bandit, **how: Any) -> tuple[Fraction, Fraction]:
    with flint.ctx.workprec(128):
        radii = _radii(case, **{"norm": case.norm(), **how})
        errors = max(abs(w[1] * f[1] - w[0] * f[0]) for w in case.weights for f in case.functions)
        values = max(abs(f[1] - f[0]) for f in case.functions)
        return _beyond(case, errors, radii[0]), _beyond(case, values, radii[1])


_ONES = (Fraction(1), Fraction(1))
_SKEWED = Bandit(
    Fraction(1, 100), 2000, ((Fraction(0), Fraction(1)),), (_ONES, (Fraction(0), Fraction(100))),
    Fraction(1, 10), (Fraction(1),),
)  # fmt: skip
_FAIR = Bandit(Fraction(1, 2), 100, ((Fraction(0), Fraction(1)),), (_ONES,), Fraction(1, 10),
               (Fraction(1),))  # fmt: skip
_WRONG = Quantity("failing_wrong", "probability that a smaller radius fails")
_LOOSE = "not known to be false: the inequalities and the union are off by more than a tenth"


def _too_small(case: Bandit, which: int, **how: Any) -> Iterator[Values]:
    yield {_WRONG: _failures(case, **how)[which], theory.delta: case.failure}


@claim(
    theory.deviation,
    over=Family("two actions in N data", _bandit)
    .with_landmarks(skewed=lambda: (_SKEWED,))
    .with_controls(independent=Family("copied data", _copied)),
    survivors={
        mutant: _LOOSE
        for one in (theory.failing_E, theory.failing_L)
        for mutant in (
            Le(Rational(11, 10) * one, theory.delta),
            Le(one, Rational(9, 10) * theory.delta),
        )
    },
    mutants=(
        NamedMutant("M13", Le(_WRONG, theory.delta), "epsilon_E without C",
                    partial(_too_small, _SKEWED, 0, norm=1)),
        NamedMutant("half-L", Le(_WRONG, theory.delta), "a quarter of epsilon_L",
                    partial(_too_small, _FAIR, 1, factor=4)),
    ),
)  # fmt: skip
def deviation(case: Bandit) -> Iterator[Values]:
    errors, values = _failures(case)
    yield {theory.failing_E: errors, theory.failing_L: values, theory.delta: case.failure}


@dataclass(frozen=True, slots=True)
class Cloned:
    """States by probability; in each the chance of action 1 and the rewards of both; N data."""

    law: tuple[Fraction, ...]
    second: tuple[Fraction, ...]
    rewards: tuple[tuple[Fraction, Fraction], ...]
    N: int

    def outcomes(self) -> Iterator[tuple[Fraction, Fraction]]:
        """(probability, J(cloned) - J(mu)) of all data sets, by how often each pair is seen."""
        pairs = [(s, a) for s in range(len(self.law)) for a in (0, 1)]
        chance = [self.law[s] * (self.second[s] if a else 1 - self.second[s]) for s, a in pairs]
        possible = [k for k, p in enumerate(chance) if p]
        for seen in _multisets(len(possible), self.N):
            counts = Counter({possible[i]: n for i, n in enumerate(seen)})
            weight = factorial(self.N) * prod(chance[k] ** n for k, n in counts.items())
            yield Fraction(weight) / prod(map(factorial, seen)), self._gain(counts)

    def _gain(self, counts: Counter[int]) -> Fraction:
        total = Fraction(0)
        for s, p in enumerate(self.law):
            seen = counts[2 * s] + counts[2 * s + 1]
            cloned = Fraction(counts[2 * s + 1], seen) if seen else Fraction(0)
            low, high = self.rewards[s]
            total += p * (cloned - self.second[s]) * (high - low)
        return total


def _multisets(kinds: int, size: int) -> Iterator[tuple[int, ...]]:
    if kinds == 1:
        yield (size,)
        return
    for first in range(size + 1):
        for rest in _multisets(kinds - 1, size - first):
            yield (first, *rest)


def _cloned(draw: Draw, states: int, most: int) -> Cloned:
    weights = [draw.integer(1, 4) for _ in range(states)]
    half = Fraction(1, 2)
    return Cloned(
        tuple(Fraction(w, sum(weights)) for w in weights),
        tuple(Fraction(draw.integer(0, 4), 4) for _ in weights),
        tuple((half * draw.integer(0, 2), half * draw.integer(0, 2)) for _ in weights),
        draw.integer(1, most),
    )


def _one_step(draw: Draw) -> Cloned:
    return _cloned(draw, draw.integer(1, 2), 4)


def _one_state(draw: Draw) -> Cloned:
    return _cloned(draw, 1, 6)


def _even(states: int, N: int) -> tuple[Cloned]:
    """Equally likely states; the data take an action of reward 1, unseen states the other."""
    one, zero = Fraction(1), Fraction(0)
    return (Cloned((one / states,) * states, (one,) * states, ((zero, one),) * states, N),)


@claim(
    theory.cloning_bias,
    over=Family("one-step problems", _one_step)
    .with_landmarks(even=lambda: _even(7, 6), two=lambda: _even(2, 1)),
)  # fmt: skip
def cloning_bias(case: Cloned) -> Iterator[Values]:
    yield {
        theory.bias: sum((p * gain for p, gain in case.outcomes()), Fraction(0)),
        theory.states: len(case.law),
        theory.N: case.N,
    }


@claim(
    theory.cloning_spread,
    over=Family("one state", _one_state),
    mutants=(
        NamedMutant("App-C", Eq(theory.spread, theory.variance / theory.N**2), "of order 1/N"),
    ),
)
def cloning_spread(case: Cloned) -> Iterator[Values]:
    (second,), ((low, high),) = case.second, case.rewards
    yield {
        theory.spread: sum((p * gain**2 for p, gain in case.outcomes()), Fraction(0)),
        theory.variance: second * (1 - second) * (high - low) ** 2,
        theory.N: case.N,
    }
