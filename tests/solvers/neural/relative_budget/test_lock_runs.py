"""Runs on locks: resumed bit by bit, as expected, controls noticed, horizons controlled."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training, TrainingError
from holdfast.solvers.neural.relative_budget import LockOptions, efficiency
from holdfast.solvers.neural.relative_budget.efficiency import Gap, bought, budget_of
from holdfast.solvers.neural.relative_budget.lock import Controller

OPTIONS = LockOptions(
    steps=2, horizon=12, budgets="1.5", updates=4, groups=4, learning_rate=0.05, letters=4,
    width=16, layers=1, checkpoint_every=2,
)  # fmt: skip


def _training(seed: int = 0, **changes) -> Training:
    return Training("relative_budget/lock", "lock", seed, replace(OPTIONS, **changes))


def _result(folder: Path, seed: int = 0, **changes):
    return obtain(_training(seed, **changes), folder=folder).result()


def _killed_after(update: int):
    def progress(done: int, updates: int, line) -> None:
        if done == update:
            raise KeyboardInterrupt

    return progress


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_bit_by_bit(tmp_path) -> None:
    """With the controller, whose counts are part of what must come back."""
    training = _training(budgets="0.5,3", target=1.5, updates=5)
    whole = obtain(training, folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        obtain(training, folder=tmp_path / "killed", progress=_killed_after(4))
    seen: list[int] = []
    resumed = obtain(training, folder=tmp_path / "killed", progress=lambda u, n, x: seen.append(u))
    assert seen == [3, 4, 5]  # killed before the checkpoint of 4 was written
    files = [run.folder / "metrics.jsonl" for run in (whole, resumed)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert whole.result().chances == resumed.result().chances


@pytest.mark.slow
def test_updates_do_what_is_expected_and_controls_are_noticed(tmp_path) -> None:
    found = {
        rewards: efficiency([_result(tmp_path, rewards=rewards, updates=40)])
        for rewards in ("verified", "shuffled", "early")
    }
    verified, shuffled, early = found.values()
    assert not verified.contradicted
    assert verified.slope.low <= verified.expected_slope <= verified.slope.high
    assert verified.expected == pytest.approx(verified.expected_slope, rel=0.05)
    assert verified.budget == pytest.approx(1.5, rel=0.01)
    assert verified.last > verified.budget
    assert shuffled.expected == shuffled.expected_slope == 0
    assert shuffled.slope.low <= 0 <= shuffled.slope.high < verified.slope.low
    assert "the mean reward" in early.contradicted


@pytest.mark.slow
def test_solved_rollouts_never_show_a_deficient_budget(tmp_path) -> None:
    point = efficiency([_result(tmp_path, budgets="0.5", updates=6, learning_rate=1e-3)])
    assert point.estimate == pytest.approx(0.5, rel=0.15)
    assert point.naive is not None and point.naive > 1


@pytest.mark.slow
def test_a_saved_network_is_gone_on_from(tmp_path) -> None:
    first = _result(tmp_path)
    model = tmp_path / "model"
    first.locks.network.save_pretrained(model)
    first.locks.tokenizer.save_pretrained(model)
    again = _result(tmp_path, budgets="", model=str(model), updates=1)
    assert again.policies()[0] == pytest.approx(first.policies()[-1], rel=1e-12)
    assert torch.equal(first.locks.secret, again.locks.secret)


@pytest.mark.slow
def test_a_rate_that_is_too_large_stops_with_a_checkpoint(tmp_path) -> None:
    with pytest.raises(TrainingError, match="is not finite; the last checkpoint is kept"):
        obtain(_training(learning_rate=1e300), folder=tmp_path)


def test_a_controller_sets_horizons_from_tokens_over_steps() -> None:
    control = Controller(replace(OPTIONS, budgets="0.5,3", target=1.5))
    assert control() == [12, 12], "nothing is known yet"
    control.tell({"spent 0": 240, "opened 0": 20, "spent 1": 80, "opened 1": 40})
    assert control() == [36, 6]  # 1.5 * 2 * 12 and 1.5 * 2 * 2
    control.tell({"spent 0": 240, "opened 0": 0, "spent 1": 40, "opened 1": 40})
    # 0.8 * 20 steps in 0.8 * 240 + 240 tokens: 1.5 * 2 * 27, cut to 4 * 12
    assert control() == [48, 4]  # 1.5 * 2 * 104/72 = 4.33
    assert Controller(OPTIONS)() == [12]


@pytest.mark.slow
def test_what_tokens_buy_is_compared_at_those_that_both_have_spent(tmp_path) -> None:
    runs = [_result(tmp_path, budgets="0.5,3", target=target) for target in (1.5, 0.0)]
    found = bought(*runs)
    spent = [float(run.column("tokens").sum()) for run in runs]
    assert found.tokens == min(spent)
    fewer = int(np.argmin(spent))
    whole = (found.controlled, found.fixed)[fewer]
    assert whole == pytest.approx(runs[fewer].column("gain").sum())


def test_a_budget_is_that_of_independent_steps() -> None:
    assert budget_of([0.25, 0.5], 12) == 2
    gap = Gap.of(np.array([1.0, 2.0, 3.0]))  # t = 4.303 at two degrees of freedom, deviation 1
    assert gap.high == pytest.approx(2 + 4.303 / 3**0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"budgets": "much"}, "are no numbers; write such as 0.5,2"),
        ({"budgets": "9"}, "a budget of 9 needs a success of 18/12 a token"),
        ({"budgets": "1,2,3"}, "groups = 4 cannot be shared evenly by 3 locks"),
        ({"model": "m"}, "have no effect on a model that is taken as it is"),
        ({"rewards": "mine"}, "give one of verified, shuffled, early"),
        ({"steps": 5}, "steps = 5 must be at most horizon = 12 and at most letters = 4"),
        ({"group": 1}, "group = 1 must be at least 2"),
        ({"updates": 0}, "updates = 0 must be positive"),
    ],
)
def test_options_that_mean_nothing_are_refused(changes, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        replace(OPTIONS, **changes)


@pytest.mark.slow
def test_other_tasks_and_points_of_several_locks_are_refused(tmp_path) -> None:
    with pytest.raises(ModelError, match="the task is 'maze'; locks are the task 'lock'"):
        obtain(Training("relative_budget/lock", "maze", 0, OPTIONS), folder=tmp_path)
    with pytest.raises(ModelError, match="are several; a point is of runs with one lock"):
        efficiency([_result(tmp_path, budgets="0.5,3", target=1.5)])
