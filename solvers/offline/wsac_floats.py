r"""WSAC in double precision over box classes: returns against beta and lambda, for tables.

The concave oracle by Hedge, started at the reference, eta = 1/((1 + 2 lambda) Vmax).  Critics are
linear programs over [0, Vmax] and [-Vmax, Vmax] with the problem's finite W; nothing is certified.
Returns are normalised, and evaluated in the true model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .no_regret import hedge_floats
from .problems import OfflineProblem, Signal

ROUNDS = 150
"""More rounds move the average policy farther from the reference; at 150 gains are visible, and a
run takes about a second."""


@dataclass(frozen=True, eq=False)
class FloatProblem:
    """An offline problem as float arrays: what critics see, and the true model for returns.

    law [K], transitions [K, S], weights [m, K] as seen; true [K, S], initial [S]; signals [K];
    owner: the state of each choice, [K]; start: the first choice of each state, [S].
    """

    law: Array
    transitions: Array
    weights: Array
    true: Array
    initial: Array
    signals: dict[Signal, Array]
    owner: Array
    start: Array
    discount: float

    @classmethod
    def of(cls, problem: OfflineProblem) -> FloatProblem:
        """The exact problem, rounded."""
        model = problem.model
        return cls(
            law=problem.law.astype(float),
            transitions=problem.transitions.astype(float),
            weights=np.array(problem.weights, dtype=object).astype(float),
            true=model.float_transitions().toarray(),
            initial=model.initial_vector().floats(),
            signals={"reward": problem.signal("reward").astype(float),
                     "cost": problem.signal("cost").astype(float)},
            owner=model.choice_states,
            start=model.choice_start[:-1],
            discount=float(model.discount),
        )  # fmt: skip

    def occupancy(self, policy: Array) -> Array:
        """d of a policy [K] in the true model, [K], sum 1."""
        moves = np.add.reduceat(policy[:, None] * self.true, self.start, axis=0)
        system = np.eye(len(moves)) - self.discount * moves.T
        states = (1 - self.discount) * np.linalg.solve(system, self.initial)
        found: Array = states[self.owner] * policy
        return found

    def critic(self, policy: Array, signal: Signal, beta: float) -> Array:
        """argmin of L + beta E, or of -L + beta E for costs, over the box, [K]."""
        from scipy.optimize import linprog

        size, top = len(self.law), 1 / (1 - self.discount)
        sign, low = (1.0, 0.0) if signal == "reward" else (-1.0, -top)
        together = self.owner[:, None] == self.owner[None, :]
        slope = sign * ((self.law @ together) * policy - self.law)
        weighted = self.weights * self.law
        bellman = np.eye(size) - self.discount * self.transitions[:, self.owner] * policy
        rows, bounds = weighted @ bellman, weighted @ self.signals[signal]
        column = -np.ones((len(rows), 1))
        found = linprog(
            np.append(slope, beta),
            A_ub=np.vstack([np.hstack([rows, column]), np.hstack([-rows, column])]),
            b_ub=np.concatenate([bounds, -bounds]),
            bounds=[(low, top)] * size + [(0, None)],
            method="highs",
        )
        if found.x is None:
            raise ModelError(f"HiGHS gives no critic: {found.message}")
        return np.asarray(found.x[:size])


def returns(
    problem: OfflineProblem, beta: float, multiplier: float, rounds: int = ROUNDS
) -> tuple[float, float]:
    """Normalised J_r and J_c of the mixture of WSAC's rounds.

    multiplier: lambda; 0 is allowed here, as the control that ignores the cost.
    Raises ModelError for a negative weight or less than one round.
    """
    if beta < 0 or multiplier < 0 or rounds < 1:
        raise ModelError(
            f"beta = {beta}, lambda = {multiplier}, {rounds} rounds; weights are at least 0, and "
            "there is at least one round"
        )
    given = FloatProblem.of(problem)
    reference = np.array(problem.reference.probabilities, dtype=float)
    step = hedge_floats((1 - given.discount) / (1 + 2 * multiplier))
    policy, total, sums = reference, np.zeros_like(reference), np.zeros(2)
    bounds = [*given.start.tolist(), len(reference)]
    for _ in range(rounds):
        law = given.occupancy(policy)
        sums += [law @ given.signals["reward"], law @ given.signals["cost"]]
        payoff = given.critic(policy, "reward", beta)
        if multiplier:
            f_c = given.critic(policy, "cost", beta)
            worse = np.add.reduceat(f_c * (policy - reference), given.start) > 0
            payoff = payoff - multiplier * worse[given.owner] * f_c
        total = total + payoff
        policy = np.concatenate([
            step(reference[a:b], policy[a:b], total[a:b], payoff[a:b])
            for a, b in pairwise(bounds)
        ])  # fmt: skip
    reward, cost = sums / rounds
    return float(reward), float(cost)


def sweep(
    problem: OfflineProblem,
    betas: Sequence[float],
    multipliers: Sequence[float],
    rounds: int = ROUNDS,
) -> Array:
    """J_r and J_c of every pair of weights, [B, L, 2], normalised; as `returns`."""
    rows = [[returns(problem, b, m, rounds) for m in multipliers] for b in betas]
    return np.array(rows)


def sample(problem: OfflineProblem, number: int, generator: np.random.Generator) -> OfflineProblem:
    """The problem seen through data drawn from mu and P; raises ModelError for no data."""
    if number < 1:
        raise ModelError(f"number is {number}; draw at least one transition")
    law = problem.law.astype(float)
    seen = generator.multinomial(number, law / law.sum())
    rows = problem.transitions.astype(float)
    return problem.empirical(
        [generator.multinomial(n, row / row.sum()).tolist()
         for n, row in zip(seen, rows, strict=True)]
    )  # fmt: skip
