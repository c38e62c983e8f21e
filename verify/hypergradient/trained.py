"""What ``holdfast train`` says of a training: where the leader came, and how estimates pointed."""

from __future__ import annotations

from typing import Any

from numpy import mean


def judge(run: Any, episodes: int | None = None) -> dict[str, str]:
    """Heading -> number, UN-normalised returns of the leader.  Episodes are not used: objectives
    are exact, or of the fresh episodes that end a training."""
    del episodes
    found = run.result()
    row = {
        "method": run.training.options.method,
        "objective": f"{found.lines[0]['objective']:.4g} to {found.objective:.4g}",
    }
    if "cosine" in found.lines[0]:
        row["cosine to the exact gradient"] = f"{mean(found.column('cosine')):.3f}"
        row["projection"] = f"{found.projection():.3f}"
    return row
