"""``ladder``: the rungs of a theorem, from policies whose numbers are known exactly."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy

from holdfast.solvers.chance import evaluate_policy, frontier
from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts import evaluation, judging
from holdfast.solvers.neural.parts.evaluation import Episodes
from holdfast.solvers.neural.parts.judging import cells, exact_world
from holdfast.verify.chance import networks as judged
from holdfast.verify.chance.flip_remarks import remarks
from holdfast.verify.chance.ladders import LADDERS, Trained, flip_ladder
from holdfast.verify.report.ladder import Ladder, Request
from holdfast.verify.report.wording import Tone
from holdfast.verify.terminal.trainings import Trainer

from ..conftest import Done, Invoke
from ..report.test_html import Page

TASK = "holdfast/TwoDiscs8-v0"
LEVELS = (Fraction(1, 10), Fraction(3, 10))
LADDER = ("ladder", "policy-mixtures/episode-flip", "--env", TASK, "--levels", "0.1,0.3",
          "--episodes", 2000)  # fmt: skip


class TablePolicy(BasePolicy):
    """A policy of Stable-Baselines3 that looks its actions up by what is observed."""

    def __init__(self, choices: Any) -> None:
        world = exact_world(TASK)
        seen = np.concatenate(list(cells(world, True)))
        box = spaces.Box(-np.inf, np.inf, seen.shape[1:], seen.dtype.type)
        super().__init__(box, spaces.Discrete(world.n_actions))
        actions = choices - world.problem.model.choice_start[:-1]
        keys = (row.tobytes() for row in seen)
        self.actions = dict(zip(keys, actions.ravel().tolist(), strict=True))

    def _predict(self, observation: Any, deterministic: bool = False) -> Any:
        rows = observation.cpu().numpy()
        return torch.tensor([self.actions[row.tobytes()] for row in rows])


@cache
def exact_policies() -> list[Any]:
    """Deterministic policies of the exact envelope, by increasing risk."""
    return list(frontier(exact_world(TASK).problem, most=40).points)


@cache
def run_at(limit: float, seed: int = 0) -> Any:
    """As if training at a limit had found the best deterministic policy within it."""
    safe = [one for one in exact_policies() if one.risk <= Fraction(limit)] or exact_policies()[:1]
    policy = TablePolicy(safe[-1].choices)
    options = SimpleNamespace(first_violation=True)
    training = SimpleNamespace(digest=f"{limit}", seed=seed, options=options)
    lines = [{"update": k, "steps": 100 * k, "return": 10.0 * k, "cost": 0.1} for k in (1, 2)]
    return SimpleNamespace(
        result=lambda: policy,
        metrics=lambda: lines,
        folder=Path(f"runs/{limit}"),
        training=training,
    )


def request(**changes: Any) -> Request:
    given: dict[str, Any] = {
        "label": "policy-mixtures/episode-flip", "seeds": (0,), "levels": LEVELS, "limits": (),
        "algorithms": ("cpo",), "task": TASK, "changes": {}, "episodes": 2000, "folder": None,
        "obtain": lambda algorithm, task, seed, changes: run_at(changes["limit"], seed),
    }  # fmt: skip
    return Request(**{**given, **changes})


@pytest.fixture(scope="module")
def ladder() -> Ladder:
    return flip_ladder(request())


@pytest.mark.parametrize("flag", [True, False])
def test_networks_are_judged_with_the_observations_of_their_training(
    flag: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the flag of violations where they were trained with it, and without it elsewhere."""
    asked: list[bool] = []
    exact, table = exact_policies()[0], judging.table
    fresh = evaluation.evaluate

    def run(*_: object) -> Any:
        found = run_at(0.2)
        options = SimpleNamespace(first_violation=flag)
        training = SimpleNamespace(digest="0.2", seed=0, options=options)
        return SimpleNamespace(result=found.result, training=training)

    def tabled(policy: Any, task: str, *, first_violation: bool = True) -> Any:
        asked.append(first_violation)
        return table(policy, task)

    def evaluated(policy: Any, task: str, *, first_violation: bool = True, **named: Any) -> Any:
        asked.append(first_violation)
        return fresh(policy, task, **named)

    monkeypatch.setattr(judging, "table", tabled)
    monkeypatch.setattr(evaluation, "evaluate", evaluated)
    judged.networks(request(obtain=run, episodes=2), "cpo", TASK, 0, [exact.risk])
    assert asked == [flag, flag]


