"""A learned model beside the true one: errors along the way and penalised optima, all exact."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..errors import ModelError
from ..exact import Vector
from ..models.cmdp import CMDP
from .improvement import policy_iteration
from .policies import Policy, mean_next

_ZERO = Fraction(0)


def l1_errors(model: CMDP, truth: CMDP) -> tuple[Fraction, ...]:
    """||T^(.|k) - T(.|k)||_1 for each choice k (K); twice the total variation.

    Raises ModelError if the two do not have the same choices.
    """
    _same_choices(model, truth)
    errors = []
    for k in range(model.n_choices):
        ours, theirs = dict(model.transition_row(k)), dict(truth.transition_row(k))
        errors.append(
            sum((abs(ours.get(t, _ZERO) - theirs.get(t, _ZERO)) for t in ours | theirs), _ZERO)
        )
    return tuple(errors)


def drifts(model: CMDP, truth: CMDP, values: Vector) -> tuple[Fraction, ...]:
    """<T^(.|k) - T(.|k), V> for each choice k (K)."""
    _same_choices(model, truth)
    return tuple(
        mean_next(model, k, values) - mean_next(truth, k, values) for k in range(model.n_choices)
    )


def penalised_optimum(model: CMDP, penalty: Sequence[Fraction]) -> Policy:
    """The optimal policy of the model for the reward minus a penalty on each choice (K)."""
    reward = model.reward_vector().fractions()
    penalised = Vector.of(r - u for r, u in zip(reward, penalty, strict=True))
    return policy_iteration(model, penalised).policy(model)


def _same_choices(model: CMDP, truth: CMDP) -> None:
    if (
        model.choice_start.tolist() != truth.choice_start.tolist()
        or model.actions.tolist() != truth.actions.tolist()
    ):
        raise ModelError(
            f"the models differ in their choices ({model.n_states} states, {model.n_choices} "
            f"choices against {truth.n_states}, {truth.n_choices}); give both the same"
        )
