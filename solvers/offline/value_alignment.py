"""Value alignment: critics of an offline policy are refitted with the online target (Marvel's VPA).

A table has transitions P [S, A, S], a policy pi [S, A], rewards r [S, A] and costs c [S, A], a
discount gamma and, for runs, an initial law [S].  Arrays hold floats, Fractions or balls of arb;
with temperature alpha = 0 all is exact in Fractions, and with balls it is enclosed.  Critics Q
[S, A] are UN-normalised sums of gamma^t f(s_t, a_t) from a given pair on::

    soft   T Q = f + gamma P (Q(., pi) + alpha h),    h(s) = -sum_a pi(a|s) log pi(a|s)
    CPQ    T Q = r + gamma P sum_a pi(a|.) 1{Q_c(., a) <= l} Q(., a)

Marvel (arXiv:2412.04426) was read as abstract and reviews only: the operators are reconstructed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import ModelError
from ..exact import to_fraction
from ..hypergradient.balls import Array, elementwise, number
from ..hypergradient.balls import solve as solve_exactly
from .multipliers.controllers import Controller


@dataclass(frozen=True, slots=True)
class Table:
    """See above; floats are checked to be laws up to 1e-9, Fractions exactly."""

    transitions: Array
    policy: Array
    reward: Array
    cost: Array
    discount: Any

    def __post_init__(self) -> None:
        shape = self.policy.shape
        if self.transitions.shape != (*shape, shape[0]):
            raise ModelError(
                f"transitions have the shape {self.transitions.shape}; for a policy of shape "
                f"{shape} it must be {(*shape, shape[0])}"
            )
        for name in ("reward", "cost"):
            if getattr(self, name).shape != shape:
                raise ModelError(
                    f"{name} has the shape {getattr(self, name).shape}; it must be that of the "
                    f"policy, {shape}"
                )
        if not 0 <= self.discount < 1:
            raise ModelError(f"discount is {self.discount}; it must lie in [0, 1)")
        for name in ("transitions", "policy"):
            _check_laws(getattr(self, name), name)

    @property
    def kernel(self) -> Array:
        """P_pi between states, [S, S]."""
        return np.einsum("sa,sat->st", self.policy, self.transitions)


def _check_laws(laws: Array, name: str) -> None:
    exact = laws.dtype == object
    off = abs(laws.sum(axis=-1) - 1)
    if laws.min() < 0 or off.max() > (0 if exact else 1e-9):
        at = np.unravel_index(int(off.argmax()), off.shape)
        raise ModelError(
            f"{name}{list(map(int, at))} sums to {laws.sum(axis=-1)[at]}, or has a negative "
            "entry; each row must be a law"
        )


def _solved(matrix: Array, right: Array) -> Array:
    """Of I - gamma P, which needs no pivots."""
    exact = right.dtype == object
    return solve_exactly(matrix, right) if exact else np.linalg.solve(matrix, right)


def entropies(policy: Array) -> Array:
    """h [S], in balls for Fractions and in floats for floats; an action of probability 0 adds 0."""

    def one(p: Any) -> Any:
        if p == 0:
            return number(0) if policy.dtype == object else 0.0
        return -p * math.log(p) if policy.dtype != object else -number(p) * number(p).log()

    return np.asarray(elementwise(one, policy).sum(axis=1), dtype=policy.dtype)


def bonus_of(table: Table, temperature: Any) -> Array:
    """alpha h [S]; 0, exactly, for alpha = 0."""
    if temperature < 0:
        raise ModelError(f"temperature is {temperature}; it must be at least 0")
    if temperature == 0:
        return table.policy[:, 0] * 0
    exact = table.policy.dtype == object
    return (number(temperature) if exact else temperature) * entropies(table.policy)


def sweep(table: Table, function: Array, values: Array, bonus: Array) -> Array:
    """T Q for rewards or costs [S, A], critics [S, A] and a bonus alpha h [S]."""
    ahead = (table.policy * values).sum(axis=1) + bonus
    return function + table.discount * (table.transitions * ahead).sum(axis=-1)


def sweeps(table: Table, function: Array, values: Array, count: int, bonus: Array) -> Array:
    """`count` sweeps over all pairs; the critics as they are for 0."""
    for _ in range(count):
        values = sweep(table, function, values, bonus)
    return values


def fixed_point(table: Table, function: Array, bonus: Array) -> Array:
    """Q^{pi, alpha} [S, A], by one linear system."""
    matrix = np.eye(len(bonus), dtype=int) - table.discount * table.kernel
    right = (table.policy * function).sum(axis=1) + table.discount * (table.kernel * bonus).sum(1)
    return sweep(table, function, table.policy * 0, bonus + _solved(matrix, right))


def cpq_fixed_point(table: Table, safe: Array) -> Array:
    """The fixed point of CPQ's operator for the set of pairs bool [S, A] that it takes as safe."""
    size = len(safe)
    kept = table.policy * safe.astype(int)
    matrix = np.eye(size, dtype=int) - table.discount * np.einsum(
        "sa,sat->st", kept, table.transitions
    )
    # u(s) = sum_a pi 1{safe} Q(s, a) is what a visit of s is worth
    worth = _solved(matrix, (kept * table.reward).sum(axis=1))
    return table.reward + table.discount * (table.transitions * worth).sum(axis=-1)


