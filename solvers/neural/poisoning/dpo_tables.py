"""What language models learn from cheaper labels, beside what the attack itself teaches them.

Victims of one seed share data, order of batches and start of the adapters; only labels differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from ...errors import ModelError
from ...sequences import Array
from ..parts.runs import Progress, Run, obtain, runs_folder
from ..parts.training import Training
from .dpo_options import DPOOptions

if TYPE_CHECKING:
    from .dpo import Victim

ORDER = ("attack", "clean", "thinned", "least-cost", "rounded")
"""In which labels are trained: no loss can be told before the first two are there."""
_TITLES = f"{'labels':<13} seed   flips   moved    loss  agreement, 95 %          drift  turned"
ANOTHER = "another seed"
"""The attack's victim of the next seed: what of a loss is the luck of one training."""


@dataclass(frozen=True)
class Compared:
    """A victim beside that of the attack, on held-out pairs.

    flips: what its labels change; moved: the mean of abs(sigma_clean - sigma_attack), what the
    attack itself changes; loss: sum abs(sigma - sigma_attack) over
    sum abs(sigma_clean - sigma_attack), 0 for the attack's whole effect and 1 for none; agree: the
    pairs that both order alike, of `pairs`; drift, turned: as in `Victim`.
    """

    labels: str
    seed: int
    flips: float
    moved: float
    loss: float
    agree: int
    pairs: int
    drift: float
    turned: float

    def agreement(self, confidence: float = 0.95) -> tuple[float, float]:
        """The Clopper-Pearson interval of the share of pairs ordered alike.

        It is of these two models, for pairs drawn as the held-out ones are taken to be.
        """
        from scipy.stats import binomtest

        found = binomtest(self.agree, self.pairs).proportion_ci(confidence, method="exact")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.agreement()
        return (
            f"{self.labels:<13}{self.seed:>5}{self.flips:>8.2f}{self.moved:>8.3f}{self.loss:>8.3f}"
            f"{self.agree:>5}/{self.pairs:<4}[{low:.2f}, {high:.2f}]{self.drift:>8.4f}"
            f"{self.turned:>8.4f}"
        )


@dataclass(frozen=True)
class DPOTable:
    """rows: seed after seed, labels in `ORDER`, then `ANOTHER`; missing: cells not trained yet."""

    mode: str
    rows: tuple[Compared, ...]
    missing: tuple[tuple[int, str], ...]

    def losses(self, labels: str) -> tuple[float, ...]:
        """One a seed."""
        return tuple(row.loss for row in self.rows if row.labels == labels)

    def __str__(self) -> str:
        lines = [f"mode {self.mode}", _TITLES]
        lines += [str(row) for row in self.rows]
        for labels in (*ORDER[1:], ANOTHER):
            if len(losses := self.losses(labels)) > 1:
                spread = np.std(losses, ddof=1)
                lines.append(f"{labels:<13}mean loss {np.mean(losses):.3f}, deviation {spread:.3f}")
        for seed in dict.fromkeys(seed for seed, _ in self.missing):
            wanting = ", ".join(labels for at, labels in self.missing if at == seed)
            lines.append(f"seed {seed}: not trained yet: {wanting}")
        return "\n".join(lines)


def dpo_cells(task: str, options: DPOOptions, seeds: Iterable[int]) -> Iterator[Training]:
    """The trainings of a table, seed after seed; `options.labels` is not read."""
    for seed in seeds:
        for labels in ORDER:
            yield Training("poisoning/dpo", task, seed, replace(options, labels=labels))


def train_dpo_cells(
    task: str,
    options: DPOOptions,
    seeds: Sequence[int],
    *,
    folder: Path | None = None,
    started: Callable[[Training], None] | None = None,
    progress: Progress | None = None,
) -> DPOTable:
    """Train what is not there yet, cell by cell, and compare; a run that was killed goes on.

    started: called with each cell before it is looked up or trained.  Raises as `obtain` does.
    """
    for training in dpo_cells(task, options, seeds):
        if started is not None:
            started(training)
        obtain(training, folder=folder, progress=progress)
    return dpo_table(task, options, seeds, folder=folder)


def dpo_table(
    task: str, options: DPOOptions, seeds: Sequence[int], *, folder: Path | None = None
) -> DPOTable:
    """The table of the cells that are there; nothing is trained.

    Raises ModelError if the attack moved no held-out margin, so that there is no loss to speak of.
    """
    found: dict[tuple[int, str], Victim] = {}
    missing = []
    for training in dpo_cells(task, options, seeds):
        cell = (training.seed, training.options.labels)
        run = Run(training, Path(folder or runs_folder()) / training.digest[:16])
        if run.finished():
            found[cell] = run.result()
        else:
            missing.append(cell)
    rows = [row for seed in seeds for row in _rows(found, seed, [*seeds, seeds[0]])]
    return DPOTable(options.mode, tuple(rows), tuple(missing))


def _rows(
    found: dict[tuple[int, str], Victim], seed: int, seeds: Sequence[int]
) -> Iterator[Compared]:
    clean, attack = found.get((seed, "clean")), found.get((seed, "attack"))
    if clean is None or attack is None:
        return
    for labels in ORDER:
        if victim := found.get((seed, labels)):
            yield _compared(labels, seed, victim, clean, attack)
    following = seeds[seeds.index(seed) + 1]
    if following != seed and (victim := found.get((following, "attack"))):
        yield _compared(ANOTHER, seed, victim, clean, attack)


def _compared(labels: str, seed: int, victim: Victim, clean: Victim, attack: Victim) -> Compared:
    whole = _gap(clean.margins, attack.margins)
    if not whole:
        raise ModelError(
            "the attack moves no margin of a held-out pair; raise rate, epochs or learning_rate"
        )
    alike = np.sign(victim.margins) == np.sign(attack.margins)
    return Compared(
        labels, seed, victim.flips, whole / len(alike),
        loss=_gap(victim.margins, attack.margins) / whole, agree=int(alike.sum()),
        pairs=len(alike), drift=victim.drift, turned=victim.turned,
    )  # fmt: skip


def _gap(margins: Array, others: Array) -> float:
    return float(np.abs(expit(margins) - expit(others)).sum())
