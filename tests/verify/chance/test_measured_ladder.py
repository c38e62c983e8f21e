"""The ladder of flips without a model, on an environment whose numbers are known all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from holdfast.solvers.neural.chance import flips
from holdfast.verify.chance import measured
from holdfast.verify.chance.ladders import flip_ladder
from holdfast.verify.chance.measured_ladder import EPISODES
from holdfast.verify.report.ladder import Cell, Ladder, Request
from holdfast.verify.report.wording import Tone
from holdfast.verify.terminal.trainings import Trainer

from ...solvers.neural.chance.networks import constant
from ..conftest import Invoke

torch.set_num_threads(1)
TASK, SHOWN = "TurnOrStay-v0", 400
STEPS, RISK = 5, 0.4
LABEL = "policy-mixtures/episode-flip"


class TurnOrStay(gymnasium.Env[Any, Any]):
    """Five steps; action 1 earns 1.  Unsafe: another action than the first, and 1 at first with
    probability 0.4.  So 0 throughout has value 0 and risk 0, 1 throughout value 5 and risk 0.4."""

    observation_space = gymnasium.spaces.Box(0, STEPS, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.time, self.first = 0, 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        unlucky = False
        if self.time == 0:
            self.first = int(action)
            unlucky = bool(action == 1 and self.np_random.random() < RISK)
        self.time += 1
        cost = float(unlucky or action != self.first)
        seen = np.full(1, self.time, np.float32)
        return seen, float(action), self.time == STEPS, False, {"cost": cost}


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    gymnasium.register(TASK, entry_point=TurnOrStay)
    yield
    del gymnasium.registry[TASK]


@cache
def run_at(limit: float, seed: int = 0) -> Any:
    """As if training at a limit of at least 0.4 had found action 1, and below it action 0."""
    seen = gymnasium.spaces.Box(0, STEPS, (2,), np.float32)
    policy = constant(int(limit >= RISK), seen)
    options = SimpleNamespace(first_violation=True)
    training = SimpleNamespace(digest=f"{limit} {seed}", seed=seed, task=TASK, options=options)
    lines = [{"update": k, "steps": 100 * k, "return": 1.0 * k, "cost": 0.1} for k in (1, 2)]
    return SimpleNamespace(
        result=lambda: policy,
        metrics=lambda: lines,
        folder=Path(f"runs/{limit}"),
        training=training,
    )


def request(**changes: Any) -> Request:
    given: dict[str, Any] = {
        "label": LABEL, "seeds": (0, 1), "levels": (Fraction(1, 5),),
        "limits": (Fraction(1, 20), Fraction(1)), "algorithms": ("cpo",), "task": TASK,
        "changes": {}, "episodes": SHOWN, "folder": None,
        "obtain": lambda algorithm, task, seed, changes: run_at(changes["limit"], seed),
    }  # fmt: skip
    return Request(**{**given, **changes})


def cells(ladder: Ladder) -> dict[str, Cell]:
    """Of the one level: rung -> cell."""
    (row,) = ladder.tables[1].rows
    return dict(zip([rung.name for rung in ladder.tables[1].rungs], row.cells, strict=True))


def near(cell: Cell, value: float, risk: float, episodes: int = SHOWN) -> bool:
    """Within five standard deviations of what is known; a return is at most 5 away from its
    mean."""
    (seen, low, high), (share, least, most) = ((f.value, f.low, f.high) for f in cell.figures)
    assert low is not None and high is not None and least is not None and most is not None
    assert low <= seen <= high and least <= share <= most
    return (
        abs(float(seen) - value) <= 5 * 2.5 / episodes**0.5
        and abs(float(share) - risk) <= 5 * 0.5 / episodes**0.5
    )


@pytest.fixture(scope="module")
def ladder() -> Ladder:
    return flip_ladder(request())


@pytest.mark.slow
def test_networks_and_flips_have_the_numbers_that_are_known(ladder: Ladder) -> None:
    safe, bold = ladder.tables[0].rows
    assert all(near(cell, 0, 0) for cell in safe.cells)
    assert all(near(cell, 5, RISK) for cell in bold.cells)
    found = cells(ladder)
    assert near(found["best network"], 0, 0)
    bounds = [flips.upper_bound(0, SHOWN, Fraction(1, 40)), Fraction(RISK)]
    coin = float((Fraction(1, 5) - bounds[0]) / (bounds[1] - bounds[0]))
    once = found["flip once an episode"]
    assert near(once, 5 * coin, RISK * coin, SHOWN // 4)  # the bound on 0.4 is up to 0.45
    step = found["flip at every step"]
    together = (1 - coin) ** 5 + (1 - RISK) * coin**5
    assert near(step, 5 * coin, 1 - together, SHOWN // 4)
    assert step.over and not once.over
    assert not ladder.contradicted
    assert any("no optimum is known" in note for note in ladder.notes)


def test_remarks_say_which_coin_breaks_the_level(ladder: Ladder) -> None:
    said = {one.text: one.tone for one in ladder.remarks}
    once, gain, step = said
    assert "once an episode, the coin is shown to break its level in 0 of 2 cases" in once
    assert "more than the best single network" in gain
    assert "at every step, it is shown to break its level in 2 of 2 cases" in step
    assert list(said.values()) == [Tone.GOOD, Tone.QUIET, Tone.GOOD]


@pytest.mark.slow
def test_a_coin_that_is_tossed_too_often_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: an "episode" flip that tosses at every step breaks its level, and it is said."""
    fresh = measured.Judge._tossed
    monkeypatch.setattr(
        measured.Judge, "_tossed", lambda self, form, flip: fresh(self, "printed", flip)
    )
    found = flip_ladder(request(seeds=(0,)))
    assert found.remarks[0].tone is Tone.OPEN
    assert "break its level in 1 of 1" in found.remarks[0].text
    assert cells(found)["flip once an episode"].over


