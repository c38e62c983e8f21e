"""Stationary policies and their exact evaluation.

A policy is a probability for each choice.  Its value for a function f of the choices is the unique
V with V = f_pi + gamma P_pi V; FLINT solves the integer form of that system exactly.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Integral
from typing import Literal, TypeAlias

import numpy as np

from ..errors import ModelError
from ..exact import Array, Rational, Vector, common_denominator, to_fraction
from ..models.checks import check_discounted
from ..models.cmdp import CMDP
from ..programs.bordered import square_solver
from ..sequences import objects

#: What a policy is evaluated for: the reward, a cost, or any vector with one value a choice.
Function: TypeAlias = Literal["reward"] | tuple[Literal["cost"], int] | Vector

_SHOWN = 20  # states of a policy in a notebook
_SPARSE = 100  # entries of a table for each choice; beyond it the labels are no small numbers


@dataclass(frozen=True, slots=True)
class Policy:
    """A stationary policy: ``probabilities[k]`` is pi(a | s) of choice k; length K, exact.

    ``policy[s]`` is the law of the action in state s, and ``policy.table()`` all of them as an
    array; both need the model whose choices these are, which policies of solutions have.
    """

    probabilities: tuple[Fraction, ...]
    model: CMDP | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, model: CMDP, probabilities: Sequence[Rational]) -> Policy:
        """A validated policy; raises ModelError naming the state whose row is no distribution."""
        values = tuple(to_fraction(p, f"probabilities[{k}]") for k, p in enumerate(probabilities))
        policy = cls(values, model)
        check_policy(model, policy)
        return policy

    @classmethod
    def deterministic(cls, model: CMDP, actions: Sequence[int]) -> Policy:
        """The policy taking the action labelled ``actions[s]`` in state s."""
        if len(actions) != model.n_states:
            raise ModelError(f"{len(actions)} actions given for {model.n_states} states")
        start, labels = model.choice_start.tolist(), model.actions.tolist()
        choices = []
        for state, action in enumerate(actions):
            available = labels[start[state] : start[state + 1]]
            if action not in available:
                raise ModelError(
                    f"action {action} is not available in state {state}; it has {available[:20]}"
                )
            choices.append(start[state] + available.index(action))
        return cls.of_choices(model, choices)

    @classmethod
    def of_choices(cls, model: CMDP, choices: Sequence[int]) -> Policy:
        """The deterministic policy taking choice ``choices[s]`` (an index into 0..K-1) in s."""
        probabilities = [Fraction(0)] * model.n_choices
        for choice in choices:
            probabilities[choice] = Fraction(1)
        return cls(tuple(probabilities), model)

    @classmethod
    def uniform(cls, model: CMDP) -> Policy:
        """Every choice of a state with the same probability."""
        counts = model.action_counts.tolist()
        return cls(tuple(Fraction(1, n) for n in counts for _ in range(n)), model)

    def __getitem__(self, state: int) -> dict[int, Fraction]:
        """Action -> probability, of the actions that are used in a state.

        Raises ModelError without a model and for what is not an integer, and IndexError for a state
        that the model does not have.
        """
        model = self.own_model()
        if isinstance(state, bool) or not isinstance(state, Integral):
            raise ModelError(f"state {state!r:.60} is not an integer")
        if not 0 <= state < model.n_states:
            raise IndexError(f"state {state}; the model has the states 0 to {model.n_states - 1}")
        first, last = model.choice_start[state : state + 2].tolist()
        labels = model.actions[first:last].tolist()
        row = self.probabilities[first:last]
        return {action: p for action, p in zip(labels, row, strict=True) if p}

    def table(self) -> Array:
        """float64[S, A], pi(a | s) by state and action label, 0 for an action that is not there.

        Each entry is the double nearest to the exact one.  Raises ModelError without a model, and
        for labels so large that there would be over 100 times as many entries as choices.
        """
        model = self.own_model()
        width = 1 + int(model.actions.max())
        if model.n_states * width > _SPARSE * model.n_choices:
            raise ModelError(
                f"the largest action is {width - 1}, so that a table of {model.n_states} states "
                f"would have {model.n_states * width} entries for {model.n_choices} choices; "
                "policy[state] gives the law in a state"
            )
        found = np.zeros((model.n_states, width))
        states = np.repeat(np.arange(model.n_states), model.action_counts)
        found[states, model.actions.astype(np.int64)] = [float(p) for p in self.probabilities]
        return found

    def own_model(self) -> CMDP:
        """The model that it knows; ModelError without one."""
        if self.model is None:
            raise ModelError(
                "the policy knows no model, so that its choices have no states and actions; make "
                "it with Policy.of(model, probabilities)"
            )
        return self.model

    def __repr__(self) -> str:
        kind = "deterministic" if self.is_deterministic else "randomised"
        if self.model is None:
            return f"<Policy of {len(self.probabilities)} choices, {kind}>"
        return (
            f"<Policy of {self.model.n_states} states, {kind}; .table() is an array [S, A], "
            "policy[s] a law>"
        )

    def _repr_html_(self) -> str:
        """The first states as a table, for notebooks."""
        if self.model is None:
            return html.escape(repr(self))
        states = range(min(self.model.n_states, _SHOWN))
        rows = "".join(
            f"<tr><td>{s}</td><td>{', '.join(_words(self[s]))}</td></tr>" for s in states
        )
        more = self.model.n_states - len(states)
        rest = f"<tr><td>...</td><td>{more} more states</td></tr>" if more else ""
        return (
            "<table><thead><tr><th>state</th><th>action: probability</th></tr></thead>"
            f"<tbody>{rows}{rest}</tbody></table>"
        )

    @property
    def is_deterministic(self) -> bool:
        """Whether every probability is zero or one."""
        return all(p.denominator == 1 for p in self.probabilities)

    def support(self) -> list[int]:
        """The choices of positive probability, in order."""
        return [k for k, p in enumerate(self.probabilities) if p]

    def n_randomisations(self, model: CMDP, states: Sequence[int] | None = None) -> int:
        """Sum over ``states`` (default all) of the number of used actions minus one."""
        start = model.choice_start.tolist()
        chosen = range(model.n_states) if states is None else states
        return sum(sum(map(bool, self.probabilities[start[s] : start[s + 1]])) - 1 for s in chosen)


def _words(law: dict[int, Fraction]) -> list[str]:
    return [str(a) if p == 1 else f"{a}: {float(p):.6g}" for a, p in law.items()]


def check_policy(model: CMDP, policy: Policy) -> None:
    """Raise ModelError unless the policy has K non-negative entries summing to one per state."""
    p = policy.probabilities
    if len(p) != model.n_choices:
        raise ModelError(f"the policy has {len(p)} probabilities for {model.n_choices} choices")
    start = model.choice_start.tolist()
    for state in range(model.n_states):
        row = p[start[state] : start[state + 1]]
        if min(row) < 0:
            raise ModelError(
                f"the policy has probability {min(row)} in state {state}; "
                "probabilities are not negative"
            )
        if sum(row) != 1:
            raise ModelError(
                f"the policy's probabilities in state {state} sum to {sum(row)}, not to 1"
            )


def function_vector(model: CMDP, function: Function | None) -> Vector:
    """The K values of a function; None means the reward."""
    if function is None or (isinstance(function, str) and function == "reward"):
        return model.reward_vector()
    if isinstance(function, Vector):
        if len(function) != model.n_choices:
            raise ModelError(
                f"the function has {len(function)} values for {model.n_choices} choices"
            )
        return function
    if isinstance(function, tuple) and len(function) == 2 and function[0] == "cost":
        return model.cost_vector(function[1])
    raise ModelError(f'function is {function!r}; give "reward", ("cost", i) or a Vector')


def lagrangian(model: CMDP, multipliers: Sequence[Rational]) -> Vector:
    """r - sum_i lambda_i c_i over the choices."""
    if len(multipliers) != model.n_constraints:
        raise ModelError(
            f"{len(multipliers)} multipliers given for {model.n_constraints} constraint(s)"
        )
    parts = [(Fraction(1, model.reward_denominator), model.reward.tolist())]
    for i, value in enumerate(multipliers):
        weight = -to_fraction(value, f"multipliers[{i}]") / model.cost_denominators[i]
        parts.append((weight, model.costs[i].tolist()))
    scales, bottom = common_denominator(scale for scale, _ in parts)
    total = [0] * model.n_choices
    for scale, (_, row) in zip(scales, parts, strict=True):
        if scale:
            total = [t + scale * v for t, v in zip(total, row, strict=True)]
    return Vector(tuple(total), bottom)


def negated(vector: Vector) -> Vector:
    """The vector with every sign changed."""
    return Vector(tuple(-v for v in vector.numerators), vector.denominator)


def scalarised_cost(model: CMDP, multipliers: Sequence[Fraction]) -> Vector:
    """sum_i lambda_i c_i over the choices."""
    rows = [model.cost_vector(i) for i in range(model.n_constraints)]
    return Vector.of(
        sum((weight * row[k] for weight, row in zip(multipliers, rows, strict=True)), Fraction(0))
        for k in range(model.n_choices)
    )


def _policy_rows(model: CMDP, policy: Policy) -> list[list[tuple[int, int]]]:
    """For each state its used choices with integer factors f_k = p_k * scale / D_k.

    scale is the least integer making every factor of the state an integer, so that
    sum_k f_k D_k = scale.
    """
    start, bottoms = model.choice_start.tolist(), model.denominators.tolist()
    rows = []
    for state in range(model.n_states):
        used = [
            (k, p) for k in range(start[state], start[state + 1]) if (p := policy.probabilities[k])
        ]
        if len(used) == 1:
            rows.append([(used[0][0], 1)])
            continue
        scale = math.lcm(*(bottoms[k] * p.denominator for k, p in used))
        rows.append([(k, p.numerator * (scale // (p.denominator * bottoms[k]))) for k, p in used])
    return rows


def _evaluation_matrix(model: CMDP, rows: list[list[tuple[int, int]]]) -> list[dict[int, int]]:
    """Integer rows of (I - gamma P_pi), row s multiplied by gamma's denominator and its scale."""
    check_discounted(model)
    top, bottom = model.discount.numerator, model.discount.denominator
    indptr, successors, weights, bottoms = (
        a.tolist() for a in (model.indptr, model.successors, model.weights, model.denominators)
    )
    matrix: list[dict[int, int]] = [{state: 0} for state in range(model.n_states)]
    for state, used in enumerate(rows):
        line = matrix[state]
        for k, factor in used:
            line[state] += bottom * factor * bottoms[k]
            scaled = top * factor
            for j in range(indptr[k], indptr[k + 1]):
                ahead = successors[j]
                line[ahead] = line.get(ahead, 0) - scaled * weights[j]
    return matrix


