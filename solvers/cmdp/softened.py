"""The model as seen by policies that act at random now and then: the softened class.

With probability `share` the action is replaced by a uniform one.  The class {(1 - share) pi + share
uniform: pi stationary} comes within 2 share (1 - 1/n) of every policy, in l1 in every state, and
its policies are exactly those of a model with mixed rows, so its optimum is as exact as any.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from ..errors import ModelError
from ..exact import common_denominator
from ..models.arrays import assemble
from ..models.cmdp import CMDP

_ZERO = Fraction(0)


def softened(model: CMDP, share: Fraction) -> CMDP:
    """The model in which each action is replaced by a uniform one with probability `share`.

    Raises ModelError if the share is not in [0, 1].
    """
    if not 0 <= share <= 1:
        raise ModelError(f"the share of random actions is {share}; it must be in [0, 1]")
    spans = [range(a, b) for a, b in pairwise(model.choice_start.tolist())]
    costs = map(model.cost_vector, range(model.n_constraints))
    reward, *paid = (
        _softened(f.fractions(), spans, share) for f in (model.reward_vector(), *costs)
    )
    return assemble(
        counts=model.action_counts.tolist(),
        actions=model.actions.tolist(),
        rows=[row for span in spans for row in _mixed_rows(model, span, share)],
        reward=reward,
        costs=paid,
        budgets=model.budgets,
        discount=model.discount,
        initial=model.initial.tolist(),
    )


def _softened(
    values: Sequence[Fraction], spans: Sequence[range], share: Fraction
) -> list[Fraction]:
    """A function of the choices, each mixed with the mean over its state."""
    return [value for span in spans for value in _mixed(values[span.start : span.stop], share)]


def _mixed(values: Sequence[Fraction], share: Fraction) -> list[Fraction]:
    mean = sum(values, _ZERO) / len(values)
    return [(1 - share) * value + share * mean for value in values]


def _mixed_rows(model: CMDP, span: range, share: Fraction) -> list[dict[int, int]]:
    """One row for each choice of a state: integer weights of its positive entries."""
    own = [dict(model.transition_row(k)) for k in span]
    states = sorted(set().union(*own))
    columns = [_mixed([row.get(t, _ZERO) for row in own], share) for t in states]
    return [_integers(states, row) for row in zip(*columns, strict=True)]


def _integers(states: Sequence[int], row: Sequence[Fraction]) -> dict[int, int]:
    weights, _ = common_denominator(row)
    return {t: weight for t, weight in zip(states, weights, strict=True) if weight}
