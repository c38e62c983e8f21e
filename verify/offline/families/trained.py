"""Families of policies that were trained on the episodes of scripted controllers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.training import Training, options_from
from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Mean

if TYPE_CHECKING:
    from holdfast.solvers.neural.offline import OfflinePolicy

TASK = "holdfast/PointCircle-v0"
SEEDS = 5
"""Runs of each family: a run takes a minute or two of one core, and claims share them."""
EPISODES = 100_000
"""Fresh ones of a policy: with all claims on networks in a run its return is known to about 1."""
_WSAC: dict[str, Any] = {
    "data": "", "episodes": 240, "width": 64, "batch": 128, "discount": 0.95,
    "checkpoint_every": 20, "warm_steps": 1500, "steps": 2000, "beta": 20.0, "penalty": 2.0,
    "margin": 0.05,
    "regulariser": "squared", "fast_rate": 5e-4, "slow_rate": 5e-5, "follow": 0.005,
    "drawn": False,
}  # fmt: skip
_MARVEL: dict[str, Any] = {
    "data": "", "episodes": 240, "width": 64, "batch": 128, "discount": 0.95,
    "checkpoint_every": 20, "limit": 8.0, "offline_steps": 1500, "alignment_steps": 1000,
    "iterations": 0, "rollouts": 16, "gradient_steps": 80, "cloning": 1.0, "bonus": 0.05,
    "cost_bonus": 0.01, "entropy": 0.02, "rate": 5e-4, "follow": 0.005, "controller": "ascent",
    "multiplier": 50.0, "ascent_rate": 2**-6, "proportional": 0.05, "integral": 0.005,
    "derivative": 0.01, "adaptivity": 0.1,
}  # fmt: skip
"""All options, so that no default that is changed elsewhere changes these runs."""
_SHORT = {"offline_steps": 300, "alignment_steps": 0, "bonus": 0.05, "iterations": 10,
          "gradient_steps": 20}  # fmt: skip
"""Online alone.  Costs are sixteenths, the rate is a 64th and the limit whole, so that the floats
of the multiplier are exact."""


def _family(name: str, algorithm: str, given: dict[str, Any], what: str) -> Family:
    def base(draw: Draw) -> Training:
        options: Any = options_from(find(algorithm).options, given)
        assert asdict(options) == given, "an option is left to its default"
        return Training(algorithm, TASK, draw.integer(0, SEEDS - 1), options)

    return Family(f"{what} ({name})", base, trained=True)


WSAC = _family("beta 20, lambda 2", "offline/wsac", _WSAC, "policies that WSAC trained")
UNPENALISED = _family(
    "beta 20, lambda 0", "offline/wsac", {**_WSAC, "penalty": 0.0, "steps": 3000},
    "policies that WSAC trained",
)  # fmt: skip
"""Half as long again: after 2000 steps one of three seeds had only reached the cost of the data."""
ALIGNED = _family("CPQ, then alignment", "offline/marvel", _MARVEL, "critics on recorded episodes")
ASCENT = _family("dual ascent", "offline/marvel", {**_MARVEL, **_SHORT}, "multipliers online")
PID = _family(
    "PID", "offline/marvel",
    {**_MARVEL, **_SHORT, "controller": "pid", "ascent_rate": 0.01, "proportional": 1.0},
    "multipliers online",
)  # fmt: skip


@cache
def result(training: Training) -> OfflinePolicy:
    """What the run ended with, trained where it was not before."""
    from holdfast.solvers.neural.parts.runs import obtain

    found: OfflinePolicy = obtain(training).result()
    return found


def cloned(training: Training) -> Training:
    """Behaviour cloning of the same data: the policy that the training began with."""
    idle = ("beta", "penalty", "margin", "regulariser", "slow_rate", "follow", "drawn")
    given = {name: getattr(type(training.options), name) for name in idle}
    return replace(training, options=replace(training.options, steps=0, **given))


@cache
def fresh(training: Training) -> tuple[Mean, Mean]:
    """Return and cost of fresh episodes of likeliest actions."""
    return _means(training, lambda count, stream: result(training).acting(True))


@cache
def recorded(training: Training) -> tuple[Mean, Mean]:
    """The same of the scripted controllers of the data, each drawn for an episode."""
    from holdfast.solvers.neural.parts.worlds import circle

    kinds = len(circle.CONTROLLERS)
    return _means(
        training, lambda count, stream: circle.scripted(stream.integers(0, kinds, count), stream)
    )


def _means(training: Training, acting: Callable[[int, Any], Any]) -> tuple[Mean, Mean]:
    from holdfast.solvers.neural.parts.evaluation import fresh_seeds
    from holdfast.solvers.neural.parts.on_policy import one_thread
    from holdfast.solvers.neural.parts.worlds import circle

    seed = fresh_seeds(TASK, ("verify", training.digest), 1)[0]
    stream = np.random.default_rng(seed)
    with one_thread():
        found = circle.rolled(acting(EPISODES, stream), circle.starts(EPISODES, stream))
    most = Fraction(circle.MOST) * circle.STEPS
    steps = Fraction(circle.STEPS)
    return _mean(found[:, 0], -most, most), _mean(found[:, 1], Fraction(0), steps)


def _mean(values: Array, lo: Fraction, hi: Fraction) -> Mean:
    exact = [Fraction(value) for value in values.tolist()]
    return Mean(len(exact), sum(exact), sum(one**2 for one in exact), lo, hi)  # type: ignore[arg-type]
