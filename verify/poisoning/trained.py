"""What ``holdfast train`` says of reward models: held-out losses beside that of the control."""

from __future__ import annotations

from typing import Any

_VICTIMS = "poisoning/reward-model"


def judge(run: Any, episodes: int | None = None) -> dict[str, str]:
    """Heading -> number of the run; there are no episodes, so that their number is left out.

    Losses are 0 for the attack's whole effect and 1 for none.  Of an algorithm that compares no
    victims, the last line of its metrics.
    """
    del episodes
    if run.training.algorithm != _VICTIMS:
        return {name: f"{value:.5g}" for name, value in (run.metrics() or [{}])[-1].items()}
    outcome = run.result().outcome
    cheap = outcome.of("least-cost")
    low, high = cheap.agreement()
    row = {
        "least cost / attack": f"{cheap.flips:.1f} / {outcome.attack:g} flips",
        "loss, least cost": f"{cheap.loss:.3g}",
        "rounded": f"{outcome.of('rounded').loss:.3g}",
        "thinned (control)": f"{outcome.of('thinned').loss:.3g}",
        "agreement": f"{cheap.agree / cheap.pairs:.3f} ({low:.3f} to {high:.3f})",
        "drift": f"{outcome.of('attack').drift:.3g}",
    }
    if cheap.near is not None:
        row["distance / bound"] = f"{cheap.near.distance_upper:.2g} / {cheap.near.bound:.2g}"
    return row
