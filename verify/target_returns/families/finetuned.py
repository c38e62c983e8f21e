"""A family of fine-tuned decision transformers on the process that is enumerated."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.training import Training, options_from

from ...binding.draws import Draw
from ...binding.family import Family
from .groups import Setting

TARGET = 5
"""What the policies are asked for: to the data it means one lottery won, or more."""
_SMALL = {
    "labels": "intended", "target": TARGET, "episodes": 200, "pretraining": 150, "steps": 10,
    "rollouts": 4, "resets": 8, "group": 8, "sampled": 3, "active": True, "epochs": 4, "clip": 0.2,
    "divergence": 0.02, "learning_rate": 2e-3, "width": 32, "layers": 1, "heads": 2,
}  # fmt: skip
"""All options, so that no default that is changed elsewhere changes these runs: some seconds."""


def _training(draw: Draw) -> Training:
    found = find("target_returns/group-finetuning")
    options: Any = options_from(found.options, _SMALL)
    assert asdict(options) == _SMALL, "an option is left to its default"
    return Training(found.name, "holdfast/Lotteries-v0", draw.integer(0, 999), options)


FINETUNED = Family("fine-tuned on lotteries", _training, trained=True)


@cache
def setting(training: Training) -> Setting:
    """The networks before and after, exactly, and the direction in which log-odds moved."""
    from holdfast.solvers.neural.parts.on_policy import one_thread
    from holdfast.solvers.neural.parts.runs import obtain
    from holdfast.solvers.neural.target_returns.lotteries import LOTTERIES, Tabled

    found = obtain(training).result()
    with one_thread():
        before, after = (Tabled.of(net, TARGET) for net in (found.before, found.after))
    return Setting(LOTTERIES, before, after, after.since(before), TARGET)