def covered_fixed_point(table: Table, function: Array, values: Array, covered: Array) -> Array:
    """The limit of sweeps with alpha = 0 over the covered pairs, bool [S, A]; the rest stays."""
    size, width = values.shape
    ahead = np.einsum("sat,tb->satb", table.transitions, table.policy).reshape(size * width, -1)
    inside = covered.reshape(-1)
    outside = table.discount * (ahead[:, ~inside] * values.reshape(-1)[~inside]).sum(axis=1)
    matrix = np.eye(inside.sum(), dtype=int) - table.discount * ahead[inside][:, inside]
    found = values.reshape(-1).copy()
    found[inside] = _solved(matrix, (function.reshape(-1) + outside)[inside])
    return found.reshape(values.shape)


def ranks(values: Any) -> list[Fraction]:
    """From 1; equal values share the mean of their ranks."""
    numbers = list(np.asarray(values, dtype=object).reshape(-1))
    order = sorted(range(len(numbers)), key=lambda i: numbers[i])
    found = [Fraction(0)] * len(numbers)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and numbers[order[last + 1]] == numbers[order[first]]:
            last += 1
        for place in order[first : last + 1]:
            found[place] = Fraction(first + last + 2, 2)
        first = last + 1
    return found


def rank_distance(left: Any, right: Any) -> Fraction:
    """Sum of squared differences of ranks; without ties Spearman's rho is 1 - 6 D/(n (n^2 - 1))."""
    return sum(((x - y) ** 2 for x, y in zip(ranks(left), ranks(right), strict=True)), Fraction(0))


def spearman(left: Any, right: Any) -> float:
    """Rank correlation with ties as usual; NaN where one side is constant, so has no order."""
    from scipy.stats import rankdata

    x, y = (rankdata(np.asarray(one, dtype=float).reshape(-1)) for one in (left, right))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])


@dataclass(frozen=True, slots=True)
class Aligned:
    """A critic before and after alignment: rank correlation with the truth, and largest error."""

    before: float
    after: float
    error_before: float
    error_after: float


@dataclass(frozen=True, slots=True)
class MarvelRun:
    """What the tabular pipeline did.

    Attributes:
        reward, cost: both critics before and after alignment, against those of the policy.
        multipliers: K + 1, from the first; rewards, costs: J_r and J_c of the K policies.
    """

    reward: Aligned
    cost: Aligned
    multipliers: tuple[float, ...]
    rewards: tuple[float, ...]
    costs: tuple[float, ...]


