"""``ladder`` of label flips: what it shows of victims whose numbers are known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast.solvers.neural.parts.training import options_from
from holdfast.solvers.neural.poisoning.dpo_options import DPOOptions
from holdfast.solvers.neural.poisoning.dpo_tables import Compared, DPOTable
from holdfast.solvers.neural.poisoning.reward_runs import ALGORITHM
from holdfast.solvers.neural.poisoning.victims import LABELS, Outcome, Victim
from holdfast.solvers.poisoning.rewards.nearness import Nearness
from holdfast.verify.terminal.trainings import Trainer

from ..conftest import Done, Invoke

NEAR = Nearness(0.5, 0.5000001, 0.75, 0.1, 0.2, 0.01, 0.02)
LOSSES = {"clean": 1.0, "attack": 0.0, "least-cost": 0.0, "rounded": 0.03, "thinned": 0.25}


def outcome(seed: int, options: Any) -> Outcome:
    """A frozen trunk loses nothing.  A trained one loses 10 times its learning rate, of which half
    is the loss of the thinned labels above 1/4: the advantage ends at a rate of 1/20."""
    moved = 10 * options.trunk_learning_rate if options.trunk == "trained" else 0.0
    losses = {**LOSSES, "least-cost": moved, "thinned": 0.25 + moved / 2}
    victims = tuple(
        Victim(name, 10.0 + seed, losses[name], 90, 100, moved / 2, NEAR if options.ridge else None)
        for name in LABELS
    )
    return Outcome(20.0, 9.5 + seed, 10.5 + seed, 0.1, "digest", victims)


class Stub:
    """In place of training; `change` is done to each outcome, `wanted` what was asked for."""

    def __init__(self) -> None:
        self.wanted: list[tuple[str, str, int, dict[str, Any]]] = []
        self.change: dict[str, Any] = {}

    def obtain(self, algorithm: str, task: str, seed: int, changes: Mapping[str, Any]) -> Any:
        self.wanted.append((algorithm, task, seed, dict(changes)))
        typed = {k: int(v) if k == "steps" else v for k, v in changes.items()}
        options: Any = options_from(ALGORITHM.options, typed)
        found = outcome(seed, options)
        if self.change:
            victims = (replace(v, **self.change) for v in found.victims)
            found = replace(found, victims=tuple(victims))
        lines = [{"update": k + 1, "victim": k // 2, "loss": 0.5} for k in range(2 * 6)]
        return SimpleNamespace(
            result=lambda: SimpleNamespace(outcome=found),
            metrics=lambda: lines,
            folder=Path("runs"),
            training=SimpleNamespace(options=options),
        ), True


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    found = Stub()
    monkeypatch.setattr(Trainer, "obtain", lambda self, *wanted: found.obtain(*wanted))
    return found


def rows(path: str) -> dict[str, list[dict[str, Any]]]:
    """Title of each table -> its rows."""
    plain = json.loads(Path(path).read_text())
    return {table["title"].split()[0]: table["rows"] for table in plain["tables"]}


def test_frozen_and_trained_trunks_beside_the_control(holdfast: Invoke, stub: Stub) -> None:
    done = holdfast("ladder", "reward-learning/same-training", "--seeds", "0,1", "--json", "out",
                    "--plot", "out.png")  # fmt: skip
    assert done.code == 0
    assert {(algorithm, task) for algorithm, task, _, _ in stub.wanted} == {
        ("poisoning/reward-model", "synthetic")
    }
    found = rows("out")
    assert set(found) == {"frozen", "trained"}
    cells = found["frozen"][0]["cells"]
    first = [[float(Fraction(f["value"])) for f in cell["figures"]] for cell in cells]
    # costs 10 and 11 of 20 flips, then losses of least-cost, rounded, thinned; 90 of 100; drift
    assert first == [[10.5, 20.0], [0.0], [0.03], [0.25], [0.9], [0.0]]
    assert done.says("frozen trunk, auto, h = 8, random attack: the least-cost labels teach what")
    assert done.says("frozen", "beat the thinned attack (2 of 2 seeds)")
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")


def test_a_frozen_trunk_that_learns_something_else_is_a_contradiction(
    holdfast: Invoke, stub: Stub
) -> None:
    stub.change = {"loss": 0.1}
    done = holdfast("ladder", "reward-learning/same-training")
    assert done.code == 1
    assert done.says("do not teach what the attack teaches (largest loss 0.1)")


def test_heads_within_the_stability_bound(holdfast: Invoke, stub: Stub) -> None:
    done = holdfast("ladder", "reward-learning/stability", "--json", "out")
    assert done.code == 0
    assert done.says("5 of 5 heads within the stability bound", "distance / bound")
    assert {changes["ridge"] for *_, changes in stub.wanted} == {1.0}
    assert set(rows("out")) == {"frozen"}


def test_a_head_beyond_the_bound_is_a_contradiction(holdfast: Invoke, stub: Stub) -> None:
    stub.change = {"near": replace(NEAR, distance_lower=0.8, distance_upper=0.9)}
    done = holdfast("ladder", "reward-learning/stability", "--json", "out")
    assert done.code == 1
    assert done.says("0 of 5 heads within the stability bound")
    assert all(row["cells"][1]["over"] for row in rows("out")["frozen"])


def test_a_file_has_the_cells_of_the_reference_experiment(holdfast: Invoke, stub: Stub) -> None:
    done = holdfast("ladder", "reward-learning/same-training", "--env", "pairs.jsonl",
                    "--set", "steps=20")  # fmt: skip
    assert done.code == 0
    assert {task for _, task, _, _ in stub.wanted} == {"pairs.jsonl"}
    assert done.says("ngrams, h = 8, random attack", "sentence, h = 8, length attack")
    assert {changes["steps"] for *_, changes in stub.wanted} == {"20"}


def refused(done: Done, *texts: str) -> bool:
    return done.code == 64 and done.says(*texts)


def test_options_without_effect_are_refused(holdfast: Invoke, stub: Stub) -> None:
    ladder = ("ladder", "reward-learning/same-training")
    assert refused(holdfast(*ladder, "--levels", "0.1"), "--levels has no effect on the ladder of")
    assert refused(holdfast(*ladder, "--limits", "0.1"), "--limits has no effect")
    assert refused(holdfast(*ladder, "--algorithms", "cpo"), "--algorithms has no effect")
    assert refused(holdfast(*ladder, "--episodes", "500"), "--episodes has no effect")
    assert not stub.wanted


def kept(folder: str, **record: Any) -> None:
    path = Path(".holdfast/runs", folder)
    path.mkdir(parents=True)
    plain = {
        "algorithm": "poisoning/dpo", "task": "pairs.jsonl", "finished": True,
        "options": asdict(DPOOptions(labels="attack")),
    }  # fmt: skip
    (path / "run.json").write_text(json.dumps({**plain, **record}))


def test_language_models_that_are_kept_have_a_table(
    holdfast: Invoke, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One table for all labels of one way of training; none for other data or unfinished runs."""
    monkeypatch.delenv("HOLDFAST_RUNS", raising=False)
    kept("one")
    kept("two", options=asdict(DPOOptions(labels="clean")))
    kept("other", task="others.jsonl", options=asdict(DPOOptions(pairs=99)))
    kept("begun", finished=False, options=asdict(DPOOptions(pairs=98)))
    kept("older", options={"pairs": 97})
    asked = []

    def table(task: str, options: DPOOptions, seeds: Any, *, folder: Any) -> DPOTable:
        asked.append((task, options, seeds, folder))
        row = Compared("thinned", 0, 7.0, 0.01, 0.4, 50, 56, 0.125, 0.25)
        return DPOTable("lora", (row, replace(row, seed=1, loss=0.6)), ())

    module = import_module("holdfast.solvers.neural.poisoning.dpo_tables")
    monkeypatch.setattr(module, "dpo_table", table)
    done = holdfast("ladder", "reward-learning/same-training", "--env", "pairs.jsonl",
                    "--seeds", "0,1", "--json", "out")  # fmt: skip
    assert done.code == 0
    assert asked == [("pairs.jsonl", DPOOptions(), (0, 1), None)]
    (row,) = rows("out")["DPO"]
    assert row["name"] == "thinned"
    assert [float(Fraction(c["figures"][0]["value"])) for c in row["cells"]] == pytest.approx(
        [7.0, 0.5, 50 / 56, 0.125]
    )
    assert done.says("DPO of smollm2, lora, 112 pairs, mean of 2 seeds")
