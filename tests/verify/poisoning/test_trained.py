"""The row of a trained run says what the run's outcome says, control included."""

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.poisoning.victims import RewardModelOptions
from holdfast.verify.poisoning.trained import judge

OPTIONS = RewardModelOptions(hidden=4, width=2, warm_steps=5, steps=4)


@pytest.mark.parametrize("ridge", [0.0, 5.0])
def test_a_row_has_the_losses_and_the_control(tmp_path: Path, ridge: float) -> None:
    training = Training("poisoning/reward-model", "synthetic", 0, replace(OPTIONS, ridge=ridge))
    run = obtain(training, folder=tmp_path)
    row, outcome = judge(run, 10), run.result().outcome
    assert row["thinned (control)"] == f"{outcome.of('thinned').loss:.3g}"
    assert row["loss, least cost"] == f"{outcome.of('least-cost').loss:.3g}"
    assert row["least cost / attack"].endswith("/ 48 flips")
    assert row["agreement"].startswith("1.000 (0.97")
    assert ("distance / bound" in row) == bool(ridge)
    assert judge(run, 1000) == row
