"""A family of trained decision transformers, each with recorded episodes at every target."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.training import Training, options_from
from holdfast.solvers.sequences import Array
from holdfast.solvers.target_returns import Tuner

from ...binding.draws import Draw
from ...binding.family import Family

if TYPE_CHECKING:
    from holdfast.solvers.neural.target_returns import SafeTuningOptions

NAME = "target_returns/safe-tuning"
_RECORDED = 16
"""Episodes of each target, of which evaluations are drawn: more take longer, and fewer repeat
themselves within an evaluation."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """A world in which all expected costs are known: an episode is one of the recorded, by chance.

    points: float64[N, 2]; episodes: float64[N, E, 2] returns and costs; plain: costs of as many
    episodes at the target (best return of a safe episode, limit).
    """

    trained: Any
    options: SafeTuningOptions
    episodes: Array
    plain: Array

    @cached_property
    def costs(self) -> list[Fraction]:
        """The expected cost at each target, exactly."""
        return [exact_mean(costs) for costs in self.episodes[:, :, 1]]

    def tuned(self, method: str, stream: np.random.Generator) -> Tuner:
        """A tuner that has stopped, its evaluations drawn from the recorded episodes."""
        from holdfast.solvers.neural.target_returns.safe_tuning import tuning_of

        tuner = Tuner(tuning_of(self.trained, replace(self.options, method=method)))
        while (proposal := tuner.ask()) is not None:
            drawn = stream.integers(0, self.episodes.shape[1], self.options.rollouts)
            tuner.tell(proposal, *self.episodes[proposal.index, drawn].mean(axis=0).tolist())
        return tuner


def exact_mean(values: Array) -> Fraction:
    """Of floats, as the rationals that they are."""
    return sum(map(Fraction, values.tolist()), Fraction(0)) / len(values)


@cache
def recorded(training: Training) -> Recorded:
    """Trained where it was not before, and run at every target."""
    from holdfast.solvers.neural.parts.runs import obtain
    from holdfast.solvers.neural.target_returns import safe_tuning

    options: SafeTuningOptions = training.options
    trained = obtain(safe_tuning.of_transformer(training)).result()
    points = safe_tuning.grid_of_targets(trained, options)
    plain = safe_tuning.plain_targets(trained, options.limit)["best safe return"]
    asked = np.repeat(np.vstack([points, plain]), _RECORDED, axis=0)
    found = trained.rollouts(training.task, asked, ("verify", training.digest),
                             deterministic=not options.drawn)  # fmt: skip
    shaped = found.reshape(-1, _RECORDED, 2)
    return Recorded(trained, options, shaped[:-1], shaped[-1, :, 1])


def _base(draw: Draw) -> Training:
    """The training of a transformer, with the options of the tuning of its target."""
    record = find(NAME).options
    given = {**_COMMON, "limit": float(draw.integer(15, 25))}
    unsaid = {each.name for each in fields(record)} - given.keys()
    assert not unsaid, f"{NAME} is left to its defaults for {sorted(unsaid)}"
    options: Any = options_from(record, given)
    return Training(NAME, "SafetyBallRun-v0", draw.integer(0, 999), options)


_COMMON: dict[str, Any] = {
    "data": "", "episodes": 200, "context": 5, "width": 32, "layers": 1, "heads": 2,
    "dropout": 0.0, "steps": 1000, "batch": 64, "learning_rate": 2e-3, "warm_up": 50,
    "weight_decay": 1e-4, "gradient_norm": 0.25, "checkpoint_every": 10, "method": "pls",
    "evaluations": 25, "rollouts": 16, "failure": 0.1, "kernel": "matern52", "length": 0.5,
    "prior_mean": 2.0, "prior_deviation": 1.0, "cost_noise": 12.0, "return_noise": 50.0,
    "return_targets": 20, "cost_targets": 2, "drawn": True, "fresh": 2,
}  # fmt: skip
"""All other options, so that no default that is changed elsewhere changes these runs; half a minute
of one core for a network, and as much for its episodes.  Actions are drawn: with mean actions a
ball rolls at an even speed, and its cost has a cliff where that passes the speed limit."""

trained_targets = Family("trained decision transformers", _base, trained=True)
