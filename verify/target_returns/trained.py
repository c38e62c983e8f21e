"""What ``holdfast train`` says of policies with targets: what they are asked, and what they do."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from holdfast.solvers.neural.target_returns import TunedTarget

_QUANTILES = (0.1, 0.5, 0.9)
"""Of the returns and of the costs of the data: timid, usual and bold targets."""
_CONFIDENCE = 0.95  # of each interval alone: a row is looked at, and proves nothing


def judge(run: Any, episodes: int) -> list[dict[str, str]]:
    """Heading -> number, one row a target.  Returns and costs are UN-normalised.

    episodes: fresh ones of a decision transformer, shared among its targets; those of a tuned one
    are part of its run.  Of games a row for each rule, of fine-tuning in groups exact numbers.
    """
    found, training = run.result(), run.training
    if training.algorithm in _OTHERS:
        return _OTHERS[training.algorithm](run, episodes)
    if training.algorithm == "target_returns/safe-tuning":
        return [_tuned_row(found, name, training.task) for name in found.targets]
    each, rows = max(2, episodes // len(_QUANTILES)), []
    for target in np.quantile(found.returns, _QUANTILES, axis=0):
        words = ("train", training.digest, *map(float, target))
        fresh = found.rollouts(training.task, np.tile(target, (each, 1)), words)
        rows.append(_row(target, fresh, ends_of_cost(fresh[:, 1], training.task)))
    return rows


def _row(target: Any, fresh: Any, ends: tuple[float, float]) -> dict[str, str]:
    asked, cost = f"{target[0]:.0f} / {target[1]:.0f}", shown_mean(fresh[:, 1], ends=ends)
    return {"asked": asked, "return": shown_mean(fresh[:, 0]), "cost": cost}


def _tuned_row(found: TunedTarget, name: str, task: str) -> dict[str, str]:
    low, high = ends = ends_of_cost(found.fresh[name][:, 1], task)
    met = "yes" if high <= found.limit else "no" if low > found.limit else "not known"
    row = {"policy": name, **_row(found.targets[name], found.fresh[name], ends)}
    row |= {"limit": f"{found.limit:g}", "met": met}
    if name in ("tuned", "fine-tuned"):
        row["unsafe evaluations"] = f"{found.unsafe} of {len(found.told)}"
    return row


def ends_of_cost(costs: Any, task: str) -> tuple[float, float]:
    """Between which numbers the expected cost lies, as `ends_of_mean` of the evaluation says."""
    from holdfast.solvers.neural.parts import evaluation, tasks

    return evaluation.ends_of_mean(costs, _CONFIDENCE, 0.0, tasks.largest_cost(task))


def shown_mean(values: Any, digits: int = 1, ends: tuple[float, float] | None = None) -> str:
    """The mean with its interval, by default one that knows no bounds."""
    from holdfast.solvers.neural.parts.evaluation import ends_of_mean

    low, high = ends or ends_of_mean(values, _CONFIDENCE)
    around = f"{low:.{digits}f} to {high:.{digits}f}" if low > -inf else "all alike"
    return f"{values.mean():.{digits}f} ({around})"


def _of_games(run: Any, episodes: int) -> list[dict[str, str]]:
    from holdfast.solvers.neural.target_returns.target_choice import RULES

    trained = run.result()
    each = max(2, episodes // (len(RULES) * len(trained.games)))
    rows = []
    for which, name in enumerate(trained.games):
        recorded = shown_mean(trained.tables[which].returns, 2)
        for rule in RULES:
            words = ("train", run.training.digest, rule)
            fresh = shown_mean(trained.fresh_returns(which, rule, each, words), 2)
            rows.append({"game": name, "recorded": recorded, "rule": rule, "return": fresh})
    return rows


def _of_groups(run: Any, _: int) -> list[dict[str, str]]:
    first, last = run.result().first, run.metrics()[-1]
    return [
        {
            "labels": run.training.options.labels,
            "return before": f"{first['return']:.4f}",
            "return after": f"{last['return']:.4f}",
            "bias of relabelling / gradient, before": f"{first['bias']:.3f}",
            "cosine, before": f"{first['cosine']:.3f}",
        }
    ]


_OTHERS = {"target_returns/multi-game": _of_games, "target_returns/group-finetuning": _of_groups}
