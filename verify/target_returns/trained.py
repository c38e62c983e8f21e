"""What ``holdfast train`` says of a return-conditioned policy: what it is asked, and does."""

from __future__ import annotations

from typing import Any

import numpy as np

_CONFIDENCE = 0.95  # of each interval alone: a row is looked at, and proves nothing
_QUANTILES = (0.1, 0.5, 0.9)
"""Of the returns and of the costs of the data: timid, usual and bold targets."""


_NAMES = ("return", "cost")


def judge(run: Any, episodes: int) -> list[dict[str, str]]:
    """Heading -> number, one row a target; the episodes are shared among the targets.

    Of games one row for each rule, the episodes shared among all; of fine-tuning exact numbers.
    Returns and costs are UN-normalised; intervals are Student's, each alone.
    """
    trained, training = run.result(), run.training
    if training.algorithm in _OTHERS:
        return _OTHERS[training.algorithm](run, episodes)
    each = max(2, episodes // len(_QUANTILES))
    rows = []
    for target in np.quantile(trained.returns, _QUANTILES, axis=0):
        words = ("train", training.digest, *map(float, target))
        found = trained.rollouts(training.task, np.tile(target, (each, 1)), words)
        row = {f"asked {name}": f"{x:.1f}" for name, x in zip(_NAMES, target, strict=True)}
        for name, got in zip(_NAMES, found.T, strict=True):
            row[name] = shown_mean(got)
        rows.append(row)
    return rows


def shown_mean(values: Any) -> str:
    """The mean with Student's interval, which is right in the limit only."""
    from scipy.stats import t

    spread = float(values.std(ddof=1)) / len(values) ** 0.5
    half = float(t.ppf((1 + _CONFIDENCE) / 2, len(values) - 1)) * spread
    mean = float(values.mean())
    return f"{mean:.1f} ({mean - half:.1f} to {mean + half:.1f})"


def _of_games(run: Any, episodes: int) -> list[dict[str, str]]:
    from holdfast.solvers.neural.target_returns.target_choice import RULES

    trained = run.result()
    each = max(2, episodes // (len(RULES) * len(trained.games)))
    return [
        {
            "game": name,
            "recorded": shown_mean(trained.tables[which].returns),
            "rule": rule,
            "return": shown_mean(
                trained.fresh_returns(which, rule, each, ("train", run.training.digest, rule))
            ),
        }
        for which, name in enumerate(trained.games)
        for rule in RULES
    ]


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
