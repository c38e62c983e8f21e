"""What a bilevel model refuses: the message names the value, the place and the remedy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient import BilevelModel

HALF = np.full((2, 2, 2), 0.5)
ARGUMENTS: dict[str, Any] = {
    "transitions": HALF, "follower_rewards": np.eye(2), "leader_rewards": np.ones((2, 2)),
    "temperature": 1.0, "follower_discount": 0.5, "leader_discount": 0.5,
}  # fmt: skip


def made(**changes: Any) -> BilevelModel:
    return BilevelModel.of(**(ARGUMENTS | changes))


@pytest.mark.parametrize("value", [0, -1.0, np.inf, np.nan, 5e-324])
def test_temperatures(value: float) -> None:
    with pytest.raises(ModelError, match=f"temperature is {value}; it must be positive"):
        made(temperature=value)


@pytest.mark.parametrize("name", ["follower_discount", "leader_discount"])
@pytest.mark.parametrize("value", [1, -0.1, np.nan])
def test_an_episode_that_never_ends(name: str, value: float) -> None:
    with pytest.raises(ModelError, match=f"{name} is {value}.* an episode may never end"):
        made(**{name: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"follower_rewards": [[0, np.nan], [0, 0]]}, r"follower_rewards\[0, 1\] is nan"),
        ({"leader_rewards": [[0, 0], [np.inf, 0]]}, r"leader_rewards\[1, 0\] is inf"),
        ({"follower_rewards": [0, 1]}, r"follower_rewards has shape \(2,\); give one row"),
        ({"leader_rewards": [[0], [1]]}, r"leader_rewards has shape \(2, 1\)"),
        ({"transitions": HALF[:1]}, r"transitions has shape \(2, 2\).*it needs \(4, 2\)"),
        ({"transitions": 0.9 * HALF}, r"row of \(state, action\) \(0, 0\) sums to 0.9; make it"),
        ({"transitions": HALF * [3, -1]}, r"going from .* \(0, 0\) to state 1 is -0.5"),
        ({"initial": [0.5, 0.6]}, "initial sums to 1.1; it must be a law"),
        ({"initial": [1.5, -0.5]}, r"initial\[1\] is -0.5"),
        ({"terminal": [False, True]}, "state 1 is terminal, yet its action 0 leads to state 0"),
    ],
)
def test_data_that_cannot_be_meant(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        made(**changes)


def test_terminal_states_hold_nothing() -> None:
    rows = HALF.copy()
    rows[1] = [0, 1]
    ended = made(
        transitions=rows, terminal=[False, True], follower_rewards=[[1, 0], [0, 0]],
        leader_rewards=[[1, 1], [0, 0]],
    )  # fmt: skip
    assert ended.transitions[[2, 3]].nnz == 0 and ended.initial.tolist() == [1, 0]
    with pytest.raises(ModelError, match=r"leader_rewards\[1, 0\] is not zero in a terminal state"):
        replace(ended, leader_rewards=np.ones((2, 2)))


def test_the_matrix_must_be_canonical() -> None:
    with pytest.raises(ModelError, match="transitions is not a csr_array in canonical form"):
        replace(made(), transitions=sparse.csc_array(HALF.reshape(4, 2)))
    stored = sparse.csr_array(np.eye(2)[[0, 1, 0, 1]])
    stored.data[2] = 0
    with pytest.raises(ModelError, match="stored probabilities must be positive"):
        replace(made(), transitions=stored)
