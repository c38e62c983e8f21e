r"""What an offline safe learner is given: a CMDP known by data, and finite classes to choose from.

Everything here is normalised as in the papers: occupancies d and the data law mu sum to 1, and
:math:`J(\pi)=\langle d^\pi,\cdot\rangle` is 1 - gamma times the un-normalised return.  The safety
threshold is absorbed in the cost: a policy is safe if :math:`J_c(\pi)\le0`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import numpy as np
from flint import fmpq

from ..cmdp.policies import Policy, check_policy, evaluate, occupancy_of, q_values
from ..errors import ModelError
from ..exact import Rational, to_fraction
from ..models.cmdp import CMDP
from ..sequences import Array, objects

Function = tuple[Fraction, ...]
Signal = Literal["reward", "cost"]
SIGNALS: tuple[Signal, Signal] = ("reward", "cost")


@dataclass(frozen=True, eq=False)
class OfflineProblem:
    """A CMDP with S states and K choices, the law of its data, and the learner's classes.

    Attributes:
        model: one cost, of budget 0; rewards in [0, 1], costs in [-1, 1], discount below 1.
        behaviour: the policy that made the data; mu is its normalised occupancy.
        reference: the policy to compete with.
        policies: Pi, at least one.
        rewards: F, functions on the choices in [0, Vmax], Vmax = 1/(1 - gamma).
        costs: G, functions in [-Vmax, Vmax].
        weights: W, non-negative functions, among them the constant 1.
        counts: K rows of S numbers of transitions seen; empty for the population.  With counts the
            data law and the transitions that critics see are frequencies; returns stay true.

    Raises ModelError for data that break this, naming the place, the value and the remedy.
    """

    model: CMDP
    behaviour: Policy
    reference: Policy
    policies: tuple[Policy, ...]
    rewards: tuple[Function, ...]
    costs: tuple[Function, ...]
    weights: tuple[Function, ...]
    counts: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        _check_model(self.model)
        named = {"behaviour": self.behaviour, "reference": self.reference}
        for name, policy in (*named.items(), *_numbered("policies", self.policies)):
            try:
                check_policy(self.model, policy)
            except ModelError as error:
                raise ModelError(f"{name}: {error}") from error
        top, size = self.horizon, self.model.n_choices
        for name, low, high in (("rewards", 0, top), ("costs", -top, top), ("weights", 0, None)):
            members = _class(name, getattr(self, name), size, Fraction(low), high)
            object.__setattr__(self, name, members)
        if (Fraction(1),) * size not in self.weights:
            raise ModelError("weights lack the constant 1, which every class W must have; add it")
        if self.counts:
            _check_counts(self.counts, size, self.model.n_states)

    @property
    def horizon(self) -> Fraction:
        """Vmax = 1/(1 - gamma)."""
        return 1 / (1 - self.model.discount)

    @cached_property
    def law(self) -> Array:
        """Fractions [K], sum 1: mu, or the frequencies of the data."""
        if not self.counts:
            return self.occupancy(self.behaviour)
        seen = [sum(row) for row in self.counts]
        return objects(Fraction(n, sum(seen)) for n in seen)

    @cached_property
    def transitions(self) -> Array:
        """Fractions [K, S]: P, or frequencies where a pair was seen (elsewhere nothing asks)."""
        rows = [[Fraction(0)] * self.model.n_states for _ in range(self.model.n_choices)]
        for k, row in enumerate(rows):
            if self.counts and (total := sum(self.counts[k])):
                row[:] = [Fraction(n, total) for n in self.counts[k]]
                continue
            for t, p in self.model.transition_row(k):
                row[t] = p
        return np.array(rows, dtype=object)

    @cached_property
    def rational(self) -> dict[str, Any]:
        """What critics see, as arrays of `flint.fmpq`, in which sums are ten times as fast."""
        columns = self.transitions.shape
        return {
            "law": rationals(self.law),
            "transitions": rationals(self.transitions.ravel()).reshape(columns),
            "reward": rationals(self.signal("reward")),
            "cost": rationals(self.signal("cost")),
            "weights": [rationals(self.law * objects(w)) for w in self.weights],
            "discount": rationals([self.model.discount])[0],
        }

    def signal(self, name: Signal) -> Array:
        """Fractions [K]: r or c."""
        found = self.model.reward_vector() if name == "reward" else self.model.cost_vector(0)
        return objects(found.fractions())

    def occupancy(self, policy: Policy) -> Array:
        """Fractions [K], sum 1: d of a policy in the true model."""
        scale = 1 - self.model.discount
        return objects(scale * x for x in occupancy_of(self.model, policy).fractions())

    def action_values(self, policy: Policy, name: Signal) -> Function:
        """Q of a policy in the true model, K values, UN-normalised: in [-Vmax, Vmax]."""
        function = "reward" if name == "reward" else ("cost", 0)
        found = q_values(self.model, evaluate(self.model, policy, function), function)  # type: ignore[arg-type]
        return found.fractions()

    def normalised_return(self, policy: Policy, name: Signal) -> Fraction:
        """J of a policy in the true model: <d, r>, or <d, c>."""
        return Fraction((self.occupancy(policy) * self.signal(name)).sum())

    def by_state(self, values: Array) -> Array:
        """Sums over the choices of each state, [S]."""
        return np.add.reduceat(values, self.model.choice_start[:-1])

    def under(self, function: Sequence[Any] | Array, policy: Policy) -> Array:
        """f(s, pi) = sum_a pi(a|s) f(s, a), [S]."""
        return self.by_state(objects(policy.probabilities) * objects(function))

    def spread(self, states: Array) -> Array:
        """A function of states as one of choices, [K]."""
        found: Array = states[self.model.choice_states]
        return found

    def empirical(self, counts: Sequence[Sequence[int]]) -> OfflineProblem:
        """The same problem seen through data: K rows of S numbers of transitions drawn."""
        return replace(self, counts=tuple(tuple(map(int, row)) for row in counts))

    def with_reference_weights(self) -> OfflineProblem:
        """The same problem with d^ref/mu in W (Assumption 3.7).

        Raises ModelError where mu is 0 and the reference's occupancy is not: the weight is
        infinite there.
        """
        ratio = density_ratio(self.occupancy(self.reference), self.law)
        return replace(self, weights=tuple(dict.fromkeys((*self.weights, ratio))))


def rationals(values: Iterable[Any]) -> Array:
    """Fractions as an array of `flint.fmpq`."""
    return objects(fmpq(x.numerator, x.denominator) for x in values)


def to_python(value: fmpq) -> Fraction:
    """A Fraction from an fmpq."""
    return Fraction(int(value.p), int(value.q))


def with_action_values(problem: OfflineProblem) -> OfflineProblem:
    """The same problem with Q_r and Q_c of every policy of Pi in F and G: realisable, epsilon 0."""
    own = [[problem.action_values(policy, name) for policy in problem.policies] for name in SIGNALS]
    rewards, costs = (dict.fromkeys([*q, *old]) for q, old in
                      zip(own, (problem.rewards, problem.costs), strict=True))  # fmt: skip
    return replace(problem, rewards=tuple(rewards), costs=tuple(costs))


def density_ratio(target: Array, law: Array) -> Function:
    """target/law choice by choice, 0 where both are 0.

    Raises ModelError naming the first choice with target > 0 = law: the ratio is infinite there.
    """
    for k, (d, m) in enumerate(zip(target, law, strict=True)):
        if d and not m:
            raise ModelError(
                f"choice {k} has probability {d} under the target and 0 in the data, so its weight "
                "is infinite; take a target that the data cover, or data of a policy that takes "
                "this choice"
            )
    return tuple(Fraction(d) / m if m else Fraction(0) for d, m in zip(target, law, strict=True))


def concentrability(target: Array, law: Array) -> tuple[Fraction, Fraction, Fraction]:
    """Of a target's occupancy under the data law: the square of C_l2, C_linf, and chi^2.

    C_l2^2 = E_mu (d/mu)^2 (Definition 3.3), C_linf = max d/mu, and chi^2 = E_mu (d/mu - 1)^2.
    Raises ModelError as `density_ratio` does.
    """
    ratio = objects(density_ratio(target, law))
    return (law * ratio**2).sum(), max(ratio), (law * (ratio - 1) ** 2).sum()


def absorbed(model: CMDP) -> CMDP:
    """The model with the budget d of its one cost absorbed: c becomes c - (1 - gamma) d, d 0.

    The un-normalised discounted cost is at most d exactly where the new J_c is at most 0.
    """
    if model.n_constraints != 1:
        raise ModelError(f"the model has {model.n_constraints} costs; an offline problem has one")
    shift = (1 - model.discount) * model.budgets[0]
    return model.with_costs([[c - shift for c in model.cost_vector(0).fractions()]], [0])


def check_weight(value: Rational | float, name: str, *, positive: bool = False) -> Fraction:
    """A weight beta, or a multiplier lambda where `positive`, as a Fraction; else ModelError."""
    number = to_fraction(value, name)
    if number < 0 or (positive and not number):
        raise ModelError(
            f"{name} is {number}; it must be {'above' if positive else 'at least'} 0"
            + (", for at 0 nothing is asked of the cost" if positive and not number else "")
        )
    return number


def _numbered(name: str, members: Sequence[Policy]) -> list[tuple[str, Policy]]:
    if not members:
        raise ModelError(f"{name} is empty; give at least one policy to choose from")
    return [(f"{name}[{i}]", member) for i, member in enumerate(members)]


def _check_model(model: CMDP) -> None:
    if model.n_constraints != 1:
        raise ModelError(f"the model has {model.n_constraints} costs; an offline problem has one")
    if model.discount == 1:
        raise ModelError("the discount is 1; an offline problem needs one below 1")
    if model.budgets[0]:
        raise ModelError(
            f"the budget is {model.budgets[0]}; here J_c is compared with 0, so absorb it in the "
            "cost: absorbed(model)"
        )
    for name, low, values in (
        ("reward", 0, model.reward_vector()),
        ("cost", -1, model.cost_vector(0)),
    ):
        for k, value in enumerate(values.fractions()):
            if not low <= value <= 1:
                raise ModelError(
                    f"the {name} of choice {k} is {value}, outside [{low}, 1]; all constants are "
                    "for that range, so divide it by its largest size"
                )


def _class(
    name: str, members: Sequence[Any], size: int, low: Fraction, high: Fraction | None
) -> tuple[Function, ...]:
    if not members:
        raise ModelError(f"{name} is empty; give at least one function on the choices")
    found = []
    for i, member in enumerate(members):
        if len(member) != size:
            raise ModelError(f"{name}[{i}] has {len(member)} values for {size} choices")
        values = tuple(to_fraction(x, f"{name}[{i}][{k}]") for k, x in enumerate(member))
        for k, value in enumerate(values):
            if value < low or (high is not None and value > high):
                limit = f"[{low}, {'infinity' if high is None else high}]"
                raise ModelError(
                    f"{name}[{i}][{k}] is {value}, outside {limit}; clip it or leave it out"
                )
        found.append(values)
    return tuple(found)


def _check_counts(counts: Sequence[Sequence[int]], size: int, states: int) -> None:
    if len(counts) != size or {len(row) for row in counts} != {states}:
        raise ModelError(f"counts must be {size} rows, one a choice, of {states} numbers, one a "
                         "next state")  # fmt: skip
    for k, row in enumerate(counts):
        if (least := min(row)) < 0:
            raise ModelError(f"counts[{k}] has {least}; a number of transitions is not negative")
    if not any(map(any, counts)):
        raise ModelError("counts are all 0; without data (N = 0) there is nothing to learn from")
