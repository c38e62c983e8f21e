"""Rows of a ladder of label flips that language models give, where such runs are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.solvers.strict import strict_json

from ..report.ladder import Cell, Figure, Request, Row, Rung, Table, over_seeds
from ..report.numbers import count

if TYPE_CHECKING:
    from holdfast.solvers.neural.poisoning.dpo_options import DPOOptions
    from holdfast.solvers.neural.poisoning.dpo_tables import Compared

_ALGORITHM = "poisoning/dpo"
FLIPS = Rung("flips", "float", "What the labels cost.")
LOSS = Rung(
    "loss", "neural",
    "Of the policy's preferences on held-out pairs: 0 has the attack's whole effect, 1 has none.",
)  # fmt: skip
AGREE = Rung(
    "agreement", "neural",
    "Share of held-out pairs that the policy orders as the attack's does; below, from the least to "
    "the greatest end of the 95% intervals of the seeds.",
)  # fmt: skip
DRIFT = Rung("drift", "neural", "How far the last hidden states moved, relative (Frobenius).")


def dpo_tables(request: Request, task: str) -> Iterator[Table]:
    """A table for each way in which language models were trained on the task, trained before."""
    from holdfast.solvers.neural.poisoning.dpo_tables import dpo_table

    for options in _kept(request, task):
        found = dpo_table(task, options, request.seeds, folder=request.folder)
        names = dict.fromkeys(row.labels for row in found.rows)
        rows = [_row(name, [row for row in found.rows if row.labels == name]) for name in names]
        if rows:
            title = f"DPO of {options.model}, {options.mode}, {options.pairs} pairs"
            title += f", mean of {count(len({row.seed for row in found.rows}), 'seed')}"
            yield Table(title, "labels", (FLIPS, LOSS, AGREE, DRIFT), tuple(rows))


def _kept(request: Request, task: str) -> list[DPOOptions]:
    """The options of finished runs on the task, whatever labels they learnt from, each once."""
    from holdfast.solvers.neural.parts.runs import runs_folder
    from holdfast.solvers.neural.poisoning.dpo_options import DPOOptions

    known = {one.name for one in fields(DPOOptions)}
    found: dict[DPOOptions, None] = {}
    for path in sorted(Path(request.folder or runs_folder()).glob("*/run.json")):
        record = strict_json(path.read_text(encoding="utf-8"), str(path), float)
        named = (record["algorithm"], record["task"], record["finished"])
        if named == (_ALGORITHM, task, True) and set(record["options"]) == known:
            found[replace(DPOOptions(**record["options"]), labels="clean")] = None
    return list(found)


def _row(name: str, rows: Sequence[Compared]) -> Row:
    ends = [row.agreement() for row in rows]
    share = over_seeds([row.agree / row.pairs for row in rows]).value
    agreement = Figure(share, min(low for low, _ in ends), max(high for _, high in ends))
    cells = [over_seeds([row.flips for row in rows]), over_seeds([row.loss for row in rows])]
    cells += [agreement, over_seeds([row.drift for row in rows])]
    return Row(name, tuple(Cell((figure,)) for figure in cells))