def aligned(table: Table, function: Array, start: Array, count: int, temperature: float) -> Aligned:
    """What `count` sweeps make of a critic; floats."""
    truth = fixed_point(table, function, bonus_of(table, 0))
    after = sweeps(table, function, start, count, bonus_of(table, temperature))
    return Aligned(
        spearman(start, truth),
        spearman(after, truth),
        float(abs(start - truth).max()),
        float(abs(after - truth).max()),
    )


def marvel(
    table: Table,
    initial: Array,
    cost_critic: Array,
    threshold: float,
    controller: Controller,
    *,
    count: int = 20,
    temperatures: tuple[float, float] = (0.05, 0.01),
    updates: int = 50,
    softness: float = 0.1,
) -> MarvelRun:
    """CPQ, then alignment, then a controlled multiplier with softmax responses; floats.

    Args:
        initial: law [S] of J.  cost_critic: what the offline stage believes of costs [S, A];
            CPQ takes pairs up to `threshold` as safe.
        count, temperatures: sweeps of alignment, alpha of rewards and of costs.
        softness: of pi ~ pi_off exp((Q_r - lambda Q_c)/(softness (1 + lambda))), where Q are the
            critics of the last policy (at first the aligned ones), kept up by exact evaluation.

    Raises ModelError where cost_critic or initial do not fit the table, or softness is not above 0.
    """
    if cost_critic.shape != table.policy.shape or initial.shape != table.policy.shape[:1]:
        raise ModelError(
            f"cost_critic has the shape {cost_critic.shape} and initial {initial.shape}; for this "
            f"table they must be {table.policy.shape} and {table.policy.shape[:1]}"
        )
    if not softness > 0:
        raise ModelError(f"softness is {softness}; it must be above 0")
    start = cpq_fixed_point(table, cost_critic <= threshold)
    fits = (
        aligned(table, table.reward, start, count, temperatures[0]),
        aligned(table, table.cost, cost_critic, count, temperatures[1]),
    )
    critics = [
        sweeps(table, f, q, count, bonus_of(table, alpha))
        for f, q, alpha in zip(
            (table.reward, table.cost), (start, cost_critic), temperatures, strict=True
        )
    ]
    state = controller.first()
    multipliers, returns = [float(state.multiplier)], ([], [])  # type: ignore[var-annotated]
    for _ in range(updates):
        lam = multipliers[-1]
        score = (critics[0] - lam * critics[1]) / (softness * (1 + lam))
        weights = table.policy * np.exp(score - score.max(axis=1, keepdims=True))
        acting = Table(
            table.transitions, weights / weights.sum(axis=1, keepdims=True), table.reward,
            table.cost, table.discount,
        )  # fmt: skip
        critics = [fixed_point(acting, f, bonus_of(acting, 0)) for f in (table.reward, table.cost)]
        for record, q in zip(returns, critics, strict=True):
            record.append(float(initial @ (acting.policy * q).sum(axis=1)))
        state = controller.step(state, returns[1][-1])
        multipliers.append(float(to_fraction(state.multiplier, "multiplier")))
    return MarvelRun(*fits, tuple(multipliers), tuple(returns[0]), tuple(returns[1]))


def drawn_table(
    seed: int, states: int = 8, actions: int = 3, discount: float = 0.9
) -> tuple[Table, Array]:
    """A random table of floats, and a cost critic that an offline stage might leave.

    Rewards are uniform and so is half of the costs, the others 0; laws are Dirichlet, of 0.3 for
    transitions; the cost critic is the true one with noise of half its own spread.
    """
    rng, shape = np.random.default_rng(seed), (states, actions)
    transitions = rng.dirichlet(np.full(states, 0.3), shape)
    policy = rng.dirichlet(np.ones(actions), states)
    reward, cost = rng.uniform(size=(2, *shape))
    cost = cost * (rng.uniform(size=shape) < 0.5)
    table = Table(transitions, policy, reward, cost, discount)
    truth = fixed_point(table, cost, bonus_of(table, 0))
    return table, truth + rng.normal(size=shape) * truth.std() / 2
