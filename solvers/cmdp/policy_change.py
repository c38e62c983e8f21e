"""What changes when a policy changes: distances, advantages and surrogates, all exact.

State distributions here are normalised, ``d(s) = (1 - gamma) sum_t gamma^t Pr(s_t = s)``; returns
are not.  TV is half the l1 distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..models.cmdp import CMDP
from .policies import Policy, mean_next, occupancy_of


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A change from `old` to `new`, seen with a baseline f over the states.

    Attributes:
        old_distribution, new_distribution: d and d' (S), each of sum one.
        total_variation: TV between the two policies in each state (S).
        mean_total_variation: its mean under d.
        mean_delta: bar delta(s) = E_{a ~ new, s'}[q + gamma f(s') - f(s)] (S).
        surrogate: L = E_{d, old}[(new/old - 1) delta]; actions that old never takes do not count.
        old_return, new_return: UN-normalised returns of q.
    """

    old_distribution: tuple[Fraction, ...]
    new_distribution: tuple[Fraction, ...]
    total_variation: tuple[Fraction, ...]
    mean_total_variation: Fraction
    mean_delta: tuple[Fraction, ...]
    surrogate: Fraction
    old_return: Fraction
    new_return: Fraction

    @property
    def max_delta(self) -> Fraction:
        """Largest absolute value of bar delta over the states."""
        return max(abs(value) for value in self.mean_delta)

    @property
    def span_delta(self) -> Fraction:
        """max_s bar delta(s) - min_s bar delta(s)."""
        return max(self.mean_delta) - min(self.mean_delta)

    @property
    def shift(self) -> Fraction:
        """The l1 distance of d' and d."""
        pairs = zip(self.old_distribution, self.new_distribution, strict=True)
        return sum((abs(a - b) for a, b in pairs), Fraction(0))


def policy_change(
    model: CMDP,
    old: Policy,
    new: Policy,
    baseline: Sequence[Fraction | int],
    function: Sequence[Fraction] | None = None,
) -> PolicyChange:
    """Everything about a change of policy, for the reward or any function of the K choices."""
    values = model.reward_vector().fractions() if function is None else tuple(function)
    deltas = temporal_differences(model, values, baseline)
    owner = model.choice_states.tolist()
    old_occupancy = occupancy_of(model, old).fractions()
    new_occupancy = occupancy_of(model, new).fractions()
    d_old, d_new = (_by_state(model, rho) for rho in (old_occupancy, new_occupancy))
    p, q = old.probabilities, new.probabilities
    tv, mean_delta = [Fraction(0)] * model.n_states, [Fraction(0)] * model.n_states
    surrogate = Fraction(0)
    for k, s in enumerate(owner):
        if p[k] != q[k]:
            tv[s] += abs(p[k] - q[k]) / 2
            if p[k]:
                surrogate += d_old[s] * (q[k] - p[k]) * deltas[k]
        mean_delta[s] += q[k] * deltas[k]
    return PolicyChange(
        d_old,
        d_new,
        tuple(tv),
        _dot(d_old, tv),
        tuple(mean_delta),
        surrogate,
        _dot(old_occupancy, values),
        _dot(new_occupancy, values),
    )


def temporal_differences(
    model: CMDP, values: Sequence[Fraction], baseline: Sequence[Fraction | int]
) -> tuple[Fraction, ...]:
    """delta(k) = q_k + gamma E f(s') - f(s) for every choice k."""
    return tuple(
        values[k] + model.discount * mean_next(model, k, baseline) - baseline[state]
        for k, state in enumerate(model.choice_states.tolist())
    )


def covers(old: Policy, new: Policy) -> bool:
    """Whether old takes every action that new takes (absolute continuity)."""
    return all(p or not q for p, q in zip(old.probabilities, new.probabilities, strict=True))


def _by_state(model: CMDP, occupancy: Sequence[Fraction]) -> tuple[Fraction, ...]:
    totals = [Fraction(0)] * model.n_states
    for k, state in enumerate(model.choice_states.tolist()):
        totals[state] += occupancy[k]
    return tuple((1 - model.discount) * total for total in totals)


def _dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True) if a), Fraction(0))
