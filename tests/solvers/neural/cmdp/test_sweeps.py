"""Sweeps on a device of torch give what the compiled sweep gives, and a bound that is proved."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.solvers import WORLDS, ModelError, certify, solve
from holdfast.solvers.neural.cmdp.sweeps import value_iteration
from holdfast.solvers.neural.parts.devices import devices

from ....zoo.cmdps import random_model

LAKE = WORLDS["frozen-lake-4x4"].build()
DEVICES = [device for device in devices() if device != "mps"]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", range(4))
def test_the_bound_is_that_of_sweeps_here(seed: int, device: str) -> None:
    """Up to rounding after as many sweeps; one fewer proves less."""
    model = random_model(seed, states=30).with_discount("9/10")
    start, multipliers = np.linspace(-1, 1, 30), [0.5] * model.n_constraints
    found = [
        value_iteration(model, n, multipliers=multipliers, values=start, device=device)
        for n in (1, 2)
    ]
    fewer, bound = (
        certify(model, values=values, multipliers=multipliers, sweeps=0).upper for values in found
    )
    here = certify(model, values=start, multipliers=multipliers, sweeps=2).upper
    assert abs(bound - here) < 1e-12 < fewer - here


def test_many_sweeps_prove_the_optimum() -> None:
    best = solve(LAKE)
    multipliers = list(best.multipliers)
    values = value_iteration(LAKE, 2_000, multipliers=multipliers)
    left = certify(LAKE, values=values, multipliers=multipliers, sweeps=0).upper - best.value
    assert 0 <= left < 1e-12


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"device": "cuda:99"}, "device = 'cuda:99' is not there; there are cpu"),
        ({"multipliers": []}, "there are 0 multipliers for 1 costs"),
        ({"values": np.zeros(3)}, r"values are of shape \(3,\) for 17 states"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        value_iteration(LAKE, 1, **{"multipliers": [1], **given})