def numbers(ladder: Ladder, rung: str, row: int) -> list[Fraction]:
    (table,) = ladder.tables
    at = [one.name for one in table.rungs].index(rung)
    return [Fraction(figure.value) for figure in table.rows[row].cells[at].figures]


def test_the_numbers_are_those_of_the_exact_policies(ladder: Ladder) -> None:
    """The mixture of envelope policies that lie around a level is at most the optimum there."""
    assert not ladder.contradicted
    for row, level in enumerate(LEVELS):
        (optimum,) = numbers(ladder, "exact optimum", row)
        value, risk = numbers(ladder, "best network", row)
        assert (risk, value) in {(one.risk, one.value) for one in exact_policies()}
        assert risk <= level
        mixed, at = numbers(ladder, "best mixture", row)
        assert value <= mixed <= optimum
        assert at <= level
        once, kept = numbers(ladder, "flip once an episode", row)
        assert once <= mixed
        assert kept <= level


def test_a_flip_between_the_two_policies_of_the_optimum_is_the_optimum() -> None:
    level, problem = Fraction(3, 10), exact_world(TASK).problem
    solution = judged.optima(TASK, [level])[level]
    assert solution.safer is not None and solution.bolder is not None
    pairs = [(one.value, one.risk) for one in (solution.safer, solution.bolder)]
    flip = judged.best_flip([(risk, value) for value, risk in pairs], level)
    assert flip is not None
    assert judged._mixed(flip, pairs) == (solution.value, level)
    assert evaluate_policy(problem, solution.safer.choices) == pairs[0]
    assert not judged.above_the_optimum((solution.value, level), [solution])
    assert judged.above_the_optimum((solution.value, level - Fraction(1, 10**9)), [solution])


def test_the_coin_at_every_step_is_another_policy(ladder: Ladder) -> None:
    for row in range(len(LEVELS)):
        once = numbers(ladder, "flip once an episode", row)
        step = numbers(ladder, "flip at every step", row)
        value, risk = numbers(ladder, "the same, measured", row)
        assert step != once
        assert abs(float(risk - step[1])) < 5 * (0.25 / 2000) ** 0.5  # five standard deviations
        assert abs(float(value / step[0]) - 1) < 0.1


def test_a_value_above_the_optimum_is_a_contradiction() -> None:
    solved = judged.optima(TASK, LEVELS)
    network = judged.networks(request(), "chance/cpo", TASK, 0, [LEVELS[0]])[0]
    value = network.exact[0]
    wrong = replace(network, exact=(value + 1000, network.exact[1]))
    no_flips: dict[Fraction, list[judged.Flips]] = {level: [] for level in LEVELS}
    found = list(remarks(Trained("cpo", [wrong], no_flips), solved))
    assert found[0].tone is Tone.BAD
    assert "above the exact optimum" in found[0].text
    assert found[1].tone is Tone.OPEN  # nor do its fresh episodes agree
    right = list(remarks(Trained("cpo", [network], no_flips), solved))
    assert [one.tone for one in right] == [Tone.GOOD, Tone.GOOD]


@pytest.mark.parametrize(("violations", "tone"), [(4800, Tone.GOOD), (4450, Tone.QUIET)])
def test_the_coin_at_every_step_is_above_its_level_where_the_interval_is(
    violations: int, tone: Tone
) -> None:
    """At 22 percent: 0.24 of 20,000 episodes is 6.8 standard deviations above, 0.2225 is 0.9."""
    level, network = Fraction(22, 100), judged.networks(request(), "", TASK, 0, [LEVELS[0]])[0]
    measured = Episodes(20_000, violations, Fraction(10**6), Fraction(10**8))
    pair = (Fraction(50), Fraction(24, 100))
    found = judged.Flips(0, None, None, None, None, pair, measured)
    said = [
        one
        for one in remarks(
            Trained("cpo", [network], {level: [found]}), judged.optima(TASK, [level])
        )
        if "every step" in one.text
    ]
    assert [one.tone for one in said] == [tone]
    assert "exact risk is 0.24 on average, above the level in 1 of 1 seed" in said[0].text
    assert ("measured from 0.2301" in said[0].text) == (tone is Tone.GOOD)


