"""The clinicians of ICU-Sepsis, as the benchmark ships them."""

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError, from_arrays
from holdfast.solvers.models.gymnasium_tables import make_environment
from holdfast.solvers.offline.guarded import enclosed_value
from holdfast.solvers.offline.sepsis import expert_policy, sepsis

pytest.importorskip("icu_sepsis")


def test_another_model_is_refused() -> None:
    with pytest.raises(ModelError, match="for 716 states and 25 actions, and the model has 1"):
        expert_policy(from_arrays([[[1]]], [[1]], discount=0))


@pytest.mark.slow
def test_the_clinicians_act_as_in_the_benchmark() -> None:
    """What is not admissible is done by the mean of what is: the same process of states."""
    model = sepsis(Fraction(60))
    acting = expert_policy(model)
    raw = make_environment("Sepsis/ICU-Sepsis-v2", {}).unwrapped
    state = 3
    chain = raw.expert_policy[state] @ raw.dynamics["tx_mat"][state]
    start = model.choice_start[state : state + 2]
    ours = np.zeros(716)
    for k in range(*start.tolist()):
        for t, p in model.transition_row(k):
            ours[t] += float(acting.probabilities[k] * p)
    assert np.abs(ours - chain).max() < 1e-8
    low, high = enclosed_value(model, acting)
    assert Fraction(72, 100) < low < high < Fraction(73, 100)