def evaluate(model: CMDP, policy: Policy, function: Function | None = None) -> Vector:
    """V^pi over the states, exactly, for the reward (default), a cost or any choice function.

    UN-normalised: V(s) = E[sum_t gamma^t f(s_t, a_t) | s_0 = s].  Raises ModelError when the policy
    does not fit the model.
    """
    check_policy(model, policy)
    return _evaluate_rows(model, _policy_rows(model, policy), function_vector(model, function))


def _evaluate_rows(model: CMDP, rows: list[list[tuple[int, int]]], values: Vector) -> Vector:
    bottom, bottoms = model.discount.denominator, model.denominators.tolist()
    right = [
        bottom * sum(factor * bottoms[k] * values.numerators[k] for k, factor in used)
        for used in rows
    ]
    solution = square_solver(_evaluation_matrix(model, rows))(right, False)
    return Vector(solution.numerators, solution.denominator * values.denominator)


def evaluate_choices(
    model: CMDP, choices: Sequence[int], function: Function | None = None
) -> Vector:
    """V of the deterministic policy taking choice ``choices[s]`` in state s (no checks)."""
    return _evaluate_rows(model, [[(k, 1)] for k in choices], function_vector(model, function))


def occupancy_of(model: CMDP, policy: Policy) -> Vector:
    """rho over the choices: rho_k = sum_t gamma^t Pr(s_t = s, a_t = a); total 1/(1 - gamma)."""
    check_policy(model, policy)
    rows = _policy_rows(model, policy)
    bottom, bottoms = model.discount.denominator, model.denominators.tolist()
    total = model.initial_denominator
    # x_s = rho(s) / (bottom * scale_s) solves M^T x = mu with M the scaled evaluation matrix.
    solution = square_solver(_evaluation_matrix(model, rows))(model.initial.tolist(), True)
    result = [0] * model.n_choices
    for state, used in enumerate(rows):
        share = bottom * solution.numerators[state]
        for k, factor in used:
            result[k] = share * factor * bottoms[k]
    return Vector(tuple(result), solution.denominator * total)


