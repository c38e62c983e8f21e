"""Policies that are tuned for what best-of-n makes of them: mirror descent on a concave objective.

One prompt.  R_i is the expected reward of the best of n_i by reward i.  R is the weighted sum of
them, or their smooth minimum -log(sum w e^(-sharpness R_i))/sharpness; the loss is KL(policy |
reference) times the temperature, less R.  A policy of floats gives floats, one of arbs or Fractions
balls of arb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb
from typing import Any

import flint
import numpy as np

from ..errors import ModelError
from ..hypergradient.balls import elementwise, number
from ..sequences import Array
from .best_of_n import smoothness
from .checks import check_count, check_full, check_temperature, real, reals
from .tilts import beside, ready, weighted

_STEPS, _HALVINGS = 400, 40
"""Newton's steps at most, and halvings of one.  More would only cost time: a step moves logarithms
by 1 at least until it is quadratic, and rounding stops it after 40 halvings."""
_QUADRATIC = 1e-6
"""A move of logarithms after which Newton's method is exact in doubles: its square is rounding.
Less would compare losses that differ by rounding alone, without end."""
_DIGITS = 24
"""Bits that a correction by a Hessian in doubles is sure to add.  More would leave the enclosure
wider than the working precision allows; fewer cost time."""


@dataclass(frozen=True, eq=False)
class Goal:
    """reference [Y]; rewards [m, Y]; counts, weights [m]: n_i and w_i; temperature of the KL;
    sharpness of the smooth minimum, None for the weighted sum.

    Raises
    ------
    ModelError: for shapes that do not fit, counts below 1, rewards that are not finite, negative
        weights (0 too for a smooth minimum), a temperature or sharpness that is not positive, or a
        reference that leaves responses out.
    """

    reference: Array
    rewards: Array
    counts: Sequence[int]
    weights: Array
    temperature: Any
    sharpness: Any = None

    def __post_init__(self) -> None:
        wanted = (len(self.counts), len(self.reference))
        if 0 in wanted or self.rewards.shape != wanted or len(self.weights) != wanted[0]:
            raise ModelError(
                f"rewards have shape {self.rewards.shape}, there are {len(self.weights)} weights; "
                f"{wanted[0]} counts and {wanted[1]} responses need {wanted} and {wanted[0]}"
            )
        reals(self.rewards, "rewards")
        check_temperature(self.temperature)
        check_full(self.reference, "reference")
        for i, n in enumerate(self.counts):
            check_count(n, f"counts[{i}]")
        if self.sharpness is not None:
            real(self.sharpness, "sharpness", above=0)
        for i, weight in enumerate(reals(self.weights, "weights")):
            if not (weight > 0 or (weight == 0 and self.sharpness is None)):
                raise ModelError(
                    f"weights[{i}] is {weight}; it must be positive, or 0 in a weighted sum"
                )

    def value(self, policy: Array) -> Any:
        """R."""
        return self.aggregate(self._parts(self._laws(policy))[0])[0]

    def variation(self, policy: Array) -> Array:
        """The first variation of R, [Y], up to a constant."""
        values, slopes, _ = self._parts(self._laws(policy))
        found: Array = (self.aggregate(values)[1][:, None] * slopes).sum(axis=0)
        return found

    def loss(self, policy: Array) -> Any:
        """temperature KL(policy | reference) - R."""
        laws = self._laws(policy)
        far = (laws * (np.log(laws) - np.log(_as(laws, self.reference)))).sum()
        return beside(laws, self.temperature) * far - self.value(laws)

    def aggregate(self, values: Array) -> tuple[Any, Array]:
        """R of the R_i [m], and its derivatives by them, [m]."""
        weights = _as(values, self.weights)
        if self.sharpness is None:
            return (weights * values).sum(), weights
        pivot = values[0] if values.dtype == object else values.min()
        sharp = beside(values, self.sharpness)
        parts = weights * np.exp(-sharp * (values - pivot))
        total = parts.sum()
        return pivot - np.log(np.array([total]))[0] / sharp, parts / total

    def certified(self) -> Any:
        """L with R(pi') >= R(pi) + <first variation, pi' - pi> - L KL(pi' | pi).

        Of a sum the weighted sum of the constants L_i of best-of-n; of a smooth minimum the largest
        L_i, and sharpness/4 times the largest square of n_i times the spread of rewards.
        """
        spreads = self.rewards.max(axis=1) - self.rewards.min(axis=1)
        ones = [smoothness(s, n) for s, n in zip(spreads, self.counts, strict=True)]
        if self.sharpness is None:
            return sum(w * one for w, one in zip(self.weights, ones, strict=True))
        most = max(s * n for s, n in zip(spreads, self.counts, strict=True))
        return max(ones) + self.sharpness * most * most / 4

    def step(self, policy: Array, L: Any, slope: Array | None = None) -> Array:
        """A step of mirror descent of size 1/L, in closed form, [Y].

        slope: the first variation of R that is used, an estimate say; by default the true one.
        L = 0 gives the tilt of the reference by it, which is optimal where R is linear.
        """
        real(L, "L", least=0)
        laws = self._laws(policy)
        used = self.variation(laws) if slope is None else slope
        if used.shape != laws.shape:
            raise ModelError(f"the slope has shape {used.shape}; give one number a response")
        heat, kept = beside(laws, self.temperature), beside(laws, L)
        if L == 0:
            return weighted(_as(laws, self.reference), used, heat)
        logs = used + heat * np.log(_as(laws, self.reference)) + kept * np.log(laws)
        return weighted(laws * 0 + 1, logs, heat + kept)

    def descend(self, start: Array, count: int, L: Any = None) -> list[Array]:
        """The start and `count` steps from it, by the certified L unless another is given.

        Raises ModelError for a start that leaves responses out: no step would come back to them.
        """
        check_full(start, "start")
        check_count(count, "count", 0)
        found, kept = [ready(start)], self.certified() if L is None else L
        for _ in range(count):
            found.append(self.step(found[-1], kept))
        return found

    def _laws(self, policy: Array) -> Array:
        """The policy as the formulas take it; ModelError for another number of responses."""
        if policy.shape != self.reference.shape:
            raise ModelError(
                f"the policy has shape {policy.shape}; give {len(self.reference)} probabilities"
            )
        return ready(policy)

    def _parts(self, policy: Array) -> tuple[Array, Array, list[tuple[Array, Array]]]:
        """R_i [m], their first variations [m, Y]; second derivatives by probabilities of rewards
        at most some reward, and which responses these are, [K - 1, Y]."""
        values, slopes, second = [], [], []
        for (top, gaps, among), n in zip(self._levels(policy), self.counts, strict=True):
            under = (among * policy).sum(axis=1)
            powers = under ** max(n - 2, 0)
            slope = gaps * n * (powers * under if n > 1 else powers)
            values.append(top - (gaps * under**n).sum())
            slopes.append(policy * 0 - (among * slope[:, None]).sum(axis=0))
            second.append((gaps * (n * (n - 1)) * powers, among))
        return np.array(values), np.array(slopes), second

    def _levels(self, policy: Array) -> list[tuple[Any, Array, Array]]:
        """Of each reward the largest, gaps between levels [K - 1], and which are below, [K - 1, Y]:
        numbers as the policy's are."""
        if policy.dtype != object:
            return self._float_steps
        return [(number(top), _as(policy, gaps), among) for top, gaps, among in self._steps]

    @cached_property
    def _steps(self) -> list[tuple[Any, Array, Array]]:
        """The same as given.  Most of the time of descent in rationals would go into this."""
        found = []
        for rewards in self.rewards:
            levels = np.unique(rewards)
            found.append((levels[-1], levels[1:] - levels[:-1], rewards <= levels[:-1, None]))
        return found

    @cached_property
    def _float_steps(self) -> list[tuple[Any, Array, Array]]:
        return [(float(top), gaps.astype(float), among) for top, gaps, among in self._steps]


def _as(like: Array, values: Array) -> Array:
    """Numbers as balls or floats, as the other array is."""
    found: Array = (
        elementwise(number, np.asarray(values, dtype=object))
        if like.dtype == object
        else np.asarray(values, dtype=float)
    )
    return found


def minimize(goal: Goal) -> tuple[Array, Array]:
    """The policy [Y] of least loss, by Newton's method in floats; and the inverse of the Hessian
    there, by square roots of probabilities, [Y, Y].  Not the iteration of mirror descent."""
    policy = np.asarray(goal.reference, dtype=float)
    loss = goal.loss(policy)
    for _ in range(_STEPS):
        inverse = _inverse(goal, policy)
        move = (inverse @ (np.sqrt(policy) * _slope(goal, policy))) / np.sqrt(policy)
        longest = float(np.abs(move).max())
        if longest < _QUADRATIC:
            policy = weighted(policy, move, 1)
            break
        size = min(1.0, 2 / longest)
        for _ in range(_HALVINGS):
            trial = weighted(policy, size * move, 1)
            after = goal.loss(trial)
            if after <= loss:
                break
            size /= 2
        else:
            break
        loss, policy = after, trial
    return policy, _inverse(goal, policy)


def _slope(goal: Goal, policy: Array) -> Array:
    """Where the loss falls, [Y]: minus its derivative, with mean 0."""
    laws = np.log(policy) - np.log(_as(policy, goal.reference))
    found = goal.variation(policy) - beside(policy, goal.temperature) * laws
    centred: Array = found - (policy * found).sum()
    return centred


def _inverse(goal: Goal, policy: Array) -> Array:
    """Of the Hessian between square roots of the policy, on changes that keep the sum."""
    root = np.sqrt(policy)
    values, slopes, second = goal._parts(policy)
    _, shares = goal.aggregate(values)
    bend = np.eye(len(root)) * float(goal.temperature)
    for share, (sizes, among) in zip(shares, second, strict=True):
        parts = among * root
        bend = bend + share * (parts.T * sizes) @ parts
    if goal.sharpness is not None:
        apart = (slopes - shares @ slopes) * root
        bend = bend + float(goal.sharpness) * (apart.T * shares) @ apart
    away = np.eye(len(root)) - np.outer(root, root)
    found: Array = away @ np.linalg.solve(away @ bend @ away + np.outer(root, root), away)
    return found


def enclose(goal: Goal, about: tuple[Array, Array] | None = None) -> tuple[Array, flint.arb]:
    """The policy [Y] of least loss and that loss, in balls that hold them.

    about: what `minimize` found, if it is known already.

    About the policy of `minimize` concavity bounds R from above by a line, whose least loss is a
    tilt: a lower bound, whatever Newton's method did.  What is above it bounds how far the optimum
    is (Pinsker), and the optimum is the tilt by its own first variation.
    """
    rough, inverse = about or minimize(goal)
    policy = elementwise(flint.arb, rough)
    for _ in range(2 + flint.ctx.prec // _DIGITS):
        policy = policy / policy.sum()
        middle = elementwise(lambda one: one.mid(), policy)
        roots = np.sqrt(middle)
        lack = elementwise(float, roots * _slope(goal, middle))
        move = elementwise(flint.arb, inverse @ lack) / roots
        policy = elementwise(lambda one: one.mid(), weighted(middle, move, 1))
    policy = policy / policy.sum()
    slope, heat = goal.variation(policy), beside(policy, goal.temperature)
    weight = (_as(policy, goal.reference) * np.exp(slope / heat)).sum()
    upper, along = goal.loss(policy), (slope * policy).sum()
    lower = along - goal.value(policy) - heat * weight.log()
    lack = (upper - lower).upper()
    far = (max(lack, flint.arb(0)) / (2 * heat)).sqrt().upper()
    near = elementwise(lambda one: one + flint.arb(0, far), policy)
    return weighted(_as(policy, goal.reference), goal.variation(near), heat), lower.union(upper)


def unbiased_derivative(rewards: Array, n: int) -> Array:
    """n times the mean, over all n - 1 others of a group, of the best of them and each one.

    rewards [.., M]: of groups; Fractions stay exact.  The mean given a response is the first
    variation there, up to a constant.  Raises ModelError for groups of fewer than n, n below 1, and
    rewards that are not finite.
    """
    check_count(n)
    rewards = reals(rewards, "rewards")
    M = rewards.shape[-1]
    check_count(M, "size of a group", n)
    if n == 1:
        return rewards.copy()
    # the k-th smallest of the others is the largest of n - 1 of them so often
    chosen = [comb(k, n - 2) for k in range(M - 1)]
    weights: Array = np.array(chosen, dtype=_like(rewards))
    found: Array = np.empty_like(rewards, dtype=_like(rewards))
    total = comb(M - 1, n - 1)
    for at in range(M):
        others = np.sort(np.delete(rewards, at, axis=-1), axis=-1)
        best = np.maximum(rewards[..., at, None], others)
        found[..., at] = n * (best * weights).sum(axis=-1) / total
    return found


def plug_in_derivative(rewards: Array, n: int) -> Array:
    """n times the expected best of a response and n - 1 draws from its own group, [.., M].

    It is the first variation at the law in which each of the group has probability 1/M, up to a
    constant; biased, as each one counts among its own rivals.  Raises ModelError for n below 1, and
    rewards that are not finite.
    """
    check_count(n)
    rewards = reals(rewards, "rewards")
    M = rewards.shape[-1]
    if n == 1:
        return rewards.copy()
    # the k-th smallest is the largest of n - 1 draws from the group so often
    chosen = [(k + 1) ** (n - 1) - k ** (n - 1) for k in range(M)]
    shares = [Fraction(one, M ** (n - 1)) for one in chosen]
    weights: Array = np.array(shares).astype(_like(rewards))
    best = np.maximum(rewards[..., :, None], np.sort(rewards, axis=-1)[..., None, :])
    found: Array = n * (best * weights).sum(axis=-1)
    return found


def _like(array: Array) -> type:
    return object if array.dtype == object else float
