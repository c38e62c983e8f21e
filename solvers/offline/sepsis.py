"""The ICU-Sepsis benchmark with its clinicians as behaviour and the SOFA score as clinical cost."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from ..cmdp.policies import Policy
from ..errors import ModelError
from ..models.cmdp import CMDP
from ..models.gymnasium_tables import make_environment
from ..models.rows import RowReader
from ..models.worlds import WORLDS

_PATIENT_COUNTS = 25_000
"""Largest denominator of shares of counted patients, as in `worlds`."""


def _benchmark() -> Any:
    return make_environment("Sepsis/ICU-Sepsis-v2", {}).unwrapped


def sepsis(budget: Fraction) -> CMDP:
    """The world icu-sepsis with one cost: the mean SOFA score (0 to 24) of the state, a step.

    budget: of its UN-normalised discounted sum; gamma is 99/100 and the reward 1 for survival.
    """
    model = WORLDS["icu-sepsis"].build()
    reader = RowReader(_PATIENT_COUNTS)
    scores = [reader.number(float(x), "sofa_scores") for x in _benchmark().sofa_scores]
    cost = [scores[s] for s in model.choice_states.tolist()]
    return model.with_costs([cost], [budget]).with_notes("the cost is the SOFA score of the state")


def expert_policy(model: CMDP) -> Policy:
    """The clinicians' policy that comes with the benchmark, over the choices of its world.

    It puts weight on actions that are not admissible, for which the benchmark takes the mean of
    those that are; so this weight goes to them evenly, which is the same process of states.  States
    without a patient act evenly.  Raises ModelError for a model of other states.
    """
    shares = _benchmark().expert_policy
    if model.n_states != len(shares) or int(model.actions.max()) >= shares.shape[1]:
        raise ModelError(
            f"the clinicians' policy is for {len(shares)} states and {shares.shape[1]} actions, "
            f"and the model has {model.n_states} states; give icu-sepsis, or another behaviour"
        )
    reader, found = RowReader(_PATIENT_COUNTS), list[Fraction]()
    for state, (first, last) in enumerate(pairwise(model.choice_start.tolist())):
        weights = [0] * shares.shape[1]
        if np.any(shares[state]):
            weights = reader.weights(shares[state].tolist(), f"the policy in state {state}")
        taken = [Fraction(weights[a], sum(weights) or 1) for a in model.actions[first:last]]
        rest = (1 - sum(taken, Fraction(0))) / len(taken)
        found += [share + rest for share in taken]
    return Policy.of(model, found)