def test_what_is_not_trained_is_said_and_left_out() -> None:
    found = flip_ladder(request(obtain=lambda *wanted: None, algorithms=()))
    (table,) = found.tables
    assert [rung.name for rung in table.rungs] == ["exact optimum"]
    optima = judged.optima(TASK, LEVELS)
    assert [numbers(found, "exact optimum", row) for row in range(2)] == [
        [optima[level].value] for level in LEVELS
    ]
    assert not found.has_networks
    assert not any("were trained" in note for note in found.notes)
    assert any("4 networks of 4 not trained yet" in note for note in found.notes)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ModelError, match="'ppo' is not an algorithm of this ladder"):
        flip_ladder(request(algorithms=("ppo",)))
    with pytest.raises(ModelError, match=r"there is no task .*TwoDisks8-v0'; did you mean"):
        flip_ladder(request(task="holdfast/TwoDisks8-v0"))


def test_both_statements_of_flips_have_the_ladder() -> None:
    assert {"policy-mixtures/episode-flip", "policy-mixtures/step-flip"} <= set(LADDERS)


# -- the command ----------------------------------------------------------------------------------
@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    def obtain(self: Trainer, algorithm: str, task: str, seed: int, changes: Any) -> Any:
        return run_at(changes["limit"], seed), True

    monkeypatch.setattr(Trainer, "obtain", obtain)


def test_table_picture_page_and_json(holdfast: Invoke, trained: None) -> None:
    done = holdfast(*LADDER, "--algorithms", "cpo", "--plot", "out.png", "--html", "page",
                    "--json", "out.json")  # fmt: skip
    assert done.code == 0
    assert done.says(
        "exact optimum", "flip at every step", "plot: out.png", "page: page/index.html"
    )
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")
    found = Page(Path("page/index.html").read_text(encoding="utf-8"))
    assert not found.faults and not found.open
    assert "flip at every step" in found.text
    plain = json.loads(Path("out.json").read_text())
    assert [row["name"] for row in plain["tables"][0]["rows"]] == ["0.1", "0.3"]
    assert plain["contradicted"] is False


def refused(done: Done, *texts: str) -> bool:
    return done.code == 64 and done.says(*texts)


def test_bad_input(holdfast: Invoke, trained: None) -> None:
    assert refused(holdfast("ladder", "policy-mixtures/episode-flop"), "did you mean",
                   "these have one:", "policy-mixtures/episode-flip")  # fmt: skip
    assert refused(holdfast(*LADDER[:2], "--levels", "a"), "rational number")
    assert refused(holdfast(*LADDER[:2], "--levels", "0.1,1/10"), "more than once")
    assert refused(holdfast(*LADDER[:2], "--levels", "1.5"), "level")
    assert refused(holdfast(*LADDER, "--algorithms", "sac"), "'sac'", "ppo-lagrangian, cpo")
    assert refused(holdfast(*LADDER, "--plot", "out.doc"), "out.doc")
    assert refused(holdfast(*LADDER, "--seeds", "x"), "--seeds")
    assert refused(holdfast(*LADDER[:2], "--env", "holdfast/TwoDisks-v0"),
                   "there is no task 'holdfast/TwoDisks-v0'", "did you mean")  # fmt: skip


def test_without_training_it_says_what_is_missing(holdfast: Invoke) -> None:
    done = holdfast(*LADDER, "--no-training", "--plot", "out.png")
    assert done.code == 2
    assert done.says("not trained yet", "exact optimum", "plot: out.png")
    assert "were trained" not in done.output
    assert Path("out.png").exists()
    assert not Path(".holdfast").exists()


def test_limits_that_bound_nothing(holdfast: Invoke, trained: None) -> None:
    assert refused(holdfast(*LADDER, "--limits", "0.1,1.5"), "--limits has 1.5", "give 1 for")
    said = "the limit 1 has nothing that bounds"
    done = holdfast(*LADDER, "--limits", "0.1,1", "--algorithms", "cpo")
    assert done.says(said)
    assert said not in holdfast(*LADDER, "--limits", "0.1,0.3", "--algorithms", "cpo").output