def value_of(model: CMDP, values: Vector) -> Fraction:
    """mu . V, the UN-normalised return of a value vector over the states."""
    return values.dot(model.initial.tolist(), model.initial_denominator)


def policy_return(model: CMDP, policy: Policy, function: Function | None = None) -> Fraction:
    """J_f(pi) = mu . V_f^pi, exactly."""
    return value_of(model, evaluate(model, policy, function))


def expected_next(model: CMDP, numerators: Sequence[int]) -> list[int]:
    """sum_t weight_k(t) * numerators[t] for every choice k: D_k times the expectation."""
    indptr, successors, weights = (
        a.tolist() for a in (model.indptr, model.successors, model.weights)
    )
    if model.n_choices < 64:
        return [
            sum(weights[j] * numerators[successors[j]] for j in range(indptr[k], indptr[k + 1]))
            for k in range(model.n_choices)
        ]
    products = model.weights.astype(object) * objects(numerators)[model.successors]
    return list(np.add.reduceat(products, model.indptr[:-1]).tolist())


def mean_next(model: CMDP, choice: int, values: Sequence[Fraction | int] | Vector) -> Fraction:
    """sum_t P(t | k) * values[t] for one choice k, exactly."""
    return sum((p * values[t] for t, p in model.transition_row(choice)), Fraction(0))


def q_values(model: CMDP, values: Vector, function: Function | None = None) -> Vector:
    """Q(k) = f(k) + gamma sum_t P(t | k) V(t) over the choices, exactly."""
    f = function_vector(model, function)
    bottoms = model.denominators.tolist()
    common = math.lcm(*set(bottoms))
    ahead = expected_next(model, values.numerators)
    top, bottom = model.discount.numerator, model.discount.denominator
    own = bottom * common * values.denominator
    next_scale = top * f.denominator
    return Vector(
        tuple(
            own * f.numerators[k] + next_scale * ahead[k] * (common // bottoms[k])
            for k in range(model.n_choices)
        ),
        f.denominator * bottom * common * values.denominator,
    )
