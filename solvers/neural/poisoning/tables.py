"""Tables of the experiment on label flips: means over seeds, each beside its control."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...whole_files import write_text
from .reward_runs import obtain_outcome
from .victims import LABELS, TRUNKS, Outcome, RewardModelOptions

SEEDS = (0, 1, 2, 3, 4)
"""Student's interval over five is 2.8 standard errors wide on each side, over three 4.3; every seed
costs a training of each cell."""
REFERENCE = tuple(
    RewardModelOptions(features=features, width=width, attack=attack)
    for features, width, attack in (
        ("ngrams", 8, "random"),
        ("ngrams", 32, "random"),
        ("sentence", 8, "length"),
        ("sentence", 32, "random"),
    )
)
"""The cells of the reference experiment, each to be run with both trunks."""
CONTROL = "thinned"
Done = Callable[[int, int], None]
"""Called with the number of runs that are there, and of all."""


@dataclass(frozen=True)
class Mean:
    """Of one number a seed, with Student's interval for its expectation over seeds.

    low, high: at 95 %, if numbers of seeds are independent and normal; both are NaN for one seed.
    """

    mean: float
    low: float
    high: float
    seeds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        """The mean of one value a seed."""
        from scipy.stats import t

        mean, size = float(np.mean(values)), len(values)
        if size == 1:
            return cls(mean, float("nan"), float("nan"), 1)
        half = float(t.ppf(0.975, size - 1) * np.std(values, ddof=1) / np.sqrt(size))
        return cls(mean, mean - half, mean + half, size)


@dataclass(frozen=True)
class Row:
    """One labelling in one cell, over seeds.

    features, width, attack, trunk, trunk_learning_rate: the cell; labels: one of `LABELS`; flips:
    their cost; loss: held-out loss, 0 for the attack's whole effect; control: that of the attack
    thinned to as many flips as the least cost; advantage: control - loss, seed by seed, so that the
    labels beat the control where the interval lies above 0; agreement: share of held-out pairs
    ordered as the attack's victim orders them; drift: of the features of training pairs; moved:
    what the attack itself changes.
    """

    features: str
    width: int
    attack: str
    trunk: str
    trunk_learning_rate: float
    labels: str
    flips: Mean
    loss: Mean
    control: Mean
    advantage: Mean
    agreement: Mean
    drift: Mean
    moved: Mean

    @classmethod
    def of(cls, options: RewardModelOptions, labels: str, outcomes: Sequence[Outcome]) -> Row:
        """One row, of one outcome a seed."""
        own = [outcome.of(labels) for outcome in outcomes]
        controls = [outcome.of(CONTROL).loss for outcome in outcomes]
        return cls(
            options.features, options.width, options.attack, options.trunk,
            options.trunk_learning_rate if options.trunk == "trained" else 0.0, labels,
            flips=Mean.of([one.flips for one in own]),
            loss=Mean.of([one.loss for one in own]),
            control=Mean.of(controls),
            advantage=Mean.of([c - one.loss for c, one in zip(controls, own, strict=True)]),
            agreement=Mean.of([one.agree / one.pairs for one in own]),
            drift=Mean.of([one.drift for one in own]),
            moved=Mean.of([outcome.moved for outcome in outcomes]),
        )  # fmt: skip


def reward_table(
    task: str,
    cells: Iterable[RewardModelOptions] = REFERENCE,
    seeds: Sequence[int] = SEEDS,
    *,
    device: str = "cpu",
    folder: Path | None = None,
    done: Done | None = None,
) -> list[Row]:
    """The rows of cells, with frozen and with trained trunk, on the data of a task.

    task: "synthetic" or a file of preference data; cells: of which `trunk` is not read; folder: of
    the runs, which are trained once and kept.  Raises as `obtain_outcome` does.
    """
    both = [replace(cell, trunk=trunk) for cell in cells for trunk in TRUNKS]
    rows, total = [], len(both) * len(seeds)
    for at, options in enumerate(both):
        outcomes = []
        for seed in seeds:
            outcomes.append(obtain_outcome(task, options, seed, device=device, folder=folder))
            if done is not None:
                done(at * len(seeds) + len(outcomes), total)
        rows += [Row.of(options, labels, outcomes) for labels in LABELS]
    return rows


def save_table(rows: Iterable[Any], path: str | Path) -> None:
    """Write rows (`Row`, `StabilityRow`, `DriftPoint`) as JSON; NaN, of a single seed, as null."""
    plain = json.loads(json.dumps([asdict(row) for row in rows]), parse_constant=lambda _: None)
    record = {"kind": "reward-model-table", "rows": plain}
    write_text(path, json.dumps(record, indent=1, allow_nan=False) + "\n")
