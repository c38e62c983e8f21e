"""What ``holdfast train`` says of what was trained on flipped labels."""

from __future__ import annotations

from typing import Any


def judge(run: Any) -> dict[str, str]:
    """Heading -> number: of the victims of a cell, or else of the last update."""
    if run.training.algorithm == "poisoning/reward-model":
        return _victims(run.result().outcome)
    lines = run.metrics()
    return {key: f"{value:.5g}" for key, value in lines[-1].items() if value is not None}


def _victims(outcome: Any) -> dict[str, str]:
    """Flips, and held-out losses: 0 for the attack's whole effect, 1 for none."""
    row = {
        "attack's flips": f"{outcome.attack:g}",
        "least cost": f"{outcome.lower:.5g} to {outcome.upper:.5g}",
    }
    for victim in outcome.victims:
        if victim.labels not in ("clean", "attack"):
            row[f"loss, {victim.labels}"] = f"{victim.loss:.4g}"
    least = outcome.of("least-cost")
    low, high = least.agreement()
    row["agreement, least-cost"] = f"{least.agree / least.pairs:.4f} ({low:.4f} to {high:.4f})"
    row["drift"] = f"{outcome.of('attack').drift:.4g}"
    return row
