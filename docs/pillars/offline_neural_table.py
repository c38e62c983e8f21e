"""The table of trained offline policies, from runs that are kept; missing ones are left out.

    python docs/pillars/offline_neural_table.py              what there is
    python docs/pillars/offline_neural_table.py train 0 1    trains what is missing for these seeds

Values are means over seeds, with the least and the largest; returns and costs are UN-normalised, of
likeliest actions on 2,000 fresh episodes (50 with a simulator).  Those of ICU-Sepsis are survival
and SOFA score, enclosed in the package's own model; the score may be proved to be no higher than
the clinicians'.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from holdfast.solvers.cmdp.scale.certification import Certification
from holdfast.solvers.neural.offline.ranks import Ranks
from holdfast.solvers.neural.offline.sepsis import certified, ward
from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.evaluation import evaluate
from holdfast.solvers.neural.parts.runs import Run, obtain, runs_folder
from holdfast.solvers.neural.parts.training import Training, options_from
from holdfast.solvers.neural.parts.worlds import circle

SEEDS, EPISODES = range(5), 2000
CLAIMED: dict[str, Any] = {
    "iterations": 0, "multiplier": 50.0, "ascent_rate": 2**-6, "limit": 8.0, "rollouts": 16,
    "offline_steps": 1500, "alignment_steps": 1000,
}  # fmt: skip
"""Of the claim on value pre-alignment."""
RUNS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "behaviour cloning": ("wsac", circle.TASK, {"steps": 0}),
    "WSAC beta 20, lambda 2": ("wsac", circle.TASK, {}),
    "WSAC beta 20, lambda 0": ("wsac", circle.TASK, {"penalty": 0.0}),
    "WSAC beta 5, lambda 2": ("wsac", circle.TASK, {"beta": 5.0}),
    "WSAC beta 1, lambda 2": ("wsac", circle.TASK, {"beta": 1.0}),
    "Marvel, ascent": ("marvel", circle.TASK, {}),
    "Marvel, PID": ("marvel", circle.TASK, {"controller": "pid"}),
    "Marvel, adaptive PID": ("marvel", circle.TASK, {"controller": "adaptive"}),
    "Marvel, not aligned": ("marvel", circle.TASK, {"alignment_steps": 0}),
    "CPQ and alignment alone": ("marvel", circle.TASK, CLAIMED),
    "guarded by a density": ("guarded", circle.TASK, {}),
    "guarded by an ellipsoid": ("guarded", circle.TASK, {"guardian": "ellipsoid"}),
    "unguarded": ("guarded", circle.TASK, {"guardian": "none"}),
    "BallRun, cloning": ("wsac", "SafetyBallRun-v0", {"steps": 0}),
    "BallRun, WSAC": ("wsac", "SafetyBallRun-v0", {}),
    **{
        f"sepsis, {method}": ("sepsis", "ICU-Sepsis", {"method": method})
        for method in ("clone", "wsac", "guarded", "unguarded")
    },
    "sepsis, wsac without penalty": ("sepsis", "ICU-Sepsis", {"penalty": 0.0}),
}


def training(name: str, seed: int) -> Training:
    algorithm, task, changes = RUNS[name]
    found = find(f"offline/{algorithm}")
    return Training(found.name, task, seed, options_from(found.options, changes))


def kept(name: str, seed: int) -> Run | None:
    one = training(name, seed)
    run = Run(one, runs_folder() / one.digest[:16])
    return run if run.finished() else None


def judged(run: Run) -> tuple[float, float]:
    """(return, cost)."""
    found = run.result()
    if run.training.task == "ICU-Sepsis":
        return middles(certified(found.policy))
    if run.training.task == circle.TASK:
        starts = circle.starts(EPISODES, np.random.default_rng(2**32 + run.training.seed))
        earned = circle.rolled(lambda seen: found.predict(seen, deterministic=True)[0], starts)
        return float(earned[:, 0].mean()), float(earned[:, 1].mean())
    costs: list[Any] = []
    seen = evaluate(
        found, run.training.task, episodes=50, seed_words=("table",), first_violation=False,
        each_cost=costs.append,
    )  # fmt: skip
    return float(seen.value), float(np.concatenate(costs).mean())


def middles(proved: Certification) -> tuple[float, float]:
    """(survival, score) of bounds that are too narrow to show."""
    assert proved.reward is not None  # as it is for values alone
    ends = proved.reward, *proved.costs
    assert all(high - low < 1e-6 for low, high in ends)
    value, score = (float(sum(pair) / 2) for pair in ends)
    return value, score


def shown(values: Sequence[float]) -> str:
    return f"{np.mean(values):8.3g} ({min(values):.3g} to {max(values):.3g})"


def table() -> Iterator[str]:
    for name in RUNS:
        runs = [run for seed in SEEDS if (run := kept(name, seed)) is not None]
        if not runs:
            continue
        returns, costs = zip(*map(judged, runs), strict=True)
        yield f"{name:<30}{len(runs)} seeds  return {shown(returns)}  cost {shown(costs)}"
        if runs[0].training.task == "ICU-Sepsis":
            kept_budget = [certified(run.result().policy).within_budgets for run in runs]
            yield f"    proved to be no dearer than the clinicians: {kept_budget.count(True)}"
        ranks = [getattr(run.result(), "numbers", {}).get("ranks", {}) for run in runs]
        for key in ranks[0]:
            found = [Ranks(*each[key]).correlation for each in ranks]
            yield f"    rank correlation of {key:<28}{shown(found)}"
    survival, score = middles(certified(ward().clinicians))
    yield f"clinicians of ICU-Sepsis: survival {survival:.4f}, SOFA {score:.4f}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        for seed in map(int, sys.argv[2:]):
            for name in RUNS:
                obtain(training(name, seed))
    for line in table():
        print(line, flush=True)
