"""What ``holdfast train`` says of a policy that was trained on recorded episodes."""

from __future__ import annotations

from typing import Any

import numpy as np

_CONFIDENCE = 0.95  # of each interval alone: a row is looked at, and proves nothing


def judge(run: Any, episodes: int) -> list[dict[str, str]]:
    """Heading -> number, one row for the likeliest actions and one for drawn ones, on so many fresh
    episodes each.  Returns and costs are UN-normalised."""
    from holdfast.solvers.neural.parts.evaluation import ends_of_mean, evaluate
    from holdfast.solvers.neural.parts.tasks import largest_cost

    policy, training = run.result(), run.training
    if training.algorithm == "offline/sepsis":
        return _of_patients(policy)
    rows = []
    for actions, likeliest in (("likeliest", True), ("drawn", False)):
        costs: list[Any] = []
        seen = evaluate(
            policy, training.task, episodes=episodes, seed_words=("train", training.digest),
            first_violation=False, deterministic=likeliest, each_cost=costs.append,
        )  # fmt: skip
        returns = seen.interval(_CONFIDENCE).value
        found = np.concatenate(costs)
        low, high = ends_of_mean(found, _CONFIDENCE, 0.0, largest_cost(training.task))
        rows.append({
            "of actions": actions,
            "return": f"{float(seen.value):.1f} ({returns[0]:.1f} to {returns[1]:.1f})",
            "cost": f"{found.mean():.1f} ({low:.1f} to {high:.1f})",
        })  # fmt: skip
    return rows


def _of_patients(found: Any) -> list[dict[str, str]]:
    """Of a table of probabilities no episodes are needed: bounds on its values are proved."""
    from holdfast.solvers.neural.offline.sepsis import certified, ward
    from holdfast.verify.kernel import Enclosure
    from holdfast.verify.report.numbers import rough

    rows = []
    for name, policy in (("trained", found.policy), ("clinicians", ward().clinicians)):
        proved = certified(policy)
        assert proved.reward is not None  # as it is for values alone
        survival, score = (rough(Enclosure(*ends), 4) for ends in (proved.reward, *proved.costs))
        rows.append({"policy": name, "survival": survival, "SOFA": score})
    return rows