def test_where_no_network_is_safe_enough() -> None:
    found = flip_ladder(request(limits=(Fraction(1, 2), Fraction(1)), seeds=(0,)))
    assert not any(cell.figures for cell in cells(found).values())
    (only,) = found.remarks
    assert only.tone is Tone.OPEN
    assert "in 1 of 1 case no network is measured to be safe enough" in only.text


@pytest.mark.slow
def test_what_was_chosen_is_run_on_other_episodes_and_once() -> None:
    group = measured.networks(request(), "chance/cpo", TASK, 0, request().limits)
    judge = measured.Judge(request(), group)
    level, sure = judge.flips(Fraction(1, 5)), judge.flips(Fraction(1))
    assert level.between is not None and sure.between is not None
    assert float(level.between.probability) * RISK <= 0.2  # its true risk: 0 is the other's
    assert level.best.seeds != group[0].measured.seeds
    assert level.best is judge.flips(Fraction(1, 100)).best
    assert sure.episode is sure.step is sure.best  # nothing is to be tossed
    assert len({level.best.seeds, level.episode.seeds, level.step.seeds, sure.best.seeds}) == 4


@pytest.mark.slow
def test_the_command_draws_it(holdfast: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def obtain(self: Trainer, algorithm: str, task: str, seed: int, changes: Any) -> Any:
        return run_at(changes["limit"], seed), True

    def drawn(given: Request) -> Ladder:
        asked.append(given.episodes)
        return flip_ladder(given)

    monkeypatch.setattr(Trainer, "obtain", obtain)
    monkeypatch.setattr("holdfast.verify.cli.ladder._ladder", lambda label: drawn)
    words = ("ladder", LABEL, "--env", TASK, "--limits", "0.05,1", "--levels", "0.2",
             "--algorithms", "ppo-lagrangian")  # fmt: skip
    done = holdfast(*words, "--plot", "out.png", "--html", "page", "--json", "out.json")
    assert done.code == 0
    assert asked == [0]
    assert done.says("no optimum is known", "plot: out.png", f"{EPISODES} fresh episodes a policy")
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")
    plain = json.loads(Path("out.json").read_text())
    titles = [table["title"] for table in plain["tables"]]
    assert titles[:2] == ["ppo-lagrangian: networks", "ppo-lagrangian: flips, mean of 1 seed"]
    assert "flip at every step" in Path("page/index.html").read_text()


def test_without_training_it_says_what_is_missing() -> None:
    found = flip_ladder(request(obtain=lambda *wanted: None))
    assert not found.tables and not found.panels and not found.remarks
    assert any("4 networks of 4 not trained yet" in note for note in found.notes)
