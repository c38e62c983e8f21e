"""A family of training runs: a reward model with a frozen trunk, taught by five labellings."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.training import Training, options_from

from ...binding.draws import Draw
from ...binding.family import Family

if TYPE_CHECKING:
    from holdfast.solvers.neural.poisoning.reward_runs import TrainedVictims
    from holdfast.solvers.neural.poisoning.victims import Cell

_TASK, _NAME = "synthetic", "poisoning/reward-model"


@dataclass(frozen=True)
class TrainedRewards:
    """The run of one cell: its start and the victim of each labelling."""

    training: Training

    def obtained(self) -> tuple[Cell, TrainedVictims]:
        """(data and labels, models), trained where they were not before."""
        from holdfast.solvers.neural.parts.runs import obtain
        from holdfast.solvers.neural.poisoning.answers import read_answers
        from holdfast.solvers.neural.poisoning.victims import prepare

        options = self.training.options
        models = obtain(self.training).result()
        answers = read_answers(self.training.task, options.features)
        return prepare(answers, options, self.training.seed), models


def _base(draw: Draw) -> TrainedRewards:
    own: dict[str, Any] = {
        "width": draw.integer(4, 12),
        "ridge": draw.integer(*_RIDGE),
        "steps": draw.integer(20, 80),
    }
    record, given = find(_NAME).options, {**own, **_COMMON}
    unsaid = {each.name for each in fields(record)} - given.keys()
    assert not unsaid, f"{_NAME} is left to its defaults for {sorted(unsaid)}"
    options: Any = options_from(record, given)
    return TrainedRewards(Training(_NAME, _TASK, draw.integer(0, 999), options))


_COMMON: dict[str, Any] = {
    "features": "auto", "hidden": 16, "attack": "random", "rate": 0.1, "held_out": 0.2,
    "warm_steps": 30, "trunk": "frozen", "optimizer": "lbfgs", "learning_rate": 0.003,
    "trunk_learning_rate": 0.003, "batch": 0,
}  # fmt: skip
"""All other options, so that no default that is changed elsewhere changes these runs."""
_RIDGE = (600, 1000)
"""Beside curvatures of about a tenth of 480 pairs: with smaller ones the bound is several times the
distance, and half of it would be true as well."""

trained_rewards = Family("reward models with a frozen trunk", _base, trained=True)
